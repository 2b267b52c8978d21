//! `lab:NAME`: a practice server inside this process, so that every example runs anywhere.
//!
//! A lab never passes for a real server: every use says so on standard error, with `-q` too, and
//! in the record. `lab:22` is a host called lab. The servers themselves are the crate
//! `redial-lab`. Start at [`Practice::servers`].

use std::ffi::OsString;

use redial::{Server, Target};
use redial_lab::{Lab, NAMES, Name};

use crate::{error::Error, error::nearest_verb, runtime::has_room, terminal};

/// The practice servers of this process; they stop when it is dropped.
#[derive(Default)]
pub(crate) struct Practice {
    running: Vec<Lab>,
    names: Vec<Box<str>>,
}

impl Practice {
    /// The servers a user named, with every `lab:NAME` started and in its place, and every
    /// `env:NAME` read.
    pub(crate) fn servers(&mut self, words: &[String]) -> Result<Vec<Server>, Error> {
        Ok(self.targets(words)?.into_iter().flatten().collect())
    }

    /// The same, word by word: the servers of one word are alternatives. `HOST PORT`, as nc takes
    /// it, is one word.
    pub(crate) fn targets(&mut self, words: &[String]) -> Result<Vec<Vec<Server>>, Error> {
        if let [host, port] = words
            && port.parse::<u32>().is_ok()
            && !host.contains(['/', ','])
        {
            let server = Server::from_words(&[host, port])
                .map_err(|mistake| Error::plain(mistake.what, mistake.instead))?;
            return Ok(vec![vec![server]]);
        }
        let mut targets = Vec::new();
        for word in words {
            match word.strip_prefix("env:").filter(|_| !word.contains(',')) {
                // A list in a variable names what is needed, as WAIT_HOSTS does.
                Some(name) => targets.extend(self.variable(name)?),
                None => targets.push(self.target(word)?),
            }
        }
        Ok(targets)
    }

    /// The targets of a list, all of which are meant: what commas, blanks or lines separate. Of
    /// servers with a `|` between them, and of the hosts of one URL, any will do.
    pub(crate) fn list(&mut self, text: &str) -> Result<Vec<Vec<Server>>, Error> {
        let is_own = |part: &str| part.trim_start().starts_with("lab:");
        if text.split(',').any(is_own) {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            return parts.map(|part| self.server(part)).collect();
        }
        let targets =
            Target::list(text).map_err(|mistake| Error::plain(mistake.what, mistake.instead))?;
        Ok(targets.into_iter().map(Target::into_servers).collect())
    }

    /// The targets in a variable.
    fn variable(&mut self, name: &str) -> Result<Vec<Vec<Server>>, Error> {
        let name_shown = redial::printable(name);
        let text = std::env::var(name).map_err(|_| {
            Error::plain(
                format!("the environment has no variable `{name_shown}` with text in it"),
                "export it first, as in: export DATABASE_URL=postgres://db",
            )
        })?;
        self.list(&text).map_err(|error| match text.contains("://") || text.contains("lab:") {
            true => error,
            // The passwords of a URL are masked; of anything else in a variable, nothing is
            // known, so nothing of it is printed.
            false => Error::plain(
                format!("the variable in `env:{name_shown}` holds no server"),
                "write a URL such as postgres://HOST/DB, or HOST:PORT, into it",
            ),
        })
    }

    fn target(&mut self, word: &str) -> Result<Vec<Server>, Error> {
        let mut servers = Vec::new();
        for part in alternatives(word)? {
            servers.extend(self.server(&part)?);
        }
        Ok(servers)
    }

    /// Warns that the command starts after practice servers, with `-q` too: they are in this
    /// process, so none of them is left for the command.
    pub(crate) fn warn_of_command(&self, command: Option<&OsString>) {
        let Some(command) = command.filter(|_| !self.running.is_empty()) else { return };
        let names: Vec<String> = self.names.iter().map(|name| format!("lab:{name}")).collect();
        terminal::complain(&format!(
            "redial: WARNING: `{}` will start after practice, not after a real server: {} ends when it starts; REDIAL_NO_LAB=1 forbids this",
            short(&command.to_string_lossy()),
            names.join(", "),
        ));
    }

    /// The names of the practice servers in use, for the record.
    pub(crate) fn names(&self) -> Box<[Box<str>]> {
        self.names.clone().into_boxed_slice()
    }

    /// The authority that signed the practice servers' certificates, so that only what is meant
    /// to be wrong with them is.
    pub(crate) fn authority(&self) -> Option<String> {
        let authorities: Vec<&str> = self.running.iter().filter_map(Lab::ca_pem).collect();
        (!authorities.is_empty()).then(|| authorities.concat())
    }

    fn server(&mut self, text: &str) -> Result<Vec<Server>, Error> {
        if let Some(name) = text.strip_prefix("env:") {
            return Ok(self.variable(name)?.into_iter().flatten().collect());
        }
        match text
            .strip_prefix("lab:")
            .filter(|name| !name.starts_with(|letter: char| letter.is_ascii_digit()))
        {
            Some(name) => self.start(name).map(|server| vec![server]),
            None => Target::parse(text).map(Target::into_servers).map_err(|mistake| {
                // A password has no place in a message: the mistake quotes what may be quoted.
                match nearest_verb(text) {
                    Some(verb) => Error::plain(
                        format!("`{text}` is no verb, and no server with a port"),
                        format!("the nearest verb is `{verb}`; a server has a port: {text}:PORT"),
                    ),
                    None => Error::plain(mistake.what, mistake.instead),
                }
            }),
        }
    }

    fn start(&mut self, name: &str) -> Result<Server, Error> {
        allowed()?;
        let name = Name::parse(name).map_err(|unknown| {
            let there_are = match unknown.nearest() {
                Some(near) => format!("the nearest is `lab:{near}`. There are"),
                None => "there are".into(),
            };
            let what = match name {
                "" => "`lab:` has no name behind it".into(),
                name => format!("no practice server is called `{}`", short(name)),
            };
            Error::plain(what, format!("{there_are}:\n{}", list().trim_end()))
        })?;
        let lab = has_room().and_then(|()| Lab::start(name.script())).map_err(|error| {
            Error::plain(
                format!("lab:{} could not be started: {error}", name.name()),
                "see: redial help lab",
            )
        })?;
        terminal::complain(&format!(
            "redial: lab:{} is a practice server inside this process: {}",
            name.name(),
            name.about()
        ));
        let scheme = if name.meant_for_tls() { "tls" } else { "tcp" };
        let server = Server::parse(&format!("{scheme}://{}", lab.address()))
            .map_err(|mistake| Error::plain(mistake.what, mistake.instead))?
            .labelled(&format!("lab:{}", name.name()));
        self.running.push(lab);
        self.names.push(name.name().into());
        Ok(server)
    }
}

/// Returns whether every word is a target, or two of them are a host and its port.
pub(crate) fn reads_all(words: &[String]) -> bool {
    let is_pair = |words: &[String]| match words {
        [host, port] if port.parse::<u32>().is_ok() => Server::from_words(&[host, port]).is_ok(),
        _ => false,
    };
    is_pair(words) || words.iter().all(|word| reads(word))
}

/// Returns whether a word is a target, without starting or looking up anything.
pub(crate) fn reads(word: &str) -> bool {
    alternatives(word).is_ok_and(|parts| {
        parts.iter().all(|part| match part.strip_prefix("lab:") {
            Some(name) if !name.starts_with(|letter: char| letter.is_ascii_digit()) => {
                Name::parse(name).is_ok()
            }
            _ => part.starts_with("env:") || Target::parse(part).is_ok(),
        })
    })
}

/// All practice servers, a line each.
pub(crate) fn list() -> String {
    let widest = NAMES.iter().map(|name| name.name().len()).max().unwrap_or_default();
    let line = |name: &Name| format!("  lab:{:<widest$}  {}\n", name.name(), name.about());
    NAMES.iter().map(line).collect()
}

/// Whether practice servers may run in this process: `REDIAL_NO_LAB=1` refuses all, `serve` too.
pub(crate) fn allowed() -> Result<(), Error> {
    match std::env::var_os("REDIAL_NO_LAB") {
        Some(value) if !value.is_empty() && value != "0" => Err(Error::plain(
            "practice servers are not allowed here (REDIAL_NO_LAB is set)",
            "name a real server, or unset it where nothing depends on one",
        )),
        _ => Ok(()),
    }
}

fn short(name: &str) -> String {
    redial::printable(&name.chars().take(60).collect::<String>())
}

/// The parts of `a,b` if one of them is the command line's own (`lab:`, `env:`), else the whole.
fn alternatives(word: &str) -> Result<Vec<String>, Error> {
    if word.is_empty() {
        return Err(Error::plain(
            "a server is an empty word",
            "write HOST:PORT; is a variable of the script empty?",
        ));
    }
    let parts: Vec<&str> = word.split(',').collect();
    let own = |part: &&str| part.starts_with("lab:") || part.starts_with("env:");
    if parts.iter().any(own) {
        Ok(parts.into_iter().map(ToOwned::to_owned).collect())
    } else {
        Ok(vec![word.to_owned()])
    }
}

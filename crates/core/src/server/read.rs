//! Reads one server from text whose passwords are masked.
//!
//! The order is fixed: what no server can be, the options, the protocol, its parts, the place.
//! Start at [`servers`].

use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::ops::Range;

use super::{Options, Place, Server, hosts, options::TEXTS};
use crate::{
    Mistake, Scheme,
    clause::STEPS,
    escape::printable,
    nearest::quoted,
    suggestion::{nearest_or, write_or},
};

/// Reads the servers of one word: one, or those of a URL that names several hosts. The text has no
/// password in it any more; `written` gives what stood at a place of it before.
pub(super) fn servers(
    text: &str,
    written: &dyn Fn(Range<usize>) -> String,
) -> Result<Vec<Server>, Mistake> {
    if text.trim().is_empty() {
        let instead = "write HOST:PORT";
        return Err(Mistake::new(0..text.len(), "a server is missing", instead));
    }
    check(text)?;
    let Parts { address, fragment, options } = Parts::of(text);
    let options = match options {
        Some(options) => {
            let start = text.len() - options.len();
            let written = |at: Range<usize>| written(at.start + start..at.end + start);
            Options::read(options, &written).map_err(|mistake| mistake.shifted(start))?
        }
        None => Options::default(),
    };
    let mut servers = if let Some(path) = address.strip_prefix("unix:") {
        let place = Place::read_path(path).map_err(|mistake| mistake.shifted("unix:".len()))?;
        vec![Server { label: address.into(), ..Server::at(place) }]
    } else if let Some((name, rest)) = address.split_once("://") {
        let start = name.len() + 3;
        let written = |at: Range<usize>| written(at.start + start..at.end + start);
        hosts::servers(scheme(name)?, name, rest, &written)
            .map_err(|mistake| mistake.shifted(start))?
    } else {
        refuse_others(address)?;
        vec![Server { label: address.into(), ..Server::at(Place::read(address, None)?) }]
    };
    for server in &mut servers {
        server.options = options.clone();
        server.fragment = fragment.map(Into::into);
    }
    Ok(servers)
}

/// A server's text, split at `#`.
pub(super) struct Parts<'a> {
    pub(super) address: &'a str,
    /// The fragment of a web page, without its `#`.
    pub(super) fragment: Option<&'a str>,
    pub(super) options: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Splits off the options, and before them the fragment of a web page: `/login` or `!login`,
    /// which no option begins with. Options may follow a fragment after a second `#`.
    pub(super) fn of(text: &'a str) -> Self {
        let Some((address, rest)) = text.split_once('#') else {
            return Self { address: text, fragment: None, options: None };
        };
        let scheme = address.split_once("://").and_then(|(name, _)| Scheme::named(name));
        let is_web = scheme.is_some_and(|scheme| scheme.protocol == Some("http"));
        if !(is_web && rest.starts_with(['/', '!'])) {
            return Self { address, fragment: None, options: Some(rest) };
        }
        match rest.rsplit_once('#') {
            Some((fragment, options)) => {
                Self { address, fragment: Some(fragment), options: Some(options) }
            }
            None => Self { address, fragment: Some(rest), options: None },
        }
    }
}

/// Refuses characters that no server has.
pub(super) fn check(text: &str) -> Result<(), Mistake> {
    if printable(text) != text {
        let what = format!("{} has a character that cannot be printed", quoted(text));
        return Err(Mistake::new(0..text.len(), what, "leave it out"));
    }
    let path = text.starts_with("unix:");
    let is_space = |(at, c): &(usize, char)| c.is_whitespace() && !path && !is_in_text(text, *at);
    if let Some((at, space)) = text.char_indices().find(is_space) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let is_server = |text: &str| Server::parse(text).is_ok();
        let pair = match words[..] {
            [host, port] => Place::of_words(host, port).ok().map(|place| place.to_string()),
            _ => None,
        };
        let what = format!("{} has a space in it", quoted(text));
        let instead =
            if words.len() > 1 && pair.is_none() && words.iter().all(|word| is_server(word)) {
                let list: Vec<String> = words.iter().map(|word| quoted(word)).collect();
                format!("each server is a word of its own: {}", list.join(" "))
            } else {
                let candidates = pair.into_iter().chain([words.concat(), words.join("%20")]);
                // In a path a space is written; around a host it is a slip.
                let (path, others): (Vec<_>, Vec<_>) = candidates
                    .partition(|candidate| candidate.contains("%20") && has_path(text, at));
                write_or(path.into_iter().chain(others), is_server, "leave the space out")
            };
        return Err(Mistake::new(at..at + space.len_utf8(), what, instead));
    }
    Ok(())
}

/// Returns true for a place in the value of an option that is text, as in `#header=Name: value`.
fn is_in_text(text: &str, at: usize) -> bool {
    let before = &text[..at];
    let option = before.rfind(',').map_or(before, |comma| &before[comma + 1..]);
    let option = option.rsplit_once('#').map_or(option, |(_, option)| option);
    before.contains('#') && TEXTS.iter().any(|name| option.starts_with(name))
}

/// Returns true if the path of a URL has begun before this place.
fn has_path(text: &str, at: usize) -> bool {
    text[..at].split_once("://").is_some_and(|(_, rest)| rest.contains('/'))
}

/// Refuses a clause that has lost its `--except`.
pub(super) fn refuse_clause(text: &str) -> Result<(), Mistake> {
    let is_clause = text.match_indices(':').any(|(colon, _)| {
        if is_in_text(text, colon) {
            return false;
        }
        let after = text[colon + 1..].trim_start();
        let has_space = after.len() < text.len() - colon - 1;
        let word = after.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or("");
        STEPS.contains(&word) && (has_space || !text.contains("://"))
    });
    if is_clause {
        let what = format!("{} is a clause, not a server", quoted(text));
        return Err(Mistake::new(0..text.len(), what, "put --except before it"));
    }
    Ok(())
}

/// What is written like a server and is something else.
fn refuse_others(text: &str) -> Result<(), Mistake> {
    let all = 0..text.len();
    // A host that is called lab.
    if text.strip_prefix("lab:").is_some_and(|port| port.starts_with(|c: char| c.is_ascii_digit()))
    {
        return Ok(());
    }
    let (what, instead) = if text.starts_with("lab:") || text.starts_with("env:") {
        let (name, what) = match &text[..4] {
            "lab:" => ("lab:", "practice servers"),
            _ => ("env:", "environment variables"),
        };
        (format!("`{name}` names are {what} of the command line"), "write host:port here".into())
    } else if text.starts_with("srv:") {
        no_srv()
    } else if text.contains('@') {
        let candidate = format!("postgres://{text}");
        let instead = offer(candidate, "write its protocol, as in postgres://USER@HOST");
        (format!("{} has a user and no protocol", quoted(text)), instead)
    } else if text.starts_with('/') || text.starts_with("./") || text.starts_with("../") {
        let instead = offer(format!("unix:{text}"), "write unix:/run/app.sock");
        (format!("{} is a path", quoted(text)), instead)
    } else {
        return Ok(());
    };
    Err(Mistake::new(all, what, instead))
}

/// ``write `X` ``, if a server reads so.
pub(super) fn offer(candidate: String, otherwise: &str) -> String {
    write_or([candidate], |text| Server::parse(text).is_ok(), otherwise)
}

fn no_srv() -> (String, String) {
    let what = "servers from DNS SRV are not in this version yet";
    (what.into(), "write the servers themselves: HOST1:PORT,HOST2:PORT".into())
}

fn scheme(name: &str) -> Result<&'static Scheme, Mistake> {
    if let Some(scheme) = Scheme::named(name) {
        return Ok(scheme);
    }
    let all = 0..name.len();
    if name == "srv" || name.ends_with("+srv") {
        let (what, instead) = no_srv();
        return Err(Mistake::new(all, what, instead));
    }
    if name == "lab" || name == "env" {
        let what = format!("{} has slashes", quoted(&format!("{name}://")));
        return Err(Mistake::new(all, what, format!("write {name}: without them")));
    }
    let instead = nearest_or(
        name,
        Scheme::all().iter().map(|scheme| scheme.name),
        |name| format!("{name}://"),
        |url| url.strip_suffix("://").and_then(Scheme::named).is_some(),
        "write host:port, or tls://host:port for TLS",
    );
    let what = match name {
        "" => String::from("a protocol is missing before `://`"),
        _ => format!("no protocol is called {}", quoted(name)),
    };
    Err(Mistake::new(all, what, instead))
}

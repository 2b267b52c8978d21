//! What each connection gets, from the flags that say so, and the same in a few words.
//!
//! `--say`, `--echo`, `--sink` and `--as` say what doing well is; `--script` says when it is done
//! and what happens else; `--tls` puts a handshake in front. The acts are the lab's. Start at
//! [`Plan::of`].

use redial::{Bytes, Mistake, nearest, printable};
use redial_lab::{Behaviour, LESSON, PROTOCOLS, Protocol, Script, State};

use super::{Flags, tls::behind};
use crate::{
    error::Error,
    texts::{AT_SIGN, bytes},
};

/// What is said is held in memory once, whoever it is said to.
const LARGEST_SAYING: u64 = 64 * 1024 * 1024;
/// A script is written by a person.
const LARGEST_SCRIPT: u64 = 1024 * 1024;

/// A script, and what it does in words that go on from "a practice server …".
pub(super) struct Plan {
    pub(super) script: Script,
    pub(super) about: String,
}

impl Plan {
    pub(super) fn of(flags: &Flags) -> Result<Self, Error> {
        let (well, about) = well(flags)?;
        let Some(text) = &flags.script else {
            return Ok(Self { script: well.into(), about });
        };
        let text = script_text(text)?;
        let script = Script::parse(&text, &well).map_err(|error| {
            Error::in_text("--script", &text)(Mistake::new(error.at, error.what, error.instead))
        })?;
        if let Some(number) = flags.connections {
            can_end(&script, &text, number)?;
        }
        let ok = format!("{}; where it is ok it {about}", printable(&one_line(&text)));
        Ok(Self { script, about: ok })
    }
}

/// What doing well is, and a few words that go on from "it …".
fn well(flags: &Flags) -> Result<(Behaviour, String), Error> {
    let (well, about) = if let Some(text) = &flags.say {
        let larger = "a practice server keeps it in memory; cut it to size";
        let said = bytes("--say", text, LARGEST_SAYING, [AT_SIGN, larger])?;
        let about = format!("says {} and closes", Bytes(said.len() as u64));
        (Behaviour::say(said), about)
    } else if flags.echo {
        (Behaviour::Echo, "sends back what it gets".into())
    } else if flags.sink {
        (Behaviour::Sink, "takes everything and says nothing".into())
    } else if let Some(protocol) = &flags.protocol {
        transcript(protocol)?
    } else {
        (Behaviour::say(LESSON), "says its sentence and closes".into())
    };
    behind(flags, well, about)
}

/// The script, from the command line or a file; the end of a file's last line is not part of it.
fn script_text(text: &str) -> Result<String, Error> {
    let text = match text.strip_prefix('@') {
        Some(_) => {
            let larger = "a script is a line or two";
            bytes("--script", text, LARGEST_SCRIPT, ["name a file with a script in it", larger])?
        }
        None => text.as_bytes().to_vec(),
    };
    let text = String::from_utf8(text)
        .map_err(|_| Error::plain("--script: the file is not text", "a script is a line or two"))?;
    Ok(text.trim_end().to_owned())
}

/// Lines as one, for the sentence about it.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether so many connections can come at all.
fn can_end(script: &Script, text: &str, number: u64) -> Result<(), Error> {
    let Some(most) = script.most_connections().filter(|most| *most < number) else { return Ok(()) };
    let last = text.rfind(',').map_or(0, |comma| comma + 1);
    let at = last + (text[last..].len() - text[last..].trim_start().len());
    let comes = match most {
        0 => "nobody comes in".to_owned(),
        1 => "nobody comes in after 1 connection".to_owned(),
        most => format!("nobody comes in after {most} connections"),
    };
    let what = format!("{comes}, so --connections {number} has no end");
    let instead = "write how long, and what then, as in `refuse 2s, ok`";
    Err(Error::in_text("--script", text)(Mistake::new(at..text.len(), what, instead)))
}

/// `redis`, or `redis:not-now`.
fn transcript(text: &str) -> Result<(Behaviour, String), Error> {
    let (name, state) =
        text.split_once([':', ' ']).map_or((text, None), |(name, state)| (name, Some(state)));
    let protocol = Protocol::parse(name).map_err(|_| {
        let names = || PROTOCOLS.iter().map(Protocol::name);
        let next = match nearest(name, names()) {
            Some(near) => format!("the nearest is `{near}`"),
            None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
        };
        Error::plain(format!("--as: no protocol is called `{}`", short(name)), next)
    })?;
    match state {
        None | Some("ready") => Ok((protocol.in_state(State::Ready), protocol.about().to_owned())),
        Some("not-now") => {
            let about = format!("says as {name} that it is not ready: {}", protocol.not_now());
            Ok((protocol.in_state(State::NotNow), about))
        }
        Some(state) => Err(Error::plain(
            format!("--as: no state is called `{}`", short(state)),
            format!("write `{name}` for one that is ready, `{name}:not-now` for one that is not"),
        )),
    }
}

pub(super) fn short(word: &str) -> String {
    printable(&word.chars().take(60).collect::<String>())
}

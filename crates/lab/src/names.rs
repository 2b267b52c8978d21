//! Ready-made servers by name, as a table: what `lab:NAME` can be.
//!
//! Data only: whoever accepts names reads them here, and help is printed from here. Start at
//! [`NAMES`].

use std::fmt;

use crate::behaviour::{Behaviour, Outage};
use crate::script::Script;
use crate::text::nearest;

/// What the server of the lesson says: one friendly sentence, and the end of the line.
pub const LESSON: &str = "Hello from the server! You have reached it.\n";

/// What a mail server says, to a client that expected anything else.
pub(crate) const BANNER: &str =
    "220 mail.example ESMTP ready, and not the server you were looking for\r\n";

/// What a web server says to a TLS hello.
const PLAINTEXT: &str = r#"answer "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nThis port speaks no TLS.\n""#;

/// A server that is ready to be started by its name.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    name: &'static str,
    about: &'static str,
    text: &'static str,
}

/// Every ready-made server, the gentle ones first.
pub const NAMES: &[Name] = &[
    Name::new("lesson", "says its sentence and closes", "ok"),
    Name::new("down", "is never there: every connection is refused", "refuse"),
    Name::new("late", "refuses for 1 s, then says its sentence", "refuse 1s, then ok"),
    Name::new(
        "flaky",
        "resets two connections, says its sentence to the third, again and again",
        "reset 2, ok, loop",
    ),
    Name::new(
        "unlucky",
        "resets three connections of ten, the same at every start",
        "30% reset seed 7",
    ),
    Name::new("blackhole", "ignores connection requests, as a firewall may", "blackhole"),
    Name::new("close", "accepts and closes without a word", "close"),
    Name::new("reset", "accepts and resets", "reset"),
    Name::new("stall", "accepts, reads, and never answers", "stall"),
    Name::new("never-read", "accepts and reads nothing, so that writes block", "never-read"),
    Name::new("slow", "waits 2 s before it says its sentence", "delay 2s ok"),
    Name::new("slow-accept", "accepts one connection a second, the others wait", "ok every 1s"),
    Name::new("drip", "says its sentence one byte every 200 ms", "drip 1B 200ms"),
    Name::new("slice", "says its sentence in segments of one byte", "slice 1B"),
    Name::new("half", "says half its sentence and resets", "reset-after 22B out"),
    Name::new("truncated", "says half its sentence and closes, cleanly", "truncated"),
    Name::new("half-close", "says its sentence and its end, and goes on reading", "half-close"),
    Name::new("oversized", "says its sentence over and over, 16 MiB of it", "oversized 16MiB"),
    Name::new("garbage", "sends 4 KiB of junk and closes", "garbage 4KiB"),
    Name::new("flood", "sends junk without end", "flood"),
    Name::new("banner", "greets as a mail server, and stays", "banner"),
    Name::new("plaintext", "answers anything, a TLS hello too, in plain text", PLAINTEXT),
    #[cfg(feature = "tls")]
    Name::new("tls-expired", "shows a certificate that expired in 2020", "tls-expired"),
    #[cfg(feature = "tls")]
    Name::new("tls-future", "shows a certificate that is not valid before 2100", "tls-future"),
    #[cfg(feature = "tls")]
    Name::new("tls-name", "shows a certificate for another name", "tls-name"),
    #[cfg(feature = "tls")]
    Name::new("tls-self", "shows a certificate that nobody but itself has signed", "tls-self"),
    #[cfg(feature = "tls")]
    Name::new(
        "tls-unknown",
        "shows a certificate from an authority that nobody knows",
        "tls-unknown",
    ),
    #[cfg(feature = "tls")]
    Name::new(
        "tls-chain",
        "shows a certificate without the intermediate that signed it",
        "tls-chain",
    ),
    #[cfg(feature = "tls")]
    Name::new("tls-client", "wants a certificate from the client too", "tls-client"),
    #[cfg(feature = "tls")]
    Name::new("tls-stall", "reads the client's TLS hello and never answers", "tls-stall"),
    #[cfg(feature = "tls")]
    Name::new("tls-half", "answers with its own TLS hello, then nothing", "tls-half"),
    #[cfg(feature = "tls")]
    Name::new("tls-alert", "refuses the TLS handshake with an alert", "tls-alert"),
    #[cfg(feature = "tls")]
    Name::new("tls-old", "knows no TLS after 1.0", "tls-old"),
    Name::new("echo", "sends back what it gets", "echo"),
    Name::new("sink", "takes everything and says nothing", "sink"),
];

impl Name {
    const fn new(name: &'static str, about: &'static str, text: &'static str) -> Self {
        Self { name, about, text }
    }

    /// The server of this name, exactly as written in [`NAMES`].
    ///
    /// # Errors
    ///
    /// There is none; the error names the nearest and lists all.
    pub fn parse(text: &str) -> Result<Self, UnknownName> {
        let found = NAMES.iter().find(|name| name.name == text).copied();
        found.ok_or_else(|| UnknownName { text: text.to_owned() })
    }

    /// What stands after `lab:`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it does, in a few words that go on from "it …".
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// Whether a client should begin with TLS: what is practised is how that goes wrong.
    pub fn meant_for_tls(&self) -> bool {
        self.name.starts_with("tls-") || self.name == "plaintext"
    }

    /// What it does as a script's text, in which `ok` is to say [`LESSON`] and close.
    pub fn text(&self) -> &'static str {
        self.text
    }

    /// What it does, for [`Lab::start`](crate::Lab::start).
    pub fn script(&self) -> Script {
        // Every text of the table is a script; a test reads them all.
        Script::parse(self.text, &Behaviour::say(LESSON)).unwrap_or_else(|_| Outage::Refuse.into())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl From<Name> for Script {
    fn from(name: Name) -> Self {
        name.script()
    }
}

/// There is no ready-made server of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    text: String,
}

impl UnknownName {
    /// The name that was probably meant, where one is near: one slip in three letters.
    pub fn nearest(&self) -> Option<Name> {
        let nearest = nearest(&self.text, NAMES.iter().map(Name::name))?;
        NAMES.iter().find(|name| name.name == nearest).copied()
    }
}

/// Two sentences: what was meant perhaps, and all there are.
impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no practice server {:?}", self.text)?;
        match self.nearest() {
            Some(nearest) => write!(f, "; did you mean {nearest}?")?,
            None => f.write_str(".")?,
        }
        let names: Vec<_> = NAMES.iter().map(Name::name).collect();
        write!(f, " There are: {}", names.join(", "))
    }
}

impl std::error::Error for UnknownName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_a_script() {
        for name in NAMES {
            let script = Script::parse(name.text, &Behaviour::say(LESSON));
            assert_eq!(script, Ok(name.script()), "{name}");
        }
    }
}

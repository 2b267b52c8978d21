//! Ready-made servers by name, as a table: what `lab:NAME` can be.
//!
//! Data only: whoever accepts names reads them here, and help is printed from here. Start at
//! [`NAMES`].

use std::fmt;
use std::time::Duration;

use crate::behaviour::{Behaviour, Outage};
use crate::script::Script;
#[cfg(feature = "tls")]
use crate::tls::Certificate;

/// What the server of the lesson says: one friendly sentence, and the end of the line.
pub const LESSON: &str = "Hello from the server! You have reached it.\n";

/// What a mail server says, to a client that expected anything else.
const BANNER: &str = "220 mail.example ESMTP ready, and not the server you were looking for\r\n";

/// What a web server says to a TLS hello.
const PLAINTEXT: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\
    Connection: close\r\n\r\nThis port speaks no TLS.\n";

/// A server that is ready to be started by its name.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    name: &'static str,
    about: &'static str,
    script: fn() -> Script,
}

/// Every ready-made server, the gentle ones first.
pub const NAMES: &[Name] = &[
    Name::new("lesson", "says its sentence and closes", || lesson().into()),
    Name::new("down", "is never there: every connection is refused", || Outage::Refuse.into()),
    Name::new("late", "refuses for 1 s, then says its sentence", || {
        Script::new([Outage::Refuse.lasting(Duration::from_secs(1)), lesson().forever()])
    }),
    Name::new(
        "flaky",
        "resets two connections, says its sentence to the third, again and again",
        || Script::looping([Behaviour::Reset.times(2), lesson().times(1)]),
    ),
    Name::new("blackhole", "ignores connection requests, as a firewall may", || {
        Outage::Blackhole.into()
    }),
    Name::new("close", "accepts and closes without a word", || Behaviour::Close.into()),
    Name::new("reset", "accepts and resets", || Behaviour::Reset.into()),
    Name::new("stall", "accepts, reads, and never answers", || Behaviour::Stall.into()),
    Name::new("drip", "says its sentence one byte every 200 ms", || {
        Behaviour::drip(LESSON, Duration::from_millis(200)).into()
    }),
    Name::new("banner", "greets as a mail server, and stays", || Behaviour::banner(BANNER).into()),
    Name::new("plaintext", "answers anything, a TLS hello too, in plain text", || {
        Behaviour::answer(PLAINTEXT).into()
    }),
    #[cfg(feature = "tls")]
    Name::new("tls-expired", "shows a certificate that expired in 2020", || {
        lesson().over_tls(Certificate::Expired).into()
    }),
    #[cfg(feature = "tls")]
    Name::new("tls-name", "shows a certificate for another name", || {
        lesson().over_tls(Certificate::WrongName).into()
    }),
    #[cfg(feature = "tls")]
    Name::new("tls-self", "shows a certificate that nobody but itself has signed", || {
        lesson().over_tls(Certificate::SelfSigned).into()
    }),
    Name::new("echo", "sends back what it gets", || Behaviour::Echo.into()),
    Name::new("sink", "takes everything and says nothing", || Behaviour::Sink.into()),
];

impl Name {
    const fn new(name: &'static str, about: &'static str, script: fn() -> Script) -> Self {
        Self { name, about, script }
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

    /// What it does, for [`Lab::start`](crate::Lab::start).
    pub fn script(&self) -> Script {
        (self.script)()
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
        // A name is short; what is much longer than any is no slip of one.
        if self.text.chars().count() > 32 {
            return None;
        }
        let slips = |name: &Name| distance(&self.text.to_lowercase(), name.name);
        let nearest = NAMES.iter().min_by_key(|name| slips(name))?;
        (slips(nearest) <= nearest.name.len().div_ceil(3)).then_some(*nearest)
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

fn lesson() -> Behaviour {
    Behaviour::say(LESSON)
}

/// How many letters must be added, left out or changed to make one word the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.chars().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.chars().count()]
}

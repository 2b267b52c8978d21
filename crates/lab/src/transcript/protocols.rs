//! The transcripts that come with the lab, as a table.
//!
//! Data only: each is a file in `transcripts/`, which names what it was written from. Start at
//! [`PROTOCOLS`].

use std::fmt;

use super::{State, Transcript};
use crate::behaviour::Behaviour;

/// A protocol that a lab can answer a probe in.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    name: &'static str,
    about: &'static str,
    not_now: &'static str,
    /// As records call it, ready and not now.
    words: [&'static str; 2],
    text: &'static str,
}

macro_rules! protocol {
    ($name:literal, $about:literal, $not_now:literal) => {
        Protocol {
            name: $name,
            about: $about,
            not_now: $not_now,
            words: [concat!("as ", $name), concat!("as ", $name, " not-now")],
            text: include_str!(concat!("../../transcripts/", $name, ".txt")),
        }
    };
}

/// Every protocol, by name.
pub const PROTOCOLS: &[Protocol] = &[
    protocol!("amqp", "opens an AMQP 0-9-1 connection", "CONNECTION_FORCED (320)"),
    protocol!("dns", "answers DNS over TCP: the name has no address", "SERVFAIL"),
    protocol!("etcd", "says that etcd is healthy", "503, no leader"),
    protocol!("ftp", "greets as an FTP server", "421"),
    protocol!("http", "answers every GET with 200", "503"),
    protocol!("imap", "greets as an IMAP server", "BYE [UNAVAILABLE]"),
    protocol!("kafka", "answers Kafka's ApiVersions", "BROKER_NOT_AVAILABLE (8)"),
    protocol!("ldap", "accepts every LDAP bind", "unavailable (52)"),
    protocol!("memcached", "answers memcached's version", "too many connections"),
    protocol!("mongodb", "answers MongoDB's hello and ping", "NotPrimaryOrSecondary (13436)"),
    protocol!("mqtt", "accepts MQTT connections", "server unavailable (3)"),
    protocol!("mysql", "lets every MySQL user in", "too many connections (1040)"),
    protocol!("nats", "greets as NATS and answers PING", "maximum connections exceeded"),
    protocol!("pop3", "greets as a POP3 server", "-ERR [SYS/TEMP]"),
    protocol!("postgres", "lets every PostgreSQL user in", "starting up (57P03)"),
    protocol!("redis", "answers PING as Redis does", "LOADING"),
    protocol!("smtp", "greets as a mail server", "421"),
    protocol!("ssh", "greets as an SSH server", "too many are not logged in yet"),
    protocol!("zookeeper", "answers ZooKeeper's ruok", "not serving requests"),
];

impl Protocol {
    /// The protocol of this name, exactly as written in [`PROTOCOLS`].
    ///
    /// # Errors
    ///
    /// There is none; the error lists all.
    pub fn parse(text: &str) -> Result<Self, UnknownProtocol> {
        let found = PROTOCOLS.iter().find(|protocol| protocol.name == text).copied();
        found.ok_or_else(|| UnknownProtocol { text: text.to_owned() })
    }

    /// What stands after `as`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it does when it is ready, in a few words that go on from "it …".
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// What it says when it is not, in a few words.
    pub fn not_now(&self) -> &'static str {
        self.not_now
    }

    /// The file it is written in, which says from what.
    pub fn text(&self) -> &'static str {
        self.text
    }

    /// What it does with a connection in this state.
    pub fn in_state(&self, state: State) -> Behaviour {
        let word = self.words[match state {
            State::Ready => 0,
            State::NotNow => 1,
        }];
        match Transcript::named(word, self.text, state) {
            Ok(transcript) => Behaviour::Converse(transcript.into()),
            Err(error) => unreachable!("a test reads every one of them: {word}: {error}"),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// There is no transcript of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProtocol {
    text: String,
}

/// Two sentences: that there is none, and all there are.
impl fmt::Display for UnknownProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = PROTOCOLS.iter().map(Protocol::name).collect();
        let (text, names) = (&self.text, names.join(", "));
        write!(f, "there is no transcript {text:?}. There are: {names}")
    }
}

impl std::error::Error for UnknownProtocol {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_one_is_read_in_both_states_and_they_differ() {
        for protocol in PROTOCOLS {
            let [ready, not_now] = [State::Ready, State::NotNow]
                .map(|state| Transcript::named("as", protocol.text, state))
                .map(|read| read.unwrap_or_else(|error| panic!("{protocol}: {error}")));
            assert_ne!(ready, not_now, "{protocol}");
            assert!(protocol.text.starts_with("# "), "{protocol} names its source");
            assert!(protocol.about.len() + protocol.not_now.len() < 80, "{protocol}");
        }
        assert!(PROTOCOLS.is_sorted_by_key(|protocol| protocol.name));
    }
}

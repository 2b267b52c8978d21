//! A failure: why an attempt or a live connection ended, as data a policy can decide on.
//!
//! Failures are made by the driver and read by clauses, records and people. This file holds their
//! shape and the rule by which the failures of several addresses become one; it never looks at a
//! socket. An *error* (a wrong file, flag or call) is [`crate::Mistake`], never a failure. Start at
//! [`Failure`].

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{fmt, net::SocketAddr, time::Duration};

use serde::{Serialize, Serializer};

use crate::{Kind, Reason, Stage, escape::escape, quantity};

/// How many bytes of a server's answer a failure keeps.
pub const DETAIL_LIMIT: usize = 256;

/// Why an attempt or a live connection ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// What it was, in one word.
    pub kind: Kind,
    /// Where in the connection's life.
    pub stage: Stage,
    /// The server as the user named it, without its password.
    pub server: Arc<str>,
    /// The socket address that decided the kind, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Every socket address of the server and what became of it.
    pub addresses: Vec<Tried>,
    /// The operating system's own error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errno: Option<Errno>,
    /// A finer statement than the kind, where the driver observed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Bytes of the user's that were handed to the kernel.
    pub sent: u64,
    /// Bytes that were given to the user.
    pub received: u64,
    /// How long the attempt, or the live connection, lasted. In JSON: seconds.
    #[serde(serialize_with = "quantity::as_seconds")]
    pub elapsed: Duration,
    /// What is certain about the bytes sent.
    pub delivery: Delivery,
    /// The first 256 bytes of the answer (escaped), the TLS alert, or the resolver's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
    /// The expected answer, where another one came, or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Arc<str>>,
    /// Of a deadline or a signal: the attempt that it ended, with its kind, its stage and what was
    /// seen so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<Arc<Self>>,
    /// Whether it does not heal by itself: the kind's own word, except for `application`.
    pub lasting: bool,
}

impl Failure {
    /// A failure of this kind, with nothing else known yet.
    #[must_use]
    pub fn new(kind: Kind, stage: Stage, server: Arc<str>) -> Self {
        Self {
            kind,
            stage,
            server,
            address: None,
            addresses: Vec::new(),
            errno: None,
            reason: None,
            sent: 0,
            received: 0,
            elapsed: Duration::ZERO,
            delivery: Delivery::Unsent,
            detail: None,
            expected: None,
            cut: None,
            lasting: kind.is_lasting(),
        }
    }

    /// One failure for a server whose addresses all failed: the most telling one names it.
    ///
    /// Addresses that were not reached do not count; equal kinds keep the first in dialling order.
    #[must_use]
    pub fn merge(server: Arc<str>, addresses: Vec<Tried>) -> Self {
        let telling = addresses
            .iter()
            .filter_map(|tried| match &tried.outcome {
                Outcome::Failed { kind, errno } => {
                    Some((kind.rank(), *kind, *errno, &tried.address))
                }
                Outcome::NotTried | Outcome::Abandoned | Outcome::Connected => None,
            })
            .min_by_key(|(rank, ..)| *rank);
        let (kind, errno, address) = match telling {
            Some((_, kind, errno, address)) => (kind, errno, Some(address.clone())),
            None => (Kind::NoServer, None, None),
        };
        let mut failure = Self::new(kind, Stage::Connect, server);
        failure.errno = errno;
        failure.address = address;
        failure.addresses = addresses;
        failure
    }

    /// Whether the connection was not yet handed over: nothing of the caller's input has left on
    /// it and nothing was given to the caller. The guard `fresh`.
    ///
    /// Nothing acknowledged is not nothing left: only `unsent` is fresh.
    #[must_use]
    pub const fn is_fresh(&self) -> bool {
        self.sent == 0 && self.received == 0 && matches!(self.delivery, Delivery::Unsent)
    }
}

/// One socket address of a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// An IP address and port.
    Ip(SocketAddr),
    /// The path of a Unix socket, made printable.
    Unix(Arc<str>),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => fmt::Display::fmt(address, f),
            Self::Unix(path) => f.pad(path),
        }
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One address of an attempt: what it said, and when.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Tried {
    /// The socket address.
    pub address: Address,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// From its own dial to its answer; zero if it was not tried. In JSON: seconds.
    #[serde(serialize_with = "quantity::as_seconds")]
    pub elapsed: Duration,
}

impl Tried {
    /// An address and what became of it.
    #[must_use]
    pub const fn new(address: Address, outcome: Outcome, elapsed: Duration) -> Self {
        Self { address, outcome, elapsed }
    }
}

/// What became of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// Another address won, or time ran out, before its turn.
    NotTried,
    /// It had not answered when another address won.
    Abandoned,
    /// It accepted; what came after is the failure's own kind.
    Connected,
    /// It failed.
    Failed {
        /// Why.
        kind: Kind,
        /// The operating system's own error.
        #[serde(skip_serializing_if = "Option::is_none")]
        errno: Option<Errno>,
    },
}

/// An operating-system error: its number here, and its name, which is the same everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Errno {
    /// `ECONNREFUSED`, or `errno` where the name is not known.
    pub name: &'static str,
    /// The number on this machine.
    pub number: i32,
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.number)
    }
}

/// What is certain about the bytes the user sent on a connection that failed.
///
/// Not acknowledged is not unsent: a server may have read what its kernel has not yet acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "certain", content = "bytes", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Delivery {
    /// No byte of the user's was accepted by the kernel.
    Unsent,
    /// The kernel that answered has at least so many bytes, from the beginning.
    AckedAtLeast(u64),
    /// Bytes left, and nothing is certain about them.
    Unknown,
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsent => f.write_str("unsent"),
            Self::AckedAtLeast(bytes) => write!(f, "acked-at-least {bytes}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// Text that explains a failure: bounded, and safe to print wherever it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Detail(Box<str>);

impl Detail {
    /// From bytes of a network: the first 256, escaped.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(escape(bytes, DETAIL_LIMIT).into_boxed_str())
    }

    /// From a library's or a resolver's words: made printable, 256 characters at most.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let safe = crate::escape::printable(text);
        Self(safe.chars().take(DETAIL_LIMIT).collect::<alloc::string::String>().into_boxed_str())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_is_fresh_only_while_nothing_left() {
        let mut failure = Failure::new(Kind::Reset, Stage::Stream, "db:5432".into());
        assert!(failure.is_fresh());
        for delivery in [Delivery::AckedAtLeast(0), Delivery::AckedAtLeast(1), Delivery::Unknown] {
            failure.delivery = delivery;
            assert!(!failure.is_fresh(), "{delivery}");
        }
    }
}

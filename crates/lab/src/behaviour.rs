//! What may happen on a connection, and what may happen instead of one.
//!
//! Plain data: a parser can build it and a test can compare it. It does not act; the acts are in
//! `connection` (behaviours) and `door` (outages). Start at [`Behaviour`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::script::Entry;
#[cfg(feature = "tls")]
use crate::tls::{Certificate, Handshake};
use crate::transcript::Transcript;

/// What the server does on one accepted connection.
///
/// Wherever it *closes*, it sends a clean end (FIN) and then reads on until the client ends too,
/// for 10 s at most: bytes left unread would turn the end into a reset. Where it *waits for*
/// bytes and the client ends first, it closes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Behaviour {
    /// Closes at once, without a byte.
    Close,
    /// Resets at once (RST, by zero linger).
    Reset,
    /// Waits for the first bytes, then closes.
    ReadThenClose,
    /// Waits for the first bytes, then resets.
    ReadThenReset,
    /// Waits for N bytes, then closes.
    CloseAfter(u64),
    /// Waits for N bytes, then resets.
    ResetAfter(u64),
    /// Says the bytes and closes: the server of the lesson. See [`Behaviour::say`].
    Say(Arc<[u8]>),
    /// Waits for the first bytes, says its own whatever they were, and closes.
    Answer(Arc<[u8]>),
    /// Says the bytes and ends without saying so: under TLS the end comes without close_notify, as
    /// if somebody had cut the line; without TLS it is the same as `Say`.
    Cut(Arc<[u8]>),
    /// Says the bytes, then reads and ignores everything until the client ends, and closes.
    Banner(Arc<[u8]>),
    /// Says the bytes, lets them arrive (20 ms), then resets.
    PartialThenReset(Arc<[u8]>),
    /// Reads everything and never answers, not even the client's end. In front of a TLS client
    /// this is a handshake that stalls. A client that has left is noticed about 60 s later.
    Stall,
    /// Says the bytes, then stalls.
    StallAfter(Arc<[u8]>),
    /// Says the bytes one at a time, then closes.
    Drip {
        /// What it says.
        bytes: Arc<[u8]>,
        /// The pause before each byte.
        every: Duration,
    },
    /// Sends back what it reads until the client ends, then closes.
    Echo,
    /// Reads everything until the client ends, then closes.
    Sink,
    /// Sends junk without end, and reads nothing.
    Flood,
    /// Talks as a server of a known protocol; see [`Transcript`] and [`PROTOCOLS`](crate::PROTOCOLS).
    Converse(Arc<Transcript>),
    /// Shakes hands with a certificate, then behaves as `then` says inside TLS. See
    /// [`Behaviour::over_tls`].
    #[cfg(feature = "tls")]
    Tls {
        /// What it shows.
        certificate: Certificate,
        /// What it does with a client that accepted the certificate.
        then: Box<Self>,
    },
    /// Fails the handshake before any certificate matters, or stops in it.
    #[cfg(feature = "tls")]
    Handshake(Handshake),
}

impl Behaviour {
    /// Says the text and closes.
    pub fn say(text: impl AsRef<[u8]>) -> Self {
        Self::Say(text.as_ref().into())
    }

    /// Waits for the first bytes, says the text whatever they were, and closes.
    pub fn answer(text: impl AsRef<[u8]>) -> Self {
        Self::Answer(text.as_ref().into())
    }

    /// Says the text and ends without saying so (see [`Behaviour::Cut`]).
    pub fn cut(text: impl AsRef<[u8]>) -> Self {
        Self::Cut(text.as_ref().into())
    }

    /// Says the text and stays until the client ends.
    pub fn banner(text: impl AsRef<[u8]>) -> Self {
        Self::Banner(text.as_ref().into())
    }

    /// Says the text, lets it arrive, then resets.
    pub fn partial_then_reset(text: impl AsRef<[u8]>) -> Self {
        Self::PartialThenReset(text.as_ref().into())
    }

    /// Says the text, then never another byte.
    pub fn stall_after(text: impl AsRef<[u8]>) -> Self {
        Self::StallAfter(text.as_ref().into())
    }

    /// Says the text one byte at a time, with a pause before each, then closes.
    pub fn drip(text: impl AsRef<[u8]>, every: Duration) -> Self {
        Self::Drip { bytes: text.as_ref().into(), every }
    }

    /// The same behaviour inside TLS, behind this certificate.
    #[cfg(feature = "tls")]
    pub fn over_tls(self, certificate: Certificate) -> Self {
        Self::Tls { certificate, then: Box::new(self) }
    }

    /// This behaviour for the next `count` connections. Zero leaves it out.
    pub fn times(self, count: u64) -> Entry {
        Entry::Connections { behaviour: self, count: Some(count) }
    }

    /// This behaviour for every connection from here on.
    pub fn forever(self) -> Entry {
        Entry::Connections { behaviour: self, count: None }
    }
}

/// The behaviour in a word, as scripts and records call it: `reset`, `say`, `tls-expired`.
impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Behaviour {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Reset => "reset",
            Self::ReadThenClose => "read-close",
            Self::ReadThenReset => "read-reset",
            Self::CloseAfter(_) => "close-after",
            Self::ResetAfter(_) => "reset-after",
            Self::Say(_) => "say",
            Self::Answer(_) => "answer",
            Self::Cut(_) => "cut",
            Self::Banner(_) => "banner",
            Self::PartialThenReset(_) => "partial-reset",
            Self::Stall => "stall",
            Self::StallAfter(_) => "stall-after",
            Self::Drip { .. } => "drip",
            Self::Echo => "echo",
            Self::Sink => "sink",
            Self::Flood => "flood",
            Self::Converse(transcript) => transcript.word(),
            #[cfg(feature = "tls")]
            Self::Tls { certificate, .. } => certificate.word(),
            #[cfg(feature = "tls")]
            Self::Handshake(handshake) => handshake.word(),
        }
    }
}

/// What happens instead of a connection.
///
/// It is apart from [`Behaviour`] because nothing is accepted: it can last for a time, but it
/// cannot be counted in connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outage {
    /// Every connection request is refused (ECONNREFUSED), and the port stays taken.
    Refuse,
    /// Connection requests are ignored, as behind a firewall that drops packets. Linux only: it
    /// is a backlog that is full, and other systems may refuse instead.
    Blackhole,
}

impl Outage {
    /// This outage for a time, counted from when its turn comes. Zero leaves it out.
    pub fn lasting(self, time: Duration) -> Entry {
        Entry::Outage { outage: self, time: Some(time) }
    }

    /// This outage from here on.
    pub fn forever(self) -> Entry {
        Entry::Outage { outage: self, time: None }
    }
}

/// `refuse` or `blackhole`.
impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refuse => "refuse",
            Self::Blackhole => "blackhole",
        })
    }
}

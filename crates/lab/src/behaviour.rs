//! What may happen on a connection, and what may happen instead of one.
//!
//! Plain data: a parser can build it and a test can compare it. It does not act; the acts are in
//! `play` (behaviours) and `door` (outages). Start at [`Behaviour`].

use std::fmt;
use std::num::NonZeroUsize;
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
/// bytes and the client ends first, it closes. Where it *says* something, it reads nothing
/// meanwhile. As text it is one act of a [script](crate::Script::parse), and prints as one.
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
    /// Closes after so many bytes.
    CloseAfter(After),
    /// Resets after so many bytes; what it said is given 20 ms to arrive.
    ResetAfter(After),
    /// Reads everything and never answers, not even the client's end. In front of a TLS client
    /// this is a handshake that stalls. A client that has left is noticed about 60 s later.
    Stall,
    /// Stalls after so many bytes. After the client's, it reads not one more; after its own, it
    /// goes on reading, as [`Behaviour::Stall`] does.
    StallAfter(After),
    /// Reads nothing, ever, into a receive buffer as small as the system allows: the client's
    /// window shrinks to zero and its writes block. A client that has left is noticed as in
    /// `Stall`, or later where its kernel keeps asking for room.
    NeverRead,
    /// Says the bytes and closes: the server of the lesson. See [`Behaviour::say`].
    Say(Arc<[u8]>),
    /// Waits for the first bytes, says its own whatever they were, and closes.
    Answer(Arc<[u8]>),
    /// Says the bytes and ends without saying so: under TLS the end comes without close_notify, as
    /// if somebody had cut the line; without TLS it is the same as `Say`.
    Cut(Arc<[u8]>),
    /// Says the bytes, then reads and ignores everything until the client ends, and closes.
    Banner(Arc<[u8]>),
    /// Says the bytes and its end, and goes on reading for as long as the client sends.
    HalfClose(Arc<[u8]>),
    /// Says the first half of the bytes (rounded down) and closes, cleanly.
    Truncated(Arc<[u8]>),
    /// Says the bytes over and over, so many in all, and closes.
    Oversized {
        /// What it says over and over; if empty, it says nothing.
        text: Arc<[u8]>,
        /// How many bytes in all.
        bytes: u64,
    },
    /// Says the text in pieces with a pause before each, then closes.
    Drip {
        /// What it says.
        text: Arc<[u8]>,
        /// How much at a time; the last piece may be shorter.
        bytes: NonZeroUsize,
        /// The pause before each piece.
        every: Duration,
    },
    /// Says the text in pieces without a pause, each a segment of its own (on Linux, and not
    /// inside TLS; elsewhere the system may join what it could not send at once), then closes.
    /// The client's kernel may join what has arrived.
    Slice {
        /// What it says.
        text: Arc<[u8]>,
        /// How long a piece is; the last may be shorter.
        bytes: NonZeroUsize,
    },
    /// Sends so much junk and closes. The same seed is the same junk: the outputs of SplitMix64
    /// started with the seed, as little-endian bytes.
    Garbage {
        /// How many bytes.
        bytes: u64,
        /// Where the junk comes from.
        seed: u64,
    },
    /// Sends junk without end (that of seed 0), and reads nothing.
    Flood,
    /// Sends back what it reads until the client ends, then closes.
    Echo,
    /// Reads everything until the client ends, then closes.
    Sink,
    /// Does nothing for a time, not even read, then behaves as `then` says.
    Delay {
        /// How long.
        time: Duration,
        /// What it does then.
        then: Box<Self>,
    },
    /// Talks as a server of a known protocol; see [`Transcript`] and
    /// [`PROTOCOLS`](crate::PROTOCOLS).
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

/// So many bytes, in one direction or the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// So many bytes of the client's were read, and not one more. If it ends before, we close.
    In(u64),
    /// So many bytes were said: the text, over and over if it is shorter; if empty, none.
    Out {
        /// How many bytes.
        bytes: u64,
        /// What is said.
        text: Arc<[u8]>,
    },
}

impl After {
    /// After the whole text was said.
    pub fn said(text: impl AsRef<[u8]>) -> Self {
        let text: Arc<[u8]> = text.as_ref().into();
        Self::Out { bytes: text.len() as u64, text }
    }
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

    /// Says the text and its end, and goes on reading for as long as the client sends.
    pub fn half_close(text: impl AsRef<[u8]>) -> Self {
        Self::HalfClose(text.as_ref().into())
    }

    /// Says the first half of the text and closes.
    pub fn truncated(text: impl AsRef<[u8]>) -> Self {
        Self::Truncated(text.as_ref().into())
    }

    /// Says the text over and over, so many bytes in all, and closes.
    pub fn oversized(text: impl AsRef<[u8]>, bytes: u64) -> Self {
        Self::Oversized { text: text.as_ref().into(), bytes }
    }

    /// Says the text, lets it arrive, then resets.
    pub fn partial_then_reset(text: impl AsRef<[u8]>) -> Self {
        Self::ResetAfter(After::said(text))
    }

    /// Says the text, then never another byte.
    pub fn stall_after(text: impl AsRef<[u8]>) -> Self {
        Self::StallAfter(After::said(text))
    }

    /// Says the text one byte at a time, with a pause before each, then closes.
    pub fn drip(text: impl AsRef<[u8]>, every: Duration) -> Self {
        Self::Drip { text: text.as_ref().into(), bytes: NonZeroUsize::MIN, every }
    }

    /// Says the text in pieces of so many bytes, each a segment of its own, then closes.
    pub fn slice(text: impl AsRef<[u8]>, bytes: NonZeroUsize) -> Self {
        Self::Slice { text: text.as_ref().into(), bytes }
    }

    /// The same behaviour after doing nothing for a time.
    pub fn delayed(self, time: Duration) -> Self {
        Self::Delay { time, then: Box::new(self) }
    }

    /// The same behaviour inside TLS, behind this certificate.
    #[cfg(feature = "tls")]
    pub fn over_tls(self, certificate: Certificate) -> Self {
        Self::Tls { certificate, then: Box::new(self) }
    }

    /// This behaviour for the next `count` connections. Zero leaves it out.
    pub fn times(self, count: u64) -> Entry {
        Entry::Connections { behaviour: self, count: Some(count), every: None, chance: None }
    }

    /// This behaviour for every connection from here on.
    pub fn forever(self) -> Entry {
        Entry::Connections { behaviour: self, count: None, every: None, chance: None }
    }

    /// What it is called in scripts and records, without what belongs to it: `reset`, `say`,
    /// `tls-expired`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Reset => "reset",
            Self::ReadThenClose => "read-close",
            Self::ReadThenReset => "read-reset",
            Self::CloseAfter(_) => "close-after",
            Self::ResetAfter(_) => "reset-after",
            Self::Stall => "stall",
            Self::StallAfter(_) => "stall-after",
            Self::NeverRead => "never-read",
            Self::Say(_) => "say",
            Self::Answer(_) => "answer",
            Self::Cut(_) => "cut",
            Self::Banner(_) => "banner",
            Self::HalfClose(_) => "half-close",
            Self::Truncated(_) => "truncated",
            Self::Oversized { .. } => "oversized",
            Self::Drip { .. } => "drip",
            Self::Slice { .. } => "slice",
            Self::Garbage { .. } => "garbage",
            Self::Flood => "flood",
            Self::Echo => "echo",
            Self::Sink => "sink",
            Self::Delay { .. } => "delay",
            Self::Converse(transcript) => transcript.word(),
            #[cfg(feature = "tls")]
            Self::Tls { certificate, .. } => certificate.word(),
            #[cfg(feature = "tls")]
            Self::Handshake(handshake) => handshake.word(),
        }
    }

    /// This behaviour, what it does then, and so on.
    fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |behaviour| match behaviour {
            Self::Delay { then, .. } => Some(then),
            #[cfg(feature = "tls")]
            Self::Tls { then, .. } => Some(then),
            _ => None,
        })
    }

    /// How many behaviours it is, one within the other; at least one.
    pub(crate) fn levels(&self) -> usize {
        self.chain().count()
    }

    /// The certificates it needs.
    #[cfg(feature = "tls")]
    pub(crate) fn certificates(&self) -> impl Iterator<Item = Certificate> {
        self.chain().filter_map(|behaviour| match behaviour {
            Self::Tls { certificate, .. } => Some(certificate.clone()),
            Self::Handshake(handshake) => handshake.certificate(),
            _ => None,
        })
    }

    /// The text it says when it is let to; none for what only reads or ends, or says junk.
    pub(crate) fn text(&self) -> Option<&Arc<[u8]>> {
        match self {
            Self::Say(text)
            | Self::Answer(text)
            | Self::Cut(text)
            | Self::Banner(text)
            | Self::HalfClose(text)
            | Self::Truncated(text)
            | Self::Oversized { text, .. }
            | Self::Drip { text, .. }
            | Self::Slice { text, .. } => Some(text),
            Self::CloseAfter(after) | Self::ResetAfter(after) | Self::StallAfter(after) => {
                match after {
                    After::In(_) => None,
                    After::Out { text, .. } => Some(text),
                }
            }
            Self::Close
            | Self::Reset
            | Self::ReadThenClose
            | Self::ReadThenReset
            | Self::Stall
            | Self::NeverRead
            | Self::Garbage { .. }
            | Self::Flood
            | Self::Echo
            | Self::Sink
            | Self::Converse(_) => None,
            #[cfg(feature = "tls")]
            Self::Handshake(_) => None,
            Self::Delay { then, .. } => then.text(),
            #[cfg(feature = "tls")]
            Self::Tls { then, .. } => then.text(),
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

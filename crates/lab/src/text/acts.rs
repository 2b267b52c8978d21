//! The acts of a script, as a table: the word, what may follow it, and what it means.
//!
//! The parser reads by this table and help can be printed from it, so neither drifts. How the
//! parts of a script fit together is in `text`. A new act is a row here, and what it reads is
//! one of a few things that [`Words`] can read. Start at [`ACTS`].

use std::time::Duration;

use crate::behaviour::Behaviour;
use crate::names::BANNER;
use crate::text::ScriptError;
use crate::text::reader::Words;
#[cfg(feature = "tls")]
use crate::tls::{Certificate, Handshake};
use crate::transcript;

/// A word of a script that says what happens on a connection.
#[derive(Clone, Copy, Debug)]
pub struct Act {
    word: &'static str,
    arguments: &'static str,
    about: &'static str,
    read: Reader,
}

/// How an act reads what belongs to it.
type Reader = fn(&mut Words<'_>) -> Result<Behaviour, ScriptError>;

/// Every act, the gentle ones first. `[…]` may be left out: a TEXT is then what `ok` says (or the
/// lesson's sentence, if that says nothing), an ACT is `ok`, a seed 0.
pub const ACTS: &[Act] = &[
    Act::new("ok", "", "behaves well", |words| words.well()),
    Act::new("say", "[TEXT]", "says its text and closes", |words| Ok(Behaviour::Say(words.text()))),
    Act::new("answer", "[TEXT]", "waits for the first bytes, says its text and closes", |words| {
        Ok(Behaviour::Answer(words.text()))
    }),
    Act::new("echo", "", "sends back what it gets", |_| Ok(Behaviour::Echo)),
    Act::new("sink", "", "takes everything and says nothing", |_| Ok(Behaviour::Sink)),
    Act::new("delay", "TIME [ACT]", "does nothing for a time, then that", |words| {
        let time = words.time()?.ok_or_else(|| words.missing("a time", "delay 2s"))?;
        Ok(words.act_or_ok()?.delayed(time))
    }),
    Act::new("drip", "[SIZE] [TIME] [TEXT]", "says its text bit by bit: 1B each 200ms", |words| {
        let bytes = words.piece()?;
        let every = words.time()?.unwrap_or(Duration::from_millis(200));
        Ok(Behaviour::Drip { text: words.text(), bytes, every })
    }),
    Act::new("slice", "[SIZE] [TEXT]", "says its text in segments of 1B, or so much", |words| {
        Ok(Behaviour::Slice { bytes: words.piece()?, text: words.text() })
    }),
    Act::new("close", "", "closes without a word", |_| Ok(Behaviour::Close)),
    Act::new("reset", "", "resets", |_| Ok(Behaviour::Reset)),
    Act::new("read-close", "", "waits for the first bytes, then closes", |_| {
        Ok(Behaviour::ReadThenClose)
    }),
    Act::new("read-reset", "", "waits for the first bytes, then resets", |_| {
        Ok(Behaviour::ReadThenReset)
    }),
    Act::new("close-after", "SIZE in|out [TEXT]", "closes after so much in or out", |words| {
        Ok(Behaviour::CloseAfter(words.after("close-after")?))
    }),
    Act::new("reset-after", "SIZE in|out [TEXT]", "resets after so much in or out", |words| {
        Ok(Behaviour::ResetAfter(words.after("reset-after")?))
    }),
    Act::new("stall", "", "reads, and never answers", |_| Ok(Behaviour::Stall)),
    Act::new("stall-after", "SIZE in|out [TEXT]", "stalls after so much in or out", |words| {
        Ok(Behaviour::StallAfter(words.after("stall-after")?))
    }),
    Act::new("never-read", "", "reads nothing: the client's writes block", |_| {
        Ok(Behaviour::NeverRead)
    }),
    Act::new("half-close", "[TEXT]", "says its text and its end, and goes on reading", |words| {
        Ok(Behaviour::HalfClose(words.text()))
    }),
    Act::new("truncated", "[TEXT]", "says the first half of its text and closes", |words| {
        Ok(Behaviour::Truncated(words.text()))
    }),
    Act::new("cut", "[TEXT]", "says its text; inside TLS, ends without close_notify", |words| {
        Ok(Behaviour::Cut(words.text()))
    }),
    Act::new("oversized", "[SIZE] [TEXT]", "says its text over and over, 16MiB in all", |words| {
        let bytes = words.size()?.unwrap_or(16 << 20);
        Ok(Behaviour::Oversized { bytes, text: words.text() })
    }),
    Act::new("banner", "[TEXT]", "greets as a mail server, or so, and stays", |words| {
        Ok(Behaviour::Banner(words.own_text().unwrap_or_else(|| BANNER.as_bytes().into())))
    }),
    Act::new("garbage", "[SIZE] [seed N]", "sends 4KiB of junk, or so much, and closes", |words| {
        let bytes = words.size()?.unwrap_or(4 << 10);
        Ok(Behaviour::Garbage { bytes, seed: words.seed()? })
    }),
    Act::new("flood", "", "sends junk without end", |_| Ok(Behaviour::Flood)),
    Act::new("as", "NAME [not-now]", "answers as a server of that protocol", transcript::read),
    #[cfg(feature = "tls")]
    Act::new("tls", "[ACT]", "does that inside TLS, its certificate in order", |words| {
        Ok(words.act_or_ok()?.over_tls(Certificate::Trusted))
    }),
    #[cfg(feature = "tls")]
    Act::new("tls-expired", "[ACT]", "shows a certificate that expired", |words| {
        Ok(words.act_or_ok()?.over_tls(Certificate::Expired))
    }),
    #[cfg(feature = "tls")]
    Act::new("tls-future", "[ACT]", "shows a certificate that is not valid yet", |words| {
        Ok(words.act_or_ok()?.over_tls(Certificate::NotYetValid))
    }),
    #[cfg(feature = "tls")]
    Act::new("tls-name", "[ACT]", "shows a certificate for another name", |words| {
        Ok(words.act_or_ok()?.over_tls(Certificate::WrongName))
    }),
    #[cfg(feature = "tls")]
    Act::new("tls-self", "[ACT]", "shows a certificate signed by itself alone", |words| {
        Ok(words.act_or_ok()?.over_tls(Certificate::SelfSigned))
    }),
    #[cfg(feature = "tls")]
    Act::new("tls-unknown", "[ACT]", "shows a certificate from an unknown authority", |words| {
        Ok(words.act_or_ok()?.over_tls(Certificate::UnknownIssuer))
    }),
    #[cfg(feature = "tls")]
    Act::new("tls-chain", "[ACT]", "shows a certificate without its intermediate", |words| {
        Ok(words.act_or_ok()?.over_tls(Certificate::MissingIntermediate))
    }),
    #[cfg(feature = "tls")]
    Act::new(
        "tls-client",
        "[ACT]",
        "does that inside TLS for clients with a certificate",
        |words| Ok(words.act_or_ok()?.over_tls(Certificate::ClientWanted)),
    ),
    #[cfg(feature = "tls")]
    Act::new("tls-stall", "", "reads the client's hello, and never answers", |_| {
        Ok(Behaviour::Handshake(Handshake::Stall))
    }),
    #[cfg(feature = "tls")]
    Act::new("tls-half", "", "answers with its own hello, then nothing", |_| {
        Ok(Behaviour::Handshake(Handshake::StallAfterHello))
    }),
    #[cfg(feature = "tls")]
    Act::new("tls-alert", "", "refuses the handshake with an alert", |_| {
        Ok(Behaviour::Handshake(Handshake::Alert))
    }),
    #[cfg(feature = "tls")]
    Act::new("tls-old", "", "knows no TLS after 1.0", |_| Ok(Behaviour::Handshake(Handshake::Old))),
];

impl Act {
    const fn new(
        word: &'static str,
        arguments: &'static str,
        about: &'static str,
        read: Reader,
    ) -> Self {
        Self { word, arguments, about, read }
    }

    /// What stands in a script.
    pub fn word(&self) -> &'static str {
        self.word
    }

    /// What may or must follow it: `SIZE in|out [TEXT]`.
    pub fn arguments(&self) -> &'static str {
        self.arguments
    }

    /// What it does, in a few words that go on from "it …".
    pub fn about(&self) -> &'static str {
        self.about
    }

    pub(crate) fn reader(&self) -> Reader {
        self.read
    }

    pub(crate) fn find(word: &str) -> Option<Self> {
        ACTS.iter().find(|act| act.word == word).copied()
    }
}

//! What happened in a session, one note each.
//!
//! The same shape live and rehearsed; the traceback and the JSON are views of these. They are kept
//! by [`crate::Record`], not by the session. Start at [`Event`].

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::time::Duration;

use serde::Serialize;

use super::Verdict;
use crate::{Address, Failure, Times, Tried, quantity::as_seconds};

/// An event and when it happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Happened {
    /// Since the session began. In JSON: seconds.
    #[serde(serialize_with = "as_seconds")]
    pub at: Duration,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// One thing that happened. Servers and clauses are indices into the record's lists.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// An attempt began.
    Trying {
        /// Its number, from 1.
        attempt: u32,
        /// At which server.
        server: usize,
    },
    /// An attempt succeeded.
    Connected {
        /// Its number.
        attempt: u32,
        /// At which server.
        server: usize,
        /// At which of its addresses.
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<Address>,
    },
    /// An attempt, or a live connection, failed.
    Failed {
        /// The attempt's number.
        attempt: u32,
        /// Why.
        failure: Arc<Failure>,
    },
    /// What was done about it.
    Handled {
        /// The attempt's number.
        attempt: u32,
        /// By which clause.
        #[serde(skip_serializing_if = "Option::is_none")]
        clause: Option<usize>,
        /// Whether a `retry`, `next` or `drop` of the clause was found used up just now.
        used_up: bool,
        /// What the clause came to.
        #[serde(flatten)]
        action: Action,
    },
    /// The body ended well, and has to do so again.
    Again {
        /// For the n-th time in a row, from 1.
        n: u32,
        /// Of so many.
        of: u32,
        /// The next attempt follows after this pause. In JSON: seconds.
        #[serde(serialize_with = "as_seconds")]
        delay: Duration,
    },
    /// A line of a `say`.
    Said {
        /// The line, its facts filled in.
        line: Box<str>,
    },
    /// A `run` ran.
    Ran {
        /// The program.
        program: Box<str>,
        /// How it ended.
        #[serde(flatten)]
        ran: Ran,
        /// How long it took. In JSON: seconds.
        #[serde(serialize_with = "as_seconds")]
        elapsed: Duration,
    },
    /// A `diagnose` looked.
    Diagnosed {
        /// Every address of the server and what it said now.
        addresses: Vec<Tried>,
        /// What that means, in one sentence.
        #[serde(skip_serializing_if = "Option::is_none")]
        cause: Option<Box<str>>,
    },
    /// The end.
    Over {
        /// How.
        verdict: Verdict,
    },
}

/// What a clause came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// The same server again.
    Retry {
        /// This is the n-th time, from 1.
        n: u32,
        /// Of so many.
        of: Times,
        /// After this pause. In JSON: seconds.
        #[serde(serialize_with = "as_seconds")]
        delay: Duration,
    },
    /// The next server.
    Next {
        /// Which.
        server: usize,
        /// In which round, from 1.
        round: u32,
        /// After this pause: zero within a round. In JSON: seconds.
        #[serde(serialize_with = "as_seconds")]
        delay: Duration,
        /// Whether the server before it was dropped.
        dropped: bool,
    },
    /// `exit N`.
    Exit {
        /// The status.
        status: u8,
    },
    /// `stop`, or the end of the clause.
    Stop,
    /// No clause of the user's said what to do.
    Unhandled,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "ended", content = "status", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ran {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// It took too long and was killed with its group.
    Killed,
    /// It could not be started; the operating system's words.
    NotStarted(Box<str>),
    /// It was started and has ended, and its status cannot be had: SIGCHLD is ignored.
    Unknown,
    /// It is not allowed here, or ran less than its `at most every` ago.
    Skipped,
}

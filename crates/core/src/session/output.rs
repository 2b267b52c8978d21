//! What goes into a session and what comes out.
//!
//! Plain data; the rules are in [`crate::Session`]. Start at [`Output`].

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::time::Duration;

use serde::{Serialize, Serializer};

use super::{Happened, Ran, Reached};
use crate::{Address, Failure, Kind, StepRef, Tried};

/// Names an attempt or a step under way. A cancelled id is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub(super) u32);

/// What happened, for [`crate::Session::handle`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Input {
    /// Begin. Once, first.
    Start,
    /// Time has passed.
    Tick,
    /// The attempt has come this far. Reported just before an input that may end it.
    Reached {
        /// The attempt.
        id: Id,
        /// How far.
        reached: Reached,
        /// When it came there, or when bytes last moved.
        since: Duration,
    },
    /// The attempt stands: connected, and the answer is the expected one.
    Connected {
        /// The attempt.
        id: Id,
        /// Which address won.
        address: Option<Address>,
    },
    /// The attempt, or its live connection, failed. A clean end is the kind `closed`.
    Failed {
        /// The attempt.
        id: Id,
        /// Why.
        failure: Arc<Failure>,
    },
    /// Whoever used the connection is done with it and content.
    Finished {
        /// The attempt.
        id: Id,
    },
    /// Whoever used the connection has gone: neither a clause nor `else` is asked, `finally` is.
    Abandoned {
        /// The attempt.
        id: Id,
    },
    /// A step was carried out.
    StepDone {
        /// The step.
        id: Id,
        /// What came of it.
        result: StepResult,
    },
    /// The process was told to stop.
    Interrupt(Signal),
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StepResult {
    /// A command ran, or could not.
    Ran(Ran, Duration),
    /// Evidence was gathered: what each address said now, and what that means if that is known.
    Diagnosed {
        /// Every address of the server.
        addresses: Vec<Tried>,
        /// One sentence.
        cause: Option<Box<str>>,
    },
    /// This driver does not carry out such steps.
    Skipped,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Output {
    /// Try this server (an index into the policy's): resolve, race, TLS, expect.
    Attempt {
        /// Answer with this id.
        id: Id,
        /// Which server.
        server: usize,
    },
    /// Give up the attempt, connection or step at once; nothing more is wanted of it.
    Cancel {
        /// Which.
        id: Id,
    },
    /// Carry out a `run` or `diagnose`.
    Step {
        /// Answer with this id.
        id: Id,
        /// Which step; [`crate::Policy::step`] finds it.
        step: StepRef,
        /// How long it may take.
        limit: Duration,
    },
    /// The attempt's connection may be handed over.
    Connected {
        /// The attempt.
        id: Id,
    },
    /// This happened.
    Note(Happened),
    /// Nothing more to do until then, or until an input. [`Duration::MAX`]: no limit.
    Wake {
        /// The time since the session began.
        at: Duration,
        /// What is being waited for.
        why: Why,
    },
    /// The session is over.
    Done(Verdict),
}

/// What a session waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Why {
    /// To be started.
    Start,
    /// The attempt under way.
    Attempt,
    /// The pause before the next attempt.
    Pause,
    /// The live connection.
    Connection,
    /// The step under way.
    Step,
    /// The deadline.
    Deadline,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "end", content = "with", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// The body ended well.
    Well,
    /// A clause said `exit N`.
    Exit(u8),
    /// A clause said `stop`, or ran off its end.
    Stopped(#[serde(serialize_with = "kind_only")] Arc<Failure>),
    /// No clause handled the failure.
    Unhandled(#[serde(serialize_with = "kind_only")] Arc<Failure>),
    /// The deadline passed.
    Deadline(#[serde(serialize_with = "kind_only")] Arc<Failure>),
    /// It was told to stop.
    Interrupted(Signal),
}

/// The failure itself stands in the record's events; the verdict names its kind.
fn kind_only<S: Serializer>(failure: &Arc<Failure>, serializer: S) -> Result<S::Ok, S::Error> {
    failure.kind.serialize(serializer)
}

/// The signal that asked the process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum Signal {
    /// Ctrl-C.
    Sigint,
    /// A polite kill.
    Sigterm,
    /// The terminal, or the connection to it, was closed.
    Sighup,
    /// Ctrl-\.
    Sigquit,
}

impl Signal {
    /// Every signal that ends a session.
    pub const ALL: [Self; 4] = [Self::Sigint, Self::Sigterm, Self::Sighup, Self::Sigquit];

    /// `SIGINT`, `SIGTERM`, `SIGHUP` or `SIGQUIT`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sigint => "SIGINT",
            Self::Sigterm => "SIGTERM",
            Self::Sighup => "SIGHUP",
            Self::Sigquit => "SIGQUIT",
        }
    }

    /// The signal an `interrupted` failure carries.
    pub(super) fn of(failure: &Failure) -> Self {
        debug_assert_eq!(failure.kind, Kind::Interrupted);
        let name = failure.detail.as_ref().map(crate::Detail::as_str);
        let named = Self::ALL.into_iter().find(|signal| Some(signal.name()) == name);
        named.unwrap_or(Self::Sigint)
    }
}

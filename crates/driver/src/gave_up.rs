//! What a caller gets instead of a connection.
//!
//! A policy that gave up has a verdict and a record; one that could not be carried out has an
//! [`Error`]. The two never mix. Start at [`NotConnected`].

use std::{error, fmt};

use redial_core::{Failure, Record, Verdict};

use crate::Error;

/// There is no connection, or no result, to hand over.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotConnected {
    /// The policy cannot be carried out: a file is missing, or a step is not allowed.
    Unable(Error),
    /// The policy gave up.
    GaveUp(Box<GaveUp>),
}

/// The policy gave up.
#[derive(Debug)]
#[non_exhaustive]
pub struct GaveUp {
    /// How it ended.
    pub verdict: Verdict,
    /// Every attempt, as far as the record is bounded.
    pub record: Record,
}

impl GaveUp {
    /// The failure it ended with, where it ended with one.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &self.verdict {
            Verdict::Stopped(failure)
            | Verdict::Unhandled(failure)
            | Verdict::Deadline(failure) => Some(failure),
            _ => None,
        }
    }
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Stopped(failure)
            | Verdict::Unhandled(failure)
            | Verdict::Deadline(failure) => write!(f, "{failure}"),
            Verdict::Exit(status) => write!(f, "a clause ended the session with `exit {status}`"),
            Verdict::Interrupted(signal) => write!(f, "interrupted by {}", signal.name()),
            _ => f.write_str("the session is over"),
        }
    }
}

impl error::Error for GaveUp {}

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unable(error) => error.fmt(f),
            Self::GaveUp(gave_up) => gave_up.fmt(f),
        }
    }
}

impl error::Error for NotConnected {}

impl From<Error> for NotConnected {
    fn from(error: Error) -> Self {
        Self::Unable(error)
    }
}

impl From<GaveUp> for NotConnected {
    fn from(gave_up: GaveUp) -> Self {
        Self::GaveUp(Box::new(gave_up))
    }
}

/// An error that does not heal by itself: the failure `application`, but not `transient`.
///
/// Wrap the error a closure of [`run`](crate::run) returns: `Err(Lasting::new("wrong password"))`.
#[derive(Debug)]
pub struct Lasting(Box<dyn error::Error + Send + Sync>);

impl Lasting {
    /// This error, which trying again will not change.
    pub fn new(error: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl error::Error for Lasting {}

//! What is wrong with a call or a file, for reading.
//!
//! Never a failure of a connection: that is [`redial_core::Failure`]. Start at [`Error`].

use std::fmt;

/// A wrong file, option or call: what is wrong, and what to do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    what: String,
    instead: String,
}

impl Error {
    pub(crate) fn new(what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { what: what.into(), instead: instead.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.instead)
    }
}

impl std::error::Error for Error {}

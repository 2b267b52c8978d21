//! A mistake in something a person wrote: what is wrong, where, and what to write instead.
//!
//! This is the one *error* type of the core's readers (clauses, policies, servers, durations). It
//! is for reading, and never matched on; what a policy decides on is [`crate::Failure`]. It keeps
//! a position, not the text: whoever has the text can point at it. Start at [`Mistake`].

use alloc::{format, string::String};
use core::ops::Range;

use thiserror::Error;

/// What is wrong, where, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what}; {instead}")]
pub struct Mistake {
    /// The bytes of the text this is about. Empty at the place where something is missing.
    pub at: Range<usize>,
    /// What is wrong, naming it: ``no kind of failure is called `conection` ``.
    pub what: String,
    /// What to write instead: ``the nearest is `connect` ``.
    pub instead: String,
}

impl Mistake {
    /// A mistake at these bytes of the text.
    #[must_use]
    pub fn new(at: Range<usize>, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { at, what: what.into(), instead: instead.into() }
    }

    /// The same mistake in a text in which this one's text begins at byte `offset`.
    #[must_use]
    pub fn shifted(mut self, offset: usize) -> Self {
        self.at = self.at.start + offset..self.at.end + offset;
        self
    }

    /// The line and column, both from 1 and in characters, at which it begins in `text`.
    ///
    /// ```
    /// let mistake = redial_core::Mistake::new(7..8, "x", "y");
    /// assert_eq!(mistake.line_and_column("refused\n: stop"), (1, 8));
    /// ```
    #[must_use]
    pub fn line_and_column(&self, text: &str) -> (usize, usize) {
        let before = text.get(..self.at.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }

    /// One line for where no picture can be drawn: `line 1, column 8: …; …`.
    #[must_use]
    pub fn in_text(&self, text: &str) -> String {
        let (line, column) = self.line_and_column(text);
        format!("line {line}, column {column}: {self}")
    }
}

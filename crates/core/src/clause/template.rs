//! What `say` says: text with `{words}` that stand for facts of the failure.
//!
//! An unknown word is a mistake when the text is read, so rendering cannot fail. Facts are made
//! printable by whoever supplies them. Start at [`Template`].

use alloc::{boxed::Box, format, string::String};
use core::fmt::{self, Display, Write};

use crate::{Mistake, nearest::nearest};

/// Text with placeholders: `{server} {failure} {attempt} {elapsed} {cause}`; `{{` is a brace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Box<str>);

/// What the placeholders stand for.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The server as the user named it.
    pub server: &'a dyn Display,
    /// The failure as one sentence.
    pub failure: &'a dyn Display,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// Time since the session began.
    pub elapsed: &'a dyn Display,
    /// What a `diagnose` before it concluded, or the failure's kind.
    pub cause: &'a dyn Display,
}

const WORDS: [&str; 5] = ["server", "failure", "attempt", "elapsed", "cause"];

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// An unknown `{word}`, or a brace without its partner; positions are within `text`.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        for piece in Pieces(text, 0) {
            piece?;
        }
        Ok(Self(text.into()))
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text with the facts in it.
    #[must_use]
    pub fn render(&self, facts: &Facts<'_>) -> String {
        let mut line = String::with_capacity(self.0.len() + 32);
        for piece in Pieces(&self.0, 0).flatten() {
            // Writing to a String cannot fail.
            let _: fmt::Result = match piece {
                Piece::Text(text) => line.write_str(text),
                Piece::Word("server") => write!(line, "{}", facts.server),
                Piece::Word("failure") => write!(line, "{}", facts.failure),
                Piece::Word("attempt") => write!(line, "{}", facts.attempt),
                Piece::Word("elapsed") => write!(line, "{}", facts.elapsed),
                Piece::Word(_) => write!(line, "{}", facts.cause),
            };
        }
        line
    }
}

enum Piece<'a> {
    Text(&'a str),
    Word(&'a str),
}

/// The pieces of a text from a position on.
struct Pieces<'a>(&'a str, usize);

impl<'a> Iterator for Pieces<'a> {
    type Item = Result<Piece<'a>, Mistake>;

    fn next(&mut self) -> Option<Self::Item> {
        let (text, at) = (self.0, self.1);
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        for (double, brace) in [("{{", "{"), ("}}", "}")] {
            if rest.starts_with(double) {
                self.1 += 2;
                return Some(Ok(Piece::Text(brace)));
            }
        }
        if rest.starts_with('}') {
            self.1 = text.len();
            return Some(Err(Mistake::new(
                at..at + 1,
                "a `}` has no `{` in front of it",
                "for the character itself, write `}}`",
            )));
        }
        if let Some(inside) = rest.strip_prefix('{') {
            let Some(length) = inside.find('}') else {
                self.1 = text.len();
                return Some(Err(Mistake::new(
                    at..text.len(),
                    "a `{` has no `}` behind it",
                    "for the character itself, write `{{`",
                )));
            };
            let word = &inside[..length];
            self.1 = at + length + 2;
            return Some(if WORDS.contains(&word) {
                Ok(Piece::Word(word))
            } else {
                Err(unknown(word, at..self.1))
            });
        }
        let length = rest.find(['{', '}']).unwrap_or(rest.len());
        self.1 += length;
        Some(Ok(Piece::Text(&rest[..length])))
    }
}

fn unknown(word: &str, at: core::ops::Range<usize>) -> Mistake {
    let instead = match nearest(word, WORDS) {
        Some(near) => format!("the nearest is `{{{near}}}`"),
        None => "there are {server} {failure} {attempt} {elapsed} {cause}; for a brace itself write `{{`".into(),
    };
    Mistake::new(at, format!("`{{{}}}` stands for nothing", crate::printable(word)), instead)
}

//! What a server's first bytes must look like, judged as they arrive.
//!
//! An answer is compiled once; each connection then costs one small state and looks at every byte
//! once, however the bytes were cut. It reads no socket, keeps no bytes and knows no time limit.
//! Start at [`Answer`].

mod automaton;
mod pattern;

use alloc::sync::Arc;
use core::{fmt, str::FromStr};

use regex_automata::{dfa::Automaton as _, util::primitives::StateID};
use serde::{Serialize, Serializer};

use crate::Mistake;
use automaton::Automaton;

/// How many bytes are looked at unless another limit is set: 64 KiB.
const LIMIT: usize = 64 << 10;

/// What a server's first bytes must look like.
///
/// | written | means |
/// |---|---|
/// | `TEXT` | these bytes are contained in the first 64 KiB |
/// | `^TEXT` | these are the very first bytes |
/// | `/re/` | a pattern of bytes matches, in the syntax of the crate `regex`, without Unicode |
///
/// In `TEXT`, `\n`, `\r`, `\t`, `\\` and `\xHH` stand for bytes, `\^` and `\/` for a literal first
/// letter. A clone costs a reference count.
///
/// ```
/// use redial_core::{Answer, Progress};
///
/// let answer = Answer::parse(r"^220 ")?;
/// let mut matcher = answer.matcher();
/// assert_eq!(matcher.feed(&answer, b"22"), Progress::More);
/// assert_eq!(matcher.feed(&answer, b"0 mail ready\r\n"), Progress::Matched);
///
/// // A wrong banner is refused at its first wrong byte.
/// assert_eq!(answer.matcher().feed(&answer, b"5"), Progress::Refused);
/// # Ok::<(), redial_core::Mistake>(())
/// ```
#[derive(Clone)]
pub struct Answer {
    compiled: Arc<Compiled>,
    limit: usize,
}

struct Compiled {
    source: Arc<str>,
    automaton: Automaton,
    anchored: bool,
}

impl Answer {
    /// Reads and compiles an answer.
    ///
    /// # Errors
    /// No text, an unknown escape, a pattern that is wrong, that matches nothing at all or an
    /// empty answer, that looks further than `^` does, or that is too large (1 MiB compiled).
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        Ok(Self { compiled: Arc::new(pattern::compile(text)?), limit: LIMIT })
    }

    /// The same answer, to be found within this many bytes (at least one) instead of 64 KiB.
    #[must_use]
    pub fn with_limit(self, bytes: usize) -> Self {
        Self { limit: bytes.max(1), ..self }
    }

    /// Within how many bytes it must be found. Default: 65536.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// As it was written, with what cannot be printed escaped; reads back as the same answer.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.compiled.source
    }

    /// Whether it must match from the very first byte.
    #[must_use]
    pub fn is_anchored(&self) -> bool {
        self.compiled.anchored
    }

    /// Judges the bytes of one connection.
    #[must_use]
    pub fn matcher(&self) -> Matcher {
        Matcher { state: self.compiled.automaton.start(), seen: 0, progress: Progress::More }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({:?})", self.as_str())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Eq for Answer {}

impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str() && self.limit == other.limit
    }
}

impl FromStr for Answer {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        Self::parse(text)
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How far the judgement of one connection is.
///
/// It belongs to the [`Answer`] that made it, and must be fed with no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matcher {
    state: StateID,
    seen: usize,
    progress: Progress,
}

/// What the bytes so far say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing yet: more bytes may still match.
    More,
    /// They match, and stay so.
    Matched,
    /// They cannot match any more, or the limit is reached. It stays so.
    Refused,
}

impl Matcher {
    /// Looks at the next bytes the server sent.
    ///
    /// The result does not depend on how the bytes were cut into chunks.
    pub fn feed(&mut self, answer: &Answer, chunk: &[u8]) -> Progress {
        if self.progress != Progress::More {
            return self.progress;
        }
        let dfa = match &answer.compiled.automaton {
            Automaton::Bytes(bytes) => return self.compare(bytes, answer.limit, chunk),
            Automaton::Dfa { dfa, .. } => dfa,
        };
        for &byte in chunk.iter().take(answer.limit.saturating_sub(self.seen)) {
            self.state = dfa.next_state(self.state, byte);
            if dfa.is_match_state(self.state) {
                // A match is seen one byte late: this byte is not part of it.
                return self.end(Progress::Matched);
            }
            self.seen += 1;
            if dfa.is_dead_state(self.state) || dfa.is_quit_state(self.state) {
                return self.end(Progress::Refused);
            }
        }
        // A match that ends with the chunk shows itself only if the input ends here. Patterns
        // that could tell the two ends apart are not compiled.
        if dfa.is_match_state(dfa.next_eoi_state(self.state)) {
            return self.end(Progress::Matched);
        }
        if self.seen >= answer.limit {
            return self.end(Progress::Refused);
        }
        Progress::More
    }

    /// The same, where the answer is known byte by byte.
    fn compare(&mut self, bytes: &[u8], limit: usize, chunk: &[u8]) -> Progress {
        let expected = bytes.iter().skip(self.seen).take(limit.saturating_sub(self.seen));
        for (byte, expected) in chunk.iter().zip(expected) {
            self.seen += 1;
            if byte != expected {
                return self.end(Progress::Refused);
            }
        }
        if self.seen == bytes.len() {
            return self.end(Progress::Matched);
        }
        if self.seen >= limit {
            return self.end(Progress::Refused);
        }
        Progress::More
    }

    /// What the bytes so far say.
    #[must_use]
    pub const fn progress(&self) -> Progress {
        self.progress
    }

    /// How many bytes were judged: up to the end of the match, or the first byte that is wrong.
    #[must_use]
    pub const fn seen(&self) -> usize {
        self.seen
    }

    /// Whether the bytes so far are the beginning of a match: an end here cuts the answer short.
    ///
    /// It tells `truncated` from `unexpected-response`. An answer that may stand anywhere has no
    /// beginning to recognise, so then it is false.
    #[must_use]
    pub fn is_inside(&self, answer: &Answer) -> bool {
        self.progress == Progress::More && self.seen > 0 && answer.is_anchored()
    }

    fn end(&mut self, progress: Progress) -> Progress {
        self.progress = progress;
        progress
    }
}

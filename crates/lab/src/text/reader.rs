//! A script's pieces read one after the other, and the things an act can ask for.
//!
//! A text, a size, a time, a direction, a seed: each is taken if it is next, and has a default or
//! a message if it is not. What may stand where is in `text`. Start at [`Words`].

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::behaviour::{After, Behaviour};
use crate::names::LESSON;
use crate::text::ScriptError;
use crate::text::quantity::Quantity;
use crate::text::tokens::{Kind, Token, shown, tokens};

/// A script's pieces, and how far it is read.
pub(crate) struct Words<'a> {
    pub(crate) tokens: Vec<Token<'a>>,
    pub(crate) next: usize,
    /// Where the text ends.
    end: usize,
    /// What `ok` means.
    pub(crate) well: &'a Behaviour,
    /// The seed at the end of the entry that is being read.
    seed: Option<u64>,
    /// Whether something in the entry has asked for it.
    pub(crate) drawn: bool,
    /// How many acts within each other are being read.
    pub(crate) depth: usize,
}

impl<'a> Words<'a> {
    pub(crate) fn new(text: &'a str, well: &'a Behaviour) -> Result<Self, ScriptError> {
        let (tokens, end) = (tokens(text)?, text.len());
        Ok(Self { tokens, next: 0, end, well, seed: None, drawn: false, depth: 0 })
    }

    /// What is said: a text that follows, or else what `ok` says.
    pub(crate) fn text(&mut self) -> Arc<[u8]> {
        let well = self.well;
        let otherwise = || well.text().cloned().unwrap_or_else(|| LESSON.as_bytes().into());
        self.own_text().unwrap_or_else(otherwise)
    }

    pub(crate) fn own_text(&mut self) -> Option<Arc<[u8]>> {
        let Some(Kind::Text(text)) = self.peek() else { return None };
        let text = Arc::clone(text);
        self.next += 1;
        Some(text)
    }

    pub(crate) fn size(&mut self) -> Result<Option<u64>, ScriptError> {
        let Some(Quantity::Size(bytes)) = self.quantity()? else { return Ok(None) };
        self.next += 1;
        Ok(Some(bytes))
    }

    /// How long a piece is: a size that follows, or else one byte.
    pub(crate) fn piece(&mut self) -> Result<NonZeroUsize, ScriptError> {
        let Some(bytes) = self.size()? else { return Ok(NonZeroUsize::MIN) };
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        NonZeroUsize::new(bytes)
            .ok_or_else(|| ScriptError::new(self.before(), "pieces of nothing", "write 1B or more"))
    }

    pub(crate) fn time(&mut self) -> Result<Option<Duration>, ScriptError> {
        let Some(Quantity::Time(time)) = self.quantity()? else { return Ok(None) };
        self.next += 1;
        Ok(Some(time))
    }

    pub(crate) fn after(&mut self, word: &str) -> Result<After, ScriptError> {
        let example = format!("{word} 100B in");
        let bytes = self.size()?.ok_or_else(|| self.missing("a size with its unit", &example))?;
        if self.take("in") {
            Ok(After::In(bytes))
        } else if self.take("out") {
            Ok(After::Out { bytes, text: self.text() })
        } else {
            let instead = "write `in` for what the client sent, `out` for what is said";
            Err(ScriptError::new(self.here(), "a direction is missing", instead))
        }
    }

    /// A seed that follows, or else the one at the end of the entry, or else 0.
    pub(crate) fn seed(&mut self) -> Result<u64, ScriptError> {
        // At the end of the entry it is the entry's, which is the same.
        match self.take("seed") {
            true => self.bare(),
            false => Ok(self.seed_of_the_entry()),
        }
    }

    /// The seed at the end of the entry, or else 0.
    pub(crate) fn seed_of_the_entry(&mut self) -> u64 {
        self.drawn = true;
        self.seed.unwrap_or(0)
    }

    /// Finds the seed that ends the entry about to be read: it is needed before its turn comes.
    pub(crate) fn find_seed(&mut self) {
        let rest = self.tokens[self.next..].split(|token| token.kind == Kind::Comma).next();
        self.seed = match rest {
            Some([.., seed, number]) if seed.kind == Kind::Word("seed") => match number.kind {
                Kind::Word(number) => match Quantity::read(number) {
                    Ok(Quantity::Bare(number)) => Some(number),
                    _ => None, // judged when its turn comes
                },
                _ => None,
            },
            _ => None,
        };
        self.drawn = false;
    }

    /// The whole number that must follow.
    pub(crate) fn bare(&mut self) -> Result<u64, ScriptError> {
        match self.quantity()? {
            Some(Quantity::Bare(number)) => {
                self.next += 1;
                Ok(number)
            }
            _ => Err(self.missing("a whole number", "seed 7")),
        }
    }

    /// The quantity that is next; it stays there.
    pub(crate) fn quantity(&self) -> Result<Option<Quantity>, ScriptError> {
        let digit = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
        let Some(word) = self.word().filter(digit) else { return Ok(None) };
        let mistake = |[what, instead]: [String; 2]| ScriptError::new(self.here(), what, instead);
        Quantity::read(word).map(Some).map_err(mistake)
    }

    pub(crate) fn peek(&self) -> Option<&Kind<'a>> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    pub(crate) fn word(&self) -> Option<&'a str> {
        match self.peek() {
            Some(Kind::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Goes past the word, if it is next.
    pub(crate) fn take(&mut self, word: &str) -> bool {
        let is_next = self.word() == Some(word);
        self.next += usize::from(is_next);
        is_next
    }

    /// The place of what is next.
    pub(crate) fn here(&self) -> Range<usize> {
        self.tokens.get(self.next).map_or(self.end..self.end, |token| token.at.clone())
    }

    /// The place of what was read last.
    pub(crate) fn before(&self) -> Range<usize> {
        self.next.checked_sub(1).map_or(0..0, |last| self.tokens[last].at.clone())
    }

    /// Something must be here, and is not.
    pub(crate) fn missing(&self, what: &str, example: &str) -> ScriptError {
        let found = match self.word() {
            Some(word) => format!("{what} is needed, and here is {}", shown(word)),
            None => format!("{what} is missing"),
        };
        ScriptError::new(self.here(), found, format!("write it as in `{example}`"))
    }
}

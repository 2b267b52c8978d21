//! A place in a clause's text, and the few moves its reader makes.
//!
//! It knows blanks, comments, words and quoted strings; it does not know what any word means. Words end at
//! different characters in front of the colon and behind it, so there is no separate list of
//! tokens. Start at [`Cursor`].

use alloc::{format, string::String};
use core::ops::Range;

use crate::{Mistake, suggestion::write_or};

/// A reading position. Cheap to copy, so a move can be tried and taken back.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    /// A candidate is being tried out, so its own mistakes offer nothing.
    is_trial: bool,
}

/// A word or string, and where it stands.
#[derive(Clone)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) at: Range<usize>,
    pub(super) quoted: bool,
}

impl Word {
    /// Whether it is this keyword, unquoted.
    pub(super) fn is(&self, keyword: &str) -> bool {
        !self.quoted && self.text == keyword
    }
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, is_trial: false }
    }

    /// ``write `X` `` for the first of these steps that reads, otherwise `otherwise`.
    pub(super) fn offer_steps(
        &self,
        candidates: impl IntoIterator<Item = String>,
        otherwise: impl Into<String>,
    ) -> String {
        self.offer(candidates, otherwise, |cursor| super::steps::steps(cursor, None).is_ok())
    }

    /// ``write `X` `` for the first of these clauses that reads, otherwise `otherwise`.
    pub(super) fn offer_clauses(
        &self,
        candidates: impl IntoIterator<Item = String>,
        otherwise: impl Into<String>,
    ) -> String {
        self.offer(candidates, otherwise, |cursor| super::parse::clause(cursor).is_ok())
    }

    fn offer(
        &self,
        candidates: impl IntoIterator<Item = String>,
        otherwise: impl Into<String>,
        read: impl Fn(&mut Cursor<'_>) -> bool,
    ) -> String {
        if self.is_trial {
            return otherwise.into();
        }
        let accepts = |text: &str| {
            let mut cursor = Cursor { text, at: 0, is_trial: true };
            let is_read = read(&mut cursor);
            cursor.skip_separators();
            is_read && cursor.peek().is_none()
        };
        write_or(candidates, accepts, otherwise)
    }

    pub(super) const fn position(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Skips spaces and tabs, the carriage return of a Windows line end, and a comment.
    ///
    /// A comment begins at a `#` that begins a word, as in a shell, and ends with its line.
    pub(super) fn skip_blanks(&mut self) {
        self.skip(&[' ', '\t', '\r']);
        let before = self.text[..self.at].chars().next_back();
        let begins_word =
            before.is_none_or(|letter| letter.is_whitespace() || matches!(letter, ',' | ':' | ';'));
        if begins_word && self.peek() == Some('#') {
            let rest = self.rest();
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
    }

    /// Skips blanks, comments and line ends: the gap after a comma or a colon.
    pub(super) fn skip_lines(&mut self) {
        self.skip_all(&['\n']);
    }

    /// Skips blanks, comments, line ends and semicolons: the gap between two clauses.
    pub(super) fn skip_separators(&mut self) {
        self.skip_all(&['\n', ';']);
    }

    fn skip_all(&mut self, separators: &[char]) {
        loop {
            self.skip_blanks();
            let start = self.at;
            self.skip(separators);
            if self.at == start {
                return;
            }
        }
    }

    fn skip(&mut self, letters: &[char]) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(letters).len();
    }

    /// The text from a place before, up to here.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or("")
    }

    /// The rest of this clause with the blanks before it, for a word that has just been read.
    pub(super) fn rest_of_clause_as_written(&self) -> String {
        let is_call = self.rest().starts_with(['(', ':', ')']);
        format!("{}{}", if is_call { "" } else { " " }, self.rest_of_clause())
    }

    /// The rest of this clause, without its comment.
    pub(super) fn rest_of_clause(&self) -> &'a str {
        let line = self.rest().split(['\n', ';']).next().unwrap_or("");
        line.split(" #").next().unwrap_or("").trim()
    }

    /// Takes this character if it is next after blanks.
    pub(super) fn take(&mut self, expected: char) -> bool {
        let mut ahead = *self;
        ahead.skip_blanks();
        if ahead.peek() == Some(expected) {
            ahead.at += expected.len_utf8();
            *self = ahead;
            return true;
        }
        false
    }

    /// Whether the clause ends here: end of text, newline or semicolon.
    pub(super) fn at_end(&self) -> bool {
        let mut ahead = *self;
        ahead.skip_blanks();
        matches!(ahead.peek(), None | Some('\n' | ';'))
    }

    /// The next word or quoted string, if there is one before a character that ends it.
    ///
    /// Outside quotes a word ends at a blank, a comma, the end of the clause, or one of `also`.
    pub(super) fn word(&mut self, also: &[char]) -> Result<Option<Word>, Mistake> {
        self.skip_blanks();
        match self.peek() {
            None => Ok(None),
            Some(quote @ ('"' | '\'')) => self.string(quote).map(Some),
            Some(quote @ ('“' | '”' | '„' | '‘' | '’' | '«' | '»')) => {
                Err(Mistake::new(
                    self.at..self.at + quote.len_utf8(),
                    format!("{quote} is a typographic quote"),
                    "write straight quotes: \"…\" or '…'",
                ))
            }
            Some(_) => {
                let rest = self.rest();
                let ends = |letter: char| {
                    letter.is_whitespace()
                        || matches!(letter, ',' | ';' | '"' | '\'')
                        || also.contains(&letter)
                };
                let length = rest.find(ends).unwrap_or(rest.len());
                if length == 0 {
                    return Ok(None);
                }
                let at = self.at..self.at + length;
                self.at = at.end;
                Ok(Some(Word { text: rest[..length].into(), at, quoted: false }))
            }
        }
    }

    /// A string in quotes, its escapes undone. The cursor stands on the opening quote.
    fn string(&mut self, quote: char) -> Result<Word, Mistake> {
        let start = self.at;
        let body = start + quote.len_utf8();
        let mut text = String::new();
        let mut letters = self.text[body..].char_indices();
        while let Some((offset, letter)) = letters.next() {
            if letter == quote {
                self.at = body + offset + quote.len_utf8();
                return Ok(Word { text, at: start..self.at, quoted: true });
            }
            if letter != '\\' {
                text.push(letter);
                continue;
            }
            let here = body + offset;
            let escape = letters.next().map(|(_, letter)| letter);
            text.push(match escape {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(same @ ('"' | '\'' | '\\')) => same,
                Some('x') => {
                    let digits = self.text.get(here + 2..here + 4).unwrap_or("");
                    let byte =
                        u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'));
                    let Some(byte) = byte.filter(u8::is_ascii) else {
                        return Err(Mistake::new(
                            here..here + 2 + digits.len(),
                            format!("`\\x{digits}` is not a character"),
                            "write two hexadecimal digits, from \\x00 to \\x7f",
                        ));
                    };
                    letters.next();
                    letters.next();
                    char::from(byte)
                }
                other => {
                    let length = other.map_or(0, char::len_utf8);
                    return Err(Mistake::new(
                        here..here + 1 + length,
                        "a backslash stands in front of something it cannot escape",
                        r#"the escapes are \n \r \t \" \' \\ and \xHH; a backslash itself is \\"#,
                    ));
                }
            });
        }
        Err(Mistake::new(
            start..self.text.len(),
            format!("the string has no closing {quote}"),
            format!("put {quote} where it ends"),
        ))
    }
}

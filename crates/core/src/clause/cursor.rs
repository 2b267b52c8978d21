//! A place in a clause's text, and the few moves its reader makes.
//!
//! It knows blanks, words and quoted strings; it does not know what any word means. Words end at
//! different characters in front of the colon and behind it, so there is no separate list of
//! tokens. Start at [`Cursor`].

use alloc::{format, string::String};
use core::ops::Range;

use crate::Mistake;

/// A reading position. Cheap to copy, so a move can be tried and taken back.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
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
        Self { text, at: 0 }
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

    /// Skips spaces and tabs, and the carriage return of a Windows line end.
    pub(super) fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
    }

    /// Skips blanks, newlines and semicolons: the gap between two clauses.
    pub(super) fn skip_separators(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n', ';']).len();
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

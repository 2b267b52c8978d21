//! A script's text cut into words, texts in quotes, and commas, each with its position.
//!
//! It does not know what a word means; that is `text`. Start at [`tokens`].

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::text::ScriptError;

/// One piece of a script's text.
#[derive(Clone, Debug)]
pub(crate) struct Token<'a> {
    /// Its bytes in the whole.
    pub(crate) at: Range<usize>,
    pub(crate) kind: Kind<'a>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    Word(&'a str),
    /// What was written between quotes, without them and with its escapes resolved.
    Text(Arc<[u8]>),
    Comma,
}

/// Cuts the text.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, ScriptError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let start = at;
        let kind = match first {
            ',' => {
                at += 1;
                Kind::Comma
            }
            '"' | '\'' => {
                let (bytes, end) = quoted(text, start, first)?;
                at = end;
                Kind::Text(bytes.into())
            }
            space if space.is_whitespace() => {
                at += space.len_utf8();
                continue;
            }
            _ => {
                let ends = |c: char| c.is_whitespace() || matches!(c, ',' | '"' | '\'');
                at = text[start..].find(ends).map_or(text.len(), |length| start + length);
                Kind::Word(&text[start..at])
            }
        };
        tokens.push(Token { at: start..at, kind });
    }
    Ok(tokens)
}

/// The bytes of the text in quotes that begins at `start`, and where it ends.
fn quoted(text: &str, start: usize, quote: char) -> Result<(Vec<u8>, usize), ScriptError> {
    let mut bytes = Vec::new();
    let mut chars = text[start + 1..].char_indices().map(|(at, c)| (start + 1 + at, c));
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Ok((bytes, at + 1));
        }
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let escaped = chars.next().map(|(_, c)| c);
        bytes.push(match escaped {
            Some('n') => b'\n',
            Some('r') => b'\r',
            Some('t') => b'\t',
            Some(c @ ('"' | '\'' | '\\')) => c as u8,
            Some('x') => {
                let digits = text
                    .get(at + 2..at + 4)
                    .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
                let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                let byte = byte.ok_or_else(|| {
                    let what = "`\\x` without two hexadecimal digits";
                    ScriptError::new(at..at + 2, what, "write a byte as in `\\x1b`")
                })?;
                chars.nth(1);
                byte
            }
            other => {
                let end = at + 1 + other.map_or(0, char::len_utf8);
                let what = "a backslash before what needs none";
                let instead = "write \\n, \\r, \\t, \\\", \\', \\\\ or \\xHH";
                return Err(ScriptError::new(at..end, what, instead));
            }
        });
    }
    let what = "a text that does not end";
    Err(ScriptError::new(start..text.len(), what, format!("close it with {quote}")))
}

/// Bytes as a text in quotes, which [`tokens`] reads back; printable whatever they are.
pub(crate) struct Quoted<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// A word as a message shows it: in backquotes, printable, and its first 40 characters.
pub(crate) fn shown(word: &str) -> String {
    match word.char_indices().nth(40) {
        Some((end, _)) => format!("`{}…`", word[..end].escape_debug()),
        None => format!("`{}`", word.escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_texts_and_commas() {
        let kinds = |text| tokens(text).unwrap().into_iter().map(|token| token.kind).collect();
        let text = |bytes: &[u8]| Kind::Text(bytes.into());
        let found: Vec<Kind<'_>> = kinds("say 'a, \"b\"',\n ok\t5");
        let comma = || Kind::Comma;
        let ok = [Kind::Word("ok"), Kind::Word("5")];
        let said = [Kind::Word("say"), text(b"a, \"b\""), comma()];
        assert_eq!(found, [&said[..], &ok[..]].concat());
        let found: Vec<Kind<'_>> = kinds(r#""\n\r\t\"\'\\\x1b\xFFé""#);
        assert_eq!(found, [text(b"\n\r\t\"'\\\x1b\xff\xc3\xa9")]);
    }

    #[test]
    fn mistakes_in_a_text_have_a_place() {
        for (text, at) in [("say 'x", 4..6), (r"'\q'", 1..3), (r"'\xé'", 1..3), (r"'\", 1..2)] {
            assert_eq!(tokens(text).unwrap_err().at, at, "{text}");
        }
    }

    #[test]
    fn every_byte_prints_and_reads_back() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        let printed = Quoted(&all).to_string();
        assert!(printed.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        assert_eq!(tokens(&printed).unwrap()[0].kind, Kind::Text(all.into()));
    }
}

//! What a recipe sends: text, or bytes built from a few words.
//!
//! Both are read once, when the recipe is; placeholders are filled per server, and a length is
//! counted after what it counts was built. So nothing a server's URL holds can break a length or
//! begin a second line. It knows no protocol. Start at [`Said::text`] and [`Said::words`].
//!
//! Text is what is sent, with the escapes `\n \r \t \" \' \\ \xHH`, placeholders `{user|postgres}`
//! ([`Fill`]), and `{{` for a brace. Words stand apart, and `#` begins a comment:
//!
//! | word | is |
//! |---|---|
//! | `00 03 ff`, `0003ff` | bytes, in hexadecimal digits |
//! | `"user {user}"` | text, as above |
//! | `u32( … )` | the number of bytes inside as 4 bytes, the highest first, and then these bytes |
//! | `u8( u16( u24( u64(`, `u16le( …` | the same with 1, 2, 3, 8 bytes; the lowest first |
//! | `u7( … )` | one byte, 126 at most: MQTT, BER and HPACK write larger ones otherwise |
//! | `u32+4( … )`, `u24le-1( … )` | the number is so much more, or less |
//! | `dec( … )` | the number in decimal digits, `\r\n`, and then these bytes |
//! | `next@3` | one byte: what stood at 3 in the message just read, and one more |

use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::ops::Range;

use super::{
    built::{Built, proofs},
    fill::{Fill, Filler},
};
use crate::{Mistake, nearest::quoted};

/// How deep lengths may stand in each other.
const DEEPEST: usize = 8;

/// What is sent is written by a person: more than this is not an opening.
pub(super) const LARGEST: usize = 16 << 10;

/// What is sent, before it is known to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said(Box<[Part]>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Bytes(Box<[u8]>),
    Fill(Fill),
    Length { size: Size, more: i64, inside: Box<[Self]> },
    Decimal { inside: Box<[Self]> },
    Next { at: usize },
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// In bytes, 1 to 8.
    pub(super) width: usize,
    /// The lowest byte first.
    little: bool,
    /// The largest number.
    pub(super) most: u64,
}

impl Said {
    /// Reads text.
    pub(super) fn text(text: &str) -> Result<Self, Mistake> {
        let mut parts = Vec::new();
        text_parts(text, &mut parts)?;
        one_proof(text, &parts)?;
        Ok(Self(parts.into()))
    }

    /// Reads words.
    pub(super) fn words(text: &str) -> Result<Self, Mistake> {
        let mut words = Words { text, at: 0 };
        let parts = words.parts(0)?;
        one_proof(text, &parts)?;
        Ok(Self(parts.into()))
    }

    /// Whether a part of it is computed when it is sent.
    pub(super) fn has_proof(&self) -> bool {
        proofs(&self.0).next().is_some()
    }

    /// Returns true if it holds what this option says.
    pub(super) fn uses(&self, option: &str) -> bool {
        fn any(parts: &[Part], option: &str) -> bool {
            parts.iter().any(|part| match part {
                Part::Fill(fill) => fill.uses(option),
                Part::Length { inside, .. } | Part::Decimal { inside } => any(inside, option),
                Part::Bytes(_) | Part::Next { .. } => false,
            })
        }
        any(&self.0, option)
    }

    /// The bytes for one server.
    pub(super) fn build(&self, filler: &Filler<'_>) -> Result<Built, Mistake> {
        Built::new(&self.0, filler)
    }
}

impl Size {
    /// `u16`, `u32le`, …
    pub(super) fn named(name: &str) -> Option<Self> {
        let (name, little) = match name.strip_suffix("le") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (width, most) = match name {
            "u7" => (1, 126),
            "u8" => (1, 0xff),
            "u16" => (2, 0xffff),
            "u24" => (3, 0xff_ffff),
            "u32" => (4, 0xffff_ffff),
            "u64" => (8, u64::MAX),
            _ => return None,
        };
        Some(Self { width, little, most })
    }

    /// The number these bytes stand for; as many as it is wide.
    pub(super) fn read(self, bytes: &[u8]) -> u64 {
        let push = |number, byte: &u8| number << 8 | u64::from(*byte);
        match self.little {
            true => bytes.iter().rev().fold(0, push),
            false => bytes.iter().fold(0, push),
        }
    }

    pub(super) fn write(self, number: u64, to: &mut [u8]) {
        for (place, byte) in to.iter_mut().enumerate() {
            let shift = if self.little { place } else { self.width - 1 - place };
            *byte = (number >> (8 * shift)) as u8;
        }
    }
}

fn one_proof(text: &str, parts: &[Part]) -> Result<(), Mistake> {
    if proofs(parts).count() > 1 {
        let what = "two proofs stand in one message";
        return Err(Mistake::new(0..text.len(), what, "write a step for each"));
    }
    Ok(())
}

/// Reads text with escapes and placeholders; neighbouring bytes become one part.
fn text_parts(text: &str, parts: &mut Vec<Part>) -> Result<(), Mistake> {
    let mut bytes = Vec::new();
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        match letter {
            '\\' => {
                let (byte, length) = escape(rest).map_err(|mistake| mistake.shifted(at))?;
                bytes.push(byte);
                at += length;
            }
            '{' | '}' if rest[1..].starts_with(letter) => {
                bytes.push(letter as u8);
                at += 2;
            }
            '{' => {
                let Some(length) = rest.find('}') else {
                    let instead = "for the character itself, write `{{`";
                    return Err(Mistake::new(
                        at..text.len(),
                        "a `{` has no `}` behind it",
                        instead,
                    ));
                };
                let fill = Fill::parse(&rest[1..length]).map_err(|m| m.shifted(at + 1))?;
                push_bytes(parts, &mut bytes);
                parts.push(Part::Fill(fill));
                at += length + 1;
            }
            '}' => {
                let instead = "for the character itself, write `}}`";
                return Err(Mistake::new(at..at + 1, "a `}` has no `{` in front of it", instead));
            }
            _ => {
                bytes.extend_from_slice(&rest.as_bytes()[..letter.len_utf8()]);
                at += letter.len_utf8();
            }
        }
    }
    push_bytes(parts, &mut bytes);
    Ok(())
}

fn push_bytes(parts: &mut Vec<Part>, bytes: &mut Vec<u8>) {
    if !bytes.is_empty() {
        parts.push(Part::Bytes(core::mem::take(bytes).into()));
    }
}

/// The byte that an escape stands for, and its length. The text begins with the backslash.
pub(super) fn escape(text: &str) -> Result<(u8, usize), Mistake> {
    let letter = text.chars().nth(1);
    Ok(match letter {
        Some('n') => (b'\n', 2),
        Some('r') => (b'\r', 2),
        Some('t') => (b'\t', 2),
        Some(same @ ('"' | '\'' | '\\')) => (same as u8, 2),
        Some('x') if let Some(byte) = text.get(2..4).and_then(hex) => (byte, 4),
        _ => {
            let length = 1 + letter.map_or(0, char::len_utf8);
            let what = format!("{} is no escape", quoted(&text[..length]));
            return Err(Mistake::new(
                0..length,
                what,
                r#"the escapes are \n \r \t \" \' \\ and \xHH"#,
            ));
        }
    })
}

fn hex(digits: &str) -> Option<u8> {
    let is_hex = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

/// A place in a text of words.
struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl Words<'_> {
    /// Reads parts up to the bracket that ends them, or the end.
    fn parts(&mut self, depth: usize) -> Result<Vec<Part>, Mistake> {
        let mut parts = Vec::new();
        let opened = self.at;
        loop {
            self.skip();
            let start = self.at;
            match self.text[start..].chars().next() {
                None if depth == 0 => return Ok(parts),
                None => {
                    let what = "a `(` has no `)` behind it";
                    let at = opened.saturating_sub(1)..opened;
                    return Err(Mistake::new(at, what, "close it where what it counts ends"));
                }
                Some(')') if depth > 0 => {
                    self.at += 1;
                    return Ok(parts);
                }
                Some(')') => {
                    let what = "a `)` has no `(` in front of it";
                    return Err(Mistake::new(start..start + 1, what, "leave it out"));
                }
                Some('"') => self.string(&mut parts)?,
                Some(_) => self.word(depth, &mut parts)?,
            }
        }
    }

    /// Skips blanks and comments.
    fn skip(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let blanks = rest.len() - rest.trim_start().len();
            self.at += blanks;
            let rest = &rest[blanks..];
            if !rest.starts_with('#') {
                return;
            }
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
    }

    fn string(&mut self, parts: &mut Vec<Part>) -> Result<(), Mistake> {
        let inside = &self.text[self.at + 1..];
        let mut escaped = false;
        let end = inside.bytes().position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let Some(end) = end else {
            let what = "a text has no closing quote";
            return Err(Mistake::new(self.at..self.text.len(), what, "put \" where it ends"));
        };
        text_parts(&inside[..end], parts).map_err(|mistake| mistake.shifted(self.at + 1))?;
        self.at += end + 2;
        Ok(())
    }

    fn word(&mut self, depth: usize, parts: &mut Vec<Part>) -> Result<(), Mistake> {
        let rest = &self.text[self.at..];
        let ends = |letter: char| letter.is_whitespace() || matches!(letter, '(' | ')' | '"' | '#');
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let at = self.at..self.at + word.len();
        self.at = at.end;
        if self.text[self.at..].starts_with('(') {
            let length = match word {
                "dec" => None,
                _ => Some(length(word, at.clone())?),
            };
            self.at += 1;
            if depth + 1 > DEEPEST {
                let what = format!("lengths stand more than {DEEPEST} deep in each other");
                return Err(Mistake::new(at, what, "write fewer"));
            }
            let inside = self.parts(depth + 1)?.into();
            parts.push(match length {
                Some((size, more)) => Part::Length { size, more, inside },
                None => Part::Decimal { inside },
            });
            return Ok(());
        }
        if let Some(place) = word.strip_prefix("next@") {
            let place = place.parse().ok().filter(|place| *place < LARGEST);
            let at = place.ok_or_else(|| {
                Mistake::new(at, format!("{} is no place", quoted(word)), "write next@3")
            })?;
            parts.push(Part::Next { at });
            return Ok(());
        }
        let bytes: Option<Vec<u8>> = word
            .len()
            .is_multiple_of(2)
            .then(|| word.as_bytes().chunks(2).map(|pair| hex(str::from_utf8(pair).ok()?)))
            .and_then(Iterator::collect);
        let bytes = bytes.ok_or_else(|| {
            let instead = match Size::named(word) {
                Some(_) => format!("write what it counts in brackets: {word}( … )"),
                None => String::from("write hexadecimal digits in pairs, \"text\", or u32( … )"),
            };
            Mistake::new(at, format!("{} is no bytes", quoted(word)), instead)
        })?;
        match parts.last_mut() {
            Some(Part::Bytes(before)) => *before = [&**before, &bytes].concat().into(),
            _ => parts.push(Part::Bytes(bytes.into())),
        }
        Ok(())
    }
}

/// Reads `u32+4`, `u24le-1`.
fn length(word: &str, at: Range<usize>) -> Result<(Size, i64), Mistake> {
    let sign = word.find(['+', '-']).unwrap_or(word.len());
    let more = match &word[sign..] {
        "" => Some(0),
        more => more.parse::<i64>().ok().filter(|more| more.unsigned_abs() < 1 << 16),
    };
    match (Size::named(&word[..sign]), more) {
        (Some(size), Some(more)) => Ok((size, more)),
        _ => {
            let what = format!("{} is no length", quoted(word));
            let instead =
                "write dec, u7, u8, u16, u24, u32, u64 or these with le, as in u32+4( … )";
            Err(Mistake::new(at, what, instead))
        }
    }
}

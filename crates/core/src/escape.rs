//! Bytes that came from a network or a user, made safe to print.
//!
//! Every byte that is not printable ASCII leaves as `\n`, `\r`, `\t`, `\\` or `\xHH`, so nothing
//! a server says can move a cursor, colour a terminal or break a JSON line. It does not unescape;
//! the clause reader does that for its own strings. Start at [`escape`].

use alloc::string::String;
use core::fmt::Write;

/// The first `limit` bytes, escaped; `…` is added when bytes were left out.
///
/// ```
/// assert_eq!(redial_core::escape(b"-ERR \x1b[2J\r\n", 256), r"-ERR \x1b[2J\r\n");
/// assert_eq!(redial_core::escape(b"abcdef", 3), "abc…");
/// ```
#[must_use]
pub fn escape(bytes: &[u8], limit: usize) -> String {
    let shown = &bytes[..bytes.len().min(limit)];
    let mut text = String::with_capacity(shown.len());
    for &byte in shown {
        match byte {
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b'\\' => text.push_str("\\\\"),
            0x20..=0x7e => text.push(char::from(byte)),
            // Writing to a String cannot fail.
            _ => drop(write!(text, "\\x{byte:02x}")),
        }
    }
    if shown.len() < bytes.len() {
        text.push('…');
    }
    text
}

/// Text that is meant to be read, with its control characters escaped and its letters kept.
///
/// For what a user wrote or a resolver said: `é` stays, ESC and C1 controls do not.
///
/// ```
/// assert_eq!(redial_core::printable("büro\u{1b}[31m"), r"büro\u{1b}[31m");
/// ```
#[must_use]
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        // Bidirectional overrides and other format characters can reorder a line as well.
        let hidden = matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if letter.is_control() || hidden {
            safe.extend(letter.escape_default());
        } else {
            safe.push(letter);
        }
    }
    safe
}

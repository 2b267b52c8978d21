//! The text of an answer.
//!
//! Escapes are read here; patterns by `regex-syntax`. What could make matching wrong or endless is
//! refused here, so that it needs no checks. Start at
//! [`compile`].

use alloc::{format, string::String, vec::Vec};

use regex_syntax::{
    Error, ParserBuilder,
    hir::{Hir, Look},
};

use super::{Compiled, automaton::Automaton};
use crate::{Mistake, escape::printable, nearest::quoted};

pub(super) fn compile(text: &str) -> Result<Compiled, Mistake> {
    if let Some(rest) = text.strip_prefix('^') {
        let bytes = literal(text, rest)?;
        let source = format!("^{}", spelled(rest));
        let automaton = Automaton::Bytes(bytes.into());
        return Ok(Compiled { source: source.into(), automaton, anchored: true });
    }
    let (hir, source) = read(text)?;
    let all = 0..text.len();
    let mistake = |what: &str, instead: &str| {
        Mistake::new(all.clone(), format!("{} {what}", quoted(text)), instead)
    };
    let properties = hir.properties();
    if let Some(look) = properties.look_set().remove(Look::Start).iter().next() {
        let what = format!("has {} in it", look_text(look));
        return Err(mistake(
            &what,
            "leave it out: where an answer ends is not known, only where it begins (`^`)",
        ));
    }
    match properties.minimum_len() {
        None => return Err(mistake("can never match", "write what the server says")),
        Some(0) => {
            let instead = "write a pattern that needs at least one byte";
            return Err(mistake("matches an empty answer", instead));
        }
        Some(_) => {}
    }
    let anchored = properties.look_set_prefix().contains(Look::Start);
    Automaton::of(&hir, anchored)
        .map(|automaton| Compiled { source: source.into(), automaton, anchored })
        .ok_or_else(|| mistake("is too large", "write a shorter text, or smaller repetitions"))
}

/// What is meant, and how it is written when everything in it can be printed.
fn read(text: &str) -> Result<(Hir, String), Mistake> {
    if let Some(rest) = text.strip_prefix('/') {
        return Ok((regex(text, rest)?, String::from(text)));
    }
    Ok((Hir::literal(literal(text, text)?), spelled(text)))
}

/// The bytes that are written in the rest of this text.
fn literal(text: &str, rest: &str) -> Result<Vec<u8>, Mistake> {
    let bytes = unescape(rest).map_err(|mistake| mistake.shifted(text.len() - rest.len()))?;
    if bytes.is_empty() {
        let instead = "write what the server says first, such as ^220";
        return Err(Mistake::new(0..text.len(), "an answer is missing", instead));
    }
    Ok(bytes)
}

/// Reads `/re/`; `rest` is what stands after the first slash.
fn regex(text: &str, rest: &str) -> Result<Hir, Mistake> {
    let Some(pattern) = rest.strip_suffix('/') else {
        let instead = match rest.rsplit_once('/') {
            Some((_, flags))
                if flags.len() < 5 && flags.bytes().all(|b| b.is_ascii_lowercase()) =>
            {
                String::from("write flags inside, such as /(?i)ready/")
            }
            _ => {
                String::from("write /re/ for a pattern, or \\/ for a text that begins with a slash")
            }
        };
        let what = format!("the pattern {} has no slash at its end", quoted(text));
        return Err(Mistake::new(0..text.len(), what, instead));
    };
    if printable(pattern) != pattern {
        let what = format!("{} has a character that cannot be printed", quoted(text));
        return Err(Mistake::new(0..text.len(), what, "write it as \\n, \\r, \\t or \\xHH"));
    }
    ParserBuilder::new().utf8(false).unicode(false).build().parse(pattern).map_err(|error| {
        let (span, what) = match &error {
            Error::Parse(error) => (error.span(), format!("{}", error.kind())),
            Error::Translate(error) => (error.span(), format!("{}", error.kind())),
            _ => return Mistake::new(0..text.len(), "the pattern is wrong", "mend it"),
        };
        let what = format!("the pattern {} is wrong: {}", quoted(text), what.to_lowercase());
        let instead = "mend it, or write the text without slashes";
        Mistake::new(span.start.offset + 1..span.end.offset + 1, what, instead)
    })
}

/// How an assertion is written.
const fn look_text(look: Look) -> &'static str {
    match look {
        Look::Start => "`^`",
        Look::End => "`$`",
        Look::StartLF | Look::StartCRLF => "`(?m)^`",
        Look::EndLF | Look::EndCRLF => "`(?m)$`",
        _ => "a word boundary (`\\b`)",
    }
}

/// The bytes that a text stands for.
fn unescape(text: &str) -> Result<Vec<u8>, Mistake> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let start = text.len() - rest.len() + at;
        let escape = &rest[at + 1..];
        let code = || u8::from_str_radix(escape.get(1..3)?, 16).ok();
        let (byte, length) = match escape.as_bytes().first() {
            Some(b'n') => (b'\n', 1),
            Some(b'r') => (b'\r', 1),
            Some(b't') => (b'\t', 1),
            Some(byte @ (b'\\' | b'^' | b'/')) => (*byte, 1),
            Some(b'x') if let Some(code) = code() => (code, 3),
            _ => {
                let letter: String = escape.chars().take(1).collect();
                let what = format!("{} is no escape", quoted(&format!("\\{letter}")));
                let instead = "write \\n, \\r, \\t, \\\\ or \\xHH";
                return Err(Mistake::new(start..start + 1 + letter.len(), what, instead));
            }
        };
        bytes.push(byte);
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// The text with what cannot be printed as escapes; it stands for the same bytes.
fn spelled(text: &str) -> String {
    let mut spelled = String::with_capacity(text.len());
    for letter in text.chars() {
        let mut buffer = [0; 4];
        let encoded: &str = letter.encode_utf8(&mut buffer);
        match letter {
            '\n' => spelled.push_str("\\n"),
            '\r' => spelled.push_str("\\r"),
            '\t' => spelled.push_str("\\t"),
            _ if printable(encoded) == encoded => spelled.push(letter),
            _ => spelled.extend(encoded.bytes().map(|byte| format!("\\x{byte:02x}"))),
        }
    }
    spelled
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::Answer;

    #[test]
    fn reads_escapes() {
        for (text, bytes) in [
            ("ready", &b"ready"[..]),
            (r"a\n\r\t\\\x00\xff", b"a\n\r\t\\\x00\xff"),
            (r"\^x\/", b"^x/"),
            ("é", "é".as_bytes()),
        ] {
            assert_eq!(unescape(text).unwrap(), bytes);
        }
    }

    #[test]
    fn spells_what_cannot_be_printed() {
        for (text, source) in
            [("220\r\n", r"220\r\n"), ("^\u{1b}[é\u{202e}", r"^\x1b[é\xe2\x80\xae"), ("/a/", "/a/")]
        {
            let answer = Answer::parse(text).unwrap();
            assert_eq!(answer.to_string(), source);
            assert_eq!(Answer::parse(source).unwrap(), answer);
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let large = "x".repeat(100_000);
        for (text, at, says) in [
            ("", 0..0, "an answer is missing; write what the server says first, such as ^220"),
            ("^", 0..1, "an answer is missing; write what the server says first, such as ^220"),
            (r"^a\q", 2..4, r"`\q` is no escape; write \n, \r, \t, \\ or \xHH"),
            (r"a\", 1..2, r"`\` is no escape; write \n, \r, \t, \\ or \xHH"),
            (r"\xé1", 0..2, r"`\x` is no escape; write \n, \r, \t, \\ or \xHH"),
            (
                "/a",
                0..2,
                r"the pattern `/a` has no slash at its end; write /re/ for a pattern, or \/ for a text that begins with a slash",
            ),
            (
                "/a/i",
                0..4,
                "the pattern `/a/i` has no slash at its end; write flags inside, such as /(?i)ready/",
            ),
            (
                "/a(b/",
                2..3,
                "the pattern `/a(b/` is wrong: unclosed group; mend it, or write the text without slashes",
            ),
            (
                "/a$/",
                0..4,
                "`/a$/` has `$` in it; leave it out: where an answer ends is not known, only where it begins (`^`)",
            ),
            (
                "/a*/",
                0..4,
                "`/a*/` matches an empty answer; write a pattern that needs at least one byte",
            ),
            (
                "//",
                0..2,
                "`//` matches an empty answer; write a pattern that needs at least one byte",
            ),
            (
                "/^/",
                0..3,
                "`/^/` matches an empty answer; write a pattern that needs at least one byte",
            ),
            ("/[a&&b]/", 0..8, "`/[a&&b]/` can never match; write what the server says"),
            (
                "/(a{999}){999}/",
                0..15,
                "`/(a{999}){999}/` is too large; write a shorter text, or smaller repetitions",
            ),
        ] {
            let mistake = Answer::parse(text).unwrap_err();
            assert_eq!((mistake.at.clone(), mistake.to_string().as_str()), (at, says), "{text}");
        }
        for text in [r"/\bok/", "/(?m)^ok/", r"/ok\z/", "/(?m)ok$/", r"/ok\b{end}/", &large] {
            assert!(Answer::parse(text).is_err(), "{text:.60}");
        }
    }
}

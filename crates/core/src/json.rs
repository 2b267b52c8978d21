//! A value in a JSON document: `/status:ready` is the pointer `/status` and what is found there.
//!
//! A document is read once, value by value: none of it is kept, and its depth is bounded by the
//! reader (128). Pointers are those of RFC 6901. Start at [`JsonCheck`].

use alloc::{
    borrow::ToOwned,
    boxed::Box,
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::{Mistake, nearest::quoted, server::decoded};

/// The longest pointer, in names.
const DEEPEST: usize = 32;

/// How much of a value is shown.
const SHOWN: usize = 64;

/// A pointer into a JSON document, and the value that has to be there.
///
/// ```
/// use redial_core::Server;
///
/// let server = Server::parse("http://api/#json=/status:ready")?;
/// let check = &server.options().json[0];
/// assert_eq!(check.check(br#"{"status": "ready"}"#), Ok(()));
/// assert_eq!(
///     check.check(br#"{"status": "starting"}"#).unwrap_err().to_string(),
///     r#"/status is "starting", expected "ready""#
/// );
/// # Ok::<(), redial_core::Mistake>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JsonCheck {
    path: Arc<[Box<str>]>,
    /// None where any value will do.
    value: Option<Arc<str>>,
}

/// Why a document does not pass a check, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonMismatch {
    /// It is not JSON.
    NotJson(Box<str>),
    /// It is JSON, with another value there, or none.
    Value(Box<str>),
}

impl fmt::Display for JsonMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(text) | Self::Value(text) => f.write_str(text),
        }
    }
}

impl core::error::Error for JsonMismatch {}

impl JsonCheck {
    /// Reads `/status:ready`, or `/status`: pointer and value are percent-encoded.
    pub(crate) fn parse(text: &str) -> Result<Self, Mistake> {
        let wrong = |what: String, instead: &str| Mistake::new(0..text.len(), what, instead);
        let (pointer, value) = match text.split_once(':') {
            Some((pointer, value)) => (pointer, Some(value)),
            None => (text, None),
        };
        let decode = |text: &str| {
            let what = format!("{} has a `%` without two digits", quoted(text));
            decoded(text).ok_or_else(|| wrong(what, "write %25 for the `%` itself"))
        };
        let pointer = decode(pointer)?;
        let path = names(&pointer).ok_or_else(|| {
            let what = format!("{} is no JSON pointer", quoted(&pointer));
            wrong(what, "write #json=/status:ready, with ~0 for `~` and ~1 for `/` in a name")
        })?;
        let value = value.map(decode).transpose()?.map(Arc::from);
        Ok(Self { path: path.into(), value })
    }

    /// Checks a whole document.
    ///
    /// # Errors
    /// The value that is there instead, or a document that is not JSON.
    pub fn check(&self, document: &[u8]) -> Result<(), JsonMismatch> {
        let mut reader = serde_json::Deserializer::from_slice(document);
        let found = Find { path: &self.path }.deserialize(&mut reader);
        let found = found.and_then(|found| reader.end().map(|()| found));
        let found = found.map_err(|error| {
            JsonMismatch::NotJson(format!("the body is not JSON: {error}").into())
        })?;
        let expected = match &self.value {
            None => String::new(),
            Some(value) => format!(", expected {}", shown(value)),
        };
        let mismatch = match (&found, &self.value) {
            (Some(_), None) => return Ok(()),
            (Some(leaf), Some(value)) if leaf.is(value) => return Ok(()),
            (Some(leaf), _) => format!("{} is {leaf}{expected}", self.pointer()),
            (None, _) => format!("{} is missing{expected}", self.pointer()),
        };
        Err(JsonMismatch::Value(mismatch.into()))
    }

    /// Returns the pointer, for messages.
    fn pointer(&self) -> String {
        if self.path.is_empty() {
            return "the body".to_owned();
        }
        self.path.iter().map(|name| format!("/{}", escaped(name))).collect()
    }

    /// Returns pointer and value, each percent-encoded by this function.
    pub(crate) fn written(&self, encoded: impl Fn(&str) -> String) -> String {
        let path = self.path.iter().map(|name| format!("/{}", escaped(name)));
        let path = encoded(&path.collect::<String>()).replace(':', "%3A");
        match &self.value {
            Some(value) => format!("{path}:{}", encoded(value)),
            None => path,
        }
    }
}

/// The names of a pointer.
fn names(pointer: &str) -> Option<Vec<Box<str>>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let name = |name: &str| {
        let is_right = name.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        is_right.then(|| name.replace("~1", "/").replace("~0", "~").into())
    };
    let names: Vec<_> = pointer.strip_prefix('/')?.split('/').map(name).collect::<Option<_>>()?;
    (names.len() <= DEEPEST).then_some(names)
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// An expected value as the message shows it: a literal, else a string.
fn shown(value: &str) -> String {
    match literal(value) {
        Some(_) => value.into(),
        None => string(value),
    }
}

/// The leaf that a text is in JSON.
fn literal(text: &str) -> Option<Leaf> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let leaf = Find { path: &[] }.deserialize(&mut reader).ok()??;
    reader.end().ok()?;
    (!matches!(leaf, Leaf::Object | Leaf::Array)).then_some(leaf)
}

fn string(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("\"{short}\"")
}

/// The value at a pointer.
#[derive(Debug, PartialEq)]
enum Leaf {
    Text(String),
    Bool(bool),
    Whole(i128),
    Number(f64),
    Null,
    Object,
    Array,
}

impl Leaf {
    /// Whether it is this value: the same text, or the same literal.
    fn is(&self, value: &str) -> bool {
        match (self, literal(value)) {
            // `"1"` in quotes is a string alone.
            (Self::Text(text), Some(Self::Text(quoted))) => *text == quoted || text == value,
            (Self::Text(text), _) => text == value,
            (Self::Whole(whole), Some(Self::Number(number))) => *whole as f64 == number,
            (Self::Number(number), Some(Self::Whole(whole))) => *number == whole as f64,
            (leaf, Some(literal)) => *leaf == literal,
            (_, None) => false,
        }
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&string(text)),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Whole(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Null => f.write_str("null"),
            Self::Object => f.write_str("an object"),
            Self::Array => f.write_str("a list"),
        }
    }
}

/// Reads a value and keeps what is at a path within it; of equal names, the last counts.
#[derive(Clone, Copy)]
struct Find<'a> {
    path: &'a [Box<str>],
}

impl<'de> DeserializeSeed<'de> for Find<'_> {
    type Value = Option<Leaf>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Option<Leaf>, D::Error> {
        from.deserialize_any(self)
    }
}

impl Find<'_> {
    /// A value without parts, which a path ends at or does not go through.
    fn leaf<E>(self, leaf: Leaf) -> Result<Option<Leaf>, E> {
        Ok(self.path.is_empty().then_some(leaf))
    }
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = Option<Leaf>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Option<Leaf>, E> {
        self.leaf(Leaf::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Option<Leaf>, E> {
        self.leaf(Leaf::Whole(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Option<Leaf>, E> {
        self.leaf(Leaf::Whole(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Option<Leaf>, E> {
        self.leaf(Leaf::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Option<Leaf>, E> {
        self.leaf(Leaf::Text(value.to_string()))
    }

    fn visit_unit<E: Error>(self) -> Result<Option<Leaf>, E> {
        self.leaf(Leaf::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Leaf>, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<String>()? {
            match self.path {
                [first, path @ ..] if **first == *name => {
                    found = map.next_value_seed(Find { path })?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(if self.path.is_empty() { Some(Leaf::Object) } else { found })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<Leaf>, A::Error> {
        let (mut found, mut index) = (None, 0_usize);
        loop {
            let is_here = self.path.first().is_some_and(|name| **name == *index.to_string());
            let more = match is_here {
                true => {
                    let seed = Find { path: &self.path[1..] };
                    let value = list.next_element_seed(seed)?;
                    let more = value.is_some();
                    found = value.flatten().or(found);
                    more
                }
                false => list.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                return Ok(if self.path.is_empty() { Some(Leaf::Array) } else { found });
            }
            index += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_and_values_follow_rfc_6901() {
        let document = br#"{"a": {"b": [10, {"c/d": "x", "m~n": null}], "": true}, "s": "ready",
            "n": 1.0, "big": 18446744073709551615, "t": "1", "u": "first", "u": "last"}"#;
        for (text, found) in [
            ("/s:ready", Ok(())),
            ("/s", Ok(())),
            ("/s:%72eady", Ok(())),
            ("/s:\"ready\"", Ok(())),
            ("/a/b/0:10", Ok(())),
            ("/a/b/1/c~1d:x", Ok(())),
            ("/a/b/1/m~0n:null", Ok(())),
            ("/a/:true", Ok(())),
            ("/n:1", Ok(())),
            ("/big:18446744073709551615", Ok(())),
            ("/t:1", Ok(())),
            ("/u:last", Ok(())),
            ("/a", Ok(())),
            ("", Ok(())),
            ("/s:starting", Err("/s is \"ready\", expected \"starting\"")),
            ("/n:2", Err("/n is 1, expected 2")),
            ("/t:\"2\"", Err("/t is \"1\", expected \"2\"")),
            ("/a/b/0:\"10\"", Err("/a/b/0 is 10, expected \"10\"")),
            ("/a/b/2:1", Err("/a/b/2 is missing, expected 1")),
            ("/a/b/00", Err("/a/b/00 is missing")),
            ("/a:x", Err("/a is an object, expected \"x\"")),
            ("/x/y", Err("/x/y is missing")),
            (":true", Err("the body is an object, expected true")),
        ] {
            let check = JsonCheck::parse(text).unwrap();
            let result = check.check(document).map_err(|mismatch| mismatch.to_string());
            assert_eq!(result.as_ref().map_err(String::as_str).copied(), found, "{text}");
            assert_eq!(JsonCheck::parse(&check.written(str::to_owned)).unwrap(), check);
        }
        for text in ["status", "/a~2", "/a%", "/%zz:1", &"/a".repeat(33)] {
            assert!(JsonCheck::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn document_that_is_not_json_is_a_mismatch() {
        let check = JsonCheck::parse("/status:ready").unwrap();
        let deep = "[".repeat(1 << 20);
        let nested = "{\"status\":".repeat(200);
        for text in [
            "",
            "<html>",
            "{\"status\":\"ready\"",
            "{} x",
            "{\"status\":\"\u{1}\"}",
            &deep,
            &nested,
        ] {
            let mismatch = check.check(text.as_bytes()).unwrap_err();
            assert!(matches!(mismatch, JsonMismatch::NotJson(_)), "{mismatch:?}");
        }
    }
}

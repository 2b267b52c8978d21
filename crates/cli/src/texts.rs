//! Texts that are named rather than typed: files of policies and scenarios, and what is sent first.
//!
//! Each is bounded, and everything that is not one has its answer: a directory, a device, garbage,
//! another encoding. What the texts mean is the core's. Start at [`read_policy`].

use std::{
    borrow::Cow,
    fs,
    io::{self, Read},
    ops::Range,
    path::Path,
};

use redial::{Mistake, Policy, PolicyBuilder, Recipe, Verb};

use redial_sim::Scenario;

use crate::error::Error;

/// A policy or a scenario is written by a person.
const LARGEST_FILE: u64 = 1024 * 1024;
/// A recipe is written by a person.
const LARGEST_RECIPE: u64 = 256 * 1024;
/// An opening is sent on every connection.
const LARGEST_OPENING: u64 = 1024 * 1024;

/// Reads a policy file, with an answer for everything that is not one.
pub(crate) fn read_policy(verb: Verb, path: &Path) -> Result<PolicyBuilder, Error> {
    let next = "to print one to begin with: redial help policy";
    let (name, text) = file("policy", path, next)?;
    Policy::parse(verb, &text).map_err(Error::in_text(name.clone(), &text))
}

/// Reads a scenario file, the same way.
pub(crate) fn read_scenario(path: &Path) -> Result<Scenario, Error> {
    let (name, text) = file("scenario", path, "to see one: redial help herd")?;
    Scenario::parse(&text).map_err(|mistake| match &mistake.at {
        // One of the whole stands nowhere.
        Range { start: 0, end: 0 } => {
            Error::plain(format!("{name}: {}", mistake.what), mistake.instead)
        }
        _ => Error::in_text(name, &text)(mistake),
    })
}

/// Reads a list of targets, the same way.
pub(crate) fn target_list(path: &Path) -> Result<(String, String), Error> {
    file("target list", path, "it has one target a line, as in db:5432")
}

/// A file that a person wrote: its name, for reading, and its text.
fn file(noun: &str, path: &Path, next: &str) -> Result<(String, String), Error> {
    let name = redial::printable(&path.display().to_string());
    let unreadable = |what: String| Error::plain(format!("the {noun} file `{name}` {what}"), next);
    let metadata = fs::metadata(path)
        .map_err(|error| unreadable(format!("cannot be read: {}", reason(&error))))?;
    if metadata.is_dir() {
        return Err(unreadable("is a directory".into()));
    }
    let text = bounded(path, LARGEST_FILE).map_err(|error| match error {
        TooLarge::Error(error) => unreadable(format!("cannot be read: {}", reason(&error))),
        TooLarge::Is => unreadable(format!("is larger than 1 MiB, so it is not a {noun}")),
    })?;
    let text = String::from_utf8(text).map_err(|error| {
        let read = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = read.iter().filter(|byte| **byte == b'\n').count() + 1;
        unreadable(format!("is not text: line {line} is not UTF-8"))
    })?;
    Ok((name, text))
}

/// `--as NAME|FILE`: a path has a `/` in it, or ends in `.toml`.
pub(crate) fn recipe(text: &str) -> Result<Recipe, Error> {
    if !text.contains('/') && !text.ends_with(".toml") {
        return Recipe::named(text).map_err(Error::in_text("--as", text));
    }
    let name = redial::printable(text);
    let unreadable = |what: String| {
        let next = "to see one: redial help redis; how to write one: docs/recipes.md";
        Error::plain(format!("the recipe `{name}` {what}"), next)
    };
    let bytes = bounded(Path::new(text), LARGEST_RECIPE).map_err(|error| match error {
        TooLarge::Error(error) => unreadable(format!("cannot be read: {}", reason(&error))),
        TooLarge::Is => unreadable("is larger than 256 KiB, so it is not a recipe".into()),
    })?;
    let file = String::from_utf8(bytes).map_err(|_| unreadable("is not text".into()))?;
    Recipe::parse(&file).map_err(Error::in_text(name.clone(), &file))
}

/// `--send TEXT|@FILE|env:NAME`, nothing appended.
pub(crate) fn opening(text: &str) -> Result<Vec<u8>, Error> {
    if let Some(name) = text.strip_prefix("env:") {
        let value = std::env::var_os(name).ok_or_else(|| {
            Error::plain(
                format!("--send: the environment has no variable `{}`", redial::printable(name)),
                "export it first",
            )
        })?;
        return Ok(value.into_encoded_bytes());
    }
    let larger = "an opening is short; send the rest through standard input";
    bytes("--send", text, LARGEST_OPENING, [AT_SIGN, larger])
}

/// What to do where a file that was named by accident cannot be read.
pub(crate) const AT_SIGN: &str = "for text that begins with @, write \\x40";

/// `TEXT|@FILE` behind a flag: the text with its escapes, or a file of at most so many bytes, a
/// whole number of MiB. What to do comes with it: if it cannot be read, if it is larger.
pub(crate) fn bytes(
    flag: &str,
    text: &str,
    limit: u64,
    [unreadable, larger]: [&str; 2],
) -> Result<Vec<u8>, Error> {
    let Some(path) = text.strip_prefix('@') else {
        return unescape(text).map_err(Error::in_text(flag, text));
    };
    let name = redial::printable(path);
    bounded(Path::new(path), limit).map_err(|error| match error {
        TooLarge::Error(error) => {
            Error::plain(format!("{flag}: `{name}` cannot be read: {}", reason(&error)), unreadable)
        }
        TooLarge::Is => {
            Error::plain(format!("{flag}: `{name}` is larger than {} MiB", limit >> 20), larger)
        }
    })
}

/// The text itself, or what stands in the variable it names: `env:NAME` keeps a password off the
/// command line.
pub(crate) fn from_variable<'a>(flag: &str, text: &'a str) -> Result<Cow<'a, str>, Error> {
    let Some(name) = text.strip_prefix("env:") else { return Ok(text.into()) };
    let value = std::env::var(name).map_err(|_| {
        let name = redial::printable(name);
        Error::plain(
            format!("{flag}: the environment has no variable `{name}` with text in it"),
            "export it first",
        )
    })?;
    Ok(value.into())
}

/// The bytes of a text with `\n \r \t \0 \\ \xHH`.
fn unescape(text: &str) -> Result<Vec<u8>, Mistake> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let position = text.len() - rest.len() + at;
        let escape = &rest[at + 1..];
        let (byte, length) = match escape.as_bytes().first() {
            Some(b'n') => (b'\n', 1),
            Some(b'r') => (b'\r', 1),
            Some(b't') => (b'\t', 1),
            Some(b'0') => (0, 1),
            Some(b'\\') => (b'\\', 1),
            Some(b'x') => {
                match escape.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                    Some(byte) => (byte, 3),
                    None => {
                        return Err(Mistake::new(
                            position..position + 2,
                            "`\\x` wants two hexadecimal digits",
                            "as in `\\x00`",
                        ));
                    }
                }
            }
            _ => {
                return Err(Mistake::new(
                    position..position + 1,
                    "a backslash stands in front of nothing it can escape",
                    r"the escapes are \n \r \t \0 \\ and \xHH",
                ));
            }
        };
        bytes.push(byte);
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

enum TooLarge {
    Error(io::Error),
    Is,
}

/// The content of a file, if it has at most `limit` bytes; a device or pipe is read no further.
fn bounded(path: &Path, limit: u64) -> Result<Vec<u8>, TooLarge> {
    let file = fs::File::open(path).map_err(TooLarge::Error)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(TooLarge::Error)?;
    if bytes.len() as u64 > limit { Err(TooLarge::Is) } else { Ok(bytes) }
}

/// An operating system's reason without Rust's `(os error 2)`.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

//! Suggestions: what a message offers to write instead.
//!
//! Everything that can be copied from a message passes through [`suggestion`], which parses it
//! first: a candidate that its own reader refuses is left out. Near words are found by [`nearest`].

use alloc::{format, string::String};

use crate::nearest::{nearest, quoted};

/// Longer candidates are cut in a message, and half of one cannot be copied.
const LONGEST: usize = 60;

/// Returns the first candidate that `accepts` takes, whole.
///
/// Candidates come from what a person typed, so a password in one is masked when it is shown.
#[must_use]
pub fn suggestion<C: Into<String>>(
    candidates: impl IntoIterator<Item = C>,
    accepts: impl Fn(&str) -> bool,
) -> Option<String> {
    let is_whole = |candidate: &String| {
        candidate.chars().nth(LONGEST).is_none() && crate::printable(candidate) == *candidate
    };
    candidates
        .into_iter()
        .map(Into::into)
        .find(|candidate| is_whole(candidate) && accepts(candidate))
}

/// ``write `X` `` for the first candidate that `accepts` takes, otherwise `otherwise`.
///
/// ```
/// use redial_core::{parse_count, write_or};
/// let accepts = |text: &str| parse_count(text).is_ok();
/// assert_eq!(write_or(["100 000", "100000"], accepts, "write 1000"), "write `100000`");
/// assert_eq!(write_or(["1,5"], accepts, "write 1000"), "write 1000");
/// ```
#[must_use]
pub fn write_or<C: Into<String>>(
    candidates: impl IntoIterator<Item = C>,
    accepts: impl Fn(&str) -> bool,
    otherwise: impl Into<String>,
) -> String {
    match suggestion(candidates, accepts) {
        Some(candidate) => format!("write {}", quoted(&candidate)),
        None => otherwise.into(),
    }
}

/// ``the nearest is `X` `` for the name that is near the word, otherwise `otherwise`.
///
/// `names` are those that the reader of the word knows. `spelled` writes one as it is typed, and
/// `accepts` is that reader.
#[must_use]
pub fn nearest_or<'a>(
    word: &str,
    names: impl IntoIterator<Item = &'a str>,
    spelled: impl Fn(&str) -> String,
    accepts: impl Fn(&str) -> bool,
    otherwise: impl Into<String>,
) -> String {
    // A name that is not accepted here hides no other that is.
    let names = names.into_iter().filter(|name| accepts(&spelled(name)));
    match nearest(word, names) {
        Some(near) => format!("the nearest is {}", quoted(&spelled(near))),
        None => otherwise.into(),
    }
}

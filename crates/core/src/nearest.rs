//! The nearest right word, and how a wrong one is quoted.
//!
//! Two helpers of every message about a mistake. They do not decide what is right: whoever reads a
//! word knows its candidates. Start at [`nearest`].

use alloc::{format, string::String, vec, vec::Vec};

use crate::escape::printable;

/// How many letters of a wrong word are quoted.
const QUOTED: usize = 60;

/// Longer words are not typing mistakes, and comparing them costs time.
const LONGEST: usize = 64;

/// The candidate a person most likely meant, or none.
///
/// Letters missing, added, changed or swapped count one each (Damerau and Levenshtein); at most a
/// third of the word's letters, and at least one, may differ. A candidate is also near when it is
/// nearly the beginning of the word, or the word nearly its beginning. Upper and lower case are
/// the same. Of equals, the first.
///
/// ```
/// use redial_core::nearest;
///
/// let words = ["connect", "wait", "relay", "refused"];
/// assert_eq!(nearest("conection", words), Some("connect"));
/// assert_eq!(nearest("RELYA", words), Some("relay"));
/// assert_eq!(nearest("elephant", words), None);
/// ```
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = letters(word)?;
    candidates
        .into_iter()
        .filter_map(|candidate| Some((cost(&word, &letters(candidate)?)?, candidate)))
        .min_by_key(|(cost, _)| *cost)
        .map(|(_, candidate)| candidate)
}

/// What a person wrote, for a message: in backquotes, printable, at most 60 characters.
///
/// A password is masked before the text is cut: half of one is not recognised.
pub(crate) fn quoted(text: &str) -> String {
    let text = crate::masked(text);
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("`{}…`", printable(&text[..end])),
        None => format!("`{}`", printable(&text)),
    }
}

fn letters(word: &str) -> Option<Vec<char>> {
    let letters: Vec<char> = word.chars().flat_map(char::to_lowercase).take(LONGEST + 1).collect();
    (1..=LONGEST).contains(&letters.len()).then_some(letters)
}

/// How far apart the two are, if near enough; beginnings cost more than any whole word.
fn cost(word: &[char], candidate: &[char]) -> Option<usize> {
    let table = distances(word, candidate);
    let whole = table[word.len()][candidate.len()];
    // A word of which no letter is right is not near.
    if whole <= (word.len() / 3).max(1) && whole < word.len() {
        return Some(whole);
    }
    let of_word = table.iter().map(|row| row[candidate.len()]).min()?;
    let of_candidate = table[word.len()].iter().copied().min()?;
    let near = |cost: usize, beginning: usize| beginning >= 3 && cost <= beginning / 4;
    let of_word = near(of_word, candidate.len()).then_some(of_word);
    let of_candidate = near(of_candidate, word.len()).then_some(of_candidate);
    of_word.into_iter().chain(of_candidate).min().map(|cost| LONGEST + cost)
}

/// The distance of every beginning of one to every beginning of the other.
fn distances(a: &[char], b: &[char]) -> Vec<Vec<usize>> {
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let changed = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let best = changed.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                if swapped { best.min(table[i - 2][j - 2] + 1) } else { best }
            };
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 7] = ["refused", "reset", "retry", "next", "say", "stop", "dns-not-found"];

    #[test]
    fn finds_what_was_meant() {
        for (word, meant) in [
            ("refuse", "refused"),
            ("rfeused", "refused"),
            ("refsued", "refused"),
            ("Retri", "retry"),
            ("resett", "reset"),
            ("dns", "dns-not-found"),
            ("retrying", "retry"),
            ("sya", "say"),
        ] {
            assert_eq!(nearest(word, WORDS), Some(meant), "{word}");
        }
    }

    #[test]
    fn is_silent_when_nothing_is_near() {
        for word in ["", "x", "wombat", "1234", &"r".repeat(10_000)] {
            assert_eq!(nearest(word, WORDS), None, "{word}");
        }
    }

    #[test]
    fn quotes_what_can_be_printed() {
        assert_eq!(quoted("a\u{1b}b"), "`a\\u{1b}b`");
        assert_eq!(quoted("redis://:s3cret@db"), "`redis://:***@db`");
        assert_eq!(quoted(&"é".repeat(61)), format!("`{}…`", "é".repeat(60)));
    }
}

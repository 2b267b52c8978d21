//! A command line to suggest: made of the user's own words, and accepted by our own parser.
//!
//! A line that the parser refuses is not printed. Passwords in it are masked, and words are quoted
//! as a shell wants them. Start at [`Line::suggested`].

use redial::{masked, printable};

use super::Verb;
use crate::{connect, serve, wait};

/// A command line in parts.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) verb: Verb,
    /// Flags and places, in the user's order.
    pub(super) parts: Vec<Part>,
    /// What the shell does with it: `< /dev/null`.
    pub(super) redirection: Option<&'static str>,
    pub(super) command: Vec<String>,
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A flag, with its value if that is a word of its own.
    Flag(Vec<String>),
    Place(String),
}

/// Where the user named no server.
const PLACEHOLDER: &str = "HOST:PORT";

impl Line {
    /// The words behind the verb.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for part in &self.parts {
            match part {
                Part::Flag(flag) => words.extend(flag.iter().cloned()),
                Part::Place(place) => words.push(place.clone()),
            }
        }
        if !self.command.is_empty() {
            words.push("--".into());
            words.extend(self.command.iter().cloned());
        }
        words
    }

    pub(super) fn places(&self) -> impl Iterator<Item = &String> {
        self.parts.iter().filter_map(|part| match part {
            Part::Place(place) => Some(place),
            Part::Flag(_) => None,
        })
    }

    pub(super) fn places_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.parts.iter_mut().filter_map(|part| match part {
            Part::Place(place) => Some(place),
            Part::Flag(_) => None,
        })
    }

    /// The whole line as it would be typed; none where our parser refuses it.
    pub(super) fn suggested(&self) -> Option<String> {
        let mut line = self.clone();
        if line.places().next().is_none() && line.verb != Verb::Serve {
            line.parts.push(Part::Place(PLACEHOLDER.into()));
        }
        let words = line.words();
        let tried: Vec<String> =
            words.iter().map(|word| word.replace(PLACEHOLDER, "host:1")).collect();
        let is_accepted = match line.verb {
            Verb::Connect => connect::accepts(&tried),
            Verb::Wait => wait::accepts(&tried),
            Verb::Serve => serve::accepts(&tried),
        };
        let typed = words.iter().map(|word| typed(word)).collect::<Option<Vec<_>>>()?;
        let mut text = format!("redial {} {}", line.verb.name(), typed.join(" "));
        if let Some(redirection) = line.redirection {
            text += " ";
            text += redirection;
        }
        is_accepted.then(|| masked(text.trim_end()))
    }
}

/// A word as a shell wants it; none for one with characters that cannot be printed.
fn typed(word: &str) -> Option<String> {
    let word = masked(word);
    if printable(&word) != word {
        return None;
    }
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_=./:@%+,".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return Some(word);
    }
    Some(format!("'{}'", word.replace('\'', "'\\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, quoted) in [
            ("db:5432", "db:5432"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
            ("a b", "'a b'"),
            ("http://h/#status=200", "'http://h/#status=200'"),
            ("[::1]:80", "'[::1]:80'"),
            ("$HOME", "'$HOME'"),
            ("redis://:s3cret@db", "'redis://:***@db'"),
        ] {
            assert_eq!(typed(word).as_deref(), Some(quoted), "{word}");
        }
        assert_eq!(typed("a\u{1b}[2J"), None);
    }
}

//! Splits a verb's words into its own flags, other tools' flags, places and a command.
//!
//! Which flags of ours take a value is asked of clap, so that a value is never taken for a place.
//! Start at [`tokens`].

use clap::Command;

use super::{
    Verb,
    table::{HABITS, Habit, Takes},
};

/// A piece of a command line.
#[derive(Debug)]
pub(super) enum Token {
    /// A flag of another tool, as it was spelled, with its value.
    Habit(&'static Habit, String, Option<String>),
    /// A flag of our own, or one that is unknown, with its value.
    Flag(Vec<String>),
    Place(String),
    /// Everything after `--`.
    Rest(Vec<String>),
}

/// Splits the words.
pub(super) fn tokens(verb: Verb, words: &[String]) -> Vec<Token> {
    tokens_with_places(verb, words).into_iter().map(|(_, token)| token).collect()
}

/// Splits the words; each token with the index of its word.
pub(super) fn tokens_with_places(verb: Verb, words: &[String]) -> Vec<(usize, Token)> {
    let command = verb.command();
    let has_port = words.iter().any(|word| is_port_flag(word));
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if word == "--" {
            tokens.push((at, Token::Rest(words[at + 1..].to_vec())));
            break;
        }
        if !word.starts_with('-') || word == "-" {
            tokens.push((at, Token::Place(word.clone())));
            at += 1;
            continue;
        }
        let mut next = words.get(at + 1).map(String::as_str).filter(|word| !word.starts_with('-'));
        let had_next = next.is_some();
        let mut found = Vec::new();
        // `-h` asks for help unless it names a host, whose port is in another flag.
        let asks_for_help = word == "-h" && !(has_port && had_next);
        let is_read = !asks_for_help
            && (whole(verb, &command, word, &mut next, &mut found)
                || cluster(verb, &command, word, &mut next, &mut found));
        if is_read {
            tokens.extend(found.into_iter().map(|token| (at, token)));
            at += 1 + usize::from(had_next && next.is_none());
        } else {
            tokens.push((at, Token::Flag(vec![word.clone()])));
            at += 1;
        }
    }
    tokens
}

/// The place of the verb among the words that begin with its flags, if it is there.
pub(super) fn verb_after_flags(command: &Command, words: &[&str], verb: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if !word.starts_with('-') || *word == "-" {
            return (*word == verb).then_some(at);
        }
        if *word == "--" {
            return None;
        }
        at += 1 + usize::from(value_apart(command, word));
    }
    None
}

/// Whether any word may be another tool's, for a reader in a hurry: false is certain.
pub(super) fn may_be_foreign(verb: Verb, words: &[String]) -> bool {
    words.iter().take_while(|word| *word != "--").any(|word| {
        let name = name(word);
        let known = |name: &str| rows(verb, name).next().is_some();
        let is_cluster = word.starts_with('-') && !word.starts_with("--");
        known(name) || is_cluster && word.chars().skip(1).any(|c| known(&format!("-{c}")))
    })
}

/// A flag as one word: `--flag`, `--flag=VALUE`, `-flag`.
fn whole(
    verb: Verb,
    command: &Command,
    word: &str,
    next: &mut Option<&str>,
    tokens: &mut Vec<Token>,
) -> bool {
    let name = name(word);
    let attached = word.get(name.len() + 1..);
    if let Some(row) = rows(verb, name).find(|row| fits(row, attached.or(*next))) {
        let value = match (row.value, attached) {
            (Takes::No, Some(_)) => return false,
            (Takes::No, None) => None,
            (_, Some(value)) => Some(value),
            (_, None) => next.take(),
        };
        tokens.push(Token::Habit(row, name.to_owned(), value.map(ToOwned::to_owned)));
        return true;
    }
    if !is_own(command, name) {
        return false;
    }
    let mut flag = vec![word.to_owned()];
    if value_apart(command, word) {
        flag.extend(next.take().map(ToOwned::to_owned));
    }
    tokens.push(Token::Flag(flag));
    true
}

/// Short flags in one word, perhaps with a value: `-zvw3`.
fn cluster(
    verb: Verb,
    command: &Command,
    word: &str,
    next: &mut Option<&str>,
    tokens: &mut Vec<Token>,
) -> bool {
    if word.starts_with("--") {
        return false;
    }
    for (at, letter) in word.char_indices().skip(1) {
        let flag = format!("-{letter}");
        let rest = Some(&word[at + letter.len_utf8()..]).filter(|rest| !rest.is_empty());
        let row = rows(verb, &flag).find(|row| fits(row, rest.or(*next)));
        let takes = match row {
            Some(row) => !matches!(row.value, Takes::No),
            None if is_own(command, &flag) => takes_value(command, &flag),
            None => return false,
        };
        let value = if takes { rest.or_else(|| next.take()) } else { None };
        let value = value.map(ToOwned::to_owned);
        tokens.push(match row {
            Some(row) => Token::Habit(row, flag, value),
            None => Token::Flag([Some(flag), value].into_iter().flatten().collect()),
        });
        if takes {
            break;
        }
    }
    true
}

fn rows(verb: Verb, name: &str) -> impl Iterator<Item = &'static Habit> {
    HABITS.iter().filter(move |row| row.verbs.contains(&verb) && row.names.contains(&name))
}

/// Whether the row is meant, by its value.
fn fits(row: &Habit, value: Option<&str>) -> bool {
    match row.value {
        Takes::If(is_like) => value.is_some_and(is_like),
        Takes::No | Takes::One => true,
    }
}

fn name(word: &str) -> &str {
    word.split('=').next().unwrap_or(word)
}

fn is_port_flag(word: &str) -> bool {
    matches!(name(word), "-p" | "--port")
}

fn argument<'a>(command: &'a Command, name: &str) -> Option<&'a clap::Arg> {
    command.get_arguments().find(|argument| match name.strip_prefix("--") {
        Some(long) => {
            argument.get_long() == Some(long)
                || argument.get_all_aliases().is_some_and(|aliases| aliases.contains(&long))
        }
        None => {
            let letter = name.chars().nth(1).filter(|_| name.chars().count() == 2);
            letter.is_some() && argument.get_short() == letter
        }
    })
}

fn is_own(command: &Command, name: &str) -> bool {
    matches!(name, "-h" | "--help") || argument(command, name).is_some()
}

fn takes_value(command: &Command, name: &str) -> bool {
    argument(command, name).is_some_and(|argument| {
        argument.get_action().takes_values() && !argument.is_require_equals_set()
    })
}

/// Whether the value of this flag is the next word.
fn value_apart(command: &Command, word: &str) -> bool {
    if word.starts_with("--") {
        return !word.contains('=') && takes_value(command, word);
    }
    // In a cluster, the rest of the word is the value of the first flag that takes one.
    let letters = word.char_indices().skip(1);
    let taking = letters.filter(|(_, letter)| takes_value(command, &format!("-{letter}")));
    taking.map(|(at, letter)| at + letter.len_utf8()).next().is_some_and(|end| end == word.len())
}

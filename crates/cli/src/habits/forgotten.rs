//! A command whose `--` was forgotten: `redial wait db:5432 npm start`.
//!
//! The first word that is no target, after one that is, begins the command. Start at [`dashes`].

use std::{env, path::Path};

use redial::{Target, printable};

use super::{
    Line, Problem, Verb, places, resolve,
    split::{self, Token},
    table::Meaning,
};
use crate::{error::Error, practice};

/// The error for a command without its `--`, if there is one.
pub(crate) fn dashes(verb: Verb, words: &[String], rest: &[String]) -> Option<Error> {
    if verb != Verb::Wait || !rest.is_empty() {
        return None;
    }
    let at = command_start(words)?;
    let (own, command) = words.split_at(at);
    let word = &command[0];
    let mut line = resolve::resolved(verb, own).line;
    line.command = assigned(command);
    let next = command.get(1);
    let is_command = is_program(word) || next.is_some_and(|next| !is_target(next));
    if is_command {
        let what = format!("`{}` is no target, and a command follows `--`", printable(word));
        let problem = Problem::new(what, "write -- before the command");
        return Some(problem.error(&line));
    }
    if next.is_some() {
        return None;
    }
    let mistake = Target::parse(word).err()?;
    let line = line.suggested()?;
    Some(Error::plain(mistake.what, format!("{}; for a command: {line}", mistake.instead)))
}

/// The error for `connect SERVER -- COMMAND`, if that is what was written: `wait` runs commands.
pub(crate) fn command_of_connect(words: &[String]) -> Option<Error> {
    let at = words.iter().position(|word| word == "--")?;
    let (own, rest) = (&words[..at], &words[at + 1..]);
    if rest.first().is_none_or(|word| is_target(word) || is_misspelt(word)) {
        return None;
    }
    let line = Line { verb: Verb::Wait, ..resolve::resolved(Verb::Connect, own).line };
    line.places().next()?;
    let what = format!("`{}` is no server, and connect runs no command", printable(&rest[0]));
    let problem = Problem::new(what, "for a command: redial help wait");
    Some(problem.error(&Line { command: rest.to_vec(), ..line }))
}

/// The index of the word with which the command begins.
fn command_start(words: &[String]) -> Option<usize> {
    let (mut has_target, mut before): (bool, Option<String>) = (false, None);
    for (at, token) in split::tokens_with_places(Verb::Wait, words) {
        let place = match token {
            Token::Habit(habit, ..) => {
                has_target |= matches!(habit.meaning, Meaning::Target | Meaning::Host);
                continue;
            }
            Token::Place(place) => place,
            Token::Flag(_) => continue,
            Token::Rest(_) => return None,
        };
        let is_port = before.take().is_some_and(|host| is_pair(&host, &place));
        if is_target(&place) || is_port {
            has_target = true;
        } else if has_target {
            return (!is_misspelt(&place)).then_some(at);
        }
        before = Some(place);
    }
    None
}

fn is_pair(host: &str, port: &str) -> bool {
    port.parse::<u32>().is_ok() && redial::Server::from_words(&[host, port]).is_ok()
}

fn is_target(word: &str) -> bool {
    practice::reads(word) || places::spelled(word).is_some()
}

/// Whether a word has a mark of a target, and so is one with a mistake in it.
fn is_misspelt(word: &str) -> bool {
    let has_mark = word.contains([':', ',', '#', '@']) && !word.starts_with(['/', '.']);
    word.is_empty() || has_mark || word.ends_with(".sock")
}

/// Whether the word names a program of this machine.
fn is_program(word: &str) -> bool {
    if word.contains('/') {
        return true;
    }
    let paths = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&paths).any(|folder| folder.join(Path::new(word)).is_file())
}

/// The command, with `env` before a shell's assignments: `FOO=1 ./app`.
fn assigned(command: &[String]) -> Vec<String> {
    let is_assignment = command[0].split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    });
    let env = is_assignment.then(|| "env".to_owned());
    env.into_iter().chain(command.iter().cloned()).collect()
}

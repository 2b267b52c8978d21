//! The command line of redial.
//!
//! This file finds the verb and hands it its words; each verb has a file of its own. Only the
//! named verb's flags are built, for start-up counts. It decides nothing about connections: that
//! is the core, and acting is the driver. Start at [`verb`].

mod applies;
mod belt;
mod blot;
mod check;
mod connect;
mod error;
mod exit;
mod flag_hints;
mod flags;
mod habits;
mod help;
mod json;
mod misuse;
mod practice;
mod pump;
mod rehearse;
mod runtime;
mod serve;
mod shown;
mod signals;
mod stderr;
mod stdio;
mod story;
mod terminal;
mod texts;
mod traceback;
mod typed;
mod wait;

use std::{ffi::OsString, process::ExitCode};

use exit::Exit;
use stderr::Patience;

/// Everything `redial` can be told to do, and one line about it.
const VERBS: [(&str, &str); 6] = [
    ("connect", "standard input and output over one connection, as the policy says"),
    ("wait", "until servers are ready, then a command"),
    ("check", "read a policy: mistakes, dangers, the schedule of every retry"),
    ("rehearse", "play a policy against a failing server, with many clients"),
    ("serve", "a practice server: says something, and misbehaves by script"),
    ("help", "explain a topic, or any kind of failure by name"),
];

/// What is meant to come: a word that is not a server, and deserves a better answer than that.
const LATER: [&str; 4] = ["why", "diagnose", "stay", "relay"];

fn main() -> ExitCode {
    let mut words: Vec<OsString> = std::env::args_os().skip(1).collect();
    habits::verb_first(&mut words, &commands());
    let first = words.first().and_then(|word| word.to_str()).map(ToOwned::to_owned);
    // A first process gets no signal that it has no handler for.
    if std::process::id() == 1 {
        signals::end_at_once();
    }
    let asked = json::Asked::of(place_of(first.as_deref()), &words);
    let checked = flag_hints::refuse_dashes(&words, &commands());
    let exit = checked.and_then(|()| verb(first.as_deref(), words.into_iter()));
    let exit = exit.unwrap_or_else(|error| {
        let exit = match (first.as_deref(), error.exit()) {
            // Its own trouble is 125, as coreutils report it.
            (Some("wait"), Exit::Usage) => Exit::Trouble,
            (_, exit) => exit,
        };
        error.report(exit, &asked);
        exit
    });
    stderr::finish(Patience::of(exit));
    exit.into()
}

/// Every verb with its flags, for words that begin with flags; a verb to come has connect's.
fn commands() -> Vec<habits::Named> {
    let mut commands: Vec<habits::Named> = vec![
        ("connect", connect::command),
        ("wait", wait::command),
        ("check", check::command),
        ("rehearse", rehearse::command),
        ("serve", serve::command),
        ("help", connect::command),
    ];
    commands.extend(LATER.map(|verb| (verb, connect::command as fn() -> clap::Command)));
    commands
}

/// Where the JSON of a verb goes.
fn place_of(first: Option<&str>) -> json::Verb {
    match first {
        Some("wait") => json::Verb::Wait,
        Some("check" | "rehearse" | "serve" | "help") => json::Verb::Other,
        _ => json::Verb::Connect,
    }
}

fn verb(first: Option<&str>, words: impl Iterator<Item = OsString>) -> Result<Exit, error::Error> {
    match first {
        None | Some("-h" | "--help") => Ok(help::overview(&VERBS)),
        Some("-V" | "--version") => Ok(help::version()),
        Some("connect") => connect::run(words.skip(1)),
        Some("wait") => wait::run(words.skip(1)),
        Some("check") => check::run(words.skip(1)),
        Some("rehearse") => rehearse::run(words.skip(1)),
        Some("serve") => serve::run(words.skip(1)),
        Some("help") => help::run(words.skip(1).find(|word| !is_flag(word)), &VERBS),
        Some(word) if LATER.contains(&word) => Err(error::Error::plain(
            format!("`{word}` is not in this version"),
            "there are connect, wait, check, rehearse, serve and help; for a host of that name write HOST:PORT",
        )),
        // `redial SERVER…` is `redial connect SERVER…`.
        Some(_) => connect::run(words),
    }
}

/// A flag that was written before the verb `help`, which has none.
fn is_flag(word: &OsString) -> bool {
    let text = word.to_string_lossy();
    text.starts_with('-') && !matches!(&*text, "-h" | "--help")
}

//! Sessions in virtual time: every file of `scenarios/` is played and compared with what it says.
//!
//! A bug report becomes a file there. What no file can say, such as a thousand seeds, is in
//! `more`; the form of the files is in `scenario`. Nobody waits and nothing is dialled.

#![allow(clippy::panic, clippy::unwrap_used)] // they are tests

mod more;
mod player;
mod scenario;

use std::{fs, path::Path};

use scenario::Scenario;

#[test]
fn every_scenario_happens_as_it_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 20, "the scenarios are not where they were");
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        let scenario: Scenario =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let tale = player::play(&scenario);
        if words(&tale) != words(&scenario.events) {
            wrong.push(format!("{name}: {}\n{tale}", scenario.about));
        }
    }
    assert!(wrong.is_empty(), "what happened instead:\n\n{}", wrong.join("\n"));
}

/// Lines are compared word by word, so columns may be aligned as one likes.
fn words(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .map(|line| line.split_whitespace().collect())
        .filter(|line: &Vec<_>| !line.is_empty())
        .collect()
}

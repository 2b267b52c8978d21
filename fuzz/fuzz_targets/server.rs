//! Servers and targets from any text: no panic, positions inside, labels that can be printed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redial_core::{Server, Target};

fuzz_target!(|text: &str| {
    match Target::parse(text) {
        Ok(target) => {
            for server in target.servers() {
                assert!(!server.label().chars().any(char::is_control), "{server:?}");
            }
        }
        Err(mistake) => assert!(text.get(mistake.at.clone()).is_some(), "{mistake:?}"),
    }
    let words: Vec<&str> = text.split(' ').collect();
    let _ = Server::from_words(&words);
});

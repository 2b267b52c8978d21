//! Clauses, endings and rounds from any text: no panic, positions inside, and what prints reads back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redial_core::{Clause, Mistake, Rounds, Step};

fuzz_target!(|text: &str| {
    match Clause::parse_all(text) {
        Ok(clauses) => {
            for clause in clauses {
                let printed = clause.to_string();
                let again: Clause = printed.parse().expect("what prints reads back");
                assert_eq!(again.steps(), clause.steps(), "{printed}");
                assert_eq!(again.to_string(), printed);
            }
        }
        Err(mistake) => inside(text, &mistake),
    }
    if let Err(mistake) = Step::parse_ending(text) {
        inside(text, &mistake);
    }
    match text.parse::<Rounds>() {
        Ok(rounds) => {
            let again: Rounds = rounds.to_string().parse().expect("what prints reads back");
            assert_eq!(again.times, rounds.times);
        }
        Err(mistake) => inside(text, &mistake),
    }
});

/// Whoever prints a mistake cuts the text at its positions.
fn inside(text: &str, mistake: &Mistake) {
    assert!(text.get(mistake.at.clone()).is_some(), "{mistake:?}");
}

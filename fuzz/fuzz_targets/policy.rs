//! Policy files from any text: no panic, positions inside, and what prints reads back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redial_core::{Policy, PolicyBuilder, Verb};

fuzz_target!(|text: &str| {
    for verb in [Verb::Connect, Verb::Stay] {
        match Policy::parse(verb, text).and_then(PolicyBuilder::build) {
            Ok(policy) => {
                let printed = policy.to_toml();
                let again = Policy::parse(verb, &printed).and_then(PolicyBuilder::build);
                assert_eq!(again.expect("what prints reads back").to_toml(), printed);
            }
            Err(mistake) => assert!(text.get(mistake.at.clone()).is_some(), "{mistake:?}"),
        }
    }
});

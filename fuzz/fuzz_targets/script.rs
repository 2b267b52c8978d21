//! Scripts of the lab from any text: no panic, positions inside, and what prints reads back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redial_lab::{Behaviour, Script};

fuzz_target!(|text: &str| {
    let well = Behaviour::say("well\n");
    match Script::parse(text, &well) {
        Ok(script) => {
            let printed = script.to_string();
            // `ok` is written out, so what it means when it is read again does not matter.
            let again = Script::parse(&printed, &Behaviour::Flood);
            assert_eq!(again, Ok(script), "{printed}");
        }
        Err(error) => {
            assert!(text.get(error.at.clone()).is_some(), "{error:?}");
            assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
        }
    }
});

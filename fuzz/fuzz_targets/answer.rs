//! Answers from any text, fed with any bytes: no panic, and how the bytes were cut does not matter.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redial_core::{Answer, Progress};

fuzz_target!(|input: (&str, &[u8], usize)| {
    let (text, bytes, cut) = input;
    let answer = match Answer::parse(text) {
        Ok(answer) => answer,
        Err(mistake) => {
            assert!(text.get(mistake.at.clone()).is_some(), "{mistake:?}");
            return;
        }
    };
    let mut whole = answer.matcher();
    let progress = whole.feed(&answer, bytes);
    let mut bytewise = answer.matcher();
    for byte in bytes {
        bytewise.feed(&answer, &[*byte]);
    }
    let mut halves = answer.matcher();
    let (front, back) = bytes.split_at(cut % (bytes.len() + 1));
    halves.feed(&answer, front);
    halves.feed(&answer, back);
    assert_eq!([bytewise.progress(), halves.progress()], [progress, progress]);
    if progress != Progress::More {
        assert_eq!([bytewise.seen(), halves.seen()], [whole.seen(), whole.seen()]);
    }
});

//! The clause language from outside: what prints reads back, what is wrong is pointed at.

use proptest::prelude::*;
use redial_core::{Clause, Step, kind_names};

fn duration() -> impl Strategy<Value = String> {
    (1..100_000u64, prop_oneof![Just("ms"), Just("s"), Just("m"), Just("h")])
        .prop_map(|(number, unit)| format!("{number}{unit}"))
}

fn pause() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        duration().prop_map(|pause| format!(" every {pause}")),
        (1..1_000u64, 1..1_000u64)
            .prop_map(|(base, more)| format!(" every {base}ms..{}ms", base + more)),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 ,;:#'=-]{1,20}".prop_map(|text| format!("\"{text}\"")),
        "[a-zA-Z0-9 ,;:\"#=-]{1,20}".prop_map(|text| format!("'{text}'")),
        Just(r#""a\n\t\"\\\x1b é""#.to_owned()),
    ]
}

fn retry() -> impl Strategy<Value = String> {
    let times =
        prop_oneof![(1..u32::MAX).prop_map(|times| times.to_string()), Just("forever".to_owned())];
    let factor = prop_oneof![
        Just(String::new()),
        (1_000..1_000_000u32).prop_map(|x| format!(" x{}.{:03}", x / 1000, x % 1000))
    ];
    let jitter =
        prop_oneof![Just(""), Just(" jitter full"), Just(" jitter equal"), Just(" jitter none")];
    (times, pause(), factor, jitter)
        .prop_map(|(times, pause, factor, jitter)| format!("retry {times}{pause}{factor}{jitter}"))
}

fn run() -> impl Strategy<Value = String> {
    let arg =
        prop_oneof![text(), "[a-z./-]{1,9}", Just("\"at\"".to_owned()), Just("most".to_owned())];
    let throttle = prop_oneof![
        Just(String::new()),
        duration().prop_map(|pause| format!(" at most every {pause}"))
    ];
    (prop::collection::vec(arg, 1..4), throttle)
        .prop_map(|(args, throttle)| format!("run {}{throttle}", args.join(" ")))
}

fn step() -> impl Strategy<Value = String> {
    prop_oneof![
        retry(),
        run(),
        Just("next".to_owned()),
        Just("drop".to_owned()),
        Just("diagnose".to_owned()),
        text().prop_map(|text| format!("say {text}")),
        Just("say \"{server} {failure} {{x}} {cause}\"".to_owned()),
    ]
}

fn clause() -> impl Strategy<Value = String> {
    let names: Vec<&str> = kind_names()
        .into_iter()
        .filter(|name| !["deadline", "interrupted", "KeyboardInterrupt"].contains(name))
        .collect();
    let kinds = prop::collection::vec(prop::sample::select(names), 1..4);
    let guard = prop_oneof![Just(""), Just(" if fresh"), Just(" if unsent"), Just(" if new")];
    let end = prop_oneof![
        Just(String::new()),
        Just(", stop".to_owned()),
        (0..=255u8).prop_map(|status| format!(", exit {status}"))
    ];
    (kinds, guard, prop::collection::vec(step(), 1..4), end).prop_map(
        |(kinds, guard, steps, end)| {
            format!("{}{guard}: {}{end}", kinds.join(", "), steps.join(", "))
        },
    )
}

proptest! {
    #[test]
    fn what_prints_reads_back_as_the_same(text in clause()) {
        let read: Clause = text.parse().map_err(|mistake| TestCaseError::fail(format!("{text}: {mistake}")))?;
        let printed = read.to_string();
        let again: Clause = printed.parse().map_err(|mistake| TestCaseError::fail(format!("{printed}: {mistake}")))?;
        prop_assert_eq!(&read, &again);
        prop_assert_eq!(printed, again.to_string());
    }

    #[test]
    fn no_text_panics_and_every_mistake_points_into_it(text in "\\PC{0,60}") {
        if let Err(mistake) = Clause::parse_all(&text) {
            prop_assert!(mistake.at.start <= mistake.at.end && mistake.at.end <= text.len());
        }
    }

    #[test]
    fn broken_clauses_do_not_panic(text in clause(), cut in 0..200usize, letter: char) {
        let cut = text.char_indices().map(|(at, _)| at).nth(cut).unwrap_or(text.len());
        let _ = Clause::parse_all(&text[..cut]);
        let _ = Clause::parse_all(&format!("{}{letter}{}", &text[..cut], &text[cut..]));
        let _ = Step::parse_ending(&text[cut..]);
    }
}

/// What was typed, where the mistake is pointed at, and a part of what is said.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("conection: stop", "conection", "the nearest is `connect`"),
    ("refused: sleep 5", "sleep", "the pause belongs to retry: `retry 10 every 5s`"),
    ("refused: retry 3 every 5", "5", "5s"),
    ("refused: retry 3 every 5parsec", "parsec", "ms, s, m"),
    ("refused: say \"{sever} is down\"", "\"{sever} is down\"", "the nearest is `{server}`"),
    ("refused retry 10", "", "write `refused: retry 10`"),
    ("refused: retry", "retry", "write `retry 10` or `retry forever`"),
    ("refused: retry every 5s", "retry", "write `retry 10` or `retry forever`"),
    ("refused: stop, retry 3", "retry", "nothing runs after `stop`"),
    ("refused: exit 3, next", "next", "nothing runs after `exit`"),
    ("refused: say “down”", "“", "straight quotes"),
    ("refused: retry 3 every 30s..250ms", "30s..250ms", "write `every 250ms..30s`"),
    ("refused: retry 0", "retry 0", "write `1` or more"),
    ("refused: retry 3 every 0s", "0s", "the shortest is `1ms`"),
    ("refused: exit 300", "300", "from 0 to 255"),
    ("refused: say \"half", "\"half", "closing"),
    ("refused reset: next", " reset", "write `refused, reset`"),
    ("refused: retry 3 next", "", "write `, next`"),
    ("refused if old: next", "old", "the guards are `fresh`, `unsent` and `new`"),
    ("deadline: retry 3", "retry", "nothing can be attempted after the deadline"),
    ("interrupted: next", "next", "nothing can be attempted after an interrupt"),
    (": stop", "", "a kind of failure is missing"),
    ("refused:", "", "a step is missing"),
    ("refused", "refused", "this clause has no steps"),
    ("refused: run", "run", "`run` has to say what"),
    ("refused: run \"\"", "run", "`run` has to say what"),
    ("refused: run \"a\\x00\"", "\"a\\x00\"", "NUL"),
    ("refused: retry 3 x0.5", "x0.5", "x1000"),
    ("refused: retry 3 jitter some", "some", "jitter full"),
];

#[test]
fn each_mistake_names_what_is_wrong_where_and_what_to_write() {
    for (text, pointed_at, said) in MISTAKES {
        let mistake = Clause::parse_all(text).expect_err(text);
        assert_eq!(&text[mistake.at.clone()], *pointed_at, "{text}: {mistake}");
        assert!(mistake.to_string().contains(said), "{text}: {mistake}");
    }
}

#[test]
fn clauses_may_stand_on_lines_or_behind_semicolons_and_without_blanks() {
    let clauses =
        Clause::parse_all("\n refused:retry 10,next;\r\n\tany : say 'x' , stop ;").expect("reads");
    assert_eq!(clauses.len(), 2);
    assert_eq!(clauses[0].to_string(), "refused: retry 10 every 250ms..30s, next");
    assert_eq!(clauses[1].to_string(), "any: say \"x\", stop");
}

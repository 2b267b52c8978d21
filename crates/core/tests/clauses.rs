//! The clause language from outside: what prints reads back, what is wrong is pointed at.

#![allow(clippy::panic)] // they are tests

use proptest::prelude::*;
use redial_core::{Clause, Step, kind_names};

fn duration() -> impl Strategy<Value = String> {
    (1..100_000u64, prop_oneof![Just("ms"), Just("s"), Just("m"), Just("h")])
        .prop_map(|(number, unit)| format!("{number}{unit}"))
}

/// Pauses, with a factor only where they grow.
fn pause() -> impl Strategy<Value = String> {
    let separator = prop_oneof![Just(".."), Just("-"), Just(" to "), Just(" .. ")];
    let factor = prop_oneof![
        Just(String::new()),
        (1_000..1_000_000u32).prop_map(|x| format!(" x{}.{:03}", x / 1000, x % 1000))
    ];
    prop_oneof![
        Just(String::new()),
        duration().prop_map(|pause| format!(" every {pause}")),
        (1..1_000u64, 1..1_000u64, separator, factor).prop_map(|(base, more, to, factor)| format!(
            " every {base}ms{to}{}ms{factor}",
            base + more
        )),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 ,;:#'=|$>-]{1,20}".prop_map(|text| format!("\"{text}\"")),
        "[a-zA-Z0-9 ,;:\"#=-]{1,20}".prop_map(|text| format!("'{text}'")),
        Just(r#""a\n\t\"\\\x1b é""#.to_owned()),
    ]
}

fn retry() -> impl Strategy<Value = String> {
    let times = prop_oneof![
        (1..u32::MAX).prop_map(|times| times.to_string()),
        (1..u32::MAX).prop_map(|times| format!("{times} times")),
        Just("forever".to_owned())
    ];
    // Longer than any pause here.
    let within = prop_oneof![Just(""), Just(" for 2m30s"), Just(" for 90000d")];
    let jitter =
        prop_oneof![Just(""), Just(" jitter full"), Just(" jitter equal"), Just(" jitter none")];
    (times, within, pause(), jitter).prop_map(|(times, within, pause, jitter)| {
        // A single pause may be longer than two minutes.
        let is_short = pause.is_empty() || pause.contains("ms");
        let within = if is_short || within.ends_with('d') { within } else { "" };
        format!("retry {times}{within}{pause}{jitter}")
    })
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

/// The parts of a clause, so that they can be written in several ways.
#[derive(Clone, Debug)]
struct Parts {
    kinds: Vec<&'static str>,
    but: &'static str,
    guard: &'static str,
    steps: Vec<String>,
}

impl Parts {
    fn plain(&self) -> String {
        format!("{}{}{}: {}", self.kinds.join(", "), self.but, self.guard, self.steps.join(", "))
    }

    /// The same with comments, on several lines.
    fn on_lines(&self) -> String {
        let kinds = self.kinds.join(", # one more\n  ");
        let steps = self.steps.join(" ,# then\n\n\t");
        let Self { but, guard, .. } = self;
        format!("# what to do\n\n{kinds}{but}{guard}: # at first\r\n  {steps} # at last\n")
    }

    /// The same as Python writes it, with each step on its line.
    fn in_python(&self) -> String {
        let (kinds, steps) = (self.kinds.join(", "), self.steps.join("\n    "));
        let Self { but, guard, .. } = self;
        let name = if but.is_empty() { " as error" } else { "" };
        format!("except ({kinds}){but}{name}{guard}:\n    {steps}\n")
    }
}

fn parts() -> impl Strategy<Value = Parts> {
    let names: Vec<&str> = kind_names()
        .into_iter()
        .filter(|name| !["deadline", "interrupted", "KeyboardInterrupt"].contains(name))
        .collect();
    let kinds = prop::collection::vec(prop::sample::select(names), 1..4);
    let but = prop_oneof![Just(""), Just(" but refused"), Just(" but (tls, dns-not-found)")];
    let guard = prop_oneof![Just(""), Just(" if fresh"), Just(" if unsent"), Just(" if new")];
    let end = prop_oneof![
        Just(None),
        Just(Some("stop".to_owned())),
        (0..=255u8).prop_map(|status| Some(format!("exit {status}")))
    ];
    (kinds, but, guard, prop::collection::vec(step(), 1..4), end).prop_map(
        |(kinds, but, guard, mut steps, end)| {
            steps.extend(end);
            // What is taken out has to be there.
            let but = if kinds.contains(&"any") { but } else { "" };
            Parts { kinds, but, guard, steps }
        },
    )
}

fn clause() -> impl Strategy<Value = String> {
    parts().prop_map(|parts| parts.plain())
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
    fn every_layout_reads_as_the_same_clause(parts in parts()) {
        let plain: Clause = parts.plain().parse().map_err(|mistake| TestCaseError::fail(format!("{}: {mistake}", parts.plain())))?;
        for text in [parts.on_lines(), parts.in_python()] {
            let read: Clause = text.parse().map_err(|mistake| TestCaseError::fail(format!("{text}: {mistake}")))?;
            prop_assert_eq!(plain.to_string(), read.to_string());
            prop_assert_eq!(plain.kinds(), read.kinds());
            prop_assert_eq!(plain.steps(), read.steps());
        }
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
    ("refused: retry 3 every 1s x2", "x2", "write `every 1s..1m x2`"),
    ("refused: retry 3 every 1-30s", "1", "write `every 1s..30s`"),
    ("refused: retry 3 every 1s..", "1s..", "write `every 1s..1m`"),
    ("refused: retry for 2m", "retry", "write `retry forever for 2m`"),
    ("refused: retry 3 for", "for", "as in `retry forever for 2m`"),
    ("refused: retry 3 for 1s every 1m", "for 1s", "write `for 1m` or more"),
    ("refused: retry 3 every 1s every 2s", "every", "leave one out"),
    ("refused: 5 times", "5", "write `retry 5`"),
    ("refused: retry(10)", "retry(10)", "write `retry 10`"),
    ("refused: say \"x\",\nany: stop", "any:", "leave the comma before it out"),
    ("any but: stop", "", "a kind of failure is missing"),
    ("any but closed: stop", "closed", "`closed` is not among `any`"),
    ("refused but connect: stop", "connect", "nothing is left of `refused`"),
    ("any except tls, dns: stop", "except", "write `any but tls, dns: stop`"),
    ("(refused, reset: stop", "(", "write `refused, reset: retry 10`"),
    ("refused or reset: stop", " or reset", "write `refused, reset`"),
    ("any if fresh and new: stop", "new", "write `any if fresh: stop`, or `any if new: stop`"),
    ("any if fresh and old: stop", "old", "write `any if fresh: …`"),
    ("any if fresh stop", "", "write `any if fresh: stop`"),
    ("deadline", "deadline", "write `deadline: stop`"),
    ("retry 3", "retry", "write `any: retry 3`"),
    ("else: say x", "else", "--else 'STEPS'"),
    ("EOFError: stop", "EOFError", "write `closed`"),
    ("connection-refused: stop", "connection-refused", "write `refused`"),
    ("ERR_CONNECTION_RESET: stop", "ERR_CONNECTION_RESET", "write `reset`"),
    ("BaseException: stop", "BaseException", "write `any`"),
    ("any: print(error)", "print(error)", "write `say \"{failure}\"`"),
    ("any: print('x', file=sys.stderr)", "print('x'", "write `say \"x\"`"),
    ("any: sys.exit('x')", "sys.exit('x'", "write `say \"x\", exit 1`"),
    ("any: raise OSError", "OSError", "write `stop`"),
    ("any: run ./x | logger -t x, stop", "|", "write `run sh -c './x | logger -t x'`"),
    ("any: run ./x > 'a b'", ">", "write `run sh -c \"./x > 'a b'\"`"),
    ("any: run echo $HOME", "$HOME", "write `run sh -c 'echo $HOME'`"),
];

/// What is accepted, and how it is printed.
const SPELLINGS: &[(&str, &str)] = &[
    ("refused: retry 5 times every 1s-30s", "refused: retry 5 every 1s..30s"),
    ("refused: retry 5 every 1s to 30s", "refused: retry 5 every 1s..30s"),
    ("refused: retry 5 every 1s – 30s", "refused: retry 5 every 1s..30s"),
    (
        "any: retry forever jitter full every 1s..9s x3 for 2m",
        "any: retry forever for 2m every 1s..9s x3 jitter full",
    ),
    ("any but tls, dns: stop", "any but tls, dns: stop"),
    ("except: pass", "any: exit 0"),
    ("except Exception as e: raise", "any: stop"),
    (
        "except ConnectionRefusedError:\n  print(\"a\")\n  exit(1)",
        "ConnectionRefusedError: say \"a\", exit 1",
    ),
    ("except (OSError, EPIPE,): print 'a'; sys.exit()", "OSError, EPIPE: say \"a\", exit 0"),
    (
        "(refused, reset): print(f\"{failure}\"), raise SystemExit(3)",
        "refused, reset: say \"{failure}\", exit 3",
    ),
    (
        "refused: # why\n  retry 3,\n  # then\n  next # or not",
        "refused: retry 3 every 250ms..30s, next",
    ),
    ("any: run ./x#1 '#2' \"|\"", "any: run \"./x#1\" \"#2\" \"|\""),
    ("refused: retry 3; stop", "refused: retry 3 every 250ms..30s, stop"),
];

#[test]
fn accepted_spelling_prints_canonically() {
    for (text, printed) in SPELLINGS {
        let clause: Clause = text.parse().unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
        assert_eq!(clause.to_string(), *printed, "{text}");
        assert_eq!(Clause::parse_all(printed), Ok(vec![printed.parse().expect(printed)]));
    }
}

#[test]
fn excluded_kinds_do_not_match() {
    use redial_core::{Kind, KindSet};
    let clause: Clause = "any but tls, dns-not-found: retry 3".parse().expect("reads");
    for kind in [Kind::TlsCertificate, Kind::TlsTimeout, Kind::DnsNotFound, Kind::Closed] {
        assert!(!clause.kinds().overlaps(KindSet::of(&[kind])), "{kind}");
    }
    assert!(clause.kinds().contains(KindSet::of(&[Kind::Refused, Kind::DnsTemporary])));
}

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

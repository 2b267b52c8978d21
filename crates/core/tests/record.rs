//! The record: bounded whatever happens, and its shape as JSON, which is published.

#![allow(clippy::panic, clippy::unwrap_used)] // they are tests

use std::{sync::Arc, time::Duration};

use redial_core::*;
use serde_json::json;

fn record() -> Record {
    let policy = Policy::build(Verb::Connect)
        .server("db1:5432".parse().unwrap())
        .server("redis://app:s3cret@cache".parse().unwrap())
        .except("refused: retry 1")
        .unwrap()
        .build()
        .unwrap();
    Record::new(Arc::new(policy), 7)
}

fn failure(kind: Kind) -> Arc<Failure> {
    Arc::new(Failure::new(kind, Stage::Connect, "db1:5432".into()))
}

fn happened(at: u64, event: Event) -> Happened {
    Happened { at: Duration::from_millis(at), event }
}

/// An attempt and its failure, refused and reset in turn.
fn push_attempts(record: &mut Record, attempts: u32) {
    for attempt in 1..=attempts {
        let kind = if attempt % 2 == 0 { Kind::Reset } else { Kind::Refused };
        let at = u64::from(attempt);
        record.push(happened(at, Event::Trying { attempt, server: 0 }));
        record.push(happened(at, Event::Failed { attempt, failure: failure(kind) }));
    }
}

#[test]
fn all_is_kept_while_it_is_little() {
    let mut record = record();
    push_attempts(&mut record, 64);
    assert_eq!(record.events().count(), 128);
    assert!(record.events().all(|event| event.is_some()), "no gap");
    assert_eq!(*record.between(), Between::default());
}

#[test]
fn the_first_32_the_last_96_and_counts_between() {
    let mut record = record();
    push_attempts(&mut record, 10_000);
    let events: Vec<_> = record.events().collect();
    assert_eq!(events.len(), 32 + 1 + 96);
    assert_eq!(events.iter().position(|event| event.is_none()), Some(32));
    let at = |index: usize| events[index].unwrap().at;
    assert_eq!((at(0), at(31)), (Duration::from_millis(1), Duration::from_millis(16)));
    assert_eq!((at(33), at(128)), (Duration::from_millis(9_953), Duration::from_secs(10)));
    let between = record.between();
    assert_eq!((between.events, between.attempts), (20_000 - 128, 10_000 - 64));
    assert_eq!(between.failures.len(), 2);
    assert_eq!(between.failures[&Kind::Refused], 5_000 - 32);
    assert_eq!(between.failures[&Kind::Reset], 5_000 - 32);
}

#[test]
fn its_json_is_as_published() {
    let mut record = record().with_lab(["late".into()].into());
    let address = Address::Ip("10.0.0.5:5432".parse().unwrap());
    let stopped = Verdict::Stopped(failure(Kind::Refused));
    let retry = Action::Retry {
        n: 1,
        of: Times::Only(1.try_into().unwrap()),
        delay: Duration::from_millis(250),
    };
    let next = Action::Next { server: 1, round: 1, delay: Duration::ZERO, dropped: false };
    for event in [
        Event::Trying { attempt: 1, server: 0 },
        Event::Failed { attempt: 1, failure: failure(Kind::Refused) },
        Event::Handled { attempt: 1, clause: Some(0), used_up: false, action: retry },
        Event::Connected { attempt: 2, server: 0, address: Some(address) },
        Event::Handled { attempt: 2, clause: Some(1), used_up: true, action: next },
        Event::Said { line: "down".into() },
        Event::Ran {
            program: "./page".into(),
            ran: Ran::Exited(3),
            elapsed: Duration::from_secs(1),
        },
        Event::Ran { program: "./page".into(), ran: Ran::Skipped, elapsed: Duration::ZERO },
        Event::Diagnosed { addresses: Vec::new(), cause: Some("asleep".into()) },
        Event::Handled { attempt: 2, clause: None, used_up: false, action: Action::Unhandled },
        Event::Over { verdict: stopped },
    ] {
        record.push(happened(1_500, event));
    }
    let refused = json!({
        "kind": "refused", "stage": "connect", "server": "db1:5432", "addresses": [],
        "sent": 0, "received": 0, "elapsed": 0.0, "delivery": { "certain": "unsent" }, "lasting": false,
    });
    assert_eq!(
        serde_json::to_value(&record).unwrap(),
        json!({
            "version": 1,
            "verb": "connect",
            "seed": 7,
            "lab": ["late"],
            "servers": ["db1:5432", "redis://app:***@cache"],
            "clauses": ["refused: retry 1 every 250ms..30s", "any if fresh: next"],
            "events": [
                { "at": 1.5, "event": "trying", "attempt": 1, "server": 0 },
                { "at": 1.5, "event": "failed", "attempt": 1, "failure": refused },
                { "at": 1.5, "event": "handled", "attempt": 1, "clause": 0, "used_up": false,
                  "action": "retry", "n": 1, "of": 1, "delay": 0.25 },
                { "at": 1.5, "event": "connected", "attempt": 2, "server": 0, "address": "10.0.0.5:5432" },
                { "at": 1.5, "event": "handled", "attempt": 2, "clause": 1, "used_up": true,
                  "action": "next", "server": 1, "round": 1, "delay": 0.0, "dropped": false },
                { "at": 1.5, "event": "said", "line": "down" },
                { "at": 1.5, "event": "ran", "program": "./page", "ended": "exited", "status": 3, "elapsed": 1.0 },
                { "at": 1.5, "event": "ran", "program": "./page", "ended": "skipped", "elapsed": 0.0 },
                { "at": 1.5, "event": "diagnosed", "addresses": [], "cause": "asleep" },
                { "at": 1.5, "event": "handled", "attempt": 2, "used_up": false, "action": "unhandled" },
                { "at": 1.5, "event": "over", "verdict": { "end": "stopped", "with": "refused" } },
            ],
            "between": { "events": 0, "attempts": 0, "failures": {} },
        })
    );
}

#[test]
fn every_verdict_has_its_json() {
    let failure = failure(Kind::Deadline);
    for (verdict, expected) in [
        (Verdict::Well, json!({ "end": "well" })),
        (Verdict::Exit(7), json!({ "end": "exit", "with": 7 })),
        (Verdict::Unhandled(failure.clone()), json!({ "end": "unhandled", "with": "deadline" })),
        (Verdict::Deadline(failure), json!({ "end": "deadline", "with": "deadline" })),
        (Verdict::Interrupted(Signal::Sigterm), json!({ "end": "interrupted", "with": "SIGTERM" })),
    ] {
        assert_eq!(serde_json::to_value(&verdict).unwrap(), expected);
    }
}

#[test]
fn a_gap_is_counted_by_the_name_of_the_kind() {
    let mut record = record();
    push_attempts(&mut record, 66);
    let json = serde_json::to_value(&record).unwrap();
    assert_eq!(json["events"].as_array().unwrap().len(), 128);
    assert_eq!(
        json["between"],
        json!({ "events": 4, "attempts": 2, "failures": { "refused": 1, "reset": 1 } })
    );
}

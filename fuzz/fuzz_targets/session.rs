//! Any inputs at any times, under a policy chosen from a few: a session keeps its promises.
//!
//! At most one thing is under way, ids only grow, nothing dead is spoken of, a wake is not in the
//! past, and the end is the end. Four bytes are one input: time, what, to which id, and why.

#![no_main]

use std::{sync::Arc, time::Duration};

use libfuzzer_sys::fuzz_target;
use redial_core::*;

const POLICIES: [&str; 5] = [
    "servers = ['a:1', 'b:1']\nclauses = 'transient: retry 2, run x, retry 1 every 1s, next'",
    "servers = ['a:1']\nrounds = 'forever every 1s..5s'\ndeadline = '30s'\nclauses = 'any: say \"{failure}\", next; deadline: run x, exit 4'",
    "servers = ['a:1', 'b:1', 'c:1']\nrounds = 2\nhealthy-after = '1s'\nfinally = 'run x, run y, say \"{cause}\"'\nclauses = 'refused: drop, diagnose, stop; any if new: retry 3'",
    "servers = ['a:1']\nelse = 'run x, exit 3'\nfinally = 'diagnose'\nclauses = 'closed: retry forever; interrupted: run x at most every 10s'",
    "clauses = 'any: retry forever, next, drop, run x'",
];

const KINDS: [Kind; 8] = [
    Kind::Refused,
    Kind::DnsNotFound,
    Kind::Denied,
    Kind::ClosedEarly,
    Kind::Reset,
    Kind::Stalled,
    Kind::Closed,
    Kind::Application,
];

fuzz_target!(|bytes: &[u8]| {
    let Some(([choice, seed], moves)) = bytes.split_first_chunk() else { return };
    let text = POLICIES[usize::from(*choice) % POLICIES.len()];
    let verb = Verb::ALL[usize::from(choice / 8) % Verb::ALL.len()];
    let policy = Policy::parse(verb, text).and_then(PolicyBuilder::build).expect("they are right");
    let mut session = Session::new(Arc::new(policy), u64::from(*seed));
    let (mut now, mut ids) = (Duration::ZERO, Vec::new());
    let (mut under_way, mut done) = (None, None);
    session.handle(now, Input::Start);
    for [time, what, which, why] in moves.as_chunks().0 {
        drain(&mut session, now, &mut ids, &mut under_way, &mut done);
        // From a nanosecond to some two hours.
        now += Duration::from_nanos(1 << (time % 43));
        let id = ids.iter().rev().nth(usize::from(*which) % ids.len().max(1)).copied();
        session.handle(now, input(*what, id, *why));
        if under_way == id && what % 8 >= 2 {
            // It may have been the answer. Exactly when it is, the property test in the core knows.
            under_way = None;
        }
    }
    drain(&mut session, now, &mut ids, &mut under_way, &mut done);
});

fn input(what: u8, id: Option<Id>, why: u8) -> Input {
    let Some(id) = id else { return Input::Tick };
    match what % 8 {
        0 => Input::Tick,
        1 if why.is_multiple_of(8) => Input::Interrupt(Signal::Sigint),
        1 => Input::Start,
        2 => Input::Finished { id },
        3 => Input::Abandoned { id },
        4 => Input::StepDone { id, result: StepResult::Ran(Ran::Exited(0), Duration::ZERO) },
        5 => Input::Connected { id, address: None },
        _ => {
            let kind = KINDS[usize::from(why) % KINDS.len()];
            let mut failure = Failure::new(kind, Stage::Stream, "a:1".into());
            failure.sent = u64::from(why / 128);
            Input::Failed { id, failure: Arc::new(failure) }
        }
    }
}

fn drain(
    session: &mut Session,
    now: Duration,
    ids: &mut Vec<Id>,
    under_way: &mut Option<Id>,
    done: &mut Option<Verdict>,
) {
    loop {
        match session.poll() {
            Output::Attempt { id, .. } | Output::Step { id, .. } => {
                assert!(done.is_none() && under_way.is_none(), "one thing at a time");
                assert!(ids.last().is_none_or(|last| *last < id), "ids only grow");
                ids.push(id);
                *under_way = Some(id);
            }
            Output::Connected { id } | Output::Cancel { id } => {
                assert_eq!(ids.last(), Some(&id), "nothing dead is spoken of");
                *under_way = None;
            }
            Output::Wake { at, .. } => return assert!(at > now, "a wake is not in the past"),
            Output::Done(verdict) => {
                assert!(done.as_ref().is_none_or(|done| *done == verdict), "the end is the end");
                *done = Some(verdict);
                return;
            }
            _ => assert!(done.is_none(), "nothing comes behind the end"),
        }
    }
}

//! What no scenario file can say: many seeds, and what holds for every one of them.

use std::{sync::Arc, time::Duration};

use redial_core::*;

/// How many connections a server sees that accepts and closes at once, in this time.
fn accepted_within(policy: &Arc<Policy>, seed: u64, limit: Duration) -> u32 {
    let mut session = Session::new(policy.clone(), seed);
    let (mut now, mut accepted) = (Duration::ZERO, 0);
    session.handle(now, Input::Start);
    loop {
        match session.poll() {
            Output::Attempt { id, .. } => {
                accepted += 1;
                session.handle(now, Input::Connected { id, address: None });
                let failure = Failure::new(Kind::ClosedEarly, Stage::Stream, "a:1".into());
                session.handle(now, Input::Failed { id, failure: Arc::new(failure) });
            }
            Output::Wake { at, .. } if at > limit => return accepted,
            Output::Wake { at, .. } => {
                now = at;
                session.handle(now, Input::Tick);
            }
            Output::Done(verdict) => panic!("it gave up: {verdict:?}"),
            _ => {}
        }
    }
}

/// All that a session says in half a minute at servers that refuse, but for its notes.
fn said(mut session: Session) -> Vec<(Duration, Output)> {
    let (mut now, mut said) = (Duration::ZERO, Vec::new());
    session.handle(now, Input::Start);
    while now < Duration::from_secs(30) {
        let output = session.poll();
        match &output {
            Output::Attempt { id, .. } => {
                let failure = Arc::new(Failure::new(Kind::Refused, Stage::Connect, "a:1".into()));
                session.handle(now, Input::Failed { id: *id, failure });
            }
            Output::Wake { at, .. } => {
                now = *at;
                session.handle(now, Input::Tick);
            }
            Output::Note(_) => continue,
            Output::Done(_) => return said,
            _ => {}
        }
        said.push((now, output));
    }
    said
}

#[test]
fn a_silent_session_decides_the_same_without_a_note() {
    let retry = policy(Verb::Connect, "clauses = 'any: retry 5, say \"next\", next'");
    let rounds = policy(Verb::Stay, "deadline = '20s'");
    for seed in 0..100 {
        for policy in [&retry, &rounds] {
            let aloud = said(Session::new(policy.clone(), seed));
            assert!(aloud.len() > 10);
            assert_eq!(said(Session::silent(policy.clone(), seed)), aloud);
        }
    }
    let mut silent = Session::silent(rounds, 0);
    silent.handle(Duration::ZERO, Input::Start);
    assert!(matches!(silent.poll(), Output::Attempt { .. }));
}

fn policy(verb: Verb, text: &str) -> Arc<Policy> {
    let policy = Policy::parse(verb, &format!("servers = [\"a:1\"]\n{text}")).unwrap();
    Arc::new(policy.build().unwrap())
}

#[test]
fn accept_then_close_is_dialled_at_most_nine_times_in_ten_seconds() {
    let retry = policy(Verb::Connect, "clauses = 'any: retry forever every 100ms..30s'");
    let rounds = policy(Verb::Stay, "rounds = \"forever every 100ms..30s\"");
    for seed in 0..1_000 {
        for policy in [&retry, &rounds] {
            let accepted = accepted_within(policy, seed, Duration::from_secs(10));
            assert!((2..=9).contains(&accepted), "seed {seed}: {accepted} connections");
        }
    }
}

#[test]
fn the_seed_decides_and_seeds_differ() {
    let policy = policy(Verb::Connect, "clauses = 'any: retry forever every 100ms..30s'");
    let first_delay = |seed| {
        let mut session = Session::new(policy.clone(), seed);
        session.handle(Duration::ZERO, Input::Start);
        let id = std::iter::repeat_with(|| session.poll()).find_map(|output| match output {
            Output::Attempt { id, .. } => Some(id),
            _ => None,
        });
        let failure = Arc::new(Failure::new(Kind::Refused, Stage::Connect, "a:1".into()));
        session.handle(Duration::ZERO, Input::Failed { id: id.unwrap(), failure });
        std::iter::repeat_with(|| session.poll()).find_map(|output| match output {
            Output::Wake { at, why: Why::Pause } => Some(at),
            _ => None,
        })
    };
    let delays: std::collections::BTreeSet<_> = (0..1_000).map(first_delay).collect();
    assert!(delays.len() > 990, "{} of 1000 seeds differ", delays.len());
    assert_eq!(first_delay(7), first_delay(7));
    assert!(delays.iter().all(|delay| {
        let delay = delay.unwrap();
        (Duration::from_millis(50)..=Duration::from_millis(100)).contains(&delay)
    }));
}

//! Any policy, any inputs at any times: what a driver may rely on in every session.
//!
//! The model beside each session knows only ids and times; it does not know clauses. What policies
//! do is in `session`. Start at [`Model`].

#![allow(clippy::panic, clippy::unwrap_used)] // they are tests

use std::{sync::Arc, time::Duration};

use proptest::prelude::*;
use redial_core::*;

/// Kinds that a driver reports; the session makes the others itself.
const REPORTED: [Kind; 9] = [
    Kind::Refused,
    Kind::DnsNotFound,
    Kind::Denied,
    Kind::ClosedEarly,
    Kind::Reset,
    Kind::Stalled,
    Kind::Closed,
    Kind::Application,
    Kind::Other,
];

fn any_step() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "retry 1",
        "retry 2 every 1s",
        "retry forever every 1ms..5s jitter full",
        "retry 3 every 10ms..1m x1.5 jitter none",
        "next",
        "drop",
        "diagnose",
        "run ./page",
        "run ./page at most every 10s",
        "say \"{server} {failure} {attempt} {elapsed} {cause}\"",
    ])
}

fn any_clause() -> impl Strategy<Value = String> {
    let kinds = prop::sample::select(vec![
        "any",
        "transient",
        "refused",
        "reply",
        "closed",
        "dns, tls, local",
        "reset, closed-early",
    ]);
    let guard = prop::sample::select(vec!["", " if fresh", " if unsent", " if new"]);
    let end = prop::sample::select(vec!["", ", stop", ", exit 0", ", exit 7"]);
    (kinds, guard, prop::collection::vec(any_step(), 1..5), end).prop_map(
        |(kinds, guard, steps, end)| format!("{kinds}{guard}: {}{end}\n", steps.join(", ")),
    )
}

prop_compose! {
    fn any_policy()(
        verb in prop::sample::select(Verb::ALL.to_vec()),
        servers in 0..4usize,
        clauses in prop::collection::vec(any_clause(), 0..4),
        endings in prop::collection::vec(prop::sample::select(vec![
            "deadline: run ./tell, exit 9\n", "interrupted: diagnose\n", "deadline, interrupted if new: stop\n",
        ]), 0..3),
        rounds in prop::sample::select(vec!["1", "3 every 1s", "forever every 5ms..2s"]),
        limits in prop::sample::select(vec![
            "", "deadline = '1ms'\n", "deadline = '20s'\n", "healthy-after = '0s'\n", "healthy-after = '1s'\ndeadline = '5s'\n",
        ]),
        ends in prop::sample::select(vec![
            "", "else = 'run ./else, exit 4'\n", "finally = 'run ./a, say \"{cause}\", run ./b'\n",
            "else = 'diagnose'\nfinally = 'run ./a at most every 1s, exit 3'\n",
        ]),
        only: bool,
        bounds_everything: bool,
    ) -> Policy {
        let names = ["\"a:1\"", "\"b:1\"", "\"c:1\""];
        let servers = match servers {
            0 => String::new(),
            some => format!("servers = [{}]\n", names[..some].join(", ")),
        };
        let text = format!("{servers}rounds = '{rounds}'\n{limits}{ends}only = {only}\nclauses = '''\n{}{}'''\n", clauses.concat(), endings.concat());
        let policy = Policy::parse(verb, &text).unwrap();
        if bounds_everything { policy.deadline_bounds_everything() } else { policy }.build().unwrap()
    }
}

/// What happens next, with numbers to choose the details by.
type Move = (u64, u8, u8);

/// Time passes by anything from nothing to an hour; mostly by little.
fn any_moves() -> impl Strategy<Value = Vec<Move>> {
    let passed =
        prop_oneof![Just(0), 0..5_000_000u64, 0..20_000_000_000u64, 0..3_600_000_000_000u64];
    prop::collection::vec((passed, any::<u8>(), any::<u8>()), 1..120)
}

/// What an outsider knows of a session.
struct Model {
    session: Session,
    policy: Arc<Policy>,
    now: Duration,
    wake: Duration,
    /// The one attempt, connection or step under way.
    under_way: Option<(Id, What)>,
    /// Every id so far, the last one last.
    ids: Vec<Id>,
    done: Option<Verdict>,
    outputs: Vec<Output>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum What {
    Attempt,
    Connection,
    Step,
}

impl Model {
    fn new(policy: Arc<Policy>, seed: u64) -> Self {
        let session = Session::new(policy.clone(), seed);
        Self {
            session,
            policy,
            now: Duration::ZERO,
            wake: Duration::ZERO,
            under_way: None,
            ids: Vec::new(),
            done: None,
            outputs: Vec::new(),
        }
    }

    fn step(&mut self, (passed, what, choice): Move) {
        self.now += Duration::from_nanos(passed);
        let input = self.input(what, choice);
        let deaf = self.done.is_some();
        let answered = match &input {
            Input::Failed { id, .. } | Input::StepDone { id, .. } => Some(*id),
            Input::Finished { id } | Input::Abandoned { id } => Some(*id),
            _ => None,
        };
        self.session.handle(self.now, input.clone());
        self.under_way = self.under_way.filter(|(id, what)| {
            let fits = match input {
                Input::StepDone { .. } => *what == What::Step,
                Input::Failed { .. } => *what != What::Step,
                Input::Finished { .. } | Input::Abandoned { .. } => *what == What::Connection,
                _ => false,
            };
            !fits || Some(*id) != answered
        });
        let count = self.drain(answered);
        // At most every step of the policy says something, twice over (a limit and an input may
        // both be handled), and what surrounds them is a constant.
        let steps = self.policy.clauses().iter().map(|clause| clause.steps().len()).sum::<usize>()
            + self.policy.otherwise().len()
            + self.policy.finally().len();
        assert!(count <= 2 * (steps + 6), "{count} outputs, {steps} steps");
        assert!(!deaf || count == 0, "nothing comes out behind the end");
    }

    fn input(&self, what: u8, choice: u8) -> Input {
        let (id, current) = match self.under_way {
            // One in eight answers is about something else, or comes twice.
            Some((id, what)) if !choice.is_multiple_of(8) => (id, Some(what)),
            _ => match self.ids.len() {
                0 => return Input::Start,
                count => (self.ids[usize::from(choice / 8) % count], None),
            },
        };
        match (what % 16, current) {
            (0, _) => Input::Tick,
            (1, _) if choice % 4 == 1 => Input::Interrupt(Signal::Sigterm),
            (2, _) => Input::Start,
            (3..=4, Some(What::Connection)) => Input::Finished { id },
            (5, Some(What::Connection)) => Input::Abandoned { id },
            (6..=9, Some(What::Attempt)) => Input::Connected { id, address: None },
            (3, None) => Input::Finished { id },
            (7, None) => Input::Abandoned { id },
            (4, None) => Input::Connected { id, address: None },
            (5, None) => Input::StepDone { id, result: StepResult::Skipped },
            (odd, Some(What::Step)) => Input::StepDone {
                id,
                result: match odd % 3 {
                    0 => StepResult::Skipped,
                    1 => StepResult::Ran(Ran::Killed, Duration::from_secs(30)),
                    _ => {
                        StepResult::Diagnosed { addresses: Vec::new(), cause: Some("dust".into()) }
                    }
                },
            },
            (odd, _) => {
                let kind = REPORTED[usize::from(choice) % REPORTED.len()];
                let mut failure = Failure::new(kind, Stage::Stream, "a:1".into());
                failure.sent = u64::from(odd % 2);
                Input::Failed { id, failure: Arc::new(failure) }
            }
        }
    }

    /// Takes everything out and checks it. Returns how much it was.
    fn drain(&mut self, answered: Option<Id>) -> usize {
        let mut count = 0;
        loop {
            let output = self.session.poll();
            self.outputs.push(output.clone());
            match output {
                Output::Attempt { id, server } => {
                    assert!(server < self.policy.servers().len(), "a server of the policy");
                    self.begin(id, What::Attempt);
                }
                Output::Step { id, step, limit } => {
                    assert!(matches!(self.policy.step(step), Some(Step::Run(_) | Step::Diagnose)));
                    assert!(!limit.is_zero() && limit <= RUN_LIMIT);
                    self.begin(id, What::Step);
                }
                Output::Cancel { id } => {
                    // A limit that had passed already comes before the answer.
                    let cancelled = self.under_way.take().map(|(id, _)| id).or(answered);
                    assert_eq!(cancelled, Some(id), "only what is under way is cancelled");
                }
                Output::Connected { id } => {
                    assert_eq!(
                        self.under_way,
                        Some((id, What::Attempt)),
                        "only an attempt connects"
                    );
                    self.under_way = Some((id, What::Connection));
                }
                Output::Note(happened) => assert!(happened.at <= self.now),
                Output::Wake { at, why } => {
                    assert_eq!(self.session.poll(), Output::Wake { at, why }, "idempotent");
                    assert!(at > self.now, "{at:?} {why:?} has passed at {:?}", self.now);
                    assert!(
                        self.under_way.is_some() || at != Duration::MAX || why == Why::Start,
                        "it waits for ever for nothing"
                    );
                    self.wake = at;
                    return count;
                }
                Output::Done(verdict) => {
                    assert_eq!(self.under_way, None, "nothing is left under way");
                    assert!(
                        self.done.as_ref().is_none_or(|done| *done == verdict),
                        "a verdict stays"
                    );
                    self.done = Some(verdict);
                    return count;
                }
                other => panic!("unknown output {other:?}"),
            }
            count += 1;
        }
    }

    fn begin(&mut self, id: Id, what: What) {
        assert_eq!(self.under_way, None, "at most one thing is under way");
        assert!(self.ids.last().is_none_or(|last| *last < id), "ids only grow");
        self.ids.push(id);
        self.under_way = Some((id, what));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_session_keeps_its_promises(policy in any_policy(), seed: u64, moves in any_moves()) {
        let policy = Arc::new(policy);
        let mut model = Model::new(policy.clone(), seed);
        let mut twin = Model::new(policy, seed);
        for one in moves {
            model.step(one);
            twin.step(one);
        }
        prop_assert_eq!(&model.outputs, &twin.outputs, "the same seed and inputs, the same outputs");
    }

    #[test]
    fn who_ticks_when_told_and_answers_everything_comes_to_an_end(policy in any_policy(), seed: u64, choices: [u8; 32]) {
        let mut model = Model::new(Arc::new(policy), seed);
        model.step((0, 2, 0));
        for choice in choices.into_iter().cycle().take(200) {
            if model.done.is_some() {
                return Ok(());
            }
            if model.under_way.is_some() {
                model.step((1_000_000, choice, choice | 1));
            } else {
                let passed = model.wake.saturating_sub(model.now);
                model.step((u64::try_from(passed.as_nanos()).unwrap(), 0, 1));
                prop_assert!(model.done.is_some() || model.under_way.is_some(), "at its own time it goes on");
            }
        }
        // It retries for ever: two orders to stop end it whatever is under way.
        for _ in 0..2 {
            model.session.handle(model.now, Input::Interrupt(Signal::Sigint));
            model.drain(None);
        }
        prop_assert!(model.done.is_some(), "it cannot be stopped");
    }
}

//! Plays a scenario: a session, its servers' script and its interrupts, in virtual time.
//!
//! It is a driver without a network. Nothing it was asked for is ever taken back: what the session
//! cancels still answers, late, so that every scenario also shows that such answers are ignored.
//! Start at [`play`].

use std::{collections::VecDeque, fmt::Write, sync::Arc, time::Duration};

use redial_core::*;

use crate::scenario::{Attempt, End, Life, Scenario};

/// Runs a scenario and tells it, one line for each thing that happened.
pub(crate) fn play(scenario: &Scenario) -> String {
    let policy = Arc::new(scenario.policy().unwrap());
    let mut player = Player {
        session: Session::new(policy.clone(), scenario.seed),
        scripts: policy.servers().iter().map(|server| scenario.script(server.label())).collect(),
        scenario,
        policy,
        now: Duration::ZERO,
        coming: Vec::new(),
        under_way: Vec::new(),
        tale: String::new(),
    };
    for (at, signal) in scenario.interrupts() {
        player.coming.push((at, Input::Interrupt(signal)));
    }
    player.run();
    player.tale
}

struct Player<'a> {
    scenario: &'a Scenario,
    policy: Arc<Policy>,
    session: Session,
    scripts: Vec<VecDeque<Attempt>>,
    now: Duration,
    /// Inputs and when they arrive.
    coming: Vec<(Duration, Input)>,
    /// What each id was given out for.
    under_way: Vec<(Id, String)>,
    tale: String,
}

impl Player<'_> {
    fn run(&mut self) {
        self.session.handle(self.now, Input::Start);
        loop {
            let wake = match self.drain() {
                Output::Wake { at, .. } => at,
                Output::Done(_) => break,
                other => panic!("{other:?} ends no drain"),
            };
            let first = (0..self.coming.len()).min_by_key(|index| self.coming[*index].0);
            // At the same time an answer is read before a timer is looked at, as a driver does.
            let next = first.filter(|index| self.coming[*index].0 <= wake);
            let (at, input) = match next {
                Some(index) => self.coming.remove(index),
                None => (wake, Input::Tick),
            };
            if self.scenario.until.is_some_and(|until| at > until) {
                self.now = self.scenario.until.unwrap();
                return self.tell("still running");
            }
            assert!(at != Duration::MAX, "it waits for ever:\n{}", self.tale);
            assert!(self.tale.lines().count() < 400, "it does not end:\n{}", self.tale);
            self.now = self.now.max(at);
            self.session.handle(self.now, input);
        }
        // The late answers of all that was cancelled.
        for (at, input) in std::mem::take(&mut self.coming) {
            let before = self.session.poll();
            self.session.handle(at.max(self.now), input);
            assert_eq!(self.session.poll(), before, "it is over");
        }
    }

    /// Does what the session says until there is nothing more to do.
    fn drain(&mut self) -> Output {
        loop {
            match self.session.poll() {
                Output::Attempt { id, server } => self.attempt(id, server),
                Output::Step { id, step, limit } => self.step(id, step, limit),
                Output::Cancel { id } => {
                    let what = self.named(id);
                    self.tell(&format!("cancel {what}"));
                }
                Output::Connected { id } => {
                    let what = self.named(id);
                    assert!(what.starts_with("try"), "only attempts connect: {what}");
                }
                Output::Note(Happened { at, event }) => {
                    assert_eq!(at, self.now, "{event:?}");
                    if let Some(line) = told(&self.policy, &event) {
                        self.tell(&line);
                    }
                }
                last @ (Output::Wake { .. } | Output::Done(_)) => {
                    assert_eq!(self.session.poll(), last, "asked again, it says the same");
                    return last;
                }
                other => panic!("unknown output {other:?}"),
            }
        }
    }

    fn attempt(&mut self, id: Id, server: usize) {
        let label = self.policy.servers()[server].label().clone();
        self.under_way.push((id, format!("try {label}")));
        let script = &mut self.scripts[server];
        // The last entry repeats.
        let attempt = match script.len() {
            1 => script[0].clone(),
            _ => script.pop_front().unwrap(),
        };
        let since = self.now + attempt.after;
        let failed = |at, failure: &Failure| {
            let mut failure = failure.clone();
            failure.server = label.clone();
            (at, Input::Failed { id, failure: Arc::new(failure) })
        };
        match &attempt.life {
            Life::Silent => {}
            Life::Failed(failure) => self.coming.push(failed(since, failure)),
            Life::Connected { then } => {
                self.coming.push((since, Input::Connected { id, address: None }));
                if let Some((lived, end)) = then {
                    self.coming.push(match end {
                        End::Well => (since + *lived, Input::Finished { id }),
                        End::Abandoned => (since + *lived, Input::Abandoned { id }),
                        End::Failed(failure) => failed(since + *lived, failure),
                    });
                }
            }
        }
    }

    fn step(&mut self, id: Id, at: StepRef, limit: Duration) {
        let policy = self.policy.clone();
        let (what, program) = match policy.step(at) {
            Some(Step::Run(run)) => (format!("run {}", run.args[0]), &*run.args[0]),
            Some(Step::Diagnose) => ("diagnose".to_owned(), "diagnose"),
            other => panic!("{other:?} is not for a driver"),
        };
        self.tell(&format!("{what} within {}", Human(limit)));
        if let Some((after, result)) = self.scenario.step(program) {
            self.coming.push((self.now + after, Input::StepDone { id, result }));
        }
        self.under_way.push((id, what));
    }

    fn named(&self, id: Id) -> String {
        let found = self.under_way.iter().find(|(known, _)| *known == id);
        found.unwrap_or_else(|| panic!("{id:?} was never given out")).1.clone()
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.tale, "{:<7} {line}", Human(self.now).to_string()).unwrap();
    }
}

/// An event as a line. Steps under way and the end of an attempt tell themselves.
fn told(policy: &Policy, event: &Event) -> Option<String> {
    let label = |server: usize| policy.servers()[server].label().clone();
    let in_ = |delay: Duration| match delay {
        Duration::ZERO => String::new(),
        delay => format!(" in {}", Human(delay)),
    };
    Some(match event {
        Event::Trying { attempt, server } => format!("try {attempt} {}", label(*server)),
        Event::Connected { server, .. } => format!("connected {}", label(*server)),
        Event::Failed { failure, .. } => format!("{} {}", failure.server, failure.kind),
        Event::Handled { clause, used_up, action, .. } => {
            let clause = clause.map_or_else(
                || "no clause".to_owned(),
                |clause| match policy.is_own(clause) {
                    true => format!("own {}", policy.clauses()[clause].label()),
                    false => policy.clauses()[clause].label(),
                },
            );
            let used_up = if *used_up { " used up," } else { "" };
            let what = match action {
                Action::Retry { n, of, delay } => format!("retry {n} of {of}{}", in_(*delay)),
                Action::Next { server, round, delay, dropped } => {
                    let word = if *dropped { "drop, next" } else { "next" };
                    format!("{word} {} round {round}{}", label(*server), in_(*delay))
                }
                Action::Exit { status } => format!("exit {status}"),
                Action::Stop => "stop".to_owned(),
                Action::Unhandled => "not handled".to_owned(),
                other => panic!("unknown action {other:?}"),
            };
            format!("-> {clause}:{used_up} {what}")
        }
        Event::Again { n, of, delay } => format!("well {n} of {of}, again in {}", Human(*delay)),
        Event::Said { line } => format!("say {line}"),
        Event::Ran { program, ran, .. } => match ran {
            Ran::Exited(status) => format!("ran {program}: {status}"),
            other => format!("ran {program}: {}", format!("{other:?}").to_lowercase()),
        },
        Event::Diagnosed { cause, .. } => {
            format!("diagnosed: {}", cause.as_deref().unwrap_or("no cause"))
        }
        Event::Over { verdict } => match verdict {
            Verdict::Well => "over: well".to_owned(),
            Verdict::Exit(status) => format!("over: exit {status}"),
            Verdict::Stopped(failure) => format!("over: stopped by {}", failure.kind),
            Verdict::Unhandled(failure) => format!("over: unhandled {}", failure.kind),
            Verdict::Deadline(_) => "over: deadline".to_owned(),
            Verdict::Interrupted(signal) => format!("over: interrupted by {}", signal.name()),
            other => panic!("unknown verdict {other:?}"),
        },
        _ => return None,
    })
}

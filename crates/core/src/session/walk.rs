//! The walk through the steps of a clause, of `else` and of `finally`.
//!
//! A failure walks its clause from the left. An attempt step (`retry`, `next`, `drop`) that can
//! still try ends the walk; one that is used up is stepped over. Steps in front of the first
//! attempt step run at every failure; steps between two attempt steps run at the failure at which
//! the first is found used up, and not again (`retry 10, run "/opt/page", retry forever every 30s`
//! pages once); steps behind the last run whenever the walk gets there. Off the end is `stop`.
//! It decides; the driver carries `run` and `diagnose` out. Start at [`Session::walk`].

use alloc::boxed::Box;
use core::time::Duration;

use super::{Action, Event, FINALLY_LIMIT, Id, Output, Ran, Session, State, StepResult, Verdict};
use crate::{
    Backoff, Kind, Retry, Run, Step, StepRef,
    clause::{Template, TemplateFacts},
    policy::RUN_LIMIT,
    quantity::Rounded,
};

/// Which list of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Program {
    Clause(usize),
    Else,
    Finally,
}

/// A place in a list of steps.
pub(super) struct Walk {
    program: Program,
    next: usize,
    /// What the session will end with, once `else` and `finally` are through.
    pub(super) verdict: Option<Verdict>,
    /// When the walk has to be over: `finally` is given 10 s.
    pub(super) until: Option<Duration>,
    /// An attempt step was found used up just now.
    used_up: bool,
    /// When the step that is being carried out began.
    began: Duration,
}

impl Walk {
    pub(super) const fn new(program: Program) -> Self {
        Self { program, next: 0, verdict: None, until: None, used_up: false, began: Duration::ZERO }
    }

    pub(super) const fn ending(program: Program, verdict: Verdict) -> Self {
        Self {
            program,
            next: 0,
            verdict: Some(verdict),
            until: None,
            used_up: false,
            began: Duration::ZERO,
        }
    }

    /// Whether this is `finally`, behind which nothing comes.
    pub(super) const fn is_final(&self) -> bool {
        matches!(self.program, Program::Finally)
    }
}

/// Where an attempt step leads.
enum Lead {
    To(Action),
    UsedUp { newly: bool },
}

impl Session {
    /// Takes the steps from here, until one has to be waited for or the session moves on.
    pub(super) fn walk(&mut self, mut walk: Walk) {
        if walk.program == Program::Finally && walk.until.is_none() {
            walk.until = Some(self.now.saturating_add(FINALLY_LIMIT));
        }
        let policy = self.policy.clone();
        let steps = policy.steps(walk.program);
        let mut passing = false;
        while let Some(step) = steps.get(walk.next) {
            let at = StepRef { program: walk.program, index: walk.next };
            walk.next += 1;
            if passing && !step.is_attempt() {
                continue;
            }
            match step {
                Step::Retry(_) | Step::Next | Step::Drop => {
                    match self.attempt_step(step, policy.step_place(at)) {
                        Lead::To(action) => return self.handled(&walk, action),
                        Lead::UsedUp { newly } => {
                            walk.used_up |= newly;
                            passing = !newly && steps[walk.next..].iter().any(Step::is_attempt);
                        }
                    }
                }
                Step::Say(template) => self.say(template),
                Step::Run(run) if !self.may_run(run, policy.step_place(at)) => {
                    let program = program(run);
                    self.note(Event::Ran { program, ran: Ran::Skipped, elapsed: Duration::ZERO });
                }
                Step::Run(_) | Step::Diagnose => {
                    let id = self.new_id();
                    let left = walk
                        .until
                        .map_or(RUN_LIMIT, |until| until.saturating_sub(self.now).min(RUN_LIMIT));
                    self.outputs.push_back(Output::Step { id, step: at, limit: left });
                    walk.began = self.now;
                    self.state = State::Stepping(id, Box::new(walk));
                    return;
                }
                Step::Exit(status) => return self.exit(&walk, *status),
                Step::Stop => break,
            }
        }
        self.walked(walk);
    }

    /// A step that was waited for is done; the walk goes on behind it.
    pub(super) fn step_done(&mut self, id: Id, result: StepResult) {
        if !matches!(&self.state, State::Stepping(current, _) if *current == id) {
            return;
        }
        let State::Stepping(_, walk) = core::mem::replace(&mut self.state, State::New) else {
            return;
        };
        match result {
            StepResult::Ran(ran, elapsed) => {
                let step =
                    self.policy.step(StepRef { program: walk.program, index: walk.next - 1 });
                let program = match step {
                    Some(Step::Run(run)) => program(run),
                    _ => Box::default(),
                };
                self.note(Event::Ran { program, ran, elapsed });
            }
            StepResult::Diagnosed { addresses, cause } => {
                self.cause.clone_from(&cause);
                self.note(Event::Diagnosed { addresses, cause });
            }
            StepResult::Skipped => {}
        }
        self.walk(*walk);
    }

    /// What is recorded of a step that is cut off: of a command, that it was killed.
    pub(super) fn cut_off(&self, walk: &Walk) -> Option<Event> {
        let step = StepRef { program: walk.program, index: walk.next.checked_sub(1)? };
        let Some(Step::Run(run)) = self.policy.step(step) else { return None };
        let elapsed = self.now.saturating_sub(walk.began);
        Some(Event::Ran { program: program(run), ran: Ran::Killed, elapsed })
    }

    /// The steps are through, or one said `stop`.
    fn walked(&mut self, walk: Walk) {
        match (walk.program, walk.verdict) {
            (Program::Clause(clause), _) => {
                let stopped = self.policy.steps(walk.program).get(walk.next.wrapping_sub(1))
                    == Some(&Step::Stop);
                // The verb's own clauses are not the user's answer: off their end, nothing handled it.
                if self.policy.is_own(clause) && !stopped {
                    return self.unhandled(Some(clause), walk.used_up);
                }
                self.note(Event::Handled {
                    attempt: self.attempts,
                    clause: Some(clause),
                    used_up: walk.used_up,
                    action: Action::Stop,
                });
                let Some(failure) = self.failure.clone() else { return };
                let verdict = match failure.kind {
                    Kind::Deadline => Verdict::Deadline(failure),
                    Kind::Interrupted => Verdict::Interrupted(super::Signal::of(&failure)),
                    _ => Verdict::Stopped(failure),
                };
                self.end(verdict);
            }
            (Program::Else, Some(verdict)) => self.walk(Walk::ending(Program::Finally, verdict)),
            (_, Some(verdict)) => self.over(verdict),
            (_, None) => {}
        }
    }

    /// `exit N`: in a clause it ends the body, in an ending it replaces the verdict.
    fn exit(&mut self, walk: &Walk, status: u8) {
        match walk.program {
            Program::Clause(clause) => {
                self.note(Event::Handled {
                    attempt: self.attempts,
                    clause: Some(clause),
                    used_up: walk.used_up,
                    action: Action::Exit { status },
                });
                self.end(Verdict::Exit(status));
            }
            Program::Else => self.walk(Walk::ending(Program::Finally, Verdict::Exit(status))),
            Program::Finally => self.over(Verdict::Exit(status)),
        }
    }

    /// An attempt was scheduled: the clause is done with this failure.
    fn handled(&mut self, walk: &Walk, action: Action) {
        let clause = match walk.program {
            Program::Clause(clause) => Some(clause),
            Program::Else | Program::Finally => None,
        };
        self.note(Event::Handled { attempt: self.attempts, clause, used_up: walk.used_up, action });
        let delay = match action {
            Action::Retry { delay, .. } | Action::Next { delay, .. } => delay,
            Action::Exit { .. } | Action::Stop | Action::Unhandled => Duration::ZERO,
        };
        let until = self.now.saturating_add(delay);
        self.state = State::Pausing(until);
        if until <= self.now {
            self.attempt();
        }
    }

    fn attempt_step(&mut self, step: &Step, place: usize) -> Lead {
        match step {
            // Without a server no step can schedule an attempt.
            _ if self.policy.servers().is_empty() => {
                Lead::UsedUp { newly: self.servers.use_up(place) }
            }
            // What has moved cannot be moved again, and the rest alone would be worse than nothing.
            _ if self.policy.is_only_while_fresh() && self.has_moved() => {
                Lead::UsedUp { newly: self.servers.use_up(place) }
            }
            Step::Retry(Retry { times, within, backoff }) => {
                let used = self.servers.used(place);
                if !times.allows(used) {
                    return Lead::UsedUp { newly: self.servers.use_up(place) };
                }
                let delay = self.delay(backoff, self.servers.exponent());
                if within.is_some_and(|limit| self.is_over(place, used, limit, delay)) {
                    return Lead::UsedUp { newly: self.servers.use_up(place) };
                }
                let n = self.servers.use_once(place);
                Lead::To(Action::Retry { n, of: *times, delay })
            }
            Step::Drop => {
                self.servers.drop_current();
                self.go_on(place, true)
            }
            _ => self.go_on(place, false),
        }
    }

    /// Returns true if the step's next attempt would begin after the time it is given, which runs
    /// from its first use at this server in this round.
    fn is_over(&mut self, place: usize, used: u32, limit: Duration, delay: Duration) -> bool {
        let Some(since) = self.since.get_mut(place) else { return false };
        if used == 0 {
            *since = self.now;
        }
        self.now.saturating_add(delay) > since.saturating_add(limit)
    }

    /// Whether data had moved when the failure came that is being handled.
    fn has_moved(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| !failure.is_fresh())
    }

    /// The next server of this round, or the first of the next round if there is one.
    fn go_on(&mut self, place: usize, dropped: bool) -> Lead {
        let mut delay = Duration::ZERO;
        if !self.servers.next_in_round() {
            let round = self.servers.round();
            let rounds = *self.policy.rounds();
            if !rounds.times.allows(round) || !self.servers.next_round() {
                return Lead::UsedUp { newly: self.servers.use_up(place) };
            }
            delay = self.delay(&rounds.backoff, round - 1);
        }
        Lead::To(Action::Next {
            server: self.servers.current(),
            round: self.servers.round(),
            delay,
            dropped,
        })
    }

    fn delay(&mut self, backoff: &Backoff, exponent: u32) -> Duration {
        backoff.delay(exponent, &mut self.random)
    }

    fn say(&mut self, template: &Template) {
        let line = match &self.failure {
            Some(failure) => template.render(&TemplateFacts {
                server: &failure.server,
                failure: &**failure,
                attempt: self.attempts,
                elapsed: &Rounded(self.now),
                cause: match &self.cause {
                    Some(cause) => cause,
                    None => &failure.kind,
                },
            }),
            None => {
                let server = self
                    .policy
                    .servers()
                    .get(self.servers.current())
                    .map_or("", |server| server.label());
                template.render(&TemplateFacts {
                    server: &server,
                    failure: &"none",
                    attempt: self.attempts,
                    elapsed: &Rounded(self.now),
                    cause: &"none",
                })
            }
        };
        self.note(Event::Said { line: line.into_boxed_str() });
    }

    /// Whether a throttled `run` is due; if it is, it counts as run now.
    fn may_run(&mut self, run: &Run, place: usize) -> bool {
        let Some(pause) = run.at_most_every else { return true };
        let Some(last) = self.ran.get_mut(place) else { return true };
        let due = last.is_none_or(|last| self.now.saturating_sub(last) >= pause);
        if due {
            *last = Some(self.now);
        }
        due
    }
}

/// The command's name, for the record.
fn program(run: &Run) -> Box<str> {
    run.args.first().map(|program| crate::masked(program).into_boxed_str()).unwrap_or_default()
}

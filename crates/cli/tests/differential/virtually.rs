//! Plays a scenario in virtual time: a session, and servers that are thought up.
//!
//! It is a driver without a network. It also sees how near two things come of which one has to be
//! first, and refuses a scenario in which a machine that is a little late would see another. Start
//! at [`play`].

use std::{sync::Arc, time::Duration};

use redial::{
    Delivery, Event, Expectation, Expected, Failure, Happened, Id, Input, Judged, Kind, Output,
    Policy, Ran, Record, Session, Stage, Step, StepRef, StepResult,
};

use crate::{
    compare::late,
    scenario::{Body, Scenario},
    thought::{Door, End, Knock, Scene},
};

/// Runs a scenario and returns its record; the error is why it proves nothing.
pub(crate) fn play(scenario: &Scenario) -> Result<Record, String> {
    let policy = Arc::new(scenario.nowhere().build().unwrap());
    let mut player = Player {
        session: Session::new(policy.clone(), scenario.seed()),
        record: Record::new(policy.clone(), scenario.seed()),
        doors: scenario.scripts().iter().map(Door::new).collect(),
        body: scenario.body(),
        until: scenario.until,
        policy: policy.clone(),
        now: Duration::ZERO,
        attempts: 0,
        commands: 0,
        coming: Vec::new(),
        near: None,
    };
    player.run();
    match player.near {
        Some(near) => Err(near),
        None => Ok(player.record),
    }
}

struct Player {
    policy: Arc<Policy>,
    session: Session,
    record: Record,
    doors: Vec<Door>,
    body: Body,
    until: Option<u32>,
    now: Duration,
    attempts: u32,
    commands: u32,
    /// Inputs, when they arrive, and what for.
    coming: Vec<(Duration, Id, Input)>,
    /// Two things that come too near each other.
    near: Option<String>,
}

impl Player {
    fn run(&mut self) {
        self.session.handle(self.now, Input::Start);
        while let Some(wake) = self.drain() {
            let first = (0..self.coming.len()).min_by_key(|index| self.coming[*index].0);
            // At the same time an answer is read before a timer is looked at, as the driver does.
            let (at, input) = match first.filter(|index| self.coming[*index].0 <= wake) {
                Some(index) => {
                    let (at, _, input) = self.coming.remove(index);
                    self.keep_apart("an answer and the deadline", at.abs_diff(wake));
                    (at, input)
                }
                None => {
                    let next = first.map_or(Duration::MAX, |index| self.coming[index].0);
                    self.keep_apart("the deadline and an answer", next.abs_diff(wake));
                    (wake, Input::Tick)
                }
            };
            assert!(at != Duration::MAX, "it waits for ever: {:?}", self.record);
            assert!(self.attempts < 1_000, "it does not end: {:?}", self.record);
            self.now = at;
            self.session.handle(at, input);
        }
    }

    /// Does what the session says until it waits; until when. `None` where it is over, or enough
    /// was seen.
    fn drain(&mut self) -> Option<Duration> {
        loop {
            match self.session.poll() {
                Output::Attempt { id, server } => self.attempt(id, server),
                Output::Step { id, step, .. } => {
                    self.commands += 1;
                    let result = StepResult::Ran(self.ran(step), Duration::ZERO);
                    self.coming.push((self.now, id, Input::StepDone { id, result }));
                }
                Output::Cancel { id } => self.coming.retain(|(_, of, _)| *of != id),
                Output::Connected { .. } => {}
                Output::Note(happened) => {
                    if self.note(happened) {
                        return None;
                    }
                }
                Output::Wake { at, .. } => return Some(at),
                Output::Done(_) => return None,
                other => panic!("unknown output {other:?}"),
            }
        }
    }

    /// Keeps an event; whether it was the last to be seen.
    fn note(&mut self, happened: Happened) -> bool {
        let mut last = false;
        if let Event::Trying { attempt, .. } = &happened.event {
            self.attempts = *attempt;
            last = self.until == Some(*attempt);
        }
        if let Some(deadline) = self.policy.deadline()
            && deadline > happened.at
        {
            self.keep_apart("the deadline and what comes before", deadline - happened.at);
        }
        self.record.push(happened);
        last
    }

    fn attempt(&mut self, id: Id, server: usize) {
        let policy = self.policy.clone();
        let label = policy.servers()[server].label();
        let failed = |kind, stage, received| {
            let mut failure = Failure::new(kind, stage, label.clone());
            // Nobody says anything here but servers, and policies in their openings.
            (failure.delivery, failure.received) = (Delivery::Unsent, received);
            Input::Failed { id, failure: Arc::new(failure) }
        };
        let (knock, near) = self.doors[server].knock(self.now, !policy.opening().is_empty());
        self.keep_apart("an attempt and an end of an outage", near);
        let scene = match knock {
            Knock::Refused => {
                let input = failed(Kind::Refused, Stage::Connect, 0);
                return self.coming.push((self.now, id, input));
            }
            Knock::Ignored => {
                let limit = policy.limits().connect;
                assert!(limit < Duration::from_secs(1), "the SYN would be sent again");
                let input = failed(Kind::ConnectTimeout, Stage::Connect, 0);
                return self.coming.push((self.now + limit, id, input));
            }
            Knock::Taken(scene) => scene,
        };
        let (after, stands) = self.judge(&scene, policy.expectation(server), server);
        if let Err(kind) = stands {
            return self.coming.push((self.now + after, id, failed(kind, Stage::Expect, 0)));
        }
        let stood = self.now + after;
        self.coming.push((stood, id, Input::Connected { id, address: None }));
        let end = scene.ends.map(|(at, end)| (self.now + at.max(after), end));
        let content = match self.body {
            Body::Reads => Duration::MAX,
            Body::Holds(time) => stood + time,
        };
        match end {
            Some((at, end)) if at < content => {
                self.keep_apart("the server's end and the client's", content - at);
                let received = scene.says.iter().map(|(_, text)| text.len() as u64).sum();
                let judged = !matches!(
                    policy.expectation(server),
                    Expectation::Nothing | Expectation::Settled(_)
                );
                let kind = match end {
                    End::Reset => Kind::Reset,
                    End::Clean if received == 0 && !judged => Kind::ClosedEarly,
                    End::Clean => Kind::Closed,
                };
                self.coming.push((at, id, failed(kind, Stage::Stream, received)));
            }
            _ if content < Duration::MAX => {
                self.coming.push((content, id, Input::Finished { id }));
            }
            _ => {}
        }
    }

    /// Whether an attempt stands, or what it fails of, and how long that takes.
    fn judge(
        &mut self,
        scene: &Scene,
        expectation: Expectation<'_>,
        server: usize,
    ) -> (Duration, Result<(), Kind>) {
        let first = scene.says.first().map_or(Duration::MAX, |(at, _)| *at);
        let (end_at, end) = scene.ends.map_or((Duration::MAX, None), |(at, end)| (at, Some(end)));
        let expected = match expectation {
            Expectation::Nothing => return (Duration::ZERO, Ok(())),
            Expectation::Settled(time) => {
                self.keep_apart("settling and a word", time.abs_diff(first.min(end_at)));
                let cut = match end {
                    Some(End::Reset) => Kind::Reset,
                    Some(End::Clean) | None => Kind::ClosedEarly,
                };
                return match first.min(end_at) {
                    at if at > time => (time, Ok(())),
                    at if at == first => (at, Ok(())),
                    at => (at, Err(cut)),
                };
            }
            Expectation::Answer(answer) => Expected::from(answer.clone()),
            Expectation::Greeting(expected) => expected.clone(),
            other => panic!("nobody has thought of {other:?} yet"),
        };
        let limit = self.policy.reply_limit(server);
        let (mut judge, mut heard) = (expected.judge(), Vec::new());
        for (at, text) in &scene.says {
            self.keep_apart("a word and the limit of replies", at.abs_diff(limit));
            if *at > limit {
                break;
            }
            heard.extend_from_slice(text);
            match judge.hear(&expected, &heard) {
                Judged::Ready => return (*at, Ok(())),
                Judged::Refused(refusal) => return (*at, Err(refusal.kind)),
                Judged::More => {}
            }
        }
        self.keep_apart("the end and the limit of replies", end_at.abs_diff(limit));
        match end {
            Some(End::Clean) if end_at <= limit => {
                (end_at, judge.end(&expected, &heard).map_err(|refusal| refusal.kind))
            }
            Some(End::Reset) if end_at <= limit => (end_at, Err(Kind::Reset)),
            _ => (limit, judge.time_is_up(&expected, &heard).map_err(|refusal| refusal.kind)),
        }
    }

    /// What a command comes to: scenarios run none but these two.
    fn ran(&self, step: StepRef) -> Ran {
        match self.policy.step(step) {
            Some(Step::Run(run)) if &*run.args[0] == "true" => Ran::Exited(0),
            Some(Step::Run(run)) if &*run.args[0] == "false" => Ran::Exited(1),
            other => panic!("nobody has thought of {other:?} yet"),
        }
    }

    /// Which of two things is first must not depend on how late a machine may be.
    fn keep_apart(&mut self, what: &str, apart: Duration) {
        let late = late(self.attempts, self.commands);
        if apart < late {
            self.near = Some(format!(
                "it proves nothing: at {:?}, attempt {}, {what} are {apart:?} apart, and a machine \
                 may be {late:?} late; choose other times",
                self.now, self.attempts,
            ));
        }
    }
}

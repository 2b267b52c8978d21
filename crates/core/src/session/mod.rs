//! The session: one run of a policy, from the first attempt to the verdict.
//!
//! It decides and touches nothing: time enters as an argument, randomness as a seed, and what is
//! to be done leaves as [`Output`]s. It holds no record; events leave as notes, and who listens
//! keeps them ([`crate::Record`]). The walk through a clause's steps is in `walk`; the list of
//! servers in `servers`; the deadline and interrupts in `limits`. Start at [`Session`].

mod event;
mod few;
mod limits;
mod output;
mod reached;
mod servers;
mod walk;

use alloc::{boxed::Box, sync::Arc};
use core::time::Duration;

use fastrand::Rng;

pub use event::{Action, Event, Happened, Ran};
pub use output::{Id, Input, Output, Signal, StepResult, Verdict, Why};

pub use reached::Reached;

pub(crate) use walk::Program;

use self::{few::Queue, limits::Deadline, servers::Servers, walk::Walk};
use crate::{Address, CONSECUTIVE_PAUSE, Detail, Failure, Kind, Policy, Stage, Verb};

/// How long `finally` may take.
pub const FINALLY_LIMIT: Duration = Duration::from_secs(10);

/// One run of a policy: a state machine that lives until a verdict.
///
/// A connection is a state in it (`Trying → Live → Trying`); one session may make many.
///
/// > **The drain rule.** After [`Session::new`] and after every [`Session::handle`], call
/// > [`Session::poll`] until it returns [`Output::Wake`] or [`Output::Done`]. Do nothing else in
/// > between. Then wait until the wake's time or for an input, whichever comes first.
///
/// The whole loop, with a server that is never there:
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use redial_core::*;
///
/// let policy = Policy::build(Verb::Connect)
///     .server(Server::parse("db:5432")?)
///     .except("refused: retry 2 every 1s, exit 7")?
///     .build()?;
/// let mut session = Session::new(Arc::new(policy), 42);
/// let mut now = Duration::ZERO; // virtual: nobody waits
/// session.handle(now, Input::Start);
/// let verdict = loop {
///     let input = match session.poll() {
///         // Do what it says …
///         Output::Attempt { id, .. } => {
///             let failure = Failure::new(Kind::Refused, Stage::Connect, "db:5432".into());
///             Input::Failed { id, failure: Arc::new(failure) }
///         }
///         Output::Note(event) => { println!("{now:?} {event:?}"); continue }
///         Output::Step { id, .. } => Input::StepDone { id, result: StepResult::Skipped },
///         Output::Connected { .. } | Output::Cancel { .. } => continue,
///         // … and when there is nothing more to do, wait.
///         Output::Wake { at, .. } => { now = at; Input::Tick }
///         Output::Done(verdict) => break verdict,
///         _ => continue,
///     };
///     session.handle(now, input);
/// };
/// assert_eq!(verdict, Verdict::Exit(7));
/// assert_eq!(now, Duration::from_secs(2));
/// # Ok::<(), redial_core::Mistake>(())
/// ```
///
/// (An input may also be handed over before the outputs are drained, as above: outputs wait in
/// line. The rule keeps a driver from acting late.)
pub struct Session {
    policy: Arc<Policy>,
    random: Rng,
    state: State,
    outputs: Queue<Output>,
    servers: Servers,
    /// Ids of attempts and steps, in the order given out.
    last_id: u32,
    /// How many attempts were begun.
    attempts: u32,
    now: Duration,
    deadline: Deadline,
    /// How far the attempt under way has come, and since when.
    reached: Option<Box<(Id, Reached, Duration)>>,
    /// The failure that is being handled, or was handled last.
    failure: Option<Arc<Failure>>,
    /// What the last `diagnose` concluded of it.
    cause: Option<Box<str>>,
    /// When each throttled `run` last ran, by the step's place in the policy.
    ran: Box<[Option<Duration>]>,
    /// When each `retry … for …` was first used, by the step's place in the policy.
    since: Box<[Duration]>,
    interrupted: bool,
    /// How often in a row the body ended well.
    in_a_row: u32,
    /// Whether events leave as notes.
    notes: bool,
}

/// What the session is doing.
enum State {
    New,
    /// An attempt is under way.
    Trying(Id),
    /// A pause before an attempt at the current server.
    Pausing(Duration),
    /// A connection stands, since then.
    Live(Id, Duration),
    /// A step is being carried out; behind it the walk goes on. It is rare, and in a box so that
    /// the other states are small.
    Stepping(Id, Box<Walk>),
    Over(Verdict),
}

impl Session {
    /// A run of this policy. The same seed makes the same decisions.
    #[must_use]
    pub fn new(policy: Arc<Policy>, seed: u64) -> Self {
        Self::begin(policy, seed, true)
    }

    /// The same run without a word: no [`Output::Note`], all else alike.
    ///
    /// For a rehearsal of a million clients, whose records nobody would read: a session takes
    /// half as much memory.
    #[must_use]
    pub fn silent(policy: Arc<Policy>, seed: u64) -> Self {
        Self::begin(policy, seed, false)
    }

    fn begin(policy: Arc<Policy>, seed: u64, notes: bool) -> Self {
        let steps = if policy.has_throttled_run() { policy.step_count() } else { 0 };
        let timed = if policy.has_timed_retry() { policy.step_count() } else { 0 };
        Self {
            random: Rng::with_seed(seed),
            state: State::New,
            outputs: Queue::with_capacity(if notes { 4 } else { 1 }),
            servers: Servers::new(policy.servers().len(), policy.step_count()),
            last_id: 0,
            attempts: 0,
            now: Duration::ZERO,
            deadline: policy.deadline().map_or(Deadline::None, Deadline::At),
            reached: None,
            failure: None,
            cause: None,
            ran: alloc::vec![None; steps].into_boxed_slice(),
            since: alloc::vec![Duration::ZERO; timed].into_boxed_slice(),
            interrupted: false,
            in_a_row: 0,
            notes,
            policy,
        }
    }

    /// A session whose body ended like this, elsewhere: what is left is `else`, where it ended
    /// well, and `finally`. Several sessions that make one whole end in one of these.
    #[must_use]
    pub fn after(policy: Arc<Policy>, seed: u64, verdict: Verdict) -> Self {
        let mut session = Self::new(policy, seed);
        // The next interrupt is the second one.
        session.interrupted = matches!(verdict, Verdict::Interrupted(_));
        session.end(verdict);
        session
    }

    /// The policy it runs.
    #[must_use]
    pub fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The time, since the session began, at which its deadline passes; `None` without one, or
    /// while it does not run.
    #[must_use]
    pub const fn deadline_at(&self) -> Option<Duration> {
        match self.deadline {
            Deadline::At(at) => Some(at),
            Deadline::None | Deadline::Held(_) => None,
        }
    }

    /// What is to be done next. See the drain rule on [`Session`].
    #[must_use]
    pub fn poll(&mut self) -> Output {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        let deadline = match self.deadline {
            Deadline::At(at) => at,
            Deadline::None | Deadline::Held(_) => Duration::MAX,
        };
        let (at, why) = match &self.state {
            State::New => (Duration::MAX, Why::Start),
            State::Trying(_) => (Duration::MAX, Why::Attempt),
            State::Pausing(until) => (*until, Why::Pause),
            State::Live(..) => (Duration::MAX, Why::Connection),
            State::Stepping(_, walk) => (walk.until.unwrap_or(Duration::MAX), Why::Step),
            State::Over(verdict) => return Output::Done(verdict.clone()),
        };
        if deadline < at {
            Output::Wake { at: deadline, why: Why::Deadline }
        } else {
            Output::Wake { at, why }
        }
    }

    /// Takes note of what happened. `now` is the time since the session began and never decreases;
    /// an input for an id that was cancelled or has ended is ignored.
    pub fn handle(&mut self, now: Duration, input: Input) {
        self.now = self.now.max(now);
        if let Input::Reached { id, reached, since } = input {
            // Before the limits are looked at: one that has passed names the stage.
            self.reached = Some(Box::new((id, reached, since)));
            return;
        }
        // What a limit ends makes the input stale, and stale ids are ignored; an interrupt is not
        // stale, and nobody would press Ctrl-C twice because a deadline passed at that moment.
        self.check_limits();
        match input {
            Input::Start => {
                if matches!(self.state, State::New) {
                    self.start();
                }
            }
            Input::Tick | Input::Reached { .. } => {}
            Input::Connected { id, address } => {
                if matches!(self.state, State::Trying(current) if current == id) {
                    self.connected(id, address);
                }
            }
            Input::Failed { id, failure } => match self.state {
                State::Trying(current) if current == id => self.failed(failure, None),
                State::Live(current, since) if current == id => self.failed(failure, Some(since)),
                _ => {}
            },
            Input::Finished { id } => {
                if matches!(self.state, State::Live(current, _) if current == id) {
                    self.finished();
                }
            }
            Input::Abandoned { id } => {
                if matches!(self.state, State::Live(current, _) if current == id) {
                    self.deadline = Deadline::None;
                    self.walk(Walk::ending(Program::Finally, Verdict::Well));
                }
            }
            Input::StepDone { id, result } => self.step_done(id, result),
            Input::Interrupt(signal) => self.interrupt(signal),
        }
        if matches!(self.state, State::Pausing(until) if until <= self.now) {
            self.attempt();
        }
    }

    fn start(&mut self) {
        if self.policy.servers().is_empty() {
            self.attempts += 1;
            let failure = Failure::new(Kind::NoServer, Stage::Resolve, "no server".into());
            self.failed(Arc::new(failure), None);
        } else {
            self.attempt();
        }
    }

    /// Begins an attempt at the current server.
    fn attempt(&mut self) {
        let id = self.new_id();
        let server = self.servers.current();
        self.attempts = self.attempts.saturating_add(1);
        self.state = State::Trying(id);
        self.note(Event::Trying { attempt: self.attempts, server });
        self.outputs.push_back(Output::Attempt { id, server });
    }

    fn connected(&mut self, id: Id, address: Option<Address>) {
        if self.policy.verb() == Verb::Gone {
            return self.still_there(id, address);
        }
        self.state = State::Live(id, self.now);
        if !self.policy.deadline_bounds_everything() {
            self.hold_deadline();
        }
        self.note(Event::Connected {
            attempt: self.attempts,
            server: self.servers.current(),
            address,
        });
        self.outputs.push_back(Output::Connected { id });
    }

    /// The server was to be gone, and is not.
    fn still_there(&mut self, id: Id, address: Option<Address>) {
        self.outputs.push_back(Output::Cancel { id });
        self.servers.seen();
        let server = self.policy.servers().get(self.servers.current());
        let label = server.map_or_else(|| "no server".into(), |server| server.label().clone());
        let mut failure = Failure::new(Kind::Application, Stage::Connect, label);
        failure.address = address;
        failure.detail = Some(Detail::from_text("it is still there"));
        self.failed(Arc::new(failure), None);
    }

    /// The body ended well; it may have to do so several times in a row.
    fn finished(&mut self) {
        self.in_a_row += 1;
        let (n, of) = (self.in_a_row, self.policy.consecutive());
        if n >= of {
            return self.end(Verdict::Well);
        }
        self.note(Event::Again { n, of, delay: CONSECUTIVE_PAUSE });
        self.state = State::Pausing(self.now.saturating_add(CONSECUTIVE_PAUSE));
    }

    /// An attempt failed, or a live connection ended that had stood `since` then.
    fn failed(&mut self, failure: Arc<Failure>, since: Option<Duration>) {
        self.in_a_row = 0;
        let healthy = since.is_some_and(|since| self.is_healthy(since));
        if since.is_some() {
            self.release_deadline(healthy);
        }
        if healthy {
            self.servers.healthy();
        } else {
            self.servers.unhealthy();
        }
        self.note(Event::Failed { attempt: self.attempts, failure: failure.clone() });
        self.decide(failure);
    }

    /// Whether a connection that has stood since then counts as healthy now.
    fn is_healthy(&self, since: Duration) -> bool {
        self.now.saturating_sub(since) >= self.policy.healthy_after()
    }

    /// Finds the clause for a failure and walks it.
    fn decide(&mut self, failure: Arc<Failure>) {
        let new = !self.servers.was_healthy();
        let clause = self.policy.clauses().iter().position(|clause| clause.matches(&failure, new));
        let kind = failure.kind;
        self.failure = Some(failure);
        self.cause = None;
        match clause {
            Some(clause) => self.walk(Walk::new(Program::Clause(clause))),
            None if kind == Kind::Closed => self.end(Verdict::Well),
            None => self.unhandled(None, false),
        }
    }

    /// No clause of the user's was left to say what to do.
    fn unhandled(&mut self, clause: Option<usize>, used_up: bool) {
        let Some(failure) = self.failure.clone() else { return };
        self.note(Event::Handled {
            attempt: self.attempts,
            clause,
            used_up,
            action: Action::Unhandled,
        });
        let verdict = match failure.kind {
            Kind::Deadline => Verdict::Deadline(failure),
            Kind::Interrupted => Verdict::Interrupted(Signal::of(&failure)),
            _ => Verdict::Unhandled(failure),
        };
        self.end(verdict);
    }

    /// The body is over: `else` where it ended well, then `finally`, then done.
    fn end(&mut self, verdict: Verdict) {
        self.deadline = Deadline::None;
        let program =
            if matches!(verdict, Verdict::Well) { Program::Else } else { Program::Finally };
        self.walk(Walk::ending(program, verdict));
    }

    fn over(&mut self, verdict: Verdict) {
        self.note(Event::Over { verdict: verdict.clone() });
        self.state = State::Over(verdict);
    }

    fn new_id(&mut self) -> Id {
        self.last_id = self.last_id.wrapping_add(1);
        Id(self.last_id)
    }

    #[inline]
    fn note(&mut self, event: Event) {
        if self.notes {
            self.outputs.push_back(Output::Note(Happened { at: self.now, event }));
        }
    }
}

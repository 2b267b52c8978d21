//! The loop that carries a session out.
//!
//! It dials, waits, runs steps and hands connections over, as the session says and when it says;
//! it decides nothing. To drive sessions on another runtime, this is the file to rewrite. Start at
//! [`Drive::turn`].

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use redial_core::{Event, Failure, Happened, Id, Input, Kind, Output, Policy, Session, Signal, Stage, Step, StepRef, StepResult, Verdict};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, sleep_until},
};

use crate::{Connection, attempt::Dialer, command, diagnosis};

/// Who listens to a session's events.
pub(crate) type Listener = Box<dyn FnMut(&Happened) + Send>;

/// A session being carried out.
pub(crate) struct Drive {
    session: Session,
    dialer: Arc<Dialer>,
    listener: Listener,
    interrupts: Option<UnboundedReceiver<Signal>>,
    begun: Instant,
    /// The one attempt or step under way.
    work: Option<(Id, Work)>,
    /// An attempt that succeeded, until the session says that it may be handed over.
    ready: Option<Connection>,
    /// What the next `run` or `diagnose` is about.
    failure: Option<Arc<Failure>>,
    attempts: u32,
}

type Work = Pin<Box<dyn Future<Output = Report> + Send>>;

enum Report {
    Attempted(Result<Box<Connection>, Failure>),
    Stepped(StepResult),
}

/// Why the loop came back.
pub(crate) enum Turn {
    /// A connection is handed over; call again with what is done with it.
    Connected(Id, Connection),
    /// The session is over.
    Done(Verdict),
}

/// What was done with a connection, on its way to an [`Input`].
pub(crate) type Body<F> = Option<(Id, Pin<Box<F>>)>;

impl Drive {
    pub(crate) fn new(policy: Arc<Policy>, seed: u64, dialer: Arc<Dialer>, listener: Listener, interrupts: Option<UnboundedReceiver<Signal>>) -> Self {
        let mut session = Session::new(policy, seed);
        session.handle(Duration::ZERO, Input::Start);
        Self { session, dialer, listener, interrupts, begun: Instant::now(), work: None, ready: None, failure: None, attempts: 0 }
    }

    /// Runs until a connection is to be handed over or the session is over.
    ///
    /// `body` is what is being done with the connection handed over last; it is dropped when the
    /// session cuts that connection.
    pub(crate) async fn turn<F: Future<Output = Input>>(&mut self, mut body: Body<F>) -> Turn {
        loop {
            let wake = loop {
                match self.session.poll() {
                    Output::Attempt { id, server } => self.work = self.attempt(server).map(|work| (id, work)),
                    Output::Step { id, step, limit } => self.work = self.step(step, limit).map(|work| (id, work)),
                    Output::Cancel { id } => {
                        self.work.take_if(|(under_way, _)| *under_way == id);
                        body.take_if(|(under_way, _)| *under_way == id);
                    }
                    Output::Connected { id } => {
                        if let Some(connection) = self.ready.take() {
                            return Turn::Connected(id, connection);
                        }
                    }
                    Output::Note(happened) => self.note(&happened),
                    Output::Wake { at, .. } => break at,
                    Output::Done(verdict) => return Turn::Done(verdict),
                    _ => {}
                }
            };
            let input = tokio::select! {
                biased;
                signal = interrupt(&mut self.interrupts) => Input::Interrupt(signal),
                report = under_way(&mut self.work) => self.reported(report),
                input = under_way(&mut body) => input,
                () = until(self.begun, wake) => Input::Tick,
            };
            self.session.handle(self.begun.elapsed(), input);
        }
    }

    fn attempt(&self, server: usize) -> Option<Work> {
        let (dialer, policy) = (self.dialer.clone(), self.session.policy().clone());
        Some(Box::pin(async move {
            Report::Attempted(dialer.attempt(&policy, server).await.map(Box::new))
        }))
    }

    fn step(&self, step: StepRef, limit: Duration) -> Option<Work> {
        let policy = self.session.policy().clone();
        let failure = self.failure.clone();
        match policy.step(step)? {
            Step::Run(run) => {
                let facts = command::Facts { attempt: self.attempts, elapsed: self.begun.elapsed(), failure };
                let command = command::prepare(run, &facts);
                Some(Box::pin(async move {
                    let begun = Instant::now();
                    let ran = command::run(command, limit).await;
                    Report::Stepped(StepResult::Ran(ran, begun.elapsed()))
                }))
            }
            Step::Diagnose => {
                let (dialer, server) = (self.dialer.clone(), failure.and_then(|failure| server_of(&policy, &failure))?);
                Some(Box::pin(async move { Report::Stepped(diagnosis::look(&dialer, &policy, server, limit).await) }))
            }
            _ => Some(Box::pin(async { Report::Stepped(StepResult::Skipped) })),
        }
    }

    /// Turns a report into the session's input; the id is that of the work just done.
    fn reported(&mut self, (id, report): (Id, Report)) -> Input {
        match report {
            Report::Attempted(Ok(connection)) => {
                let address = Some(connection.peer_address().clone());
                self.ready = Some(*connection);
                Input::Connected { id, address }
            }
            Report::Attempted(Err(failure)) => Input::Failed { id, failure: Arc::new(failure) },
            Report::Stepped(result) => Input::StepDone { id, result },
        }
    }

    fn note(&mut self, happened: &Happened) {
        match &happened.event {
            Event::Trying { attempt, .. } => self.attempts = *attempt,
            Event::Failed { failure, .. } => self.failure = Some(failure.clone()),
            _ => {}
        }
        (self.listener)(happened);
    }
}

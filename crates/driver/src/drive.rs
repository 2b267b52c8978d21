//! The loop that carries a session out.
//!
//! It dials, waits, runs steps and hands connections over, as the session says and when it says;
//! it decides nothing. To drive sessions on another runtime, this is the file to rewrite. Start at
//! [`Drive::turn`].

use std::{
    future::{Future, pending},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use redial_core::{
    Address, Endpoints, Event, Failure, Happened, Id, Input, Kind, Output, Session, Signal, Stage,
    Step, StepRef, StepResult, Verdict,
};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, sleep_until},
};

use crate::{
    Connection, Settings,
    attempt::attempt_within,
    command, diagnosis,
    trace::{Terms, Trace},
};

/// Who listens to a session's events.
pub(crate) type Listener = Box<dyn FnMut(&Happened) + Send>;

/// A session being carried out.
pub(crate) struct Drive {
    session: Session,
    /// One for each server.
    settings: Arc<[Settings]>,
    /// Addresses that failed after connecting: last in their server's next race.
    endpoints: Endpoints,
    listener: Listener,
    interrupts: Option<UnboundedReceiver<Signal>>,
    begun: Instant,
    /// The one attempt or step under way.
    work: Option<(Id, Work)>,
    /// How far the attempt under way has come.
    trace: Trace,
    /// An attempt that succeeded, until the session says that it may be handed over.
    ready: Option<Box<Connection>>,
    /// What the next `run` or `diagnose` is about.
    failure: Option<Arc<Failure>>,
    attempts: u32,
    server: usize,
}

type Work = Pin<Box<dyn Future<Output = Report> + Send>>;

enum Report {
    Attempted(Result<Box<Connection>, Failure>),
    Stepped(StepResult),
}

/// Why the loop came back.
pub(crate) enum Turn {
    /// A connection is handed over; call again with what is done with it.
    Connected(Id, Box<Connection>),
    /// The session is over.
    Done(Verdict),
}

/// What was done with a connection, on its way to an [`Input`].
pub(crate) type Body<F> = Option<(Id, Pin<Box<F>>)>;

impl Drive {
    pub(crate) fn new(
        mut session: Session,
        settings: Arc<[Settings]>,
        listener: Listener,
        interrupts: Option<UnboundedReceiver<Signal>>,
    ) -> Self {
        session.handle(Duration::ZERO, Input::Start);
        Self {
            session,
            settings,
            endpoints: Endpoints::default(),
            listener,
            interrupts,
            begun: Instant::now(),
            work: None,
            trace: Trace::default(),
            ready: None,
            failure: None,
            attempts: 0,
            server: 0,
        }
    }

    /// Runs until a connection is to be handed over or the session is over.
    ///
    /// `body` is what is being done with the connection handed over last; it is dropped when the
    /// session cuts that connection.
    pub(crate) async fn turn<F: Future<Output = Input>>(&mut self, mut body: Body<F>) -> Turn {
        loop {
            let wake = loop {
                match self.session.poll() {
                    Output::Attempt { id, server } => self.work = Some((id, self.attempt(server))),
                    Output::Step { id, step, limit } => {
                        self.work = Some((id, self.step(step, limit)))
                    }
                    Output::Cancel { id } => {
                        self.work.take_if(|(under_way, _)| *under_way == id);
                        body.take_if(|(under_way, _)| *under_way == id);
                        // It may have succeeded in the moment it was given up.
                        self.ready = None;
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
                (_, input) = under_way(&mut body) => input,
                () = until(self.begun, wake) => Input::Tick,
            };
            if matches!(input, Input::Tick | Input::Interrupt(_)) {
                self.report_reached();
            }
            self.session.handle(self.begun.elapsed(), input);
        }
    }

    /// Tells the session how far the attempt has come that a limit or a signal may be about to end.
    fn report_reached(&mut self) {
        let Some((id, _)) = &self.work else { return };
        let Some((reached, since)) = self.trace.last() else { return };
        let since = since.saturating_duration_since(self.begun);
        let input = Input::Reached { id: *id, reached, since };
        self.session.handle(self.begun.elapsed(), input);
    }

    fn attempt(&mut self, index: usize) -> Work {
        self.trace = Trace::default();
        let terms = Terms {
            reply: self.session.policy().patience(index),
            tls: self.session.policy().tls_patience(index),
            until: self.session.deadline_at().and_then(|at| self.begun.checked_add(at)),
            trace: self.trace.clone(),
        };
        let (policy, settings, endpoints) =
            (self.session.policy().clone(), self.settings.clone(), self.endpoints.clone());
        Box::pin(async move {
            let (Some(server), Some(settings)) = (policy.servers().get(index), settings.get(index))
            else {
                // A session names only servers of its policy.
                return Report::Attempted(Err(Failure::new(
                    Kind::NoServer,
                    Stage::Resolve,
                    "no server".into(),
                )));
            };
            let expectation = policy.expectation(index);
            let opening = policy.opening();
            let attempt =
                attempt_within(server, index, settings, &endpoints, opening, expectation, terms);
            Report::Attempted(attempt.await.map(Box::new))
        })
    }

    fn step(&self, step: StepRef, limit: Duration) -> Work {
        let (policy, settings, server) =
            (self.session.policy().clone(), self.settings.clone(), self.server);
        match policy.step(step) {
            Some(Step::Run(run)) => {
                let facts = command::Facts {
                    attempt: self.attempts,
                    elapsed: self.begun.elapsed(),
                    failure: self.failure.clone(),
                };
                let command = command::prepare(run, &facts);
                Box::pin(async move {
                    let begun = Instant::now();
                    let ran = command::run(command, limit).await;
                    Report::Stepped(StepResult::Ran(ran, begun.elapsed()))
                })
            }
            Some(Step::Diagnose) => Box::pin(async move {
                Report::Stepped(match (policy.servers().get(server), settings.get(server)) {
                    (Some(server), Some(settings)) => {
                        diagnosis::look(server, settings, limit).await
                    }
                    _ => StepResult::Skipped,
                })
            }),
            _ => Box::pin(async { Report::Stepped(StepResult::Skipped) }),
        }
    }

    /// Turns a report into the session's input; the id is that of the work just done.
    fn reported(&mut self, (id, report): (Id, Report)) -> Input {
        match report {
            Report::Attempted(Ok(connection)) => {
                let address = Some(connection.peer_address().clone());
                self.ready = Some(connection);
                Input::Connected { id, address }
            }
            Report::Attempted(Err(failure)) => Input::Failed { id, failure: Arc::new(failure) },
            Report::Stepped(result) => Input::StepDone { id, result },
        }
    }

    fn note(&mut self, happened: &Happened) {
        match &happened.event {
            Event::Trying { attempt, server } => (self.attempts, self.server) = (*attempt, *server),
            Event::Connected { server, address: Some(Address::Ip(address)), .. } => {
                self.endpoints.forgive(*server, *address)
            }
            Event::Failed { failure, .. } => {
                self.endpoints.learn(self.server, failure);
                self.failure = Some(failure.clone());
            }
            _ => {}
        }
        (self.listener)(happened);
    }
}

/// What the work under way comes to; for ever pending where there is none.
async fn under_way<F: Future + ?Sized>(work: &mut Option<(Id, Pin<Box<F>>)>) -> (Id, F::Output) {
    let Some((id, future)) = work else { return pending().await };
    let output = (*id, future.as_mut().await);
    *work = None;
    output
}

/// The next order to stop; for ever pending where nobody gives any.
async fn interrupt(interrupts: &mut Option<UnboundedReceiver<Signal>>) -> Signal {
    if let Some(receiver) = interrupts
        && let Some(signal) = receiver.recv().await
    {
        return signal;
    }
    pending().await
}

/// The time `wake` after the session began; for ever pending where that is never.
async fn until(begun: Instant, wake: Duration) {
    match begun.checked_add(wake) {
        Some(at) if wake != Duration::MAX => sleep_until(at).await,
        _ => pending().await,
    }
}

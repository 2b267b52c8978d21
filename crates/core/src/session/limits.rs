//! What ends a session from outside its clauses: the deadline, the end of `finally`, an interrupt.
//!
//! Each ends what is under way with a failure of the session's own making, and a clause may name
//! that. It holds no clock: limits are looked at when an input comes. Start at
//! [`Session::check_limits`].

use alloc::sync::Arc;
use core::time::Duration;

use super::{Output, Session, Signal, State, Verdict};
use crate::{Delivery, Detail, Event, Failure, Kind, Reason, Stage, quantity::Rounded};

/// An attempt that got further than the one before says more than that after this time.
const FURTHER: Duration = Duration::from_millis(100);

/// An attempt that got no further says more than the failure before it after this time.
const NO_FURTHER: Duration = Duration::from_secs(1);

/// The time without a connection that is still allowed.
pub(super) enum Deadline {
    None,
    /// It runs out then.
    At(Duration),
    /// It stands still, with so much left.
    Held(Duration),
}

impl Session {
    /// Acts on a limit that has passed.
    pub(super) fn check_limits(&mut self) {
        if matches!(self.deadline, Deadline::At(at) if at <= self.now)
            && !matches!(self.state, State::Over(_))
        {
            self.deadline = Deadline::None;
            self.cut(Kind::Deadline, None);
        } else if let State::Stepping(id, walk) = &self.state
            && walk.until.is_some_and(|until| until <= self.now)
            && let Some(verdict) = walk.verdict.clone()
        {
            let (id, cut_off) = (*id, self.cut_off(walk));
            self.outputs.push_back(Output::Cancel { id });
            if let Some(event) = cut_off {
                self.note(event);
            }
            self.over(verdict);
        }
    }

    pub(super) fn interrupt(&mut self, signal: Signal) {
        let ending = match &self.state {
            State::Over(_) => return,
            State::Stepping(_, walk) => walk.is_final(),
            State::New | State::Trying(_) | State::Pausing(_) | State::Live(..) => false,
        };
        if self.interrupted {
            // The second one leaves at once.
            self.cancel_current();
            self.over(Verdict::Interrupted(signal));
        } else if ending {
            self.interrupted = true;
        } else {
            self.interrupted = true;
            self.deadline = Deadline::None;
            self.cut(Kind::Interrupted, Some(signal));
        }
    }

    /// Ends whatever is under way with a failure of the session's own making.
    fn cut(&mut self, kind: Kind, signal: Option<Signal>) {
        let live = match self.state {
            State::Live(_, since) => Some(since),
            _ => None,
        };
        if live.is_some_and(|since| self.is_healthy(since)) {
            self.servers.healthy();
        }
        let cut = self.attempt_cut(signal);
        let stage = match (&cut, live) {
            (Some(cut), _) => cut.stage,
            (None, Some(_)) => Stage::Stream,
            (None, None) => Stage::Connect,
        };
        self.cancel_current();
        let server = self
            .policy
            .servers()
            .get(self.servers.current())
            .map_or_else(|| "no server".into(), |server| server.label().clone());
        let mut failure = Failure::new(kind, stage, server);
        failure.elapsed = self.now;
        if live.is_some() {
            // Bytes may have moved; only the driver could say how many.
            failure.delivery = Delivery::Unknown;
        }
        failure.detail = match (signal, &self.failure) {
            (Some(signal), _) => Some(Detail::from_text(signal.name())),
            (None, _) if cut.is_some() => {
                let seen = cut.as_ref().and_then(|cut| cut.detail.as_ref());
                let seen = seen.map_or("", Detail::as_str);
                let text = alloc::format!("after {}; {seen}", Rounded(self.now));
                Some(Detail::from_text(&text))
            }
            (None, Some(last)) => Some(Detail::from_text(&alloc::format!(
                "after {}; last: {last}",
                Rounded(self.now)
            ))),
            (None, None) => Some(Detail::from_text(&alloc::format!("after {}", Rounded(self.now)))),
        };
        failure.cut = cut;
        let failure = Arc::new(failure);
        self.note(Event::Failed { attempt: self.attempts, failure: failure.clone() });
        self.decide(failure);
    }

    /// The failure of the attempt under way, which is about to be cut. `None` where the failure
    /// before it says more, since this attempt has only just got where it is.
    fn attempt_cut(&self, signal: Option<Signal>) -> Option<Arc<Failure>> {
        let State::Trying(current) = self.state else { return None };
        let (id, reached, since) = &**self.reached.as_ref()?;
        let time = self.now.saturating_sub(*since);
        if *id != current {
            return None;
        }
        if let Some(last) = &self.failure {
            let is_further = reached.kind().1 > last.stage;
            if time < if is_further { FURTHER } else { NO_FURTHER } {
                return None;
            }
        }
        let server = self.policy.servers().get(self.servers.current())?;
        let mut failure = reached.failure(server.label().clone(), time);
        failure.reason = signal.is_none().then_some(Reason::DeadlinePassed);
        Some(Arc::new(failure))
    }

    fn cancel_current(&mut self) {
        let (id, cut_off) = match &self.state {
            State::Trying(id) | State::Live(id, _) => (*id, None),
            State::Stepping(id, walk) => (*id, self.cut_off(walk)),
            State::New | State::Pausing(_) | State::Over(_) => return,
        };
        self.outputs.push_back(Output::Cancel { id });
        if let Some(event) = cut_off {
            self.note(event);
        }
    }

    pub(super) fn hold_deadline(&mut self) {
        if let Deadline::At(at) = self.deadline {
            self.deadline = Deadline::Held(at.saturating_sub(self.now));
        }
    }

    /// The clock of the deadline goes on: anew after a healthy connection, else where it stood.
    pub(super) fn release_deadline(&mut self, healthy: bool) {
        if let Deadline::Held(left) = self.deadline {
            let left = if healthy { self.policy.deadline().unwrap_or(left) } else { left };
            self.deadline = Deadline::At(self.now.saturating_add(left));
        }
    }
}

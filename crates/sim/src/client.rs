//! A client: a real session, asked what it wants.
//!
//! It is the driver's loop without a network: every decision is the session's. Commands and
//! diagnoses take no time here and are not carried out. Other people's clients, which are not
//! sessions, are in `peers`. Start at [`Client`].

use std::{sync::Arc, time::Duration};

use redial_core::{Delivery, Failure, Id, Input, Kind, Output, Policy, Session, Stage, StepResult};

use crate::time::{NEVER, nanos};

/// What happened to a client's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happens {
    /// Begin.
    Start,
    /// Nothing but time.
    Tick,
    /// The attempt stands.
    Connected,
    /// The attempt, or the connection, failed.
    Failed(Cause),
}

/// Why; each becomes a [`Failure`] of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Refused,
    ConnectTimeout,
    TlsTimeout,
    Stalled,
    /// Closed before the attempt stood.
    ClosedEarly,
    /// Closed while it stood: an end that was not asked for.
    Closed,
    /// A connection that had stood, and carried data, was reset.
    Reset,
}

impl Cause {
    const ALL: [Self; 7] = [
        Self::Refused,
        Self::ConnectTimeout,
        Self::TlsTimeout,
        Self::Stalled,
        Self::ClosedEarly,
        Self::Closed,
        Self::Reset,
    ];

    fn failure(self, server: &Arc<str>) -> Failure {
        let (kind, stage) = match self {
            Self::Refused => (Kind::Refused, Stage::Connect),
            Self::ConnectTimeout => (Kind::ConnectTimeout, Stage::Connect),
            Self::TlsTimeout => (Kind::TlsTimeout, Stage::Tls),
            Self::Stalled => (Kind::Stalled, Stage::Expect),
            Self::ClosedEarly => (Kind::ClosedEarly, Stage::Expect),
            Self::Closed => (Kind::ClosedEarly, Stage::Stream),
            Self::Reset => (Kind::Reset, Stage::Stream),
        };
        let mut failure = Failure::new(kind, stage, server.clone());
        if self == Self::Reset {
            (failure.sent, failure.received) = (1, 1);
            failure.delivery = Delivery::Unknown;
        }
        failure
    }
}

/// What a client wants after something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Try this server now.
    pub(crate) attempt: Option<u32>,
    /// Give up the attempt or the connection. Before `attempt`.
    pub(crate) cancel: bool,
    /// Tell it when this time has come.
    pub(crate) wake: u64,
    /// It is over.
    pub(crate) done: bool,
}

impl Wish {
    pub(crate) const NONE: Self = Self { attempt: None, cancel: false, wake: NEVER, done: false };
}

/// One of many clients that share a `Plan`.
pub(crate) trait Client: Sized {
    /// What they share.
    type Plan;

    /// One of them; its seed decides what it draws.
    fn new(plan: &Self::Plan, seed: u64) -> Self;

    /// Something happened.
    fn tell(&mut self, plan: &Self::Plan, now: u64, happens: Happens) -> Wish;
}

/// The policy that many sessions run, and the failures they are told of: made once, shared.
pub(crate) struct Sessions {
    policy: Arc<Policy>,
    /// For each server, in the order of [`Cause::ALL`].
    failures: Vec<[Arc<Failure>; Cause::ALL.len()]>,
}

impl Sessions {
    pub(crate) fn new(policy: Arc<Policy>) -> Self {
        let failures = policy
            .servers()
            .iter()
            .map(|server| Cause::ALL.map(|cause| Arc::new(cause.failure(server.label()))))
            .collect();
        Self { policy, failures }
    }
}

/// A session and its attempt.
pub(crate) struct SessionClient {
    session: Session,
    attempt: Option<Id>,
    server: u32,
}

impl Client for SessionClient {
    type Plan = Sessions;

    fn new(plan: &Sessions, seed: u64) -> Self {
        Self { session: Session::silent(plan.policy.clone(), seed), attempt: None, server: 0 }
    }

    fn tell(&mut self, plan: &Sessions, now: u64, happens: Happens) -> Wish {
        let now = Duration::from_nanos(now);
        let input = match (happens, self.attempt) {
            (Happens::Start, _) => Input::Start,
            (Happens::Tick, _) => Input::Tick,
            (Happens::Connected, Some(id)) => Input::Connected { id, address: None },
            (Happens::Failed(cause), Some(id)) => match plan.failures.get(self.server as usize) {
                Some(of_server) => Input::Failed { id, failure: of_server[cause as usize].clone() },
                None => Input::Tick,
            },
            (Happens::Connected | Happens::Failed(_), None) => Input::Tick,
        };
        self.session.handle(now, input);
        self.drain(now)
    }
}

impl SessionClient {
    /// Does what the session says until it waits: the drain rule.
    fn drain(&mut self, now: Duration) -> Wish {
        let mut wish = Wish::NONE;
        loop {
            match self.session.poll() {
                Output::Attempt { id, server } => {
                    self.attempt = Some(id);
                    self.server = u32::try_from(server).unwrap_or(0);
                    wish.attempt = Some(self.server);
                }
                Output::Cancel { id } if self.attempt == Some(id) => {
                    self.attempt = None;
                    wish.attempt = None;
                    wish.cancel = true;
                }
                Output::Step { id, .. } => {
                    self.session.handle(now, Input::StepDone { id, result: StepResult::Skipped });
                }
                Output::Wake { at, .. } => {
                    wish.wake = nanos(at);
                    return wish;
                }
                Output::Done(_) => {
                    wish.done = true;
                    return wish;
                }
                // The handing over is for a user, and there is none.
                _ => {}
            }
        }
    }
}

/// A seed of one's own from the run's: the finaliser of SplitMix64 (Steele et al., OOPSLA 2014).
pub(crate) fn mixed(seed: u64, one: u64) -> u64 {
    let mut z = seed.wrapping_add(one.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_found_by_their_place() {
        for (place, cause) in Cause::ALL.into_iter().enumerate() {
            assert_eq!(cause as usize, place);
        }
    }
}

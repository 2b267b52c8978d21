//! Which clauses of a policy never handle a failure, and why.
//!
//! It looks at every failure that can happen to these servers, in every state a connection can be
//! in, and asks the clauses as a session would. It says nothing about what a clause does. Start at
//! [`Policy::unreached`].

use alloc::{sync::Arc, vec::Vec};
use core::net::IpAddr;

use super::Policy;
use crate::{Delivery, Expectation, Failure, Kind, Place, Server, Stage, Tls};

/// Why a clause never handles a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreached {
    /// These clauses in front of it, by index, take whatever it would.
    Behind(Vec<usize>),
    /// What it names does not happen, for want of these.
    Without(Vec<Missing>),
}

/// What a policy has not, so that some kinds of failure do not happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// No server is reached by a name: nothing is looked up.
    Name,
    /// No server is a Unix socket.
    UnixSocket,
    /// No server is reached by TLS.
    Tls,
    /// Nothing is expected of a server's answer.
    Expectation,
    /// No server is judged by a recipe, which would know how its protocol says "not now".
    Recipe,
}

impl Policy {
    /// Why this clause never handles a failure; `None` where it may, or where there is no such
    /// clause.
    ///
    /// A policy that names no server may be used with any, so nothing is missing to it. What a
    /// proxy in front of the servers says is not foreseen.
    ///
    /// ```
    /// use redial_core::{Missing, Policy, Server, Unreached, Verb};
    /// let policy = Policy::build(Verb::Connect)
    ///     .server(Server::parse("db:5432")?)
    ///     .except("any if fresh: next; refused: retry 3; reset: retry 3; tls: stop")?
    ///     .build()?;
    /// // Nothing can have moved on a connection that was refused: it is always fresh.
    /// assert_eq!(policy.unreached(1), Some(Unreached::Behind(vec![0])));
    /// assert_eq!(policy.unreached(2), None);
    /// assert_eq!(policy.unreached(3), Some(Unreached::Without(vec![Missing::Tls])));
    /// # Ok::<(), redial_core::Mistake>(())
    /// ```
    #[must_use]
    pub fn unreached(&self, clause: usize) -> Option<Unreached> {
        let (in_front, this) = (self.clauses.get(..clause)?, self.clauses.get(clause)?);
        let (mut behind, mut without) = (Vec::new(), Vec::new());
        for kind in this.kinds().iter() {
            if let Some(missing) = self.missing(kind) {
                without.push(missing);
                continue;
            }
            for (failure, new) in failures(kind) {
                if !this.matches(&failure, new) {
                    continue;
                }
                behind.push(in_front.iter().position(|other| other.matches(&failure, new))?);
            }
        }
        behind.sort_unstable();
        behind.dedup();
        without.dedup();
        Some(match behind.is_empty() {
            true => Unreached::Without(without),
            false => Unreached::Behind(behind),
        })
    }

    /// Returns true if this clause handles some failure of this kind that can happen to the servers.
    #[must_use]
    pub fn handles(&self, clause: usize, kind: Kind) -> bool {
        let (Some(in_front), Some(this)) = (self.clauses.get(..clause), self.clauses.get(clause))
        else {
            return false;
        };
        self.missing(kind).is_none()
            && failures(kind).any(|(failure, new)| {
                this.matches(&failure, new)
                    && !in_front.iter().any(|other| other.matches(&failure, new))
            })
    }

    /// What would have to be there for a failure of this kind to happen.
    fn missing(&self, kind: Kind) -> Option<Missing> {
        let servers = &self.servers;
        if servers.is_empty() {
            return None;
        }
        let none_expects = |counts: fn(&Expectation<'_>) -> bool| {
            !(0..servers.len()).any(|server| counts(&self.expectation(server)))
        };
        let is_recipe = |found: &Expectation<'_>| {
            matches!(found, Expectation::Greeting(_) | Expectation::Probe(_))
        };
        let (is_missing, missing) = match kind {
            Kind::DnsNotFound | Kind::DnsTemporary => {
                (!servers.iter().any(is_named), Missing::Name)
            }
            Kind::NoSocket => {
                let is_unix = |server: &Server| matches!(server.place(), Place::Unix { .. });
                (!servers.iter().any(is_unix), Missing::UnixSocket)
            }
            // A recipe may begin TLS within its protocol.
            Kind::TlsHandshake | Kind::TlsCertificate | Kind::TlsTimeout => {
                let has_tls = servers.iter().any(|server| server.tls() != Tls::No);
                (!has_tls && none_expects(is_recipe), Missing::Tls)
            }
            Kind::UnexpectedResponse => {
                let judges = |found: &Expectation<'_>| {
                    !matches!(found, Expectation::Nothing | Expectation::Settled(_))
                };
                (none_expects(judges), Missing::Expectation)
            }
            Kind::Unavailable => (none_expects(is_recipe), Missing::Recipe),
            Kind::Refused
            | Kind::Unreachable
            | Kind::ConnectTimeout
            | Kind::Denied
            | Kind::Exhausted
            | Kind::ClosedEarly
            | Kind::Truncated
            | Kind::Reset
            | Kind::BrokenPipe
            | Kind::Stalled
            | Kind::Closed
            | Kind::Deadline
            | Kind::NoServer
            | Kind::Interrupted
            | Kind::Application
            | Kind::Other => return None,
        };
        is_missing.then_some(missing)
    }
}

/// Whether a server is reached by a name that is looked up.
fn is_named(server: &Server) -> bool {
    server.place().host().is_some_and(|host| host.parse::<IpAddr>().is_err())
}

/// A failure of this kind in every state that a guard tells apart: fresh, only received, sent;
/// lasting or not, where the kind does not say; and whether no connection was healthy yet.
fn failures(kind: Kind) -> impl Iterator<Item = (Failure, bool)> {
    const STATES: [(u64, u64, Delivery); 3] =
        [(0, 0, Delivery::Unsent), (0, 1, Delivery::Unsent), (1, 0, Delivery::Unknown)];
    let server: Arc<str> = "server".into();
    let states = if kind.may_follow_data() { &STATES[..] } else { &STATES[..1] };
    states.iter().flat_map(move |(sent, received, delivery)| {
        let mut failure = Failure::new(kind, Stage::Connect, server.clone());
        (failure.sent, failure.received, failure.delivery) = (*sent, *received, *delivery);
        let other = Failure { lasting: !failure.lasting, ..failure.clone() };
        let lasting = (kind == Kind::Application).then_some(other);
        core::iter::once(failure)
            .chain(lasting)
            .flat_map(|failure| [(failure.clone(), true), (failure, false)])
    })
}

//! The verbs' own clauses: what each does where the user said nothing.
//!
//! They are written in the clause language, so `redial check --standing VERB` can print them as
//! they are. The user's stand in front of them. Start at [`Verb`].

use alloc::vec::Vec;

use crate::{Clause, Mistake, Rounds};

/// What a policy is used for; it decides which clauses stand behind the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// One connection, opened as the policy says. Never a second server once data has moved.
    Connect,
    /// A connection that is meant to stand for ever. Also [`crate::Policy::standing`].
    Stay,
    /// One session per server, until it is ready.
    Wait,
    /// One session per server, until it is refused or absent: `wait --gone`.
    Gone,
}

impl Verb {
    /// Every verb that has clauses of its own.
    pub const ALL: [Self; 4] = [Self::Connect, Self::Stay, Self::Wait, Self::Gone];

    /// The verb as it is typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Stay => "stay",
            Self::Wait => "wait",
            Self::Gone => "gone",
        }
    }

    /// Its clauses, as text.
    #[must_use]
    pub const fn clause_text(self) -> &'static str {
        match self {
            Self::Connect => "any if fresh: next",
            Self::Stay => {
                "closed: next
dns-not-found, denied, tls-handshake, tls-certificate, unexpected-response if new: drop, stop
any: next"
            }
            Self::Wait => {
                "denied, tls-certificate: stop
reply, tls: retry forever every 250ms..2s x1.5
any: retry forever every 10ms..1s x1.02"
            }
            // `application` states that the server is still there. A name that disappears after
            // that went with its server; one that was never known is likely a typing mistake.
            Self::Gone => {
                "refused, no-socket: exit 0
dns-not-found, unreachable if new: stop
dns-not-found: exit 0
denied: stop
application: retry forever every 250ms..2s x1.5
any: retry forever every 10ms..1s x1.02"
            }
        }
    }

    /// Its clauses.
    ///
    /// # Errors
    ///
    /// None: the texts are tested. The caller has a place for mistakes anyway.
    pub fn clauses(self) -> Result<Vec<Clause>, Mistake> {
        Clause::parse_all(self.clause_text())
    }

    /// How many rounds of its servers it makes.
    #[must_use]
    pub fn rounds(self) -> Rounds {
        match self {
            Self::Connect | Self::Wait | Self::Gone => Rounds::ONE,
            Self::Stay => Rounds::forever(),
        }
    }
}

//! For which servers a step, or an alternative, is: `only = "tls"`, `only = ["login", "not private"]`.
//!
//! A condition is a fact of the server's URL or options, known before anything is dialled. Start at
//! [`Only`].

use alloc::format;

use super::table::Text;
use crate::{Mistake, Place, Server, Tls, nearest, nearest::quoted};

/// A set of conditions, of which all must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Only {
    /// One bit for each condition that must hold, and for each that must not.
    holds: u8,
    not: u8,
}

/// A fact of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// TLS is to begin in the protocol's own words.
    Tls,
    /// Of those, it is used without TLS where none is offered: `sslmode=prefer`.
    OptionalTls,
    /// The option `#body=…` or `#json=…` is there.
    Body,
    /// The probe is to log in.
    Login,
    /// The URL has a user.
    User,
    /// The URL has a password.
    Password,
    /// What is sent can be read by no other machine: TLS that is not optional, or a Unix socket.
    Private,
    /// The option `#redirect=follow` is there.
    Redirect,
}

const NAMES: [(&str, Condition); 8] = [
    ("tls", Condition::Tls),
    ("tls-optional", Condition::OptionalTls),
    ("body", Condition::Body),
    ("login", Condition::Login),
    ("user", Condition::User),
    ("password", Condition::Password),
    ("private", Condition::Private),
    ("redirect", Condition::Redirect),
];

impl Only {
    /// Reads one condition more: `tls`, `not tls`.
    pub(super) fn and(mut self, text: &Text<'_>) -> Result<Self, Mistake> {
        let (is_not, name) = match text.text.strip_prefix("not ") {
            Some(name) => (true, name),
            // "not tls", from before there was a word for it.
            None if text.text == "plain" => (true, "tls"),
            None => (false, text.text),
        };
        let Some((_, condition)) = NAMES.iter().find(|(known, _)| *known == name) else {
            let names = NAMES.map(|(name, _)| name);
            let instead = match nearest(name, names.into_iter().chain(["plain"])) {
                Some(near) => format!("the nearest is `{near}`"),
                None => format!("write {}, or one of them behind `not`", names.join(", ")),
            };
            return Err(
                text.mistake(format!("{} is not among the words here", quoted(name)), instead)
            );
        };
        let bit = 1 << *condition as u8;
        if is_not {
            self.not |= bit
        } else {
            self.holds |= bit
        }
        Ok(self)
    }

    /// Whether all of them hold for this server.
    pub(super) fn holds(self, server: &Server) -> bool {
        let facts = NAMES.iter().filter(|(_, condition)| condition.holds(server));
        let facts = facts.fold(0, |bits, (_, condition)| bits | 1 << *condition as u8);
        facts & self.holds == self.holds && facts & self.not == 0
    }

    /// Whether this condition has to hold.
    pub(super) const fn asks(self, condition: Condition) -> bool {
        self.holds & 1 << condition as u8 != 0
    }
}

impl Condition {
    fn holds(self, server: &Server) -> bool {
        match self {
            Self::Tls => server.tls() == Tls::ByProtocol,
            Self::OptionalTls => server.tls_is_optional(),
            Self::Body => server.options().body.is_some() || !server.options().json.is_empty(),
            Self::Login => server.options().login,
            Self::Redirect => server.options().redirect,
            Self::User => server.user().is_some(),
            Self::Password => server.password().is_some(),
            Self::Private => {
                let is_unix = matches!(server.place(), Place::Unix { .. });
                is_unix || server.tls() != Tls::No && !server.tls_is_optional()
            }
        }
    }
}

//! Sets of kinds: the families, and every name a clause may use.
//!
//! A clause names kinds and families; this file turns a name into the set it stands for, as
//! Python's `except OSError` catches its children. The kinds themselves are in [`crate::Kind`].
//! Start at [`KindSet::named`].

use alloc::vec::Vec;

use crate::{Failure, Kind};

/// A set of kinds, with the lasting and the passing `application` told apart.
///
/// Only an `application` failure says by itself whether it lasts, so it has two members here:
/// `transient` holds the passing one, `application` and `any` hold both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct KindSet(u32);

/// The bit of an `application` failure that lasts; the kinds use the bits from 0.
const LASTING_APPLICATION: u32 = 1 << 31;

impl KindSet {
    /// Just these kinds.
    #[must_use]
    pub const fn of(kinds: &[Kind]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < kinds.len() {
            bits |= bit(kinds[index]);
            index += 1;
        }
        Self(bits)
    }

    /// What a name in a clause stands for: a kind, an alias of one, or a family.
    ///
    /// Names are matched without regard to case, and with or without `socket.` or `ssl.` in front.
    ///
    /// ```
    /// use redial_core::{Kind, KindSet};
    /// assert_eq!(KindSet::named("ConnectionRefusedError"), Some(KindSet::of(&[Kind::Refused])));
    /// assert_eq!(KindSet::named("ssl.SSLError"), KindSet::named("tls"));
    /// assert_eq!(KindSet::named("conection"), None);
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        // The oldest spelling of OSError; `error` alone would be no name for anything.
        if name.eq_ignore_ascii_case("socket.error") {
            return Some(ANY);
        }
        let name =
            ["socket.", "ssl."].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
        let kind = Kind::ALL.into_iter().find(|kind| {
            let facts = kind.facts();
            facts.name.eq_ignore_ascii_case(name)
                || facts.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
        });
        if let Some(kind) = kind {
            return Some(Self::of(&[kind]));
        }
        FAMILIES
            .iter()
            .find(|family| {
                family.name.eq_ignore_ascii_case(name)
                    || family.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
            })
            .map(|family| family.kinds)
    }

    /// Whether a clause with this set matches the failure. Whether it *acts* is the guard's word.
    #[must_use]
    pub const fn matches(self, failure: &Failure) -> bool {
        let bit = match failure.kind {
            Kind::Application if failure.lasting => LASTING_APPLICATION,
            kind => 1 << kind as u32,
        };
        self.0 & bit != 0
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set without the other's kinds.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the two share a kind.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether every kind of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// The kinds, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.0 & bit(*kind) != 0)
    }
}

const fn bit(kind: Kind) -> u32 {
    match kind {
        Kind::Application => LASTING_APPLICATION | 1 << kind as u32,
        kind => 1 << kind as u32,
    }
}

/// A name for several kinds.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// The name: `connect`, `transient`.
    pub name: &'static str,
    /// Python's names for it.
    pub aliases: &'static [&'static str],
    /// What it is for, in a line.
    pub about: &'static str,
    /// Its members.
    pub kinds: KindSet,
}

/// Every family, in the order the docs list them.
pub static FAMILIES: [Family; 9] = [
    Family {
        name: "dns",
        aliases: &["gaierror"],
        about: "the name did not become an address",
        kinds: DNS,
    },
    Family { name: "connect", aliases: &[], about: "no connection came about", kinds: CONNECT },
    Family { name: "local", aliases: &[], about: "this machine said no", kinds: LOCAL },
    Family { name: "tls", aliases: &["SSLError"], about: "the TLS handshake", kinds: TLS },
    Family {
        name: "reply",
        aliases: &[],
        about: "it accepted, and what came then was wrong",
        kinds: REPLY,
    },
    Family {
        name: "timeout",
        aliases: &["TimeoutError"],
        about: "something took too long",
        kinds: TIMEOUT,
    },
    Family {
        name: "ConnectionError",
        aliases: &[],
        about: "Python's word for refused, reset and broken-pipe",
        kinds: KindSet::of(&[Kind::Refused, Kind::Reset, Kind::BrokenPipe]),
    },
    Family {
        name: "transient",
        aliases: &[],
        about: "everything that may heal by itself; the one to retry",
        kinds: TRANSIENT,
    },
    Family {
        name: "any",
        aliases: &["OSError"],
        about: "everything but closed, deadline and interrupted",
        kinds: ANY,
    },
];

const DNS: KindSet = KindSet::of(&[Kind::DnsNotFound, Kind::DnsTemporary]);
const CONNECT: KindSet =
    KindSet::of(&[Kind::Refused, Kind::Unreachable, Kind::ConnectTimeout, Kind::NoSocket]);
const LOCAL: KindSet = KindSet::of(&[Kind::Denied, Kind::Exhausted]);
const TLS: KindSet = KindSet::of(&[Kind::TlsHandshake, Kind::TlsCertificate, Kind::TlsTimeout]);
const REPLY: KindSet = KindSet::of(&[
    Kind::ClosedEarly,
    Kind::Truncated,
    Kind::Reset,
    Kind::BrokenPipe,
    Kind::Stalled,
    Kind::UnexpectedResponse,
    Kind::Unavailable,
]);
const TIMEOUT: KindSet = KindSet::of(&[Kind::ConnectTimeout, Kind::TlsTimeout, Kind::Stalled]);
const TRANSIENT: KindSet = KindSet(selected(true) & !LASTING_APPLICATION);
const ANY: KindSet = KindSet(selected(false));

/// The kinds that are failures by themselves, or of those only the ones that may heal.
const fn selected(healing: bool) -> u32 {
    let mut bits = 0;
    let mut index = 0;
    while index < Kind::ALL.len() {
        let kind = Kind::ALL[index];
        let left_out = kind.only_where_named() || (healing && kind.is_lasting());
        if !left_out {
            bits |= bit(kind);
        }
        index += 1;
    }
    bits
}

/// Every name a clause may use, for suggestions and completions.
#[must_use]
pub fn kind_names() -> Vec<&'static str> {
    let kinds = Kind::ALL.into_iter().flat_map(|kind| {
        let facts = kind.facts();
        core::iter::once(facts.name).chain(facts.aliases.iter().copied())
    });
    let families = FAMILIES
        .iter()
        .flat_map(|family| core::iter::once(family.name).chain(family.aliases.iter().copied()));
    kinds.chain(families).collect()
}

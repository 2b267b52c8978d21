//! Sets of kinds: the families, and every name a clause may use.
//!
//! A clause names kinds and families; this file turns a name into the set it stands for, as
//! Python's `except OSError` catches its children. The kinds themselves are in [`crate::Kind`].
//! Start at [`KindSet::named`].

use alloc::{format, string::String, vec::Vec};

use crate::{Failure, Kind, nearest::nearest, nearest::quoted, suggestion::suggestion};

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
        let name = ["socket.", "ssl.", "asyncio."]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix))
            .unwrap_or(name);
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
        aliases: &["OSError", "Exception"],
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

/// Other tools' names for a kind, in lower case: too far from redial's to be found by their letters.
const OTHER_NAMES: [(&str, &str); 33] = [
    ("eoferror", "closed"),
    ("eof", "closed"),
    ("disconnected", "closed"),
    ("ioerror", "any"),
    ("environmenterror", "any"),
    ("baseexception", "any"),
    ("error", "any"),
    ("errors", "any"),
    ("failure", "any"),
    ("failed", "any"),
    ("all", "any"),
    ("everything", "any"),
    ("*", "any"),
    ("connectionabortederror", "broken-pipe"),
    ("aborted", "broken-pipe"),
    ("connect-error", "connect"),
    ("readtimeout", "stalled"),
    ("read-timeout", "stalled"),
    ("unknown-host", "dns-not-found"),
    ("unknownhostexception", "dns-not-found"),
    ("name-not-resolved", "dns-not-found"),
    ("enotfound", "dns-not-found"),
    ("herror", "dns"),
    ("no-route", "unreachable"),
    ("no-route-to-host", "unreachable"),
    ("certificate", "tls-certificate"),
    ("cert", "tls-certificate"),
    ("certificate-expired", "tls-certificate"),
    ("expired", "tls-certificate"),
    ("ssl", "tls"),
    ("503", "unavailable"),
    ("busy", "unavailable"),
    ("sigint", "interrupted"),
];

/// Returns the text to write instead of an unknown name: the kind it means, or the nearest.
pub(crate) fn near(name: &str) -> String {
    let is_named = |name: &str| KindSet::named(name).is_some();
    let plain = name.to_lowercase().replace('_', "-");
    let meant =
        |name: &str| OTHER_NAMES.iter().find(|(other, _)| *other == name).map(|(_, kind)| *kind);
    let parts = parts_of(&plain);
    let known = core::iter::once(plain.as_str()).chain(parts.iter().map(String::as_str));
    let known = known.filter_map(|part| {
        let kind = Kind::ALL.iter().map(|kind| kind.name()).find(|kind| *kind == part);
        let family = || FAMILIES.iter().map(|family| family.name).find(|family| *family == part);
        meant(part).or(kind).or_else(family)
    });
    if let Some(kind) = suggestion(known, is_named) {
        return format!("write {}", quoted(&kind));
    }
    // Our own names before the aliases: `conection` is `connect` rather than ConnectionRefusedError.
    let own =
        Kind::ALL.iter().map(|kind| kind.name()).chain(FAMILIES.iter().map(|family| family.name));
    let own = nearest(name, own.filter(|name| !name.starts_with(char::is_uppercase)));
    let alias = || nearest_alias(name);
    match suggestion(own.or_else(alias), is_named) {
        Some(near) => format!("the nearest is {}", quoted(&near)),
        None => "see: redial help kinds".into(),
    }
}

/// The name without the words that every such name has: `refused` of `err-connection-refused`.
fn parts_of(name: &str) -> Vec<String> {
    const BEFORE: [&str; 7] = ["err-", "net-", "connection-", "connection", "socket-", "e", "tcp-"];
    const AFTER: [&str; 4] = ["error", "exception", "-error", "-connection"];
    let mut parts: Vec<String> = Vec::new();
    let mut rest = name;
    while let Some(shorter) = BEFORE.iter().find_map(|before| rest.strip_prefix(before)) {
        rest = shorter;
        parts.push(rest.into());
        parts.extend(AFTER.iter().filter_map(|after| rest.strip_suffix(after)).map(Into::into));
    }
    parts.extend(AFTER.iter().filter_map(|after| name.strip_suffix(after)).map(Into::into));
    parts
}

/// The nearest alias; names that end in `Error` are compared without it, for `EOFError` has more
/// letters of `OSError` than of any name that it could be.
fn nearest_alias(name: &str) -> Option<&'static str> {
    let stem = |name: &'static str| name.strip_suffix("Error");
    match name.strip_suffix("Error") {
        Some(short) => {
            let near = nearest(short, kind_names().into_iter().filter_map(stem))?;
            kind_names().into_iter().find(|name| stem(name) == Some(near))
        }
        None => nearest(name, kind_names()),
    }
}

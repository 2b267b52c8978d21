//! The kinds of failure: their names, what they mean, what to do next.
//!
//! One table, [`Kind::facts`], feeds clauses, output, JSON, metrics and `redial help kinds`. It
//! does not classify: raw errors become kinds in the driver's `errno` file. Families, and the sets
//! that clauses match with, are in [`crate::kinds`]. Start at [`Kind`].

use core::fmt;

use serde::{Serialize, Serializer};

/// Why an attempt or a live connection ended, in one word that never changes.
///
/// *Lasting* kinds do not heal by themselves; the others are the family `transient`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// The name does not exist (EAI_NONAME, NXDOMAIN).
    DnsNotFound,
    /// The resolver could not answer now (EAI_AGAIN, EAI_FAIL, SERVFAIL).
    DnsTemporary,
    /// The machine answered that nothing listens on the port (ECONNREFUSED).
    Refused,
    /// The address cannot be reached: no route, no answer from the neighbour, or an ICMP error
    /// (EHOSTUNREACH, ENETUNREACH, ENOPROTOOPT, …).
    Unreachable,
    /// No answer to the connection request in time (`limits.connect`, 5 s).
    ConnectTimeout,
    /// There is no Unix socket at the path (ENOENT).
    NoSocket,
    /// This machine forbids the connection (EACCES, EPERM from connect at once), or the server
    /// refuses the login of a probe.
    Denied,
    /// This machine has no file, port, source address or memory for it (EMFILE, ENFILE, ENOBUFS,
    /// EADDRNOTAVAIL, …).
    Exhausted,
    /// The TLS handshake failed: an alert, or another protocol.
    TlsHandshake,
    /// The server's certificate is not acceptable.
    TlsCertificate,
    /// The TLS handshake did not finish in time (`limits.tls`, 5 s).
    TlsTimeout,
    /// The server closed before it said anything.
    ClosedEarly,
    /// The server closed inside a reply, ended TLS without close_notify or by an alert, or sent a
    /// corrupt record.
    Truncated,
    /// The connection was reset (ECONNRESET; EPIPE before any end was read).
    Reset,
    /// The server had closed and did not take all that was sent (EPIPE or a reset after its end, or
    /// no acknowledgement within 5 s).
    BrokenPipe,
    /// No bytes in time (`limits.reply`, 5 s; `limits.idle`; ETIMEDOUT on a live connection).
    Stalled,
    /// The server answered, and the answer is not the expected one.
    UnexpectedResponse,
    /// The server said "not now" (503, LOADING, 57P03, 421).
    Unavailable,
    /// A clean end. A failure only where a clause names it.
    Closed,
    /// The session's own time limit. Acts only where named.
    Deadline,
    /// No server may be tried: all are ejected, or the list is empty.
    NoServer,
    /// SIGINT, SIGTERM, SIGHUP or SIGQUIT. Acts only where named.
    Interrupted,
    /// What a library user's own closure returned.
    Application,
    /// An errno that is not in this table, printed by name and number.
    Other,
}

/// Where in its life a connection was when it failed, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Stage {
    /// Turning the name into addresses.
    Resolve,
    /// Dialling the addresses.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Judging the server's first answer.
    Expect,
    /// After the connection stood.
    Stream,
}

/// What the table says of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// The stable name: clauses, JSON, metric labels.
    pub name: &'static str,
    /// Other spellings a clause may use: errno names, Python exception names.
    pub aliases: &'static [&'static str],
    /// Where it happens, for the docs: `connect`, `tls, expect, stream`, `any`.
    pub stages: &'static str,
    /// Whether it heals by itself. `None` for the kinds that are not failures unless named.
    pub lasting: Option<bool>,
    /// What happened, as the end of a sentence that begins with the address.
    pub sentence: &'static str,
    /// What the reader can do next.
    pub next: &'static str,
}

impl Kind {
    /// Every kind, in the order of the table.
    pub const ALL: [Self; 24] = [
        Self::DnsNotFound,
        Self::DnsTemporary,
        Self::Refused,
        Self::Unreachable,
        Self::ConnectTimeout,
        Self::NoSocket,
        Self::Denied,
        Self::Exhausted,
        Self::TlsHandshake,
        Self::TlsCertificate,
        Self::TlsTimeout,
        Self::ClosedEarly,
        Self::Truncated,
        Self::Reset,
        Self::BrokenPipe,
        Self::Stalled,
        Self::UnexpectedResponse,
        Self::Unavailable,
        Self::Closed,
        Self::Deadline,
        Self::NoServer,
        Self::Interrupted,
        Self::Application,
        Self::Other,
    ];

    /// The stable name.
    ///
    /// ```
    /// assert_eq!(redial_core::Kind::ConnectTimeout.name(), "connect-timeout");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The row of the table. A new kind does not compile until it has one.
    #[must_use]
    #[rustfmt::skip] // a table reads best as one
    pub const fn facts(self) -> Facts {
        const fn row(
            name: &'static str,
            aliases: &'static [&'static str],
            stages: &'static str,
            lasting: Option<bool>,
            sentence: &'static str,
            next: &'static str,
        ) -> Facts {
            Facts { name, aliases, stages, lasting, sentence, next }
        }
        const HEALS: Option<bool> = Some(false);
        const LASTS: Option<bool> = Some(true);
        const NAMED: Option<bool> = None;
        match self {
            Self::DnsNotFound => row("dns-not-found", &["EAI_NONAME", "NXDOMAIN"], "resolve", LASTS,
                "no such name", "check the spelling, or which resolver this machine asks (/etc/resolv.conf)"),
            Self::DnsTemporary => row("dns-temporary", &["EAI_AGAIN", "EAI_FAIL", "SERVFAIL"], "resolve", HEALS,
                "the resolver could not answer now", "is the network up, and does the resolver in /etc/resolv.conf answer?"),
            Self::Refused => row("refused", &["ECONNREFUSED", "ConnectionRefusedError"], "connect", HEALS,
                "nothing listens there, or a firewall says so", "is the server running, and is this its port?"),
            Self::Unreachable => row("unreachable", &["EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN", "EAFNOSUPPORT", "ENOPROTOOPT", "ENONET"], "any", HEALS,
                "it cannot be reached from here", "is the host up, is the address right, and is there a route? See: ip route get ADDRESS"),
            Self::ConnectTimeout => row("connect-timeout", &["ETIMEDOUT"], "connect", HEALS,
                "did not answer in time; a firewall may be dropping packets", "is the address right, and may this machine reach it? To allow more time: --connect-timeout 20"),
            Self::NoSocket => row("no-socket", &["ENOENT", "FileNotFoundError"], "connect", HEALS,
                "there is no socket at that path", "is the server running, and does it listen at this path?"),
            Self::Denied => row("denied", &["EACCES", "EPERM", "PermissionError"], "connect, expect", LASTS,
                "this machine, a proxy, or the server's login, forbids it", "a local firewall rule, a security module, the rights of the socket file, a proxy's rules, or a wrong user or password (--login) say no"),
            Self::Exhausted => row("exhausted", &["EMFILE", "ENFILE", "ENOBUFS", "EADDRNOTAVAIL"], "any", HEALS,
                "this machine has no file, port, source address or memory left for it", "see: ulimit -n, and how many connections are open: ss -s"),
            Self::TlsHandshake => row("tls-handshake", &[], "tls", LASTS,
                "the TLS handshake failed", "does this port speak TLS, and a version and name both sides know?"),
            Self::TlsCertificate => row("tls-certificate", &["SSLCertVerificationError"], "tls", LASTS,
                "its certificate is not acceptable", "for a private authority: --ca FILE; for another name: --sni NAME"),
            Self::TlsTimeout => row("tls-timeout", &[], "tls", HEALS,
                "the TLS handshake did not finish in time", "is it overloaded, or does this port wait for something else? To allow more time: --tls-timeout 20"),
            Self::ClosedEarly => row("closed-early", &["IncompleteReadError", "empty-reply"], "tls, expect, stream", HEALS,
                "closed the connection before it said anything", "it may be starting, or a proxy in front of it has no server"),
            Self::Truncated => row("truncated", &[], "expect, stream", HEALS,
                "closed inside a reply", "what was received is not whole; the server's log may say why"),
            Self::Reset => row("reset", &["ECONNRESET", "ConnectionResetError"], "tls, expect, stream", HEALS,
                "reset the connection", "it may have crashed, restarted, or refused this client; its log may say why"),
            Self::BrokenPipe => row("broken-pipe", &["EPIPE", "BrokenPipeError", "ECONNABORTED"], "stream", HEALS,
                "had already closed while we were still sending", "it did not want all that was sent; its log may say why"),
            Self::Stalled => row("stalled", &[], "expect, stream", HEALS,
                "sent nothing in time", "is it overloaded, or does it wait for us to speak first (--send)?"),
            Self::UnexpectedResponse => row("unexpected-response", &["junk-response"], "expect", LASTS,
                "sent an unexpected answer", "is it the right server and port?"),
            Self::Unavailable => row("unavailable", &[], "expect", HEALS,
                "said: not now", "it is starting, full or in maintenance"),
            Self::Closed => row("closed", &[], "stream", NAMED,
                "closed the connection cleanly", "nothing is wrong; name `closed` in a clause to act on it"),
            Self::Deadline => row("deadline", &[], "any", NAMED,
                "the time allowed has passed", "to allow more: --deadline 2m"),
            Self::NoServer => row("no-server", &[], "any", HEALS,
                "no server may be tried", "every server was set aside after failures, or none was named"),
            Self::Interrupted => row("interrupted", &["KeyboardInterrupt"], "any", NAMED,
                "interrupted", "it was told to stop"),
            Self::Application => row("application", &[], "stream", HEALS,
                "the program using the connection gave up on it", "its own error says why"),
            Self::Other => row("other", &[], "any", LASTS,
                "failed in a way redial has no word for", "the errno says more; please report it, so that it gets a word"),
        }
    }

    /// Whether this kind does not heal by itself. `application` says so itself, in its failure.
    #[must_use]
    pub const fn is_lasting(self) -> bool {
        matches!(self.facts().lasting, Some(true))
    }

    /// Whether this kind is a failure only where a clause names it: `closed`, `deadline`, `interrupted`.
    #[must_use]
    pub const fn only_where_named(self) -> bool {
        self.facts().lasting.is_none()
    }

    /// Whether data may have moved on the connection before a failure of this kind. Where it never
    /// has, the guards `fresh` and `unsent` always hold.
    ///
    /// ```
    /// use redial_core::Kind;
    /// assert!(!Kind::Refused.may_follow_data());
    /// assert!(Kind::Reset.may_follow_data());
    /// ```
    #[must_use]
    pub const fn may_follow_data(self) -> bool {
        match self {
            Self::DnsNotFound
            | Self::DnsTemporary
            | Self::Refused
            | Self::ConnectTimeout
            | Self::NoSocket
            | Self::TlsTimeout
            // An opening is the policy's, and what was read to judge is not yet given to anyone.
            | Self::UnexpectedResponse
            | Self::Unavailable
            | Self::NoServer => false,
            // An alert may come late: TLS 1.3 refuses a client's certificate after the handshake.
            Self::TlsHandshake
            | Self::TlsCertificate
            | Self::Unreachable
            | Self::Denied
            | Self::Exhausted
            | Self::ClosedEarly
            | Self::Truncated
            | Self::Reset
            | Self::BrokenPipe
            | Self::Stalled
            | Self::Closed
            | Self::Deadline
            | Self::Interrupted
            | Self::Application
            | Self::Other => true,
        }
    }

    /// How much this kind tells when several addresses of one server failed; lower tells more.
    ///
    /// The order is the design's: what a server *said* outranks what a kernel said, which
    /// outranks silence, which outranks this machine's own troubles.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::TlsCertificate => 0,
            Self::UnexpectedResponse => 1,
            Self::Unavailable => 2,
            Self::TlsHandshake => 3,
            Self::Reset => 4,
            Self::ClosedEarly => 5,
            Self::Truncated => 6,
            Self::Stalled => 7,
            Self::TlsTimeout => 8,
            Self::Refused => 9,
            Self::NoSocket => 10,
            Self::Denied => 11,
            Self::ConnectTimeout => 12,
            Self::Unreachable => 13,
            Self::Exhausted => 14,
            Self::Other => 15,
            // These end a session or a stream, never one address among several.
            Self::DnsNotFound
            | Self::DnsTemporary
            | Self::BrokenPipe
            | Self::Closed
            | Self::Deadline
            | Self::NoServer
            | Self::Interrupted
            | Self::Application => 16,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Expect => "expect",
            Self::Stream => "stream",
        })
    }
}

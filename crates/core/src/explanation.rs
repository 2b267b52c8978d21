//! The sentence of a failure: what happened to which address and why, and the next step.
//!
//! One place for these words: the display of a [`Failure`], the traceback, and the report of a wait
//! print them. Start at [`Failure::sentence`].

use alloc::{
    format,
    string::{String, ToString},
};
use core::fmt;

use crate::{
    Address, Bytes, Delivery, Failure, Kind, Limits, Reason, Stage,
    quantity::{Human, Rounded},
};

impl Failure {
    /// Returns the sentence of this failure, and the next step where nothing has moved yet or what
    /// had moved where something has. `limits` are those that the connection had.
    ///
    /// ```
    /// use redial_core::{Failure, Kind, Limits, Stage};
    /// let failure = Failure::new(Kind::Refused, Stage::Connect, "db:5432".into());
    /// assert_eq!(
    ///     failure.sentence(&Limits::default()),
    ///     "refused: db:5432: nothing listens there, or a firewall says so. \
    ///      Is the server running, and is this its port?"
    /// );
    /// ```
    #[must_use]
    pub fn sentence(&self, limits: &Limits) -> String {
        let what = self.what(Some(limits));
        match (self.kind, self.moved()) {
            (Kind::Deadline, _) | (_, None) => {
                format!("{}: {what}. {}", self.kind, capital(&self.next_step()))
            }
            (_, Some(moved)) => format!("{}: {what}; not retried, {moved}", self.kind),
        }
    }

    /// Returns the next step for the reader: by the reason where there is one, else by the kind,
    /// the stage and the errno.
    #[must_use]
    pub fn next_step(&self) -> String {
        match self.reason {
            Some(Reason::DeadlinePassed | Reason::ShareOfTimeUsed) => {
                let next = self.kind.facts().next;
                let question = next.split(" To allow more time").next().unwrap_or(next);
                return format!("{question} To allow more time: --timeout 5m");
            }
            Some(reason) => return reason.next_step().to_string(),
            None => {}
        }
        let errno = self.errno.map_or("", |errno| errno.name);
        match (self.kind, self.stage, errno) {
            (Kind::Deadline, Stage::Stream, _) => "to allow more: --max-time 10m".to_string(),
            (Kind::Stalled, Stage::Stream, "ETIMEDOUT") => {
                "is the network path up, and does the server still run?".to_string()
            }
            (Kind::Stalled, Stage::Stream, _) => {
                "is the server overloaded? To allow a longer silence: --idle-timeout 5m".to_string()
            }
            (Kind::Stalled, Stage::Expect, _) => {
                format!("{} To allow more time: --reply-timeout 20s", self.kind.facts().next)
            }
            (Kind::Unreachable, _, "EAFNOSUPPORT" | "EADDRNOTAVAIL") => {
                "this machine has no address of that IP version; see: ip address".to_string()
            }
            (Kind::Unreachable, _, "ENETUNREACH" | "ENETDOWN" | "EINVAL") => {
                format!("is there a route to it? See: ip route get {}", self.route_target())
            }
            // An ICMP error, or no answer from the neighbour (ARP, NDP): there is a route.
            (Kind::Unreachable, _, errno) if !errno.is_empty() => {
                "is the host up, is the address right, and does a firewall on the path allow it?"
                    .to_string()
            }
            (Kind::Denied, _, "EACCES" | "EPERM") => match &self.address {
                Some(Address::Unix(path)) => {
                    format!("may this user write to the socket file? See: ls -l {path}")
                }
                _ => "a firewall rule or a security module of this machine forbids it; see: nft list ruleset".to_string(),
            },
            (Kind::Exhausted, _, "EMFILE") => {
                "this process may open no more files: raise the limit, see: ulimit -n".to_string()
            }
            (Kind::Exhausted, _, "ENFILE") => {
                "the system may open no more files; see: sysctl fs.file-nr fs.file-max".to_string()
            }
            (Kind::Exhausted, _, "EADDRNOTAVAIL" | "EADDRINUSE") => {
                "every local port for this destination is in use; see: ss -s, and sysctl net.ipv4.ip_local_port_range".to_string()
            }
            (Kind::Exhausted, _, "ENOBUFS" | "ENOMEM") => {
                "the kernel has no memory for another socket; see: free -m, and ss -m".to_string()
            }
            _ => self.kind.facts().next.to_string(),
        }
    }

    /// What happened to which address, and why.
    fn what(&self, limits: Option<&Limits>) -> String {
        let facts = self.kind.facts();
        let place =
            self.address.as_ref().map_or_else(|| self.server.to_string(), Address::to_string);
        let detail = self.detail.as_ref().map_or_else(String::new, |detail| format!(" ({detail})"));
        let errno = self
            .errno
            .filter(|_| self.kind == Kind::Other)
            .map_or_else(String::new, |errno| format!(" ({errno})"));
        let expected =
            self.expected.as_ref().map_or_else(String::new, |text| format!("; expected {text}"));
        match (self.kind, limits) {
            (Kind::ConnectTimeout, Some(limits)) if self.detail.is_none() => format!(
                "{place} did not answer within {}; a firewall may be dropping packets",
                Human(limits.connect)
            ),
            (Kind::Stalled, Some(limits)) if self.moved().is_none() && self.detail.is_none() => {
                format!("{place} sent nothing within {}{expected}", Human(limits.reply))
            }
            (Kind::Deadline, Some(_)) => format!("the time allowed has passed{detail}"),
            (Kind::Denied, _) if self.reason == Some(Reason::LoginRefused) => {
                format!("{place} refuses the login{detail}")
            }
            (Kind::Exhausted, _) if self.reason.is_some() => {
                format!("{place}: the source address is not an address of this machine{detail}")
            }
            _ if starts_with_verb(self.kind) => {
                format!("{place} {}{detail}{errno}{expected}", facts.sentence)
            }
            _ => format!("{place}: {}{detail}{errno}", facts.sentence),
        }
    }

    /// What had moved, and what is certain about its delivery. `None` where nothing had.
    fn moved(&self) -> Option<String> {
        // Without a count (the session cut the connection) there is no statement to make.
        if self.is_fresh() || (self.sent, self.received) == (0, 0) {
            return None;
        }
        let arrived = match self.delivery {
            Delivery::AckedAtLeast(bytes) if bytes >= self.sent => " (all of it arrived)".into(),
            Delivery::AckedAtLeast(bytes) => format!(" (at least {} arrived)", Bytes(bytes)),
            _ => String::new(),
        };
        Some(match (self.sent, self.received) {
            (0, received) => format!("{} had been received", Bytes(received)),
            (sent, 0) => format!("{} had been sent{arrived}", Bytes(sent)),
            (sent, received) => {
                format!("{} had been sent{arrived} and {} received", Bytes(sent), Bytes(received))
            }
        })
    }

    /// The IP address that `ip route get` takes, or a placeholder.
    fn route_target(&self) -> String {
        match &self.address {
            Some(Address::Ip(address)) => address.ip().to_string(),
            _ => "ADDRESS".into(),
        }
    }
}

/// `refused: 10.0.0.5:5432: nothing listens there, or a firewall says so`, and what had moved.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.what(None))?;
        match self.moved() {
            Some(moved) => write!(f, " after {}; {moved}", Rounded(self.elapsed)),
            None => Ok(()),
        }
    }
}

/// Whether the sentence of this kind begins with a verb whose subject is the address.
const fn starts_with_verb(kind: Kind) -> bool {
    match kind {
        Kind::ClosedEarly
        | Kind::Truncated
        | Kind::Reset
        | Kind::BrokenPipe
        | Kind::Stalled
        | Kind::UnexpectedResponse
        | Kind::Unavailable
        | Kind::Closed
        | Kind::ConnectTimeout => true,
        Kind::DnsNotFound
        | Kind::DnsTemporary
        | Kind::Refused
        | Kind::Unreachable
        | Kind::NoSocket
        | Kind::Denied
        | Kind::Exhausted
        | Kind::TlsHandshake
        | Kind::TlsCertificate
        | Kind::TlsTimeout
        | Kind::Deadline
        | Kind::NoServer
        | Kind::Interrupted
        | Kind::Application
        | Kind::Other => false,
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

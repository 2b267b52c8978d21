//! How far an attempt has come, for the deadline or the signal that cuts it.
//!
//! A failure without a stage does not lead to its cause: this module gives the attempt that was cut
//! its kind, its stage and what was seen so far. Start at [`Reached`].

use alloc::{format, string::String, sync::Arc};
use core::time::Duration;

use crate::{Address, Bytes, Detail, Failure, Kind, Stage, quantity::Rounded};

/// How far an attempt has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reached {
    /// The name is being looked up.
    Resolving {
        /// The name.
        name: Arc<str>,
    },
    /// SYNs were sent, or connect(2) of a Unix socket waits for room in the accept queue.
    Connecting {
        /// The address that was dialled first.
        address: Address,
        /// How many more addresses the name has.
        others: usize,
    },
    /// The proxy is connected, and is asked for the server.
    Proxy {
        /// The proxy's address.
        address: Address,
    },
    /// Connected; the TLS handshake was begun.
    Tls {
        /// The server's address.
        address: Address,
    },
    /// Connected; an answer is waited for.
    Answer {
        /// The server's address.
        address: Address,
        /// Whether something was sent that it answers.
        sent: bool,
        /// How many bytes have arrived.
        received: u64,
    },
    /// Connected; the connection has to stay open for a while.
    Settling {
        /// The server's address.
        address: Address,
    },
}

impl Reached {
    /// The kind and the stage of an attempt that was cut here.
    #[must_use]
    pub const fn kind(&self) -> (Kind, Stage) {
        match self {
            Self::Resolving { .. } => (Kind::DnsTemporary, Stage::Resolve),
            Self::Connecting { .. } | Self::Proxy { .. } => (Kind::ConnectTimeout, Stage::Connect),
            Self::Tls { .. } => (Kind::TlsTimeout, Stage::Tls),
            Self::Answer { .. } | Self::Settling { .. } => (Kind::Stalled, Stage::Expect),
        }
    }

    /// Returns what was seen, where nothing has changed for this time.
    #[must_use]
    pub fn seen(&self, time: Duration) -> String {
        let time = Rounded(time);
        match self {
            Self::Resolving { name } => {
                format!("looking up {name}: no answer of the resolver for {time}")
            }
            Self::Connecting { address: Address::Ip(_), others: 0 } => {
                format!("connecting: SYN sent, no answer for {time}")
            }
            Self::Connecting { others: 0, .. } => format!("connecting: no answer for {time}"),
            Self::Connecting { others, .. } => {
                format!("connecting to {} addresses: SYN sent, no answer for {time}", others + 1)
            }
            Self::Proxy { .. } => format!("connected to the proxy, no answer of it for {time}"),
            Self::Tls { .. } => format!("TLS handshake: connected, no answer for {time}"),
            Self::Answer { sent, received, .. } => {
                let sent = if *sent { ", request sent" } else { "" };
                match *received {
                    0 => format!("connected{sent}, no byte of an answer for {time}"),
                    bytes => format!(
                        "connected{sent}, {} of an answer, and no more for {time}",
                        Bytes(bytes)
                    ),
                }
            }
            Self::Settling { .. } => format!("connected, open for {time} so far"),
        }
    }

    const fn address(&self) -> Option<&Address> {
        match self {
            Self::Resolving { .. } => None,
            Self::Connecting { address, .. }
            | Self::Proxy { address }
            | Self::Tls { address }
            | Self::Answer { address, .. }
            | Self::Settling { address } => Some(address),
        }
    }

    /// The failure of an attempt at this server that was cut here.
    pub(super) fn failure(&self, server: Arc<str>, time: Duration) -> Failure {
        let (kind, stage) = self.kind();
        let mut failure = Failure::new(kind, stage, server);
        failure.address = self.address().cloned();
        failure.elapsed = time;
        failure.detail = Some(Detail::from_text(&self.seen(time)));
        failure
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn each_stage_has_its_kind_and_what_was_seen() {
        let address = || Address::Ip("192.0.2.1:80".parse().unwrap());
        let time = Duration::from_millis(1800);
        let rows = [
            (
                Reached::Resolving { name: "db".into() },
                Kind::DnsTemporary,
                "looking up db: no answer of the resolver for 1.8s",
            ),
            (
                Reached::Connecting { address: address(), others: 0 },
                Kind::ConnectTimeout,
                "connecting: SYN sent, no answer for 1.8s",
            ),
            (
                Reached::Connecting { address: address(), others: 2 },
                Kind::ConnectTimeout,
                "connecting to 3 addresses: SYN sent, no answer for 1.8s",
            ),
            (
                Reached::Tls { address: address() },
                Kind::TlsTimeout,
                "TLS handshake: connected, no answer for 1.8s",
            ),
            (
                Reached::Answer { address: address(), sent: true, received: 0 },
                Kind::Stalled,
                "connected, request sent, no byte of an answer for 1.8s",
            ),
            (
                Reached::Answer { address: address(), sent: false, received: 3 },
                Kind::Stalled,
                "connected, 3 B of an answer, and no more for 1.8s",
            ),
        ];
        for (reached, kind, seen) in rows {
            let failure = reached.failure("db:80".into(), time);
            assert_eq!((failure.kind, failure.elapsed), (kind, time));
            assert_eq!(failure.detail.unwrap().to_string(), seen);
        }
    }
}

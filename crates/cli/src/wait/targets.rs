//! What is waited for, as it is called in every line about it.
//!
//! It reads no words: servers come from `practice`. Start at [`of`].

use redial::{Place, Server, Tls};

/// One or more servers, any of which will do.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// `db1:5432 or db2:5432`
    pub(crate) label: String,
    pub(crate) servers: Vec<Server>,
}

/// Each with its name.
pub(crate) fn of(targets: Vec<Vec<Server>>) -> Vec<Target> {
    let named = |servers: Vec<Server>| {
        let labels: Vec<&str> = servers.iter().map(|server| &**server.label()).collect();
        Target { label: labels.join(" or "), servers }
    };
    targets.into_iter().map(named).collect()
}

/// What a server is: its protocol, or how its bytes travel.
pub(crate) fn what(server: &Server) -> &str {
    match (server.protocol(), server.place(), server.tls()) {
        (Some(protocol), ..) => protocol,
        (None, Place::Unix { .. }, _) => "unix",
        (None, Place::Host { .. }, Tls::No) => "tcp",
        (None, Place::Host { .. }, Tls::Immediately | Tls::ByProtocol) => "tls",
    }
}

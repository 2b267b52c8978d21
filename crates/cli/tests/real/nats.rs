//! NATS (nats-server), which greets in the clear.

use std::process::Command;

use super::{Place, Server, certificate::certify, exchange};

pub(crate) const PACKAGE: &str = "nats-server";

/// Ready: `INFO …`, and `PONG`.
pub(crate) fn start() -> Server {
    Server::start(PACKAGE, "nobody", command, |server| says(server, "PONG"))
}

/// Ready, and wants TLS behind its `INFO`.
pub(crate) fn over_tls() -> Server {
    let furnish = |place: &Place| {
        let certified = certify(place);
        let mut command = command(place);
        command.args(["--tls", "--tlscert", &certified.cert, "--tlskey", &certified.key]);
        command
    };
    Server::start(PACKAGE, "nobody", furnish, |server| says(server, "\"tls_required\":true"))
}

fn says(server: &Server, word: &str) -> bool {
    exchange(server.port(), b"PING\r\n-\r\n").contains(word)
}

fn command(place: &Place) -> Command {
    let mut command = Command::new("nats-server");
    command.args(["-a", "127.0.0.1", "-p", &place.port().to_string()]);
    command
}

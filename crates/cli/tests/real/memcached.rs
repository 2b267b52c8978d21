//! memcached (memcached).

use std::process::Command;

use super::{Place, Server, exchange};

pub(crate) const PACKAGE: &str = "memcached";

/// Ready: `VERSION …`.
pub(crate) fn start() -> Server {
    Server::start(PACKAGE, "nobody", |place| command(place, "64"), answers)
}

/// Takes no more clients: `ERROR Too many open connections`, until it may go on.
pub(crate) fn full() -> Server {
    let server = Server::start(PACKAGE, "nobody", |place| command(place, "64"), answers);
    // It goes by the number of the descriptor: how many it takes depends on those that it was born
    // with, which are those of whoever runs the tests.
    server.fill(1..=64, b"version\r\n", "ERROR Too many")
}

/// What it says when asked for its version.
pub(crate) fn version(port: u16) -> String {
    exchange(port, b"version\r\nquit\r\n")
}

fn answers(server: &Server) -> bool {
    version(server.port()).starts_with("VERSION ")
}

fn command(place: &Place, clients: &str) -> Command {
    let mut command = Command::new("memcached");
    command.args(["-l", "127.0.0.1", "-p", &place.port().to_string(), "-U", "0"]);
    command.args(["-m", "8", "-t", "1", "-c", clients]);
    command
}

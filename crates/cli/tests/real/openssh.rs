//! OpenSSH (openssh-server).

use std::process::Command;

use super::{Place, Server, ask, exchange, place::installed};

pub(crate) const PACKAGE: &str = "openssh-server";

/// Ready: `SSH-2.0-OpenSSH_…`.
pub(crate) fn start() -> Server {
    Server::start(PACKAGE, "nobody", |place| command(place, "20:100:20"), offers_keys)
}

/// Takes no more strangers: `Exceeded MaxStartups`, until it may go on.
pub(crate) fn full() -> Server {
    let server = Server::start(PACKAGE, "nobody", |place| command(place, "2:100:2"), offers_keys);
    server.fill(2..=2, b"", "Exceeded MaxStartups")
}

/// Its keys, as ssh-keyscan says them.
pub(crate) fn keys(port: u16) -> String {
    let port = port.to_string();
    ask("openssh-client", &["ssh-keyscan", "-t", "ed25519", "-p", &port, "127.0.0.1"]).1
}

/// What it says to one who says nothing that it knows.
pub(crate) fn visit(port: u16) -> String {
    exchange(port, b"\r\n")
}

fn offers_keys(server: &Server) -> bool {
    keys(server.port()).contains(" ssh-ed25519 ")
}

fn command(place: &Place, startups: &str) -> Command {
    let (port, key) = (place.port(), place.path("key"));
    let keygen = installed("ssh-keygen", "openssh-client");
    place.prepare(&keygen, &["-q", "-t", "ed25519", "-N", "", "-f", &key]);
    let text = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {key}\nPidFile none\nUsePAM no\n\
         MaxStartups {startups}\nLoginGraceTime 600\n"
    );
    let mut command = Command::new("sshd");
    command.args(["-D", "-e", "-f", &place.write("conf", text)]);
    command
}

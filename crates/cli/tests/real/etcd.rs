//! etcd (etcd-server).

use std::{net::TcpStream, process::Command};

use super::{Place, Server, ask, place::free_port};

pub(crate) const PACKAGE: &str = "etcd-server";

/// Ready: `{"health":"true"}`.
pub(crate) fn start() -> Server {
    Server::start(PACKAGE, "nobody", |place| command(place, ""), |server| healthy(server.port()).0)
}

/// One of two members that has lost the other: 503, `{"health":"false"}`. It does not heal.
pub(crate) fn without_quorum() -> Server {
    let server = start();
    // The other was never there; what the members agreed on counts.
    let (added, said) =
        ctl(server.port(), &["member", "add", "ghost", "--peer-urls=http://127.0.0.1:1"]);
    assert!(added, "{said}\n{}", server.log());
    server
}

/// One of two members that has not met the other yet: it accepts, and says nothing.
pub(crate) fn alone() -> Server {
    let furnish = |place: &Place| command(place, ",ghost=http://127.0.0.1:1");
    Server::start(PACKAGE, "nobody", furnish, |server| TcpStream::connect(server.address()).is_ok())
}

/// Whether it is healthy, as etcdctl says it.
pub(crate) fn healthy(port: u16) -> (bool, String) {
    ctl(port, &["endpoint", "health"])
}

fn ctl(port: u16, words: &[&str]) -> (bool, String) {
    let endpoint = format!("--endpoints=http://127.0.0.1:{port}");
    ask("etcd-client", &[&["etcdctl", &*endpoint, "--command-timeout=1s"][..], words].concat())
}

fn command(place: &Place, others: &str) -> Command {
    let clients = format!("http://127.0.0.1:{}", place.port());
    let peers = format!("http://127.0.0.1:{}", free_port());
    let mut command = Command::new("etcd");
    command.args(["--name=real", "--data-dir=data", "--unsafe-no-fsync", "--log-level=error"]);
    command.arg(format!("--listen-client-urls={clients}"));
    command.arg(format!("--advertise-client-urls={clients}"));
    command.arg(format!("--listen-peer-urls={peers}"));
    command.arg(format!("--initial-advertise-peer-urls={peers}"));
    command.arg(format!("--initial-cluster=real={peers}{others}"));
    command
}

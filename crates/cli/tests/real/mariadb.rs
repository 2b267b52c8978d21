//! MariaDB (mariadb-server): the user `app`, with a password, and the database `app`, which is theirs.
//!
//! It counts the errors of an address and blocks it after a hundred, but never 127.0.0.1: a test of
//! that comes as [`COUNTED`], to [`counted`], by [`Forward::as_from`](super::Forward::as_from).

use std::{
    net::{Ipv4Addr, SocketAddr},
    process::Command,
};

use super::{Place, Server, ask, certificate::certify, place::installed};

pub(crate) const PACKAGE: &str = "mariadb-server";
pub(crate) const PASSWORD: &str = "r3al-mar1a";

/// A client's address whose errors are counted.
pub(crate) const COUNTED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Where it listens for a client of that address.
pub(crate) fn counted(server: &Server) -> SocketAddr {
    SocketAddr::from((COUNTED, server.port()))
}

/// Ready.
pub(crate) fn start() -> Server {
    Server::start(PACKAGE, "mysql", |place| command(place, &[]), accepts)
}

/// Ready, and for nobody who does not come through TLS.
pub(crate) fn over_tls() -> Server {
    let furnish = |place: &Place| {
        let certified = certify(place);
        let mut command = command(place, &["--require-secure-transport=on"]);
        command.arg(format!("--ssl-ca={}", certified.ca));
        command.arg(format!("--ssl-cert={}", certified.cert));
        command.arg(format!("--ssl-key={}", certified.key));
        command
    };
    let accepts = |server: &Server| query_over_tls(server.port(), "select 1").0;
    Server::start(PACKAGE, "mysql", furnish, accepts)
}

/// Ready; it blocks a client's address after one error, and has the user `ed`, who logs in by a
/// plugin of MariaDB's own.
pub(crate) fn strict() -> Server {
    let furnish = |place: &Place| command(place, &["--max-connect-errors=1"]);
    let server = Server::start(PACKAGE, "mysql", furnish, accepts);
    let ed = "install soname 'auth_ed25519'; \
              create user ed@'%' identified via ed25519 using password('x')";
    let (made, said) = as_root(&server, ed);
    assert!(made, "{said}");
    server
}

/// Takes no more clients: error 1040, until it may go on.
pub(crate) fn full() -> Server {
    let few = ["--max-connections=10", "--connect-timeout=600"];
    let furnish = move |place: &Place| command(place, &few);
    Server::start(PACKAGE, "mysql", furnish, accepts).fill(11..=11, b"", "Too many connections")
}

/// As the user's own client says it: what a query gives, or why there is none.
pub(crate) fn query(port: u16, query: &str) -> (bool, String) {
    client(port, &[query])
}

/// The same, through TLS.
pub(crate) fn query_over_tls(port: u16, query: &str) -> (bool, String) {
    client(port, &[query, "--ssl"])
}

fn client(port: u16, query: &[&str]) -> (bool, String) {
    let (port, password) = (format!("-P{port}"), format!("-p{PASSWORD}"));
    let server = ["-h127.0.0.1", &port, "-uapp", &password];
    let words = [&["mariadb", "--no-defaults", "-BN", "-e"][..], query, &server].concat();
    ask("mariadb-client", &words)
}

fn as_root(server: &Server, query: &str) -> (bool, String) {
    let socket = format!("--socket={}", server.path("socket"));
    ask("mariadb-client", &["mariadb", "--no-defaults", "-BN", "-e", query, &socket, "-uroot"])
}

fn accepts(server: &Server) -> bool {
    query(server.port(), "select 1").0
}

fn command(place: &Place, more: &[&str]) -> Command {
    let data = format!("--datadir={}", place.path("data"));
    let temporary = format!("--tmpdir={}", place.path(""));
    let small = ["--innodb-log-file-size=4M", "--innodb-buffer-pool-size=8M"];
    let quick = ["--innodb-flush-method=nosync", "--innodb-doublewrite=0"];
    let common = [&["--no-defaults", &*data, &temporary][..], &quick, &small].concat();
    let script = installed("mariadb-install-db", PACKAGE);
    place.prepare(&script, &[&common[..], &["--skip-test-db"]].concat());
    // One statement a line. Whoever comes from a known name has to be known at it.
    let names = ["%", "localhost", "peer"];
    let user = |name| {
        format!(
            "create user app@'{name}' identified by '{PASSWORD}';\n\
             grant all on app.* to app@'{name}';\n"
        )
    };
    let users = String::from("create database app;\n") + &names.map(user).concat();
    // The names of who connects: from a file, so that no resolver decides.
    place.write("hosts", "127.0.0.1 localhost\n127.0.0.2 peer\n");
    let init = format!("--init-file={}", place.write("init.sql", users));
    let mut command = Command::new("mariadbd");
    command.args(common).args(["--bind-address=127.0.0.1,127.0.0.2", &init]);
    command
        .args([format!("--port={}", place.port()), format!("--socket={}", place.path("socket"))]);
    command.args(["--performance-schema=off", "--key-buffer-size=1M", "--skip-log-bin"]);
    command.args(["--aria-pagecache-buffer-size=1M"]).args(more);
    command
}

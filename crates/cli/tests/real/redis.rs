//! Redis (redis-server).

use std::process::Command;

use super::{Place, Server, ask, certificate::certify};

pub(crate) const PACKAGE: &str = "redis-server";
pub(crate) const PASSWORD: &str = "r3al-red1s";

/// Ready: `+PONG`.
pub(crate) fn start() -> Server {
    Server::start(PACKAGE, "redis", |place| command(place, &[]), |server| says(server, "PONG"))
}

/// Ready, through TLS alone.
pub(crate) fn over_tls() -> Server {
    let furnish = |place: &Place| {
        let (port, certified) = (place.port().to_string(), certify(place));
        let mut command = command(place, &["--port", "0", "--tls-port", &port]);
        command.args(["--tls-cert-file", &certified.cert, "--tls-key-file", &certified.key]);
        command.args(["--tls-ca-cert-file", &certified.ca, "--tls-auth-clients", "no"]);
        command
    };
    Server::start(PACKAGE, "redis", furnish, |server| {
        let trusting = ["--tls", "--cacert", &server.path("ca.pem"), "ping"];
        cli(server.port(), &trusting).1.contains("PONG")
    })
}

/// Wants [`PASSWORD`]: `-NOAUTH`.
pub(crate) fn locked() -> Server {
    let furnish = |place: &Place| command(place, &["--requirepass", PASSWORD]);
    Server::start(PACKAGE, "redis", furnish, |server| says(server, "NOAUTH"))
}

/// Loading a large dataset, a millisecond a key: `-LOADING`, until it may go on.
pub(crate) fn loading() -> Server {
    loading_with(&[], &[])
}

/// The same, and it wants [`PASSWORD`] first.
pub(crate) fn loading_locked() -> Server {
    loading_with(&["--requirepass", PASSWORD], &["--no-auth-warning", "-a", PASSWORD])
}

fn loading_with(more: &'static [&'static str], login: &'static [&'static str]) -> Server {
    let furnish = |place: &Place| {
        place.write("dump.rdb", dataset(60_000));
        let often = ["--loading-process-events-interval-bytes", "1024"];
        command(place, &[&["--key-load-delay", "1000"][..], &often, more].concat())
    };
    let ask = move |server: &Server, words: &[&str]| cli(server.port(), &[login, words].concat()).1;
    let faster = move |server: &Server| {
        let _ = ask(server, &["config", "set", "key-load-delay", "0"]);
    };
    let loads = |server: &Server| ask(server, &["ping"]).contains("LOADING");
    Server::start(PACKAGE, "redis", furnish, loads).until(faster)
}

/// Knows the user `app` with [`PASSWORD`], who may do everything but PING.
pub(crate) fn with_a_user() -> Server {
    let password = format!(">{PASSWORD}");
    let user = ["--user", "app", "on", &password, "~*", "+@all", "-ping"];
    let furnish =
        |place: &Place| command(place, &[&["--requirepass", PASSWORD][..], &user].concat());
    Server::start(PACKAGE, "redis", furnish, |server| says(server, "NOAUTH"))
}

/// Takes no more clients: `-ERR max number of clients reached`, until it may go on.
pub(crate) fn full() -> Server {
    let furnish = |place: &Place| command(place, &["--maxclients", "4"]);
    let server = Server::start(PACKAGE, "redis", furnish, |server| says(server, "PONG"));
    server.fill(4..=4, b"PING\r\n", "-ERR max")
}

/// As redis-cli says it.
pub(crate) fn cli(port: u16, words: &[&str]) -> (bool, String) {
    let port = port.to_string();
    ask("redis-server", &[&["redis-cli", "-h", "127.0.0.1", "-p", &port][..], words].concat())
}

fn says(server: &Server, word: &str) -> bool {
    cli(server.port(), &["ping"]).1.contains(word)
}

fn command(place: &Place, more: &[&str]) -> Command {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &place.port().to_string()]);
    command.args(["--save", "", "--appendonly", "no"]).args(more);
    command
}

/// A file that Redis reads at its start: so many keys, each a word (RDB version 9, no checksum).
fn dataset(keys: u32) -> Vec<u8> {
    let mut bytes = b"REDIS0009\xfe\0".to_vec();
    for key in 0..keys {
        bytes.extend_from_slice(b"\0\x08");
        bytes.extend_from_slice(format!("{key:08}").as_bytes());
        bytes.extend_from_slice(b"\x05value");
    }
    bytes.extend_from_slice(b"\xff\0\0\0\0\0\0\0\0");
    bytes
}

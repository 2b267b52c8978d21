//! The real servers are what they say: each, in each of its states, asked by its own client.
//!
//! Behind the feature `real`: `./test` installs them, and a missing one fails. What redial makes of
//! them is tested where the verb is.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod real;

use std::{
    fs,
    io::Read,
    net::TcpStream,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, Instant},
};

use real::{
    Forward, Server, ask, dovecot, etcd, exchange, exim, first, mariadb, memcached, mosquitto,
    nats, nginx, openssh, postgres, redis, slapd, vsftpd,
};

/// Stops it; then nobody listens, nothing runs, and nothing lies about.
fn leaves_nothing(server: Server) {
    let (port, folder, namespace) = (server.port(), server.path(""), server.namespace());
    server.stop();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "port {port}");
    assert!(!Path::new(&folder).exists(), "{folder}");
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let number = namespace.metadata().unwrap().ino();
    let lives = |path: &Path| fs::metadata(path.join("ns/pid")).is_ok_and(|ns| ns.ino() == number);
    let left: Vec<_> = processes.map(|process| process.path()).filter(|path| lives(path)).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Asks until the answer is the one that is expected: what ends is on its way.
fn in_time<T: PartialEq + std::fmt::Debug>(server: &Server, expected: &T, ask: impl Fn() -> T) {
    let begun = Instant::now();
    loop {
        let said = ask();
        if said == *expected {
            return;
        }
        let log = || server.log();
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{said:?}, not {expected:?}:\n{}",
            log()
        );
    }
}

#[test]
fn postgres_is_ready() {
    let server = postgres::start();
    assert_eq!(postgres::query(server.port(), "select 1"), (true, "1\n".into()));
    leaves_nothing(server);
}

#[test]
fn postgres_starts_up_and_is_ready() {
    let mut server = postgres::starting_up();
    let (content, said) = postgres::query(server.port(), "select 1");
    assert!(!content && said.contains("the database system is starting up"), "{said}");
    server.go_on();
    in_time(&server, &(true, "1\n".into()), || postgres::query(server.port(), "select 1"));
    leaves_nothing(server);
}

#[test]
fn postgres_that_starts_up_leaves_nothing() {
    leaves_nothing(postgres::starting_up());
}

#[test]
fn postgres_is_full_and_then_is_not() {
    let mut server = postgres::full();
    let (content, said) = postgres::query(server.port(), "select 1");
    assert!(!content && said.contains("sorry, too many clients already"), "{said}");
    server.go_on();
    in_time(&server, &(true, "1\n".into()), || postgres::query(server.port(), "select 1"));
    leaves_nothing(server);
}

#[test]
fn redis_is_ready() {
    let server = redis::start();
    assert_eq!(redis::cli(server.port(), &["ping"]), (true, "PONG\n".into()));
    leaves_nothing(server);
}

#[test]
fn redis_wants_a_password() {
    let server = redis::locked();
    assert!(redis::cli(server.port(), &["ping"]).1.starts_with("NOAUTH "));
    let ping = ["--no-auth-warning", "-a", redis::PASSWORD, "ping"];
    assert_eq!(redis::cli(server.port(), &ping), (true, "PONG\n".into()));
    leaves_nothing(server);
}

#[test]
fn redis_loads_and_is_ready() {
    let mut server = redis::loading();
    assert!(redis::cli(server.port(), &["ping"]).1.starts_with("LOADING "));
    server.go_on();
    in_time(&server, &(true, "PONG\n".into()), || redis::cli(server.port(), &["ping"]));
    assert_eq!(redis::cli(server.port(), &["dbsize"]).1, "60000\n");
    leaves_nothing(server);
}

#[test]
fn redis_is_full_and_then_is_not() {
    let mut server = redis::full();
    assert!(exchange(server.port(), b"").starts_with("-ERR max number of clients reached"));
    server.go_on();
    in_time(&server, &(true, "PONG\n".into()), || redis::cli(server.port(), &["ping"]));
    leaves_nothing(server);
}

#[test]
fn mariadb_is_ready() {
    let server = mariadb::start();
    assert_eq!(mariadb::query(server.port(), "select 1"), (true, "1\n".into()));
    leaves_nothing(server);
}

#[test]
fn mariadb_is_full_and_then_is_not() {
    let mut server = mariadb::full();
    let (content, said) = mariadb::query(server.port(), "select 1");
    assert!(!content && said.contains("Too many connections"), "{said}");
    server.go_on();
    in_time(&server, &(true, "1\n".into()), || mariadb::query(server.port(), "select 1"));
    leaves_nothing(server);
}

/// What a probe that reads its greeting and leaves does to everybody at its address.
#[test]
fn mariadb_blocks_who_keeps_leaving_at_its_greeting() {
    let server = mariadb::start();
    let peer = Forward::as_from(mariadb::COUNTED, mariadb::counted(&server));
    let login = || mariadb::query(peer.port(), "select user()");
    assert_eq!(login(), (true, "app@peer\n".into()));
    let leave = || first(peer.port()).contains("is blocked because of many connection errors");
    let left = (1..=200).find(|_| leave());
    // It counts who left when it notices, which may be after the next one has come.
    assert!(left.is_some_and(|left| left > 100), "{left:?}: {}", server.log());
    let (content, said) = login();
    assert!(!content && said.contains("1129"), "{said}");
    leaves_nothing(server);
}

#[test]
fn mosquitto_is_ready_and_wants_a_password() {
    let (open, locked) = (mosquitto::start(), mosquitto::locked());
    assert_eq!(mosquitto::connack(open.port()), Some(0));
    assert_eq!(mosquitto::connack(locked.port()), Some(5));
    leaves_nothing(open);
    leaves_nothing(locked);
}

#[test]
fn nginx_says_what_is_behind_it() {
    let server = nginx::start();
    for (page, status) in [("/", "200"), ("/starting", "503"), ("/dead", "502")] {
        assert_eq!(nginx::status(server.port(), page), status, "{page}");
    }
    leaves_nothing(server);
}

#[test]
fn memcached_is_ready_and_full() {
    let (server, mut full) = (memcached::start(), memcached::full());
    assert!(memcached::version(server.port()).starts_with("VERSION "));
    assert!(exchange(full.port(), b"").starts_with("ERROR Too many open connections"));
    full.go_on();
    in_time(&full, &true, || memcached::version(full.port()).starts_with("VERSION "));
    leaves_nothing(server);
    leaves_nothing(full);
}

#[test]
fn etcd_is_healthy() {
    let server = etcd::start();
    assert!(etcd::healthy(server.port()).0);
    leaves_nothing(server);
}

#[test]
fn etcd_loses_its_quorum() {
    let server = etcd::without_quorum();
    assert_eq!(nginx::status(server.port(), "/health"), "503");
    leaves_nothing(server);
}

#[test]
fn etcd_that_is_alone_accepts_and_is_silent() {
    let server = etcd::alone();
    let mut connection = TcpStream::connect(server.address()).unwrap();
    connection.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(connection.read(&mut [0]).is_err());
    assert!(!etcd::healthy(server.port()).0);
    leaves_nothing(server);
}

#[test]
fn exim_is_ready_and_full() {
    let (server, mut full) = (exim::start(), exim::full());
    let said = exim::visit(server.port());
    assert!(said.starts_with("220 mail.test ESMTP ") && said.contains("\r\n221 "), "{said}");
    assert!(exchange(full.port(), b"").starts_with("421 Too many concurrent SMTP connections"));
    full.go_on();
    in_time(&full, &true, || exim::visit(full.port()).starts_with("220 "));
    leaves_nothing(server);
    leaves_nothing(full);
}

#[test]
fn openssh_is_ready_and_full() {
    let (server, mut full) = (openssh::start(), openssh::full());
    assert!(openssh::visit(server.port()).starts_with("SSH-2.0-OpenSSH_"));
    assert_eq!(exchange(full.port(), b""), "Exceeded MaxStartups\r\n");
    full.go_on();
    in_time(&full, &true, || openssh::keys(full.port()).contains(" ssh-ed25519 "));
    leaves_nothing(server);
    leaves_nothing(full);
}

#[test]
fn a_late_proxy_closes_and_then_forwards() {
    let server = redis::start();
    let late = Forward::late(server.address(), Duration::from_millis(500));
    assert_eq!(exchange(late.port(), b""), "");
    in_time(&server, &"+PONG\r\n+OK\r\n".into(), || exchange(late.port(), b"PING\r\nQUIT\r\n"));
    assert!(Instant::now() >= late.opens());
    assert!(matches!(late.seen(), (1.., 1)), "{:?}", late.seen());
    let port = server.port();
    server.stop();
    assert_eq!(exchange(late.port(), b"PING\r\n"), "", "nobody listens at {port}");
}

/// By the word of another client, which is told of the server's authority.
#[track_caller]
fn begins_tls(server: Server, how: &[&str]) {
    let (at, ca) = (server.address().to_string(), server.path("ca.pem"));
    let client = ["openssl", "s_client", "-brief", "-connect", &at, "-verify_return_error"];
    let checks = ["-CAfile", &ca, "-verify_ip", "127.0.0.1"];
    let (content, said) = ask("openssl", &[&client[..], &checks, how].concat());
    assert!(content && said.contains("Verification: OK"), "{how:?}: {said}");
    leaves_nothing(server);
}

#[test]
fn those_that_begin_tls_do() {
    begins_tls(redis::over_tls(), &[]);
    begins_tls(nginx::over_tls(), &[]);
    begins_tls(postgres::over_tls(), &["-starttls", "postgres"]);
    begins_tls(mariadb::over_tls(), &["-starttls", "mysql"]);
    begins_tls(exim::with_starttls(), &["-starttls", "smtp"]);
    begins_tls(dovecot::imap(), &["-starttls", "imap"]);
    begins_tls(dovecot::pop3(), &["-starttls", "pop3"]);
    begins_tls(vsftpd::with_auth_tls(), &["-starttls", "ftp"]);
    begins_tls(slapd::with_starttls(), &["-starttls", "ldap"]);
}

#[test]
fn those_without_tls_leave_nothing_either() {
    for server in [vsftpd::start(), slapd::start(), nats::start(), nats::over_tls()] {
        leaves_nothing(server);
    }
}

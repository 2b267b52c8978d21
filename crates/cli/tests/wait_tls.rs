//! `redial wait` and real servers behind TLS: from the first byte, and where the protocol begins it
//! in its own words.
//!
//! Each server has a certificate for loopback by an authority of its own, which redial is told of
//! by `--ca`, or is not. What they say without TLS is in `wait_real`.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod real;
mod support;

use real::{Forward, Server, dovecot, exim, mariadb, nats, nginx, postgres, redis, slapd, vsftpd};
use serde_json::Value;
use support::redial;

/// Ready with the server's authority, five times, and every line that it logs meanwhile has one of
/// these words in it.
#[track_caller]
fn ready(server: &Server, target: &str, logs: &[&str]) {
    let before = server.log().len();
    for _ in 0..5 {
        trusting(server, target);
    }
    let log = server.log();
    for line in log[before..].lines() {
        assert!(logs.iter().any(|word| line.contains(word)), "{target}: it logs: {line}");
    }
}

/// Without the server's authority the wait is over at once.
#[track_caller]
fn distrusted(target: &str) {
    let ran = redial(["wait", target, "-t", "30"]).run();
    assert_eq!(ran.status, Some(1), "{ran}");
    for words in ["tls-certificate", "its issuer is not trusted here", "--ca FILE"] {
        assert!(ran.stderr.contains(words), "{ran}");
    }
}

/// Ready with the server's authority.
#[track_caller]
fn trusting(server: &Server, target: &str) {
    let ran = redial(["wait", "--once", target, "-q", "--ca", &server.path("ca.pem")]).run();
    assert_eq!(ran.status, Some(0), "{ran}");
}

/// Not ready, for this reason and in these words.
#[track_caller]
fn not_ready(words: &[&str], kind: &str, detail: &str) {
    let ran = redial(["wait", "--once", "--json"].iter().chain(words).copied()).run();
    let json: Value = serde_json::from_str(ran.stdout.trim()).unwrap_or_else(|_| panic!("{ran}"));
    let failure = &json["targets"][0]["servers"][0]["failure"];
    assert_eq!((ran.status, failure["kind"].as_str()), (Some(1), Some(kind)), "{ran}");
    let said = failure["detail"].as_str().unwrap_or_default();
    assert!(said.contains(detail), "{said:?}, not {detail:?}");
}

/// As [`not_ready`], with the server's authority.
#[track_caller]
fn not_ready_behind(server: &Server, target: &str, kind: &str, detail: &str) {
    not_ready(&[target, "--ca", &server.path("ca.pem")], kind, detail);
}

#[test]
fn postgres_begins_tls_and_is_left_without_a_word_in_its_log() {
    let server = postgres::over_tls();
    let at = server.address();
    // A password is asked for; a session begins; its name instead of its number.
    let target = format!("postgres://app@{at}/postgres?sslmode=verify-full");
    ready(&server, &target, &[]);
    ready(&server, &format!("postgres://app@{at}/template1?sslmode=require"), &[]);
    ready(&server, &format!("postgres://localhost:{}?sslmode=verify-full", at.port()), &[]);
    ready(&server, &format!("{at}#as=postgres,starttls"), &[]);
    distrusted(&target);
}

#[test]
fn sslmode_is_as_libpq_means_it() {
    let server = postgres::over_tls();
    let ca = server.path("ca.pem");
    let target = |mode: &str| format!("postgres://app@{}/?sslmode={mode}", server.address());
    let rooted = |mode: &str| format!("{}&sslrootcert={ca}", target(mode));
    let ready = |words: &[&str]| {
        let ran = redial(["wait", "--once", "-q"].iter().chain(words).copied()).run();
        assert_eq!(ran.status, Some(0), "{ran}");
    };
    let elsewhere = ["--sni", "db.example"];
    let with_name = |target: String| vec![target, elsewhere[0].into(), elsewhere[1].into()];
    fn words(owned: &[String]) -> Vec<&str> {
        owned.iter().map(|word| &**word).collect()
    }
    // It encrypts, and checks nothing unless authorities are named; then the chain alone.
    for mode in ["require", "prefer"] {
        ready(&[&target(mode)]);
        ready(&[&rooted(mode)]);
        ready(&[&target(mode), "--ca", &ca]);
        ready(&words(&with_name(rooted(mode))));
    }
    for mode in ["verify-ca", "verify-full"] {
        not_ready(&[&target(mode)], "tls-certificate", "is not trusted here");
        ready(&[&rooted(mode)]);
        ready(&[&format!("{}#ca={ca}", target(mode))]);
        trusting(&server, &target(mode));
    }
    ready(&words(&with_name(rooted("verify-ca"))));
    not_ready(&words(&with_name(rooted("verify-full"))), "tls-certificate", "not for db.example");
    let system = format!("postgres://app@{}/?sslrootcert=system", server.address());
    not_ready(&[&system, "--ca", &ca], "tls-certificate", "is not trusted here");
    // It lets nobody in who comes in the clear, and says so: it is up.
    for mode in ["disable", "allow"] {
        let before = server.log().len();
        ready(&[&target(mode)]);
        let log = server.log();
        assert!(log[before..].contains("no pg_hba.conf entry"), "{mode}: {log}");
        assert!(log[before..].contains("no encryption"), "{mode}: {log}");
    }
    let plain = postgres::start();
    let preferred = format!("postgres://app@{}/?sslmode=prefer", plain.address());
    ready(&[&preferred]);
}

#[test]
fn postgres_starting_up_behind_tls_is_unavailable() {
    let mut server = postgres::starting_up_over_tls();
    let target = format!("postgres://app@{}/?sslmode=verify-full", server.address());
    not_ready_behind(&server, &target, "unavailable", "the database system is starting up");
    let ca = server.path("ca.pem");
    let mut live = redial(["wait", &target, "-t", "30", "--ca", &ca]).start();
    live.hears(": unavailable");
    server.go_on();
    let ran = live.end();
    assert_eq!((ran.status, &*ran.stdout), (Some(0), &*format!("{target}\n")), "{ran}");
}

#[test]
fn mariadb_begins_tls() {
    let server = mariadb::over_tls();
    let at = server.address();
    let target = format!("mysql://{at}/?ssl-mode=verify_identity");
    ready(&server, &target, &["Access denied for user 'redial'"]);
    distrusted(&target);
    trusting(&server, &format!("mariadb://{at}/?tls=true"));
    // Who comes in the clear is refused as anybody else is: it is up.
    let ran = redial(["wait", "--once", &format!("mysql://{at}"), "-q"]).run();
    assert_eq!(ran.status, Some(0), "{ran}");
}

/// PostgreSQL offers SCRAM with channel binding there as well, and the log of MariaDB stays empty.
#[test]
fn logins_come_after_tls() {
    let server = postgres::over_tls();
    let at = server.address();
    let url = |password: &str| format!("postgres://app:{password}@{at}/?sslmode=require#login");
    trusting(&server, &url(postgres::PASSWORD));
    let said = "password authentication failed for user \"app\"";
    not_ready_behind(&server, &url("wrong"), "denied", said);
    let server = mariadb::over_tls();
    let at = server.address();
    let url = |password: &str| format!("mysql://app:{password}@{at}/app?tls=true#login");
    ready(&server, &url(mariadb::PASSWORD), &[]);
    not_ready_behind(&server, &url("wrong"), "denied", "Access denied for user 'app'");
}

/// A client that leaves before it has said who it is counts, and a hundred of those block its host.
#[test]
fn a_hundred_and_twenty_checks_of_a_mariadb_behind_tls_do_not_block_anybody() {
    let server = mariadb::over_tls();
    let counted = Forward::as_from(mariadb::COUNTED, mariadb::counted(&server));
    let target = format!("mysql://127.0.0.1:{}/?tls=true", counted.port());
    for _ in 0..120 {
        trusting(&server, &target);
    }
    assert_eq!(counted.seen().1, 120);
    let (content, said) = mariadb::query_over_tls(counted.port(), "select 1");
    assert!(content, "{said}");
}

/// Nor do those of a server that is asked for TLS and has none: they are tried again.
#[test]
fn a_hundred_and_twenty_wishes_for_tls_do_not_block_anybody() {
    let server = mariadb::start();
    let counted = Forward::as_from(mariadb::COUNTED, mariadb::counted(&server));
    let target = format!("mysql://app@127.0.0.1:{}/?tls=true", counted.port());
    let before = server.log().len();
    for _ in 0..120 {
        not_ready(&[&target], "tls-handshake", "it does not offer TLS");
    }
    let (content, said) = mariadb::query(counted.port(), "select 1");
    assert!(content, "{said}");
    // The user whose name was to travel behind TLS is not named.
    assert!(!server.log()[before..].contains("'app'"), "{}", server.log());
}

#[test]
fn redis_behind_tls() {
    let server = redis::over_tls();
    let at = server.address();
    ready(&server, &format!("rediss://{at}"), &[]);
    ready(&server, &format!("redis://{at}?tls=true"), &[]);
    ready(&server, &format!("tls://{at}"), &[]);
    distrusted(&format!("rediss://{at}"));
    not_ready(&[&format!("redis://{at}")], "reset", "");
}

#[test]
fn nginx_behind_tls() {
    let server = nginx::over_tls();
    let at = server.address();
    ready(&server, &format!("https://{at}"), &["\"GET / HTTP/1.1\" 200"]);
    trusting(&server, &format!("https://{at}/#body=hello"));
    not_ready_behind(&server, &format!("https://{at}/starting"), "unavailable", "503");
    not_ready_behind(&server, &format!("https://{at}/dead"), "unavailable", "502");
    not_ready(&[&format!("http://{at}")], "unexpected-response", "400");
    distrusted(&format!("https://{at}"));
}

#[test]
fn a_mail_server_begins_tls() {
    let server = exim::with_starttls();
    let target = format!("smtp://{}#starttls", server.address());
    ready(&server, &target, &[]);
    distrusted(&target);
}

/// A line for each who leaves without a login, which finds nothing wrong with TLS.
#[test]
fn mailboxes_begin_tls() {
    for (scheme, server) in [("imap", dovecot::imap()), ("pop3", dovecot::pop3())] {
        let target = format!("{scheme}://{}#starttls", server.address());
        ready(&server, &target, &["Aborted login by logging out"]);
        distrusted(&target);
    }
}

#[test]
fn a_directory_begins_tls() {
    let server = slapd::with_starttls();
    let target = format!("ldap://{}#starttls", server.address());
    let logs = ["ACCEPT", "EXT oid", "STARTTLS", "err=0", "TLS established", "BIND", "closed"];
    ready(&server, &target, &logs);
    assert!(!server.log().contains("connection lost"), "{}", server.log());
    distrusted(&target);
}

#[test]
fn nats_begins_tls() {
    let server = nats::over_tls();
    let at = server.address();
    let target = format!("nats://{at}?tls=true");
    ready(&server, &target, &[]);
    distrusted(&target);
    // It is up for who comes in the clear as well, and says that it wants TLS.
    let ran = redial(["wait", "--once", &format!("nats://{at}"), "-q"]).run();
    assert_eq!(ran.status, Some(0), "{ran}");
}

#[test]
fn files_begin_tls() {
    let server = vsftpd::with_auth_tls();
    let target = format!("ftp://{}#starttls", server.address());
    ready(&server, &target, &["CONNECT"]);
    distrusted(&target);
}

/// Each says so in its own words, and the recipe in one sentence.
#[test]
fn a_server_that_offers_no_tls_says_so() {
    fn refuses(server: &Server, scheme: &str, wish: &str) {
        let target = format!("{scheme}://{}{wish}", server.address());
        not_ready(&[&target], "tls-handshake", "it does not offer TLS");
    }
    refuses(&postgres::start(), "postgres", "?sslmode=require");
    refuses(&mariadb::start(), "mysql", "?ssl-mode=required");
    refuses(&exim::start(), "smtp", "#starttls");
    refuses(&slapd::start(), "ldap", "#starttls");
    refuses(&vsftpd::start(), "ftp", "#starttls");
    refuses(&nats::start(), "nats", "?tls=true");
    let (web, cache) = (nginx::start(), redis::start());
    let target = format!("https://{}", web.address());
    not_ready(&[&target], "tls-handshake", "does not speak TLS here; it said: HTTP/1.1 400");
    // It waits for the end of a line.
    let target = format!("rediss://{}", cache.address());
    not_ready(&[&target, "--tls-timeout", "200ms"], "tls-timeout", "");
}

/// Both greet with 220.
#[test]
fn mail_and_files_are_not_taken_for_each_other() {
    let (mail, files) = (exim::start(), vsftpd::start());
    let (mail_log, files_log) = (mail.log(), files.log());
    for (server, scheme) in [(&mail, "smtp"), (&files, "ftp")] {
        let ran = redial(["wait", "--once", &format!("{scheme}://{}", server.address())]).run();
        assert_eq!(ran.status, Some(0), "{ran}");
    }
    assert_eq!(mail.log(), mail_log);
    assert_eq!(files.log()[files_log.len()..].lines().count(), 1, "{}", files.log());
    let (mail, files) = (mail.address(), files.address());
    let words = "answers NOOP as a mail server does: 250 OK";
    not_ready(&[&format!("ftp://{mail}")], "unexpected-response", words);
    let words = "it does not know EHLO: 530 Please login";
    not_ready(&[&format!("smtp://{files}")], "unexpected-response", words);
}

//! The failure matrix: what a server can do to a client, and the one word that redial has for it.
//!
//! Each row is a server that fails in one way. Its kind is read twice, from the record and from
//! what is printed, and the exit status is never 0. How other tools fare is in `peers`.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::Duration,
};

use redial_lab::{Behaviour, Certificate, Lab, Outage, Script};
use rustix::net::sockopt::set_socket_linger;
use serde_json::Value;
use support::{Ran, redial};

/// A way to fail, what it is called, where that shows, and the flags it takes.
struct Row {
    name: &'static str,
    server: Script,
    /// In front of the lab's address.
    scheme: &'static str,
    flags: &'static [&'static str],
    kind: &'static str,
    stage: &'static str,
}

const NONE: &[&str] = &[];
const ASKING: &[&str] = &["--send", "PING\\r\\n", "--expect", "^+PONG", "--reply-timeout", "300ms"];
const SOON: &[&str] = &["--connect-timeout", "300ms", "--tls-timeout", "300ms"];

#[rustfmt::skip] // a table reads best as one
fn rows() -> Vec<Row> {
    fn row(name: &'static str, server: impl Into<Script>, flags: &'static [&'static str], kind: &'static str, stage: &'static str) -> Row {
        Row { name, server: server.into(), scheme: "", flags, kind, stage }
    }
    fn tls(name: &'static str, server: impl Into<Script>, kind: &'static str, stage: &'static str) -> Row {
        Row { scheme: "tls://", ..row(name, server, SOON, kind, stage) }
    }
    let hello = || Behaviour::say("hello");
    vec![
        row("refused", Outage::Refuse, NONE, "refused", "connect"),
        row("black hole", Outage::Blackhole, &["--connect-timeout", "300ms"], "connect-timeout", "connect"),
        row("reset on accept", Behaviour::Reset, NONE, "reset", "stream"),
        row("close on accept", Behaviour::Close, NONE, "closed-early", "stream"),
        row("partial reply then reset", Behaviour::partial_then_reset("+PO"), NONE, "reset", "stream"),
        row("stall", Behaviour::Stall, &["--idle-timeout", "200ms"], "stalled", "stream"),
        row("stall after a while", Behaviour::stall_after("+PO"), &["--idle-timeout", "200ms"], "stalled", "stream"),
        row("expected: reset on accept", Behaviour::Reset, ASKING, "reset", "expect"),
        row("expected: close on accept", Behaviour::Close, ASKING, "closed-early", "expect"),
        row("expected: close after the request", Behaviour::ReadThenClose, ASKING, "closed-early", "expect"),
        row("expected: reset after the request", Behaviour::ReadThenReset, ASKING, "reset", "expect"),
        row("expected: partial reply then reset", Behaviour::partial_then_reset("+PO"), ASKING, "reset", "expect"),
        row("expected: partial reply then close", Behaviour::answer("+PO"), ASKING, "truncated", "expect"),
        row("expected: stall", Behaviour::Stall, ASKING, "stalled", "expect"),
        row("expected: wrong banner", Behaviour::banner("220 mail ready\r\n"), ASKING, "unexpected-response", "expect"),
        row("expected: junk without end", Behaviour::Flood, &["--expect", "+PONG"], "unexpected-response", "expect"),
        tls("tls: self-signed", hello().over_tls(Certificate::SelfSigned), "tls-certificate", "tls"),
        tls("tls: expired", hello().over_tls(Certificate::Expired), "tls-certificate", "tls"),
        tls("tls: wrong name", hello().over_tls(Certificate::WrongName), "tls-certificate", "tls"),
        tls("tls: a port that speaks plain text", Behaviour::answer("HTTP/1.1 400 Bad Request\r\n\r\n"), "tls-handshake", "tls"),
        tls("tls: a greeting in plain text", Behaviour::banner("220 mail ready\r\n"), "tls-handshake", "tls"),
        tls("tls: stall", Behaviour::Stall, "tls-timeout", "tls"),
        tls("tls: close instead of an answer", Behaviour::ReadThenClose, "closed-early", "tls"),
        tls("tls: reset instead of an answer", Behaviour::ReadThenReset, "reset", "tls"),
        tls("tls: cut in mid-stream", Behaviour::cut("+PO").over_tls(Certificate::Trusted), "truncated", "stream"),
    ]
}

#[test]
fn every_failure_has_its_name_and_a_status_that_is_not_0() {
    let wrong: Vec<String> = rows().iter().filter_map(|row| wrong(row).err()).collect();
    assert!(wrong.is_empty(), "{} rows are wrong:\n\n{}", wrong.len(), wrong.join("\n"));
}

/// What is wrong with a row, if something is.
fn wrong(row: &Row) -> Result<(), String> {
    let lab = Lab::start(row.server.clone()).unwrap();
    let server = format!("{}{}", row.scheme, lab.address());
    let directory = tempfile::tempdir().unwrap();
    let authority = directory.path().join("ca.pem");
    let mut flags = row.flags.to_vec();
    // A plain server has no use for an authority, and the flag is then an error.
    if let Some(pem) = lab.ca_pem().filter(|_| server.starts_with("tls://")) {
        fs::write(&authority, pem).unwrap();
        flags.extend(["--ca", authority.to_str().unwrap()]);
    }
    named(row.name, &server, &flags, row.kind, row.stage)
}

fn named(name: &str, server: &str, flags: &[&str], kind: &str, stage: &str) -> Result<(), String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    let json = format!("--json={}", file.path().display());
    let words = ["connect", server, &json].into_iter().chain(flags.iter().copied());
    let ran = redial(words).silent().run();
    let record: Value = serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap();
    let failure = &failures(&record)[0];
    let recorded = (failure["kind"].as_str(), failure["stage"].as_str());
    let printed = ran.stderr.lines().last().unwrap_or_default();
    let right = recorded == (Some(kind), Some(stage))
        && printed.starts_with(&format!("{kind}: "))
        && traceback_names(&ran, kind)
        && ran.status == Some(1)
        && record["exit"] == 1;
    if right { Ok(()) } else { Err(format!("{name}: wanted {kind} at {stage}\n{ran}{failure}\n")) }
}

fn failures(record: &Value) -> Vec<Value> {
    let events = record["events"].as_array().unwrap().iter();
    events.filter_map(|event| event.get("failure")).cloned().collect()
}

/// Whether the row of the first attempt says so, in a column of its own.
fn traceback_names(ran: &Ran, kind: &str) -> bool {
    let row = ran.stderr.lines().find(|line| line.starts_with("  1  ")).unwrap_or_default();
    row.split("  ").any(|cell| cell == kind)
}

#[test]
fn a_name_that_is_not_there_is_not_found() {
    // RFC 6761, section 6.4: `.invalid` never exists. A resolver that cannot be reached is the
    // machine's trouble and has a name of its own, which is not this one.
    let found = named("name not found", "nonexistent.invalid:80", NONE, "dns-not-found", "resolve");
    found.unwrap_or_else(|wrong| panic!("is there a resolver? {wrong}"));
}

#[test]
fn a_reset_in_mid_stream_is_a_reset_however_much_flows() {
    // In-process, 200 of 200: crates/driver/tests/connection.rs. Here through the whole program,
    // with standard input and standard output flowing.
    for round in 0..20_usize {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = thread::spawn(move || echo_then_reset(&listener, 1 + round * 37_000));
        let ran = redial(["connect", &address, "-q"]).input(vec![7; 8 << 20]).run();
        server.join().unwrap();
        assert_eq!(ran.status, Some(1), "round {round}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("redial: reset: "), "round {round}: {}", ran.stderr);
    }
}

/// Sends back what it gets, and resets once that was so much, with more on its way.
fn echo_then_reset(listener: &TcpListener, after: usize) {
    let mut stream = listener.accept().unwrap().0;
    let (mut echoed, mut buffer) = (0, [0; 16384]);
    while echoed < after {
        let read = stream.read(&mut buffer).unwrap();
        stream.write_all(&buffer[..read]).unwrap();
        echoed += read;
    }
    set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
}

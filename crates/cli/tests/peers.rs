//! The same failures in front of nc and socat: both call five of them a success, redial none.
//!
//! Behind the feature `real`, for it wants both programs (netcat-openbsd, socat); without them it
//! fails. It keeps the claim that the documentation makes true.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::{
    io::Write,
    process::{Command, Stdio},
};

use redial_lab::{Behaviour, Lab};
use support::redial;

/// What the server does, and what it is asked: a greeting is awaited, or an answer.
fn failures() -> [(&'static str, Behaviour, &'static [u8]); 5] {
    [
        // Not on accept: nc tells that apart where the reset is quicker than its connect.
        ("reset after the request", Behaviour::ReadThenReset, b"PING\r\n"),
        ("close on accept", Behaviour::Close, b""),
        ("close after the request", Behaviour::ReadThenClose, b"PING\r\n"),
        ("stall", Behaviour::Stall, b"PING\r\n"),
        ("partial reply then reset", Behaviour::partial_then_reset("+PO"), b"PING\r\n"),
    ]
}

/// The status of a program that was given the request and then the end of standard input.
fn status(program: &str, words: &[&str], request: &[u8]) -> Option<i32> {
    let started = Command::new(program)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = started.unwrap_or_else(|error| panic!("{program}: {error}"));
    // Whoever has left already does not want it.
    let _ = child.stdin.take().unwrap().write_all(request);
    child.wait().unwrap().code()
}

#[test]
fn nc_and_socat_call_success_what_redial_calls_by_its_name() {
    for (name, behaviour, request) in failures() {
        let lab = Lab::start(behaviour).unwrap();
        let (host, port) = (lab.address().ip().to_string(), lab.address().port().to_string());
        assert_eq!(status("nc", &["-w", "1", &host, &port], request), Some(0), "nc: {name}");
        let socat = status("socat", &["-t", "1", "-", &format!("TCP:{host}:{port}")], request);
        assert_eq!(socat, Some(0), "socat: {name}");
        let words = [&*host, &*port, "--expect", "^+PONG", "--reply-timeout", "300ms"];
        let ran = redial(words).input(request).run();
        assert_eq!(ran.status, Some(1), "{name}: {ran}");
    }
}

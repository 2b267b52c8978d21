//! The same servers in front of redial, wait-for-it, and the loop of `nc -z` that many scripts
//! have. None of seven is ready; both peers call four of them so, and have one sentence, or none,
//! for those that refuse and those that never answer. redial is right in all, and says which is
//! which.
//!
//! Behind the feature `real`, for it wants both programs (wait-for-it, netcat-openbsd); without
//! them it fails. It keeps the claim that the documentation makes true.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::{collections::BTreeSet, process::Command};

use redial_lab::{Behaviour, Lab, Outage, Script};
use support::redial;

/// A server that is not ready.
struct Case {
    /// What redial calls it.
    kind: &'static str,
    /// Nothing, where the name of the server is what is wrong.
    server: Option<Script>,
    /// Whether it does not even accept: that much everybody notices.
    shut: bool,
    /// What redial is told to expect; the peers have no words for it.
    expected: &'static [&'static str],
}

#[rustfmt::skip] // a table reads best as one
fn cases() -> [Case; 7] {
    const ASKED: &[&str] = &["--send", "PING\\r\\n", "--expect", "^+PONG", "--reply-timeout", "200ms"];
    [
        Case { kind: "refused", server: Some(Outage::Refuse.into()), shut: true, expected: &[] },
        Case { kind: "connect-timeout", server: Some(Outage::Blackhole.into()), shut: true, expected: &["--connect-timeout", "200ms"] },
        Case { kind: "dns-not-found", server: None, shut: true, expected: &[] },
        Case { kind: "reset", server: Some(Behaviour::Reset.into()), shut: false, expected: &[] },
        Case { kind: "closed-early", server: Some(Behaviour::Close.into()), shut: false, expected: &[] },
        Case { kind: "stalled", server: Some(Behaviour::Stall.into()), shut: false, expected: ASKED },
        Case { kind: "unexpected-response", server: Some(Behaviour::banner("220 mail.example ESMTP\r\n").into()), shut: false, expected: ASKED },
    ]
}

/// A program that waits for so many seconds: how it ended, and each line that it said.
fn told(program: &str, words: &[&str]) -> (Option<i32>, BTreeSet<String>) {
    let output = Command::new(program).args(words).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code(), said.lines().map(Into::into).collect())
}

fn wait_for_it(host: &str, port: &str, limit: &str) -> (Option<i32>, BTreeSet<String>) {
    told("wait-for-it", &["-t", limit, &format!("{host}:{port}")])
}

/// As it stands in scripts, within a limit.
fn nc(host: &str, port: &str, limit: &str) -> (Option<i32>, BTreeSet<String>) {
    let script = "until nc -z -w 1 \"$0\" \"$1\"; do sleep 0.1; done";
    told("timeout", &[limit, "sh", "-c", script, host, port])
}

#[test]
fn seven_servers_that_are_not_ready() {
    let mut said = [BTreeSet::new(), BTreeSet::new()];
    for Case { kind, server, shut, expected } in cases() {
        let lab = server.map(|server| Lab::start(server).unwrap());
        let (host, port) = match &lab {
            Some(lab) => (lab.address().ip().to_string(), lab.address().port().to_string()),
            None => ("no-such-name.invalid".to_owned(), "80".to_owned()),
        };
        let at = format!("{host}:{port}");

        let words = [&["wait", &at, "-t", "1"], expected, &["--", "echo", "ran"]].concat();
        let ran = redial(words).env("PATH", "/usr/bin:/bin").run();
        assert_eq!((ran.status, &*ran.stdout), (Some(124), ""), "{kind}: {ran}");
        assert!(ran.stderr.contains(&format!("{at}: {kind} at attempt 1: ")), "{kind}: {ran}");

        // One try is all that fooling them takes; more are for one that is quicker than the reset.
        let limit = if shut { "1" } else { "9" };
        for (place, peer) in [wait_for_it, nc].into_iter().enumerate() {
            let (status, lines) = peer(&host, &port, limit);
            let expected = if shut { 124 } else { 0 };
            assert_eq!(status, Some(expected), "{kind}, peer {place}: {lines:?}");
            if shut {
                let lines = lines.iter().map(|line| line.replace(&at, "HOST:PORT"));
                said[place].insert(lines.collect::<Vec<_>>());
            }
        }
    }
    // Of the three that they notice, wait-for-it says the same; nc tells apart the unknown name.
    let [wait_for_it, nc] = said;
    assert_eq!(wait_for_it.len(), 1, "{wait_for_it:?}");
    assert_eq!(nc.len(), 2, "{nc:?}");
    assert!(nc.contains(&vec![]), "it says nothing of refused and black-holed: {nc:?}");
}

//! `redial wait` and every protocol the lab can answer in: ready, and not now.
//!
//! The lab's transcripts were written from the protocols' specifications, the recipes likewise, by
//! different hands; what real servers say is in `wait_real`.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use redial_lab::{Lab, PROTOCOLS, State};
use serde_json::Value;
use support::redial;

#[test]
fn every_protocol_is_ready_and_is_not_ready_now() {
    let mut wrong = Vec::new();
    for protocol in PROTOCOLS {
        let name = protocol.name();
        for (state, status, kind) in
            [(State::Ready, 0, None), (State::NotNow, 1, Some("unavailable"))]
        {
            let lab = Lab::start(protocol.in_state(state)).unwrap();
            let target = format!("{}#as={name}", lab.address());
            let ran = redial(["wait", "--once", &target, "--json", "--reply-timeout", "2"]).run();
            let json: Value = serde_json::from_str(ran.stdout.trim()).unwrap();
            let failure = &json["targets"][0]["servers"][0]["failure"];
            if (ran.status, failure["kind"].as_str()) != (Some(status), kind) {
                wrong.push(format!("{name}, {state:?}: {ran}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A server of another protocol is never ready, whichever of the two it is.
#[test]
fn no_protocol_is_taken_for_another() {
    let mut wrong = Vec::new();
    let greets = ["smtp", "ftp", "ssh", "mysql", "redis", "http", "postgres", "imap"];
    for server in greets {
        let protocol = PROTOCOLS.iter().find(|protocol| protocol.name() == server).unwrap();
        for recipe in greets {
            if server == recipe {
                continue;
            }
            let lab = Lab::start(protocol.in_state(State::Ready)).unwrap();
            let target = format!("{}#as={recipe}", lab.address());
            let words = ["wait", "--once", &target, "-q", "--reply-timeout", "200ms"];
            let ran = redial(words).run();
            if ran.status != Some(1) {
                wrong.push(format!("{server} as {recipe}: {ran}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

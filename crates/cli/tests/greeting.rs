//! `redial connect` and servers that greet first: judged by how they greet, and nothing is sent.

#![allow(clippy::unwrap_used)] // helpers of tests

mod support;

use std::time::Duration;

use redial_lab::{Behaviour, Lab, PROTOCOLS, State};
use support::redial;

fn server(protocol: &str, state: State) -> Lab {
    let protocol = PROTOCOLS.iter().find(|one| one.name() == protocol).unwrap();
    Lab::start(protocol.in_state(state)).unwrap()
}

#[test]
fn a_server_that_says_not_now_is_unavailable_and_the_next_is_tried() {
    let (full, up) = (server("smtp", State::NotNow), server("smtp", State::Ready));
    let (full_at, up_at) =
        (format!("smtp://{}", full.address()), format!("smtp://{}", up.address()));
    let ran = redial([&*full_at]).silent().run();
    assert_eq!((ran.status, &*ran.stdout), (Some(1), ""), "{ran}");
    assert!(ran.stderr.contains("unavailable: "), "{ran}");

    // The user's conversation: the greeting is the user's to read, and what was typed arrives.
    let ran = redial([&*full_at, &*up_at]).input("QUIT\r\n").run();
    assert_eq!(ran.status, Some(0), "{ran}");
    assert!(ran.stdout.starts_with("220 "), "{ran}");
    assert!(up.wait_for_ends(1, Duration::from_secs(20)));
    assert_eq!(up.seen().connections[0].head, b"QUIT\r\n", "and not a byte of redial's own");
}

#[test]
fn another_server_is_an_unexpected_response() {
    let lab = Lab::start(Behaviour::say("HTTP/1.1 400 Bad Request\r\n\r\n")).unwrap();
    let ran = redial([&*format!("ssh://{}", lab.address())]).silent().run();
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("unexpected-response"), "{ran}");
    assert_eq!(ran.stdout, "");
}

/// A protocol in which the client speaks first cannot be judged without speaking.
#[test]
fn who_waits_for_the_client_is_not_judged() {
    let lab = server("redis", State::NotNow);
    let ran = redial([&*format!("redis://{}", lab.address())]).input("PING\r\nQUIT\r\n").run();
    assert_eq!(ran.status, Some(0), "{ran}");
    assert!(ran.stdout.starts_with("-LOADING"), "{ran}");
}

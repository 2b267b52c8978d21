//! Kinds of failure: the right kind, and a next step that fits.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use redial_lab::{Behaviour, Lab};

use crate::support::{Ran, redial};

/// A port of this machine on which nothing listens.
fn closed_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn connect<'a>(words: impl IntoIterator<Item = &'a str>) -> Ran {
    redial(["connect"].into_iter().chain(words)).silent().run()
}

/// Entry 15: 192.0.2.0/24 is reserved for documentation (RFC 5737), so no machine has it.
#[test]
fn bind_to_foreign_address_names_the_flag() {
    let ran = connect(["--bind", "192.0.2.7", &closed_port()]);
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("exhausted: "), "{ran}");
    assert!(ran.stderr.contains("not an address of this machine (192.0.2.7)"), "{ran}");
    assert!(ran.stderr.contains("leave --bind out"), "{ran}");
    assert!(!ran.stderr.contains("route"), "{ran}");
}

#[test]
fn eaddrnotavail_clause_matches_foreign_bind() {
    let clause = "EADDRNOTAVAIL: say \"no address\", exit 7";
    let ran = connect(["--bind", "192.0.2.7", "--except", clause, &closed_port()]);
    assert_eq!(ran.status, Some(7), "{ran}");
    assert!(ran.stderr.contains("no address"), "{ran}");
}

/// Entry 19.
#[test]
fn max_time_that_passed_names_its_own_flag() {
    let lab = Lab::start(Behaviour::Stall).unwrap();
    let ran = connect(["--max-time", "0.1", &lab.address().to_string()]);
    assert!(ran.stderr.contains("(--max-time 100ms)"), "{ran}");
    assert!(ran.stderr.contains("To allow more: --max-time 10m"), "{ran}");
    assert!(!ran.stderr.contains("--deadline"), "{ran}");
}

#[test]
fn idle_timeout_that_passed_names_its_own_flag() {
    let lab = Lab::start(Behaviour::Stall).unwrap();
    let ran = connect(["--idle-timeout", "0.1", &lab.address().to_string()]);
    assert!(ran.stderr.contains("To allow a longer silence: --idle-timeout 5m"), "{ran}");
}

#[test]
fn zero_limit_is_not_said_to_be_no_limit() {
    for flag in ["--connect-timeout", "--tls-timeout", "--reply-timeout"] {
        let ran = connect([flag, "0", &closed_port()]);
        assert_eq!(ran.status, Some(2), "{ran}");
        assert!(!ran.stderr.contains("leave the flag out for no limit"), "{ran}");
        assert!(ran.stderr.contains("write a longer one, such as 20s"), "{ran}");
    }
}

#[test]
fn used_up_retries_are_not_suggested_again() {
    let ran = connect(["--except", "refused: retry 2 every 1ms", &closed_port()]);
    assert!(ran.stderr.contains("To try for longer: --retry forever --deadline 5m"), "{ran}");
    assert!(!ran.stderr.contains("To go on trying"), "{ran}");
}

/// Entry 19: what to do depends on what is missing in the chain.
#[test]
fn certificate_without_issuer_has_its_next_step() {
    for (server, words, next) in [
        ("lab:tls-self", "signed by itself, and is not trusted here", "save its certificate"),
        ("lab:tls-chain", "no intermediate was sent", "should send its full chain"),
    ] {
        let ran = connect([server]);
        assert_eq!(ran.status, Some(1), "{ran}");
        assert!(ran.stderr.contains(words), "{ran}");
        assert!(ran.stderr.contains(next), "{ran}");
    }
}

/// Entry 17: a mismatch states what was expected and what came.
#[test]
fn wrong_banner_names_expected_and_received() {
    let lab = Lab::start(Behaviour::banner("SSH-2.0-lab\r\n")).unwrap();
    let address = lab.address().to_string();
    for verb in [&["connect"][..], &["wait", "--once"]] {
        let began = Instant::now();
        let words = verb.iter().copied().chain([&*address, "--expect", "^220 "]);
        let ran = redial(words).silent().run();
        assert_eq!(ran.status, Some(1), "{ran}");
        assert!(ran.stderr.contains("(SSH-2.0-lab\\r\\n); expected ^220 "), "{ran}");
        assert!(began.elapsed() < Duration::from_secs(3), "{ran}");
    }
}

#[test]
fn mismatch_at_end_of_stream_is_judged_at_once() {
    let lab = Lab::start(Behaviour::answer("not now\n")).unwrap();
    let began = Instant::now();
    let ran = connect([&*lab.address().to_string(), "--send", "?\\n", "--expect", "ready"]);
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("(not now\\n); expected ready"), "{ran}");
    assert!(began.elapsed() < Duration::from_secs(3), "{ran}");
}

#[test]
fn silence_names_expected_answer() {
    let lab = Lab::start(Behaviour::Stall).unwrap();
    let address = lab.address().to_string();
    let ran = connect(["--reply-timeout", "0.2", "--expect", "ready", &address]);
    assert!(ran.stderr.contains("sent nothing within 200ms; expected ready"), "{ran}");
}

#[test]
fn wrong_protocol_names_it_and_not_the_flag() {
    let lab = Lab::start(Behaviour::banner("SSH-2.0-lab\r\n")).unwrap();
    let target = format!("redis://{}", lab.address());
    let ran = redial(["wait", "--once", &target]).silent().run();
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("(SSH-2.0-lab\\r\\n); expected an answer of redis"), "{ran}");
    assert!(!ran.stderr.contains("--expect"), "{ran}");
}

#[test]
fn mismatch_of_a_whole_line_is_judged_in_a_second() {
    let lab = Lab::start(Behaviour::banner("-ERR no\r\n")).unwrap();
    let began = Instant::now();
    let address = lab.address().to_string();
    let ran = redial(["wait", &address, "--expect", "PONG", "-t", "20", "--only"]).silent().run();
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("(-ERR no\\r\\n); expected PONG"), "{ran}");
    assert!(began.elapsed() < Duration::from_secs(3), "{ran}");
}

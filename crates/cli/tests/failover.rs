//! Another server where the first is no good, and never one once data has moved.
//!
//! A name with several addresses needs a hosts file of its own, so it is tested in `namespaces`.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::time::Duration;

use redial_lab::{After, Behaviour, LESSON, Lab, Outage, Script};
use support::redial;

const SOON: Duration = Duration::from_secs(20);

fn lab(script: impl Into<Script>) -> (Lab, String) {
    let lab = Lab::start(script).unwrap();
    let address = lab.address().to_string();
    (lab, address)
}

#[test]
fn the_second_server_where_the_first_is_no_good() {
    let expecting: &[&str] = &["--expect", "^Hello", "--reply-timeout", "200ms"];
    for (name, script, flags) in [
        ("refused", Outage::Refuse.into(), &[][..]),
        ("dead", Outage::Blackhole.into(), &["--connect-timeout", "200ms"]),
        ("closes at once", Script::from(Behaviour::Close), &[]),
        ("resets at once", Behaviour::Reset.into(), &[]),
        ("silent", Behaviour::Stall.into(), expecting),
        ("somebody else", Behaviour::banner("220 mail\r\n").into(), expecting),
    ] {
        let ((_bad, first), (good, second)) = (lab(script), lab(Behaviour::say(LESSON)));
        let both = format!("{first},{second}");
        for servers in [vec![&*first, &*second], vec![&*both]] {
            let ran = redial(servers.into_iter().chain(flags.iter().copied())).silent().run();
            assert_eq!((ran.status, &*ran.stdout), (Some(0), LESSON), "{name}: {ran}");
        }
        assert_eq!(good.seen().totals.connections, 2, "{name}");
    }
}

#[test]
fn rounds_come_back_to_the_first() {
    let script = Script::new([Behaviour::Close.times(2), Behaviour::say(LESSON).forever()]);
    let ((flaky, first), (_down, second)) = (lab(script), lab(Outage::Refuse));
    let ran = redial([&*first, &*second, "--rounds", "3 every 1ms"]).silent().run();
    assert_eq!((ran.status, &*ran.stdout), (Some(0), LESSON), "{ran}");
    assert_eq!(flaky.seen().totals.connections, 3);
}

#[test]
fn standard_input_goes_whole_to_the_server_that_stands() {
    let ((_bad, first), (good, second)) = (lab(Outage::Refuse), lab(Behaviour::Sink));
    let ran = redial([&*first, &*second]).input(vec![b'x'; 1 << 20]).run();
    assert_eq!(ran.status, Some(0), "{ran}");
    assert!(good.wait_for_ends(1, SOON));
    assert_eq!(good.seen().connections[0].sha256_in, redial_lab::sha256(vec![b'x'; 1 << 20]));
}

#[test]
fn never_a_second_server_once_data_has_moved() {
    let all: [&[&str]; 5] = [
        &[],
        &["--retry", "2"],
        &["--retry", "2,1ms..2ms", "--rounds", "3"],
        // A clause without a guard is no permission to send the rest somewhere else.
        &["--except", "reset: next"],
        &["--except", "any: retry 2 every 1ms, next", "--rounds", "forever"],
    ];
    for flags in all {
        let ((bad, first), (other, second)) =
            (lab(Behaviour::ResetAfter(After::In(1 << 20))), lab(Behaviour::Sink));
        let words = [&*first, &*second].into_iter().chain(flags.iter().copied());
        let ran = redial(words).input(vec![0; 8 << 20]).run();
        assert_eq!(ran.status, Some(1), "{ran}");
        let sent = sent(&ran.stderr).unwrap_or_else(|| panic!("how much was sent? {ran}"));
        assert!((1.0..8.0).contains(&sent), "{sent} MiB: {ran}");
        assert!(ran.stderr.contains("not retried"), "{ran}");
        assert_eq!(bad.seen().totals.connections, 1, "{ran}");
        let other = other.stop().totals;
        assert_eq!((other.connections, other.bytes_in), (0, 0), "{ran}");
    }
}

/// `reset: … 2.1 MiB had been sent …`, in MiB.
fn sent(stderr: &str) -> Option<f64> {
    let closing = stderr.lines().last()?.strip_prefix("reset: ")?;
    let before = closing.split(" MiB had been sent").next()?;
    before.rsplit(' ').next()?.parse().ok()
}

#[test]
fn nor_once_something_was_received() {
    let ((_bad, first), (other, second)) =
        (lab(Behaviour::partial_then_reset("half an ans")), lab(Behaviour::say(LESSON)));
    let ran = redial([&*first, &*second, "--retry", "3"]).silent().run();
    assert_eq!((ran.status, &*ran.stdout), (Some(1), "half an ans"), "{ran}");
    assert!(ran.stderr.contains("not retried, 11 B had been received"), "{ran}");
    assert_eq!(other.stop().totals.connections, 0);
}

#[test]
fn an_opening_is_not_the_users_and_is_sent_again() {
    let (stall, address) = lab(Behaviour::Stall);
    let flags =
        ["--send", "hello\\n", "--expect", "x", "--reply-timeout", "0.1", "--retry", "2,1ms..2ms"];
    let ran = redial([&*address].into_iter().chain(flags)).silent().run();
    assert_eq!(ran.status, Some(1), "{ran}");
    assert_eq!(stall.seen().totals.connections, 3, "{ran}");
    assert!(!ran.stderr.contains("not retried"), "{ran}");
}

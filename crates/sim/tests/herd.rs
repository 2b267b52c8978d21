//! The herds that were measured on the crates themselves, again: 100,000 clients fail together, the
//! server is back after a while and takes everyone; how many come at once?
//!
//! The figures are those of the survey of libraries that this simulator is held against (each
//! crate's own delays, drawn 100,000 times), within 5%; sampling alone is some 1% of a second's
//! peak and 4% of a tenth's. All of it in virtual time.

#![allow(clippy::unwrap_used)] // they are tests

use std::time::Duration;

use redial_core::parse_rate;
use redial_sim::*;

/// 100,000 clients, and a server that takes all who come when it is back.
fn herd(outage: u64) -> Scenario {
    let half_a_millisecond = Duration::from_micros(500);
    Scenario {
        servers: vec![Server {
            accepts: parse_rate("100M/s").unwrap(),
            backlog: 1_000_000,
            ..Server::default()
        }],
        outage: Outage { lasts: Duration::from_secs(outage), ..Outage::default() },
        network: Network {
            least: half_a_millisecond,
            most: half_a_millisecond,
            ..Network::default()
        },
        ..Scenario::default()
    }
}

fn play(outage: u64, rule: Rule) -> Report {
    let peer = Peer { name: "peer", about: "", source: "", rule, times: None };
    rehearse(&herd(outage), &Plan::peer(peer)).unwrap()
}

#[allow(clippy::cast_precision_loss)]
fn assert_near(what: &str, found: u64, published: u64) {
    let ratio = found as f64 / published as f64;
    assert!((0.95..=1.05).contains(&ratio), "{what}: {found}, published {published}: {ratio:.3}");
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Attempts in tenths per client, the peak of 100 ms and of 1 s, after 600 s.
fn assert_herd(rule: Rule, tenths: u64, tenth: u64, second: u64) {
    let report = play(600, rule);
    assert_near("attempts", report.attempts_while_down / 10_000, tenths);
    assert_near("peak of 100 ms", report.peak_tenth, tenth);
    assert_near("peak of 1 s", report.peak_second, second);
}

#[test]
fn backon_without_jitter_comes_all_at_once() {
    assert_herd(Rule::Plain { base: s(1), cap: s(30) }, 230, 100_000, 100_000);
}

#[test]
fn async_nats_asks_160_times_and_comes_all_at_once() {
    assert_herd(Rule::Nats, 1_600, 100_000, 100_000);
}

#[test]
fn stubborn_io_loses_its_jitter_at_the_cap() {
    let rule = Rule::Clamped { base: s(1), cap: s(30), percent: 5 };
    assert_herd(rule, 230, 6_381, 60_658);
}

#[test]
fn full_jitter_is_spread_over_the_cap() {
    assert_herd(Rule::Full { base: s(1), cap: s(30) }, 436, 743, 6_900);
}

#[test]
fn decorrelated_jitter_is_spread_over_the_cap() {
    assert_herd(Rule::Decorrelated { base: s(1), cap: s(30) }, 368, 610, 5_578);
}

const fn around(percent: u32) -> Rule {
    Rule::Around { base: s(1), cap: s(30), factor: 2_000, percent, from_start: false }
}

/// Shapes of equal mean delay, 30 s.
const SHAPES: [(&str, Rule); 6] = [
    ("full, cap 60", Rule::Full { base: s(1), cap: s(60) }),
    ("50% around 30", around(50)),
    ("equal, cap 40", Rule::Equal { base: s(1), cap: s(40) }),
    ("20% around 30", around(20)),
    ("5% around 30", around(5)),
    ("20% within 30", Rule::Clamped { base: s(1), cap: s(30), percent: 20 }),
];

/// The peak of 1 s of each of them, after an outage of so many seconds.
fn assert_peaks(outage: u64, published: [u64; SHAPES.len()]) {
    for ((name, rule), published) in SHAPES.into_iter().zip(published) {
        assert_near(name, play(outage, rule).peak_second, published);
    }
}

#[test]
fn after_a_minute_the_shape_matters() {
    assert_peaks(60, [2_778, 3_987, 4_887, 8_363, 32_828, 14_451]);
}

#[test]
fn after_ten_minutes_only_the_mean_matters_unless_jitter_is_small_or_lost() {
    assert_peaks(600, [3_371, 3_440, 3_469, 3_510, 10_531, 14_700]);
}

#[test]
fn after_an_hour_what_is_lost_at_the_cap_is_still_lost() {
    assert_peaks(3_600, [3_349, 3_422, 3_495, 3_455, 4_343, 14_786]);
}

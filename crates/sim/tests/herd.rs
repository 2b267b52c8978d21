//! The published table of herds, again: how many clients come at once when the server is back.

#![allow(clippy::unwrap_used)] // they are tests

use std::time::Duration;

use redial_sim::*;

/// 100,000 clients that fail together, a server that takes all who come.
fn herd(outage: u64) -> Scenario {
    let lots = redial_core::parse_rate("10M/s").unwrap();
    Scenario {
        servers: vec![Server { accepts: lots, backlog: 1_000_000, ..Server::default() }],
        outage: Outage { lasts: Duration::from_secs(outage), ..Outage::default() },
        network: Network {
            least: Duration::from_micros(500),
            most: Duration::from_micros(500),
            ..Network::default()
        },
        ..Scenario::default()
    }
}

#[test]
fn look() {
    let scenario = herd(600);
    let s = Duration::from_secs;
    for rule in [
        Rule::Plain { base: s(1), cap: s(30) },
        Rule::Full { base: s(1), cap: s(30) },
        Rule::Decorrelated { base: s(1), cap: s(30) },
        Rule::Clamped { base: s(1), cap: s(30), percent: 5 },
        Rule::Nats,
    ] {
        let plan = Plan::peer(Peer { name: "x", about: "", source: "", rule, times: None });
        let report = rehearse(&scenario, &plan).unwrap();
        println!(
            "{rule:?} {} {} {} {:?} {:?}",
            report.attempts_while_down as f64 / 1e5,
            report.peak_tenth,
            report.peak_second,
            report.back_50,
            report.back_99
        );
        println!("{}", report.verdict);
    }
}

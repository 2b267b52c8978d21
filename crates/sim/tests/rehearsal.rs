//! What a rehearsal promises: the law, the metastable pair, the same again from the same seed.

#![allow(clippy::unwrap_used)] // they are tests

use std::{ops::ControlFlow, thread, time::Duration};

use proptest::prelude::*;
use redial_core::{Backoff, Jitter, Policy, Rate, Rounds, Times, Verb, parse_rate};
use redial_sim::*;

fn preset(name: &str) -> Scenario {
    Scenario::preset(name).unwrap().unwrap()
}

fn standing(scenario: &Scenario) -> Plan {
    Plan::policy("standing", Policy::standing(), scenario).unwrap()
}

fn clause(text: &str, scenario: &Scenario) -> Plan {
    let policy = Policy::build(Verb::Stay).except(text).unwrap();
    Plan::policy(text, policy, scenario).unwrap()
}

#[test]
fn a_server_that_refuses_for_30_seconds_has_everyone_back() {
    let scenario = Scenario { clients: 10_000, ..Scenario::default() };
    let report = rehearse(&scenario, &standing(&scenario)).unwrap();
    assert!(report.recovers);
    assert_eq!((report.connected, report.lost, report.made), (10_000, 10_000, 10_000));
    // 8 attempts fit into 30 s of `every 250ms..30s`, give or take one.
    let each = report.attempts_per_client();
    assert!((7.0..10.0).contains(&each), "{each} attempts each");
    // Every attempt reached a server, and every client that was refused came again.
    assert_eq!(report.series.arrivals.iter().map(|n| u64::from(*n)).sum::<u64>(), report.attempts);
    assert_eq!(report.series.connected.last(), Some(&10_000));
    assert!(report.back_100.unwrap() <= Duration::from_secs(31), "{:?}", report.back_100);
    assert!(report.verdict.starts_with("recovers: 99% are back "), "{}", report.verdict);
}

#[test]
fn metastable_never_recovers_with_a_fixed_second_and_does_with_the_standing_policy() {
    let scenario = preset("metastable");
    let report = rehearse(&scenario, &standing(&scenario)).unwrap();
    assert!(report.recovers, "{}", report.verdict);
    assert!(report.wasted < 0.01);

    let fixed = clause("any: retry forever every 1s", &scenario);
    let report = rehearse(&scenario, &fixed).unwrap();
    assert!(!report.recovers, "{}", report.verdict);
    assert!(report.wasted > 0.9, "{}", report.wasted);
    // Not slowly, but never: in the last four of five minutes not one more is connected.
    let bins = report.series.connected.len();
    assert_eq!(report.series.connected[bins / 3], report.connected as u32);
    assert_eq!(
        report.verdict,
        "does not recover: 5,119 of 20,000 clients are connected 5m after the server's return; 98% \
         of its work is for clients that had given up; a cap of 27s with jitter would"
    );

    // And what the sentence says is so.
    let cap = Rounds {
        times: Times::Forever,
        backoff: Backoff::between(Duration::from_secs(1), Duration::from_secs(27)),
    };
    let policy = Policy::standing().rounds(cap);
    let capped = Plan::policy("capped", policy, &scenario).unwrap();
    assert!(rehearse(&scenario, &capped).unwrap().recovers);
}

#[test]
fn the_same_seed_is_the_same_report_on_any_thread() {
    let scenario = preset("fleet").smaller(20_000);
    let plan = standing(&scenario);
    let report = rehearse(&scenario, &plan).unwrap();
    let again = thread::scope(|scope| {
        let runs: Vec<_> =
            (0..3).map(|_| scope.spawn(|| rehearse(&scenario, &plan).unwrap())).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(again.iter().all(|other| *other == report));
    let other = Scenario { seed: 2, ..scenario };
    assert_ne!(rehearse(&other, &plan).unwrap().attempts, report.attempts);
}

#[test]
fn a_run_is_what_it_was_when_it_was_written() {
    // Integers all the way: these counts are the same on every machine.
    let scenario = preset("fleet").smaller(2_000);
    let report = rehearse(&scenario, &standing(&scenario)).unwrap();
    let counts = [report.attempts, report.made, report.attempts_while_down, report.peak_tenth];
    assert_eq!(counts, [19_044, 2_000, 16_056, 20]);
    assert_eq!(report.back_99, Some(Duration::from_nanos(73_511_864_213)));
}

#[test]
fn every_preset_plays_and_recovers_with_the_standing_policy() {
    for preset in PRESETS {
        let scenario = Scenario::parse(preset.text)
            .unwrap_or_else(|mistake| panic!("{}: {}", preset.name, mistake.in_text(preset.text)));
        assert!(!scenario.about.is_empty(), "{}", preset.name);
        assert!(scenario.source.starts_with("https://"), "{} says whence", preset.name);
        let scenario = scenario.smaller(2_000);
        let report = rehearse(&scenario, &standing(&scenario)).unwrap();
        assert!(report.recovers, "{}: {}", preset.name, report.verdict);
    }
}

#[test]
fn accept_then_close_resets_other_backoffs_and_not_the_sessions() {
    let scenario = preset("proxy").smaller(500);
    let ours = rehearse(&scenario, &standing(&scenario)).unwrap();
    let stubborn = Plan::peer(Peer::named("stubborn-io").unwrap());
    let theirs = rehearse(&scenario, &stubborn).unwrap();
    assert!(ours.attempts_per_client() < 15.0, "{}", ours.attempts_per_client());
    assert!(theirs.attempts_per_client() > 100.0, "{}", theirs.attempts_per_client());
}

#[test]
fn every_peer_plays_and_says_whence() {
    let scenario = Scenario { clients: 500, ..Scenario::default() };
    for peer in Peer::ALL {
        assert_eq!(Peer::named(peer.name), Some(peer));
        assert!(peer.source.starts_with("https://"));
        let report = rehearse(&scenario, &Plan::peer(peer)).unwrap();
        // Three tries of backon's are over before the outage is.
        assert_eq!(report.recovers, peer.name != "backon", "{}: {}", peer.name, report.verdict);
    }
}

#[test]
fn a_policy_that_never_retries_gives_up() {
    let scenario = Scenario { clients: 1_000, ..Scenario::default() };
    let report = rehearse(&scenario, &clause("any: stop", &scenario)).unwrap();
    assert_eq!((report.recovers, report.gave_up, report.attempts), (false, 1_000, 0));
    assert_eq!(report.verdict, "does not recover: 1,000 of 1,000 clients gave up");
}

#[test]
fn an_outage_longer_than_the_run_is_no_verdict() {
    let run = Some(Duration::from_secs(20));
    let scenario = Scenario { clients: 1_000, run, ..Scenario::default() };
    let report = rehearse(&scenario, &standing(&scenario)).unwrap();
    assert!(report.cut_short && !report.recovers);
    assert!(report.verdict.starts_with("nothing can be said: the run ends after 20.0s"));
}

#[test]
fn a_deadline_and_new_clients_are_the_sessions_own() {
    let scenario = Scenario { clients: 1_000, ..Scenario::default() };
    let policy = Policy::build(Verb::Connect)
        .except("transient: retry forever every 100ms..1s")
        .unwrap()
        .deadline(Duration::from_secs(12));
    let plan = Plan::policy("impatient", policy, &scenario).unwrap();
    let report = rehearse(&scenario, &plan).unwrap();
    // They begin at second 10 and have given up at 22; the server is back at 40.
    assert_eq!((report.gave_up, report.lost, report.made), (1_000, 1_000, 0));
}

#[test]
fn an_estimate_is_near_and_comes_before() {
    let scenario = preset("metastable");
    for plan in [standing(&scenario), clause("any: retry forever every 1s", &scenario)] {
        let estimate = estimate(&scenario, &plan).unwrap().attempts;
        let attempts = rehearse(&scenario, &plan).unwrap().attempts;
        assert!((attempts / 2..attempts * 2).contains(&estimate), "{estimate} for {attempts}");
    }
}

#[test]
fn estimate_of_scouts_cut_short_is_near() {
    let mut scenario = Scenario { clients: 50, ..Scenario::default() };
    scenario.outage.lasts = Duration::from_secs(600);
    let plan = clause("any: retry forever every 10ms", &scenario);
    let estimate = estimate(&scenario, &plan).unwrap().attempts;
    let attempts = rehearse(&scenario, &plan).unwrap().attempts;
    assert!(attempts > 400_000, "the scouts were not cut short: {attempts}");
    assert!((attempts / 2..attempts * 2).contains(&estimate), "{estimate} for {attempts}");
}

#[test]
fn a_run_can_be_watched_and_broken_off() {
    let scenario = Scenario { clients: 20_000, ..Scenario::default() };
    let mut seen = Vec::new();
    let report = rehearse_with(&scenario, &standing(&scenario), |progress| {
        seen.push(progress);
        if seen.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let report = report.unwrap();
    assert!(report.cut_short && !report.recovers);
    assert!(seen.is_sorted_by_key(|progress| progress.at) && seen.len() == 3);
}

#[test]
fn a_report_is_data() {
    let scenario = Scenario { clients: 100, ..Scenario::default() };
    let report = rehearse(&scenario, &standing(&scenario)).unwrap();
    let json: serde_json::Value = serde_json::to_value(&report).unwrap();
    assert_eq!(json["recovers"], true);
    assert_eq!(json["returned_at"], 40.0);
    assert_eq!(json["series"]["bin"], 0.5);
    assert_eq!(json["lost"], 100);
}

/// A server that takes everyone who comes.
fn open() -> Server {
    Server { accepts: parse_rate("100M/s").unwrap(), backlog: 1_000_000, ..Server::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4, ..ProptestConfig::with_cases(8) })]

    /// N / mean delay: with the cap that the law asks for, dispersed clients ask as often as the
    /// server takes, whatever the shape.
    #[test]
    fn the_peak_is_clients_over_mean_delay(
        clients in 12_000_u64..24_000, full: bool, per_second in 1_000_u64..4_000, seed: u64,
    ) {
        let jitter = if full { Jitter::Full } else { Jitter::Equal };
        let accepts = Rate { count: per_second, per: Duration::from_secs(1) };
        let cap = jitter.cap_needed(clients, accepts).unwrap();
        let backoff = Backoff::between(Duration::from_millis(250), cap).jitter(jitter);
        let policy = Policy::standing().rounds(Rounds { times: Times::Forever, backoff });
        let scenario = Scenario {
            clients,
            seed,
            servers: vec![open()],
            outage: Outage { lasts: 15 * cap, ..Outage::default() },
            ..Scenario::default()
        };
        let plan = Plan::policy("law", policy, &scenario).unwrap();
        let peak = rehearse(&scenario, &plan).unwrap().peak_second;
        let percent = peak * 100 / per_second;
        prop_assert!((85..=112).contains(&percent), "{peak}/s is {percent}% of {per_second}/s");
    }
}

//! How fast and how large: `cargo run --release -p redial-sim --example million [CLIENTS]`.
//!
//! The standing policy, a 60 s outage, a server that takes 40,000 per second. Start at [`main`].

use std::{error::Error, time::Duration};

use redial_core::{Policy, parse_count, parse_rate};
use redial_sim::{Outage, Plan, Scenario, Server, rehearse};

fn main() -> Result<(), Box<dyn Error>> {
    let clients = parse_count(&std::env::args().nth(1).unwrap_or_else(|| "1M".into()))?;
    let accepts = parse_rate(&format!("{}/s", (clients / 25).max(1)))?;
    let scenario = Scenario {
        clients,
        servers: vec![Server { accepts, ..Server::default() }],
        outage: Outage { lasts: Duration::from_secs(60), ..Outage::default() },
        ..Scenario::default()
    };
    let plan = Plan::policy("standing", Policy::standing(), &scenario)?;
    let begun = std::time::Instant::now();
    let report = rehearse(&scenario, &plan)?;
    let took = begun.elapsed();
    println!("{}", report.verdict);
    println!(
        "{} attempts in {took:.2?}: {:.3} us each",
        report.attempts,
        took.as_secs_f64() * 1e6
            / report.attempts_per_client()
            / f64::from(u32::try_from(clients)?)
    );
    Ok(())
}

//! Plays policies in a scenario and prints a line for each, by the names of what ships:
//! `cargo run --release -p redial-sim --example rehearse metastable standing wait-for-it`
//!
//! A scenario is a preset's name or a file; a policy is `standing`, a clause, or a peer's name.
//! Start at [`main`].

use std::error::Error;

use redial_core::{Policy, Verb};
use redial_sim::{Peer, Plan, Scenario, estimate, rehearse};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_else(|| "herd".into());
    let scenario = match Scenario::preset(&name) {
        Some(scenario) => scenario?,
        None => {
            let text = std::fs::read_to_string(&name)?;
            Scenario::parse(&text).map_err(|mistake| mistake.in_text(&text))?
        }
    };
    println!("{}", scenario.about);
    for word in words {
        let plan = match Peer::named(&word) {
            Some(peer) => Plan::peer(peer),
            None if word == "standing" => Plan::policy(word, Policy::standing(), &scenario)?,
            None => {
                let policy = Policy::build(Verb::Stay).except(&word)?;
                Plan::policy(word, policy, &scenario)?
            }
        };
        println!("\n{}: {}", plan.name, estimate(&scenario, &plan)?);
        let begun = std::time::Instant::now();
        let report = rehearse(&scenario, &plan)?;
        println!("{}", report.verdict);
        println!(
            "  back {:?} {:?} {:?}; peak {}/s {}/100ms; {:.1} attempts each; {:.0}% wasted; \
             amplification {:.1}; {} retransmissions, {} overflowed; {:.1?}",
            report.back_50,
            report.back_99,
            report.back_100,
            report.peak_second,
            report.peak_tenth,
            report.attempts_per_client(),
            report.wasted * 100.0,
            report.amplification,
            report.retransmissions,
            report.overflowed,
            begun.elapsed(),
        );
    }
    Ok(())
}

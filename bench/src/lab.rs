//! How many short connections a lab serves, what each costs, and whether memory grows by them.
//!
//! The rate is of server and clients together, which share the processors; what the server alone
//! costs is its CPU time.

use std::fs;

use crate::{
    Bench, Outcome, Settings,
    load::come_and_go,
    measure::Measure,
    report::{Report, version},
    server::CONTENDERS,
};

pub(crate) const BENCH: Bench = Bench { name: "lab", run };

const RUNS: usize = 7;
const WARM_UP: usize = 1;
const MILLION: u64 = 1_000_000;

fn run(settings: &Settings) -> Outcome<Report> {
    let runs = settings.runs.unwrap_or(RUNS);
    let names = || CONTENDERS.iter().map(|contender| contender.name);
    let mut rate = Measure::new("Connections a second", "thousand", "more", names());
    let mut cpu = Measure::new("The server's CPU time for each", "µs", "less", names());
    for round in 0..WARM_UP + runs {
        for (place, contender) in CONTENDERS.iter().enumerate() {
            let server = contender.start()?;
            come_and_go(server.address, contender.connections / 10)?;
            let before = server.cpu()?;
            let time = come_and_go(server.address, contender.connections)
                .map_err(|error| format!("{}: {error}", contender.name))?;
            let cost = server.cpu()? - before;
            if round >= WARM_UP {
                let connections = contender.connections as f64;
                rate.push(place, connections / time.as_secs_f64() / 1e3);
                cpu.push(place, cost.as_secs_f64() / connections * 1e6);
            }
        }
    }
    Ok(Report {
        title: "Short connections: connect, read a sentence, close".into(),
        how: format!(
            "16 clients at once on the same machine; a lab (`Behaviour::say`), nginx (`return` of its stream module, one process), `socketserver.ThreadingTCPServer` and `socat TCP-LISTEN,fork`; {runs} runs each."
        ),
        measures: vec![rate, cpu],
        notes: vec![
            memory()?,
            format!("nginx: {}; python3: {}.", version("nginx"), version("python3")),
        ],
    })
}

/// What this process, with a lab in it, holds in memory before and after a million connections.
fn memory() -> Outcome<String> {
    let server = CONTENDERS[0].start()?;
    come_and_go(server.address, MILLION / 50)?;
    let before = resident()?;
    let time = come_and_go(server.address, MILLION)?;
    let after = resident()?;
    Ok(format!(
        "A lab after {MILLION} more connections ({:.1} thousand a second): {after} KiB resident, {before} KiB before.",
        MILLION as f64 / time.as_secs_f64() / 1e3,
    ))
}

fn resident() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.ok_or("a status without VmRSS")?.trim().trim_end_matches(" kB").parse()?)
}

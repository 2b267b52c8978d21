//! How fast a pipe runs through one connection, what that costs, and whether every byte arrives.
//!
//! Two benches of one shape: `head -c SIZE /dev/zero | X` to a sink, and a source to `X >
//! /dev/null`. Zeros are quick to make, so that the program is what is measured; whether bytes
//! arrive is asked of noise, in a run that is not timed.

use std::{
    process::{Child, Command, Stdio},
    time::Instant,
};

use crate::{
    Bench, Outcome, Settings,
    contender::{self, Contender, Task},
    measure::Measure,
    report::Report,
    run::Cost,
    source::{Fingerprint, Noise, Server, fingerprint, sink, zeros},
};

pub(crate) const SEND: Bench = Bench { name: "pipe-send", run: send };
pub(crate) const RECEIVE: Bench = Bench { name: "pipe-receive", run: receive };

const RUNS: usize = 7;
const GIB: f64 = (1u64 << 30) as f64;

fn send(settings: &Settings) -> Outcome<Report> {
    let size = settings.size;
    let mut report = compare(settings, |contender| {
        let server = Server::start(1, sink)?;
        let mut source = Command::new("head")
            .args(["-c", &size.to_string(), "/dev/zero"])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut command = contender.command(Task::Send, server.address);
        command.stdin(source.stdout.take().ok_or("head has no output")?).stdout(Stdio::null());
        let cost = Cost::of(&mut command)?;
        source.wait()?;
        Ok((cost, server.done()?[0]))
    })?;
    report.title = format!("Sending {}", human(size));
    report.how = format!("`head -c {size} /dev/zero | X`, X being {}", report.how);
    report.notes = verify(settings, |contender| {
        let server = Server::start(1, fingerprint)?;
        let mut command = contender.command(Task::Send, server.address);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        let started = Instant::now();
        let input = child.stdin.take().ok_or("there is no input")?;
        let sent = Noise::new().write(input, size)?;
        Cost::of_child(&child, started)?;
        Ok((sent, server.done()?.remove(0)))
    })?;
    Ok(report)
}

fn receive(settings: &Settings) -> Outcome<Report> {
    let size = settings.size;
    let mut report = compare(settings, |contender| {
        let server = Server::start(1, move |connection| zeros(connection, size))?;
        let mut command = contender.command(Task::Receive, server.address);
        let cost = Cost::of(command.stdin(Stdio::null()).stdout(Stdio::null()))?;
        server.done()?;
        Ok((cost, size))
    })?;
    report.title = format!("Receiving {}", human(size));
    report.how =
        format!("`X > /dev/null` from a server that sends {size} zeros, X being {}", report.how);
    report.notes = verify(settings, |contender| {
        let server = Server::start(1, move |connection| {
            let sent = Noise::new().write(&connection, size)?;
            connection.shutdown(std::net::Shutdown::Write)?;
            sink(connection)?;
            Ok(sent)
        })?;
        let mut command = contender.command(Task::Receive, server.address);
        let mut child: Child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let started = Instant::now();
        let received = fingerprint(child.stdout.take().ok_or("there is no output")?)?;
        Cost::of_child(&child, started)?;
        Ok((server.done()?.remove(0), received))
    })?;
    Ok(report)
}

/// Rate, CPU time and memory of each program, in turn. `once` runs one and says what it took and
/// how much arrived.
fn compare(
    settings: &Settings,
    once: impl Fn(&Contender) -> Outcome<(Cost, u64)>,
) -> Outcome<Report> {
    let contenders = contender::all(settings);
    let names = || contenders.iter().map(|contender| contender.name);
    let runs = settings.runs.unwrap_or(RUNS);
    let mut rate = Measure::new("Rate", "GiB/s", "more", names());
    let mut cpu = Measure::new("CPU time per GiB", "s", "less", names());
    let mut peak = Measure::new("Peak memory", "MiB", "less", names());
    let gib = settings.size as f64 / GIB;
    for round in 0..=runs {
        for (place, contender) in contenders.iter().enumerate() {
            let (cost, arrived) = once(contender)?;
            if arrived != settings.size {
                return Err(format!("{}: {arrived} bytes arrived", contender.name).into());
            }
            // The first round warms up.
            if round > 0 {
                rate.push(place, gib / cost.wall.as_secs_f64());
                cpu.push(place, cost.cpu.as_secs_f64() / gib);
                peak.push(place, cost.peak as f64 / (1 << 20) as f64);
            }
        }
    }
    Ok(Report {
        title: String::new(),
        how: format!(
            "`redial connect`, `nc` and `socat -u`; {runs} runs each. CPU time and memory are X's alone; a peak below 6 MiB may be this bench's own, which the kernel counts along."
        ),
        measures: vec![rate, cpu, peak],
        notes: Vec::new(),
    })
}

/// One more run of redial with noise: what was sent, and what arrived.
fn verify(
    settings: &Settings,
    once: impl Fn(&Contender) -> Outcome<(Fingerprint, Fingerprint)>,
) -> Outcome<Vec<String>> {
    let contenders = contender::all(settings);
    let (sent, arrived) = once(&contenders[0])?;
    if sent != arrived {
        return Err(format!("{} sent, {} arrived, not the same", sent.1, arrived.1).into());
    }
    let hash: String = sent.0.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Ok(vec![format!("{} of noise arrived with the same SHA-256 ({hash}…).", human(sent.1))])
}

fn human(size: u64) -> String {
    match size {
        _ if size.is_multiple_of(1 << 30) => format!("{} GiB", size >> 30),
        _ if size.is_multiple_of(1 << 20) => format!("{} MiB", size >> 20),
        _ => format!("{size} bytes"),
    }
}

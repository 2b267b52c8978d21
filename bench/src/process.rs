//! What a whole process costs: connect, receive one line, exit.
//!
//! Scripts start such a program in a loop, so start-up is what they pay for.

use std::{
    io::Write,
    net::{Shutdown, SocketAddr, TcpStream},
    process::{Command, Stdio},
};

use crate::{
    Bench, Outcome, Settings,
    contender::{self, Contender, Task},
    measure::Measure,
    report::Report,
    run::Cost,
    source::{Server, sink},
};

pub(crate) const BENCH: Bench = Bench { name: "process", run };

const RUNS: usize = 100;
const WARM_UP: usize = 10;

fn run(settings: &Settings) -> Outcome<Report> {
    let contenders = contender::all(settings);
    let names = || contenders.iter().map(|contender| contender.name);
    let runs = settings.runs.unwrap_or(RUNS);
    let mut cpu = Measure::new("CPU time", "ms", "less", names());

    let server = Server::start((WARM_UP + runs) * contenders.len(), greet)?;
    for round in 0..WARM_UP + runs {
        for (place, contender) in contenders.iter().enumerate() {
            let mut command = contender.command(Task::Receive, server.address);
            let cost = Cost::of(command.stdin(Stdio::null()).stdout(Stdio::null()))?;
            if round >= WARM_UP {
                cpu.push(place, cost.cpu.as_secs_f64() * 1e3);
            }
        }
    }
    server.done()?;

    let mut report = Report {
        title: "A whole process: connect, receive one line, exit".into(),
        how: format!(
            "User and system time of `redial connect HOST:PORT`, `nc HOST PORT` and `socat -u TCP:HOST:PORT -`; {runs} runs each."
        ),
        measures: vec![cpu],
        notes: Vec::new(),
    };
    match instructions(&contenders)? {
        Some(counts) => report.measures.push(counts),
        None => report.notes.push("Instructions: not measured, for there is no valgrind.".into()),
    }
    Ok(report)
}

/// Instructions outside the kernel, which hardly vary: one run each.
fn instructions(contenders: &[Contender]) -> Outcome<Option<Measure>> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Ok(None);
    }
    let names = contenders.iter().map(|contender| contender.name);
    let mut counts = Measure::new("Instructions (callgrind)", "million", "less", names);
    let server = Server::start(contenders.len(), greet)?;
    for (place, contender) in contenders.iter().enumerate() {
        counts.push(place, counted(contender, server.address)? / 1e6);
    }
    server.done()?;
    Ok(Some(counts))
}

fn counted(contender: &Contender, server: SocketAddr) -> Outcome<f64> {
    let told = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(contender.words(Task::Receive, server))
        .stdin(Stdio::null())
        .output()?;
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    let count =
        told.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    count.ok_or_else(|| format!("valgrind counted nothing of {}: {told}", contender.name).into())
}

/// One line, then the end; the other side's end is waited for, so that nobody is reset.
fn greet(mut connection: TcpStream) -> std::io::Result<u64> {
    connection.write_all(b"hello\n")?;
    connection.shutdown(Shutdown::Write)?;
    sink(connection)
}

//! redial beside its peers, measured in turn on one machine.
//!
//! This file reads the words of the command line and prints what the benches found; each bench is
//! a file with one [`Bench`] in it. What is claimed is a ratio of medians: a time alone says more
//! about the machine than about the program. Start at [`BENCHES`].

mod contender;
mod knock;
mod lab;
mod load;
mod measure;
mod pipe;
mod plot;
mod process;
mod report;
mod run;
mod server;
mod source;
mod wait;

use std::{error::Error, path::PathBuf, process::ExitCode};

use report::Report;

/// Everything that is measured. A new bench is a file and a line here.
const BENCHES: [Bench; 5] = [process::BENCH, pipe::SEND, pipe::RECEIVE, lab::BENCH, wait::BENCH];

const USAGE: &str = "\
usage: redial-bench --redial FILE [--plots FOLDER] [--size 2G] [--runs N] [--beside FILE] [BENCH…]
  --size    bytes through a pipe in each run: 256M, 2G
  --runs    runs of each program, after the warm-up
  --beside  another build of redial, as one more peer
  BENCH     only these: process, pipe-send, pipe-receive, lab, wait; `pipe` is all that begin so";

type Outcome<T> = Result<T, Box<dyn Error>>;

/// One question, and how it is measured.
struct Bench {
    name: &'static str,
    run: fn(&Settings) -> Outcome<Report>,
}

/// What was asked for.
struct Settings {
    redial: PathBuf,
    beside: Option<PathBuf>,
    plots: Option<PathBuf>,
    size: u64,
    runs: Option<usize>,
    only: Vec<String>,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.split_first() {
        Some((word, rest)) if word == knock::WORD => knock::knock(rest),
        _ => settings(words).and_then(|settings| measure_all(&settings)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure_all(settings: &Settings) -> Outcome<()> {
    println!("# redial beside its peers\n\n{}", report::circumstances(&settings.redial));
    let asked = |bench: &&Bench| {
        settings.only.is_empty() || settings.only.iter().any(|word| bench.name.starts_with(word))
    };
    for bench in BENCHES.iter().filter(asked) {
        eprintln!("measuring: {}", bench.name);
        let report = (bench.run)(settings).map_err(|error| format!("{}: {error}", bench.name))?;
        print!("\n{report}");
        if let Some(folder) = &settings.plots {
            std::fs::create_dir_all(folder)?;
            plot::draw(&report, &folder.join(format!("{}.svg", bench.name)))?;
        }
    }
    Ok(())
}

fn settings(words: Vec<String>) -> Outcome<Settings> {
    let mut words = words.into_iter();
    let (mut redial, mut only) = (None, Vec::new());
    let (mut beside, mut plots, mut size, mut runs) = (None, None, 2 << 30, None);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word}: a value is missing\n{USAGE}"));
        match word.as_str() {
            "--redial" => redial = Some(program(&value()?)?),
            "--beside" => beside = Some(program(&value()?)?),
            "--plots" => plots = Some(PathBuf::from(value()?)),
            "--size" => size = bytes(&value()?).ok_or("--size: write 256M or 2G")?,
            "--runs" => runs = Some(value()?.parse().map_err(|_| "--runs: write a number")?),
            name if BENCHES.iter().any(|bench| bench.name.starts_with(name)) => only.push(word),
            _ => return Err(format!("{word}: what is that?\n{USAGE}").into()),
        }
    }
    let redial = redial.ok_or(USAGE)?;
    Ok(Settings { redial, beside, plots, size, runs, only })
}

/// A file by its whole path, so that nobody looks for it in `PATH`.
fn program(file: &str) -> Outcome<PathBuf> {
    std::fs::canonicalize(file).map_err(|error| format!("{file}: {error}").into())
}

fn bytes(text: &str) -> Option<u64> {
    let unit = match text.as_bytes().last()? {
        b'K' => 10,
        b'M' => 20,
        b'G' => 30,
        _ => return text.parse().ok(),
    };
    text[..text.len() - 1].parse::<u64>().ok()?.checked_mul(1 << unit).filter(|size| *size > 0)
}

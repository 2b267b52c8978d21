//! `redial rehearse`: play policies against a server that fails, with many clients, in virtual
//! time.
//!
//! It connects to nothing. What happens is `scene`, who does what about it `plans`; `redial-sim`
//! plays it, and `progress` says how far it is. What came of it is told by `report`, of which
//! `table`, `chart` and `svg` are views, and judged by `limits`. Start at [`run`].

mod chart;
mod figures;
mod limits;
mod plans;
mod progress;
mod report;
mod scene;
mod svg;
mod table;
mod view;

use std::{ffi::OsString, fs, path::PathBuf};

use clap::{CommandFactory, FromArgMatches, Parser};

use self::{limits::LimitFlags, plans::plans, progress::play, report::Report, scene::SceneFlags};
use crate::{
    error::Error,
    exit::Exit,
    flags::PolicyFlags,
    json,
    stderr::Patience,
    terminal::{self, Style, complain},
};

const EXAMPLES: &str = "\
Examples:
  redial rehearse policy.toml --clients 100k --outage 30s --accepts 2000/s
  redial rehearse stay wait-for-it --scenario metastable    two, side by side
  redial rehearse 'any: retry forever every 1s..50s' stay   a clause is a policy too
  redial rehearse policy.toml --max-peak 3000/s --recover-within 60s    for a CI

Exit status: 0 it was played, whatever came of it; 1 a policy missed --max-peak or
--recover-within; 2 a mistake. Scenarios, and how to write one: redial help scenarios";

/// Play policies against a failing server, with many clients, in virtual time
#[derive(Parser, Debug)]
#[command(name = "redial rehearse", no_binary_name = true, max_term_width = 100, after_help = EXAMPLES, disable_version_flag = true)]
pub(crate) struct Flags {
    /// Policies to compare: files, clauses, verbs (stay, connect, wait), other tools (see: redial
    /// help scenarios). The flags that make a policy are added to each that is not another tool's
    /// [default: what the flags say, or stay]
    #[arg(value_name = "POLICY")]
    policies: Vec<OsString>,

    /// The verb whose own clauses stand behind yours: stay, connect, wait [default: stay]
    #[arg(long, value_name = "VERB", help_heading = "When it fails")]
    standing: Option<String>,

    #[command(flatten)]
    scene: SceneFlags,

    /// Play it even if it is estimated to take more than 5 minutes
    #[arg(long, help_heading = "What happens")]
    long: bool,

    #[command(flatten)]
    limits: LimitFlags,

    /// Draw a picture of it: arrivals and connected clients over time, all policies in one
    #[arg(long, value_name = "FILE", help_heading = "What is said")]
    svg: Option<PathBuf>,

    /// The report as JSON instead (docs/rehearse.schema.json)
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, help_heading = "What is said")]
    json: Option<Option<PathBuf>>,

    /// Say less: only the verdicts
    #[arg(short, long, help_heading = "What is said")]
    quiet: bool,

    #[command(flatten)]
    policy: PolicyFlags,
}

/// The flags, for those who list them.
pub(crate) fn command() -> clap::Command {
    Flags::command()
}

/// Reads the words behind `redial rehearse`, and plays.
pub(crate) fn run(words: impl Iterator<Item = OsString>) -> Result<Exit, Error> {
    let matches = command().try_get_matches_from(words);
    let flags = matches
        .and_then(|matches| Flags::from_arg_matches(&matches))
        .map_err(|error| Error::Flags(Box::new(error)))?;
    let scene = flags.scene.scene()?;
    let plans = plans(&flags.policies, flags.standing.as_deref(), &flags.policy, &scene.scenario)?;
    let limits = flags.limits.limits();
    flags.can_be_written()?;
    let reports = play(&scene.scenario, &plans, flags.long)?;
    let report = Report { scene, limits, reports };
    if let Some(file) = &flags.svg {
        fs::write(file, svg::draw(&report))
            .map_err(|error| json::unwritable("--svg", file, &error))?;
    }
    match &flags.json {
        Some(file) => {
            json::write_as(&report.json(), file.as_deref(), true, Patience::of(Exit::Well))?
        }
        None if flags.quiet => terminal::print(&report.verdicts())?,
        None => terminal::print(&report.text(Style::of_stdout()))?,
    }
    let missed = report.missed();
    for sentence in &missed {
        complain(&format!("redial: {sentence}"));
    }
    Ok(if missed.is_empty() { Exit::Well } else { Exit::Failed })
}

impl Flags {
    /// Whoever waited for a run does not want to hear only then that its files have no place.
    fn can_be_written(&self) -> Result<(), Error> {
        let json = self.json.as_ref().and_then(Option::as_ref);
        for (flag, file) in [("--svg", self.svg.as_ref()), ("--json", json)] {
            let Some(file) = file else { continue };
            json::can_be_written(flag, file)?;
        }
        Ok(())
    }
}

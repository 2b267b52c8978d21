//! What is said at the end: a table, the sentence why, or the whole as JSON.
//!
//! Results, the servers that are ready, go to standard output; the rest is the story. Start at
//! [`report`].

use std::time::Duration;

use redial::{Failure, Rounded, Verdict, Waited, WallTime};
use serde::Serialize;

use super::{
    gone::{self, is_there},
    progress::{Line, Progress, State, Watched, tries},
};
use crate::{
    error::Error,
    exit::Exit,
    flags::ReportFlags,
    json,
    stderr::Patience,
    story::Volume,
    terminal::{Style, complain, print_within},
};

/// Says how it ended.
pub(crate) fn report(
    flags: &ReportFlags,
    waited: &Waited,
    exit: Exit,
    progress: &Progress,
    lab: Box<[Box<str>]>,
    has_command: bool,
) -> Result<(), Error> {
    if let Some(file) = &flags.json {
        let whole = Whole::of(waited, exit, progress, lab);
        let patience = if has_command { Patience::SHORT } else { Patience::of(exit) };
        json::write_as(&whole, file.as_deref(), !has_command, patience)?;
    }
    let why = || why(waited, progress);
    match flags.volume() {
        Volume::Json => {}
        Volume::Quiet if waited.reached => {}
        Volume::Quiet => complain(&format!("redial: {}", why())),
        Volume::Normal | Volume::Verbose => {
            if !waited.reached || flags.volume() == Volume::Verbose {
                complain(&table(waited, progress, Style::of_stderr()));
            }
            if !waited.reached {
                complain(&why());
            }
        }
    }
    Ok(())
}

/// The servers that are ready, one a line.
pub(crate) fn print_ready(ready: &[String], exit: Exit) -> Exit {
    let text: String = ready.iter().map(|label| format!("{label}\n")).collect();
    match print_within(&text, Patience::of(exit).total) {
        Ok(true) => exit,
        // The deadline passed before anybody read it.
        Ok(false) => Exit::Deadline,
        Err(_) => Exit::Failed,
    }
}

/// One sentence: what is not ready, and what its last failure says to do.
fn why(waited: &Waited, progress: &Progress) -> String {
    let failure = match &waited.verdict {
        Verdict::Unhandled(failure) | Verdict::Stopped(failure) => Some(&**failure),
        Verdict::Interrupted(signal) => return format!("interrupted by {}", signal.name()),
        _ => None,
    };
    let mut open =
        progress.targets.iter().filter(|target| !target.is_ready()).filter_map(Watched::telling);
    let last = open.clone().find_map(|line| line.last.as_deref());
    match failure.or(last) {
        Some(failure) if progress.is_gone() => gone::why(failure),
        Some(failure) => failure.sentence(&progress.limits_named(&failure.server)),
        None => {
            let label = open.next().map_or("it", |line| &line.label);
            format!("{label}: the first attempt was not over in time; to allow more: --timeout 2m")
        }
    }
}

/// `redial: not ready: 1 of 2 targets (60s)` and a line for each server.
fn table(waited: &Waited, progress: &Progress, style: Style) -> String {
    let all = progress.targets.len();
    let open = progress.targets.iter().filter(|target| !target.is_ready()).count();
    let (ready, not_ready) = match progress.is_gone() {
        true if all_there(progress) => ("gone", "still there"),
        true => ("gone", "not seen to be gone"),
        false => ("ready", "not ready"),
    };
    let head = match waited.reached {
        true => format!("{ready}: {} of {all}", all - open),
        false => format!("{not_ready}: {open} of {all}"),
    };
    let noun = if all == 1 { "target" } else { "targets" };
    let mut lines = vec![format!(
        "redial: {} {noun} ({})",
        style.strong(&head),
        Rounded(progress.began.elapsed())
    )];
    let rows: Vec<[String; 5]> = progress
        .targets
        .iter()
        .flat_map(|target| &target.servers)
        .map(|line| row(line, ready, progress))
        .collect();
    let widths: [usize; 5] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
    });
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("  {cell:<width$}"));
        lines.push(cells.collect::<String>().trim_end().to_owned());
    }
    lines.join("\n")
}

/// Whether every server that is not gone was there when it was last tried.
fn all_there(progress: &Progress) -> bool {
    let mut open = progress.targets.iter().filter(|target| !target.is_ready());
    open.all(|target| {
        let last = target.telling().and_then(|line| line.last.as_deref());
        last.is_some_and(is_there)
    })
}

fn row(line: &Line, ready: &str, progress: &Progress) -> [String; 5] {
    let (state, elapsed) = match line.state {
        State::Ready(at) => (ready.to_owned(), at),
        State::Lost(at) => (last(line, progress.is_gone()), at),
        State::Trying => (last(line, progress.is_gone()), progress.began.elapsed()),
    };
    [line.label.clone(), line.what.clone(), tries(line.tries), state, Rounded(elapsed).to_string()]
}

fn last(line: &Line, gone: bool) -> String {
    match &line.last {
        Some(failure) if gone && is_there(failure) => "still there".into(),
        Some(failure) => failure.kind.to_string(),
        None => "no answer yet".into(),
    }
}

/// The JSON of a wait: `docs/wait.schema.json`.
#[derive(Serialize)]
struct Whole<'a> {
    version: u8,
    verb: &'static str,
    exit: u8,
    reached: bool,
    goal: String,
    began: WallTime,
    elapsed: f64,
    lab: Box<[Box<str>]>,
    targets: Vec<WholeTarget<'a>>,
}

#[derive(Serialize)]
struct WholeTarget<'a> {
    target: &'a str,
    ready: bool,
    servers: Vec<WholeServer<'a>>,
}

#[derive(Serialize)]
struct WholeServer<'a> {
    server: &'a str,
    what: &'a str,
    state: &'static str,
    tries: u32,
    time: WallTime,
    elapsed: f64,
    /// The last one, also of a server that is ready now.
    failure: Option<&'a Failure>,
}

impl<'a> Whole<'a> {
    fn of(waited: &Waited, exit: Exit, progress: &'a Progress, lab: Box<[Box<str>]>) -> Self {
        let now = progress.began.elapsed();
        let began = json::before_now(now);
        let server = |line: &'a Line| {
            let (state, at) = match line.state {
                State::Ready(at) => ("ready", at),
                State::Lost(at) => ("lost", at),
                State::Trying => ("trying", now),
            };
            WholeServer {
                server: &line.label,
                what: &line.what,
                state,
                tries: line.tries,
                time: began.after(at),
                elapsed: seconds(at),
                failure: line.last.as_deref(),
            }
        };
        let target = |target: &'a Watched| WholeTarget {
            target: &target.label,
            ready: target.is_ready(),
            servers: target.servers.iter().map(server).collect(),
        };
        Self {
            version: 1,
            verb: if progress.is_gone() { "gone" } else { "wait" },
            exit: exit.status(),
            reached: waited.reached,
            goal: progress.goal.to_string(),
            began,
            elapsed: seconds(now),
            lab,
            targets: progress.targets.iter().map(target).collect(),
        }
    }
}

/// To the microsecond, as in the record.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e6
}

//! JSON for programs: the record of a session (`docs/record.schema.json`), and errors
//! (`docs/error.schema.json`). Each is one object on one line.
//!
//! It goes to the file of `--json=FILE`, else to standard output where it is the result, else to
//! standard error in place of the progress log. Start at [`write()`] and [`Asked`].

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use redial::{Record, WallTime};
use serde::Serialize;

use crate::{error::Error, exit::Exit, signals, stderr::Patience, terminal, texts::reason};

/// Where errors are wanted as JSON, read from the words before any flag is parsed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Nowhere: errors are sentences on standard error.
    No,
    /// In place of the report, on standard output.
    Output,
    /// In place of the record, on standard error.
    Error,
    /// In this file, and as a sentence on standard error.
    File(PathBuf),
}

impl Asked {
    /// Reads `--json` and `--json=FILE` before the first `--`, else `REDIAL_OPT_JSON`.
    pub(crate) fn of(verb: Verb, words: &[OsString]) -> Self {
        let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
        let flag = words[..end].iter().rev().find_map(|word| {
            let text = word.to_str()?;
            if text == "--json" { Some("") } else { text.strip_prefix("--json=") }
        });
        let variable = match verb {
            Verb::Connect | Verb::Wait => std::env::var("REDIAL_OPT_JSON").ok(),
            Verb::Other => None,
        };
        match (flag.map(ToOwned::to_owned).or(variable), verb) {
            (None, _) => Self::No,
            (Some(file), _) if !file.is_empty() => Self::File(file.into()),
            (Some(_), Verb::Connect) => Self::Error,
            // The command of a `wait` has standard output to itself.
            (Some(_), Verb::Wait) if end < words.len() => Self::Error,
            (Some(_), Verb::Wait | Verb::Other) => Self::Output,
        }
    }
}

/// A verb, as far as its JSON has a place of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verb {
    Connect,
    Wait,
    /// The report is the result.
    Other,
}

/// An error as `docs/error.schema.json` describes it.
#[derive(Serialize)]
struct Whole<'a> {
    version: u8,
    exit: u8,
    error: Described<'a>,
}

/// A mistake, its place, and the text to write instead.
#[derive(Serialize)]
pub(crate) struct Described<'a> {
    pub(crate) what: &'a str,
    pub(crate) instead: &'a str,
    #[serde(flatten)]
    pub(crate) place: Option<Place<'a>>,
}

/// A place in a text. Lines and columns count from 1, columns in characters.
#[derive(Serialize)]
pub(crate) struct Place<'a> {
    pub(crate) source: &'a str,
    pub(crate) line: usize,
    pub(crate) column: usize,
    /// The characters the mistake is about, passwords masked; empty where something is missing.
    pub(crate) text: &'a str,
}

/// Writes an error to where it is wanted as JSON. Returns false where a sentence is wanted too, or
/// instead.
pub(crate) fn write_error(described: Described<'_>, exit: Exit, asked: &Asked) -> bool {
    let whole = Whole { version: 1, exit: exit.status(), error: described };
    let (file, is_the_result) = match asked {
        Asked::No => return false,
        Asked::Output => (None, true),
        Asked::Error => (None, false),
        Asked::File(path) => (Some(&**path), false),
    };
    // The sentence tells of an error whose file cannot be written.
    let patience = if file.is_some() { Patience::SHORT } else { Patience::of(exit) };
    let written = write_as(&whole, file, is_the_result, patience);
    written.is_ok() && file.is_none()
}

/// The wall-clock time this long before now; a clock before 1970 counts as 1970.
pub(crate) fn before_now(elapsed: Duration) -> WallTime {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    WallTime::since_epoch(now.saturating_sub(elapsed))
}

/// Refuses a file that cannot be written, before the work is done whose report it is for. A FIFO
/// or a device is not opened: that may block.
pub(crate) fn can_be_written(flag: &str, path: &Path) -> Result<(), Error> {
    if path.metadata().is_ok_and(|data| !data.is_file() && !data.is_dir()) {
        return Ok(());
    }
    let opened = OpenOptions::new().create(true).append(true).open(path);
    opened.map(drop).map_err(|error| unwritable(flag, path, &error))
}

/// The error of a file that cannot be written.
pub(crate) fn unwritable(flag: &str, path: &Path, error: &std::io::Error) -> Error {
    let name = redial::printable(&path.display().to_string());
    let what = format!("{flag}: {name} cannot be written: {}", reason(error));
    Error::plain(what, "name a file in a folder that exists")
}

#[derive(Serialize)]
struct Report<'a> {
    /// The exit status of the process.
    exit: u8,
    #[serde(flatten)]
    record: &'a Record,
}

/// Writes the record of a session that ended this way.
pub(crate) fn write(
    record: &Record,
    exit: Exit,
    file: Option<&Path>,
    patience: Patience,
) -> Result<(), Error> {
    let report = Report { exit: exit.status(), record };
    write_as(&report, file, false, patience)
}

/// Writes one object as one line: to the file, else to standard output where it is the result,
/// else to standard error. Neither a FIFO nor a pipe that is not read holds longer than patience
/// lasts.
pub(crate) fn write_as(
    report: &impl Serialize,
    file: Option<&Path>,
    is_the_result: bool,
    patience: Patience,
) -> Result<(), Error> {
    let mut json = serde_json::to_string(report).map_err(|error| {
        Error::plain(format!("the record cannot be written as JSON: {error}"), "please report this")
    })?;
    let Some(path) = file else {
        if is_the_result {
            signals::end_at_once();
            terminal::print_within(&(json + "\n"), patience.total)?;
        } else {
            terminal::complain(&json);
        }
        return Ok(());
    };
    json.push('\n');
    let name = redial::printable(&path.display().to_string());
    let shown = path;
    // The session's handlers have no listener any more.
    signals::end_at_once();
    let path = path.to_owned();
    let written =
        terminal::within(patience.total, move || File::create(path)?.write_all(json.as_bytes()));
    match written? {
        Some(result) => result.map_err(|error| unwritable("--json", shown, &error)),
        None => Err(Error::plain(
            format!("--json: {name} was not written in time: it is not being read"),
            "start its reader before redial ends",
        )),
    }
}

//! The record as JSON: one object, one line, the shape of `docs/record.schema.json`.
//!
//! To standard error in place of the story, or to a file beside it; where it is the result, to
//! standard output. Start at [`write()`].

use std::{fs::File, io::Write, path::Path};

use redial::Record;
use serde::Serialize;

use crate::{error::Error, exit::Exit, signals, stderr::Patience, terminal, texts::reason};

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
    let failed = |error: &std::io::Error| {
        Error::plain(
            format!("--json: {name} cannot be written: {}", reason(error)),
            "name a file in a folder that is there",
        )
    };
    // The session's handlers have no listener any more.
    signals::end_at_once();
    let path = path.to_owned();
    let written =
        terminal::within(patience.total, move || File::create(path)?.write_all(json.as_bytes()));
    match written? {
        Some(result) => result.map_err(|error| failed(&error)),
        None => Err(Error::plain(
            format!("--json: {name} was not written in time: it is not being read"),
            "start its reader before redial ends",
        )),
    }
}

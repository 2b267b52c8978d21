//! The record as JSON: one object, one line, the shape of `docs/record.schema.json`.
//!
//! To standard error in place of the story, or to a file beside it; where it is the result, to
//! standard output. Start at [`write()`].

use std::{io::Write, path::Path};

use redial::Record;
use serde::Serialize;

use crate::{error::Error, exit::Exit, terminal, texts::reason};

#[derive(Serialize)]
struct Report<'a> {
    /// The exit status of the process.
    exit: u8,
    #[serde(flatten)]
    record: &'a Record,
}

/// Writes the record of a session that ended this way.
pub(crate) fn write(record: &Record, exit: Exit, file: Option<&Path>) -> Result<(), Error> {
    let report = Report { exit: exit.status(), record };
    write_as(&report, file, false)
}

/// Writes one object as one line: to the file, else to standard output where it is the result,
/// else to standard error.
pub(crate) fn write_as(
    report: &impl Serialize,
    file: Option<&Path>,
    is_the_result: bool,
) -> Result<(), Error> {
    let json = serde_json::to_string(report).map_err(|error| {
        Error::plain(format!("the record cannot be written as JSON: {error}"), "please report this")
    })?;
    let Some(path) = file else {
        if is_the_result {
            // A reader that left has read enough.
            drop(writeln!(std::io::stdout().lock(), "{json}"));
        } else {
            terminal::complain(&json);
        }
        return Ok(());
    };
    let name = redial::printable(&path.display().to_string());
    let failed = |error: &std::io::Error| {
        Error::plain(
            format!("--json: {name} cannot be written: {}", reason(error)),
            "name a file in a folder that is there",
        )
    };
    let mut file = std::fs::File::create(path).map_err(|error| failed(&error))?;
    writeln!(file, "{json}").map_err(|error| failed(&error))
}

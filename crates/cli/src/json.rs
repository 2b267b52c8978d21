//! The record as JSON: one object, one line, the shape of `docs/record.schema.json`.
//!
//! To standard error in place of the story, or to a file beside it. Start at [`write()`].

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
    let json = serde_json::to_string(&report).map_err(|error| {
        Error::plain(format!("the record cannot be written as JSON: {error}"), "please report this")
    })?;
    let Some(path) = file else {
        terminal::complain(&json);
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

//! What this terminal can show, lines to standard error, and results to standard output.
//!
//! Colours only on a terminal and never with `NO_COLOR`; a standard error that is gone is not an
//! error. It decides nothing about what is said. Start at [`complain`].

use std::{
    env,
    io::{self, IsTerminal, Write},
};

use crate::{error::Error, texts::reason};

/// One line or block to standard error.
pub(crate) fn complain(text: &str) {
    // Whoever closed standard error does not want to hear it.
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// A result to standard output. A reader that left has read enough.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::plain(
            format!("standard output cannot be written: {}", reason(&error)),
            "is the disk full?",
        )),
        _ => Ok(()),
    }
}

/// Whether standard error may be coloured: a terminal, no `NO_COLOR` (no-color.org), not `dumb`.
pub(crate) fn stderr_has_colours() -> bool {
    has_colours(&io::stderr())
}

fn has_colours(to: &impl IsTerminal) -> bool {
    let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    !unwanted && !dumb && to.is_terminal()
}

/// Text in the colours of failures, advice and side notes, or plain.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    coloured: bool,
}

impl Style {
    pub(crate) fn of_stderr() -> Self {
        Self { coloured: stderr_has_colours() }
    }

    pub(crate) fn of_stdout() -> Self {
        Self { coloured: has_colours(&io::stdout()) }
    }

    pub(crate) fn failure(self, text: &str) -> String {
        self.wrap("31", text)
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// One of several things that are told apart by colour, and by name.
    pub(crate) fn number(self, place: usize, text: &str) -> String {
        const CODES: [&str; 6] = ["33", "34", "32", "35", "36", "31"];
        self.wrap(CODES[place % CODES.len()], text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

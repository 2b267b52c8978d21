//! What this terminal can show, errors to standard error, and results to standard output.
//!
//! Colours only on a terminal and never with `NO_COLOR`. It decides nothing about what is said. Start
//! at [`complain`].

use std::{
    env,
    io::{self, IsTerminal, Write},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::{error::Error, stderr, stdio::write_now, texts::reason};

/// One line or block to standard error, whoever reads it how slowly.
pub(crate) fn complain(text: &str) {
    stderr::result(text);
}

/// A result to standard output. A reader that left has read enough.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    write_result(text.as_bytes())
}

fn write_result(bytes: &[u8]) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::plain(
            format!("standard output cannot be written: {}", reason(&error)),
            "is the disk full?",
        )),
        _ => Ok(()),
    }
}

/// The same, where something waits for the end of it: returns whether it was written within the
/// limit. What was not goes on being written for as long as the process lives.
pub(crate) fn print_within(text: &str, limit: Duration) -> Result<bool, Error> {
    let stdout = io::stdout();
    let rest = text.as_bytes()[write_now(&stdout, text.as_bytes()).unwrap_or(0)..].to_vec();
    if rest.is_empty() {
        return Ok(true);
    }
    Ok(within(limit, move || write_result(&rest))?.transpose()?.is_some())
}

/// Does what may block on a thread of its own; `None` where that takes longer than the limit.
pub(crate) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Option<T>, Error> {
    let (sender, receiver) = mpsc::channel();
    // Nobody may be waiting any more.
    let work = move || drop(sender.send(work()));
    let thread = thread::Builder::new().name("output".into()).spawn(work);
    thread.map_err(|error| {
        let what = format!("no thread could be started: {}", reason(&error));
        Error::plain(what, "see: ulimit -u")
    })?;
    Ok(receiver.recv_timeout(limit).ok())
}

/// Whether standard error can show live lines.
pub(crate) fn stderr_is_live() -> bool {
    io::stderr().is_terminal() && !is_dumb()
}

fn is_dumb() -> bool {
    env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Whether standard error may be coloured: a terminal, no `NO_COLOR` (no-color.org), not `dumb`.
pub(crate) fn stderr_has_colours() -> bool {
    has_colours(&io::stderr())
}

fn has_colours(to: &impl IsTerminal) -> bool {
    let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !unwanted && !is_dumb() && to.is_terminal()
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

//! The built binary, run once: words and standard input in, what it said and its status out.
//!
//! The environment is empty but for what a test adds, so that no setting of this machine shows in
//! a result. Start at [`Run`].

#![allow(dead_code)] // each test binary uses its part
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::{
    fmt,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

/// A run to be made.
pub(crate) struct Run {
    command: Command,
    /// What standard input holds; `None` for /dev/null.
    input: Option<Vec<u8>>,
    shown: String,
}

/// A run that was made.
pub(crate) struct Ran {
    /// `redial …`, as it would be typed.
    pub(crate) shown: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The exit status; `None` if a signal ended it.
    pub(crate) status: Option<i32>,
}

/// `redial` with these words, no input, and an empty environment.
pub(crate) fn redial<'a>(words: impl IntoIterator<Item = &'a str>) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redial"));
    command.env_clear().env("NO_COLOR", "1").env("RUST_BACKTRACE", "1");
    let mut shown = String::from("redial");
    for word in words {
        command.arg(word);
        shown += &format!(" {}", typed(word));
    }
    Run { command, input: Some(Vec::new()), shown }
}

impl Run {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Standard input is /dev/null, as in a script that has nothing to say.
    pub(crate) fn silent(mut self) -> Self {
        self.input = None;
        self
    }

    pub(crate) fn within(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    pub(crate) fn run(mut self) -> Ran {
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let stdin = child.stdin.take();
        let input = self.input.unwrap_or_default();
        // A child that ends early leaves the rest unread.
        let writer = std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
        let Output { stdout, stderr, status } = child.wait_with_output().unwrap();
        drop(writer.join().unwrap());
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { shown: self.shown, stdout: text(stdout), stderr: text(stderr), status: status.code() }
    }
}

/// As a session in a terminal would look.
impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ {}", self.shown)?;
        f.write_str(&self.stdout)?;
        f.write_str(&self.stderr)?;
        match self.status {
            Some(status) => writeln!(f, "[{status}]"),
            None => f.write_str("[signal]\n"),
        }
    }
}

/// A word as a shell wants it; a very long one is cut.
fn typed(word: &str) -> String {
    let short: String = word.chars().take(60).collect();
    let dots = if short.len() < word.len() { "…" } else { "" };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:@%+,[]^".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        format!("{short}{dots}")
    } else {
        format!("'{}{dots}'", short.replace('\'', "'\\''"))
    }
}

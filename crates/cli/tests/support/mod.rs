//! The built binary, run once: words and standard input in, what it said and its status out.
//!
//! The environment is empty but for what a test adds, so that no setting of this machine shows in
//! a result, and a run that does not end is ended after a minute. Start at [`Run`]; a run that a
//! test talks to while it is under way is a [`Live`].

#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // each test binary uses its part

use std::{
    ffi::OsStr,
    fmt,
    fs::{File, OpenOptions},
    io::{self, PipeReader, PipeWriter, Read, Write},
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use rustix::{
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};

/// No run takes this long, on any machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A run to be made.
pub(crate) struct Run {
    command: Command,
    input: Vec<u8>,
    stdin: Option<Stdio>,
    stdout: Option<Stdio>,
    stderr: Option<Stdio>,
    shown: String,
}

/// A run under way. Dropped, it is killed.
pub(crate) struct Live {
    pub(crate) child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: Option<ChildStdout>,
    shown: String,
    /// What was read of standard error so far.
    heard: String,
    /// Dropped when it has ended, for who would end it.
    _under_way: mpsc::Sender<()>,
}

/// A run that was made.
pub(crate) struct Ran {
    /// `redial …`, as it would be typed.
    pub(crate) shown: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The same as `stdout`, whatever it is.
    pub(crate) bytes: Vec<u8>,
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
    Run { command, input: Vec::new(), stdin: None, stdout: None, stderr: None, shown }
}

impl Run {
    pub(crate) fn arg(mut self, word: &str) -> Self {
        self.command.arg(word);
        self.shown += &format!(" {}", typed(word));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Standard input as given, in place of a pipe.
    pub(crate) fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdin = Some(stdin.into());
        self
    }

    /// Standard input is /dev/null, as in a script that has nothing to say.
    pub(crate) fn silent(self) -> Self {
        self.stdin(Stdio::null())
    }

    /// Standard output as given, in place of a pipe.
    pub(crate) fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = Some(stdout.into());
        self
    }

    /// Standard error as given, in place of a pipe.
    pub(crate) fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.stderr = Some(stderr.into());
        self
    }

    pub(crate) fn within(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// In namespaces of its own (unshare(1): `--net`, `--mount`), behind a shell's setting-up.
    ///
    /// Wants root. What is missing or fails there ends the run.
    pub(crate) fn unshared(mut self, namespaces: &[&str], setting_up: &str) -> Self {
        let script = format!("set -e\n{setting_up}\nexec \"$0\" \"$@\"");
        let mut command = Command::new("unshare");
        command.args(namespaces).args(["--", "sh", "-c", &script]);
        command.arg(self.command.get_program()).args(self.command.get_args());
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        for (name, value) in self.command.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        self.command = command;
        self
    }

    pub(crate) fn run(mut self) -> Ran {
        let input = std::mem::take(&mut self.input);
        let mut live = self.start();
        let writer = live.stdin.take().map(|mut stdin| {
            // It may well end before it has read everything.
            thread::spawn(move || drop(stdin.write_all(&input)))
        });
        let ran = live.end();
        if let Some(writer) = writer {
            writer.join().unwrap();
        }
        ran
    }

    pub(crate) fn start(self) -> Live {
        let Self { mut command, stdin, stdout, stderr, shown, .. } = self;
        command.stdin(stdin.unwrap_or_else(Stdio::piped));
        command.stdout(stdout.unwrap_or_else(Stdio::piped));
        command.stderr(stderr.unwrap_or_else(Stdio::piped));
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (_under_way, over) = mpsc::channel();
        let pid = Pid::from_child(&child);
        // Nobody joins this thread: it goes with the run, or with the tests.
        thread::spawn(move || {
            if over.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                let _ = kill_process(pid, Signal::KILL);
            }
        });
        Live { child, stdin, stdout, shown, heard: String::new(), _under_way }
    }
}

impl Live {
    /// Reads standard error until these words stand in it; the rest stays to be read. Its end
    /// before that is a failure.
    pub(crate) fn hears(&mut self, words: &str) {
        let stderr = self.child.stderr.as_mut().unwrap();
        while !self.heard.contains(words) {
            let mut byte = [0];
            stderr.read_exact(&mut byte).unwrap_or_else(|_| panic!("{}", self.heard));
            self.heard.push(char::from(byte[0]));
        }
    }

    /// The next line of standard output, without its end; byte by byte, so that the rest stays.
    pub(crate) fn line(&mut self) -> String {
        let (mut line, mut byte) = (Vec::new(), [0]);
        while self.stdout.as_mut().unwrap().read(&mut byte).unwrap() == 1 && byte != *b"\n" {
            line.push(byte[0]);
        }
        String::from_utf8(line).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end, with what it has said until then.
    pub(crate) fn end(mut self) -> Ran {
        drop(self.stdin.take());
        let stdout = self.stdout.take();
        let reader = thread::spawn(move || read(stdout));
        let stderr = read(self.child.stderr.take());
        let bytes = reader.join().unwrap();
        let status = self.child.wait().unwrap().code();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let shown = std::mem::take(&mut self.shown);
        let stderr = std::mem::take(&mut self.heard) + &text(&stderr);
        Ran { shown, stdout: text(&bytes), stderr, bytes, status }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // Nothing to do where it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A terminal: what stands at its glass, and what a program is given.
pub(crate) fn terminal() -> (OwnedFd, File) {
    let glass = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&glass).unwrap();
    unlockpt(&glass).unwrap();
    let name = ptsname(&glass, Vec::new()).unwrap();
    let path = OsStr::from_bytes(name.to_bytes());
    (glass, OpenOptions::new().read(true).write(true).open(path).unwrap())
}

/// A pipe without room: its reading end, which keeps it open, and what a program is given.
pub(crate) fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = io::pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    for size in [4096, 1] {
        while writer.write(&[b'.'; 4096][..size]).is_ok() {}
    }
    // Writing to it blocks, as with a pipe of a shell.
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}

/// All of it, to its end.
fn read(from: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        from.read_to_end(&mut bytes).unwrap();
    }
    bytes
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

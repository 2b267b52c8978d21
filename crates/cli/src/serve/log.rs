//! What is said of each connection: a line of JSON (`docs/serve.schema.json`), a line for people.
//!
//! Each line leaves as one write, whole, when its connection has ended. Bytes of a client leave
//! escaped. It does not count; sums are the lab's. Start at [`Log`].

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use redial::{Bytes, Rounded, WallTime, escape, printable};
use redial_lab::{Ended, SeenConnection};
use serde::Serialize;

use crate::{error::Error, json, stderr, texts::reason};

/// Where the lines go.
pub(super) struct Log {
    json: Option<Box<dyn Write + Send>>,
    /// Whether people are told of each connection too, and of its hash.
    lines: bool,
    hash: bool,
    writes: Writes,
}

/// How many writes of the log have begun and ended: odd while one is under way.
#[derive(Clone, Default)]
pub(super) struct Writes(Arc<AtomicU64>);

impl Writes {
    pub(super) fn number(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn pass(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Log {
    pub(super) fn new(lines: bool, hash: bool) -> Self {
        Self { json: None, lines, hash, writes: Writes::default() }
    }

    /// For whoever waits for the log, which may not be read.
    pub(super) fn writes(&self) -> Writes {
        self.writes.clone()
    }

    /// `--log FILE`, from its beginning; `-` is standard output, behind the address.
    pub(super) fn open(&mut self, path: &Path) -> Result<(), Error> {
        if path.as_os_str() == "-" {
            self.json = Some(Box::new(io::stdout()));
            return Ok(());
        }
        let file = File::create(path).map_err(|error| {
            let name = printable(&path.display().to_string());
            Error::plain(
                format!("--log: `{name}` cannot be written: {}", reason(&error)),
                "name a file in a folder that is there, or `-` for standard output",
            )
        })?;
        self.json = Some(Box::new(file));
        Ok(())
    }

    /// Tells of a connection, at once.
    pub(super) fn tell(&mut self, seen: &SeenConnection) -> io::Result<()> {
        if self.lines {
            stderr::progress(&sentence(seen, self.hash));
        }
        let Some(to) = &mut self.json else { return Ok(()) };
        let mut line = serde_json::to_vec(&Line::of(seen))?;
        line.push(b'\n');
        self.writes.pass();
        let written = to.write_all(&line).and_then(|()| to.flush());
        self.writes.pass();
        written
    }
}

/// A connection as JSON. The schema says what each field is.
#[derive(Serialize)]
struct Line<'a> {
    version: u8,
    connection: u64,
    behaviour: &'a str,
    client: String,
    time: WallTime,
    at: f64,
    elapsed: f64,
    received: u64,
    sent: u64,
    head: String,
    sha256_received: String,
    sha256_sent: String,
    ended: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn of(seen: &'a SeenConnection) -> Self {
        Self {
            version: 1,
            connection: seen.number + 1,
            behaviour: seen.behaviour,
            client: seen.peer.to_string(),
            // The line is written as the connection ends.
            time: json::before_now(seen.elapsed),
            at: seen.at.as_secs_f64(),
            elapsed: seen.elapsed.as_secs_f64(),
            received: seen.bytes_in,
            sent: seen.bytes_out,
            head: escape(&seen.head, usize::MAX),
            sha256_received: hexadecimal(&seen.sha256_in),
            sha256_sent: hexadecimal(&seen.sha256_out),
            ended: ended(seen.ended.as_ref()),
            why: why(seen.ended.as_ref()),
        }
    }
}

/// The connection as one line for people.
fn sentence(seen: &SeenConnection, with_hash: bool) -> String {
    let mut text = format!(
        "redial: connection {} from {}: {}: {}, {}; {} received, {} sent",
        seen.number + 1,
        seen.peer,
        seen.behaviour,
        ended(seen.ended.as_ref()).replace('-', " "),
        Rounded(seen.elapsed),
        Bytes(seen.bytes_in),
        Bytes(seen.bytes_out),
    );
    if let Some(why) = why(seen.ended.as_ref()) {
        text += &format!(" ({})", printable(why));
    }
    if with_hash {
        text += &format!("; sha256 {}", hexadecimal(&seen.sha256_in));
    }
    text
}

fn ended(how: Option<&Ended>) -> &'static str {
    match how {
        Some(Ended::ClosedByUs) => "closed-by-server",
        Some(Ended::ResetByUs) => "reset-by-server",
        Some(Ended::ClosedByPeer) => "closed-by-client",
        Some(Ended::ResetByPeer) => "reset-by-client",
        // An end of a newer lab is one this program has no word for.
        Some(_) => "failed",
        None => "stopped",
    }
}

fn why(how: Option<&Ended>) -> Option<&str> {
    match how {
        Some(Ended::Failed(why)) => Some(why),
        _ => None,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

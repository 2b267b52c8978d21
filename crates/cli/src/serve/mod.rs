//! The verb `serve`: a practice server, which says something, and misbehaves by script.
//!
//! The address alone is the first line of standard output; everything else that people read goes to
//! standard error, and that this is no real server with `-q` too. It turns flags into what the lab
//! does and waits for its end; the misbehaving is `redial-lab`'s. Its flags are read from no
//! variables: what `REDIAL_OPT_CERT` and the like say is meant for the other end. Start at [`run`].

mod log;
mod place;
mod plan;
mod tls;

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clap::{CommandFactory, Parser};
use redial::{Bytes, Signal, printable};
use redial_lab::{Lab, Seen, SeenConnection};
use tokio::sync::mpsc;

use self::{
    log::{Log, Writes},
    place::{not_bound, places},
    plan::Plan,
};
use crate::{
    error::Error,
    exit::Exit,
    habits, practice,
    runtime::{interrupts, runtime},
    stderr,
    terminal::{complain, print_within},
    texts::reason,
    typed,
};

const EXAMPLES: &str = "\
Examples:
  redial serve                                     says its sentence, on a free port
  redial serve 5432 --script 'reset 2, stall, ok'  two resets, a stall, then well
  redial serve --script '30% reset seed 7'         the same faults at every start
  redial serve --as redis:not-now                  answers as a redis that is not ready
  redial serve --log seen.jsonl --connections 3    a line for each, then it ends

Exit status: 0 told to stop, or all of --connections came and went; 2 a mistake; 129, 130, 131 or
143 told to stop before all of --connections had come. The words of a script: redial help lab";

/// How long a log that is not read holds the end.
const LOG_PATIENCE: Duration = Duration::from_millis(25);

/// A practice server: says something, and misbehaves by script
#[derive(Parser, Debug)]
#[command(name = "redial serve", no_binary_name = true, disable_version_flag = true, max_term_width = 100, after_help = EXAMPLES)]
#[allow(rustdoc::broken_intra_doc_links)] // `[V6]:PORT` is what a user writes
struct Flags {
    /// PORT (of 127.0.0.1), :PORT (every address), HOST:PORT, [V6]:PORT [default: 127.0.0.1:0, a
    /// free port]
    #[arg(value_name = "ADDR")]
    address: Option<String>,

    /// Say TEXT (with \n, \r, \xHH) or what is in FILE, and close [default: a friendly sentence]
    #[arg(long, value_name = "TEXT|@FILE", group = "well", help_heading = "What it does")]
    say: Option<String>,

    /// Send back what comes
    #[arg(long, group = "well", help_heading = "What it does")]
    echo: bool,

    /// Take what comes and say nothing; tell how much it was, and its SHA-256
    #[arg(long, group = "well", help_heading = "What it does")]
    sink: bool,

    /// Answer a probe as a server of this protocol would: redis, or redis:not-now for one that is
    /// not ready yet (see: redial help lab)
    #[arg(long = "as", value_name = "PROTOCOL", group = "well", help_heading = "What it does")]
    protocol: Option<String>,

    /// What happens to which connection: `reset 2, stall, ok` (see: redial help lab)
    #[arg(long, value_name = "SCRIPT|@FILE", help_heading = "What it does")]
    script: Option<String>,

    /// Speak TLS, well or in one of the ways to do it badly (see: redial help lab) [default: well]
    #[arg(long, value_name = "WORD", num_args = 0..=1, help_heading = "TLS")]
    tls: Option<Option<String>>,

    /// Show this certificate (PEM, with those that signed it behind) instead of one made at start
    #[arg(long, value_name = "FILE", requires = "key", help_heading = "TLS")]
    cert: Option<PathBuf>,

    /// The key of --cert (PEM)
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "TLS")]
    key: Option<PathBuf>,

    /// Write the authority that signed the certificates (PEM) to FILE, for a client to trust
    #[arg(long, value_name = "FILE", conflicts_with = "cert", help_heading = "TLS")]
    ca_out: Option<PathBuf>,

    /// Write a certificate and its key (PEM) to FILE, such as `--tls client` wants of a client
    #[arg(long, value_name = "FILE", conflicts_with = "cert", help_heading = "TLS")]
    client_out: Option<PathBuf>,

    /// End, with status 0, when N connections have come and gone
    #[arg(long, value_name = "N", value_parser = count, help_heading = "How many")]
    connections: Option<u64>,

    /// Serve at most N at once; more wait in the backlog
    #[arg(long, value_name = "N", value_parser = at_once, default_value = "4096", help_heading = "How many")]
    max_connections: usize,

    /// How many may wait to be accepted; the kernel may allow fewer
    #[arg(long, value_name = "N", value_parser = backlog, default_value = "4096", help_heading = "How many")]
    backlog: u32,

    /// Write a JSON object for each connection that has ended, one a line, to FILE, or to standard
    /// output behind the address: `-` (docs/serve.schema.json)
    #[arg(long, value_name = "FILE|-", help_heading = "What is said")]
    log: Option<PathBuf>,

    /// Say less: only that this is a practice server
    #[arg(short, long, conflicts_with = "verbose", help_heading = "What is said")]
    quiet: bool,

    /// Say more: a line for each connection that has ended
    #[arg(short, long, help_heading = "What is said")]
    verbose: bool,
}

/// Serves until told to stop, or until all connections that were asked for have ended.
pub(crate) fn run(words: impl Iterator<Item = OsString>) -> Result<Exit, Error> {
    let words = typed::as_text(words)?;
    let words = habits::translated(habits::Verb::Serve, &words, &[])?;
    let mut flags = Flags::try_parse_from(words).map_err(|error| Error::Flags(Box::new(error)))?;
    practice::allowed()?;
    flags.give_back_the_address();
    let places = places(flags.address.as_deref())?;
    let plan = Plan::of(&flags)?;
    serve(&flags, plan, &places)
}

/// The flags, for those who list them.
pub(crate) fn command() -> clap::Command {
    Flags::command()
}

/// Returns whether these words are accepted, as far as that is known without a file or a lookup.
pub(crate) fn accepts(words: &[String]) -> bool {
    Flags::try_parse_from(words).is_ok_and(|mut flags| {
        flags.give_back_the_address();
        let port = flags.address.as_deref().map(|word| word.rsplit(':').next().unwrap_or(word));
        port.is_none_or(|port| port.parse::<u16>().is_ok())
    })
}

impl Flags {
    /// `--tls 127.0.0.1:0`: what stands behind a flag without its word may be the address.
    fn give_back_the_address(&mut self) {
        if let (None, Some(tls @ Some(_))) = (&self.address, &mut self.tls)
            && tls.as_ref().is_some_and(|word| word.contains(|c: char| c == ':' || c.is_numeric()))
        {
            self.address = tls.take();
        }
    }

    const fn tells_each(&self) -> bool {
        !self.quiet && (self.verbose || self.sink)
    }
}

/// What ends a server besides a signal.
enum News {
    /// All connections that were asked for have ended.
    Enough,
    /// The log cannot be written.
    NoLog(io::Error),
}

/// Why it ended.
enum End {
    Told(Signal),
    News(News),
}

fn serve(flags: &Flags, plan: Plan, places: &[SocketAddr]) -> Result<Exit, Error> {
    let log = Log::new(flags.tells_each(), flags.sink);
    let writes = log.writes();
    let log = Arc::new(Mutex::new(log));
    let (news, told) = mpsc::unbounded_channel();
    let runtime = runtime()?;
    let outcome = runtime.block_on(async {
        // Before anybody knows the address: who does may end this.
        let signals = interrupts()?;
        let lab = opened(flags, &plan, places, &log, news)?;
        wait(lab, signals, told, &writes).await
    });
    // A lab that hangs in writing its log would be waited for.
    runtime.shutdown_background();
    let (end, seen) = outcome?;
    if matches!(end, End::Told(_)) {
        stderr::interrupted();
    }
    let served = seen.map_or_else(String::new, |seen| sums(&seen) + "; ");
    let (exit, why) = match end {
        End::Told(signal) if flags.connections.is_none() => (Exit::Well, told_to_stop(signal)),
        End::Told(signal) => (Exit::Interrupted(signal), told_to_stop(signal)),
        End::News(News::Enough) => (Exit::Well, "that was all of --connections".into()),
        End::News(News::NoLog(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            (Exit::ReaderLeft, "the reader of the log left".into())
        }
        End::News(News::NoLog(error)) => {
            complain(&format!(
                "redial: the log cannot be written: {}; is the disk full?",
                reason(&error)
            ));
            return Ok(Exit::Failed);
        }
    };
    if !flags.quiet {
        complain(&format!("redial: {served}{why}"));
    }
    Ok(exit)
}

/// Starts it, and says where it is.
fn opened(
    flags: &Flags,
    plan: &Plan,
    places: &[SocketAddr],
    log: &Arc<Mutex<Log>>,
    news: mpsc::UnboundedSender<News>,
) -> Result<Lab, Error> {
    // Nothing is told of a connection before the address is.
    let mut first = log.lock().unwrap_or_else(PoisonError::into_inner);
    let lab = start(flags, plan, places, log.clone(), news)?;
    let announced = match &flags.log {
        // Not before the address was had: a start that fails takes nobody's log away.
        Some(path) => first.open(path),
        None => Ok(()),
    }
    .and_then(|()| announce(flags, plan, &lab));
    // A lab that stops waits for who waits for this.
    drop(first);
    announced.map(|()| lab)
}

fn start(
    flags: &Flags,
    plan: &Plan,
    places: &[SocketAddr],
    log: Arc<Mutex<Log>>,
    news: mpsc::UnboundedSender<News>,
) -> Result<Lab, Error> {
    let mut ended = 0;
    let enough = flags.connections;
    let on_end = move |seen: &SeenConnection| {
        // Whoever listened has left only when all is over.
        let tell = |piece| drop(news.send(piece));
        if let Err(error) = log.lock().unwrap_or_else(PoisonError::into_inner).tell(seen) {
            tell(News::NoLog(error));
        }
        ended += 1;
        if Some(ended) == enough {
            tell(News::Enough);
        }
    };
    let mut builder = Lab::build(plan.script.clone())
        .bind(places)
        .at_once(flags.max_connections)
        .backlog(flags.backlog)
        .on_end(on_end);
    if let Some(number) = flags.connections {
        builder = builder.connections(number);
    }
    builder.start().map_err(|error| not_bound(flags.address.as_deref(), places, &error))
}

/// What clients need in its files, the address on standard output, and on standard error what
/// this is.
fn announce(flags: &Flags, plan: &Plan, lab: &Lab) -> Result<(), Error> {
    if let Some(path) = &flags.ca_out {
        let (what, instead) = ("no authority signs anything here", "add --tls, or leave it out");
        write_pem("--ca-out", path, 0o644, lab.ca_pem(), what, instead)?;
    }
    if let Some(path) = &flags.client_out {
        let (what, instead) = ("no certificate is wanted of a client here", "add --tls client");
        // It has a key in it.
        write_pem("--client-out", path, 0o600, lab.client_identity_pem(), what, instead)?;
    }
    let address = lab.address();
    let open = if address.ip().is_loopback() { "" } else { ", open to other machines" };
    complain(&format!(
        "redial: {address} is a practice server inside this process, for tests only{open}: {}",
        plan.about
    ));
    // Whoever named the port knows the address, and standard error has it: no reader is waited for.
    print_within(&format!("{address}\n"), LOG_PATIENCE).map(drop)
}

fn write_pem(
    flag: &str,
    path: &Path,
    mode: u32,
    pem: Option<&str>,
    what: &str,
    instead: &str,
) -> Result<(), Error> {
    let pem = pem.ok_or_else(|| Error::plain(format!("{flag}: {what}"), instead))?;
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(pem.as_bytes())).map_err(|error| {
        let name = printable(&path.display().to_string());
        Error::plain(
            format!("{flag}: `{name}` cannot be written: {}", reason(&error)),
            "name a file in a folder that is there",
        )
    })
}

/// Waits for the end, and stops. A second signal does not wait until that is done.
async fn wait(
    lab: Lab,
    mut signals: mpsc::UnboundedReceiver<Signal>,
    mut told: mpsc::UnboundedReceiver<News>,
    log: &Writes,
) -> Result<(End, Option<Seen>), Error> {
    let end = tokio::select! {
        Some(signal) = signals.recv() => End::Told(signal),
        Some(news) = told.recv() => End::News(news),
        else => {
            let what = "the practice server stopped by itself";
            return Err(Error::plain(what, "please report this"));
        }
    };
    // Connections that are alive still are told of before this is over.
    let stopping = tokio::task::spawn_blocking(move || lab.stop());
    tokio::select! {
        seen = stopping => Ok((end, seen.ok())),
        _ = signals.recv() => Ok((end, None)),
        () = stuck(log) => Ok((end, None)),
    }
}

/// Comes back when one write of the log takes too long.
async fn stuck(log: &Writes) {
    loop {
        let before = log.number();
        tokio::time::sleep(LOG_PATIENCE).await;
        if before % 2 == 1 && log.number() == before {
            return;
        }
    }
}

fn sums(seen: &Seen) -> String {
    let totals = &seen.totals;
    let connections = if totals.connections == 1 { "connection" } else { "connections" };
    let alive = match totals.connections - totals.ended {
        0 => String::new(),
        alive => format!(", {alive} of them cut short"),
    };
    format!(
        "served {} {connections}{alive}: {} received, {} sent",
        totals.connections,
        Bytes(totals.bytes_in),
        Bytes(totals.bytes_out)
    )
}

fn told_to_stop(signal: Signal) -> String {
    match signal {
        Signal::Sigint => "told to stop (Ctrl-C)".into(),
        other => format!("told to stop ({})", other.name()),
    }
}

fn count(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("0 connections would end before any; leave the flag out to go on".into()),
        Ok(number) => Ok(number),
        Err(_) => Err(format!("`{}` is not a number of connections", printable(text))),
    }
}

fn at_once(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("0 at once would let nobody in; write 1 or more".into()),
        Ok(number) => Ok(number),
        Err(_) => Err(format!("`{}` is not a number of connections", printable(text))),
    }
}

fn backlog(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(number @ 1..=65_535) => Ok(number),
        _ => Err(format!("`{}` is not a number from 1 to 65535", printable(text))),
    }
}

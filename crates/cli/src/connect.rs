//! The verb `connect`: standard input and output over one connection.
//!
//! It turns words into a policy, has the driver carry it out, and tells how it ended. Bytes are the
//! pump's, telling is the story's and the traceback's. Start at [`run`].

use std::{
    ffi::OsString,
    sync::{Arc, Mutex, PoisonError},
};

use clap::{CommandFactory, Parser};
use redial::{Finished, PolicyBuilder, Redial, Verb, Verdict, Via};

use crate::{
    applies::Typed,
    error::Error,
    exit::Exit,
    flags::{DialFlags, PolicyFlags, ReportFlags, parse},
    habits, json,
    practice::{self, Practice},
    pump::{HalfClose, Pump, Wishes},
    runtime::{interrupts, runtime},
    stderr::{self, Patience},
    stdio::Streams,
    story::{Story, Volume},
    terminal::{Style, complain},
    texts,
    traceback::{closing, traceback},
    typed,
};

/// Standard input and output over one connection, opened as the policy says.
#[derive(Parser, Debug)]
#[command(name = "redial connect", disable_version_flag = true, max_term_width = 100, after_help = EXAMPLES)]
#[allow(rustdoc::broken_intra_doc_links)] // `[V6]:PORT` is what a user writes
struct Flags {
    /// HOST:PORT, HOST PORT, [V6]:PORT, unix:/PATH, tls://HOST:PORT, redis://HOST …, env:NAME,
    /// or a practice server: lab:late. Several: any of them will do
    #[arg(required_unless_present = "policy", value_name = "SERVER")]
    servers: Vec<String>,

    #[command(flatten)]
    policy: PolicyFlags,

    #[command(flatten)]
    dial: DialFlags,

    /// End after N bytes, at the server's end, or 100ms after the last byte once something came
    #[arg(long, value_name = "N", value_parser = size, env = "REDIAL_OPT_RECEIVE", hide_env = true, help_heading = "Bytes")]
    receive: Option<u64>,

    /// When to end our side of the connection
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        env = "REDIAL_OPT_HALF_CLOSE",
        hide_env = true,
        help_heading = "Bytes"
    )]
    half_close: HalfClose,

    /// Send line ends as CRLF
    #[arg(long, env = "REDIAL_OPT_CRLF", hide_env = true, help_heading = "Bytes")]
    crlf: bool,

    /// Let a terminal obey what the server sends; without it, control characters are shown
    #[arg(long, env = "REDIAL_OPT_RAW", hide_env = true, help_heading = "Bytes")]
    raw: bool,

    #[command(flatten)]
    report: ReportFlags,
}

const EXAMPLES: &str = "\
Examples:
  redial connect lab:late --retry 10              a practice server that is late
  redial connect db1:5432 db2:5432                the second where the first is down
  redial connect HOST:22 --expect ^SSH- --receive 1k
  redial connect HOST:PORT --except 'refused: say \"it is down\", exit 3'";

/// Connects, and stays until the connection is over.
pub(crate) fn run(words: impl Iterator<Item = OsString>) -> Result<Exit, Error> {
    let words = typed::as_text(words)?;
    let words = habits::translated(habits::Verb::Connect, &words, &[])?;
    let command = words.iter().any(|word| word == "--").then(|| words.clone());
    let named = std::iter::once("redial connect".to_owned()).chain(words);
    let (flags, matches) = parse::<Flags>(named)?;
    let typed_flags = Typed::new(&matches, Verb::Connect);
    typed_flags.check_flags(&flags.policy)?;
    typed::misplaced_clause(&flags.servers)?;
    if let Some(error) = command.and_then(|words| habits::command_of_connect(&words)) {
        return Err(error);
    }
    let builder = flags.policy.policy(Verb::Connect)?.only_while_fresh();
    let mut practice = Practice::default();
    let servers = practice.servers(&flags.servers)?;
    let via = flags.dial.via()?;
    let named = servers.clone();
    let builder = if servers.is_empty() { builder } else { builder.servers(servers) };
    if !builder.has_servers() {
        return Err(Error::plain(
            "no server is named, here or in the policy file",
            "write HOST:PORT behind `connect`, or `servers = [\"HOST:PORT\"]` in the file",
        ));
    }
    typed_flags.check_servers(builder.named(), &flags.dial, via.as_ref())?;
    typed::warn(&flags.servers, &named, via.as_ref(), &flags.dial, flags.report.quiet);
    let builder = within(builder);
    let policy = builder.build().map_err(|mistake| Error::plain(mistake.what, mistake.instead))?;
    typed_flags.check_policies([&policy])?;
    flags.report.can_be_written()?;
    carry_out(&flags, policy, via, &practice)
}

/// The deadline is no later than what `#within` allows, where each server has one: they are
/// alternatives of one target.
fn within(builder: PolicyBuilder) -> PolicyBuilder {
    let each: Option<Vec<_>> =
        builder.named().iter().map(|server| server.options().within).collect();
    match each.and_then(|each| each.into_iter().max()) {
        Some(longest) => builder.deadline_at_most(longest),
        None => builder,
    }
}

/// The flags, for those who list them.
pub(crate) fn command() -> clap::Command {
    Flags::command()
}

/// Returns whether these words are accepted, as far as that is known without a file or a variable.
pub(crate) fn accepts(words: &[String]) -> bool {
    let named = std::iter::once("redial connect").chain(words.iter().map(String::as_str));
    Flags::try_parse_from(named)
        .is_ok_and(|flags| flags.policy.reads() && practice::reads_all(&flags.servers))
}

fn carry_out(
    flags: &Flags,
    policy: redial::Policy,
    via: Option<Via>,
    practice: &Practice,
) -> Result<Exit, Error> {
    let wishes = Wishes {
        limits: *policy.limits(),
        receive: flags.receive,
        half_close: flags.half_close,
        crlf: flags.crlf,
        raw: flags.raw,
    };
    let volume = flags.report.volume();
    stderr::deadline(policy.deadline());
    let story = Arc::new(Mutex::new(Story::new(Arc::new(policy.clone()), volume)));
    let teller = story.clone();
    let mut redial = Redial::new(policy)
        .allow_run()
        .tls(flags.dial.tls(practice.authority()))
        .ip_versions(flags.dial.ip_versions())
        .lab(practice.names())
        .listen(move |happened| {
            teller.lock().unwrap_or_else(PoisonError::into_inner).tell(happened)
        });
    if let Some(seed) = flags.report.seed {
        redial = redial.seed(seed);
    }
    if let Some(proxy) = via {
        redial = redial.via(proxy);
    }
    if let Some(address) = flags.dial.bind {
        redial = redial.bind(address);
    }
    let runtime = runtime()?;
    let streams = Streams::inherited().map_err(|error| {
        let what = format!("standard input or output cannot be used: {}", texts::reason(&error));
        Error::plain(what, "see: ulimit -n")
    })?;
    let mut pump = Pump::new(wishes, streams);
    let outcome = runtime.block_on(async {
        let redial = redial.interrupts(interrupts()?);
        let outcome = redial
            .carry_out(async |connection: &mut redial::Connection| pump.run(connection).await)
            .await;
        outcome.map_err(|error| Error::sentence(error.to_string()))
    });
    // A thread that blocks in a read of standard input would be waited for.
    runtime.shutdown_background();
    let outcome = outcome?;
    story.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let exit = ending(&outcome, &pump);
    report(&outcome, exit, volume, &pump);
    if let Some(file) = &flags.report.json {
        json::write(&outcome.record, exit, file.as_deref(), Patience::of(exit))?;
    }
    Ok(exit)
}

/// The exit status: the verdict's, unless our own standard streams broke.
pub(crate) fn ending(outcome: &Finished, pump: &Pump) -> Exit {
    match (&outcome.verdict, pump.reader_left, &pump.broken) {
        (Verdict::Well, true, _) => Exit::ReaderLeft,
        (Verdict::Well, _, Some(_)) => Exit::Failed,
        (verdict, ..) => Exit::of(verdict),
    }
}

/// Tells how it ended, where that was not well.
fn report(outcome: &Finished, exit: Exit, volume: Volume, pump: &Pump) {
    if let Some(error) = pump.broken.as_ref().filter(|_| exit == Exit::Failed) {
        complain(&format!("redial: standard input or output failed: {error}; is the disk full?"));
    }
    let (Verdict::Unhandled(failure) | Verdict::Stopped(failure) | Verdict::Deadline(failure)) =
        &outcome.verdict
    else {
        return;
    };
    match volume {
        Volume::Json => {}
        Volume::Quiet => complain(&format!("redial: {}", closing(&outcome.record, failure))),
        Volume::Normal | Volume::Verbose => {
            complain(&traceback(&outcome.record, failure, Style::of_stderr()))
        }
    }
}

fn size(text: &str) -> Result<u64, String> {
    match redial::parse_size(text) {
        Ok(0) => Err("0 bytes would end before it began; leave the flag out for no limit".into()),
        Ok(size) => Ok(size),
        Err(mistake) => Err(mistake.to_string()),
    }
}

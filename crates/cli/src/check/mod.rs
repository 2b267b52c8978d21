//! `redial check`: read a policy and say what is wrong with it, what is dangerous, and when each
//! retry happens.
//!
//! It connects to nothing. Mistakes end it with status 2; warnings do not, unless `--strict`.
//! When retries happen is `schedule`, what is dangerous `warnings`, how it is said `report`, what
//! each danger is `dangers`. Start at [`run`].

mod dangers;
mod report;
mod schedule;
mod warnings;

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use clap::{CommandFactory, FromArgMatches, Parser};
use redial::{
    Clause, Mistake, PolicyBuilder, Rate, Target, Verb, masked, nearest, parse_count, parse_rate,
    printable, retry_sugar,
};

pub(crate) use self::dangers::about;
#[cfg(test)]
pub(crate) use self::dangers::page;
use self::{
    report::Report,
    warnings::{Case, Crowd},
};
use crate::{VERBS, applies::Typed, error::Error, exit::Exit, flags::PolicyFlags, json, terminal};

const EXAMPLES: &str = "\
Examples:
  redial check policy.toml
  redial check --except 'refused: retry 10 every 1s..1m, next'
  redial check --retry 10                      what --retry stands for
  redial check --standing connect > mine.toml  the verb's own clauses, to begin with
  redial check policy.toml --clients 100k --accepts 2000/s

Dangers (more on each: redial help NAME):
{dangers}
Exit status: 0 clean, or with warnings; 1 with --strict and a warning; 2 a mistake.";

/// Read a policy: mistakes, dangers, the schedule of every retry
#[derive(Parser, Debug)]
#[command(name = "redial check", no_binary_name = true, disable_version_flag = true)]
pub(crate) struct CheckFlags {
    /// Policy files to read; `-` is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Print the clauses of a verb (connect, stay, wait) behind yours, as a file to save
    #[arg(long, value_name = "VERB")]
    standing: Option<String>,

    /// End with status 1 if there is a warning
    #[arg(long)]
    strict: bool,

    /// So many clients have this policy: do their pauses grow long enough? (with --accepts)
    #[arg(long, value_name = "N", value_parser = clients, requires = "accepts")]
    clients: Option<u64>,

    /// How many of them the server takes, as in `2000/s`
    #[arg(long, value_name = "N/TIME", value_parser = accepts, requires = "clients")]
    accepts: Option<Rate>,

    /// Say less: only warnings
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,

    /// Say more: a line for every attempt
    #[arg(short, long)]
    verbose: bool,

    /// The report as JSON, one line a policy (docs/check.schema.json)
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    json: Option<Option<PathBuf>>,

    #[command(flatten)]
    policy: PolicyFlags,
}

/// Reads the words behind `redial check`, and checks.
pub(crate) fn run(words: impl Iterator<Item = OsString>) -> Result<Exit, Error> {
    let matches = command().try_get_matches_from(words);
    let parsed = matches.and_then(|matches| Ok((CheckFlags::from_arg_matches(&matches)?, matches)));
    let (flags, matches) = parsed.map_err(|error| Error::Flags(Box::new(error)))?;
    let reports = flags.reports()?;
    let typed = Typed::new(&matches, Verb::Connect);
    for report in &reports {
        typed.check_tls(report.policy.servers())?;
    }
    if let Some(verb) = &flags.standing {
        return standing(&flags, verb, &reports);
    }
    flags.print(&reports)?;
    Ok(flags.exit(&reports))
}

/// The flags, with the dangers it knows.
pub(crate) fn command() -> clap::Command {
    CheckFlags::command().after_help(EXAMPLES.replace("{dangers}", &dangers::list()))
}

fn clients(text: &str) -> Result<u64, String> {
    match parse_count(text) {
        Ok(0) => Err("0 clients ask nothing of a server; write how many, as in `100k`".into()),
        Ok(clients) => Ok(clients),
        Err(mistake) => Err(mistake.to_string()),
    }
}

fn accepts(text: &str) -> Result<Rate, String> {
    parse_rate(text).map_err(|mistake| mistake.to_string())
}

impl CheckFlags {
    /// A report on each file, or on what the flags alone say.
    fn reports(&self) -> Result<Vec<Report>, Error> {
        let verb = match &self.standing {
            Some(name) => verb(name)?,
            None => Verb::Connect,
        };
        if self.files.is_empty() {
            if self.standing.is_none() && self.policy.is_empty() {
                let next = "name a policy file, or write a clause: redial check --except 'refused: retry 10'";
                return Err(Error::plain("there is nothing to check", next));
            }
            return Ok(vec![self.report(verb, &self.policy)?]);
        }
        let one = |file: &PathBuf| {
            if file.as_os_str() != "-" && !file.exists() {
                return Err(no_file(file));
            }
            let file = if file.as_os_str() == "-" { Path::new("/dev/stdin") } else { file };
            self.report(verb, &self.policy.with_file(file))
        };
        self.files.iter().map(one).collect()
    }

    fn report(&self, verb: Verb, flags: &PolicyFlags) -> Result<Report, Error> {
        // What comes from a variable is not to stand in a file.
        let mut flags = flags.clone();
        flags.send = flags.send.filter(|text| self.standing.is_none() || !is_variable(text));
        let builder = flags.policy(verb)?;
        build(&builder, &flags, self.crowd())
            .map_err(|mistake| Error::plain(mistake.what, mistake.instead))
    }

    fn crowd(&self) -> Option<Crowd> {
        self.clients.zip(self.accepts).map(|(clients, accepts)| Crowd { clients, accepts })
    }

    fn print(&self, reports: &[Report]) -> Result<(), Error> {
        let mut text = String::new();
        for (index, report) in reports.iter().enumerate() {
            if self.json.is_some() {
                text += &format!("{}\n", report.json());
                continue;
            }
            if let Some(file) = report.file.as_ref().filter(|_| reports.len() > 1 && !self.quiet) {
                text += &format!("{}{file}\n\n", if index > 0 { "\n" } else { "" });
            }
            text += &if self.quiet { report.warned() } else { report.text(self.verbose) };
        }
        match &self.json {
            Some(Some(file)) => {
                fs::write(file, text).map_err(|error| json::unwritable("--json", file, &error))
            }
            _ => terminal::print(&text),
        }
    }

    fn exit(&self, reports: &[Report]) -> Exit {
        let warned = reports.iter().any(|report| !report.warnings.is_empty());
        if self.strict && warned { Exit::Failed } else { Exit::Well }
    }
}

/// Finds everything out about a policy.
fn build(
    builder: &PolicyBuilder,
    flags: &PolicyFlags,
    crowd: Option<Crowd>,
) -> Result<Report, Mistake> {
    let policy = builder.clone().build()?;
    let schedules = schedule::schedules(builder)?;
    let warnings =
        warnings::warnings(&Case { builder, policy: &policy, schedules: &schedules, crowd });
    let stands_for = match &flags.retry {
        Some(text) => {
            let clauses = Clause::parse_all(&retry_sugar(text)?)?;
            let clauses: Vec<String> = clauses.iter().map(ToString::to_string).collect();
            Some((format!("--retry {text}"), clauses.join("; ")))
        }
        None => None,
    };
    let file = flags.policy.as_ref().map(|file| masked(&printable(&file.display().to_string())));
    Ok(Report { file, stands_for, policy, schedules, warnings })
}

/// `--standing VERB`: the policy as a file; what is dangerous about it goes to standard error.
fn standing(flags: &CheckFlags, verb: &str, reports: &[Report]) -> Result<Exit, Error> {
    let [report] = reports else {
        return Err(Error::plain(
            "--standing prints one policy, and several files are named",
            "name one file",
        ));
    };
    if flags.json.is_some() {
        return Err(Error::plain(
            "--standing prints a file, and --json a report",
            "leave one of them out",
        ));
    }
    let file = report.policy.to_toml();
    let shown = masked(&file);
    if shown != file {
        let what = "redial: a password in a clause is printed as ***";
        terminal::complain(&format!("{what}; let the command read it from its environment"));
    }
    if let Some(send) = flags.policy.send.as_ref().filter(|text| is_variable(text)) {
        let what = format!("redial: --send {} is not in the file", printable(send));
        terminal::complain(&format!("{what}; give it again where the file is used"));
    }
    if !report.warnings.is_empty() {
        terminal::complain(report.warned().trim_end());
    }
    terminal::print(&format!(
        "# The clauses of `redial {verb}`, in the order tried. To read it: redial check FILE\n{shown}"
    ))?;
    Ok(flags.exit(reports))
}

fn is_variable(text: &str) -> bool {
    text.starts_with("env:")
}

/// The verb of `--standing`.
fn verb(name: &str) -> Result<Verb, Error> {
    let names: Vec<&str> = Verb::ALL.iter().map(|verb| verb.name()).collect();
    if let Some(verb) = Verb::ALL.into_iter().find(|verb| verb.name() == name) {
        return Ok(verb);
    }
    let shown = masked(&printable(name));
    if VERBS.iter().any(|(verb, _)| *verb == name) {
        let next = format!("those that have are {}", names.join(", "));
        return Err(Error::plain(format!("`{shown}` has no clauses of its own"), next));
    }
    let next = match nearest(name, names.iter().copied()) {
        Some(near) => format!("the nearest is `{near}`"),
        None => format!("those with clauses of their own are {}", names.join(", ")),
    };
    Err(Error::plain(format!("--standing: no verb is called `{shown}`"), next))
}

/// A word that is no file may be a server; each has its verb.
fn no_file(word: &Path) -> Error {
    let text = word.display().to_string();
    let is_lab = text.starts_with("lab:") || text.starts_with("env:");
    let is_server = is_lab || Target::parse(&text).is_ok() || text.contains("://");
    let shown = masked(&printable(&text));
    if is_server {
        let next = format!("to try it: redial connect {shown}");
        return Error::plain(format!("`{shown}` is a server, not a policy file"), next);
    }
    if Clause::parse_all(&text).is_ok_and(|clauses| !clauses.is_empty()) {
        return Error::plain(
            format!("`{shown}` is a clause, not a policy file"),
            "put --except before it",
        );
    }
    if let Some((verb, _)) = VERBS.iter().find(|(verb, _)| *verb == text) {
        return Error::plain(
            format!("there is no file `{shown}`"),
            format!("for the clauses of a verb: redial check --standing {verb}"),
        );
    }
    Error::plain(
        format!("there is no file `{shown}`"),
        "to print a policy to begin with: redial help policy",
    )
}

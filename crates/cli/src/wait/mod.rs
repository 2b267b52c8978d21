//! The verb `wait`: until servers are ready, then the command.
//!
//! It turns words into one policy for each server, has the driver run them side by side, and
//! becomes the command. What is named is `targets`, what is told meanwhile `progress`, at the end
//! `report`; becoming the command is `exec`. Start at [`run`].

mod compose;
mod exec;
mod gone;
mod live;
mod progress;
mod report;
mod targets;

use std::{
    ffi::OsString,
    num::NonZeroU32,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clap::{CommandFactory, Parser};
use redial::{
    Goal, Policy, PolicyBuilder, Redial, Server, TlsOptions, TlsSetup, Verb, Verdict, Wait, Waited,
};

use self::{progress::Progress, targets::Target};
use crate::{
    applies::Typed,
    error::Error,
    exit::Exit,
    flags::{DialFlags, PolicyFlags, ReportFlags, parse},
    habits,
    practice::{self, Practice},
    runtime::{interrupts, runtime},
    signals, stderr, typed,
};

/// How long it waits unless told otherwise.
const DEADLINE: Duration = Duration::from_secs(60);

/// Until servers are ready, then a command in this process' place.
#[derive(Parser, Debug)]
#[command(name = "redial wait", disable_version_flag = true, max_term_width = 100, after_help = EXAMPLES)]
#[allow(rustdoc::broken_intra_doc_links)] // `[V6]:PORT` is what a user writes
struct Flags {
    /// Each is waited for: HOST:PORT, postgres://HOST, http://HOST/PATH, unix:/PATH, env:NAME …;
    /// of `db1:5432,db2:5432` either will do; options stand behind #: `db:5432#within=5s`
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,

    /// Wait for the targets in this file as well: one a line, # begins a comment
    #[arg(
        long = "targets",
        value_name = "FILE",
        env = "REDIAL_OPT_TARGETS",
        hide_env = true,
        help_heading = "How many"
    )]
    file: Option<PathBuf>,

    /// The command to become once they are ready, with its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,

    /// One ready target is enough
    #[arg(
        long,
        conflicts_with = "at_least",
        env = "REDIAL_OPT_ANY",
        hide_env = true,
        help_heading = "How many"
    )]
    any: bool,

    /// So many ready targets are enough [default: all]
    #[arg(
        long,
        value_name = "N",
        env = "REDIAL_OPT_AT_LEAST",
        hide_env = true,
        help_heading = "How many"
    )]
    at_least: Option<usize>,

    /// One attempt each: exit 0 where they are ready, else 1
    #[arg(long, conflicts_with_all = ["gone", "consecutive"], env = "REDIAL_OPT_ONCE", hide_env = true, help_heading = "How many")]
    once: bool,

    /// Ready so often in a row, 1s apart
    #[arg(
        long,
        value_name = "N",
        env = "REDIAL_OPT_CONSECUTIVE",
        hide_env = true,
        help_heading = "How many"
    )]
    consecutive: Option<NonZeroU32>,

    /// Until they are gone instead: refused, their socket absent, or a known name unknown by now;
    /// a name or network that is unknown from the start ends it with status 1
    #[arg(long, conflicts_with_all = ["expect", "send", "consecutive"], env = "REDIAL_OPT_GONE", hide_env = true, help_heading = "How many")]
    gone: bool,

    /// How long a connection must stay open, where no answer is expected [default: 150ms]
    #[arg(long, value_name = "TIME", value_parser = crate::flags::time_or_none, env = "REDIAL_OPT_SETTLE", hide_env = true, help_heading = "What to expect")]
    settle: Option<Duration>,

    /// Log in with the user and the password of each URL, where redial knows how: amqp, mongodb,
    /// mysql, postgres [default: redis alone, with a password]
    #[arg(long, conflicts_with_all = ["gone", "expect", "send"], env = "REDIAL_OPT_LOGIN", hide_env = true, help_heading = "What to expect")]
    login: bool,

    #[command(flatten)]
    policy: PolicyFlags,

    #[command(flatten)]
    dial: DialFlags,

    #[command(flatten)]
    report: ReportFlags,
}

const EXAMPLES: &str = "\
Examples:
  redial wait db:5432 -- ./app                 until it is there, 60s at most, then ./app
  redial wait db1:5432,db2:5432 cache:6379     either database, and the cache
  redial wait --once HOST:22 --expect ^SSH-    a health check: exit 0 or 1
  redial wait --gone db:5432 -t 10             until nothing listens there any more

Exit status: 0 ready; 1 it cannot become ready; 124 the time is over; 125 a flag or a
target is wrong; 126 or 127 the command cannot be run, or is not there; else its own.";

/// The flags, for those who list them.
pub(crate) fn command() -> clap::Command {
    Flags::command()
}

/// Returns whether these words are accepted, as far as that is known without a file or a variable.
pub(crate) fn accepts(words: &[String]) -> bool {
    let named = std::iter::once("redial wait").chain(words.iter().map(String::as_str));
    Flags::try_parse_from(named)
        .is_ok_and(|flags| flags.policy.reads() && practice::reads_all(&flags.targets))
}

/// Waits, and becomes the command.
pub(crate) fn run(words: impl Iterator<Item = OsString>) -> Result<Exit, Error> {
    let mut own: Vec<OsString> = words.collect();
    let rest = own.split_off(own.iter().position(|word| word == "--").unwrap_or(own.len()));
    let own = typed::as_text(own.into_iter())?;
    let command: Vec<String> =
        rest.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let translated = habits::translated(habits::Verb::Wait, &own, &command)?;
    let named = std::iter::once(OsString::from("redial wait"));
    let named = named.chain(translated.into_iter().map(OsString::from)).chain(rest);
    let forgotten = || habits::dashes(habits::Verb::Wait, &own, &command);
    let (flags, matches) = match parse::<Flags>(named) {
        Ok(parsed) => parsed,
        Err(error) if error.exit() == Exit::Well => return Err(error),
        Err(error) => return Err(forgotten().unwrap_or(error)),
    };
    if !practice::reads_all(&flags.targets)
        && let Some(error) = forgotten()
    {
        return Err(error);
    }
    let typed_flags = Typed::new(&matches, flags.verb());
    typed_flags.check_flags(&flags.policy)?;
    typed::misplaced_clause(&flags.targets)?;
    let mut builder = flags.policy()?;
    let mut practice = Practice::default();
    let targets = flags.named(&mut builder, &mut practice)?;
    flags.check_login(&builder, &targets)?;
    practice.warn_of_command(flags.command.first());
    let via = flags.dial.via()?;
    let servers: Vec<Server> = targets.iter().flat_map(|target| target.servers.clone()).collect();
    let typed = match flags.targets.is_empty() {
        true => &[],
        false => servers.as_slice(),
    };
    typed_flags.check_servers(&servers, &flags.dial, via.as_ref())?;
    typed::warn(&flags.targets, typed, via.as_ref(), &flags.dial, flags.report.quiet);
    let policies = policies(&builder, &targets)?;
    typed_flags.check_policies(policies.iter().flatten())?;
    flags.report.can_be_written()?;
    let (waited, progress) = flags.carry_out(&builder, &targets, policies, &practice)?;
    let exit = flags.exit(&waited.verdict);
    let ready: Vec<String> = waited
        .ready()
        .map(|(target, server)| targets[target].servers[server].label().to_string())
        .collect();
    report::report(
        &flags.report,
        &waited,
        exit,
        &progress.lock().unwrap_or_else(PoisonError::into_inner),
        practice.names(),
        !flags.command.is_empty(),
    )?;
    match flags.command.split_first() {
        Some((program, arguments)) if exit == Exit::Well && waited.reached => {
            Ok(exec::become_command(program, arguments, &ready.join(" ")))
        }
        None if waited.reached && flags.report.json != Some(None) => {
            Ok(report::print_ready(&ready, exit))
        }
        _ => Ok(exit),
    }
}

impl Flags {
    const fn verb(&self) -> Verb {
        if self.gone { Verb::Gone } else { Verb::Wait }
    }

    /// The policy of every server, before it is named.
    fn policy(&self) -> Result<PolicyBuilder, Error> {
        let mut builder = self.policy.policy(self.verb())?;
        if self.policy.deadline.is_none() {
            // A health check that names no time answers soon.
            if self.once && !builder.has_deadline() {
                builder = builder.bounded_attempts();
            }
            builder = builder.deadline_unless_set(DEADLINE);
        }
        if let Some(settle) = self.settle {
            builder = builder.limits(|limits| limits.settle = settle);
        }
        if self.once {
            builder = builder.only(true);
        }
        builder = builder.login(self.login);
        Ok(builder.consecutive(self.consecutive.map_or(1, NonZeroU32::get)))
    }

    /// What is waited for: the words and the lines of `--targets`, else the policy file's servers,
    /// else docker-compose-wait's variables.
    fn named(
        &self,
        builder: &mut PolicyBuilder,
        practice: &mut Practice,
    ) -> Result<Vec<Target>, Error> {
        if !self.targets.is_empty() || self.file.is_some() {
            let mut named = practice.targets(&self.targets)?;
            if let Some(path) = &self.file {
                named.extend(targets::read(path, practice)?);
            }
            return Ok(targets::of(named));
        }
        if builder.has_servers() {
            return Ok(targets::of(vec![builder.named().to_vec()]));
        }
        let Some(compose) = compose::read()? else {
            return Err(Error::plain(
                "nothing is named to wait for",
                "write HOST:PORT behind `wait`",
            ));
        };
        if let Some(limit) = compose.timeout.filter(|_| self.policy.deadline.is_none()) {
            *builder = builder.clone().deadline(limit);
        }
        if let Some(limit) =
            compose.connect_timeout.filter(|_| self.policy.connect_timeout.is_none())
        {
            *builder = builder.clone().limits(|limits| limits.connect = limit);
        }
        Ok(targets::of(practice.list(&compose.hosts)?))
    }

    /// `--login` with targets of which none can is a mistake.
    fn check_login(&self, builder: &PolicyBuilder, targets: &[Target]) -> Result<(), Error> {
        let mut servers = targets.iter().flat_map(|target| &target.servers);
        if !self.login || servers.any(|server| builder.can_log_in(server).unwrap_or(true)) {
            return Ok(());
        }
        Err(Error::plain(
            "--login: redial knows no login for any of these targets",
            "name the protocol, as in postgres://USER:PASSWORD@db, or leave --login out",
        ))
    }

    const fn goal(&self) -> Goal {
        match (self.any, self.at_least) {
            (true, _) => Goal::Any,
            (false, Some(number)) => Goal::AtLeast(number),
            (false, None) => Goal::All,
        }
    }

    fn exit(&self, verdict: &Verdict) -> Exit {
        match verdict {
            // A health check knows two answers.
            Verdict::Deadline(_) if self.once => Exit::Failed,
            verdict => Exit::of(verdict),
        }
    }

    fn carry_out(
        &self,
        builder: &PolicyBuilder,
        targets: &[Target],
        policies: Vec<Vec<Policy>>,
        practice: &Practice,
    ) -> Result<(Waited, Arc<Mutex<Progress>>), Error> {
        let goal = self.goal();
        stderr::deadline(policies.iter().flatten().filter_map(Policy::deadline).max());
        let first = policies.iter().flatten().next();
        let progress = Progress::new(targets, goal, self.gone, first, self.report.volume());
        let progress = Arc::new(Mutex::new(progress));
        let telling = || progress.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wait = Wait::new(goal);
        let mut shared = Shared::default();
        let mut number = 0;
        for (place, policies) in policies.into_iter().enumerate() {
            let mut sessions = Vec::new();
            for (server_place, policy) in policies.into_iter().enumerate() {
                let teller = progress.clone();
                let mut redial = self.redial(policy.clone(), practice, number)?;
                if let Some(setup) = shared.setup(&policy, self.dial.tls(practice.authority()))? {
                    redial = redial.tls_setup(setup);
                }
                let redial = redial.listen(move |happened| {
                    let mut progress = teller.lock().unwrap_or_else(PoisonError::into_inner);
                    progress.tell(place, server_place, happened);
                });
                sessions.push(redial);
                number += 1;
            }
            wait = wait.target(sessions);
        }
        let runtime = runtime()?;
        let waited = runtime.block_on(async {
            let waiting = wait.interrupts(interrupts()?).run();
            // Whoever has read the first line may tell it to stop.
            let is_named = !self.targets.is_empty() || self.file.is_some();
            telling().begin(!is_named && !builder.has_servers());
            let heartbeat = async {
                loop {
                    tokio::time::sleep(progress::HEARTBEAT).await;
                    telling().heartbeat();
                }
            };
            let mut waited = tokio::select! {
                waited = waiting => waited.map_err(|error| Error::sentence(error.to_string()))?,
                () = heartbeat => return Err(Error::plain("the clock stopped", "please report this")),
            };
            telling().end();
            if builder.has_endings() {
                let servers = targets.iter().flat_map(|target| target.servers.clone()).collect();
                let whole = builder.clone().servers(servers).build().map_err(as_error)?;
                let teller = progress.clone();
                let ending = self.redial(whole, practice, number)?.interrupts(interrupts()?);
                let ending = ending.listen(move |happened| {
                    teller.lock().unwrap_or_else(PoisonError::into_inner).say(happened);
                });
                let concluded = ending.conclude(waited.verdict.clone()).await;
                waited.verdict = concluded.map_err(|error| Error::sentence(error.to_string()))?.verdict;
            }
            Ok(waited)
        });
        // A lookup that hangs would be waited for.
        runtime.shutdown_background();
        signals::end_at_once();
        Ok((waited?, progress))
    }

    /// A session to be, by these flags.
    fn redial(&self, policy: Policy, practice: &Practice, number: u64) -> Result<Redial, Error> {
        let mut redial = Redial::new(policy)
            .allow_run()
            .tls(self.dial.tls(practice.authority()))
            .ip_versions(self.dial.ip_versions())
            .lab(practice.names());
        if let Some(seed) = self.report.seed {
            redial = redial.seed(seed.wrapping_add(number));
        }
        if let Some(proxy) = self.dial.via()? {
            redial = redial.via(proxy);
        }
        if let Some(address) = self.dial.bind {
            redial = redial.bind(address);
        }
        Ok(redial)
    }
}

/// TLS, set up once for all servers that want it in the same way.
#[derive(Default)]
struct Shared(Vec<(TlsOptions, TlsSetup)>);

impl Shared {
    fn setup(&mut self, policy: &Policy, options: TlsOptions) -> Result<Option<TlsSetup>, Error> {
        if policy.servers().iter().all(|server| !server.may_use_tls()) {
            return Ok(None);
        }
        // A session of a wait has one server.
        let options = options.for_server(policy, 0);
        if let Some((_, setup)) = self.0.iter().find(|(known, _)| *known == options) {
            return Ok(Some(setup.clone()));
        }
        let setup =
            TlsSetup::build(&options).map_err(|error| Error::sentence(error.to_string()))?;
        self.0.push((options, setup.clone()));
        Ok(Some(setup))
    }
}

/// The policy of each server of each target.
fn policies(builder: &PolicyBuilder, targets: &[Target]) -> Result<Vec<Vec<Policy>>, Error> {
    let of_target =
        |target: &Target| target.servers.iter().map(|server| one(builder, server)).collect();
    targets.iter().map(of_target).collect()
}

/// The policy of one server.
fn one(builder: &PolicyBuilder, server: &Server) -> Result<Policy, Error> {
    let mut policy = builder.clone().servers(vec![server.clone()]).without_endings();
    if let Some(within) = server.options().within {
        policy = policy.deadline_at_most(within);
    }
    policy.build().map_err(as_error)
}

fn as_error(mistake: redial::Mistake) -> Error {
    Error::plain(mistake.what, mistake.instead)
}

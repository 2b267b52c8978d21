//! The story: what happens, told on standard error while it happens.
//!
//! Every change of state is one line that names the server and the attempt; an attempt that ends as
//! the one before is none (`-v` prints those too). On a terminal one live line shows the pause under
//! way. Until something is wrong, nothing is printed. What is printed at the end is the traceback's.
//! Start at [`Story`].

use std::sync::Arc;

use redial::{Action, Event, Failure, Happened, Kind, Outcome, Policy, Ran, Rounded, Times, Tried};

use crate::{
    stderr,
    terminal::{Style, stderr_is_live},
};

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Volume {
    /// Nothing: the record is printed instead, as JSON.
    Json,
    /// Only what clauses `say`, and why it ended.
    Quiet,
    /// Changes.
    Normal,
    /// Everything.
    Verbose,
}

/// The teller.
pub(crate) struct Story {
    policy: Arc<Policy>,
    volume: Volume,
    style: Style,
    /// Whether a live line can be shown. The output of a command would be written into it.
    live: bool,
    /// The state that was printed last; none before the first trouble.
    told: Option<(usize, State)>,
    /// The last failure, and its attempt.
    failure: Option<(u32, Arc<Failure>)>,
    server: usize,
}

/// The state of the session's server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Failing(Kind),
    Connected,
}

impl Story {
    pub(crate) fn new(policy: Arc<Policy>, volume: Volume) -> Self {
        let live = volume == Volume::Normal && !policy.runs_commands() && stderr_is_live();
        Self {
            policy,
            volume,
            style: Style::of_stderr(),
            live,
            told: None,
            failure: None,
            server: 0,
        }
    }

    /// Tells one event, if it is worth telling.
    pub(crate) fn tell(&mut self, happened: &Happened) {
        match &happened.event {
            Event::Trying { attempt, server } => {
                self.server = *server;
                if self.volume == Volume::Verbose {
                    self.say(&format!("{}: attempt {attempt}", self.label(*server)));
                }
            }
            Event::Connected { attempt, server, address } => {
                // The first attempt that works is nothing to talk about.
                let is_change = self.told.is_some();
                if is_change {
                    self.told = Some((*server, State::Connected));
                }
                if self.volume == Volume::Verbose || (is_change && self.volume == Volume::Normal) {
                    let address = address
                        .as_ref()
                        .map_or_else(String::new, |address| format!(" ({address})"));
                    let line = format!(
                        "{}: connected{address} at attempt {attempt}, {}",
                        self.label(*server),
                        Rounded(happened.at)
                    );
                    self.say(&line);
                }
                // Data may follow.
                self.clear();
            }
            Event::Failed { attempt, failure } => {
                self.failure = Some((*attempt, failure.clone()));
                if self.volume == Volume::Verbose {
                    self.say(&format!(
                        "{}: {} after {}",
                        failure.server,
                        self.style.failure(&failure.to_string()),
                        Rounded(failure.elapsed)
                    ));
                    for tried in failure.addresses.iter().filter(|_| failure.addresses.len() > 1) {
                        self.say(&format!("  {}", address_line(tried)));
                    }
                }
            }
            Event::Handled { action, .. } => self.handled(*action),
            Event::Said { line } if self.volume > Volume::Json => {
                self.clear();
                stderr::progress(line);
            }
            Event::Ran { program, ran, elapsed } => {
                if let Some(line) = ran_line(program, ran, self.volume) {
                    self.say(&format!("{line} ({})", Rounded(*elapsed)));
                }
            }
            Event::Diagnosed { addresses, cause } if self.volume >= Volume::Normal => {
                self.say(&format!(
                    "diagnosis: {}",
                    cause.as_deref().unwrap_or("nothing is certain")
                ));
                for tried in addresses {
                    self.say(&format!("  {}", address_line(tried)));
                }
            }
            // What ends a session is told at the end.
            _ => {}
        }
    }

    /// Takes the live line away, before anything else is printed.
    pub(crate) fn clear(&self) {
        if self.live {
            stderr::live(Vec::new());
        }
    }

    fn handled(&mut self, action: Action) {
        let Some((attempt, failure)) = self.failure.clone() else { return };
        let Some(next) = self.next(action) else { return };
        let line = format!("{}: {} at attempt {attempt}; {next}", failure.server, failure.kind);
        let state = (self.server, State::Failing(failure.kind));
        match self.volume {
            Volume::Json | Volume::Quiet => {}
            Volume::Verbose => self.say(&line),
            Volume::Normal if self.told == Some(state) => self.show(&line),
            Volume::Normal => {
                self.told = Some(state);
                self.say(&line);
            }
        }
    }

    /// What happens next, if something does.
    fn next(&self, action: Action) -> Option<String> {
        match action {
            Action::Retry { n, of: Times::Only(of), delay } => {
                Some(format!("retry {n} of {of} in {}", Rounded(delay)))
            }
            Action::Retry { n, of: Times::Forever, delay } => {
                Some(format!("retry {n} in {}", Rounded(delay)))
            }
            Action::Next { server, delay, dropped, .. } => {
                let dropped = if dropped { "dropped; " } else { "" };
                let pause =
                    if delay.is_zero() { String::new() } else { format!(" in {}", Rounded(delay)) };
                Some(format!("{dropped}next: {}{pause}", self.label(server)))
            }
            _ => None,
        }
    }

    fn label(&self, server: usize) -> String {
        self.policy
            .servers()
            .get(server)
            .map_or_else(String::new, |server| server.label().to_string())
    }

    fn say(&self, line: &str) {
        self.clear();
        stderr::progress(&format!("redial: {line}"));
    }

    /// The live line: the same trouble goes on.
    fn show(&self, line: &str) {
        if self.live {
            stderr::live(vec![format!("redial: {line}")]);
        }
    }
}

/// `10.0.0.5:5432  refused  0.3ms`
pub(crate) fn address_line(tried: &Tried) -> String {
    match &tried.outcome {
        Outcome::NotTried => format!("{}  not tried", tried.address),
        Outcome::Connected => format!("{}  connected  {}", tried.address, Rounded(tried.elapsed)),
        Outcome::Failed { kind, .. } => {
            format!("{}  {kind}  {}", tried.address, Rounded(tried.elapsed))
        }
        _ => tried.address.to_string(),
    }
}

/// A command's end, where it is worth telling: its own words went to standard error already.
pub(crate) fn ran_line(program: &str, ran: &Ran, volume: Volume) -> Option<String> {
    let program = redial::printable(program);
    match ran {
        Ran::Exited(0) | Ran::Skipped if volume < Volume::Verbose => None,
        _ if volume < Volume::Normal => None,
        Ran::Exited(status) => Some(format!("run {program}: exit {status}")),
        Ran::Signalled(signal) => Some(format!("run {program}: ended by signal {signal}")),
        Ran::Killed => Some(format!("run {program}: took too long and was killed")),
        Ran::NotStarted(why) => Some(format!("run {program}: could not be started: {why}")),
        Ran::Unknown => Some(format!(
            "run {program}: ended, exit status unknown: SIGCHLD is ignored here; reset it before redial starts"
        )),
        Ran::Skipped => Some(format!("run {program}: skipped, it ran a short while ago")),
        _ => None,
    }
}

//! What is printed while waiting: a line where a server's state changes, and a sign of life.
//!
//! It keeps, for each server, what happened last; the live lines on a terminal and the table at
//! the end are views of that. It decides nothing. Start at [`Progress`].

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use redial::{Address, Event, Failure, Goal, Happened, Kind, Limits, Policy, Rounded, Verdict};

use super::{
    gone::is_there,
    live,
    targets::{Target, what},
};
use crate::{
    stderr,
    story::Volume,
    terminal::{Style, stderr_is_live},
};

/// How often a wait says that it goes on.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(30);

/// Everything waited for, and how it stands.
pub(crate) struct Progress {
    pub(crate) goal: Goal,
    pub(crate) targets: Vec<Watched>,
    pub(crate) began: Instant,
    gone: bool,
    limits: Limits,
    volume: Volume,
    style: Style,
    /// Whether live lines are shown.
    live: bool,
    runs_commands: bool,
}

/// One target.
pub(crate) struct Watched {
    pub(crate) label: String,
    pub(crate) servers: Vec<Line>,
}

/// One server.
pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) what: String,
    pub(crate) tries: u32,
    pub(crate) last: Option<Arc<Failure>>,
    pub(crate) state: State,
    /// Its own time limits.
    limits: Limits,
    address: Option<Address>,
    /// The kind that was told last.
    told: Option<Kind>,
}

/// How a server stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Trying,
    /// Since so long after the beginning.
    Ready(Duration),
    Lost(Duration),
}

impl Watched {
    pub(crate) fn is_ready(&self) -> bool {
        self.servers.iter().any(|line| matches!(line.state, State::Ready(_)))
    }

    /// The server that says most about the target: the one that is ready, else the one with a
    /// failure.
    pub(crate) fn telling(&self) -> Option<&Line> {
        let ready = self.servers.iter().find(|line| matches!(line.state, State::Ready(_)));
        let told = |line: &&Line| line.last.as_ref().map_or(u8::MAX, |failure| failure.kind.rank());
        ready.or_else(|| self.servers.iter().min_by_key(told))
    }
}

impl Progress {
    /// The progress of targets that nothing is known of, under policies that all are like this one.
    pub(crate) fn new(
        targets: &[Target],
        goal: Goal,
        gone: bool,
        policy: Option<&Policy>,
        volume: Volume,
    ) -> Self {
        let limits = policy.map(|policy| *policy.limits()).unwrap_or_default();
        let line = |server: &redial::Server| Line {
            label: server.label().to_string(),
            what: what(server).to_owned(),
            tries: 0,
            last: None,
            state: State::Trying,
            limits: server.options().overrides.limits(&limits),
            address: None,
            told: None,
        };
        let watched = |target: &Target| Watched {
            label: target.label.clone(),
            servers: target.servers.iter().map(line).collect(),
        };
        Self {
            goal,
            targets: targets.iter().map(watched).collect(),
            began: Instant::now(),
            gone,
            limits,
            volume,
            style: Style::of_stderr(),
            live: false,
            runs_commands: policy.is_some_and(Policy::runs_commands),
        }
    }

    /// The first line: what is waited for.
    pub(crate) fn begin(&mut self, from_compose: bool) {
        if self.volume < Volume::Normal {
            return;
        }
        let labels: Vec<&str> = self.targets.iter().map(|target| &*target.label).collect();
        let count = match labels.len() {
            1 => "1 target".to_owned(),
            all if self.goal == Goal::All => format!("{all} targets"),
            all => format!("{} of {all} targets", self.goal),
        };
        let gone = if self.gone { "the end of " } else { "" };
        let from = if from_compose { " (from WAIT_HOSTS)" } else { "" };
        stderr::progress(&format!(
            "redial: waiting for {gone}{count}{from}: {}",
            labels.join("; ")
        ));
        // The output of a command would be written into them.
        self.live = self.volume == Volume::Normal && !self.runs_commands && stderr_is_live();
        self.show();
    }

    /// Takes note of an event of one server's session, and tells it if it is a change.
    pub(crate) fn tell(&mut self, target: usize, server: usize, happened: &Happened) {
        let Some(line) =
            self.targets.get_mut(target).and_then(|target| target.servers.get_mut(server))
        else {
            return;
        };
        let mut news = None;
        match &happened.event {
            Event::Trying { attempt, .. } => line.tries = *attempt,
            Event::Connected { address, .. } => line.address.clone_from(address),
            Event::Failed { attempt, failure } => {
                let own = matches!(failure.kind, Kind::Deadline | Kind::Interrupted);
                if own {
                    // The attempt that was cut; without one, the failure before it says more.
                    if let Some(cut) = &failure.cut {
                        line.last = Some(cut.clone());
                    }
                } else {
                    line.last = Some(failure.clone());
                    if line.told != Some(failure.kind) || self.volume == Volume::Verbose {
                        line.told = Some(failure.kind);
                        let what = at_attempt(&in_short(failure, self.gone), *attempt);
                        news = Some(format!("{}: {}", line.label, self.style.failure(&what)));
                    }
                }
            }
            Event::Again { n, of, .. } => {
                if line.told.take().is_some() || self.volume == Volume::Verbose {
                    let ready = format!("ready {n} of {of} times at attempt {}", line.tries);
                    news = Some(format!("{}: {ready}", line.label));
                }
            }
            Event::Over { verdict } => {
                let ready = matches!(verdict, Verdict::Well | Verdict::Exit(0));
                line.state =
                    if ready { State::Ready(happened.at) } else { State::Lost(happened.at) };
                if ready && (line.told.is_some() || self.volume == Volume::Verbose) {
                    let word = if self.gone { "gone" } else { "ready" };
                    let address = line
                        .address
                        .as_ref()
                        .map_or_else(String::new, |address| format!(" ({address})"));
                    let at = Rounded(happened.at);
                    let tries = tries(line.tries);
                    news = Some(format!("{}: {word}{address} after {tries}, {at}", line.label));
                }
            }
            _ => return self.say(happened),
        }
        self.show();
        if let Some(news) = news.filter(|_| self.volume >= Volume::Normal) {
            stderr::progress(&format!("redial: {news}"));
        }
    }

    fn show(&self) {
        if self.live {
            stderr::live(live::lines(&self.targets, self.gone));
        }
    }

    /// Tells what a clause said or ran.
    pub(crate) fn say(&self, happened: &Happened) {
        let line = match &happened.event {
            Event::Said { line } if self.volume > Volume::Json => line.to_string(),
            Event::Ran { program, ran, elapsed } => {
                match crate::story::ran_line(program, ran, self.volume) {
                    Some(line) => format!("redial: {line} ({})", Rounded(*elapsed)),
                    None => return,
                }
            }
            Event::Diagnosed { cause, .. } if self.volume >= Volume::Normal => {
                format!("redial: diagnosis: {}", cause.as_deref().unwrap_or("nothing is certain"))
            }
            _ => return,
        };
        stderr::progress(&line);
    }

    /// A sign of life.
    pub(crate) fn heartbeat(&self) {
        if self.volume >= Volume::Normal && !self.live {
            stderr::progress(&self.sign_of_life(self.began.elapsed()));
        }
    }

    /// `redial: still waiting after 30.0s: db:5432 (refused, 212 tries)`
    fn sign_of_life(&self, elapsed: Duration) -> String {
        let open: Vec<String> = self
            .targets
            .iter()
            .filter(|target| !target.is_ready())
            .map(|target| match target.telling() {
                Some(Line { last: Some(failure), tries: n, .. }) => {
                    format!("{} ({}, {})", target.label, failure.kind, tries(*n))
                }
                _ => target.label.clone(),
            })
            .collect();
        format!("redial: still waiting after {}: {}", Rounded(elapsed), open.join("; "))
    }

    /// Takes the live lines away: what follows is the last word.
    pub(crate) fn end(&mut self) {
        self.live = false;
        stderr::live(Vec::new());
    }

    /// The time limits of the server with this label.
    pub(crate) fn limits_named(&self, label: &str) -> Limits {
        let mut lines = self.targets.iter().flat_map(|target| &target.servers);
        lines.find(|line| line.label == label).map_or(self.limits, |line| line.limits)
    }

    pub(crate) const fn is_gone(&self) -> bool {
        self.gone
    }
}

/// `refused: nothing listens there, or a firewall says so`: where is known from the line it is in.
pub(super) fn in_short(failure: &Failure, gone: bool) -> String {
    if gone && is_there(failure) {
        return "still there".into();
    }
    let detail = failure.detail.as_ref().map_or_else(String::new, |detail| format!(" ({detail})"));
    format!("{}: {}{detail}", failure.kind, failure.kind.facts().sentence)
}

/// `refused at attempt 1: nothing listens there, …`
fn at_attempt(failure: &str, attempt: u32) -> String {
    match failure.split_once(": ") {
        Some((kind, why)) => format!("{kind} at attempt {attempt}: {why}"),
        None => format!("{failure} at attempt {attempt}"),
    }
}

/// `1 try`, `12 tries`
pub(crate) fn tries(number: u32) -> String {
    if number == 1 { "1 try".into() } else { format!("{number} tries") }
}

#[cfg(test)]
mod tests {
    use redial::{Server, Stage};

    use super::*;

    fn progress(servers: &[&str]) -> Progress {
        let target = |server: &&str| vec![Server::parse(server).unwrap()];
        let targets = super::super::targets::of(servers.iter().map(target).collect());
        Progress::new(&targets, Goal::All, false, None, Volume::Quiet)
    }

    fn happen(progress: &mut Progress, target: usize, event: Event) {
        progress.tell(target, 0, &Happened { at: Duration::from_secs(1), event });
    }

    #[test]
    fn a_sign_of_life_names_what_is_still_waited_for_and_why() {
        let mut progress = progress(&["db:5432", "cache:6379", "api:80"]);
        let failure = Arc::new(Failure::new(Kind::Refused, Stage::Connect, "db:5432".into()));
        happen(&mut progress, 0, Event::Trying { attempt: 212, server: 0 });
        happen(&mut progress, 0, Event::Failed { attempt: 212, failure });
        happen(&mut progress, 2, Event::Over { verdict: Verdict::Well });
        assert_eq!(
            progress.sign_of_life(Duration::from_secs(30)),
            "redial: still waiting after 30.0s: db:5432 (refused, 212 tries); cache:6379"
        );
    }
}

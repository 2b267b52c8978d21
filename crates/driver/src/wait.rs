//! Several sessions at once, until enough of their servers are ready.
//!
//! Each server has a session of its own, so that a slow one holds up nobody; how many are needed
//! is the core's [`Tally`]. It does not connect: that is each session's. Start at [`Wait`].

use redial_core::{Goal, Mistake, Reach, Signal, Tally, Verdict};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::{AbortHandle, JoinSet},
};

use crate::{Error, Finished, Redial};

/// Targets to wait for, each of them one or more servers of which any will do.
///
/// ```no_run
/// use redial::{Goal, Policy, Redial, Server, Verb, Wait};
/// use std::time::Duration;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let ready = |server: &str| -> Result<Redial, redial::Mistake> {
///     let policy = Policy::build(Verb::Wait).server(Server::parse(server)?);
///     Ok(Redial::new(policy.deadline(Duration::from_secs(60)).build()?))
/// };
/// let waited = Wait::new(Goal::All)
///     .target([ready("db1:5432")?, ready("db2:5432")?]) // either will do
///     .target([ready("cache:6379")?])
///     .run()
///     .await?;
/// assert!(waited.reached);
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Wait {
    goal: Goal,
    targets: Vec<Vec<Redial>>,
    interrupts: Option<UnboundedReceiver<Signal>>,
}

/// How a wait ended.
#[derive(Debug)]
pub struct Waited {
    /// Whether enough targets were ready.
    pub reached: bool,
    /// `Well` where it was reached; else how the session ended after which it could not be.
    pub verdict: Verdict,
    /// For each target, how the session of each of its servers ended; `None` where it was called
    /// off, since nothing more was to be learned.
    pub targets: Vec<Vec<Option<Finished>>>,
}

impl Waited {
    /// The place of each server that is ready: its target's, and its own within that.
    pub fn ready(&self) -> impl Iterator<Item = (usize, usize)> {
        self.targets.iter().enumerate().flat_map(|(target, servers)| {
            let is_ready = |finished: &Option<Finished>| {
                finished.as_ref().is_some_and(|finished| is_well(&finished.verdict))
            };
            let found = servers.iter().position(is_ready);
            found.map(|server| (target, server))
        })
    }
}

impl Wait {
    /// For so many targets, of which none is named yet.
    #[must_use]
    pub fn new(goal: Goal) -> Self {
        Self { goal, ..Self::default() }
    }

    /// Adds a target: a session for each of its servers. Their policies should be for one server
    /// and hold neither `else` nor `finally`: those belong to the whole ([`Redial::conclude`]).
    #[must_use]
    pub fn target(mut self, servers: impl IntoIterator<Item = Redial>) -> Self {
        self.targets.push(servers.into_iter().collect());
        self
    }

    /// Orders to stop, for every session.
    #[must_use]
    pub fn interrupts(mut self, signals: UnboundedReceiver<Signal>) -> Self {
        self.interrupts = Some(signals);
        self
    }

    /// Runs the sessions side by side until the goal is reached or out of reach. Those that are
    /// then under way are called off.
    ///
    /// # Errors
    ///
    /// A goal that the targets cannot reach, and a policy that cannot be carried out.
    pub async fn run(self) -> Result<Waited, Error> {
        let counts: Vec<usize> = self.targets.iter().map(Vec::len).collect();
        let mut tally = Tally::new(self.goal, &counts).map_err(as_error)?;
        let mut sessions = Sessions::default();
        let mut interrupts = self.interrupts;
        for (target, servers) in self.targets.into_iter().enumerate() {
            sessions.begin(target, servers);
        }
        loop {
            let (target, server, finished) = tokio::select! {
                biased;
                Some(signal) = next(&mut interrupts) => {
                    sessions.interrupt(signal);
                    continue;
                }
                Some(ended) = sessions.ended() => ended,
                else => return Err(Error::new("every session ended", "please report this")),
            };
            let verdict = finished?.keep(&mut sessions, target, server);
            if is_well(&verdict) {
                tally.ready(target);
            } else {
                tally.lost(target);
            }
            if tally.is_over(target) {
                sessions.call_off(target);
            }
            match tally.reach() {
                Reach::Open => {}
                Reach::Reached => return Ok(sessions.over(Verdict::Well)),
                Reach::OutOfReach => return Ok(sessions.over(verdict)),
            }
        }
    }
}

/// The sessions under way, and how those that are over have ended.
#[derive(Default)]
struct Sessions {
    under_way: JoinSet<(usize, usize, Result<Finished, Error>)>,
    handles: Vec<Vec<AbortHandle>>,
    orders: Vec<UnboundedSender<Signal>>,
    finished: Vec<Vec<Option<Finished>>>,
}

impl Sessions {
    fn begin(&mut self, target: usize, servers: Vec<Redial>) {
        self.finished.push(servers.iter().map(|_| None).collect());
        let begun = servers.into_iter().enumerate().map(|(server, redial)| {
            let (order, orders) = unbounded_channel();
            self.orders.push(order);
            let redial = redial.interrupts(orders);
            self.under_way.spawn(async move { (target, server, redial.ready().await) })
        });
        let begun = begun.collect();
        self.handles.push(begun);
    }

    /// The next session that is over.
    async fn ended(&mut self) -> Option<(usize, usize, Result<Finished, Error>)> {
        loop {
            match self.under_way.join_next().await? {
                Ok(ended) => return Some(ended),
                // Called off.
                Err(_) => continue,
            }
        }
    }

    fn interrupt(&self, signal: Signal) {
        for order in &self.orders {
            // One that is over has no ears.
            let _ = order.send(signal);
        }
    }

    fn call_off(&mut self, target: usize) {
        self.handles[target].iter().for_each(AbortHandle::abort);
    }

    fn over(self, verdict: Verdict) -> Waited {
        let reached = matches!(verdict, Verdict::Well);
        Waited { reached, verdict, targets: self.finished }
    }
}

impl Finished {
    fn keep(self, sessions: &mut Sessions, target: usize, server: usize) -> Verdict {
        let verdict = self.verdict.clone();
        sessions.finished[target][server] = Some(self);
        verdict
    }
}

/// `exit 0` is how a clause says that a failure was what it waited for.
const fn is_well(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Well | Verdict::Exit(0))
}

async fn next(interrupts: &mut Option<UnboundedReceiver<Signal>>) -> Option<Signal> {
    match interrupts {
        Some(interrupts) => interrupts.recv().await,
        None => None,
    }
}

fn as_error(mistake: Mistake) -> Error {
    Error::new(mistake.what, mistake.instead)
}

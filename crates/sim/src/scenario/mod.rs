//! A scenario: how many clients, which servers, what happens to them.
//!
//! Plain data with the defaults of a person who says nothing; read from a file in `file`, shipped
//! in `presets`. It does not say what the clients do: that is [`crate::Plan`]. Start at
//! [`Scenario`].

mod file;
mod presets;

use std::{ops::Range, time::Duration};

use redial_core::{Human, Mistake, Rounded};

pub use presets::{PRESETS, Preset};

use crate::{Course, Network, Outage, Server, client::mixed, report::memory, time::nanos};

/// The most clients a rehearsal takes: 10 million, some 7 GB.
pub const MOST_CLIENTS: u64 = 10_000_000;

/// The most servers.
pub const MOST_SERVERS: usize = 1_000;

/// The most outages, of all servers together.
const MOST_TURNS: usize = 100_000;

/// The longest run.
const LONGEST_RUN: Duration = Duration::from_secs(366 * 24 * 3_600);

/// How long is looked on after the outage, where the scenario does not say: 5 minutes.
pub const LOOK_ON: Duration = Duration::from_secs(300);

/// How clients begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// They have been connected for long, and the outage cuts them off.
    Connected,
    /// They dial for the first time when the outage begins.
    New,
}

/// At which server clients begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// All have the same list, so all begin at the first server.
    #[default]
    Same,
    /// Each client's list begins at another server.
    Rotated,
}

/// Many clients, some servers, an outage.
///
/// ```
/// use redial_sim::Scenario;
/// let scenario = Scenario::parse(r#"
///     clients = "50k"
///     [server]
///     accepts = "1000/s"
///     [outage]
///     lasts = "2m"
/// "#)?;
/// assert_eq!(scenario.clients, 50_000);
/// # Ok::<(), redial_core::Mistake>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// One sentence.
    pub about: String,
    /// The incident, or the class of incidents, it is drawn from.
    pub source: String,
    /// How many clients. 100,000.
    pub clients: u64,
    /// How they begin. By default as the policy's verb says: `stay` is connected, `connect` and
    /// `wait` are new.
    pub start: Option<Start>,
    /// At which server. All at the first.
    pub order: Order,
    /// The way between clients and servers. 1 ms.
    pub network: Network,
    /// The servers. One, that accepts 2000/s.
    pub servers: Vec<Server>,
    /// What happens. A clean outage of 30 s.
    pub outage: Outage,
    /// How long is looked on after the last server is back. 5 minutes.
    pub look_on: Duration,
    /// How long the whole run may be, whatever the outage. No limit.
    pub run: Option<Duration>,
    /// What chance begins with. 1.
    pub seed: u64,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            about: String::new(),
            source: String::new(),
            clients: 100_000,
            start: None,
            order: Order::Same,
            network: Network::default(),
            servers: vec![Server::default()],
            outage: Outage::default(),
            look_on: LOOK_ON,
            run: None,
            seed: 1,
        }
    }
}

impl Scenario {
    /// Reads a scenario file (TOML, at most 1 MiB).
    ///
    /// # Errors
    ///
    /// The first [`Mistake`], with its position in `text`.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        file::read(text)
    }

    /// The shipped scenario with this name.
    ///
    /// # Errors
    ///
    /// None that a caller can cause: the presets are tested.
    #[must_use]
    pub fn preset(name: &str) -> Option<Result<Self, Mistake>> {
        PRESETS.iter().find(|preset| preset.name == name).map(|preset| Self::parse(preset.text))
    }

    /// When the run ends.
    #[must_use]
    pub fn end(&self) -> Duration {
        let end = self.outage.end(self.servers.len()).saturating_add(self.look_on);
        self.run.map_or(end, |run| run.min(end))
    }

    /// What the session of the n-th client draws from, counted from 0: a session elsewhere with this
    /// seed makes the same decisions.
    #[must_use]
    pub fn seed_of(&self, client: u64) -> u64 {
        mixed(self.seed, client)
    }

    /// The same with so many clients, and servers that can do as much less: the same curve.
    ///
    /// More clients than there are is no change.
    #[must_use]
    pub fn smaller(&self, clients: u64) -> Self {
        let clients = clients.clamp(1, self.clients.max(1));
        let times = u32::try_from(self.clients / clients).unwrap_or(u32::MAX).max(1);
        let mut smaller = Self { clients, ..self.clone() };
        for server in &mut smaller.servers {
            server.accepts.per = server.accepts.per.saturating_mul(times);
            server.handshake = server.handshake.saturating_mul(times);
            server.returning = server.returning.saturating_mul(times);
            server.load = server.load.saturating_mul(times);
            server.backlog = (server.backlog / times).max(1);
            let connections = |most: u64| (most / u64::from(times)).max(1);
            server.connections = server.connections.map(connections);
        }
        smaller
    }

    /// Whether it can be played at all.
    ///
    /// # Errors
    ///
    /// A [`Mistake`] without a position: no clients, too many, no servers, a delay longer than any
    /// client waits, a server that its own clients overload when all is well.
    pub fn check(&self) -> Result<(), Mistake> {
        let wrong = |what: String, instead: String| Err(Mistake::new(NOWHERE, what, instead));
        if self.clients == 0 {
            return wrong(
                "0 clients ask nothing of a server".into(),
                "write how many, as in `clients = \"100k\"`".into(),
            );
        }
        if self.clients > MOST_CLIENTS {
            let part = self.clients.div_ceil(MOST_CLIENTS);
            return wrong(
                format!("{} clients would need {}", self.clients, memory(self.clients)),
                format!(
                    "the most is 10M; rehearse 1/{part} of the clients with 1/{part} of `accepts`, \
                     `backlog` and cores, which shows the same curve"
                ),
            );
        }
        if self.servers.is_empty() {
            return wrong(
                "there is no server".into(),
                "write a line `[server]`, with what it accepts below".into(),
            );
        }
        if self.servers.len() > MOST_SERVERS {
            return wrong(
                format!("{} servers are too many", self.servers.len()),
                format!("{MOST_SERVERS} are the most"),
            );
        }
        if self.network.least > self.network.most || self.network.most > Duration::from_secs(1) {
            return wrong(
                format!(
                    "a way of {}..{} is none that a connection survives",
                    Human(self.network.least),
                    Human(self.network.most)
                ),
                "write at most 1s, the shorter first, as in `delay = \"5ms..80ms\"`".into(),
            );
        }
        if let Course::Flapping { times, .. } = self.outage.course
            && times as usize * self.servers.len() > MOST_TURNS
        {
            return wrong(
                format!("{times} outages of {} servers are too many", self.servers.len()),
                format!("{MOST_TURNS} in all are the most"),
            );
        }
        if self.end() > LONGEST_RUN {
            return wrong(
                format!("a run of {} is too long", Rounded(self.end())),
                "366 days are the most; write less in `[outage]`, or set `run`".into(),
            );
        }
        let each = self.clients / self.servers.len() as u64;
        for server in &self.servers {
            let load = u128::from(each) * u128::from(nanos(server.load));
            let cores = u128::from(server.cores.max(1)) * 1_000_000_000;
            if load >= cores {
                return wrong(
                    format!(
                        "{each} connected clients, {} of work per second each, are {}% of the \
                         server's cores: it could not have stood before the outage",
                        Human(server.load),
                        load * 100 / cores
                    ),
                    "write less `load`, or more `cores`".into(),
                );
            }
        }
        Ok(())
    }
}

/// A mistake of the whole.
const NOWHERE: Range<usize> = 0..0;

//! What happens, from flags and a scenario: who fails how, and in front of how many clients.
//!
//! A scenario that is named comes first, and flags change it; every quantity is read by the core's
//! own readers. What the clients do about it is `plans`. Start at [`SceneFlags::scene`].

use std::{path::Path, time::Duration};

use clap::{Args, ValueEnum};
use redial::{
    Human, Rate, Rounded, nearest, parse_count, parse_rate, parse_seconds_or_duration, printable,
};
use redial_sim::{Course, Down, Full, MOST_SERVERS, Network, Order, PRESETS, Scenario, Start};

use super::figures::Grouped;
use crate::{error::Error, flags::time_or_none, texts::read_scenario};

const HEADING: &str = "What happens";

#[derive(Args, Debug, Default)]
pub(crate) struct SceneFlags {
    /// Begin with a scenario that ships, or a file; the flags below change it (see: redial help
    /// scenarios)
    #[arg(long, value_name = "NAME|FILE", help_heading = HEADING)]
    scenario: Option<String>,

    /// How many clients, at most 10M [default: 100k]
    #[arg(long, value_name = "N", value_parser = clients, allow_negative_numbers = true, help_heading = HEADING)]
    clients: Option<u64>,

    /// How long the server is down [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = time_or_none, allow_negative_numbers = true, help_heading = HEADING)]
    outage: Option<Duration>,

    /// What it does while it is down [default: refuse]
    #[arg(long, value_name = "refuse|ignore|close", value_enum, hide_possible_values = true, help_heading = HEADING)]
    down: Option<DownWord>,

    /// How long until it is itself again; at its return it is a tenth as fast [default: 0]
    #[arg(long, value_name = "TIME", value_parser = time_or_none, allow_negative_numbers = true, help_heading = HEADING)]
    recovery: Option<Duration>,

    /// Clients notice the outage within so long [default: 0]
    #[arg(long, value_name = "TIME", value_parser = time_or_none, allow_negative_numbers = true, help_heading = HEADING)]
    notice: Option<Duration>,

    /// How many connections a server accepts [default: 2000/s]
    #[arg(long, value_name = "RATE", value_parser = rate, allow_negative_numbers = true, help_heading = HEADING)]
    accepts: Option<Rate>,

    /// How many wait to be accepted [default: 4096]
    #[arg(long, value_name = "N", value_parser = small, allow_negative_numbers = true, help_heading = HEADING)]
    backlog: Option<u32>,

    /// What becomes of one that finds the backlog full [default: ignore]
    #[arg(long, value_name = "ignore|refuse", value_enum, hide_possible_values = true, help_heading = HEADING)]
    full: Option<FullWord>,

    /// What a handshake costs, in time of one core; clients wait for its end [default: 0]
    #[arg(long, value_name = "TIME", value_parser = time_or_none, allow_negative_numbers = true, help_heading = HEADING)]
    handshake: Option<Duration>,

    /// How many cores share the work [default: 1]
    #[arg(long, value_name = "N", value_parser = small, allow_negative_numbers = true, help_heading = HEADING)]
    cores: Option<u32>,

    /// The work a client brings along when it returns, in time of one core [default: 0]
    #[arg(long, value_name = "TIME", value_parser = time_or_none, allow_negative_numbers = true, help_heading = HEADING)]
    returning: Option<Duration>,

    /// The work a connected client causes per second, in time of one core [default: 0]
    #[arg(long, value_name = "TIME", value_parser = time_or_none, allow_negative_numbers = true, help_heading = HEADING)]
    load: Option<Duration>,

    /// How many connections a server holds; it closes those beyond [default: no limit]
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true, help_heading = HEADING)]
    connections: Option<u64>,

    /// How many servers there are, all alike [default: 1]
    #[arg(long, value_name = "N", value_parser = servers, allow_negative_numbers = true, help_heading = HEADING)]
    servers: Option<usize>,

    /// Whether all clients begin at the same server, or each at another [default: same]
    #[arg(long, value_name = "same|rotated", value_enum, hide_possible_values = true, help_heading = HEADING)]
    order: Option<OrderWord>,

    /// Whether clients are connected before the outage, or dial for the first time when it begins
    /// [default: as the verb of the policy]
    #[arg(long, value_name = "connected|new", value_enum, hide_possible_values = true, help_heading = HEADING)]
    start: Option<StartWord>,

    /// How long the way to the server takes: TIME, or SHORTEST..LONGEST [default: 1ms]
    #[arg(long, value_name = "TIME", value_parser = span, allow_negative_numbers = true, help_heading = HEADING)]
    delay: Option<(Duration, Duration)>,

    /// When the run ends, counted from its beginning [default: 5m after the last server is back]
    #[arg(long, value_name = "TIME", value_parser = time_or_none, allow_negative_numbers = true, help_heading = HEADING)]
    until: Option<Duration>,

    /// The number all chance is drawn from; the same number plays the same run [default: 1]
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true, help_heading = HEADING)]
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DownWord {
    Refuse,
    Ignore,
    Close,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FullWord {
    Ignore,
    Refuse,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OrderWord {
    Same,
    Rotated,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StartWord {
    Connected,
    New,
}

/// What happens, and what it is called.
pub(crate) struct Scene {
    /// The preset or file it began with.
    pub(crate) name: Option<String>,
    pub(crate) scenario: Scenario,
}

impl SceneFlags {
    /// The scenario that is named, as these flags change it: one that can be played.
    pub(crate) fn scene(&self) -> Result<Scene, Error> {
        let mut scenario = match &self.scenario {
            Some(word) => named(word)?,
            None => Scenario::default(),
        };
        self.change(&mut scenario)?;
        scenario.check().map_err(|mistake| Error::plain(mistake.what, mistake.instead))?;
        let (end, back) = (scenario.end(), scenario.outage.end(scenario.servers.len()));
        if back >= end {
            return Err(Error::plain(
                format!(
                    "the run ends after {}, and the outage after {}: nothing could be said",
                    Rounded(end),
                    Rounded(back)
                ),
                format!("let it run longer, as in --until {}", Human(back.saturating_mul(2))),
            ));
        }
        Ok(Scene { name: self.scenario.as_deref().map(printable), scenario })
    }

    fn change(&self, scenario: &mut Scenario) -> Result<(), Error> {
        scenario.clients = self.clients.unwrap_or(scenario.clients);
        scenario.seed = self.seed.unwrap_or(scenario.seed);
        scenario.start = self.start.map_or(scenario.start, |start| match start {
            StartWord::Connected => Some(Start::Connected),
            StartWord::New => Some(Start::New),
        });
        scenario.order = self.order.map_or(scenario.order, |order| match order {
            OrderWord::Same => Order::Same,
            OrderWord::Rotated => Order::Rotated,
        });
        if let Some((least, most)) = self.delay {
            scenario.network = Network { least, most, ..scenario.network };
        }
        if let Some(count) = self.servers {
            let first = alike(scenario)?;
            scenario.servers = vec![first; count];
        }
        for server in &mut scenario.servers {
            server.accepts = self.accepts.unwrap_or(server.accepts);
            server.backlog = self.backlog.unwrap_or(server.backlog);
            server.handshake = self.handshake.unwrap_or(server.handshake);
            server.cores = self.cores.unwrap_or(server.cores);
            server.returning = self.returning.unwrap_or(server.returning);
            server.load = self.load.unwrap_or(server.load);
            server.connections = self.connections.or(server.connections);
            server.full = self.full.map_or(server.full, |full| match full {
                FullWord::Ignore => Full::Ignore,
                FullWord::Refuse => Full::Refuse,
            });
            server.down = self.down.map_or(server.down, |down| match down {
                DownWord::Refuse => Down::Refuse,
                DownWord::Ignore => Down::Ignore,
                DownWord::Close => Down::Close,
            });
        }
        let outage = &mut scenario.outage;
        outage.lasts = self.outage.unwrap_or(outage.lasts);
        outage.recovery = self.recovery.unwrap_or(outage.recovery);
        outage.notice = self.notice.unwrap_or(outage.notice);
        if let Some(until) = self.until {
            scenario.run = Some(until);
            scenario.look_on = until.saturating_sub(scenario.outage.end(scenario.servers.len()));
        }
        Ok(())
    }
}

impl Scene {
    /// `herd: A thundering herd: …`; nothing if there is no name.
    pub(crate) fn title(&self) -> String {
        match (&self.name, &*self.scenario.about) {
            (Some(name), "") => name.clone(),
            (Some(name), about) => format!("{name}: {}", printable(about)),
            (None, _) => String::new(),
        }
    }

    /// `20,000 clients; 1 server that accepts 5000/s, …; down for 30s; seed 1`
    pub(crate) fn sentence(&self) -> String {
        let Scenario { clients, servers, network, outage, seed, .. } = &self.scenario;
        let ending = if *clients == 1 { "" } else { "s" };
        let mut parts = vec![format!("{} client{ending}", Grouped(*clients))];
        if let Some(first) = servers.first() {
            let is = if servers.iter().all(|server| server == first) { "" } else { "the first " };
            let count = match servers.len() {
                1 => "1 server that accepts".to_owned(),
                count => format!("{count} servers, {is}accepting"),
            };
            let mut server = format!("{count} {}", first.accepts);
            if !first.handshake.is_zero() {
                let cores = if first.cores == 1 { "core" } else { "cores" };
                let handshake = Human(first.handshake);
                server += &format!(" (handshake {handshake}, {} {cores})", first.cores);
            }
            parts.push(server);
        }
        let lasts = Human(outage.lasts);
        parts.push(match outage.course {
            Course::Clean => format!("down for {lasts}"),
            Course::Flapping { times, up } => {
                format!("down {times} times for {lasts}, up {} between", Human(up))
            }
            Course::Rolling { every } => {
                format!("down for {lasts} one after the other, one every {}", Human(every))
            }
        });
        let way = Human(network.most);
        parts.push(match network.least == network.most {
            true => format!("{way} away"),
            false => format!("{}..{way} away", Human(network.least)),
        });
        parts.push(format!("seed {seed}"));
        parts.join("; ")
    }
}

/// What all servers are.
fn alike(scenario: &Scenario) -> Result<redial_sim::Server, Error> {
    match &scenario.servers[..] {
        [first, rest @ ..] if rest.iter().all(|server| server == first) => Ok(*first),
        _ => Err(Error::plain(
            "--servers: those of the scenario are not alike",
            "leave the flag out, or change the file",
        )),
    }
}

/// A scenario that ships, or a file: a path has a `/` or a `.` in it.
fn named(word: &str) -> Result<Scenario, Error> {
    if let Some(preset) = Scenario::preset(word) {
        return preset.map_err(|mistake| Error::plain(mistake.what, mistake.instead));
    }
    let path = if word == "-" { Path::new("/dev/stdin") } else { Path::new(word) };
    if word == "-" || word.contains(['/', '.']) || path.exists() {
        return read_scenario(path);
    }
    let names = PRESETS.iter().map(|preset| preset.name);
    let next = match nearest(word, names.clone()) {
        Some(near) => format!("the nearest is `{near}`"),
        None => format!("those that ship are {}", names.collect::<Vec<_>>().join(", ")),
    };
    Err(Error::plain(format!("--scenario: no scenario is called `{}`", printable(word)), next))
}

fn clients(text: &str) -> Result<u64, String> {
    match count(text)? {
        0 => Err("0 clients ask nothing of a server; write how many, as in --clients 100k".into()),
        count => Ok(count),
    }
}

fn count(text: &str) -> Result<u64, String> {
    parse_count(text).map_err(|mistake| mistake.to_string())
}

fn servers(text: &str) -> Result<usize, String> {
    match count(text)? {
        0 => Err("without a server there is nothing to rehearse; write at least 1".into()),
        count => match usize::try_from(count) {
            Ok(count) if count <= MOST_SERVERS => Ok(count),
            _ => Err(format!("{count} servers are too many; {MOST_SERVERS} are the most")),
        },
    }
}

/// From 1 on: a server with nothing of it takes nobody.
fn small(text: &str) -> Result<u32, String> {
    match count(text)? {
        0 => Err("a server with 0 of it takes nobody; write at least 1".into()),
        count => u32::try_from(count).map_err(|_| format!("{count} is too many; write fewer")),
    }
}

pub(crate) fn rate(text: &str) -> Result<Rate, String> {
    parse_rate(text).map_err(|mistake| mistake.to_string())
}

fn span(text: &str) -> Result<(Duration, Duration), String> {
    let time = |text: &str| parse_seconds_or_duration(text).map_err(|mistake| mistake.to_string());
    match text.split_once("..") {
        Some((least, most)) => Ok((time(least)?, time(most)?)),
        None => time(text).map(|way| (way, way)),
    }
}

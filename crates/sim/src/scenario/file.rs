//! Reads a scenario file: TOML, each key once, nothing unknown.
//!
//! What stands in the file is read into tables of the same shape; quantities are read by the
//! core's own readers, so a scenario says `100k`, `2000/s` and `30s` as a policy does. Every mistake
//! points at the characters that caused it. Start at [`read`].

use std::{fmt, marker::PhantomData, ops::Range, time::Duration};

use redial_core::{Mistake, Rate, nearest, parse_count, parse_duration, parse_rate, printable};
use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};

use super::{LOOK_ON, Order, Scenario, Start};
use crate::{Course, Down, Full, Network, Outage, Server, Shape};

/// A scenario is written by a person: more than this is not one.
const LARGEST: usize = 1024 * 1024;

pub(super) fn read(text: &str) -> Result<Scenario, Mistake> {
    if text.len() > LARGEST {
        let what = format!("a scenario of {} is too large", redial_core::Bytes(text.len() as u64));
        return Err(Mistake::new(0..0, what, "1 MiB is the most; is it the right file?"));
    }
    let file: File = toml::from_str(text).map_err(|error| explained(&error))?;
    let scenario = file.into_scenario(text)?;
    scenario.check()?;
    Ok(scenario)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct File {
    about: String,
    source: String,
    clients: Count,
    start: Option<StartWord>,
    order: OrderWord,
    seed: Count,
    look_on: Time,
    run: Option<Time>,
    network: NetworkTable,
    server: Servers,
    outage: OutageTable,
}

impl Default for File {
    fn default() -> Self {
        let Scenario { about, source, clients, seed, .. } = Scenario::default();
        Self {
            about,
            source,
            clients: Read(clients),
            start: None,
            order: OrderWord::Same,
            seed: Read(seed),
            look_on: Read(LOOK_ON),
            run: None,
            network: NetworkTable::default(),
            server: Servers::One(Box::default()),
            outage: OutageTable::default(),
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StartWord {
    Connected,
    New,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OrderWord {
    Same,
    Rotated,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct NetworkTable {
    delay: Option<Span>,
    shape: ShapeWord,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ShapeWord {
    #[default]
    Even,
    Tail,
}

/// `[server]`, or several `[[server]]`.
enum Servers {
    One(Box<ServerTable>),
    Several(Vec<ServerTable>),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct ServerTable {
    count: Option<Count>,
    accepts: Option<Read<Rate>>,
    backlog: Option<Count>,
    full: Option<FullWord>,
    handshake: Option<Time>,
    cores: Option<Count>,
    returning: Option<Time>,
    load: Option<Time>,
    connections: Option<Count>,
    down: Option<DownWord>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FullWord {
    Ignore,
    Refuse,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum DownWord {
    Refuse,
    Ignore,
    Close,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct OutageTable {
    after: Option<Time>,
    lasts: Option<Time>,
    course: Option<CourseWord>,
    times: Option<Count>,
    up: Option<Time>,
    every: Option<Time>,
    recovery: Option<Time>,
    notice: Option<Time>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum CourseWord {
    Clean,
    Flapping,
    Rolling,
}

impl File {
    fn into_scenario(self, text: &str) -> Result<Scenario, Mistake> {
        let mut servers = Vec::new();
        let tables = match self.server {
            Servers::One(table) => vec![*table],
            Servers::Several(tables) => tables,
        };
        for table in tables {
            let count = table.count.map_or(1, |count| count.0);
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            if count > super::MOST_SERVERS {
                return Err(Mistake::new(
                    find(text, "count"),
                    format!("{count} servers are too many"),
                    format!("{} are the most", super::MOST_SERVERS),
                ));
            }
            servers.extend(std::iter::repeat_n(table.into_server(text)?, count));
        }
        let network = match self.network.delay {
            None => Network::default(),
            Some(Read((least, most))) => Network { least, most, ..Network::default() },
        };
        let shape = match self.network.shape {
            ShapeWord::Even => Shape::Even,
            ShapeWord::Tail => Shape::Tail,
        };
        Ok(Scenario {
            about: self.about,
            source: self.source,
            clients: self.clients.0,
            start: self.start.map(|start| match start {
                StartWord::Connected => Start::Connected,
                StartWord::New => Start::New,
            }),
            order: match self.order {
                OrderWord::Same => Order::Same,
                OrderWord::Rotated => Order::Rotated,
            },
            network: Network { shape, ..network },
            servers,
            outage: self.outage.into_outage(text)?,
            look_on: self.look_on.0,
            run: self.run.map(|run| run.0),
            seed: self.seed.0,
        })
    }
}

impl ServerTable {
    fn into_server(self, text: &str) -> Result<Server, Mistake> {
        let usual = Server::default();
        let small = |count: Option<Count>, key, usual: u32| match count {
            None => Ok(usual),
            Some(Read(0)) => Err(Mistake::new(
                find(text, key),
                format!("`{key}` of 0 is a server that takes nobody"),
                format!("write at least 1, as in `{key} = {usual}`"),
            )),
            Some(Read(count)) => u32::try_from(count).map_err(|_| {
                let what = format!("`{key}` of {count} is no server there is");
                Mistake::new(find(text, key), what, format!("write less, as in `{key} = {usual}`"))
            }),
        };
        Ok(Server {
            accepts: self.accepts.map_or(usual.accepts, |rate| rate.0),
            backlog: small(self.backlog, "backlog", usual.backlog)?,
            full: match self.full {
                None | Some(FullWord::Ignore) => Full::Ignore,
                Some(FullWord::Refuse) => Full::Refuse,
            },
            handshake: self.handshake.map_or(usual.handshake, |time| time.0),
            cores: small(self.cores, "cores", usual.cores)?,
            returning: self.returning.map_or(usual.returning, |time| time.0),
            load: self.load.map_or(usual.load, |time| time.0),
            connections: self.connections.map(|count| count.0),
            down: match self.down {
                None | Some(DownWord::Refuse) => Down::Refuse,
                Some(DownWord::Ignore) => Down::Ignore,
                Some(DownWord::Close) => Down::Close,
            },
        })
    }
}

impl OutageTable {
    fn into_outage(self, text: &str) -> Result<Outage, Mistake> {
        let usual = Outage::default();
        let only = |key: &str, given: bool, course: &str| {
            let what = format!("`{key}` is for an outage whose course is `{course}`");
            let instead = format!("write `course = \"{course}\"` with it, or leave it out");
            if given { Err(Mistake::new(find(text, key), what, instead)) } else { Ok(()) }
        };
        let course = match self.course {
            None | Some(CourseWord::Clean) => Course::Clean,
            Some(CourseWord::Flapping) => Course::Flapping {
                times: self.times.map_or(5, |times| u32::try_from(times.0).unwrap_or(u32::MAX)),
                up: self.up.map_or(Duration::from_secs(5), |time| time.0),
            },
            Some(CourseWord::Rolling) => {
                Course::Rolling { every: self.every.map_or(Duration::from_secs(60), |time| time.0) }
            }
        };
        if !matches!(course, Course::Flapping { .. }) {
            only("times", self.times.is_some(), "flapping")?;
            only("up", self.up.is_some(), "flapping")?;
        }
        if !matches!(course, Course::Rolling { .. }) {
            only("every", self.every.is_some(), "rolling")?;
        }
        if let Course::Flapping { times: times @ (0 | 10_001..), .. } = course {
            let what = format!("an outage that happens {times} times is none to rehearse");
            return Err(Mistake::new(find(text, "times"), what, "write 1 to 10000"));
        }
        let time = |time: Option<Time>, usual| time.map_or(usual, |time| time.0);
        Ok(Outage {
            after: time(self.after, usual.after),
            lasts: time(self.lasts, usual.lasts),
            course,
            recovery: time(self.recovery, usual.recovery),
            notice: time(self.notice, usual.notice),
        })
    }
}

/// A value that a reader of the core read.
#[derive(Clone, Copy)]
struct Read<T>(T);

type Count = Read<u64>;
type Time = Read<Duration>;
type Span = Read<(Duration, Duration)>;

/// What can stand in quotes; some of it also as a bare number.
trait Written: Sized {
    const WANTED: &'static str;
    fn read(text: &str) -> Result<Self, Mistake>;
    fn bare(_: u64) -> Option<Self> {
        None
    }
}

impl Written for u64 {
    const WANTED: &'static str = "a whole number, as in `1000` or `\"100k\"`";
    fn read(text: &str) -> Result<Self, Mistake> {
        parse_count(text)
    }
    fn bare(number: u64) -> Option<Self> {
        Some(number)
    }
}

impl Written for Duration {
    const WANTED: &'static str = "a time with its unit, in quotes, as in `\"30s\"`";
    fn read(text: &str) -> Result<Self, Mistake> {
        parse_duration(text)
    }
}

impl Written for Rate {
    const WANTED: &'static str = "so many in so long, in quotes, as in `\"2000/s\"`";
    fn read(text: &str) -> Result<Self, Mistake> {
        parse_rate(text)
    }
}

impl Written for (Duration, Duration) {
    const WANTED: &'static str = "a time or two, in quotes, as in `\"5ms..80ms\"`";
    fn read(text: &str) -> Result<Self, Mistake> {
        match text.split_once("..") {
            None => parse_duration(text).map(|time| (time, time)),
            Some((least, most)) => Ok((parse_duration(least)?, parse_duration(most)?)),
        }
    }
}

impl<'de, T: Written> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader(PhantomData)).map(Self)
    }
}

struct Reader<T>(PhantomData<T>);

impl<T: Written> Visitor<'_> for Reader<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::WANTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::read(text).map_err(|mistake| E::custom(format!("{MARK}{mistake}")))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        let read = u64::try_from(number).ok().and_then(T::bare);
        read.ok_or_else(|| E::invalid_type(de::Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        T::bare(number).ok_or_else(|| E::invalid_type(de::Unexpected::Unsigned(number), &self))
    }
}

impl<'de> Deserialize<'de> for Servers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Servers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a line `[server]`, or several `[[server]]`")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Servers, A::Error> {
                let table = ServerTable::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Servers::One(Box::new(table)))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<Servers, A::Error> {
                let tables = Vec::deserialize(de::value::SeqAccessDeserializer::new(seq))?;
                Ok(Servers::Several(tables))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Stands before the words of a mistake that is one of the core's already.
const MARK: &str = "\u{1}";

/// What serde and TOML say, as a mistake: what is wrong, where, what to write instead.
fn explained(error: &toml::de::Error) -> Mistake {
    let at = error.span().unwrap_or(0..0);
    let said = error.message().lines().collect::<Vec<_>>().join(", ");
    if let Some((what, instead)) =
        said.strip_prefix(MARK).and_then(|mistake| mistake.split_once("; "))
    {
        return Mistake::new(at, what, instead);
    }
    if let Some((name, known)) = unknown(&said) {
        let what = format!("there is no `{}` here", printable(name));
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let instead = match nearest(name, known.iter().copied()) {
            Some(near) => format!("the nearest is `{near}`"),
            None => format!("there are {}", known.join(", ")),
        };
        return Mistake::new(at, what, instead);
    }
    if let Some((_, wanted)) = said.split_once("expected ")
        && (said.starts_with("invalid type") || said.starts_with("invalid value"))
    {
        return Mistake::new(at, "this cannot be read", format!("it has to be {wanted}"));
    }
    Mistake::new(
        at,
        format!("this is not TOML: {}", printable(&said)),
        "a scenario is lines like `clients = \"100k\"` below lines like `[server]`",
    )
}

/// ``unknown field `acepts`, expected one of `accepts`, …``
fn unknown(said: &str) -> Option<(&str, &str)> {
    let rest = said.strip_prefix("unknown field `").or(said.strip_prefix("unknown variant `"))?;
    let (name, rest) = rest.split_once('`')?;
    Some((name, rest))
}

/// Where a key stands in the text, as well as can be told.
fn find(text: &str, key: &str) -> Range<usize> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        let word = line.trim_start().split(['=', ' ', '\t']).next().unwrap_or_default();
        if word == key {
            return start + indent..start + indent + key.len();
        }
        start += line.len();
    }
    0..0
}

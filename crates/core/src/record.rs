//! The record: the list of what happened in one session, bounded.
//!
//! The first 32 events, the last 96, and counts by kind of those between: a session that retries
//! for a week has a record of the same size as one that retries for a minute. The same shape live
//! and rehearsed; the traceback and the JSON are views of it. It decides nothing. Start at
//! [`Record`].

use alloc::{
    boxed::Box, collections::BTreeMap, collections::VecDeque, format, sync::Arc, vec::Vec,
};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{Event, Happened, Kind, Policy, WallTime};

/// How many of the first events are kept.
const FIRST: usize = 32;
/// How many of the last events are kept.
const LAST: usize = 96;

/// What happened, in order.
#[derive(Clone, Debug)]
pub struct Record {
    policy: Arc<Policy>,
    seed: u64,
    lab: Box<[Box<str>]>,
    began: Option<WallTime>,
    first: Vec<Happened>,
    last: VecDeque<Happened>,
    between: Between,
}

/// The events that were not kept, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Between {
    /// How many events in all.
    pub events: u64,
    /// How many of them were attempts.
    pub attempts: u64,
    /// How many of them were failures, by kind.
    pub failures: BTreeMap<Kind, u64>,
}

impl Record {
    /// An empty record of a session of this policy with this seed.
    #[must_use]
    pub fn new(policy: Arc<Policy>, seed: u64) -> Self {
        Self {
            policy,
            seed,
            lab: Box::default(),
            began: None,
            first: Vec::new(),
            last: VecDeque::new(),
            between: Between::default(),
        }
    }

    /// Says which of the servers were practice servers, by name.
    #[must_use]
    pub fn with_lab(mut self, names: Box<[Box<str>]>) -> Self {
        self.lab = names;
        self
    }

    /// Sets the wall-clock time at which the session began. Without it (a rehearsal has none) the
    /// JSON holds relative times alone.
    #[must_use]
    pub const fn with_began(mut self, began: WallTime) -> Self {
        self.began = Some(began);
        self
    }

    /// The wall-clock time at which the session began, if it had one.
    #[must_use]
    pub const fn began(&self) -> Option<WallTime> {
        self.began
    }

    /// Adds an event.
    pub fn push(&mut self, happened: Happened) {
        if self.first.len() < FIRST {
            self.first.push(happened);
            return;
        }
        if self.last.len() == LAST
            && let Some(oldest) = self.last.pop_front()
        {
            self.between.events += 1;
            match &oldest.event {
                Event::Trying { .. } => self.between.attempts += 1,
                Event::Failed { failure, .. } => {
                    *self.between.failures.entry(failure.kind).or_default() += 1
                }
                _ => {}
            }
        }
        self.last.push_back(happened);
    }

    /// The events kept, in order; `None` stands once where others were left out.
    pub fn events(&self) -> impl Iterator<Item = Option<&Happened>> {
        let gap = (self.between.events > 0).then_some(None);
        self.first.iter().map(Some).chain(gap).chain(self.last.iter().map(Some))
    }

    /// What was left out.
    #[must_use]
    pub const fn between(&self) -> &Between {
        &self.between
    }

    /// The policy of the session.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The seed its randomness came from.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }
}

/// An event with its time of day.
#[derive(Serialize)]
struct Timed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<WallTime>,
    #[serde(flatten)]
    happened: &'a Happened,
}

impl<'a> Timed<'a> {
    fn new(began: Option<WallTime>, happened: &'a Happened) -> Self {
        Self { time: began.map(|began| began.after(happened.at)), happened }
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let servers: Vec<&str> =
            self.policy.servers().iter().map(|server| &**server.label()).collect();
        let clauses: Vec<_> = self
            .policy
            .clauses()
            .iter()
            .map(|clause| crate::masked(&format!("{clause}")))
            .collect();
        let mut record = serializer.serialize_struct("Record", 9)?;
        record.serialize_field("version", &1)?;
        if let Some(began) = self.began {
            record.serialize_field("began", &began)?;
        }
        record.serialize_field("verb", self.policy.verb().name())?;
        record.serialize_field("seed", &self.seed)?;
        record.serialize_field("lab", &self.lab)?;
        record.serialize_field("servers", &servers)?;
        record.serialize_field("clauses", &clauses)?;
        let events = self.first.iter().chain(&self.last);
        record.serialize_field(
            "events",
            &events.map(|event| Timed::new(self.began, event)).collect::<Vec<_>>(),
        )?;
        record.serialize_field("between", &self.between)?;
        record.end()
    }
}

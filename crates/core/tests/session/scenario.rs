//! The scenario files: what is in them, and how their small phrases are read.
//!
//! ```toml
//! about = "one sentence: what a user would notice"
//! verb = "connect"            # whose own clauses stand behind; connect
//! seed = 7                    # 0
//! consecutive = 3             # how often in a row the body must end well; 1
//! until = "10s"               # stop watching then; else the session has to end by itself
//! interrupts = ["SIGINT at 5s"]
//! policy = '''…'''            # a policy file, its servers too
//! events = '''…'''            # what has to happen
//! [server]                    # what each does per attempt; the last repeats; refused after 1ms
//! "a:1" = ["refused after 1ms", "connected after 1ms, lived 12s, reset, sent 100", "silent"]
//! [step]                      # what commands and `diagnose` come to; exit 0 after 0s
//! "/opt/page" = "exit 3 after 2s"
//! "diagnose" = "cause \"it is asleep\" after 1s"
//! "/opt/hang" = "never"
//! ```

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use redial_core::*;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Scenario {
    pub(crate) about: String,
    verb: Option<String>,
    #[serde(default)]
    pub(crate) seed: u64,
    #[serde(default, deserialize_with = "time")]
    pub(crate) until: Option<Duration>,
    #[serde(default)]
    bounds_everything: bool,
    consecutive: Option<u32>,
    #[serde(default)]
    interrupts: Vec<String>,
    policy: String,
    pub(crate) events: String,
    #[serde(default)]
    server: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    step: BTreeMap<String, String>,
}

/// What one attempt comes to.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) after: Duration,
    pub(crate) life: Life,
}

#[derive(Clone)]
pub(crate) enum Life {
    /// It never answers.
    Silent,
    Failed(Failure),
    /// It stands; after a while it ends.
    Connected {
        then: Option<(Duration, End)>,
    },
}

/// How a connection ends.
#[derive(Clone)]
pub(crate) enum End {
    /// Whoever used it is content.
    Well,
    /// Whoever used it has gone.
    Abandoned,
    Failed(Failure),
}

impl Scenario {
    pub(crate) fn policy(&self) -> Result<Policy, Mistake> {
        let verb = match self.verb.as_deref() {
            None => Verb::Connect,
            Some(name) => Verb::ALL.into_iter().find(|verb| verb.name() == name).unwrap(),
        };
        let policy = Policy::parse(verb, &self.policy)?;
        let policy = policy.consecutive(self.consecutive.unwrap_or(1));
        if self.bounds_everything {
            policy.deadline_bounds_everything().build()
        } else {
            policy.build()
        }
    }

    /// What a server does, attempt by attempt. Never empty.
    pub(crate) fn script(&self, label: &str) -> VecDeque<Attempt> {
        match self.server.get(label) {
            Some(entries) => entries.iter().map(|entry| attempt(entry)).collect(),
            None => [attempt("refused after 1ms")].into(),
        }
    }

    /// What a step comes to and when; `None` for never.
    pub(crate) fn step(&self, program: &str) -> Option<(Duration, StepResult)> {
        let Some(phrase) = self.step.get(program) else {
            return Some((Duration::ZERO, StepResult::Ran(Ran::Exited(0), Duration::ZERO)));
        };
        if phrase == "never" {
            return None;
        }
        let (what, after) = phrase.rsplit_once(" after ").unwrap();
        let after = parse_duration(after).unwrap();
        let result = match what.split_once(' ') {
            Some(("exit", status)) => StepResult::Ran(Ran::Exited(status.parse().unwrap()), after),
            Some(("cause", cause)) => StepResult::Diagnosed {
                addresses: Vec::new(),
                cause: Some(cause.trim_matches('"').into()),
            },
            _ => panic!("`{phrase}` is no end of a step"),
        };
        Some((after, result))
    }

    pub(crate) fn interrupts(&self) -> impl Iterator<Item = (Duration, Signal)> {
        self.interrupts.iter().map(|phrase| {
            let (signal, at) = phrase.split_once(" at ").unwrap();
            let named = Signal::ALL.into_iter().find(|known| known.name() == signal);
            let signal = named.unwrap_or_else(|| panic!("no signal is called {signal}"));
            (parse_duration(at).unwrap(), signal)
        })
    }
}

/// `silent`, `KIND after T[, FACT]…`, or `connected after T[, lived T, KIND|well|abandoned[, FACT]…]`.
fn attempt(phrase: &str) -> Attempt {
    let mut words = phrase.split(", ");
    let first = words.next().unwrap();
    if first == "silent" {
        return Attempt { after: Duration::ZERO, life: Life::Silent };
    }
    let (what, after) = first.split_once(" after ").unwrap();
    let after = parse_duration(after).unwrap();
    if what != "connected" {
        return Attempt { after, life: Life::Failed(failure(what, Stage::Connect, words)) };
    }
    let then = words.next().map(|lived| {
        let lived = parse_duration(lived.strip_prefix("lived ").unwrap()).unwrap();
        match words.next().unwrap() {
            "well" => (lived, End::Well),
            "abandoned" => (lived, End::Abandoned),
            kind => (lived, End::Failed(failure(kind, Stage::Stream, words))),
        }
    });
    Attempt { after, life: Life::Connected { then } }
}

fn failure<'a>(kind: &str, stage: Stage, facts: impl Iterator<Item = &'a str>) -> Failure {
    let kind = Kind::ALL.into_iter().find(|known| known.name() == kind);
    let mut failure = Failure::new(kind.unwrap(), stage, "".into());
    for fact in facts {
        match fact.split_once(' ') {
            Some(("sent", bytes)) => {
                failure.sent = bytes.parse().unwrap();
                failure.delivery = Delivery::Unknown;
            }
            Some(("received", bytes)) => failure.received = bytes.parse().unwrap(),
            _ if fact == "unsent" => failure.delivery = Delivery::Unsent,
            _ => panic!("`{fact}` is no fact of a failure"),
        }
    }
    failure
}

fn time<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(value)?;
    parse_duration(&text).map(Some).map_err(serde::de::Error::custom)
}

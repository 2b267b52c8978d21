//! The scenario files: what is in them.
//!
//! ```toml
//! about = "one sentence: what a user would notice"
//! verb = "connect"            # whose own clauses stand behind; connect
//! seed = 7                    # what the simulator is given; sessions get its first client's. 0
//! consecutive = 3             # how often in a row the body must end well; 1
//! holds = "50ms"              # the client is content then; else it reads until the end
//! until = 6                   # look on until this attempt begins; else it has to end by itself
//! servers = ["refuse 250ms, ok"] # each by the lab's script, in order; `ok` says hello
//! policy = '''…'''            # a policy file without servers
//! ```
//!
//! Start at [`Scenario`].

use std::time::Duration;

use redial::{Policy, PolicyBuilder, Server, Verb, parse_duration};
use redial_lab::{Behaviour, Script};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Scenario {
    pub(crate) about: String,
    verb: Option<String>,
    #[serde(default)]
    seed: u64,
    consecutive: Option<u32>,
    holds: Option<String>,
    pub(crate) until: Option<u32>,
    servers: Vec<String>,
    policy: String,
}

/// What the client does with a connection.
#[derive(Clone, Copy)]
pub(crate) enum Body {
    /// It reads until the end, which is not its own.
    Reads,
    /// It is content after so long, if the connection lives.
    Holds(Duration),
}

impl Scenario {
    pub(crate) fn verb(&self) -> Verb {
        let name = self.verb.as_deref().unwrap_or("connect");
        let found = Verb::ALL.into_iter().find(|verb| verb.name() == name);
        found.unwrap_or_else(|| panic!("no verb is called {name}"))
    }

    /// What each server does.
    pub(crate) fn scripts(&self) -> Vec<Script> {
        let ok = Behaviour::say("hello\n");
        self.servers.iter().map(|text| Script::parse(text, &ok).unwrap()).collect()
    }

    /// The policy, for servers that are called so.
    pub(crate) fn policy(&self, servers: impl Iterator<Item = String>) -> PolicyBuilder {
        let parsed = Policy::parse(self.verb(), &self.policy);
        let builder = parsed.unwrap_or_else(|mistake| panic!("{}", mistake.in_text(&self.policy)));
        let servers = servers.map(|name| Server::parse(&name).unwrap()).collect();
        builder.consecutive(self.consecutive.unwrap_or(1)).servers(servers)
    }

    /// The policy, for servers that are nowhere.
    pub(crate) fn nowhere(&self) -> PolicyBuilder {
        self.policy((1..=self.servers.len()).map(|n| format!("server{n}:1")))
    }

    pub(crate) fn body(&self) -> Body {
        match (self.verb(), &self.holds) {
            // That it is ready is all they want.
            (Verb::Wait | Verb::Gone, _) => Body::Holds(Duration::ZERO),
            (_, Some(time)) => Body::Holds(parse_duration(time).unwrap()),
            (_, None) => Body::Reads,
        }
    }

    /// The same as the simulator has it: one client.
    pub(crate) fn rehearsed(&self) -> redial_sim::Scenario {
        redial_sim::Scenario { clients: 1, seed: self.seed, ..redial_sim::Scenario::default() }
    }

    /// What the session draws from.
    pub(crate) fn seed(&self) -> u64 {
        self.rehearsed().seed_of(0)
    }
}

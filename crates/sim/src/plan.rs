//! What the clients of a rehearsal do: run a policy, or what another tool does.
//!
//! It decides nothing itself. Start at [`Plan`].

use std::{sync::Arc, time::Duration};

use redial_core::{Jitter, Mistake, Policy, PolicyBuilder, Server, Step, Times, Verb};

use crate::{Peer, Scenario, Start};

/// What the clients do, and its name.
#[derive(Clone, Debug)]
pub struct Plan {
    /// As tables and verdicts call it.
    pub name: String,
    pub(crate) who: Who,
}

#[derive(Clone, Debug)]
pub(crate) enum Who {
    Sessions(Arc<Policy>),
    Peer(Peer),
}

impl Plan {
    /// Clients that run this policy. One that names no server gets as many as the scenario has;
    /// the n-th server of a policy that names its own is the n-th of the scenario, counted around.
    ///
    /// ```
    /// use redial_sim::{Plan, Scenario};
    /// use redial_core::Policy;
    /// let plan = Plan::policy("standing", Policy::standing(), &Scenario::default())?;
    /// assert_eq!(plan.name, "standing");
    /// # Ok::<(), redial_core::Mistake>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None that a caller can cause: those of [`PolicyBuilder::build`].
    pub fn policy(
        name: impl Into<String>,
        policy: PolicyBuilder,
        scenario: &Scenario,
    ) -> Result<Self, Mistake> {
        let policy = if policy.has_servers() {
            policy
        } else {
            let count = scenario.servers.len().max(1);
            let servers = (1..=count).map(|n| Server::parse(&format!("server{n}:1")));
            policy.servers(servers.collect::<Result<_, _>>()?)
        };
        Ok(Self { name: name.into(), who: Who::Sessions(Arc::new(policy.build()?)) })
    }

    /// Clients that do what another tool does.
    #[must_use]
    pub fn peer(peer: Peer) -> Self {
        Self { name: peer.name.into(), who: Who::Peer(peer) }
    }

    /// How the clients begin, where the scenario does not say: a policy of `connect` or `wait` dials
    /// for the first time, all others are connected and are cut.
    pub(crate) fn start(&self) -> Start {
        match &self.who {
            Who::Sessions(policy) => match policy.verb() {
                Verb::Connect | Verb::Wait => Start::New,
                _ => Start::Connected,
            },
            Who::Peer(_) => Start::Connected,
        }
    }

    /// The longest pause of what it does for ever, and how it is spread: the first `retry forever`
    /// of its clauses, else its rounds.
    pub(crate) fn cap(&self) -> (Duration, Jitter) {
        match &self.who {
            Who::Sessions(policy) => {
                let steps = policy.clauses().iter().flat_map(redial_core::Clause::steps);
                let forever = steps.filter_map(|step| match step {
                    Step::Retry(retry) if retry.is_endless() => Some(retry.backoff),
                    _ => None,
                });
                let rounds = policy.rounds();
                let rounds = (rounds.times == Times::Forever).then_some(rounds.backoff);
                let lasting = forever.chain(rounds).next();
                lasting.map_or((Duration::ZERO, Jitter::None), |it| (it.cap(), it.shape()))
            }
            Who::Peer(peer) => (peer.cap(), Jitter::None),
        }
    }
}

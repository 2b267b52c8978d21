//! Plays a plan in a scenario, and says beforehand how long that will take.
//!
//! It puts the parts together and holds no rule of its own. Start at [`rehearse`].

use std::{fmt, ops::ControlFlow, time::Duration};

use redial_core::{Limits, Mistake, Rounded};

use crate::{
    Order, Plan, Report, Scenario,
    client::{Cause, Client, SessionClient, Sessions},
    peers::PeerClient,
    plan::Who,
    report::Count,
    server::Serving,
    tally::Tally,
    time::nanos,
    world::{Patience, Setting, World},
};

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// In virtual time.
    pub at: Duration,
    /// The end of the run, in virtual time; it ends earlier if everyone is back.
    pub of: Duration,
    /// Clients connected now.
    pub connected: u64,
    /// Attempts begun so far.
    pub attempts: u64,
}

/// Plays the plan. The same scenario, plan and seed give the same report, on any machine.
///
/// ```
/// use redial_core::Policy;
/// use redial_sim::{Plan, Scenario, rehearse};
/// let scenario = Scenario { clients: 1_000, ..Scenario::default() };
/// let plan = Plan::policy("standing", Policy::standing(), &scenario)?;
/// let report = rehearse(&scenario, &plan)?;
/// assert!(report.recovers);
/// # Ok::<(), redial_core::Mistake>(())
/// ```
///
/// # Errors
///
/// A [`Mistake`] of [`Scenario::check`].
pub fn rehearse(scenario: &Scenario, plan: &Plan) -> Result<Report, Mistake> {
    rehearse_with(scenario, plan, |_| ControlFlow::Continue(()))
}

/// Plays the plan, and is asked some ten times a second whether to go on. A run that was broken
/// off says so: its report is `cut_short`.
///
/// # Errors
///
/// A [`Mistake`] of [`Scenario::check`].
pub fn rehearse_with(
    scenario: &Scenario,
    plan: &Plan,
    mut progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Report, Mistake> {
    scenario.check()?;
    let progress = &mut progress;
    let (tally, end, stopped) = match &plan.who {
        Who::Sessions(policy) => {
            let patience =
                patience(scenario, policy.limits(), policy.answer().is_some(), has_tls(policy));
            let sessions = Sessions::new(policy.clone());
            run::<SessionClient>(scenario, plan, sessions, patience, progress)
        }
        Who::Peer(peer) => {
            let patience = patience(scenario, &Limits::default(), false, false);
            run::<PeerClient>(scenario, plan, *peer, patience, progress)
        }
    };
    Ok(Report::new(scenario, plan, tally, end, stopped))
}

/// What a run will cost, before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Attempts, for all clients.
    pub attempts: u64,
    /// On one core of some common machine, within a factor of two or so.
    pub time: Duration,
}

/// `some 9,200,000 attempts, about 7s`
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = Rounded(self.time);
        write!(f, "some {} attempts, about {about}", Count(self.attempts))
    }
}

/// How many clients go ahead to find out what all of them will do.
const SCOUTS: u64 = 200;

/// What an attempt, a client, and a look at one cost, in nanoseconds.
const ATTEMPT: u64 = 700;
const CLIENT: u64 = 600;
const LOOK: u64 = 2;

/// Says what a run will cost, by playing it with 200 clients and a server as much smaller.
///
/// # Errors
///
/// A [`Mistake`] of [`Scenario::check`].
pub fn estimate(scenario: &Scenario, plan: &Plan) -> Result<Estimate, Mistake> {
    scenario.check()?;
    let clients = scenario.clients.min(SCOUTS);
    let scouts = scenario.smaller(clients);
    // One that never ends is cut off, and counted on from where it was.
    let mut so_far = Progress { at: Duration::ZERO, of: scouts.end(), connected: 0, attempts: 0 };
    let report = rehearse_with(&scouts, plan, |progress| {
        so_far = progress;
        if progress.attempts > MOST_SCOUTED {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    let mut attempts = u128::from(report.attempts);
    if report.attempts > MOST_SCOUTED {
        // Before the outage there are none.
        let since = |moment: Duration| moment.saturating_sub(scenario.outage.after);
        let (played, all) = match (since(so_far.at), since(so_far.of)) {
            (Duration::ZERO, _) => (so_far.at, so_far.of),
            since => since,
        };
        attempts = attempts * all.as_nanos() / played.as_nanos().max(1);
    }
    let attempts = attempts * u128::from(scenario.clients) / u128::from(clients);
    let attempts = u64::try_from(attempts).unwrap_or(u64::MAX);
    // Each server that goes down looks through all clients.
    let looks = scenario.outage.turns(scenario.servers.len()).len() as u64;
    let each = scenario.clients.saturating_mul(CLIENT + looks * LOOK);
    let nanos = attempts.saturating_mul(ATTEMPT).saturating_add(each);
    Ok(Estimate { attempts, time: Duration::from_nanos(nanos) })
}

/// So many attempts of the scouts are enough to know.
const MOST_SCOUTED: u64 = 200_000;

fn run<C: Client>(
    scenario: &Scenario,
    plan: &Plan,
    shared: C::Plan,
    patience: Patience,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> (Tally, u64, bool) {
    let setting = Setting {
        network: scenario.network,
        servers: scenario
            .servers
            .iter()
            .map(|server| Serving::new(*server, scenario.outage.recovery))
            .collect(),
        turns: scenario.outage.turns(scenario.servers.len()),
        patience,
        start: scenario.start.unwrap_or_else(|| plan.start()),
        rotated: scenario.order == Order::Rotated,
        notice: nanos(scenario.outage.notice),
        end: nanos(scenario.end()),
        seed: scenario.seed,
    };
    let clients = u32::try_from(scenario.clients).unwrap_or(u32::MAX);
    World::<C>::new(shared, clients, setting).run(progress)
}

fn has_tls(policy: &redial_core::Policy) -> bool {
    policy.servers().iter().any(|server| server.tls() == redial_core::Tls::Immediately)
}

/// Clients wait for the server's word where a handshake costs it something, or where their policy
/// says so: TLS, an answer.
fn patience(scenario: &Scenario, limits: &Limits, answer: bool, tls: bool) -> Patience {
    let tls = tls || scenario.servers.iter().any(|server| !server.handshake.is_zero());
    let word = match (tls, answer) {
        (false, false) => None,
        (true, false) => Some(limits.tls),
        (false, true) => Some(limits.reply),
        (true, true) => Some(limits.tls.saturating_add(limits.reply)),
    };
    let cause = if tls { Cause::TlsTimeout } else { Cause::Stalled };
    Patience { connect: nanos(limits.connect), word: word.map(nanos), cause }
}

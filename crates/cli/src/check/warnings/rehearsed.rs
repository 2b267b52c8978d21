//! The rehearsals that decide where a rule cannot: short ones, bounded in attempts.
//!
//! It plays and counts; what a number means is said where it is asked for. Start at
//! [`together`].

use std::{
    ops::{ControlFlow, RangeInclusive},
    time::Duration,
};

use redial::{Backoff, Human, Jitter, Policy, Rate, Retry, Step, Tls, Verb};
use redial_sim::{Down, Network, Outage, Plan, Report, Scenario, Server, rehearse_with};

use super::{At, Case, Crowd, pace};
use crate::check::schedule::{End, schedules};

/// How many clients are played where it is counted how many come at once.
const MANY: u64 = 1_000;
/// How many stand for a crowd: a server as much smaller than the real one shows the same curve.
/// Fewer, where each asks often.
const SOME: RangeInclusive<u64> = 20..=200;
/// How many where one would do, but for chance.
const FEW: u64 = 5;
/// Of an outage that nobody has described.
pub(super) const OUTAGE: Duration = Duration::from_secs(60);
/// A rehearsal with more attempts is broken off, and says nothing: some 0.2 s.
const MOST_ATTEMPTS: u64 = 200_000;

/// How many clients come within how long, of all that were cut off together.
pub(super) struct Share {
    pub(super) most: u64,
    pub(super) of: u64,
    pub(super) within: Human,
    /// How many come within this long when they are spread as well as can be.
    evenly: u64,
}

impl Share {
    /// Whether it is a twentieth of them or more, and three times what chance would bring.
    pub(super) const fn is_crowded(&self) -> bool {
        self.most >= self.of / 20 && self.most >= self.evenly.saturating_mul(3)
    }
}

/// How close together clients come back whose pauses end in this `retry`, where steps in front of
/// it may have spread them. `None`: there are none, or it cannot be played.
pub(super) fn together(case: &Case<'_>, at: At, retry: Retry) -> Option<Share> {
    let At::Clause(clause) = at else { return None };
    let steps = case.policy.clauses()[clause].steps();
    let place = steps.iter().position(|step| *step == Step::Retry(retry))?;
    let spreads =
        |step: &Step| matches!(step, Step::Retry(other) if other.backoff.shape() != Jitter::None);
    if !steps[..place].iter().any(spreads) {
        return None;
    }
    let repeats: Vec<String> = steps[..=place]
        .iter()
        .filter(|step| matches!(step, Step::Retry(_)))
        .map(ToString::to_string)
        .collect();
    // By itself, whatever it is about: what is played is a server that refuses.
    let alone = format!("any: {}", repeats.join(", "));
    let alone = Policy::build(Verb::Stay).only(true).except(&alone).ok()?;
    let schedule = schedules(&alone).ok()?.pop()?;
    let pause = pace::longest(retry.backoff);
    // Back when all of them have come to the last `retry`, and none has given up.
    let lasts = match schedule.end {
        End::Forever => schedule.total().max.saturating_add(pause),
        End::GivesUp => schedule.total().min.saturating_sub(pause),
        End::Long => return None,
    };
    let scenario = Scenario {
        clients: MANY,
        servers: vec![Server {
            accepts: Rate { count: 100_000_000, per: Duration::from_secs(1) },
            backlog: 1_000_000,
            ..Server::default()
        }],
        outage: Outage { lasts, ..Outage::default() },
        look_on: pause.saturating_mul(2),
        ..Scenario::default()
    };
    let report = play(&scenario, &Plan::policy("policy", alone, &scenario).ok()?)?;
    let second = Duration::from_secs(1);
    let (most, within) = match pause >= second.saturating_mul(2) {
        true => (report.peak_second, second),
        false => (report.peak_tenth, second / 10),
    };
    let evenly = u128::from(MANY) * within.as_nanos() / pause.as_nanos().max(1);
    let evenly = u64::try_from(evenly).unwrap_or(u64::MAX);
    Some(Share { most, of: MANY, within: Human(within), evenly })
}

/// How often each client asks a server that accepts and closes, if a connection is healthy after
/// this long and lives for `life`.
pub(super) fn attempts_a_minute(
    case: &Case<'_>,
    healthy_after: Duration,
    life: Duration,
) -> Option<u64> {
    let way = life.max(Duration::from_millis(1));
    let scenario = Scenario {
        clients: FEW,
        network: Network { least: way, most: way, ..Network::default() },
        servers: servers(case, Server { down: Down::Close, ..Server::default() }),
        outage: Outage { lasts: Duration::from_secs(60), ..Outage::default() },
        look_on: Duration::from_secs(1),
        ..Scenario::default()
    };
    let builder = case.builder.clone().healthy_after(healthy_after);
    let report = play(&scenario, &Plan::policy("policy", builder, &scenario).ok()?)?;
    Some(report.attempts_while_down / scenario.clients)
}

/// An outage of [`OUTAGE`] for all of the crowd, with as long to come back as the server needs
/// for them, and some. What they do in the end is ask at this pace.
pub(super) fn outage(case: &Case<'_>, crowd: Crowd, pace: Backoff) -> Option<Report> {
    let each = crowd.accepts.interval();
    let all = each.saturating_mul(u32::try_from(crowd.clients).unwrap_or(u32::MAX));
    // Who waits for an answer, or for TLS, may be gone when it comes.
    let waits = case.policy.answer().is_some()
        || case.policy.servers().iter().any(|server| server.tls() == Tls::Immediately);
    let server = Server {
        accepts: crowd.accepts,
        handshake: if waits { each } else { Duration::ZERO },
        ..Server::default()
    };
    let scenario = Scenario {
        clients: crowd.clients,
        servers: servers(case, server),
        outage: Outage { lasts: OUTAGE, ..Outage::default() },
        look_on: redial_sim::LOOK_ON.saturating_add(all.saturating_mul(2)),
        ..Scenario::default()
    };
    let pause = pace.spread(u32::MAX).mean.as_nanos().max(1);
    let each = scenario.end().as_nanos() / pause;
    let some = u64::try_from(u128::from(MOST_ATTEMPTS / 2) / each.max(1)).unwrap_or(u64::MAX);
    let scenario = scenario.smaller(some.clamp(*SOME.start(), *SOME.end()));
    play(&scenario, &Plan::policy("policy", case.builder.clone(), &scenario).ok()?)
}

/// As many as the policy names.
fn servers(case: &Case<'_>, server: Server) -> Vec<Server> {
    vec![server; case.policy.servers().len().max(1)]
}

fn play(scenario: &Scenario, plan: &Plan) -> Option<Report> {
    let report = rehearse_with(scenario, plan, |progress| match progress.attempts {
        0..MOST_ATTEMPTS => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    });
    // What was broken off shows nothing.
    report.ok().filter(|report| !report.cut_short)
}

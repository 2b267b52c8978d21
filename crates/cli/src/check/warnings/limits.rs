//! Deadlines that are over too soon, and those that are never met.
//!
//! They are held against the pauses, and against the schedules that were played. Start at either:
//! each is one danger.

use std::time::Duration;

use redial::{Human, Limits, RUN_LIMIT, Retry, Step, Times};

use super::{At, Case, Found};
use crate::check::schedule::{End, Schedule};

/// Pauses that are all longer than the deadline.
pub(super) fn too_late(case: &Case<'_>, _: At, retry: Retry) -> Option<Found> {
    let deadline = case.policy.deadline()?;
    let first = retry.backoff.spread(0).min;
    if first < deadline {
        return None;
    }
    let what = format!(
        "never tries again: its first pause is {} or more, and the deadline {}",
        Human(first),
        Human(deadline)
    );
    Some((what, "allow more time, or begin with a shorter pause".into()))
}

/// How many times longer than what can be foreseen a deadline has to be. A name has several
/// addresses, and a lookup takes as long as it likes.
const AMPLY: u32 = 4;

/// A deadline that no retry could ever use up.
pub(super) fn deadline_unused(case: &Case<'_>) -> Option<(At, Found)> {
    let deadline = case.policy.deadline()?;
    let gives_up = |schedule: &Schedule| schedule.end == End::GivesUp;
    if !case.schedules.iter().all(gives_up) {
        return None;
    }
    // What never pauses goes through the servers, once each round; it may come between the others.
    let rounds = match case.policy.rounds().times {
        Times::Only(rounds) => rounds.get(),
        Times::Forever => return None,
    };
    let servers = u32::try_from(case.policy.servers().len().max(1)).unwrap_or(u32::MAX);
    let played = case.schedules.iter().map(Schedule::attempts).sum::<usize>();
    let attempts =
        u32::try_from(played).unwrap_or(u32::MAX).saturating_add(servers.saturating_mul(rounds));
    let pauses = case
        .schedules
        .iter()
        .fold(Duration::ZERO, |all, schedule| all.saturating_add(schedule.total().max));
    let longest = pauses.saturating_add(longest_attempt(case).saturating_mul(attempts));
    if deadline < longest.saturating_mul(AMPLY) {
        return None;
    }
    let what = format!(
        "never met: all there is to try is over after some {}, and the deadline is {}",
        redial::Rounded(longest),
        Human(deadline)
    );
    let instead = "try longer, as in `retry forever`, or set a shorter one";
    Some((At::Key("deadline"), (what, instead.into())))
}

/// An attempt in which each part takes as long as it may, with the commands behind it.
fn longest_attempt(case: &Case<'_>) -> Duration {
    let Limits { connect, tls, reply, settle, .. } = *case.policy.limits();
    let waits = |step: &&Step| matches!(step, Step::Run(_) | Step::Diagnose);
    let commands =
        case.policy.clauses().iter().map(|clause| clause.steps().iter().filter(waits).count());
    let commands = u32::try_from(commands.max().unwrap_or(0)).unwrap_or(u32::MAX);
    [tls, reply, settle, RUN_LIMIT.saturating_mul(commands)]
        .into_iter()
        .fold(connect, Duration::saturating_add)
}

//! How often it asks: in step with others, for ever, or anew after every connection.
//!
//! Where it takes more than one step to tell, the policy is rehearsed. Start at any of them: each
//! is one danger.

use std::time::Duration;

use redial::{Backoff, Human, Jitter, Retry, Times, Verb};

use super::{At, Case, Found, crowd::grouped, rehearsed};

/// So many pauses of the same length may have been meant: `retry 3 every 5s`.
const A_FEW: u32 = 10;
/// A pause this long is no hurry.
const PATIENT: Duration = Duration::from_secs(5);

/// The same pause for everybody: `every 30s`.
pub(super) fn no_jitter(case: &Case<'_>, at: At, retry: Retry) -> Option<Found> {
    let Retry { times, backoff, .. } = retry;
    let many = match times {
        Times::Forever => true,
        Times::Only(times) => times.get() > A_FEW,
    };
    if backoff.shape() != Jitter::None || grows(backoff) || !many {
        return None;
    }
    let pause = Human(longest(backoff));
    let what = match rehearsed::together(case, at, retry) {
        // Nothing in front of it spreads them.
        None => {
            format!("clients that fail together come back together, every {pause}: no jitter")
        }
        Some(share) if share.is_crowded() => format!(
            "of {} clients that fail together {} come back within {}, every {pause}: no jitter",
            grouped(share.of.into()),
            grouped(share.most.into()),
            share.within
        ),
        Some(_) => return None,
    };
    let instead = match no_budget(case, at, retry) {
        Some(_) => format!("write `every {pause}..30s`"),
        None => format!("write `every {pause} jitter equal`"),
    };
    Some((what, instead))
}

/// Pauses that grow until they are the same for everybody: `every 1s..30s jitter none`.
pub(super) fn spread_lost(_: &Case<'_>, _: At, retry: Retry) -> Option<Found> {
    let Retry { times, backoff, .. } = retry;
    if backoff.shape() != Jitter::None || !grows(backoff) {
        return None;
    }
    let reaches_cap = match times {
        Times::Forever => true,
        Times::Only(times) => backoff.spread(times.get() - 1).max == longest(backoff),
    };
    let pause = Human(longest(backoff));
    let what = format!("clients that fail together come back together, every {pause}: no jitter");
    reaches_cap.then(|| (what, "leave `jitter none` out".into()))
}

/// It never gives up, and never slows down.
pub(super) fn no_budget(case: &Case<'_>, _: At, retry: Retry) -> Option<Found> {
    let backoff = retry.backoff;
    // `wait` has a deadline unless it is told otherwise.
    let is_bounded =
        case.policy.deadline().is_some() || matches!(case.policy.verb(), Verb::Wait | Verb::Gone);
    let longest = longest(backoff);
    if !retry.is_endless() || is_bounded || grows(backoff) || longest >= PATIENT {
        return None;
    }
    let rate = grouped(1_000_000_000_000 / backoff.spread(0).mean.as_nanos().max(1));
    let what = format!(
        "never gives up and never slows down: 1,000 clients are {rate} attempts a second, for as \
         long as it lasts"
    );
    let instead = format!(
        "let pauses grow, as in `every {}..30s`, or set a deadline: `deadline = \"10m\"`",
        Human(longest)
    );
    Some((what, instead))
}

/// A shorter life is no sign of health.
const NO_LIFE: Duration = Duration::from_secs(1);

/// A server that accepts and closes is taken for a healthy one.
pub(super) fn resets_on_connect(case: &Case<'_>) -> Option<(At, Found)> {
    let life = case.policy.healthy_after();
    if life >= NO_LIFE {
        return None;
    }
    let own = rehearsed::attempts_a_minute(case, life, life)?;
    let usual = rehearsed::attempts_a_minute(case, redial::HEALTHY_AFTER, life)?;
    if own < usual.saturating_mul(2) || own < 10 {
        return None;
    }
    let what = format!(
        "a server that accepts and closes counts as healthy, and every pause is the first again: \
         each client asks it {own} times a minute, instead of {usual}"
    );
    let instead = format!("leave it out, which is {}", Human(redial::HEALTHY_AFTER));
    Some((At::Key("healthy-after"), (what, instead)))
}

/// So many failures in a row, and a pause grows no more.
const MANY: u32 = 1_000_000;

/// The longest pause there is.
pub(super) fn longest(backoff: Backoff) -> Duration {
    backoff.spread(MANY).max
}

fn grows(backoff: Backoff) -> bool {
    backoff.spread(0).max < longest(backoff)
}

//! What many clients with the same policy do to a server, when it is said how many there are.
//!
//! The law is the core's ([`Jitter::cap_needed`]); what it does not say, how an outage ends, is
//! rehearsed. Start at [`Crowd`].

use std::{collections::BTreeSet, time::Duration};

use redial::{Backoff, Human, Jitter, Rate, Retry, Step};

use super::{At, Case, Found, pace, pace_of_rounds, rehearsed, retries};

/// So many clients, and how many of them the server takes.
#[derive(Clone, Copy, Debug)]
pub(in crate::check) struct Crowd {
    pub(in crate::check) clients: u64,
    pub(in crate::check) accepts: Rate,
}

/// Pauses that do not grow long enough for all of them.
pub(super) fn cap_too_low(case: &Case<'_>, crowd: Crowd) -> Vec<(At, Found)> {
    endless(case)
        .into_iter()
        .filter_map(|(at, backoff)| {
            let needed = crowd.cap_needed(backoff);
            (pace::longest(backoff) < needed).then(|| (at, crowd.asks(case, at, backoff, needed)))
        })
        .collect()
}

/// The server is back, and they are not.
pub(super) fn no_recovery(case: &Case<'_>, crowd: Crowd) -> Vec<(At, Found)> {
    let endless = endless(case);
    let Some((_, backoff)) = endless.first() else { return vec![] };
    let Some(report) = rehearsed::outage(case, crowd, *backoff) else { return vec![] };
    let gave_up = report.gave_up * 100 >= report.clients;
    if report.recovers || gave_up {
        return vec![];
    }
    let percent = report.connected * 100 / report.clients.max(1);
    let what = format!(
        "does not recover from an outage of {}: {percent}% of the clients are connected {} after \
         the server is back, rehearsed with {} of them and a server as much smaller",
        Human(rehearsed::OUTAGE),
        redial::Rounded(report.ended_at.saturating_sub(report.returned_at)),
        grouped(report.clients.into()),
    );
    let instead = format!("let pauses grow to {} or more", Human(crowd.cap_needed(*backoff)));
    vec![(At::Policy, (what, instead))]
}

impl Crowd {
    /// What the longest pause has to be, in whole seconds. Without jitter no pause would do; with
    /// it, this.
    fn cap_needed(self, backoff: Backoff) -> Duration {
        let shape = match backoff.shape() {
            Jitter::None => Jitter::Equal,
            shape => shape,
        };
        let needed = shape.cap_needed(self.clients, self.accepts).unwrap_or(Duration::MAX);
        Duration::from_secs(needed.as_secs().saturating_add(u64::from(needed.subsec_nanos() > 0)))
    }

    /// What is said of pauses that are too short.
    fn asks(self, case: &Case<'_>, at: At, backoff: Backoff, needed: Duration) -> Found {
        let mean = backoff.spread(u32::MAX).mean.as_nanos().max(1);
        let rate = u128::from(self.clients).saturating_mul(1_000_000_000) / mean;
        let what = format!(
            "{} clients that wait ask {} times a second, with pauses of at most {}, and the server \
             takes {}",
            grouped(self.clients.into()),
            grouped(rate),
            Human(pace::longest(backoff)),
            self.takes(),
        );
        if needed > A_DAY {
            return (what, "no pause is long enough: have more servers, or fewer clients".into());
        }
        let every =
            format!("every {}..{}", Human(backoff.spread(0).max.min(needed)), Human(needed));
        let full = if backoff.shape() == Jitter::Full { " jitter full" } else { "" };
        let instead = match at {
            At::Clause(clause) if case.policy.is_own(clause) => {
                let label = case.policy.clauses()[clause].label();
                format!("put one in front: `{label}: retry forever {every}{full}`")
            }
            At::Key(key) => format!("write `{key} = \"forever {every}{full}\"`"),
            At::Clause(_) | At::Policy => format!("write `{every}{full}`"),
        };
        (what, instead)
    }

    /// `2000/s`, as it would be typed.
    fn takes(self) -> String {
        let per = Human(self.accepts.per).to_string();
        format!("{}/{}", self.accepts.count, per.strip_prefix('1').unwrap_or(&per))
    }
}

/// Nobody waits longer for another attempt.
const A_DAY: Duration = Duration::from_secs(24 * 3_600);

/// `20,000`
pub(super) fn grouped(count: u128) -> String {
    let digits = count.to_string();
    let threes: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|three| std::str::from_utf8(three).ok())
        .collect();
    threes.join(",")
}

/// Whatever has no end: of each clause that is reached, the verb's own too, and the rounds.
fn endless(case: &Case<'_>) -> Vec<(At, Backoff)> {
    let policy = case.policy;
    let mut found = Vec::new();
    let mut goes_on = false;
    let mut seen = BTreeSet::new();
    for (index, clause) in policy.clauses().iter().enumerate() {
        if policy.unreached(index).is_some() {
            continue;
        }
        match retries(clause).find(Retry::is_endless) {
            Some(Retry { backoff, .. }) if seen.insert(backoff.to_string()) => {
                found.push((At::Clause(index), backoff));
            }
            Some(_) => {}
            None => {
                goes_on |= clause.steps().iter().any(|step| matches!(step, Step::Next | Step::Drop))
            }
        }
    }
    let rounds = pace_of_rounds(policy).filter(|rounds| goes_on && rounds.is_endless());
    found.extend(rounds.map(|rounds| (At::Key("rounds"), rounds.backoff)));
    found
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn counts_are_set_in_threes() {
        let shown = [0, 12, 999, 1_000, 20_000, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "12", "999", "1,000", "20,000", "1,234,567"]);
    }
}

//! What a rehearsal showed: numbers, curves, and one sentence.
//!
//! Plain data that serialises; times are seconds in JSON. Who prints it decides how. Start at
//! [`Report`].

use std::{fmt, time::Duration};

use redial_core::{Bytes, Human, Jitter, Rate, Rounded};
use serde::Serialize;

use crate::{
    Plan, Scenario,
    tally::Tally,
    time::{maybe_seconds, seconds},
};

/// What one policy came to in one scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The policy's name.
    pub policy: String,
    /// How many clients there were.
    pub clients: u64,
    /// The seed of the run.
    pub seed: u64,
    /// Whether at least 99% are connected at the end.
    pub recovers: bool,
    /// Whether the run ended before the outage did, so that nothing can be said.
    pub cut_short: bool,
    /// When the outage began, from the beginning of the run.
    #[serde(serialize_with = "seconds")]
    pub outage_at: Duration,
    /// When the last server was back for the last time, from the beginning of the run.
    #[serde(serialize_with = "seconds")]
    pub returned_at: Duration,
    /// When the run ended: the scenario's end, or earlier if everyone was back.
    #[serde(serialize_with = "seconds")]
    pub ended_at: Duration,
    /// How long after `returned_at` half of the clients were connected for good; zero if they were
    /// already. `None`: not within the run.
    #[serde(serialize_with = "maybe_seconds")]
    pub back_50: Option<Duration>,
    /// … 99%.
    #[serde(serialize_with = "maybe_seconds")]
    pub back_99: Option<Duration>,
    /// … all.
    #[serde(serialize_with = "maybe_seconds")]
    pub back_100: Option<Duration>,
    /// How many were connected at the end.
    pub connected: u64,
    /// How many gave up for good.
    pub gave_up: u64,
    /// The most attempts that reached servers that were up, within one second.
    pub peak_second: u64,
    /// … within 100 ms.
    pub peak_tenth: u64,
    /// The most attempts that reached any server, up or down, within one second.
    pub peak_second_at_all: u64,
    /// … within 100 ms.
    pub peak_tenth_at_all: u64,
    /// Attempts, from the beginning of the outage.
    pub attempts: u64,
    /// Of these, those that reached a server that was down.
    pub attempts_while_down: u64,
    /// SYNs that clients' kernels sent again.
    pub retransmissions: u64,
    /// SYNs, and last segments of handshakes, that found a full backlog.
    pub overflowed: u64,
    /// Connections that were lost, or had to be made for the first time.
    pub lost: u64,
    /// Connections that were made.
    pub made: u64,
    /// Server time spent on connections.
    #[serde(serialize_with = "seconds")]
    pub work: Duration,
    /// Of this, what was spent on clients that had given up or were turned away: 0 to 1.
    pub wasted: f64,
    /// Attempts at servers that were up for each connection that was lost: 1 is as good as it
    /// gets.
    pub amplification: f64,
    /// What the servers take per second when all clients ask at once.
    pub takes: u64,
    /// The curves.
    pub series: Series,
    /// One sentence.
    pub verdict: String,
}

/// Two curves over the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// The width of a bin. In JSON: seconds.
    #[serde(serialize_with = "seconds")]
    pub bin: Duration,
    /// Attempts that reached a server, in each bin.
    pub arrivals: Vec<u32>,
    /// Clients connected at the end of each bin.
    pub connected: Vec<u32>,
}

impl Report {
    /// Attempts per client, from the beginning of the outage.
    #[must_use]
    pub fn attempts_per_client(&self) -> f64 {
        ratio(self.attempts, self.clients)
    }

    pub(crate) fn new(
        scenario: &Scenario,
        plan: &Plan,
        tally: Tally,
        end: u64,
        stopped: bool,
    ) -> Self {
        let clients = scenario.clients;
        let returned_at = scenario.outage.end(scenario.servers.len());
        let returned = crate::time::nanos(returned_at);
        let ended_at = Duration::from_nanos(end);
        let enough = (clients * 99).div_ceil(100);
        let mut report = Self {
            policy: plan.name.clone(),
            clients,
            seed: scenario.seed,
            recovers: tally.connected >= enough && tally.back(1, returned).is_some(),
            cut_short: stopped || returned_at >= scenario.end(),
            outage_at: scenario.outage.after,
            returned_at,
            ended_at,
            back_50: tally.back(0, returned),
            back_99: tally.back(1, returned),
            back_100: tally.back(2, returned),
            connected: tally.connected,
            gave_up: tally.gave_up,
            peak_second: tally.peaks_up.second.most,
            peak_tenth: tally.peaks_up.tenth.most,
            peak_second_at_all: tally.peaks.second.most,
            peak_tenth_at_all: tally.peaks.tenth.most,
            attempts: tally.attempts,
            attempts_while_down: tally.while_down,
            retransmissions: tally.again,
            overflowed: tally.overflowed,
            lost: tally.lost,
            made: tally.made,
            work: Duration::from_nanos(u64::try_from(tally.busy).unwrap_or(u64::MAX)),
            wasted: share(tally.busy.saturating_sub(tally.useful), tally.busy),
            amplification: ratio(tally.while_up, tally.lost),
            takes: scenario.servers.iter().map(|server| server.takes(0)).sum(),
            series: tally.series(end),
            verdict: String::new(),
        };
        report.verdict = report.sentence(plan);
        report
    }

    fn sentence(&self, plan: &Plan) -> String {
        let Self { clients, .. } = *self;
        let back = |time: Option<Duration>| time.map(|time| Rounded(time).to_string());
        if self.cut_short {
            return format!(
                "nothing can be said: the run ends after {}, and the outage after {}; make the run \
                 longer",
                Rounded(self.ended_at),
                Rounded(self.returned_at)
            );
        }
        if let (true, Some(time)) = (self.recovers, back(self.back_99)) {
            let most = Count(self.peak_second);
            return match self.back_99 {
                Some(Duration::ZERO) => {
                    format!(
                        "recovers: 99% were connected before the outage ended; at most {most} \
                             attempts a second"
                    )
                }
                _ => format!(
                    "recovers: 99% are back {time} after the server, with at most {most} attempts \
                     a second"
                ),
            };
        }
        if self.gave_up * 100 >= clients {
            return format!(
                "does not recover: {} of {} clients gave up",
                Count(self.gave_up),
                Count(clients)
            );
        }
        let mut sentence = format!(
            "does not recover: {} of {} clients are connected {} after the server's return",
            Count(self.connected),
            Count(clients),
            Rounded(self.ended_at.saturating_sub(self.returned_at)),
        );
        if self.wasted >= 0.01 {
            let percent = Percent(self.wasted);
            sentence += &format!("; {percent} of its work is for clients that had given up");
        }
        if let Some(cap) = self.cap_that_would(plan) {
            sentence += &format!("; a cap of {cap} with jitter would");
        }
        sentence
    }

    /// The cap of the law, if the policy's own is below it.
    fn cap_that_would(&self, plan: &Plan) -> Option<Human> {
        let (own, jitter) = plan.cap();
        // One that takes less than one a second is out of the law's reach.
        if self.takes == 0 {
            return None;
        }
        let accepts = Rate { count: self.takes.max(1), per: Duration::from_secs(1) };
        let shape = if jitter == Jitter::None { Jitter::Equal } else { jitter };
        let needed = shape.cap_needed(self.clients, accepts)?;
        // People write whole seconds.
        let needed = Duration::from_secs(needed.as_secs() + u64::from(needed.subsec_nanos() > 0));
        (jitter == Jitter::None || own < needed).then_some(Human(needed))
    }
}

/// `20,000`
pub(crate) struct Count(pub(crate) u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// `97%`
struct Percent(f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}%", self.0 * 100.0)
    }
}

#[allow(clippy::cast_precision_loss)] // for reading
fn ratio(of: u64, to: u64) -> f64 {
    if to == 0 { 0.0 } else { of as f64 / to as f64 }
}

#[allow(clippy::cast_precision_loss)] // for reading
fn share(of: u128, all: u128) -> f64 {
    if all == 0 { 0.0 } else { of as f64 / all as f64 }
}

/// The memory that so many clients take: some 500 bytes each.
pub(crate) fn memory(clients: u64) -> Bytes {
    Bytes(clients.saturating_mul(500))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_set_in_threes() {
        let shown = [0, 12, 999, 1_000, 20_000, 1_234_567].map(|count| Count(count).to_string());
        assert_eq!(shown, ["0", "12", "999", "1,000", "20,000", "1,234,567"]);
    }
}

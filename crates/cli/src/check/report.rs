//! What `check` says about one policy, as text and as JSON.
//!
//! Views of the same facts; it finds nothing out. The JSON is described by
//! `docs/check.schema.json`. Start at [`Report`].

use std::time::Duration;

use redial::{Clause, Human, Policy, Server, Spread, Times, masked};
use serde_json::{Value, json};

use super::{
    schedule::{End, Pause, Schedule, Why},
    warnings::{At, Warning},
};

/// The shape of the JSON; a change that breaks readers changes it.
const VERSION: u32 = 1;

/// Everything there is to say about one policy.
pub(super) struct Report {
    /// The file it came from, if it came from one.
    pub(super) file: Option<String>,
    /// `--retry 10`, and the clause it stands for.
    pub(super) stands_for: Option<(String, String)>,
    pub(super) policy: Policy,
    pub(super) schedules: Vec<Schedule>,
    pub(super) warnings: Vec<Warning>,
}

impl Report {
    /// The whole of it; with `every`, each pause has its line.
    pub(super) fn text(&self, every: bool) -> String {
        let mut text = String::new();
        if let Some((flag, clause)) = &self.stands_for {
            text += &format!("{flag} stands for: {clause}\n\n");
        }
        text += &self.clauses();
        text += &self.limits();
        let mut told: Vec<&Schedule> = Vec::new();
        for schedule in &self.schedules {
            text += "\n";
            match told
                .iter()
                .find(|other| other.pauses == schedule.pauses && other.end == schedule.end)
            {
                Some(other) => {
                    text +=
                        &format!("{}: as clause {}\n", self.heading(schedule), other.clause + 1);
                }
                None => {
                    text += &self.schedule(schedule, every);
                    told.push(schedule);
                }
            }
        }
        if !self.warnings.is_empty() {
            text += "\n";
            text += &self.warned();
        }
        text
    }

    /// The warnings alone, one line each.
    pub(super) fn warned(&self) -> String {
        self.warnings
            .iter()
            .map(|Warning { danger, at, what, instead }| {
                let place = match at {
                    At::Clause(clause) => {
                        let label = label(&self.policy.clauses()[*clause]);
                        format!("clause {} ({label}): ", clause + 1)
                    }
                    At::Key(key) => format!("{key}: "),
                    At::Policy => String::new(),
                };
                format!("warning[{danger}]: {place}{what}; {instead}\n")
            })
            .collect()
    }

    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        let policy = &self.policy;
        let clauses: Vec<Value> = policy
            .clauses()
            .iter()
            .enumerate()
            .map(|(index, clause)| json!({ "text": masked(&clause.to_string()), "own": policy.is_own(index) }))
            .collect();
        let warnings: Vec<Value> = self.warnings.iter().map(warning_json).collect();
        let mut report = json!({
            "version": VERSION,
            "clauses": clauses,
            "servers": policy.servers().iter().map(Server::written).collect::<Vec<_>>(),
            "rounds": policy.rounds().to_string(),
            "schedules": self.schedules.iter().map(schedule_json).collect::<Vec<_>>(),
            "warnings": warnings,
        });
        if let (Some(file), Some(object)) = (&self.file, report.as_object_mut()) {
            object.insert("file".into(), json!(file));
        }
        report
    }

    fn clauses(&self) -> String {
        let verb = self.policy.verb().name();
        let mut text = "clauses, in the order tried:\n".to_owned();
        for (index, clause) in self.policy.clauses().iter().enumerate() {
            let own = if self.policy.is_own(index) {
                format!("   ({verb}'s own)")
            } else {
                String::new()
            };
            text += &format!("  {}  {}{own}\n", index + 1, masked(&clause.to_string()));
        }
        if self.policy.clauses().is_empty() {
            text += "  none: any failure ends it\n";
        }
        text
    }

    fn limits(&self) -> String {
        let policy = &self.policy;
        let mut text = String::new();
        if !policy.servers().is_empty() {
            let servers: Vec<String> = policy.servers().iter().map(Server::written).collect();
            text += &format!("servers: {}\n", servers.join(", "));
        }
        text += &format!("rounds: {}\n", policy.rounds());
        if let Some(deadline) = policy.deadline() {
            text += &format!("deadline: {}\n", Human(deadline));
        }
        text
    }

    fn heading(&self, schedule: &Schedule) -> String {
        format!("clause {}, when every attempt ends in `{}`", schedule.clause + 1, schedule.kind)
    }

    fn schedule(&self, schedule: &Schedule, every: bool) -> String {
        let mut text = format!("{}:\n", self.heading(schedule));
        text += "  attempt  because             pause: min     mean      max  all so far\n";
        let shown = if every { (0..schedule.pauses.len()).collect() } else { schedule.notable() };
        let totals: Vec<Spread> = schedule.totals().collect();
        let mut last = None;
        for index in shown {
            if last.is_some_and(|last| index > last + 1) {
                text += "        …\n";
            }
            last = Some(index);
            text += &self.line(&schedule.pauses[index], totals[index].mean);
        }
        text + &self.closing(schedule)
    }

    fn line(&self, pause: &Pause, so_far: Duration) -> String {
        let why = match &pause.why {
            Why::Retry { n, of: Times::Forever } => format!("retry {n}"),
            Why::Retry { n, of } => format!("retry {n} of {of}"),
            Why::Next { server } => match self.policy.servers().get(*server) {
                Some(server) if server.label().chars().count() <= 14 => format!("next, {server}"),
                _ => format!("next, server {}", server + 1),
            },
            Why::Round { round } => format!("round {round}"),
        };
        let Spread { min, mean, max } = pause.spread;
        let [min, mean, max, so_far] = [min, mean, max, so_far].map(brief);
        format!("  {:>7}  {why:<20}{min:>8} {mean:>8} {max:>8}  {so_far:>10}\n", pause.attempt)
    }

    /// How it ends, with what the attempts add and where the deadline cuts it off.
    fn closing(&self, schedule: &Schedule) -> String {
        let total = schedule.total();
        let attempts = schedule.attempts();
        let each = self.policy.limits().connect;
        let mut text = match (schedule.end, schedule.pauses.last()) {
            (End::GivesUp, _) => {
                let added = each.saturating_mul(u32::try_from(attempts).unwrap_or(u32::MAX));
                format!(
                    "  gives up after {attempts} attempts and pauses of {}{}\n  \
                     attempts come on top: an address that never answers takes {}, here {}\n",
                    range(total),
                    if total.min == total.max {
                        String::new()
                    } else {
                        format!(" (mean {})", brief(total.mean))
                    },
                    Human(each),
                    brief(added),
                )
            }
            (End::Forever, Some(Pause { spread, why: Why::Round { .. }, .. })) => {
                format!("  from then on a round every {}, for ever\n", range(*spread))
            }
            (End::Forever, Some(Pause { spread, .. })) => {
                format!("  from then on every {}, for ever\n", range(*spread))
            }
            (End::Forever | End::Long, _) => {
                format!("  goes on after {attempts} attempts and pauses of {}\n", range(total))
            }
        };
        if let Some(deadline) = self.policy.deadline() {
            let (least, most) = schedule.attempts_within(deadline);
            let goes_on = schedule.end != End::GivesUp;
            if total.max >= deadline || goes_on {
                let may = if total.min >= deadline || goes_on { "ends it" } else { "may end it" };
                let count = match (least, most) {
                    (least, most) if most == attempts && goes_on => {
                        format!("{least} attempts or more")
                    }
                    (least, most) if least == most => format!("{least} attempts"),
                    (least, most) => format!("{least} to {most} attempts"),
                };
                text += &format!(
                    "  the deadline of {} {may} after {count}, if attempts take no time\n",
                    Human(deadline)
                );
            }
        }
        text
    }
}

fn warning_json(warning: &Warning) -> Value {
    let Warning { danger, at, what, instead } = warning;
    let mut value = json!({ "danger": danger, "what": what, "instead": instead });
    match at {
        At::Clause(clause) => value["clause"] = json!(clause),
        At::Key(key) => value["key"] = json!(key),
        At::Policy => {}
    }
    value
}

fn schedule_json(schedule: &Schedule) -> Value {
    let pauses: Vec<Value> = schedule
        .notable()
        .into_iter()
        .map(|index| {
            let pause = &schedule.pauses[index];
            let mut value = spread_json(pause.spread);
            if let Some(object) = value.as_object_mut() {
                object.insert("attempt".into(), json!(pause.attempt));
            }
            value
        })
        .collect();
    let gives_up = schedule.end == End::GivesUp;
    json!({
        "clause": schedule.clause,
        "kind": schedule.kind.name(),
        "pauses": pauses,
        "attempts": gives_up.then(|| schedule.attempts()),
        "total": gives_up.then(|| spread_json(schedule.total())),
    })
}

/// Seconds.
fn spread_json(spread: Spread) -> Value {
    json!({
        "min": spread.min.as_secs_f64(),
        "mean": spread.mean.as_secs_f64(),
        "max": spread.max.as_secs_f64(),
    })
}

fn label(clause: &Clause) -> String {
    masked(&clause.label())
}

/// `15s..30s`, or one of them where they are the same.
fn range(spread: Spread) -> String {
    if spread.min == spread.max {
        brief(spread.min)
    } else {
        format!("{}..{}", brief(spread.min), brief(spread.max))
    }
}

/// A duration to three digits, as a person would write it: `188ms`, `22.5s`, `1m46s`.
fn brief(duration: Duration) -> String {
    const SECOND: u128 = 1_000_000_000;
    let nanos = duration.as_nanos();
    let Some(digits) = nanos.checked_ilog10().filter(|digits| *digits > 2) else {
        return Human(duration).to_string();
    };
    let unit = 10_u128.pow(digits - 2);
    // In what takes minutes, seconds are whole; in what takes hours, minutes are.
    let unit = match duration.as_secs() {
        0..60 => unit,
        60..36_000 => SECOND,
        _ => 60 * SECOND,
    };
    let rounded = (nanos + unit / 2) / unit * unit;
    Human(Duration::from_nanos(u64::try_from(rounded).unwrap_or(u64::MAX))).to_string()
}

#[cfg(test)]
mod tests {
    use super::brief;
    use std::time::Duration;

    #[test]
    fn durations_are_brief() {
        for (nanos, text) in [
            (0, "0s"),
            (187_500_000, "188ms"),
            (22_500_000_000, "22.5s"),
            (105_750_000_000, "1m46s"),
            (3_600_000_000_000, "1h"),
            (60_900_000_000, "1m1s"),
            (123, "123ns"),
        ] {
            assert_eq!(brief(Duration::from_nanos(nanos)), text);
        }
    }
}

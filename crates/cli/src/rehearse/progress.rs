//! How far a run is, and before a long one, how long it will take.
//!
//! A live line on a terminal, and nothing where there is none. The playing is `redial-sim`'s. Start
//! at [`play`].

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use redial::{Human, Mistake, Rounded};
use redial_sim::{Plan, Progress, Report, Scenario, estimate, rehearse_with};

use super::figures::{Grouped, cut};
use crate::{
    error::Error,
    stderr,
    terminal::{complain, stderr_is_live},
};

/// Who waits longer than this, for all of them, is told beforehand how long.
const LONG: Duration = Duration::from_secs(60);
/// A run that takes longer, for all plans, needs `--long`.
const TOO_LONG: Duration = Duration::from_secs(300);
/// The fewest clients that a message suggests.
const FEWEST: u64 = 10;
/// A run that is over sooner needs no line.
const SOON: Duration = Duration::from_millis(500);

/// Plays each plan, one after the other. `is_long` is `--long`.
pub(super) fn play(
    scenario: &Scenario,
    plans: &[Plan],
    is_long: bool,
) -> Result<Vec<Report>, Error> {
    let wrong = |mistake: Mistake| Error::plain(mistake.what, mistake.instead);
    let each = plans.iter().map(|plan| estimate(scenario, plan).map_err(wrong));
    let each = each.collect::<Result<Vec<_>, _>>()?;
    let all = each.iter().fold(Duration::ZERO, |all, one| all.saturating_add(one.time));
    let longest = plans.iter().zip(&each).max_by_key(|(_, estimate)| estimate.time);
    if let Some((plan, estimate)) = longest.filter(|_| all > TOO_LONG && !is_long) {
        let limit = Rounded(TOO_LONG);
        let what = match plans.len() {
            1 => format!("{}: {estimate}: more than {limit}", plan.name),
            _ => format!(
                "all policies take about {}, more than {limit}; {}: {estimate}",
                Rounded(all),
                plan.name
            ),
        };
        return Err(Error::plain(
            what,
            format!("{}; to play it all the same: --long", smaller(scenario, all)),
        ));
    }
    for (plan, estimate) in plans.iter().zip(each).filter(|_| all > LONG) {
        complain(&format!("redial: {}: {estimate}", plan.name));
    }
    let one = |plan: &Plan| {
        let line = Line::new(plan, scenario.clients);
        rehearse_with(scenario, plan, |progress| {
            line.show(progress);
            ControlFlow::Continue(())
        })
        .map_err(wrong)
    };
    plans.iter().map(one).collect()
}

/// How to shorten a run of this time to about a minute: the flags for fewer clients, which keep the
/// curve, or for an earlier end.
fn smaller(scenario: &Scenario, time: Duration) -> String {
    let wanted = u128::from(scenario.clients) * LONG.as_nanos() / time.as_nanos().max(1);
    let clients = rounded_down(u64::try_from(wanted).unwrap_or(u64::MAX));
    // Fewer clients make no curve.
    if clients < FEWEST {
        return "shorten --outage and --until, or lengthen the pauses between attempts".into();
    }
    let smaller = scenario.smaller(clients);
    let mut words = format!("for the same curve: --clients {clients}");
    if let [server, ..] = &*smaller.servers {
        words += &format!(" --accepts {} --backlog {}", server.accepts, server.backlog);
        for (flag, time) in [
            ("--handshake", server.handshake),
            ("--returning", server.returning),
            ("--load", server.load),
        ] {
            if !time.is_zero() {
                words += &format!(" {flag} {}", Human(time));
            }
        }
    }
    words
}

/// The number with its first digit alone: 4721 becomes 4000.
fn rounded_down(number: u64) -> u64 {
    let unit = 10_u64.pow(number.checked_ilog10().unwrap_or(0));
    number / unit * unit
}

/// The live line of one run; gone when this is dropped.
struct Line<'a> {
    plan: &'a Plan,
    clients: u64,
    began: Instant,
    is_wanted: bool,
}

impl<'a> Line<'a> {
    fn new(plan: &'a Plan, clients: u64) -> Self {
        Self { plan, clients, began: Instant::now(), is_wanted: stderr_is_live() }
    }

    fn show(&self, progress: Progress) {
        if !self.is_wanted || self.began.elapsed() < SOON {
            return;
        }
        stderr::live(vec![format!(
            "  {}: {} of {}, {} of {} connected, {} attempts",
            cut(&self.plan.name, 24),
            Rounded(progress.at),
            Rounded(progress.of),
            Grouped(progress.connected),
            Grouped(self.clients),
            Grouped(progress.attempts),
        )]);
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if self.is_wanted {
            stderr::live(Vec::new());
        }
    }
}

#[cfg(test)]
mod tests {
    use redial::parse_rate;

    use super::*;

    #[test]
    fn suggested_flags_are_smaller_and_parse() {
        let scenario = Scenario { clients: 1_000_000, ..Scenario::default() };
        let words = smaller(&scenario, Duration::from_secs(6_000));
        assert!(words.contains("--clients 10000 --accepts "), "{words}");
        let rate = words.split_whitespace().skip_while(|word| *word != "--accepts").nth(1);
        let rate = parse_rate(rate.unwrap()).unwrap();
        assert_eq!(rate.interval(), scenario.servers[0].accepts.interval() * 100, "{words}");
    }

    #[test]
    fn few_clients_are_not_made_fewer() {
        let scenario = Scenario { clients: 20, ..Scenario::default() };
        assert!(smaller(&scenario, Duration::from_secs(6_000)).contains("--until"));
    }

    #[test]
    fn number_is_rounded_down_to_one_digit() {
        assert_eq!([0, 9, 4721, 100].map(rounded_down), [0, 9, 4000, 100]);
    }
}

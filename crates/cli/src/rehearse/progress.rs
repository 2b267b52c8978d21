//! How far a run is, and before a long one, how long it will take.
//!
//! A live line on a terminal, and nothing where there is none. The playing is `redial-sim`'s. Start
//! at [`play`].

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use redial::{Mistake, Rounded};
use redial_sim::{Plan, Progress, Report, Scenario, estimate, rehearse_with};

use super::figures::{Grouped, cut};
use crate::{
    error::Error,
    stderr,
    terminal::{complain, stderr_is_live},
};

/// Who waits longer than this, for all of them, is told beforehand how long.
const LONG: Duration = Duration::from_secs(60);
/// Nobody waits longer than this for one.
const TOO_LONG: Duration = Duration::from_secs(3_600);
/// A run that is over sooner needs no line.
const SOON: Duration = Duration::from_millis(500);

/// Plays each plan, one after the other.
pub(super) fn play(scenario: &Scenario, plans: &[Plan]) -> Result<Vec<Report>, Error> {
    let wrong = |mistake: Mistake| Error::plain(mistake.what, mistake.instead);
    let each = plans.iter().map(|plan| estimate(scenario, plan).map_err(wrong));
    let each = each.collect::<Result<Vec<_>, _>>()?;
    let all = each.iter().fold(Duration::ZERO, |all, one| all.saturating_add(one.time));
    for (plan, estimate) in plans.iter().zip(each).filter(|_| all > LONG) {
        if estimate.time > TOO_LONG {
            let what = format!("{}: {estimate}: too long to be waited for", plan.name);
            return Err(Error::plain(what, smaller(scenario, estimate.time)));
        }
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

/// The flags of a rehearsal that shows the same curve within a minute or so.
fn smaller(scenario: &Scenario, time: Duration) -> String {
    let times = (time.as_secs() / LONG.as_secs()).max(2);
    let clients = (scenario.clients / times).max(1);
    format!(
        "to see the same curve in about a minute: --clients {clients}, with 1/{times} of --accepts; or end sooner, with --until"
    )
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

//! Plays a scenario in the simulator as well, with one client, where the simulator can.
//!
//! That is where every server is down for a time and then well, for as long as it is wanted: what a
//! script says as `refuse 250ms, banner`. What a simulated client does is counted, not recorded, so
//! the counts are compared. Start at [`agrees`].

use std::time::Duration;

use redial::{Event, Rate, Record};
use redial_lab::{Behaviour, Entry, Outage, Script};
use redial_sim::{Down, Order, Plan, Server, Start, rehearse};

use crate::scenario::Scenario;

/// Whether it could be played, and came to the same; the error says what the simulator saw.
pub(crate) fn agrees(scenario: &Scenario, record: &Record) -> Result<bool, String> {
    let scripts = scenario.scripts();
    let Some((down, lasts)) = scripts.first().and_then(outage) else { return Ok(false) };
    let alike = scripts.iter().all(|script| *script == scripts[0]);
    let policy = record.policy();
    // A simulated client holds its connection; it is never content, and looks at no answer here.
    let once = policy.consecutive() == 1 && policy.answer().is_none();
    if !alike || !once || scenario.until.is_some() {
        return Ok(false);
    }
    let server = Server {
        accepts: Rate { count: 1_000_000_000, per: Duration::from_secs(1) },
        down,
        ..Server::default()
    };
    let mut rehearsal = scenario.rehearsed();
    rehearsal.start = Some(Start::New);
    rehearsal.order = Order::Same;
    (rehearsal.network.least, rehearsal.network.most) = (Duration::ZERO, Duration::ZERO);
    rehearsal.servers = vec![server; scripts.len()];
    (rehearsal.outage.after, rehearsal.outage.lasts) = (Duration::ZERO, lasts);
    let plan = Plan::policy("one", scenario.nowhere(), &rehearsal).unwrap();
    let report = rehearse(&rehearsal, &plan).unwrap();

    let events = || record.events().flatten();
    let attempts = events().filter(|it| matches!(it.event, Event::Trying { .. })).count();
    let back = events().find(|it| matches!(it.event, Event::Connected { .. }));
    let back = back.map(|it| it.at.saturating_sub(lasts));
    // A connection takes a server the interval of its pace: a nanosecond.
    let seen = report.back_100.map(|time| time.saturating_sub(Duration::from_nanos(1)));
    let (expected, seen) = ((attempts as u64, back), (report.attempts, seen));
    if expected == seen {
        return Ok(true);
    }
    Err(format!("rehearsed, attempts and time until it is back: {seen:?}, not {expected:?}"))
}

/// Down for a time, then there without end.
fn outage(script: &Script) -> Option<(Down, Duration)> {
    match script.entries() {
        [
            Entry::Outage { outage, time: Some(time) },
            Entry::Connections { behaviour: Behaviour::Banner(_), count: None, .. },
        ] => match outage {
            Outage::Refuse => Some((Down::Refuse, *time)),
            Outage::Blackhole => Some((Down::Ignore, *time)),
            _ => None,
        },
        _ => None,
    }
}

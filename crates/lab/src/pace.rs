//! When the next connection may be accepted, where a script says no faster than one each so often.
//!
//! Each connection has a time at which it is due, one interval after the one before it was due
//! and not after it was accepted: timers tick in milliseconds, a busy machine wakes late, and what
//! one connection comes late the next make up for. What was late for want of a client, or of a
//! place for one, is lost. Start at [`Pace`].

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// An acceptance that takes longer had to wait for somebody.
const AT_ONCE: Duration = Duration::from_millis(1);

/// Lateness that is made up for; more would come as a burst.
const LATE: Duration = Duration::from_secs(1);

/// No interval is longer: a year. The clock ends somewhere.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The time at which the next connection is due.
#[derive(Debug)]
pub(crate) struct Pace {
    due: Instant,
    /// Since when the door was ready for it.
    ready: Instant,
}

impl Pace {
    /// A new start: the next connection is due now.
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self { due: now, ready: now }
    }

    /// Waits until the next connection is due.
    pub(crate) async fn wait(&mut self, every: Option<Duration>) {
        if every.is_some() {
            sleep_until(self.due).await;
            self.ready = Instant::now();
        }
    }

    /// A connection was accepted.
    pub(crate) fn accepted(&mut self, every: Option<Duration>) {
        match every {
            Some(every) => self.accepted_at(Instant::now(), every),
            None => *self = Self::new(),
        }
    }

    fn accepted_at(&mut self, now: Instant, every: Duration) {
        let late = now.saturating_duration_since(self.due);
        let at_once = now.saturating_duration_since(self.ready) <= AT_ONCE;
        let from = if at_once && late <= LATE { self.due } else { now };
        self.due = from + every.min(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many are accepted within a second by a timer that ticks each so often, when clients
    /// are always there.
    fn in_a_second(every: Duration, tick: Duration) -> u64 {
        let start = Instant::now();
        let (mut pace, mut now, mut accepted) = (Pace { due: start, ready: start }, start, 0);
        while now <= start + Duration::from_secs(1) {
            pace.ready = now;
            pace.accepted_at(now, every);
            accepted += 1;
            while now < pace.due {
                now += tick;
            }
        }
        accepted
    }

    #[test]
    fn a_coarse_timer_costs_no_connections() {
        // One at once, and the rest in the second that follows.
        for (every, tick) in [(500, 1_000), (500, 50_000), (5_000, 20_000), (5_000, 1_000)] {
            let (every, tick) = (Duration::from_micros(every), Duration::from_micros(tick));
            let due = 1 + Duration::from_secs(1).as_micros() / every.as_micros();
            assert_eq!(u128::from(in_a_second(every, tick)), due, "{every:?} {tick:?}");
        }
    }

    #[test]
    fn a_time_without_clients_is_not_made_up_for() {
        let (start, every) = (Instant::now(), Duration::from_millis(20));
        let mut pace = Pace { due: start, ready: start };
        let now = start + Duration::from_millis(500);
        pace.accepted_at(now, every);
        assert_eq!(pace.due, now + every);
        // Late by 30 ms, and the client was there already.
        pace.ready = pace.due + Duration::from_millis(30);
        pace.accepted_at(pace.ready, every);
        assert_eq!(pace.due, now + every * 2);
        // Late by more than is made up for.
        pace.ready = pace.due + LATE * 2;
        pace.accepted_at(pace.ready, Duration::MAX);
        assert_eq!(pace.due, pace.ready + LONGEST);
    }

    #[test]
    fn what_has_no_pace_ends_the_one_before() {
        let start = Instant::now();
        let mut pace = Pace { due: start + LONGEST, ready: start };
        pace.accepted(None);
        assert!(pace.due < start + LONGEST);
    }
}

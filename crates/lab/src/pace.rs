//! When the next connection may be accepted, where a script says no faster than one each so often.
//!
//! Each connection has a time at which it is due, one interval after the one before it was due
//! and not after it was accepted: timers tick in milliseconds, and what one comes late the next
//! makes up for. Start at [`Pace`].

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Lateness that is made up for; more is no timer's, but a time without clients, and forgotten.
const LATE: Duration = Duration::from_millis(10);

/// No pause is longer: a year. The clock ends somewhere.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The time at which the next connection is due.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    due: Option<Instant>,
}

impl Pace {
    /// Waits until the next connection is due.
    pub(crate) async fn wait(&self, every: Option<Duration>) {
        if let (Some(_), Some(due)) = (every, self.due) {
            sleep_until(due).await;
        }
    }

    /// A connection was accepted.
    pub(crate) fn accepted(&mut self, every: Option<Duration>) {
        self.due = every.map(|every| after(self.due, Instant::now(), every));
    }
}

/// When the next one is due.
fn after(due: Option<Instant>, now: Instant, every: Duration) -> Instant {
    let from = due.filter(|due| now.saturating_duration_since(*due) <= LATE).unwrap_or(now);
    from + every.min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The acceptances within a second, when timers tick each 1 ms and clients are always there.
    #[test]
    fn half_a_millisecond_is_two_thousand_in_a_second() {
        let (start, every) = (Instant::now(), Duration::from_micros(500));
        let (mut now, mut due, mut accepted) = (start, start, 0);
        while now < start + Duration::from_secs(1) {
            due = after(Some(due), now, every);
            accepted += 1;
            while now < due {
                now += Duration::from_millis(1);
            }
        }
        // One at once, then two at each of the 999 ticks that are left of the second.
        assert_eq!(accepted, 1_999);
    }

    #[test]
    fn a_time_without_clients_is_not_made_up_for() {
        let start = Instant::now();
        let every = Duration::from_millis(20);
        assert_eq!(after(None, start, every), start + every);
        let late = start + every + Duration::from_millis(11);
        assert_eq!(after(Some(start + every), late, every), late + every);
        assert_eq!(after(None, start, Duration::MAX), start + LONGEST);
    }
}

//! When each server is down, and how slowly it comes back.
//!
//! A schedule, known before the run begins. What a server that is down says is in `server`. Start
//! at [`Outage`].

use std::time::Duration;

use crate::time::nanos;

/// What happens to the servers, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// How long all is well before. 10 s, which is how long a connection has to live by default to
    /// count as healthy.
    pub after: Duration,
    /// How long a server is down each time.
    pub lasts: Duration,
    /// How it goes.
    pub course: Course,
    /// From here on the server takes longer and longer again to be itself: right after its return
    /// it is a tenth as fast, and gets faster evenly. At once by default.
    pub recovery: Duration,
    /// Whether clients notice it at once or within so long. At once by default.
    pub notice: Duration,
}

/// How an outage goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// All servers go down together, and come back.
    Clean,
    /// All go down and come back, so often, with so long between.
    Flapping {
        /// How often they go down.
        times: u32,
        /// How long they are up between.
        up: Duration,
    },
    /// One server after another; each begins so long after the one before it began.
    Rolling {
        /// How long after.
        every: Duration,
    },
}

impl Default for Outage {
    fn default() -> Self {
        Self {
            after: Duration::from_secs(10),
            lasts: Duration::from_secs(30),
            course: Course::Clean,
            recovery: Duration::ZERO,
            notice: Duration::ZERO,
        }
    }
}

/// A server goes down or comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    pub(crate) at: u64,
    pub(crate) server: u32,
    pub(crate) up: bool,
}

impl Outage {
    /// Every turn of every server, in order.
    pub(crate) fn turns(&self, servers: usize) -> Vec<Turn> {
        let (after, lasts) = (nanos(self.after), nanos(self.lasts));
        let mut turns = Vec::new();
        let mut down = |server, from: u64| {
            turns.push(Turn { at: from, server, up: false });
            turns.push(Turn { at: from.saturating_add(lasts), server, up: true });
        };
        for server in (0_u32..).take(servers) {
            match self.course {
                Course::Clean => down(server, after),
                Course::Flapping { times, up } => {
                    let turn = lasts.saturating_add(nanos(up));
                    for time in 0..u64::from(times) {
                        down(server, after.saturating_add(turn.saturating_mul(time)));
                    }
                }
                Course::Rolling { every } => {
                    let wait = nanos(every).saturating_mul(u64::from(server));
                    down(server, after.saturating_add(wait));
                }
            }
        }
        turns.sort_unstable();
        turns
    }

    /// When the last server is back for the last time, counted from the beginning of the run.
    #[must_use]
    pub fn end(&self, servers: usize) -> Duration {
        Duration::from_nanos(self.turns(servers).last().map_or(0, |turn| turn.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(course: Course, servers: usize) -> Vec<(u64, u32, bool)> {
        let outage = Outage { course, ..Outage::default() };
        let turns = outage.turns(servers);
        turns.iter().map(|turn| (turn.at / 1_000_000_000, turn.server, turn.up)).collect()
    }

    #[test]
    fn courses_go_as_they_are_called() {
        assert_eq!(seconds(Course::Clean, 1), [(10, 0, false), (40, 0, true)]);
        let flapping = Course::Flapping { times: 2, up: Duration::from_secs(5) };
        assert_eq!(
            seconds(flapping, 1),
            [(10, 0, false), (40, 0, true), (45, 0, false), (75, 0, true)]
        );
        let rolling = Course::Rolling { every: Duration::from_secs(60) };
        assert_eq!(
            seconds(rolling, 2),
            [(10, 0, false), (40, 0, true), (70, 1, false), (100, 1, true)]
        );
    }
}

//! The session's list of servers: whose turn it is, and what each has left.
//!
//! Turns, rounds, `drop`, and the counters of `retry`. It does not know kinds, clauses or time;
//! the walk asks it. Start at [`Servers`].

use super::few::Few;

/// Marks an attempt step that was found used up before.
const SPENT: u32 = u32::MAX;

pub(super) struct Servers {
    each: Few<Turn, 2>,
    current: usize,
    /// Rounds begun, from 1.
    round: u32,
    /// For each step of the policy, how often it was used at the current server in this round.
    used: Few<u32, 6>,
    was_healthy: bool,
}

/// One server in this session.
#[derive(Clone, Copy, Default)]
struct Turn {
    /// It had its turn in this round.
    had: bool,
    /// It is out until the session next has a healthy connection.
    dropped: bool,
    /// Its consecutive unhealthy attempts.
    unhealthy: u32,
}

impl Servers {
    pub(super) fn new(servers: usize, steps: usize) -> Self {
        let mut each = Few::<Turn, 2>::new(servers);
        if let Some(first) = each.first_mut() {
            first.had = true;
        }
        Self { each, current: 0, round: 1, used: Few::new(steps), was_healthy: false }
    }

    pub(super) const fn current(&self) -> usize {
        self.current
    }

    pub(super) const fn round(&self) -> u32 {
        self.round
    }

    /// Whether any connection of this session was healthy.
    pub(super) const fn was_healthy(&self) -> bool {
        self.was_healthy
    }

    /// A connection was made, which is all that `wait --gone` learns of a server.
    pub(super) const fn seen(&mut self) {
        self.was_healthy = true;
    }

    /// The exponent of the current server's next delay.
    pub(super) fn exponent(&self) -> u32 {
        self.each.get(self.current).map_or(0, |turn| turn.unhealthy.saturating_sub(1))
    }

    /// The connection that ended was healthy: counts, delays, drops and rounds start anew.
    pub(super) fn healthy(&mut self) {
        self.was_healthy = true;
        for turn in self.each.iter_mut() {
            *turn = Turn::default();
        }
        self.round = 1;
        self.visit(self.current);
    }

    pub(super) fn unhealthy(&mut self) {
        if let Some(turn) = self.each.get_mut(self.current) {
            turn.unhealthy = turn.unhealthy.saturating_add(1);
        }
    }

    /// How often a step was used at this server in this round.
    pub(super) fn used(&self, step: usize) -> u32 {
        self.used.get(step).copied().unwrap_or(0)
    }

    /// Uses a step once more. Returns how often it was used now.
    pub(super) fn use_once(&mut self, step: usize) -> u32 {
        let Some(used) = self.used.get_mut(step) else { return 0 };
        *used = used.saturating_add(1).min(SPENT - 1);
        *used
    }

    /// Marks a step as used up at this server in this round. Returns whether it was not before.
    pub(super) fn use_up(&mut self, step: usize) -> bool {
        let Some(used) = self.used.get_mut(step) else { return false };
        core::mem::replace(used, SPENT) != SPENT
    }

    /// Goes on to the next eligible server of this round. Returns whether there was one.
    pub(super) fn next_in_round(&mut self) -> bool {
        let count = self.each.len();
        let next = (1..count).map(|step| (self.current + step) % count).find(|index| {
            let turn = self.each[*index];
            !turn.had && !turn.dropped
        });
        if let Some(next) = next {
            self.visit(next);
        }
        next.is_some()
    }

    /// Begins another round at its first eligible server. Returns whether there is one.
    pub(super) fn next_round(&mut self) -> bool {
        let Some(first) = self.each.iter().position(|turn| !turn.dropped) else { return false };
        self.round = self.round.saturating_add(1);
        for turn in self.each.iter_mut() {
            turn.had = false;
        }
        self.visit(first);
        true
    }

    /// The current server is out until the session next has a healthy connection.
    pub(super) fn drop_current(&mut self) {
        if let Some(turn) = self.each.get_mut(self.current) {
            turn.dropped = true;
        }
    }

    fn visit(&mut self, index: usize) {
        self.current = index;
        self.used.fill(0);
        if let Some(turn) = self.each.get_mut(index) {
            turn.had = true;
        }
    }
}

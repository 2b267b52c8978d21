//! The race of one server's addresses, as RFC 8305 sections 4 and 5 say.
//!
//! Addresses are dialled in the order given: the next one 250 ms after the last, or at once after
//! a failure; each has a time limit of its own, and the first that connects wins. The race decides
//! and touches nothing: no clock, no socket, no lookup. Put addresses into their order with
//! [`interleave`], then start at [`Race`].

use alloc::{collections::VecDeque, vec::Vec};
use core::{net::SocketAddr, time::Duration};

use crate::{Address, Errno, Kind, Outcome, Tried};

/// How long one address has the race to itself: the Connection Attempt Delay of RFC 8305, section 5.
pub const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// How many addresses of one server are dialled; those beyond it stay "not tried".
pub const MAX_ADDRESSES: usize = 64;

/// Takes the families in turns, beginning with that of the first address (RFC 8305, section 4,
/// with a First Address Family Count of 1). Doubles are left out, keeping the first.
///
/// The addresses come sorted by RFC 6724, as getaddrinfo returns them; within a family they keep
/// that order.
#[must_use]
pub fn interleave(sorted: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut unique: Vec<SocketAddr> = Vec::with_capacity(sorted.len());
    for address in sorted {
        if !unique.contains(address) {
            unique.push(*address);
        }
    }
    let Some(first) = unique.first() else { return unique };
    let six_first = first.is_ipv6();
    let mut ours = unique.iter().filter(|address| address.is_ipv6() == six_first);
    let mut theirs = unique.iter().filter(|address| address.is_ipv6() != six_first);
    let mut turns = Vec::with_capacity(unique.len());
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return turns,
            (one, other) => turns.extend(one.into_iter().chain(other).copied()),
        }
    }
}

/// What happened outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Nothing but time: the moment of the last [`Output::Wake`] has come. Earlier does no harm.
    Tick,
    /// This address connected.
    Connected {
        /// Its place in the list the race was made with.
        index: usize,
    },
    /// This address failed.
    Failed {
        /// Its place in the list the race was made with.
        index: usize,
        /// Why.
        kind: Kind,
        /// The operating system's own error.
        errno: Option<Errno>,
    },
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Begin to connect to this address.
    Dial {
        /// Its place in the list the race was made with.
        index: usize,
    },
    /// Stop connecting to this address; whatever it still says is ignored.
    Cancel {
        /// Its place in the list the race was made with.
        index: usize,
    },
    /// Nothing more until an address answers, or until this moment: then [`Input::Tick`].
    Wake {
        /// When, since the race's own zero.
        at: Duration,
    },
    /// This address won. The race is over.
    Won {
        /// Its place in the list the race was made with.
        index: usize,
    },
    /// No address connected. The race is over.
    Lost,
}

/// A race between the addresses of one server.
///
/// > After [`Race::new`] and after each [`Race::handle`], call [`Race::poll`] until it returns
/// > `Wake`, `Won` or `Lost`. Those three are always last, and calling again repeats them.
///
/// Time is a `Duration` since any moment the caller likes, and never goes back.
///
/// ```
/// # use core::time::Duration;
/// # use redial_core::{Address, Kind, race::{Input, Output, Race}};
/// # let addresses = ["[2001:db8::1]:80", "192.0.2.1:80"].map(|a| Address::Ip(a.parse().unwrap()));
/// let mut race = Race::new(Duration::ZERO, Duration::from_secs(5), addresses.into());
/// assert_eq!(race.poll(), Output::Dial { index: 0 });
/// assert_eq!(race.poll(), Output::Wake { at: Duration::from_millis(250) });
///
/// let now = Duration::from_millis(3);
/// race.handle(now, Input::Failed { index: 0, kind: Kind::Unreachable, errno: None });
/// assert_eq!(race.poll(), Output::Dial { index: 1 });
/// ```
#[derive(Debug)]
pub struct Race {
    entries: Vec<Entry>,
    limit: Duration,
    /// How many addresses were dialled: always the first ones of the list.
    dialled: usize,
    /// When the next address may be dialled.
    next_at: Duration,
    winner: Option<usize>,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
struct Entry {
    address: Address,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Waiting,
    Dialling { since: Duration },
    Over { outcome: Outcome, elapsed: Duration },
}

impl Race {
    /// Starts a race between these addresses, dialled in this order, each given `limit` (the
    /// policy's `limits.connect`, 5 s) to connect.
    #[must_use]
    pub fn new(now: Duration, limit: Duration, addresses: Vec<Address>) -> Self {
        let entries: Vec<_> =
            addresses.into_iter().map(|address| Entry { address, state: State::Waiting }).collect();
        let outputs = VecDeque::with_capacity(entries.len().min(MAX_ADDRESSES));
        let mut race = Self { entries, limit, dialled: 0, next_at: now, winner: None, outputs };
        race.advance(now);
        race
    }

    /// Something happened at this moment. What an address says after it was cancelled, or after
    /// the race is over, is ignored.
    pub fn handle(&mut self, now: Duration, input: Input) {
        if self.winner.is_some() {
            return;
        }
        match input {
            Input::Tick => {}
            Input::Connected { index } => {
                if self.end(now, index, Outcome::Connected) {
                    self.winner = Some(index);
                    self.abandon_others(now);
                    return;
                }
            }
            Input::Failed { index, kind, errno } => {
                if self.end(now, index, Outcome::Failed { kind, errno }) {
                    self.next_at = now;
                }
            }
        }
        self.advance(now);
    }

    /// The next thing to do; see the drain rule at [`Race`].
    #[must_use]
    pub fn poll(&mut self) -> Output {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        if let Some(index) = self.winner {
            return Output::Won { index };
        }
        let next = (self.dialled < self.runners()).then_some(self.next_at);
        let limits = (0..self.dialled).filter_map(|index| self.time_is_up(index));
        match limits.chain(next).min() {
            Some(at) => Output::Wake { at },
            None => Output::Lost,
        }
    }

    /// Every address and what became of it, in dialling order.
    ///
    /// An address that was still being dialled when another won is [`Outcome::Abandoned`].
    #[must_use]
    pub fn into_tried(self) -> Vec<Tried> {
        let tried = |Entry { address, state }| match state {
            State::Waiting | State::Dialling { .. } => {
                Tried::new(address, Outcome::NotTried, Duration::ZERO)
            }
            State::Over { outcome, elapsed } => Tried::new(address, outcome, elapsed),
        };
        self.entries.into_iter().map(tried).collect()
    }

    /// How many addresses take part.
    fn runners(&self) -> usize {
        self.entries.len().min(MAX_ADDRESSES)
    }

    /// When the time of an address is up, if it is being dialled.
    fn time_is_up(&self, index: usize) -> Option<Duration> {
        match self.entries.get(index)?.state {
            State::Dialling { since } => Some(since.saturating_add(self.limit)),
            State::Waiting | State::Over { .. } => None,
        }
    }

    /// Records what became of an address; false if it was not being dialled.
    fn end(&mut self, now: Duration, index: usize, outcome: Outcome) -> bool {
        let Some(entry) = self.entries.get_mut(index) else { return false };
        let State::Dialling { since } = entry.state else { return false };
        entry.state = State::Over { outcome, elapsed: now.saturating_sub(since) };
        true
    }

    /// Cancels what has run out of time, then dials what may be dialled.
    fn advance(&mut self, now: Duration) {
        for index in 0..self.dialled {
            let late = self.time_is_up(index).is_some_and(|at| at <= now);
            let outcome = Outcome::Failed { kind: Kind::ConnectTimeout, errno: None };
            if late && self.end(now, index, outcome) {
                self.outputs.push_back(Output::Cancel { index });
                self.next_at = now;
            }
        }
        if self.dialled < self.runners() && self.next_at <= now {
            let index = self.dialled;
            self.entries[index].state = State::Dialling { since: now };
            self.dialled += 1;
            self.next_at = now.saturating_add(ATTEMPT_DELAY);
            self.outputs.push_back(Output::Dial { index });
        }
    }

    fn abandon_others(&mut self, now: Duration) {
        for index in 0..self.dialled {
            if self.end(now, index, Outcome::Abandoned) {
                self.outputs.push_back(Output::Cancel { index });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn six(host: u16) -> SocketAddr {
        SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, host], 80))
    }

    fn four(host: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, host], 80))
    }

    fn race(addresses: usize) -> Race {
        let address =
            |at: usize| Address::Ip(SocketAddr::from(([10, 0, (at >> 8) as u8, at as u8], 80)));
        Race::new(Duration::ZERO, LIMIT, (0..addresses).map(address).collect())
    }

    fn refused(index: usize) -> Input {
        Input::Failed { index, kind: Kind::Refused, errno: None }
    }

    /// Everything up to and with the last output.
    fn drain(race: &mut Race) -> Vec<Output> {
        let mut outputs = Vec::new();
        loop {
            let output = race.poll();
            outputs.push(output);
            if matches!(output, Output::Wake { .. } | Output::Won { .. } | Output::Lost) {
                assert_eq!(race.poll(), output, "the last output repeats");
                return outputs;
            }
        }
    }

    fn outcomes(race: Race) -> Vec<Outcome> {
        race.into_tried().into_iter().map(|tried| tried.outcome).collect()
    }

    #[test]
    fn families_take_turns_beginning_with_the_first() {
        let sorted = [six(1), six(2), six(3), four(1), six(1)];
        assert_eq!(interleave(&sorted), [six(1), four(1), six(2), six(3)]);
        assert_eq!(interleave(&[four(1), four(2), six(1)]), [four(1), six(1), four(2)]);
        assert_eq!(interleave(&[]), []);
    }

    #[test]
    fn a_new_address_every_250_ms() {
        let mut race = race(3);
        assert_eq!(drain(&mut race), [Output::Dial { index: 0 }, Output::Wake { at: ms(250) }]);
        race.handle(ms(100), Input::Tick);
        assert_eq!(drain(&mut race), [Output::Wake { at: ms(250) }], "an early tick does nothing");
        race.handle(ms(250), Input::Tick);
        assert_eq!(drain(&mut race), [Output::Dial { index: 1 }, Output::Wake { at: ms(500) }]);
        race.handle(ms(500), Input::Tick);
        assert_eq!(drain(&mut race), [Output::Dial { index: 2 }, Output::Wake { at: LIMIT }]);
    }

    #[test]
    fn at_once_after_a_failure() {
        let mut race = race(2);
        drain(&mut race);
        race.handle(ms(1), refused(0));
        let limit = Output::Wake { at: ms(1) + LIMIT };
        assert_eq!(drain(&mut race), [Output::Dial { index: 1 }, limit]);
        race.handle(ms(2), refused(1));
        assert_eq!(drain(&mut race), [Output::Lost]);
        let tried = race.into_tried();
        assert_eq!(tried[0].elapsed, ms(1));
        assert_eq!(tried[1].elapsed, ms(1));
    }

    #[test]
    fn the_first_to_connect_wins_and_the_others_are_cancelled() {
        let mut race = race(3);
        drain(&mut race);
        race.handle(ms(250), Input::Tick);
        drain(&mut race);
        race.handle(ms(300), Input::Connected { index: 1 });
        assert_eq!(drain(&mut race), [Output::Cancel { index: 0 }, Output::Won { index: 1 }]);
        race.handle(ms(301), Input::Connected { index: 0 });
        assert_eq!(drain(&mut race), [Output::Won { index: 1 }], "too late");
        assert_eq!(outcomes(race), [Outcome::Abandoned, Outcome::Connected, Outcome::NotTried]);
    }

    #[test]
    fn each_address_has_its_own_time() {
        let mut race = race(2);
        drain(&mut race);
        race.handle(ms(250), Input::Tick);
        drain(&mut race);
        race.handle(LIMIT, Input::Tick);
        let second = Output::Wake { at: ms(250) + LIMIT };
        assert_eq!(drain(&mut race), [Output::Cancel { index: 0 }, second]);
        race.handle(LIMIT + ms(1), Input::Connected { index: 0 });
        assert_eq!(drain(&mut race), [second], "a cancelled address is ignored");
        race.handle(ms(250) + LIMIT, Input::Tick);
        assert_eq!(drain(&mut race), [Output::Cancel { index: 1 }, Output::Lost]);
        let late = Outcome::Failed { kind: Kind::ConnectTimeout, errno: None };
        assert_eq!(outcomes(race), [late, late]);
    }

    #[test]
    fn a_tick_that_comes_very_late_still_dials_one_at_a_time() {
        let mut race = race(3);
        drain(&mut race);
        race.handle(ms(60_000), Input::Tick);
        let dial = Output::Dial { index: 1 };
        let wake = Output::Wake { at: ms(60_250) };
        assert_eq!(drain(&mut race), [Output::Cancel { index: 0 }, dial, wake]);
    }

    #[test]
    fn no_address_is_lost_at_once() {
        assert_eq!(drain(&mut race(0)), [Output::Lost]);
    }

    #[test]
    fn at_most_64_are_dialled_and_all_are_listed() {
        let mut race = race(100);
        let mut dialled = 0;
        loop {
            match race.poll() {
                Output::Dial { index } => {
                    dialled += 1;
                    race.handle(ms(1), refused(index));
                }
                Output::Lost => break,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(dialled, MAX_ADDRESSES);
        let outcomes = outcomes(race);
        assert_eq!(outcomes.len(), 100);
        assert!(outcomes[MAX_ADDRESSES..].iter().all(|outcome| *outcome == Outcome::NotTried));
    }
}

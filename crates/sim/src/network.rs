//! How long a segment is under way, and what a kernel does about a SYN that nobody answers.
//!
//! Integers only: the same seed draws the same delays on any machine. It loses nothing; what is
//! lost in a rehearsal was ignored by a server. Start at [`Network`].

use std::time::Duration;

use fastrand::Rng;

use crate::time::nanos;

/// When a SYN that was not answered is sent again, counted from the first, in seconds. The initial
/// timeout of 1 s is that of RFC 6298, section 2. Linux keeps to it four times more
/// (`tcp_syn_linear_timeouts`, since 6.5) before it doubles, and sends ten in all
/// (`tcp_syn_retries`, 6, counts from there): ip-sysctl, and measured on 6.18 up to the seventh.
const AGAIN: [u64; 10] = [1, 2, 3, 4, 5, 7, 11, 19, 35, 67];

/// The way between clients and servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The shortest way, one direction. 1 ms.
    pub least: Duration,
    /// The longest. 1 ms.
    pub most: Duration,
    /// How the delays between them are spread. Evenly.
    pub shape: Shape,
    /// For clients that share a kernel: how far apart its timers go off, so that SYNs are sent
    /// again in bunches. On Linux 32 ms for a second at 250 Hz (the timer wheel's second level,
    /// 8 ticks). Zero, which is many machines: each in its own time.
    pub bunches: Duration,
}

/// How delays are spread between the shortest and the longest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// All equally likely.
    #[default]
    Even,
    /// Most are short and a few are long: the cube of an even draw, whose mean is a quarter of the
    /// way and whose median an eighth.
    Tail,
}

impl Default for Network {
    fn default() -> Self {
        let millisecond = Duration::from_millis(1);
        Self { least: millisecond, most: millisecond, shape: Shape::Even, bunches: Duration::ZERO }
    }
}

impl Network {
    /// There and back again, on the average of an even spread, in nanoseconds.
    pub(crate) fn round_trip(&self) -> u64 {
        nanos(self.least).saturating_add(nanos(self.most))
    }

    /// When a SYN is sent again that was first sent at `since`, one of which was ignored at `now`.
    pub(crate) fn syn_again(&self, since: u64, now: u64) -> Option<u64> {
        let bunches = nanos(self.bunches).max(1);
        next(&AGAIN, since, now).map(|at| at.div_ceil(bunches).saturating_mul(bunches))
    }

    /// How long this one is under way, in nanoseconds.
    pub(crate) fn draw(&self, random: &mut Rng) -> u64 {
        let (least, most) = (nanos(self.least), nanos(self.most));
        if least >= most {
            return least;
        }
        match self.shape {
            Shape::Even => random.u64(least..=most),
            Shape::Tail => {
                let u = random.u64(0..1 << 21);
                let cube = u128::from(u * u * u) * u128::from(most - least);
                least + u64::try_from(cube >> 63).unwrap_or(u64::MAX)
            }
        }
    }
}

/// When a server's kernel says once more that it heard, to a client whose answer it dropped,
/// counted from the client's SYN: 1, 3, 7, 15 and 31 s (`tcp_synack_retries`, 5).
const HEARD: [u64; 5] = [1, 3, 7, 15, 31];

/// When a client finds out by itself that its server knows nothing of it: keepalive asks after 30 s
/// and then every 10 s, three times in all.
const ALIVE: [u64; 3] = [30, 40, 50];

/// When the next chance is of a connection whose client believes that it stands and whose server
/// dropped the last segment of the handshake: where the server remembers the client, and where
/// not.
pub(crate) fn ack_again(remembered: bool, since: u64, now: u64) -> Option<u64> {
    next(if remembered { &HEARD } else { &ALIVE }, since, now)
}

fn next(seconds: &[u64], since: u64, now: u64) -> Option<u64> {
    let mut after = seconds.iter().map(|seconds| since.saturating_add(seconds * 1_000_000_000));
    after.find(|at| *at > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syn_is_sent_again_each_second_and_then_ever_later() {
        const SECOND: u64 = 1_000_000_000;
        let again = |since: u64, now: u64| {
            Network::default().syn_again(since * SECOND, now * SECOND + 1).map(|at| at / SECOND)
        };
        assert_eq!([again(5, 5), again(5, 6), again(5, 10)], [Some(6), Some(7), Some(12)]);
        assert_eq!(again(0, 68), None);
        let bunches = Duration::from_millis(32);
        let bunched = Network { bunches, ..Network::default() };
        assert_eq!(bunched.syn_again(1, 2), Some(32_000_000 * 32));
    }

    #[test]
    fn delays_stay_between_the_least_and_the_most() {
        let mut random = Rng::with_seed(1);
        let (least, most) = (Duration::from_millis(5), Duration::from_millis(85));
        let mut mean = |shape| {
            let network = Network { least, most, shape, bunches: Duration::ZERO };
            let draws: Vec<_> = (0..10_000).map(|_| network.draw(&mut random)).collect();
            assert!(draws.iter().all(|draw| (5_000_000..=85_000_000).contains(draw)));
            draws.iter().sum::<u64>() / 10_000_000_000
        };
        // Means of 45 ms and 25 ms.
        assert!((44..=45).contains(&mean(Shape::Even)));
        assert!((24..=25).contains(&mean(Shape::Tail)));
    }
}

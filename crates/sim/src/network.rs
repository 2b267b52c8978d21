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
        Self { least: millisecond, most: millisecond, shape: Shape::Even }
    }
}

impl Network {
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

/// When a SYN is sent again that was first sent at `since` and of which one was ignored at `now`.
pub(crate) fn syn_again(since: u64, now: u64) -> Option<u64> {
    let after = AGAIN.iter().map(|seconds| since.saturating_add(seconds * 1_000_000_000));
    after.into_iter().find(|at| *at > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syn_is_sent_again_each_second_and_then_ever_later() {
        const SECOND: u64 = 1_000_000_000;
        assert_eq!(syn_again(5 * SECOND, 5 * SECOND + 1), Some(6 * SECOND));
        assert_eq!(syn_again(5 * SECOND, 6 * SECOND + 1), Some(7 * SECOND));
        assert_eq!(syn_again(5 * SECOND, 10 * SECOND + 1), Some(12 * SECOND));
        assert_eq!(syn_again(0, 68 * SECOND), None);
    }

    #[test]
    fn delays_stay_between_the_least_and_the_most() {
        let mut random = Rng::with_seed(1);
        let (least, most) = (Duration::from_millis(5), Duration::from_millis(85));
        let mut mean = |shape| {
            let network = Network { least, most, shape };
            let draws: Vec<_> = (0..10_000).map(|_| network.draw(&mut random)).collect();
            assert!(draws.iter().all(|draw| (5_000_000..=85_000_000).contains(draw)));
            draws.iter().sum::<u64>() / 10_000_000_000
        };
        // Means of 45 ms and 25 ms.
        assert!((44..=45).contains(&mean(Shape::Even)));
        assert!((24..=25).contains(&mean(Shape::Tail)));
    }
}

//! How long to wait before trying again.
//!
//! Exponential growth up to a cap, the cap applied *before* the jitter, so that a crowd of clients
//! stays spread out at the cap and no delay exceeds it. Integer nanoseconds that saturate: no
//! number of attempts overflows. It draws from a random source it is handed and keeps no count;
//! the session counts. Start at [`Backoff`].

use core::time::Duration;

use fastrand::Rng;

use crate::Rate;

/// The delay before attempt `n`: `d = min(cap, base · factor^n)`, then jitter.
///
/// The shapes of jitter are those of the AWS architecture blog, "Exponential backoff and jitter".
///
/// # Default
///
/// `every 250ms..30s`: base 250 ms, cap 30 s, factor 2, jitter `equal`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Backoff {
    base: u64,
    cap: u64,
    factor: u32,
    jitter: Jitter,
}

/// How a delay is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Jitter {
    /// Anything from 0 to `d`.
    Full,
    /// From half of `d` to `d`.
    Equal,
    /// Exactly `d`.
    None,
}

impl Jitter {
    /// The smallest cap with which so many clients, all of them waiting for one server, ask it no
    /// more often than `accepts`; `None` where no cap would do.
    ///
    /// Once clients are dispersed they arrive N / (mean delay at the cap) times a second, whatever
    /// the shape (renewal theory: each client arrives once per mean delay). The mean is half the
    /// cap with `full` and three quarters of it with `equal`, so the cap has to be 2N/C with `full`
    /// and 4N/3C with `equal`. Without jitter clients that failed together ask together, whatever
    /// the cap. Short outages, in which they are not dispersed yet, peak higher.
    ///
    /// ```
    /// use core::time::Duration;
    /// use redial_core::{Jitter, parse_rate};
    /// let accepts = parse_rate("2000/s")?;
    /// assert_eq!(Jitter::Full.cap_needed(100_000, accepts), Some(Duration::from_secs(100)));
    /// assert_eq!(Jitter::Equal.cap_needed(75_000, accepts), Some(Duration::from_secs(50)));
    /// assert_eq!(Jitter::None.cap_needed(100_000, accepts), None);
    /// # Ok::<(), redial_core::Mistake>(())
    /// ```
    #[must_use]
    pub fn cap_needed(self, clients: u64, accepts: Rate) -> Option<Duration> {
        let (times, of) = match self {
            Self::Full => (2, 1),
            Self::Equal => (4, 3),
            Self::None => return None,
        };
        let nanos = u128::from(clients)
            .saturating_mul(accepts.per.as_nanos())
            .saturating_mul(times)
            .div_ceil(of * u128::from(accepts.count.max(1)));
        Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }
}

/// The smallest, the average and the largest delay before one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// No delay is shorter.
    pub min: Duration,
    /// The average over many clients.
    pub mean: Duration,
    /// No delay is longer.
    pub max: Duration,
}

/// The factor of `x2`, in thousandths.
const DOUBLE: u32 = 2_000;
/// The largest factor a clause can ask for: `x1000`.
pub(crate) const MAX_FACTOR: u32 = 1_000_000;

impl Default for Backoff {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Backoff {
    /// `every 250ms..30s`: doubling, jitter `equal`.
    pub const DEFAULT: Self =
        Self { base: 250_000_000, cap: 30_000_000_000, factor: DOUBLE, jitter: Jitter::Equal };

    /// Exactly this long, every time: `every 5s`.
    #[must_use]
    pub fn exactly(delay: Duration) -> Self {
        let delay = nanoseconds(delay);
        Self { base: delay, cap: delay, factor: DOUBLE, jitter: Jitter::None }
    }

    /// Doubling from `base` up to `cap`, with jitter `equal`: `every 250ms..30s`.
    ///
    /// A base above the cap is taken as the cap.
    #[must_use]
    pub fn between(base: Duration, cap: Duration) -> Self {
        let cap = nanoseconds(cap);
        Self { base: nanoseconds(base).min(cap), cap, factor: DOUBLE, jitter: Jitter::Equal }
    }

    /// Grow by this many thousandths at each attempt (1,000 to 1,000,000): 1,500 is `x1.5`. It has
    /// no effect where the base is the cap.
    #[must_use]
    pub const fn factor(mut self, thousandths: u32) -> Self {
        if self.base >= self.cap {
            return self;
        }
        self.factor = if thousandths < 1_000 {
            1_000
        } else if thousandths > MAX_FACTOR {
            MAX_FACTOR
        } else {
            thousandths
        };
        self
    }

    /// Spread it in this way.
    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// The delay after `n` attempts that came to nothing before this one (0 for the first retry).
    ///
    /// ```
    /// use core::time::Duration;
    /// use redial_core::Backoff;
    /// let mut random = fastrand::Rng::with_seed(7);
    /// let delay = Backoff::default().delay(3, &mut random);
    /// assert!(delay >= Duration::from_secs(1) && delay <= Duration::from_secs(2));
    /// ```
    #[must_use]
    pub fn delay(&self, n: u32, random: &mut Rng) -> Duration {
        let d = self.ceiling(n);
        Duration::from_nanos(match self.jitter {
            Jitter::Full => random.u64(0..=d),
            Jitter::Equal => random.u64(d / 2..=d),
            Jitter::None => d,
        })
    }

    /// What [`Backoff::delay`] can return for this `n`.
    #[must_use]
    pub fn spread(&self, n: u32) -> Spread {
        let d = self.ceiling(n);
        let min = match self.jitter {
            Jitter::Full => 0,
            Jitter::Equal => d / 2,
            Jitter::None => d,
        };
        let mean = min + (d - min) / 2;
        Spread {
            min: Duration::from_nanos(min),
            mean: Duration::from_nanos(mean),
            max: Duration::from_nanos(d),
        }
    }

    /// The first delay's ceiling, the cap, the factor in thousandths, and the jitter.
    pub(crate) const fn parts(&self) -> (Duration, Duration, u32, Jitter) {
        (Duration::from_nanos(self.base), Duration::from_nanos(self.cap), self.factor, self.jitter)
    }

    /// No delay is longer than this.
    #[must_use]
    pub const fn cap(&self) -> Duration {
        Duration::from_nanos(self.cap)
    }

    /// How the delay is spread.
    #[must_use]
    pub const fn shape(&self) -> Jitter {
        self.jitter
    }

    /// `min(cap, base · factor^n)`.
    ///
    /// Squaring in fixed point costs some 6 steps where `x1.02` would take thousands; rounding can
    /// only make a power smaller by parts in 2^32, never larger.
    fn ceiling(&self, n: u32) -> u64 {
        const ONE: u128 = 1 << 32;
        if self.base >= self.cap || self.factor == 1_000 || n == 0 || self.base == 0 {
            return self.base;
        }
        // Beyond this the cap is reached whatever the rest of the power says.
        let enough = (u128::from(self.cap) * ONE).div_ceil(u128::from(self.base));
        let (mut power, mut square, mut rest) = (ONE, u128::from(self.factor) * ONE / 1_000, n);
        loop {
            if rest & 1 == 1 {
                power = saturating(power, square);
                if power >= enough {
                    return self.cap;
                }
            }
            rest >>= 1;
            if rest == 0 {
                break;
            }
            square = saturating(square, square);
        }
        // `power` is below `enough`, so the product stays below 2^97.
        let grown = power.saturating_mul(u128::from(self.base)) >> 32;
        u64::try_from(grown).map_or(self.cap, |grown| grown.min(self.cap))
    }
}

/// The product of two numbers with 32 fractional bits, at most 2^96: far above any cap.
fn saturating(a: u128, b: u128) -> u128 {
    const CEILING: u128 = 1 << 96;
    match a.checked_mul(b) {
        Some(product) => (product >> 32).min(CEILING),
        None => CEILING,
    }
}

/// Whole nanoseconds in 64 bits: 584 years, and then no more.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

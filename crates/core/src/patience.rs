//! How long a connected server may stay silent before its attempt is given up.
//!
//! A limit that was set holds as it is. Without one, `wait` follows the time that its target has
//! left. It measures nothing: the driver passes the time left. Start at [`Patience`].

use core::time::Duration;

/// How long more lines of an answer may take to follow one.
const AFTER_LINE: Duration = Duration::from_secs(1);

/// How long a connected server may stay silent, and how long it may take from its first byte on.
///
/// Of the time left to a target, one silent connection gets at most three quarters, so that
/// another attempt follows it; where the target has several addresses or servers, each gets an
/// equal share of that. The limit's default is the least, even if less time is left: the deadline
/// cuts the attempt then.
///
/// ```
/// use core::time::Duration;
/// use redial_core::Patience;
///
/// let limit = Duration::from_secs(5);
/// let left = Some(Duration::from_secs(20));
/// assert_eq!(Patience::fixed(limit).silent(left), limit);
/// assert_eq!(Patience::following(limit).silent(left), Duration::from_secs(15));
/// assert_eq!(Patience::following(limit).among(3).silent(left), limit);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    limit: Duration,
    /// Between how many addresses and servers the time left is shared; `None` where a limit is set.
    shares: Option<u32>,
}

impl Patience {
    /// This limit, whatever time is left.
    #[must_use]
    pub const fn fixed(limit: Duration) -> Self {
        Self { limit, shares: None }
    }

    /// A share of the time left, and this limit at least.
    #[must_use]
    pub const fn following(limit: Duration) -> Self {
        Self { limit, shares: Some(1) }
    }

    /// The same, where the time left is shared with so many more: this times `alternatives`.
    #[must_use]
    pub fn among(self, alternatives: usize) -> Self {
        let times = u32::try_from(alternatives).unwrap_or(u32::MAX).max(1);
        Self { shares: self.shares.map(|shares| shares.saturating_mul(times)), ..self }
    }

    /// Returns how long the server may send nothing, from the connection or from our last message
    /// on. `left` is the time until the session's deadline, if it has one.
    #[must_use]
    pub fn silent(self, left: Option<Duration>) -> Duration {
        match (self.shares, left) {
            (Some(shares), Some(left)) => (left / 4 * 3 / shares).max(self.limit),
            _ => self.limit,
        }
    }

    /// Returns how long the server may take from its first byte to the end of its answer.
    #[must_use]
    pub const fn speaking(self) -> Duration {
        self.limit
    }

    /// Returns how long the server may be silent after a whole line that is not the expected
    /// answer. Where nothing is set that is 1 s: another attempt follows.
    #[must_use]
    pub fn after_line(self) -> Duration {
        if self.follows() { self.limit.min(AFTER_LINE) } else { self.limit }
    }

    /// Whether the limit follows the time left.
    #[must_use]
    pub const fn follows(self) -> bool {
        self.shares.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn share_is_three_quarters_and_limit_at_least() {
        let alone = Patience::following(s(5));
        assert_eq!(alone.silent(Some(s(60))), s(45));
        assert_eq!(alone.silent(Some(s(2))), s(5));
        assert_eq!(alone.silent(None), s(5));
        assert_eq!(alone.among(2).among(2).silent(Some(s(80))), s(15));
        assert_eq!(alone.among(0).silent(Some(s(20))), s(15));
        assert_eq!(alone.silent(Some(Duration::MAX)), Duration::MAX / 4 * 3);
        assert_eq!(Patience::fixed(s(1)).among(3).silent(Some(s(60))), s(1));
        assert_eq!((alone.speaking(), alone.after_line()), (s(5), s(1)));
        assert_eq!(Patience::fixed(s(5)).after_line(), s(5));
    }
}

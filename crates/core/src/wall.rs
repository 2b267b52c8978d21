//! Wall-clock times: a moment in UTC, written as RFC 3339 does.
//!
//! The core has no clock: a driver that has one states when a session began, and every event is
//! that much later. Start at [`WallTime`].

use core::{fmt, time::Duration};

use serde::{Serialize, Serializer};

/// A moment in UTC, to the microsecond.
///
/// ```
/// use std::time::Duration;
/// use redial_core::WallTime;
///
/// let began = WallTime::since_epoch(Duration::from_secs(1_795_996_800));
/// assert_eq!(began.to_string(), "2026-11-30T00:00:00.000000Z");
/// assert_eq!(began.after(Duration::from_millis(1500)).to_string(), "2026-11-30T00:00:01.500000Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(Duration);

impl WallTime {
    /// The moment this long after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn since_epoch(since: Duration) -> Self {
        Self(since)
    }

    /// The moment this much later.
    #[must_use]
    pub const fn after(self, elapsed: Duration) -> Self {
        Self(self.0.saturating_add(elapsed))
    }
}

impl fmt::Display for WallTime {
    /// Writes RFC 3339 with six digits of a second. Times after the year 9999 are written as its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = i64::try_from(self.0.as_micros()).unwrap_or(i64::MAX);
        let time = jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{time:.6}")
    }
}

impl Serialize for WallTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

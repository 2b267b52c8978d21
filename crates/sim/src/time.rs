//! Durations as the 64 bits of nanoseconds that a rehearsal counts in, and as JSON shows them.
//!
//! Nothing here knows what time it is. Start at [`nanos`].

use std::time::Duration;

use serde::Serializer;

/// Later than anything.
pub(crate) const NEVER: u64 = u64::MAX;

/// Whole nanoseconds; what is longer than 584 years is [`NEVER`].
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(NEVER)
}

/// In JSON a time is seconds.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde's form
pub(crate) fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// In JSON a time is seconds, and `null` where there was none.
#[allow(clippy::ref_option)] // serde's form
pub(crate) fn maybe_seconds<S: Serializer>(
    time: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_some(&time.as_secs_f64()),
        None => serializer.serialize_none(),
    }
}

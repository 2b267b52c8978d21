//! Durations, sizes, counts and rates as people write them: `2m30s`, `16KiB`, `100k`, `2000/s`.
//!
//! Reading is exact integer arithmetic, and every mistake says where it is and what to write.
//! Nothing here knows what a quantity is for: a flag or a clause sets its own limits. Start at
//! [`parse_duration`] and [`parse_size`].

mod duration;
mod number;
mod size;

use core::time::Duration;

use serde::Serializer;

pub use duration::{Human, Rounded, parse_duration, parse_seconds_or_duration};
pub use size::{Bytes, Rate, parse_count, parse_rate, parse_size};

/// A duration in JSON: seconds, as a number.
pub(crate) fn as_seconds<S: Serializer>(
    value: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(value.as_secs_f64())
}

//! Durations, sizes and rates as people write them. (placeholder: being written)
use core::time::Duration;
use serde::Serializer;

/// A duration in JSON: seconds, as a number.
pub(crate) fn as_seconds<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(value.as_secs_f64())
}

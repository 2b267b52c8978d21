//! Progress output: the right server and attempt, and lines that never mix with data.

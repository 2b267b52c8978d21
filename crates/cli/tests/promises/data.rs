//! Data and exit status: exit 0 only after a clean end and an acknowledged send queue.

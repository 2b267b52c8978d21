//! Targets: TLS and proxy options, multi-host URLs, schemes, and target files.

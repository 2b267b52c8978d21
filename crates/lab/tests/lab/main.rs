//! The lab from outside: plain sockets of the standard library, and what they see on the wire.

// The workspace allows these in test functions; the helpers beside them are tests all the same.
#![allow(clippy::panic, clippy::unwrap_used)]

mod client;

// What happens on a connection, one test per behaviour.
mod behaviours;
// What happens instead of a connection.
mod outages;
// Which connection gets what.
mod scripts;
// Scripts as text.
mod words;
// What the lab says it saw.
mod seen;
// Starting, stopping, addresses, limits.
mod life;
// Being told of each end.
mod ends;
// Ready-made servers.
mod names;
// Servers of a known protocol.
mod transcripts;
// Certificates, judged by a client that checks them.
#[cfg(feature = "tls")]
mod tls;
// The same and the handshakes, judged by `openssl s_client`.
#[cfg(feature = "tls")]
mod openssl;

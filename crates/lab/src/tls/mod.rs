//! TLS that goes wrong on purpose: certificates with one fault each, and handshakes that fail.
//!
//! It says nothing inside TLS; that is the business of `connection`. Nothing is written to disk.
//! Start at [`Certificate`], for what a client is shown, and at [`Handshake`], for how a handshake
//! goes wrong before a certificate is of any interest.
//!
//! # Layout
//!
//! - `certificate`: which certificate a client is shown
//! - `handshake`: handshakes that never end well, and their records
//! - `authority`: who signs the certificates of a lab, and how each gets its fault
//! - `given`: a certificate and key of the user's own
//! - `identities`: what one script needs of these, made at the start of its lab
//! - `play`: handshakes on a connection

mod authority;
mod certificate;
mod given;
mod handshake;
mod identities;
mod play;

pub use certificate::Certificate;
pub use given::{BadIdentity, Given};
pub use handshake::Handshake;
pub(crate) use identities::Identities;

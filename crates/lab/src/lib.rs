//! Servers that misbehave on purpose, for tests and practice.
//!
//! One line starts a server on a free port of this machine; dropping it stops the server:
//!
//! ```
//! use std::io::Read;
//! use redial_lab::{Behaviour, Lab};
//!
//! let lab = Lab::start(Behaviour::Reset)?;
//! let mut connection = std::net::TcpStream::connect(lab.address())?;
//! let failure = connection.read(&mut [0; 16]).unwrap_err();
//! assert_eq!(failure.kind(), std::io::ErrorKind::ConnectionReset);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A lab runs on a thread of its own, so it serves synchronous and asynchronous callers alike. It
//! knows nothing of redial and needs no rights, no fixed port and no sleep in the test around it:
//! the address is known, and the first behaviour in force, when [`Lab::start`] returns.
//!
//! It is for tests and practice: no authentication, no configuration file, no protocol beyond
//! bytes and TLS. Start at [`Lab`], whose settings are in [`Builder`]; what it can do is
//! [`Behaviour`] and [`Outage`], what comes after what is [`Script`], what came in is [`Seen`],
//! and ready-made servers are [`NAMES`].
//!
//! # Layout
//!
//! - `lab`: the handle: start, address, what was seen, stop
//! - `builder`: the lab before it starts: where, and how much of it
//! - `behaviour`: what may happen on a connection, and what may happen instead of one
//! - `script`: which connection gets which behaviour
//! - `names`: ready-made servers by name, as a table
//! - `seen`: what a lab saw, and waiting for it
//! - `ends`: telling somebody of each connection's end
//! - `door`: one port that is open, shut or full
//! - `server`: the loop that accepts
//! - `connection`: one connection, behaving
//! - `stream`: the bytes under it: TCP, or TLS over it
//! - `tls`: certificates, good ones and bad ones (feature `tls`, on by default)

mod behaviour;
mod builder;
mod connection;
mod door;
mod ends;
mod lab;
mod names;
mod script;
mod seen;
mod server;
mod stream;
#[cfg(feature = "tls")]
mod tls;

pub use behaviour::{Behaviour, Outage};
pub use builder::Builder;
pub use lab::Lab;
pub use names::{LESSON, NAMES, Name, UnknownName};
pub use script::{Entry, Script};
pub use seen::{Ended, Seen, SeenConnection, Totals, sha256};
#[cfg(feature = "tls")]
pub use tls::Certificate;

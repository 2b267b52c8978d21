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
//! It is for tests and practice: no authentication, no configuration file, and of protocols beyond
//! bytes and TLS no more than a probe needs. Start at [`Lab`], whose settings are in [`Builder`];
//! what it can do is [`Behaviour`] and [`Outage`], what comes after what is [`Script`], which can
//! be written as text, what came in is [`Seen`], and ready-made servers are [`NAMES`].
//!
//! # Layout
//!
//! - `lab`: the handle: start, address, what was seen, stop
//! - `builder`: the lab before it starts: where, and how much of it
//! - `behaviour`: what may happen on a connection, and what may happen instead of one
//! - `script`: which connection gets which behaviour
//! - `chance`: for some connections only, drawn from a seed (`draw`)
//! - `text/`: a script read from text, and written
//! - `names`: ready-made servers by name, as a table
//! - `seen`: what a lab saw, and waiting for it
//! - `ends`: telling somebody of each connection's end
//! - `door`: one port that is open, shut or full
//! - `server`: the loop that accepts; `pace` says how fast at most
//! - `play`: what each behaviour does, in acts
//! - `connection`: one connection, and the acts
//! - `stream`: the bytes under it: TCP, or TLS over it
//! - `tls/`: certificates and handshakes, good ones and bad ones (feature `tls`, on by default)
//! - `transcript/`: servers of a known protocol, as far as a probe can tell

mod behaviour;
mod builder;
mod chance;
mod connection;
mod door;
mod draw;
mod ends;
mod lab;
mod names;
mod pace;
mod play;
mod script;
mod seen;
mod server;
mod stream;
mod text;
#[cfg(feature = "tls")]
mod tls;
mod transcript;

pub use behaviour::{After, Behaviour, Outage};
pub use builder::Builder;
pub use chance::{Chance, Percent};
pub use lab::Lab;
pub use names::{LESSON, NAMES, Name, UnknownName};
pub use script::{Entry, Script};
pub use seen::{Ended, Seen, SeenConnection, Totals, sha256};
pub use text::{ACTS, Act, ScriptError};
#[cfg(feature = "tls")]
pub use tls::{BadIdentity, Certificate, Given, Handshake};
pub use transcript::{PROTOCOLS, Protocol, State, Transcript, TranscriptError, UnknownProtocol};

// The Rust of the cookbook runs with the documentation of the crate that it is about.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/cookbook.md")]
struct Cookbook;

//! `try / except` for connections.
//!
//! redial dials a server, checks that the answer is the one expected, and when something goes wrong
//! it says exactly what, and does what the matching clause says: retry any number of times, go to
//! the next server, find out why, run a command, say something, stop.
//!
//! This crate acts: sockets, names, TLS, time, on tokio. What is decided, and when, is
//! [`redial_core`], re-exported here. It never sends again what was sent before, and never touches
//! the process: no exit, no output, and no command unless allowed.
//!
//! Start at [`connect`] for one connection, at [`run`] for work that outlives its connections.
//!
//! ```no_run
//! use redial::{Policy, Server, Verb};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let policy = Policy::build(Verb::Connect)
//!     .server(Server::parse("db1:5432")?)
//!     .server(Server::parse("db2:5432")?)
//!     .except("refused: retry 10 every 250ms..30s, next")?
//!     .build()?;
//! let connection = redial::connect(policy).await?;
//! println!("connected to {}", connection.peer_address());
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//!
//! - `redial`: the way in; `gave_up`: what there is instead of a connection; `drive`: the loop that carries a session out
//! - `wait`: several sessions, until enough of their servers are ready
//! - `attempt`: one attempt, of `names`, `lookup`, `dial`, `via`, `tls`; `socket` opens one, `wire` counts on it
//! - `probe`: whether a server is ready, by its protocol's recipe
//! - `connection`, `stream`: bytes both ways and one true reason for the end; `marks`, `outq`: what
//!   was acknowledged
//! - `errno`, `cause`: the one place where an operating system's error becomes a failure
//! - `command`, `diagnosis`: the steps `run` and `diagnose`; `descendants`: what a command has started

mod attempt;
mod cause;
mod command;
mod connection;
mod descendants;
mod diagnosis;
mod dial;
mod drive;
mod errno;
mod error;
mod gave_up;
mod lookup;
mod marks;
mod names;
mod outq;
mod probe;
mod records;
mod redial;
mod socket;
mod stream;
mod tls;
mod trace;
mod via;
mod wait;
mod wire;

pub use redial_core::*;

pub use attempt::{Settings, attempt};
pub use connection::Connection;
pub use error::Error;
pub use gave_up::{GaveUp, Lasting, NotConnected};
pub use lookup::IpVersions;
pub use names::Names;
pub use redial::{Ended, Finished, Redial, connect, run};
pub use tls::{TlsOptions, TlsSetup};
pub use wait::{Wait, Waited};

//! Rehearses an outage: many clients, a server that fails, virtual time.
//!
//! Each client is a real [`redial_core::Session`] with a seed of its own, so what is rehearsed is
//! the code that runs live: nothing here decides when or whether to try again. The servers are
//! modelled: what they accept, what it costs them, what they do when they are down or overloaded.
//! The same seed gives the same report on any machine.
//!
//! Start at [`Scenario`], then [`Plan`], then [`rehearse`].
//!
//! # Layout
//!
//! - `scenario`: what happens, as data, from TOML files; some ship
//! - `plan`, `peers`: what the clients do: a policy, or what another tool does
//! - `rehearsal`, `world`, `event`: the loop; `calendar`: what comes next; `world/handshake`: who
//!   believes to be connected
//! - `client`, `server`, `network`, `outage`: the parts of the world
//! - `tally`, `report`: what is counted, and what it means

mod calendar;
mod client;
mod event;
mod network;
mod outage;
mod peers;
mod plan;
mod prefetch;
mod rehearsal;
mod report;
mod scenario;
mod server;
mod tally;
mod time;
mod world;

pub use calendar::Calendar;
pub use network::{Network, Shape};
pub use outage::{Course, Outage};
pub use peers::{Peer, Rule};
pub use plan::Plan;
pub use rehearsal::{Estimate, Progress, estimate, rehearse, rehearse_with};
pub use report::{Report, Series};
pub use scenario::{LOOK_ON, MOST_CLIENTS, MOST_SERVERS, Order, PRESETS, Preset, Scenario, Start};
pub use server::{Down, Full, Server};

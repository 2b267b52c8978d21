//! What redial decides. No clock, no sockets, no async.
#![no_std]

extern crate alloc;

mod endpoints;
mod escape;
mod failure;
mod kind;
mod limits;
mod mistake;
mod quantity;
pub mod race;

pub use endpoints::Endpoints;
pub use escape::{escape, printable};
pub use failure::{Address, DETAIL_LIMIT, Delivery, Detail, Errno, Failure, Outcome, Tried};
pub use kind::{Facts, Kind, Stage};
pub use limits::Limits;
pub use mistake::Mistake;

//! What redial decides. No clock, no sockets, no async.
#![no_std]

extern crate alloc;

mod answer;
mod endpoints;
mod escape;
mod failure;
mod kind;
mod limits;
mod mistake;
mod nearest;
mod quantity;
pub mod race;
mod scheme;
mod server;

pub use answer::{Answer, Matcher, Progress};
pub use endpoints::Endpoints;
pub use escape::{escape, printable};
pub use failure::{Address, DETAIL_LIMIT, Delivery, Detail, Errno, Failure, Outcome, Tried};
pub use kind::{Facts, Kind, Stage};
pub use limits::Limits;
pub use mistake::Mistake;
pub use nearest::nearest;
pub use quantity::{
    Bytes, Human, Rate, Rounded, parse_count, parse_duration, parse_rate,
    parse_seconds_or_duration, parse_size,
};
pub use scheme::{Scheme, Tls};
pub use server::{Options, Place, Server, Target};

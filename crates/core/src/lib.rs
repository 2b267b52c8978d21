//! What redial decides. No clock, no sockets, no async.
#![no_std]

extern crate alloc;

mod answer;
mod backoff;
mod clause;
mod endpoints;
mod escape;
mod failure;
mod kind;
mod kinds;
mod limits;
mod mistake;
mod nearest;
mod policy;
mod quantity;
pub mod race;
mod record;
mod rounds;
mod scheme;
mod server;
mod session;
mod verb;

pub use answer::*;
pub use backoff::{Backoff, Jitter, Spread};
pub use clause::{Clause, Guard, Retry, Run, Step, Template, Times};
pub use endpoints::Endpoints;
pub use escape::{escape, printable};
pub use failure::{Address, DETAIL_LIMIT, Delivery, Detail, Errno, Failure, Outcome, Tried};
pub use kind::{Facts, Kind, Stage};
pub use kinds::{FAMILIES, Family, KindSet, kind_names};
pub use limits::Limits;
pub use mistake::Mistake;
pub use nearest::nearest;
pub use policy::{HEALTHY_AFTER, Policy, PolicyBuilder, RUN_LIMIT, StepRef, retry_sugar};
pub use quantity::{
    Bytes, Human, Rate, Rounded, parse_count, parse_duration, parse_rate,
    parse_seconds_or_duration, parse_size,
};
pub use record::{Between, Record};
pub use rounds::Rounds;
pub use scheme::*;
pub use server::*;
pub use session::{
    Action, Event, FINALLY_LIMIT, Happened, Id, Input, Output, Ran, Session, Signal, StepResult,
    Verdict, Why,
};
pub use verb::Verb;

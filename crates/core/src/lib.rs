//! What redial decides: what a failure is, what a clause says about it, when to try again.
//!
//! This crate touches nothing: no clock, no socket, no randomness of its own, no async, no `std`.
//! Time enters as a [`Duration`](core::time::Duration) since the session began, randomness as a
//! seed. So the same code runs live (the crate `redial`) and rehearsed, and its tests wait for
//! nobody. If you want to connect to something, use the crate `redial`, which re-exports this one.
//!
//! Start at [`Policy`], then [`Session`].
//!
//! # Layout
//!
//! - `kind`, `kinds`, `failure`: what can go wrong, as data
//! - `clause`, `backoff`, `rounds`: what to do about it, and how long to wait
//! - `policy`, `verb`, `limits`: all of it together, read from a file, with the verbs' own clauses
//! - `session`: one run of a policy, from the first attempt to the verdict
//! - `race`, `endpoints`: which of a server's addresses to dial, and when
//! - `answer`, `expectation`: what a server's first bytes must look like, and what else must hold
//! - `recipe`: protocols as data; how a server is asked whether it is ready
//! - `goal`: how many targets must be ready
//! - `patience`: how long a connected server may stay silent
//! - `server`, `scheme`: addresses as people write them; passwords masked as they are read
//! - `record`, `wall`: what happened, bounded, and the time of day it happened at
//! - `mistake`, `nearest`, `escape`, `quantity`: reading and printing

#![no_std]

extern crate alloc;

mod answer;
mod backoff;
mod clause;
mod endpoints;
mod escape;
mod expectation;
mod explanation;
mod failure;
mod goal;
mod json;
mod kind;
mod kinds;
mod limits;
mod mistake;
mod nearest;
mod patience;
mod policy;
mod quantity;
pub mod race;
mod reason;
mod recipe;
mod record;
mod rounds;
mod scheme;
mod server;
mod session;
mod suggestion;
mod verb;
mod wall;

pub use answer::{Answer, Matcher, Progress};
pub use backoff::{Backoff, Jitter, Spread};
pub use clause::{Clause, Guard, Retry, Run, Step, Template, Times};
pub use endpoints::Endpoints;
pub use escape::{escape, printable};
pub use expectation::Expectation;
pub use failure::{Address, DETAIL_LIMIT, Delivery, Detail, Errno, Failure, Outcome, Tried};
pub use goal::{Goal, Reach, Tally};
pub use json::{JsonCheck, JsonMismatch};
pub use kind::{Facts, Kind, Stage};
pub use kinds::{FAMILIES, Family, KindSet, kind_names};
pub use limits::Limits;
pub use mistake::Mistake;
pub use nearest::nearest;
pub use patience::Patience;
pub use policy::{
    CONSECUTIVE_PAUSE, HEALTHY_AFTER, Missing, Policy, PolicyBuilder, RUN_LIMIT, StepRef,
    Unreached, retry_sugar,
};
pub use quantity::{
    Bytes, Human, Rate, Rounded, parse_count, parse_duration, parse_rate,
    parse_seconds_or_duration, parse_size,
};
pub use reason::Reason;
pub use recipe::{
    Example, Expected, First, Judge, Judged, Leaves, LogsIn, Probe, ProbeInput, ProbeOutput,
    RECIPES, Recipe, Refusal, Script, Shipped,
};
pub use record::{Between, Record};
pub use rounds::Rounds;
pub use scheme::{Scheme, Tls};
pub use server::{
    Header, Options, Overrides, Place, Secret, Server, Statuses, Target, Verify, Via, ViaLogin,
    ViaProtocol, masked, secrets,
};
pub use session::{
    Action, Event, FINALLY_LIMIT, Happened, Id, Input, Output, Ran, Reached, Session, Signal,
    StepResult, Verdict, Why,
};
pub use suggestion::{nearest_or, suggestion, write_or};
pub use verb::Verb;
pub use wall::WallTime;

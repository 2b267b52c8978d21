//! The promises of the README, each as a user would notice it broken.
//!
//! One module for each kind of promise. Every test runs the built binary; entries of the fault
//! list that need real servers are in the test binaries of those servers.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

#[path = "../support/mod.rs"]
mod support;

mod data;
mod files;
mod grammar;
mod habits;
mod http;
mod json;
mod kinds;
mod limits;
mod logins;
mod lookups;
mod progress;
mod secrets;
mod signals;
mod suggestions;
mod targets;

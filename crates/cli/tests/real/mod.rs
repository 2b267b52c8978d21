//! Real servers, from Debian's packages: started for a test on a port of their own, gone with it.
//!
//! A file per server, all of one shape: `start()` gives a [`Server`] that is ready, by the word of
//! its own client, and every other function a state that it really is in (`starting_up()`,
//! `full()`), which [`Server::go_on`] ends where it can end. Nothing is imitated here; servers that
//! misbehave on purpose are the lab's. Behind the feature `real`: `./test` installs the packages,
//! and a program that is missing fails, with its package's name. Start at [`Server`].

#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // each test binary uses its part

mod certificate;
pub(crate) mod client;
pub(crate) mod dovecot;
pub(crate) mod etcd;
pub(crate) mod exim;
pub(crate) mod forward;
pub(crate) mod mariadb;
pub(crate) mod memcached;
pub(crate) mod mosquitto;
pub(crate) mod nats;
pub(crate) mod nginx;
pub(crate) mod openssh;
pub(crate) mod place;
pub(crate) mod postgres;
pub(crate) mod redis;
pub(crate) mod server;
pub(crate) mod slapd;
pub(crate) mod vsftpd;

#[allow(unused_imports)] // each test binary uses its part
pub(crate) use client::{ask, exchange, first};
pub(crate) use forward::Forward;
pub(crate) use place::Place;
pub(crate) use server::Server;

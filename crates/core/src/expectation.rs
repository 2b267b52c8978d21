//! What must hold before a connection counts.
//!
//! An attempt is asked for one of these and ends when it holds; the driver carries it out. It does
//! not judge bytes: that is [`Answer`], [`Expected`] and [`Script`]. Start at [`Expectation`].

use core::time::Duration;

use crate::{Answer, Expected, recipe::Script};

/// What must hold before an attempt's connection counts.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Expectation<'a> {
    /// Nothing: it counts when it stands.
    Nothing,
    /// It stays open for so long, or the server says something: a port that is forwarded may accept
    /// and close at once while there is no server behind it.
    Settled(Duration),
    /// The opening is answered like this.
    Answer(&'a Answer),
    /// The server greets first, as its protocol says; what it said stays to be read.
    Greeting(&'a Expected),
    /// The server answers this probe. The connection is redial's own, and over afterwards.
    Probe(&'a Script),
}

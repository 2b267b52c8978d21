//! Which connection gets which behaviour: "reset 2, then answer".
//!
//! A script is a list of entries; each holds for a number of connections or for a time, and the
//! last one repeats, or the whole list does. There is no text form here. Start at [`Script`].

use std::sync::Arc;
use std::time::Duration;

use crate::behaviour::{Behaviour, Outage};

/// What a lab does, connection by connection.
///
/// ```
/// use redial_lab::{Behaviour, Lab, Outage, Script};
/// use std::time::Duration;
///
/// let script = Script::new([
///     Outage::Refuse.lasting(Duration::from_millis(50)),
///     Behaviour::Reset.times(2),
///     Behaviour::say("hello\n").forever(),
/// ]);
/// let lab = Lab::start(script)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// An outage takes the port away from who is already on the way: a client that connected before it
/// and was not accepted yet is reset. Connections accepted before it live on.
///
/// Entries that hold for nothing (`times(0)`, a time of zero) are left out. An empty script is a
/// server that is never there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    // Never empty, and no entry holds for nothing: there is always a turn to give. After the last
    // comes the first, so a script loops exactly if its last entry has an end.
    entries: Arc<[Entry]>,
}

impl Script {
    /// The entries in order; the last one repeats, so its own count or time is dropped.
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut entries = told(entries);
        match entries.last_mut() {
            Some(Entry::Connections { count, .. }) => *count = None,
            Some(Entry::Outage { time, .. }) => *time = None,
            None => {}
        }
        Self { entries: entries.into() }
    }

    /// The entries in order, then from the first again, without end.
    pub fn looping(entries: impl IntoIterator<Item = Entry>) -> Self {
        Self { entries: told(entries).into() }
    }

    /// The entries, in order; at least one. After the last, if it ends, comes the first again.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// The entries that hold for something, and at least one.
fn told(entries: impl IntoIterator<Item = Entry>) -> Vec<Entry> {
    let mut entries: Vec<_> = entries.into_iter().filter(|entry| !entry.is_empty()).collect();
    if entries.is_empty() {
        entries.push(Outage::Refuse.forever());
    }
    entries
}

/// This behaviour for every connection.
impl From<Behaviour> for Script {
    fn from(behaviour: Behaviour) -> Self {
        Self::new([behaviour.forever()])
    }
}

/// This outage, forever.
impl From<Outage> for Script {
    fn from(outage: Outage) -> Self {
        Self::new([outage.forever()])
    }
}

/// One part of a script. Made by [`Behaviour::times`], [`Behaviour::forever`],
/// [`Outage::lasting`] and [`Outage::forever`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry {
    /// Connections are accepted and get this behaviour.
    Connections {
        /// What each of them gets.
        behaviour: Behaviour,
        /// How many; `None` is every one from here on.
        count: Option<u64>,
    },
    /// There are no connections.
    Outage {
        /// What happens instead.
        outage: Outage,
        /// How long; `None` is from here on.
        time: Option<Duration>,
    },
}

impl Entry {
    fn is_empty(&self) -> bool {
        match self {
            Self::Connections { count, .. } => *count == Some(0),
            Self::Outage { time, .. } => *time == Some(Duration::ZERO),
        }
    }
}

/// A place in a script.
#[derive(Debug)]
pub(crate) struct Cursor {
    script: Script,
    index: usize,
    /// Connections the present entry has had.
    had: u64,
}

impl Cursor {
    pub(crate) fn new(script: Script) -> Self {
        Self { script, index: 0, had: 0 }
    }

    /// The entry in force.
    pub(crate) fn entry(&self) -> &Entry {
        &self.script.entries[self.index]
    }

    /// A connection was accepted; goes on when the entry has had all of its own.
    pub(crate) fn accepted(&mut self) {
        self.had += 1;
        if let Entry::Connections { count: Some(count), .. } = self.entry()
            && self.had >= *count
        {
            self.advance();
        }
    }

    /// The next entry; after the last comes the first.
    pub(crate) fn advance(&mut self) {
        self.index = (self.index + 1) % self.script.entries.len();
        self.had = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of the first `n` connections of a script without outages.
    fn words(script: Script, n: usize) -> Vec<&'static str> {
        let mut cursor = Cursor::new(script);
        let mut words = Vec::new();
        for _ in 0..n {
            if let Entry::Connections { behaviour, .. } = cursor.entry() {
                words.push(behaviour.word());
            }
            cursor.accepted();
        }
        words
    }

    #[test]
    fn the_last_entry_repeats() {
        let script = Script::new([Behaviour::Reset.times(2), Behaviour::Close.times(1)]);
        assert_eq!(words(script, 5), ["reset", "reset", "close", "close", "close"]);
    }

    #[test]
    fn a_loop_starts_anew() {
        let script = Script::looping([Behaviour::Reset.times(2), Behaviour::Close.times(1)]);
        assert_eq!(words(script, 5), ["reset", "reset", "close", "reset", "reset"]);
    }

    #[test]
    fn entries_that_hold_for_nothing_are_left_out() {
        let script = Script::looping([
            Outage::Refuse.lasting(Duration::ZERO),
            Behaviour::Reset.times(0),
            Behaviour::Close.times(1),
        ]);
        assert_eq!(words(script, 2), ["close", "close"]);
    }

    #[test]
    fn an_empty_script_is_never_there() {
        for script in [Script::new([]), Script::looping([Behaviour::Reset.times(0)])] {
            assert_eq!(script.entries(), [Outage::Refuse.forever()]);
        }
    }

    #[test]
    fn an_outage_at_the_end_stays() {
        let script = Script::new([Outage::Blackhole.lasting(Duration::from_secs(1))]);
        assert_eq!(script, Script::from(Outage::Blackhole));
    }
}

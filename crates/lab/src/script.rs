//! Which connection gets which behaviour: "reset 2, then answer".
//!
//! A script is a list of entries; each holds for a number of connections or for a time, and the
//! last one repeats, or the whole list does. Its text form is in `text`. Start at
//! [`Script`].

use std::sync::Arc;
use std::time::Duration;

use crate::behaviour::{Behaviour, Outage};
use crate::chance::Chance;

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
/// Entries that hold for nothing (`times(0)`, a time of zero) are left out, and so is what comes
/// after an entry without an end. An empty script is a server that is never there.
///
/// The same as text is [`Script::parse`], and a script prints as it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    // Never empty, and no entry holds for nothing: there is always a turn to give. After the last
    // comes the first, so a script loops exactly if its last entry has an end. Only the last may
    // be without one.
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

    /// Whether it starts again after the last entry; else that one has no end.
    pub fn is_looping(&self) -> bool {
        !self.entries.last().is_some_and(Entry::is_endless)
    }

    /// How many connections it lets in at most, however long it lasts; `None` is no end of them.
    ///
    /// Whoever waits for more than this waits for ever: `reset 2, refuse` lets in two.
    pub fn most_connections(&self) -> Option<u64> {
        let mut most = 0_u64;
        for entry in &*self.entries {
            match entry {
                Entry::Connections { count, .. } => most = most.saturating_add((*count)?),
                Entry::Outage { .. } => {}
            }
        }
        (most == 0 || !self.is_looping()).then_some(most)
    }

    /// Every behaviour a connection may get.
    pub fn behaviours(&self) -> impl Iterator<Item = &Behaviour> {
        self.entries
            .iter()
            .flat_map(|entry| match entry {
                Entry::Connections { behaviour, chance, .. } => {
                    [Some(behaviour), chance.as_ref().map(|chance| &chance.otherwise)]
                }
                Entry::Outage { .. } => [None, None],
            })
            .flatten()
    }
}

/// The entries that hold for something and are ever reached; at least one.
fn told(entries: impl IntoIterator<Item = Entry>) -> Vec<Entry> {
    let mut told = Vec::new();
    for mut entry in entries.into_iter().filter(|entry| !entry.is_empty()) {
        if let Entry::Connections { every, .. } = &mut entry {
            *every = every.filter(|every| !every.is_zero());
        }
        told.push(entry);
        if told.last().is_some_and(Entry::is_endless) {
            break;
        }
    }
    if told.is_empty() {
        told.push(Outage::Refuse.forever());
    }
    told
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
        /// Accepted no faster than one each so often; the others wait in the backlog. What the
        /// lab is late itself, up to 1 s, the next connections make up for, so that `500us` is
        /// 2,000 a second. `None`, and zero, is as fast as they come.
        every: Option<Duration>,
        /// With this chance only, else something other.
        chance: Option<Chance>,
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
    /// The same, accepting no faster than one connection each `time`. An outage, which accepts
    /// none, stays as it is.
    #[must_use]
    pub fn every(mut self, time: Duration) -> Self {
        if let Self::Connections { every, .. } = &mut self {
            *every = Some(time);
        }
        self
    }

    /// The same, for a share of the connections only. An outage stays as it is.
    #[must_use]
    pub fn with(mut self, share: Chance) -> Self {
        if let Self::Connections { chance, .. } = &mut self {
            *chance = Some(share);
        }
        self
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Connections { count, .. } => *count == Some(0),
            Self::Outage { time, .. } => *time == Some(Duration::ZERO),
        }
    }

    fn is_endless(&self) -> bool {
        match self {
            Self::Connections { count, .. } => count.is_none(),
            Self::Outage { time, .. } => time.is_none(),
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
    /// Connections there were in all.
    number: u64,
}

impl Cursor {
    pub(crate) fn new(script: Script) -> Self {
        Self { script, index: 0, had: 0, number: 0 }
    }

    /// The entry in force.
    pub(crate) fn entry(&self) -> &Entry {
        &self.script.entries[self.index]
    }

    /// A connection was accepted: what it gets. Goes on when the entry has had all of its own.
    /// `None` in an outage, which accepts nobody.
    pub(crate) fn accepted(&mut self) -> Option<Behaviour> {
        let Entry::Connections { behaviour, count, chance, .. } = self.entry() else {
            return None;
        };
        let other = chance.as_ref().filter(|chance| !chance.hits(self.number));
        let behaviour = other.map_or(behaviour, |chance| &chance.otherwise).clone();
        let last = count.is_some_and(|count| self.had + 1 >= count);
        self.had += 1;
        self.number += 1;
        if last {
            self.advance();
        }
        Some(behaviour)
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
        (0..n).filter_map(|_| cursor.accepted().map(|behaviour| behaviour.word())).collect()
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

    #[test]
    fn what_is_never_reached_is_left_out() {
        let script = Script::new([Behaviour::Close.forever(), Behaviour::Reset.forever()]);
        assert_eq!(script, Script::from(Behaviour::Close));
        let script = Script::looping([Behaviour::Close.times(1), Outage::Refuse.forever()]);
        assert!(!script.is_looping());
    }

    #[test]
    fn how_many_it_lets_in() {
        let second = Duration::from_secs(1);
        for (script, most) in [
            (Script::from(Behaviour::Close), None),
            (Script::from(Outage::Refuse), Some(0)),
            (Script::looping([Outage::Refuse.lasting(second)]), Some(0)),
            (Script::looping([Outage::Refuse.lasting(second), Behaviour::Close.times(1)]), None),
            (Script::new([Behaviour::Close.times(2), Outage::Blackhole.forever()]), Some(2)),
        ] {
            assert_eq!(script.most_connections(), most, "{script:?}");
        }
    }
}

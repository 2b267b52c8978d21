//! Servers that are thought up: what a client of the lab sees, in virtual time.
//!
//! From a script alone, without the lab's code: that the two agree is what is tested. The way
//! there takes no time. It knows the behaviours that scenarios use; a new one is a line in
//! [`Scene::of`]. Start at [`Door::knock`].

use std::time::Duration;

use redial_lab::{After, Behaviour, Entry, Outage, Script};

/// A server's port, and how far its script is.
pub(crate) struct Door {
    entries: Vec<Entry>,
    index: usize,
    /// Connections the present entry has had.
    had: u64,
    /// Since when it is in force.
    since: Duration,
    /// When an outage ended last.
    ended: Option<Duration>,
}

/// What becomes of a client that asks to be let in.
pub(crate) enum Knock {
    Refused,
    /// Nobody answers.
    Ignored,
    Taken(Scene),
}

impl Door {
    pub(crate) fn new(script: &Script) -> Self {
        let entries = script.entries().to_vec();
        Self { entries, index: 0, had: 0, since: Duration::ZERO, ended: None }
    }

    /// Somebody asks. Also how near that is to an end of an outage, if one is near at all.
    pub(crate) fn knock(&mut self, now: Duration, opening: bool) -> (Knock, Duration) {
        while let Some(end) = self.end().filter(|end| *end <= now) {
            self.advance(end);
            self.ended = Some(end);
        }
        let turns = [self.ended, self.end()].into_iter().flatten();
        let near = turns.map(|turn| turn.abs_diff(now)).min().unwrap_or(Duration::MAX);
        let knock = match &self.entries[self.index] {
            Entry::Outage { outage: Outage::Refuse, .. } => Knock::Refused,
            Entry::Outage { outage: Outage::Blackhole, .. } => Knock::Ignored,
            Entry::Connections { behaviour, count, every: None, chance: None } => {
                let scene = Scene::of(behaviour, opening);
                self.had += 1;
                if count.is_some_and(|count| self.had >= count) {
                    self.advance(now);
                }
                Knock::Taken(scene)
            }
            other => panic!("nobody has thought of {other:?} yet"),
        };
        (knock, near)
    }

    /// When the outage that is on will be over.
    fn end(&self) -> Option<Duration> {
        match &self.entries[self.index] {
            Entry::Outage { time, .. } => time.map(|time| self.since + time),
            _ => None,
        }
    }

    fn advance(&mut self, now: Duration) {
        self.index = (self.index + 1) % self.entries.len();
        (self.had, self.since) = (0, now);
    }
}

/// What a client sees of one connection, counted from when it stands.
#[derive(Default)]
pub(crate) struct Scene {
    /// What the server says, and when.
    pub(crate) says: Vec<(Duration, Vec<u8>)>,
    /// Its end of the connection, if it ends it.
    pub(crate) ends: Option<(Duration, End)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Clean,
    Reset,
}

/// So long is what was said given to arrive before a reset: the lab's documentation.
const ARRIVAL: Duration = Duration::from_millis(20);

impl Scene {
    /// `opening`: whether the client says something at once. It never says more.
    fn of(behaviour: &Behaviour, opening: bool) -> Self {
        use Behaviour as B;
        let now = Duration::ZERO;
        let (clean, reset) = (Some((now, End::Clean)), Some((now, End::Reset)));
        let says = |text: &[u8]| vec![(now, text.to_vec())];
        match behaviour {
            B::Close => Self { ends: clean, ..Self::default() },
            B::Reset => Self { ends: reset, ..Self::default() },
            B::ReadThenClose if opening => Self { ends: clean, ..Self::default() },
            B::ReadThenReset if opening => Self { ends: reset, ..Self::default() },
            B::ReadThenClose | B::ReadThenReset | B::Stall | B::Sink => Self::default(),
            B::Say(text) => Self { says: says(text), ends: clean },
            B::Answer(text) if opening => Self { says: says(text), ends: clean },
            B::Banner(text) => Self { says: says(text), ends: None },
            B::Truncated(text) => Self { says: says(&text[..text.len() / 2]), ends: clean },
            B::StallAfter(After::Out { bytes, text }) => {
                Self { says: says(&over(text, *bytes)), ends: None }
            }
            B::CloseAfter(After::Out { bytes, text }) => {
                Self { says: says(&over(text, *bytes)), ends: clean }
            }
            B::ResetAfter(After::Out { bytes, text }) => {
                let ends = Some((ARRIVAL, End::Reset));
                Self { says: says(&over(text, *bytes)), ends }
            }
            B::Drip { text, bytes, every } => {
                let pieces = (1..).map(|n| *every * n).zip(text.chunks(bytes.get()));
                let says: Vec<_> = pieces.map(|(at, piece)| (at, piece.to_vec())).collect();
                let last = says.last().map_or(now, |(at, _)| *at);
                Self { says, ends: Some((last, End::Clean)) }
            }
            B::Delay { time, then } => Self::of(then, opening).after(*time),
            other => panic!("nobody has thought of `{}` yet", other.word()),
        }
    }

    fn after(mut self, time: Duration) -> Self {
        self.says.iter_mut().for_each(|(at, _)| *at += time);
        self.ends = self.ends.map(|(at, end)| (at + time, end));
        self
    }
}

/// So many bytes of a text that is said over and over.
fn over(text: &[u8], bytes: u64) -> Vec<u8> {
    text.iter().copied().cycle().take(usize::try_from(bytes).unwrap()).collect()
}

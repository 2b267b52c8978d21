//! What is counted while a rehearsal runs.
//!
//! Integers, in bins that begin at the run's zero. It judges nothing. Start at [`Tally`].

use std::time::Duration;

use crate::{report::Series, time::NEVER};

/// A tenth of a second.
const TENTH: u64 = 100_000_000;

/// At most so many bins are drawn.
const MOST_BINS: u64 = 1_200;

/// The widths a bin may have, in tenths of a second.
const WIDTHS: [u64; 11] = [1, 2, 5, 10, 20, 50, 100, 300, 600, 3_000, 36_000];

/// The largest number that arrived within any ten steps in a row: a window that slides, so that no
/// accident of where bins begin halves a peak.
#[derive(Clone, Copy)]
pub(crate) struct Peak {
    step: u64,
    /// The step that is being counted.
    now: u64,
    counts: [u64; 10],
    sum: u64,
    pub(crate) most: u64,
}

impl Peak {
    const fn new(window: u64) -> Self {
        Self { step: window / 10, now: 0, counts: [0; 10], sum: 0, most: 0 }
    }

    fn add(&mut self, at: u64) {
        let step = at / self.step;
        // The steps between are empty, and what is older than ten is forgotten.
        for passed in (self.now + 1..=step).take(10) {
            let place = Self::place(passed);
            self.sum -= self.counts[place];
            self.counts[place] = 0;
        }
        self.now = self.now.max(step);
        self.counts[Self::place(step)] += 1;
        self.sum += 1;
        self.most = self.most.max(self.sum);
    }

    fn place(step: u64) -> usize {
        usize::try_from(step % 10).unwrap_or(0)
    }
}

/// Attempts within a tenth of a second, and within a second.
#[derive(Clone, Copy)]
pub(crate) struct Peaks {
    pub(crate) tenth: Peak,
    pub(crate) second: Peak,
}

impl Default for Peaks {
    fn default() -> Self {
        Self { tenth: Peak::new(TENTH), second: Peak::new(10 * TENTH) }
    }
}

impl Peaks {
    fn add(&mut self, now: u64) {
        self.tenth.add(now);
        self.second.add(now);
    }
}

/// The counts of one run.
pub(crate) struct Tally {
    clients: u64,
    pub(crate) connected: u64,
    /// Connections that were cut, and clients that began anew: what has to be made good.
    pub(crate) lost: u64,
    pub(crate) gave_up: u64,
    /// Attempts begun by clients.
    pub(crate) attempts: u64,
    /// Of these, at servers that were down, and at servers that were up when they arrived.
    pub(crate) while_down: u64,
    pub(crate) while_up: u64,
    /// SYNs sent again by kernels.
    pub(crate) again: u64,
    /// SYNs, and last segments of handshakes, that found a full backlog.
    pub(crate) overflowed: u64,
    /// Connections that came to stand.
    pub(crate) made: u64,
    /// Server time, in nanoseconds: all, and what was of use.
    pub(crate) busy: u128,
    pub(crate) useful: u128,
    /// Arrivals at servers that were up, and all.
    pub(crate) peaks_up: Peaks,
    pub(crate) peaks: Peaks,
    /// Since when at least 50, 99 and 100% are connected.
    since: [u64; 3],
    marks: [u64; 3],
    width: u64,
    arrivals: Vec<u32>,
    connections: Vec<u32>,
}

impl Tally {
    pub(crate) fn new(clients: u64, end: u64) -> Self {
        let tenths = end.div_ceil(TENTH);
        let width = WIDTHS.into_iter().find(|width| tenths / width <= MOST_BINS);
        Self {
            clients,
            connected: 0,
            lost: 0,
            gave_up: 0,
            attempts: 0,
            while_down: 0,
            while_up: 0,
            again: 0,
            overflowed: 0,
            made: 0,
            busy: 0,
            useful: 0,
            peaks_up: Peaks::default(),
            peaks: Peaks::default(),
            since: [NEVER; 3],
            marks: [50, 99, 100].map(|percent| (clients * percent).div_ceil(100).max(1)),
            width: width.unwrap_or(tenths / MOST_BINS) * TENTH,
            arrivals: Vec::new(),
            connections: Vec::new(),
        }
    }

    /// An attempt arrives at a server.
    pub(crate) fn arrives(&mut self, now: u64, up: bool) {
        self.peaks.add(now);
        if up {
            self.while_up += 1;
            self.peaks_up.add(now);
        } else {
            self.while_down += 1;
        }
        let bin = self.bin(now);
        self.arrivals[bin] += 1;
    }

    /// A client is connected.
    pub(crate) fn connects(&mut self, now: u64) {
        self.connected += 1;
        for (since, mark) in self.since.iter_mut().zip(self.marks) {
            if self.connected == mark {
                *since = now;
            }
        }
        self.note_connections(now);
    }

    /// A client is not connected any more.
    pub(crate) fn disconnects(&mut self, now: u64) {
        for (since, mark) in self.since.iter_mut().zip(self.marks) {
            if self.connected == mark {
                *since = NEVER;
            }
        }
        self.connected = self.connected.saturating_sub(1);
        self.note_connections(now);
    }

    fn note_connections(&mut self, now: u64) {
        let bin = self.bin(now);
        self.connections[bin] = u32::try_from(self.connected).unwrap_or(u32::MAX);
    }

    /// The bin of a time; what was connected before is connected in every bin until then.
    fn bin(&mut self, now: u64) -> usize {
        let bin = usize::try_from(now / self.width).unwrap_or(usize::MAX);
        if bin >= self.arrivals.len() {
            let before = self.connections.last().copied().unwrap_or(0);
            self.arrivals.resize(bin + 1, 0);
            self.connections.resize(bin + 1, before);
        }
        bin
    }

    /// How long after `returned` this mark was reached for good: 0 for 50%, 1 for 99%, 2 for all.
    pub(crate) fn back(&self, mark: usize, returned: u64) -> Option<Duration> {
        let since = *self.since.get(mark)?;
        (since != NEVER).then(|| Duration::from_nanos(since.saturating_sub(returned)))
    }

    /// Whether all are connected.
    pub(crate) const fn is_whole(&self) -> bool {
        self.connected >= self.clients
    }

    /// The curves up to `end`.
    pub(crate) fn series(mut self, end: u64) -> Series {
        self.bin(end.saturating_sub(1));
        Series {
            bin: Duration::from_nanos(self.width),
            arrivals: self.arrivals,
            connected: self.connections,
        }
    }
}

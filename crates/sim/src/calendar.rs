//! What comes next, of a million things: a calendar queue ordered by (time, id).
//!
//! R. Brown, "Calendar queues: a fast O(1) priority queue implementation for the simulation event
//! set problem", CACM 31(10), 1988: time is cut into days, day after day around a year of buckets;
//! pushing is a list's front, popping a walk to the next day. As there, the year has between half
//! and twice as many days as there are entries, and a day is three times the mean gap between
//! entries. Unlike there, a day's entries are sorted when the day comes (a small heap), so that a
//! million at one moment cost n log n and not n², and the gap is that of all pops since the last
//! look rather than of a sample. It knows nothing of clients. Start at [`Calendar`].

use std::{cmp::Reverse, collections::BinaryHeap};

/// No node.
const NONE: u32 = u32::MAX;

/// The fewest days in a year.
const FEWEST: usize = 64;

/// The longest day: 2^36 ns, some 69 s.
const LONGEST: u32 = 36;

/// A priority queue of (nanoseconds, id), the smallest first; equal ones come out together.
///
/// Times may be pushed in any order, also before what was popped last.
///
/// ```
/// let mut calendar = redial_sim::Calendar::new();
/// calendar.push(20, 1);
/// calendar.push(10, 2);
/// calendar.push(10, 1);
/// assert_eq!(calendar.pop(), Some((10, 1)));
/// assert_eq!(calendar.pop(), Some((10, 2)));
/// assert_eq!(calendar.pop(), Some((20, 1)));
/// assert_eq!(calendar.pop(), None);
/// ```
pub struct Calendar {
    nodes: Vec<Node>,
    /// The first node that is free.
    free: u32,
    /// The first node of each day's list; a power of two of them.
    days: Vec<u32>,
    /// A day is 2^shift nanoseconds.
    shift: u32,
    /// The day that is in `now`; what is pushed at or before it goes there too.
    today: u64,
    now: BinaryHeap<Reverse<(u64, u64)>>,
    len: usize,
    work: Work,
}

/// An entry in the list of its day.
#[derive(Clone, Copy)]
struct Node {
    at: u64,
    id: u64,
    next: u32,
}

/// What the queue has cost since it last looked at itself.
#[derive(Default)]
struct Work {
    pops: usize,
    /// Days walked to and entries of later years passed.
    steps: usize,
    /// The first and the last time popped.
    first: Option<u64>,
    last: u64,
}

impl Default for Calendar {
    fn default() -> Self {
        Self::new()
    }
}

impl Calendar {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self {
            nodes: Vec::new(),
            free: NONE,
            days: vec![NONE; FEWEST],
            shift: 20,
            today: 0,
            now: BinaryHeap::new(),
            len: 0,
            work: Work::default(),
        }
    }

    /// How many entries there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an entry. At most 2^32 − 2 may wait.
    pub fn push(&mut self, at: u64, id: u64) {
        self.len += 1;
        if self.len > 2 * self.days.len() {
            self.rebuild(self.shift, 2 * self.days.len());
        }
        self.file(at, id);
    }

    /// Takes the entry with the smallest time, of these the one with the smallest id.
    pub fn pop(&mut self) -> Option<(u64, u64)> {
        if self.now.is_empty() && !self.advance() {
            return None;
        }
        let Reverse((at, id)) = self.now.pop()?;
        self.len -= 1;
        self.work.pops += 1;
        self.work.first.get_or_insert(at);
        self.work.last = at;
        if self.work.pops > self.len.max(1_024) {
            self.look();
        } else if self.days.len() > FEWEST && self.len < self.days.len() / 4 {
            self.rebuild(self.shift, self.days.len() / 2);
        }
        Some((at, id))
    }

    fn file(&mut self, at: u64, id: u64) {
        let day = at >> self.shift;
        if day <= self.today {
            self.now.push(Reverse((at, id)));
            return;
        }
        let place = self.place(day);
        let node = Node { at, id, next: self.days[place] };
        self.days[place] = if self.free == NONE {
            self.nodes.push(node);
            u32::try_from(self.nodes.len() - 1).unwrap_or(NONE)
        } else {
            let free = self.free;
            self.free = self.nodes[free as usize].next;
            self.nodes[free as usize] = node;
            free
        };
    }

    #[allow(clippy::cast_possible_truncation)] // the mask is smaller than a usize
    const fn place(&self, day: u64) -> usize {
        day as usize & (self.days.len() - 1)
    }

    /// Goes to the next day that has entries, and takes them. Returns whether there is one.
    fn advance(&mut self) -> bool {
        if self.len == 0 {
            return false;
        }
        for _ in 0..self.days.len() {
            self.today += 1;
            self.work.steps += 1;
            if self.take() {
                return true;
            }
        }
        // A year without an entry: the earliest is looked for, and its day begun.
        let earliest = self.waiting().map(|node| node.at).min();
        self.work.steps += self.days.len() + self.len;
        let Some(earliest) = earliest else { return false };
        self.today = earliest >> self.shift;
        self.take()
    }

    /// Moves today's entries from the list to `now`. Returns whether there were any.
    fn take(&mut self) -> bool {
        let place = self.place(self.today);
        let mut at = self.days[place];
        if at == NONE {
            return false;
        }
        let mut kept = NONE;
        while at != NONE {
            let node = &mut self.nodes[at as usize];
            let next = node.next;
            if node.at >> self.shift == self.today {
                self.now.push(Reverse((node.at, node.id)));
                node.next = self.free;
                self.free = at;
            } else {
                self.work.steps += 1;
                node.next = kept;
                kept = at;
            }
            at = next;
        }
        self.days[place] = kept;
        !self.now.is_empty()
    }

    /// After as many pops as there are entries: is a day as long as it should be?
    fn look(&mut self) {
        let Work { pops, first, last, .. } = self.work;
        let gap = last.saturating_sub(first.unwrap_or(last)) / pops.max(1) as u64;
        let shift = (3 * gap).max(1).ilog2().min(LONGEST);
        // One of two neighbours is as good as the other, and moving costs.
        if shift.abs_diff(self.shift) > 1 {
            self.rebuild(shift, self.days.len());
        } else {
            self.work = Work::default();
        }
    }

    /// Files every entry anew.
    fn rebuild(&mut self, shift: u32, days: usize) {
        let waiting: Vec<_> = self.waiting().map(|node| (node.at, node.id)).collect();
        let start = match self.now.peek() {
            Some(Reverse((at, _))) => *at,
            None => waiting.iter().map(|(at, _)| *at).min().unwrap_or(self.work.last),
        };
        let now = std::mem::take(&mut self.now);
        self.nodes.clear();
        self.free = NONE;
        self.days.clear();
        self.days.resize(days, NONE);
        self.shift = shift;
        self.today = start >> shift;
        self.work = Work::default();
        for (at, id) in now.into_iter().map(|Reverse(entry)| entry).chain(waiting) {
            self.file(at, id);
        }
    }

    fn waiting(&self) -> impl Iterator<Item = &Node> {
        self.days.iter().flat_map(|first| {
            std::iter::successors(self.nodes.get(*first as usize), |node| {
                self.nodes.get(node.next as usize)
            })
        })
    }
}

//! What comes next, of a million things: a calendar queue ordered by (time, id).
//!
//! R. Brown, "Calendar queues: a fast O(1) priority queue implementation for the simulation event
//! set problem", CACM 31(10), 1988: time is cut into days, day after day around a year of lists;
//! pushing appends to a list, popping walks to the next day. As there, the year grows and shrinks
//! with the number of entries, and a day is a multiple of the mean gap between them. Unlike there
//! a day holds some 32 entries, not three: they lie in one piece of memory and are sorted when the
//! day comes, which costs less than three visits to memory that is not cached, and a million
//! entries at one moment cost n log n and not n². The gap is that of all pops since the last look,
//! not of a sample. It knows nothing of clients. Start at [`Calendar`].

use std::{cmp::Reverse, collections::BinaryHeap};

/// The fewest days in a year.
const FEWEST: usize = 16;

/// The longest day: 2^36 ns, some 69 s.
const LONGEST: u32 = 36;

/// A day is so many mean gaps long.
const GAPS: u64 = 32;

/// The year has so many days that each entry has between 1/16 and 1/4 of one: it is 2 to 8 times
/// as long as all that wait take to be popped, so that few entries are of later years.
const MOST_PER_DAY: usize = 16;
const LEAST_PER_DAY: usize = 4;

/// So many are filed together.
const TOGETHER: usize = 64;

/// A list that grew larger than this is given back when its day is over.
const KEPT: usize = 1_024;

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
    /// The entries of each day of the year; a power of two of them.
    days: Vec<Vec<(u64, u64)>>,
    /// A day is 2^shift nanoseconds.
    shift: u32,
    /// The day that has begun.
    today: u64,
    /// Its entries, the next one last.
    now: Vec<(u64, u64)>,
    /// What was pushed for later and is not filed yet: lists far apart in memory are visited
    /// together, so that the waits for them overlap.
    coming: Vec<(u64, u64)>,
    /// What was pushed at or before today since it began.
    late: BinaryHeap<Reverse<(u64, u64)>>,
    len: usize,
    work: Work,
}

/// What the queue did since it last looked at itself.
#[derive(Default)]
struct Work {
    pops: usize,
    /// Days walked through, and entries of other years passed by.
    steps: usize,
    /// The time popped last, then and now.
    since: u64,
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
            days: vec![Vec::new(); FEWEST],
            shift: 20,
            today: 0,
            now: Vec::new(),
            coming: Vec::with_capacity(TOGETHER),
            late: BinaryHeap::new(),
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

    /// Adds an entry.
    pub fn push(&mut self, at: u64, id: u64) {
        self.len += 1;
        if self.len > MOST_PER_DAY * self.days.len() {
            self.rebuild(self.shift, 2 * self.days.len());
        }
        self.file(at, id);
    }

    /// Takes the entry with the smallest time, of these the one with the smallest id.
    pub fn pop(&mut self) -> Option<(u64, u64)> {
        self.turn();
        let late = self.late.peek().map(|Reverse(entry)| *entry);
        let (at, id) = match (self.now.last().copied(), late) {
            (Some(now), Some(late)) if late < now => self.late.pop()?.0,
            (Some(_), _) => self.now.pop()?,
            (None, _) => self.late.pop()?.0,
        };
        self.len -= 1;
        self.work.pops += 1;
        self.work.last = self.work.last.max(at);
        // A look may cost a visit to every entry; so much work has to lie between two.
        let whole = (self.len + self.days.len()).max(1_024);
        let Work { pops, steps, .. } = self.work;
        if pops > whole || steps > 4 * whole.max(pops) {
            self.look();
        } else if self.days.len() > FEWEST && self.len < LEAST_PER_DAY * self.days.len() {
            self.rebuild(self.shift, self.days.len() / 2);
        }
        Some((at, id))
    }

    /// Begins the next day if nothing is left of this one. Returns whether it did; if it did not,
    /// there is nothing to do or nothing at all.
    pub(crate) fn turn(&mut self) -> bool {
        self.now.is_empty() && self.late.is_empty() && self.advance()
    }

    /// The id of the entry that comes so many places behind the next one today, of those that
    /// were known when the day began.
    pub(crate) fn ahead(&self, places: usize) -> Option<u64> {
        let place = self.now.len().checked_sub(places + 1)?;
        self.now.get(place).map(|(_, id)| *id)
    }

    fn file(&mut self, at: u64, id: u64) {
        let day = at >> self.shift;
        if day <= self.today {
            self.late.push(Reverse((at, id)));
        } else {
            self.coming.push((at, id));
            if self.coming.len() >= TOGETHER {
                self.settle();
            }
        }
    }

    /// Files what was pushed for later.
    fn settle(&mut self) {
        let mut coming = std::mem::take(&mut self.coming);
        for (at, id) in coming.drain(..) {
            let place = self.place(at >> self.shift);
            self.days[place].push((at, id));
        }
        self.coming = coming;
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
        self.settle();
        for _ in 0..self.days.len() {
            self.today += 1;
            self.work.steps += 1;
            if self.take() {
                return true;
            }
        }
        // A year without an entry: the earliest is looked for, and its day begun.
        self.work.steps += self.len;
        let earliest = self.days.iter().flatten().map(|(at, _)| *at).min();
        let Some(earliest) = earliest else { return false };
        self.today = earliest >> self.shift;
        self.take()
    }

    /// Makes today's entries what comes now. Returns whether there are any.
    fn take(&mut self) -> bool {
        let place = self.place(self.today);
        let (today, shift) = (self.today, self.shift);
        let list = &mut self.days[place];
        if list.is_empty() {
            return false;
        }
        if list.iter().all(|(at, _)| at >> shift == today) {
            std::mem::swap(&mut self.now, list);
        } else {
            self.work.steps += list.len();
            self.now.extend(list.extract_if(.., |(at, _)| *at >> shift == today));
        }
        if list.capacity() > KEPT && list.len() < KEPT / 4 {
            list.shrink_to(KEPT / 4);
        }
        self.now.sort_unstable_by(|one, other| other.cmp(one));
        !self.now.is_empty()
    }

    /// Is a day as long as it should be?
    fn look(&mut self) {
        let Work { pops, since, last, .. } = self.work;
        let gap = (last - since) / pops.max(1) as u64;
        let shift = (GAPS * gap).max(1).ilog2().min(LONGEST);
        // One of two neighbours is as good as the other, and moving costs; and from a crowd at one
        // moment nothing can be learnt about the next.
        if gap > 0 && shift.abs_diff(self.shift) > 1 {
            self.rebuild(shift, self.days.len());
        }
        self.work = Work { since: last, last, ..Work::default() };
    }

    /// Files every entry anew.
    fn rebuild(&mut self, shift: u32, days: usize) {
        self.settle();
        let mut entries = std::mem::take(&mut self.now);
        entries.extend(std::mem::take(&mut self.late).into_iter().map(|Reverse(entry)| entry));
        // What was today stays so: the next to be popped.
        let first = entries.iter().map(|(at, _)| *at).min();
        entries.extend(self.days.iter_mut().flat_map(std::mem::take));
        let first = first.or_else(|| entries.iter().map(|(at, _)| *at).min());
        self.days = vec![Vec::new(); days];
        self.shift = shift;
        self.today = first.unwrap_or(self.work.last) >> shift;
        for (at, id) in entries {
            self.file(at, id);
        }
    }
}

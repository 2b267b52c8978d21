//! What comes next, of a million things: a calendar queue ordered by (time, id).
//!
//! R. Brown, "Calendar queues: a fast O(1) priority queue implementation for the simulation event
//! set problem", CACM 31(10), 1988: time is cut into days, each with a list; pushing appends to a
//! list, popping walks to the next day. As there, a day is a multiple of the mean gap between
//! entries, here that of all pops since the last look, not of a sample. Unlike there a day holds
//! some 32 entries, not three: they lie in one piece of memory and are sorted when the day comes,
//! and a million entries at one moment cost n log n and not n².
//!
//! Only this year has days. A later year is one list, dealt out to the days when the year begins,
//! as in the hierarchical wheels of Varghese and Lauck (SOSP 1987): however many wait, what is
//! pushed goes to the end of one of a few lists, which the processor's cache holds, and is read in
//! the order it was written. It knows nothing of clients. Start at [`Calendar`].

use std::{cmp::Reverse, collections::BinaryHeap};

/// The days of a year.
const DAYS: usize = 1_024;

/// The years that have a list of their own, with this one.
const YEARS: usize = 256;

/// The years that have none begin so many behind this one.
const BEYOND: u64 = YEARS as u64;

/// The longest day: 2^36 ns, some 69 s.
const LONGEST: u32 = 36;

/// A day is so many mean gaps long.
const GAPS: u64 = 32;

/// A day's list that grew larger than this is given back when its day is over.
const KEPT: usize = 1_024;

/// When, and who.
type Entry = (u64, u64);

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
    /// The entries of each day of this year.
    days: Vec<Vec<Entry>>,
    /// Those of each year to come, a ring.
    years: Vec<Vec<Entry>>,
    /// Those of the years behind them.
    beyond: Vec<Entry>,
    /// The earliest year in `beyond`.
    horizon: u64,
    /// Empty lists for years, that have room.
    spare: Vec<Vec<Entry>>,
    /// A day is 2^shift nanoseconds.
    shift: u32,
    /// The day that has begun.
    today: u64,
    /// Its entries, the next one last.
    now: Vec<Entry>,
    /// What was pushed at or before today since it began.
    late: BinaryHeap<Reverse<Entry>>,
    len: usize,
    work: Work,
}

/// What the queue did since it last looked at itself.
#[derive(Default)]
struct Work {
    pops: usize,
    /// Days and years walked through.
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
            days: vec![Vec::new(); DAYS],
            years: vec![Vec::new(); YEARS],
            beyond: Vec::new(),
            horizon: u64::MAX,
            spare: Vec::new(),
            shift: 20,
            today: 0,
            now: Vec::new(),
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
        self.file((at, id));
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
        let whole = self.len + DAYS;
        let Work { pops, steps, .. } = self.work;
        if pops > whole || steps > 4 * whole.max(pops) {
            self.look();
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

    fn file(&mut self, entry: Entry) {
        let day = entry.0 >> self.shift;
        if day <= self.today {
            self.late.push(Reverse(entry));
            return;
        }
        let year = year_of(day);
        match year - year_of(self.today) {
            0 => self.days[within(day, DAYS)].push(entry),
            1..BEYOND => {
                let list = &mut self.years[within(year, YEARS)];
                if list.capacity() == 0 {
                    *list = self.spare.pop().unwrap_or_default();
                }
                list.push(entry);
            }
            BEYOND.. => {
                self.beyond.push(entry);
                self.horizon = self.horizon.min(year);
            }
        }
    }

    /// Goes to the next day that has entries, and takes them. Returns whether there is one.
    fn advance(&mut self) -> bool {
        if self.len == 0 {
            return false;
        }
        loop {
            while within(self.today + 1, DAYS) != 0 {
                self.today += 1;
                self.work.steps += 1;
                if self.take() {
                    return true;
                }
            }
            if !self.next_year() {
                return false;
            }
            self.today += 1;
            if self.take() {
                return true;
            }
        }
    }

    /// Makes today's entries what comes now. Returns whether there are any.
    fn take(&mut self) -> bool {
        let list = &mut self.days[within(self.today, DAYS)];
        if list.is_empty() {
            return false;
        }
        std::mem::swap(&mut self.now, list);
        if list.capacity() > KEPT {
            *list = Vec::new();
        }
        self.now.sort_unstable_by(|one, other| other.cmp(one));
        true
    }

    /// Deals out the next year that has entries; today is the day before. Returns whether there
    /// is one.
    fn next_year(&mut self) -> bool {
        let this = year_of(self.today);
        let mut coming = this + 1..this + BEYOND;
        let next = coming.find(|year| !self.years[within(*year, YEARS)].is_empty());
        let year = next.unwrap_or(u64::MAX).min(self.horizon);
        if year == u64::MAX {
            return false;
        }
        self.work.steps += YEARS;
        self.today = year * DAYS as u64 - 1;
        if year == self.horizon {
            self.horizon = u64::MAX;
            self.work.steps += self.beyond.len();
            for entry in std::mem::take(&mut self.beyond) {
                self.file(entry);
            }
        }
        let mut list = std::mem::take(&mut self.years[within(year, YEARS)]);
        for entry in list.drain(..) {
            self.days[within(entry.0 >> self.shift, DAYS)].push(entry);
        }
        self.spare.push(list);
        true
    }

    /// Is a day as long as it should be?
    fn look(&mut self) {
        let Work { pops, since, last, .. } = self.work;
        let gap = (last - since) / pops.max(1) as u64;
        let shift = gap.saturating_mul(GAPS).max(1).ilog2().min(LONGEST);
        // One of two neighbours is as good as the other, and moving costs; and from a crowd at one
        // moment nothing can be learnt about the next.
        if gap > 0 && shift.abs_diff(self.shift) > 1 {
            self.rebuild(shift);
        }
        self.work = Work { since: last, last, ..Work::default() };
    }

    /// Files every entry anew.
    fn rebuild(&mut self, shift: u32) {
        let mut entries = std::mem::take(&mut self.now);
        entries.extend(self.late.drain().map(|Reverse(entry)| entry));
        // What was today stays so: the next to be popped.
        let first = entries.iter().map(|(at, _)| *at).min();
        let later = self.days.iter_mut().chain(&mut self.years).chain([&mut self.beyond]);
        entries.extend(later.flat_map(std::mem::take));
        let first = first.or_else(|| entries.iter().map(|(at, _)| *at).min());
        self.horizon = u64::MAX;
        self.shift = shift;
        self.today = first.unwrap_or(self.work.last) >> shift;
        entries.into_iter().for_each(|entry| self.file(entry));
    }
}

const fn year_of(day: u64) -> u64 {
    day / DAYS as u64
}

/// The place of a day or a year in its ring.
#[allow(clippy::cast_possible_truncation)] // smaller than the ring
const fn within(number: u64, ring: usize) -> usize {
    (number % ring as u64) as usize
}

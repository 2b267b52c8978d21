//! What a lab saw, and waiting for it without sleeping.
//!
//! The ledger is shared by the lab's thread, which writes, and the handle, which takes snapshots.
//! Its memory is bounded: totals are never lost, single connections are (the last 1,024 are kept).
//! Start at [`Seen`].

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// How many of the first bytes of each connection are kept.
const HEAD: usize = 256;

/// A snapshot of what a lab saw so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Sums over every connection there ever was.
    pub totals: Totals,
    /// The last connections, oldest first: 1,024 unless
    /// [`Builder::kept`](crate::Builder::kept) says otherwise.
    pub connections: Vec<SeenConnection>,
}

/// Sums over every connection a lab accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Connections accepted.
    pub connections: u64,
    /// Connections ended.
    pub ended: u64,
    /// Bytes read; inside TLS, after decryption.
    pub bytes_in: u64,
    /// Bytes given to the kernel; inside TLS, before encryption.
    pub bytes_out: u64,
}

/// What happened on one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeenConnection {
    /// 0 for the first connection of the lab.
    pub number: u64,
    /// The client's address.
    pub peer: SocketAddr,
    /// The behaviour in a word.
    pub behaviour: &'static str,
    /// When it was accepted, since the lab started.
    pub at: Duration,
    /// How long it lived; while it lives, how long so far.
    pub elapsed: Duration,
    /// Bytes read; inside TLS, after decryption.
    pub bytes_in: u64,
    /// Bytes given to the kernel; inside TLS, before encryption.
    pub bytes_out: u64,
    /// The first bytes read, 256 at most.
    pub head: Vec<u8>,
    /// SHA-256 of all bytes read; compare with [`sha256`].
    pub sha256_in: [u8; 32],
    /// SHA-256 of all bytes given to the kernel.
    pub sha256_out: [u8; 32],
    /// How it ended; `None` while it lives, and for good if it lived when the lab was stopped.
    pub ended: Option<Ended>,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// We said the end first, cleanly.
    ClosedByUs,
    /// We reset it.
    ResetByUs,
    /// The client said the end first, cleanly.
    ClosedByPeer,
    /// The client reset it, or was gone while we were sending.
    ResetByPeer,
    /// Something else, in words: a TLS alert, a network error.
    Failed(String),
}

/// SHA-256 of bytes, to compare with [`SeenConnection::sha256_in`].
pub fn sha256(bytes: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Where the lab's thread writes and its handle reads.
#[derive(Debug)]
pub(crate) struct Ledger {
    started: Instant,
    kept: usize,
    /// How many connections there will be in all, if there is a last one.
    all: Option<u64>,
    pages: Mutex<Pages>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Pages {
    totals: Totals,
    /// The last ones accepted; their numbers are consecutive.
    recent: VecDeque<Page>,
    /// Those that live longer than they are kept: as many as are served at once, at most.
    outliving: HashMap<u64, Page>,
    /// Waking costs a system call, so it is done for those who wait.
    waiting: usize,
}

/// A connection as it is kept: the hashes are still running.
#[derive(Debug)]
struct Page {
    seen: SeenConnection,
    hash_in: Hash,
    hash_out: Hash,
    /// Its task is gone: nothing more will be written.
    left: bool,
}

/// A hash that costs nothing before the first byte.
#[derive(Clone, Debug, Default)]
struct Hash(Option<Sha256>);

impl Ledger {
    pub(crate) fn new(started: Instant, kept: usize, all: Option<u64>) -> Self {
        Self { started, kept, all, pages: Mutex::default(), changed: Condvar::new() }
    }

    /// Notes a new connection and gives its number.
    pub(crate) fn accepted(&self, peer: SocketAddr, behaviour: &'static str) -> u64 {
        let mut pages = self.pages();
        let number = pages.totals.connections;
        pages.totals.connections += 1;
        let seen = SeenConnection {
            number,
            peer,
            behaviour,
            at: self.started.elapsed(),
            elapsed: Duration::ZERO,
            bytes_in: 0,
            bytes_out: 0,
            head: Vec::new(),
            sha256_in: [0; 32],
            sha256_out: [0; 32],
            ended: None,
        };
        let page = Page { seen, hash_in: Hash(None), hash_out: Hash(None), left: false };
        pages.recent.push_back(page);
        if pages.recent.len() > self.kept
            && let Some(page) = pages.recent.pop_front()
            && !page.left
        {
            pages.outliving.insert(page.seen.number, page);
        }
        self.wake(&pages);
        number
    }

    pub(crate) fn read(&self, number: u64, bytes: &[u8]) {
        self.write(number, |totals, page| {
            totals.bytes_in += bytes.len() as u64;
            if let Some(page) = page {
                page.seen.bytes_in += bytes.len() as u64;
                let room = HEAD.saturating_sub(page.seen.head.len()).min(bytes.len());
                page.seen.head.extend_from_slice(&bytes[..room]);
                page.hash_in.update(bytes);
            }
        });
    }

    pub(crate) fn wrote(&self, number: u64, bytes: &[u8]) {
        self.write(number, |totals, page| {
            totals.bytes_out += bytes.len() as u64;
            if let Some(page) = page {
                page.seen.bytes_out += bytes.len() as u64;
                page.hash_out.update(bytes);
            }
        });
    }

    pub(crate) fn ended(&self, number: u64, how: Ended) {
        let now = self.started.elapsed();
        self.write(number, |totals, page| {
            totals.ended += 1;
            if let Some(page) = page {
                page.seen.elapsed = now.saturating_sub(page.seen.at);
                page.seen.ended = Some(how);
            }
        });
    }

    /// All that was seen of a connection whose task is gone. It is told once.
    pub(crate) fn take(&self, number: u64) -> Option<SeenConnection> {
        let now = self.started.elapsed();
        let mut pages = self.pages();
        if let Some(page) = pages.outliving.remove(&number) {
            return Some(page.seen(now));
        }
        let page = pages.page(number)?;
        page.left = true;
        Some(page.seen(now))
    }

    /// The same for one that nobody asks about.
    pub(crate) fn forget(&self, number: u64) {
        let mut pages = self.pages();
        if pages.outliving.remove(&number).is_none()
            && let Some(page) = pages.page(number)
        {
            page.left = true;
        }
    }

    /// What was seen so far.
    pub(crate) fn snapshot(&self) -> Seen {
        let now = self.started.elapsed();
        let pages = self.pages();
        let connections = pages.recent.iter().map(|page| page.seen(now));
        Seen { totals: pages.totals, connections: connections.collect() }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.are_all(&self.pages().totals)
    }

    /// Whether these are the totals after the last connection's end.
    pub(crate) fn are_all(&self, totals: &Totals) -> bool {
        self.all.is_some_and(|all| totals.ended >= all)
    }

    /// Blocks until the totals are as asked, or the time is over; says which.
    pub(crate) fn wait_until(
        &self,
        time: Duration,
        mut enough: impl FnMut(&Totals) -> bool,
    ) -> bool {
        let mut pages = self.pages();
        pages.waiting += 1;
        let waited = self.changed.wait_timeout_while(pages, time, |pages| !enough(&pages.totals));
        let (mut pages, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        pages.waiting -= 1;
        !waited.timed_out()
    }

    fn write(&self, number: u64, change: impl FnOnce(&mut Totals, Option<&mut Page>)) {
        let mut pages = self.pages();
        let mut totals = pages.totals;
        change(&mut totals, pages.page(number));
        pages.totals = totals;
        self.wake(&pages);
    }

    fn wake(&self, pages: &Pages) {
        if pages.waiting > 0 {
            self.changed.notify_all();
        }
    }

    // A writer that panicked left sums that are still sums.
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn page(&mut self, number: u64) -> Option<&mut Page> {
        // Numbers are consecutive, so the first one kept tells where every other is.
        let first = self.recent.front().map_or(u64::MAX, |page| page.seen.number);
        match number.checked_sub(first) {
            Some(index) => self.recent.get_mut(usize::try_from(index).ok()?),
            None => self.outliving.get_mut(&number),
        }
    }
}

impl Page {
    fn seen(&self, now: Duration) -> SeenConnection {
        let mut seen = self.seen.clone();
        if seen.ended.is_none() {
            seen.elapsed = now.saturating_sub(seen.at);
        }
        (seen.sha256_in, seen.sha256_out) = (self.hash_in.digest(), self.hash_out.digest());
        seen
    }
}

impl Hash {
    fn update(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.0.get_or_insert_default().update(bytes);
        }
    }

    fn digest(&self) -> [u8; 32] {
        self.0.clone().unwrap_or_default().finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn ledger(kept: usize) -> Ledger {
        Ledger::new(Instant::now(), kept, None)
    }

    fn peer() -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 1).into()
    }

    #[test]
    fn single_connections_are_forgotten_and_totals_are_not() {
        let ledger = ledger(2);
        for _ in 0..5 {
            let number = ledger.accepted(peer(), "sink");
            ledger.read(number, b"abc");
            ledger.ended(number, Ended::ClosedByPeer);
        }
        ledger.read(0, b"late"); // of a connection no longer kept
        let seen = ledger.snapshot();
        assert_eq!((seen.totals.connections, seen.totals.ended, seen.totals.bytes_in), (5, 5, 19));
        assert_eq!(seen.connections.iter().map(|c| c.number).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(seen.connections[1].bytes_in, 3);
    }

    #[test]
    fn the_hash_is_of_all_bytes_and_the_head_of_the_first() {
        let ledger = ledger(1);
        let number = ledger.accepted(peer(), "sink");
        for _ in 0..3 {
            ledger.read(number, &[b'x'; 100]);
        }
        let seen = &ledger.snapshot().connections[0];
        assert_eq!(seen.sha256_in, sha256([b'x'; 300]));
        assert_eq!(seen.head, [b'x'; 256]);
    }

    #[test]
    fn keeping_none_still_counts() {
        let ledger = ledger(0);
        let number = ledger.accepted(peer(), "sink");
        ledger.wrote(number, b"1234567");
        assert_eq!(
            (ledger.snapshot().totals.bytes_out, ledger.snapshot().connections.len()),
            (7, 0)
        );
    }

    #[test]
    fn waiting_says_when_the_time_is_over() {
        let ledger = ledger(1);
        assert!(!ledger.wait_until(Duration::from_millis(1), |totals| totals.connections > 0));
        ledger.accepted(peer(), "sink");
        assert!(ledger.wait_until(Duration::from_millis(1), |totals| totals.connections > 0));
    }
}

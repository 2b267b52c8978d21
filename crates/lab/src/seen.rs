//! What a lab saw, and waiting for it without sleeping.
//!
//! The ledger is shared by the lab's thread, which writes, and the handle, which takes snapshots.
//! Its memory is bounded: totals are never lost, single connections are (the last 1,024 are kept).
//! Start at [`Seen`].

use std::collections::VecDeque;
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
    /// The last connections, oldest first: 1,024 unless [`Limits`](crate::Limits) says otherwise.
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
    /// Bytes read; inside TLS, after decryption.
    pub bytes_in: u64,
    /// Bytes given to the kernel; inside TLS, before encryption.
    pub bytes_out: u64,
    /// The first bytes read, 256 at most.
    pub head: Vec<u8>,
    /// SHA-256 of all bytes read; compare with [`sha256`].
    pub sha256: [u8; 32],
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

/// SHA-256 of bytes, to compare with [`SeenConnection::sha256`].
pub fn sha256(bytes: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Where the lab's thread writes and its handle reads.
#[derive(Debug)]
pub(crate) struct Ledger {
    started: Instant,
    kept: usize,
    pages: Mutex<Pages>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Pages {
    totals: Totals,
    recent: VecDeque<Page>,
}

/// A connection as it is kept: the hash is still running.
#[derive(Debug)]
struct Page {
    seen: SeenConnection,
    hash: Sha256,
}

impl Ledger {
    pub(crate) fn new(started: Instant, kept: usize) -> Self {
        Self { started, kept, pages: Mutex::default(), changed: Condvar::new() }
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
            bytes_in: 0,
            bytes_out: 0,
            head: Vec::new(),
            sha256: [0; 32],
            ended: None,
        };
        pages.recent.push_back(Page { seen, hash: Sha256::new() });
        if pages.recent.len() > self.kept {
            pages.recent.pop_front();
        }
        self.changed.notify_all();
        number
    }

    pub(crate) fn read(&self, number: u64, bytes: &[u8]) {
        self.write(number, |totals, page| {
            totals.bytes_in += bytes.len() as u64;
            if let Some(page) = page {
                page.seen.bytes_in += bytes.len() as u64;
                let room = HEAD.saturating_sub(page.seen.head.len()).min(bytes.len());
                page.seen.head.extend_from_slice(&bytes[..room]);
                page.hash.update(bytes);
            }
        });
    }

    pub(crate) fn wrote(&self, number: u64, bytes: usize) {
        self.write(number, |totals, page| {
            totals.bytes_out += bytes as u64;
            if let Some(page) = page {
                page.seen.bytes_out += bytes as u64;
            }
        });
    }

    pub(crate) fn ended(&self, number: u64, how: Ended) {
        self.write(number, |totals, page| {
            totals.ended += 1;
            if let Some(page) = page {
                page.seen.ended = Some(how);
            }
        });
    }

    /// What was seen so far.
    pub(crate) fn snapshot(&self) -> Seen {
        let pages = self.pages();
        let connections = pages.recent.iter().map(|page| SeenConnection {
            sha256: page.hash.clone().finalize().into(),
            ..page.seen.clone()
        });
        Seen { totals: pages.totals, connections: connections.collect() }
    }

    /// Blocks until the totals are as asked, or the time is over; says which.
    pub(crate) fn wait_until(
        &self,
        time: Duration,
        mut enough: impl FnMut(&Totals) -> bool,
    ) -> bool {
        let waited =
            self.changed.wait_timeout_while(self.pages(), time, |pages| !enough(&pages.totals));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    fn write(&self, number: u64, change: impl FnOnce(&mut Totals, Option<&mut Page>)) {
        let mut pages = self.pages();
        let Pages { totals, recent } = &mut *pages;
        // Numbers are consecutive, so the first one kept tells where every other is.
        let first = recent.front().map_or(0, |page| page.seen.number);
        let page = number.checked_sub(first).and_then(|index| recent.get_mut(index as usize));
        change(totals, page);
        self.changed.notify_all();
    }

    // A writer that panicked left sums that are still sums.
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn ledger(kept: usize) -> Ledger {
        Ledger::new(Instant::now(), kept)
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
        assert_eq!(seen.sha256, sha256([b'x'; 300]));
        assert_eq!(seen.head, [b'x'; 256]);
    }

    #[test]
    fn keeping_none_still_counts() {
        let ledger = ledger(0);
        let number = ledger.accepted(peer(), "sink");
        ledger.wrote(number, 7);
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

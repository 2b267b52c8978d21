//! A short queue of buffers between a thread that blocks and a task that must not.
//!
//! One side waits on a condition variable, the other on a waker; buffers go round, so memory is
//! bounded by [`LENGTH`] whatever either side does. It does not read or write anything. Start at
//! [`Belt`].

use std::{
    collections::VecDeque,
    io, mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// One buffer, as much as a pipe holds by default. Larger ones leave the processor's caches and are
/// slower (`bench/README.md`).
const BUFFER: usize = 64 * 1024;
/// How many full buffers may wait.
const LENGTH: usize = 4;

/// A buffer, and how much of it is filled.
#[derive(Default)]
pub(crate) struct Chunk {
    bytes: Vec<u8>,
    /// What was dealt with already.
    start: usize,
    end: usize,
}

impl Chunk {
    /// The whole buffer, to be filled; say how much with [`Chunk::fill`].
    pub(crate) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    pub(crate) fn fill(&mut self, length: usize) {
        (self.start, self.end) = (0, length.min(self.bytes.len()));
    }

    /// What is left to deal with.
    pub(crate) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// So much more was dealt with.
    pub(crate) fn advance(&mut self, length: usize) {
        self.start = (self.start + length).min(self.end);
    }
}

impl From<Vec<u8>> for Chunk {
    fn from(bytes: Vec<u8>) -> Self {
        Self { start: 0, end: bytes.len(), bytes }
    }
}

/// The queue. Share it in an `Arc`.
#[derive(Default)]
pub(crate) struct Belt {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    full: VecDeque<Chunk>,
    empty: Vec<Chunk>,
    /// No more will be put on, and whether that is for an error.
    ended: Option<io::Result<()>>,
    waker: Option<Waker>,
}

impl Belt {
    // The blocking side.

    /// Waits for room and puts a buffer on. `false`: the other side has ended it.
    pub(crate) fn put(&self, chunk: Chunk) -> bool {
        let mut state = self.lock();
        while state.full.len() >= LENGTH && state.ended.is_none() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.ended.is_some() {
            return false;
        }
        state.full.push_back(chunk);
        wake(state);
        true
    }

    /// Waits for a buffer, whose place stays taken until [`Belt::taken`]. `None`: there will be
    /// no more.
    pub(crate) fn take_keeping(&self) -> Option<Chunk> {
        let mut state = self.lock();
        loop {
            if let Some(chunk) = state.full.front_mut() {
                return Some(mem::take(chunk));
            }
            if state.ended.is_some() {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives a buffer back that was dealt with.
    pub(crate) fn taken(&self, chunk: Chunk) {
        let mut state = self.lock();
        state.full.pop_front();
        keep(&mut state, chunk);
        wake(state);
    }

    // The asynchronous side.

    /// Whether a buffer may be put on with [`Belt::push`]; an error if the other side failed.
    pub(crate) fn poll_room(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.lock();
        if let Some(Err(error)) = &state.ended {
            return Poll::Ready(Err(again(error)));
        }
        if state.full.len() < LENGTH {
            return Poll::Ready(Ok(()));
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// Puts a buffer on. There is room for one more than the limit, so that nothing is lost.
    pub(crate) fn push(&self, chunk: Chunk) {
        self.lock().full.push_back(chunk);
        self.changed.notify_one();
    }

    /// The next buffer; `None` when there will be no more.
    pub(crate) fn poll_take(&self, context: &mut Context<'_>) -> Poll<io::Result<Option<Chunk>>> {
        let mut state = self.lock();
        if let Some(chunk) = state.full.pop_front() {
            self.changed.notify_one();
            return Poll::Ready(Ok(Some(chunk)));
        }
        match &state.ended {
            Some(Ok(())) => Poll::Ready(Ok(None)),
            Some(Err(error)) => Poll::Ready(Err(again(error))),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Whether everything put on was taken off; an error if the other side failed.
    pub(crate) fn poll_empty(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.lock();
        match &state.ended {
            Some(Err(error)) => return Poll::Ready(Err(again(error))),
            _ if state.full.is_empty() => return Poll::Ready(Ok(())),
            _ => {}
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }

    // Both sides.

    /// Says that no more will be put on, or that what is put on goes nowhere.
    pub(crate) fn end(&self, how: io::Result<()>) {
        let mut state = self.lock();
        state.ended.get_or_insert(how);
        wake(state);
        self.changed.notify_all();
    }

    /// An empty buffer of 64 KiB.
    pub(crate) fn buffer(&self) -> Chunk {
        let returned = self.lock().empty.pop();
        returned.unwrap_or_else(|| Chunk { bytes: vec![0; BUFFER], start: 0, end: 0 })
    }

    /// Gives a buffer back.
    pub(crate) fn recycle(&self, chunk: Chunk) {
        keep(&mut self.lock(), chunk);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic of the other side leaves a queue that is still a queue.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep(state: &mut State, chunk: Chunk) {
    // A chunk made elsewhere may be smaller than a buffer has to be.
    if state.empty.len() <= LENGTH && chunk.bytes.len() == BUFFER {
        state.empty.push(chunk);
    }
}

/// Wakes the task outside the lock.
fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The same error once more; `io::Error` cannot be cloned.
fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

//! Standard error, written so that a reader who does not read holds nothing up.
//!
//! What one write can hand over without waiting is written at once. The rest goes to a thread that
//! may block, through a bounded queue; the caller waits a moment for it, so that lines keep their
//! order among data and the output of commands. Lines of progress that find the queue full are
//! dropped and counted, and the count is printed when writing works again. The descriptor may be
//! shared with other processes, so it is never made non-blocking. What the live lines of a terminal
//! look like is `live`'s. Start at [`progress`].

mod live;

use std::{
    io::{self, IsTerminal},
    os::fd::BorrowedFd,
    sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, write},
};

use self::live::Live;
pub(crate) use self::live::data_on_terminal;
use crate::{exit::Exit, signals, stdio::write_now};

/// How many bytes may wait: as many as a pipe holds.
const ROOM: usize = 64 * 1024;
/// A write of this length to a pipe stays whole, whatever other processes write (PIPE_BUF, pipe(7)).
const PIECE: usize = 4096;
/// How long the caller waits for what it queued.
const MOMENT: Duration = Duration::from_millis(20);

static STATE: LazyLock<Mutex<State>> = LazyLock::new(|| Mutex::new(State::new()));
/// There is something to write.
static QUEUED: Condvar = Condvar::new();
/// Something was written.
static WRITTEN: Condvar = Condvar::new();

struct State {
    is_terminal: bool,
    has_thread: bool,
    /// Nobody reads, and nobody will.
    is_broken: bool,
    /// Whole lines that wait.
    queue: Vec<u8>,
    /// Lines that found no room since the last one that did.
    dropped: usize,
    /// The thread is writing what it took.
    is_writing: bool,
    /// Bytes that the thread has written.
    written: u64,
    /// `written` when a caller waited in vain: until it changes, none waits again.
    stuck_at: Option<u64>,
    live: Live,
    /// When the session has to be over.
    deadline: Option<Instant>,
    /// A signal ended it.
    is_interrupted: bool,
}

/// How long the end of the process waits for a reader.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// While nothing is read.
    idle: Duration,
    /// In all.
    pub(crate) total: Duration,
}

impl Patience {
    /// After a signal or a deadline, and before a command.
    pub(crate) const SHORT: Self =
        Self { idle: Duration::from_millis(50), total: Duration::from_millis(75) };

    /// For a process that ends this way, perhaps before its deadline.
    pub(crate) fn of(exit: Exit) -> Self {
        let state = lock();
        if state.is_interrupted || matches!(exit, Exit::Deadline | Exit::Interrupted(_)) {
            return Self::SHORT;
        }
        let left =
            state.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        // A connection may outlive the deadline of its making.
        let left = left.filter(|left| !left.is_zero()).unwrap_or(Duration::MAX);
        let total = left.max(Self::SHORT.total);
        Self { idle: total.min(Duration::from_secs(1)), total }
    }
}

/// Prints lines of progress, which may be dropped.
pub(crate) fn progress(text: &str) {
    let mut state = lock();
    if state.queue.len() + text.len() > ROOM {
        state.dropped += text.lines().count().max(1);
        return;
    }
    state.push(text);
    settle(state);
}

/// Prints lines that are never dropped: an error, a result.
pub(crate) fn result(text: &str) {
    let mut state = lock();
    state.push(text);
    settle(state);
}

/// Shows these live lines below everything else, where standard error is a terminal.
pub(crate) fn live(lines: Vec<String>) {
    let mut state = lock();
    if state.is_terminal && state.live.set(lines) {
        state.wake();
        settle(state);
    }
}

/// Sets when the session has to be over: after that no reader is waited for.
pub(crate) fn deadline(limit: Option<Duration>) {
    lock().deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
}

/// Notes that a signal ended the session, whatever its exit status is.
pub(crate) fn interrupted() {
    lock().is_interrupted = true;
}

/// Waits until everything is written, as long as patience lasts. The live lines are taken away.
pub(crate) fn finish(patience: Patience) {
    live(Vec::new());
    let (began, mut state) = (Instant::now(), lock());
    let mut moved = (state.written, began);
    while !state.is_idle() {
        if state.written != moved.0 {
            moved = (state.written, Instant::now());
        }
        // In a hurry, a reader who was waited for in vain before gets no more than a moment.
        let is_stuck = state.stuck_at == Some(state.written);
        let in_hurry = patience.idle <= Patience::SHORT.idle;
        let idle = if is_stuck && in_hurry { MOMENT } else { patience.idle };
        let idle = idle.saturating_sub(moved.1.elapsed());
        let left = idle.min(patience.total.saturating_sub(began.elapsed()));
        if left.is_zero() {
            return;
        }
        // The session's handlers have no listener any more.
        signals::end_at_once();
        state = wait(&WRITTEN, state, Some(left));
    }
}

/// Waits a moment until the lines are written, unless that was in vain and nothing has moved since.
fn settle(mut state: MutexGuard<'_, State>) {
    let began = Instant::now();
    while !state.is_settled() && state.stuck_at != Some(state.written) {
        let left = MOMENT.saturating_sub(began.elapsed());
        if left.is_zero() {
            state.stuck_at = Some(state.written);
            return;
        }
        state = wait(&WRITTEN, state, Some(left));
    }
}

impl State {
    fn new() -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            has_thread: false,
            is_broken: false,
            queue: Vec::new(),
            dropped: 0,
            is_writing: false,
            written: 0,
            stuck_at: None,
            live: Live::default(),
            deadline: None,
            is_interrupted: false,
        }
    }

    fn is_idle(&self) -> bool {
        self.is_broken || (self.queue.is_empty() && !self.is_writing && !self.live.is_due())
    }

    /// The same, but for live lines that are only drawn another way.
    fn is_settled(&self) -> bool {
        self.is_broken || (self.queue.is_empty() && !self.is_writing && !self.live.is_to_go())
    }

    /// Queues lines, or writes them at once.
    fn push(&mut self, text: &str) {
        if self.is_broken {
            return;
        }
        let at_once = !self.is_terminal && self.is_idle();
        self.count_dropped();
        self.queue.extend_from_slice(text.as_bytes());
        self.queue.push(b'\n');
        if at_once {
            match write_now(&stderr(), &self.queue) {
                Ok(count) => drop(self.queue.drain(..count)),
                // A standard error that is closed is not an error.
                Err(_) => self.is_broken = true,
            }
        }
        if !self.is_idle() {
            self.wake();
        }
    }

    /// Queues the number of lines that were dropped after those in the queue.
    fn count_dropped(&mut self) {
        let line = match std::mem::take(&mut self.dropped) {
            0 => return,
            1 => "1 line was".into(),
            number => format!("{number} lines were"),
        };
        let notice = format!("redial: {line} dropped: standard error was not being read\n");
        self.queue.extend_from_slice(notice.as_bytes());
    }

    /// Has the thread write; it starts with the first write that may have to wait.
    fn wake(&mut self) {
        if !self.has_thread {
            let thread = thread::Builder::new().name("stderr".into()).stack_size(64 * 1024);
            self.has_thread = thread.spawn(write_all).is_ok();
        }
        if self.has_thread {
            QUEUED.notify_one();
        } else {
            // As much as is read within a moment for each piece.
            let text = self.take();
            let has_room = || {
                let moment = Timespec::try_from(MOMENT).ok();
                let room = poll(&mut [PollFd::new(&stderr(), PollFlags::OUT)], moment.as_ref());
                room.is_ok_and(|count| count > 0)
            };
            let _ = pieces(&text).try_for_each(|piece| {
                if has_room() { write_piece(piece) } else { Err(Errno::AGAIN) }
            });
        }
    }

    /// Everything there is to write, as one text.
    fn take(&mut self) -> Vec<u8> {
        self.count_dropped();
        let lines = std::mem::take(&mut self.queue);
        if self.is_terminal { self.live.around(&lines) } else { lines }
    }
}

/// The thread: writes what is queued, for as long as somebody may read it.
fn write_all() {
    loop {
        let mut state = lock();
        while state.queue.is_empty() && state.dropped == 0 {
            let pause = match state.live.next_frame() {
                Some(Duration::ZERO) => break,
                pause => pause,
            };
            state = wait(&QUEUED, state, pause);
        }
        let text = state.take();
        state.is_writing = true;
        drop(state);
        for piece in pieces(&text) {
            let result = write_piece(piece);
            let mut state = lock();
            state.written += piece.len() as u64;
            state.is_broken |= result.is_err();
            WRITTEN.notify_all();
            if state.is_broken {
                return;
            }
        }
        lock().is_writing = false;
        WRITTEN.notify_all();
    }
}

/// The text in pieces that stay whole, cut between lines where there are any.
fn pieces(mut text: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let most = text.len().min(PIECE);
        let line = text[..most].iter().rposition(|byte| *byte == b'\n').map(|end| end + 1);
        let end = if text.len() <= PIECE { text.len() } else { line.unwrap_or(most) };
        let (piece, rest) = text.split_at(end);
        text = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

fn write_piece(mut piece: &[u8]) -> Result<(), Errno> {
    while !piece.is_empty() {
        match write(stderr(), piece) {
            Ok(count) => piece = &piece[count..],
            Err(Errno::INTR) => {}
            // It was inherited as non-blocking.
            Err(Errno::AGAIN) => {
                let _ = poll(&mut [PollFd::new(&stderr(), PollFlags::OUT)], None);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn stderr() -> BorrowedFd<'static> {
    rustix::stdio::stderr()
}

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait<'a>(
    event: &Condvar,
    state: MutexGuard<'a, State>,
    limit: Option<Duration>,
) -> MutexGuard<'a, State> {
    match limit {
        Some(limit) => event.wait_timeout(state, limit).unwrap_or_else(PoisonError::into_inner).0,
        None => event.wait(state).unwrap_or_else(PoisonError::into_inner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_between_lines() {
        let line = [&[b'x'; 1999][..], b"\n"].concat();
        let text = [&*line.repeat(3), &[b'y'; 9000], b"\nend\n"].concat();
        let lengths: Vec<usize> = pieces(&text).map(<[u8]>::len).collect();
        assert_eq!(lengths, [4000, 2000, PIECE, PIECE, 9000 - 2 * PIECE + 5]);
        assert_eq!(pieces(&text).collect::<Vec<_>>().concat(), text);
    }
}

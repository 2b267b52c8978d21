//! Standard input and output over one connection, both ways at once, in one task.
//!
//! It moves bytes, keeps half-closes, and says how the connection ended; whether to connect again
//! is the session's. What standard input has given and no connection has taken stays here for the
//! next one. Start at [`Pump`].

use std::{
    fs::File,
    future::poll_fn,
    io::{self, IsTerminal},
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use clap::ValueEnum;
use redial::{Connection, Detail, Ended, Human, Kind, Limits};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until, timeout_at},
};

use crate::{
    belt::{Belt, Chunk},
    stdio::{self, Output, Streams},
};

#[cfg(test)]
mod ends;

/// How long a server may go on after a `--receive` has begun to be met.
const LINGER: Duration = Duration::from_millis(100);
/// How long standard output may have no room before the server is allowed to be quiet for as long
/// as that lasts: it may be waiting for us, and then reads nothing either.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a reader of standard output is waited for once `--max-time` has passed.
const READING: Duration = Duration::from_millis(50);

/// When our side of the connection is ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum HalfClose {
    /// With standard input, where there is one
    #[default]
    Auto,
    /// With standard input, even an empty one
    Always,
    /// Only when the server has ended its side
    Never,
}

/// What the user asked of the pump.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wishes {
    pub(crate) limits: Limits,
    pub(crate) receive: Option<u64>,
    pub(crate) half_close: HalfClose,
    pub(crate) crlf: bool,
    pub(crate) raw: bool,
}

/// Standard input and output, beside the connections of one session.
pub(crate) struct Pump {
    wishes: Wishes,
    input: Source,
    output: Output,
    /// Standard input that no connection has taken.
    pending: Option<Chunk>,
    /// Standard input stopped after a `\r`, whose `\n` may be what comes next.
    after_cr: bool,
    is_terminal: bool,
    /// Standard output refused what it was given.
    pub(crate) reader_left: bool,
    /// Standard input or output broke in another way.
    pub(crate) broken: Option<io::Error>,
}

enum Source {
    /// There is nothing to read.
    None,
    NotStarted(File),
    Open(Arc<Belt>),
    Ended,
}

/// Where one connection stands.
struct Flow {
    /// Our side is ended, and what came before is on its way.
    shut: bool,
    /// Their side is ended.
    ended: bool,
    received: u64,
    flushed: bool,
    /// The last time anything moved, or could have: while output has no room nothing is read.
    moved: Instant,
    /// Since when output has had no room.
    blocked: Option<Instant>,
    /// `limits.dead` is suspended.
    patient: bool,
    /// When something has to happen though nothing moves, or before.
    alarm: Pin<Box<Sleep>>,
    /// When `--max-time` is over.
    end: Option<Instant>,
    chunk: Option<Chunk>,
}

impl Pump {
    pub(crate) fn new(wishes: Wishes, streams: Streams) -> Self {
        let is_terminal = streams.input.as_ref().is_some_and(IsTerminal::is_terminal);
        Self {
            wishes,
            input: streams.input.map_or(Source::None, Source::NotStarted),
            output: Output::new(streams.output, wishes.raw),
            pending: None,
            after_cr: false,
            is_terminal,
            reader_left: false,
            broken: None,
        }
    }

    /// Moves bytes until the connection is over.
    pub(crate) async fn run(&mut self, connection: &mut Connection) -> Ended {
        /// Later than any limit: an alarm that is not set.
        const NEVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

        let now = Instant::now();
        let mut flow = Flow {
            shut: false,
            ended: false,
            received: 0,
            flushed: true,
            moved: now,
            blocked: None,
            patient: false,
            alarm: Box::pin(sleep_until(now + NEVER)),
            end: self.wishes.limits.max_time.map(|limit| now + limit),
            chunk: None,
        };
        if let Err(error) = self.open() {
            self.note(error);
            return Ended::Abandoned;
        }
        match poll_fn(|context| self.poll(&mut flow, connection, context)).await {
            Ok(()) => self.confirm(&flow, connection).await,
            Err(Local(error)) => self.note(error),
        }
        // Before output is waited for: only an open socket knows what was acknowledged.
        let mut failure = connection.failure();
        // What was received stands before what a clause or `else` says about it.
        if !self.finish(flow.end).await && failure.kind == Kind::Closed {
            (failure.kind, failure.detail) = (Kind::Deadline, Some(self.max_time()));
        }
        // Where our own side broke it is no failure of the server's, and no clause is asked.
        if self.reader_left || self.broken.is_some() {
            Ended::Abandoned
        } else {
            Ended::Failed(failure)
        }
    }

    /// Waits until the server has all that was sent. A failure is in the connection's own slot.
    async fn confirm(&self, flow: &Flow, connection: &mut Connection) {
        let delivered = connection.delivered();
        let in_time = match flow.end {
            Some(end) => timeout_at(end, delivered).await.is_ok(),
            None => {
                drop(delivered.await);
                true
            }
        };
        if !in_time {
            connection.fail(Kind::Deadline, Some(self.max_time()));
        }
    }

    /// Waits until all that was received is written; after `--max-time`, only briefly. `false`:
    /// some of it is not.
    async fn finish(&mut self, end: Option<Instant>) -> bool {
        let written = poll_fn(|context| self.output.poll_empty(context));
        let written = match end {
            Some(end) => timeout_at(end.max(Instant::now()) + READING, written).await,
            None => Ok(written.await),
        };
        match written {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                self.note(error);
                false
            }
            Err(_) => false,
        }
    }

    fn open(&mut self) -> io::Result<()> {
        if matches!(self.input, Source::NotStarted(_))
            && let Source::NotStarted(file) = mem::replace(&mut self.input, Source::None)
        {
            self.input = Source::Open(stdio::read(file)?);
        }
        Ok(())
    }

    fn note(&mut self, error: io::Error) {
        if error.kind() == io::ErrorKind::BrokenPipe {
            self.reader_left = true;
        } else {
            self.broken.get_or_insert(error);
        }
    }

    fn poll(
        &mut self,
        flow: &mut Flow,
        connection: &mut Connection,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Local>> {
        let mut connection = Pin::new(connection);
        // Each direction goes on until it has to wait; then the clock is looked at. Their end first:
        // it may be what ends our side.
        let down = self.poll_down(flow, connection.as_mut(), context)?;
        let up = self.poll_up(flow, connection.as_mut(), context)?;
        if down.is_ready() {
            let enough =
                self.is_terminal || self.wishes.receive.is_some() || connection.failed().is_some();
            if enough || up.is_ready() {
                return Poll::Ready(Ok(()));
            }
        }
        self.poll_limits(flow, connection, context)
    }

    /// Standard input to the server. Ready: our side is ended.
    fn poll_up(
        &mut self,
        flow: &mut Flow,
        mut connection: Pin<&mut Connection>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Local>> {
        if flow.shut {
            return Poll::Ready(Ok(()));
        }
        loop {
            if let Some(chunk) = &mut self.pending {
                match connection.as_mut().poll_write(context, chunk.filled()) {
                    Poll::Pending => return Poll::Pending,
                    // The connection remembers why; what the server still says is read to its end.
                    Poll::Ready(Err(_)) => {
                        flow.shut = true;
                        return Poll::Ready(Ok(()));
                    }
                    Poll::Ready(Ok(written)) => {
                        chunk.advance(written);
                        flow.moved = Instant::now();
                        flow.flushed = false;
                        if mem::take(&mut flow.patient) {
                            connection.set_dead_limit(self.wishes.limits.dead);
                        }
                    }
                }
                if chunk.filled().is_empty()
                    && let (Some(done), Source::Open(input)) = (self.pending.take(), &self.input)
                {
                    input.recycle(done);
                }
                continue;
            }
            let next = match &self.input {
                Source::Open(input) => input.poll_take(context).map_err(Local)?,
                Source::None | Source::NotStarted(_) | Source::Ended => Poll::Ready(None),
            };
            match next {
                Poll::Ready(Some(chunk)) => {
                    self.pending = Some(if self.wishes.crlf {
                        with_crlf(&chunk, &mut self.after_cr)
                    } else {
                        chunk
                    })
                }
                Poll::Ready(None) => {
                    if matches!(self.input, Source::Open(_)) {
                        self.input = Source::Ended;
                    }
                    if !self.ends_side(flow) {
                        return self.poll_flushed(flow, connection, context);
                    }
                    if connection.poll_shutdown(context).is_pending() {
                        return Poll::Pending;
                    }
                    flow.shut = true;
                    return Poll::Ready(Ok(()));
                }
                Poll::Pending => return self.poll_flushed(flow, connection, context),
            }
        }
    }

    /// Whether our side is to be ended now that there is no more input.
    fn ends_side(&self, flow: &Flow) -> bool {
        match self.wishes.half_close {
            HalfClose::Always => true,
            HalfClose::Never => flow.ended,
            HalfClose::Auto => {
                flow.ended || (matches!(self.input, Source::Ended) && self.wishes.receive.is_none())
            }
        }
    }

    /// Nothing more to write for now: what TLS holds back has to leave.
    fn poll_flushed(
        &self,
        flow: &mut Flow,
        connection: Pin<&mut Connection>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Local>> {
        if !flow.flushed && connection.poll_flush(context).is_ready() {
            flow.flushed = true;
        }
        Poll::Pending
    }

    /// The server to standard output. Ready: their side is ended, or there is enough.
    fn poll_down(
        &mut self,
        flow: &mut Flow,
        mut connection: Pin<&mut Connection>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Local>> {
        while !flow.ended {
            if self.output.poll_room(context).map_err(Local)?.is_pending() {
                flow.blocked.get_or_insert_with(Instant::now);
                return Poll::Pending;
            }
            if flow.blocked.take().is_some() {
                // The server's silence begins now: until now it was ours.
                flow.moved = Instant::now();
            }
            let mut chunk = flow.chunk.take().unwrap_or_else(|| self.output.buffer());
            let room = chunk.room();
            let wanted = self.wishes.receive.map_or(u64::MAX, |limit| limit - flow.received);
            let length = usize::try_from(wanted).unwrap_or(usize::MAX).min(room.len());
            let mut buffer = ReadBuf::new(&mut room[..length]);
            let read = connection.as_mut().poll_read(context, &mut buffer);
            let count = buffer.filled().len();
            match read {
                Poll::Pending => {
                    flow.chunk = Some(chunk);
                    return Poll::Pending;
                }
                Poll::Ready(Ok(())) if count > 0 => {
                    chunk.fill(count);
                    self.output.push(chunk).map_err(Local)?;
                    flow.received += count as u64;
                    flow.moved = Instant::now();
                    flow.ended = self.wishes.receive == Some(flow.received);
                }
                // The connection knows whether that was clean.
                Poll::Ready(_) => flow.ended = true,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// `--idle-timeout`, `--max-time`, and the pause after which `--receive` is content. All but
    /// `--max-time` measure the server, and stand still while output has no room.
    fn poll_limits(
        &self,
        flow: &mut Flow,
        mut connection: Pin<&mut Connection>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Local>> {
        let limits = &self.wishes.limits;
        let (mut idle, mut content, mut patience) = (None, None, None);
        match flow.blocked {
            Some(since) if !flow.patient => {
                patience = limits.dead.map(|dead| since + PATIENCE.min(dead / 2));
            }
            Some(_) => {}
            None => {
                idle = limits.idle.map(|limit| flow.moved + limit);
                content = (self.wishes.receive.is_some() && flow.received > 0)
                    .then(|| flow.moved + LINGER);
            }
        }
        let Some(next) = [idle, content, patience, flow.end].into_iter().flatten().min() else {
            return Poll::Pending;
        };
        // An alarm that is early only looks again: setting it for every byte would cost more. It is
        // the alarm that decides, not the clock: when it fires, the sockets were looked at too.
        loop {
            let set = flow.alarm.deadline();
            if set > next || (set < next && flow.alarm.is_elapsed()) {
                flow.alarm.as_mut().reset(next);
            }
            ready!(flow.alarm.as_mut().poll(context));
            if flow.alarm.deadline() == next {
                break;
            }
        }
        if flow.end == Some(next) {
            connection.fail(Kind::Deadline, Some(self.max_time()));
        } else if patience == Some(next) {
            connection.set_dead_limit(None);
            flow.patient = true;
            return self.poll_limits(flow, connection, context);
        } else if content != Some(next) {
            let limit = limits.idle.unwrap_or_default();
            let words = format!("nothing moved for {}", Human(limit));
            connection.fail(Kind::Stalled, Some(Detail::from_text(&words)));
        }
        Poll::Ready(Ok(()))
    }

    /// The detail of the failure that `--max-time` is.
    fn max_time(&self) -> Detail {
        let limit = self.wishes.limits.max_time.unwrap_or_default();
        Detail::from_text(&format!("--max-time {}", Human(limit)))
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        // Lets the thread end that reads.
        if let Source::Open(input) = &self.input {
            input.end(Ok(()));
        }
    }
}

/// Standard input or output broke.
struct Local(io::Error);

/// `\n` as `\r\n`, for protocols that want it; one that is whole stays, wherever input was cut
/// into chunks. For text: it is not fast.
fn with_crlf(chunk: &Chunk, after_cr: &mut bool) -> Chunk {
    let mut bytes = Vec::with_capacity(chunk.filled().len() + 64);
    for &byte in chunk.filled() {
        if byte == b'\n' && !*after_cr {
            bytes.push(b'\r');
        }
        bytes.push(byte);
        *after_cr = byte == b'\r';
    }
    Chunk::from(bytes)
}

//! Standard input and output over one connection, both ways at once, in one task.
//!
//! It moves bytes, keeps half-closes, and says how the connection ended; whether to connect again
//! is the session's. What standard input has given and no connection has taken stays here for the
//! next one. Start at [`Pump`].

use std::{
    future::poll_fn,
    io::{self, IsTerminal},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use clap::ValueEnum;
use redial::{Connection, Detail, Ended, Human, Kind, Limits};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until, timeout},
};

use crate::{
    belt::{Belt, Chunk},
    stdio::{self, Output},
};

/// How long a server may go on after a `--receive` has begun to be met.
const LINGER: Duration = Duration::from_millis(100);

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
    output: Option<Output>,
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
    NotStarted,
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
    /// The last time anything moved.
    moved: Instant,
    /// When something has to happen though nothing moves.
    alarm: Pin<Box<Sleep>>,
    /// When `--max-time` is over.
    end: Option<Instant>,
    chunk: Option<Chunk>,
}

impl Pump {
    pub(crate) fn new(wishes: Wishes) -> Self {
        Self {
            wishes,
            input: if stdio::has_input() { Source::NotStarted } else { Source::None },
            output: None,
            pending: None,
            after_cr: false,
            is_terminal: io::stdin().is_terminal(),
            reader_left: false,
            broken: None,
        }
    }

    /// Moves bytes until the connection is over.
    pub(crate) async fn run(&mut self, connection: &mut Connection) -> Ended {
        let now = Instant::now();
        let mut flow = Flow {
            shut: false,
            ended: false,
            received: 0,
            flushed: true,
            moved: now,
            alarm: Box::pin(sleep_until(now)),
            end: self.wishes.limits.max_time.map(|limit| now + limit),
            chunk: None,
        };
        if let Err(error) = self.open() {
            self.note(error);
            return Ended::Abandoned;
        }
        let ended = poll_fn(|context| self.poll(&mut flow, connection, context)).await;
        // Before anything else is waited for: only an open socket knows what was acknowledged.
        let failure = connection.failure();
        if let Err(Local(error)) = ended {
            self.note(error);
        }
        // What was received stands before what a clause or `else` says about it.
        let written = self.finish();
        if failure.kind == Kind::Deadline {
            // Unless nobody reads it: a limit that has passed waits for no reader.
            drop(timeout(READING, written).await);
        } else {
            written.await;
        }
        // Where our own side broke it is no failure of the server's, and no clause is asked.
        if self.reader_left || self.broken.is_some() {
            Ended::Abandoned
        } else {
            Ended::Failed(failure)
        }
    }

    /// Waits until all that was received is written.
    async fn finish(&mut self) {
        if let Some(output) = &self.output
            && let Err(error) = poll_fn(|context| output.poll_empty(context)).await
        {
            self.note(error);
        }
    }

    fn open(&mut self) -> io::Result<()> {
        if matches!(self.input, Source::NotStarted) {
            self.input = Source::Open(stdio::input()?);
        }
        if self.output.is_none() {
            self.output = Some(Output::open(self.wishes.raw)?);
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
                Source::None | Source::NotStarted | Source::Ended => Poll::Ready(None),
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
        let Some(output) = &mut self.output else { return Poll::Ready(Ok(())) };
        while !flow.ended {
            if output.poll_room(context).map_err(Local)?.is_pending() {
                return Poll::Pending;
            }
            let mut chunk = flow.chunk.take().unwrap_or_else(|| output.buffer());
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
                    output.push(chunk).map_err(Local)?;
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

    /// `--idle-timeout`, `--max-time`, and the pause after which `--receive` is content.
    fn poll_limits(
        &self,
        flow: &mut Flow,
        mut connection: Pin<&mut Connection>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Local>> {
        let idle = self.wishes.limits.idle.map(|limit| flow.moved + limit);
        let content =
            (self.wishes.receive.is_some() && flow.received > 0).then(|| flow.moved + LINGER);
        let Some(next) = [idle, content, flow.end].into_iter().flatten().min() else {
            return Poll::Pending;
        };
        if flow.alarm.deadline() != next {
            flow.alarm.as_mut().reset(next);
        }
        ready!(flow.alarm.as_mut().poll(context));
        if content == Some(next) {
            return Poll::Ready(Ok(()));
        }
        let (kind, words) = if flow.end == Some(next) {
            let limit = self.wishes.limits.max_time.unwrap_or_default();
            (Kind::Deadline, format!("--max-time {}", Human(limit)))
        } else {
            let limit = self.wishes.limits.idle.unwrap_or_default();
            (Kind::Stalled, format!("nothing moved for {}", Human(limit)))
        };
        connection.fail(kind, Some(Detail::from_text(&words)));
        Poll::Ready(Ok(()))
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

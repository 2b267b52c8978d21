//! A connection: bytes both ways, and one true reason for its end.
//!
//! It reads and writes like any tokio stream, over TCP, TLS or a Unix socket, and remembers the
//! one failure that ended it. It never reconnects: a new connection is a new value. How one comes
//! to be is `attempt`'s; what follows from its failure is a policy's. Start at [`Connection`].

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use redial_core::{Address, Delivery, Detail, Failure, Kind, Refusal, Stage, Tried};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};

use crate::{
    cause::Cause,
    errno::Moment,
    marks::Marks,
    records::{self, Written},
    stream::Stream,
    tls,
};

mod delivered;

/// A connection that stands.
///
/// What was read to judge the server's answer is given first. The two halves may be polled from
/// one task, in any order; each keeps its own waker. Under TLS, flush when there is nothing more to
/// write for now: what a full socket did not take is waiting inside.
///
/// **One failure.** Linux reports an error once, to whichever half asks first, and then a clean
/// end to the other. Here the first error of either half is the connection's one failure. After
/// that, writing fails with it, and reading gives what the server still said and then fails with
/// it. An end is a clean one (`Ok` with no bytes) only while there is no failure. Where no answer
/// was expected, an end before any byte arrived is the failure `closed-early`, unless our own side
/// was shut down before.
///
/// When the connection is over, [`Connection::failure`] says why; ask before dropping it, since
/// only an open socket knows what was acknowledged. A clean end does not mean that the peer has
/// what was sent: [`Connection::delivered`] waits for that.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    server: Arc<str>,
    address: Address,
    addresses: Vec<Tried>,
    stage: Stage,
    since: Instant,
    /// Received while the answer was judged, and not yet given to the user.
    early: Early,
    /// Whether any byte came from the server.
    heard: bool,
    /// Whether an answer was expected, and came.
    judged: bool,
    sent: u64,
    received: u64,
    /// What the kernel had accepted before the user's first byte.
    before: u64,
    marks: Marks,
    /// What the kernel had accepted when our side was shut down, without TLS's closing alert.
    payload_end: Option<u64>,
    /// An error that came with the last bytes TLS decrypted, until those are read.
    held_error: Option<io::Error>,
    /// Whether reading came to its end, clean or not.
    read_over: bool,
    /// Whether that end was the peer's own.
    ended: bool,
    ending: Option<Ending>,
    /// Where to leave why it ended, when its user drops it.
    last_words: Option<LastWords>,
}

/// The failure slot.
#[derive(Debug)]
struct Ending {
    cause: Cause,
    delivery: Delivery,
    elapsed: Duration,
}

#[derive(Debug, Default)]
struct Early {
    bytes: Vec<u8>,
    given: usize,
}

impl Connection {
    /// The server, as the user named it.
    #[must_use]
    pub fn server(&self) -> &Arc<str> {
        &self.server
    }

    /// The socket address it is connected to.
    #[must_use]
    pub fn peer_address(&self) -> &Address {
        &self.address
    }

    /// Every address of the server and what became of it in the race.
    #[must_use]
    pub fn addresses(&self) -> &[Tried] {
        &self.addresses
    }

    /// Bytes of the user's that were accepted for sending. An opening does not count.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.sent
    }

    /// Bytes that were given to the user.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// How long it has stood.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// The application protocol that TLS agreed on (ALPN).
    #[must_use]
    pub fn alpn(&self) -> Option<&[u8]> {
        match &self.stream {
            Stream::Tls(stream) => stream.get_ref().1.alpn_protocol(),
            Stream::Plain(_) => None,
        }
    }

    /// The TCP stream itself, where there is one and no TLS on it. Bytes that are read or written
    /// there are not counted here.
    #[must_use]
    pub fn tcp(&self) -> Option<&TcpStream> {
        match &self.stream {
            Stream::Plain(wire) => wire.socket.tcp(),
            Stream::Tls(_) => None,
        }
    }

    /// What this connection failed of, if it did.
    #[must_use]
    pub fn failed(&self) -> Option<Kind> {
        self.ending.as_ref().map(|ending| ending.cause.kind)
    }

    /// Ends the connection for a reason that only its user knows: `stalled`, `deadline`,
    /// `interrupted`, `application`. The first reason stays.
    pub fn fail(&mut self, kind: Kind, detail: Option<Detail>) {
        self.end(Cause { detail, ..Cause::new(kind) });
    }

    /// Sets how long bytes may stay unacknowledged (`limits.dead`, TCP_USER_TIMEOUT) from now on;
    /// `None` is the system's own limit. A user that does not read for long should take the limit
    /// away: a server that waits for it to read does not read either.
    pub fn set_dead_limit(&self, limit: Option<Duration>) {
        self.stream.wire().socket.set_dead_limit(limit);
    }

    /// Why it ended: its one failure, or `closed` where nothing failed.
    #[must_use]
    pub fn failure(&mut self) -> Failure {
        self.end(Cause::new(Kind::Closed));
        let mut failure = Failure::new(Kind::Closed, self.stage, Arc::clone(&self.server));
        failure.address = Some(self.address.clone());
        failure.addresses.clone_from(&self.addresses);
        failure.sent = self.sent;
        failure.received = self.received;
        if let Some(Ending { cause, delivery, elapsed }) = &self.ending {
            cause.clone().name(&mut failure);
            failure.delivery = *delivery;
            failure.elapsed = *elapsed;
        }
        failure
    }
}

/// Why a connection ended, left behind by it.
pub(crate) type LastWords = Arc<Mutex<Option<Failure>>>;

impl Drop for Connection {
    fn drop(&mut self) {
        // Only an open socket knows what was acknowledged: it is asked now, or never.
        if let Some(last_words) = self.last_words.take() {
            let failure = self.failure();
            last_words.lock().unwrap_or_else(PoisonError::into_inner).replace(failure);
        }
    }
}

/// While it is being made: nothing here counts as the user's.
impl Connection {
    /// A connection whose attempt began at `since` and whose answer is still to be judged.
    pub(crate) fn new(
        stream: Stream,
        server: Arc<str>,
        address: Address,
        addresses: Vec<Tried>,
        since: Instant,
    ) -> Self {
        // What a proxy was asked, and TLS's handshake, are nobody's bytes.
        let before = stream.wire().written();
        Self {
            stream,
            server,
            address,
            addresses,
            stage: Stage::Expect,
            since,
            early: Early::default(),
            heard: false,
            judged: false,
            sent: 0,
            received: 0,
            before,
            marks: Marks::default(),
            payload_end: None,
            held_error: None,
            read_over: false,
            ended: false,
            ending: None,
            last_words: None,
        }
    }

    /// Receives some bytes without giving them to the user; 0 is the end.
    pub(crate) fn poll_early(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        const CHUNK: usize = 16 << 10;
        let start = self.early.bytes.len();
        let mut bytes = std::mem::take(&mut self.early.bytes);
        bytes.resize(start + CHUNK, 0);
        let mut buf = ReadBuf::new(&mut bytes[start..]);
        let result = self.poll_receive(cx, &mut buf);
        let count = buf.filled().len();
        bytes.truncate(start + count);
        self.early.bytes = bytes;
        result.map_ok(|()| count)
    }

    /// What was received and not yet given to the user.
    pub(crate) fn early(&self) -> &[u8] {
        &self.early.bytes[self.early.given..]
    }

    /// Ends the attempt: the answer did not come, or was not the one expected. What was said so
    /// far goes with it, unless the protocol's own words do.
    pub(crate) fn refuse(&mut self, refusal: Refusal) -> Failure {
        if matches!(refusal.kind, Kind::UnexpectedResponse | Kind::Unavailable) {
            // A wrong answer tells more than the reset that may have come with it.
            self.ending = None;
        }
        let kind = refusal.kind;
        let expected = refusal.expected.clone();
        self.end(Cause { detail: refusal.into_detail(), expected, ..Cause::new(kind) });
        let mut failure = self.failure();
        // An opening is the policy's and can be sent again: nothing of the user's has moved yet.
        (failure.sent, failure.received, failure.delivery) = (0, 0, Delivery::Unsent);
        if failure.detail.is_none() && self.heard {
            failure.detail = Some(Detail::from_bytes(self.early()));
        }
        failure
    }

    /// Where it will say why it ended, once its user has dropped it.
    pub(crate) fn last_words(&mut self) -> LastWords {
        self.last_words.get_or_insert_default().clone()
    }

    /// From here on it is the user's.
    pub(crate) fn hand_over(mut self, judged: bool) -> Self {
        self.stage = Stage::Stream;
        self.since = Instant::now();
        self.judged = judged;
        self.sent = 0;
        self.before = self.stream.wire().written();
        self.marks = Marks::default();
        self
    }
}

impl Connection {
    /// Fills the failure slot, if it is empty.
    fn end(&mut self, cause: Cause) {
        if self.ending.is_none() {
            let delivery = self.delivery();
            self.ending = Some(Ending { cause, delivery, elapsed: self.since.elapsed() });
        }
    }

    fn ending_error(&self) -> Option<io::Error> {
        self.ending.as_ref().map(|ending| io::Error::from(&ending.cause))
    }

    /// An error of either half. The result is the connection's one failure, as an error.
    fn broke(&mut self, error: io::Error) -> io::Error {
        let cause = match &self.stream {
            Stream::Tls(stream) => {
                tls::live_cause(&error, stream.get_ref().0, self.heard, self.ended)
            }
            Stream::Plain(_) => Cause::from_os(&error, Moment::Live { ended: self.ended }),
        };
        let cause = explain_silence(cause);
        self.end(cause);
        self.ending_error().unwrap_or(error)
    }

    /// Reads from the stream itself, and keeps the slot.
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read_over {
            return Poll::Ready(self.ending_error().map_or(Ok(()), Err));
        }
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let result = match self.held_error.take() {
            Some(error) => Err(error),
            None => ready!(Pin::new(&mut self.stream).poll_read(cx, buf)),
        };
        if let Err(error) = result {
            // What TLS decrypted before the error is the server's and comes first.
            if let Stream::Tls(stream) = &mut self.stream
                && records::take_decrypted(stream, buf) > 0
            {
                self.heard = true;
                self.held_error = Some(error);
                return Poll::Ready(Ok(()));
            }
            self.read_over = true;
            return Poll::Ready(Err(self.broke(error)));
        }
        if buf.filled().len() > before {
            self.heard = true;
        } else {
            self.read_over = true;
            self.ended = true;
            return Poll::Ready(self.ending_error().map_or(Ok(()), Err));
        }
        Poll::Ready(Ok(()))
    }

    /// A clean end came; without an expectation it may have come too early.
    fn check_end(&mut self) -> io::Result<()> {
        let unheard = self.stage == Stage::Stream && !self.judged && !self.heard;
        if unheard && !self.stream.wire().finished {
            self.end(Cause::new(Kind::ClosedEarly));
        }
        self.ending_error().map_or(Ok(()), Err)
    }

    /// Whether writing makes sense.
    fn check_writable(&self) -> io::Result<()> {
        if let Some(error) = self.ending_error() {
            return Err(error);
        }
        if self.stream.wire().finished {
            // A mistake of the caller's: nothing happened to the connection.
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "written after shutdown"));
        }
        Ok(())
    }

    /// Writes to the stream itself, and counts.
    fn poll_send(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.check_writable()?;
        let written = match &mut self.stream {
            Stream::Tls(stream) => records::poll_write(stream, cx, bufs),
            Stream::Plain(wire) => {
                let start = wire.written();
                let written = match bufs {
                    [buf] => Pin::new(wire).poll_write(cx, buf),
                    _ => Pin::new(wire).poll_write_vectored(cx, bufs),
                };
                match ready!(written) {
                    Ok(taken) => Written { taken, start, records: Poll::Ready(Ok(())) },
                    Err(error) => Written { taken: 0, start, records: Poll::Ready(Err(error)) },
                }
            }
        };
        let taken = written.taken as u64;
        match written.records {
            Poll::Ready(Err(error)) => {
                // TLS took these bytes for good. They have moved if any of its records has.
                if self.stream.wire().written() > self.before {
                    self.sent += taken;
                    self.mark(written.start, taken);
                }
                Poll::Ready(Err(self.broke(error)))
            }
            Poll::Pending if taken == 0 => Poll::Pending,
            Poll::Pending | Poll::Ready(Ok(())) => {
                self.sent += taken;
                self.mark(written.start, taken);
                Poll::Ready(Ok(written.taken))
            }
        }
    }

    /// Sends what TLS still holds.
    fn poll_send_held(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.stream).poll_flush(cx));
        Poll::Ready(match result {
            Ok(()) => {
                self.mark(self.stream.wire().written(), 0);
                Ok(())
            }
            Err(error) => Err(self.broke(error)),
        })
    }

    /// Ends our side of the stream itself.
    fn poll_end_side(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // First what was written: what is acknowledged of it has to be known without TLS's alert.
        if self.payload_end.is_none() {
            ready!(self.poll_send_held(cx))?;
            self.payload_end = Some(self.stream.wire().written());
        }
        let result = ready!(Pin::new(&mut self.stream).poll_shutdown(cx));
        let wire = self.stream.wire();
        let error = match result {
            // tokio-rustls takes ENOTCONN for success.
            Ok(()) if wire.finished => return Poll::Ready(Ok(())),
            Ok(()) => io::Error::from_raw_os_error(wire.error.unwrap_or(libc::ENOTCONN)),
            Err(error) => error,
        };
        Poll::Ready(match &self.stream {
            // A peer that is gone resets even TLS's closing alert. Its own end may still be unread,
            // the reset is kept for what is read without one, and whether the peer has what was sent
            // before is `delivered`'s question.
            Stream::Tls(_) => Ok(()),
            Stream::Plain(_) if self.ended => Err(self.refused(&error)),
            Stream::Plain(_) => Err(self.broke(error)),
        })
    }

    fn give_early(&mut self, buf: &mut ReadBuf<'_>) {
        let count = self.early().len().min(buf.remaining());
        buf.put_slice(&self.early()[..count]);
        self.early.given += count;
        if self.early().is_empty() {
            self.early = Early::default();
        }
    }
}

/// ETIMEDOUT on a live connection has two causes that the kernel does not tell apart.
fn explain_silence(cause: Cause) -> Cause {
    let timed_out = cause.errno.is_some_and(|errno| errno.number == libc::ETIMEDOUT);
    if !timed_out || cause.detail.is_some() {
        return cause;
    }
    let words = "it acknowledged nothing, or read nothing of what waits to be sent, for too long";
    Cause { detail: Some(Detail::from_text(words)), ..cause }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        if this.early().is_empty() {
            ready!(this.poll_receive(cx, buf))?;
        } else {
            this.give_early(buf);
        }
        let fresh = buf.filled().len() - before;
        this.received += fresh as u64;
        Poll::Ready(match fresh {
            0 if buf.remaining() > 0 => this.check_end(),
            _ => Ok(()),
        })
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_send(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_send(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.ending_error() {
            Some(error) => Poll::Ready(Err(error)),
            None => this.poll_send_held(cx),
        }
    }

    /// Ends our side; the server may go on sending.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.stream.wire().finished {
            return Poll::Ready(Ok(()));
        }
        match this.ending_error() {
            Some(error) => Poll::Ready(Err(error)),
            None => this.poll_end_side(cx),
        }
    }
}

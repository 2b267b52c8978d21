//! One connection, and the acts that behaviours are made of.
//!
//! Reading, saying, ending, resetting, falling silent: each notes what it did in the ledger. Which
//! behaviour does what is in `play`. Memory is one buffer per thread, and one per
//! connection that echoes or talks, whatever the client sends. Start at [`Connection`].

use std::borrow::Cow;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use socket2::SockRef;
#[cfg(target_os = "linux")]
use tokio::io::Interest;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::draw::junk;
use crate::seen::{Ended, Ledger};
use crate::stream::Stream;

/// Bytes read at once; 4,096 connections that echo hold 64 MiB.
const BUFFER: usize = 16 * 1024;

thread_local! {
    /// What was read is noted before anybody else reads, so all connections share one buffer, and
    /// one that waits holds none.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER].into());
}

/// How long a client may go on sending after our end.
const DRAIN: Duration = Duration::from_secs(10);

/// What the client's kernel is given to take the bytes before a reset, which throws away what is
/// still on its way. A client that does not read, with its buffers full, loses the rest.
const ARRIVE: Duration = Duration::from_millis(20);

/// A connection a lab accepted.
pub(crate) struct Connection {
    stream: Stream,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) number: u64,
    #[cfg(feature = "tls")]
    identities: Option<Arc<crate::tls::Identities>>,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, ledger: Arc<Ledger>, number: u64) -> Self {
        Self {
            stream: Stream::Tcp(stream),
            ledger,
            number,
            #[cfg(feature = "tls")]
            identities: None,
        }
    }

    #[cfg(feature = "tls")]
    pub(crate) fn with(mut self, identities: Option<Arc<crate::tls::Identities>>) -> Self {
        self.identities = identities;
        self
    }

    /// Reads something; 0 is the client's end.
    pub(crate) async fn read(&mut self) -> io::Result<usize> {
        self.read_at_most(BUFFER, |_| {}).await
    }

    /// Reads something and shows it to `keep`; 0 is the client's end.
    pub(crate) async fn read_and(&mut self, keep: impl FnMut(&[u8])) -> io::Result<usize> {
        self.read_at_most(BUFFER, keep).await
    }

    /// Reads at most so many bytes, and shows them to `keep`.
    async fn read_at_most(
        &mut self,
        most: usize,
        mut keep: impl FnMut(&[u8]),
    ) -> io::Result<usize> {
        let Self { stream, ledger, number, .. } = self;
        poll_fn(|context| {
            SCRATCH.with_borrow_mut(|scratch| {
                let most = most.min(scratch.len());
                let mut buffer = ReadBuf::new(&mut scratch[..most]);
                ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
                ledger.read(*number, buffer.filled());
                keep(buffer.filled());
                Poll::Ready(Ok(buffer.filled().len()))
            })
        })
        .await
    }

    /// Reads and ignores everything until the client ends.
    pub(crate) async fn read_to_the_end(&mut self) -> io::Result<()> {
        while self.read().await? > 0 {}
        Ok(())
    }

    /// Reads so many bytes and not one more; false when the client ended before.
    pub(crate) async fn read_exactly(&mut self, mut bytes: u64) -> io::Result<bool> {
        while bytes > 0 {
            match self.read_at_most(at_most(bytes, BUFFER), |_| {}).await? {
                0 => return Ok(false),
                read => bytes -= read as u64,
            }
        }
        Ok(true)
    }

    /// Holds what is said next until the end is said too: one packet instead of two, for which the
    /// client wakes once. Elsewhere than on Linux they stay two.
    pub(crate) fn hold(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = SockRef::from(self.stream.socket()).set_tcp_cork(true);
    }

    pub(crate) async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        say(&mut self.stream, bytes, |wrote: &[u8]| self.ledger.wrote(self.number, wrote)).await
    }

    /// Waits for the first bytes, and answers with its own whatever they were.
    pub(crate) async fn answer(&mut self, bytes: &[u8]) -> io::Result<Ended> {
        if self.read().await? == 0 {
            return self.finish(Ended::ClosedByPeer).await;
        }
        self.hold();
        self.say(bytes).await?;
        self.finish(Ended::ClosedByUs).await
    }

    /// Says the text over and over, so many bytes in all; an empty one not at all.
    pub(crate) async fn say_over(&mut self, text: &[u8], mut bytes: u64) -> io::Result<()> {
        // A short text is said many times at once.
        let many = match BUFFER.checked_div(text.len()) {
            None => return Ok(()),
            Some(0) => Cow::Borrowed(text),
            Some(times) => Cow::Owned(text.repeat(times)),
        };
        while bytes > 0 {
            let piece = at_most(bytes, many.len());
            self.say(&many[..piece]).await?;
            bytes -= piece as u64;
        }
        Ok(())
    }

    /// Says the bytes as a segment of their own: marked as the end of a record (`MSG_EOR`), to
    /// which the kernel joins nothing that comes after, even if it has to wait.
    #[cfg(target_os = "linux")]
    pub(crate) async fn say_apart(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        // Inside TLS they are a record of TLS, and what becomes of that is not ours.
        #[cfg_attr(not(feature = "tls"), allow(irrefutable_let_patterns))]
        let Stream::Tcp(stream) = &self.stream else { return self.say(bytes).await };
        let flags = libc::MSG_EOR | libc::MSG_NOSIGNAL;
        while !bytes.is_empty() {
            let send = || SockRef::from(stream).send_with_flags(bytes, flags);
            let wrote = stream.async_io(Interest::WRITABLE, send).await?;
            self.ledger.wrote(self.number, &bytes[..wrote]);
            bytes = &bytes[wrote..];
        }
        Ok(())
    }

    /// Says the bytes at once; where they are not the first to wait, they may be joined.
    #[cfg(not(target_os = "linux"))]
    pub(crate) async fn say_apart(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.say(bytes).await
    }

    /// Says so many bytes of the junk that belongs to the seed.
    pub(crate) async fn say_junk(&mut self, seed: u64, mut bytes: u64) -> io::Result<()> {
        let (mut word, mut buffer) = (0, vec![0; at_most(bytes, BUFFER)]);
        while bytes > 0 {
            let piece = at_most(bytes, BUFFER);
            junk(seed, word, &mut buffer[..piece]);
            self.say(&buffer[..piece]).await?;
            bytes -= piece as u64;
            word += (BUFFER / 8) as u64;
        }
        Ok(())
    }

    /// Sends back what it reads until the client ends, then ends too.
    pub(crate) async fn echo(&mut self) -> io::Result<Ended> {
        let mut heard = Vec::new();
        while self.read_at_most(BUFFER, |bytes| heard.extend_from_slice(bytes)).await? > 0 {
            self.say(&heard).await?;
            heard.clear();
        }
        self.finish(Ended::ClosedByPeer).await
    }

    /// Says the end, cleanly.
    pub(crate) async fn say_the_end(&mut self) -> io::Result<()> {
        match self.stream.shutdown().await {
            // The client is gone already; how it ended does not change by that.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }

    /// Says the end, then reads on until the client ends too.
    pub(crate) async fn finish(&mut self, ended: Ended) -> io::Result<Ended> {
        self.say_the_end().await?;
        if ended == Ended::ClosedByUs {
            self.drain().await;
        }
        Ok(ended)
    }

    /// Ends the line without saying so inside TLS, then reads on until the client ends too.
    pub(crate) async fn cut(&mut self) -> io::Result<Ended> {
        SockRef::from(self.stream.socket()).shutdown(Shutdown::Write)?;
        self.drain().await;
        Ok(Ended::ClosedByUs)
    }

    /// Reads to the client's end, so that nothing unread turns our end into a reset. How the
    /// client leaves after our end is its own affair.
    async fn drain(&mut self) {
        let _ = timeout(DRAIN, async { while matches!(self.read().await, Ok(1..)) {} }).await;
    }

    /// Arms the reset; it leaves when the socket is dropped.
    pub(crate) fn reset(&mut self) -> io::Result<Ended> {
        SockRef::from(self.stream.socket()).set_linger(Some(Duration::ZERO))?;
        Ok(Ended::ResetByUs)
    }

    /// Lets what was said arrive, then resets.
    pub(crate) async fn reset_after_all(&mut self) -> io::Result<Ended> {
        sleep(ARRIVE).await;
        self.reset()
    }

    /// Reads and never says another byte, not even the end.
    pub(crate) async fn fall_silent(&mut self) -> io::Result<Ended> {
        self.read_to_the_end().await?;
        // The client has ended, or only its sending half has: from here that looks the same until
        // keepalive finds nobody there.
        self.nobody_is_there().await?;
        Ok(Ended::ClosedByPeer)
    }

    /// Leaves the receive buffer as small as the system allows, and what comes in it.
    pub(crate) async fn never_read(&mut self) -> io::Result<Ended> {
        // A wish: where it is not granted the client may send more before its writes block.
        let _ = SockRef::from(self.stream.socket()).set_recv_buffer_size(1);
        self.stop_reading().await
    }

    /// Neither reads nor says another byte.
    pub(crate) async fn stop_reading(&mut self) -> io::Result<Ended> {
        Err(self.nobody_is_there().await?)
    }

    /// Waits until the system says that the client is gone, and how. Nothing wakes who does not
    /// read, so it is asked.
    async fn nobody_is_there(&self) -> io::Result<io::Error> {
        loop {
            sleep(Duration::from_secs(1)).await;
            if let Some(error) = self.stream.socket().take_error()? {
                return Ok(error);
            }
        }
    }

    /// The same connection over what is made of its stream.
    #[cfg(feature = "tls")]
    pub(crate) async fn over<F>(self, make: impl FnOnce(Stream) -> F) -> io::Result<Self>
    where
        F: Future<Output = io::Result<Stream>>,
    {
        Ok(Self { stream: make(self.stream).await?, ..self })
    }

    #[cfg(feature = "tls")]
    pub(crate) fn identities(&self) -> io::Result<Arc<crate::tls::Identities>> {
        let made = self.identities.clone();
        made.ok_or_else(|| io::Error::other("no certificates were made for this script"))
    }
}

/// As many of the bytes as there is room for.
fn at_most(bytes: u64, room: usize) -> usize {
    usize::try_from(bytes).unwrap_or(room).min(room)
}

/// Writes all bytes, noting each piece that the kernel took.
async fn say(stream: &mut Stream, mut bytes: &[u8], note: impl Fn(&[u8])) -> io::Result<()> {
    while !bytes.is_empty() {
        let wrote = stream.write(bytes).await?;
        if wrote == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        note(&bytes[..wrote]);
        bytes = &bytes[wrote..];
    }
    stream.flush().await
}

//! One connection, behaving.
//!
//! Each behaviour is an arm of one `match`, made of five small acts: read, say, finish, reset,
//! fall silent. Every act notes what it did in the ledger. Memory is one buffer per thread, and
//! one per connection that echoes, whatever the client sends. Start at [`Connection::behave`].

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::behaviour::Behaviour;
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
    ledger: Arc<Ledger>,
    number: u64,
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

    /// Does what the behaviour says, to the end of the connection, and notes how it ended.
    pub(crate) async fn behave(self, behaviour: Behaviour) {
        let (ledger, number) = (Arc::clone(&self.ledger), self.number);
        // `act` drops the socket before the note is made: who waits for the note finds it done.
        let ended = self.act(behaviour).await.unwrap_or_else(|error| match error.kind() {
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected => Ended::ResetByPeer,
            // Only TLS says this: an end of the line without an end of the conversation.
            io::ErrorKind::UnexpectedEof => Ended::ClosedByPeer,
            _ => Ended::Failed(error.to_string()),
        });
        ledger.ended(number, ended);
    }

    async fn act(mut self, behaviour: Behaviour) -> io::Result<Ended> {
        match behaviour {
            Behaviour::Close => self.finish(Ended::ClosedByUs).await,
            Behaviour::Reset => self.reset(),
            Behaviour::ReadThenClose => match self.read().await? {
                0 => self.finish(Ended::ClosedByPeer).await,
                _ => self.finish(Ended::ClosedByUs).await,
            },
            Behaviour::ReadThenReset => match self.read().await? {
                0 => self.finish(Ended::ClosedByPeer).await,
                _ => self.reset(),
            },
            Behaviour::CloseAfter(bytes) => match self.read_exactly(bytes).await? {
                false => self.finish(Ended::ClosedByPeer).await,
                true => self.finish(Ended::ClosedByUs).await,
            },
            Behaviour::ResetAfter(bytes) => match self.read_exactly(bytes).await? {
                false => self.finish(Ended::ClosedByPeer).await,
                true => self.reset(),
            },
            Behaviour::Say(bytes) => {
                self.hold();
                self.say(&bytes).await?;
                self.finish(Ended::ClosedByUs).await
            }
            Behaviour::Answer(bytes) => {
                if self.read().await? == 0 {
                    return self.finish(Ended::ClosedByPeer).await;
                }
                self.hold();
                self.say(&bytes).await?;
                self.finish(Ended::ClosedByUs).await
            }
            Behaviour::Cut(bytes) => {
                self.say(&bytes).await?;
                SockRef::from(self.stream.socket()).shutdown(Shutdown::Write)?;
                self.drain().await;
                Ok(Ended::ClosedByUs)
            }
            Behaviour::Banner(bytes) => {
                self.say(&bytes).await?;
                while self.read().await? > 0 {}
                self.finish(Ended::ClosedByPeer).await
            }
            Behaviour::PartialThenReset(bytes) => {
                self.say(&bytes).await?;
                sleep(ARRIVE).await;
                self.reset()
            }
            Behaviour::Stall => self.fall_silent().await,
            Behaviour::StallAfter(bytes) => {
                self.say(&bytes).await?;
                self.fall_silent().await
            }
            Behaviour::Drip { bytes, every } => {
                for byte in bytes.chunks(1) {
                    sleep(every).await;
                    self.say(byte).await?;
                }
                self.finish(Ended::ClosedByUs).await
            }
            Behaviour::Echo => self.echo().await,
            Behaviour::Sink => {
                while self.read().await? > 0 {}
                self.finish(Ended::ClosedByPeer).await
            }
            Behaviour::Flood => self.flood().await,
            #[cfg(feature = "tls")]
            Behaviour::Tls { certificate, then } => {
                let connection = self.shake_hands(certificate).await?;
                Box::pin(connection.act(*then)).await
            }
        }
    }

    /// Reads something; 0 is the client's end.
    async fn read(&mut self) -> io::Result<usize> {
        self.read_at_most(BUFFER, |_| {}).await
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

    /// Reads so many bytes and not one more; false when the client ended before.
    async fn read_exactly(&mut self, mut bytes: u64) -> io::Result<bool> {
        while bytes > 0 {
            let most = usize::try_from(bytes).unwrap_or(BUFFER);
            match self.read_at_most(most, |_| {}).await? {
                0 => return Ok(false),
                read => bytes -= read as u64,
            }
        }
        Ok(true)
    }

    /// Holds what is said next until the end is said too: one packet instead of two, for which the
    /// client wakes once. Elsewhere than on Linux they stay two.
    fn hold(&self) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = SockRef::from(self.stream.socket()).set_tcp_cork(true);
    }

    async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        say(&mut self.stream, bytes, |wrote: &[u8]| self.ledger.wrote(self.number, wrote)).await
    }

    async fn echo(&mut self) -> io::Result<Ended> {
        let mut heard = Vec::new();
        while self.read_at_most(BUFFER, |bytes| heard.extend_from_slice(bytes)).await? > 0 {
            self.say(&heard).await?;
            heard.clear();
        }
        self.finish(Ended::ClosedByPeer).await
    }

    async fn flood(&mut self) -> io::Result<Ended> {
        // Every byte value, in no order a parser would like; the same at every run.
        let mut junk = vec![0; 16 * 1024];
        let mut state = 0x2545_f491_u32;
        for byte in &mut junk {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (state >> 24) as u8;
        }
        loop {
            self.say(&junk).await?;
        }
    }

    /// Says the end, then reads on until the client ends too.
    async fn finish(&mut self, ended: Ended) -> io::Result<Ended> {
        match self.stream.shutdown().await {
            // The client is gone already; how it ended does not change by that.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
            result => result?,
        }
        if ended == Ended::ClosedByUs {
            self.drain().await;
        }
        Ok(ended)
    }

    /// Reads to the client's end, so that nothing unread turns our end into a reset. How the
    /// client leaves after our end is its own affair.
    async fn drain(&mut self) {
        let _ = timeout(DRAIN, async { while matches!(self.read().await, Ok(1..)) {} }).await;
    }

    /// Arms the reset; it leaves when the socket is dropped.
    fn reset(&mut self) -> io::Result<Ended> {
        SockRef::from(self.stream.socket()).set_linger(Some(Duration::ZERO))?;
        Ok(Ended::ResetByUs)
    }

    /// Reads and never says another byte, not even the end.
    async fn fall_silent(&mut self) -> io::Result<Ended> {
        while self.read().await? > 0 {}
        // The client has ended, or only its sending half has: from here that looks the same until
        // keepalive finds nobody there. Nothing wakes a reader after an end, so it is asked.
        loop {
            sleep(Duration::from_secs(1)).await;
            if self.stream.socket().take_error()?.is_some() {
                return Ok(Ended::ClosedByPeer);
            }
        }
    }

    #[cfg(feature = "tls")]
    async fn shake_hands(self, certificate: crate::tls::Certificate) -> io::Result<Self> {
        let Some(identities) = self.identities.clone() else {
            return Err(io::Error::other("no certificates were made for this script"));
        };
        let stream = identities.shake_hands(certificate, self.stream).await?;
        Ok(Self { stream, ..self })
    }
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

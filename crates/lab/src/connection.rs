//! One connection, behaving.
//!
//! Each behaviour is an arm of one `match`, made of five small acts: read, say, finish, reset,
//! fall silent. Every act notes what it did in the ledger. Memory is one buffer per connection,
//! whatever the client sends. Start at [`Connection::behave`].

use std::io;
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::behaviour::Behaviour;
use crate::seen::{Ended, Ledger};
use crate::stream::Stream;
#[cfg(feature = "tls")]
use crate::tls::{self, Handshake};
use crate::transcript::{Conversation, Turn};

/// Bytes read at once; 4,096 connections hold 32 MiB.
const BUFFER: usize = 8 * 1024;

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
    buffer: Box<[u8]>,
    #[cfg(feature = "tls")]
    identities: Option<Arc<tls::Identities>>,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, ledger: Arc<Ledger>, number: u64) -> Self {
        // Small pieces leave as they are said. Both options are wishes: a client that is gone
        // already shows itself at the first read.
        let _ = stream.set_nodelay(true);
        // So that a stall does not keep the connections of clients that left long ago.
        let keepalive = TcpKeepalive::new()
            .with_time(Duration::from_secs(30))
            .with_interval(Duration::from_secs(10))
            .with_retries(3);
        let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
        Self {
            stream: Stream::Tcp(stream),
            ledger,
            number,
            buffer: vec![0; BUFFER].into(),
            #[cfg(feature = "tls")]
            identities: None,
        }
    }

    #[cfg(feature = "tls")]
    pub(crate) fn with(mut self, identities: Option<Arc<tls::Identities>>) -> Self {
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
                self.say(&bytes).await?;
                self.finish(Ended::ClosedByUs).await
            }
            Behaviour::Answer(bytes) => self.answer(&bytes).await,
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
            Behaviour::Converse(transcript) => self.converse(Conversation::new(transcript)).await,
            #[cfg(feature = "tls")]
            Behaviour::Tls { certificate, then } => {
                let connection = self.shake_hands(&certificate).await?;
                Box::pin(connection.act(*then)).await
            }
            #[cfg(feature = "tls")]
            Behaviour::Handshake(handshake) => match handshake {
                Handshake::Stall => self.fall_silent().await,
                Handshake::StallAfterHello => self.stall_after_hello().await,
                Handshake::Alert => self.answer(tls::ALERT).await,
                Handshake::Old => self.answer(tls::OLD).await,
            },
        }
    }

    /// Reads something into the buffer; 0 is the client's end.
    async fn read(&mut self) -> io::Result<usize> {
        self.read_at_most(BUFFER).await
    }

    async fn read_at_most(&mut self, most: usize) -> io::Result<usize> {
        let read = self.stream.read(&mut self.buffer[..most]).await?;
        self.ledger.read(self.number, &self.buffer[..read]);
        Ok(read)
    }

    /// Reads so many bytes and not one more; false when the client ended before.
    async fn read_exactly(&mut self, mut bytes: u64) -> io::Result<bool> {
        while bytes > 0 {
            let most = usize::try_from(bytes).unwrap_or(BUFFER).min(BUFFER);
            match self.read_at_most(most).await? {
                0 => return Ok(false),
                read => bytes -= read as u64,
            }
        }
        Ok(true)
    }

    async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        say(&mut self.stream, bytes, |wrote| self.ledger.wrote(self.number, wrote)).await
    }

    async fn answer(&mut self, bytes: &[u8]) -> io::Result<Ended> {
        if self.read().await? == 0 {
            return self.finish(Ended::ClosedByPeer).await;
        }
        self.say(bytes).await?;
        self.finish(Ended::ClosedByUs).await
    }

    async fn echo(&mut self) -> io::Result<Ended> {
        loop {
            let read = self.read().await?;
            if read == 0 {
                return self.finish(Ended::ClosedByPeer).await;
            }
            let note = |wrote| self.ledger.wrote(self.number, wrote);
            say(&mut self.stream, &self.buffer[..read], note).await?;
        }
    }

    async fn converse(&mut self, mut conversation: Conversation) -> io::Result<Ended> {
        let mut next = conversation.greeting();
        loop {
            while let Some(Turn { say, close }) = next {
                self.say(&say).await?;
                if close {
                    return self.finish(Ended::ClosedByUs).await;
                }
                next = conversation.turn();
            }
            let read = self.read().await?;
            if read == 0 {
                return self.finish(Ended::ClosedByPeer).await;
            }
            conversation.hear(&self.buffer[..read]);
            next = conversation.turn();
        }
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
    async fn shake_hands(self, certificate: &tls::Certificate) -> io::Result<Self> {
        let stream = self.identities()?.shake_hands(certificate, self.stream).await?;
        Ok(Self { stream, ..self })
    }

    #[cfg(feature = "tls")]
    async fn stall_after_hello(&mut self) -> io::Result<Ended> {
        let mut hello = self.identities()?.hello()?;
        loop {
            let read = self.read().await?;
            if read == 0 {
                return self.finish(Ended::ClosedByPeer).await;
            }
            if let Some(bytes) = hello.hear(&self.buffer[..read])? {
                self.say(&bytes).await?;
                return self.fall_silent().await;
            }
        }
    }

    #[cfg(feature = "tls")]
    fn identities(&self) -> io::Result<Arc<tls::Identities>> {
        self.identities
            .clone()
            .ok_or_else(|| io::Error::other("no certificates were made for this script"))
    }
}

/// Writes all bytes, noting each piece that the kernel took.
async fn say(stream: &mut Stream, mut bytes: &[u8], note: impl Fn(usize)) -> io::Result<()> {
    while !bytes.is_empty() {
        let wrote = stream.write(bytes).await?;
        if wrote == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        note(wrote);
        bytes = &bytes[wrote..];
    }
    stream.flush().await
}

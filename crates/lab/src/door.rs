//! One port that is open, shut or full.
//!
//! The port stays the lab's own in all three: a second socket, bound and never listening, holds it
//! while the listening one comes and goes. It does not know when to be which; that is `server`.
//! Start at [`Door`].

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::TcpListener;

use crate::behaviour::Outage;

/// How long a request to a full backlog is given to turn out unanswered. On the machine itself an
/// answer takes microseconds.
const UNANSWERED: Duration = Duration::from_millis(25);

/// Whether what is set on a listening socket holds for what it accepts: five system calls fewer
/// for each connection.
const INHERITED: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// A port and what it does with connection requests.
///
/// A change takes effect at once: connections accepted before live on, those that the kernel has
/// taken and nobody has accepted yet are reset.
#[derive(Debug)]
pub(crate) struct Door {
    address: SocketAddr,
    backlog: i32,
    state: State,
    keeper: Socket,
}

#[derive(Debug)]
enum State {
    /// Nobody listens: requests are refused.
    Shut,
    /// Requests become connections.
    Open(TcpListener),
    /// The backlog is full of our own connections: further requests are dropped.
    Full { _listener: Socket, _crowd: Vec<TcpStream> },
}

impl Door {
    /// Takes the port, and leaves it shut.
    pub(crate) fn bind(address: SocketAddr, backlog: u32) -> io::Result<Self> {
        // What an earlier listener left on the way out (TIME_WAIT) is not in the way of the second.
        let keeper = bound(address, false).or_else(|_| bound(address, true))?;
        keeper.set_reuse_address(false)?;
        let address = keeper.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidInput)?;
        let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        Ok(Self { address, backlog, state: State::Shut, keeper })
    }

    /// Where the door is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection. Opens the door first where it is not open.
    pub(crate) async fn accept(&mut self) -> io::Result<(tokio::net::TcpStream, SocketAddr)> {
        let (stream, peer) = self.open()?.accept().await?;
        if !INHERITED {
            wish(&SockRef::from(&stream));
        }
        Ok((stream, peer))
    }

    /// Lets connections in. Must be called within a runtime.
    pub(crate) fn open(&mut self) -> io::Result<&TcpListener> {
        if !matches!(self.state, State::Open(_)) {
            self.state = State::Shut; // the old listener goes first, or the port is in use
            let listener = self.listen(self.backlog)?;
            listener.set_nonblocking(true)?;
            self.state = State::Open(TcpListener::from_std(listener.into())?);
        }
        match &self.state {
            State::Open(listener) => Ok(listener),
            State::Shut | State::Full { .. } => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Lets nobody in.
    pub(crate) fn close(&mut self, outage: Outage) -> io::Result<()> {
        self.state = State::Shut;
        match outage {
            Outage::Refuse => Ok(()),
            Outage::Blackhole => self.fill(),
        }
    }

    /// A listening socket beside the keeper, which shares the address for this moment only: a
    /// stranger would get it as well.
    fn listen(&self, backlog: i32) -> io::Result<Socket> {
        self.keeper.set_reuse_address(true)?;
        let listening = bound(self.address, true).and_then(|listener| {
            if INHERITED {
                wish(&listener);
            }
            listener.listen(backlog)?;
            Ok(listener)
        });
        self.keeper.set_reuse_address(false)?;
        listening
    }

    /// Fills the backlog until a request stays unanswered.
    fn fill(&mut self) -> io::Result<()> {
        let listener = self.listen(0)?;
        let mut crowd = Vec::new();
        while crowd.len() < 64 {
            match TcpStream::connect_timeout(&self.address, UNANSWERED) {
                Ok(stream) => crowd.push(stream),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    self.state = State::Full { _listener: listener, _crowd: crowd };
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this system answers connection requests to a full backlog; use `refuse` instead",
        ))
    }
}

/// What every connection should be like. These are wishes: a client that is gone already shows
/// itself at the first read.
fn wish(socket: &Socket) {
    // Small pieces leave as they are said.
    let _ = socket.set_tcp_nodelay(true);
    // So that a stall does not keep the connections of clients that left long ago.
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(30))
        .with_interval(Duration::from_secs(10))
        .with_retries(3);
    let _ = socket.set_tcp_keepalive(&keepalive);
}

/// A socket bound to the address, not listening; one that shares gets in beside others that do.
fn bound(address: SocketAddr, share: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Also beside connections of an earlier listener.
    socket.set_reuse_address(share)?;
    // Elsewhere two sockets on one address need this as well; on Linux it would split the
    // connections among strangers.
    #[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

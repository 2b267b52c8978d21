//! One socket, and how one address is dialled.
//!
//! Every connection gets TCP_NODELAY, keepalive (30 s idle, every 10 s, 3 times) and
//! TCP_USER_TIMEOUT (`limits.dead`, 60 s). No time limit here: the race has it, and dropping the
//! future ends the dial. Start at [`dial`].

use std::{
    io::{self, IoSlice},
    net::{IpAddr, Shutdown, SocketAddr},
    os::fd::{AsFd, BorrowedFd},
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use redial_core::{Address, Errno, Kind, printable};
use socket2::{Domain, Protocol, SockAddr, SockRef, TcpKeepalive, Type};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
    time,
};

use crate::errno::{self, Moment, classify};

/// How a socket is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// The source address: `--bind`.
    pub(crate) bind: Option<IpAddr>,
    /// How long bytes may stay unacknowledged (`limits.dead`); `None` sets nothing.
    pub(crate) dead: Option<Duration>,
}

/// Where to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Ip(SocketAddr),
    Unix(PathBuf),
}

impl Peer {
    /// The same, as failures name it.
    pub(crate) fn address(&self) -> Address {
        match self {
            Self::Ip(address) => Address::Ip(*address),
            Self::Unix(path) => Address::Unix(printable(&path.to_string_lossy()).into()),
        }
    }
}

/// Why an address did not connect.
pub(crate) type Refusal = (Kind, Option<Errno>);

/// A socket that connected.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) socket: Socket,
    /// That it was reset since. The kernel tells so only once, and would call it a clean end to
    /// whoever reads next.
    pub(crate) told: Option<i32>,
}

/// Connects to one address.
pub(crate) async fn dial(peer: Peer, options: Options) -> Result<Connected, Refusal> {
    match peer {
        Peer::Ip(to) => dial_tcp(to, options).await,
        Peer::Unix(path) => {
            let stream = dial_unix(&path).await?;
            Ok(Connected { socket: Socket::Unix(stream), told: None })
        }
    }
}

async fn dial_tcp(to: SocketAddr, options: Options) -> Result<Connected, Refusal> {
    let socket = prepare(to, options)?;
    let connecting =
        |error: &io::Error, at_once| classify(error, Moment::Connecting { to, at_once });
    match socket.connect(&to.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(error) => return Err(connecting(&error, true)),
    }
    // Before a connection stands, a reset is ECONNREFUSED: one that was reset stood.
    let told = |error: Option<io::Error>| match error {
        None => Ok(None),
        Some(error) => match error.raw_os_error() {
            Some(number @ (libc::ECONNRESET | libc::EPIPE)) => Ok(Some(number)),
            _ => Err(connecting(&error, false)),
        },
    };
    // A refusal from this machine, or one beside it, is here already: nothing to register and to
    // wait for.
    let early = told(socket.take_error().unwrap_or_else(Some))?;
    let stream = TcpStream::from_std(socket.into()).map_err(|error| preparing(&error))?;
    stream.writable().await.map_err(|error| connecting(&error, false))?;
    let told = early.or(told(stream.take_error().unwrap_or_else(Some))?);
    // A port of the ephemeral range on this machine, dialled often enough while nobody listens,
    // ends up connected to itself (simultaneous open, RFC 9293, 3.5). Nobody is there.
    if stream.local_addr().ok() == Some(to) {
        return Err((Kind::Refused, None));
    }
    live(&stream, options);
    Ok(Connected { socket: Socket::Tcp(stream), told })
}

/// What a connection is given once it stands: who dials every few milliseconds gets no further
/// most times. Options that a system does not know do not keep anyone from connecting.
fn live(stream: &TcpStream, options: Options) {
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_nodelay(true);
    let _ = socket.set_tcp_keepalive(&keepalive());
    // Before the connection stood, it would have cut the SYN's own retries short as well.
    #[cfg(target_os = "linux")]
    let _ = socket.set_tcp_user_timeout(options.dead);
    #[cfg(not(target_os = "linux"))]
    let _ = options.dead;
}

fn prepare(to: SocketAddr, options: Options) -> Result<socket2::Socket, Refusal> {
    if options.bind.is_some_and(|from| from.is_ipv4() != to.is_ipv4()) {
        // Another IP version than the source's: what connect(2) would say, in clearer words.
        return Err((Kind::Unreachable, Some(errno::errno(libc::EAFNOSUPPORT))));
    }
    let make = || {
        let domain = Domain::for_address(to);
        // One call instead of three, where the system has it.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let socket = socket2::Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let socket = socket2::Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        socket.set_nonblocking(true)?;
        if let Some(from) = options.bind {
            socket.bind(&SocketAddr::new(from, 0).into())?;
        }
        Ok(socket)
    };
    make().map_err(|error| preparing(&error))
}

/// Returns true if `address` can be bound, so that it is an address of this machine.
pub(crate) fn is_local(address: IpAddr) -> bool {
    std::net::UdpSocket::bind((address, 0)).is_ok()
}

fn preparing(error: &io::Error) -> Refusal {
    classify(error, Moment::Preparing)
}

fn keepalive() -> TcpKeepalive {
    TcpKeepalive::new()
        .with_time(Duration::from_secs(30))
        .with_interval(Duration::from_secs(10))
        .with_retries(3)
}

/// Unix sockets answer at once. A full backlog is EAGAIN, with nothing to wait on: as TCP does
/// with a SYN nobody answers, it is tried again, 10 ms to 250 ms apart, until the race's limit
/// makes it a `connect-timeout`. The server is there and busy; nothing here is exhausted.
async fn dial_unix(path: &Path) -> Result<UnixStream, Refusal> {
    const FIRST_PAUSE: Duration = Duration::from_millis(10);
    const LAST_PAUSE: Duration = Duration::from_millis(250);

    let connecting = |error: &io::Error| classify(error, Moment::ConnectingUnix);
    let to = SockAddr::unix(path).map_err(|error| connecting(&error))?;
    let mut pause = FIRST_PAUSE;
    loop {
        let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)
            .and_then(|socket| socket.set_nonblocking(true).map(|()| socket))
            .map_err(|error| preparing(&error))?;
        match socket.connect(&to) {
            Ok(()) => {
                let stream = std::os::unix::net::UnixStream::from(socket);
                return UnixStream::from_std(stream).map_err(|error| preparing(&error));
            }
            Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => {
                time::sleep(pause).await;
                pause = (pause * 2).min(LAST_PAUSE);
            }
            Err(error) => return Err(connecting(&error)),
        }
    }
}

/// A connected socket. Each half keeps its own waker, as tokio's own streams do.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// The TCP stream, where it is one.
    pub(crate) fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(stream) => Some(stream),
            Self::Unix(_) => None,
        }
    }

    /// shutdown(2) of the sending half: after what is queued, the peer receives our end (FIN).
    pub(crate) fn end_writing(&self) -> io::Result<()> {
        SockRef::from(self).shutdown(Shutdown::Write)
    }

    /// Sets TCP_USER_TIMEOUT; `None` is the system's own limit. Unix sockets have none.
    pub(crate) fn set_dead_limit(&self, limit: Option<Duration>) {
        #[cfg(target_os = "linux")]
        if matches!(self, Self::Tcp(_)) {
            // As in `live`: a system that does not know it keeps nobody from going on.
            let _ = SockRef::from(self).set_tcp_user_timeout(limit);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = limit;
    }

    /// The error that nobody has been told yet, taken away from the next who asks.
    pub(crate) fn take_error(&self) -> Option<io::Error> {
        SockRef::from(self).take_error().unwrap_or_else(Some)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

/// Hands a poll to whichever stream is inside.
macro_rules! inside {
    ($socket:expr, $stream:ident => $poll:expr) => {
        match $socket.get_mut() {
            Socket::Tcp(stream) => {
                let $stream = Pin::new(stream);
                $poll
            }
            Socket::Unix(stream) => {
                let $stream = Pin::new(stream);
                $poll
            }
        }
    };
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        inside!(self, stream => stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        inside!(self, stream => stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        inside!(self, stream => stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        inside!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        inside!(self, stream => stream.poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::os::unix::net::UnixListener;

    use tokio::net::TcpListener;

    use super::*;

    async fn refusal(peer: Peer, options: Options) -> (Kind, &'static str) {
        let (kind, errno) = dial(peer, options).await.unwrap_err();
        (kind, errno.map_or("", |errno| errno.name))
    }

    #[tokio::test]
    async fn the_options_are_set() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = Peer::Ip(listener.local_addr().unwrap());
        let options =
            Options { bind: Some(Ipv4Addr::LOCALHOST.into()), dead: Some(Duration::from_secs(60)) };
        let socket = dial(to, options).await.unwrap().socket;
        let socket = SockRef::from(&socket);
        assert!(socket.tcp_nodelay().unwrap());
        assert!(socket.keepalive().unwrap());
        #[cfg(target_os = "linux")]
        {
            assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(30));
            assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(10));
            assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
            assert_eq!(socket.tcp_user_timeout().unwrap(), options.dead);
        }
    }

    #[tokio::test]
    async fn a_bound_port_that_does_not_listen_refuses() {
        let socket = socket2::Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        let to = socket.local_addr().unwrap().as_socket().unwrap();
        let found = refusal(Peer::Ip(to), Options::default()).await;
        assert_eq!(found, (Kind::Refused, "ECONNREFUSED"));
    }

    #[tokio::test]
    async fn a_source_of_the_other_ip_version_reaches_nothing() {
        let options = Options { bind: Some(Ipv6Addr::LOCALHOST.into()), dead: None };
        let found = refusal(Peer::Ip(([127, 0, 0, 1], 1).into()), options).await;
        assert_eq!(found, (Kind::Unreachable, "EAFNOSUPPORT"));
    }

    #[tokio::test]
    async fn bind_to_foreign_address_is_exhausted() {
        let options = Options { bind: Some(Ipv4Addr::new(192, 0, 2, 7).into()), dead: None };
        let found = refusal(Peer::Ip(([127, 0, 0, 1], 1).into()), options).await;
        assert_eq!(found, (Kind::Exhausted, "EADDRNOTAVAIL"));
    }

    #[tokio::test]
    async fn unix_sockets_that_are_not_there_and_that_nobody_listens_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let found = refusal(Peer::Unix(path.clone()), Options::default()).await;
        assert_eq!(found, (Kind::NoSocket, "ENOENT"));
        drop(UnixListener::bind(&path).unwrap());
        let found = refusal(Peer::Unix(path), Options::default()).await;
        assert_eq!(found, (Kind::Refused, "ECONNREFUSED"));
    }

    #[cfg(target_os = "linux")] // elsewhere a full backlog refuses
    #[tokio::test(start_paused = true)]
    async fn a_busy_unix_socket_is_tried_again_until_there_is_room() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let listener = socket2::Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        listener.bind(&SockAddr::unix(&path).unwrap()).unwrap();
        listener.listen(0).unwrap();
        let _first = dial_unix(&path).await.unwrap();
        let mut second = Box::pin(dial_unix(&path));
        let in_time = time::timeout(Duration::from_secs(60), &mut second).await;
        assert!(in_time.is_err(), "the backlog is full");
        listener.accept().unwrap();
        assert!(second.await.is_ok());
    }
}

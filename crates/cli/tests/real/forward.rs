//! A port in front of a server: what a port-forwarding proxy is to a client, or a client's own
//! address to a server.
//!
//! What it forwards it does not read; the end of one side is passed on to the other. Start at
//! [`Forward::late`] or [`Forward::as_from`].

use std::{
    io,
    net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};

/// A proxy of a test's own. Dropped, it listens no more.
pub(crate) struct Forward {
    address: SocketAddr,
    opens: Instant,
    shared: Arc<Shared>,
    listens: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    over: AtomicBool,
    closed: AtomicUsize,
    forwarded: AtomicUsize,
}

impl Forward {
    /// As docker-proxy while a container boots: closes what it accepts for so long, then forwards,
    /// and closes as well where the server does not listen.
    pub(crate) fn late(server: SocketAddr, closes_for: Duration) -> Self {
        Self::start(server, Ipv4Addr::LOCALHOST, closes_for)
    }

    /// The server sees every client come from this address, of loopback.
    pub(crate) fn as_from(source: Ipv4Addr, server: SocketAddr) -> Self {
        Self::start(server, source, Duration::ZERO)
    }

    fn start(server: SocketAddr, source: Ipv4Addr, closes_for: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (opens, shared) = (Instant::now() + closes_for, Arc::<Shared>::default());
        let seen = Arc::clone(&shared);
        let listens = thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if seen.over.load(Ordering::Acquire) {
                    return;
                }
                let forwards = Instant::now() >= opens;
                match forwards.then(|| dial(source, server)) {
                    Some(Ok(server)) => {
                        seen.forwarded.fetch_add(1, Ordering::AcqRel);
                        forward(client, server);
                    }
                    Some(Err(_)) | None => {
                        seen.closed.fetch_add(1, Ordering::AcqRel);
                    }
                }
            }
        });
        Self { address, opens, shared, listens: Some(listens) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// From when on it forwards.
    pub(crate) fn opens(&self) -> Instant {
        self.opens
    }

    /// Connections closed, and connections forwarded, until now.
    pub(crate) fn seen(&self) -> (usize, usize) {
        let Shared { closed, forwarded, .. } = &*self.shared;
        (closed.load(Ordering::Acquire), forwarded.load(Ordering::Acquire))
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        // It looks when somebody comes.
        drop(TcpStream::connect(self.address));
        if let Some(listens) = self.listens.take() {
            drop(listens.join());
        }
    }
}

/// The standard library connects from where the kernel chooses only.
fn dial(source: Ipv4Addr, server: SocketAddr) -> io::Result<TcpStream> {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddrV4::new(source, 0))?;
    connect(&socket, &server)?;
    Ok(TcpStream::from(socket))
}

/// Both ways, each to its end; the threads go with the connections.
fn forward(client: TcpStream, server: TcpStream) {
    let back = (server.try_clone(), client.try_clone());
    thread::spawn(move || copy(&client, &server));
    if let (Ok(server), Ok(client)) = back {
        thread::spawn(move || copy(&server, &client));
    }
}

fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    drop(io::copy(&mut from, &mut to));
    drop(to.shutdown(Shutdown::Write));
}

//! A port that a proxy holds for a server that still boots, as docker-proxy does: it accepts, and
//! closes; from a moment on it forwards.
//!
//! What it forwards it does not read. Start at [`Late::start`].

use std::{
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// A proxy of a test's own. Dropped, it listens no more.
pub(crate) struct Late {
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

impl Late {
    /// Closes what it accepts for so long, then forwards to the server. Where that does not listen
    /// it closes as well.
    pub(crate) fn start(server: SocketAddr, closes_for: Duration) -> Self {
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
                match forwards.then(|| TcpStream::connect(server)) {
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

impl Drop for Late {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        // It looks when somebody comes.
        drop(TcpStream::connect(self.address));
        if let Some(listens) = self.listens.take() {
            drop(listens.join());
        }
    }
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

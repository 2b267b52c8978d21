//! The handle: start, address, what was seen, stop.
//!
//! It does not serve; that happens on the thread it holds, in `server`. Start at [`Lab::start`].

use std::io;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, oneshot};

use crate::door::Door;
use crate::pace::Pace;
use crate::script::{Cursor, Script};
use crate::seen::{Ledger, Seen, Totals};
use crate::server::Server;

/// A server that misbehaves on purpose, until it is dropped.
///
/// It serves on a thread of its own. Dropping it waits for that thread, and ends every connection
/// as the end of a process would.
#[derive(Debug)]
#[must_use = "the server stops when it is dropped"]
pub struct Lab {
    address: SocketAddr,
    ledger: Arc<Ledger>,
    #[cfg(feature = "tls")]
    identities: Option<Arc<crate::tls::Identities>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// How much of a lab there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections served at once: 4,096. More wait in the backlog.
    pub at_once: usize,
    /// Connections remembered one by one: the last 1,024. Totals are never lost.
    pub kept: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { at_once: 4096, kept: 1024 }
    }
}

impl Lab {
    /// Starts on a free port of 127.0.0.1. A [`Behaviour`](crate::Behaviour), an
    /// [`Outage`](crate::Outage), a [`Name`](crate::Name) and a [`Script`] will do.
    ///
    /// The first entry of the script is in force when this returns, and its time counts from here.
    ///
    /// # Errors
    ///
    /// No port, no thread or no certificate could be had, or this system cannot do what the
    /// first entry says (a black hole, outside Linux).
    pub fn start(script: impl Into<Script>) -> io::Result<Self> {
        Self::bind((Ipv4Addr::LOCALHOST, 0), script)
    }

    /// Starts on this address, such as `"[::1]:0"`; port 0 is a free one. Of several addresses,
    /// the first that can be bound.
    ///
    /// # Errors
    ///
    /// As [`Lab::start`], and when the address cannot be had.
    pub fn bind(address: impl ToSocketAddrs, script: impl Into<Script>) -> io::Result<Self> {
        Self::bind_within(Limits::default(), address, script)
    }

    /// Starts on this address, within other limits than 4,096 connections at once and 1,024
    /// remembered.
    ///
    /// # Errors
    ///
    /// As [`Lab::bind`].
    pub fn bind_within(
        limits: Limits,
        address: impl ToSocketAddrs,
        script: impl Into<Script>,
    ) -> io::Result<Self> {
        let started = Instant::now();
        let script = script.into();
        let door = first_free(address)?;
        let address = door.address();
        let ledger = Arc::new(Ledger::new(started, limits.kept));
        #[cfg(feature = "tls")]
        let identities = crate::tls::Identities::for_script(&script, address.ip())?.map(Arc::new);

        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let mut server = Server {
            door,
            cursor: Cursor::new(script),
            pace: Pace::new(),
            ledger: Arc::clone(&ledger),
            places: Arc::new(Semaphore::new(limits.at_once.min(Semaphore::MAX_PERMITS))),
            #[cfg(feature = "tls")]
            identities: identities.clone(),
        };
        {
            let _within = runtime.enter();
            server.enter()?;
        }
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("redial-lab".to_owned())
            .spawn(move || serve(&runtime, server, started, stopped))?;
        Ok(Self {
            address,
            ledger,
            #[cfg(feature = "tls")]
            identities,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where the server is, with the port it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate authority, as PEM, that signed the certificates of this lab: a client that
    /// trusts it accepts [`Certificate::Trusted`](crate::Certificate::Trusted). Each lab has its
    /// own; `None` without TLS in the script, or with certificates of the user's own only.
    #[cfg(feature = "tls")]
    pub fn ca_pem(&self) -> Option<&str> {
        self.identities.as_ref().and_then(|identities| identities.ca_pem())
    }

    /// A certificate that the authority signed for a client, and its key, as one PEM text: what
    /// [`Certificate::ClientWanted`](crate::Certificate::ClientWanted) wants. `None` without that
    /// in the script.
    #[cfg(feature = "tls")]
    pub fn client_identity_pem(&self) -> Option<&str> {
        self.identities.as_ref().and_then(|identities| identities.client_pem())
    }

    /// What the server saw so far.
    pub fn seen(&self) -> Seen {
        self.ledger.snapshot()
    }

    /// Blocks until so many connections were accepted; false when the time is over before.
    #[must_use]
    pub fn wait_for_connections(&self, connections: u64, time: Duration) -> bool {
        self.wait_until(time, |totals| totals.connections >= connections)
    }

    /// Blocks until so many connections have ended; false when the time is over before. One that
    /// the server closed has ended when the client has ended it too, 10 s later at most.
    #[must_use]
    pub fn wait_for_ends(&self, ended: u64, time: Duration) -> bool {
        self.wait_until(time, |totals| totals.ended >= ended)
    }

    /// Blocks until the totals are as asked; false when the time is over before. It is asked
    /// again after every change.
    #[must_use]
    pub fn wait_until(&self, time: Duration, enough: impl FnMut(&Totals) -> bool) -> bool {
        self.ledger.wait_until(time, enough)
    }

    /// Stops the server, as dropping it does, and gives what it saw.
    pub fn stop(mut self) -> Seen {
        self.end();
        self.ledger.snapshot()
    }

    fn end(&mut self) {
        self.stop.take(); // the other half hears that this one is gone
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // nothing is left to stop in a thread that panicked
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.end();
    }
}

/// The lab's thread. The runtime is dropped with it, and every connection with the runtime.
fn serve(runtime: &Runtime, server: Server, started: Instant, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async {
        tokio::select! {
            _ = stopped => {}
            () = server.run(started.into()) => {}
        }
    });
}

fn first_free(addresses: impl ToSocketAddrs) -> io::Result<Door> {
    let mut failure = io::Error::new(io::ErrorKind::InvalidInput, "no address to bind");
    for address in addresses.to_socket_addrs()? {
        match Door::bind(address) {
            Ok(door) => return Ok(door),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

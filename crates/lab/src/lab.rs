//! The handle: start, address, what was seen, stop.
//!
//! It does not serve; that happens on the thread it holds, in `server`. What can be set before the
//! start is in `builder`. Start at [`Lab::start`].

use std::io;
use std::iter;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::builder::Builder;
use crate::script::Script;
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
    /// The one that serves, and the one that tells of ends: joined in this order.
    threads: Vec<JoinHandle<()>>,
}

impl Lab {
    /// Starts on a free port of 127.0.0.1. A [`Behaviour`](crate::Behaviour), an
    /// [`Outage`](crate::Outage), a [`Name`](crate::Name) and a [`Script`] will do.
    ///
    /// The first entry of the script is in force when this returns, and its time counts from here.
    ///
    /// # Errors
    ///
    /// As [`Builder::start`].
    pub fn start(script: impl Into<Script>) -> io::Result<Self> {
        Self::build(script).start()
    }

    /// Starts on this address, such as `"[::1]:0"`; port 0 is a free one. Of several addresses,
    /// the first that can be bound.
    ///
    /// # Errors
    ///
    /// As [`Builder::start`].
    pub fn bind(address: impl ToSocketAddrs, script: impl Into<Script>) -> io::Result<Self> {
        Self::build(script).bind(address).start()
    }

    /// A lab with other settings than the usual ones; [`Builder::start`] starts it.
    pub fn build(script: impl Into<Script>) -> Builder {
        Builder::new(script.into())
    }

    pub(crate) fn run(
        runtime: Runtime,
        server: Server,
        started: Instant,
        teller: Option<JoinHandle<()>>,
    ) -> io::Result<Self> {
        let (address, ledger) = (server.door.address(), Arc::clone(&server.ledger));
        #[cfg(feature = "tls")]
        let identities = server.identities.clone();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("redial-lab".to_owned())
            .spawn(move || serve(&runtime, server, started, stopped))?;
        Ok(Self {
            address,
            ledger,
            #[cfg(feature = "tls")]
            identities,
            stop: Some(stop),
            threads: iter::once(thread).chain(teller).collect(),
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

    /// Whether the last of all connections has ended; only a lab that was built with
    /// [`Builder::connections`] has a last one.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ledger.is_over()
    }

    /// Blocks until the lab is over (see [`Lab::is_over`]); false when the time is over before.
    #[must_use]
    pub fn wait_for_end(&self, time: Duration) -> bool {
        self.wait_until(time, |totals| self.ledger.are_all(totals))
    }

    /// Blocks until the totals are as asked; false when the time is over before. It is asked
    /// again after every change, while the lab waits for it: asking the lab from within blocks.
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
        for thread in self.threads.drain(..) {
            // Who is told of an end may drop the lab, and cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join(); // nothing is left to stop in a thread that panicked
            }
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

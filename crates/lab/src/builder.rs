//! A lab before it starts: where, how much of it, and who is told of each end.
//!
//! Every setting has a default, so a lab in a test needs none of this. It does not serve; what it
//! starts is a [`Lab`]. Start at [`Builder`].

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;

use crate::door::Door;
use crate::ends::{self, Told};
use crate::lab::Lab;
use crate::pace::Pace;
use crate::script::{Cursor, Script};
use crate::seen::{Ledger, SeenConnection};
use crate::server::Server;

/// Settings of a lab that is not started yet; made by [`Lab::build`].
///
/// ```
/// use redial_lab::{Behaviour, Lab};
/// use std::io::Read;
/// use std::time::Duration;
///
/// let lab = Lab::build(Behaviour::say("hello\n"))
///     .connections(1)
///     .on_end(|seen| println!("{}: {} bytes out", seen.peer, seen.bytes_out))
///     .start()?;
/// std::net::TcpStream::connect(lab.address())?.read_to_string(&mut String::new())?;
/// assert!(lab.wait_for_end(Duration::from_secs(10)));
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "a lab serves once it is started"]
pub struct Builder {
    script: Script,
    /// A name that cannot be looked up is told at the start, where errors are told.
    addresses: io::Result<Vec<SocketAddr>>,
    at_once: usize,
    kept: usize,
    connections: Option<u64>,
    backlog: u32,
    told: Option<Told>,
}

impl Builder {
    pub(crate) fn new(script: Script) -> Self {
        Self {
            script,
            addresses: Ok(vec![(Ipv4Addr::LOCALHOST, 0).into()]),
            at_once: 4096,
            kept: 1024,
            connections: None,
            backlog: 4096,
            told: None,
        }
    }

    /// Where: `"[::1]:0"`, `"0.0.0.0:5432"`; port 0 is a free one. Of several addresses, the first
    /// that can be bound. By default a free port of 127.0.0.1.
    pub fn bind(mut self, address: impl ToSocketAddrs) -> Self {
        self.addresses = address.to_socket_addrs().map(Iterator::collect);
        self
    }

    /// Connections served at once: 4,096, and at least one. More wait in the backlog.
    ///
    /// Each takes a file descriptor of this process. A lab that runs out of them pauses and goes
    /// on when there are some again; `ulimit -n` says how many there are.
    pub fn at_once(mut self, connections: usize) -> Self {
        self.at_once = connections.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// Connections remembered one by one in [`Seen`](crate::Seen): the last 1,024. Totals are
    /// never lost.
    pub fn kept(mut self, connections: usize) -> Self {
        self.kept = connections;
        self
    }

    /// Accepts so many connections in all, then shuts the door: whoever comes later is refused,
    /// and whoever waits to be accepted is reset. When the last of them has ended the lab is over
    /// ([`Lab::is_over`]). By default there is no last one.
    pub fn connections(mut self, connections: u64) -> Self {
        self.connections = Some(connections);
        self
    }

    /// Connections that may wait to be accepted: 4,096. The kernel may allow fewer (on Linux
    /// `net.core.somaxconn`).
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = connections;
        self
    }

    /// Called once for every connection, with all that was seen of it, when it has ended; for one
    /// that lives when the lab is stopped, then, with `ended: None`.
    ///
    /// The calls are made one after the other on a thread of their own, so a slow one holds up no
    /// connection that lives. Until its call has returned, a connection counts as one of those
    /// served [at once](Builder::at_once): one who cannot keep up slows the accepting, and nothing
    /// is lost or piled up. It may ask the lab anything, and may even drop it. All calls have
    /// returned when [`Lab::stop`] has, or the drop. One that panics is the last.
    pub fn on_end(mut self, told: impl FnMut(&SeenConnection) + Send + 'static) -> Self {
        self.told = Some(Box::new(told));
        self
    }

    /// Starts. The first entry of the script is in force when this returns, and its time counts
    /// from here.
    ///
    /// # Errors
    ///
    /// - `AddrInUse`, `AddrNotAvailable`, `PermissionDenied`: the address cannot be had; the text
    ///   names it, and says what to do.
    /// - `Unsupported`: the first entry is a black hole, and this system is not Linux.
    /// - Whatever else the system said: the name cannot be looked up, no thread, no certificate.
    pub fn start(self) -> io::Result<Lab> {
        let started = Instant::now();
        let door = first_free(&self.addresses?, self.backlog)?;
        let ledger = Arc::new(Ledger::new(started, self.kept, self.connections));
        #[cfg(feature = "tls")]
        let identities =
            crate::tls::Identities::for_script(&self.script, door.address().ip())?.map(Arc::new);

        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let (ends, teller) = self.told.map(ends::start).transpose()?.unzip();
        let mut server = Server {
            door,
            cursor: Cursor::new(self.script),
            pace: Pace::new(),
            ledger: Arc::clone(&ledger),
            places: Arc::new(Semaphore::new(self.at_once)),
            left: self.connections,
            ends,
            #[cfg(feature = "tls")]
            identities,
        };
        {
            let _within = runtime.enter();
            server.enter()?;
        }
        Lab::run(runtime, server, started, teller)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("script", &self.script)
            .field("addresses", &self.addresses)
            .field("at_once", &self.at_once)
            .field("kept", &self.kept)
            .field("connections", &self.connections)
            .field("backlog", &self.backlog)
            .finish_non_exhaustive()
    }
}

/// The first address that can be had; of none, why the last could not.
fn first_free(addresses: &[SocketAddr], backlog: u32) -> io::Result<Door> {
    let mut failure = io::Error::new(io::ErrorKind::InvalidInput, "no address to listen on");
    for &address in addresses {
        match Door::bind(address, backlog) {
            Ok(door) => return Ok(door),
            Err(error) => failure = not_had(address, &error),
        }
    }
    Err(failure)
}

/// Why an address cannot be had, and what to do; the kind stays.
fn not_had(address: SocketAddr, error: &io::Error) -> io::Error {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("{address} is in use; choose another port, or 0 for a free one")
        }
        io::ErrorKind::AddrNotAvailable => {
            let advice = "0.0.0.0 and [::] are all of them";
            format!("{} is not an address of this machine; {advice}", address.ip())
        }
        io::ErrorKind::PermissionDenied => {
            format!("no right to listen on {address}; choose a port from 1024 up")
        }
        _ => format!("cannot listen on {address}: {error}"),
    };
    io::Error::new(error.kind(), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Root may listen everywhere, so no socket can be asked in every place this runs.
    #[test]
    fn a_port_without_the_right_to_it_is_named_with_what_to_do() {
        let error = not_had(([127, 0, 0, 1], 80).into(), &io::ErrorKind::PermissionDenied.into());
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(
            error.to_string(),
            "no right to listen on 127.0.0.1:80; choose a port from 1024 up"
        );
    }
}

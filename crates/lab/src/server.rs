//! The loop that accepts: it follows the script, and gives each connection its behaviour.
//!
//! One task per connection, so many at once and no more: beyond the limit clients wait in the
//! backlog. Dropping the loop's runtime drops every connection. Start at [`Server::run`].

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};

use crate::behaviour::{Behaviour, Outage};
use crate::connection::Connection;
use crate::door::Door;
use crate::ends::{Ending, Ends};
use crate::pace::Pace;
use crate::script::{Cursor, Entry};
use crate::seen::Ledger;

/// The pause after something that may pass: no file descriptors left, a port lost to a stranger.
const PAUSE: Duration = Duration::from_millis(20);

/// A door, and the script that is played at it.
pub(crate) struct Server {
    pub(crate) door: Door,
    pub(crate) cursor: Cursor,
    pub(crate) pace: Pace,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) places: Arc<Semaphore>,
    /// Connections that may still be accepted; `None` is without end.
    pub(crate) left: Option<u64>,
    pub(crate) ends: Option<Ends>,
    #[cfg(feature = "tls")]
    pub(crate) identities: Option<Arc<crate::tls::Identities>>,
}

impl Server {
    /// Puts the script's entry into force: from here on the door is as it should be. Must be
    /// called within a runtime.
    pub(crate) fn enter(&mut self) -> io::Result<()> {
        if self.left == Some(0) {
            return self.door.close(Outage::Refuse);
        }
        match self.cursor.entry() {
            Entry::Connections { .. } => self.door.open().map(|_| ()),
            Entry::Outage { outage, .. } => self.door.close(*outage),
        }
    }

    /// Plays the script until dropped. The first entry is in force already, since `since`.
    pub(crate) async fn run(mut self, mut since: Instant) {
        while self.left != Some(0) {
            match self.cursor.entry() {
                Entry::Connections { every, .. } => {
                    let every = *every;
                    self.pace.wait(every).await;
                    let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return };
                    // An error here is of a client that left before it was accepted, or a lack of
                    // file descriptors: neither ends the lab.
                    let Ok((stream, peer)) = self.door.accept().await else {
                        sleep(PAUSE).await;
                        continue;
                    };
                    self.pace.accepted(every);
                    let Some(behaviour) = self.cursor.accepted() else { continue };
                    self.left = self.left.map(|left| left - 1);
                    // Before the client hears or anybody is told of this connection: after the
                    // last one of an entry the door is shut when the next client comes.
                    self.enter_at_last().await;
                    self.serve(stream, peer, behaviour, place);
                }
                Entry::Outage { time, .. } => {
                    match (*time).and_then(|time| since.checked_add(time)) {
                        Some(end) => sleep_until(end).await,
                        None => std::future::pending().await,
                    }
                    self.cursor.advance();
                    self.enter_at_last().await;
                    self.pace = Pace::new();
                }
            }
            since = Instant::now();
        }
        // The door is shut, and those who were let in live on.
        std::future::pending().await
    }

    async fn enter_at_last(&mut self) {
        while self.enter().is_err() {
            sleep(PAUSE).await;
        }
    }

    fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        behaviour: Behaviour,
        place: OwnedSemaphorePermit,
    ) {
        let number = self.ledger.accepted(peer, behaviour.word());
        let ending = Ending::new(Arc::clone(&self.ledger), number, place, self.ends.clone());
        let connection = Connection::new(stream, Arc::clone(&self.ledger), number);
        #[cfg(feature = "tls")]
        let connection = connection.with(self.identities.clone());
        tokio::spawn(async move {
            connection.behave(behaviour).await;
            drop(ending);
        });
    }
}

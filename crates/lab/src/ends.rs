//! Telling somebody of each connection's end, on a thread of its own.
//!
//! A connection keeps its place among those served at once until the call about it has returned,
//! so the queue is never longer than that, however slow the listener. Start at [`start`].

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};

use tokio::sync::OwnedSemaphorePermit;

use crate::seen::{Ledger, SeenConnection};

/// Who is told.
pub(crate) type Told = Box<dyn FnMut(&SeenConnection) + Send>;

/// The way to who is told.
pub(crate) type Ends = Sender<(SeenConnection, OwnedSemaphorePermit)>;

/// Starts the thread; it ends when the last sender is gone and everything was told.
pub(crate) fn start(mut told: Told) -> io::Result<(Ends, JoinHandle<()>)> {
    let (ends, ended) = channel();
    let thread = thread::Builder::new().name("redial-lab-ends".to_owned()).spawn(move || {
        for (seen, _place) in ended {
            told(&seen);
        }
    })?;
    Ok((ends, thread))
}

/// Held by a connection's task. Dropped when the connection has ended, or with the lab: a
/// connection is told of once, whatever became of it.
pub(crate) struct Ending {
    ledger: Arc<Ledger>,
    number: u64,
    /// Taken once, when this is dropped.
    place: Option<OwnedSemaphorePermit>,
    ends: Option<Ends>,
}

impl Ending {
    pub(crate) fn new(
        ledger: Arc<Ledger>,
        number: u64,
        place: OwnedSemaphorePermit,
        ends: Option<Ends>,
    ) -> Self {
        Self { ledger, number, place: Some(place), ends }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let Some(ends) = self.ends.take() else { return self.ledger.forget(self.number) };
        if let (Some(seen), Some(place)) = (self.ledger.take(self.number), self.place.take()) {
            let _ = ends.send((seen, place)); // nobody listens any more after a panic
        }
    }
}

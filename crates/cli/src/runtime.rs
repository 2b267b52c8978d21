//! The runtime of one verb, and the orders to stop that it hears.
//!
//! One thread: redial waits far more than it works. It decides nothing about what an order means:
//! that is the session's. Start at [`runtime`].

use redial::Signal;
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use crate::error::Error;

/// What everything under way runs on.
pub(crate) fn runtime() -> Result<Runtime, Error> {
    Builder::new_current_thread().enable_all().build().map_err(|error| no_runtime(&error))
}

/// SIGINT and SIGTERM, as orders to stop. Within a runtime.
pub(crate) fn interrupts() -> Result<mpsc::UnboundedReceiver<Signal>, Error> {
    let hear = |kind| signal(kind).map_err(|error| no_runtime(&error));
    let (mut int, mut term) = (hear(SignalKind::interrupt())?, hear(SignalKind::terminate())?);
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let order = tokio::select! {
                Some(()) = int.recv() => Signal::Sigint,
                Some(()) = term.recv() => Signal::Sigterm,
                else => return,
            };
            if sender.send(order).is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

fn no_runtime(error: &std::io::Error) -> Error {
    Error::plain(format!("this process cannot wait for anything: {error}"), "see: ulimit -n")
}

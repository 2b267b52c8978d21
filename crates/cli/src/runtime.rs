//! The runtime of one verb, and the signals that end its session.
//!
//! One thread: redial waits far more than it works. It decides nothing about what a signal means:
//! that is the session's. Start at [`runtime`].

use std::{
    future::poll_fn,
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    task::Poll,
};

use redial::Signal;
use rustix::process::{Resource, getrlimit};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use crate::{error::Error, signals};

/// The descriptors that a runtime opens: epoll and its duplicate, an eventfd, and a socket pair for
/// signals with a duplicate. tokio panics where the pair is not to be had.
const DESCRIPTORS: usize = 6;
/// With so many numbers left, the few of a runtime need not be tried.
const PLENTY: u64 = 64;

/// The runtime of everything under way.
pub(crate) fn runtime() -> Result<Runtime, Error> {
    has_room().map_err(|error| no_runtime(&error))?;
    Builder::new_current_thread().enable_all().build().map_err(|error| no_runtime(&error))
}

/// Fails where this process cannot open the descriptors of a runtime.
pub(crate) fn has_room() -> io::Result<()> {
    let stdin = io::stdin();
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    // Those above the first that is free are seldom in use.
    let first = stdin.as_fd().try_clone_to_owned()?;
    if u64::try_from(first.as_raw_fd()).is_ok_and(|first| first + PLENTY < limit) {
        return Ok(());
    }
    let copies: io::Result<Vec<OwnedFd>> =
        (1..DESCRIPTORS).map(|_| stdin.as_fd().try_clone_to_owned()).collect();
    copies.map(drop)
}

/// The signals that end a session, but for those this process was started to ignore. Within a
/// runtime.
pub(crate) fn interrupts() -> Result<mpsc::UnboundedReceiver<Signal>, Error> {
    let mut streams = Vec::with_capacity(Signal::ALL.len());
    for named in Signal::ALL.into_iter().filter(|named| !signals::is_ignored(*named)) {
        let stream = signal(kind(named)).map_err(|error| no_runtime(&error))?;
        streams.push((named, stream));
    }
    signals::begin_session();
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let order = poll_fn(|context| {
                let arrived = streams.iter_mut().find_map(|(named, stream)| {
                    stream.poll_recv(context).is_ready().then_some(*named)
                });
                arrived.map_or(Poll::Pending, Poll::Ready)
            });
            if sender.send(order.await).is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

const fn kind(signal: Signal) -> SignalKind {
    match signal {
        Signal::Sigint => SignalKind::interrupt(),
        Signal::Sighup => SignalKind::hangup(),
        Signal::Sigquit => SignalKind::quit(),
        // SIGTERM, and what a newer core may name.
        _ => SignalKind::terminate(),
    }
}

fn no_runtime(error: &io::Error) -> Error {
    Error::plain(format!("this process cannot wait for anything: {error}"), "see: ulimit -n")
}

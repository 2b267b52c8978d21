//! Many short connections from a few threads: connect, read the sentence, close.
//!
//! It is bounded in count, and in time by [`LIMIT`]; a connection that goes otherwise is a failure
//! of the bench. The server says the end first, so the minute after an end (TIME_WAIT) is the
//! server's, and a client's port is free again at once: 28,000 ports serve any number of
//! connections, for a SYN with a later timestamp opens anew what is in TIME_WAIT (RFC 6191).
//! Start at [`come_and_go`].

use std::{
    io::Read,
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use crate::{Outcome, run::LIMIT};

/// What every server says.
pub(crate) const SENTENCE: &str = "hello\n";

/// Clients at once: enough that the server never waits for one.
const CLIENTS: u64 = 16;

/// So many connections, shared by the clients; how long they took in all.
pub(crate) fn come_and_go(server: SocketAddr, connections: u64) -> Outcome<Duration> {
    let started = Instant::now();
    let client = |number| {
        let share = connections / CLIENTS + u64::from(number < connections % CLIENTS);
        move || (0..share).try_for_each(|_| come_once(server, started))
    };
    thread::scope(|scope| -> Outcome<()> {
        let clients: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(client(number))).collect();
        for client in clients {
            client.join().map_err(|_| "a client panicked")??;
        }
        Ok(())
    })?;
    Ok(started.elapsed())
}

fn come_once(server: SocketAddr, started: Instant) -> std::io::Result<()> {
    if started.elapsed() > LIMIT {
        return Err(std::io::Error::other(format!("was not done after {LIMIT:?}")));
    }
    let mut connection = TcpStream::connect(server)?;
    connection.set_read_timeout(Some(LIMIT))?;
    let mut said = [0; SENTENCE.len() + 1];
    let mut length = 0;
    loop {
        match connection.read(&mut said[length..])? {
            0 if &said[..length] == SENTENCE.as_bytes() => return Ok(()),
            0 => return Err(std::io::Error::other("the server said something else")),
            read => length += read,
        }
    }
}

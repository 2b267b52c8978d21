//! Servers and streams with known bytes: a thread each, bounded in time, plain system calls.
//!
//! It measures nothing. Start at [`Server`]; [`Noise`] is what is sent where every byte matters.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    thread::JoinHandle,
};

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use sha2::{Digest, Sha256};

use crate::{Outcome, run::LIMIT};

/// What sinks read and sources write at once.
const BUFFER: usize = 1 << 20;

/// The SHA-256 of a stream, and its length.
pub(crate) type Fingerprint = (Vec<u8>, u64);

/// A server on a free port that serves one connection after the other, the same way.
pub(crate) struct Server<T> {
    pub(crate) address: SocketAddr,
    thread: JoinHandle<io::Result<Vec<T>>>,
}

impl<T: Send + 'static> Server<T> {
    /// Serves this many connections, one by one.
    pub(crate) fn start(
        connections: usize,
        mut serve: impl FnMut(TcpStream) -> io::Result<T> + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        // On Linux this is the limit of an accept, too: no thread waits for ever.
        set_socket_timeout(&listener, Timeout::Recv, Some(LIMIT))?;
        let address = listener.local_addr()?;
        let thread = std::thread::spawn(move || {
            let one = |_| {
                let (connection, _) = listener.accept()?;
                connection.set_read_timeout(Some(LIMIT))?;
                connection.set_write_timeout(Some(LIMIT))?;
                serve(connection)
            };
            (0..connections).map(one).collect()
        });
        Ok(Self { address, thread })
    }

    /// What each connection came to.
    pub(crate) fn done(self) -> Outcome<Vec<T>> {
        Ok(self.thread.join().map_err(|_| "the server's thread panicked")??)
    }
}

/// Reads to the end, and says how much it was.
pub(crate) fn sink(mut connection: impl Read) -> io::Result<u64> {
    let mut buffer = vec![0; BUFFER];
    let mut total = 0;
    loop {
        match connection.read(&mut buffer)? {
            0 => return Ok(total),
            count => total += count as u64,
        }
    }
}

/// Writes this many zeros, ends, and waits for the other end.
pub(crate) fn zeros(mut connection: TcpStream, size: u64) -> io::Result<u64> {
    let buffer = vec![0; BUFFER];
    let mut left = size;
    while left > 0 {
        let next = left.min(BUFFER as u64) as usize;
        connection.write_all(&buffer[..next])?;
        left -= next as u64;
    }
    connection.shutdown(Shutdown::Write)?;
    sink(connection)
}

/// Bytes of which no two blocks are alike, so that a lost, doubled or swapped one shows.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) const fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// Writes this many bytes and says what they were.
    pub(crate) fn write(mut self, mut to: impl Write, size: u64) -> io::Result<Fingerprint> {
        let mut hash = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        let mut left = size;
        while left > 0 {
            for word in buffer.chunks_exact_mut(8) {
                // xorshift64: quick, and never the same word twice in a stream of this length.
                self.0 ^= self.0 << 13;
                self.0 ^= self.0 >> 7;
                self.0 ^= self.0 << 17;
                word.copy_from_slice(&self.0.to_le_bytes());
            }
            let next = left.min(BUFFER as u64) as usize;
            hash.update(&buffer[..next]);
            to.write_all(&buffer[..next])?;
            left -= next as u64;
        }
        Ok((hash.finalize().to_vec(), size))
    }
}

/// Reads to the end and says what it was.
pub(crate) fn fingerprint(mut from: impl Read) -> io::Result<Fingerprint> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    let mut total = 0;
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok((hash.finalize().to_vec(), total)),
            count => {
                hash.update(&buffer[..count]);
                total += count as u64;
            }
        }
    }
}

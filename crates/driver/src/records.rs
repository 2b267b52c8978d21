//! Plaintext on its way into and out of an established TLS session, without losing count of it.
//!
//! tokio-rustls drops both counts when an error comes: of plaintext that the session had taken, and
//! of plaintext it had decrypted. What an error means is `tls`'s. Start at [`poll_write`].

use std::{
    io::{self, IoSlice, Read, Write},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncWrite, ReadBuf};
use tokio_rustls::{client::TlsStream, rustls::ClientConnection};

use crate::wire::Wire;

/// What became of a write.
pub(crate) struct Written {
    /// How many bytes the session took. They are never given back.
    pub(crate) taken: usize,
    /// How much ciphertext the socket had taken before the first of them.
    pub(crate) start: u64,
    /// Their records: written, still held (`Pending`), or failed.
    pub(crate) records: Poll<io::Result<()>>,
}

/// Encrypts as much as the session takes, and writes records until the socket is full.
///
/// Nothing is taken while the session still holds records of before, so that the place of each
/// byte in the ciphertext is known.
pub(crate) fn poll_write(
    stream: &mut TlsStream<Wire>,
    cx: &mut Context<'_>,
    bufs: &[IoSlice<'_>],
) -> Written {
    let (wire, session) = stream.get_mut();
    let held = write_records(wire, session, cx);
    let start = wire.written();
    if !matches!(held, Poll::Ready(Ok(()))) {
        return Written { taken: 0, start, records: held };
    }
    match session.writer().write_vectored(bufs) {
        Ok(taken) => Written { taken, start, records: write_records(wire, session, cx) },
        Err(error) => Written { taken: 0, start, records: Poll::Ready(Err(error)) },
    }
}

fn write_records(
    wire: &mut Wire,
    session: &mut ClientConnection,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    let mut socket = Records { wire, cx };
    while session.wants_write() {
        match session.write_tls(&mut socket) {
            Ok(1..) => {}
            Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
    Poll::Ready(Ok(()))
}

/// Reads what the session has decrypted already, after an error; returns how many bytes.
pub(crate) fn take_decrypted(stream: &mut TlsStream<Wire>, buf: &mut ReadBuf<'_>) -> usize {
    // An error here says only that there is nothing.
    let count = stream.get_mut().1.reader().read(buf.initialize_unfilled()).unwrap_or(0);
    buf.advance(count);
    count
}

/// The socket under a session, as std's traits want it: full is `WouldBlock`.
struct Records<'a, 'b> {
    wire: &'a mut Wire,
    cx: &'a mut Context<'b>,
}

impl Write for Records<'_, '_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        ready_or_full(Pin::new(&mut *self.wire).poll_write(self.cx, buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        ready_or_full(Pin::new(&mut *self.wire).poll_write_vectored(self.cx, bufs))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn ready_or_full(result: Poll<io::Result<usize>>) -> io::Result<usize> {
    match result {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

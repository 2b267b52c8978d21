//! A connected socket that remembers what crossed it.
//!
//! It lies under TLS, or alone where there is none, and counts the bytes the kernel accepted, so
//! that it can say how many of them were acknowledged. It decides nothing and copies nothing.
//! Start at [`Wire`].

use std::{
    io::{self, IoSlice},
    os::fd::AsFd,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    outq,
    socket::{Connected, Socket},
};

/// How many of the first bytes received are kept during a TLS handshake.
const HEAD: usize = 256;

/// A socket, and what crossed it.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) socket: Socket,
    /// An error that the kernel told while connecting and will not tell again.
    told: Option<i32>,
    /// Bytes the kernel accepted.
    written: u64,
    /// Whether our own end (FIN) was sent.
    pub(crate) finished: bool,
    /// Whether the peer's end (FIN) was read.
    pub(crate) ended: bool,
    /// The first error of the operating system, whichever half met it: Linux tells it only once,
    /// and TLS may wrap it or turn it into an end.
    pub(crate) error: Option<i32>,
    /// The first bytes received, while somebody may want to know what was said instead of TLS.
    head: Option<Vec<u8>>,
}

impl Wire {
    pub(crate) fn new(Connected { socket, told }: Connected) -> Self {
        Self { socket, told, written: 0, finished: false, ended: false, error: None, head: None }
    }

    /// The same, keeping the first 256 bytes it receives until [`Wire::take_head`].
    pub(crate) fn keeping_head(self) -> Self {
        Self { head: Some(Vec::new()), ..self }
    }

    /// The first bytes received; from now on none are kept.
    pub(crate) fn take_head(&mut self) -> Vec<u8> {
        self.head.take().unwrap_or_default()
    }

    /// Bytes the kernel accepted.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Bytes that the peer's kernel has for certain, from the beginning. `None` for sockets and
    /// systems that cannot say. Ask before the socket is closed.
    pub(crate) fn acknowledged(&self) -> Option<u64> {
        let left = outq::unacknowledged(self.socket.tcp()?.as_fd())?;
        // Our end counts as one byte in the kernel's queue.
        let ours = self.written + u64::from(self.finished);
        Some(self.written.min(ours.saturating_sub(left)))
    }

    /// Keeps the first error; what the kernel told before stands for all it says since.
    fn note<T>(&mut self, mut result: io::Result<T>) -> Poll<io::Result<T>> {
        if let Err(error) = &mut result {
            if let Some(number) = self.told {
                *error = io::Error::from_raw_os_error(number);
            }
            self.error = self.error.or(error.raw_os_error());
        }
        Poll::Ready(result)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let mut result = ready!(Pin::new(&mut self.socket).poll_read(cx, buf));
        let fresh = &buf.filled()[before..];
        if result.is_ok() && fresh.is_empty() && buf.remaining() > 0 {
            match self.told {
                Some(number) => result = Err(io::Error::from_raw_os_error(number)),
                None => self.ended = true,
            }
        }
        if let Some(head) = &mut self.head {
            head.extend(fresh.iter().take(HEAD - head.len()));
        }
        self.note(result)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.socket).poll_write(cx, buf));
        self.written += *result.as_ref().unwrap_or(&0) as u64;
        self.note(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.socket).poll_write_vectored(cx, bufs));
        self.written += *result.as_ref().unwrap_or(&0) as u64;
        self.note(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.socket).poll_flush(cx));
        self.note(result)
    }

    /// Not tokio's shutdown, which takes ENOTCONN for success and loses the reset that caused it.
    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut result = self.socket.end_writing();
        match &result {
            Ok(()) => self.finished = true,
            // shutdown(2) of a reset connection says only that there is none; the reset itself is
            // still to be had.
            Err(error) if error.raw_os_error() == Some(libc::ENOTCONN) => {
                if let Some(reset) = self.socket.take_error() {
                    result = Err(reset);
                }
            }
            Err(_) => {}
        }
        self.note(result)
    }
}

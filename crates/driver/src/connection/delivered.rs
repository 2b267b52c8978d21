//! What the peer's kernel has of the bytes that were sent, and waiting until it has all of them.
//!
//! Acknowledgements are the kernel's (SIOCOUTQ). They cover what the peer's kernel accepted, not
//! what its program has read. Start at [`Connection::delivered`].

use std::{future::poll_fn, io, time::Duration};

use redial_core::{Delivery, Detail, Human, Kind};
use tokio::time::{self, Instant};

use super::{Connection, explain_silence};
use crate::{cause::Cause, errno::Moment, stream::Stream};

/// How long acknowledgements may take while none arrives. Linux sends a lost segment again after
/// 0.2, 0.6, 1.4 and 3 s (RFC 6298, doubled from its minimum of 0.2 s): time for four losses.
const ACK_LIMIT: Duration = Duration::from_secs(5);
/// The pauses between two looks at the queue, which has no event for being empty.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LAST_PAUSE: Duration = Duration::from_millis(20);

impl Connection {
    /// Waits until the peer's kernel has acknowledged every byte that was sent, an opening
    /// included.
    ///
    /// It returns at once where that is so already, which is the rule after an answer. Otherwise
    /// it waits for as long as acknowledgements arrive, and 5 s after the last one. Call it when
    /// the connection has been used, before [`Connection::failure`]: a peer that ends cleanly and
    /// then refuses what it is still sent has a clean end and not all of the data.
    ///
    /// Unix sockets, and systems other than Linux, have no acknowledgements; there only a reset is
    /// noticed.
    ///
    /// # Errors
    /// The connection's one failure: the one it had, or `broken-pipe` where the peer had ended
    /// before and took no more, or `stalled` where it had not ended and acknowledged nothing for
    /// 5 s, or `reset`.
    pub async fn delivered(&mut self) -> io::Result<()> {
        if let Some(error) = self.ending_error() {
            return Err(error);
        }
        if self.stream.wire().written() == 0 {
            return Ok(());
        }
        if matches!(self.stream, Stream::Tls(_)) && self.payload_end.is_none() {
            self.send_held().await?;
        }
        self.acknowledged().await?;
        // A reset behind the peer's end refused something. Where TLS's closing alert was sent, it
        // may be that: a peer that is gone does not read it.
        let alert_sent = matches!(self.stream, Stream::Tls(_)) && self.payload_end.is_some();
        if self.ended && !alert_sent {
            self.check_reset()?;
        }
        Ok(())
    }

    /// Sends what TLS still holds, for as long as the socket takes some of it.
    async fn send_held(&mut self) -> io::Result<()> {
        loop {
            let so_far = self.stream.wire().written();
            let sending = poll_fn(|cx| self.poll_send_held(cx));
            if let Ok(result) = time::timeout(ACK_LIMIT, sending).await {
                return result;
            }
            if self.stream.wire().written() == so_far {
                return Err(self.not_taken());
            }
        }
    }

    /// Waits until the queue is empty.
    async fn acknowledged(&mut self) -> io::Result<()> {
        let wire = self.stream.wire();
        let all = self.payload_end.unwrap_or_else(|| wire.written());
        let (mut so_far, mut since, mut pause) = (0, Instant::now(), FIRST_PAUSE);
        loop {
            let Some(acknowledged) = self.stream.wire().acknowledged() else { return Ok(()) };
            if acknowledged >= all {
                return Ok(());
            }
            self.check_reset()?;
            if acknowledged > so_far {
                (so_far, since) = (acknowledged, Instant::now());
            } else if since.elapsed() >= ACK_LIMIT {
                return Err(self.not_taken());
            }
            time::sleep(pause).await;
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    /// Fails if the peer has reset the connection and nothing was read since.
    fn check_reset(&mut self) -> io::Result<()> {
        match self.stream.wire().socket.take_error() {
            Some(error) => Err(self.refused(&error)),
            None => Ok(()),
        }
    }

    /// The peer refused what was sent: the connection's one failure, as an error.
    ///
    /// After the peer's end it is `broken-pipe`, whichever number the kernel gives: that depends
    /// only on whether our own end had left (ECONNRESET) or not (EPIPE).
    pub(super) fn refused(&mut self, error: &io::Error) -> io::Error {
        let mut cause = Cause::from_os(error, Moment::Live { ended: self.ended });
        if self.ended && cause.kind == Kind::Reset {
            cause.kind = Kind::BrokenPipe;
        }
        self.end(explain_silence(cause));
        self.the_error()
    }

    /// The peer did not take what was sent in time.
    fn not_taken(&mut self) -> io::Error {
        let left = match self.delivery() {
            Delivery::AckedAtLeast(bytes) => self.sent.saturating_sub(bytes),
            _ => self.sent,
        };
        let words = match self.sent {
            0 => format!("the opening was not acknowledged within {}", Human(ACK_LIMIT)),
            sent => format!(
                "{left} of {sent} bytes sent were not acknowledged within {}",
                Human(ACK_LIMIT)
            ),
        };
        let kind = if self.ended { Kind::BrokenPipe } else { Kind::Stalled };
        self.end(Cause { detail: Some(Detail::from_text(&words)), ..Cause::new(kind) });
        self.the_error()
    }

    fn the_error(&self) -> io::Error {
        self.ending_error().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

impl Connection {
    /// Under TLS: notes where in the ciphertext the last `fresh` bytes of plaintext end, record by
    /// record. The first of their records begins at `start`.
    pub(super) fn mark(&mut self, start: u64, fresh: u64) {
        /// A TLS record holds at most 16 KiB (RFC 8446, 5.1) and adds at most 29 bytes (the
        /// largest, AES-GCM in TLS 1.2).
        const RECORD: u64 = 16 << 10;
        const OVERHEAD: u64 = 32;

        let Stream::Tls(stream) = &self.stream else { return };
        let (wire, session) = stream.get_ref();
        let acknowledged = || wire.acknowledged().unwrap_or(0);
        if !session.wants_write() {
            self.marks.add(self.sent, wire.written(), acknowledged);
            return;
        }
        let (mut plain, mut cipher) = (self.sent - fresh, start);
        while plain < self.sent {
            let record = RECORD.min(self.sent - plain);
            plain += record;
            cipher += record + OVERHEAD;
            self.marks.add(plain, cipher, acknowledged);
        }
    }

    /// What is certain about the user's bytes now.
    pub(super) fn delivery(&self) -> Delivery {
        let wire = self.stream.wire();
        if self.sent == 0 || wire.written() == self.before {
            return Delivery::Unsent;
        }
        let Some(acknowledged) = wire.acknowledged() else { return Delivery::Unknown };
        Delivery::AckedAtLeast(match &self.stream {
            Stream::Tls(_) => self.marks.within(acknowledged),
            Stream::Plain(_) => self.sent.min(acknowledged.saturating_sub(self.before)),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // they are tests
mod tests {
    use std::{net::Ipv4Addr, sync::Arc};

    use rcgen::{CertificateParams, KeyPair};
    use redial_core::{Endpoints, Expectation, Server};
    use socket2::SockRef;
    use tokio::{io::AsyncWriteExt, net::TcpListener, sync::oneshot};
    use tokio_rustls::{
        TlsAcceptor,
        rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
    };

    use super::*;
    use crate::{Settings, TlsOptions, attempt};

    fn acceptor() -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// A TLS connection whose server has closed it right after the handshake, and whose own send
    /// buffer takes a part of one record.
    async fn closed_connection(acceptor: TlsAcceptor) -> Connection {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let server: Server = format!("tls://{}", listener.local_addr().unwrap()).parse().unwrap();
        let (closed, is_closed) = oneshot::channel();
        tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            drop(acceptor.accept(socket).await.unwrap());
            closed.send(()).unwrap();
        });
        let options = TlsOptions { insecure: true, ..TlsOptions::default() };
        let settings = Settings::default().with_tls(&options, [&server]).unwrap();
        let endpoints = Endpoints::default();
        let connection =
            attempt(&server, 0, &settings, &endpoints, b"", Expectation::Nothing).await.unwrap();
        is_closed.await.unwrap();
        SockRef::from(&connection.stream.wire().socket).set_send_buffer_size(1).unwrap();
        connection
    }

    /// The session takes 64 KiB, one record leaves, and the next meets the reset.
    #[tokio::test]
    async fn failed_first_tls_write_has_moved() {
        let acceptor = acceptor();
        let mut in_one_write = 0;
        for round in 0..50 {
            let mut connection = closed_connection(acceptor.clone()).await;
            let written = connection.write(&[7; 65536]).await;
            in_one_write += u32::from(written.is_err());
            while connection.write(&[7; 65536]).await.is_ok() {}
            let failure = connection.failure();
            assert!(failure.sent > 0 && !failure.is_fresh(), "round {round}: {failure:?}");
            assert_eq!(failure.delivery, Delivery::AckedAtLeast(0), "round {round}");
        }
        assert!(in_one_write > 0, "no write failed after a part of it had left");
    }
}

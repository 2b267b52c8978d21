//! A server of one connection, which ends it in a chosen way at a chosen point, and counts.
//!
//! It counts what its kernel accepted: every byte that was acknowledged to the client and no other.
//! Shared by the property test of the pump and the tests of the built binary. Start at [`serve`].

use std::{
    future::{Future, poll_fn},
    io,
    net::Shutdown,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use rcgen::{CertificateParams, KeyPair};
use socket2::{SockRef, Socket};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

/// How the server ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// In both directions at once: what comes later is answered by a reset.
    Fin,
    /// By close(2), which is a reset where bytes are unread. Without TLS only.
    Close,
    /// By a reset.
    Rst,
    /// In its own direction; it reads on until the client ends.
    HalfClose,
    /// Not at all: it neither reads nor writes from here on.
    Silence,
}

/// What the server does.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) end: End,
    /// What it sends before it ends.
    pub(crate) says: Vec<u8>,
    /// How many bytes it has received at least when it ends, unless the client ends before.
    pub(crate) after: u64,
}

/// Any stream, under TLS or not.
trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Duplex for S {}

/// A certificate of its own, for clients that accept any.
pub(crate) fn acceptor() -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Carries the plan out and returns how many bytes of the client's it received.
///
/// `ended` is called when the end has left, and `gone` is over when the client is.
pub(crate) async fn serve(
    socket: TcpStream,
    tls: Option<TlsAcceptor>,
    plan: &Plan,
    ended: impl FnOnce(),
    gone: impl Future<Output = ()>,
) -> u64 {
    socket.set_nodelay(true).unwrap();
    let raw = SockRef::from(&socket).try_clone().unwrap();
    match tls {
        None => act(socket, raw, plan, ended, gone).await,
        Some(acceptor) => match acceptor.accept(socket).await {
            Ok(stream) => act(stream, raw, plan, ended, gone).await,
            Err(_) => 0,
        },
    }
}

async fn act(
    mut stream: impl Duplex,
    raw: Socket,
    plan: &Plan,
    ended: impl FnOnce(),
    gone: impl Future<Output = ()>,
) -> u64 {
    let mut received = 0;
    let going = talk(&mut stream, plan, &mut received).await;
    if going.is_err() {
        ended();
        return received;
    }
    match plan.end {
        End::HalfClose => {
            let _ = stream.shutdown().await;
            ended();
            drain(&mut stream, &mut received).await;
        }
        End::Fin => {
            let _ = stream.shutdown().await;
            let _ = raw.shutdown(Shutdown::Both);
            ended();
            drain(&mut stream, &mut received).await;
        }
        End::Close | End::Rst => {
            if plan.end == End::Rst {
                raw.set_linger(Some(Duration::ZERO)).unwrap();
            }
            poll_fn(|context| {
                drain_now(&mut stream, context, &mut received);
                Poll::Ready(())
            })
            .await;
            drop(stream);
            drop(raw);
            ended();
        }
        End::Silence => {
            ended();
            gone.await;
            drain(&mut stream, &mut received).await;
        }
    }
    received
}

/// Sends what it has to and reads meanwhile, until the point at which it ends.
async fn talk(stream: &mut impl Duplex, plan: &Plan, received: &mut u64) -> io::Result<()> {
    let (mut said, mut client_ended) = (0, false);
    poll_fn(|context| {
        loop {
            let mut moved = false;
            if said < plan.says.len() {
                let rest = &plan.says[said..];
                if let Poll::Ready(count) = Pin::new(&mut *stream).poll_write(context, rest)? {
                    (said, moved) = (said + count, true);
                }
            }
            let flushed = Pin::new(&mut *stream).poll_flush(context)?.is_ready();
            let enough = client_ended || *received >= plan.after;
            if said == plan.says.len() && flushed && enough {
                return Poll::Ready(Ok(()));
            }
            if !client_ended && let Poll::Ready(count) = poll_count(stream, context)? {
                *received += count;
                (client_ended, moved) = (count == 0, true);
            }
            if !moved {
                return Poll::Pending;
            }
        }
    })
    .await
}

fn poll_count(stream: &mut impl Duplex, context: &mut Context<'_>) -> Poll<io::Result<u64>> {
    let mut bytes = [0; 16 << 10];
    let mut buffer = ReadBuf::new(&mut bytes);
    let result = Pin::new(stream).poll_read(context, &mut buffer);
    result.map_ok(|()| buffer.filled().len() as u64)
}

/// Counts what has arrived.
fn drain_now(stream: &mut impl Duplex, context: &mut Context<'_>, received: &mut u64) {
    while let Poll::Ready(Ok(count @ 1..)) = poll_count(stream, context) {
        *received += count;
    }
}

/// Counts what arrives until the client ends, or the connection does.
async fn drain(stream: &mut impl Duplex, received: &mut u64) {
    let mut bytes = vec![0; 16 << 10];
    let reading = async {
        while let Ok(count @ 1..) = stream.read(&mut bytes).await {
            *received += count as u64;
        }
    };
    timeout(Duration::from_secs(60), reading).await.expect("the client ends");
}

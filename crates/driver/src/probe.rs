//! One probe over one connection of redial's own.
//!
//! What to send, when to read and what it comes to is the core's [`Probe`]; here are only the bytes,
//! the clock, and TLS where the protocol begins it in its own words. Start at [`run`].

use std::{io, time::Duration};

use redial_core::{Address, Kind, Probe, ProbeInput, ProbeOutput, Reached, Reason, Script, Stage};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::yield_now,
    time::{self, Instant},
};
use tokio_rustls::rustls;

use crate::{
    attempt::{waited, with_share},
    cause::Cause,
    errno::Moment,
    stream::Stream,
    tls::{self, TlsSetup},
    trace::Terms,
};

/// How long the server is given to end its side after the goodbye: what is unread when a socket is
/// closed turns the end into a reset, which some servers log.
const FAREWELL: Duration = Duration::from_millis(50);

/// How much is read of a server that goes on talking after the goodbye.
const LAST_WORDS: usize = 64 << 10;

/// How TLS would begin, should the protocol begin it.
pub(crate) struct Upgrade<'a> {
    pub(crate) setup: Option<&'a TlsSetup>,
    pub(crate) host: Option<&'a str>,
    pub(crate) protocol: Option<&'a str>,
}

/// How a probe ended, where it did not fail.
pub(crate) enum Probed {
    Ready(Stream),
    /// This is to be probed instead, on a connection of its own.
    Redirected(Script),
}

/// Probes the server on this connection. A limit that was set is for the whole of it, and starts
/// again where TLS begins; a share of the time left starts again with each message sent.
pub(crate) async fn run(
    script: &Script,
    mut stream: Stream,
    upgrade: Upgrade<'_>,
    address: &Address,
    terms: &Terms,
) -> Result<Probed, (Stage, Cause)> {
    let mut probe = script.probe();
    let mut chunk = vec![0; 8 << 10];
    let mut heard = false;
    let mut limit = terms.silent();
    let mut until = Instant::now() + limit;
    let answer = || Reached::Answer { address: address.clone(), sent: false, received: 0 };
    terms.trace.reached(answer());
    // Whether bytes have arrived since our last message.
    let mut is_silent = true;
    loop {
        match probe.poll() {
            ProbeOutput::Send(bytes) => {
                let sent = time::timeout_at(until, send(&mut stream, bytes)).await;
                match sent {
                    Ok(Ok(())) => {
                        terms.trace.sent();
                        if terms.reply.follows() {
                            limit = terms.silent();
                            (until, is_silent) = (Instant::now() + limit, true);
                        }
                        probe.handle(ProbeInput::Sent);
                    }
                    // What the server said meanwhile tells more than that it stopped listening.
                    Ok(Err(error)) => {
                        let cause = broken(&stream, &error, heard);
                        hear_the_rest(&mut probe, &mut stream, &mut chunk, until).await;
                        over(&mut probe, cause)?;
                    }
                    Err(_) => probe.handle(ProbeInput::TimeIsUp),
                }
            }
            ProbeOutput::StartTls => {
                terms.trace.reached(Reached::Tls { address: address.clone() });
                let begun = begin_tls(stream, &upgrade, terms.handshake()).await;
                stream = begun.map_err(|cause| (Stage::Tls, with_share(cause, terms.tls)))?;
                terms.trace.reached(answer());
                limit = terms.silent();
                (until, heard, is_silent) = (Instant::now() + limit, false, true);
                probe.handle(ProbeInput::TlsStarted);
            }
            ProbeOutput::Nonce => {
                let nonce = nonce().map_err(|cause| (Stage::Expect, cause))?;
                probe.handle(ProbeInput::Nonce(&nonce));
            }
            ProbeOutput::Compute => {
                probe.handle(ProbeInput::Computed);
                // A piece takes about a millisecond: other sessions have theirs in between.
                yield_now().await;
                if Instant::now() >= until {
                    probe.handle(ProbeInput::TimeIsUp);
                }
            }
            ProbeOutput::Read => match time::timeout_at(until, stream.read(&mut chunk)).await {
                Ok(Ok(0)) => probe.handle(ProbeInput::End),
                Ok(Ok(count)) => {
                    heard = true;
                    terms.trace.received(count);
                    if std::mem::take(&mut is_silent) && terms.reply.follows() {
                        until = until.min(Instant::now() + terms.reply.speaking());
                    }
                    probe.handle(ProbeInput::Bytes(&chunk[..count]));
                }
                Ok(Err(error)) => {
                    let cause = broken(&stream, &error, heard);
                    over(&mut probe, cause)?;
                }
                Err(_) => probe.handle(ProbeInput::TimeIsUp),
            },
            ProbeOutput::Ready { .. } => break,
            ProbeOutput::Redirected(script) => return Ok(Probed::Redirected(script.clone())),
            ProbeOutput::Failed(refusal) => {
                let refusal = refusal.clone();
                let kind = refusal.kind;
                let reason = (kind == Kind::Denied).then_some(Reason::LoginRefused);
                // HTTP states the expected status itself.
                let protocol = upgrade.protocol.filter(|name| {
                    kind == Kind::UnexpectedResponse && refusal.says.is_none() && *name != "http"
                });
                let expected = protocol.map(|name| format!("an answer of {name}").into());
                let mut cause =
                    Cause { expected, detail: refusal.into_detail(), reason, ..Cause::new(kind) };
                if kind == Kind::Stalled && terms.reply.follows() && cause.detail.is_none() {
                    cause.detail = is_silent.then(|| waited(limit));
                    cause = with_share(cause, terms.reply);
                }
                return Err((Stage::Expect, cause));
            }
        }
    }
    let _ = time::timeout(FAREWELL, farewell(&probe, &mut stream, &mut chunk)).await;
    Ok(Probed::Ready(stream))
}

/// Draws a login's random bytes from the source that TLS draws from.
fn nonce() -> Result<[u8; 18], Cause> {
    let mut nonce = [0; 18];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut nonce).map_err(|_| {
        Cause::because(Kind::Exhausted, "the system gave no random bytes for the login")
    })?;
    Ok(nonce)
}

async fn send(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// The connection broke. A refusal in the protocol's own words stands; else the break is the cause.
fn over(probe: &mut Probe, cause: Cause) -> Result<(), (Stage, Cause)> {
    probe.handle(ProbeInput::End);
    match probe.poll() {
        ProbeOutput::Ready { .. } | ProbeOutput::Redirected(_) => Ok(()),
        ProbeOutput::Failed(refusal)
            if !matches!(refusal.kind, Kind::ClosedEarly | Kind::Truncated) =>
        {
            Ok(())
        }
        _ => Err((Stage::Expect, cause)),
    }
}

/// What arrived before the connection broke.
async fn hear_the_rest(probe: &mut Probe, stream: &mut Stream, chunk: &mut [u8], until: Instant) {
    while !probe.is_over() {
        match time::timeout_at(until, stream.read(chunk)).await {
            Ok(Ok(count @ 1..)) => probe.handle(ProbeInput::Bytes(&chunk[..count])),
            _ => return,
        }
    }
}

async fn begin_tls(
    stream: Stream,
    upgrade: &Upgrade<'_>,
    limit: Duration,
) -> Result<Stream, Cause> {
    let Some(setup) = upgrade.setup else {
        return Err(Cause::because(
            Kind::TlsHandshake,
            "TLS was not set up; see Settings::with_tls",
        ));
    };
    match stream {
        Stream::Plain(wire) => {
            tls::handshake(setup, upgrade.host, wire, limit).await.map(Stream::Tls)
        }
        Stream::Tls(_) => {
            Err(Cause::because(Kind::TlsHandshake, "the protocol begins TLS within TLS"))
        }
    }
}

/// Leaves as the protocol leaves. Ready stays ready, whatever becomes of it.
async fn farewell(probe: &Probe, stream: &mut Stream, chunk: &mut [u8]) -> io::Result<()> {
    if !probe.goodbye().is_empty() {
        send(stream, probe.goodbye()).await?;
    }
    stream.shutdown().await?;
    let mut read = 0;
    while read < LAST_WORDS {
        match stream.read(chunk).await? {
            0 => break,
            count => read += count,
        }
    }
    Ok(())
}

/// What an error of the connection means.
fn broken(stream: &Stream, error: &io::Error, heard: bool) -> Cause {
    match stream {
        Stream::Plain(_) => Cause::from_os(error, Moment::Live { ended: false }),
        Stream::Tls(stream) => tls::live_cause(error, stream.get_ref().0, heard, false),
    }
}

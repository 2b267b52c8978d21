//! One attempt at one server: resolve, race its addresses, TLS, opening, answer.
//!
//! It ends in a connection or in one failure that lists every address. It never tries again:
//! that is a session's to decide. Dropping the future cancels everything. Start at [`attempt`].

use std::{future::poll_fn, net::IpAddr, sync::Arc, time::Duration};

use redial_core::{
    Answer, Endpoints, Expectation, Failure, Kind, Limits, Place, Progress, Server, Stage, Tls,
    Tried, race::interleave,
};
use tokio::{
    io::AsyncWriteExt,
    time::{self, Instant},
};

use crate::{
    Connection, Error, IpVersions, Names, TlsOptions, TlsSetup, Via,
    cause::Cause,
    dial::{self, Dialled},
    socket::{Options, Peer},
    stream::Stream,
    tls,
    wire::Wire,
};

/// How servers are reached: what is the same for every attempt of a policy.
///
/// # Default
/// [`Limits::default`], any IP version, any source address, no TLS set up; names are asked for at
/// every attempt.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How long each part may take.
    pub limits: Limits,
    /// Which IP versions may be used: `-4`, `-6`.
    pub family: IpVersions,
    /// The source address: `--bind`. Addresses of the other IP version are then unreachable.
    pub bind: Option<IpAddr>,
    /// The proxy that connections go through: `--via`. It is dialled in the server's place, and
    /// looks the server's name up.
    pub via: Option<Via>,
    /// TLS, for the servers that begin with it.
    pub tls: Option<TlsSetup>,
    /// How often names are asked for.
    pub names: Names,
}

impl Settings {
    /// The same, with TLS set up if one of the servers will need it: otherwise no trust store is
    /// read, which takes time.
    ///
    /// # Errors
    /// Those of [`TlsSetup::build`]; and a server that begins TLS by its protocol's own words, which
    /// needs a recipe: to go on without TLS would not be what was asked for.
    pub fn with_tls<'a>(
        self,
        options: &TlsOptions,
        servers: impl IntoIterator<Item = &'a Server>,
    ) -> Result<Self, Error> {
        let mut needed = false;
        for server in servers {
            match server.tls() {
                Tls::No => {}
                Tls::Immediately => needed = true,
                Tls::ByProtocol => {
                    return Err(Error::new(
                        format!(
                            "{} asks for TLS in its protocol's own way, which this version cannot do",
                            server.label()
                        ),
                        "write tls://HOST:PORT where the server begins with TLS, or leave the wish out",
                    ));
                }
            }
        }
        let tls = needed.then(|| TlsSetup::build(options)).transpose()?;
        Ok(Self { tls: tls.or_else(|| self.tls.clone()), ..self })
    }
}

/// Tries once to get a connection to this server.
///
/// `index` is the server's place in its target: under it, `endpoints` remembers addresses that
/// accepted and then failed, and those are tried last. It only reads them; after a failure,
/// [`Endpoints::learn`] is the caller's. The `opening` is sent as soon as the connection stands and
/// does not count as the user's; every byte read to see the `expectation` hold is the user's to
/// read.
///
/// `limits.connect` is for each address, and once more for what a proxy is asked; `limits.tls` for
/// the handshake, `limits.reply` for the opening and the answer together. A lookup has the
/// resolver's own limits. Where TLS begins by
/// the protocol's own words (STARTTLS), those words are the user's: the connection is given plain.
///
/// # Errors
/// One failure for the whole attempt. Its stage says how far it came, and its `addresses` what
/// became of each.
pub async fn attempt(
    server: &Server,
    index: usize,
    settings: &Settings,
    endpoints: &Endpoints,
    opening: &[u8],
    expectation: Expectation<'_>,
) -> Result<Connection, Failure> {
    let began = Instant::now();
    let peers = resolve(server, index, settings, endpoints)
        .await
        .map_err(|cause| failed(server, began, Stage::Resolve, through(settings, cause)))?;
    let options = Options { bind: settings.bind, dead: settings.limits.dead };
    let dialled = dial::dial(&peers, settings.limits.connect, options)
        .await
        .map_err(|tried| lost(server, settings, began, tried))?;
    let Dialled { connected, peer, addresses } = dialled;
    let address = peer.address();
    let mut wire = Wire::new(connected);
    let opened = match &settings.via {
        Some(via) => via.open(&mut wire, server.place(), settings.limits.connect).await,
        None => Ok(()),
    };
    let stream = match opened {
        Ok(()) => secure(server, settings, wire).await.map_err(|cause| (Stage::Tls, cause)),
        Err(cause) => Err((Stage::Connect, cause)),
    };
    let stream = match stream {
        Ok(stream) => stream,
        Err((stage, cause)) => {
            let mut failure = failed(server, began, stage, cause);
            failure.address = Some(address);
            failure.addresses = addresses;
            return Err(failure);
        }
    };
    let label = Arc::clone(server.label());
    let connection = Connection::new(stream, label, address, addresses, began);
    open(connection, opening, expectation, settings.limits.reply).await
}

/// The addresses of a server, in the order in which to dial them.
async fn resolve(
    server: &Server,
    index: usize,
    settings: &Settings,
    endpoints: &Endpoints,
) -> Result<Vec<Peer>, Cause> {
    match settings.via.as_ref().map_or(server.place(), Via::place) {
        Place::Unix { path } => Ok(vec![Peer::Unix((&**path).into())]),
        Place::Host { host, port } => {
            let sorted = settings.names.lookup(host, *port, settings.family).await?;
            let mut addresses = interleave(&sorted);
            endpoints.order(index, &mut addresses);
            Ok(addresses.into_iter().map(Peer::Ip).collect())
        }
    }
}

async fn secure(server: &Server, settings: &Settings, wire: Wire) -> Result<Stream, Cause> {
    match server.tls() {
        Tls::No | Tls::ByProtocol => Ok(Stream::Plain(wire)),
        Tls::Immediately => {
            let Some(setup) = &settings.tls else {
                let words = "TLS was not set up; see Settings::with_tls";
                return Err(Cause::because(Kind::TlsHandshake, words));
            };
            let host = match server.place() {
                Place::Host { host, .. } => Some(&**host),
                Place::Unix { .. } => None,
            };
            tls::handshake(setup, host, wire, settings.limits.tls).await.map(Stream::Tls)
        }
    }
}

/// Sends the opening and sees the expectation hold, within the limit.
async fn open(
    mut connection: Connection,
    opening: &[u8],
    expectation: Expectation<'_>,
    limit: Duration,
) -> Result<Connection, Failure> {
    let mut judge = None;
    let opened = async {
        let sent = send(&mut connection, opening).await;
        match expectation {
            // Whether or not all of the opening left: what the server said tells more.
            Expectation::Answer(answer) => {
                judge.insert(Judge::new(answer)).hear(&mut connection).await?;
            }
            Expectation::Settled(time) => settle(&mut connection, time).await?,
            _ => sent.map_err(|_| Kind::Closed)?,
        }
        // An answer may be right, and the connection broken all the same.
        connection.failed().map_or(Ok(()), Err)
    };
    // Settling has its own time, and is done when that is over.
    let limit = match expectation {
        Expectation::Settled(time) => limit.saturating_add(time),
        _ => limit,
    };
    let result = time::timeout(limit, opened).await;
    match (result, &judge) {
        (Ok(Ok(())), _) => Ok(connection.hand_over(judge.is_some())),
        (Ok(Err(kind)), _) => Err(connection.refuse(kind)),
        (Err(_), Some(judge)) if judge.heard_something_else() => {
            Err(connection.refuse(Kind::UnexpectedResponse))
        }
        (Err(_), _) => Err(connection.refuse(Kind::Stalled)),
    }
}

/// Stays connected for the time, or until the server says something.
async fn settle(connection: &mut Connection, time: Duration) -> Result<(), Kind> {
    match time::timeout(time, poll_fn(|cx| connection.poll_early(cx))).await {
        Err(_) | Ok(Ok(1..)) => Ok(()),
        Ok(Ok(0)) => Err(Kind::ClosedEarly),
        // The error is in the connection's own slot, which stands before this kind.
        Ok(Err(_)) => Err(Kind::Other),
    }
}

async fn send(connection: &mut Connection, opening: &[u8]) -> std::io::Result<()> {
    if opening.is_empty() {
        return Ok(());
    }
    connection.write_all(opening).await?;
    connection.flush().await
}

/// Judges what the server says first.
struct Judge<'a> {
    answer: &'a Answer,
    matcher: redial_core::Matcher,
    heard: usize,
}

impl<'a> Judge<'a> {
    fn new(answer: &'a Answer) -> Self {
        Self { answer, matcher: answer.matcher(), heard: 0 }
    }

    /// Reads until the answer is right. Else: what an end, or the wrong bytes, mean; an error is
    /// in the connection's own slot, which stands before the kind returned here.
    async fn hear(&mut self, connection: &mut Connection) -> Result<(), Kind> {
        loop {
            let count = poll_fn(|cx| connection.poll_early(cx)).await;
            let heard = connection.early();
            match self.matcher.feed(self.answer, &heard[self.heard..]) {
                Progress::Matched => return Ok(()),
                Progress::Refused => return Err(Kind::UnexpectedResponse),
                Progress::More => self.heard = heard.len(),
            }
            match count {
                Ok(0) if self.heard == 0 => return Err(Kind::ClosedEarly),
                Ok(0) if self.matcher.is_inside(self.answer) => return Err(Kind::Truncated),
                Ok(0) => return Err(Kind::UnexpectedResponse),
                Ok(_) => {}
                Err(_) => return Err(Kind::Other),
            }
        }
    }

    /// Whether there were bytes, and not those of the answer's beginning.
    fn heard_something_else(&self) -> bool {
        self.heard > 0 && !self.matcher.is_inside(self.answer)
    }
}

/// Says of what was met on the way to a proxy that it was.
fn through(settings: &Settings, cause: Cause) -> Cause {
    match &settings.via {
        Some(via) => via.not_reached(cause),
        None => cause,
    }
}

/// A failure before there was a connection.
fn failed(server: &Server, began: Instant, stage: Stage, cause: Cause) -> Failure {
    let mut failure = Failure::new(cause.kind, stage, Arc::clone(server.label()));
    cause.name(&mut failure);
    failure.elapsed = began.elapsed();
    failure
}

/// No address connected.
fn lost(server: &Server, settings: &Settings, began: Instant, tried: Vec<Tried>) -> Failure {
    let mut failure = Failure::merge(Arc::clone(server.label()), tried);
    failure.detail = through(settings, Cause::new(failure.kind)).detail;
    failure.elapsed = began.elapsed();
    failure
}

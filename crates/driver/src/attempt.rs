//! One attempt at one server: resolve, race its addresses, TLS, opening, answer.
//!
//! It ends in a connection or in one failure that lists every address. It never tries again:
//! that is a session's to decide. Dropping the future cancels everything. Start at [`attempt`].

use std::{future::poll_fn, net::IpAddr, sync::Arc, time::Duration};

use redial_core::{
    Address, Detail, Endpoints, Expectation, Expected, Failure, Human, Judge, Judged, Kind, Limits,
    Outcome, Patience, Place, Reached, Reason, Refusal, Script, Server, Stage, Tls, Tried,
    printable, race::interleave,
};
use tokio::{
    io::AsyncWriteExt,
    time::{self, Instant},
};

use crate::{
    Connection, Error, IpVersions, Names, TlsOptions, TlsSetup, Via,
    cause::Cause,
    dial::{self, Dialled},
    outq,
    probe::{self, Probed, Upgrade},
    socket::{self, Options, Peer},
    stream::Stream,
    tls,
    trace::{Terms, Trace},
    via::Through as _,
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
    /// Those of [`TlsSetup::build`].
    pub fn with_tls<'a>(
        self,
        options: &TlsOptions,
        servers: impl IntoIterator<Item = &'a Server>,
    ) -> Result<Self, Error> {
        let mut needed = false;
        for server in servers {
            needed |= server.may_use_tls();
        }
        let tls = needed.then(|| TlsSetup::build(options)).transpose()?;
        Ok(Self { tls: tls.or_else(|| self.tls.clone()), ..self })
    }

    /// The same for a server that redirects led to: a name to ask for in TLS is for its own origin.
    fn for_redirect(&self, script: &Script) -> Self {
        let tls = self.tls.clone();
        let tls = match script.is_of_another_origin() {
            true => tls.map(TlsSetup::without_name),
            false => tls,
        };
        Self { tls, ..self.clone() }
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
    let terms = Terms::fixed(&settings.limits);
    attempt_within(server, index, settings, endpoints, opening, expectation, terms).await
}

/// The same, on these terms in place of `limits.reply` and `limits.tls`. Redirects that a probe is
/// asked to follow are followed, each on a connection of its own.
pub(crate) async fn attempt_within(
    server: &Server,
    index: usize,
    settings: &Settings,
    endpoints: &Endpoints,
    opening: &[u8],
    expectation: Expectation<'_>,
    terms: Terms,
) -> Result<Connection, Failure> {
    let began = Instant::now();
    let label = server.label();
    let first = Dial { server, label, index, settings, endpoints };
    let mut came = first.attempt(opening, expectation, terms.clone()).await?;
    loop {
        let script = match came {
            Came::Server(connection) => return Ok(*connection),
            Came::Redirect(script) => script,
        };
        let settings = settings.for_redirect(&script);
        let (server, endpoints) = (script.server(), Endpoints::default());
        let next = Dial { server, label, index: 0, settings: &settings, endpoints: &endpoints };
        let next = next.attempt(&[], Expectation::Probe(&script), terms.clone()).await;
        came = next.map_err(|failure| redirected(failure, server, began))?;
    }
}

/// What an attempt at one server came to, where it did not fail.
enum Came {
    Server(Box<Connection>),
    /// It redirects: this is to be probed instead.
    Redirect(Script),
}

/// Names a failure that a redirect led to.
fn redirected(mut failure: Failure, server: &Server, began: Instant) -> Failure {
    let words = match &failure.detail {
        Some(detail) => format!("redirected to {}: {detail}", server.label()),
        None => format!("redirected to {}", server.label()),
    };
    failure.detail = Some(Detail::from_text(&words));
    failure.elapsed = began.elapsed();
    failure
}

/// One server, the name it is reported under, and how it is reached.
struct Dial<'a> {
    server: &'a Server,
    label: &'a Arc<str>,
    index: usize,
    settings: &'a Settings,
    endpoints: &'a Endpoints,
}

impl Dial<'_> {
    /// Tries it once.
    async fn attempt(
        &self,
        opening: &[u8],
        expectation: Expectation<'_>,
        terms: Terms,
    ) -> Result<Came, Failure> {
        let Self { server, label, index, settings, endpoints } = *self;
        let began = Instant::now();
        let peers = resolve(server, index, settings, endpoints, &terms.trace)
            .await
            .map_err(|cause| failed(label, began, Stage::Resolve, through(settings, cause)))?;
        let options = Options { bind: settings.bind, dead: settings.limits.dead };
        if let Some(first) = peers.first() {
            let others = peers.len() - 1;
            terms.trace.reached(Reached::Connecting { address: first.address(), others });
        }
        let dialled = dial::dial(&peers, settings.limits.connect, options)
            .await
            .map_err(|tried| lost(label, settings, began, tried))?;
        let Dialled { connected, peer, addresses } = dialled;
        let address = peer.address();
        let terms = terms.among(worth_trying(&addresses));
        let mut wire = Wire::new(connected);
        let opened = match &settings.via {
            Some(via) => {
                terms.trace.reached(Reached::Proxy { address: address.clone() });
                via.open(&mut wire, server.place(), settings.limits.connect).await
            }
            None => Ok(()),
        };
        let stream = match opened {
            Ok(()) => secure(server, settings, wire, &address, &terms)
                .await
                .map_err(|cause| (Stage::Tls, cause)),
            Err(cause) => Err((Stage::Connect, cause)),
        };
        let stream = match stream {
            Ok(stream) => stream,
            Err((stage, cause)) => {
                let mut failure = failed(label, began, stage, cause);
                failure.address = Some(address);
                failure.addresses = addresses;
                return Err(failure);
            }
        };
        let label = Arc::clone(label);
        if let Expectation::Probe(script) = expectation {
            let upgrade = Upgrade {
                setup: settings.tls.as_ref(),
                host: server.place().host(),
                protocol: server.protocol(),
            };
            return match probe::run(script, stream, upgrade, &address, &terms).await {
                Ok(Probed::Ready(stream)) => {
                    let connection = Connection::new(stream, label, address, addresses, began);
                    Ok(Came::Server(Box::new(connection.hand_over(true))))
                }
                Ok(Probed::Redirected(script)) => Ok(Came::Redirect(script)),
                Err((stage, cause)) => {
                    let mut failure = failed(&label, began, stage, cause);
                    failure.address = Some(address);
                    failure.addresses = addresses;
                    Err(failure)
                }
            };
        }
        let address_of = address.clone();
        let connection = Connection::new(stream, label, address, addresses, began);
        open(connection, opening, expectation, &address_of, &terms)
            .await
            .map(Box::new)
            .map(Came::Server)
    }
}

/// The addresses of a server, in the order in which to dial them.
async fn resolve(
    server: &Server,
    index: usize,
    settings: &Settings,
    endpoints: &Endpoints,
    trace: &Trace,
) -> Result<Vec<Peer>, Cause> {
    match settings.via.as_ref().map_or(server.place(), Via::place) {
        Place::Unix { path } => Ok(vec![Peer::Unix((&**path).into())]),
        Place::Host { host, port } => {
            trace.reached(Reached::Resolving { name: printable(host).into() });
            let sorted = settings.names.lookup(host, *port, settings.family).await?;
            let mut addresses = interleave(&sorted);
            endpoints.order(index, &mut addresses);
            Ok(addresses.into_iter().map(Peer::Ip).collect())
        }
    }
}

/// How many of these addresses an attempt may yet succeed at: the one that is connected, and those
/// that did not fail.
fn worth_trying(addresses: &[Tried]) -> usize {
    let failed = |tried: &&Tried| !matches!(tried.outcome, Outcome::Failed { .. });
    addresses.iter().filter(failed).count()
}

async fn secure(
    server: &Server,
    settings: &Settings,
    wire: Wire,
    address: &Address,
    terms: &Terms,
) -> Result<Stream, Cause> {
    match server.tls() {
        Tls::No | Tls::ByProtocol => Ok(Stream::Plain(wire)),
        Tls::Immediately => {
            let Some(setup) = &settings.tls else {
                let words = "TLS was not set up; see Settings::with_tls";
                return Err(Cause::because(Kind::TlsHandshake, words));
            };
            terms.trace.reached(Reached::Tls { address: address.clone() });
            tls::handshake(setup, server.place().host(), wire, terms.handshake())
                .await
                .map_err(|cause| with_share(cause, terms.tls))
                .map(Stream::Tls)
        }
    }
}

/// Sends the opening and sees the expectation hold, within the limit.
async fn open(
    mut connection: Connection,
    opening: &[u8],
    expectation: Expectation<'_>,
    address: &Address,
    terms: &Terms,
) -> Result<Connection, Failure> {
    let address = address.clone();
    terms.trace.reached(match expectation {
        Expectation::Settled(_) if opening.is_empty() => Reached::Settling { address },
        _ => Reached::Answer { address, sent: false, received: 0 },
    });
    let expected = match expectation {
        Expectation::Answer(answer) => Some(Expected::from(answer.clone())),
        Expectation::Greeting(expected) => Some(expected.clone()),
        _ => None,
    };
    let mut judge = expected.as_ref().map(|expected| (expected, expected.judge()));
    let opened = async {
        let sent = send(&mut connection, opening).await;
        if !opening.is_empty() {
            terms.trace.sent();
        }
        match (&mut judge, expectation) {
            // Whether or not all of the opening left: what the server sent says more.
            (Some((expected, judge)), _) => hear(&mut connection, expected, judge, terms).await?,
            (None, Expectation::Settled(time)) => settle(&mut connection, time).await?,
            (None, _) => sent.map_err(|_| Kind::Closed)?,
        }
        // An answer may be right, and the connection broken all the same.
        connection.failed().map_or(Ok(()), |kind| Err(kind.into()))
    };
    // Settling has its own time, and is done when that is over.
    let limit = match expectation {
        Expectation::Settled(time) => terms.silent().saturating_add(time),
        _ => terms.silent(),
    };
    let result = time::timeout(limit, opened).await;
    let refusal = match (result, &mut judge) {
        (Ok(Ok(())), _) => return Ok(connection.hand_over(judge.is_some())),
        (Ok(Err(Early::Refused(refusal))), _) => refusal,
        (Ok(Err(Early::Late)) | Err(_), Some((expected, judge))) => {
            match judge.time_is_up(expected, connection.early()) {
                Ok(()) => return Ok(connection.hand_over(true)),
                Err(refusal) => refusal,
            }
        }
        (Ok(Err(Early::Late)) | Err(_), None) => Kind::Stalled.into(),
    };
    let mut failure = connection.refuse(refusal);
    if failure.kind == Kind::Stalled && failure.detail.is_none() && terms.reply.follows() {
        (failure.reason, failure.detail) = (Some(Reason::ShareOfTimeUsed), Some(waited(limit)));
    }
    Err(failure)
}

/// Why the first answer was not waited for any longer.
enum Early {
    Refused(Refusal),
    /// It began, and did not end in time.
    Late,
}

impl From<Refusal> for Early {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Kind> for Early {
    fn from(kind: Kind) -> Self {
        Self::Refused(kind.into())
    }
}

/// States that a limit was a share of the time left.
pub(crate) fn with_share(cause: Cause, patience: Patience) -> Cause {
    let by_time = matches!(cause.kind, Kind::TlsTimeout | Kind::Stalled);
    if by_time && patience.follows() && cause.reason.is_none() {
        return cause.with_reason(Reason::ShareOfTimeUsed);
    }
    cause
}

/// What is known of a server that was silent for this time.
pub(crate) fn waited(time: Duration) -> Detail {
    Detail::from_text(&format!("no byte of an answer for {}", Human(time)))
}

/// Reads until the answer is right. Else: what an end, or the wrong bytes, mean; an error is in
/// the connection's own slot, which stands before the kind returned here.
async fn hear(
    connection: &mut Connection,
    expected: &Expected,
    judge: &mut Judge,
    terms: &Terms,
) -> Result<(), Early> {
    // The end of the whole answer, and the end of the next wait.
    let (mut whole, mut until) = (None, None);
    loop {
        let read = poll_fn(|cx| connection.poll_early(cx));
        let count = match until {
            None => read.await,
            Some(until) => time::timeout_at(until, read).await.map_err(|_| Early::Late)?,
        };
        match judge.hear(expected, connection.early()) {
            Judged::Ready => return Ok(()),
            Judged::Refused(refusal) => return Err(refusal.into()),
            Judged::More => {}
        }
        match count {
            Ok(0) => return Ok(judge.end(expected, connection.early())?),
            Ok(count) => {
                terms.trace.received(count);
                let now = Instant::now();
                let last = *whole.get_or_insert(now + terms.reply.speaking());
                let is_line = connection.early().ends_with(b"\n");
                let line = is_line.then(|| now + terms.reply.after_line());
                until = Some(line.map_or(last, |line| line.min(last)));
            }
            Err(_) => return Err(Kind::Other.into()),
        }
    }
}

/// Stays connected for the time, or until the server says something.
async fn settle(connection: &mut Connection, time: Duration) -> Result<(), Refusal> {
    match time::timeout(time, poll_fn(|cx| connection.poll_early(cx))).await {
        Err(_) | Ok(Ok(1..)) => Ok(()),
        Ok(Ok(0)) => Err(Kind::ClosedEarly.into()),
        // The error is in the connection's own slot, which stands before this kind.
        Ok(Err(_)) => Err(Kind::Other.into()),
    }
}

async fn send(connection: &mut Connection, opening: &[u8]) -> std::io::Result<()> {
    if opening.is_empty() {
        return Ok(());
    }
    connection.write_all(opening).await?;
    connection.flush().await
}

/// Says of what was met on the way to a proxy that it was.
fn through(settings: &Settings, cause: Cause) -> Cause {
    match &settings.via {
        Some(via) => via.not_reached(cause),
        None => cause,
    }
}

/// A failure before there was a connection.
fn failed(label: &Arc<str>, began: Instant, stage: Stage, cause: Cause) -> Failure {
    let mut failure = Failure::new(cause.kind, stage, Arc::clone(label));
    cause.name(&mut failure);
    failure.elapsed = began.elapsed();
    failure
}

/// No address connected.
fn lost(label: &Arc<str>, settings: &Settings, began: Instant, tried: Vec<Tried>) -> Failure {
    let mut failure = Failure::merge(Arc::clone(label), tried);
    failure.detail = through(settings, Cause::new(failure.kind)).detail;
    if let Some(source) = settings.bind
        && failure.errno.is_some_and(|errno| errno.number == libc::EADDRNOTAVAIL)
        && !socket::is_local(source)
    {
        failure.reason = Some(Reason::SourceNotLocal);
        failure.detail = Some(Detail::from_text(&source.to_string()));
    }
    // The kernel has an errno for every other unreachable address.
    let is_own = |address: &Address| dial::is_own(address) && outq::is_loopback_down();
    if failure.kind == Kind::Unreachable
        && failure.errno.is_none()
        && failure.address.as_ref().is_some_and(is_own)
    {
        failure.reason = Some(Reason::LoopbackDown);
        failure.detail = Some(Detail::from_text("the loopback interface is down"));
    }
    failure.elapsed = began.elapsed();
    failure
}

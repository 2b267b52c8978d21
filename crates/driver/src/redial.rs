//! The way in for programs: a policy, and a connection under it.
//!
//! [`connect`] hands over one connection; [`run`] keeps handing over new ones until the closure is
//! content or the policy gives up. No step touches the process: `exit N` is a verdict, `say` an
//! event, and `run` an error unless allowed. Start at [`Redial`].

use std::{
    error,
    future::{Future, Pending},
    hash::{BuildHasher, RandomState},
    io,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use redial_core::{
    Detail, Failure, Happened, Input, Kind, Limits, Policy, Record, Server, Session, Signal, Stage,
    Tls, Verb, Verdict, WallTime,
};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::{
    Connection, Error, IpVersions, Names, Settings, TlsOptions, TlsSetup, Via,
    connection::LastWords,
    drive::{Drive, Listener, Turn},
    gave_up::{GaveUp, Lasting, NotConnected},
    via::Through as _,
};

/// A policy about to be carried out, and what it may use.
///
/// ```no_run
/// use redial::{Policy, Redial, Server, Verb};
/// use tokio::io::AsyncReadExt;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = Policy::build(Verb::Connect)
///     .server(Server::parse("db1:5432")?)
///     .server(Server::parse("db2:5432")?)
///     .except("refused, dns-temporary: retry 10 every 250ms..30s, next")?
///     .build()?;
/// let mut connection = Redial::new(policy)
///     .listen(|happened| eprintln!("{:?}", happened.event))
///     .connect()
///     .await?;
/// let mut greeting = [0; 64];
/// connection.read(&mut greeting).await?;
/// # Ok(())
/// # }
/// ```
pub struct Redial {
    policy: Arc<Policy>,
    settings: Settings,
    tls: TlsOptions,
    seed: u64,
    may_run: bool,
    lab: Box<[Box<str>]>,
    listener: Option<Listener>,
    interrupts: Option<UnboundedReceiver<Signal>>,
}

/// Dials under a policy until a connection stands.
///
/// # Errors
///
/// [`NotConnected`]: the policy gave up, or could not be carried out.
pub async fn connect(policy: Policy) -> Result<Connection, NotConnected> {
    Redial::new(policy).connect().await
}

/// Hands connections to a closure, one after the other, until one call of it ends well.
///
/// See [`Redial::run`].
///
/// # Errors
///
/// [`NotConnected`]: the policy gave up, or could not be carried out.
pub async fn run<T, E, F>(
    policy: Policy,
    body: impl FnMut(Connection) -> F,
) -> Result<T, NotConnected>
where
    F: Future<Output = Result<T, E>>,
    E: Into<Box<dyn error::Error + Send + Sync>>,
{
    Redial::new(policy).run(body).await
}

impl Redial {
    /// This policy, with a new seed, the system's trust store, and no commands allowed.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let names = match policy.verb() {
            // It tries every few milliseconds.
            Verb::Wait | Verb::Gone => Names::at_most_every(Duration::from_secs(1)),
            _ => Names::default(),
        };
        let settings = Settings { limits: *policy.limits(), names, ..Settings::default() };
        Self {
            policy: Arc::new(policy),
            settings,
            tls: TlsOptions::default(),
            seed: new_seed(),
            may_run: false,
            lab: Box::default(),
            listener: None,
            interrupts: None,
        }
    }

    /// The number all jitter is drawn from. The same seed makes the same decisions.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How servers are asked for TLS.
    #[must_use]
    pub fn tls(mut self, options: TlsOptions) -> Self {
        self.tls = options;
        self
    }

    /// TLS that was set up before, for several to share: reading a trust store takes time. It stands
    /// in for [`Redial::tls`], and for what its servers' options say of TLS.
    #[must_use]
    pub fn tls_setup(mut self, setup: TlsSetup) -> Self {
        self.settings.tls = Some(setup);
        self
    }

    /// Which IP versions may be used. Both by default.
    #[must_use]
    pub const fn ip_versions(mut self, versions: IpVersions) -> Self {
        self.settings.family = versions;
        self
    }

    /// The source address to connect from.
    #[must_use]
    pub const fn bind(mut self, address: IpAddr) -> Self {
        self.settings.bind = Some(address);
        self
    }

    /// The proxy to go through. It looks the servers' names up; Unix sockets cannot be reached
    /// through it, which is an error once the policy is carried out.
    #[must_use]
    pub fn via(mut self, proxy: Via) -> Self {
        self.settings.via = Some(proxy);
        self
    }

    /// Allows the step `run`. Off by default: a policy may come from a file.
    #[must_use]
    pub const fn allow_run(mut self) -> Self {
        self.may_run = true;
        self
    }

    /// Is told every event as it happens.
    #[must_use]
    pub fn listen(mut self, listener: impl FnMut(&Happened) + Send + 'static) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// Orders to stop: the first runs `finally`, the second leaves at once.
    #[must_use]
    pub fn interrupts(mut self, signals: UnboundedReceiver<Signal>) -> Self {
        self.interrupts = Some(signals);
        self
    }

    /// Names the practice servers among the servers, for the record.
    #[must_use]
    pub fn lab(mut self, names: Box<[Box<str>]>) -> Self {
        self.lab = names;
        self
    }

    /// Dials until a connection stands.
    ///
    /// # Errors
    ///
    /// [`NotConnected`]: the policy gave up, or could not be carried out.
    pub async fn connect(self) -> Result<Connection, NotConnected> {
        let (mut drive, record) = self.start(Session::new)?;
        match drive.turn::<Pending<Input>>(None).await {
            Turn::Connected(_, connection) => Ok(*connection),
            Turn::Done(verdict) => Err(GaveUp { verdict, record: taken(&record) }.into()),
        }
    }

    /// Hands connections to a closure, one after the other, until one call of it ends well.
    ///
    /// Each connection is a new one: nothing that was sent is sent again unless the closure does
    /// so. When it returns an error and its connection failed, the clauses handle that failure; an
    /// `UnexpectedEof` is `closed-early` or `truncated`; any other error is the failure
    /// `application`, which heals (`transient`) unless it is wrapped in [`Lasting`]. The policy's
    /// deadline bounds all of it, the closure's calls too.
    ///
    /// ```no_run
    /// use redial::{Policy, Server};
    /// use tokio::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let policy = Policy::standing().server(Server::parse("cache:6379")?).build()?;
    /// let answer = redial::run(policy, |mut connection| async move {
    ///     connection.write_all(b"PING\r\n").await?;
    ///     let mut answer = [0; 7];
    ///     connection.read_exact(&mut answer).await?;
    ///     Ok::<_, std::io::Error>(answer)
    /// })
    /// .await?;
    /// assert_eq!(&answer, b"+PONG\r\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotConnected`]: the policy gave up, or could not be carried out.
    pub async fn run<T, E, F>(
        self,
        mut body: impl FnMut(Connection) -> F,
    ) -> Result<T, NotConnected>
    where
        F: Future<Output = Result<T, E>>,
        E: Into<Box<dyn error::Error + Send + Sync>>,
    {
        // Work that outlives its connections has one limit, not one for each.
        let policy = Arc::unwrap_or_clone(self.policy).bounding_everything();
        let (mut drive, record) = Self { policy: Arc::new(policy), ..self }.start(Session::new)?;
        let mut value = None;
        let mut turn = drive.turn::<Pending<Input>>(None).await;
        loop {
            match turn {
                Turn::Connected(id, mut connection) => {
                    let (server, last_words) =
                        (connection.server().clone(), connection.last_words());
                    let using = body(*connection);
                    let done = async {
                        match using.await {
                            Ok(done) => {
                                value = Some(done);
                                Input::Finished { id }
                            }
                            Err(error) => {
                                let failure = failure_of(&last_words, server, &*error.into());
                                Input::Failed { id, failure: Arc::new(failure) }
                            }
                        }
                    };
                    turn = drive.turn(Some((id, Box::pin(done)))).await;
                }
                Turn::Done(verdict) => {
                    return match (verdict, value) {
                        (Verdict::Well, Some(value)) => Ok(value),
                        (verdict, _) => Err(GaveUp { verdict, record: taken(&record) }.into()),
                    };
                }
            }
        }
    }

    /// Carries the policy out to its verdict, handing connections to `body` in between: what the
    /// command line is made of. [`Redial::run`] is easier to use.
    ///
    /// # Errors
    ///
    /// [`Error`], where the policy cannot be carried out at all.
    pub async fn carry_out<B>(self, mut body: B) -> Result<Finished, Error>
    where
        B: AsyncFnMut(&mut Connection) -> Ended,
    {
        let (mut drive, record) = self.start(Session::new)?;
        let mut turn = drive.turn::<Pending<Input>>(None).await;
        loop {
            match turn {
                Turn::Connected(id, mut connection) => {
                    let done = async {
                        match body(&mut connection).await {
                            Ended::Well => Input::Finished { id },
                            Ended::Failed(failure) => {
                                Input::Failed { id, failure: Arc::new(failure) }
                            }
                            Ended::Abandoned => Input::Abandoned { id },
                        }
                    };
                    turn = drive.turn(Some((id, Box::pin(done)))).await;
                }
                Turn::Done(verdict) => return Ok(Finished { verdict, record: taken(&record) }),
            }
        }
    }

    /// Dials until the server is ready, which is all that is wanted of it; or gone, where the
    /// policy's verb says so.
    ///
    /// # Errors
    ///
    /// [`Error`], where the policy cannot be carried out at all.
    pub async fn ready(self) -> Result<Finished, Error> {
        self.carry_out(async |_: &mut Connection| Ended::Well).await
    }

    /// Runs the policy's `else`, where it ended well elsewhere, and its `finally`. Nothing is
    /// dialled.
    ///
    /// # Errors
    ///
    /// [`Error`], where the policy cannot be carried out at all.
    pub async fn conclude(self, verdict: Verdict) -> Result<Finished, Error> {
        let (mut drive, record) =
            self.start(|policy, seed| Session::after(policy, seed, verdict))?;
        loop {
            if let Turn::Done(verdict) = drive.turn::<Pending<Input>>(None).await {
                return Ok(Finished { verdict, record: taken(&record) });
            }
        }
    }

    fn start(
        self,
        session: impl FnOnce(Arc<Policy>, u64) -> Session,
    ) -> Result<(Drive, Arc<Mutex<Record>>), Error> {
        if !self.may_run && self.policy.runs_commands() {
            return Err(Error::new(
                "the policy runs commands, which is not allowed here",
                "allow it: Redial::allow_run",
            ));
        }
        if let Some(via) = &self.settings.via {
            let without_own = |server: &&Server| server.options().overrides.via.is_none();
            via.check(self.policy.servers().iter().filter(without_own))?;
        }
        if !self.policy.is_probing() {
            begins_no_tls(self.policy.servers())?;
            has_no_probe_options(self.policy.servers())?;
        }
        let settings = of_servers(&self.policy, self.settings, &self.tls)?;
        let record =
            Record::new(self.policy.clone(), self.seed).with_lab(self.lab).with_began(now());
        let record = Arc::new(Mutex::new(record));
        let (kept, mut listener) = (record.clone(), self.listener);
        let listen = Box::new(move |happened: &Happened| {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(happened.clone());
            if let Some(listener) = &mut listener {
                listener(happened);
            }
        });
        let session = session(self.policy, self.seed);
        Ok((Drive::new(session, settings, listen, self.interrupts), record))
    }
}

/// The wall-clock time; a clock before 1970 counts as 1970.
fn now() -> WallTime {
    WallTime::since_epoch(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default())
}

/// How each server is reached: as all are, but for what its options say. What is the same is set
/// up once: reading a trust store takes time.
fn of_servers(
    policy: &Policy,
    common: Settings,
    tls: &TlsOptions,
) -> Result<Arc<[Settings]>, Error> {
    let mut set_up: Vec<(TlsOptions, TlsSetup)> = Vec::new();
    let mut all = Vec::with_capacity(policy.servers().len());
    for (index, server) in policy.servers().iter().enumerate() {
        let limits = Limits { reply: policy.reply_limit(index), ..policy.limits_of(index) };
        let mut settings = Settings { limits, ..common.clone() };
        if let Some(via) = &server.options().overrides.via {
            settings.via = Some(via.clone());
        }
        if settings.tls.is_none() && server.may_use_tls() {
            let options = tls.clone().for_server(policy, index);
            let known = set_up.iter().find(|(known, _)| *known == options);
            let setup = match known {
                Some((_, setup)) => setup.clone(),
                None => TlsSetup::build(&options)?,
            };
            set_up.push((options, setup.clone()));
            settings.tls = Some(setup);
        }
        all.push(settings);
    }
    Ok(all.into())
}

/// How the use of one connection ended.
#[derive(Debug)]
pub enum Ended {
    /// The user is content.
    Well,
    /// For this reason; `closed` is a clean end.
    Failed(Failure),
    /// The user has gone: no clause is asked and `else` does not run, `finally` does.
    Abandoned,
}

/// How a policy ended, and all that happened.
#[derive(Debug)]
pub struct Finished {
    /// The end.
    pub verdict: Verdict,
    /// The way there.
    pub record: Record,
}

/// What the clauses are asked about when a closure returned an error.
fn failure_of(
    last_words: &LastWords,
    server: Arc<str>,
    error: &(dyn error::Error + 'static),
) -> Failure {
    // A connection that was kept somewhere has not said anything; then nothing is certain.
    let left = last_words.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut failure = left.unwrap_or_else(|| Failure::new(Kind::Closed, Stage::Stream, server));
    if failure.kind == Kind::Closed {
        let cut = error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof);
        failure.kind = match (cut, failure.received) {
            (true, 0) => Kind::ClosedEarly,
            (true, _) => Kind::Truncated,
            (false, _) => Kind::Application,
        };
        failure.detail = Some(Detail::from_text(&error.to_string()));
        failure.lasting = error.is::<Lasting>();
    }
    failure
}

/// TLS that the protocol begins is for those who speak the protocol: going on without it would not
/// be what was asked for.
fn begins_no_tls(servers: &[Server]) -> Result<(), Error> {
    let needs = |server: &&Server| server.tls() == Tls::ByProtocol && !server.tls_is_optional();
    match servers.iter().find(needs) {
        Some(server) => Err(Error::new(
            format!(
                "{} asks for TLS in its protocol's own way, which only a probe can do (`wait`)",
                server.label()
            ),
            "write tls://HOST:PORT where the server begins with TLS, or leave the wish out",
        )),
        None => Ok(()),
    }
}

/// A connection that is somebody else's is not asked what a probe asks.
fn has_no_probe_options(servers: &[Server]) -> Result<(), Error> {
    let mut options = servers.iter().flat_map(|server| {
        server.options().for_probes().map(move |option| (server.label(), option))
    });
    match options.next() {
        Some((label, option)) => Err(Error::new(
            format!("`#{option}` is for a probe, and a connection to {label} sends none (`wait`)"),
            format!("leave {option} out, or probe the server: redial wait"),
        )),
        None => Ok(()),
    }
}

/// What was recorded; the listener that shared it is gone or will add nothing more.
fn taken(record: &Mutex<Record>) -> Record {
    record.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A seed from the operating system's randomness, by way of std's own.
fn new_seed() -> u64 {
    // 53 bits: a seed in JSON must survive readers whose numbers are doubles.
    RandomState::new().hash_one("redial") >> 11
}

//! The way in for programs: a policy, and a connection under it.
//!
//! [`connect`] hands over one connection; [`run`] keeps handing over new ones until the closure is
//! content or the policy gives up. No step touches the process: `exit N` is a verdict, `say` an
//! event, and `run` an error unless allowed. Start at [`Redial`].

use std::{convert::Infallible, error, fmt, future::Future, net::IpAddr, sync::{Arc, Mutex, PoisonError}};

use redial_core::{Detail, Failure, Happened, Input, Kind, Policy, Record, Signal, Stage, Step, Verdict};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::{
    Connection, Error, IpVersions, Settings, TlsOptions,
    drive::{Drive, Turn},
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
    listener: Option<Box<dyn FnMut(&Happened) + Send>>,
    interrupts: Option<UnboundedReceiver<Signal>>,
}

/// Dials under a policy until a connection stands.
///
/// # Errors
///
/// [`GaveUp`], with the verdict and the record of every attempt.
pub async fn connect(policy: Policy) -> Result<Connection, GaveUp> {
    Redial::new(policy).connect().await
}

/// Hands connections to a closure, one after the other, until one call of it ends well.
///
/// See [`Redial::run`].
///
/// # Errors
///
/// [`GaveUp`], with the verdict and the record of every attempt.
pub async fn run<T, E, F>(policy: Policy, body: impl FnMut(Connection) -> F) -> Result<T, GaveUp>
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
        let settings = Settings { limits: *policy.limits(), ..Settings::default() };
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
    /// [`GaveUp`], with the verdict and the record of every attempt.
    pub async fn connect(self) -> Result<Connection, GaveUp> {
        let (mut drive, record) = self.start()?;
        match drive.turn::<std::future::Pending<Input>>(None).await {
            Turn::Connected(_, connection) => Ok(connection),
            Turn::Done(verdict) => Err(GaveUp::new(verdict, &record)),
        }
    }

    /// Hands connections to a closure, one after the other, until one call of it ends well.
    ///
    /// A connection is always a new value: nothing that was sent is sent again unless the closure
    /// does so. When it returns an error, the connection's own failure is handled by the clauses
    /// (an `io::Error` of the connection carries it); any other error is the failure `application`,
    /// which heals (`transient`) unless the error is wrapped in [`Lasting`].
    ///
    /// # Errors
    ///
    /// [`GaveUp`], with the verdict and the record of every attempt.
    pub async fn run<T, E, F>(self, mut body: impl FnMut(Connection) -> F) -> Result<T, GaveUp>
    where
        F: Future<Output = Result<T, E>>,
        E: Into<Box<dyn error::Error + Send + Sync>>,
    {
        let kept = Mutex::new(None);
        let kept_in = &kept;
        let outcome = self
            .carry_out(move |connection| {
                let server = connection.server().clone();
                let body = body(connection);
                async move {
                    match body.await {
                        Ok(value) => {
                            kept_in.lock().unwrap_or_else(PoisonError::into_inner).replace(value);
                            Ended::Well
                        }
                        Err(error) => Ended::Failed(failure_of(&*error.into(), server)),
                    }
                }
            })
            .await?;
        let value = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (outcome.verdict, value) {
            (Verdict::Well, Some(value)) => Ok(value),
            (verdict, _) => Err(GaveUp { verdict, record: Box::new(outcome.record) }),
        }
    }

    /// Carries the policy out to its verdict, handing connections to `body` in between. What the
    /// command line is made of; [`Redial::run`] is easier to use.
    ///
    /// # Errors
    ///
    /// [`GaveUp`] before the first attempt, where the policy cannot be carried out at all.
    pub async fn carry_out<F>(self, mut body: impl FnMut(Connection) -> F) -> Result<Outcome, GaveUp>
    where
        F: Future<Output = Ended>,
    {
        let (mut drive, record) = self.start()?;
        let mut under_way = None;
        loop {
            match drive.turn(under_way.take()).await {
                Turn::Connected(id, connection) => {
                    let body = body(connection);
                    let done = async move {
                        match body.await {
                            Ended::Well => Input::Finished { id },
                            Ended::Failed(failure) => Input::Failed { id, failure: Arc::new(failure) },
                        }
                    };
                    under_way = Some((id, Box::pin(done)));
                }
                Turn::Done(verdict) => return Ok(Outcome { verdict, record: taken(&record) }),
            }
        }
    }

    fn start(self) -> Result<(Drive, Arc<Mutex<Record>>), GaveUp> {
        let record = Record::new(self.policy.clone(), self.seed).with_lab(self.lab);
        let unable = |error: Error, record: Record| GaveUp { verdict: Verdict::Unhandled(Arc::new(not_able(&error))), record: Box::new(record) };
        if !self.may_run && has_run(&self.policy) {
            let error = Error::new("the policy runs commands, which is not allowed here", "allow it with Redial::allow_run");
            return Err(unable(error, record));
        }
        let settings = match self.settings.with_tls(&self.tls, self.policy.servers()) {
            Ok(settings) => settings,
            Err(error) => return Err(unable(error, record)),
        };
        let record = Arc::new(Mutex::new(record));
        let (kept, mut listener) = (record.clone(), self.listener);
        let listen = Box::new(move |happened: &Happened| {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(happened.clone());
            if let Some(listener) = &mut listener {
                listener(happened);
            }
        });
        Ok((Drive::new(self.policy, self.seed, Arc::new(settings), listen, self.interrupts), record))
    }
}

/// How the use of one connection ended.
#[derive(Debug)]
pub enum Ended {
    /// The user is content.
    Well,
    /// For this reason; `closed` is a clean end.
    Failed(Failure),
}

/// How a policy ended, and all that happened.
#[derive(Debug)]
pub struct Outcome {
    /// The end.
    pub verdict: Verdict,
    /// The way there.
    pub record: Record,
}

/// The policy gave up.
#[derive(Debug)]
pub struct GaveUp {
    /// How it ended.
    pub verdict: Verdict,
    /// Every attempt, as far as the record is bounded.
    pub record: Box<Record>,
}

impl GaveUp {
    fn new(verdict: Verdict, record: &Mutex<Record>) -> Self {
        Self { verdict, record: Box::new(taken(record)) }
    }

    /// The failure it ended with, where it ended with one.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &self.verdict {
            Verdict::Stopped(failure) | Verdict::Unhandled(failure) | Verdict::Deadline(failure) => Some(failure),
            _ => None,
        }
    }
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Stopped(failure) | Verdict::Unhandled(failure) | Verdict::Deadline(failure) => write!(f, "{failure}"),
            Verdict::Exit(status) => write!(f, "a clause ended the session with `exit {status}`"),
            Verdict::Interrupted(signal) => write!(f, "interrupted by {}", signal.name()),
            _ => f.write_str("the session is over"),
        }
    }
}

impl error::Error for GaveUp {}

/// An error that does not heal by itself: the failure `application`, but not `transient`.
#[derive(Debug)]
pub struct Lasting<E>(pub E);

impl<E: fmt::Display> fmt::Display for Lasting<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<E: fmt::Debug + fmt::Display> error::Error for Lasting<E> {}

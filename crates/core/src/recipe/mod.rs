//! Recipes: a protocol as data.
//!
//! A recipe says how a server is asked whether it is ready (`probe`), and what its first bytes look
//! like in a conversation that is somebody else's (`answer`). Both are read from a TOML file; those
//! of `crates/core/recipes/` are part of the program, and [`Recipe::parse`] reads a user's own.
//! Nothing here touches a socket. Start at [`Recipe`]; then [`Script`], a recipe made for one server,
//! and [`Probe`], one run of it. To add a protocol, read `docs/recipes.md`: it takes ten minutes,
//! a file, a line in `shipped.rs`, and no other code.
//!
//! ```text
//! name    = "redis"
//! ready   = "it answers PING"         # what ready means, in a sentence; source: where it is written
//! port    = 6379
//! schemes = ["redis", "rediss"]
//!
//! [probe]
//! leaves = "clean"                    # or "spent": whether the connection could be used afterwards
//! bye    = 'QUIT\r\n'                 # said before closing, once it is ready
//! [[probe.step]]
//! send   = 'PING\r\n'                 # or send-bytes: see `said`
//! frame  = "line"                     # or { at = 0, size = "u32", plus = 4 }: where a message ends
//! expect = [                          # the first that fits counts
//!   { match = '^+PONG',    then = "ready" },
//!   { match = '^-LOADING', then = "unavailable", says = "it is loading its data" },
//! ]
//! ```
//!
//! `then` is `ready`, `next` (the next step; behind the last, ready), `again` (the next message),
//! a step's name, `tls` (TLS begins here), or a kind of failure. `only` says for whom a step is. A
//! login is steps like any others; what they compute from a password is in `login`.

mod built;
mod example;
mod expected;
mod file;
mod fill;
mod frame;
mod http;
mod login;
mod only;
mod probe;
mod request;
mod said;
mod script;
mod shipped;
mod step;
mod table;

use alloc::{boxed::Box, format, sync::Arc};
use core::{fmt, time::Duration};

pub use example::Example;
pub use expected::{Expected, Judge, Judged, Refusal};
pub use probe::{Probe, ProbeInput, ProbeOutput};
pub use script::Script;
pub use shipped::{RECIPES, Shipped};

use crate::{
    Mistake, Scheme, Server,
    nearest::{nearest, quoted},
};
use only::{Condition, Only};
use said::Said;
use step::Step;

/// How much of an answer is heard in one step unless a recipe says otherwise: 64 KiB.
const LIMIT: usize = 64 << 10;

/// A protocol: how to ask its server whether it is ready, and how its answers begin. A clone costs
/// a reference count.
///
/// ```
/// use redial_core::{Leaves, Recipe};
///
/// let redis = Recipe::named("rediss")?; // a scheme will do
/// assert_eq!((redis.name(), redis.port()), ("redis", Some(6379)));
/// assert_eq!(redis.leaves(), Leaves::Clean);
///
/// let mistake = Recipe::named("postgers").unwrap_err();
/// assert_eq!(mistake.to_string(), "no recipe is called `postgers`; the nearest is `postgres`");
/// # Ok::<(), redial_core::Mistake>(())
/// ```
#[derive(Clone)]
pub struct Recipe(Arc<Parts>);

struct Parts {
    name: Box<str>,
    about: Box<str>,
    ready: Box<str>,
    source: Box<str>,
    port: Option<u16>,
    schemes: Box<[Box<str>]>,
    alpn: Option<Box<str>>,
    within: Option<Duration>,
    leaves: Leaves,
    logs: Box<str>,
    steps: Box<[Step]>,
    bye: Said,
    answer: Option<(First, Expected)>,
    examples: Box<[Example]>,
}

/// What a connection is good for after a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leaves {
    /// A client could use it as if nothing had been said.
    Clean,
    /// Nobody can use it any more.
    Spent,
}

/// When a probe logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogsIn {
    /// Never: the recipe knows no login.
    Never,
    /// Where it is asked for: `--login`, `#login`.
    OnRequest,
    /// Wherever the URL has a password.
    WithPassword,
}

/// Who speaks first in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum First {
    /// The server greets.
    Server,
    /// The server waits for the client.
    Client,
}

impl Recipe {
    /// The recipe of this name, or of the scheme of this name, among [`RECIPES`].
    ///
    /// # Errors
    /// There is none; the nearest is named.
    pub fn named(name: &str) -> Result<Self, Mistake> {
        let find = |name: &str| RECIPES.iter().find(|one| one.name.eq_ignore_ascii_case(name));
        let by_scheme = || Scheme::named(name).and_then(|scheme| find(scheme.protocol?));
        if let Some(shipped) = find(name).or_else(by_scheme) {
            return Self::parse(shipped.text);
        }
        let what = format!("no recipe is called {}", quoted(name));
        let instead = match nearest(name, RECIPES.iter().map(|one| one.name)) {
            Some(near) => format!("the nearest is `{near}`"),
            None => "see them: redial help recipes; for a file of your own: --as FILE".into(),
        };
        Err(Mistake::new(0..name.len(), what, instead))
    }

    /// The recipe that judges this server: of its option `as`, or of its scheme. None where neither
    /// says anything, as for `host:port`. A file's path in `as` is for the caller to read.
    ///
    /// # Errors
    /// Those of [`Recipe::named`].
    pub fn of(server: &Server) -> Result<Option<Self>, Mistake> {
        server.protocol().map(Self::named).transpose()
    }

    /// Reads a recipe from a file's text (TOML, at most 256 KiB).
    ///
    /// # Errors
    /// The first [`Mistake`], with its position in `text`.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        file::read(text).map(|parts| Self(Arc::new(parts)))
    }

    /// The recipe made for one server.
    ///
    /// # Errors
    /// Something in the server's URL or options cannot be sent, or the protocol has no words with
    /// which TLS could begin. The positions mean nothing.
    pub fn script(&self, server: &Server) -> Result<Script, Mistake> {
        Script::new(self, server)
    }

    /// What the server's first bytes look like in a conversation that is not redial's own.
    ///
    /// Judging it consumes nothing. None where nothing can be told.
    #[must_use]
    pub fn answer(&self) -> Option<&Expected> {
        self.0.answer.as_ref().map(|(_, expected)| expected)
    }

    /// Who speaks first, where it is known.
    #[must_use]
    pub fn first(&self) -> Option<First> {
        self.0.answer.as_ref().map(|(first, _)| *first)
    }

    /// Its name: `redis`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is for, in a line.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.0.about
    }

    /// What *ready* means, in a sentence.
    #[must_use]
    pub fn ready(&self) -> &str {
        &self.0.ready
    }

    /// Where that is written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The port when none is written.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.0.port
    }

    /// The schemes it judges: `redis`, `rediss`.
    pub fn schemes(&self) -> &[Box<str>] {
        &self.0.schemes
    }

    /// The protocol that has to be agreed on where TLS begins with the first byte: `h2`.
    #[must_use]
    pub fn alpn(&self) -> Option<&str> {
        self.0.alpn.as_deref()
    }

    /// How long a probe of it may take, where it is not as long as others.
    #[must_use]
    pub fn within(&self) -> Option<Duration> {
        self.0.within
    }

    /// What a probed connection is good for.
    #[must_use]
    pub fn leaves(&self) -> Leaves {
        self.0.leaves
    }

    /// What a server logs because of a probe.
    #[must_use]
    pub fn logs(&self) -> &str {
        &self.0.logs
    }

    /// Whether TLS can begin in the protocol's own words.
    #[must_use]
    pub fn can_begin_tls(&self) -> bool {
        self.0.steps.iter().any(Step::begins_tls)
    }

    /// When a probe of it logs in.
    #[must_use]
    pub fn logs_in(&self) -> LogsIn {
        match (self.can_log_in(), self.asks(Condition::Password, Condition::Login)) {
            (false, _) => LogsIn::Never,
            (true, false) => LogsIn::OnRequest,
            (true, true) => LogsIn::WithPassword,
        }
    }

    /// Whether a probe of it can log in.
    #[must_use]
    pub fn can_log_in(&self) -> bool {
        self.conditions().any(|only| only.asks(Condition::Login))
    }

    /// Returns true if the option of a server (`status`, `header`) changes its probe.
    pub(crate) fn uses(&self, option: &str) -> bool {
        self.0.steps.iter().any(|step| step.uses(option))
    }

    /// Whether it logs in as the URL's user alone, and as nobody by default.
    fn needs_user(&self) -> bool {
        self.conditions().any(|only| only.asks(Condition::Login) && only.asks(Condition::User))
    }

    /// Whether something is for servers of which this holds, whatever holds else.
    fn asks(&self, condition: Condition, without: Condition) -> bool {
        self.conditions().any(|only| only.asks(condition) && !only.asks(without))
    }

    fn conditions(&self) -> impl Iterator<Item = Only> {
        self.0.steps.iter().flat_map(Step::conditions)
    }

    /// The examples in its file.
    #[must_use]
    pub fn examples(&self) -> &[Example] {
        &self.0.examples
    }

    fn steps(&self) -> &[Step] {
        &self.0.steps
    }

    fn bye(&self) -> &Said {
        &self.0.bye
    }
}

impl fmt::Debug for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipe({})", self.name())
    }
}

//! Servers as people write them: `db:5432`, `[::1]:5432`, `unix:/run/app.sock`, `postgres://db`.
//!
//! Reading a server finds its place, its protocol and when TLS begins. It resolves nothing, and a
//! password is replaced (`***`) before reading begins: no label and no mistake can hold one. The
//! password itself is a [`Secret`] for logins. Names that stand for servers (`lab:`, `env:`) are the
//! command line's. Start at [`Server`], or at [`Target`] for several of which any will do.

mod credentials;
mod header;
mod hosts;
mod ipv4;
mod mask;
mod options;
mod overrides;
mod place;
mod query;
mod read;
mod redirect;
mod secret;
mod statuses;
mod target;
mod via;

use alloc::{format, sync::Arc};
use core::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

pub use header::Header;
pub use mask::{masked, secrets};
pub use options::Options;
pub(crate) use options::{decoded, percent_decoded};
pub use overrides::{Overrides, Verify};
pub use place::Place;
pub use secret::Secret;
pub use statuses::Statuses;
pub use target::Target;
pub use via::{Via, ViaLogin, ViaProtocol};

use crate::{Mistake, Scheme, Tls, escape::printable, nearest::quoted};
use mask::Masked;

/// One address the user named.
///
/// | written | means |
/// |---|---|
/// | `db:5432`, `tcp://db:5432` | a host and a port |
/// | `[::1]:5432`, `[fe80::1%eth0]:5432` | an IPv6 address and a port |
/// | `unix:/run/app.sock`, `unix:./app.sock` | a Unix socket |
/// | `tls://db:5432` | TLS from the first byte |
/// | `postgres://app@db/main?sslmode=require` | a protocol of [`Scheme::all`], its port and TLS |
/// | `postgresql+asyncpg://db`, `jdbc:mysql://db` | the same, as drivers write it |
/// | any of these and `#within=5s,as=redis` | its [`Options`], which never travel |
/// | `http://h/#/login`, `http://h/#!/login` | a web page's fragment, which is not sent |
///
/// ```
/// use redial_core::{Server, Tls};
///
/// let server: Server = "rediss://app:s3cret@cache/0#within=5s".parse()?;
/// assert_eq!(server.place().to_string(), "cache:6379");
/// assert_eq!(server.tls(), Tls::Immediately);
/// assert_eq!(&**server.label(), "rediss://app:***@cache/0");
/// assert!(server.had_password());
///
/// let mistake = "db".parse::<Server>().unwrap_err();
/// assert_eq!(
///     mistake.to_string(),
///     "`db` has no port; write db:PORT, or a URL whose protocol has a port: `postgres://db`"
/// );
/// # Ok::<(), redial_core::Mistake>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    label: Arc<str>,
    place: Place,
    tls: Tls,
    scheme: Option<&'static Scheme>,
    user: Option<Arc<str>>,
    path: Arc<str>,
    query: Option<Arc<str>>,
    /// The query as it was written, where a secret in it is masked.
    secret_query: Option<Secret>,
    fragment: Option<Arc<str>>,
    options: Options,
    had_password: bool,
    /// What the query says of TLS.
    asked: Overrides,
    tls_is_optional: bool,
    password: Option<Secret>,
    /// Whether the password stands in the query.
    password_is_parameter: bool,
}

impl Server {
    /// Reads one server.
    ///
    /// # Errors
    /// What is wrong, where in `text`, and what to write instead; several servers are one mistake.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let mut servers = Target::parse(text)?.into_servers();
        match servers.pop() {
            Some(server) if servers.is_empty() => Ok(server),
            _ => {
                let what = format!("{} servers stand where one is meant", servers.len() + 1);
                Err(Mistake::new(0..text.len(), what, "write one"))
            }
        }
    }

    /// Reads one server from the words of a command line: `db:5432`, or `db 5432` and `::1 5432`.
    ///
    /// # Errors
    /// Those of [`Server::parse`]; the positions are those of the words with a space between.
    ///
    /// ```
    /// # use redial_core::Server;
    /// assert_eq!(&**Server::from_words(&["::1", "5432"])?.label(), "[::1]:5432");
    /// # Ok::<(), redial_core::Mistake>(())
    /// ```
    pub fn from_words(words: &[&str]) -> Result<Self, Mistake> {
        match words {
            [text] => Self::parse(text),
            [host, port] => {
                let masked = Masked::of(&format!("{host} {port}"))?;
                let place = apart(&masked.text).map_err(|mistake| masked.in_original(mistake))?;
                Ok(Self::at(place))
            }
            _ => {
                let what = format!("a server is one word or two, not {}", words.len());
                let all = words.iter().map(|word| word.len() + 1).sum::<usize>().saturating_sub(1);
                Err(Mistake::new(0..all, what, "write HOST:PORT"))
            }
        }
    }

    /// A server at this place, without a protocol.
    #[must_use]
    pub fn at(place: Place) -> Self {
        Self {
            label: format!("{place}").into(),
            place,
            tls: Tls::No,
            scheme: None,
            user: None,
            path: "".into(),
            query: None,
            secret_query: None,
            fragment: None,
            options: Options::default(),
            had_password: false,
            asked: Overrides::default(),
            tls_is_optional: false,
            password: None,
            password_is_parameter: false,
        }
    }

    /// The same server under another name in every message: `lab:late` for an address.
    #[must_use]
    pub fn labelled(mut self, label: &str) -> Self {
        self.label = printable(label).into();
        self
    }

    /// The same server with the option `login`.
    #[must_use]
    pub const fn asking_login(mut self) -> Self {
        self.options.login = true;
        self
    }

    /// As the user named it, for every message: printable, without password and options.
    #[must_use]
    pub const fn label(&self) -> &Arc<str> {
        &self.label
    }

    /// Where it is.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// When TLS begins.
    #[must_use]
    pub const fn tls(&self) -> Tls {
        match self.tls {
            Tls::No if self.options.starttls => Tls::ByProtocol,
            tls => tls,
        }
    }

    /// Returns true if a connection to it may use TLS: it begins with it, agrees on it, or may be
    /// redirected to https.
    #[must_use]
    pub fn may_use_tls(&self) -> bool {
        self.tls() != Tls::No || self.options.redirect
    }

    /// What stood before `://`.
    #[must_use]
    pub const fn scheme(&self) -> Option<&'static Scheme> {
        self.scheme
    }

    /// The name of its recipe: the option `as`, or else its scheme's protocol.
    #[must_use]
    pub fn protocol(&self) -> Option<&str> {
        self.options.as_.as_deref().or_else(|| self.scheme?.protocol)
    }

    /// The user, percent-encoded as it was written.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The path with its `/`, percent-encoded as it was written; empty when there is none.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What stands behind `?`, passwords masked.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Returns the query as it was written, where `query` has a mask in it: for a request that is
    /// sent, and for nothing that is shown.
    #[must_use]
    pub const fn secret_query(&self) -> Option<&Secret> {
        self.secret_query.as_ref()
    }

    /// Returns a web page's own fragment: the part after `#` that begins with `/` or `!`, as in
    /// `http://h/#/login`. It is never sent.
    #[must_use]
    pub fn fragment(&self) -> Option<&str> {
        self.fragment.as_deref()
    }

    /// What stands behind `#`.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// How it is reached, where that differs from the flags: its options, else what its query
    /// asks for (`sslmode`, `sslrootcert`).
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        self.options.overrides.clone().or(&self.asked)
    }

    /// Whether it is used without TLS where it offers none: `sslmode=prefer`.
    #[must_use]
    pub const fn tls_is_optional(&self) -> bool {
        self.tls_is_optional
    }

    /// As it is written with its options: `db:5432#within=5s`. Passwords are `***`.
    #[must_use]
    pub fn written(&self) -> alloc::string::String {
        let options = format!("{}", self.options);
        if options.is_empty() { (*self.label).into() } else { format!("{}#{options}", self.label) }
    }

    /// How this server would be written with TLS; none where its protocol has no such form.
    ///
    /// ```
    /// # use redial_core::Server;
    /// let with_tls = |text: &str| Server::parse(text).unwrap().written_with_tls();
    /// assert_eq!(with_tls("db:5432").as_deref(), Some("tls://db:5432"));
    /// assert_eq!(with_tls("redis://cache/0").as_deref(), Some("rediss://cache/0"));
    /// assert_eq!(with_tls("postgres://db").as_deref(), Some("postgres://db?sslmode=verify-full"));
    /// assert_eq!(with_tls("unix:/run/app.sock"), None);
    /// ```
    #[must_use]
    pub fn written_with_tls(&self) -> Option<alloc::string::String> {
        let Place::Host { .. } = &self.place else { return None };
        let label = &*self.label;
        let text = match (self.scheme, label.split_once("://")) {
            (Some(scheme), Some((_, rest))) => match (scheme.secured(), scheme.tls_on_request) {
                (_, Tls::ByProtocol) => {
                    let sign = if self.query.is_some() { '&' } else { '?' };
                    let asks = match scheme.protocol {
                        Some("postgres") => "sslmode=verify-full",
                        Some("mysql") => "ssl-mode=verify_identity",
                        _ => "tls=true",
                    };
                    // What was asked before stands; the last word counts.
                    format!("{label}{sign}{asks}")
                }
                (Some(secured), _) => format!("{}://{rest}", secured.name),
                (None, Tls::Immediately) => {
                    let sign = if self.query.is_some() { '&' } else { '?' };
                    format!("{label}{sign}tls=true")
                }
                (None, Tls::No) => return None,
            },
            _ => format!("tls://{}", self.place),
        };
        Self::parse(&text).ok().filter(|server| server.tls() != Tls::No).map(|_| text)
    }

    /// Whether a password was written, and masked.
    #[must_use]
    pub const fn had_password(&self) -> bool {
        self.had_password
    }

    /// Returns the password for a login: that of the user, else the query's parameter `password`.
    #[must_use]
    pub const fn password(&self) -> Option<&Secret> {
        self.password.as_ref()
    }

    /// Returns the password of the URL's user: one in its query is no part of a user's login.
    #[must_use]
    pub const fn user_password(&self) -> Option<&Secret> {
        if self.password_is_parameter { None } else { self.password.as_ref() }
    }
}

impl FromStr for Server {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        Self::parse(text)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.label)
    }
}

impl Serialize for Server {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.label)
    }
}

/// A place whose host and port stand apart, with a space between.
fn apart(text: &str) -> Result<Place, Mistake> {
    let (host, port) = text.rsplit_once(' ').unwrap_or((text, ""));
    if host.contains("://") || text.contains('@') {
        let what = format!("{} has a port that stands apart", quoted(host));
        let instead = "write the port behind the host, as in redis://db:6379";
        return Err(Mistake::new(0..text.len(), what, instead));
    }
    read::check(host)?;
    read::check(port).map_err(|mistake| mistake.shifted(host.len() + 1))?;
    Place::of_words(host, port)
}

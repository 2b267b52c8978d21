//! What a server's URL and options put into a recipe's words: `{user|postgres}`, `{path}`.
//!
//! Every value is bounded, and none can hold a control character: a `%0d%0a` in a URL is refused
//! before anything is sent. Which of them a protocol needs is the recipe's. Start at [`Fill`].
//!
//! | placeholder | is |
//! |---|---|
//! | `{host}` | the host without brackets; `localhost` for a Unix socket |
//! | `{authority}` | host and port as HTTP writes them, the scheme's own port left out |
//! | `{user}`, `{password}` | the URL's user and password, decoded |
//! | `{segment}` | the URL's path without its first `/`, decoded: a database, a virtual host |
//! | `{path}` | the URL's path and query as they were written; `/` where there is none |
//! | `{query.NAME}` | a parameter of the URL's query, decoded |
//! | `{method}`, `{header}` | the options `#method=HEAD` and `#header=Name:%20value` (whole lines) |
//! | `{http-headers}` | the header lines of an HTTP request: see [`request`] |
//! | `{proof.NAME}` | what a login computes when it is sent: see `login` |
//!
//! Of `{query.authSource/segment}` the first counts that the URL holds. Behind `|` stands what is
//! taken where the URL says nothing; without it, that is nothing. Behind a proof's it is the user.

use alloc::{boxed::Box, format, string::String, vec::Vec};

use super::{
    login::{Credentials, Proof, base64_encoded},
    request,
};
use crate::{
    Mistake, Place, Secret, Server,
    nearest::{nearest, quoted},
};

/// The longest value that is decoded, and the longest path, in bytes.
const LONGEST: usize = 255;
const LONGEST_PATH: usize = 8 << 10;

const NAMES: [&str; 9] = [
    "host",
    "authority",
    "user",
    "password",
    "segment",
    "path",
    "method",
    "header",
    "http-headers",
];

/// The longest password, in bytes: clouds sign tokens that are used as one.
const LONGEST_PASSWORD: usize = 8 << 10;

/// A placeholder, and what it is where the server says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fill {
    /// Never empty; the first that the server has counts.
    what: Box<[What]>,
    or: Box<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Host,
    Authority,
    User,
    Password,
    Segment,
    Path,
    Query(Box<str>),
    Method,
    Header,
    HttpHeaders,
    Proof(Proof),
}

impl Fill {
    /// Reads what stands between the braces.
    pub(super) fn parse(text: &str) -> Result<Self, Mistake> {
        let (name, or) = text.split_once('|').unwrap_or((text, ""));
        let mut what = Vec::new();
        let mut start = 0;
        if name.contains("proof.") && name.contains('/') {
            let instead = "write it by itself: {proof.scram-final}";
            return Err(Mistake::new(0..name.len(), "a proof has no alternatives", instead));
        }
        for name in name.split('/') {
            what.push(What::parse(name).map_err(|mistake| mistake.shifted(start))?);
            start += name.len() + 1;
        }
        if or.chars().any(char::is_control) || or.len() > LONGEST {
            let what = "what stands behind `|` is too long, or cannot be printed";
            return Err(Mistake::new(name.len() + 1..text.len(), what, "write a few letters"));
        }
        Ok(Self { what: what.into(), or: or.into() })
    }

    /// Returns true if it holds what this option says.
    pub(super) fn uses(&self, option: &str) -> bool {
        self.what.iter().any(|what| match what {
            What::Method => option == "method",
            What::Header | What::HttpHeaders => option == "header",
            _ => false,
        })
    }

    /// What is to be computed, and the user where the URL names none.
    pub(super) fn proof(&self) -> Option<(Proof, &str)> {
        match &*self.what {
            [What::Proof(proof)] => Some((*proof, &self.or)),
            _ => None,
        }
    }
}

impl What {
    fn parse(name: &str) -> Result<Self, Mistake> {
        Ok(match name {
            "host" => Self::Host,
            "authority" => Self::Authority,
            "user" => Self::User,
            "password" => Self::Password,
            "segment" => Self::Segment,
            "path" => Self::Path,
            "method" => Self::Method,
            "header" => Self::Header,
            "http-headers" => Self::HttpHeaders,
            _ if let Some(name) = name.strip_prefix("query.").filter(|name| !name.is_empty()) => {
                Self::Query(name.into())
            }
            _ if let Some(name) = name.strip_prefix("proof.") => {
                let found = Proof::ALL.iter().find(|(known, _)| *known == name);
                let names = Proof::ALL.map(|(name, _)| name);
                let (_, proof) = found.ok_or_else(|| {
                    let what = format!("no proof is called {}", quoted(name));
                    Mistake::new(6..6 + name.len(), what, format!("there are {}", names.join(", ")))
                })?;
                Self::Proof(*proof)
            }
            _ => {
                let instead = match nearest(name, NAMES) {
                    Some(near) => format!("the nearest is `{{{near}}}`"),
                    None => format!("there are {} and query.NAME", NAMES.join(", ")),
                };
                let what = format!("{} stands for nothing", quoted(&format!("{{{name}}}")));
                return Err(Mistake::new(0..name.len(), what, instead));
            }
        })
    }
}

/// One server, asked for the values of placeholders.
pub(super) struct Filler<'a> {
    /// None for bytes that are not for any server, as those of an example.
    server: Option<&'a Server>,
}

impl<'a> Filler<'a> {
    pub(super) const fn new(server: &'a Server) -> Self {
        Self { server: Some(server) }
    }

    pub(super) const fn nobody() -> Self {
        Self { server: None }
    }

    /// Returns the server; for an example's bytes there is none.
    pub(super) fn server(&self) -> Result<&'a Server, Mistake> {
        self.server.ok_or_else(|| {
            let what = "a placeholder stands where no server is known";
            Mistake::new(0..0, what, "write the bytes themselves")
        })
    }

    /// Appends the value of a placeholder.
    pub(super) fn fill(&self, fill: &Fill, to: &mut Vec<u8>) -> Result<(), Mistake> {
        let server = self.server()?;
        for what in &fill.what {
            if let Some(value) = self.value(server, what)?.filter(|value| !value.is_empty()) {
                to.extend_from_slice(&value);
                return Ok(());
            }
        }
        to.extend_from_slice(fill.or.as_bytes());
        Ok(())
    }

    /// Returns the user and the password of the server.
    pub(super) fn credentials(&self) -> Result<Credentials, Mistake> {
        let server = self.server()?;
        let user = self.value(server, &What::User)?;
        let password = self.value(server, &What::Password)?;
        let mut hidden = request::secrets(server);
        if server.user_password().is_some() {
            hidden.extend(self.basic(server).ok().flatten().map(String::into_bytes));
        }
        Ok(Credentials { user, password, hidden })
    }

    /// The mistake that a length cannot hold what it counts.
    pub(super) fn too_long(&self, most: u64) -> Mistake {
        let label = self.server.map_or("", |server| server.label());
        let what = format!("what would be sent to {} is too long", quoted(label));
        Mistake::new(0..0, what, format!("{most} bytes fit there; shorten its user or path"))
    }

    fn value(&self, server: &Server, what: &What) -> Result<Option<Vec<u8>>, Mistake> {
        let host = match server.place() {
            Place::Host { host, .. } => host,
            Place::Unix { .. } => "localhost",
        };
        let scheme_port = server.scheme().and_then(|scheme| scheme.port);
        match what {
            What::Host => self.plain("host", host).map(Some),
            What::Authority => {
                let host = if host.contains(':') { format!("[{host}]") } else { host.into() };
                let authority = match server.place() {
                    Place::Host { port, .. } if Some(*port) != scheme_port => {
                        format!("{host}:{port}")
                    }
                    _ => host,
                };
                self.plain("host", &authority).map(Some)
            }
            What::User => server.user().map(|user| self.decoded("user", user)).transpose(),
            What::Password => {
                let password = server.password().map(|password| password.expose());
                let decoded = |text| self.bytes("password", text, LONGEST_PASSWORD);
                password.map(decoded).transpose()
            }
            What::Segment => {
                let path = server.path();
                self.decoded("path", path.strip_prefix('/').unwrap_or(path)).map(Some)
            }
            What::Path => {
                let path = if server.path().is_empty() { "/" } else { server.path() };
                let query = server.secret_query().map(Secret::expose).or_else(|| server.query());
                let whole = match query {
                    Some(query) => format!("{path}?{query}"),
                    None => path.into(),
                };
                // Printed by redial, and read back: the secret is gone.
                if server.secret_query().is_none() && whole.contains("=***") {
                    return Err(self.masked("path"));
                }
                self.plain("path", &whole).map(Some)
            }
            What::Query(name) => {
                let parameters = server.query().unwrap_or("").split('&');
                let mut values = parameters.filter_map(|one| one.split_once('='));
                let value = values.find(|(key, _)| *key == &**name).map(|(_, value)| value);
                value.map(|value| self.decoded("query", value)).transpose()
            }
            What::Method => Ok(server.options().method.as_deref().map(Into::into)),
            What::Proof(_) => Ok(None),
            What::Header => request::own_lines(server).map(Some),
            What::HttpHeaders => {
                let authority = self.value(server, &What::Authority)?.unwrap_or_default();
                let basic = self.basic(server)?;
                request::lines(server, &authority, basic.as_deref()).map(Some)
            }
        }
    }

    /// Returns user and password of the URL as Basic authentication sends them (RFC 7617); none
    /// where it has neither.
    fn basic(&self, server: &Server) -> Result<Option<String>, Mistake> {
        if server.user().is_none() && server.user_password().is_none() {
            // Without a user, a password that is masked was one.
            return Ok(None);
        }
        let user = self.value(server, &What::User)?.unwrap_or_default();
        if user.contains(&b':') {
            let what = "has a colon in it, which ends it in Basic authentication";
            return Err(self.mistake("user", what, "write #header=Authorization:%20… instead"));
        }
        let password = server.user_password().map(Secret::expose);
        let password = password.map(|text| self.bytes("password", text, LONGEST_PASSWORD));
        let password = password.transpose()?.unwrap_or_default();
        Ok(Some(base64_encoded(&[&*user, b":", &*password].concat())))
    }

    /// A value as it was written; letters that are not ASCII are encoded.
    fn plain(&self, name: &str, value: &str) -> Result<Vec<u8>, Mistake> {
        self.refuse_mask(name, value)?;
        if value.len() > LONGEST_PATH {
            return Err(self.mistake(name, "is too long", "use a shorter one"));
        }
        let mut text = String::with_capacity(value.len());
        for byte in value.bytes() {
            match byte {
                0x21..=0x7e => text.push(char::from(byte)),
                0..=0x20 | 0x7f => return Err(self.mistake(name, CONTROL, "leave it out")),
                _ => text.push_str(&format!("%{byte:02X}")),
            }
        }
        Ok(text.into_bytes())
    }

    fn decoded(&self, name: &str, value: &str) -> Result<Vec<u8>, Mistake> {
        self.refuse_mask(name, value)?;
        self.bytes(name, value, LONGEST)
    }

    fn bytes(&self, name: &str, value: &str, longest: usize) -> Result<Vec<u8>, Mistake> {
        let bytes = crate::server::percent_decoded(value).ok_or_else(|| {
            self.mistake(name, "has a `%` without two digits", "write %25 for the `%` itself")
        })?;
        if bytes.iter().any(u8::is_ascii_control) {
            return Err(self.mistake(name, CONTROL, "leave it out"));
        }
        if bytes.len() > longest {
            let instead = format!("use one of at most {longest} bytes");
            return Err(self.mistake(name, "is too long", &instead));
        }
        Ok(bytes)
    }

    /// A secret was masked as it was read, and `***` is not what the server waits for.
    fn refuse_mask(&self, name: &str, value: &str) -> Result<(), Mistake> {
        let had = self.server.is_some_and(Server::had_password);
        if had && value.contains("***") {
            return Err(self.masked(name));
        }
        Ok(())
    }

    fn masked(&self, name: &str) -> Mistake {
        let what = "has a mask in place of a secret";
        self.mistake(name, what, "write the secret in place of `***`")
    }

    fn mistake(&self, name: &str, what: &str, instead: &str) -> Mistake {
        let label = self.server.map_or("", |server| server.label());
        Mistake::new(0..0, format!("the {name} of {} {what}", quoted(label)), instead)
    }
}

const CONTROL: &str = "has a blank or a control character in it";

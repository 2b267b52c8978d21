//! A recipe made for one server: every placeholder filled, every pattern compiled.
//!
//! What can be wrong with a server's URL is found here, before anything is dialled. Start at
//! [`Script`].

use alloc::{boxed::Box, format, string::String, sync::Arc, vec::Vec};
use core::fmt;

use super::{
    Probe, Recipe,
    built::Built,
    fill::Filler,
    login::{Credentials, Login},
    step::Made,
};
use crate::{Mistake, Server, Tls, nearest::quoted};

/// A recipe made for one server, to probe it as often as one likes. A clone costs a reference
/// count.
///
/// ```
/// use redial_core::{ProbeOutput, Recipe, Server};
///
/// let server = Server::parse("redis://cache")?;
/// let script = Recipe::named("redis")?.script(&server)?;
/// assert_eq!(script.probe().poll(), ProbeOutput::Send(b"PING\r\n"));
/// # Ok::<(), redial_core::Mistake>(())
/// ```
#[derive(Clone)]
pub struct Script(pub(super) Arc<Lines>);

/// The parts of a script.
pub(super) struct Lines {
    /// Where a step is not for this server, none.
    pub(super) steps: Box<[Option<Made>]>,
    pub(super) bye: Built,
    /// What a login is made of, and what no message may repeat.
    pub(super) credentials: Arc<Credentials>,
    recipe: Recipe,
    server: Server,
    /// The servers that redirected here, the first of them first.
    before: Box<[Server]>,
}

/// How many redirects are followed, one after the other.
const MOST_REDIRECTS: usize = 10;

impl Script {
    /// What [`Recipe::script`] does.
    pub(super) fn new(recipe: &Recipe, server: &Server) -> Result<Self, Mistake> {
        let label = || quoted(server.label());
        if server.tls() == Tls::ByProtocol && !recipe.can_begin_tls() {
            let what = format!("{} cannot begin TLS within {}", recipe.name(), label());
            return Err(Mistake::new(0..0, what, "leave the wish out, or begin with TLS: tls://"));
        }
        if server.options().login && !recipe.can_log_in() {
            let what = format!("{} has no login that redial knows, for {}", recipe.name(), label());
            return Err(Mistake::new(0..0, what, "leave `login` out"));
        }
        if server.options().login && recipe.needs_user() && server.user().is_none() {
            let what = format!("{} has no user to log in as", label());
            let scheme = recipe.schemes().first().map_or("tcp", |scheme| scheme);
            let instead = format!("write {scheme}://USER:PASSWORD@HOST, or leave `login` out");
            return Err(Mistake::new(0..0, what, instead));
        }
        let steps = recipe.steps().iter().map(|step| step.for_server(server));
        let steps = steps.collect::<Result<_, _>>()?;
        let filler = Filler::new(server);
        let bye = recipe.bye().build(&filler)?;
        let credentials = match filler.credentials() {
            Err(mistake) if server.options().login => return Err(mistake),
            credentials => credentials.unwrap_or_default().into(),
        };
        let (recipe, server) = (recipe.clone(), server.clone());
        let before = Box::default();
        Ok(Self(Arc::new(Lines { steps, bye, credentials, recipe, server, before })))
    }

    /// Returns the server that it is for.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.0.server
    }

    /// Returns true if redirects led from another origin (scheme, host and port) to its server.
    #[must_use]
    pub fn is_of_another_origin(&self) -> bool {
        self.0.before.first().is_some_and(|first| !first.has_origin_of(&self.0.server))
    }

    /// Returns the script for where an answer with this status redirects to.
    ///
    /// # Errors
    /// Why it is not followed, as a sentence about the answer.
    pub(super) fn redirected(&self, status: u16, location: &str) -> Result<Self, String> {
        let Lines { recipe, server, before, credentials, .. } = &*self.0;
        if before.len() >= MOST_REDIRECTS {
            return Err(format!(
                "it is the end of {MOST_REDIRECTS} redirects, and redirects again"
            ));
        }
        let mut next = server.redirected(location)?;
        // RFC 9110, sections 15.4.2 to 15.4.4.
        let method = next.options().method.as_deref().unwrap_or("GET");
        let is_get = match status {
            303 => method != "HEAD",
            301 | 302 => method == "POST",
            _ => false,
        };
        if is_get && method != "GET" {
            next = next.asking_by("GET");
        }
        let mut before = before.to_vec();
        before.push(server.clone());
        if before.iter().any(|server| server.is_resource(&next)) {
            let labels: Vec<_> = before.iter().chain([&next]).map(|one| &**one.label()).collect();
            return Err(format!("it redirects in a circle: {}", labels.join(" to ")));
        }
        // What was sent before may be repeated later, by another server.
        let scrubbed = Login::new(Arc::clone(credentials)).scrub(next.label().as_bytes());
        next = next.labelled(&String::from_utf8_lossy(&scrubbed));
        let script = Self::new(recipe, &next).map_err(|mistake| mistake.what)?;
        let Some(lines) = Arc::into_inner(script.0) else { return Err("it redirects".into()) };
        let mut hidden = lines.credentials.hidden.clone();
        hidden.extend(credentials.password.iter().chain(&credentials.hidden).cloned());
        let credentials = Arc::new(Credentials { hidden, ..(*lines.credentials).clone() });
        Ok(Self(Arc::new(Lines { before: before.into(), credentials, ..lines })))
    }

    /// Whether nothing is sent and nothing expected: a connection that stands is all there is to
    /// it, and whether it lasts is for the caller to see (`--settle`).
    #[must_use]
    pub fn expects_nothing(&self) -> bool {
        self.0.steps.iter().all(Option::is_none)
    }

    /// Probes the server once, on a connection of redial's own that was just opened.
    #[must_use]
    pub fn probe(&self) -> Probe {
        Probe::new(self.clone())
    }
}

/// Returns true for clones of one script.
impl PartialEq for Script {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// How many steps it has: what they send may hold a password.
impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Script({} steps)", self.0.steps.len())
    }
}

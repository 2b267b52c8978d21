//! A recipe made for one server: every placeholder filled, every pattern compiled.
//!
//! What can be wrong with a server's URL is found here, before anything is dialled. Start at
//! [`Script`].

use alloc::{boxed::Box, format, sync::Arc};
use core::fmt;

use super::{Probe, Recipe, built::Built, fill::Filler, login::Credentials, step::Made};
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
}

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
        Ok(Self(Arc::new(Lines { steps, bye, credentials })))
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

/// How many steps it has: what they send may hold a password.
impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Script({} steps)", self.0.steps.len())
    }
}

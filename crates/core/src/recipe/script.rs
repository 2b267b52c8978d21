//! A recipe made for one server: every placeholder filled, every pattern compiled.
//!
//! What can be wrong with a server's URL is found here, before anything is dialled. Start at
//! [`Script`].

use alloc::{boxed::Box, format, sync::Arc};

use super::{Probe, Recipe, fill::Filler, said::Built, step::Made};
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
#[derive(Clone, Debug)]
pub struct Script(pub(super) Arc<Lines>);

/// The parts of a script.
#[derive(Debug)]
pub(super) struct Lines {
    /// Where a step is not for this server, none.
    pub(super) steps: Box<[Option<Made>]>,
    pub(super) bye: Built,
}

impl Script {
    /// What [`Recipe::script`] does.
    pub(super) fn new(recipe: &Recipe, server: &Server) -> Result<Self, Mistake> {
        let label = || quoted(server.label());
        if server.tls() == Tls::ByProtocol && !recipe.can_begin_tls() {
            let what = format!("{} cannot begin TLS within {}", recipe.name(), label());
            return Err(Mistake::new(0..0, what, "leave the wish out, or begin with TLS: tls://"));
        }
        let steps = recipe.steps().iter().map(|step| step.for_server(server));
        let steps = steps.collect::<Result<_, _>>()?;
        let bye = recipe.bye().build(&Filler::new(server))?;
        Ok(Self(Arc::new(Lines { steps, bye })))
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

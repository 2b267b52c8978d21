//! What an attempt may take, and how far it has come: for the attempt and the loop that runs it.
//!
//! Start at [`Terms`].

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use redial_core::{Limits, Patience, Reached};
use tokio::time::Instant;

/// What one attempt may take.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) reply: Patience,
    pub(crate) tls: Patience,
    /// The session's deadline.
    pub(crate) until: Option<Instant>,
    pub(crate) trace: Trace,
}

impl Terms {
    /// The limits as they are, and no deadline.
    pub(crate) fn fixed(limits: &Limits) -> Self {
        Self {
            reply: Patience::fixed(limits.reply),
            tls: Patience::fixed(limits.tls),
            until: None,
            trace: Trace::default(),
        }
    }

    /// The same, where so many addresses share the time left.
    pub(crate) fn among(self, addresses: usize) -> Self {
        Self { reply: self.reply.among(addresses), tls: self.tls.among(addresses), ..self }
    }

    /// How long the server may stay silent from now on.
    pub(crate) fn silent(&self) -> Duration {
        self.reply.silent(self.left())
    }

    /// How long a TLS handshake that begins now may take.
    pub(crate) fn handshake(&self) -> Duration {
        self.tls.silent(self.left())
    }

    fn left(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(Instant::now()))
    }
}

/// How far an attempt has come, and since when; its clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(Arc<Mutex<Option<(Reached, Instant)>>>);

impl Trace {
    /// The attempt has come this far.
    pub(crate) fn reached(&self, reached: Reached) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((reached, Instant::now()));
    }

    /// So many bytes more of an answer have arrived.
    pub(crate) fn received(&self, count: usize) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((Reached::Answer { received, .. }, at)) = seen.as_mut() {
            *received += u64::try_from(count).unwrap_or(u64::MAX);
            *at = Instant::now();
        }
    }

    /// All of a message was sent.
    pub(crate) fn sent(&self) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((Reached::Answer { sent, .. }, at)) = seen.as_mut() {
            *sent = true;
            *at = Instant::now();
        }
    }

    /// How far it has come, and when it came there.
    pub(crate) fn last(&self) -> Option<(Reached, Instant)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

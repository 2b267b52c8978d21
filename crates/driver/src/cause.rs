//! What a failure is made of before it is one: a kind, and the evidence for it.
//!
//! The rest of a [`redial_core::Failure`] (server, address, counts, delivery) is known only where
//! it is made. Start at [`Cause`].

use std::{io, sync::Arc};

use redial_core::{Detail, Errno, Failure, Kind, Reason};

use crate::errno::{Moment, classify};

/// A kind of failure, and the evidence for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cause {
    pub(crate) kind: Kind,
    pub(crate) errno: Option<Errno>,
    pub(crate) detail: Option<Detail>,
    pub(crate) reason: Option<Reason>,
    pub(crate) expected: Option<Arc<str>>,
}

impl Cause {
    pub(crate) const fn new(kind: Kind) -> Self {
        Self { kind, errno: None, detail: None, reason: None, expected: None }
    }

    /// A kind, and the words that say more.
    pub(crate) fn because(kind: Kind, words: &str) -> Self {
        Self { detail: Some(Detail::from_text(words)), ..Self::new(kind) }
    }

    /// A finer statement than the kind.
    pub(crate) fn with_reason(self, reason: Reason) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// What the operating system's error means at this moment.
    pub(crate) fn from_os(error: &io::Error, moment: Moment) -> Self {
        let (kind, errno) = classify(error, moment);
        Self { errno, ..Self::new(kind) }
    }

    /// Names a failure after this cause.
    pub(crate) fn name(self, failure: &mut Failure) {
        failure.kind = self.kind;
        failure.lasting = self.kind.is_lasting();
        failure.errno = self.errno;
        failure.detail = self.detail;
        failure.reason = self.reason;
        failure.expected = self.expected;
    }
}

/// For callers that know only `io::Error`: the system's own error where there is one.
impl From<&Cause> for io::Error {
    fn from(cause: &Cause) -> Self {
        if let Some(errno) = cause.errno {
            return Self::from_raw_os_error(errno.number);
        }
        let kind = match cause.kind {
            Kind::ClosedEarly | Kind::Truncated | Kind::Closed => io::ErrorKind::UnexpectedEof,
            Kind::Stalled | Kind::Deadline | Kind::TlsTimeout => io::ErrorKind::TimedOut,
            Kind::Reset => io::ErrorKind::ConnectionReset,
            Kind::BrokenPipe => io::ErrorKind::BrokenPipe,
            Kind::Interrupted => io::ErrorKind::Interrupted,
            _ => io::ErrorKind::Other,
        };
        match &cause.detail {
            Some(detail) => Self::new(kind, format!("{}: {detail}", cause.kind)),
            None => Self::new(kind, cause.kind.name()),
        }
    }
}

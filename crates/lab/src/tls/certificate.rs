//! Which certificate a client is shown: one fault each.
//!
//! Data only; `authority` makes them. Start at [`Certificate`].

use super::Given;

/// Which certificate a client is shown, and whether one is wanted in return.
///
/// All but `WrongName` and `Given` are for `localhost`, `lab`, 127.0.0.1, ::1 and the address
/// bound; all but `SelfSigned`, `UnknownIssuer` and `Given` lead to the lab's own authority
/// ([`Lab::ca_pem`](crate::Lab::ca_pem)); all but `Expired`, `NotYetValid` and `Given` are valid
/// from a day before the lab started to a year after. So each is wrong in one way only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Certificate {
    /// Right in every way, for a client that trusts the authority.
    Trusted,
    /// Valid in 2019 only.
    Expired,
    /// Valid in 2100 only.
    NotYetValid,
    /// For `somebody-else.example`.
    WrongName,
    /// Signed by nobody but itself.
    SelfSigned,
    /// Signed by an authority that the lab gives to nobody.
    UnknownIssuer,
    /// Signed by an intermediate of the lab's authority, and the intermediate is not sent.
    MissingIntermediate,
    /// Right in every way, and the client must show one too that the authority has signed, such
    /// as [`Lab::client_identity_pem`](crate::Lab::client_identity_pem). Over TLS 1.3 a client
    /// without one believes it is connected until it reads: there waits the alert
    /// certificate_required (116, RFC 8446 section 6.2); over TLS 1.2 the handshake fails.
    ClientWanted,
    /// The user's own.
    Given(Given),
}

impl Certificate {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Trusted | Self::Given(_) => "tls",
            Self::Expired => "tls-expired",
            Self::NotYetValid => "tls-future",
            Self::WrongName => "tls-name",
            Self::SelfSigned => "tls-self",
            Self::UnknownIssuer => "tls-unknown",
            Self::MissingIntermediate => "tls-chain",
            Self::ClientWanted => "tls-client",
        }
    }
}

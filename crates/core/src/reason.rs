//! Reasons: a finer statement than the kind, where the driver observed one.
//!
//! A kind decides what a policy does; a reason decides only the next step that a message offers.
//! Start at [`Reason`].

use core::fmt;

use serde::{Serialize, Serializer};

/// A finer statement than the kind of a failure, with a stable name.
///
/// ```
/// use redial_core::Reason;
/// assert_eq!(Reason::IntermediateMissing.name(), "intermediate-missing");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The source address that was asked for is not an address of this machine (EADDRNOTAVAIL
    /// from bind(2)).
    SourceNotLocal,
    /// The address is one of this machine, and the loopback interface, which leads to it, is down.
    LoopbackDown,
    /// The peer does not speak TLS on this port: its first bytes are not a TLS record.
    NotTls,
    /// The peer requires a client certificate (alert 116, RFC 8446, 6.2).
    ClientCertificateRequired,
    /// The peer does not accept the client certificate, or the lack of one (alerts 42–46, 48, 49).
    ClientCertificateRejected,
    /// The peer refused the handshake without a reason (alert 40).
    HandshakeRefused,
    /// No TLS version in common (alert 70).
    NoCommonVersion,
    /// The peer does not know the name that was sent (alert 112).
    NameUnknown,
    /// No application protocol in common (alert 120).
    NoCommonProtocol,
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate is for other names.
    OtherName,
    /// The certificate is signed by itself and is not trusted here.
    SelfSigned,
    /// The peer sent its own certificate only, and its issuer is not an authority trusted here.
    IntermediateMissing,
    /// The chain ends at an authority that is not trusted here.
    UnknownAuthority,
    /// The server refuses the login of a probe.
    LoginRefused,
    /// The server was connected and silent for its share of the time left ([`crate::Patience`]).
    ShareOfTimeUsed,
    /// The deadline ended the attempt before it was over.
    DeadlinePassed,
}

impl Reason {
    /// Every reason, in the order of the type.
    pub const ALL: [Self; 18] = [
        Self::SourceNotLocal,
        Self::LoopbackDown,
        Self::NotTls,
        Self::ClientCertificateRequired,
        Self::ClientCertificateRejected,
        Self::HandshakeRefused,
        Self::NoCommonVersion,
        Self::NameUnknown,
        Self::NoCommonProtocol,
        Self::Expired,
        Self::NotYetValid,
        Self::OtherName,
        Self::SelfSigned,
        Self::IntermediateMissing,
        Self::UnknownAuthority,
        Self::LoginRefused,
        Self::ShareOfTimeUsed,
        Self::DeadlinePassed,
    ];

    /// The stable name, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The next step for the reader.
    #[must_use]
    pub const fn next_step(self) -> &'static str {
        self.row().1
    }

    #[rustfmt::skip] // a table
    const fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::SourceNotLocal => ("source-not-local",
                "name an address that `ip address` lists, or leave --bind out"),
            Self::LoopbackDown => ("loopback-down",
                "bring the loopback interface up: ip link set lo up"),
            Self::NotTls => ("not-tls",
                "is this the TLS port? Without TLS: write HOST:PORT instead of tls://HOST:PORT"),
            Self::ClientCertificateRequired => ("client-certificate-required",
                "give a client certificate: --cert FILE --key FILE"),
            Self::ClientCertificateRejected => ("client-certificate-rejected",
                "give a client certificate that the server accepts: --cert FILE --key FILE"),
            Self::HandshakeRefused => ("handshake-refused",
                "does the server require a client certificate (--cert FILE --key FILE), or other TLS versions, ciphers or names? Its log may say why"),
            Self::NoCommonVersion => ("no-common-version",
                "the server speaks none of TLS 1.2 and 1.3; it needs an update or another configuration"),
            Self::NameUnknown => ("name-unknown",
                "the server has no certificate for this name; to send another: --sni NAME"),
            Self::NoCommonProtocol => ("no-common-protocol",
                "the server speaks none of the application protocols that were offered; see --alpn"),
            Self::Expired => ("expired",
                "the server needs a new certificate; is this machine's clock right? See: date"),
            Self::NotYetValid => ("not-yet-valid",
                "is this machine's clock right? See: date"),
            Self::OtherName => ("other-name",
                "is this the right server? To check for another name: --sni NAME"),
            Self::SelfSigned => ("self-signed",
                "to trust it, save its certificate to a file and give it: --ca FILE"),
            Self::IntermediateMissing => ("intermediate-missing",
                "the server should send its full chain, intermediates included; for a private authority, or until it does: --ca FILE"),
            Self::UnknownAuthority => ("unknown-authority",
                "for a private authority: --ca FILE"),
            Self::LoginRefused => ("login-refused",
                "are the user and the password in its URL right, and may this user log in from here?"),
            Self::ShareOfTimeUsed => ("share-of-time-used", "to allow more time: --timeout 5m"),
            Self::DeadlinePassed => ("deadline-passed", "to allow more time: --timeout 5m"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

//! A certificate and key of the user's own, as PEM.
//!
//! It reads no files and does not judge the certificate: an expired one is shown as it is. Start
//! at [`Given`].

use std::fmt;
use std::sync::Arc;

use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::rustls::{self, ServerConfig};

/// A certificate and key of the user's own, ready to be shown:
/// [`Certificate::Given`](crate::Certificate::Given).
#[derive(Clone)]
pub struct Given {
    config: Arc<ServerConfig>,
}

impl Given {
    /// Reads a chain of certificates, the server's own first, and the key of that one. Both texts
    /// are PEM, and may be one text with both in it; whatever else is in them is passed over.
    ///
    /// ```
    /// use redial_lab::{BadIdentity, Given};
    ///
    /// let refused = Given::from_pem("no certificate here", "no key here").unwrap_err();
    /// assert!(matches!(refused, BadIdentity::NoCertificate));
    /// ```
    ///
    /// # Errors
    ///
    /// One of them is not there, cannot be read, or is not of the other.
    pub fn from_pem(
        certificates: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Result<Self, BadIdentity> {
        let unreadable =
            |error: rustls::pki_types::pem::Error| BadIdentity::Unreadable(error.to_string());
        let chain = CertificateDer::pem_slice_iter(certificates.as_ref())
            .collect::<Result<Vec<_>, _>>()
            .map_err(unreadable)?;
        if chain.is_empty() {
            return Err(BadIdentity::NoCertificate);
        }
        let key = PrivateKeyDer::pem_slice_iter(key.as_ref())
            .next()
            .ok_or(BadIdentity::NoKey)?
            .map_err(unreadable)?;
        let config = super::identities::config()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => BadIdentity::NotAPair,
                other => BadIdentity::Unusable(other.to_string()),
            })?;
        Ok(Self { config: Arc::new(config) })
    }

    pub(crate) fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }
}

/// Without the key.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Given")
    }
}

/// The same that was read once, not merely the same text.
impl PartialEq for Given {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.config, &other.config)
    }
}

impl Eq for Given {}

/// A certificate and key that cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadIdentity {
    /// There is no certificate.
    NoCertificate,
    /// There is no key.
    NoKey,
    /// The key is another's.
    NotAPair,
    /// The PEM is broken; what it says.
    Unreadable(String),
    /// The certificate or the key is of a kind that cannot be used; what it says.
    Unusable(String),
}

/// What is wrong, and what to do about it.
impl fmt::Display for BadIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCertificate => f.write_str(
                "there is no certificate in it; PEM begins with -----BEGIN CERTIFICATE-----",
            ),
            Self::NoKey => f.write_str(
                "there is no key in it; PEM begins with -----BEGIN PRIVATE KEY-----, \
                 and the key must not be encrypted",
            ),
            Self::NotAPair => f.write_str(
                "the key is not that of the certificate; the server's own certificate comes first",
            ),
            Self::Unreadable(what) => write!(f, "the PEM cannot be read: {what}"),
            Self::Unusable(what) => write!(
                f,
                "the certificate or its key cannot be used: {what}; RSA, ECDSA (P-256, P-384) and \
                 Ed25519 can"
            ),
        }
    }
}

impl std::error::Error for BadIdentity {}

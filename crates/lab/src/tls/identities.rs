//! What one script needs of certificates, made at the start of its lab, and the handshakes that
//! show them.
//!
//! A script that speaks no TLS costs nothing, and no certificate is made that is not shown. Start
//! at [`Identities`].

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, ConfigBuilder, RootCertStore, ServerConfig, WantsVerifier};

use super::Certificate;
use super::authority::{Authority, Identity};
use super::handshake::Hello;
use crate::behaviour::Behaviour;
use crate::script::Script;
use crate::stream::Stream;

/// The certificates of a script, ready to shake hands.
pub(crate) struct Identities {
    ca_pem: Option<String>,
    client_pem: Option<String>,
    made: Vec<(Certificate, Arc<ServerConfig>)>,
}

impl Identities {
    /// Makes what the script shows, if any connection of it speaks TLS.
    pub(crate) fn for_script(script: &Script, bound: IpAddr) -> io::Result<Option<Self>> {
        let mut shown = Vec::new();
        for certificate in script.behaviours().flat_map(Behaviour::certificates) {
            if !shown.contains(&certificate) {
                shown.push(certificate);
            }
        }
        if shown.is_empty() { Ok(None) } else { Self::make(shown, bound).map(Some) }
    }

    fn make(shown: Vec<Certificate>, bound: IpAddr) -> io::Result<Self> {
        let authority = Authority::new(bound)?;
        let mut identities = Self { ca_pem: None, client_pem: None, made: Vec::new() };
        for certificate in shown {
            let config = match &certificate {
                Certificate::Trusted => shows(authority.trusted()?),
                Certificate::Expired => shows(authority.expired()?),
                Certificate::NotYetValid => shows(authority.not_yet_valid()?),
                Certificate::WrongName => shows(authority.wrong_name()?),
                Certificate::SelfSigned => shows(authority.self_signed()?),
                Certificate::UnknownIssuer => shows(authority.unknown_issuer()?),
                Certificate::MissingIntermediate => shows(authority.missing_intermediate()?),
                Certificate::ClientWanted => {
                    identities.client_pem = Some(authority.client_pem()?);
                    shows_and_wants(authority.trusted()?, &authority)
                }
                Certificate::Given(given) => Ok(Arc::clone(given.config())),
            };
            if !matches!(certificate, Certificate::Given(_)) {
                identities.ca_pem = Some(authority.pem());
            }
            identities.made.push((certificate, config?));
        }
        Ok(identities)
    }

    /// The authority that signed them, if any was made.
    pub(crate) fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Certificate and key for a client, if the script wants one.
    pub(crate) fn client_pem(&self) -> Option<&str> {
        self.client_pem.as_deref()
    }

    /// The server's side of a whole handshake.
    pub(crate) async fn shake_hands(
        &self,
        certificate: &Certificate,
        stream: Stream,
    ) -> io::Result<Stream> {
        let acceptor = TlsAcceptor::from(self.config(certificate)?);
        Ok(Stream::Tls(Box::new(acceptor.accept(stream).await?)))
    }

    /// The server's side of a handshake that stops after the ServerHello.
    pub(crate) fn hello(&self) -> io::Result<Hello> {
        Hello::new(self.config(&Certificate::Trusted)?)
    }

    fn config(&self, certificate: &Certificate) -> io::Result<Arc<ServerConfig>> {
        let found = self.made.iter().find(|(made, _)| made == certificate);
        found
            .map(|(_, config)| Arc::clone(config))
            .ok_or_else(|| io::Error::other("no such certificate was made for this script"))
    }
}

/// Without the keys.
impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made = self.made.iter().map(|(certificate, _)| certificate);
        f.debug_list().entries(made).finish()
    }
}

/// The beginning of every configuration. The provider is named, since the process may have none,
/// or another, as its default.
pub(crate) fn config() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, rustls::Error> {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
}

/// Shows the certificate, and wants none.
fn shows(identity: Identity) -> io::Result<Arc<ServerConfig>> {
    let config = config().and_then(|config| {
        config.with_no_client_auth().with_single_cert(vec![identity.certificate], identity.key)
    });
    config.map(Arc::new).map_err(io::Error::other)
}

/// Shows the certificate, and wants one that the authority has signed.
fn shows_and_wants(identity: Identity, authority: &Authority) -> io::Result<Arc<ServerConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).map_err(io::Error::other)?;
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let verifier = verifier.build().map_err(io::Error::other)?;
    let config = config().and_then(|config| {
        config
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![identity.certificate], identity.key)
    });
    config.map(Arc::new).map_err(io::Error::other)
}

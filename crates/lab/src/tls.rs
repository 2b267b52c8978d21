//! Certificates, good ones and bad ones, and the handshake that shows them.
//!
//! A lab whose script speaks TLS makes an authority of its own at start, which signs the rest, so
//! that each certificate is wrong in one way only. Nothing is written to disk. What is said
//! inside TLS is the business of `connection`. Start at [`Certificate`].

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::behaviour::Behaviour;
use crate::script::Script;
use crate::stream::Stream;

/// Which certificate a client is shown. All but `WrongName` are for `localhost`, `lab`, 127.0.0.1,
/// ::1 and the address bound; all but `SelfSigned` are signed by the lab's own authority
/// ([`Lab::ca_pem`](crate::Lab::ca_pem)); all but `Expired` are valid now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Certificate {
    /// Right in every way, for a client that trusts the authority.
    Trusted,
    /// Signed by nobody but itself.
    SelfSigned,
    /// Valid in 2019 only.
    Expired,
    /// For `somebody-else.example`.
    WrongName,
}

impl Certificate {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Trusted => "tls",
            Self::SelfSigned => "tls-self",
            Self::Expired => "tls-expired",
            Self::WrongName => "tls-name",
        }
    }
}

/// One of each, ready to shake hands.
pub(crate) struct Identities {
    ca_pem: String,
    trusted: TlsAcceptor,
    self_signed: TlsAcceptor,
    expired: TlsAcceptor,
    wrong_name: TlsAcceptor,
}

impl Identities {
    /// Makes them if any connection of the script speaks TLS.
    pub(crate) fn for_script(script: &Script, bound: IpAddr) -> io::Result<Option<Self>> {
        script.behaviours().any(Behaviour::speaks_tls).then(|| Self::make(bound)).transpose()
    }

    fn make(bound: IpAddr) -> io::Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "redial lab authority, for tests only");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca = CertifiedIssuer::self_signed(params, key()?).map_err(io::Error::other)?;

        let mut names = vec!["localhost".to_owned(), "lab".to_owned()];
        names.extend(["127.0.0.1".to_owned(), "::1".to_owned()]);
        if !bound.is_loopback() && !bound.is_unspecified() {
            names.push(bound.to_string());
        }
        let right = leaf(names)?;
        let mut expired = right.clone();
        expired.not_before = date_time_ymd(2019, 1, 1);
        expired.not_after = date_time_ymd(2020, 1, 1);
        let wrong_name = leaf(vec!["somebody-else.example".to_owned()])?;

        let sign = |params: CertificateParams| -> io::Result<TlsAcceptor> {
            let key = key()?;
            let certificate = params.signed_by(&key, &ca).map_err(io::Error::other)?;
            acceptor(certificate.der(), &key)
        };
        let own = key()?;
        let itself = right.self_signed(&own).map_err(io::Error::other)?;
        Ok(Self {
            ca_pem: ca.pem(),
            self_signed: acceptor(itself.der(), &own)?,
            trusted: sign(right)?,
            expired: sign(expired)?,
            wrong_name: sign(wrong_name)?,
        })
    }

    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The server's side of the handshake.
    pub(crate) async fn shake_hands(
        &self,
        certificate: Certificate,
        stream: Stream,
    ) -> io::Result<Stream> {
        let acceptor = match certificate {
            Certificate::Trusted => &self.trusted,
            Certificate::SelfSigned => &self.self_signed,
            Certificate::Expired => &self.expired,
            Certificate::WrongName => &self.wrong_name,
        };
        Ok(Stream::Tls(Box::new(acceptor.accept(stream).await?)))
    }
}

fn key() -> io::Result<KeyPair> {
    KeyPair::generate().map_err(io::Error::other)
}

fn leaf(names: Vec<String>) -> io::Result<CertificateParams> {
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, "redial lab, for tests only");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn acceptor(certificate: &CertificateDer<'static>, key: &KeyPair) -> io::Result<TlsAcceptor> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // The provider by name: the process may have none, or another, as its default.
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| {
            config.with_no_client_auth().with_single_cert(vec![certificate.clone()], key)
        })
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

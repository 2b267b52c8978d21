//! Which certificates are trusted: authorities from a file or the system, or any.
//!
//! The chain is webpki's to check. Added here: a certificate that is itself one of the named ones is
//! trusted, as curl and libpq have it, and the name may be left unchecked (`sslmode=verify-ca`).
//! Start at [`verifier`].

use std::{fmt, sync::Arc};

use redial_core::{Reason, Verify};
use rustls_platform_verifier::Verifier;
use tokio_rustls::rustls::{
    self, CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::ParsedCertificate,
};
use webpki::EndEntityCert;

use super::{TlsOptions, certificates, files, no_trust_store, unusable};
use crate::Error;

/// What these options have checked of a server's certificate.
pub(super) fn verifier(
    options: &TlsOptions,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let names_authorities = options.ca.is_some() || options.ca_pem.is_some();
    let anyone = match options.verify {
        _ if options.insecure => true,
        Verify::Nothing => true,
        Verify::IfNamed => !names_authorities,
        Verify::Full | Verify::Authority => false,
    };
    if anyone {
        return Ok(Arc::new(Anyone(Arc::clone(provider))));
    }
    let name = options.verify == Verify::Full;
    if !names_authorities {
        files::check_environment()?;
        let system = Verifier::new(Arc::clone(provider)).map_err(|_| no_trust_store())?;
        return Ok(Arc::new(Checked { chain: Arc::new(system), named: Vec::new(), name }));
    }
    let named = authorities(options)?;
    let mut store = RootCertStore::empty();
    for (certificate, place) in &named {
        store.add(certificate.clone()).map_err(|error| {
            Error::new(
                format!("{place} holds something that is no certificate: {error}"),
                "give a PEM file of certificates",
            )
        })?;
    }
    if store.is_empty() {
        return Err(Error::new("no authority is named", "give certificates in PEM: --ca FILE"));
    }
    let chain = WebPkiServerVerifier::builder_with_provider(store.into(), Arc::clone(provider))
        .build()
        .map_err(|error| unusable(&rustls::Error::General(error.to_string())))?;
    let named = named.into_iter().map(|(certificate, _)| certificate).collect();
    Ok(Arc::new(Checked { chain, named, name }))
}

/// The certificates to trust instead of the system's authorities, and where each stands.
fn authorities(options: &TlsOptions) -> Result<Vec<(CertificateDer<'static>, String)>, Error> {
    let mut named = Vec::new();
    if let Some(path) = &options.ca {
        let place = path.display().to_string();
        named.extend(certificates(path)?.into_iter().map(|one| (one, place.clone())));
    }
    let text = options.ca_pem.as_deref().unwrap_or("").as_bytes();
    for certificate in CertificateDer::pem_slice_iter(text) {
        let certificate = certificate.map_err(|error| {
            Error::new(format!("the authorities are not PEM: {error}"), "give certificates in PEM")
        })?;
        named.push((certificate, "the text of authorities".into()));
    }
    Ok(named)
}

/// Checks the chain of a certificate, and its name unless that does not matter.
#[derive(Debug)]
struct Checked {
    chain: Arc<dyn ServerCertVerifier>,
    /// Trusted themselves, when a server presents exactly one of them.
    named: Vec<CertificateDer<'static>>,
    name: bool,
}

impl ServerCertVerifier for Checked {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let checked = self.chain.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let is_named = self.named.iter().any(|named| named == end_entity);
        let checked = match checked {
            Ok(_) => Ok(()),
            // Dates are checked before who signed it (a test holds webpki to that).
            Err(error) if is_named && has_no_issuer(&error) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)
            }
            Err(error) if has_no_issuer(&error) => {
                let why = NoIssuer::of(end_entity, intermediates);
                Err(CertificateError::Other(OtherError(Arc::new(why))).into())
            }
            Err(error) => Err(error),
        };
        match checked {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.name || is_named && has_common_name(end_entity, server_name) => {
                Ok(ServerCertVerified::assertion())
            }
            checked => checked.map(|()| ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls12_signature(message, cert, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// Why no trusted authority signed a certificate, as far as the chain that was sent shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoIssuer {
    /// Its issuer is itself.
    SelfSigned,
    /// It was sent alone, and its issuer is another: an intermediate, or a private authority.
    SentAlone,
    /// The authority at the end of its chain is not trusted.
    Unknown,
}

impl NoIssuer {
    fn of(end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> Self {
        let signed_itself = EndEntityCert::try_from(end_entity)
            .is_ok_and(|certificate| certificate.issuer() == certificate.subject());
        match (signed_itself, intermediates.is_empty()) {
            (true, _) => Self::SelfSigned,
            (false, true) => Self::SentAlone,
            (false, false) => Self::Unknown,
        }
    }

    pub(super) const fn reason(self) -> Reason {
        match self {
            Self::SelfSigned => Reason::SelfSigned,
            Self::SentAlone => Reason::IntermediateMissing,
            Self::Unknown => Reason::UnknownAuthority,
        }
    }
}

impl fmt::Display for NoIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SelfSigned => "it is signed by itself, and is not trusted here",
            Self::SentAlone => "its issuer is not trusted here, and no intermediate was sent",
            Self::Unknown => "its issuer is not trusted here",
        })
    }
}

impl std::error::Error for NoIssuer {}

/// Whether nobody that is trusted signed it: it signed itself, perhaps as an authority, which
/// webpki takes for no server's certificate.
fn has_no_issuer(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => true,
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
            other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
        }
        _ => false,
    }
}

/// Whether a certificate without any alternative name has this one as its subject's common name.
///
/// `openssl req -x509 -subj /CN=localhost` makes such certificates, and OpenSSL's clients take
/// them. Here only where the certificate itself was named as trusted.
fn has_common_name(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    let Ok(certificate) = EndEntityCert::try_from(certificate) else { return false };
    // OID 2.5.29.17, subjectAltName, in the form that every certificate with one has it.
    const ALTERNATIVE: &[u8] = b"\x06\x03\x55\x1d\x11";
    if certificate.der().windows(ALTERNATIVE.len()).any(|window| window == ALTERNATIVE) {
        return false;
    }
    let wanted = name.to_str();
    common_names(certificate.subject()).any(|name| {
        let is = |name: &str| name.eq_ignore_ascii_case(&wanted);
        let wildcard = name.strip_prefix("*.").zip(wanted.split_once('.'));
        is(name) || wildcard.is_some_and(|(rest, (_, domain))| rest.eq_ignore_ascii_case(domain))
    })
}

/// The common names of a subject: `RDNSequence` without its head (RFC 5280, 4.1.2.4).
fn common_names(mut subject: &[u8]) -> impl Iterator<Item = &str> {
    const SET: u8 = 0x31;
    const SEQUENCE: u8 = 0x30;
    const OID: u8 = 0x06;
    const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
    let mut set: &[u8] = &[];
    std::iter::from_fn(move || {
        loop {
            if set.is_empty() {
                let (tag, content, rest) = element(subject)?;
                subject = rest;
                if tag != SET {
                    return None;
                }
                set = content;
                continue;
            }
            let (tag, pair, rest) = element(set)?;
            set = rest;
            let Some((OID, name, value)) = element(pair).filter(|_| tag == SEQUENCE) else {
                continue;
            };
            if name == COMMON_NAME
                && let Some((_, value, _)) = element(value)
                && let Ok(text) = str::from_utf8(value)
            {
                return Some(text);
            }
        }
    })
}

/// The first element of DER: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), rest.get(2..)?),
        _ => return None,
    };
    Some((tag, rest.get(..length)?, rest.get(length..)?))
}

/// `--insecure`: any certificate, but still one whose key the server has.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_names_are_found_in_a_subject() {
        // O=x, CN=db.example and a second name, in one set.
        let subject = b"\x31\x0a\x30\x08\x06\x03\x55\x04\x0a\x0c\x01x\
            \x31\x1e\x30\x11\x06\x03\x55\x04\x03\x0c\x0adb.example\x30\x09\x06\x03\x55\x04\x03\x0c\x02db";
        assert_eq!(common_names(subject).collect::<Vec<_>>(), ["db.example", "db"]);
        for cut in 0..subject.len() {
            let _bounded = common_names(&subject[..cut]).count();
        }
        assert_eq!(common_names(b"\x31\xff\x30").count(), 0);
    }
}

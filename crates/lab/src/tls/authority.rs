//! Who signs the certificates of a lab, and how each gets its fault.
//!
//! Every lab has an authority of its own, made at its start. It does not shake hands. Start at
//! [`Authority`].

use std::io;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Whom the certificate for another name is for.
const SOMEBODY_ELSE: &str = "somebody-else.example";

/// The lab's certificate authority, and the address it signs for.
pub(crate) struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    names: Vec<String>,
}

/// A certificate and its key.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Authority {
    /// An authority for a server at this address.
    pub(crate) fn new(bound: IpAddr) -> io::Result<Self> {
        let mut names: Vec<_> = ["localhost", "lab", "127.0.0.1", "::1"].map(str::to_owned).into();
        if !bound.is_loopback() && !bound.is_unspecified() {
            names.push(bound.to_string());
        }
        Ok(Self { root: root("redial lab authority, for tests only")?, names })
    }

    /// The root's certificate: what a client must trust.
    pub(crate) fn pem(&self) -> String {
        self.root.pem()
    }

    /// The root's certificate.
    pub(crate) fn der(&self) -> &CertificateDer<'static> {
        self.root.der()
    }

    pub(crate) fn trusted(&self) -> io::Result<Identity> {
        signed(self.right()?, &self.root)
    }

    pub(crate) fn expired(&self) -> io::Result<Identity> {
        let mut params = self.right()?;
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        signed(params, &self.root)
    }

    pub(crate) fn not_yet_valid(&self) -> io::Result<Identity> {
        let mut params = self.right()?;
        params.not_before = date_time_ymd(2100, 1, 1);
        params.not_after = date_time_ymd(2101, 1, 1);
        signed(params, &self.root)
    }

    pub(crate) fn wrong_name(&self) -> io::Result<Identity> {
        signed(server(vec![SOMEBODY_ELSE.to_owned()])?, &self.root)
    }

    pub(crate) fn self_signed(&self) -> io::Result<Identity> {
        let key = key()?;
        let certificate = self.right()?.self_signed(&key).map_err(io::Error::other)?;
        Ok(identity(certificate.der(), &key))
    }

    /// Signed by another authority, whose certificate is lost as this returns.
    pub(crate) fn unknown_issuer(&self) -> io::Result<Identity> {
        signed(self.right()?, &root("an authority that nobody knows, for tests only")?)
    }

    /// Signed by an intermediate, whose certificate is lost as this returns.
    pub(crate) fn missing_intermediate(&self) -> io::Result<Identity> {
        signed(self.right()?, &self.intermediate()?)
    }

    /// What a client shows where one is wanted: certificate and key, as PEM.
    pub(crate) fn client_pem(&self) -> io::Result<String> {
        let key = key()?;
        let mut params = leaf(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "redial lab client, for tests only");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.root).map_err(io::Error::other)?;
        Ok(certificate.pem() + &key.serialize_pem())
    }

    fn intermediate(&self) -> io::Result<CertifiedIssuer<'static, KeyPair>> {
        let params = authority("redial lab intermediate, for tests only", 0);
        CertifiedIssuer::signed_by(params, key()?, &self.root).map_err(io::Error::other)
    }

    /// A server's certificate without a fault.
    fn right(&self) -> io::Result<CertificateParams> {
        server(self.names.clone())
    }
}

fn root(name: &str) -> io::Result<CertifiedIssuer<'static, KeyPair>> {
    CertifiedIssuer::self_signed(authority(name, 1), key()?).map_err(io::Error::other)
}

/// An authority with so many others below it. It is valid while any of its leaves is, those of
/// 2019 and of 2100 too, so that no leaf has a second fault.
fn authority(name: &str, below: u8) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(2200, 1, 1);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn server(names: Vec<String>) -> io::Result<CertificateParams> {
    let mut params = leaf(names)?;
    params.distinguished_name.push(DnType::CommonName, "redial lab, for tests only");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

/// Valid for a year and a day: some clients refuse what is valid for more than 825 days.
fn leaf(names: Vec<String>) -> io::Result<CertificateParams> {
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    let now = SystemTime::now();
    params.not_before = now.checked_sub(DAY).unwrap_or(now).into();
    params.not_after = now.checked_add(365 * DAY).unwrap_or(now).into();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn signed(
    params: CertificateParams,
    issuer: &CertifiedIssuer<'static, KeyPair>,
) -> io::Result<Identity> {
    let key = key()?;
    let certificate = params.signed_by(&key, issuer).map_err(io::Error::other)?;
    Ok(identity(certificate.der(), &key))
}

fn identity(certificate: &CertificateDer<'static>, key: &KeyPair) -> Identity {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Identity { certificate: certificate.clone(), key }
}

fn key() -> io::Result<KeyPair> {
    KeyPair::generate().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use std::sync::Arc;
    use tokio_rustls::rustls::client::WebPkiServerVerifier;
    use tokio_rustls::rustls::client::danger::ServerCertVerifier;
    use tokio_rustls::rustls::pki_types::{ServerName, UnixTime};
    use tokio_rustls::rustls::{CertificateError, Error, RootCertStore, crypto::ring};

    /// What a client that trusts `root` thinks of a chain, in a year.
    fn verdict(
        root: &CertificateDer<'static>,
        leaf: &Identity,
        between: &[CertificateDer<'static>],
        name: &'static str,
        year: Option<u64>,
    ) -> Result<(), Error> {
        let mut roots = RootCertStore::empty();
        roots.add(root.clone()).unwrap();
        let verifier = WebPkiServerVerifier::builder_with_provider(
            Arc::new(roots),
            Arc::new(ring::default_provider()),
        )
        .build()
        .unwrap();
        let name = ServerName::try_from(name).unwrap();
        let years = |year| DAY * 365 * u32::try_from(year - 1970_u64).unwrap() + 60 * DAY;
        let now = year.map_or_else(UnixTime::now, |year| UnixTime::since_unix_epoch(years(year)));
        verifier.verify_server_cert(&leaf.certificate, between, &name, &[], now).map(|_| ())
    }

    /// Each is accepted by a client that forgives its fault and nothing else.
    #[test]
    fn each_is_wrong_in_one_way_only() {
        let authority = Authority::new(Ipv4Addr::LOCALHOST.into()).unwrap();
        let root = authority.der();
        verdict(root, &authority.trusted().unwrap(), &[], "localhost", None).unwrap();
        verdict(root, &authority.expired().unwrap(), &[], "localhost", Some(2019)).unwrap();
        verdict(root, &authority.not_yet_valid().unwrap(), &[], "localhost", Some(2100)).unwrap();
        verdict(root, &authority.wrong_name().unwrap(), &[], SOMEBODY_ELSE, None).unwrap();

        let own = authority.self_signed().unwrap();
        let issuer = super::root("another").unwrap();
        let foreign = signed(authority.right().unwrap(), &issuer).unwrap();
        verdict(issuer.der(), &foreign, &[], "localhost", None).unwrap();
        verdict(&own.certificate, &own, &[], "localhost", None).unwrap();

        let between = authority.intermediate().unwrap();
        let leaf = signed(authority.right().unwrap(), &between).unwrap();
        verdict(root, &leaf, &[between.der().clone()], "localhost", None).unwrap();
        let alone = verdict(root, &leaf, &[], "localhost", None).unwrap_err();
        assert_eq!(alone, CertificateError::UnknownIssuer.into());
    }
}

//! TLS: how it is set up, the handshake, and what its errors mean.
//!
//! rustls with ring, and the system's own trust store. A setup is built once per policy, and only
//! where a server wants TLS: reading the trust store takes time. Which certificates are trusted is
//! in `trust`. Start at [`TlsOptions`].

mod files;
mod trust;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use redial_core::{Kind, Policy, Reason, Server, Verify, escape};
use tokio::time;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        self, AlertDescription, CertificateError, ClientConfig, ConfigBuilder,
        client::WantsClientCert,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    },
};

use self::trust::NoIssuer;
use crate::{Error, cause::Cause, errno::Moment, wire::Wire};

/// How servers are asked for TLS.
///
/// # Default
/// The system's trust store, no client certificate, the server's own name, no protocols, secure,
/// chain and name checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// A PEM file of authorities, trusted *instead of* the system's: `--ca`.
    pub ca: Option<PathBuf>,
    /// Authorities in PEM, trusted like those of `ca`: for tests and practice servers.
    pub ca_pem: Option<String>,
    /// A PEM file with our own certificate and its chain: `--cert`.
    pub cert: Option<PathBuf>,
    /// A PEM file with the key of our certificate: `--key`. Without it, the one in `cert`.
    pub key: Option<PathBuf>,
    /// The name to ask for and to check, instead of the server's host: `--sni`.
    pub sni: Option<String>,
    /// The application protocols to offer, the best first: `--alpn`.
    pub alpn: Vec<String>,
    /// Accept any certificate: `--insecure`.
    pub insecure: bool,
    /// What is checked of a certificate.
    pub verify: Verify,
}

impl TlsOptions {
    /// The same for one server of a policy: what stands behind its `#` and in its query counts
    /// before these options. Where none says what to offer, it is what a probe of it needs.
    #[must_use]
    pub fn for_server(mut self, policy: &Policy, index: usize) -> Self {
        if let Some(own) = policy.servers().get(index).map(Server::overrides) {
            if let Some(ca) = own.ca {
                self.ca_pem = None;
                self.ca = (&*ca != "system").then(|| PathBuf::from(&*ca));
                self.insecure = false;
            }
            let path = |name: Arc<str>| PathBuf::from(&*name);
            if own.cert.is_some() {
                self.key = None;
            }
            self.cert = own.cert.map(path).or(self.cert);
            self.key = own.key.map(path).or(self.key);
            self.sni = own.sni.map(|name| name.as_ref().to_owned()).or(self.sni);
            if !own.alpn.is_empty() {
                self.alpn = own.alpn.iter().map(|name| name.as_ref().to_owned()).collect();
            }
            self.insecure |= own.insecure;
            self.verify = own.verify.unwrap_or(self.verify);
        }
        if let Some(alpn) = policy.alpn(index).filter(|_| self.alpn.is_empty()) {
            self.alpn.push(alpn.to_owned());
        }
        self
    }
}

/// TLS, ready to be used for any number of connections. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TlsSetup {
    config: Arc<ClientConfig>,
    sni: Option<ServerName<'static>>,
}

impl TlsSetup {
    /// Reads the files and the trust store that the options name.
    ///
    /// # Errors
    /// A file that cannot be read or holds no certificate or key, by its path; a trust store
    /// without a single certificate; a name that TLS cannot ask for.
    pub fn build(options: &TlsOptions) -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let versions = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?;
        let verifier = trust::verifier(options, &provider)?;
        let trusting = versions.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = identify(trusting, options)?;
        config.alpn_protocols = options.alpn.iter().map(|name| name.clone().into_bytes()).collect();
        let sni = options.sni.as_deref().map(parse_sni).transpose()?;
        Ok(Self { config: Arc::new(config), sni })
    }

    /// The same, asking for the name of each host.
    pub(crate) fn without_name(self) -> Self {
        Self { sni: None, ..self }
    }
}

/// The TLS handshake with a server, on a connection that stands. `host` is the name to ask for
/// where the options gave none; `limit` is `limits.tls`, 5 s.
pub(crate) async fn handshake(
    setup: &TlsSetup,
    host: Option<&str>,
    wire: Wire,
    limit: Duration,
) -> Result<Box<TlsStream<Wire>>, Cause> {
    let name = match (&setup.sni, host) {
        (Some(name), _) => name.clone(),
        (None, Some(host)) => ServerName::try_from(host.to_owned()).map_err(|_| {
            let words = format!("TLS has no way to ask for the name {host}; give one: --sni NAME");
            Cause::because(Kind::TlsHandshake, &words)
        })?,
        (None, None) => {
            let words = "a Unix socket has no name to check; give one: --sni NAME";
            return Err(Cause::because(Kind::TlsHandshake, words));
        }
    };
    let connector = TlsConnector::from(Arc::clone(&setup.config));
    let handshake = connector.connect(name, wire.keeping_head()).into_fallible();
    match time::timeout(limit, handshake).await {
        Ok(Ok(mut stream)) => {
            stream.get_mut().0.take_head();
            Ok(Box::new(stream))
        }
        Ok(Err((error, mut wire))) => {
            let head = wire.take_head();
            let explain = |error: &rustls::Error| explain_handshake(error, &head);
            Err(cause(&error, &wire, false, explain, Kind::ClosedEarly))
        }
        Err(_) => Err(Cause::new(Kind::TlsTimeout)),
    }
}

/// What an error of a live TLS connection means. An end that TLS did not announce is `truncated`,
/// or `closed-early` if nothing was `heard` before it; so is an alert. A corrupt record is
/// `truncated`. `ended`: TLS's own end was read.
pub(crate) fn live_cause(error: &io::Error, wire: &Wire, heard: bool, ended: bool) -> Cause {
    let end = if heard { Kind::Truncated } else { Kind::ClosedEarly };
    let mut cause = cause(error, wire, ended, |error| explain_live(error, end), end);
    if cause.kind == end && cause.errno.is_none() && cause.detail.is_none() {
        cause = Cause::because(end, "it ended without TLS's close_notify");
    }
    cause
}

/// The operating system's word comes first, then TLS's, and what is left is an end.
fn cause(
    error: &io::Error,
    wire: &Wire,
    ended: bool,
    explain: impl FnOnce(&rustls::Error) -> Cause,
    end: Kind,
) -> Cause {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match (wire.error, tls) {
        // What TLS itself found wrong came before any error of its last words.
        (_, Some(error)) => explain(error),
        (Some(number), None) => {
            let error = io::Error::from_raw_os_error(number);
            Cause::from_os(&error, Moment::Live { ended: ended || wire.ended })
        }
        (None, None) if error.kind() == io::ErrorKind::UnexpectedEof => Cause::new(end),
        (None, None) => Cause::because(Kind::Other, &error.to_string()),
    }
}

fn explain(error: &rustls::Error) -> Cause {
    match error {
        rustls::Error::InvalidCertificate(error) => {
            let cause = Cause::because(Kind::TlsCertificate, &certificate_words(error));
            Cause { reason: certificate_reason(error), ..cause }
        }
        rustls::Error::NoCertificatesPresented => {
            Cause::because(Kind::TlsCertificate, "the server presented none")
        }
        rustls::Error::AlertReceived(alert) => {
            let words = format!("alert {}", alert_name(*alert));
            Cause { reason: alert_reason(*alert), ..Cause::because(Kind::TlsHandshake, &words) }
        }
        other => Cause::because(Kind::TlsHandshake, &other.to_string()),
    }
}

/// The reason an alert states (RFC 8446, 6.2).
const fn alert_reason(alert: AlertDescription) -> Option<Reason> {
    Some(match alert {
        AlertDescription::CertificateRequired => Reason::ClientCertificateRequired,
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => Reason::ClientCertificateRejected,
        AlertDescription::HandshakeFailure => Reason::HandshakeRefused,
        AlertDescription::ProtocolVersion => Reason::NoCommonVersion,
        AlertDescription::UnrecognisedName => Reason::NameUnknown,
        AlertDescription::NoApplicationProtocol => Reason::NoCommonProtocol,
        _ => return None,
    })
}

/// The reason why a certificate was not accepted.
fn certificate_reason(error: &CertificateError) -> Option<Reason> {
    Some(match error {
        CertificateError::ExpiredContext { .. } | CertificateError::Expired => Reason::Expired,
        CertificateError::NotValidYetContext { .. } | CertificateError::NotValidYet => {
            Reason::NotYetValid
        }
        CertificateError::NotValidForNameContext { .. } | CertificateError::NotValidForName => {
            Reason::OtherName
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            Reason::UnknownAuthority
        }
        CertificateError::Other(other) => other.0.downcast_ref::<NoIssuer>()?.reason(),
        _ => return None,
    })
}

/// What an error means after the handshake: the stream is cut inside a record, or by an alert.
///
/// Only one thing of the handshake may come this late, before any data: in TLS 1.3 a server checks
/// the client's certificate and parameters when the client is through with its own part.
fn explain_live(error: &rustls::Error, end: Kind) -> Cause {
    match error {
        rustls::Error::AlertReceived(alert) => {
            let early = end == Kind::ClosedEarly && refuses_client(*alert);
            let kind = if early { Kind::TlsHandshake } else { end };
            let cause = Cause::because(kind, &format!("alert {}", alert_name(*alert)));
            Cause { reason: alert_reason(*alert).filter(|_| early), ..cause }
        }
        other => Cause::because(Kind::Truncated, &format!("a TLS record is corrupt: {other}")),
    }
}

/// Whether a server rejects with this alert who the client is, or what it offered.
fn refuses_client(alert: AlertDescription) -> bool {
    use AlertDescription as Alert;
    matches!(
        alert,
        Alert::HandshakeFailure
            | Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError
            | Alert::IllegalParameter
            | Alert::InsufficientSecurity
            | Alert::ProtocolVersion
            | Alert::UnrecognisedName
            | Alert::UnknownPSKIdentity
            | Alert::NoApplicationProtocol
    )
}

/// As [`explain`], and what a server that does not speak TLS said instead.
fn explain_handshake(error: &rustls::Error, head: &[u8]) -> Cause {
    /// Record types 20 to 24: what TLS may begin with.
    const RECORDS: std::ops::RangeInclusive<u8> = 20..=24;
    let speaks_tls = head.first().is_none_or(|first| RECORDS.contains(first));
    if matches!(error, rustls::Error::InvalidMessage(_)) && !speaks_tls {
        let said = escape(head, 64);
        let words = format!("the server does not speak TLS here; it said: {said}");
        return Cause::because(Kind::TlsHandshake, &words).with_reason(Reason::NotTls);
    }
    explain(error)
}

fn certificate_words(error: &CertificateError) -> String {
    match error {
        CertificateError::ExpiredContext { time, not_after } => {
            let ago = Duration::from_secs(time.as_secs().saturating_sub(not_after.as_secs()));
            format!("it expired {} ago", rough(ago))
        }
        CertificateError::Expired => "it has expired".into(),
        CertificateError::NotValidYetContext { time, not_before } => {
            let left = Duration::from_secs(not_before.as_secs().saturating_sub(time.as_secs()));
            format!("it is not valid for another {}; is this machine's clock right?", rough(left))
        }
        CertificateError::NotValidYet => {
            "it is not valid yet; is this machine's clock right?".into()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names = presented.iter().map(|name| plain_name(name)).collect::<Vec<_>>();
            let names = if names.is_empty() { "no name".into() } else { names.join(", ") };
            format!("it is for {names}, not for {}", expected.to_str())
        }
        CertificateError::NotValidForName => "it is for another name".into(),
        CertificateError::UnknownIssuer => "its issuer is not trusted here".into(),
        CertificateError::Revoked => "it was revoked".into(),
        CertificateError::BadEncoding => "it cannot be read".into(),
        // What an authority that was made anew under its old name looks like.
        CertificateError::BadSignature => {
            "it was not signed by the authority of that name that is trusted here".into()
        }
        CertificateError::Other(other) if other.0.is::<NoIssuer>() => other.0.to_string(),
        other => rustls::Error::InvalidCertificate(other.clone()).to_string(),
    }
}

/// `DnsName("a.example")`, as webpki writes it, as `a.example`.
fn plain_name(presented: &str) -> &str {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(presented).trim_matches('"')
}

/// The largest unit alone: `3 days`.
fn rough(time: Duration) -> String {
    let seconds = time.as_secs();
    let (count, unit) = match seconds {
        86_400.. => (seconds / 86_400, "day"),
        3_600.. => (seconds / 3_600, "hour"),
        60.. => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// An alert's name as RFC 8446, section 6, writes it: `UnknownPSKIdentity` is `unknown_psk_identity`.
fn alert_name(alert: AlertDescription) -> String {
    let camel: Vec<char> = format!("{alert:?}").chars().collect();
    let mut name = String::new();
    for (at, letter) in camel.iter().enumerate() {
        let after_small = at > 0 && !camel[at - 1].is_ascii_uppercase();
        let before_small = camel.get(at + 1).is_some_and(char::is_ascii_lowercase);
        if at > 0 && letter.is_ascii_uppercase() && (after_small || before_small) {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

fn identify(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    options: &TlsOptions,
) -> Result<ClientConfig, Error> {
    let Some(cert) = &options.cert else {
        return match &options.key {
            Some(_) => Err(Error::new("a key without a certificate", "add --cert FILE")),
            None => Ok(builder.with_no_client_auth()),
        };
    };
    let chain = certificates(cert)?;
    let key_file = options.key.as_ref().unwrap_or(cert);
    let key = PrivateKeyDer::from_pem_slice(&files::read(key_file)?)
        .map_err(|error| unreadable(key_file, "private key", &error))?;
    builder.with_client_auth_cert(chain, key).map_err(|error| {
        let what = format!("the key in {} cannot be used: {error}", key_file.display());
        Error::new(what, format!("give the key that belongs to {}", cert.display()))
    })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let text = files::read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if found.is_empty() => Err(Error::new(
            format!("{} holds no certificate", path.display()),
            "give a PEM file (-----BEGIN CERTIFICATE-----)",
        )),
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable(path, "certificate", &error)),
    }
}

fn unreadable(path: &Path, what: &str, error: &rustls::pki_types::pem::Error) -> Error {
    use rustls::pki_types::pem::Error as Pem;
    match error {
        Pem::NoItemsFound => {
            Error::new(format!("{} holds no {what}", path.display()), "give a PEM file with one")
        }
        other => Error::new(
            format!("{} is not a PEM file of a {what}: {other}", path.display()),
            "give a PEM file (-----BEGIN …-----)",
        ),
    }
}

fn no_trust_store() -> Error {
    Error::new(
        "this machine trusts no certificate authority: its trust store is empty or missing",
        "install ca-certificates, or name the authorities: --ca FILE",
    )
}

fn unusable(error: &rustls::Error) -> Error {
    Error::new(format!("TLS cannot be set up: {error}"), "please report this")
}

fn parse_sni(name: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(name.to_owned()).map_err(|_| {
        let what = format!("`{}` is not a name that TLS can ask for", redial_core::printable(name));
        Error::new(what, "give a host name or an IP address")
    })
}

#[cfg(test)]
mod tests {
    use tokio_rustls::rustls::pki_types::UnixTime;

    use super::*;

    #[test]
    fn alerts_have_the_names_of_the_rfc() {
        for (alert, name) in [
            (AlertDescription::HandshakeFailure, "handshake_failure"),
            (AlertDescription::ProtocolVersion, "protocol_version"),
            (AlertDescription::UnknownCA, "unknown_ca"),
            (AlertDescription::UnknownPSKIdentity, "unknown_psk_identity"),
            (AlertDescription::CertificateRequired, "certificate_required"),
            (AlertDescription::UnrecognisedName, "unrecognised_name"),
        ] {
            assert_eq!(alert_name(alert), name);
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_or_holds_nothing_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing.pem");
        let empty = dir.path().join("empty.pem");
        std::fs::write(&empty, "hello\n").unwrap();
        let build = |options| TlsSetup::build(&options).unwrap_err().to_string();

        let text = build(TlsOptions { ca: Some(missing.clone()), ..TlsOptions::default() });
        assert!(text.starts_with(&format!("cannot read {}: ", missing.display())), "{text}");
        let text = build(TlsOptions { ca: Some(empty.clone()), ..TlsOptions::default() });
        assert!(text.starts_with(&format!("{} holds no certificate; ", empty.display())), "{text}");
        let key = TlsOptions { key: Some(empty), insecure: true, ..TlsOptions::default() };
        assert_eq!(build(key), "a key without a certificate; add --cert FILE");
        let sni = TlsOptions { sni: Some("a b".into()), insecure: true, ..TlsOptions::default() };
        assert!(build(sni).starts_with("`a b` is not a name"));
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_plainly() {
        let day = 86_400;
        let expired = CertificateError::ExpiredContext {
            time: UnixTime::since_unix_epoch(Duration::from_secs(10 * day)),
            not_after: UnixTime::since_unix_epoch(Duration::from_secs(7 * day)),
        };
        assert_eq!(certificate_words(&expired), "it expired 3 days ago");
        let name = CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("db.example").unwrap(),
            presented: vec![r#"DnsName("a.example")"#.into(), "b.example".into()],
        };
        assert_eq!(certificate_words(&name), "it is for a.example, b.example, not for db.example");
    }
}

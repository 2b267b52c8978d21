//! TLS: good and bad handshakes, and the end of a TLS connection.

#![allow(clippy::unwrap_used)] // they are tests

mod common;

use std::{io::Write, net::Ipv4Addr, sync::Arc, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use redial::{Connection, Settings, TlsOptions, TlsSetup, attempt};
use redial_core::{
    Delivery, Endpoints, Expectation, Failure, Kind, Outcome, Server, Stage, Verify,
};
use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
        version::TLS12,
    },
    server::TlsStream,
};

use common::{linger, pump, reset, serve, server};

/// A certificate authority of the test's own.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: NamedTempFile,
}

impl Authority {
    fn new() -> Self {
        Self::named("an authority of these tests")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(issuer.pem().as_bytes()).unwrap();
        Self { issuer, file }
    }

    fn server(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> ServerConfig {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        config(certificate.der().clone(), &key)
    }

    fn options(&self) -> TlsOptions {
        TlsOptions { ca: Some(self.file.path().to_owned()), ..TlsOptions::default() }
    }
}

fn config(certificate: CertificateDer<'static>, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

/// A TLS server that does this with its one connection, if the handshake succeeds.
async fn serve_tls<F>(
    config: ServerConfig,
    act: impl FnOnce(TlsStream<TcpStream>) -> F + Send + 'static,
) -> Server
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        if let Ok(stream) = TlsAcceptor::from(Arc::new(config)).accept(socket).await {
            act(stream).await;
        }
    });
    server(&format!("tls://{address}"))
}

/// A server without TLS, dialled with it.
fn with_tls(plain: &Server) -> Server {
    server(&format!("tls://{}", plain.place()))
}

async fn dial(server: &Server, options: &TlsOptions) -> Result<Connection, Failure> {
    let settings = Settings::default().with_tls(options, [server]).unwrap();
    attempt(server, 0, &settings, &Endpoints::default(), b"", Expectation::Nothing).await
}

async fn echo(mut stream: TlsStream<TcpStream>) {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    stream.write_all(&all).await.unwrap();
    stream.shutdown().await.unwrap();
}

fn insecure() -> TlsOptions {
    TlsOptions { insecure: true, ..TlsOptions::default() }
}

fn detail(failure: &Failure) -> &str {
    failure.detail.as_ref().map_or("", |detail| detail.as_str())
}

#[tokio::test]
async fn bytes_go_both_ways_and_the_end_is_clean() {
    let authority = Authority::new();
    let mut config = authority.server("127.0.0.1", |_| {});
    config.alpn_protocols = vec![b"echo".to_vec()];
    let server = serve_tls(config, echo).await;
    let options = TlsOptions { alpn: vec!["echo".into()], ..authority.options() };
    let mut connection = dial(&server, &options).await.unwrap();
    assert_eq!(connection.alpn(), Some(&b"echo"[..]));
    connection.write_all(&[7; 300_000]).await.unwrap();
    connection.shutdown().await.unwrap();
    let mut all = Vec::new();
    connection.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, [7; 300_000]);
    let failure = connection.failure();
    assert_eq!((failure.kind, failure.sent), (Kind::Closed, 300_000));
    assert_eq!(failure.delivery, Delivery::AckedAtLeast(300_000));
}

#[tokio::test]
async fn certificates_that_are_not_acceptable() {
    let authority = Authority::new();
    let expired = authority.server("127.0.0.1", |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    });
    let name = authority.server("db.example", |_| {});
    let stranger = Authority::named("a stranger").server("127.0.0.1", |_| {});
    let namesake = Authority::new().server("127.0.0.1", |_| {});
    for (config, words) in [
        (expired, "it expired "),
        (name, "it is for db.example, not for 127.0.0.1"),
        (stranger, "its issuer is not trusted here"),
        (namesake, "it was not signed by the authority of that name"),
    ] {
        let server = serve_tls(config, echo).await;
        let failure = dial(&server, &authority.options()).await.unwrap_err();
        assert_eq!((failure.kind, failure.stage), (Kind::TlsCertificate, Stage::Tls));
        assert!(detail(&failure).starts_with(words), "{failure}");
        assert_eq!(failure.addresses[0].outcome, Outcome::Connected);
        assert!(failure.lasting && failure.address.is_some());
    }
}

#[tokio::test]
async fn another_name_or_no_check_at_all_where_asked_for() {
    let authority = Authority::new();
    let server = serve_tls(authority.server("db.example", |_| {}), echo).await;
    let options = TlsOptions { sni: Some("db.example".into()), ..authority.options() };
    assert!(dial(&server, &options).await.is_ok());
    let server = serve_tls(authority.server("db.example", |_| {}), echo).await;
    assert!(dial(&server, &insecure()).await.is_ok());
}

#[tokio::test]
async fn an_alert_is_named() {
    let authority = Authority::new();
    let mut config = authority.server("127.0.0.1", |_| {});
    config.alpn_protocols = vec![b"h2".to_vec()];
    let server = serve_tls(config, echo).await;
    let options = TlsOptions { alpn: vec!["echo".into()], ..authority.options() };
    let failure = dial(&server, &options).await.unwrap_err();
    assert_eq!(failure.kind, Kind::TlsHandshake);
    assert_eq!(detail(&failure), "alert no_application_protocol");
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls() {
    let plain = serve(|mut stream| {
        stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n").unwrap();
        linger(stream);
    });
    let failure = dial(&with_tls(&plain), &insecure()).await.unwrap_err();
    assert_eq!((failure.kind, failure.stage), (Kind::TlsHandshake, Stage::Tls));
    let words = r"the server does not speak TLS here; it said: SSH-2.0-OpenSSH_9.6\\r\\n";
    assert_eq!(detail(&failure).replace(r"\r\n", r"\\r\\n"), words);
}

#[tokio::test]
async fn an_end_or_a_reset_instead_of_a_handshake() {
    let ends = |mut stream: std::net::TcpStream| {
        // All of the first message is read, so that the close is no reset.
        std::io::Read::read(&mut stream, &mut [0; 65536]).unwrap();
    };
    let failure = dial(&with_tls(&serve(ends)), &insecure()).await.unwrap_err();
    assert_eq!((failure.kind, failure.stage), (Kind::ClosedEarly, Stage::Tls));
    let failure = dial(&with_tls(&serve(reset)), &insecure()).await.unwrap_err();
    assert_eq!((failure.kind, failure.stage), (Kind::Reset, Stage::Tls));
}

#[tokio::test(start_paused = true)]
async fn no_handshake_in_time() {
    let failure = dial(&with_tls(&serve(linger)), &insecure()).await.unwrap_err();
    assert_eq!((failure.kind, failure.stage), (Kind::TlsTimeout, Stage::Tls));
    assert!(failure.elapsed >= Duration::from_secs(5));
}

#[tokio::test]
async fn an_end_without_close_notify_is_truncated() {
    let authority = Authority::new();
    let server = serve_tls(authority.server("127.0.0.1", |_| {}), async |mut stream| {
        stream.write_all(b"half a rep").await.unwrap();
        stream.flush().await.unwrap();
        let (mut socket, _) = stream.into_inner();
        socket.shutdown().await.unwrap();
        let _ = socket.read(&mut [0; 1]).await;
    })
    .await;
    let mut connection = dial(&server, &authority.options()).await.unwrap();
    let mut heard = Vec::new();
    connection.read_to_end(&mut heard).await.unwrap_err();
    assert_eq!(heard, b"half a rep");
    let failure = connection.failure();
    assert_eq!((failure.kind, failure.stage), (Kind::Truncated, Stage::Stream));
    assert_eq!(detail(&failure), "it ended without TLS's close_notify");
}

#[tokio::test]
async fn a_reset_under_tls_is_a_reset_and_counts_plaintext() {
    for tls12 in [false, true] {
        for round in 0..20 {
            let authority = Authority::new();
            let mut config = authority.server("127.0.0.1", |_| {});
            if tls12 {
                config = only_tls12(&authority);
            }
            let server = serve_tls(config, async move |mut stream| {
                let mut bytes = vec![0; 50_000 + round * 10_000];
                stream.read_exact(&mut bytes).await.unwrap();
                stream.write_all(b"k").await.unwrap();
                stream.flush().await.unwrap();
                let (socket, _) = stream.into_inner();
                reset(socket.into_std().unwrap());
            })
            .await;
            let mut connection = dial(&server, &authority.options()).await.unwrap();
            pump(&mut connection).await.unwrap_err();
            let failure = connection.failure();
            assert_eq!(failure.kind, Kind::Reset, "{failure:?}");
            let Delivery::AckedAtLeast(bytes) = failure.delivery else { panic!("{failure:?}") };
            // The one byte acknowledges what was read for it, all but a few records.
            let read = 50_000 + round as u64 * 10_000;
            assert!(bytes <= failure.sent, "{bytes} of {}", failure.sent);
            assert!(failure.received == 0 || bytes + 72 * 1024 >= read, "{bytes} of {read}");
        }
    }
}

fn only_tls12(authority: &Authority) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority.issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap()
}

#[tokio::test]
async fn exactly_what_was_acknowledged_when_nothing_is_in_flight() {
    let authority = Authority::new();
    let server = serve_tls(authority.server("127.0.0.1", |_| {}), async |mut stream| {
        stream.read_exact(&mut [0; 1000]).await.unwrap();
        stream.write_all(b"k").await.unwrap();
        stream.flush().await.unwrap();
        // Until the client has it.
        stream.read_exact(&mut [0; 1]).await.unwrap();
        reset(stream.into_inner().0.into_std().unwrap());
    })
    .await;
    let mut connection = dial(&server, &authority.options()).await.unwrap();
    connection.write_all(&[7; 1000]).await.unwrap();
    connection.read_exact(&mut [0; 1]).await.unwrap();
    connection.write_all(b"!").await.unwrap();
    connection.read_to_end(&mut Vec::new()).await.unwrap_err();
    let failure = connection.failure();
    assert_eq!(failure.kind, Kind::Reset);
    let Delivery::AckedAtLeast(bytes) = failure.delivery else { panic!("{failure:?}") };
    assert!((1000..=1001).contains(&bytes), "{bytes}");
}

/// A server that has closed answers our own closing alert with a reset.
#[tokio::test]
async fn closing_alert_that_is_refused_is_no_failure() {
    let authority = Authority::new();
    for _ in 0..50 {
        let (closed, is_closed) = tokio::sync::oneshot::channel();
        let server = serve_tls(authority.server("127.0.0.1", |_| {}), async move |mut stream| {
            stream.read_exact(&mut [0; 5]).await.unwrap();
            stream.write_all(b"bye").await.unwrap();
            stream.get_mut().1.send_close_notify();
            stream.flush().await.unwrap();
            drop(stream);
            closed.send(()).unwrap();
        })
        .await;
        let mut connection = dial(&server, &authority.options()).await.unwrap();
        connection.write_all(b"hello").await.unwrap();
        connection.flush().await.unwrap();
        is_closed.await.unwrap();
        connection.read_to_end(&mut Vec::new()).await.unwrap();
        connection.shutdown().await.unwrap();
        connection.delivered().await.unwrap();
        let failure = connection.failure();
        assert_eq!((failure.kind, failure.delivery), (Kind::Closed, Delivery::AckedAtLeast(5)));
    }
}

#[test]
fn no_trust_store_is_read_where_no_server_needs_it() {
    let missing = TlsOptions { ca: Some("/nowhere/ca.pem".into()), ..TlsOptions::default() };
    let plain = [server("db:5432")];
    assert!(Settings::default().with_tls(&missing, &plain).unwrap().tls.is_none());
    let tls = [server("tls://db:5432")];
    let error = Settings::default().with_tls(&missing, &tls).unwrap_err();
    assert!(error.to_string().starts_with("cannot read /nowhere/ca.pem: "), "{error}");
    assert!(TlsSetup::build(&insecure()).is_ok());
}

/// A certificate that signed itself and calls itself an authority, as `openssl req -x509` makes
/// them, and a file with it.
fn self_signed(
    names: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> (ServerConfig, NamedTempFile) {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "127.0.0.1");
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(certificate.pem().as_bytes()).unwrap();
    (config(certificate.der().clone(), &key), file)
}

fn trusting(file: &NamedTempFile, verify: Verify) -> TlsOptions {
    TlsOptions { ca: Some(file.path().to_owned()), verify, ..TlsOptions::default() }
}

#[tokio::test]
async fn self_signed_certificate_named_is_trusted() {
    // Named as an authority, or not; by its alternative names, or by its common name alone.
    let no_authority = |params: &mut CertificateParams| params.is_ca = IsCa::ExplicitNoCa;
    for (config, file) in [
        self_signed(&["127.0.0.1"], |_| {}),
        self_signed(&["127.0.0.1"], no_authority),
        self_signed(&[], |_| {}),
        self_signed(&[], no_authority),
    ] {
        let server = serve_tls(config, echo).await;
        dial(&server, &trusting(&file, Verify::Full)).await.unwrap();
    }
}

#[tokio::test]
async fn leaf_named_without_its_authority_is_trusted() {
    let authority = Authority::new();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority.issuer).unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(certificate.pem().as_bytes()).unwrap();
    let server = serve_tls(config(certificate.der().clone(), &key), echo).await;
    dial(&server, &trusting(&file, Verify::Full)).await.unwrap();
}

#[tokio::test]
async fn self_signed_certificate_is_still_checked() {
    let expired = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    };
    let renamed = |params: &mut CertificateParams| {
        params.distinguished_name.push(DnType::CommonName, "db.example");
    };
    // An alternative name counts before the common name.
    for (pair, words) in [
        (self_signed(&["127.0.0.1"], expired), "it expired"),
        (self_signed(&["db.example"], |_| {}), "it is for db.example, not for 127.0.0.1"),
        (self_signed(&[], renamed), "it is for no name, not for 127.0.0.1"),
    ] {
        let server = serve_tls(pair.0, echo).await;
        let failure = dial(&server, &trusting(&pair.1, Verify::Full)).await.unwrap_err();
        assert_eq!(failure.kind, Kind::TlsCertificate);
        assert!(detail(&failure).contains(words), "{failure}");
    }
    // Another certificate of the same names is another certificate.
    let (config, _) = self_signed(&["127.0.0.1"], |_| {});
    let (_, other) = self_signed(&["127.0.0.1"], |_| {});
    let server = serve_tls(config, echo).await;
    let failure = dial(&server, &trusting(&other, Verify::Full)).await.unwrap_err();
    assert_eq!(failure.kind, Kind::TlsCertificate);
}

#[tokio::test]
async fn verify_decides_what_is_checked() {
    let authority = Authority::new();
    let other = Authority::named("another authority");
    for (named, verify, accepted) in [
        (Some(&authority), Verify::Full, false),
        (Some(&authority), Verify::Authority, true),
        (Some(&authority), Verify::IfNamed, true),
        (Some(&other), Verify::Authority, false),
        (Some(&other), Verify::IfNamed, false),
        (Some(&other), Verify::Nothing, true),
        (None, Verify::IfNamed, true),
        (None, Verify::Nothing, true),
    ] {
        let server = serve_tls(authority.server("db.example", |_| {}), echo).await;
        let ca = named.map(|named| named.file.path().to_owned());
        let result = dial(&server, &TlsOptions { ca, verify, ..TlsOptions::default() }).await;
        assert_eq!(result.is_ok(), accepted, "{verify:?} {result:?}");
    }
}

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use redial_lab::{Behaviour, Certificate, Ended, Handshake, Lab, Outage};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, Error, PeerIncompatible,
    RootCertStore, StreamOwned, SupportedProtocolVersion, version,
};

use crate::client::{PATIENCE, assert_says, assert_silent, connect, read_all};

/// A client that trusts the lab's authority and nobody else.
fn client(lab: &Lab, name: &'static str) -> StreamOwned<ClientConnection, TcpStream> {
    let config = ClientConfig::builder().with_root_certificates(roots(lab)).with_no_client_auth();
    connected(lab, name, config)
}

fn connected(
    lab: &Lab,
    name: &'static str,
    config: ClientConfig,
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from(name).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), connect(lab))
}

/// One with the identity that the lab gives out, or with none.
fn client_of(
    lab: &Lab,
    version: &'static SupportedProtocolVersion,
    identity: Option<&str>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let config =
        ClientConfig::builder_with_protocol_versions(&[version]).with_root_certificates(roots(lab));
    let config = match identity {
        None => config.with_no_client_auth(),
        Some(pem) => config
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap(),
            )
            .unwrap(),
    };
    connected(lab, "localhost", config)
}

fn roots(lab: &Lab) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    if let Some(pem) = lab.ca_pem() {
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    }
    roots
}

/// What TLS says of the first read.
fn failure(stream: &mut impl Read) -> Error {
    let error = stream.read(&mut [0; 16]).unwrap_err();
    error.into_inner().unwrap().downcast_ref::<Error>().unwrap().clone()
}

/// What the client holds against the certificate.
fn complaint(certificate: Certificate) -> CertificateError {
    let lab = Lab::start(Behaviour::say("welcome").over_tls(certificate)).unwrap();
    let mut stream = client(&lab, "localhost");
    let error = failure(&mut stream);
    assert!(lab.wait_for_ends(1, PATIENCE));
    let seen = &lab.seen().connections[0];
    assert!(matches!(seen.ended, Some(Ended::Failed(_))), "{:?}", seen.ended);
    assert_eq!(seen.bytes_out, 0);
    match error {
        Error::InvalidCertificate(complaint) => complaint,
        other => panic!("{other}"),
    }
}

#[test]
fn trusted_is_accepted_by_each_of_its_names() {
    let lab = Lab::start(Behaviour::say("welcome").over_tls(Certificate::Trusted)).unwrap();
    for name in ["localhost", "lab", "127.0.0.1", "::1"] {
        let mut stream = client(&lab, name);
        assert_says(&mut stream, "welcome");
        stream.conn.send_close_notify();
        stream.flush().unwrap();
    }
    assert!(lab.wait_for_ends(4, PATIENCE));
    for seen in lab.seen().connections {
        assert_eq!(
            (seen.behaviour, seen.bytes_out, seen.ended),
            ("tls", 7, Some(Ended::ClosedByUs))
        );
    }
}

#[test]
fn each_bad_certificate_is_wrong_in_its_own_way() {
    let self_signed = complaint(Certificate::SelfSigned);
    assert_eq!(self_signed, CertificateError::UnknownIssuer);
    let expired = complaint(Certificate::Expired);
    assert!(matches!(expired, CertificateError::ExpiredContext { .. }), "{expired}");
    let future = complaint(Certificate::NotYetValid);
    assert!(matches!(future, CertificateError::NotValidYetContext { .. }), "{future}");
    assert_eq!(complaint(Certificate::UnknownIssuer), CertificateError::UnknownIssuer);
    assert_eq!(complaint(Certificate::MissingIntermediate), CertificateError::UnknownIssuer);
    let wrong_name = complaint(Certificate::WrongName);
    assert!(matches!(wrong_name, CertificateError::NotValidForNameContext { .. }), "{wrong_name}");
}

#[test]
fn cut_leaves_out_the_close_notify() {
    let lab = Lab::start(Behaviour::cut("half a wel").over_tls(Certificate::Trusted)).unwrap();
    let (bytes, end) = read_all(&mut client(&lab, "localhost"));
    assert_eq!(bytes, b"half a wel");
    assert_eq!(end.unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn other_behaviours_work_inside_tls() {
    let lab = Lab::start(Behaviour::Echo.over_tls(Certificate::Trusted)).unwrap();
    let mut stream = client(&lab, "localhost");
    stream.write_all(b"inside").unwrap();
    let mut heard = [0; 6];
    stream.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"inside");

    let lab = Lab::start(Behaviour::ReadThenReset.over_tls(Certificate::Trusted)).unwrap();
    let mut stream = client(&lab, "localhost");
    stream.write_all(b"inside").unwrap();
    let error = read_all(&mut stream).1.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(lab.stop().connections[0].head, b"inside");
}

#[test]
fn stall_is_a_handshake_that_stalls() {
    let lab = Lab::start(Behaviour::Handshake(Handshake::Stall)).unwrap();
    let mut stream = connect(&lab);
    stream.write_all(&[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3]).unwrap();
    assert!(lab.wait_until(PATIENCE, |totals| totals.bytes_in == 10));
    assert_silent(&mut stream);
}

#[test]
fn a_client_without_a_certificate_is_told_where_one_is_wanted() {
    let wanted = Behaviour::say("welcome").over_tls(Certificate::ClientWanted);
    let lab = Lab::start(wanted).unwrap();

    let mut without = client_of(&lab, &version::TLS13, None);
    while without.conn.is_handshaking() {
        without.conn.complete_io(&mut without.sock).unwrap(); // a success, to this client
    }
    let refused = AlertDescription::CertificateRequired;
    assert_eq!(failure(&mut without), Error::AlertReceived(refused));

    let mut without = client_of(&lab, &version::TLS12, None);
    assert!(matches!(failure(&mut without), Error::AlertReceived(_)));

    let identity = lab.client_identity_pem().unwrap();
    for version in [&version::TLS12, &version::TLS13] {
        assert_says(&mut client_of(&lab, version, Some(identity)), "welcome");
    }
}

#[test]
fn a_client_is_given_an_identity_only_where_one_is_wanted() {
    let lab = Lab::start(Behaviour::Close.over_tls(Certificate::Trusted)).unwrap();
    assert_eq!(lab.client_identity_pem(), None);
}

#[test]
fn alert_is_handshake_failure() {
    let lab = Lab::start(Behaviour::Handshake(Handshake::Alert)).unwrap();
    let refused = Error::AlertReceived(AlertDescription::HandshakeFailure);
    assert_eq!(failure(&mut client(&lab, "localhost")), refused);
}

#[test]
fn old_is_too_old_for_a_client_of_today() {
    let lab = Lab::start(Behaviour::Handshake(Handshake::Old)).unwrap();
    let too_old = Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13);
    assert_eq!(failure(&mut client(&lab, "localhost")), too_old);
    assert!(lab.wait_for_ends(1, PATIENCE));
    let seen = &lab.seen().connections[0];
    assert_eq!((seen.behaviour, &seen.ended), ("tls-old", &Some(Ended::ClosedByUs)));
    assert_eq!(seen.head[0], 22, "a handshake record came in");
}

#[test]
fn stall_after_hello_says_a_hello_that_fits_and_nothing_else() {
    let lab = Lab::start(Behaviour::Handshake(Handshake::StallAfterHello)).unwrap();
    for version in [&version::TLS12, &version::TLS13] {
        let mut client = client_of(&lab, version, None);
        client.conn.write_tls(&mut client.sock).unwrap();
        client.conn.read_tls(&mut client.sock).unwrap();
        client.conn.process_new_packets().unwrap();
        assert_eq!(client.conn.protocol_version(), Some(version.version));
        assert!(client.conn.is_handshaking());
        assert_silent(&mut client.sock);
    }
}

#[test]
fn plain_bytes_on_a_tls_port_fail_the_handshake() {
    let lab = Lab::start(Behaviour::Close.over_tls(Certificate::Trusted)).unwrap();
    let mut stream = connect(&lab);
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let _ = read_all(&mut stream);
    assert!(lab.wait_for_ends(1, PATIENCE));
    assert!(matches!(&lab.seen().connections[0].ended, Some(Ended::Failed(_))));
}

#[test]
fn an_authority_is_made_only_for_scripts_that_speak_tls() {
    assert_eq!(Lab::start(Behaviour::Close).unwrap().ca_pem(), None);
    assert_eq!(Lab::start(Outage::Refuse).unwrap().ca_pem(), None);
}

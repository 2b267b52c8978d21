use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use redial_lab::{Behaviour, Certificate, Ended, Lab, Outage};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, ClientConnection, Error, RootCertStore, StreamOwned,
};

use crate::client::{PATIENCE, assert_says, assert_silent, connect, read_all};

/// A client that trusts the lab's authority and nobody else.
fn client(lab: &Lab, name: &'static str) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(lab.ca_pem().unwrap().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(name).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), connect(lab))
}

/// What the client holds against the certificate.
fn complaint(certificate: Certificate) -> CertificateError {
    let lab = Lab::start(Behaviour::say("welcome").over_tls(certificate)).unwrap();
    let mut stream = client(&lab, "localhost");
    let error = stream.read(&mut [0; 16]).unwrap_err();
    assert!(lab.wait_for_ends(1, PATIENCE));
    let seen = &lab.seen().connections[0];
    assert!(matches!(seen.ended, Some(Ended::Failed(_))), "{:?}", seen.ended);
    assert_eq!(seen.bytes_out, 0);
    match error.into_inner().unwrap().downcast_ref().unwrap() {
        Error::InvalidCertificate(complaint) => complaint.clone(),
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
    let lab = Lab::start(Behaviour::Stall).unwrap();
    let mut stream = connect(&lab);
    stream.write_all(&[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3]).unwrap();
    assert!(lab.wait_until(PATIENCE, |totals| totals.bytes_in == 10));
    assert_silent(&mut stream);
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

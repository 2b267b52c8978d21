//! `openssl s_client`: what a program that shares no code with the lab says of each fault.

use std::fs;
use std::io::Read;
use std::process::{Child, Command, Output, Stdio};

use redial_lab::{BadIdentity, Behaviour, Certificate, Given, Handshake, Lab};
use tempfile::TempDir;

use crate::client::{PATIENCE, SILENCE};

fn openssl() -> Command {
    let mut command = Command::new("openssl");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn start(command: &mut Command) -> Child {
    command.spawn().unwrap_or_else(|error| panic!("openssl is needed (./test gets it): {error}"))
}

/// A client that trusts the lab's authority, checks the name, and gives up at the first fault.
fn s_client(lab: &Lab, files: &TempDir) -> Command {
    let ca = files.path().join("ca.pem");
    let mut command = openssl();
    command.args(["s_client", "-ign_eof", "-verify_return_error", "-servername", "localhost"]);
    command.args(["-verify_hostname", "localhost", "-connect", &lab.address().to_string()]);
    if let Some(pem) = lab.ca_pem() {
        fs::write(&ca, pem).unwrap();
        command.arg("-CAfile").arg(&ca);
    }
    command
}

fn text(output: &Output) -> String {
    [&*output.stdout, &*output.stderr].map(String::from_utf8_lossy).concat()
}

/// What it says of this behaviour, and whether it was content.
fn judged(behaviour: Behaviour, more: &[&str]) -> (String, bool) {
    let lab = Lab::start(behaviour).unwrap();
    let files = TempDir::new().unwrap();
    let output = start(s_client(&lab, &files).args(more)).wait_with_output().unwrap();
    (text(&output), output.status.success())
}

fn welcome(certificate: Certificate) -> Behaviour {
    Behaviour::say("welcome").over_tls(certificate)
}

#[test]
fn trusted_is_accepted_over_each_version() {
    for version in ["-tls1_2", "-tls1_3"] {
        let (said, content) = judged(welcome(Certificate::Trusted), &[version]);
        assert!(content && said.contains("Verify return code: 0 (ok)"), "{said}");
        assert!(said.contains("welcome"), "{said}");
    }
}

#[test]
fn each_certificate_has_the_fault_it_is_named_for() {
    for (certificate, fault) in [
        (Certificate::NotYetValid, "num=9:certificate is not yet valid"),
        (Certificate::Expired, "num=10:certificate has expired"),
        (Certificate::SelfSigned, "num=18:self-signed certificate"),
        (Certificate::UnknownIssuer, "num=20:unable to get local issuer certificate"),
        (Certificate::MissingIntermediate, "num=20:unable to get local issuer certificate"),
        (Certificate::WrongName, "num=62:hostname mismatch"),
    ] {
        let (said, content) = judged(welcome(certificate), &[]);
        assert!(!content && said.contains(fault), "{fault}: {said}");
        assert!(!said.contains("welcome"), "{said}");
        assert_eq!(said.matches("verify error").count(), 1, "one fault only: {said}");
    }
}

#[test]
fn the_wrong_name_is_right_for_somebody_else() {
    let somebody = ["-verify_hostname", "somebody-else.example"];
    let (said, content) = judged(welcome(Certificate::WrongName), &somebody);
    assert!(content && said.contains("Verify return code: 0 (ok)"), "{said}");
}

/// Two that a client tells apart only by the issuer's name.
#[test]
fn the_issuer_that_is_missing_is_named() {
    for (certificate, issuer) in [
        (Certificate::UnknownIssuer, "an authority that nobody knows"),
        (Certificate::MissingIntermediate, "redial lab intermediate"),
    ] {
        let lab = Lab::start(welcome(certificate)).unwrap();
        let mut command = openssl();
        command.args(["s_client", "-ign_eof", "-connect", &lab.address().to_string()]);
        let said = text(&start(&mut command).wait_with_output().unwrap());
        assert!(said.contains(issuer), "{said}");
    }
}

#[test]
fn a_client_certificate_is_wanted() {
    let (said, _) = judged(welcome(Certificate::ClientWanted), &["-tls1_3"]);
    assert!(said.contains("alert certificate required"), "{said}");
    assert!(said.contains("SSL alert number 116"), "{said}");
    assert!(!said.contains("welcome"), "{said}");
    let (said, content) = judged(welcome(Certificate::ClientWanted), &["-tls1_2"]);
    assert!(!content && said.contains("SSL alert number"), "{said}");

    let lab = Lab::start(welcome(Certificate::ClientWanted)).unwrap();
    let files = TempDir::new().unwrap();
    let identity = files.path().join("client.pem");
    fs::write(&identity, lab.client_identity_pem().unwrap()).unwrap();
    for version in ["-tls1_2", "-tls1_3"] {
        let mut command = s_client(&lab, &files);
        command.arg(version).arg("-cert").arg(&identity).arg("-key").arg(&identity);
        let output = start(&mut command).wait_with_output().unwrap();
        let said = text(&output);
        assert!(output.status.success() && said.contains("welcome"), "{said}");
        assert!(said.contains("Acceptable client certificate CA names"), "{said}");
    }
}

#[test]
fn the_alert_is_handshake_failure() {
    let (said, content) = judged(Behaviour::Handshake(Handshake::Alert), &[]);
    assert!(!content && said.contains("SSL alert number 40"), "{said}");
    assert!(said.contains("handshake failure"), "{said}");
}

#[test]
fn an_old_version_is_unsupported() {
    for version in [&["-no_tls1", "-no_tls1_1"][..], &["-tls1_2"], &["-tls1_3"]] {
        let (said, content) = judged(Behaviour::Handshake(Handshake::Old), version);
        assert!(!content && said.contains("unsupported protocol"), "{version:?}: {said}");
    }
}

#[test]
fn plain_text_on_a_tls_port_is_a_wrong_version_number() {
    let (said, content) = judged(Behaviour::answer("HTTP/1.1 400 Bad Request\r\n\r\n"), &[]);
    assert!(!content && said.contains("wrong version number"), "{said}");
}

#[test]
fn a_stalled_handshake_leaves_the_client_waiting() {
    for (handshake, hellos) in [(Handshake::Stall, 0), (Handshake::StallAfterHello, 1)] {
        let lab = Lab::start(Behaviour::Handshake(handshake)).unwrap();
        let files = TempDir::new().unwrap();
        let mut client = start(s_client(&lab, &files).arg("-msg"));
        assert!(lab.wait_until(PATIENCE, |totals| {
            totals.bytes_in > 0 && (totals.bytes_out > 0) == (hellos > 0)
        }));
        std::thread::sleep(SILENCE); // long enough to see that it waits
        assert_eq!(client.try_wait().unwrap(), None);
        client.kill().unwrap();
        let mut said = String::new();
        client.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        client.wait().unwrap();
        assert_eq!(said.matches("ServerHello").count(), hellos, "{said}");
        assert!(!said.contains("Certificate"), "{said}");
    }
}

/// A self-signed certificate and its key, of the user's own making.
fn made(files: &TempDir, name: &str, kind: &[&str]) -> (Vec<u8>, Vec<u8>) {
    let [certificate, key] = ["pem", "key"].map(|end| files.path().join(format!("{name}.{end}")));
    let mut command = openssl();
    command.args(["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=own", "-newkey"]);
    command.args(kind).args(["-addext", "subjectAltName=DNS:localhost"]);
    command.arg("-out").arg(&certificate).arg("-keyout").arg(&key);
    let output = start(&mut command).wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    (fs::read(certificate).unwrap(), fs::read(key).unwrap())
}

#[test]
fn a_certificate_of_the_users_own_is_shown() {
    let files = TempDir::new().unwrap();
    for (name, kind) in
        [("rsa", &["rsa:2048"][..]), ("ec", &["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])]
    {
        let (certificate, key) = made(&files, name, kind);
        let given = Given::from_pem(&certificate, &key).unwrap();
        let lab = Lab::start(welcome(Certificate::Given(given))).unwrap();
        assert_eq!(lab.ca_pem(), None);
        let mut command = s_client(&lab, &files);
        command.arg("-CAfile").arg(files.path().join(format!("{name}.pem")));
        let output = start(&mut command).wait_with_output().unwrap();
        let said = text(&output);
        assert!(output.status.success() && said.contains("welcome"), "{said}");
    }
}

#[test]
fn a_key_of_another_is_refused() {
    let files = TempDir::new().unwrap();
    let kind = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    let (certificate, key) = made(&files, "one", &kind);
    let (_, other) = made(&files, "other", &kind);
    let refused = |certificate: &[u8], key: &[u8]| Given::from_pem(certificate, key).unwrap_err();
    assert_eq!(refused(&certificate, &other), BadIdentity::NotAPair);
    assert_eq!(refused(&key, &certificate), BadIdentity::NoCertificate);
    assert_eq!(refused(&certificate, &certificate), BadIdentity::NoKey);
    let broken = refused(&certificate[..certificate.len() / 2], &key);
    assert!(matches!(broken, BadIdentity::Unreadable(_)), "{broken}");
    assert!(refused(&certificate, b"").to_string().contains("BEGIN PRIVATE KEY"));
}

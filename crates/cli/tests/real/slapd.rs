//! OpenLDAP (slapd): nobody may bind, and TLS begins at StartTLS.

use std::process::Command;

use super::{Place, Server, certificate::certify, exchange};

pub(crate) const PACKAGE: &str = "slapd";

/// Ready, with a certificate.
pub(crate) fn with_starttls() -> Server {
    let furnish = |place: &Place| {
        let certified = certify(place);
        let tls = format!(
            "TLSCertificateFile {}\nTLSCertificateKeyFile {}\n",
            certified.cert, certified.key
        );
        command(place, &tls)
    };
    Server::start(PACKAGE, "openldap", furnish, answers)
}

/// Ready, and has no TLS.
pub(crate) fn start() -> Server {
    Server::start(PACKAGE, "openldap", |place| command(place, ""), answers)
}

/// An anonymous bind and an unbind.
fn answers(server: &Server) -> bool {
    let asked = b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0\x30\x05\x02\x01\x02\x42\0";
    exchange(server.port(), asked).starts_with("0\x0c\x02\x01\x01a\x07\n\x01\0")
}

fn command(place: &Place, tls: &str) -> Command {
    let url = format!("ldap://127.0.0.1:{}", place.port());
    let mut command = Command::new("slapd");
    // In the foreground, and says what it says at the level `stats`.
    command.args(["-d", "stats", "-h", &url, "-f", &place.write("conf", tls)]);
    command
}

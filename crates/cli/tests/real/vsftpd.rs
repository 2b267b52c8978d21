//! vsftpd (vsftpd), which speaks FTP.

use std::process::Command;

use super::{Place, Server, certificate::certify, exchange};

pub(crate) const PACKAGE: &str = "vsftpd";

/// Ready: `220 …`.
pub(crate) fn start() -> Server {
    Server::start(PACKAGE, "root", |place| command(place, ""), answers)
}

/// Ready, and begins TLS at AUTH TLS.
pub(crate) fn with_auth_tls() -> Server {
    let furnish = |place: &Place| {
        let certified = certify(place);
        let tls = format!(
            "ssl_enable=YES\nrsa_cert_file={}\nrsa_private_key_file={}\n",
            certified.cert, certified.key
        );
        command(place, &tls)
    };
    Server::start(PACKAGE, "root", furnish, answers)
}

/// To one who leaves at once.
fn answers(server: &Server) -> bool {
    exchange(server.port(), b"QUIT\r\n").starts_with("220 ")
}

fn command(place: &Place, tls: &str) -> Command {
    let empty = place.path("empty");
    std::fs::create_dir(&empty).unwrap();
    let (port, log) = (place.port(), place.path("log"));
    let text = format!(
        "listen=YES\nlisten_ipv6=NO\nlisten_address=127.0.0.1\nlisten_port={port}\n\
         background=NO\nlocal_enable=NO\nanonymous_enable=YES\nnopriv_user=nobody\n\
         secure_chroot_dir={empty}\nxferlog_enable=YES\nvsftpd_log_file={log}\n\
         max_clients=20\n{tls}"
    );
    let mut command = Command::new("vsftpd");
    command.arg(place.write("conf", text));
    command
}

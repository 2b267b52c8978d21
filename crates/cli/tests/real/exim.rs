//! Exim (exim4-daemon-light), which speaks SMTP.

use std::process::Command;

use super::{Place, Server, certificate::certify, exchange};

pub(crate) const PACKAGE: &str = "exim4-daemon-light";

/// Ready: `220 …`.
pub(crate) fn start() -> Server {
    Server::start(
        PACKAGE,
        "Debian-exim",
        |place| command(place, 20, "tls_advertise_hosts ="),
        answers,
    )
}

/// Ready, and begins TLS at STARTTLS.
pub(crate) fn with_starttls() -> Server {
    let furnish = |place: &Place| {
        let certified = certify(place);
        let tls = format!(
            "tls_advertise_hosts = *\ntls_certificate = {}\ntls_privatekey = {}",
            certified.cert, certified.key
        );
        command(place, 20, &tls)
    };
    Server::start(PACKAGE, "Debian-exim", furnish, answers)
}

/// Takes no more clients: `421 …`, until it may go on.
pub(crate) fn full() -> Server {
    let furnish = |place: &Place| command(place, 2, "tls_advertise_hosts =");
    Server::start(PACKAGE, "Debian-exim", furnish, answers).fill(2..=2, b"", "421 ")
}

/// What it says to one who greets it and leaves.
pub(crate) fn visit(port: u16) -> String {
    exchange(port, b"EHLO redial\r\nQUIT\r\n")
}

fn answers(server: &Server) -> bool {
    visit(server.port()).starts_with("220 ")
}

fn command(place: &Place, clients: u8, tls: &str) -> Command {
    let (port, folder) = (place.port(), place.path(""));
    let text = format!(
        "exim_user = Debian-exim\nexim_group = Debian-exim\n\
         primary_hostname = mail.test\n{tls}\nhost_lookup =\n\
         spool_directory = {folder}/spool\nlog_file_path = {folder}/log-%s\n\
         pid_file_path = {folder}/pid\nsmtp_accept_max = {clients}\n\
         local_interfaces = 127.0.0.1\ndaemon_smtp_ports = {port}\n\
         smtp_receive_timeout = 10m\ndaemon_startup_retries = 0\nacl_smtp_rcpt = deny\nbegin acl\n"
    );
    let mut command = Command::new("exim4");
    command.args(["-bdf", "-C", &place.write("conf", text)]);
    command
}

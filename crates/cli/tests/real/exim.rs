//! Exim (exim4-daemon-light), which speaks SMTP.

use std::process::Command;

use super::{Place, Server, exchange};

pub(crate) const PACKAGE: &str = "exim4-daemon-light";

/// Ready: `220 …`.
pub(crate) fn start() -> Server {
    Server::start(PACKAGE, "Debian-exim", |place| command(place, 20), answers)
}

/// Takes no more clients: `421 …`, until it may go on.
pub(crate) fn full() -> Server {
    Server::start(PACKAGE, "Debian-exim", |place| command(place, 2), answers).fill(2, b"", "421 ")
}

/// What it says to one who greets it and leaves.
pub(crate) fn visit(port: u16) -> String {
    exchange(port, b"EHLO redial\r\nQUIT\r\n")
}

fn answers(server: &Server) -> bool {
    visit(server.port()).starts_with("220 ")
}

fn command(place: &Place, clients: u8) -> Command {
    let (port, folder) = (place.port(), place.path(""));
    let text = format!(
        "exim_user = Debian-exim\nexim_group = Debian-exim\n\
         primary_hostname = mail.test\ntls_advertise_hosts =\nhost_lookup =\n\
         spool_directory = {folder}/spool\nlog_file_path = {folder}/log-%s\n\
         pid_file_path = {folder}/pid\nsmtp_accept_max = {clients}\n\
         local_interfaces = 127.0.0.1\ndaemon_smtp_ports = {port}\n\
         smtp_receive_timeout = 10m\ndaemon_startup_retries = 0\nacl_smtp_rcpt = deny\nbegin acl\n"
    );
    let mut command = Command::new("exim4");
    command.args(["-bdf", "-C", &place.write("conf", text)]);
    command
}

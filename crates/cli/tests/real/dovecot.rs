//! Dovecot (dovecot-imapd, dovecot-pop3d), which begins TLS in the protocol's own words.

use std::process::Command;

use super::{Place, Server, certificate::certify, exchange};

pub(crate) const PACKAGE: &str = "dovecot-imapd dovecot-pop3d";

/// Ready, and begins TLS at STARTTLS.
pub(crate) fn imap() -> Server {
    let ready = |server: &Server| exchange(server.port(), b"a LOGOUT\r\n").starts_with("* OK ");
    Server::start(PACKAGE, "dovecot", |place| command(place, "imap"), ready)
}

/// Ready, and begins TLS at STLS.
pub(crate) fn pop3() -> Server {
    let ready = |server: &Server| exchange(server.port(), b"QUIT\r\n").starts_with("+OK ");
    Server::start(PACKAGE, "dovecot", |place| command(place, "pop3"), ready)
}

fn command(place: &Place, protocol: &str) -> Command {
    let (port, folder, certified) = (place.port(), place.path(""), certify(place));
    let text = format!(
        "protocols = {protocol}\nlisten = 127.0.0.1\nbase_dir = {folder}run\n\
         state_dir = {folder}state\nlog_path = /dev/stderr\n\
         default_internal_user = dovecot\ndefault_internal_group = dovecot\n\
         default_login_user = dovecot\nssl = yes\nssl_cert = <{}\nssl_key = <{}\n\
         mail_location = maildir:{folder}mail\n\
         service {protocol}-login {{\n  chroot =\n\
         inet_listener {protocol} {{\n    port = {port}\n  }}\n\
         inet_listener {protocol}s {{\n    port = 0\n  }}\n}}\n\
         service anvil {{\n  chroot =\n}}\nservice stats {{\n  chroot =\n}}\n\
         passdb {{\n  driver = static\n  args = nopassword=y\n}}\n\
         userdb {{\n  driver = static\n  args = uid=dovecot gid=dovecot home={folder}\n}}\n",
        certified.cert, certified.key
    );
    let mut command = Command::new("dovecot");
    command.args(["-F", "-c", &place.write("conf", text)]);
    command
}

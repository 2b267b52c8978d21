//! Asking a server: by its own client, or by a socket where it has none.
//!
//! Start at [`ask`], [`exchange`] or [`first`].

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::Duration,
};

use super::place::installed;

/// No answer takes this long, on any machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a client of this package: whether it was content, and what it said, on both outputs.
pub(crate) fn ask(package: &str, words: &[&str]) -> (bool, String) {
    let mut command = Command::new("timeout");
    command.arg(PATIENCE.as_secs().to_string()).arg(installed(words[0], package));
    command.args(&words[1..]).env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin");
    let ran = command.env("ETCDCTL_API", "3").output().unwrap();
    let said = [ran.stdout, ran.stderr].concat();
    (ran.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// Says this and reads to the end, clean or not. Nothing where nobody listens.
pub(crate) fn exchange(port: u16, saying: &[u8]) -> String {
    let Some(mut connection) = reach(port) else { return String::new() };
    let mut said = Vec::new();
    // Who has left already does not want it, and a reset ends the answer as well.
    let _ = connection.write_all(saying);
    let _ = connection.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

/// What it says first, to one who then leaves.
pub(crate) fn first(port: u16) -> String {
    meet(port, b"").1
}

/// Says this and reads once: the connection, and what was said on it.
pub(super) fn meet(port: u16, saying: &[u8]) -> (Option<TcpStream>, String) {
    let Some(mut connection) = reach(port) else { return (None, String::new()) };
    let mut said = [0; 1024];
    let _ = connection.write_all(saying);
    let length = connection.read(&mut said).unwrap_or_default();
    (Some(connection), String::from_utf8_lossy(&said[..length]).into_owned())
}

fn reach(port: u16) -> Option<TcpStream> {
    let connection = TcpStream::connect(("127.0.0.1", port)).ok()?;
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    Some(connection)
}

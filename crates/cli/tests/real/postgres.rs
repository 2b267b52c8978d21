//! PostgreSQL (postgresql): the user `app`, who owns it and is asked for a password, and the
//! database `postgres`.

use std::{fs, path::PathBuf, process::Command};

use super::{Place, Server, ask, certificate::certify, place::installed};

pub(crate) const PACKAGE: &str = "postgresql";
pub(crate) const PASSWORD: &str = "r3al-p0stgres";

const PAUSED: [&str; 2] =
    ["-c", "restore_command=while test -e paused; do sleep 0.02; done; false"];

/// Ready.
pub(crate) fn start() -> Server {
    Server::start(PACKAGE, "postgres", |place| command(place, &[]), accepts)
}

/// Ready, and for nobody who does not come through TLS; who wants `template1` is asked for nothing.
pub(crate) fn over_tls() -> Server {
    Server::start(PACKAGE, "postgres", |place| secured(place, command(place, &[])), accepts)
}

/// Ready, with a user for each way to log in, all with [`PASSWORD`]: `scram`, `old` (md5), `clear`
/// (a password in the clear), `trusted`.
pub(crate) fn logins() -> Server {
    let furnish = |place: &Place| {
        let command = command(place, &[]);
        let hosts = "host all old 127.0.0.1/32 md5\n\
                     host all clear 127.0.0.1/32 password\n\
                     host all trusted 127.0.0.1/32 trust\n\
                     host all all 127.0.0.1/32 scram-sha-256\n";
        place.write("data/pg_hba.conf", hosts);
        command
    };
    let server = Server::start(PACKAGE, "postgres", furnish, accepts);
    let users = format!(
        "create role scram login password '{PASSWORD}'; \
         create role clear login password '{PASSWORD}'; create role trusted login; \
         set password_encryption = md5; create role old login password '{PASSWORD}'"
    );
    let (made, said) = query(server.port(), &users);
    assert!(made, "{said}");
    server
}

/// Recovering: `57P03 the database system is starting up`, until it may go on.
///
/// It is the real startup process, waiting for the command that fetches the next piece of its log.
pub(crate) fn starting_up() -> Server {
    recovering(|place| command(place, &PAUSED))
}

/// The same, through TLS.
pub(crate) fn starting_up_over_tls() -> Server {
    recovering(|place| secured(place, command(place, &PAUSED)))
}

fn recovering(command: impl Fn(&Place) -> Command) -> Server {
    let furnish = |place: &Place| {
        let command = command(place);
        for name in ["data/paused", "data/recovery.signal"] {
            place.write(name, "");
            place.give(name);
        }
        command
    };
    let rejects = |server: &Server| isready(server).contains("rejecting connections");
    Server::start(PACKAGE, "postgres", furnish, rejects)
        .until(|server| fs::remove_file(server.path("data/paused")).unwrap())
}

/// Every slot is taken: `53300 sorry, too many clients already`, until it may go on.
pub(crate) fn full() -> Server {
    let few = ["max_connections=2", "superuser_reserved_connections=0"];
    let patient = "authentication_timeout=600";
    let more = ["-c", few[0], "-c", few[1], "-c", patient];
    let furnish = move |place: &Place| command(place, &more);
    let opening = b"\0\0\0\x1f\0\x03\0\0user\0app\0database\0app\0\0";
    Server::start(PACKAGE, "postgres", furnish, accepts).fill(2..=2, opening, "C53300")
}

/// As psql says it: what a query gives, or why there is none.
pub(crate) fn query(port: u16, query: &str) -> (bool, String) {
    let url = format!("postgresql://app:{PASSWORD}@127.0.0.1:{port}/postgres");
    ask(PACKAGE, &[binary("psql").to_str().unwrap(), &url, "-Atc", query])
}

fn accepts(server: &Server) -> bool {
    isready(server).contains("accepting connections")
}

fn isready(server: &Server) -> String {
    let (program, port) = (binary("pg_isready"), server.port().to_string());
    ask(PACKAGE, &[program.to_str().unwrap(), "-h", "127.0.0.1", "-p", &port]).1
}

fn command(place: &Place, more: &[&str]) -> Command {
    let (data, password) = (place.path("data"), place.write("password", PASSWORD));
    let made = ["--no-sync", "--no-instructions", "--wal-segsize=1", "--no-locale", "-E", "UTF8"];
    let owner = ["-U", "app", "-A", "scram-sha-256", "--pwfile", &password, "-D", &data];
    place.prepare(&binary("initdb"), &[&made[..], &owner[..]].concat());
    let mut command = Command::new(binary("postgres"));
    command.args(["-D", &data, "-p", &place.port().to_string(), "-c", "fsync=off"]);
    command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
    command.args(["-c", "shared_buffers=1MB"]).args(more);
    command
}

fn secured(place: &Place, mut command: Command) -> Command {
    let certified = certify(place);
    let hosts = "hostssl template1 all 127.0.0.1/32 trust\n\
                 hostssl all all 127.0.0.1/32 scram-sha-256\n";
    place.write("data/pg_hba.conf", hosts);
    command.args(["-c", "ssl=on", "-c", &format!("ssl_cert_file={}", certified.cert)]);
    command.args(["-c", &format!("ssl_key_file={}", certified.key)]);
    command
}

/// Of the newest version that is installed.
fn binary(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let binaries = versions.map(|version| version.path().join("bin").join(name));
    let newest = binaries.filter(|path| path.is_file()).max();
    newest.unwrap_or_else(|| installed(name, PACKAGE))
}

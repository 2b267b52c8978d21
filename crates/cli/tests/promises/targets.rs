//! What a target says is done, and what cannot be done is an error.

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpListener, TcpStream},
    os::fd::OwnedFd,
    path::Path,
    process::Command,
    thread,
};

use redial_lab::{Behaviour, Certificate, Given, Lab, PROTOCOLS, State};
use rustix::net::{AddressFamily, SocketType};
use tempfile::TempDir;

use crate::support::redial;

/// A flag or an option that cannot apply, in `connect`, `wait` and `check`.
#[test]
fn flag_without_use_is_an_error() {
    for (words, says) in [
        (
            &["127.0.0.1:1", "--ca", "a.pem"][..],
            "--ca is for TLS, and 127.0.0.1:1 uses none; write tls://127.0.0.1:1",
        ),
        (
            &["127.0.0.1:1", "--sni", "x"],
            "--sni is for TLS, and 127.0.0.1:1 uses none; write tls://127.0.0.1:1",
        ),
        (&["127.0.0.1:1", "--alpn", "h2"], "--alpn is for TLS"),
        (&["127.0.0.1:1", "--cert", "a", "--key", "b"], "--cert is for TLS"),
        (&["127.0.0.1:1", "--insecure"], "--insecure is for TLS"),
        (&["127.0.0.1:1", "--tls-timeout", "1"], "--tls-timeout is for TLS"),
        (&["redis://127.0.0.1:1", "--ca", "a.pem"], "write rediss://127.0.0.1:1"),
        (
            &["unix:/none", "--ca", "a.pem"],
            "--ca is for TLS, and unix:/none uses none; leave --ca out",
        ),
        (
            &["127.0.0.1:1#ca=a.pem"],
            "`#ca` is for TLS, and `127.0.0.1:1` uses none; write `tls://127.0.0.1:1#ca…`",
        ),
        (&["unix:/none", "-4"], "-4 is for hosts, and unix:/none is a Unix socket; leave -4 out"),
        (
            &["unix:/none", "--bind", "127.0.0.1"],
            "--bind is for hosts, and unix:/none is a Unix socket",
        ),
        (&["unix:/none", "--via", "socks5://127.0.0.1:1"], "unix:/none is a Unix socket"),
        (
            &["[::1]:1", "-4"],
            "-4 cannot reach [::1]:1, an IPv6 address; leave it out, or name the server",
        ),
        (&["127.0.0.1:1", "-6"], "-6 cannot reach 127.0.0.1:1, an IPv4 address"),
        (&["127.0.0.1:1", "--bind", "::1"], "--bind ::1 cannot reach 127.0.0.1:1, an IPv4 address"),
        (&["localhost:1", "-4", "--bind", "::1"], "--bind ::1 is an IPv6 address; leave -4 out"),
        (
            &["tls://127.0.0.1:1", "--ca", "a.pem", "--insecure"],
            "--insecure accepts any certificate",
        ),
        (
            &["127.0.0.1:1", "--as", "ssh", "--expect", "x"],
            "--as and --expect both say how a server is judged",
        ),
        (
            &["127.0.0.1:1", "--reply-timeout", "1"],
            "--reply-timeout is for an answer, and none is expected of 127.0.0.1:1",
        ),
    ] {
        for verb in ["connect", "wait"] {
            let ran = redial([verb].iter().chain(words).copied()).silent().run();
            let usage = if verb == "wait" { 125 } else { 2 };
            assert_eq!(ran.status, Some(usage), "{ran}");
            assert!(ran.stderr.contains(says), "{says}\n{ran}");
            assert_eq!(ran.stderr.lines().count(), 1, "{ran}");
        }
    }
    for (words, says) in [
        (&["connect", "127.0.0.1:1", "--as", "redis"][..], "--as cannot judge here"),
        (
            &["wait", "127.0.0.1:1", "--idle-timeout", "5"],
            "--idle-timeout is for a connection that lives, and wait keeps none",
        ),
        (&["wait", "127.0.0.1:1", "--max-time", "5"], "for the time allowed in all: --timeout 1m"),
        (
            &["wait", "127.0.0.1:1", "--healthy-after", "5"],
            "--healthy-after is for a connection that lives",
        ),
        (
            &["wait", "redis://127.0.0.1:1", "--settle", "1s"],
            "--settle is for servers of which no answer is expected",
        ),
        (&["wait", "--gone", "127.0.0.1:1", "--settle", "1s"], "--settle has nothing to wait for"),
        (&["wait", "--gone", "127.0.0.1:1", "--as", "redis"], "--as has nothing to judge"),
    ] {
        let ran = redial(words.iter().copied()).silent().run();
        assert!(matches!(ran.status, Some(2 | 125)), "{ran}");
        assert!(ran.stderr.contains(says), "{says}\n{ran}");
    }
}

#[test]
fn key_without_use_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = |text: &str| {
        let path = folder.path().join("policy.toml");
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    for (text, words, says) in [
        ("servers = ['db:5432#sni=x']\n", &[][..], "`#sni` is for TLS, and `db:5432` uses none"),
        ("as = 'ssh'\nexpect = 'x'\n", &[], "`as` and `expect` both say how a server is judged"),
        (
            "servers = ['db:5432']\n",
            &["--tls-timeout", "1s"],
            "--tls-timeout is for TLS, and db:5432 uses none; write tls://db:5432",
        ),
    ] {
        let path = file(text);
        let ran = redial(["check", &path].iter().chain(words).copied()).run();
        assert_eq!(ran.status, Some(2), "{ran}");
        assert!(ran.stderr.contains(says), "{ran}");
    }
    let path = file("expect = 'x'\n");
    let ran = redial(["wait", "--gone", "127.0.0.1:1", "--policy", &path]).run();
    assert_eq!(ran.status, Some(125), "{ran}");
    assert!(ran.stderr.contains("--gone asks nothing of a server"), "{ran}");
}

/// A default for many calls applies where it can.
#[test]
fn variable_without_use_is_no_error() {
    let ran = redial(["wait", "127.0.0.1:1", "--once"]).env("REDIAL_OPT_CA", "none.pem").run();
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("refused"), "{ran}");
}

/// As `openssl req -x509` makes them, for a host: an authority that signed itself.
fn self_signed(folder: &TempDir, name: &str, more: &[&str]) -> (String, Lab) {
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (cert, key) = (path(&format!("{name}.pem")), path(&format!("{name}.key")));
    let new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", &key];
    let ran = Command::new("openssl").args(new).args(["-out", &cert]).args(more).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let read = |path: &str| fs::read(path).unwrap();
    let given = Given::from_pem(read(&cert), read(&key)).unwrap();
    let hello = Behaviour::banner("hello\n").over_tls(Certificate::Given(given));
    (cert, Lab::start(hello).unwrap())
}

#[test]
fn self_signed_certificate_named_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (cert, lab) =
        self_signed(&folder, "ip", &["-subj", "/CN=x", "-addext", "subjectAltName=IP:127.0.0.1"]);
    let url = format!("tls://{}", lab.address());
    let ran = redial(["wait", "--once", &url, "--ca", &cert]).run();
    assert_eq!(ran.status, Some(0), "{ran}");
    // Without an alternative name, as the shortest command makes them.
    let (plain, lab) = self_signed(&folder, "plain", &["-subj", "/CN=localhost"]);
    let url = format!("tls://localhost:{}", lab.address().port());
    let ran = redial(["wait", "--once", &url, "--ca", &plain]).run();
    assert_eq!(ran.status, Some(0), "{ran}");
    // Another file, and another name.
    for (url, ca) in
        [(url.clone(), &cert), (format!("tls://127.0.0.1:{}", lab.address().port()), &plain)]
    {
        let ran = redial(["wait", "--once", &url, "--ca", ca]).run();
        assert_eq!(ran.status, Some(1), "{ran}");
        assert!(ran.stderr.contains("tls-certificate"), "{ran}");
        assert!(!ran.stderr.contains("CaUsedAsEndEntity"), "{ran}");
    }
}

#[test]
fn options_hold_for_one_target_alone() {
    let folder = tempfile::tempdir().unwrap();
    let san = ["-subj", "/CN=x", "-addext", "subjectAltName=IP:127.0.0.1"];
    let (one, first) = self_signed(&folder, "a,b c", &san);
    let (_, second) = self_signed(&folder, "second", &san);
    let first = format!("tls://{}#ca={}", first.address(), encoded(&one));
    let second = format!("tls://{}", second.address());
    let insecure = format!("{second}#insecure");
    let ran = redial(["wait", "--once", &first, &insecure]).run();
    assert_eq!(ran.status, Some(0), "{ran}");
    assert!(ran.stderr.contains("certificates are not checked"), "{ran}");
    let ran = redial(["wait", "--once", "--any", &second, "--ca", &one]).run();
    assert_eq!(ran.status, Some(1), "{ran}");
    // The name that is asked for, and a limit of its own, which the message names.
    let named = format!("{first},sni=db.example");
    let ran = redial(["connect", &named]).silent().run();
    assert!(ran.stderr.contains("not for db.example"), "{ran}");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("tls://{}#tls-timeout=50ms", silent.local_addr().unwrap());
    let ran = redial(["connect", &silent]).silent().run();
    assert!(ran.stderr.contains("tls-timeout"), "{ran}");
    let redis = silent.replace("tls://", "redis://").replace("tls-timeout", "reply-timeout");
    let ran = redial(["wait", "--once", &redis]).run();
    assert_eq!(ran.status, Some(1), "{ran}");
}

/// A path as an option's value.
fn encoded(path: &str) -> String {
    path.replace(',', "%2C").replace(' ', "%20")
}

#[test]
fn proxy_of_one_target_is_used_and_masked() {
    let lab = Lab::start(Behaviour::say("hello\n")).unwrap();
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let via = format!("http://me:s3cr3tpw@{}", proxy.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut client, _) = proxy.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let mut server = TcpStream::connect(lab.address()).unwrap();
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let mut all = Vec::new();
        server.read_to_end(&mut all).unwrap();
        // The client may have left by now.
        let _either = client.write_all(&all).and_then(|()| client.shutdown(Shutdown::Both));
        String::from_utf8(head).unwrap()
    });
    let server = format!("db.invalid:7#via={via}");
    let ran = redial(["connect", &server, "--json", "--receive", "1"]).silent().run();
    assert_eq!(ran.status, Some(0), "{ran}");
    let head = asked.join().unwrap();
    assert!(head.starts_with("CONNECT db.invalid:7 HTTP/1.1\r\n"), "{head}");
    // me:s3cr3tpw
    assert!(head.contains("Proxy-Authorization: Basic bWU6czNjcjN0cHc=\r\n"), "{head}");
    assert!(!format!("{ran}").replace(&ran.shown, "").contains("s3cr3tpw"), "{ran}");
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    fs::write(&policy, format!("servers = ['{server}']\n")).unwrap();
    let ran = redial(["check", policy.to_str().unwrap()]).run();
    assert!(ran.stdout.contains("servers: db.invalid:7#via=http://***@127.0.0.1:"), "{ran}");
    assert!(!format!("{ran}").contains("s3cr3tpw"), "{ran}");
}

/// An address at which nothing listens: its socket is bound, and refuses.
fn closed() -> (OwnedFd, String) {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = SocketAddrV4::try_from(rustix::net::getsockname(&socket).unwrap()).unwrap();
    (socket, address.to_string())
}

/// A server that answers probes of this protocol.
fn speaking(name: &str) -> Lab {
    let protocol = PROTOCOLS.iter().find(|protocol| protocol.name() == name).unwrap();
    Lab::start(protocol.in_state(State::Ready)).unwrap()
}

/// A server that says hello.
fn hello() -> Lab {
    Lab::start(Behaviour::banner("hello\n")).unwrap()
}

#[test]
fn any_host_of_one_url_will_do() {
    let lab = speaking("mongodb");
    let (_bound, down) = closed();
    let url = format!("mongodb://app:s3cr3tpw@{down},{}/db?replicaSet=rs", lab.address());
    let ran = redial(["wait", &url, "-t", "20"]).run();
    assert_eq!(ran.status, Some(0), "{ran}");
    let ready = format!("mongodb://app:***@{}/db?replicaSet=rs\n", lab.address());
    assert_eq!(ran.stdout, ready, "{ran}");
    let lab = speaking("postgres");
    let (ip, port) = (lab.address().ip(), lab.address().port());
    for url in [
        format!("postgresql://{down},{ip}:{port}/db"),
        format!(
            "postgresql:///db?host={down_ip},{ip}&port={down_port},{port}",
            down_ip = down.split(':').next().unwrap(),
            down_port = down.split(':').nth(1).unwrap()
        ),
        format!("postgresql+asyncpg://u@{ip}:{port}/db"),
        format!("jdbc:postgresql://{ip}:{port}/db?user=a"),
    ] {
        let ran = redial(["wait", &url, "-t", "20"]).run();
        assert_eq!(ran.status, Some(0), "{ran}");
    }
    let lab = speaking("mysql");
    for scheme in ["mysql2", "mysql+pymysql", "mariadb", "jdbc:mysql"] {
        let ran = redial(["wait", &format!("{scheme}://{}/db", lab.address()), "-t", "20"]).run();
        assert_eq!(ran.status, Some(0), "{ran}");
    }
}

#[test]
fn directory_of_a_socket_is_found_as_libpq_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".s.PGSQL.5433");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut startup = [0; 8];
        client.read_exact(&mut startup).unwrap();
        // AuthenticationCleartextPassword: the socket asks for no TLS.
        client.write_all(b"R\0\0\0\x08\0\0\0\x03").unwrap();
        let _ended = client.read_to_end(&mut Vec::new());
        startup
    });
    let directory = folder.path().display();
    let url = format!("postgresql:///db?host={directory}&port=5433&sslmode=require");
    let ran = redial(["wait", "--once", &url]).run();
    assert_eq!(ran.status, Some(0), "{ran}");
    assert_eq!(server.join().unwrap()[4..], [0, 3, 0, 0]);
}

#[test]
fn every_line_of_a_target_file_is_needed() {
    let (up, other) = (hello(), hello());
    let (_bound, down) = closed();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("targets.txt");
    let file = |text: &str| fs::write(&path, text).unwrap();
    let wait = |words: &[&str]| {
        let first = ["wait", "--once", "--targets", path.to_str().unwrap()];
        redial(first.iter().chain(words).copied()).run()
    };
    file(&format!("# what it needs\n\n  {}\n{down},{} # either\n", up.address(), other.address()));
    let ran = wait(&[]);
    assert_eq!(ran.status, Some(0), "{ran}");
    assert_eq!(ran.stdout, format!("{}\n{}\n", up.address(), other.address()));
    file(&format!("{}\n{down}\n", up.address()));
    assert_eq!(wait(&[]).status, Some(1));
    assert_eq!(wait(&["--any"]).status, Some(0));
    let ran = wait(&["db.invalid"]);
    assert_eq!(ran.status, Some(125), "{ran}");
    for (text, says) in [
        ("db:1\n\ndb\n", "targets.txt: line 3: `db` has no port"),
        ("postgres://u:s3cr3tpw@db:x\n", "targets.txt: line 1: `x` is not a port"),
        ("# nothing\n", "names no target; write one a line"),
    ] {
        file(text);
        let ran = wait(&[]);
        assert_eq!(ran.status, Some(125), "{ran}");
        assert!(ran.stderr.contains(says) && !ran.stderr.contains("s3cr3tpw"), "{ran}");
    }
    for (path, says) in [
        (Path::new("/dev/zero"), "is larger than 1 MiB"),
        (folder.path(), "is a directory"),
        (Path::new("/none"), "cannot be read"),
    ] {
        let ran = redial(["wait", "--targets", path.to_str().unwrap()]).run();
        assert_eq!(ran.status, Some(125), "{ran}");
        assert!(ran.stderr.contains(says), "{ran}");
    }
}

#[test]
fn every_entry_of_a_variable_is_needed() {
    let (up, other) = (hello(), hello());
    let (_bound, down) = closed();
    let wait = |value: String, words: &[&str]| {
        let words = ["wait", "--once", "env:NEEDED"].iter().chain(words);
        redial(words.copied()).env("NEEDED", &value).run()
    };
    let both = format!("{}, {}\n", up.address(), other.address());
    let ran = wait(both, &[]);
    assert_eq!(ran.status, Some(0), "{ran}");
    assert_eq!(ran.stdout, format!("{}\n{}\n", up.address(), other.address()));
    let one_down = format!("{},{down}", up.address());
    assert_eq!(wait(one_down.clone(), &[]).status, Some(1));
    assert_eq!(wait(one_down, &["--any"]).status, Some(0));
    assert_eq!(wait(format!("{down}|{}", up.address()), &[]).status, Some(0));
    let ran = redial(["wait", "--once", &format!("{down}|{}", up.address())]).run();
    assert_eq!(ran.status, Some(0), "{ran}");
}

//! `--via` through real proxies: microsocks and tinyproxy, from Debian's packages.
//!
//! Behind the feature `real`: `./test` installs them, and a missing one fails.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use redial_lab::{Behaviour, Certificate, Lab, Outage};
use support::redial;

/// A proxy of its own, ended with the test.
struct Proxy {
    child: Child,
    port: u16,
}

impl Proxy {
    fn start(command: impl FnOnce(u16) -> Command) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = command(port);
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child =
            child.unwrap_or_else(|error| panic!("{command:?}: {error}; ./test installs it"));
        // From here on, whatever happens, it ends with the test.
        let proxy = Self { child, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{command:?} does not listen");
            thread::yield_now();
        }
        proxy
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn microsocks(more: &'static [&'static str]) -> Proxy {
    Proxy::start(|port| {
        let mut command = Command::new("microsocks");
        command.args(["-i", "127.0.0.1", "-p", &port.to_string()]).args(more);
        command
    })
}

#[test]
fn through_a_real_socks5_proxy() {
    let (up, down) =
        (Lab::start(Behaviour::say("hello\n")).unwrap(), Lab::start(Outage::Refuse).unwrap());
    let proxy = microsocks(&[]);
    let via = format!("socks5://127.0.0.1:{}", proxy.port);
    let ran = redial(["connect", &up.address().to_string(), "--via", &via]).silent().run();
    assert_eq!((ran.stdout.as_str(), ran.status), ("hello\n", Some(0)), "{ran}");
    let name = format!("localhost:{}", up.address().port());
    let named = redial(["connect", &name, "--via", &via]).silent().run();
    assert_eq!((named.stdout.as_str(), named.status), ("hello\n", Some(0)), "{named}");
    let refused = redial(["connect", &down.address().to_string(), "--via", &via]).silent().run();
    assert_eq!(refused.status, Some(1));
    assert!(refused.stderr.contains("refused: ") && refused.stderr.contains(&via), "{refused}");
}

#[test]
fn a_real_socks5_proxy_wants_the_right_password() {
    let up = Lab::start(Behaviour::say("hello\n")).unwrap();
    let proxy = microsocks(&["-u", "me", "-P", "s3cr3t"]);
    for (password, status) in [("s3cr3t", 0), ("wr0ng", 1)] {
        let via = format!("socks5://me:{password}@127.0.0.1:{}", proxy.port);
        let words = ["connect", &up.address().to_string(), "--via", "env:PROXY", "-v"];
        let ran = redial(words).env("PROXY", &via).silent().run();
        assert_eq!(ran.status, Some(status), "{ran}");
        assert!(!ran.stderr.contains(password), "{ran}");
    }
}

/// With its configuration in a folder that must outlive it.
fn tinyproxy(folder: &Path, more: &str) -> Proxy {
    Proxy::start(|port| {
        let config = folder.join("tinyproxy.conf");
        let text = format!(
            "Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nMaxClients 20\nTimeout 20\n{more}\n"
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("tinyproxy");
        command.arg("-d").arg("-c").arg(config);
        command
    })
}

#[test]
fn through_a_real_http_proxy() {
    let (up, down) =
        (Lab::start(Behaviour::say("hello\n")).unwrap(), Lab::start(Outage::Refuse).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let proxy = tinyproxy(folder.path(), "");
    let via = format!("http://127.0.0.1:{}", proxy.port);
    let ran = redial(["connect", &up.address().to_string(), "--via", &via]).silent().run();
    assert_eq!((ran.stdout.as_str(), ran.status), ("hello\n", Some(0)), "{ran}");
    let refused = redial(["connect", &down.address().to_string(), "--via", &via]).silent().run();
    assert_eq!(refused.status, Some(1));
    // Its word for a server that is down: 500. It heals.
    assert!(refused.stderr.contains("unavailable: 127.0.0.1:"), "{refused}");
    assert!(refused.stderr.contains("the proxy said HTTP/1."), "{refused}");
    let name = ["connect", "nosuch.invalid:80", "--via", &via];
    let unknown = redial(name).silent().run();
    assert!(unknown.stderr.contains("unavailable: 127.0.0.1:"), "{unknown}");
}

#[test]
fn a_real_http_proxy_wants_the_right_password() {
    let up = Lab::start(Behaviour::say("hello\n")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let proxy = tinyproxy(folder.path(), "BasicAuth me s3cr3t");
    for (login, said) in [("me:s3cr3t@", ""), ("me:wr0ng@", "denied"), ("", "denied")] {
        let via = format!("http://{login}127.0.0.1:{}", proxy.port);
        let words = ["connect", &up.address().to_string(), "-v"];
        let ran = redial(words).env("REDIAL_OPT_VIA", &via).silent().run();
        assert_eq!(ran.status, Some(i32::from(!said.is_empty())), "{ran}");
        assert!(ran.stderr.contains(said), "{ran}");
        assert!(!ran.stderr.contains("s3cr3t") && !ran.stderr.contains("wr0ng"), "{ran}");
    }
}

#[test]
fn a_port_that_a_real_http_proxy_does_not_allow_is_denied() {
    let up = Lab::start(Behaviour::say("hello\n")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let proxy = tinyproxy(folder.path(), "ConnectPort 443");
    let via = format!("http://127.0.0.1:{}", proxy.port);
    let ran = redial(["connect", &up.address().to_string(), "--via", &via]).silent().run();
    assert!(ran.stderr.contains("denied: ") && ran.stderr.contains("403"), "{ran}");
}

/// Much, both ways. microsocks ends both sides when one ends (nc -N loses bytes through it as well),
/// so the server's side does not wait for ours.
#[test]
fn tls_and_every_byte_go_through_real_proxies() {
    let lab = Lab::start(Behaviour::Echo.over_tls(Certificate::Trusted)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, lab.ca_pem().unwrap()).unwrap();
    let authority = authority.to_str().unwrap();
    let (socks, http) = (microsocks(&[]), tinyproxy(folder.path(), ""));
    let server = format!("tls://localhost:{}", lab.address().port());
    let input: String = (0..100_000).map(|number| format!("{number}\n")).collect();
    let length = input.len().to_string();
    for via in
        [format!("socks5://127.0.0.1:{}", socks.port), format!("http://127.0.0.1:{}", http.port)]
    {
        let words = ["connect", &server, "--via", &via, "--ca", authority, "--receive", &length];
        let ran = redial(words).arg("--half-close").arg("never").input(input.as_bytes()).run();
        let came = ran.stdout.len();
        assert!(ran.stdout == input, "{via}: {came} of {length} bytes: {}", ran.stderr);
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    }
}

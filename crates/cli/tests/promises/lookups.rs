//! Lookups: a resolver that hangs or fails holds up only the names that it is asked for.
//!
//! A small DNS server listens on a loopback address of its own; /etc/resolv.conf and /etc/hosts are
//! replaced in a mount namespace.

#![cfg(feature = "real")]

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use redial_lab::{Behaviour, LESSON, Lab};

use crate::support::{Ran, Run, redial};

/// Starts a DNS server for the length of the test run, and returns its address.
///
/// Names choose the answer by their first label: `hang…` none, `slow…` after 200 ms,
/// `rcodeN…` that rcode, `half…` SERVFAIL for A and no records for AAAA, `gone…` NXDOMAIN,
/// all others 127.0.0.1.
fn nameserver() -> Ipv4Addr {
    let (socket, address) = (1..=250)
        .map(|last| Ipv4Addr::new(127, 53, (std::process::id() % 251) as u8, last))
        .find_map(|address| match UdpSocket::bind((address, 53)) {
            Ok(socket) => Some((socket, address)),
            Err(error) if error.kind() == ErrorKind::AddrInUse => None,
            Err(error) => panic!("{address}:53: {error}"),
        })
        .unwrap();
    let sending = socket.try_clone().unwrap();
    let (late, later) = mpsc::channel::<(Instant, Vec<u8>, SocketAddr)>();
    thread::spawn(move || {
        for (due, answer, client) in later {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let _ = sending.send_to(&answer, client);
        }
    });
    thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut query) {
            let (name, answer) = answer(&query[..length]);
            if name.starts_with("slow") {
                let due = Instant::now() + Duration::from_millis(200);
                late.send((due, answer, client)).unwrap();
            } else if !name.starts_with("hang") {
                let _ = socket.send_to(&answer, client);
            }
        }
    });
    address
}

/// The first label of a query's name, and its answer.
fn answer(query: &[u8]) -> (String, Vec<u8>) {
    let label = String::from_utf8_lossy(&query[13..13 + usize::from(query[12])]).into_owned();
    let mut end = 12;
    while query[end] != 0 {
        end += 1 + usize::from(query[end]);
    }
    let is_a = query[end + 2] == 1;
    let rcode = match label.strip_prefix("rcode").and_then(|rest| rest.chars().next()) {
        Some(digit) => digit.to_digit(10).unwrap() as u8,
        None if label.starts_with("half") && is_a => 2,
        None if label.starts_with("gone") => 3,
        None => 0,
    };
    let has_address = rcode == 0 && is_a;
    let mut answer = query[..end + 5].to_vec();
    answer[2..12].copy_from_slice(&[0x81, 0x80 | rcode, 0, 1, 0, has_address.into(), 0, 0, 0, 0]);
    if has_address {
        answer.extend([0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
    }
    (label, answer)
}

/// Runs it with that nameserver, and with `known.example` in /etc/hosts.
fn with(nameserver: Ipv4Addr, run: Run) -> Ran {
    let files = format!(
        "mount -t tmpfs none /mnt
        echo 'nameserver {nameserver}' > /mnt/resolv
        printf '127.0.0.1 localhost\\n127.0.0.1 known.example\\n' > /mnt/hosts
        echo 'hosts: files dns' > /mnt/nsswitch
        mount --bind /mnt/resolv /etc/resolv.conf
        mount --bind /mnt/hosts /etc/hosts
        mount --bind /mnt/nsswitch /etc/nsswitch.conf"
    );
    run.silent().unshared(&["--mount"], &files).run()
}

/// `wait` with N names of the kind, then these words.
fn wait(kind: &str, count: usize, port: u16, words: &[&str]) -> Run {
    let names: Vec<String> =
        (0..count).map(|number| format!("{kind}{number}.example:{port}")).collect();
    redial(
        ["wait"].into_iter().chain(words.iter().copied()).chain(names.iter().map(|name| &**name)),
    )
}

fn lab() -> (Lab, u16) {
    let lab = Lab::start(Behaviour::say(LESSON)).unwrap();
    let port = lab.address().port();
    (lab, port)
}

/// Entry 8.
#[test]
fn hanging_lookups_do_not_starve_other_names() {
    let ((_lab, port), nameserver) = (lab(), nameserver());
    for host in ["localhost", "known.example", "127.0.0.1", "quick.example", "slow.example"] {
        let began = Instant::now();
        let ran = with(
            nameserver,
            wait("hang", 100, port, &["--any", "-t", "30s"]).arg(&format!("{host}:{port}")),
        );
        assert_eq!(ran.status, Some(0), "{host}: {ran}");
        assert!(began.elapsed() < Duration::from_secs(15), "{host}: {:?}", began.elapsed());
    }
}

#[test]
fn thousand_names_are_ready_once() {
    let ((_lab, port), nameserver) = (lab(), nameserver());
    let ran = with(nameserver, wait("slow", 1000, port, &["--once", "-t", "50s"]));
    assert_eq!(ran.status, Some(0), "{ran}");
}

#[test]
fn silent_resolver_is_named_as_the_cause() {
    let nameserver = nameserver();
    let ran = with(nameserver, wait("hang", 300, 9, &["--once", "-t", "20s"]));
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("resolver"), "{ran}");
    for wrong in ["exhausted", "memory", "ulimit", "lookups are under way"] {
        assert!(!ran.stderr.contains(wrong), "{wrong}: {ran}");
    }
}

/// Entry 21.
#[test]
fn failing_nameserver_is_temporary() {
    let nameserver = nameserver();
    for (host, kind) in [
        ("rcode1", "dns-temporary"),
        ("rcode2", "dns-temporary"),
        ("rcode4", "dns-temporary"),
        ("rcode5", "dns-temporary"),
        ("half", "dns-temporary"),
        ("gone", "dns-not-found"),
    ] {
        for version in [&[][..], &["-4"]] {
            let run =
                redial([&*format!("{host}.example:9")].into_iter().chain(version.iter().copied()));
            let ran = with(nameserver, run);
            assert_eq!(ran.status, Some(1), "{ran}");
            assert!(ran.stderr.contains(&format!("{kind}: ")), "{host} {version:?}: {ran}");
        }
    }
}

#[test]
fn hidden_response_code_is_named() {
    let nameserver = nameserver();
    for (host, code) in [("half", "SERVFAIL"), ("rcode1", "FORMERR")] {
        let ran = with(nameserver, redial([&*format!("{host}.example:9")]));
        let words = format!("{code}: the nameserver did not look for the name");
        assert!(ran.stderr.contains(&words), "{ran}");
    }
}

/// Addresses stay on an interface that was brought down, and packets to them are dropped.
#[test]
fn loopback_that_is_down_is_unreachable() {
    let run = redial(["127.0.0.1:9", "--connect-timeout", "300ms"]).silent();
    let ran = run.unshared(&["--net"], "ip link set lo up; ip link set lo down").run();
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("unreachable: "), "{ran}");
    assert!(ran.stderr.contains("the loopback interface is down"), "{ran}");
    assert!(ran.stderr.contains("ip link set lo up"), "{ran}");
}

//! Networks that fail in ways loopback cannot: packets dropped, no routes, a resolver that hangs, a
//! name with several addresses. Each run has namespaces of its own.
//!
//! Behind the feature `real`, for it wants root, `unshare`, `ip` and `nft`; without them it fails.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::{
    fs,
    io::{Read, Write},
    net::SocketAddr,
    process::Command,
    time::{Duration, Instant},
};

use redial_lab::{Behaviour, LESSON, Lab, Outage, Script};
use serde_json::Value;
use support::{Ran, redial};

/// An empty network, but for loopback.
const LOOPBACK: &str = "ip link set lo up";

/// What firewalls and routers do, what it is called, and how the kernel put it.
#[rustfmt::skip] // a table reads best as one
const NETWORKS: [(&str, &str, &str, Option<&str>); 12] = [
    ("dropped on the way", "nft add rule inet f in tcp dport 9 drop", "connect-timeout", None),
    ("rejected with a reset", "nft add rule inet f in tcp dport 9 reject with tcp reset", "refused", Some("ECONNREFUSED")),
    ("rejected: no such host", "nft add rule inet f in tcp dport 9 reject with icmp host-unreachable", "unreachable", Some("EHOSTUNREACH")),
    ("rejected: no such net", "nft add rule inet f in tcp dport 9 reject with icmp net-unreachable", "unreachable", Some("ENETUNREACH")),
    ("rejected: forbidden on the way", "nft add rule inet f in tcp dport 9 reject with icmp admin-prohibited", "unreachable", Some("EHOSTUNREACH")),
    ("forbidden by this machine", "nft add rule inet f out tcp dport 9 drop", "connect-timeout", None),
    ("no route", "", "unreachable", Some("ENETUNREACH")),
    ("unreachable route", "ip route add unreachable 10.0.0.0/8", "unreachable", Some("EHOSTUNREACH")),
    ("black hole route", "ip route add blackhole 10.0.0.0/8", "unreachable", Some("EINVAL")),
    ("prohibited route", "ip route add prohibit 10.0.0.0/8", "denied", Some("EACCES")),
    ("nobody has the address", "ip link add here type veth peer name there; ip link set here up; ip link set there up; ip addr add 10.0.0.2/24 dev here", "unreachable", Some("EHOSTUNREACH")),
    ("nobody listens", "", "refused", Some("ECONNREFUSED")),
];

#[test]
fn a_failure_of_the_network_has_its_name() {
    let tables = "nft add table inet f
        nft 'add chain inet f in { type filter hook input priority 0; }'
        nft 'add chain inet f out { type filter hook output priority 0; }'";
    for (name, network, kind, errno) in NETWORKS {
        // A rule is for loopback, where there is somebody to be kept away from.
        let elsewhere = network.starts_with("ip ") || name == "no route";
        let server = if elsewhere { "10.0.0.9:9" } else { "127.0.0.1:9" };
        let timeout = if kind == "connect-timeout" { "300ms" } else { "20s" };
        let ran = redial([server, "--json", "--connect-timeout", timeout])
            .silent()
            .unshared(&["--net"], &format!("{LOOPBACK}\n{tables}\n{network}"))
            .run();
        let failure = &failures(&ran)[0];
        assert_eq!(failure["kind"], kind, "{name}: {ran}");
        assert_eq!(failure["errno"]["name"].as_str(), errno, "{name}: {ran}");
        assert_eq!(ran.status, Some(1), "{name}: {ran}");
    }
}

fn failures(ran: &Ran) -> Vec<Value> {
    let last = ran.stderr.lines().last().unwrap_or_default();
    let record: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{ran}"));
    let events = record["events"].as_array().unwrap().iter();
    events.filter_map(|event| event.get("failure")).cloned().collect()
}

#[test]
fn a_peer_that_died_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let policy = directory.path().join("policy.toml");
    fs::write(&policy, "[limits]\ndead = \"2s\"\n").unwrap();
    let mut live = redial(["lab:echo", "--json", "--policy", policy.to_str().unwrap()])
        .unshared(&["--net"], LOOPBACK)
        .start();
    let ping = |live: &mut support::Live| live.stdin.as_mut().unwrap().write_all(b"ping").unwrap();
    ping(&mut live);
    live.stdout.as_mut().unwrap().read_exact(&mut [0; 4]).unwrap();
    // From here on nothing arrives, and nobody says so.
    let namespace = format!("--net=/proc/{}/ns/net", live.child.id());
    let rules = "table inet f { chain in { type filter hook input priority 0; policy drop; }; }";
    let cut = Command::new("nsenter").args([&*namespace, "nft", rules]).status().unwrap();
    assert!(cut.success());
    let begun = Instant::now();
    ping(&mut live);
    // Standard input stays open: nothing but the dead peer can end this.
    let stdin = live.stdin.take();
    let ran = live.end();
    drop(stdin);
    let (failure, took) = (&failures(&ran)[0], begun.elapsed());
    assert_eq!((failure["kind"].as_str(), ran.status), (Some("stalled"), Some(1)), "{ran}");
    assert_eq!(failure["errno"]["name"], "ETIMEDOUT", "{ran}");
    assert!(took > Duration::from_secs(1) && took < Duration::from_secs(8), "{took:?}");
}

#[test]
fn silent_resolver_is_named_at_the_deadline() {
    let setting_up = format!(
        "{LOOPBACK}
        nft 'table inet f {{ chain in {{ type filter hook input priority 0; udp dport 53 drop; }}; }}'
        {}",
        in_place_of("/etc/resolv.conf", "nameserver 127.0.0.1")
    );
    for verb in ["wait", "connect"] {
        let ran = redial([verb, "slow.example:80", "--deadline", "500ms"])
            .silent()
            .unshared(&["--net", "--mount"], &setting_up)
            .run();
        assert_eq!(ran.status, Some(124), "{ran}");
        assert!(ran.stderr.contains("looking up slow.example: no answer of the resolver"), "{ran}");
    }
}

#[test]
fn a_lookup_that_hangs_holds_no_deadline() {
    // A nameserver that never answers: its questions are dropped, and nobody says so.
    let setting_up = format!(
        "{LOOPBACK}
        nft 'table inet f {{ chain in {{ type filter hook input priority 0; udp dport 53 drop; }}; }}'
        {}
        echo ready",
        in_place_of("/etc/resolv.conf", "nameserver 127.0.0.1")
    );
    let took: Vec<Duration> = (0..3)
        .map(|_| {
            let mut live = redial(["slow.example:80", "--deadline", "500ms", "--retry", "forever"])
                .silent()
                .unshared(&["--net", "--mount"], &setting_up)
                .start();
            live.stdout.as_mut().unwrap().read_exact(&mut [0; b"ready\n".len()]).unwrap();
            let begun = Instant::now();
            let ran = live.end();
            assert_eq!(ran.status, Some(124), "{ran}");
            begun.elapsed()
        })
        .collect();
    // Whatever else this machine is doing, one of three is not held up by it.
    let quickest = took.iter().min().unwrap();
    assert!(
        (Duration::from_millis(500)..Duration::from_millis(600)).contains(quickest),
        "{took:?}"
    );
}

/// Puts a file of these lines in the place of another: in a file system of its own, which covers
/// what nothing here needs.
fn in_place_of(path: &str, lines: &str) -> String {
    format!("mount -t tmpfs none /mnt; echo '{lines}' > /mnt/file; mount --bind /mnt/file {path}")
}

/// Two labs on one port of two addresses that one name has.
fn twins(bad: impl Into<Script>, good: impl Into<Script>) -> (Lab, Lab) {
    let (bad, good) = (bad.into(), good.into());
    for _ in 0..100 {
        let first = Lab::bind("127.0.0.2:0", bad.clone()).unwrap();
        let second = SocketAddr::from(([127, 0, 0, 3], first.address().port()));
        if let Ok(second) = Lab::bind(second, good.clone()) {
            return (first, second);
        }
    }
    panic!("no port is free on both addresses");
}

#[test]
fn a_name_with_two_addresses_reaches_the_second() {
    for (name, bad, flags) in [
        ("refused", Script::from(Outage::Refuse), &[][..]),
        ("dead", Outage::Blackhole.into(), &[]),
        ("closes at once", Behaviour::Close.into(), &["--retry", "2"]),
        ("resets at once", Behaviour::Reset.into(), &["--retry", "2"]),
    ] {
        let (first, second) = twins(bad, Behaviour::say(LESSON));
        let server = format!("twins:{}", second.address().port());
        let words = [&*server, "--json"].into_iter().chain(flags.iter().copied());
        let hosts = in_place_of("/etc/hosts", "127.0.0.2 twins\n127.0.0.3 twins");
        let ran = redial(words).silent().unshared(&["--mount"], &hosts).run();
        assert_eq!((ran.status, &*ran.stdout), (Some(0), LESSON), "{name}: {ran}");
        // The bad one was met: it is the first that the resolver gives.
        let tried = &failures(&ran)[0]["addresses"];
        assert_eq!(tried[0]["address"], first.address().to_string(), "{name}: {ran}");
        assert_ne!(tried[0]["outcome"], "not-tried", "{name}: {ran}");
        assert_eq!(second.seen().totals.connections, 1, "{name}");
    }
}

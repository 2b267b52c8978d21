//! Time and size limits: probes, lookups, files, descriptors, and rehearsals.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use redial_lab::{Behaviour, Lab, Outage, Script};
use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::support::{Ran, redial};

/// A server that connects and stays silent.
fn silent() -> Lab {
    Lab::start(Behaviour::Stall).unwrap()
}

/// The JSON on standard output.
fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"))
}

/// `wait --json` for this target, cut after half a second: the failure of its only server.
fn wait_cut(target: &str) -> Value {
    let ran = redial(["wait", target, "-t", "500ms", "--json"]).silent().run();
    assert_eq!(ran.status, Some(124), "{ran}");
    json(&ran)["targets"][0]["servers"][0]["failure"].clone()
}

/// The kind, the stage and the detail of a failure.
fn facts(failure: &Value) -> [&str; 3] {
    ["kind", "stage", "detail"].map(|key| failure[key].as_str().unwrap_or_default())
}

/// Entry 16.
#[test]
fn wait_cut_names_stage_and_what_was_seen() {
    let (lab, hole) = (silent(), Lab::start(Outage::Blackhole).unwrap());
    let address = lab.address();
    let rows = [
        (
            format!("{}", hole.address()),
            ["connect-timeout", "connect", "connecting: SYN sent, no answer"],
        ),
        (
            format!("https://{address}"),
            ["tls-timeout", "tls", "TLS handshake: connected, no answer"],
        ),
        (
            format!("http://{address}"),
            ["stalled", "expect", "connected, request sent, no byte of an answer"],
        ),
        (format!("ssh://{address}"), ["stalled", "expect", "connected, no byte of an answer"]),
    ];
    for (target, [kind, stage, seen]) in rows {
        let failure = wait_cut(&target);
        let found = facts(&failure);
        assert_eq!(found[..2], [kind, stage], "{target}: {failure}");
        assert!(found[2].starts_with(seen), "{target}: {failure}");
        let ran = redial(["wait", &target, "-t", "500ms"]).silent().run();
        assert!(ran.stderr.contains(seen), "{ran}");
        assert!(ran.stderr.contains("To allow more time: --timeout 5m"), "{ran}");
        assert!(!ran.stderr.contains("no answer yet"), "{ran}");
    }
}

#[test]
fn connect_cut_names_stage_and_what_was_seen() {
    let (lab, hole) = (silent(), Lab::start(Outage::Blackhole).unwrap());
    let tls = format!("tls://{}", lab.address());
    for (server, expect, [kind, stage, seen]) in [
        (
            hole.address().to_string(),
            None,
            ["connect-timeout", "connect", "connecting: SYN sent, no answer"],
        ),
        (tls, None, ["tls-timeout", "tls", "TLS handshake: connected, no answer"]),
        (
            lab.address().to_string(),
            Some("^hi"),
            ["stalled", "expect", "connected, no byte of an answer"],
        ),
    ] {
        let words = ["connect", &server, "--deadline", "500ms", "--json"];
        let expect = expect.map(|answer| ["--expect", answer]);
        let words = words.into_iter().chain(expect.into_iter().flatten());
        let ran = redial(words).silent().run();
        let record: Value = serde_json::from_str(ran.stderr.lines().last().unwrap()).unwrap();
        let events = record["events"].as_array().unwrap();
        let failure = events.iter().find_map(|event| event.get("failure")).unwrap();
        assert_eq!((ran.status, &failure["kind"]), (Some(124), &"deadline".into()), "{ran}");
        assert_eq!(facts(&failure["cut"])[..2], [kind, stage], "{ran}");
        assert!(facts(failure)[2].contains(seen), "{ran}");
    }
}

/// A server whose accept queue is full: it has room for one, which is taken.
fn full_queue() -> (Socket, SocketAddr, Vec<Socket>) {
    let socket = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let server = socket();
    server.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    server.listen(0).unwrap();
    let address = server.local_addr().unwrap().as_socket().unwrap();
    let clients = (0..4).map(|_| {
        let client = socket();
        client.set_nonblocking(true).unwrap();
        let _ = client.connect(&address.into());
        client
    });
    let clients = clients.collect();
    (server, address, clients)
}

#[test]
fn full_accept_queue_names_stage_connect() {
    let (_server, address, _clients) = full_queue();
    let failure = wait_cut(&address.to_string());
    let found = facts(&failure);
    assert_eq!(found[..2], ["connect-timeout", "connect"], "{failure}");
    assert!(found[2].starts_with("connecting: SYN sent, no answer for "), "{failure}");
}

/// Entry 7: a server that answers each request after this time.
fn late(time: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = move |mut client: TcpStream| {
        let _ = client.read(&mut [0; 1024]);
        thread::sleep(time);
        let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    };
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || answer(client));
        }
    });
    address
}

#[test]
fn answer_after_7s_is_ready_within_20s() {
    let address = late(Duration::from_secs(7));
    let plain = format!("http://{address}");
    let within = format!("http://{address}#within=12s");
    // Both at once: the second has its own time, of which it may use 9 s.
    let ran = redial(["wait", &plain, &within, "-t", "20"]).silent().run();
    assert_eq!(ran.status, Some(0), "{ran}");
}

#[test]
fn within_bounds_target_and_replaces_default() {
    let lab = silent();
    let target = format!("http://{}#within=500ms", lab.address());
    let began = Instant::now();
    let ran = redial(["wait", &target]).silent().run();
    assert_eq!(ran.status, Some(124), "{ran}");
    assert!(began.elapsed() < Duration::from_secs(4), "{ran}");
}

#[test]
fn reply_timeout_that_cut_is_named() {
    let lab = silent();
    let target = format!("http://{}", lab.address());
    let words = ["wait", &target, "--once", "--reply-timeout", "200ms"];
    let ran = redial(words).silent().run();
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("--reply-timeout 20s"), "{ran}");
}

/// Entry 18.
#[test]
fn gone_of_unknown_name_ends_and_says_so() {
    let ran = redial(["wait", "--gone", "nonexistent.invalid:80", "-t", "20"]).silent().run();
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("no such name"), "{ran}");
    assert!(ran.stderr.contains("Is it spelled right?"), "{ran}");
    assert!(!ran.stderr.contains("still there"), "{ran}");
}

#[test]
fn gone_of_silent_network_does_not_claim_presence() {
    let hole = Lab::start(Outage::Blackhole).unwrap();
    let address = hole.address().to_string();
    let ran = redial(["wait", "--gone", &address, "-t", "500ms"]).silent().run();
    assert_eq!(ran.status, Some(124), "{ran}");
    assert!(ran.stderr.contains("this does not show that it is gone"), "{ran}");
    assert!(!ran.stderr.contains("still there"), "{ran}");
}

#[test]
fn gone_of_present_server_says_still_there() {
    let lab = silent();
    let address = lab.address().to_string();
    let ran = redial(["wait", "--gone", &address, "-t", "500ms"]).silent().run();
    assert_eq!(ran.status, Some(124), "{ran}");
    assert!(ran.stderr.contains("it is still there"), "{ran}");
}

#[test]
fn gone_of_server_that_goes_ends_well() {
    let script = Script::new([Behaviour::Stall.times(2), Outage::Refuse.forever()]);
    let lab = Lab::start(script).unwrap();
    let ran = redial(["wait", "--gone", &lab.address().to_string()]).silent().run();
    assert_eq!(ran.status, Some(0), "{ran}");
}

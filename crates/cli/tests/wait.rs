//! `redial wait`: what is believed, what ends it, what is said, and how it exits.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::{
    fs,
    io::Read,
    path::Path,
    time::{Duration, Instant},
};

use redial_lab::{Behaviour, Lab, Outage, Script};
use rustix::process::Signal;
use serde_json::Value;
use support::{Ran, Run, redial};

fn address(lab: &Lab) -> String {
    lab.address().to_string()
}

/// `redial wait` with these words.
fn wait(words: &[&str]) -> Run {
    redial(["wait"].iter().chain(words).copied())
}

/// The JSON of a run, valid by its schema.
fn json(ran: &Ran) -> Value {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/wait.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let found: Value = serde_json::from_str(ran.stdout.trim()).unwrap_or_else(|_| panic!("{ran}"));
    if let Err(error) = jsonschema::validate(&schema, &found) {
        panic!("{error}\n{ran}");
    }
    found
}

/// Why the first server of the first target was not ready.
fn kind(found: &Value) -> &str {
    found["targets"][0]["servers"][0]["failure"]["kind"].as_str().unwrap()
}

/// Each is called available, or all are called the same, by other tools.
#[test]
fn seven_servers_that_are_not_ready_and_why() {
    const SOON: &[&str] = &["--connect-timeout", "200ms"];
    const ASKED: &[&str] =
        &["--send", "PING\\r\\n", "--expect", "^+PONG", "--reply-timeout", "200ms"];
    let cases: [(Script, &[&str], &str); 6] = [
        (Outage::Refuse.into(), &[], "refused"),
        (Outage::Blackhole.into(), SOON, "connect-timeout"),
        (Behaviour::Reset.into(), &[], "reset"),
        (Behaviour::Close.into(), &[], "closed-early"),
        (Behaviour::Stall.into(), ASKED, "stalled"),
        (Behaviour::banner("220 mail.example ESMTP\r\n").into(), ASKED, "unexpected-response"),
    ];
    for (server, flags, expected) in cases {
        let lab = Lab::start(server).unwrap();
        let at = address(&lab);
        let words = [&[&*at, "-t", "1", "--json"], flags].concat();
        let ran = wait(&words).run();
        assert_eq!(ran.status, Some(124), "{expected}: {ran}");
        let found = json(&ran);
        assert_eq!((kind(&found), &found["reached"]), (expected, &Value::Bool(false)));

        let told = wait(&[&[&*at, "-t", "1"], flags].concat()).run();
        assert!(told.stderr.contains(&format!("{at}: {expected}")), "{told}");
        assert_eq!(told.stdout, "", "{told}");
    }
    let ran = wait(&["no-such-name.invalid:80", "-t", "1", "--json"]).run();
    assert_eq!((ran.status, kind(&json(&ran))), (Some(124), "dns-not-found"), "{ran}");
}

#[test]
fn the_servers_that_are_ready_are_the_result() {
    let (one, two) =
        (Lab::start(Behaviour::Stall).unwrap(), Lab::start(Behaviour::say("hi")).unwrap());
    let down = Lab::start(Outage::Refuse).unwrap();
    let alternatives = format!("{},{}", address(&down), address(&two));
    let ran = wait(&[&address(&one), &alternatives]).run();
    assert_eq!(ran.status, Some(0), "{ran}");
    assert_eq!(ran.stdout, format!("{}\n{}\n", one.address(), two.address()));
    let first = format!(
        "redial: waiting for 2 targets: {}; {} or {}\n",
        one.address(),
        down.address(),
        two.address()
    );
    assert!(ran.stderr.starts_with(&first), "{ran}");
    let found = json(&wait(&[&address(&one), &alternatives, "--json"]).run());
    assert_eq!((&found["exit"], &found["goal"]), (&0.into(), &"all".into()));
}

#[test]
fn any_and_at_least() {
    let (up, down) = (Lab::start(Behaviour::Stall).unwrap(), Lab::start(Outage::Refuse).unwrap());
    let (up, down) = (address(&up), address(&down));
    assert_eq!(wait(&[&up, &down, "--any"]).run().stdout, format!("{up}\n"));
    assert_eq!(wait(&[&up, &down, "--at-least", "1"]).run().status, Some(0));
    let ran = wait(&[&up, &down, "--at-least", "2", "-t", "200ms"]).run();
    assert_eq!((ran.status, &*ran.stdout), (Some(124), ""), "{ran}");
    let ran = wait(&[&up, &down, "--at-least", "3"]).run();
    assert_eq!(ran.status, Some(125), "{ran}");
}

#[test]
fn once_is_a_health_check() {
    let (up, down) = (Lab::start(Behaviour::Stall).unwrap(), Lab::start(Outage::Refuse).unwrap());
    assert_eq!(wait(&["--once", &address(&up), "-q"]).run().status, Some(0));
    let ran = wait(&["--once", &address(&down), "-q"]).run();
    assert_eq!(ran.status, Some(1), "{ran}");
    assert_eq!(ran.stderr.lines().count(), 1, "the reason, with -q too: {ran}");
    assert!(ran.stderr.contains("refused"), "{ran}");
    let hole = Lab::start(Outage::Blackhole).unwrap();
    assert_eq!(wait(&["--once", &address(&hole), "-t", "100ms"]).run().status, Some(1));
}

#[test]
fn what_cannot_heal_ends_it_at_once() {
    let ran = wait(&["lab:tls-self", "lab:down"]).run();
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.lines().last().unwrap().starts_with("tls-certificate: "), "{ran}");
}

#[test]
fn the_deadline_is_one_for_everything_in_flight() {
    let (hole, down) =
        (Lab::start(Outage::Blackhole).unwrap(), Lab::start(Outage::Refuse).unwrap());
    let (hole, down) = (address(&hole), address(&down));
    let best = (0..3)
        .map(|_| {
            let began = Instant::now();
            assert_eq!(wait(&[&hole, &down, "-t", "400ms", "-q"]).run().status, Some(124));
            began.elapsed()
        })
        .min();
    assert!(best < Some(Duration::from_millis(500)), "{best:?}");
}

#[test]
fn a_clause_of_the_users_stands_in_front() {
    let down = address(&Lab::start(Outage::Refuse).unwrap());
    let ran =
        wait(&[&down, "--except", "refused: retry 2 every 1ms, say '{server}: {failure}', exit 7"])
            .run();
    assert_eq!(ran.status, Some(7), "{ran}");
    assert!(ran.stderr.contains(&format!("{down}: refused")), "{ran}");
}

#[test]
fn else_and_finally_run_once_for_all() {
    let (one, two) = (Lab::start(Behaviour::Stall).unwrap(), Lab::start(Behaviour::Stall).unwrap());
    let words = [&*address(&one), &address(&two), "--else", "say well", "--finally", "say over"];
    let ran = wait(&words).run();
    assert_eq!(ran.status, Some(0), "{ran}");
    assert_eq!(ran.stderr.lines().skip(1).collect::<Vec<_>>(), ["well", "over"], "{ran}");
    let ran = wait(&[&words[..], &["--else", "exit 9", "--", "echo", "never"]].concat()).run();
    assert_eq!((ran.status, &*ran.stdout), (Some(125), ""), "twice --else: {ran}");
    let ran = wait(&[words[0], "--else", "exit 9", "--", "echo", "never"]).run();
    assert_eq!((ran.status, &*ran.stdout), (Some(9), ""), "{ran}");
}

#[test]
fn within_is_one_targets_own_limit() {
    let down = address(&Lab::start(Outage::Refuse).unwrap());
    let ran = wait(&[&format!("{down}#within=100ms"), "-t", "50"]).run();
    assert_eq!(ran.status, Some(124), "{ran}");
}

#[test]
fn two_words_are_a_host_and_a_port() {
    let up = Lab::start(Behaviour::Stall).unwrap();
    let port = up.address().port().to_string();
    let ran = wait(&["127.0.0.1", &port]).run();
    assert_eq!(ran.stdout, format!("127.0.0.1:{port}\n"), "{ran}");
}

#[test]
fn an_interrupt_ends_it() {
    let down = address(&Lab::start(Outage::Blackhole).unwrap());
    for (signal, status) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let mut live = wait(&[&down, "--finally", "say over"]).start();
        // It hears signals before it says its first line.
        let mut stderr = live.child.stderr.take().unwrap();
        stderr.read_exact(&mut [0]).unwrap();
        live.signal(signal);
        let mut told = String::new();
        stderr.read_to_string(&mut told).unwrap();
        assert_eq!(live.end().status, Some(status));
        assert!(told.contains("over"), "{told}");
    }
}

#[test]
fn the_variables_of_docker_compose_wait() {
    let up = address(&Lab::start(Behaviour::Stall).unwrap());
    let lab = Lab::start(Behaviour::Stall).unwrap();
    let (port, down) = (lab.address().port(), up);
    let ran = wait(&[]).env("WAIT_HOSTS", &format!(" 127.0.0.1:{port} ,")).run();
    assert_eq!((ran.status, &*ran.stdout), (Some(0), &*format!("127.0.0.1:{port}\n")), "{ran}");
    assert!(ran.stderr.starts_with("redial: waiting for 1 target (from WAIT_HOSTS): "), "{ran}");

    let ran = wait(&[]).env("WAIT_HOSTS", &down).env("WAIT_TIMEOUT", "1").run();
    assert_eq!(ran.status, Some(124), "{ran}");
    for (name, value) in [("WAIT_TIMEOUT", "10s"), ("WAIT_COMMAND", "./app"), ("WAIT_HOSTS", " , ")]
    {
        let ran = wait(&[]).env("WAIT_HOSTS", &down).env(name, value).run();
        assert_eq!(ran.status, Some(125), "{ran}");
        assert!(ran.stderr.contains(name), "{ran}");
    }
    let ran = wait(&[]).run();
    assert_eq!((ran.status, &*ran.stdout), (Some(125), ""), "nothing is not everything: {ran}");
    let ran = wait(&[&format!("127.0.0.1:{port}")]).env("WAIT_HOSTS", "nowhere.invalid:1").run();
    assert_eq!(ran.status, Some(0), "{ran}");
}

#[test]
fn mistakes_are_its_own_trouble() {
    let cases: [&[&str]; 9] = [
        &["db"],
        &["db:99999"],
        &["db:1", "--settle", "soon"],
        &["db:1", "--any", "--at-least", "1"],
        &["db:1", "--gone", "--expect", "x"],
        &["db:1", "--no-such-flag"],
        &["db:1", "--window", "750"],
        &["refused: retry 3", "db:1"],
        &["lab:nowhere", "--", "echo", "never"],
    ];
    for words in cases {
        let ran = wait(words).run();
        assert_eq!((ran.status, &*ran.stdout), (Some(125), ""), "{ran}");
        assert!(ran.stderr.lines().any(|line| line.starts_with("redial: ")), "{ran}");
    }
    assert_eq!(wait(&["--help"]).run().status, Some(0));
}

//! The lesson, row by row: what each of its lines does, against real sockets.
//!
//! One test for each row of the table in `docs/lesson.md`, in its order. The sentences are the
//! lesson's own.

#![allow(clippy::unwrap_used)] // they are tests

mod support;

use std::{fs, time::Duration};

use redial_lab::{Behaviour, LESSON, Lab, Outage, Script};
use support::{Ran, redial};

const REFUSED: &str = "The server is not accepting our connection request!";
const ONLY_IF: &str = "This sentence will only print if the except block was not executed.";

/// `connect` with these words and nothing on standard input.
fn connect<'a>(words: impl IntoIterator<Item = &'a str>) -> Ran {
    redial(["connect"].into_iter().chain(words)).no_input().run()
}

/// A server that refuses for a moment and then says its sentence.
fn late() -> Lab {
    let moment = Outage::Refuse.lasting(Duration::from_millis(400));
    Lab::start(Script::new([moment, Behaviour::say(LESSON).forever()])).unwrap()
}

#[test]
fn try_connect_receive_close_print() {
    let lab = Lab::start(Behaviour::say(LESSON)).unwrap();
    let ran = connect([&*lab.address().to_string(), "--receive", "1024"]);
    assert_eq!((ran.status, &*ran.stdout, &*ran.stderr), (Some(0), LESSON, ""), "{ran}");
}

#[test]
fn receive_ends_at_so_many_bytes_and_the_rest_is_left() {
    // The server stays: only the count can end this, and at once.
    let lab = Lab::start(Behaviour::banner(LESSON)).unwrap();
    let ran = connect([&*lab.address().to_string(), "--receive", "5"]);
    assert_eq!((ran.status, &*ran.stdout), (Some(0), "Hello"), "{ran}");
}

#[test]
fn receive_ends_a_moment_after_the_last_byte() {
    let lab = Lab::start(Behaviour::banner(LESSON)).unwrap();
    let ran = connect([&*lab.address().to_string(), "--receive", "1024"]);
    assert_eq!((ran.status, &*ran.stdout), (Some(0), LESSON), "{ran}");
}

#[test]
fn except_connection_refused_prints_its_sentence_and_exits_1() {
    let lab = Lab::start(Outage::Refuse).unwrap();
    let clause = format!("ConnectionRefusedError: say \"{REFUSED}\", exit 1");
    let ran = connect([&*lab.address().to_string(), "--except", &clause]);
    // Nothing but the sentence: the clause has handled it, so there is no traceback.
    assert_eq!((ran.status, &*ran.stdout), (Some(1), ""), "{ran}");
    assert_eq!(ran.stderr, format!("{REFUSED}\n"), "{ran}");
}

#[test]
fn the_rest_of_the_program_does_not_run_when_an_except_did() {
    let lab = Lab::start(Outage::Refuse).unwrap();
    let address = lab.address().to_string();
    let (otherwise, clause) = (format!("say \"{ONLY_IF}\""), format!("refused: say \"{REFUSED}\""));
    let ran = connect([&*address, "--except", &clause, "--else", &otherwise]);
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains(REFUSED) && !ran.stderr.contains(ONLY_IF), "{ran}");
}

#[test]
fn the_first_clause_that_matches_is_the_only_one() {
    let lab = Lab::start(Outage::Refuse).unwrap();
    let clauses = "reset: say \"one\"; refused: say \"two\", exit 7; OSError: say \"three\"";
    let ran = connect([&*lab.address().to_string(), "--except", clauses]);
    assert_eq!((ran.status, &*ran.stderr), (Some(7), "two\n"), "{ran}");
}

#[test]
fn else_runs_once_and_after_what_was_received() {
    let lab = Lab::start(Behaviour::say(LESSON)).unwrap();
    let otherwise = format!("say \"{ONLY_IF}\"");
    // Both on one stream, so that their order shows: what was received, then the sentence.
    let log = tempfile::NamedTempFile::new().unwrap();
    let script = r#"exec "$0" connect "$1" --else "$2" </dev/null >>"$3" 2>&1"#;
    let status = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_redial"), &lab.address().to_string(), &otherwise])
        .arg(log.path())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(fs::read_to_string(log.path()).unwrap(), format!("{LESSON}{ONLY_IF}\n"));
}

#[test]
fn no_matching_clause_stops_with_a_traceback_and_exit_1() {
    let lab = Lab::start(Outage::Refuse).unwrap();
    let address = lab.address().to_string();
    let ran = connect([&*address, "--except", "PermissionError: exit 0", "--else", "say no"]);
    assert_eq!(ran.status, Some(1), "{ran}");
    let lines: Vec<&str> = ran.stderr.lines().collect();
    let [headline, row, closing] = lines[..] else { panic!("{ran}") };
    assert!(headline.starts_with(&format!("redial: could not connect: {address} (1 attempt, ")));
    assert!(row.starts_with(&format!("  1  {address}  refused  ")), "{ran}");
    assert!(row.ends_with("  not handled"), "{ran}");
    assert!(closing.starts_with(&format!("refused: {address}: nothing listens there")), "{ran}");
}

#[test]
fn reconnect_an_arbitrary_number_of_times_until_the_server_is_there() {
    for clause in ["refused: retry 10 every 50ms", "refused: retry forever every 50ms"] {
        let lab = late();
        let ran = connect([&*lab.address().to_string(), "--except", clause]);
        assert_eq!((ran.status, &*ran.stdout), (Some(0), LESSON), "{ran}");
        assert_eq!(lab.seen().totals.connections, 1);
        // Changes of state are told, and each only once.
        assert_eq!(ran.stderr.matches("refused; retry 1").count(), 1, "{ran}");
        assert_eq!(ran.stderr.matches("connected").count(), 1, "{ran}");
        assert_eq!(ran.stderr.lines().count(), 2, "{ran}");
    }
}

#[test]
fn retry_10_is_at_most_11_attempts() {
    let lab = Lab::start(Outage::Refuse).unwrap();
    let ran = connect([&*lab.address().to_string(), "--except", "refused: retry 10 every 1ms"]);
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("(11 attempts, "), "{ran}");
    assert!(ran.stderr.contains("refused: retry 10 of 10 in 1.0ms"), "{ran}");
    assert!(ran.stderr.contains("\n  11  "), "{ran}");
}

#[test]
fn perform_diagnostics() {
    let lab = Lab::start(Outage::Refuse).unwrap();
    let address = lab.address().to_string();
    let ran = connect([&*address, "--except", "refused: diagnose, exit 1"]);
    assert_eq!(ran.status, Some(1), "{ran}");
    let said = format!("redial: diagnosis: refused: {address}: nothing listens there");
    assert!(ran.stderr.contains(&said), "{ran}");
    assert!(ran.stderr.contains(&format!("  {address}  refused  ")), "{ran}");
}

#[test]
fn connect_to_another_server() {
    let (down, up) =
        (Lab::start(Outage::Refuse).unwrap(), Lab::start(Behaviour::say(LESSON)).unwrap());
    let servers = [down.address().to_string(), up.address().to_string()];
    for words in [vec!["--except", "refused: next"], vec![]] {
        let ran = connect(servers.iter().map(String::as_str).chain(words));
        assert_eq!((ran.status, &*ran.stdout), (Some(0), LESSON), "{ran}");
        assert!(ran.stderr.contains(&format!("refused; next: {}", servers[1])), "{ran}");
    }
    assert_eq!(up.seen().totals.connections, 2);
}

#[test]
fn take_some_other_action() {
    let lab = Lab::start(Outage::Refuse).unwrap();
    let address = lab.address().to_string();
    let ran = connect([&*address, "--except", "refused: run env, exit 3"]);
    // A command's words are no result: standard output stays clean.
    assert_eq!((ran.status, &*ran.stdout), (Some(3), ""), "{ran}");
    for fact in [
        "REDIAL_FAILURE=refused".to_owned(),
        "REDIAL_STAGE=connect".to_owned(),
        "REDIAL_ERRNO=ECONNREFUSED".to_owned(),
        "REDIAL_ATTEMPT=1".to_owned(),
        "REDIAL_SENT=0".to_owned(),
        "REDIAL_DELIVERY=unsent".to_owned(),
        "REDIAL_LASTING=0".to_owned(),
        format!("REDIAL_SERVER={address}"),
        format!("REDIAL_ADDRESS={address}"),
    ] {
        assert!(ran.stderr.lines().any(|line| line == fact), "no {fact} in {ran}");
    }
}

#[test]
fn an_action_is_never_given_to_a_shell() {
    let lab = Lab::start(Outage::Refuse).unwrap();
    let clause = "refused: run printf '<%s>' '$HOME; echo hi' \"* `id`\" {server} a|b, exit 3";
    let ran = connect([&*lab.address().to_string(), "--except", clause]);
    assert_eq!(ran.stderr, "<$HOME; echo hi><* `id`><{server}><a|b>", "{ran}");
}

#[test]
fn the_names_of_pythons_exceptions() {
    for (server, name) in [
        (Lab::start(Outage::Refuse), "ConnectionRefusedError"),
        (Lab::start(Outage::Refuse), "ConnectionError"),
        (Lab::start(Outage::Refuse), "OSError"),
        (Lab::start(Outage::Blackhole), "TimeoutError"),
        (Lab::start(Outage::Blackhole), "socket.timeout"),
        (Lab::start(Behaviour::Reset), "ConnectionResetError"),
    ] {
        let lab = server.unwrap();
        let clause = format!("{name}: exit 9");
        let address = lab.address().to_string();
        let ran = connect([&*address, "--connect-timeout", "0.2", "--except", &clause]);
        assert_eq!((ran.status, &*ran.stderr), (Some(9), ""), "{name}: {ran}");
    }
    for (name, server) in
        [("gaierror", "nonexistent.invalid:80"), ("socket.gaierror", "nonexistent.invalid:80")]
    {
        let ran = connect([server, "--except", &format!("{name}: exit 9")]);
        assert_eq!((ran.status, &*ran.stderr), (Some(9), ""), "{name}: {ran}");
    }
    let lab = Lab::start(Behaviour::Close.over_tls(redial_lab::Certificate::Expired)).unwrap();
    let ca = tempfile::NamedTempFile::new().unwrap();
    fs::write(ca.path(), lab.ca_pem().unwrap()).unwrap();
    for name in ["ssl.SSLCertVerificationError", "SSLError"] {
        let (address, clause) = (format!("tls://{}", lab.address()), format!("{name}: exit 9"));
        let ran = connect([&*address, "--ca", ca.path().to_str().unwrap(), "--except", &clause]);
        assert_eq!((ran.status, &*ran.stderr), (Some(9), ""), "{name}: {ran}");
    }
}

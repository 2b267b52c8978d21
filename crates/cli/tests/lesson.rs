//! The lesson, line by line: a test for each row of the table in `docs/lesson.md`, on real sockets.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::{fs, process::Command, time::Duration};

use redial_lab::{Behaviour, Certificate, Lab, Outage, Script};
use support::{Ran, redial};

/// What the lesson's client prints when it is refused.
const SENTENCE: &str = "The server is not accepting our connection request!";
/// What it prints when nothing went wrong.
const LAST_LINE: &str = "This sentence will only print if the except block was not executed.";

const SAYS: &[u8] = b"Welcome to the lesson.\n";

fn server() -> (Lab, String) {
    started(Behaviour::say(SAYS))
}

fn started(script: impl Into<Script>) -> (Lab, String) {
    let lab = Lab::start(script).unwrap();
    let address = lab.address().to_string();
    (lab, address)
}

fn connect(words: &[&str]) -> Ran {
    redial(std::iter::once("connect").chain(words.iter().copied())).silent().run()
}

#[test]
fn try_connect_receive_up_to_n_bytes_close_print_decoded() {
    let (_lab, address) = server();
    let whole = connect(&[&address, "--receive", "1024"]);
    assert_eq!((whole.stdout.as_bytes(), whole.stderr.as_str(), whole.status), (SAYS, "", Some(0)));
    let cut = connect(&[&address, "--receive", "7"]);
    assert_eq!((cut.stdout.as_str(), cut.status), ("Welcome", Some(0)));
}

#[test]
fn receive_ends_shortly_after_the_last_byte_of_a_server_that_stays() {
    let (_lab, address) = started(Behaviour::banner(SAYS));
    let ran = connect(&[&address, "--receive", "1024"]);
    assert_eq!((ran.stdout.as_bytes(), ran.status), (SAYS, Some(0)));
}

#[test]
fn a_matching_except_runs_and_the_rest_of_the_program_does_not() {
    let (_lab, address) = started(Outage::Refuse);
    let clause = format!("ConnectionRefusedError: say \"{SENTENCE}\", exit 1");
    let ran = connect(&[&address, "--except", &clause, "--else", &format!("say \"{LAST_LINE}\"")]);
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str(), ran.status),
        ("", format!("{SENTENCE}\n").as_str(), Some(1))
    );
}

#[test]
fn the_last_line_prints_only_if_no_except_ran() {
    let (_lab, address) = server();
    let clause = format!("ConnectionRefusedError: say \"{SENTENCE}\", exit 1");
    let ran = connect(&[&address, "--except", &clause, "--else", &format!("say \"{LAST_LINE}\"")]);
    assert_eq!(
        (ran.stdout.as_bytes(), ran.stderr.as_str(), ran.status),
        (SAYS, format!("{LAST_LINE}\n").as_str(), Some(0))
    );
}

#[test]
fn no_matching_clause_stops_with_a_traceback_and_exit_1() {
    let (_lab, address) = started(Outage::Refuse);
    let ran = connect(&[&address, "--except", "PermissionError: exit 7", "--else", "say 'never'"]);
    assert_eq!((ran.stdout.as_str(), ran.status), ("", Some(1)));
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert!(
        lines[0].starts_with(&format!("redial: could not connect: {address} (1 attempt, ")),
        "{ran}"
    );
    assert!(lines[1].contains("refused") && lines[1].ends_with("not handled"), "{ran}");
    assert!(
        lines[2].starts_with("refused: ") && lines[2].contains("nothing listens there"),
        "{ran}"
    );
    assert_eq!(lines.len(), 3, "{ran}");
}

#[test]
fn exit_1_with_a_printed_sentence_needs_no_traceback() {
    let (_lab, address) = started(Outage::Refuse);
    for name in [
        "ConnectionRefusedError",
        "refused",
        "OSError",
        "socket.ConnectionError",
        "ECONNREFUSED",
        "transient",
    ] {
        let ran = connect(&[&address, "--except", &format!("{name}: say \"{SENTENCE}\", exit 1")]);
        assert_eq!(
            (ran.stderr.as_str(), ran.status),
            (format!("{SENTENCE}\n").as_str(), Some(1)),
            "{name}"
        );
    }
}

#[test]
fn reconnect_an_arbitrary_number_of_times() {
    let late = || {
        Script::new([
            Outage::Refuse.lasting(Duration::from_millis(300)),
            Behaviour::say(SAYS).forever(),
        ])
    };
    for clause in ["refused: retry 10 every 50ms", "refused: retry forever every 50ms"] {
        let (_lab, address) = started(late());
        let ran = connect(&[&address, "--except", clause]);
        assert_eq!((ran.stdout.as_bytes(), ran.status), (SAYS, Some(0)), "{clause}: {ran}");
    }
    // The pause of `retry 10` alone begins at 250 ms.
    let (_lab, address) = started(late());
    let ran = connect(&[&address, "--retry", "10"]);
    assert_eq!((ran.stdout.as_bytes(), ran.status), (SAYS, Some(0)), "{ran}");
}

#[test]
fn retry_10_is_at_most_11_attempts() {
    let (lab, address) = started(Behaviour::Reset);
    let ran = connect(&[&address, "--except", "reset: retry 10 every 1ms"]);
    assert_eq!(ran.status, Some(1));
    assert_eq!(lab.seen().totals.connections, 11, "{ran}");
    assert!(ran.stderr.contains("retry 10 of 10"), "{ran}");
}

#[test]
fn perform_diagnostics() {
    let (_lab, address) = started(Outage::Refuse);
    let ran =
        connect(&[&address, "--except", "refused: diagnose, say \"because {cause}\", exit 3"]);
    assert_eq!(ran.status, Some(3));
    assert!(
        ran.stderr
            .contains(&format!("redial: diagnosis: refused: {address}: nothing listens there")),
        "{ran}"
    );
    assert!(ran.stderr.contains(&format!("redial:   {address}  refused  ")), "{ran}");
    assert!(ran.stderr.contains("because refused: "), "{ran}");
}

#[test]
fn connect_to_another_server() {
    let ((_down, first), (_up, second)) = (started(Outage::Refuse), server());
    let by_clause = connect(&[&first, &second, "--except", "refused: next"]);
    assert_eq!((by_clause.stdout.as_bytes(), by_clause.status), (SAYS, Some(0)), "{by_clause}");
    let by_itself = connect(&[&format!("{first},{second}")]);
    assert_eq!((by_itself.stdout.as_bytes(), by_itself.status), (SAYS, Some(0)), "{by_itself}");
}

#[test]
fn take_some_other_action() {
    let (_lab, address) = started(Outage::Refuse);
    let script =
        "printf '%s|' \"$REDIAL_FAILURE\" \"$REDIAL_SERVER\" \"$REDIAL_ATTEMPT\" \"$1\"; cat";
    let clause = format!(
        "refused: run /bin/sh -c '{}' name '$HOME; rm *', exit 4",
        script.replace('\'', "\\'")
    );
    let ran = connect(&[&address, "--except", &clause]);
    // One argument is one argument, its output stands on standard error, its input is empty.
    assert_eq!((ran.stdout.as_str(), ran.status), ("", Some(4)), "{ran}");
    assert_eq!(ran.stderr, format!("refused|{address}|1|$HOME; rm *|"), "{ran}");
}

#[test]
fn the_practice_servers_of_the_lesson_say_that_they_are_that() {
    for (name, status) in [("lab:lesson", 0), ("lab:down", 1)] {
        let ran = connect(&[name, "-q"]);
        assert_eq!(ran.status, Some(status));
        assert!(
            ran.stderr
                .starts_with(&format!("redial: {name} is a practice server inside this process")),
            "{ran}"
        );
    }
}

#[test]
fn receive_ends_at_n_bytes_of_a_server_that_stays() {
    let (_lab, address) = started(Behaviour::banner(SAYS));
    let ran = connect(&[&address, "--receive", "7"]);
    assert_eq!((ran.stdout.as_str(), ran.status), ("Welcome", Some(0)), "{ran}");
}

#[test]
fn the_first_clause_that_matches_is_the_only_one() {
    let (_lab, address) = started(Outage::Refuse);
    let clauses = "reset: say \"one\"; refused: say \"two\", exit 7; OSError: say \"three\"";
    let ran = connect(&[&address, "--except", clauses]);
    assert_eq!((ran.stderr.as_str(), ran.status), ("two\n", Some(7)), "{ran}");
}

#[test]
fn the_last_line_comes_after_what_was_received() {
    let (_lab, address) = server();
    // Both on one stream, so that their order shows.
    let log = tempfile::NamedTempFile::new().unwrap();
    let script = r#"exec "$0" connect "$1" --else "say '$2'" </dev/null >>"$3" 2>&1"#;
    let words = ["-c", script, env!("CARGO_BIN_EXE_redial"), &address, LAST_LINE];
    assert_eq!(Command::new("sh").args(words).arg(log.path()).status().unwrap().code(), Some(0));
    let said = fs::read(log.path()).unwrap();
    assert_eq!(said, [SAYS, LAST_LINE.as_bytes(), b"\n"].concat());
}

#[test]
fn what_goes_on_is_told_when_it_changes_and_not_at_every_attempt() {
    let late = Outage::Refuse.lasting(Duration::from_millis(300));
    let (_lab, address) = started(Script::new([late, Behaviour::say(SAYS).forever()]));
    let ran = connect(&[&address, "--except", "refused: retry forever every 20ms"]);
    let [trouble, end] = ran.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{ran}") };
    assert_eq!(trouble, format!("redial: {address}: refused at attempt 1; retry 1 in 20ms"));
    assert!(end.starts_with(&format!("redial: {address}: connected ({address}) at attempt ")));
}

#[test]
fn an_action_knows_every_fact() {
    let (_lab, address) = started(Outage::Refuse);
    let ran = connect(&[&address, "--except", "refused: run env, exit 3"]);
    for fact in [
        "REDIAL_FAILURE=refused".to_owned(),
        "REDIAL_STAGE=connect".to_owned(),
        "REDIAL_ERRNO=ECONNREFUSED".to_owned(),
        "REDIAL_ATTEMPT=1".to_owned(),
        "REDIAL_SENT=0".to_owned(),
        "REDIAL_RECEIVED=0".to_owned(),
        "REDIAL_DELIVERY=unsent".to_owned(),
        "REDIAL_LASTING=0".to_owned(),
        format!("REDIAL_SERVER={address}"),
        format!("REDIAL_ADDRESS={address}"),
    ] {
        assert!(ran.stderr.lines().any(|line| line == fact), "no {fact} in {ran}");
    }
}

#[test]
fn pythons_exceptions_catch_what_python_raises_them_for() {
    let expired = Behaviour::Close.over_tls(Certificate::Expired);
    let servers = [
        (
            Script::from(Outage::Refuse),
            &["ConnectionRefusedError", "ConnectionError", "OSError"][..],
        ),
        (Outage::Blackhole.into(), &["TimeoutError", "socket.timeout"]),
        (Behaviour::Reset.into(), &["ConnectionResetError", "ConnectionError"]),
        (expired.into(), &["ssl.SSLCertVerificationError", "SSLError"]),
    ];
    let directory = tempfile::tempdir().unwrap();
    for (script, names) in servers {
        let (lab, address) = started(script);
        let mut words = vec!["--connect-timeout", "0.2"];
        let (ca, tls) = (directory.path().join("ca.pem"), format!("tls://{address}"));
        if let Some(pem) = lab.ca_pem() {
            fs::write(&ca, pem).unwrap();
            words.extend([&tls, "--ca", ca.to_str().unwrap()]);
        } else {
            words.push(&address);
        }
        for name in names {
            caught(name, &words);
        }
    }
    caught("gaierror", &["nonexistent.invalid:80"]);
    caught("socket.gaierror", &["nonexistent.invalid:80"]);
}

fn caught(name: &str, words: &[&str]) {
    let clause = format!("{name}: exit 9");
    let ran = connect(&[words, &["--except", &clause]].concat());
    assert_eq!((ran.stderr.as_str(), ran.status), ("", Some(9)), "{name}: {ran}");
}

//! Nothing that a server says is obeyed by a terminal, unless asked for.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::{
    fs::File,
    io::Read,
    os::fd::OwnedFd,
    process::{Command, Stdio},
    time::Duration,
};

use redial_lab::{Behaviour, LESSON, Lab};
use support::{redial, terminal};

/// Clears the screen, sets a title, and asks the terminal to type.
const HOSTILE: &str = "\x1b[2J\x1b]0;owned\x07\u{9b}6n\x08ok\r\n";

/// What was shown, once no program holds the terminal.
fn shown(glass: OwnedFd) -> String {
    let mut bytes = Vec::new();
    // The end of a terminal is an error: EIO.
    let _ = File::from(glass).read_to_end(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

fn on_a_terminal(server: Behaviour, flags: &[&str]) -> (Option<i32>, String) {
    let lab = Lab::start(server).unwrap();
    let address = lab.address().to_string();
    let (glass, line) = terminal();
    let words = [&*address].into_iter().chain(flags.iter().copied());
    let ran = redial(words).silent().stdout(line).run();
    (ran.status, shown(glass))
}

#[test]
fn control_characters_are_shown_and_not_obeyed() {
    // Whole, and in pieces that are harmless one by one.
    for server in [Behaviour::say(HOSTILE), Behaviour::drip(HOSTILE, Duration::from_millis(5))] {
        let (status, shown) = on_a_terminal(server, &[]);
        assert_eq!(status, Some(0));
        assert_eq!(shown, "\\x1b[2J\\x1b]0;owned\\x07\\xc2\\x9b6n\\x08ok\r\r\n");
    }
}

#[test]
fn raw_lets_the_terminal_obey() {
    let (status, shown) = on_a_terminal(Behaviour::say(HOSTILE), &["--raw"]);
    assert_eq!((status, shown), (Some(0), HOSTILE.replace('\n', "\r\n")));
}

#[test]
fn a_pipe_gets_the_bytes_as_they_are() {
    let lab = Lab::start(Behaviour::say(HOSTILE)).unwrap();
    let ran = redial([&*lab.address().to_string()]).silent().run();
    assert_eq!(ran.bytes, HOSTILE.as_bytes());
}

#[test]
fn what_a_failure_quotes_is_escaped_wherever_it_goes() {
    let lab = Lab::start(Behaviour::banner(HOSTILE)).unwrap();
    let address = lab.address().to_string();
    let say = "unexpected-response: say '{failure}', run env, diagnose, stop";
    for volume in ["-v", "-q", "--json"] {
        let words = [&*address, "--expect", "^220 ", "--except", say, volume];
        let ran = redial(words).silent().run();
        assert_eq!(ran.status, Some(1), "{ran}");
        assert!(ran.stderr.contains("\\x1b[2J"), "{ran}");
        let obeyed = |c: char| c.is_control() && c != '\n';
        assert!(!ran.stderr.contains(obeyed), "{:?}", ran.stderr);
    }
}

#[test]
fn nor_do_the_users_own_words_reach_it_raw() {
    let lab = Lab::start(Behaviour::banner("hello")).unwrap();
    let server = format!("redis://na\x1bme:pass\x1bword@{}/\x1b", lab.address());
    for words in
        [&[&*server, "--expect", "^no"][..], &["no\x1bserver"], &["h:1", "--except", "\x1b: stop"]]
    {
        let ran = redial(words.iter().copied()).silent().run();
        assert_ne!(ran.status, Some(0), "{ran}");
        assert!(!ran.stderr.contains('\x1b') && !ran.stderr.contains("pass"), "{:?}", ran.stderr);
    }
}

#[test]
fn at_a_terminal_the_servers_end_is_the_end() {
    // Nobody types: what is not a terminal would be read to its end.
    let lab = Lab::start(Behaviour::say(LESSON)).unwrap();
    let (_glass, line) = terminal();
    let ran = redial([&*lab.address().to_string()]).stdin(line).run();
    assert_eq!((ran.status, &*ran.stdout, &*ran.stderr), (Some(0), LESSON, ""), "{ran}");
}

/// A rehearsal says how far it is where somebody looks, and leaves nothing behind it.
#[test]
fn a_long_rehearsal_has_a_live_line_that_goes() {
    let (glass, line) = terminal();
    let words = ["rehearse", "wait-for-it", "--clients", "20k", "--outage", "5m", "-q"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_redial"));
    command.env_clear().env("TERM", "xterm").args(words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(line);
    let run = command.spawn().unwrap();
    // Or this process would hold the terminal.
    drop(command);
    let shown = shown(glass);
    let ran = run.wait_with_output().unwrap();
    assert!(ran.status.success());
    assert!(ran.stdout.starts_with(b"wait-for-it: recovers"));
    assert!(shown.contains("of 20,000 connected, "), "{shown:?}");
    let left = shown.rsplit("\x1b[J").next().unwrap();
    assert_eq!(left.trim(), "", "{shown:?}");
}

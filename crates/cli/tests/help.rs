//! `redial help`, as it is run: every topic, on standard output, with status 0.

mod support;

use support::{Ran, redial};

fn shown(words: &[&str]) -> Ran {
    let ran = redial(words.iter().copied()).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran}");
    ran
}

#[test]
fn the_overview() {
    let overview = shown(&[]);
    assert!(overview.stdout.lines().count() < 25);
    assert_eq!(shown(&["--help"]).stdout, overview.stdout);
    assert_eq!(shown(&["-h"]).stdout, overview.stdout);
    assert_eq!(shown(&["help"]).stdout, overview.stdout);
    insta::assert_snapshot!(overview);
}

#[test]
fn topics() {
    let topics = ["kinds", "exit", "lab", "scenarios", "environment", "policy"];
    let text: Vec<String> =
        topics.iter().map(|topic| shown(&["help", topic]).to_string()).collect();
    insta::assert_snapshot!(text.join("\n"));
    assert!(shown(&["help", "clauses"]).stdout.starts_with("CLAUSES\n"));
}

#[test]
fn kinds_and_families_by_any_name() {
    let names = ["refused", "ECONNRESET", "socket.timeout", "transient", "deadline"];
    let text: Vec<String> = names.iter().map(|name| shown(&["help", name]).to_string()).collect();
    insta::assert_snapshot!(text.join("\n"));
}

/// A scenario by name is its file, another tool what it does.
#[test]
fn scenarios_and_tools_by_name() {
    let text = ["herd", "grpc"].map(|name| shown(&["help", name]).to_string());
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn dangers_by_name() {
    insta::assert_snapshot!(shown(&["help", "no-jitter"]));
    insta::assert_snapshot!(shown(&["help", "cap-too-low"]));
}

#[test]
fn a_verb_by_name_is_its_help() {
    for verb in ["connect", "check", "rehearse", "serve"] {
        let help = shown(&["help", verb]);
        assert_eq!(help.stdout, shown(&[verb, "--help"]).stdout);
        assert!(help.stdout.contains(&format!("Usage: redial {verb}")), "{help}");
    }
}

#[test]
fn the_version() {
    let version = format!("redial {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(shown(&["--version"]).stdout, version);
    assert_eq!(shown(&["-V"]).stdout, version);
}

/// The sample policy is saved as its first lines say, and checked.
#[test]
fn the_sample_policy_is_clean() {
    let sample = shown(&["help", "policy"]).stdout;
    let ran = redial(["check", "-", "--strict"]).input(sample).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran}");
}

/// `redial help | head -1`: the reader left, and that is no failure.
#[test]
fn a_reader_that_leaves_is_no_failure() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_redial"))
        .args(["help", "clauses"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
}

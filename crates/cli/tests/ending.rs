//! Ends that come from this side: time limits, Ctrl-C, and being told to stop.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::{
    io::{BufRead, BufReader, Read},
    process::ChildStderr,
    time::{Duration, Instant},
};

use redial_lab::{Behaviour, LESSON, Lab, Outage, Script};
use rustix::process::Signal;
use support::{Live, Ran, redial};

/// For what happens at once, on any machine.
const SOON: Duration = Duration::from_secs(20);

fn run(script: impl Into<Script>, flags: &[&str]) -> (Ran, Duration) {
    let lab = Lab::start(script).unwrap();
    let address = lab.address().to_string();
    let words = ["connect", &*address].into_iter().chain(flags.iter().copied());
    let begun = Instant::now();
    (redial(words).silent().run(), begun.elapsed())
}

#[test]
fn a_connection_that_carries_nothing_for_too_long_has_stalled() {
    let (ran, _) = run(Behaviour::stall_after("so far"), &["--idle-timeout", "200ms"]);
    assert_eq!((ran.status, &*ran.stdout), (Some(1), "so far"), "{ran}");
    assert!(ran.stderr.contains("sent nothing in time (nothing moved for 200ms)"), "{ran}");
    // Slow is not idle.
    let drip = Behaviour::drip("slow but sure", Duration::from_millis(50));
    let (ran, _) = run(drip, &["--idle-timeout", "600ms"]);
    assert_eq!((ran.status, &*ran.stdout), (Some(0), "slow but sure"), "{ran}");
}

#[test]
fn max_time_ends_even_a_connection_that_is_busy() {
    let drip = Behaviour::drip(vec![b'.'; 10_000], Duration::from_millis(20));
    let (ran, took) = run(drip, &["--max-time", "300ms"]);
    assert_eq!(ran.status, Some(124), "{ran}");
    assert!(
        ran.stderr.contains("deadline: the time allowed has passed (--max-time 300ms)"),
        "{ran}"
    );
    assert!(!ran.stdout.is_empty() && took >= Duration::from_millis(300), "{ran}");
}

#[test]
fn the_deadline_bounds_the_time_without_a_connection() {
    for (script, flags) in [
        (Outage::Refuse, &["--retry", "forever"][..]),
        (Outage::Refuse, &["--except", "refused: retry 1 every 1h"]),
        (Outage::Blackhole, &[]),
        (Outage::Blackhole, &["--retry", "forever", "--connect-timeout", "50ms"]),
    ] {
        let flags = [&["--deadline", "400ms"], flags].concat();
        let (ran, took) = run(script, &flags);
        assert_eq!(ran.status, Some(124), "{ran}");
        assert!(ran.stderr.contains("gave up in time"), "{ran}");
        assert!(took >= Duration::from_millis(400) && took < SOON, "{took:?}: {ran}");
    }
}

#[test]
fn the_deadline_is_not_for_a_connection_that_stands() {
    let drip = Behaviour::drip(LESSON, Duration::from_millis(20));
    let (ran, took) = run(drip, &["-t", "0.3"]);
    assert_eq!((ran.status, &*ran.stdout), (Some(0), LESSON), "{ran}");
    assert!(took > Duration::from_millis(300), "too quick to show anything");
}

#[test]
fn a_clause_may_name_the_deadline() {
    let flags = ["-t", "0.1", "--retry", "forever", "--except", "deadline: say \"late\", exit 4"];
    let (ran, _) = run(Outage::Refuse, &flags);
    assert_eq!(ran.status, Some(4), "{ran}");
    assert!(ran.stderr.ends_with("late\n"), "{ran}");
}

/// Moments in the life of a session, each reached when this returns.
fn moments() -> Vec<(&'static str, Lab, Live)> {
    let start = |script: Script, flags: &[&str]| {
        let lab = Lab::start(script).unwrap();
        let address = lab.address().to_string();
        let words = ["-v", "--finally", "say \"the end\"", &*address];
        let live = redial(words.into_iter().chain(flags.iter().copied())).silent().start();
        (lab, live)
    };
    let until = |live: &mut Live, words: &str| {
        let said = said_until(live.child.stderr.take().unwrap(), words);
        live.child.stderr = Some(said.into_inner());
    };
    let (lab, mut live) = start(Outage::Blackhole.into(), &[]);
    until(&mut live, "attempt 1");
    let dialling = ("dialling", lab, live);
    let (lab, mut live) = start(Outage::Refuse.into(), &["--except", "refused: retry 1 every 1h"]);
    until(&mut live, "retry 1 of 1");
    let pausing = ("pausing", lab, live);
    let (lab, mut live) =
        start(Behaviour::Stall.into(), &["--expect", "never", "--reply-timeout", "1h"]);
    assert!(lab.wait_for_connections(1, SOON));
    until(&mut live, "attempt 1");
    let expecting = ("expecting", lab, live);
    let (lab, mut live) = start(Behaviour::banner(LESSON).into(), &[]);
    live.stdout.as_mut().unwrap().read_exact(&mut [0; LESSON.len()]).unwrap();
    let connected = ("connected", lab, live);
    let flags = ["--except", "refused: run sh -c 'echo running; exec sleep 60'"];
    let (lab, mut live) = start(Outage::Refuse.into(), &flags);
    until(&mut live, "running");
    vec![dialling, pausing, expecting, connected, ("running a command", lab, live)]
}

/// Reads what is said until a line holds these words.
fn said_until(stderr: ChildStderr, words: &str) -> BufReader<ChildStderr> {
    let mut stderr = BufReader::with_capacity(1, stderr);
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "it never said {words:?}");
    }
    stderr
}

#[test]
fn told_to_stop_at_any_moment_it_runs_finally_and_says_so_with_its_status() {
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        for (moment, _lab, live) in moments() {
            let begun = Instant::now();
            live.signal(signal);
            let ran = live.end();
            assert_eq!(ran.status, Some(status), "{moment}: {ran}");
            assert_eq!(ran.stderr.matches("the end\n").count(), 1, "{moment}: {ran}");
            assert!(!ran.stderr.contains("could not connect"), "{moment}: {ran}");
            assert!(begun.elapsed() < SOON, "{moment}: it took {:?}", begun.elapsed());
        }
    }
}

#[test]
fn the_second_ctrl_c_leaves_at_once() {
    let lab = Lab::start(Behaviour::banner(LESSON)).unwrap();
    let finally = "run sh -c 'echo cleaning up; exec sleep 60'";
    let mut live = redial([&*lab.address().to_string(), "--finally", finally]).silent().start();
    live.stdout.as_mut().unwrap().read_exact(&mut [0; LESSON.len()]).unwrap();
    live.signal(Signal::INT);
    let mut stderr = said_until(live.child.stderr.take().unwrap(), "cleaning up");
    let begun = Instant::now();
    live.signal(Signal::INT);
    assert_eq!(live.end().status, Some(130));
    // The command held standard error open too: its end is here when it has been killed.
    stderr.read_to_end(&mut Vec::new()).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_clause_may_name_the_interrupt() {
    let lab = Lab::start(Behaviour::banner(LESSON)).unwrap();
    let address = lab.address().to_string();
    let steps = ["--except", "KeyboardInterrupt: say \"bye\", exit 0", "--else", "say no"];
    let mut live = redial([&*address].into_iter().chain(steps)).silent().start();
    live.stdout.as_mut().unwrap().read_exact(&mut [0; LESSON.len()]).unwrap();
    live.signal(Signal::INT);
    let ran = live.end();
    assert_eq!((ran.status, &*ran.stderr), (Some(0), "bye\n"), "{ran}");
}

#[test]
fn a_command_that_takes_too_long_ends_with_its_children_at_the_deadline() {
    let flags = ["-t", "300ms", "--except", "refused: run sh -c 'sleep 60 & sleep 60'"];
    let (ran, took) = run(Outage::Refuse, &flags);
    assert_eq!(ran.status, Some(124), "{ran}");
    assert!(took < SOON, "a child held standard error open for {took:?}");
}

//! What becomes of `redial wait` once everything is ready: the command, and nothing of redial.

#![allow(clippy::unwrap_used)] // helpers of tests

mod support;

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use redial_lab::{Behaviour, Lab, Outage, Script};
use support::{Ran, Run, redial};

/// `redial wait SERVER -q -- sh -c SCRIPT`
fn then_run(server: &str, script: &str) -> Run {
    redial(["wait", server, "-q", "--", "/bin/sh", "-c", script])
}

fn up() -> Lab {
    Lab::start(Behaviour::Stall).unwrap()
}

fn then(script: &str) -> Ran {
    then_run(&up().address().to_string(), script).run()
}

#[test]
fn the_command_is_this_process() {
    let lab = up();
    let live = then_run(&lab.address().to_string(), "echo $$").start();
    let pid = live.child.id();
    let ran = live.end();
    assert_eq!((ran.status, &*ran.stdout), (Some(0), &*format!("{pid}\n")), "{ran}");
}

#[test]
fn its_exit_status_is_its_own_and_so_is_its_input() {
    assert_eq!(then("exit 7").status, Some(7));
    let lab = up();
    let ran = then_run(&lab.address().to_string(), "cat").input("untouched\n").run();
    assert_eq!(ran.stdout, "untouched\n");
}

#[test]
fn it_is_told_who_is_ready() {
    let (one, down) = (up(), Lab::start(Outage::Refuse).unwrap());
    let alternatives = format!("{},{}", down.address(), one.address());
    let two = up();
    let words = [
        "wait",
        &alternatives,
        &two.address().to_string(),
        "--",
        "/bin/sh",
        "-c",
        "echo $REDIAL_READY",
    ];
    let ran = redial(words).run();
    assert_eq!(ran.stdout, format!("{} {}\n", one.address(), two.address()), "{ran}");
}

#[test]
fn no_descriptor_is_left() {
    let open = "echo $(ls /proc/self/fd)";
    // What this test itself was begun with is passed on.
    let without = Command::new("/bin/sh").args(["-c", open]).output().unwrap();
    assert_eq!(then(open).stdout, String::from_utf8(without.stdout).unwrap());
}

/// `/proc/self/status` of a child that was begun with these signals ignored and blocked.
fn signals(begin: &str) -> String {
    let lab = up();
    let wait = format!(
        "exec {} wait {} -q -- grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status",
        env!("CARGO_BIN_EXE_redial"),
        lab.address()
    );
    let run = |script: &str| {
        let output = Command::new("python3")
            .args(["-c", begin, script])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let (with, without) = (run(&wait), run("exec grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status"));
    assert_eq!(with, without);
    with
}

#[test]
fn signals_are_as_they_were() {
    // What a shell begins it with, and what a supervisor may have done to it before.
    let plain = "import os, sys, signal
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
os.execv('/bin/sh', ['sh', '-c', sys.argv[1]])";
    let changed = "import os, sys, signal
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.execv('/bin/sh', ['sh', '-c', sys.argv[1]])";
    assert_ne!(signals(plain), signals(changed));
}

#[test]
fn a_command_that_cannot_be_run() {
    let lab = up();
    let at = lab.address().to_string();
    let ran = redial(["wait", &at, "-q", "--", "/no/such/command"]).run();
    assert_eq!(ran.status, Some(127), "{ran}");
    let ran = redial(["wait", &at, "-q", "--", "/etc/passwd"]).run();
    assert_eq!(ran.status, Some(126), "{ran}");
    assert_eq!(ran.stderr.lines().count(), 1, "{ran}");
}

#[test]
fn a_failed_wait_never_runs_it() {
    let down = Lab::start(Outage::Refuse).unwrap();
    let at = down.address().to_string();
    let ran = redial(["wait", &at, "-t", "200ms", "--", "echo", "ran"]).run();
    assert_eq!((ran.status, &*ran.stdout), (Some(124), ""), "{ran}");
}

/// As a container's port does while what it leads to is starting.
#[test]
fn a_port_that_accepts_and_closes_is_waited_through() {
    let began = Instant::now();
    let lab =
        Lab::start(Script::new([Behaviour::Close.times(4), Behaviour::Echo.forever()])).unwrap();
    let ran = then_run(&lab.address().to_string(), "echo up").run();
    assert_eq!((ran.status, &*ran.stdout), (Some(0), "up\n"), "{ran}");
    assert_eq!(lab.seen().totals.connections, 5);
    // Four pauses between 250 ms and 2 s, each drawn from its upper half, and the settling.
    assert!(began.elapsed() > Duration::from_millis(4 * 125 + 150));
}

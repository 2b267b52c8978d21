//! Signals and blocked output: neither delays a deadline nor an exit.

use std::{
    fs,
    io::Read,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use redial_lab::{Behaviour, LESSON, Lab, Outage, Script};
use rustix::{
    process::Signal,
    termios::{Action, tcflow},
};

use crate::support::{Live, Ran, Run, full_pipe, redial, terminal};

/// What a loaded machine may add to a limit. A write that blocks adds a minute.
const SLACK: Duration = Duration::from_secs(5);

fn lab(script: impl Into<Script>) -> (Lab, String) {
    let lab = Lab::start(script).unwrap();
    let address = lab.address().to_string();
    (lab, address)
}

/// Runs it to its end, which must come by itself within the slack.
fn ends(run: Run) -> Ran {
    let began = Instant::now();
    let ran = run.silent().run();
    assert!(began.elapsed() < SLACK, "{:?}: {ran}", began.elapsed());
    ran
}

/// Sends the signal, and waits for an end within the slack.
fn ends_by(live: Live, signal: Signal) -> Ran {
    let began = Instant::now();
    live.signal(signal);
    let ran = live.end();
    assert!(began.elapsed() < SLACK, "{:?} after {signal:?}: {ran}", began.elapsed());
    ran
}

/// Every way to write while something is waited for, with limits of 300 ms.
fn limited(down: &str, talks: &str) -> Vec<(Vec<String>, i32)> {
    let forever = ["--retry", "forever every 1ms..10ms"];
    let rows: [(&[&str], i32); 7] = [
        (&[down, forever[0], forever[1], "-t", "300ms"], 124),
        (&[down, forever[0], forever[1], "-t", "300ms", "-v"], 124),
        (
            &[down, "--except", "refused: say '{failure}', retry forever every 1ms", "-t", "300ms"],
            124,
        ),
        (&[down, "--except", "refused: run echo no, retry forever every 1ms", "-t", "300ms"], 124),
        (&[talks, "--max-time", "300ms", "-v"], 124),
        (&["wait", down, "-t", "300ms"], 124),
        (&["wait", down, "-t", "300ms", "-v", "--json"], 124),
    ];
    rows.iter()
        .map(|(words, status)| (words.iter().map(|word| (*word).into()).collect(), *status))
        .collect()
}

#[test]
fn full_stderr_holds_no_deadline() {
    let ((_down, down), (_talks, talks)) = (lab(Outage::Refuse), lab(Behaviour::banner(LESSON)));
    for (words, status) in limited(&down, &talks) {
        let (_reader, stderr) = full_pipe();
        let run = redial(words.iter().map(|word| &**word)).env("PATH", "/usr/bin:/bin");
        assert_eq!(ends(run.stderr(stderr)).status, Some(status), "{words:?}");
    }
}

#[test]
fn stopped_terminal_holds_no_deadline() {
    let ((_down, down), (_talks, talks)) = (lab(Outage::Refuse), lab(Behaviour::banner(LESSON)));
    for (words, status) in limited(&down, &talks) {
        let (_glass, line) = terminal();
        tcflow(&line, Action::OOff).unwrap();
        let run = redial(words.iter().map(|word| &**word)).env("PATH", "/usr/bin:/bin");
        assert_eq!(ends(run.stderr(line)).status, Some(status), "{words:?}");
    }
}

#[test]
fn full_stdout_holds_no_deadline() {
    let ((_flood, flood), (_up, up)) = (lab(Behaviour::Flood), lab(Behaviour::Stall));
    for words in [
        &[&*flood, "--max-time", "300ms"][..],
        &["wait", &up, "-t", "300ms"],
        &["wait", &up, "-t", "300ms", "--json"],
    ] {
        let (_reader, stdout) = full_pipe();
        ends(redial(words.iter().copied()).stdout(stdout));
    }
}

/// A run whose progress nobody reads, under way: it has its signal handlers.
fn unread(lab: &Lab, words: &[&str]) -> (std::io::PipeReader, Live) {
    let (reader, stderr) = full_pipe();
    let live = redial(words.iter().copied()).silent().stderr(stderr).start();
    assert!(lab.wait_for_connections(1, SLACK), "{words:?}");
    (reader, live)
}

const SIGNALS: [(Signal, i32); 4] =
    [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129), (Signal::QUIT, 131)];

#[test]
fn full_stderr_holds_no_signal() {
    for (signal, status) in SIGNALS {
        for words in [
            &["--retry", "forever every 1ms..10ms", "-v"][..],
            &["--except", "reset: say '{failure}', retry forever every 1ms"],
            &["wait", "-v"],
            &["wait", "--json"],
        ] {
            let (lab, address) = lab(Behaviour::Reset);
            let words = [words, &[&*address]].concat();
            let (_reader, live) = unread(&lab, &words);
            assert_eq!(ends_by(live, signal).status, Some(status), "{words:?}");
        }
    }
}

#[test]
fn full_stderr_holds_no_signal_of_serve() {
    for (signal, _) in SIGNALS {
        let (_reader, stderr) = full_pipe();
        let mut live = redial(["serve", "-v"]).stderr(stderr).start();
        let address = live.line();
        let mut said = String::new();
        std::net::TcpStream::connect(&address).unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said, LESSON);
        assert_eq!(ends_by(live, signal).status, Some(0));
    }
}

#[test]
fn unread_log_of_serve_holds_no_signal() {
    let (_reader, stdout) = full_pipe();
    let mut live = redial(["serve", "--log", "-"]).stdout(stdout).start();
    live.hears("is a practice server");
    assert_eq!(ends_by(live, Signal::TERM).status, Some(0));
}

/// Nothing there waits for anything but its reader.
#[test]
fn full_stderr_holds_no_end_of_what_never_waits() {
    for (words, status) in [
        (&["check", "--except", "refused: retry forever every 1s"][..], 0),
        (&["check", "--except", "nonsense"], 2),
        (
            &[
                "check",
                "--standing",
                "connect",
                "--send",
                "env:X",
                "--except",
                "any: retry forever",
            ],
            0,
        ),
        (&["help", "nonsense"], 2),
        (&["rehearse", "stay", "--clients", "10", "--max-peak", "1/s"], 1),
        (&["wait", "nonsense"], 125),
        (&["serve", "nonsense"], 2),
    ] {
        let (_reader, stderr) = full_pipe();
        assert_eq!(
            ends(redial(words.iter().copied()).stderr(stderr)).status,
            Some(status),
            "{words:?}"
        );
    }
}

#[test]
fn full_stdout_holds_no_signal() {
    let (_up, up) = lab(Behaviour::Stall);
    for words in [
        &["help", "clauses"][..],
        &["connect", "--help"],
        &["check", "--except", "refused: retry 3"],
        &["rehearse", "stay", "--clients", "10"],
        &["wait", &up],
        &["wait", &up, "--json"],
    ] {
        let (_reader, stdout) = full_pipe();
        let live = redial(words.iter().copied()).silent().stdout(stdout).start();
        // Whether it has come to writing by then is chance; without a handler it dies of the signal.
        let status = ends_by(live, Signal::TERM).status;
        assert!(matches!(status, None | Some(143)), "{words:?}: {status:?}");
    }
}

#[test]
fn full_stderr_holds_no_command() {
    let (_up, up) = lab(Behaviour::Stall);
    for flags in [&["-v"][..], &["--json"], &["-q"]] {
        let (_reader, stderr) = full_pipe();
        let words = [&["wait", &up][..], flags, &["--", "/bin/echo", "ran"]].concat();
        let ran = ends(redial(words).stderr(stderr));
        assert_eq!((ran.status, &*ran.stdout), (Some(0), "ran\n"), "{ran}");
    }
}

#[test]
fn fifo_without_reader_holds_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let json = format!("--json={}", fifo.display());
    let ((_down, down), (_up, up)) = (lab(Outage::Refuse), lab(Behaviour::Stall));
    for words in [
        &[&*down, &json, "--retry", "forever", "-t", "300ms"][..],
        &["wait", &down, &json, "-t", "300ms"],
        &["wait", &up, &json, "--", "/bin/echo", "ran"],
    ] {
        let ran = ends(redial(words.iter().copied()));
        let name = fifo.display().to_string();
        assert!(ran.stderr.contains(&format!("redial: --json: {name} ")), "{ran}");
    }
}

#[test]
fn fifo_with_reader_gets_the_record() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let (_down, down) = lab(Outage::Refuse);
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || fs::read_to_string(fifo).unwrap()
    });
    ends(redial([&*down, &format!("--json={}", fifo.display())]));
    assert!(reader.join().unwrap().starts_with("{\"exit\":1"));
}

/// `redial WORDS` as a shell begins it that ignores this signal: nohup, or a background job.
fn ignoring(signal: &str, words: &[&str]) -> Command {
    let mut command = Command::new("sh");
    let script = format!("trap '' {signal}; exec \"$@\"");
    command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_redial")]).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn signal_ignored_by_the_parent_stays_ignored() {
    for (name, signal) in [("INT", Signal::INT), ("HUP", Signal::HUP), ("QUIT", Signal::QUIT)] {
        for verb in ["connect", "wait", "serve"] {
            let (lab, address) = lab(Behaviour::Reset);
            let words: &[&str] = match verb {
                "serve" => &["serve", "--connections", "9"],
                verb => &[verb, &address, "--except", "reset: retry forever every 1ms"],
            };
            let mut child = ignoring(name, words).spawn().unwrap();
            if verb == "serve" {
                child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
            } else {
                assert!(lab.wait_for_connections(1, SLACK));
            }
            let pid = rustix::process::Pid::from_child(&child);
            // The first one would be its end, with a status of its own.
            rustix::process::kill_process(pid, signal).unwrap();
            rustix::process::kill_process(pid, Signal::TERM).unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(143), "{name} {verb}");
        }
    }
}

/// Entry 19: the command has run, and its status is known in spite of the inherited disposition.
#[test]
fn command_under_ignored_sigchld_has_run() {
    let (_down, down) = lab(Outage::Refuse);
    let clause = "refused: run sh -c 'echo it ran; exit 3', exit 9";
    let output = ignoring("CHLD", &["connect", &down, "--except", clause]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(9), "{stderr}");
    assert!(stderr.contains("it ran"), "{stderr}");
    assert!(stderr.contains("run sh: exit 3"), "{stderr}");
}

#[test]
fn command_gets_every_disposition_back() {
    let (_up, up) = lab(Behaviour::Stall);
    let shows = ["wait", &up, "-q", "--", "grep", "-E", "^Sig(Ign|Cgt|Blk)", "/proc/self/status"];
    for name in ["HUP", "QUIT", "INT", "TERM", "USR1"] {
        let with = ignoring(name, &shows).output().unwrap();
        let script = format!("trap '' {name}; exec \"$@\"");
        let direct = [&["-c", &*script, "sh"][..], &shows[4..]].concat();
        let without = Command::new("sh").args(direct).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&with.stdout), text(&without.stdout), "{name}");
    }
}

/// A first process gets no signal that it has no handler for.
#[cfg(feature = "real")] // wants root, and `unshare`
#[test]
fn first_process_ends_by_every_signal() {
    use rustix::process::{Pid, kill_process};

    let (up, address) = lab(Behaviour::Reset);
    for (signal, status) in SIGNALS {
        for words in [
            &["wait", &*address, "-q"][..],
            &["connect", &address, "-q", "--retry", "forever every 1ms"],
            &["rehearse", "stay", "--clients", "1M", "--outage", "1h"],
            &["help", "clauses"],
        ] {
            let before = up.seen().totals.connections;
            let (_reader, stdout) = full_pipe();
            let run = redial(words.iter().copied()).silent().stdout(stdout);
            let setting_up = "[ $$ = 1 ]; echo up >&2";
            let mut live = run.unshared(&["--pid", "--fork", "--kill-child"], setting_up).start();
            live.hears("up\n");
            if ["wait", "connect"].contains(&words[0]) {
                assert!(up.wait_for_connections(before + 1, SLACK));
            }
            let outside = live.child.id();
            let children = format!("/proc/{outside}/task/{outside}/children");
            let inside = fs::read_to_string(children).unwrap().trim().parse().unwrap();
            let inside = Pid::from_raw(inside).unwrap();
            if !["wait", "connect"].contains(&words[0]) {
                caught(inside, signal);
            }
            kill_process(inside, signal).unwrap();
            assert_eq!(live.end().status, Some(status), "{signal:?} {words:?}");
        }
    }
}

/// Waits until the process is redial, not the shell before it, and has a handler for the signal.
#[cfg(feature = "real")]
fn caught(process: rustix::process::Pid, signal: Signal) {
    let path = format!("/proc/{}/status", process.as_raw_nonzero());
    let began = Instant::now();
    loop {
        let status = fs::read_to_string(&path).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t")).unwrap();
        let mask = u64::from_str_radix(mask, 16).unwrap();
        let is_redial = status.starts_with("Name:\tredial\n");
        if is_redial && mask & (1 << (signal.as_raw() - 1)) != 0 {
            return;
        }
        assert!(began.elapsed() < SLACK, "no handler for {signal:?}: {status}");
        std::thread::yield_now();
    }
}

#[test]
fn grandchild_in_its_own_session_ends_with_run() {
    let (_down, down) = lab(Outage::Refuse);
    for script in [
        "setsid sleep 60 & wait",
        "(setsid sleep 60 &) ; sleep 60",
        "env -i /usr/bin/setsid /usr/bin/sleep 60 & wait",
    ] {
        let mark = tempfile::tempdir().unwrap();
        let clause = format!("refused: run sh -c '{script}', stop");
        // A folder of its own marks its processes, whatever their environment is.
        let words = ["connect", &*down, "-t", "500ms", "--except", &clause];
        let run = redial(words).env("PATH", "/usr/bin:/bin").within(mark.path());
        assert_eq!(ends(run).status, Some(124), "{script}");
        assert_eq!(inside(mark.path()), [0; 0], "{script}");
    }
}

/// The processes whose working directory this is.
fn inside(directory: &Path) -> Vec<u32> {
    let directory = directory.canonicalize().unwrap();
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let entry = entry.ok()?;
        let is_inside = fs::read_link(entry.path().join("cwd")).ok()? == directory;
        entry.file_name().to_str()?.parse().ok().filter(|_| is_inside)
    });
    processes.collect()
}

#[test]
fn no_limit_of_the_shell_makes_it_panic() {
    let ((_up, up), (_down, down)) = (lab(Behaviour::say(LESSON)), lab(Outage::Refuse));
    for words in [
        &["connect", &*up][..],
        &["connect", "lab:lesson"],
        &["connect", &down, "--retry", "2 every 1ms"],
        &["connect", &down, "--except", "refused: run true, stop"],
        &["connect", "localhost:1", "-t", "300ms"],
        &["wait", &up, "-t", "300ms"],
        &["wait", &up, "-t", "300ms", "--", "/bin/true"],
        &["wait", "lab:tls-self", "-t", "300ms"],
        &["serve", "--connections", "1", "nonsense"],
        &["check", "--except", "refused: retry 3"],
        &["rehearse", "stay", "--clients", "10"],
        &["help"],
    ] {
        for limits in (0..=16).map(|files| format!("-n {files}")).chain(["-u 0".into()]) {
            let script = format!("ulimit {limits}; exec \"$@\"");
            let mut command = Command::new("sh");
            command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_redial")]).args(words);
            let output = command.stdin(Stdio::null()).output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            let status = output.status.code();
            assert!(!stderr.contains("panicked"), "ulimit {limits}: {words:?}: {stderr}");
            assert!(
                status.is_some_and(|status| status != 101),
                "ulimit {limits}: {words:?}: {stderr}"
            );
        }
    }
}

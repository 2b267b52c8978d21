//! `redial wait` at its edges: very many targets, very many waits, a terminal, and being told to
//! stop.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    time::Duration,
};

use redial_lab::{Behaviour, Lab, Outage, Script};
use rustix::process::Signal;
use support::{redial, terminal};

/// The most memory a process has had so far, in KiB.
fn peak(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Half of them are there, half come after a second; one is the last, so that the peak can be
/// read while it is still waited for.
#[test]
fn two_hundred_targets_in_one_deadline_and_little_memory() {
    let late = || {
        let up = Behaviour::Stall.forever();
        Lab::start(Script::new([Outage::Refuse.lasting(Duration::from_secs(1)), up])).unwrap()
    };
    let mut labs: Vec<Lab> = (0..99).map(|_| Lab::start(Behaviour::Stall).unwrap()).collect();
    labs.extend((0..100).map(|_| late()));
    let last = Lab::start(Script::new([Behaviour::Close.times(8), Behaviour::Stall.forever()]));
    labs.push(last.unwrap());
    let named: Vec<String> = labs.iter().map(|lab| lab.address().to_string()).collect();
    let words = ["wait", "-t", "60"].into_iter().chain(named.iter().map(String::as_str));
    let live = redial(words).start();

    let others =
        |labs: &[Lab]| labs.iter().all(|lab| lab.wait_for_connections(1, Duration::from_secs(50)));
    assert!(others(&labs), "every server is tried");
    assert!(labs[199].wait_for_connections(8, Duration::from_secs(50)));
    let peak = peak(&live.child);
    let ran = live.end();
    assert_eq!(ran.status, Some(0), "{ran}");
    assert_eq!(ran.stdout.lines().count(), 200, "{ran}");
    assert!(peak < 32 << 10, "{peak} KiB");
}

/// Everything that `redial wait` shows on a terminal, and how it exits.
fn shown(words: &[&str]) -> (Option<i32>, String) {
    let (glass, line) = terminal();
    let mut child = Command::new(env!("CARGO_BIN_EXE_redial"))
        .arg("wait")
        .args(words)
        .env_clear()
        .envs([("TERM", "xterm"), ("NO_COLOR", "1"), ("PATH", "/usr/bin:/bin")])
        .stdin(Stdio::null())
        .stdout(line.try_clone().unwrap())
        .stderr(line)
        .spawn()
        .unwrap();
    let mut bytes = Vec::new();
    // The end of a terminal is an error: EIO.
    let _ = File::from(glass).read_to_end(&mut bytes);
    (child.wait().unwrap().code(), String::from_utf8(bytes).unwrap())
}

/// How many letters a line has, where a terminal does not say.
const WIDTH: usize = 80;

/// What is left on the screen, of lines that were written, erased and written over: as much of a
/// terminal as is asked for.
fn screen(written: &str) -> Vec<String> {
    let (mut lines, mut row, mut column) = (vec![[' '; WIDTH]], 0_usize, 0_usize);
    let mut rest = written.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\r' => column = 0,
            '\n' => (row, column) = (row + 1, 0),
            '\x1b' => {
                assert_eq!(rest.next(), Some('['));
                let mut code = String::new();
                while !code.ends_with(|c: char| c.is_ascii_alphabetic()) {
                    code.push(rest.next().unwrap());
                }
                match &*code {
                    "1A" => row -= 1,
                    "J" => {
                        lines.truncate(row);
                        assert_eq!(column, 0);
                    }
                    "?7l" | "?7h" => {}
                    _ => panic!("\\x1b[{code} is not known here"),
                }
            }
            letter => {
                // A line is full before the next begins.
                if column == WIDTH {
                    (row, column) = (row + 1, 0);
                }
                lines.resize(lines.len().max(row + 1), [' '; WIDTH]);
                lines[row][column] = letter;
                column += 1;
            }
        }
        lines.resize(lines.len().max(row + 1), [' '; WIDTH]);
    }
    let text = |line: &[char; WIDTH]| line.iter().collect::<String>().trim_end().to_owned();
    lines.iter().map(text).filter(|line| !line.is_empty()).collect()
}

#[test]
fn lines_on_a_terminal_live_and_are_gone_at_the_end() {
    let lab = Lab::start(Script::new([Behaviour::Close.times(2), Behaviour::Stall.forever()]));
    let (lab, down) = (lab.unwrap(), Lab::start(Outage::Refuse).unwrap());
    let (up, down) = (lab.address().to_string(), down.address().to_string());

    let (status, written) = shown(&[&up, "--", "echo", "the command"]);
    assert_eq!(status, Some(0), "{written:?}");
    assert!(
        written.contains(&format!("{up}  1 try  closed-early")),
        "it was seen live: {written:?}"
    );
    let first = format!("redial: waiting for 1 target: {up}");
    let left = screen(&written);
    assert_eq!((&*left[0], left.last().unwrap().as_str()), (&*first, "the command"), "{written:?}");
    for change in ["closed-early at attempt 1: ", "ready ("] {
        let line = format!("redial: {up}: {change}");
        assert_eq!(left.iter().filter(|left| left.starts_with(&line)).count(), 1, "{left:?}");
    }
    assert!(!left.iter().any(|line| line.starts_with("  ")), "{left:?}");
    assert_eq!(written.matches("\x1b[?7l").count(), written.matches("\x1b[?7h").count());

    let (status, written) = shown(&[&up, &down, "-t", "1"]);
    assert_eq!(status, Some(124), "{written:?}");
    assert!(written.contains(&format!("{down}  1 try  refused")), "it was seen live: {written:?}");
    let left = screen(&written);
    assert_eq!(left[0], format!("redial: waiting for 2 targets: {up}; {down}"), "{written:?}");
    let table = left.iter().position(|line| line.starts_with("redial: not ready: ")).unwrap();
    let refused = format!("redial: {down}: refused at attempt 1: ");
    assert!(left[..table].iter().any(|line| line.starts_with(&refused)), "{left:?}");
    let left = &left[table - 1..];
    assert!(left[1].starts_with("redial: not ready: 1 of 2 targets ("), "{left:?}");
    assert!(left[2].starts_with(&format!("  {up} ")) && left[2].contains("ready"), "{left:?}");
    assert!(left[3].starts_with(&format!("  {down} ")) && left[3].contains("refused"), "{left:?}");
    assert!(left[4].starts_with(&format!("refused: {down}: ")), "{left:?}");
    assert_eq!(left.len(), 6, "it needs two lines, and nothing else is there: {left:?}");
}

#[test]
fn elsewhere_there_are_no_escape_codes() {
    let down = Lab::start(Outage::Refuse).unwrap().address().to_string();
    for flags in [&["-v"][..], &[], &["-q"], &["--json"]] {
        let words = [&["wait", &down, "-t", "300ms"], flags].concat();
        let ran = redial(words).env("TERM", "xterm").run();
        assert_eq!(ran.status, Some(124), "{ran}");
        assert!(!ran.stderr.contains('\x1b') && !ran.stdout.contains('\x1b'), "{ran}");
    }
}

/// A server that comes back and is not ready at once must not have its log flooded.
#[test]
fn three_hundred_waits_are_gentle_with_a_server_that_is_not_ready() {
    let lab = Lab::start(Behaviour::Close).unwrap();
    // An answer is expected: 300 at once may keep the server from closing for longer than 150 ms.
    let at = format!("redis://{}", lab.address());
    let waits: Vec<_> = (0..300)
        .map(|_| redial(["wait", &at, "-q", "-t", "3"]).silent().stdout(Stdio::null()).start())
        .collect();
    for wait in waits {
        let ran = wait.end();
        assert_eq!(ran.status, Some(124), "{ran}");
    }
    // At the quickest half of 250 ms, of 375 ms and so on lie between, 2.6 s to the seventh; the
    // delays of a server that is not there would make it a hundred and more.
    let connections = lab.seen().totals.connections;
    assert!((300..=300 * 7).contains(&connections), "{connections} connections");
}

#[test]
fn told_to_stop_it_leaves_nothing_behind() {
    // One that connects, one that hangs, one that is looked up, one whose command never runs.
    let (down, hole) =
        (Lab::start(Outage::Refuse).unwrap(), Lab::start(Outage::Blackhole).unwrap());
    let (down, hole) = (down.address().to_string(), hole.address().to_string());
    let words = ["wait", &down, &hole, "no-such-name.invalid:1", "--", "sleep", "60"];
    let mark = format!("MARK={at}", at = down);
    let (name, value) = mark.split_once('=').unwrap();
    let mut live = redial(words).env("PATH", "/usr/bin:/bin").env(name, value).start();
    let mut stderr = BufReader::new(live.child.stderr.take().unwrap());
    let mut first = String::new();
    stderr.read_line(&mut first).unwrap();
    assert!(first.contains("waiting for 3 targets"), "{first}");
    // Whatever it starts has its environment, whoever is its parent later.
    assert_eq!(marked(&mark), [live.child.id()]);
    live.signal(Signal::TERM);
    assert_eq!(live.end().status, Some(143));
    assert_eq!(marked(&mark), [0; 0]);
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("interrupted by SIGTERM"), "{rest}");
}

/// The processes with this in their environment.
fn marked(mark: &str) -> Vec<u32> {
    let found = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let entry = entry.ok()?;
        let environment = fs::read(entry.path().join("environ")).ok()?;
        let mut variables = environment.split(|byte| *byte == 0);
        let is_marked = variables.any(|variable| variable == mark.as_bytes());
        entry.file_name().to_str()?.parse().ok().filter(|_| is_marked)
    });
    found.collect()
}

/// The first process of a container gets no signal that it does not ask for.
#[cfg(feature = "real")] // wants root, and `unshare`
#[test]
fn as_the_first_process_it_can_be_told_to_stop() {
    use rustix::process::{Pid, kill_process};

    let hole = Lab::start(Outage::Blackhole).unwrap();
    let words = ["wait", &hole.address().to_string(), "--", "echo", "ran"];
    let namespace = ["--pid", "--fork", "--kill-child"];
    let mut live = redial(words).unshared(&namespace, "[ $$ = 1 ]").start();
    let mut stderr = BufReader::new(live.child.stderr.take().unwrap());
    let mut first = String::new();
    stderr.read_line(&mut first).unwrap();
    assert!(first.contains("waiting for 1 target"), "{first}");

    let outside = live.child.id();
    let children = fs::read_to_string(format!("/proc/{outside}/task/{outside}/children")).unwrap();
    let inside = Pid::from_raw(children.trim().parse().unwrap()).unwrap();
    kill_process(inside, Signal::TERM).unwrap();
    let ran = live.end();
    assert_eq!((ran.status, &*ran.stdout), (Some(143), ""), "{ran}");
}

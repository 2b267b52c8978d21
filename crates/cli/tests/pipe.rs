//! Bytes: standard input and output over one connection, whole, both ways, in bounded memory.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::AsFd,
    process::{Command, Stdio},
    time::Duration,
};

use redial_lab::{Behaviour, LESSON, Lab, sha256};
use rustix::fs::{OFlags, fcntl_getfl};
use support::{Ran, Run, redial};

/// For what happens at once, on any machine.
const SOON: Duration = Duration::from_secs(20);
/// What a run may use, in KiB.
const MEMORY: u64 = 32 * 1024;

/// A lab, and `redial connect` to it with these words.
fn connect<'a>(behaviour: Behaviour, words: impl IntoIterator<Item = &'a str>) -> (Lab, Run) {
    let lab = Lab::start(behaviour).unwrap();
    let address = lab.address().to_string();
    let run = words.into_iter().fold(redial(["connect", &*address]), Run::arg);
    (lab, run)
}

/// Every byte there is, in an order that comes again only after a while.
fn bytes(length: usize) -> Vec<u8> {
    (0..length as u64).map(|n| (n * n / 7 + n / 251) as u8).collect()
}

/// Has the run say at its end how much memory it had at most.
fn weighed(run: Run) -> Run {
    run.arg("--finally").arg(r#"run sh -c 'grep VmHWM: "/proc/$PPID/status"'"#)
}

fn weight(ran: &Ran) -> u64 {
    let line = ran.stderr.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .expect("a number of kB in the status of a process");
    kib.parse().unwrap()
}

#[test]
fn every_byte_goes_both_ways_and_each_half_closes_by_itself() {
    let (lab, run) = connect(Behaviour::Echo, []);
    let sent = bytes(3_000_001);
    let ran = run.input(sent.clone()).run();
    // The echo of the last bytes comes after our end, and the server's end after that.
    assert_eq!((ran.status, &*ran.stderr), (Some(0), ""));
    assert!(ran.bytes == sent, "{} bytes of {} came back", ran.bytes.len(), sent.len());
    assert!(lab.wait_for_ends(1, SOON));
    assert_eq!(lab.seen().connections[0].ended, Some(redial_lab::Ended::ClosedByPeer));
}

#[test]
fn sixty_four_mebibytes_arrive_whole_in_little_memory() {
    let (lab, run) = connect(Behaviour::Sink, []);
    let sent = bytes(64 << 20);
    let ran = weighed(run).input(sent.clone()).run();
    assert_eq!(ran.status, Some(0), "{ran}");
    assert!(lab.wait_for_ends(1, SOON));
    assert_eq!(lab.seen().connections[0].sha256_in, sha256(&sent));
    assert!(weight(&ran) < MEMORY, "{ran}");
}

#[test]
fn sixty_four_mebibytes_come_whole_in_little_memory() {
    let said = bytes(64 << 20);
    let (_lab, run) = connect(Behaviour::say(&said), []);
    let ran = weighed(run).run();
    assert_eq!((ran.status, sha256(&ran.bytes)), (Some(0), sha256(&said)), "{}", ran.stderr);
    assert!(weight(&ran) < MEMORY, "{} KiB", weight(&ran));
}

#[test]
fn a_reader_that_does_not_read_holds_the_server_and_not_the_memory() {
    let (lab, run) = connect(Behaviour::Flood, []);
    let mut live = weighed(run).start();
    // The lab cannot say more than the buffers between us take: it says nothing new while a
    // megabyte is awaited that nobody makes room for.
    let mut first = [0; 1];
    live.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    let said = || lab.seen().totals.bytes_out;
    let a_mebibyte_more = || {
        let so_far = said();
        lab.wait_until(Duration::from_millis(300), |totals| totals.bytes_out > so_far + (1 << 20))
    };
    while a_mebibyte_more() {}
    assert!(said() < 32 << 20, "{} bytes", said());
    drop(live.stdout.take());
    let ran = live.end();
    assert_eq!(ran.status, Some(141), "{ran}");
    assert!(weight(&ran) < MEMORY, "{ran}");
}

#[test]
fn an_answer_that_never_comes_is_awaited_in_little_memory() {
    let (lab, run) = connect(Behaviour::Flood, ["--expect", "never said"]);
    let ran = weighed(run).silent().run();
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("unexpected-response"), "{ran}");
    assert!(weight(&ran) < MEMORY, "{ran}");
    assert!(lab.wait_for_ends(1, SOON));
    // 64 KiB were judged; the rest is what the kernels' buffers took.
    assert!(lab.seen().totals.bytes_out < 16 << 20, "{:?}", lab.seen().totals);
}

#[test]
fn without_standard_input_our_side_stays_open_until_the_server_ends() {
    // A server that stays until we end: only a limit ends what neither side does.
    for (input, half_close, status) in
        [(false, "auto", 124), (true, "auto", 0), (false, "always", 0), (true, "never", 124)]
    {
        let words = ["--max-time", "300ms", "--half-close", half_close];
        let (_lab, run) = connect(Behaviour::banner(LESSON), words);
        let ran = if input { run.input("hello\n") } else { run.silent() }.run();
        assert_eq!((ran.status, &*ran.stdout), (Some(status), LESSON), "{ran}");
    }
}

#[test]
fn standard_streams_that_are_closed() {
    let lab = Lab::start(Behaviour::say(LESSON)).unwrap();
    let shell = |redirections: &str| {
        let script = format!(r#"exec "$0" connect "$1" {redirections}"#);
        let words = ["-c", &script, env!("CARGO_BIN_EXE_redial"), &lab.address().to_string()];
        Command::new("sh").args(words).stdin(Stdio::null()).output().unwrap()
    };
    let ran = shell("<&-");
    assert_eq!(
        (ran.status.code(), &*ran.stdout, &*ran.stderr),
        (Some(0), LESSON.as_bytes(), &b""[..])
    );
    let ran = shell("</dev/null 2>&-");
    assert_eq!((ran.status.code(), &*ran.stdout), (Some(0), LESSON.as_bytes()));
    // Often: that the last bytes were refused is known only after the server's end.
    for _ in 0..20 {
        let ran = shell(">/dev/full");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(1), "{said}");
        assert!(
            said.contains("standard input or output failed: No space left on device"),
            "{said}"
        );
    }
}

#[test]
fn a_reader_that_leaves_ends_it_silently_and_no_clause_sees_it() {
    let steps = ["--except", "any, closed: say clause, exit 5", "--else", "say otherwise"];
    let (_lab, run) = connect(Behaviour::Flood, steps);
    let mut live = run.arg("--finally").arg("say finally").start();
    live.stdout.take().unwrap().read_exact(&mut [0; 1]).unwrap();
    let ran = live.end();
    assert_eq!((ran.status, &*ran.stderr), (Some(141), "finally\n"), "{ran}");
}

#[test]
fn the_servers_end_does_not_stop_what_is_still_sent() {
    let (lab, run) = connect(Behaviour::say(LESSON), []);
    let mut live = run.start();
    let mut said = vec![0; LESSON.len()];
    live.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
    // The end came with the sentence; what comes now is sent after it.
    for so_far in 1..=3 {
        live.stdin.as_mut().unwrap().write_all(b"more\n").unwrap();
        assert!(lab.wait_until(SOON, |totals| totals.bytes_in == so_far * 5));
    }
    assert_eq!(live.end().status, Some(0));
}

#[test]
fn line_ends_as_crlf() {
    let (lab, run) = connect(Behaviour::Sink, ["--crlf"]);
    let mut live = run.start();
    let mut stdin = live.stdin.take().unwrap();
    // A line end that was whole stays as it is, even where it comes in two pieces.
    stdin.write_all(b"a\nb\r\n\n\nc\r").unwrap();
    assert!(lab.wait_until(SOON, |totals| totals.bytes_in >= 12));
    stdin.write_all(b"\nd").unwrap();
    drop(stdin);
    assert_eq!(live.end().status, Some(0));
    let seen = &lab.seen().connections[0];
    assert_eq!(seen.head.escape_ascii().to_string(), r"a\r\nb\r\n\r\n\r\nc\r\nd");
}

#[test]
fn what_was_inherited_never_becomes_non_blocking() {
    let ((in_reader, mut in_writer), (mut out_reader, out_writer)) =
        (std::io::pipe().unwrap(), std::io::pipe().unwrap());
    let (lab, run) = connect(Behaviour::Echo, []);
    let (theirs_in, theirs_out) = (in_reader.try_clone().unwrap(), out_writer.try_clone().unwrap());
    let live = run.stdin(theirs_in).stdout(theirs_out).start();
    let blocks = |fd: &dyn AsFd| !fcntl_getfl(fd.as_fd()).unwrap().contains(OFlags::NONBLOCK);
    for round in 1..=2 {
        in_writer.write_all(b"ping").unwrap();
        assert!(lab.wait_until(SOON, |totals| totals.bytes_out == 4 * round));
        assert!(blocks(&in_reader) && blocks(&out_writer), "while it runs");
    }
    drop(in_writer);
    assert_eq!(live.end().status, Some(0));
    assert!(blocks(&in_reader) && blocks(&out_writer), "afterwards");
    drop(out_writer);
    let mut echo = String::new();
    out_reader.read_to_string(&mut echo).unwrap();
    assert_eq!(echo, "pingping");
}

#[test]
fn a_file_is_standard_input_too() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes(700_000)).unwrap();
    let again = |file: &File| {
        let mut file = file.try_clone().unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        file
    };
    let (lab, run) = connect(Behaviour::Sink, []);
    assert_eq!(run.stdin(again(&file)).run().status, Some(0));
    assert!(lab.wait_for_ends(1, SOON));
    assert_eq!(lab.seen().connections[0].sha256_in, sha256(bytes(700_000)));
}

#[test]
fn receive_waits_for_a_server_that_goes_on_within_100_ms() {
    let lab = Lab::start(Behaviour::drip("drop by drop", Duration::from_millis(20))).unwrap();
    let ran = redial(["connect", &lab.address().to_string(), "--receive", "1024"]).silent().run();
    assert_eq!((ran.stdout.as_str(), ran.status), ("drop by drop", Some(0)), "{ran}");
    let ran = redial(["connect", &lab.address().to_string(), "--receive", "4"]).silent().run();
    assert_eq!((ran.stdout.as_str(), ran.status), ("drop", Some(0)), "{ran}");
}

//! Many connections, long ones and endless ones: what a lab holds on to, in counts and not in time.
//!
//! Descriptors and memory are those of the whole process, so these tests are a process of their
//! own, and take turns in it. Linux only, for `/proc` says what they ask.

#![cfg(target_os = "linux")]
// The workspace allows these in test functions; the helpers beside them are tests all the same.
#![allow(clippy::panic, clippy::unwrap_used)]

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use redial_lab::{Behaviour, Lab};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};

/// Longer than anything takes on a busy machine: reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Long enough to see that nothing happens.
const SILENCE: Duration = Duration::from_millis(100);

const MIB: u64 = 1 << 20;

#[test]
fn ten_thousand_that_come_and_go_leave_nothing_behind() {
    let _turn = turn();
    let lab = Lab::build(Behaviour::say("hello")).on_end(|_| ()).start().unwrap();
    come_and_go(&lab, 2_000); // from here on the list of the last ones is full
    let before = (descriptors(), memory());
    come_and_go(&lab, 10_000);
    assert_eq!(descriptors(), before.0);
    assert!(memory() < before.1 + 4 * MIB, "{} bytes, then {}", before.1, memory());
    let totals = lab.stop().totals;
    assert_eq!((totals.connections, totals.ended, totals.bytes_out), (12_000, 12_000, 60_000));
}

#[test]
fn two_thousand_that_stay_hold_no_buffers_and_keep_nobody_out() {
    const STAY: u64 = 2_000;
    let _turn = turn();
    let _limit = limit_descriptors(5_000);
    let lab = Lab::start(Behaviour::banner("hi")).unwrap();
    let open = descriptors();
    drop(hear_hi(&lab));
    assert!(lab.wait_for_ends(1, PATIENCE));
    let before = memory();
    let mut streams: Vec<_> = (0..STAY).map(|_| hear_hi(&lab)).collect();
    let each = memory().saturating_sub(before) / STAY;
    eprintln!("each {each}");
    assert!(each < 6 * 1024, "{each} bytes for a connection that does nothing");

    assert_eq!((lab.seen().totals.connections, lab.seen().totals.ended), (STAY + 1, 1));
    drop(hear_hi(&lab));
    assert!(lab.wait_for_ends(2, PATIENCE));
    for stream in &mut streams {
        stream.write_all(b"still here").unwrap();
    }
    assert!(lab.wait_until(PATIENCE, |totals| totals.bytes_in == 10 * STAY));
    drop(streams);
    assert!(lab.wait_for_ends(STAY + 2, PATIENCE));
    assert_eq!(descriptors(), open);
}

#[test]
fn a_client_that_sends_without_end_fills_no_memory() {
    let _turn = turn();
    for behaviour in [Behaviour::Sink, Behaviour::Stall, Behaviour::say("enough")] {
        let lab = Lab::start(behaviour.clone()).unwrap();
        let mut stream = TcpStream::connect(lab.address()).unwrap();
        let piece = vec![b'x'; 1 << 20];
        let before = memory();
        for _ in 0..200 {
            stream.write_all(&piece).unwrap();
        }
        assert!(lab.wait_until(PATIENCE, |totals| totals.bytes_in == 200 * MIB), "{behaviour}");
        assert!(memory() < before + 4 * MIB, "{behaviour}: {before}, then {}", memory());
    }
}

#[test]
fn a_client_that_never_reads_is_not_read_from_any_more() {
    let _turn = turn();
    let lab = Lab::start(Behaviour::Echo).unwrap();
    let mut stream = TcpStream::connect(lab.address()).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let piece = vec![b'x'; 1 << 20];
    let before = memory();
    // The kernel's buffers, four of them, hold some MiB each.
    let refused = (0..200).find_map(|_| stream.write_all(&piece).err());
    assert_eq!(refused.unwrap().kind(), ErrorKind::WouldBlock);
    assert!(memory() < before + 4 * MIB, "{before}, then {}", memory());
}

#[test]
fn without_descriptors_a_lab_waits_and_goes_on() {
    let _turn = turn();
    let lab = Lab::start(Behaviour::banner("hi")).unwrap();
    drop(hear_hi(&lab));
    assert!(lab.wait_for_ends(1, PATIENCE));
    // Both sides are this process: the clients' descriptors are taken before there are no more.
    let client = |_| Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let clients: Vec<_> = (0..8).map(client).collect();
    let limit = limit_descriptors(0);
    for client in &clients {
        client.connect(&lab.address().into()).unwrap();
    }
    assert!(!lab.wait_for_connections(2, SILENCE), "accepted without a descriptor");
    drop(limit);
    for client in clients {
        assert_hi(client.into());
    }
    assert!(lab.wait_for_ends(9, PATIENCE));
}

/// So many short connections, four at once.
fn come_and_go(lab: &Lab, connections: u64) {
    let ended = lab.seen().totals.ended;
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..connections / 4 {
                    let mut said = String::new();
                    let mut stream = TcpStream::connect(lab.address()).unwrap();
                    stream.read_to_string(&mut said).unwrap();
                    assert_eq!(said, "hello");
                }
            });
        }
    });
    assert!(lab.wait_for_ends(ended + connections, PATIENCE));
}

fn hear_hi(lab: &Lab) -> TcpStream {
    assert_hi(TcpStream::connect(lab.address()).unwrap())
}

fn assert_hi(mut stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut said = [0; 2];
    stream.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"hi");
    stream
}

fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Descriptors of this process.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count() - 1 // the folder itself
}

/// Bytes of this process in memory.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// So many descriptors for this process, until it is dropped.
struct Limited(Rlimit);

fn limit_descriptors(most: u64) -> Limited {
    let before = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: Some(most), ..before };
    assert!(before.maximum.is_none_or(|hard| hard >= most), "raise the limit: ulimit -Hn {most}");
    setrlimit(Resource::Nofile, wanted).unwrap();
    Limited(before)
}

impl Drop for Limited {
    fn drop(&mut self) {
        setrlimit(Resource::Nofile, self.0).unwrap();
    }
}

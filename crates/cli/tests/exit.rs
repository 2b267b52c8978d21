//! The exit table: every status in it happens for real, and no other is printed.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::{collections::BTreeSet, io::Read};

use redial_lab::{Behaviour, LESSON, Lab, Outage, Script};
use rustix::process::Signal;
use support::{Ran, redial};

fn to(script: impl Into<Script>, flags: &[&str]) -> Ran {
    let lab = Lab::start(script).unwrap();
    let address = lab.address().to_string();
    redial([&*address].into_iter().chain(flags.iter().copied())).silent().run()
}

fn interrupted(signal: Signal) -> Ran {
    let lab = Lab::start(Behaviour::banner(LESSON)).unwrap();
    let mut live = redial([&*lab.address().to_string()]).silent().start();
    live.stdout.as_mut().unwrap().read_exact(&mut [0; LESSON.len()]).unwrap();
    live.signal(signal);
    live.end()
}

fn reader_left() -> Ran {
    let lab = Lab::start(Behaviour::Flood).unwrap();
    let mut live = redial([&*lab.address().to_string()]).silent().start();
    live.stdout.take().unwrap().read_exact(&mut [0; 1]).unwrap();
    live.end()
}

/// `redial wait` for a server that is ready, then this command.
fn then(command: &str) -> Ran {
    let lab = Lab::start(Behaviour::Stall).unwrap();
    redial(["wait", &lab.address().to_string(), "-q", "--", command]).run()
}

#[test]
#[rustfmt::skip] // a table reads best as one
fn every_status_of_the_table_happens() {
    let rows = [
        ("0", 0, to(Behaviour::say(LESSON), &[])),
        ("0", 0, redial(["help", "exit"]).run()),
        ("0", 0, redial(["--version"]).run()),
        ("1", 1, to(Outage::Refuse, &[])),
        ("1", 1, to(Outage::Refuse, &["--except", "refused: stop"])),
        ("1", 1, to(Behaviour::Reset, &["--except", "refused: exit 9"])),
        ("1", 1, to(Behaviour::partial_then_reset("half"), &[])),
        ("1", 1, to(Behaviour::Stall, &["--idle-timeout", "50ms"])),
        ("2", 2, redial(["lab:lesson", "--except", "nonsense"]).run()),
        ("2", 2, redial(["--no-such-flag", "db:1"]).run()),
        ("2", 2, redial(["db"]).run()),
        ("124", 124, to(Outage::Refuse, &["--retry", "forever", "--deadline", "50ms"])),
        ("124", 124, to(Behaviour::Stall, &["--max-time", "50ms"])),
        ("125", 125, redial(["wait", "db"]).run()),
        ("126", 126, then("/etc/passwd")),
        ("127", 127, then("/no/such/command")),
        ("129", 129, interrupted(Signal::HUP)),
        ("130", 130, interrupted(Signal::INT)),
        ("131", 131, interrupted(Signal::QUIT)),
        ("141", 141, reader_left()),
        ("143", 143, interrupted(Signal::TERM)),
        ("N", 0, to(Outage::Refuse, &["--except", "refused: exit 0"])),
        ("N", 255, to(Outage::Refuse, &["--except", "refused: exit 255"])),
        ("N", 42, to(Behaviour::say(LESSON), &["--except", "closed: exit 42"])),
        ("N", 43, to(Behaviour::say(LESSON), &["--else", "exit 43"])),
        ("N", 44, to(Outage::Refuse, &["-t", "50ms", "--retry", "forever", "--except", "deadline: exit 44"])),
    ];
    for (_, status, ran) in &rows {
        assert_eq!(ran.status, Some(*status), "{ran}");
    }
    let happened: BTreeSet<&str> = rows.iter().map(|(name, ..)| *name).collect();
    let printed = redial(["help", "exit"]).run().stdout;
    let is_status = |word: &&str| *word == "N" || word.parse::<u8>().is_ok();
    let table: BTreeSet<&str> =
        printed.lines().filter_map(|line| line.split_whitespace().next()).filter(is_status).collect();
    assert_eq!(happened, table, "{printed}");
}

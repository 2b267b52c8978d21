use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use redial_lab::{Behaviour, Chance, Entry, Lab, Outage, Percent, Script};

use crate::client::{PATIENCE, assert_reset, assert_says, connect};

#[test]
fn two_resets_then_well() {
    let script = Script::new([Behaviour::Reset.times(2), Behaviour::say("well").forever()]);
    let lab = Lab::start(script).unwrap();
    assert_reset(&mut connect(&lab), "");
    assert_reset(&mut connect(&lab), "");
    for _ in 0..3 {
        assert_says(&mut connect(&lab), "well");
    }
    let words: Vec<_> = lab.seen().connections.iter().map(|seen| seen.behaviour).collect();
    assert_eq!(words, ["reset", "reset", "say", "say", "say"]);
}

#[test]
fn a_loop_goes_round_through_an_outage() {
    let lab = Lab::start(Script::looping([
        Behaviour::say("a").times(1),
        Outage::Refuse.lasting(Duration::from_millis(1)),
        Behaviour::say("b").times(1),
    ]))
    .unwrap();
    for expected in ["a", "b", "a", "b"] {
        let mut stream = loop {
            // Refused for 1 ms after each "a".
            match std::net::TcpStream::connect(lab.address()) {
                Ok(stream) => break stream,
                Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
            }
        };
        assert_says(&mut stream, expected);
    }
}

/// What a client saw on one connection, on which it asked.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    heard: Vec<u8>,
    reset: bool,
}

fn ask(lab: &Lab) -> Outcome {
    let mut stream = connect(lab);
    // A reset is told once: to the write, or to the read.
    let asked = stream.write_all(b"ping ping\n");
    let mut heard = Vec::new();
    let read = stream.read_to_end(&mut heard);
    let failures = asked.err().into_iter().chain(read.err());
    let resets = failures.map(|failure| {
        let kind = failure.kind();
        assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{failure}");
    });
    Outcome { heard, reset: resets.count() > 0 }
}

/// A script from a seed. Stalls and outages are not in it: only time can tell them, and they have
/// tests of their own.
fn script_text(seed: u64) -> String {
    const ACTS: [&str; 14] = [
        "ok",
        "close",
        "reset",
        "read-close",
        "read-reset",
        "close-after 5B in",
        "close-after 30B out",
        "reset-after 9B in",
        "reset-after 3B out",
        "truncated",
        "half-close 'bye'",
        "garbage 20B",
        "drip 2B 1ms",
        "delay 1ms slice 3B",
    ];
    let mut state = seed;
    let mut below = |n: u64| {
        // Knuth's linear congruential generator; its high bits are the better ones.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut entries = Vec::new();
    for _ in 0..=below(4) {
        let act = ACTS[below(ACTS.len() as u64) as usize];
        let count = 1 + below(4);
        entries.push(match below(3) {
            0 => format!("{}% {act} {count} seed {}", below(101), below(1_000)),
            1 => format!("{act} {count}"),
            _ => act.to_owned(),
        });
    }
    if below(2) == 0 {
        entries.push("loop".to_owned());
    }
    entries.join(", ")
}

#[test]
fn the_same_script_gives_the_same_faults_twice() {
    let (mut resets, mut kinds) = (0, Vec::new());
    for seed in 0..100 {
        let text = script_text(seed);
        let run = || {
            let script = Script::parse(&text, &Behaviour::say("well, well\n"));
            let lab = Lab::start(script.unwrap_or_else(|error| panic!("{text}: {error}"))).unwrap();
            (0..12).map(|_| ask(&lab)).collect::<Vec<_>>()
        };
        let (first, second) = (run(), run());
        assert_eq!(first, second, "{text}");
        resets += first.iter().filter(|outcome| outcome.reset).count();
        kinds.extend(
            first.into_iter().filter(|outcome| !kinds.contains(outcome)).collect::<Vec<_>>(),
        );
    }
    // Or else this test would show nothing.
    assert!(resets > 100 && kinds.len() >= 10, "{resets} resets, {} outcomes", kinds.len());
}

#[test]
fn a_draw_depends_on_the_seed_and_the_number_alone() {
    let percent = Percent::new(30).unwrap();
    let chance = Chance { percent, seed: 7, otherwise: Behaviour::Close };
    let entry = Behaviour::Reset.forever().with(chance.clone());
    let lab = Lab::start(Script::new([entry])).unwrap();
    // All at once, in whatever order they come.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..25).for_each(|_| drop(connect(&lab))));
        }
    });
    assert!(lab.wait_for_ends(200, PATIENCE));
    for seen in lab.seen().connections {
        let expected = if chance.hits(seen.number) { "reset" } else { "close" };
        assert_eq!(seen.behaviour, expected, "connection {}", seen.number);
    }
    let first: Vec<_> = (0..20).filter(|k| chance.hits(*k)).collect();
    assert_eq!(first, FIRST_OF_SEED_7, "the faults of a seed are for ever");
}

/// Which of the first twenty connections `30% reset seed 7` resets.
const FIRST_OF_SEED_7: [u64; 4] = [1, 5, 8, 10];

#[test]
fn a_draw_counts_connections_of_the_lab_not_of_the_entry() {
    let script = Script::parse("close 4, 30% reset seed 7", &Behaviour::Close).unwrap();
    let lab = Lab::start(script).unwrap();
    for number in 0..20 {
        let hit = number >= 4 && FIRST_OF_SEED_7.contains(&number);
        assert_eq!(ask(&lab).reset, hit, "connection {number}");
    }
}

/// How long it takes until the last of so many clients, who all come at once, has been served.
fn time_for(connections: u64, entry: Entry) -> Duration {
    let start = Instant::now();
    let lab = Lab::start(Script::new([entry])).unwrap();
    let mut streams: Vec<_> = (0..connections).map(|_| connect(&lab)).collect();
    for stream in &mut streams {
        assert_says(stream, "served");
    }
    start.elapsed()
}

#[test]
fn every_accepts_no_faster() {
    for (connections, every) in [(6, Duration::from_millis(20)), (200, Duration::from_micros(500))]
    {
        let entry = Behaviour::say("served").forever().every(every);
        let (time, least) = (time_for(connections, entry), every * (connections as u32 - 1));
        assert!(time >= least, "{time:?} for {least:?}");
    }
}

#[test]
fn every_holds_for_its_entry_alone() {
    let hour = Duration::from_secs(3600);
    let entries = [Behaviour::say("served").times(1).every(hour), Behaviour::say("next").times(3)];
    let lab = Lab::start(Script::new(entries)).unwrap();
    assert_says(&mut connect(&lab), "served");
    for _ in 0..3 {
        assert_says(&mut connect(&lab), "next");
    }
}

#[test]
fn who_has_to_wait_for_every_is_not_accepted_yet() {
    let hour = Duration::from_secs(3600);
    let lab = Lab::start(Script::new([Behaviour::say("served").forever().every(hour)])).unwrap();
    assert_says(&mut connect(&lab), "served");
    let mut second = connect(&lab);
    crate::client::assert_silent(&mut second);
    assert_eq!(lab.seen().totals.connections, 1);
}

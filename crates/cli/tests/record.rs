//! The record, `--json`: real sessions of every sort against the published schema, which allows
//! nothing that it does not describe.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::{collections::BTreeSet, fs, io::Read, time::Duration};

use jsonschema::Validator;
use redial::{Event, Happened, Kind};
use redial_lab::{Behaviour, LESSON, Lab, Outage, Script};
use rustix::process::Signal;
use serde_json::{Value, json};
use support::{Ran, redial};

fn schema() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/record.schema.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

fn session(script: impl Into<Script>, flags: &[&str]) -> Ran {
    let lab = Lab::start(script).unwrap();
    let address = lab.address().to_string();
    redial([&*address, "--json"].into_iter().chain(flags.iter().copied())).silent().run()
}

fn interrupted(signal: Signal) -> Ran {
    let lab = Lab::start(Behaviour::banner(LESSON)).unwrap();
    let mut live = redial([&*lab.address().to_string(), "--json"]).silent().start();
    live.stdout.as_mut().unwrap().read_exact(&mut [0; LESSON.len()]).unwrap();
    live.signal(signal);
    live.end()
}

/// The record stands in the last line, in place of the story.
fn record(ran: &Ran) -> Value {
    let last = ran.stderr.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|_| panic!("{ran}"))
}

#[rustfmt::skip] // a table reads best as one
fn sessions() -> Vec<Ran> {
    let twice = || Script::new([Behaviour::Reset.times(2), Behaviour::say(LESSON).forever()]);
    vec![
        session(Behaviour::say(LESSON), &[]),
        session(Behaviour::say(LESSON), &["--else", "say well, run true", "--receive", "5"]),
        session(Outage::Refuse, &["--except", "refused: retry 3 every 1ms"]),
        session(Outage::Refuse, &["--except", "refused: retry 100 every 1ms, exit 7"]),
        session(Outage::Refuse, &["--retry", "forever,1ms..9ms", "--deadline", "100ms"]),
        session(twice(), &["--retry", "forever,1ms..9ms"]),
        session(Outage::Blackhole, &["--connect-timeout", "50ms"]),
        session(Behaviour::partial_then_reset("half"), &["--send", "hello"]),
        session(Behaviour::Stall, &["--idle-timeout", "50ms"]),
        session(Behaviour::banner("\x1b[2J\x00\u{e9}"), &["--expect", "^220 "]),
        session(Outage::Refuse, &["--except", "refused: diagnose, say '{failure}', stop"]),
        session(Outage::Refuse, &["--except", "refused: run sh -c 'kill -9 $$', run sh -c 'exit 3', run ./none, stop"]),
        session(Outage::Refuse, &["--except", "refused: run sleep 60", "-t", "100ms"]),
        session(Outage::Refuse, &["--except", "refused: run true at most every 1h, retry 1 every 1ms"]),
        redial(["lab:down", "lab:lesson", "--json"]).silent().run(),
        redial(["lab:down", "lab:close", "--except", "refused: drop", "--rounds", "2 every 1ms", "--json"]).silent().run(),
        redial(["lab:tls-self", "--json"]).silent().run(),
        redial(["nonexistent.invalid:80", "--json", "--except", "dns: diagnose, stop"]).silent().run(),
        redial(["unix:/nonexistent/socket", "--json"]).silent().run(),
        redial(["redis://name:hunter2@127.0.0.1:1", "--json", "-4"]).silent().run(),
        interrupted(Signal::INT),
        interrupted(Signal::TERM),
        interrupted(Signal::HUP),
        interrupted(Signal::QUIT),
    ]
}

/// Makes a right record wrong.
type Break = fn(&mut Value);

#[test]
fn every_session_is_recorded_as_the_schema_says() {
    let validator = validator();
    let mut shapes = BTreeSet::new();
    for ran in sessions() {
        let record = record(&ran);
        let errors: Vec<String> =
            validator.iter_errors(&record).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{ran}{errors:#?}");
        assert_eq!(record["exit"].as_i64(), ran.status.map(i64::from), "{ran}");
        for event in record["events"].as_array().unwrap() {
            shapes.insert(shape(event));
        }
    }
    // Half a minute is too long for a test: `a_command_that_was_killed_is_recorded_so`.
    shapes.insert("ran killed".into());
    // Its parent has to ignore SIGCHLD: `promises/signals.rs`.
    shapes.insert("ran unknown".into());
    // Only a wait has it, whose own JSON holds no events; a program that waits gets the record.
    shapes.insert("again".into());
    // A shape that no session has is a shape that nobody has tried.
    let described = described(&schema());
    assert_eq!(shapes, described, "what happened, and what the schema describes");
}

/// `handled retry`, `ran exited`, `over well`, `trying`.
fn shape(event: &Value) -> String {
    let words = [&event["event"], &event["action"], &event["ended"], &event["verdict"]["end"]];
    words.into_iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}

/// Every shape of an event that the schema describes.
fn described(schema: &Value) -> BTreeSet<String> {
    let constant = |variant: &Value, key: &str| variant["properties"][key]["const"].clone();
    let mut shapes = BTreeSet::new();
    for variant in schema["$defs"]["event"]["oneOf"].as_array().unwrap() {
        let mut event = json!({});
        for key in ["event", "action", "ended"] {
            event[key] = constant(variant, key);
        }
        if event["event"] != "over" {
            shapes.insert(shape(&event));
            continue;
        }
        for verdict in schema["$defs"]["verdict"]["oneOf"].as_array().unwrap() {
            event["verdict"] = json!({ "end": constant(verdict, "end") });
            shapes.insert(shape(&event));
        }
    }
    shapes
}

#[test]
fn a_command_that_was_killed_is_recorded_so() {
    let (program, elapsed) = ("sleep".into(), Duration::from_secs(30));
    let event = Event::Ran { program, ran: redial::Ran::Killed, elapsed };
    let killed = serde_json::to_value(Happened { at: elapsed, event }).unwrap();
    assert_eq!(shape(&killed), "ran killed");
    let mut record = record(&session(Behaviour::say(LESSON), &[]));
    let mut killed = killed;
    killed["time"] = record["began"].clone();
    record["events"] = json!([killed]);
    assert!(validator().is_valid(&record), "{record}");
}

#[test]
fn the_schema_knows_every_kind() {
    let known = schema()["$defs"]["kind"]["enum"].clone();
    assert_eq!(known, json!(Kind::ALL.map(Kind::name)));
}

#[test]
fn a_record_that_is_not_as_the_schema_says_is_refused() {
    let validator = validator();
    let right = record(&session(Outage::Refuse, &["--except", "refused: retry 1 every 1ms"]));
    assert!(validator.is_valid(&right));
    let breaks: [(&str, Break); 8] = [
        ("an unknown key", |record| record["extra"] = json!(1)),
        ("no seed", |record| drop(record.as_object_mut().unwrap().remove("seed"))),
        ("another version", |record| record["version"] = json!(2)),
        ("a status of 256", |record| record["exit"] = json!(256)),
        ("an unknown event", |record| record["events"][0]["event"] = json!("rested")),
        ("an unknown key of an event", |record| record["events"][0]["extra"] = json!(1)),
        ("an unknown kind", |record| record["events"][1]["failure"]["kind"] = json!("broken")),
        ("a negative time", |record| record["events"][0]["at"] = json!(-1)),
    ];
    for (name, change) in breaks {
        let mut broken = right.clone();
        change(&mut broken);
        assert!(broken != right && !validator.is_valid(&broken), "{name}: {broken}");
    }
}

#[test]
fn json_is_printed_in_place_of_the_story_and_last() {
    let clause = "refused: say \"a line\", run echo \"a command\", retry 1 every 1ms";
    let ran = session(Outage::Refuse, &["--except", clause]);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    // A command writes where it likes; a line that is said is in the record.
    let [first, second, last] = lines[..] else { panic!("{ran}") };
    assert_eq!((first, second), ("a command", "a command"));
    assert_eq!(ran.stdout, "");
    let record: Value = serde_json::from_str(last).unwrap();
    let said =
        record["events"].as_array().unwrap().iter().filter(|event| event["line"] == "a line");
    assert_eq!(said.count(), 2);
}

#[test]
fn json_to_a_file_leaves_the_story_where_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let lab = Lab::start(Outage::Refuse).unwrap();
    let address = lab.address().to_string();
    let ran = redial([&*address, "--json=record.json"]).within(directory.path()).silent().run();
    assert!(ran.stderr.starts_with("redial: could not connect: "), "{ran}");
    let record = fs::read_to_string(directory.path().join("record.json")).unwrap();
    assert_eq!(record.matches('\n').count(), 1);
    assert!(validator().is_valid(&serde_json::from_str(&record).unwrap()));

    let ran =
        redial([&*address, "--json=no/such/folder.json"]).within(directory.path()).silent().run();
    assert_eq!(ran.status, Some(2), "{ran}");
    assert!(ran.stderr.contains("no/such/folder.json cannot be written"), "{ran}");
}

#[test]
fn a_session_that_retries_for_long_has_a_record_that_is_not() {
    let clause = "refused: retry 300 every 1ms";
    let record = record(&session(Outage::Refuse, &["--except", clause]));
    let events = record["events"].as_array().unwrap();
    assert_eq!(events.len(), 128);
    // Trying, failed, handled: 301 times, and the end.
    assert_eq!(record["between"]["events"], 301 * 3 + 1 - 128);
    let kept = events.iter().filter(|event| event["event"] == "trying").count();
    assert_eq!(record["between"]["attempts"], 301 - kept);
    assert_eq!(events.iter().filter(|event| event["attempt"] == 301).count(), 3);
}

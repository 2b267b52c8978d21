//! JSON: errors as data, wall-clock times, and files that are checked before the work.

use std::fs;

use jsonschema::Validator;
use redial_lab::{Behaviour, Lab};
use serde_json::Value;

use crate::support::{Ran, redial};

fn validator(name: &str) -> Validator {
    let path = format!("{}/../../docs/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

/// The one line of a text, as an error.
fn error(ran: &Ran, text: &str) -> Value {
    let error: Value = serde_json::from_str(text.trim_end()).unwrap_or_else(|_| panic!("{ran}"));
    let broken: Vec<_> = validator("error").iter_errors(&error).map(|it| it.to_string()).collect();
    assert!(broken.is_empty(), "{ran}{broken:#?}");
    assert_eq!(error["exit"].as_i64(), ran.status.map(i64::from), "{ran}");
    error
}

/// Each case has its words, whether the JSON goes to standard output, and the exit status.
#[test]
fn every_verb_reports_its_errors_as_json() {
    for (words, is_the_result, status) in [
        (&["connect", "127.0.0.1:1", "--json", "--retry", "x"][..], false, 2),
        (&["127.0.0.1:1", "--json", "--no-such-flag"], false, 2),
        (&["connect", "127.0.0.1:1", "--json", "--except", "refusd: stop"], false, 2),
        (&["--json", "connect", "127.0.0.1"], false, 2),
        (&["wait", "127.0.0.1", "--json"], true, 125),
        (&["wait", "127.0.0.1", "--json", "--", "true"], false, 125),
        (&["check", "--json", "--except", "refusd: stop"], true, 2),
        (&["check", "--json", "/nonexistent/policy.toml"], true, 2),
        (&["rehearse", "stay", "--json", "--clients", "0"], true, 2),
        (&["rehearse", "sta", "--json"], true, 2),
    ] {
        let ran = redial(words.iter().copied()).silent().run();
        let (json, other) = match is_the_result {
            true => (ran.stdout.clone(), ran.stderr.clone()),
            false => (ran.stderr.clone(), ran.stdout.clone()),
        };
        assert_eq!(ran.status, Some(status), "{ran}");
        assert_eq!(other, "", "{ran}");
        error(&ran, &json);
    }
}

#[test]
fn mistake_in_a_clause_has_line_and_column() {
    let ran = redial(["check", "--json", "--except", "reset: stop; refusd: stop"]).silent().run();
    let error = &error(&ran, &ran.stdout.clone())["error"];
    assert_eq!(error["source"], "--except", "{ran}");
    assert_eq!((&error["line"], &error["column"]), (&1.into(), &14.into()), "{ran}");
    assert_eq!(error["text"], "refusd", "{ran}");
    assert!(error["instead"].as_str().unwrap().contains("refused"), "{ran}");
}

#[test]
fn mistake_in_a_file_has_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    fs::write(&path, "servers = [\"db:5432\"]\nclauses = \"refusd: stop\"\n").unwrap();
    let path = path.to_str().unwrap();
    let ran = redial(["check", "--json", path]).silent().run();
    let error = &error(&ran, &ran.stdout.clone())["error"];
    assert_eq!(error["source"], path, "{ran}");
    assert_eq!((&error["line"], &error["text"]), (&2.into(), &"refusd".into()), "{ran}");
}

#[test]
fn password_beside_a_mistake_is_masked_in_json() {
    let words = ["check", "--json", "--except", "any: run psql --password hunter2, stap"];
    let ran = redial(words).silent().run();
    error(&ran, &ran.stdout.clone());
    assert!(!ran.stdout.clone().contains("hunter2"), "{ran}");
}

#[test]
fn error_goes_to_the_file_and_to_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record.json");
    let flag = format!("--json={}", path.display());
    let ran = redial(["connect", "127.0.0.1", &flag]).silent().run();
    error(&ran, &fs::read_to_string(&path).unwrap());
    assert!(ran.stderr.starts_with("redial: "), "{ran}");
}

/// Entry 30: known before the first attempt, not after the last.
#[test]
fn unwritable_record_is_refused_before_the_dial() {
    let lab = Lab::start(Behaviour::say("hello")).unwrap();
    let address = lab.address().to_string();
    for (verb, status) in [("connect", 2), ("wait", 125)] {
        let ran = redial([verb, &address, "--json=/nonexistent/record.json"]).silent().run();
        assert_eq!(ran.status, Some(status), "{ran}");
        assert!(ran.stderr.contains("/nonexistent/record.json cannot be written"), "{ran}");
        assert_eq!(ran.stdout.clone(), "", "{ran}");
    }
    assert_eq!(lab.seen().totals.connections, 0, "nothing was dialled");
}

#[test]
fn events_have_their_time_of_day() {
    let lab = Lab::start(Behaviour::say("hello")).unwrap();
    let before = seconds_of_today();
    let ran = redial(["connect", &lab.address().to_string(), "--json"]).silent().run();
    let after = seconds_of_today();
    let record: Value = serde_json::from_str(ran.stderr.trim_end()).unwrap();
    let began = of_day(&record["began"]);
    // A day may end between the two.
    assert!(before > after || (before - 1.0 <= began && began <= after + 1.0), "{ran}");
    for event in record["events"].as_array().unwrap() {
        let late = of_day(&event["time"]) - began - event["at"].as_f64().unwrap();
        assert!(late.abs() < 1e-3 || before > after, "{ran}");
    }
}

fn seconds_of_today() -> f64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64() % 86_400.0
}

/// The seconds since midnight of `2026-11-30T05:54:55.123456Z`.
fn of_day(time: &Value) -> f64 {
    let (_, clock) = time.as_str().unwrap().trim_end_matches('Z').split_once('T').unwrap();
    clock.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().unwrap())
}

//! `redial rehearse`, as it is run: what it prints, its exit status, its JSON and its picture.

mod support;

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use serde_json::Value;
use support::{Ran, redial};

fn rehearse<'a>(words: impl IntoIterator<Item = &'a str>) -> Ran {
    redial(["rehearse"].into_iter().chain(words)).run()
}

/// A thousandth of the shipped scenario: the same curve, played at once.
const SMALL: [&str; 6] = ["--scenario", "metastable", "--clients", "1k", "--handshake", "80ms"];

#[test]
fn a_table_a_chart_and_a_sentence_for_each_policy() {
    let words =
        SMALL.into_iter().chain(["stay", "wait-for-it", "any: retry forever every 1s..50s"]);
    let ran = rehearse(words);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran}");
    for line in ran.stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    insta::assert_snapshot!(ran);
}

#[test]
fn other_courses() {
    let directory = tempfile::tempdir().unwrap();
    let file = "clients = 300\n[server]\naccepts = \"100/s\"\n[outage]\nlasts = \"5s\"\n\
                course = \"flapping\"\ntimes = 3\nup = \"10s\"\n";
    fs::write(directory.path().join("flapping.toml"), file).unwrap();
    let flapping = ["rehearse", "--scenario", "flapping.toml", "stay", "grpc"];
    let flapping = redial(flapping).within(directory.path()).run();
    let rolling = rehearse(["--scenario", "rolling", "--clients", "600", "--accepts", "40/s"]);
    let proxy =
        rehearse(["--scenario", "proxy", "--clients", "200", "stay", "wait-for-it", "tower"]);
    insta::assert_snapshot!([flapping, rolling, proxy].map(|ran| ran.to_string()).join("\n"));
}

/// What can be rehearsed and comes to little is said as it is.
#[test]
fn honest_results() {
    let cases: [&[&str]; 7] = [
        &["connect", "any: stop", "backon"],
        &["--retry", "3", "--standing", "connect"],
        &["--retry", "3", "grpc"],
        &["--outage", "0"],
        &["--clients", "1", "--start", "new"],
        &["--accepts", "1/d"],
        &["--down", "ignore", "--connect-timeout", "2"],
    ];
    let said = cases.map(|words| {
        let small = ["--clients", "100", "--accepts", "10/s", "-q"];
        // What is given twice is the case's own.
        let small = small.chunks(2).filter(|flag| !words.contains(&flag[0])).flatten();
        let ran = rehearse(words.iter().chain(small).copied());
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran}");
        ran.to_string()
    });
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn the_same_seed_says_the_same_and_another_does_not() {
    let run = |seed: &'static str| rehearse(SMALL.into_iter().chain(["--json", "--seed", seed]));
    let (first, again, other) = (run("7"), run("7"), run("8"));
    assert_eq!(first.status, Some(0), "{first}");
    assert_eq!(first.stdout, again.stdout);
    assert_ne!(first.stdout, other.stdout);
}

/// A file changes nothing that a flag does not, and a flag changes what the file says.
#[test]
fn a_shipped_scenario_can_be_saved_and_changed() {
    let directory = tempfile::tempdir().unwrap();
    let saved = redial(["help", "metastable"]).run().stdout;
    fs::write(directory.path().join("mine.toml"), saved).unwrap();
    let play = |scenario| {
        let words = SMALL.map(|word| if word == "metastable" { scenario } else { word });
        let words = ["rehearse"].into_iter().chain(words).chain(["-q", "stay", "wait-for-it"]);
        redial(words).within(directory.path()).run().stdout
    };
    assert_eq!(play("metastable"), play("mine.toml"));
    assert!(play("mine.toml").contains("of 1,000 clients"));
}

#[test]
fn policies_come_from_files_verbs_clauses_and_flags() {
    let directory = tempfile::tempdir().unwrap();
    let policy = "servers = [\"db:5432\"]\nclauses = 'any: retry 2 every 1s, stop'\n";
    fs::write(directory.path().join("policy.toml"), policy).unwrap();
    let verdict = |words: &[&str]| {
        let words = ["rehearse", "-q", "--clients", "100"].iter().chain(words).copied();
        redial(words).within(directory.path()).run().stdout
    };
    let gave_up = "does not recover: 100 of 100 clients gave up\n";
    assert_eq!(verdict(&["policy.toml"]), format!("policy.toml: {gave_up}"));
    assert_eq!(verdict(&["--policy", "policy.toml"]), format!("policy.toml: {gave_up}"));
    let clause = "any: retry 2 every 1s, stop";
    assert_eq!(verdict(&[clause]), format!("{clause}: {gave_up}"));
    assert_eq!(verdict(&["--except", clause]), format!("{clause}: {gave_up}"));
    // Flags stand in front of what a file says, and beside what is no policy of redial's.
    assert!(verdict(&["policy.toml", "--retry", "forever"]).contains("recovers: "));
    let beside = verdict(&["wait-for-it", "--except", clause]);
    assert!(beside.contains("wait-for-it: recovers") && beside.contains(gave_up), "{beside}");
    // `wait` is for ever, until its deadline.
    assert!(verdict(&["wait"]).contains("wait: recovers"));
    assert_eq!(verdict(&["wait", "-t", "5"]), format!("wait: {gave_up}"));
}

/// The cap that a verdict names is held to: with it, the same clients are back.
#[test]
fn the_cap_of_a_verdict_would_do() {
    for policy in
        ["wait-for-it", "any: retry forever every 1s", "any: retry forever every 250ms..2s"]
    {
        let fails = rehearse(SMALL.into_iter().chain([policy, "-q"])).stdout.replace("\n  ", " ");
        let (_, cap) = fails.split_once("; a cap of ").unwrap();
        let (cap, _) = cap.split_once(" with jitter would").unwrap();
        let with_it = format!("any: retry forever every 1s..{cap}");
        let limit = ["--recover-within", "2m", "-q"];
        let ran = rehearse(SMALL.into_iter().chain([&*with_it]).chain(limit));
        assert_eq!(ran.status, Some(0), "{fails}\n{ran}");
    }
}

#[test]
fn a_missed_limit_is_named_and_fails() {
    let words = |limits: &[&'static str]| {
        let policies = ["stay", "wait-for-it", "-q"];
        rehearse(SMALL.into_iter().chain(policies).chain(limits.iter().copied()))
    };
    let kept = words(&["--max-peak", "1000/s", "--max-peak", "1000/100ms"]);
    // It keeps to the limits, and never comes back.
    assert_eq!(kept.status, Some(1), "{kept}");
    let missed =
        words(&["--max-peak", "900/s", "--max-peak", "100/100ms", "--recover-within", "20s"]);
    assert_eq!(missed.status, Some(1), "{missed}");
    insta::assert_snapshot!(format!("{kept}\n{missed}"));
    let alone = ["stay", "--max-peak", "200/s", "--recover-within", "60s", "-q"];
    let alone = rehearse(SMALL.into_iter().chain(alone));
    assert_eq!((alone.status, alone.stderr.as_str()), (Some(0), ""), "{alone}");
}

#[test]
fn the_json_is_as_its_schema_says() {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rehearse.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let cases: [&[&str]; 4] = [
        &["--json"],
        &["--json", "stay", "wait-for-it", "connect"],
        &["--json", "--scenario", "rolling", "--accepts", "100/s", "--max-peak", "50/100ms"],
        &["--json", "--max-peak", "100/s", "--recover-within", "1s", "tower"],
    ];
    for words in cases {
        let ran = rehearse(words.iter().copied().chain(["--clients", "300"]));
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0], "{ran}");
        let missed = report["policies"].as_array().unwrap().iter();
        let missed = missed.flat_map(|policy| policy["missed"].as_array().unwrap()).count();
        assert_eq!(ran.status, Some(i32::from(missed > 0)), "{ran}");
    }
    let directory = tempfile::tempdir().unwrap();
    let words = ["rehearse", "--clients", "100", "--json=report.json"];
    let ran = redial(words).within(directory.path()).run();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), ""), "{ran}");
    let report = fs::read_to_string(directory.path().join("report.json")).unwrap();
    assert!(serde_json::from_str::<Value>(&report).is_ok());
}

/// A picture is drawn of every policy, and what they are called cannot break it.
#[test]
fn the_picture_shows_every_policy() {
    let directory = tempfile::tempdir().unwrap();
    let clause = "refused: say \"<&>\", retry forever every 1s";
    let words = ["rehearse", "--svg", "curves.svg", "--clients", "200", "stay", clause, "grpc"];
    let ran = redial(words).within(directory.path()).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran}");
    let picture = fs::read_to_string(directory.path().join("curves.svg")).unwrap();
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"), "{picture}");
    let label = "refused: say &quot;&lt;&amp;&gt;&quot;, retry forever every 1s: ";
    for shown in ["stay: ", label, "grpc: ", "attempts per second", "clients connected"] {
        assert!(picture.contains(shown), "{shown}\n{picture}");
    }
    // Two curves for each, and nothing that is no number.
    assert_eq!(picture.matches("stroke-width=\"1.75\"").count(), 6);
    assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
}

/// The picture in the README is what the command below it draws: `UPDATE_DOCS=1` draws it anew.
#[test]
fn the_picture_of_the_documentation_is_drawn_by_its_command() {
    let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rehearse/metastable.svg");
    let directory = tempfile::tempdir().unwrap();
    let words = "rehearse stay wait-for-it --scenario metastable --svg metastable.svg";
    let ran = redial(words.split(' ')).within(directory.path()).run();
    assert_eq!(ran.status, Some(0), "{ran}");
    let drawn = fs::read_to_string(directory.path().join("metastable.svg")).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(picture, &drawn).unwrap();
    }
    assert!(drawn == fs::read_to_string(picture).unwrap(), "UPDATE_DOCS=1 draws {picture} anew");
}

/// A file that cannot be written is no reason to wait for a run first.
#[test]
fn files_are_tried_before_the_run() {
    let words = ["--svg", "/dev/null/x.svg", "--clients", "10M", "--outage", "10m"];
    let ran = rehearse(words);
    assert_eq!(ran.status, Some(2), "{ran}");
}

/// Of a run that would take minutes the first that is said is how long.
#[test]
fn a_long_run_says_how_long_first() {
    let mut run = Command::new(env!("CARGO_BIN_EXE_redial"))
        .args(["rehearse", "any: retry forever every 1ms", "--clients", "20k", "--outage", "1m"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(run.stderr.take().unwrap()).read_line(&mut said).unwrap();
    run.kill().unwrap();
    run.wait().unwrap();
    let expected = "redial: any: retry forever every 1ms: some ";
    assert!(said.starts_with(expected) && said.contains(" attempts, about "), "{said}");
}

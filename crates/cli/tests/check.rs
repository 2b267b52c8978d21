//! `redial check`, as it is run: what it prints, its exit status, its JSON, and that what it prints
//! as a file is the same policy.

mod support;

use std::fs;

use serde_json::Value;
use support::{Ran, redial};

fn check<'a>(words: impl IntoIterator<Item = &'a str>) -> Ran {
    redial(["check"].into_iter().chain(words)).run()
}

const POLICY: &str = r#"
servers = ["db1.internal:5432", "db2.internal:5432"]
deadline = "2m"
rounds = 2
finally = "run ./cleanup"
clauses = '''
refused, dns-temporary: retry 10 every 250ms..30s, next
transient if fresh: retry 3, run ./page "db is down" at most every 5m, retry forever every 15s..30s
any: say "{server}: {failure}", stop
'''
[limits]
connect = "2s"
"#;

#[test]
fn a_policy_with_its_schedules() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("policy.toml"), POLICY).unwrap();
    let ran = redial(["check", "policy.toml"]).within(directory.path()).run();
    assert_eq!(ran.status, Some(0));
    insta::assert_snapshot!(ran);
}

#[test]
fn what_retry_stands_for() {
    let ran = check(["--retry", "10"]);
    assert_eq!(ran.status, Some(0));
    insta::assert_snapshot!(ran);
}

#[test]
fn other_schedules() {
    let cases = [
        &["--retry", "forever,100ms..5s"][..],
        &["--except", "any: next", "--rounds", "forever", "-q"],
        &["--except", "any: next", "--rounds", "3 every 1s"],
        &["--except", "refused: retry 4 every 2s", "--deadline", "5s"],
        &["--except", "refused: retry 6 every 1s..4s", "-v"],
        &["--except", "refused: retry 4000000000 every 1s"],
        &["--except", "any: stop", "--only"],
        &["--only"],
    ];
    let said: Vec<String> =
        cases.map(|words| check(words.iter().copied()).to_string()).into_iter().collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn warnings_are_one_line_each_and_strict_counts_them() {
    let words = [
        "--except",
        "any: retry forever every 30s, next",
        "--except",
        "refused: stop",
        "--except",
        "reset: retry 3 every 2m..5m",
        "--deadline",
        "10s",
    ];
    let quiet = check(words.into_iter().chain(["-q"]));
    assert_eq!(quiet.status, Some(0));
    insta::assert_snapshot!(quiet);
    assert_eq!(check(words.into_iter().chain(["--strict"])).status, Some(1));
    assert_eq!(check(["--retry", "10", "--strict"]).status, Some(0));
}

/// Each line is one danger: the words that have it, then words near them that have not.
#[test]
fn every_danger_in_its_own_words() {
    let cases: [(&[&str], &[&str]); 13] = [
        (&["any if fresh: next; refused: retry 3"], &["refused: retry 3; any if fresh: next"]),
        (&["unavailable: retry 3"], &["unavailable: retry 3", "--as", "smtp"]),
        (&["refused: retry forever, diagnose, stop"], &["refused: retry 9, diagnose, stop"]),
        (&["any: drop, stop"], &["any: drop, stop", "--rounds", "3"]),
        (&["any: retry 3, run ./page, exit 75"], &["connect: retry 3, run ./page, exit 75"]),
        (&["closed: retry forever"], &["closed: say bye, stop"]),
        (&["refused: retry forever every 1m"], &["refused: retry forever every 1m..1m"]),
        (
            &["refused: retry 3, retry forever every 30s"],
            &["refused: retry 9, retry forever every 30s"],
        ),
        (
            &["refused: retry 20 every 1s..9s jitter none"],
            &["refused: retry 3 every 1s..9s jitter none"],
        ),
        (
            &["refused: retry forever every 500ms jitter full"],
            &["refused: retry forever every 500ms jitter full", "--deadline", "5m"],
        ),
        (
            &["refused: retry 3 every 20s..1m", "--deadline", "10s"],
            &["refused: retry 3 every 20s..1m", "--deadline", "11s"],
        ),
        (
            &["refused: retry 3 every 1s", "--deadline", "1h"],
            &["refused: retry forever", "--deadline", "1h"],
        ),
        (
            &["any if fresh: retry 3", "--healthy-after", "20ms"],
            &["any if fresh: retry 3", "--healthy-after", "10s"],
        ),
    ];
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("policy.toml"), "servers = 'db.internal:5432'\n").unwrap();
    let check = |words: &[&str]| {
        let words =
            ["check", "policy.toml", "-q", "--strict", "--except"].iter().chain(words).copied();
        redial(words).within(directory.path()).run()
    };
    let mut said = String::new();
    for (has, has_not) in cases {
        let ran = check(has);
        assert_eq!((ran.status, ran.stdout.lines().count()), (Some(1), 1), "{ran}");
        said += &format!("{}\n{}", has.join(" "), ran.stdout);
        let near = check(has_not);
        assert_eq!((near.status, near.stdout.as_str()), (Some(0), ""), "{near}");
    }
    insta::assert_snapshot!(said);
}

/// What is taught, and what the verbs do by themselves, is clean.
#[test]
fn nothing_that_redial_says_itself_is_dangerous() {
    for verb in ["connect", "stay", "wait", "gone"] {
        let ran = check(["--standing", verb, "--strict"]);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran}");
    }
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/clauses.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks = page.split("```clauses\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let examples: Vec<&str> = blocks.filter(|block| !block.starts_with('#')).collect();
    assert!(examples.len() > 5);
    for example in examples {
        let ran = check(["--strict", "-q", "--except", example]);
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), ""), "{ran}");
    }
}

/// The law: the smallest cap with which so many clients ask no more often than the server takes.
#[test]
fn a_crowd_is_told_the_cap_it_needs() {
    let cases: [(&[&str], &[&str]); 6] = [
        // 4N/3C with `equal`, 2N/C with `full`.
        (&["--rounds", "forever"], &["--rounds", "forever every 250ms..67s"]),
        (
            &["--rounds", "forever every 1s..99s jitter full"],
            &["--rounds", "forever every 1s..100s jitter full"],
        ),
        (&["--retry", "forever"], &["--retry", "forever,250ms..67s"]),
        (
            &["--except", "refused: retry 5, retry forever every 1s..30s"],
            &["--except", "refused: retry 5, retry forever every 1s..2m"],
        ),
        (&["--rounds", "forever", "--clients", "1M", "--accepts", "1/s"], &["--retry", "10"]),
        (
            &["--standing", "wait"],
            &["--standing", "wait", "--only", "--except", "any: retry forever every 250ms..67s"],
        ),
    ];
    let check = |words: &[&str]| {
        let crowd: &[&str] = match words.contains(&"--clients") {
            true => &[],
            false => &["--clients", "100k", "--accepts", "2000/s"],
        };
        check(["-q", "--strict"].iter().chain(words).chain(crowd).copied())
    };
    let mut said = String::new();
    for (has, has_not) in cases {
        let ran = check(has);
        assert_eq!(ran.status, Some(1), "{ran}");
        let warned = if ran.stderr.is_empty() { &ran.stdout } else { &ran.stderr };
        said += &format!("{}\n{warned}", has.join(" "));
        let near = check(has_not);
        assert_eq!((near.status, near.stderr.as_str()), (Some(0), ""), "{near}");
    }
    insta::assert_snapshot!(said);
}

/// A server whose handshakes are slow, and clients that wait 5 s for one and ask again at once.
#[test]
fn a_crowd_that_never_comes_back_is_found_by_rehearsing() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("policy.toml"), "servers = 'tls://db.internal:5432'\n")
        .unwrap();
    let check = |pause: &str| {
        let clause = format!("transient: retry forever every {pause}");
        let words = ["check", "policy.toml", "-q", "--clients", "20k", "--accepts", "200/s"];
        redial(words).arg("--except").arg(&clause).within(directory.path()).run()
    };
    insta::assert_snapshot!(check("1s..2s"));
    assert_eq!(check("1s..2m14s").stdout, "");
}

#[test]
fn half_a_crowd_is_a_mistake() {
    let said = [
        &["--retry", "1", "--clients", "100k"][..],
        &["--retry", "1", "--accepts", "2000/s"],
        &["--retry", "1", "--clients", "0", "--accepts", "1/s"],
        &["--retry", "1", "--clients", "5", "--accepts", "0/s"],
        &["--retry", "1", "--clients", "some", "--accepts", "5"],
    ]
    .map(|words| {
        let ran = check(words.iter().copied());
        assert_eq!(ran.status, Some(2), "{ran}");
        ran.to_string()
    });
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn several_files_and_standard_input() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.toml"), "clauses = 'any: stop'\n").unwrap();
    fs::write(directory.path().join("b.toml"), "rounds = 3\n").unwrap();
    let ran = redial(["check", "a.toml", "b.toml"]).within(directory.path()).run();
    assert_eq!(ran.status, Some(0));
    insta::assert_snapshot!(ran);
    let ran = redial(["check", "-"]).input("clauses = 'conection: stop'\n").run();
    assert_eq!(ran.status, Some(2));
    assert!(ran.stderr.contains("the nearest is `connect`"), "{ran}");
}

/// What `--standing` prints can be saved and checked, and printing that again changes nothing.
#[test]
fn a_standing_policy_means_the_same_when_it_is_read() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("policy.toml"), POLICY).unwrap();
    let cases: [&[&str]; 6] = [
        &["--standing", "connect"],
        &["--standing", "stay"],
        &["--standing", "wait"],
        &["--standing", "connect", "policy.toml"],
        &["--standing", "stay", "--retry", "3", "--idle-timeout", "9s", "--expect", "^220 \\x41"],
        &["--standing", "connect", "--except", "any: say \"it's '''\\n\"", "--send", "PING\\r\\n"],
    ];
    for words in cases {
        let standing = |words: &[&str]| {
            let ran = redial(["check"].iter().chain(words).copied()).within(directory.path()).run();
            assert_eq!(ran.status, Some(0), "{ran}");
            ran
        };
        let first = standing(words);
        fs::write(directory.path().join("saved.toml"), &first.stdout).unwrap();
        let checked = redial(["check", "saved.toml"]).within(directory.path()).run();
        assert_eq!(checked.status, Some(0), "{checked}");
        assert_eq!(checked.stderr, "", "{checked}");
        let again = standing(&["--standing", words[1], "saved.toml"]);
        assert_eq!(again.stdout, first.stdout);
    }
    insta::assert_snapshot!(check(["--standing", "stay", "--retry", "3"]).stdout);
}

#[test]
fn the_json_is_as_its_schema_says() {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/check.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("policy.toml"), POLICY).unwrap();
    let cases: [&[&str]; 6] = [
        &["--rounds", "forever every 1s", "--deadline", "1ms"],
        &["--rounds", "forever", "--clients", "100k", "--accepts", "2000/s"],
        &["--retry", "10"],
        &["policy.toml"],
        &["policy.toml", "policy.toml", "--except", "any: retry forever every 1s, stop"],
        &["--except", "any: stop"],
    ];
    for words in cases {
        let words = ["check", "--json"].iter().chain(words).copied();
        let ran = redial(words).within(directory.path()).run();
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran}");
        for line in ran.stdout.lines() {
            let report: Value = serde_json::from_str(line).unwrap();
            let errors: Vec<String> =
                validator.iter_errors(&report).map(|error| error.to_string()).collect();
            assert_eq!(errors, [""; 0], "{line}");
        }
    }
    let words = ["check", "--retry", "3", "--json=report.json"];
    let ran = redial(words).within(directory.path()).run();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), ""));
    let report = fs::read_to_string(directory.path().join("report.json")).unwrap();
    insta::assert_snapshot!(report);
}

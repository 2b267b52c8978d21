//! Bad input: each piece of it gets one clear message, status 2, and nothing on standard output.
//!
//! The snapshots hold every message, to be read by people. A new piece of bad input is a line in
//! one of the lists.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::fs;

use support::{Ran, redial};

/// Runs each, checks what holds for all, and returns what was said.
fn all<'a>(cases: impl IntoIterator<Item = Vec<&'a str>>) -> String {
    let directory = policies();
    let said = |words: Vec<&str>| {
        let ran = redial(words).within(directory.path()).run();
        is_a_mistake(&ran);
        ran.to_string()
    };
    cases.into_iter().map(said).collect::<Vec<_>>().join("\n")
}

fn is_a_mistake(ran: &Ran) {
    assert_eq!(ran.status, Some(2), "{ran}");
    if ran.shown.split(' ').any(|word| word == "--json") {
        let text = format!("{}{}", ran.stdout, ran.stderr);
        assert!(text.starts_with("{\"version\":1,\"exit\":2,\"error\":{"), "{ran}");
        assert_eq!(text.lines().count(), 1, "{ran}");
    } else {
        assert_eq!(ran.stdout, "", "{ran}");
        assert!(ran.stderr.starts_with("redial: "), "{ran}");
    }
    assert!(!ran.stderr.contains("panicked"), "{ran}");
    // A message is for reading: 10 MB of garbage or a very long name is not repeated. The names of
    // the practice servers, a line each, are all there are.
    let limit = if ran.stderr.contains("here are:\n  lab:") { 4_000 } else { 2_000 };
    assert!(ran.stderr.len() < limit, "{ran}");
}

/// A directory with policy files that are wrong, each in its own way.
fn policies() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let files: [(&str, &[u8]); 19] = [
        ("key.toml", b"deadlin = \"2m\"\n"),
        ("limit-key.toml", b"deadline = \"2m\"\n\n[limits]\nconect = \"5s\"\n"),
        ("below-a-table.toml", b"[limits]\nconnect = \"5s\"\ndeadline = \"2m\"\n"),
        ("limit-on-top.toml", b"connect = \"5s\"\n"),
        ("unit.toml", b"deadline = \"2mins\"\n"),
        ("bare.toml", b"deadline = 30\n"),
        (
            "clause.toml",
            b"servers = [\"db:5432\"]\nclauses = '''\nrefused: retry 10\nconection: stop\n'''\n",
        ),
        ("no-servers.toml", b"servers = []\n"),
        ("port.toml", b"servers = [\"db1:5432\", \"db2:70000\"]\n"),
        ("not.toml", b"servers: [db1:5432]\n"),
        ("latin1.toml", b"else = \"say 'caf\xe9'\"\n"),
        ("nowhere.toml", b"clauses = 'any: stop'\n"),
        ("zero.toml", b"deadline = \"0s\"\n"),
        ("recipe.toml", b"as = \"postgers\"\n"),
        ("lasts.toml", b"[outage]\nlasts = \"nan\"\n"),
        ("serverless.toml", b"server = []\n"),
        ("short.toml", b"run = \"20s\"\n"),
        ("unlike.toml", b"[[server]]\n[[server]]\ncores = 2\n"),
        ("quotes.toml", "else = “say done”\n".as_bytes()),
    ];
    for (name, content) in files {
        fs::write(directory.path().join(name), content).unwrap();
    }
    fs::write(directory.path().join("long-line.toml"), "x".repeat(500_000)).unwrap();
    fs::create_dir(directory.path().join("directory")).unwrap();
    let mut state = 1_u32;
    let garbage: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(10_000_000)
    .collect();
    fs::write(directory.path().join("garbage"), &garbage).unwrap();
    fs::write(directory.path().join("short-garbage"), &garbage[..1000]).unwrap();
    directory
}

#[test]
fn clauses() {
    let clauses = [
        "conection: retry 10",
        "wombat: retry 10",
        "retry 10",
        "refused: sleep 5",
        "refused: rerty 10",
        "refused: wombat",
        "refused: retry 10 every 5",
        "refused: retry 10 every 5 s",
        "refused: retry 10 every 5sec",
        "refused: retry 10 every 30s..250ms",
        "refused: retry 10 every 0s..1s",
        "refused: retry 10 every 1s..9s x0.5",
        "refused: retry 10 every 1s..9s jitter some",
        "refused: say \"{sever} is down\"",
        "refused: say \"{server is down\"",
        "refused: say \"it is down",
        "refused retry 10",
        "refused reset: stop",
        "refused:",
        "refused",
        "refused: retry",
        "refused: retry 0",
        "refused: retry ten",
        "refused: retry -1",
        "refused: stop, retry 3",
        "refused: exit 1, stop",
        "refused: exit 300",
        "refused: run",
        "refused: retry 10 next",
        "refused: say “it is down”",
        "refused if fersh: next",
        "refused if: next",
        "deadline: retry 3",
        "interrupted: next",
        ": stop",
        "refused: retry 10, , next",
        "refused: retry 10\nconection: stop",
    ];
    insta::assert_snapshot!(all(clauses.map(|clause| vec!["check", "--except", clause])));
}

#[test]
fn policy_files() {
    let files = [
        "key.toml",
        "limit-key.toml",
        "below-a-table.toml",
        "limit-on-top.toml",
        "unit.toml",
        "bare.toml",
        "clause.toml",
        "no-servers.toml",
        "port.toml",
        "not.toml",
        "latin1.toml",
        "zero.toml",
        "recipe.toml",
        "quotes.toml",
        "long-line.toml",
        "directory",
        "garbage",
        "short-garbage",
        "none.toml",
        "",
    ];
    insta::assert_snapshot!(all(files.map(|file| vec!["check", file])));
}

#[test]
fn servers() {
    let long = "a".repeat(300);
    let long = format!("{long}:5432");
    let servers = [
        "db",
        "db:0",
        "db:70000",
        "db:http",
        "db:",
        ":5432",
        "[::1",
        "[::1]",
        "::1:5432",
        "5432",
        &long,
        "postgre://db",
        "db:5432:1",
        "user@db:5432",
        "/run/app.sock",
        "db 1:5432",
        "https://",
        "db:5432/app",
        "lab:22x",
        "env:NOT_THERE",
        "conect",
        "",
        "refused: retry 3",
        "db:5432,",
    ];
    let mut cases: Vec<Vec<&str>> = servers.map(|server| vec!["connect", server]).into();
    cases.extend([
        vec!["connect"],
        vec!["relay", "db:5432"],
        vec!["conect", "db:5432"],
        vec!["db", "70000"],
        vec!["db:x"],
    ]);
    insta::assert_snapshot!(all(cases));
}

#[test]
fn flags() {
    let cases = [
        vec!["connect", "db:5432", "--except", "refused: retry 3", "reset: next"],
        vec!["connect", "db:5432", "--except"],
        vec!["connect", "-z", "db", "5432"],
        vec!["connect", "-w", "3", "db", "5432"],
        vec!["connect", "-w3", "db", "5432"],
        vec!["-zv", "db", "5432"],
        vec!["connect", "-l", "5432"],
        vec!["connect", "db:5432", "--dedline", "5s"],
        vec!["connect", "db:5432", "--json", "--json"],
        vec!["connect", "db:5432", "-q", "-v"],
        vec!["connect", "db:5432", "-4", "-6"],
        vec!["connect", "db:5432", "--cert", "me.pem"],
        vec!["connect", "db:5432", "--deadline", "5 parsecs"],
        vec!["connect", "db:5432", "--deadline", "-1"],
        vec!["connect", "db:5432", "--retry", "0"],
        vec!["connect", "db:5432", "--retry", "often"],
        vec!["connect", "db:5432", "--retry", "10,30s..1s"],
        vec!["connect", "db:5432", "--retry"],
        vec!["connect", "db:5432", "--rounds", "0"],
        vec!["connect", "db:5432", "--else", "retry 3"],
        vec!["connect", "db:5432", "--finally", "next"],
        vec!["connect", "db:5432", "--expect", "/[/"],
        vec!["connect", "db:5432", "--expect", ""],
        vec!["connect", "db:5432", "--send", "\\q"],
        vec!["connect", "db:5432", "--send", "@none"],
        vec!["connect", "db:5432", "--send", "env:NOT_THERE"],
        vec!["connect", "db:5432", "--receive", "0"],
        vec!["connect", "db:5432", "--receive", "1 potato"],
        vec!["connect", "db:5432", "--bind", "eth0"],
        vec!["connect", "db:5432", "--half-close", "maybe"],
        vec!["connect", "db:5432", "--policy", "none.toml"],
        vec!["connect", "--policy", "directory"],
        vec!["connect", "--policy", "nowhere.toml"],
        vec!["connect", "tls://127.0.0.1:1", "--ca", "none.pem"],
    ];
    insta::assert_snapshot!(all(cases));
}

#[test]
fn check() {
    let cases = [
        vec!["check"],
        vec!["check", "db:5432"],
        vec!["check", "lab:late"],
        vec!["check", "postgres://app:secret@db/x"],
        vec!["check", "refused: retry 3"],
        vec!["check", "connect"],
        vec!["check", "--standing"],
        vec!["check", "--standing", "help"],
        vec!["check", "--standing", "conect"],
        vec!["check", "--standing", "wombat"],
        vec!["check", "--standing", "connect", "--json"],
        vec!["check", "--stricd"],
        vec!["check", "key.toml", "clause.toml"],
    ];
    insta::assert_snapshot!(all(cases));
}

#[test]
fn rehearse() {
    let cases = [
        vec!["--clients", "0"],
        vec!["--clients", "10G"],
        vec!["--clients", "-5"],
        vec!["--clients", "nan"],
        vec!["--clients", "1e5"],
        vec!["--accepts", "0/s"],
        vec!["--accepts", "2000"],
        vec!["--accepts", "inf/s"],
        vec!["--outage", "NaN"],
        vec!["--outage", "400d"],
        vec!["--outage", "10m", "--until", "5m"],
        vec!["--backlog", "0"],
        vec!["--backlog", "5G"],
        vec!["--servers", "0"],
        vec!["--servers", "5000"],
        vec!["--delay", "2s"],
        vec!["--delay", "80ms..5ms"],
        vec!["--load", "1ms"],
        vec!["--down", "explode"],
        vec!["--seed", "-1"],
        vec!["--max-peak", "3000/m"],
        vec!["--max-peak", "0/s"],
        vec!["--recover-within", "0"],
        vec!["--scenario", "hurd"],
        vec!["--scenario", "wombat"],
        vec!["--scenario", "none.toml"],
        vec!["--scenario", "directory"],
        vec!["--scenario", "garbage"],
        vec!["--scenario", "limit-on-top.toml"],
        vec!["--scenario", "lasts.toml"],
        vec!["--scenario", "serverless.toml"],
        vec!["--scenario", "short.toml"],
        vec!["--scenario", "unlike.toml", "--servers", "2"],
        vec!["herd"],
        vec!["grcp"],
        vec!["wombat"],
        vec![""],
        vec!["db:5432"],
        vec!["postgres://app:secret@db/x"],
        vec!["lab:late"],
        vec!["none.toml"],
        vec!["key.toml"],
        vec!["refused: rerty 3"],
        vec!["any: retry forever every 1ms", "--outage", "1d"],
        vec!["--standing", "relay"],
        vec!["--except", "conection: stop"],
        vec!["--svg", "none/x.svg"],
        vec!["--json=none/x"],
        vec!["--clinets", "5"],
        vec!["stay"; 13],
    ];
    let cases = cases.map(|words| [vec!["rehearse"], words].concat());
    insta::assert_snapshot!(all(cases));
}

#[test]
fn serve() {
    let cases = [
        vec!["serve", "70000"],
        vec!["serve", "127.0.0.1"],
        vec!["serve", "localhost:http"],
        vec!["serve", "::1"],
        vec!["serve", "192.0.2.1:0"],
        vec!["serve", "name.invalid:80"],
        vec!["serve", "unix:/run/x.sock"],
        vec!["serve", "tls://127.0.0.1:0"],
        vec!["serve", "postgres://app:secret@db"],
        vec!["serve", "lab:late"],
        vec!["serve", ""],
        vec!["serve", "127.0.0.1", "0"],
        vec!["serve", "--say", "@none"],
        vec!["serve", "--say", "@/dev/zero"],
        vec!["serve", "--say", "@directory"],
        vec!["serve", "--say", "\\q"],
        vec!["serve", "--say", "x", "--echo"],
        vec!["serve", "--as", "redus"],
        vec!["serve", "--as", "redis:loading"],
        vec!["serve", "--tls", "expird"],
        vec!["serve", "--tls", "wombat"],
        vec!["serve", "--cert", "key.toml"],
        vec!["serve", "--cert", "none.pem", "--key", "none.pem"],
        vec!["serve", "--cert", "key.toml", "--key", "key.toml"],
        vec!["serve", "--cert", "garbage", "--key", "garbage"],
        vec!["serve", "--tls", "expired", "--cert", "key.toml", "--key", "key.toml"],
        vec!["serve", "--ca-out", "ca.pem"],
        vec!["serve", "--tls", "--ca-out", "none/ca.pem"],
        vec!["serve", "--tls", "--client-out", "client.pem"],
        vec!["serve", "--log", "none/log"],
        vec!["serve", "--log", "directory"],
        vec!["serve", "--connections", "0"],
        vec!["serve", "--connections", "many"],
        vec!["serve", "--max-connections", "0"],
        vec!["serve", "--backlog", "70000"],
        vec!["serve", "-q", "-v"],
        vec!["serve", "-l", "5432"],
        vec!["serve", "--port=5432"],
        vec!["serve", "--host", "0.0.0.0"],
        vec!["serve", "--scirpt", "ok"],
    ];
    insta::assert_snapshot!(all(cases));
}

#[test]
fn scripts() {
    let scripts = [
        "",
        "rest 2, ok",
        "ok 5, loop, reset",
        "130% reset",
        "reset 2s",
        "refuse 3",
        "refuse, ok",
        "close-after 100 in",
        "delay, ok",
        "reset seed 7",
        "as redus",
        "tls-expird",
        "say \"no end",
        "ok,, reset",
        "@none",
        "@garbage",
        "@directory",
    ];
    insta::assert_snapshot!(all(scripts.map(|script| vec!["serve", "--script", script])));
}

/// A script that can never end is no mistake, unless it is to end.
#[test]
fn scripts_that_never_end() {
    let cases = [("refuse", "1"), ("reset 2, refuse", "3"), ("refuse 1s, blackhole 1s, loop", "1")];
    let words =
        cases.map(|(script, number)| vec!["serve", "--script", script, "--connections", number]);
    insta::assert_snapshot!(all(words));
}

#[test]
fn labs() {
    let cases = [vec!["lab:lat"], vec!["lab:wombat"], vec!["lab:"], vec!["db:1,lab:lat"]];
    insta::assert_snapshot!(all(cases));
    for words in [vec!["serve"], vec!["lab:late"], vec!["connect", "db:1", "lab:late"]] {
        let ran = redial(words).env("REDIAL_NO_LAB", "1").run();
        is_a_mistake(&ran);
        assert!(ran.stderr.contains("not allowed here (REDIAL_NO_LAB is set)"), "{ran}");
    }
}

#[test]
fn help() {
    let cases = [vec!["help", "wombat"], vec!["help", "refusd"], vec!["help", "clause"]];
    insta::assert_snapshot!(all(cases));
}

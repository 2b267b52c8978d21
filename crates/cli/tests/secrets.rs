//! A password is in no output: of any verb, at any verbosity, well-formed or not.
//!
//! Each case plants one and looks for it in everything that leaves the process: standard output,
//! standard error, and the file of `--json=FILE`.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::{fs, path::Path};

use redial_lab::{Behaviour, Lab};
use support::{Run, redial};

const PASSWORD: &str = "s3cr3tpw";

/// Every way to say more or less.
const VOLUMES: [&[&str]; 5] = [&["-q"], &[], &["-v"], &["--json"], &["--json=report.json"]];

/// Servers with a password, right and wrong. Nothing listens on port 1.
const SERVERS: [&str; 16] = [
    "postgres://u:s3cr3tpw@127.0.0.1:1/db",
    "redis://:s3cr3tpw@127.0.0.1:1",
    "postgres://127.0.0.1:1/db?password=s3cr3tpw",
    "http://127.0.0.1:1/?token=s3cr3tpw&x=1",
    "postgres://u:s3cr3tpw@127.0.0.1:1/db,redis://:s3cr3tpw@127.0.0.1:1",
    "nats://s3cr3tpw@127.0.0.1:1",
    "env:DATABASE_URL",
    // Wrong in one way each.
    "postgres://u:s3cr3tpw@127.0.0.1:99999/db",
    "postgres://u:s3cr3tpw@[::1/db",
    "postgres://u:a/s3cr3tpw@127.0.0.1:1/db",
    "postgre://u:s3cr3tpw@127.0.0.1:1/db",
    "u:s3cr3tpw@127.0.0.1:1",
    "u:s3cr3tpw@127.0.0.1",
    "postgres://u:s3cr3tpw@127.0.0.1:1/db?sslmode=maybe",
    "postgres://u:s3cr3tpw @127.0.0.1:1/db",
    "postgres:u:s3cr3tpw@127.0.0.1:1/db",
];

fn silent(run: Run, directory: &Path) {
    let url = "postgres://u:s3cr3tpw@127.0.0.1:1/db";
    let ran = run.within(directory).env("DATABASE_URL", url).env("AUTH", PASSWORD).run();
    let report = fs::read_to_string(directory.join("report.json")).unwrap_or_default();
    let said = format!("{}{}{report}", ran.stdout, ran.stderr);
    assert!(!said.contains(PASSWORD), "{ran}{report}");
    assert!(!said.contains("panicked"), "{ran}");
    assert!(!said.is_empty(), "{ran}");
}

fn everywhere<'a>(cases: impl IntoIterator<Item = Vec<&'a str>>) {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in FILES {
        fs::write(directory.path().join(name), content).unwrap();
    }
    for words in cases {
        for volume in VOLUMES {
            let words = words.iter().chain(volume).copied();
            silent(redial(words), directory.path());
        }
    }
}

/// Policy files with a password, right and wrong.
const FILES: [(&str, &str); 8] = [
    ("policy.toml", "servers = [\"postgres://u:s3cr3tpw@127.0.0.1:1/db\"]\n"),
    ("bad-port.toml", "servers = [\"postgres://u:s3cr3tpw@127.0.0.1:99999/db\"]\n"),
    ("bad-list.toml", "servers = [\n  'redis://:s3cr3tpw@127.0.0.1:1',\n  'db',\n]\n"),
    ("bad-toml.toml", "servers = [\"redis://:s3cr3tpw@127.0.0.1:1\"\ndeadline = \"2m\"\n"),
    ("bad-line.toml", "servers: postgres://u:s3cr3tpw@127.0.0.1:1/db\n"),
    ("bad-key.toml", "server = [\"postgres://u:s3cr3tpw@127.0.0.1:1/db\"]\n"),
    ("odd-key.toml", "\"postgres://u:s3cr3tpw@127.0.0.1:1/db\" = 1\n"),
    (
        "clause.toml",
        "servers = '127.0.0.1:1'\nclauses = '''\nany: run psql postgres://u:s3cr3tpw@h/db, stpo\n'''\n",
    ),
];

#[test]
fn of_a_server() {
    everywhere(SERVERS.map(|server| vec!["connect", server]));
    everywhere(SERVERS.map(|server| vec![server, "--retry", "1,1ms..1ms"]));
}

#[test]
fn of_a_server_that_is_waited_for() {
    everywhere(SERVERS.map(|server| vec!["wait", server, "--once"]));
    everywhere(SERVERS.map(|server| vec!["wait", server, "127.0.0.1:1", "-t", "50ms"]));
    everywhere(SERVERS.map(|server| vec!["wait", server, "--gone", "-t", "500ms"]));
    let directory = tempfile::tempdir().unwrap();
    for server in SERVERS {
        for volume in VOLUMES {
            let words = ["wait", "-t", "50ms"].into_iter().chain(volume.iter().copied());
            silent(redial(words).env("WAIT_HOSTS", server), directory.path());
        }
    }
}

/// Ready, not ready, and a server that says all that it hears.
#[test]
fn of_a_server_that_answers() {
    let answers = [
        Behaviour::banner("-NOAUTH Authentication required.\r\n"),
        Behaviour::banner("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        Behaviour::banner("-LOADING\r\n"),
        Behaviour::Echo,
        Behaviour::Close,
    ];
    for answer in answers {
        let lab = Lab::start(answer).unwrap();
        let at = lab.address();
        let servers = [
            format!("redis://u:s3cr3tpw@{at}"),
            format!("postgres://u:s3cr3tpw@{at}/db"),
            format!("http://u:s3cr3tpw@{at}/?token=s3cr3tpw"),
            format!("mongodb://u:s3cr3tpw@{at}/db"),
            format!("mysql://u:s3cr3tpw@{at}/db"),
            format!("nats://s3cr3tpw@{at}"),
        ];
        let command = ["--", "/bin/sh", "-c", "echo \"ready: $REDIAL_READY\""];
        let directory = tempfile::tempdir().unwrap();
        for server in &servers {
            everywhere([vec!["wait", server, "--once", "-t", "50ms", "--else", "say well"]]);
            for volume in VOLUMES {
                let words = ["wait", &**server, "--once", "-t", "50ms"].into_iter();
                let words = words.chain(volume.iter().copied()).chain(command);
                silent(redial(words), directory.path());
            }
        }
        everywhere([vec![
            "wait",
            &at.to_string(),
            "--send",
            "env:AUTH",
            "--expect",
            "x",
            "-t",
            "50ms",
        ]]);
    }
}

#[test]
fn of_a_server_given_to_a_verb_that_takes_none() {
    everywhere(SERVERS.map(|server| vec!["check", server]));
    let directory = tempfile::tempdir().unwrap();
    for server in SERVERS {
        silent(redial(["help", server]), directory.path());
        silent(redial(["check", "--standing", server]), directory.path());
    }
}

/// Proxies with a password: down, and wrong in one way each.
const PROXIES: [&str; 11] = [
    "socks5://u:s3cr3tpw@127.0.0.1:1",
    "http://u:s3cr3tpw@127.0.0.1:1",
    "http://:s3cr3tpw@nosuch.invalid:1",
    "http://u:s3cr3tpw",
    "https://u:s3cr3tpw@127.0.0.1:1",
    "u:s3cr3tpw@127.0.0.1:1",
    "socks5://u:s3cr3tpw@127.0.0.1:99999",
    "socks5://u:s3cr3tpw@[::1",
    "socks5://u:s3cr3tpw%zz@127.0.0.1:1",
    "http://u:s3cr3tpw@127.0.0.1:1/s3cr3tpw",
    "s3cr3tpw",
];

#[test]
fn of_a_proxy() {
    everywhere(PROXIES.map(|proxy| vec!["connect", "127.0.0.1:1", "--via", proxy]));
    let clause =
        r#"any: say "{failure} {cause}", diagnose, run sh -c "env | grep ^REDIAL_[^O] >&2", stop"#;
    let words = |proxy| vec!["connect", "127.0.0.1:1", "--except", clause, "--via", proxy];
    everywhere([words(PROXIES[0]), words(PROXIES[1])]);
    everywhere([vec!["connect", "unix:/run/none", "--via", PROXIES[0]]]);
    let directory = tempfile::tempdir().unwrap();
    for proxy in PROXIES {
        for volume in VOLUMES {
            let words = ["connect", "127.0.0.1:1"].into_iter().chain(volume.iter().copied());
            silent(redial(words).env("REDIAL_OPT_VIA", proxy), directory.path());
            let words = ["connect", "127.0.0.1:1", "--via", "env:PROXY"];
            let words = words.into_iter().chain(volume.iter().copied());
            silent(redial(words).env("PROXY", proxy), directory.path());
        }
    }
}

/// It is said, and where it is not, there is nothing to say.
#[test]
fn of_a_proxy_typed_for_everyone_to_read() {
    let proxy = PROXIES[0];
    let words = ["connect", "127.0.0.1:1"];
    let warning = "socks5://127.0.0.1:1: a password on a command line can be read by everyone";
    let typed = redial(words).arg("--via").arg(proxy).run();
    assert!(typed.stderr.contains(warning), "{typed}");
    let by_variable = redial(words).env("REDIAL_OPT_VIA", proxy).run();
    let by_name = redial(words).arg("--via").arg("env:PROXY").env("PROXY", proxy).run();
    for quiet in [by_variable, by_name] {
        assert!(!quiet.stderr.contains("can be read"), "{quiet}");
        assert!(quiet.stderr.contains("via socks5://127.0.0.1:1"), "{quiet}");
    }
}

#[test]
fn of_a_policy_file() {
    everywhere(FILES.map(|(file, _)| vec!["connect", "--policy", file]));
    everywhere(FILES.map(|(file, _)| vec!["connect", "127.0.0.1:1", "--policy", file]));
    everywhere(FILES.map(|(file, _)| {
        vec!["check", "--retry", "1", "--strict", "--except", "any: stop; refused: stop", file]
    }));
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("policy.toml"), FILES[0].1).unwrap();
    silent(redial(["check", "--standing", "stay", "policy.toml"]), directory.path());
}

#[test]
fn of_what_clauses_are_given() {
    let url = "postgres://u:s3cr3tpw@127.0.0.1:1/db";
    let clauses = [
        format!("refused: run true {url}, stop"),
        format!("refused: run {url}, stop"),
        format!("refused: retry {url}"),
        format!("{url}: stop"),
        format!("refused: {url}"),
        format!("refused: stop {url}"),
        r#"refused: say "{server} {failure} {cause}", run sh -c "env | grep ^REDIAL_ >&2", stop"#
            .to_owned(),
    ];
    for clause in &clauses {
        everywhere([vec!["connect", url, "--except", clause]]);
    }
    let directory = tempfile::tempdir().unwrap();
    for clause in &clauses {
        for volume in VOLUMES {
            let words = ["check", "--strict", "--except", "any: stop", "--except", clause];
            let run = redial(words.into_iter().chain(volume.iter().copied()));
            silent(run, directory.path());
        }
        let words = ["check", "--standing", "connect", "--except", clause];
        silent(redial(words), directory.path());
    }
}

#[test]
fn of_other_flags() {
    let url = "postgres://u:s3cr3tpw@127.0.0.1:1/db";
    let flags = [
        "--deadline",
        "--retry",
        "--rounds",
        "--else",
        "--bind",
        "--receive",
        "--half-close",
        "--wombat",
        "--policy",
        "--json",
        "--seed",
    ];
    everywhere(flags.map(|flag| vec!["connect", "127.0.0.1:1", flag, url]));
    everywhere([
        vec!["connect", "127.0.0.1:1", "--send", "env:AUTH"],
        vec![
            "connect",
            "lab:sink",
            "--send",
            "env:AUTH",
            "--expect",
            "wombat",
            "--reply-timeout",
            "50ms",
        ],
        vec!["check", "--send", "env:AUTH", "--only"],
    ]);
    let directory = tempfile::tempdir().unwrap();
    let words = ["check", "--standing", "connect", "--send", "env:AUTH"];
    silent(redial(words), directory.path());
    silent(redial(["check", "--retry", "1", &format!("--json=/none/{url}")]), directory.path());
}

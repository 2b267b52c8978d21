//! Flags and habits of other tools: accepted, or answered with the line to write.

use std::{fs, path::Path};

use crate::support::{Ran, redial};

/// A port of this machine where nothing listens.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn ran(line: &str) -> Ran {
    redial(line.split(' ')).silent().run()
}

/// The line that a message offers, behind `write: `.
fn offered(ran: &Ran) -> &str {
    let line = ran.stderr.lines().next().and_then(|line| line.split_once("write: "));
    line.unwrap_or_else(|| panic!("no line is offered: {ran}")).1
}

#[test]
fn flags_before_the_verb_are_the_verbs() {
    let port = free_port();
    for (line, status) in [
        (format!("--quiet connect 127.0.0.1:{port}"), 1),
        (format!("-q --retry 1,1ms connect 127.0.0.1:{port}"), 1),
        (format!("--deadline=200ms -v wait 127.0.0.1:{port}"), 124),
        (format!("-qt 200ms wait 127.0.0.1:{port}"), 124),
        (format!("-t200ms wait 127.0.0.1:{port}"), 124),
        (format!("--retry 1,1ms 127.0.0.1:{port}"), 1),
        ("-q check --except any:stop".into(), 0),
        ("-q help kinds".into(), 0),
    ] {
        let ran = ran(&line);
        assert_eq!(ran.status, Some(status), "{ran}");
        assert!(!ran.stderr.contains("verb"), "{ran}");
    }
    assert!(ran("--quiet wait --help").stdout.contains("Usage: redial wait"));
    // A value is no verb.
    let ran = ran("--retry connect");
    assert!(ran.stderr.starts_with("redial: a server is missing"), "{ran}");
}

#[test]
fn forgotten_dashes_are_put_into_the_line() {
    for (words, line) in [
        ("db:5432 npm start", "redial wait db:5432 -- npm start"),
        ("-t 5 db:5432 npm run --silent -s", "redial wait -t 5 db:5432 -- npm run --silent -s"),
        ("db 5432 ./app", "redial wait db 5432 -- ./app"),
        ("lab:late ./app -q", "redial wait lab:late -- ./app -q"),
        ("redis://:s3cret@h ./app", "redial wait 'redis://:***@h' -- ./app"),
        ("db:1 cache:2 FOO=1 ./app", "redial wait db:1 cache:2 -- env FOO=1 ./app"),
        ("-h db -p 5432 -s ./app", "redial wait db:5432 -- ./app"),
        (
            "-wait tcp://db:1 -timeout 10s ./app x",
            "redial wait tcp://db:1 --timeout 10s -- ./app x",
        ),
    ] {
        let ran = ran(&format!("wait {words}"));
        assert_eq!((ran.status, offered(&ran)), (Some(125), line), "{ran}");
    }
    let words = ["wait", "db:5432", "sh", "-c", "it's $HOME"];
    let ran = redial(words).silent().run();
    assert_eq!(offered(&ran), r"redial wait db:5432 -- sh -c 'it'\''s $HOME'");
}

#[test]
fn a_word_without_a_port_may_be_either() {
    let either = ran("wait db:5432 cache");
    assert_eq!(
        either.stderr,
        "redial: `cache` has no port; write cache:PORT, or a URL whose protocol has a port: \
         `redis://cache`; for a command: redial wait db:5432 -- cache\n"
    );
    // Between targets it is a target.
    let target = ran("wait db:5432 cache db2:5432");
    assert!(target.stderr.contains("`redis://cache`\n"), "{target}");
    // So is one with the marks of a target.
    let target = ran("wait db:5432 cache:x ./app");
    assert!(target.stderr.contains("`x` is not a port"), "{target}");
}

#[test]
fn connect_with_a_command_is_answered_by_wait() {
    let ran = ran("connect db:5432 -- ./app x");
    assert_eq!((ran.status, offered(&ran)), (Some(2), "redial wait db:5432 -- ./app x"));
}

#[test]
fn habits_of_the_same_meaning_are_accepted() {
    let port = free_port();
    for (line, status) in [
        ("wait -h 127.0.0.1 -p PORT -s -t 1", 124),
        ("wait --host=127.0.0.1 --port=PORT --strict -q --timeout=200ms", 124),
        ("wait 127.0.0.1 -p PORT --once", 1),
        ("wait --once tcp 127.0.0.1:PORT", 1),
        ("wait --once tcp:127.0.0.1:PORT", 1),
        ("wait --once http http://127.0.0.1:PORT/", 1),
        ("wait --once http-get://127.0.0.1:PORT/", 1),
        ("wait --once socket:/nonexistent/app.sock", 1),
        ("wait -wait tcp://127.0.0.1:PORT -timeout 200ms", 124),
        ("wait --wait=tcp://127.0.0.1:PORT -timeout=200ms", 124),
        ("wait -zvw1 127.0.0.1 PORT", 1),
        ("wait -nz 127.0.0.1 PORT", 1),
        ("wait --once -fsS http://127.0.0.1:PORT/", 1),
        ("wait --once -I --expect-status-code 204 http://127.0.0.1:PORT/#within=5s", 1),
        ("wait --once --wait-for-dns --tcpTimeout 300 127.0.0.1:PORT", 1),
        ("connect -h 127.0.0.1 -p PORT", 1),
        ("connect -nvN 127.0.0.1 PORT", 1),
        ("connect -C -s 127.0.0.1 127.0.0.1:PORT", 1),
        ("connect -s 127.0.0.1:PORT", 1),
        ("connect -k tls://127.0.0.1:PORT", 1),
        ("connect -U /nonexistent/app.sock", 1),
        ("connect --url tls://127.0.0.1:PORT", 1),
    ] {
        let ran = ran(&line.replace("PORT", &port.to_string()));
        assert_eq!(ran.status, Some(status), "{ran}");
        let is_tried = ran.stderr.contains("refused") || ran.stderr.contains("no-socket");
        assert!(is_tried, "{ran}");
    }
}

/// The pause is the number of seconds it is to curl, and a refusal is retried.
#[test]
fn curls_retries_are_redials() {
    let line = format!(
        "connect --retry 2 --retry-delay 0.05 --retry-connrefused 127.0.0.1:{}",
        free_port()
    );
    let ran = ran(&line);
    assert!(ran.stderr.contains("retry 2 of 2 in 50ms"), "{ran}");
    assert!(ran.stderr.contains("(3 attempts"), "{ran}");
    let line = format!(
        "connect --retry=forever --retry-delay=0 --retry-max-time 1 127.0.0.1:{}",
        free_port()
    );
    assert_eq!(self::ran(&line).status, Some(124));
}

#[test]
fn other_habits_are_answered_with_the_line() {
    for (words, line) in [
        ("-z db 5432", "redial wait --once db:5432"),
        ("connect -z db 5432", "redial wait --once db:5432"),
        ("connect -z", "redial wait --once HOST:PORT"),
        ("connect -zvw3 db 5432", "redial wait --once -v -t 3 db:5432"),
        ("connect -w 3 db 5432", "redial connect --connect-timeout 3 --idle-timeout 3 db:5432"),
        ("connect -lp 8080", "redial serve 8080"),
        ("connect -lk 0.0.0.0 8080", "redial serve 0.0.0.0:8080"),
        ("connect -m 5 db:1", "redial connect --connect-timeout 5 --max-time 5 db:1"),
        ("connect --retry-delay 1 db:1", "redial connect db:1 --retry 10,1s"),
        ("connect -d db 80", "redial connect db:80 < /dev/null"),
        ("connect -n db 80", "redial connect db:80"),
        ("connect -x proxy:1080 db:80", "redial connect --via socks5://proxy:1080 db:80"),
        ("connect -X connect -x proxy:3128 db:80", "redial connect --via http://proxy:3128 db:80"),
        ("connect --ssl db 443", "redial connect tls://db:443"),
        ("connect db:1 -p 2", "redial connect db:1"),
        ("wait -p 5432", "redial wait localhost:5432"),
        ("wait tcp:4000", "redial wait localhost:4000"),
        ("wait redis redis://h", "redial wait redis://h"),
        (
            "wait -i 1s db:1 -- ./app",
            "redial wait --except 'transient: retry forever every 250ms..1s' db:1 -- ./app",
        ),
        ("wait -w 750 db:1", "redial wait --consecutive 2 db:1"),
        ("wait -r db:1", "redial wait --gone db:1"),
        ("wait --invert-check tcp db:1", "redial wait --gone db:1"),
        ("wait -m 5 http://h/", "redial wait --connect-timeout 5 --reply-timeout 5 http://h/"),
        ("wait --expect-status-code 200 h:80", "redial wait 'http://h:80/#status=200'"),
        ("serve -l 5432", "redial serve 5432"),
        ("serve --host 0.0.0.0 --port 80", "redial serve 0.0.0.0:80"),
    ] {
        let ran = ran(words);
        assert!(matches!(ran.status, Some(2 | 125)), "{ran}");
        assert_eq!(offered(&ran), line, "{ran}");
        assert_eq!(ran.stderr.lines().count(), 1, "{ran}");
    }
    // What redial does not do is no line without it.
    for words in ["connect -u db 53", "connect -e sh db 53", "wait -template a:b", "wait file:x"] {
        let ran = ran(words);
        assert!(!ran.stderr.contains("write:"), "{ran}");
    }
}

/// The line for `nc -z` ends by itself, with the answer as its status.
#[test]
fn the_line_for_a_port_scan_ends() {
    let port = free_port();
    let answer = ran(&format!("connect -z 127.0.0.1 {port}"));
    let line = offered(&answer).strip_prefix("redial ").unwrap().to_owned();
    assert_eq!(ran(&line).status, Some(1));
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    assert_eq!(ran(&line).status, Some(0));
    drop(listener);
}

#[test]
fn no_hint_has_a_port_of_its_own() {
    let lines = [
        "db",
        "db:",
        "[::1]",
        "[::1",
        "tls://db",
        "a:1:2",
        "db:1,",
        "conect",
        "https://",
        ":",
        "connect",
        "wait",
        "wait npm",
        "serve -p 80",
        "wait -z db",
        "connect -l",
    ];
    for line in lines {
        let ran = ran(line);
        assert!(matches!(ran.status, Some(2 | 125)), "{ran}");
        assert!(!ran.stderr.contains("5432"), "{ran}");
    }
}

#[test]
fn short_addresses_name_the_one_that_is_meant() {
    for (server, says) in [
        ("1.2.3:80", "write `1.2.0.3:80`"),
        ("127.1:80", "write `127.0.0.1:80`"),
        ("010.0.0.1:80", "write `10.0.0.1:80`"),
        ("0x7f.1:80", "write `127.0.0.1:80`"),
        ("2130706433:80", "write `127.0.0.1:80`"),
        ("http://127.1/", "write `http://127.0.0.1`"),
        ("80:80", "write the host's name"),
    ] {
        for ran in [ran(&format!("connect {server}")), ran(&format!("wait {server}"))] {
            assert!(matches!(ran.status, Some(2 | 125)), "{ran}");
            assert!(ran.stderr.contains(says), "{ran}");
        }
    }
    let apart = ran("connect 127.1 80");
    assert!(apart.stderr.contains("write `127.0.0.1:80`"), "{apart}");
    let proxy = ran("connect --via socks5://1.2.3:1080 db:1");
    assert_eq!(proxy.status, Some(2), "{proxy}");
    assert!(proxy.stderr.contains("the address 1.2.0.3"), "{proxy}");
    let listen = ran("serve 127.1:0 --connections 1");
    assert!(listen.stderr.contains("write `127.0.0.1:0`"), "{listen}");
}

#[test]
fn a_page_fragment_is_not_sent() {
    let port = free_port();
    let ran = ran(&format!("wait --once http://127.0.0.1:{port}/#/login"));
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(
        ran.stderr.contains(&format!("http://127.0.0.1:{port}/: `#/login` is not sent")),
        "{ran}"
    );
    let quiet = self::ran(&format!("wait -q --once http://127.0.0.1:{port}/#/login"));
    assert_eq!(quiet.stderr.lines().count(), 1, "{quiet}");
}

#[test]
fn a_command_after_a_practice_server_runs() {
    let ran = redial(["wait", "lab:late", "-q", "--", "sh", "-c", "echo up $REDIAL_READY"])
        .env("PATH", "/usr/bin:/bin")
        .silent()
        .run();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), "up lab:late\n"), "{ran}");
    let warned = "practice server inside this process";
    assert!(ran.stderr.contains(warned) && ran.stderr.contains("WARNING: `sh`"), "{ran}");

    let ran = redial(["wait", "lab:late", "--", "echo", "up"]).env("REDIAL_NO_LAB", "1").run();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(125), ""), "{ran}");
    assert!(ran.stderr.contains("not allowed here (REDIAL_NO_LAB is set)"), "{ran}");
}

#[test]
fn every_step_and_guard_has_a_help_page() {
    for topic in [
        "servers", "targets", "retry", "next", "drop", "every", "guards", "fresh", "unsent", "new",
        "run", "say", "diagnose", "exit", "stop", "else", "finally", "jitter", "rounds", "habits",
    ] {
        let ran = ran(&format!("help {topic}"));
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran}");
        assert!(ran.stdout.lines().count() > 3, "{ran}");
    }
}

#[test]
fn warnings_carry_their_name() {
    let clause = "refused: retry forever every 30s";
    for words in [&["check", "--except", clause][..], &["check", "-q", "--except", clause]] {
        let ran = redial(words.iter().copied()).run();
        let all = ran.stdout.clone() + &ran.stderr;
        assert!(
            all.contains("\nwarning[no-jitter]: clause 1")
                || all.starts_with("warning[no-jitter]: clause 1"),
            "{ran}"
        );
        assert!(!all.contains("warning: "), "{ran}");
    }
}

/// Lines of the first screen, as they are copied: `cargo run --release --` is the binary.
#[test]
fn the_first_screen_of_the_readme_runs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(path).unwrap();
    let first: Vec<&str> = readme.lines().take(45).collect();
    let copied = first.iter().filter_map(|line| {
        let line = line.strip_prefix("$ cargo run --release -- ").or_else(|| {
            let row = line
                .split('`')
                .find(|code| code.starts_with("redial ") && code.contains("lab:"))?;
            row.strip_prefix("redial ")
        })?;
        Some(line.split("  #").next().unwrap_or(line).trim_end())
    });
    let mut lines = 0;
    for line in copied {
        let ran = redial(line.split_whitespace()).env("PATH", "/usr/bin:/bin").silent().run();
        assert_eq!(ran.status, Some(0), "{ran}");
        lines += 1;
    }
    assert!(lines >= 2, "{lines} lines of the first screen can be copied");
}

/// Entry 20: what the pages recommend, `check` finds nothing dangerous about.
#[test]
fn recommended_clauses_are_free_of_warnings() {
    let mut count = 0;
    for page in ["README.md", "docs/coming-from.md"] {
        let path = format!("{}/../../{page}", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(path).unwrap();
        for clause in text.split("--except '").skip(1).filter_map(|rest| rest.split('\'').next()) {
            // N is the value of the other tool's flag.
            let clause = clause.replace("N/4..N", "250ms..1s");
            let ran = redial(["check", "-q", "--strict", "--except", &clause]).silent().run();
            assert_eq!(ran.status, Some(0), "{page}: {ran}");
            count += 1;
        }
    }
    assert!(count > 5, "{count}");
}

//! Secrets and control characters: masked and escaped in every message.

use std::{fs, io::Read};

use redial_lab::{Behaviour, Lab};

use crate::support::{redial, terminal};

const SECRET: &str = "s3cr3tpw";

/// Entry 27: a variable that holds something else than a server.
#[test]
fn unreadable_variable_is_not_printed() {
    for value in [
        "host=db password=s3cr3tpw dbname=x",
        "Server=db;Password=s3cr3tpw;Database=x",
        "db:5432:app:user:s3cr3tpw",
        "s3cr3tpw",
        "app/s3cr3tpw@db",
        "user=app;s3cr3tpw",
        "jdbc:oracle:thin:app/s3cr3tpw@db:1521",
        "amqps:app:s3cr3tpw@db",
    ] {
        for words in [
            vec!["connect", "env:DATABASE_URL"],
            vec!["wait", "--once", "env:DATABASE_URL"],
            vec!["connect", "127.0.0.1:1", "--via", "env:DATABASE_URL"],
        ] {
            let ran = redial(words).env("DATABASE_URL", value).silent().run();
            assert_ne!(ran.status, Some(0), "{ran}");
            assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(SECRET), "{value}: {ran}");
        }
    }
}

#[test]
fn secret_query_values_are_masked() {
    for name in [
        "key",
        "auth",
        "sig",
        "signature",
        "X-Amz-Signature",
        "credential",
        "access_key",
        "jwt",
        "bearer",
        "session",
        "code",
        "private_key",
        "pw",
        "api-key",
    ] {
        let url = format!("http://127.0.0.1:1/?{name}=s3cr3tpw&x=1");
        for words in
            [["connect", &url, "--json"], ["wait", "--once", &url], ["connect", &url, "-v"]]
        {
            let ran = redial(words).silent().run();
            assert!(ran.stderr.contains("127.0.0.1"), "{ran}");
            assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(SECRET), "{name}: {ran}");
        }
    }
}

#[test]
fn check_masks_arguments_of_run() {
    for command in [
        "psql --password s3cr3tpw",
        "x --token=s3cr3tpw",
        "env PGPASSWORD=s3cr3tpw psql",
        "curl -u app:s3cr3tpw http://127.0.0.1/",
        "curl -H \\\"Authorization: Bearer s3cr3tpw\\\" http://127.0.0.1/",
    ] {
        let clause = format!("any: run {command}, stop");
        for words in
            [vec!["check", "--except", &clause], vec!["check", "--json", "--except", &clause]]
        {
            let ran = redial(words).run();
            assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(SECRET), "{ran}");
        }
        // The same beside a mistake.
        let ran = redial(["check", "--except", &format!("any: run {command}, stpo")]).run();
        assert_eq!(ran.status, Some(2), "{ran}");
        assert!(!ran.stderr.contains(SECRET), "{ran}");
    }
}

#[test]
fn send_and_expect_next_to_mistake_are_masked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.toml");
    for payload in
        ["send = \"AUTH s3cr3tpw\"\nexpect = '^s3cr3tpw'\n", "send = '''\nAUTH s3cr3tpw\n'''\n"]
    {
        for text in [format!("{payload}deadlin = \"2m\"\n"), format!("deadlin = \"2m\"\n{payload}")]
        {
            fs::write(&path, text).unwrap();
            let ran = redial(["check", path.to_str().unwrap()]).run();
            assert_eq!(ran.status, Some(2), "{ran}");
            assert!(ran.stderr.contains("deadlin"), "{ran}");
            assert!(!ran.stderr.contains(SECRET), "{ran}");
        }
    }
}

/// Whether a terminal would obey or reorder any of it.
fn is_unsafe(text: &str) -> bool {
    text.chars().any(|letter| {
        (letter.is_control() && letter != '\n')
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

/// Entry 28: ESC, a C1 control (CSI), and a bidirectional override.
const HOSTILE: [&str; 3] = ["\u{1b}[2J", "\u{9b}2J", "\u{202e}evil"];

#[test]
fn hostile_words_are_escaped_in_messages() {
    for hostile in HOSTILE {
        let host = format!("h{hostile}:1");
        let clause = format!("any{hostile}: stop");
        let say = format!("any: say \"{hostile}\", sotp");
        let flag = format!("--wombat{hostile}");
        let size = format!("1{hostile}k");
        let file = format!("/none{hostile}");
        for words in [
            vec!["connect", &host],
            vec!["wait", "--once", &host],
            vec!["connect", "127.0.0.1:1", "--except", &clause],
            vec!["connect", "127.0.0.1:1", "--except", &say],
            vec!["connect", "127.0.0.1:1", &flag],
            vec!["connect", "127.0.0.1:1", "--receive", &size],
            vec!["connect", "127.0.0.1:1", "--ca", &file],
            vec!["connect", "127.0.0.1:1", "--policy", &file],
            vec!["check", "--except", &clause],
            vec!["help", hostile],
            vec!["serve", &host],
            vec!["rehearse", hostile],
        ] {
            let ran = redial(words).silent().run();
            assert_ne!(ran.status, Some(0), "{ran}");
            assert!(!is_unsafe(&ran.stderr), "{:?}", ran.stderr);
        }
    }
}

#[test]
fn hostile_policy_file_is_escaped_in_messages() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.toml");
    for hostile in HOSTILE {
        for text in [
            format!("# {hostile}\ndeadlin = \"2m\" # {hostile}\n"),
            format!("servers = [\"h{hostile}:1\"]\n"),
            format!("\"{hostile}\" = 1\n"),
            format!("clauses = '''\n# {hostile}\nany{hostile}: stpo\n'''\n"),
        ] {
            fs::write(&path, &text).unwrap();
            let ran = redial(["check", path.to_str().unwrap()]).run();
            assert_eq!(ran.status, Some(2), "{text:?} {ran}");
            assert!(!is_unsafe(&ran.stderr), "{:?}", ran.stderr);
        }
    }
}

#[test]
fn terminal_is_shown_c1_and_bidi_escaped() {
    let lab = Lab::start(Behaviour::say(b"a\x9b2Jb\xe2\x80\xaec\xc2\x9bd\n")).unwrap();
    let (screen, output) = terminal();
    let ran = redial(["connect", &lab.address().to_string()]).silent().stdout(output).run();
    assert_eq!(ran.status, Some(0), "{ran}");
    let mut shown = [0; 64];
    let count = fs::File::from(screen).read(&mut shown).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&shown[..count]).trim_end(),
        r"a\x9b2Jb\xe2\x80\xaec\xc2\x9bd"
    );
}

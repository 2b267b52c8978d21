//! Files and rehearsals of any size: a limit, and a sentence that names it.

use std::{
    fs,
    os::unix::fs::symlink,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::support::{Ran, redial};

/// The time a loaded machine may add.
const SLACK: Duration = Duration::from_secs(20);

fn ends_within_slack<'a>(words: impl IntoIterator<Item = &'a str>, env: &[(&str, &str)]) -> Ran {
    let mut run = redial(words).silent();
    for (name, value) in env {
        run = run.env(name, value);
    }
    let began = Instant::now();
    let ran = run.run();
    assert!(began.elapsed() < SLACK, "{:?}: {ran}", began.elapsed());
    ran
}

/// The places where a file of certificates is named, with this file.
fn places(file: &str) -> Vec<Vec<String>> {
    [
        &["tls://127.0.0.1:9", "--ca", file][..],
        &["tls://127.0.0.1:9", "--cert", file, "--key", file],
        &[&format!("tls://127.0.0.1:9#ca={file}")],
        &[&format!("tls://127.0.0.1:9#cert={file},key={file}")],
    ]
    .iter()
    .map(|words| words.iter().map(|word| (*word).to_owned()).collect())
    .collect()
}

/// Entry 10.
#[test]
fn endless_certificate_file_is_too_large() {
    for words in places("/dev/zero") {
        let ran = ends_within_slack(words.iter().map(|word| &**word), &[]);
        assert_eq!(ran.status, Some(2), "{ran}");
        assert!(ran.stderr.contains("/dev/zero is larger than 16 MiB"), "{ran}");
    }
}

#[test]
fn pipe_without_writer_ends_with_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let pipe = pipe.to_str().unwrap();
    thread::scope(|scope| {
        for words in places(pipe) {
            scope.spawn(move || {
                let ran = ends_within_slack(words.iter().map(|word| &**word), &[]);
                assert_eq!(ran.status, Some(2), "{ran}");
                assert!(ran.stderr.contains("pipe has not ended within 5s"), "{ran}");
            });
        }
    });
    let ran = ends_within_slack(["tls://127.0.0.1:9"], &[("SSL_CERT_FILE", pipe)]);
    assert_eq!(ran.status, Some(2), "{ran}");
    assert!(ran.stderr.contains("SSL_CERT_FILE: ") && ran.stderr.contains("is a pipe"), "{ran}");
}

#[test]
fn endless_key_is_too_large() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cert.pem");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(&path, made.cert.pem()).unwrap();
    let words = ["tls://127.0.0.1:9", "--cert", path.to_str().unwrap(), "--key", "/dev/zero"];
    let ran = ends_within_slack(words, &[]);
    assert_eq!(ran.status, Some(2), "{ran}");
    assert!(ran.stderr.contains("/dev/zero is larger than 16 MiB"), "{ran}");
}

#[test]
fn endless_ssl_cert_file_is_too_large() {
    let directory = tempfile::tempdir().unwrap();
    symlink("/dev/zero", directory.path().join("01234567.0")).unwrap();
    let directory = directory.path().to_str().unwrap();
    for (name, value) in [("SSL_CERT_FILE", "/dev/zero"), ("SSL_CERT_DIR", directory)] {
        let ran = ends_within_slack(["tls://127.0.0.1:9"], &[(name, value)]);
        assert_eq!(ran.status, Some(2), "{ran}");
        assert!(ran.stderr.contains("is larger than 16 MiB"), "{ran}");
    }
}

#[test]
fn long_rehearsal_is_refused_before_it_starts() {
    let clause = "any: retry forever every 1ms";
    for clients in ["10k", "1M"] {
        let ran =
            ends_within_slack(["rehearse", clause, "--clients", clients, "--outage", "10m"], &[]);
        assert_eq!(ran.status, Some(2), "{ran}");
        assert!(ran.stderr.contains("attempts, about "), "{ran}");
        assert!(ran.stderr.contains("more than 5m"), "{ran}");
        assert!(ran.stderr.contains("--clients ") && ran.stderr.contains("--long"), "{ran}");
    }
}

#[test]
fn rehearsal_of_few_clients_names_what_to_shorten() {
    let clause = "any: retry forever every 1ms";
    let ran = ends_within_slack(["rehearse", clause, "--clients", "20", "--outage", "3d"], &[]);
    assert_eq!(ran.status, Some(2), "{ran}");
    assert!(ran.stderr.contains("shorten --outage and --until"), "{ran}");
}

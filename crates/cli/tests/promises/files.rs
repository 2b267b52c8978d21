//! Files: each has a limit and a sentence, and a long rehearsal is announced.

use std::time::{Duration, Instant};

use redial_lab::{Behaviour, LESSON, Lab};

use crate::support::{Ran, redial};

/// Runs it, which has to be over at once.
fn at_once<'a>(words: impl IntoIterator<Item = &'a str>, variable: Option<(&str, &str)>) -> Ran {
    let began = Instant::now();
    let mut run = redial(words).silent();
    if let Some((name, value)) = variable {
        run = run.env(name, value);
    }
    let ran = run.run();
    assert!(began.elapsed() < Duration::from_secs(20), "{ran}");
    ran
}

/// Entry 10.
#[test]
fn endless_certificate_file_is_refused() {
    let lab = Lab::start(Behaviour::say(LESSON)).unwrap();
    let server = format!("tls://{}", lab.address());
    let behind = format!("{server}#ca=/dev/zero");
    for words in [
        &["connect", "--ca", "/dev/zero", &server][..],
        &["connect", "--cert", "/dev/zero", "--key", "/dev/zero", &server],
        &["connect", &behind],
        &["wait", "--ca", "/dev/zero", &server],
    ] {
        let ran = at_once(words.iter().copied(), None);
        assert_ne!(ran.status, Some(0), "{ran}");
        assert!(ran.stderr.contains("/dev/zero is larger than 16 MiB"), "{ran}");
    }
    assert_eq!(lab.seen().totals.connections, 0, "nothing was dialled");
}

#[test]
fn endless_trust_store_is_refused() {
    let lab = Lab::start(Behaviour::say(LESSON)).unwrap();
    let server = format!("tls://{}", lab.address());
    let ran = at_once(["connect", &server], Some(("SSL_CERT_FILE", "/dev/zero")));
    assert_ne!(ran.status, Some(0), "{ran}");
    assert!(ran.stderr.contains("SSL_CERT_FILE: /dev/zero is not a file"), "{ran}");
}

/// Entry 10: some 28 thousand million attempts.
#[test]
fn endless_rehearsal_is_refused_with_a_smaller_one() {
    let clause = "any: retry forever every 1ms";
    let ran = at_once(["rehearse", "--except", clause, "--clients", "1M"], None);
    assert_eq!(ran.status, Some(2), "{ran}");
    assert!(ran.stderr.contains("too long to be waited for"), "{ran}");
    assert!(ran.stderr.contains("--clients "), "{ran}");
}

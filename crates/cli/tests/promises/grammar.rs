//! The clause grammar: accepted spellings and the canonical form that `check` prints.

use std::fs;

use crate::support::redial;

/// The first clause as `check` prints it.
fn canonical(ran: &crate::support::Ran) -> &str {
    let line = ran.stdout.lines().find_map(|line| line.trim_start().strip_prefix("1  "));
    line.unwrap_or_else(|| panic!("no clause is printed: {ran}"))
}

#[test]
fn spellings_print_in_one_form() {
    for (text, printed) in [
        ("refused: retry 5 times every 1s-30s # why", "refused: retry 5 every 1s..30s"),
        ("refused: retry 5 every 1s to 30s", "refused: retry 5 every 1s..30s"),
        ("refused:\n  retry 5,\n  next", "refused: retry 5 every 250ms..30s, next"),
        (
            "refused: retry forever for 2m, next",
            "refused: retry forever for 2m every 250ms..30s, next",
        ),
        ("any but tls, dns: stop", "any but tls, dns: stop"),
        (
            "except (refused, reset) as e:\n    print(\"down\")\n    exit(1)",
            "refused, reset: say \"down\", exit 1",
        ),
        ("except Exception: pass", "any: exit 0"),
        ("except OSError: raise", "OSError: stop"),
    ] {
        let ran = redial(["check", "--except", text]).run();
        assert_eq!(ran.status, Some(0), "{ran}");
        assert_eq!(canonical(&ran), printed, "{text}: {ran}");
    }
}

#[test]
fn policy_file_takes_a_list_of_clauses() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("redial.toml");
    let text =
        "clauses = [\n  'refused: retry 3 times, next', # first\n  'any but tls: stop',\n]\n";
    fs::write(&file, text).unwrap();
    let ran = redial(["check"]).arg(file.to_str().unwrap()).run();
    assert_eq!(ran.status, Some(0), "{ran}");
    assert_eq!(canonical(&ran), "refused: retry 3 every 250ms..30s, next");
    assert!(ran.stdout.contains("2  any but tls: stop"), "{ran}");
}

#[test]
fn for_ends_a_retry_in_time() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = format!("127.0.0.1:{port}");
    let clause = "refused: retry forever for 300ms every 50ms, say \"given up\", exit 7";
    let ran = redial(["connect", &server, "--except", clause]).silent().run();
    assert_eq!(ran.status, Some(7), "{ran}");
    assert!(ran.stderr.contains("given up"), "{ran}");
}

#[test]
fn shell_characters_of_run_are_refused() {
    for words in [&["connect", "127.0.0.1:1"][..], &["wait", "127.0.0.1:1"], &["check"]] {
        let clause = ["--except", "any: run ./x | logger, stop"];
        let ran = redial(words.iter().copied().chain(clause)).run();
        // As `wait` and the others end on a wrong line.
        assert!(matches!(ran.status, Some(2 | 125)), "{ran}");
        assert!(ran.stderr.contains("write `run sh -c './x | logger'`"), "{ran}");
    }
}

#[test]
fn factor_without_a_range_is_refused() {
    let ran = redial(["check", "--except", "refused: retry 3 every 1s x2"]).run();
    assert_eq!(ran.status, Some(2), "{ran}");
    assert!(ran.stderr.contains("write `every 1s..1m x2`"), "{ran}");
}

#[test]
fn permanent_kinds_retried_forever_are_warned_of() {
    let ran = redial(["check", "--except", "any: retry forever"]).run();
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert!(all.contains("warning[retries-permanent]"), "{ran}");
    assert!(all.contains("`any but dns-not-found, "), "{ran}");
}

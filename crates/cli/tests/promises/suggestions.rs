//! Suggestions: every printed correction is accepted by the parser.

use crate::support::redial;

fn mistake(words: &[&str]) -> String {
    let ran = redial(words.iter().copied()).silent().run();
    // As `wait` and the others end on a wrong line.
    assert!(matches!(ran.status, Some(2 | 125)), "{ran}");
    ran.stderr.clone()
}

#[test]
fn corrections_of_faults_are_right() {
    for (words, said) in [
        (&["rehearse", "any: retry 3", "--clients", "100,000"][..], "write `100000`"),
        (&["rehearse", "any: retry 3", "--accepts", "2000rps"], "write `2000/s`"),
        (&["connect", "a:1 b:2"], "each server is a word of its own: `a:1` `b:2`"),
        (&["wait", "http://h/a b"], "write `http://h/a%20b`"),
        (&["check", "--except", "refused or reset: stop"], "write `refused, reset`"),
        (&["check", "--except", "EOFError: stop"], "write `closed`"),
        (&["check", "--except", "connection-refused: stop"], "write `refused`"),
        (&["check", "--except", "any if fresh and new: stop"], "write `any if fresh: stop`, or"),
        (&["connect", "127.0.0.1:1", "—retry", "3"], "write `--retry`"),
        (&["connect", "127.0.0.1:1", "–v"], "write `-v`"),
        (&["connect", "127.0.0.1:1", "--rety", "3"], "the nearest is `--retry`"),
    ] {
        let printed = mistake(words);
        assert!(printed.contains(said), "{words:?}: {printed}");
    }
}

#[test]
fn proxy_is_never_policy() {
    for words in [
        &["connect", "127.0.0.1:1", "--proxy", "http://p:1"][..],
        &["wait", "127.0.0.1:1", "--proxy", "p:1"],
        &["check", "--proxy", "p:1"],
        &["rehearse", "any: stop", "--proxy", "p:1"],
    ] {
        let ran = redial(words.iter().copied()).silent().run();
        assert!(!ran.stderr.contains("--policy"), "{ran}");
    }
    assert!(mistake(&["wait", "127.0.0.1:1", "--proxy", "p:1"]).contains("--via"));
}

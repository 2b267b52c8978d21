//! Policy files: every key, where each mistake is pointed at, and that what prints reads back.

#![allow(clippy::panic, clippy::unwrap_used)] // they are tests

use std::time::Duration;

use proptest::prelude::*;
use redial_core::*;

fn read(text: &str) -> Result<Policy, Mistake> {
    Policy::parse(Verb::Connect, text).and_then(PolicyBuilder::build)
}

const WHOLE: &str = r#"
servers       = ["db1.internal:5432", "db2.internal:5432,db3.internal:5432"]
expect        = "^220 "
send          = "HELO me\r\n"
deadline      = "2m"
rounds        = "3 every 1s..5s x1.5 jitter full"
healthy-after = "1m30s"
only          = true
else          = 'say "well"'
finally       = 'run ./tell, exit 3'
clauses       = '''
refused, dns-temporary: retry 10 every 250ms..30s, next
any: diagnose, stop
'''

[limits]
connect  = "1s"
tls      = "2s"
reply    = "3s"
idle     = "4s"
max-time = "1h"
dead     = "off"
"#;

#[test]
fn every_key_is_read() {
    let policy = read(WHOLE).unwrap();
    let labels: Vec<&str> = policy.servers().iter().map(|server| &**server.label()).collect();
    assert_eq!(labels, ["db1.internal:5432", "db2.internal:5432", "db3.internal:5432"]);
    assert_eq!(policy.answer().unwrap().as_str(), "^220 ");
    assert_eq!(policy.opening(), b"HELO me\r\n");
    assert_eq!(policy.deadline(), Some(Duration::from_secs(120)));
    assert_eq!(policy.rounds().to_string(), "3 every 1s..5s x1.5 jitter full");
    assert_eq!(policy.healthy_after(), Duration::from_secs(90));
    assert_eq!(policy.otherwise().len(), 1);
    assert_eq!(policy.finally()[1], Step::Exit(3));
    let clauses: Vec<String> = policy.clauses().iter().map(Clause::to_string).collect();
    assert_eq!(
        clauses,
        ["refused, dns-temporary: retry 10 every 250ms..30s, next", "any: diagnose, stop"]
    );
    let expected = Limits {
        connect: Duration::from_secs(1),
        tls: Duration::from_secs(2),
        reply: Duration::from_secs(3),
        idle: Some(Duration::from_secs(4)),
        max_time: Some(Duration::from_secs(3600)),
        dead: None,
        settle: Duration::from_millis(150),
    };
    assert_eq!(*policy.limits(), expected);
}

#[test]
fn an_empty_file_is_the_verbs_own_policy() {
    for verb in Verb::ALL {
        let policy = Policy::parse(verb, "").unwrap().build().unwrap();
        assert_eq!(policy.clauses(), verb.clauses().unwrap());
        assert_eq!(*policy.rounds(), verb.rounds());
        assert_eq!(*policy.limits(), Limits::default());
        assert!(policy.is_own(0) && policy.servers().is_empty() && policy.deadline().is_none());
        assert_eq!(policy.deadline_bounds_everything(), matches!(verb, Verb::Wait | Verb::Gone));
    }
}

#[test]
fn a_few_things_may_be_written_in_two_ways() {
    let list = read("servers = ['a:1', 'b:1']").unwrap();
    assert_eq!(list.servers(), read("servers = 'a:1,b:1'").unwrap().servers());
    assert_eq!(read("rounds = 3").unwrap().rounds(), read("rounds = '3'").unwrap().rounds());
}

/// A file, what is pointed at, and a part of what is said.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("retries = 3", "retries", "there is no key `retries`"),
    ("deadlin = '2m'", "deadlin", "the nearest is `deadline`"),
    ("timeout = '2m'", "timeout", "the nearest is `deadline`"),
    ("server = 'a:1'", "server", "the nearest is `servers`"),
    ("except = ''", "except", "the nearest is `clauses`"),
    ("as = 'postgers'", "postgers", "the nearest is `postgres`"),
    ("connect = '5s'", "connect", "put it below a line `[limits]`"),
    ("max-time = '5s'", "max-time", "put it below a line `[limits]`"),
    ("[limits]\nconect = '5s'", "conect", "the nearest is `connect`"),
    ("[limits]\nconnect = '5s'\ndeadline = '2m'", "deadline", "above the first line in [brackets]"),
    ("[limits]\nclauses = 'any: stop'", "clauses", "above the first line in [brackets]"),
    ("[limits]\nconnect = 'off'", "off", "5s"),
    ("[limits]\nconnect = 5", "5", "this is a number; it has to be text in quotes"),
    ("limits = '5s'", "'5s'", "it has to be a table"),
    ("limits = [1]", "[1]", "it has to be a table"),
    ("deadline = 30", "30", "this is a number; it has to be text in quotes"),
    ("deadline = '30'", "30", "write 30s"),
    ("deadline = '0s'", "0s", "a limit of 0"),
    ("deadline = '5 parsecs'", " ", "5"),
    ("deadline = 2020-01-01", "2020-01-01", "this is a date"),
    ("only = 'yes'", "'yes'", "it has to be `true` or `false`"),
    ("rounds = 0", "0", "0 times is never"),
    ("rounds = true", "true", "this is true or false"),
    ("rounds = 'often'", "often", "how many rounds"),
    ("servers = []", "[]", "the list of servers is empty"),
    ("servers = [1]", "1", "it has to be text"),
    ("servers = 5", "5", "it has to be a list"),
    ("servers = ['a:1', 'db']", "", "has no port"),
    ("clauses = ['any: stop', 3]", "3", "it has to be text"),
    ("clauses = ['any: stop', 'conection: stop']", "conection", "the nearest is `connect`"),
    ("else = 'retry 3'", "retry", "nothing can be attempted"),
    ("expect = ''", "", "an answer is missing"),
    ("deadline = '1s'\ndeadline = '2s'", "deadline", "this is not TOML"),
    ("refused: retry 3", "", "this is not TOML"),
    // The topmost mistake is named first, whatever the keys are called.
    ("zeal = 1\nabout = 2", "zeal", "no key"),
    ("[limits]\ntls = 1\nconnect = 2", "1", "text"),
    // Into strings of every form, to the letter.
    ("clauses = 'conection: stop'", "conection", "the nearest is `connect`"),
    ("clauses = \"conection: stop\"", "conection", "the nearest is `connect`"),
    ("clauses = '''\nrefused: stop\nconection: stop\n'''", "conection", "the nearest"),
    ("clauses = '''conection: stop'''", "conection", "the nearest"),
    ("clauses = '''\n\n\nconection: stop'''", "conection", "the nearest"),
    ("clauses = \"\"\"\nany: sleep 5\n\"\"\"", "sleep", "the pause belongs to retry"),
    ("clauses = '''\r\nrefused: stop\r\nany: sleep 5\r\n'''\r\n", "sleep", "the pause"),
    ("clauses = \"\"\"\r\nrefused: stop\r\nany: sleep 5\"\"\"", "sleep", "the pause"),
    ("# größer\nclauses = '''\nany: say 'ö', sleep 5\n'''", "sleep", "the pause"),
    // With escapes the letters are not where they seem: all of the string.
    ("clauses = \"any: sleep\\u0020 5\"", "\"any: sleep\\u0020 5\"", "the pause"),
    ("clauses = \"\\\\\\\\\"", "\"\\\\\\\\\"", "kind"),
];

#[test]
fn each_mistake_names_what_is_wrong_where_and_what_to_write() {
    for (text, pointed_at, said) in MISTAKES {
        let mistake = read(text).expect_err(text);
        let shown = text.get(mistake.at.clone()).unwrap_or_else(|| panic!("{text}: {mistake:?}"));
        assert_eq!(shown, *pointed_at, "{text}: {mistake}");
        assert!(mistake.to_string().contains(said), "{text}: {mistake}");
    }
}

#[test]
fn a_mistake_in_a_clause_has_the_line_and_column_of_the_file() {
    let text = "deadline = '2m'\nclauses = '''\nrefused: retry 10\nany: sleep 5\n'''\n";
    assert_eq!(read(text).unwrap_err().line_and_column(text), (4, 6));
    let windows = text.replace('\n', "\r\n");
    assert_eq!(read(&windows).unwrap_err().line_and_column(&windows), (4, 6));
}

#[test]
fn no_garbage_hangs_or_breaks_it() {
    let garbage = "\u{0}ÿ[[".repeat(2_000_000);
    assert_eq!(garbage.len(), 10_000_000);
    assert!(read(&garbage).unwrap_err().to_string().contains("too large"));
    for piece in ["[", "a=[", "a={b=", "a.", "'''", "\"\\", "servers=['", "any: stop\n", "é"] {
        let mistake = read(&piece.repeat(1_000_000 / piece.len())).unwrap_err();
        assert!(!mistake.to_string().is_empty());
    }
    let word = format!("clauses = '{}: stop'", "x".repeat(1_000_000));
    assert!(read(&word).unwrap_err().to_string().len() < 1_000, "no mistake repeats it all");
    let long = format!("clauses = '''\n{}'''", "any: retry 1, run x\n".repeat(50_000));
    assert_eq!(read(&long).unwrap().clauses().len(), 50_001);
}

/// Reads what a policy prints, and compares all that a session or a driver can see.
fn reads_back(policy: &Policy) {
    let text = policy.to_toml();
    let again = Policy::parse(policy.verb(), &text).and_then(PolicyBuilder::build);
    let again = again.unwrap_or_else(|mistake| panic!("{}\n{text}", mistake.in_text(&text)));
    // All of a server but whether a password was masked: `***` is none.
    let seen = |policy: &Policy| -> Vec<_> {
        let servers = policy.servers().iter();
        servers
            .map(|s| (s.label().clone(), s.place().clone(), s.tls(), s.options().clone()))
            .collect()
    };
    assert_eq!(seen(&again), seen(policy), "{text}");
    assert_eq!(again.answer(), policy.answer(), "{text}");
    assert_eq!(again.opening(), policy.opening(), "{text}");
    assert_eq!(again.clauses(), policy.clauses(), "{text}");
    assert_eq!(again.rounds().to_string(), policy.rounds().to_string(), "{text}");
    assert_eq!(again.limits(), policy.limits(), "{text}");
    assert_eq!(again.deadline(), policy.deadline(), "{text}");
    assert_eq!(again.healthy_after(), policy.healthy_after(), "{text}");
    assert_eq!(again.otherwise(), policy.otherwise(), "{text}");
    assert_eq!(again.finally(), policy.finally(), "{text}");
    assert_eq!(again.to_toml(), text, "it prints the same again");
}

#[test]
fn what_prints_reads_back() {
    for verb in Verb::ALL {
        reads_back(&Policy::build(verb).build().unwrap());
        reads_back(&Policy::parse(verb, WHOLE).unwrap().only(false).build().unwrap());
    }
    reads_back(
        &read("servers = ['unix:/run/a.sock#as=redis', 'tls://a:1#within=5s,as=smtp']").unwrap(),
    );
    reads_back(&read(r#"clauses = 'refused: say "it''s \x1b[1m down", run "a''''''b"'"#.replace("''", "\\x27").as_str()).unwrap());
}

#[test]
fn no_password_is_printed() {
    let policy = read("servers = ['redis://app:s3cret@cache']").unwrap();
    assert!(policy.to_toml().contains("redis://app:***@cache"));
    assert!(!policy.to_toml().contains("s3cret"));
}

#[test]
fn no_control_character_is_printed() {
    let policy = Policy::build(Verb::Connect).except("any: say '\u{9b}31m \x1b[m'").unwrap();
    let policy = policy.build().unwrap();
    assert!(!policy.to_toml().chars().any(|letter| letter.is_control() && letter != '\n'));
    reads_back(&policy);
}

#[test]
fn an_opening_that_is_no_text_leaves_the_file_readable() {
    let policy = Policy::build(Verb::Connect).send([0xff, 0xfe]).build().unwrap();
    let text = policy.to_toml();
    assert!(text.contains("# send: 2 bytes"), "{text}");
    assert!(read(&text).unwrap().opening().is_empty());
}

fn any_time() -> impl Strategy<Value = Duration> {
    prop_oneof![1..u64::MAX, 1..10_000_000_000u64].prop_map(Duration::from_nanos)
}

/// Text with all that could end a string, of a clause or of TOML.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z'\"\\\\ \n\r\t#;,:=]{0,12}", "\\PC{0,12}", any::<String>()]
}

fn escaped(text: &str) -> String {
    let braces = text.replace('{', "{{").replace('}', "}}");
    braces.replace('\\', "\\\\").replace('"', "\\\"").replace('\0', "0")
}

prop_compose! {
    fn any_policy()(
        verb in prop::sample::select(Verb::ALL.to_vec()),
        servers in prop::collection::vec(prop::sample::select(vec![
            "db:5432", "[::1]:80", "unix:/run/a.sock", "rediss://app:x@cache/0#within=1.5s", "tls://a:1#as=smtp", "postgres://db/main?sslmode=require",
        ]), 0..4),
        say in any_text(),
        arg in any_text(),
        opening in prop::option::of(any_text()),
        rounds in prop::sample::select(vec!["1", "2", "forever every 1ms..2d x1.001 jitter none", "9 every 5s"]),
        times in prop::collection::vec(prop::option::of(any_time()), 8),
        only: bool,
        kinds in prop::sample::select(vec!["any", "ssl.SSLError, refused if new", "closed if unsent", "OSError if fresh"]),
    ) -> Policy {
        let [deadline, healthy, connect, tls, reply, idle, max_time, dead] = times[..] else { unreachable!() };
        let steps = format!("say \"{}\", run x \"{}\" at most every 5m", escaped(&say), escaped(&arg));
        let mut policy = Policy::build(verb)
            .servers(servers.iter().map(|server| server.parse().unwrap()).collect())
            .except(&format!("{kinds}: retry 3 every 5s..1m, {steps}, drop; deadline: {steps}, exit 9")).unwrap()
            .otherwise(&steps).unwrap()
            .finally(&steps).unwrap()
            .rounds(rounds.parse().unwrap())
            .only(only)
            .limits(|limits| *limits = Limits {
                connect: connect.unwrap_or(limits.connect),
                tls: tls.unwrap_or(limits.tls),
                reply: reply.unwrap_or(limits.reply),
                idle, max_time, dead,
                settle: limits.settle,
            });
        if let Some(deadline) = deadline { policy = policy.deadline(deadline) }
        if let Some(healthy) = healthy { policy = policy.healthy_after(healthy) }
        if let Some(opening) = opening { policy = policy.send(opening.into_bytes()) }
        policy.build().unwrap()
    }
}

proptest! {
    #[test]
    fn any_policy_reads_back(policy in any_policy()) {
        reads_back(&policy);
    }

    #[test]
    fn reading_never_panics_and_points_into_the_text(
        at in 0..WHOLE.len(), cut in 0..12usize, put in "[\\PC\n'\"\\\\=#\\[\\]]{0,6}",
    ) {
        let mut text = WHOLE.to_owned();
        text.replace_range(at..(at + cut).min(text.len()), &put);
        if let Err(mistake) = read(&text) {
            prop_assert!(text.get(mistake.at.clone()).is_some(), "{mistake:?}");
            prop_assert!(!mistake.what.is_empty() && !mistake.instead.is_empty());
        }
    }
}

#[test]
fn clauses_are_text_lines_or_a_list() {
    let read = |text: &str| {
        let policy = Policy::parse(Verb::Stay, text).expect(text).only(true);
        let policy = policy.build().expect(text);
        policy.clauses().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let expected = ["refused: retry 3 every 250ms..30s, next", "any but tls: stop"];
    for text in [
        "clauses = 'refused: retry 3, next; any but tls: stop # the rest'",
        "clauses = '''\n# one\nrefused:\n  retry 3 times,\n  next\nany but tls: stop\n'''",
        "clauses = [\n  'refused: retry 3, next', # one\n  'any but tls: stop'\n]",
        "clauses = ['except refused: retry 3; next', 'except Exception but tls: raise']",
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

#[test]
fn own_time_bounds_deadline_or_replaces_default() {
    let second = Duration::from_secs;
    let server = || Server::parse("db:5432").unwrap();
    let built = |builder: PolicyBuilder| builder.server(server()).build().unwrap();
    let default = || Policy::build(Verb::Wait).deadline_unless_set(second(60));
    assert_eq!(built(default().deadline_at_most(second(90))).deadline(), Some(second(90)));
    let set = default().deadline(second(10));
    assert_eq!(built(set.clone().deadline_at_most(second(90))).deadline(), Some(second(10)));
    assert_eq!(built(set.deadline_at_most(second(5))).deadline(), Some(second(5)));
}

#[test]
fn patience_follows_time_left_unless_limited() {
    let second = Duration::from_secs;
    let server = |text: &str| Server::parse(text).unwrap();
    let silent = |builder: PolicyBuilder, text: &str| {
        builder.server(server(text)).build().unwrap().patience(0).silent(Some(second(20)))
    };
    let wait = || Policy::build(Verb::Wait);
    assert_eq!(silent(wait(), "http://a"), second(15));
    assert_eq!(silent(wait().reply_limit(second(5)), "http://a"), second(5));
    assert_eq!(silent(wait().bounded_attempts(), "http://a"), second(5));
    assert_eq!(silent(wait(), "http://a#reply-timeout=8s"), second(8));
    assert_eq!(silent(Policy::build(Verb::Connect), "ssh://a"), second(5));
}

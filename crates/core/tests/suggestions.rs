//! Suggestions: whatever a message offers to write is accepted by the reader that refused the input.
//!
//! Right input from the tables is mutated letter by letter; every offered correction is parsed.

#![allow(clippy::panic)] // they are tests

use redial_core::*;

/// What a message offers to copy: the text in backquotes after these words.
fn offered(instead: &str) -> Vec<&str> {
    const BEFORE: [&str; 4] = ["write `", "the nearest is `", ", or `", "of its own: `"];
    let found = BEFORE.iter().flat_map(|before| {
        instead.match_indices(before).map(|(at, _)| {
            let rest = &instead[at + before.len()..];
            rest.split('`').next().unwrap_or(rest)
        })
    });
    // Three dots and capitals are for the reader to fill in.
    let is_whole =
        |text: &&str| !text.contains('…') && !["PORT", "HOST"].iter().any(|p| text.contains(p));
    found.filter(is_whole).collect()
}

/// The text with a letter missing, doubled, changed, swapped; and with what people type between.
fn mutants(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut mutants = Vec::new();
    for at in 0..letters.len() {
        let with = |new: &[char], skip: usize| -> String {
            letters[..at].iter().chain(new).chain(&letters[at + skip..]).collect()
        };
        mutants.push(with(&[], 1));
        for new in [' ', ',', '.', ':', '-', '_', 'x', '1', '(', '|', '$', '\'', '"', '#', ';'] {
            mutants.push(with(&[new], 0));
            mutants.push(with(&[new], 1));
        }
        if at + 1 < letters.len() {
            mutants.push(with(&[letters[at + 1], letters[at]], 2));
        }
    }
    mutants.push(text.to_uppercase());
    mutants
}

/// Mutates each of these, and returns how many corrections were offered.
fn offers(
    right: &[&str],
    read: impl Fn(&str) -> Result<(), Mistake>,
    accepts: impl Fn(&str) -> bool,
) -> usize {
    let mut count = 0;
    for text in right {
        assert!(read(text).is_ok(), "{text}");
        for mutant in mutants(text) {
            let Err(mistake) = read(&mutant) else { continue };
            for candidate in offered(&mistake.instead) {
                assert!(accepts(candidate), "`{mutant}`: {mistake}");
                count += 1;
            }
        }
    }
    count
}

fn is_clause(text: &str) -> bool {
    Clause::parse_all(text).is_ok_and(|clauses| !clauses.is_empty())
}

/// A part of a clause: a kind, steps, pauses, a guard, a limit.
fn is_part(text: &str) -> bool {
    let steps = text.trim_start_matches(", ");
    is_clause(text)
        || is_clause(&format!("{text}: stop"))
        || is_clause(&format!("any: {steps}"))
        || is_clause(&format!("any: retry 1 {text}"))
        || is_clause(&format!("any: retry {text}"))
        || is_clause(&format!("any {text}: stop"))
        || is_clause(&format!("any if {text}: stop"))
        || is_clause(&format!("any: say \"{text}\""))
        || parse_duration(&format!("1{text}")).is_ok()
        || parse_duration(text).is_ok()
}

fn read<T>(read: impl Fn(&str) -> Result<T, Mistake>) -> impl Fn(&str) -> Result<(), Mistake> {
    move |text| read(text).map(|_| ())
}

#[test]
fn kinds_offered_are_kinds() {
    let clause = |name: &str| Clause::parse_all(&format!("{name}: stop")).map(|_| ());
    let names: Vec<&str> = kind_names();
    let names: Vec<&str> = names.into_iter().filter(|name| clause(name).is_ok()).collect();
    // Every third: each mutant is compared with every name.
    let some: Vec<&str> = names.into_iter().step_by(3).collect();
    assert!(offers(&some, clause, is_part) > 300);
}

#[test]
fn clauses_offered_are_clauses() {
    let clauses = [
        "refused, reset: retry 10 every 250ms..30s x1.5 jitter full, next",
        "any but tls, dns if fresh: retry forever for 2m every 1s-30s, stop",
        "transient if unsent: run ./page 'db is down' at most every 5m, retry 5 times, exit 3",
        "except (OSError, reset) as error: print(\"{server} is down\"), raise",
        "deadline: say \"gave up after {elapsed}\", exit 75",
        "closed: diagnose, drop, stop; no-socket: retry 3 every 1s to 9s",
        "any: run sh -c 'a | b'",
    ];
    assert!(offers(&clauses, read(Clause::parse_all), is_part) > 1_000);
}

#[test]
fn quantities_offered_are_quantities() {
    let durations = ["250ms", "1.5s", "2m30s", "1d2h", "1000ms"];
    let is_unit =
        |text: &str| parse_duration(text).is_ok() || parse_duration(&format!("1{text}")).is_ok();
    let mut count = offers(&durations, read(parse_duration), is_unit);
    let is_unit = |text: &str| parse_size(text).is_ok() || parse_size(&format!("1{text}")).is_ok();
    count += offers(&["16KiB", "4.1MiB", "1000000", "64k"], read(parse_size), is_unit);
    let is_unit =
        |text: &str| parse_count(text).is_ok() || parse_count(&format!("1{text}")).is_ok();
    count += offers(&["100000", "1.5k", "1_000"], read(parse_count), is_unit);
    let is_rate = |text: &str| {
        parse_rate(text).is_ok() || is_unit(text) || parse_duration(&format!("1{text}")).is_ok()
    };
    count += offers(&["2000/s", "100/m", "10k/h", "5/10s"], read(parse_rate), is_rate);
    assert!(count > 100, "{count}");
}

#[test]
fn servers_offered_are_servers() {
    let servers = [
        "db1:5432",
        "[::1]:5432",
        "postgres://user@db/name?sslmode=require",
        "http://h/a/b#status=200",
        "unix:/run/app.sock",
        "tls://db:1#sni=name",
        "10.0.0.1:80",
    ];
    // An option, its value, a host or a port is offered by itself.
    let accepts = |text: &str| {
        Server::parse(text).is_ok()
            || Server::parse(&format!("{text}host:1")).is_ok()
            || Server::parse(&format!("http://h/#{text}")).is_ok()
            || Server::parse(&format!("http://h/#{text}=1")).is_ok()
            || Server::parse(&format!("http://h/#{text}=200")).is_ok()
            || Server::parse(&format!("tls://h:1#{text}=name")).is_ok()
            || Server::parse(&format!("postgres://h/?sslmode={text}")).is_ok()
            || Server::parse(&format!("postgres://h/?{text}")).is_ok()
    };
    assert!(offers(&servers, read(Server::parse), accepts) > 100);
}

#[test]
fn recipes_offered_are_recipes() {
    let names: Vec<&str> = RECIPES.iter().map(|recipe| recipe.name).collect();
    let is_recipe = |name: &str| RECIPES.iter().any(|recipe| recipe.name == name);
    // Reading a recipe takes milliseconds.
    let names: Vec<&str> = names.into_iter().filter(|name| Recipe::named(name).is_ok()).collect();
    assert!(offers(&names[..3], read(Recipe::named), is_recipe) > 20);
}

#[test]
fn known_faults_are_corrected() {
    let rate = |text: &str| parse_rate(text).expect_err(text).instead;
    let count = |text: &str| parse_count(text).expect_err(text).instead;
    let server = |text: &str| Server::parse(text).expect_err(text).instead;
    assert_eq!(count("100,000"), "write `100000`");
    assert_eq!(rate("2000rps"), "write `2000/s`");
    assert_eq!(rate("2,000/second"), "write `2000/s`");
    assert_eq!(server("a:1 b:2"), "each server is a word of its own: `a:1` `b:2`");
    assert_eq!(server("http://h/a b"), "write `http://h/a%20b`");
    assert_eq!(server("db 5432"), "write `db:5432`");
    assert_eq!(server(":http!"), "write HOST:PORT");
    assert_eq!(suggestion(["a b", "ab"], |text| !text.contains(' ')), Some("ab".into()));
    assert_eq!(suggestion(["x"], |_| false), None);
}

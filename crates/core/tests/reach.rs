//! Clauses that never handle a failure, and those near them that do.

#![allow(clippy::unwrap_used)] // they are tests

use redial_core::*;

fn policy(verb: Verb, servers: &[&str], clauses: &str) -> Policy {
    let servers = servers.iter().map(|server| Server::parse(server).unwrap()).collect();
    Policy::build(verb).servers(servers).except(clauses).unwrap().build().unwrap()
}

/// Why the last of these clauses is never reached.
fn last(servers: &[&str], clauses: &str) -> Option<Unreached> {
    let count = Clause::parse_all(clauses).unwrap().len();
    policy(Verb::Connect, servers, clauses).unreached(count - 1)
}

#[test]
fn behind_clauses_that_take_everything() {
    for (clauses, taken_by) in [
        ("any: stop; refused: retry 3", &[0][..]),
        ("refused: stop; dns: stop; refused, dns-not-found: retry 3", &[0, 1]),
        ("any if fresh: stop; reset if fresh: stop", &[0]),
        // What is fresh is unsent.
        ("any if unsent: stop; reset if fresh: stop", &[0]),
        // On a connection that never stood nothing has moved.
        ("any if fresh: stop; refused: stop", &[0]),
        ("any if unsent: stop; dns, refused: stop", &[0]),
        ("refused if fresh: stop; refused if new: stop", &[0]),
        ("application: stop; any: stop; application: stop", &[0]),
    ] {
        assert_eq!(last(&[], clauses), Some(Unreached::Behind(taken_by.to_vec())), "{clauses}");
    }
    for reached in [
        "any if fresh: stop; reset: stop",
        "any if fresh: stop; reset if unsent: stop",
        "any if new: stop; refused: stop",
        "refused: stop; any: stop",
        "any: stop; closed: stop",
        "any: stop; deadline: stop",
        // Of `application`, transient takes what passes.
        "transient: stop; application: stop",
        "any if new: stop; any if fresh: stop; any: stop",
    ] {
        assert_eq!(last(&[], reached), None, "{reached}");
    }
}

#[test]
fn kinds_that_do_not_happen_to_these_servers() {
    use Missing::*;
    let plain = &["10.0.0.5:5432", "[::1]:5432"][..];
    for (servers, clauses, missing) in [
        (plain, "dns: stop", &[Name][..]),
        (plain, "no-socket: stop", &[UnixSocket]),
        (plain, "tls: stop", &[Tls]),
        (plain, "unexpected-response: stop", &[Expectation]),
        (plain, "unavailable: stop", &[Recipe]),
        (plain, "no-socket, tls-certificate: stop", &[UnixSocket, Tls]),
        (&["unix:/run/db"], "gaierror: stop", &[Name]),
        (&["http://web"], "tls: stop", &[Tls]),
    ] {
        let found = last(servers, clauses);
        assert_eq!(found, Some(Unreached::Without(missing.to_vec())), "{servers:?} {clauses}");
    }
    for (servers, reached) in [
        (&["10.0.0.5:5432", "db:5432"][..], "dns: stop"),
        (&["unix:/run/db", "db:5432"], "no-socket: stop"),
        (&["db:5432", "tls://db:5432"], "tls: stop"),
        (&["smtp://mail"], "unexpected-response: stop"),
        (&["smtp://mail"], "unavailable: stop"),
        (&["smtp://mail#starttls"], "tls: stop"),
        (plain, "refused, tls: stop"),
        // Any server may be named on the command line.
        (&[], "tls: stop"),
        (&[], "no-socket: stop"),
    ] {
        assert_eq!(last(servers, reached), None, "{servers:?} {reached}");
    }
}

#[test]
fn what_is_expected_makes_the_unexpected_possible() {
    let builder = || {
        let server = Server::parse("db:1").unwrap();
        Policy::build(Verb::Connect).server(server).except("unexpected-response: stop").unwrap()
    };
    assert_eq!(
        builder().build().unwrap().unreached(0),
        Some(Unreached::Without(vec![Missing::Expectation]))
    );
    let expecting = builder().expect(Answer::parse("^220 ").unwrap()).build().unwrap();
    assert_eq!(expecting.unreached(0), None);
    // A wait probes by the scheme's recipe.
    let waiting = policy(Verb::Wait, &["redis://cache"], "unavailable: stop");
    assert_eq!(waiting.unreached(0), None);
}

#[test]
fn no_verb_has_a_clause_of_its_own_in_vain() {
    for verb in Verb::ALL {
        let policy = policy(verb, &[], "");
        for clause in 0..policy.clauses().len() {
            assert_eq!(policy.unreached(clause), None, "{} {clause}", verb.name());
        }
        assert_eq!(policy.unreached(policy.clauses().len()), None);
    }
}

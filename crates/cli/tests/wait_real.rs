//! `redial wait` and real servers: each ready, and each in the states in which it is there and not
//! ready. What the servers themselves say in those states is tested in `servers`.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod real;
mod support;

use std::{net::SocketAddr, time::Duration};

use real::{
    Forward, Server, etcd, exim, mariadb, memcached, mosquitto, nginx, openssh, postgres, redis,
};
use serde_json::Value;
use support::{Ran, redial};

/// One attempt, as JSON.
fn once(target: &str) -> (Ran, Value) {
    let ran = redial(["wait", "--once", target, "--json"]).run();
    let json = serde_json::from_str(ran.stdout.trim()).unwrap_or_else(|_| panic!("{ran}"));
    (ran, json)
}

#[track_caller]
fn ready(target: &str) {
    let (ran, _) = once(target);
    assert_eq!(ran.status, Some(0), "{ran}");
}

/// Not ready, for this reason and in these words.
#[track_caller]
fn not_ready(target: &str, kind: &str, words: &str) {
    let (ran, json) = once(target);
    let failure = &json["targets"][0]["servers"][0]["failure"];
    assert_eq!((ran.status, failure["kind"].as_str()), (Some(1), Some(kind)), "{ran}");
    let detail = failure["detail"].as_str().unwrap_or_default();
    assert!(detail.contains(words), "{detail:?}, not {words:?}");
}

/// Waits, lets the server go on once it was found not ready, and sees the wait end well.
#[track_caller]
fn waited_through(server: &mut Server, target: &str, kind: &str) {
    let mut live = redial(["wait", target, "-t", "30"]).start();
    live.hears(&format!(": {kind}"));
    server.go_on();
    let ran = live.end();
    assert_eq!((ran.status, &*ran.stdout), (Some(0), &*format!("{target}\n")), "{ran}");
}

fn url(scheme: &str, address: SocketAddr) -> String {
    format!("{scheme}://{address}")
}

#[test]
fn postgres_answers_whoever_asks() {
    let server = postgres::start();
    let at = server.address();
    ready(&url("postgres", at));
    ready(&format!("postgres://app@{at}/postgres"));
    ready(&format!("postgres://nobody:s3cret@{at}/nothing"));
    ready(&format!("{at}#as=postgres"));
    not_ready(&url("mysql", at), "stalled", "");
}

#[test]
fn postgres_starting_up_is_unavailable_and_waited_through() {
    let mut server = postgres::starting_up();
    let target = url("postgres", server.address());
    not_ready(&target, "unavailable", "the database system is starting up");
    waited_through(&mut server, &target, "unavailable");
}

#[test]
fn postgres_that_is_full_is_unavailable() {
    let mut server = postgres::full();
    let target = url("postgres", server.address());
    not_ready(&target, "unavailable", "too many clients");
    waited_through(&mut server, &target, "unavailable");
}

#[test]
fn redis_with_a_password_or_without() {
    ready(&url("redis", redis::start().address()));
    ready(&url("redis", redis::locked().address()));
}

#[test]
fn redis_logs_in_with_the_password_of_its_url() {
    let server = redis::locked();
    let at = server.address();
    ready(&format!("redis://:{}@{at}", redis::PASSWORD));
    ready(&format!("redis://default:{}@{at}", redis::PASSWORD));
    not_ready(&format!("redis://:wrong@{at}"), "denied", "WRONGPASS");
    not_ready(&format!("redis://{at}#login"), "denied", "the URL has none");
    let server = redis::with_a_user();
    ready(&format!("redis://app:{}@{}", redis::PASSWORD, server.address()));
    let open = redis::start();
    let said = "it has no password, and refuses one";
    not_ready(&format!("redis://:s3cret@{}", open.address()), "denied", said);
}

#[test]
fn redis_with_password_loading_is_waited_through() {
    let mut server = redis::loading_locked();
    let target = format!("redis://:{}@{}", redis::PASSWORD, server.address());
    not_ready(&target, "unavailable", "loading the dataset");
    let shown = target.replace(redis::PASSWORD, "***");
    let mut live = redial(["wait", &target, "-t", "30"]).start();
    live.hears(": unavailable");
    server.go_on();
    let ran = live.end();
    assert_eq!((ran.status, &*ran.stdout), (Some(0), &*format!("{shown}\n")), "{ran}");
}

#[test]
fn postgres_logs_in_by_every_way_it_is_asked() {
    let server = postgres::logins();
    let url = |user: &str, password: &str| {
        format!("postgres://{user}:{password}@{}/postgres#login", server.address())
    };
    for user in ["scram", "old", "clear", "trusted"] {
        ready(&url(user, postgres::PASSWORD));
    }
    for user in ["scram", "old", "clear", "nobody"] {
        let said = format!("password authentication failed for user \"{user}\"");
        not_ready(&url(user, "wrong"), "denied", &said);
        ready(&url(user, "wrong").replace("#login", ""));
    }
    let asked = format!("postgres://scram@{}#login", server.address());
    not_ready(&asked, "denied", "it asks for a password, and the URL has none");
    let soon = url("scram", postgres::PASSWORD).replace("/postgres#", "/soon#");
    not_ready(&soon, "unavailable", "database \"soon\" does not exist");
}

#[test]
fn mariadb_logs_in_and_counts_no_error() {
    let server = mariadb::strict();
    let counted = Forward::as_from(mariadb::COUNTED, mariadb::counted(&server));
    let at = format!("127.0.0.1:{}", counted.port());
    let url = |user: &str, rest: &str| format!("mysql://{user}@{at}{rest}");
    let app = format!("app:{}", mariadb::PASSWORD);
    ready(&url(&app, "#login"));
    ready(&url(&app, "/app#login"));
    not_ready(&url("app:wrong", "#login"), "denied", "Access denied for user 'app'");
    ready(&url("app:wrong", ""));
    not_ready(&url(&app, "/mysql#login"), "denied", "Access denied for user 'app'");
    not_ready(&url("ed:x", "#login"), "denied", "a way to log in that redial does not know");
    let (content, said) = mariadb::query(counted.port(), "select 1");
    assert!(content, "{said}");
}

#[test]
fn redis_loading_is_unavailable_and_waited_through() {
    let mut server = redis::loading();
    let target = url("redis", server.address());
    not_ready(&target, "unavailable", "loading the dataset");
    waited_through(&mut server, &target, "unavailable");
}

#[test]
fn redis_that_is_full_is_unavailable() {
    let server = redis::full();
    not_ready(&url("redis", server.address()), "unavailable", "max number of clients");
}

#[test]
fn mariadb_is_ready_and_full() {
    ready(&url("mysql", mariadb::start().address()));
    let mut server = mariadb::full();
    let target = url("mysql", server.address());
    not_ready(&target, "unavailable", "Too many connections");
    waited_through(&mut server, &target, "unavailable");
}

/// A client that greets and leaves is counted, and after 100 the server blocks its host.
#[test]
fn three_hundred_checks_of_a_mariadb_do_not_block_anybody() {
    let server = mariadb::start();
    let counted = Forward::as_from(mariadb::COUNTED, mariadb::counted(&server));
    let target = format!("mysql://127.0.0.1:{}", counted.port());
    for _ in 0..300 {
        let ran = redial(["wait", &target, "--once", "-q"]).run();
        assert_eq!(ran.status, Some(0), "{ran}");
    }
    assert_eq!(counted.seen().1, 300);
    let (content, said) = mariadb::query(counted.port(), "select 1");
    assert!(content, "{said}");
}

/// curl's word for each: 401 and 204, 302 and 200, gzip in chunks.
#[test]
fn nginx_by_login_redirect_and_json() {
    for (scheme, server) in [("http", nginx::start()), ("https", nginx::over_tls())] {
        let at = server.address();
        let ca =
            if scheme == "https" { format!(",ca={}", server.path("ca.pem")) } else { "".into() };
        let url = |user: &str, rest: &str| format!("{scheme}://{user}{at}{rest}{ca}");
        ready(&url("app:s3cret@", "/private#status=204"));
        ready(&url("", "/private#status=204,header=Authorization:%20Basic%20YXBwOnMzY3JldA=="));
        let says = "HTTP status 401, expected 204";
        not_ready(&url("app:wrong@", "/private#status=204"), "unexpected-response", says);
        not_ready(&url("", "/private#status=204"), "unexpected-response", says);
        ready(&url("", "/private#status=204,401"));
        let says = "HTTP status 302, expected 200";
        not_ready(&url("", "/moved#status=200"), "unexpected-response", says);
        ready(&url("", "/moved#status=200,redirect=follow,body=hello"));
        ready(&url("", "/json#json=/status:ready"));
        ready(&url("", "/json#json=/status:ready,header=Accept-Encoding:%20gzip"));
        let says = "/status is \"ready\", expected \"up\"";
        not_ready(
            &url("", "/json#json=/status:up,header=Accept-Encoding:%20gzip"),
            "unexpected-response",
            says,
        );
        let page = format!("{scheme}://{at}/json");
        let encoding =
            real::ask("curl", &["curl", "-sk", "-I", "-H", "Accept-Encoding: gzip", &page]).1;
        assert!(encoding.contains("Content-Encoding: gzip"), "{encoding}");
    }
}

#[test]
fn nginx_by_status() {
    let server = nginx::start();
    let at = server.address();
    ready(&url("http", at));
    not_ready(&format!("http://{at}/starting"), "unavailable", "503");
    not_ready(&format!("http://{at}/dead"), "unavailable", "502");
    ready(&format!("http://{at}/starting#status=503"));
    ready(&format!("http://{at}/#method=HEAD"));
    not_ready(&format!("http://{at}/#status=204"), "unexpected-response", "200");
}

#[test]
fn etcd_is_ready_and_without_quorum() {
    ready(&url("etcd", etcd::start().address()));
    not_ready(&url("etcd", etcd::without_quorum().address()), "unavailable", "");
    not_ready(&url("etcd", etcd::alone().address()), "stalled", "");
}

#[test]
fn a_mail_server_is_ready_and_full() {
    ready(&url("smtp", exim::start().address()));
    let mut server = exim::full();
    let target = url("smtp", server.address());
    not_ready(&target, "unavailable", "421");
    waited_through(&mut server, &target, "unavailable");
}

#[test]
fn an_ssh_server_is_ready_and_full() {
    ready(&url("ssh", openssh::start().address()));
    let server = openssh::full();
    not_ready(&url("ssh", server.address()), "unavailable", "MaxStartups");
}

#[test]
fn brokers_and_caches() {
    ready(&url("mqtt", mosquitto::start().address()));
    // It wants a name and a password: it is up.
    ready(&url("mqtt", mosquitto::locked().address()));
    ready(&url("memcached", memcached::start().address()));
    let mut server = memcached::full();
    let target = url("memcached", server.address());
    not_ready(&target, "unavailable", "Too many open connections");
    waited_through(&mut server, &target, "unavailable");
}

/// As docker-proxy does while a container boots: the port is open from the first moment on.
#[test]
fn a_port_that_is_forwarded_before_anything_listens() {
    let server = redis::start();
    for scheme in ["redis://", ""] {
        let proxy = Forward::late(server.address(), Duration::from_secs(3));
        let target = format!("{scheme}127.0.0.1:{}", proxy.port());
        let words = ["wait", &target, "-q", "--", "/bin/sh", "-c", "echo up"];
        let ran = redial(words).run();
        assert_eq!((ran.status, &*ran.stdout), (Some(0), "up\n"), "{ran}");
        assert!(proxy.opens().elapsed() > Duration::ZERO, "it had begun to forward");
        let (closed, forwarded) = proxy.seen();
        assert!(closed > 0 && forwarded == 1, "{closed} closed, {forwarded} forwarded");
    }
}

/// All of them at once, in one wait, with a command at the end.
#[test]
fn a_whole_application() {
    let mut database = postgres::starting_up();
    let (cache, mail) = (redis::start(), exim::start());
    let targets = [
        url("postgres", database.address()),
        url("redis", cache.address()),
        url("smtp", mail.address()),
    ];
    let [one, two, three] = targets.each_ref().map(String::as_str);
    let words = ["wait", one, two, three, "-t", "30", "--", "/bin/sh", "-c", "echo $REDIAL_READY"];
    let mut live = redial(words).start();
    live.hears("unavailable");
    database.go_on();
    let ran = live.end();
    let ready = format!("{one} {two} {three}\n");
    assert_eq!((ran.status, &*ran.stdout), (Some(0), &*ready), "{ran}");
}

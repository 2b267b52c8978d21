//! Servers: every form, every mistake, and no password anywhere.

use std::time::Duration;

use proptest::prelude::*;
use redial_core::{Mistake, Place, ProbeOutput, Recipe, Scheme, Server, Target, Tls};

fn server(text: &str) -> Server {
    Server::parse(text).expect(text)
}

#[test]
fn every_form_finds_its_place() {
    for (text, place, tls, protocol) in [
        ("db:5432", "db:5432", Tls::No, None),
        ("lab:22", "lab:22", Tls::No, None),
        ("10.0.0.5:80", "10.0.0.5:80", Tls::No, None),
        ("a_b-c.example.com.:80", "a_b-c.example.com.:80", Tls::No, None),
        ("redis:6379", "redis:6379", Tls::No, None),
        ("[::1]:5432", "[::1]:5432", Tls::No, None),
        ("[fe80::1%eth0]:80", "[fe80::1%eth0]:80", Tls::No, None),
        ("http://[fe80::1%25eth0]/", "[fe80::1%eth0]:80", Tls::No, Some("http")),
        ("tcp://db:1", "db:1", Tls::No, None),
        ("tls://db:5432/", "db:5432", Tls::Immediately, None),
        ("unix:/run/x.sock", "unix:/run/x.sock", Tls::No, None),
        ("unix:./x y.sock#as=redis", "unix:./x y.sock", Tls::No, Some("redis")),
        ("unix:///run/x.sock", "unix:/run/x.sock", Tls::No, None),
        ("postgres://db", "db:5432", Tls::No, Some("postgres")),
        ("PostgreSQL://app:x@db:1/main?sslmode=allow", "db:1", Tls::No, Some("postgres")),
        ("postgres://db?sslmode=verify-full", "db:5432", Tls::ByProtocol, Some("postgres")),
        ("mysql://db/x?ssl-mode=REQUIRED", "db:3306", Tls::ByProtocol, Some("mysql")),
        ("mysql://db?ssl=true", "db:3306", Tls::ByProtocol, Some("mysql")),
        ("redis://[::1]?tls=true", "[::1]:6379", Tls::Immediately, Some("redis")),
        ("rediss://cache?tls=false", "cache:6379", Tls::Immediately, Some("redis")),
        ("https://h/a,b:c?tls=who&ssl=knows", "h:443", Tls::Immediately, Some("http")),
        ("http://h/users/@me", "h:80", Tls::No, Some("http")),
        ("smtp://h?tls=true#within=5s,as=lmtp", "h:25", Tls::ByProtocol, Some("lmtp")),
        ("grpc://h", "h:50051", Tls::No, Some("grpc")),
    ] {
        let server = server(text);
        let found = (server.place().to_string(), server.tls(), server.protocol());
        assert_eq!(found, (place.to_string(), tls, protocol), "{text}");
        assert_eq!(&**server.label(), text.split('#').next().unwrap().replace(":x@", ":***@"));
    }
}

#[test]
fn every_scheme_is_found_by_its_name_alone() {
    for scheme in Scheme::all() {
        let text = format!("{}://h{}", scheme.name, scheme.port.map_or(":1", |_| ""));
        let server = server(&text);
        assert_eq!(server.scheme(), Some(scheme));
        assert_eq!(server.tls(), scheme.tls);
        let Place::Host { port, .. } = server.place() else { panic!("{text}") };
        assert_eq!(*port, scheme.port.unwrap_or(1));
    }
}

#[test]
fn the_parts_of_a_url_are_kept_as_written() {
    let server =
        server("postgres://a%40b:s3cret@db/main%20x?password=p,q&sslmode=require#within=5s");
    assert_eq!(server.user(), Some("a%40b"));
    assert_eq!(server.path(), "/main%20x");
    assert_eq!(server.query(), Some("password=***&sslmode=require"));
    assert_eq!(server.options().within, Some(Duration::from_secs(5)));
    assert_eq!(server.to_string(), "postgres://a%40b:***@db/main%20x?password=***&sslmode=require");
    assert!(server.had_password());
}

/// A single-page application's route is no list of options.
#[test]
fn a_page_fragment_is_not_read_as_options() {
    for (text, label, fragment, within) in [
        ("http://h/#/login", "http://h/", Some("/login"), None),
        ("https://h/#!/a,b?c=d", "https://h/", Some("!/a,b?c=d"), None),
        ("http://h/x#/login#within=5s", "http://h/x", Some("/login"), Some(5)),
        ("http://h/x#within=5s", "http://h/x", None, Some(5)),
    ] {
        let server = server(text);
        assert_eq!((&**server.label(), server.fragment()), (label, fragment), "{text}");
        assert_eq!(server.options().within, within.map(Duration::from_secs), "{text}");
    }
    let labels = |text| Target::parse(text).map(|target| target.to_string()).unwrap();
    assert_eq!(labels("http://h/#/a,b,http://i/#/c"), "http://h/,http://i/");
    assert_eq!(labels("http://h/#/a#within=5s,i:80"), "http://h/,i:80");
    assert!(Target::parse("db:1#/login").is_err());
}

#[test]
fn password_is_kept_for_logins_and_never_shown() {
    for (text, password) in [
        ("redis://:s3cret@cache", Some("s3cret")),
        ("redis://app:s3%2fcret@cache/0?password=other#login", Some("s3%2fcret")),
        ("postgres://app@db/main?sslmode=require&password=s3cret", Some("s3cret")),
        ("postgres://db?token=a&password=s3b&password=s3c", Some("s3b")),
        ("redis://u:p@ss,w:o@db:1", Some("p@ss,w:o")),
        ("redis://app:@cache", None),
        ("redis://app:***@cache", None),
        ("nats://t0ken@n", None),
        ("http://h/?passwords=x", None),
        ("db:5432", None),
    ] {
        let server = server(text);
        assert_eq!(server.password().map(|secret| secret.expose()), password, "{text}");
        let shown = format!("{server:?} {server} {}", serde_json::to_string(&server).unwrap());
        assert!(password.is_none_or(|password| !shown.contains(password)), "{shown}");
    }
    let target = Target::parse("redis://:one@a,redis://:second@b:2,redis://c").unwrap();
    let passwords = target.servers().iter().map(|server| server.password().map(|s| s.expose()));
    assert_eq!(passwords.collect::<Vec<_>>(), [Some("one"), Some("second"), None]);
    let target = Target::parse("mongodb://app:s3cret@a:1,b:2/db").unwrap();
    let all = |server: &Server| server.password().is_some_and(|it| it.expose() == "s3cret");
    assert!(target.servers().len() == 2 && target.servers().iter().all(all));
}

#[test]
fn words_and_commas() {
    for (words, label) in [
        (&["db", "5432"][..], "db:5432"),
        (&["::1", "5432"], "[::1]:5432"),
        (&["[fe80::1%eth0]", "80"], "[fe80::1%eth0]:80"),
        (&["db:5432"], "db:5432"),
    ] {
        assert_eq!(Server::from_words(words).unwrap().to_string(), label);
    }
    for (words, says) in [
        (&["db:1", "5432"][..], "`db:1` has the port 1 already; write `db:1`"),
        (&["db", "x"], "`x` is not a port; write a number from 1 to 65535"),
        (
            &["redis://:s@db", "5432"],
            "`redis://:***@db` has a port that stands apart; write the port behind the host, as in redis://db:6379",
        ),
        (&["a", "1", "2"], "a server is one word or two, not 3; write HOST:PORT"),
    ] {
        assert_eq!(Server::from_words(words).unwrap_err().to_string(), says);
    }
    for (text, labels) in [
        ("a:1,b:2", &["a:1", "b:2"][..]),
        ("redis://a,b:2", &["redis://a", "redis://b:2"]),
        ("redis://a#within=5s,as=redis,b:2", &["redis://a", "b:2"]),
        ("http://a/x,y?z=1,2,unix:/c", &["http://a/x,y?z=1,2", "unix:/c"]),
        ("redis://:a,b@h,redis://:c@[::1]:2", &["redis://:***@h", "redis://:***@[::1]:2"]),
    ] {
        let target = Target::parse(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
        let found: Vec<&str> = target.servers().iter().map(|server| &**server.label()).collect();
        assert_eq!(found, labels);
    }
    let target = Target::parse("a:1,b:2#as=x,b:3#as=redis,within=5s").unwrap();
    let names: Vec<_> = target.servers().iter().map(|server| server.protocol().unwrap()).collect();
    assert_eq!(names, ["redis", "x", "redis"]);
    assert_eq!(target.within(), Some(Duration::from_secs(5)));
}

#[test]
fn every_mistake_says_what_to_write() {
    let long = format!("{}:1", ["a"; 150].join("."));
    let label = format!("{}:1", "a".repeat(64));
    let path = format!("unix:/{}", "a".repeat(120));
    for (text, says) in [
        ("", "a server is missing; write HOST:PORT"),
        ("a:1,", "a server is missing; write HOST:PORT"),
        (
            "db",
            "`db` has no port; write db:PORT, or a URL whose protocol has a port: `postgres://db`",
        ),
        (
            "redis-1",
            "`redis-1` has no port; write redis-1:PORT, or a URL whose protocol has a port: `redis://redis-1`",
        ),
        (
            "api",
            "`api` has no port; write api:PORT, or a URL whose protocol has a port: `http://api`",
        ),
        (
            "db:",
            "`db:` has no port; write db:PORT, or a URL whose protocol has a port: `postgres://db`",
        ),
        ("5432", "`5432` is a port without a host; write `localhost:5432`"),
        (":5432", "`:5432` has no host; write `localhost:5432`"),
        ("db:0", "there is no port `0`; write a number from 1 to 65535"),
        ("db:70000", "there is no port `70000`; write a number from 1 to 65535"),
        ("db:abc", "`abc` is not a port; write a number from 1 to 65535"),
        ("db:http", "`http` is not a port; write 80"),
        ("db:-1", "`-1` is not a port; write a number from 1 to 65535"),
        ("[::1", "the bracket is not closed; write [::1]:PORT"),
        ("[::1:80", "the bracket is not closed; write `[::1]:80`"),
        ("[::1]", "`[::1]` has no port; write [::1]:PORT"),
        ("[::1]80", "`80` stands after the bracket; write `[::1]:80`"),
        (
            "[db]:80",
            "`db` is not an IPv6 address; write an IPv6 address as [::1]:PORT, and a name without brackets",
        ),
        ("::1:5432", "`::1:5432` could be read in two ways; write `[::1]:5432`"),
        ("::1", "`::1` could be read in two ways; write [::1]:PORT"),
        ("redis://::1", "`::1` could be read in two ways; write `redis://[::1]`"),
        ("a:1:2", "`a:1:2` has too many colons; write HOST:PORT, or [ADDRESS]:PORT for IPv6"),
        ("tls:db:443", "`tls:db:443` has no `//` after tls:; write `tls://db:443`"),
        ("db 5432", "`db 5432` has a space in it; write `db:5432`"),
        ("::1 5432", "`::1 5432` has a space in it; write `[::1]:5432`"),
        ("a:1, b:2", "` b:2` has a space in it; write `b:2`"),
        ("a\u{1b}:1", "`a\\u{1b}:1` has a character that cannot be printed; leave it out"),
        ("büro.de:80", "`büro.de` has letters that no host name has; write its xn-- form"),
        ("d$b:80", "`d$b` has a `$` in it; a host has letters, digits, `-`, `_` and `.`"),
        ("a..b:80", "`a..b` has nothing between two dots; write db.example.com"),
        ("1.2.3:80", "`1.2.3` is a short form of the address 1.2.0.3; write `1.2.0.3:80`"),
        (
            "redis://0x7f.1/0",
            "`0x7f.1` is a short form of the address 127.0.0.1; write `redis://127.0.0.1`",
        ),
        (
            "010.0.0.1:80",
            "`010.0.0.1` has leading zeros, which some programs read as octal numbers; write `10.0.0.1:80`",
        ),
        (
            "80:80",
            "`80` is not a host: a resolver reads it as 0.0.0.80; write the host's name, or its four-part address",
        ),
        ("10.0.0.300:1", "`10.0.0.300` is not an IPv4 address; write four numbers from 0 to 255"),
        (&long, "a name of 299 characters is too long for a host; a host has at most 253"),
        (&label, "64 characters between two dots are too many; a host has at most 63"),
        (&path, "a path of 121 bytes is too long for a Unix socket; use one of at most 107"),
        ("unix:", "a Unix socket has no path; write unix:/run/app.sock"),
        ("unix://run/x", "`//run/x` has two slashes; write `unix:/run/x`"),
        ("/run/x", "`/run/x` is a path; write `unix:/run/x`"),
        ("db/x", "`db/x` has a path and no protocol; write http:// or unix: before it"),
        (
            "db:1/x",
            "only a protocol has a path, and `1/x` is one; write postgres:// or http:// before the host",
        ),
        ("postgre://db", "no protocol is called `postgre`; the nearest is `postgres://`"),
        (
            "wombat://db",
            "no protocol is called `wombat`; write host:port, or tls://host:port for TLS",
        ),
        ("postgres:///x", "`postgres:///x` has no host; write postgres://db"),
        ("tls://db", "`db` has no port; write tls://db:PORT"),
        ("tls://u@db:1/x", "tls:// has only a host and a port; write `tls://db:1`"),
        (
            "srv://_db._tcp.x",
            "servers from DNS SRV are not in this version yet; write the servers themselves: HOST1:PORT,HOST2:PORT",
        ),
        ("lab:down", "`lab:` names are practice servers of the command line; write host:port here"),
        (
            "app:s3cret@db:1",
            "`app:***@db:1` has a user and no protocol; write `postgres://app:***@db:1`",
        ),
        ("redis://u:s3cret@db:x", "`x` is not a port; write a number from 1 to 65535"),
        (
            "redis://u:s3/cret@db",
            "an `@` after a `/`, `?` or `#` could belong to a password; in a password write %2F, %3F, %23 for these, and %40 for an `@`",
        ),
        (
            "postgres://db?sslmode=requird",
            "`sslmode` cannot be `requird`; the nearest is `require`",
        ),
        ("db:1#withn=5s", "no option behind `#` is called `withn`; the nearest is `within`"),
        ("db:1#within=5", "`5` has no unit; write 5s or 5ms"),
        ("db:1#", "an option behind `#` has no value; write #within=5s or #as=redis"),
        (
            "refused: retry 10, next",
            "`refused: retry 10, next` is a clause, not a server; put --except before it",
        ),
        ("any:stop", "`any:stop` is a clause, not a server; put --except before it"),
    ] {
        let mistake = Target::parse(text).unwrap_err();
        assert_eq!(mistake.to_string(), says, "{text}");
        assert!(text.get(mistake.at.clone()).is_some(), "{text}: {mistake:?}");
    }
    let mistake = Server::parse("redis://u:s3cret@a,redis://u:s3cret@b:x").unwrap_err();
    assert_eq!(mistake.at, 38..39);
    assert_eq!(
        Server::parse("a:1,b:2").unwrap_err().to_string(),
        "2 servers stand where one is meant; write one"
    );
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9_-]{0,20}(\\.[a-z0-9]{1,9}){0,3}",
        any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|address| format!("[{address}]")),
    ]
}

/// Text made of what servers are made of.
fn almost() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just(String::from("redis://")),
        Just(String::from("http://")),
        Just(String::from("unix:")),
        Just(String::from("::1")),
        Just(String::from("#within=5s")),
        "[a-z0-9@:/?#,=%& \\[\\].]{0,6}",
        ".{0,3}",
    ];
    prop::collection::vec(part, 0..7).prop_map(|parts| parts.concat())
}

/// Everything about a text that could be shown.
fn shown(text: &str, parsed: &Result<Target, Mistake>) -> String {
    match parsed {
        Ok(target) => {
            let json = serde_json::to_string(target);
            format!("{target} {target:?} {json:?}")
        }
        Err(mistake) => format!("{mistake:?} {mistake} {}", mistake.in_text(text)),
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_every_mistake_points_into_it(text in prop_oneof![any::<String>(), almost()]) {
        match Target::parse(&text) {
            Ok(target) => prop_assert!(!target.servers().is_empty()),
            Err(mistake) => {
                prop_assert!(text.get(mistake.at.clone()).is_some(), "{:?} in {:?}", mistake, text);
                prop_assert!(!mistake.what.is_empty() && !mistake.instead.is_empty());
            }
        }
        let words: Vec<&str> = text.split(' ').collect();
        let _either = Server::from_words(&words);
    }

    #[test]
    fn a_label_reads_back_as_the_same_place(text in almost()) {
        if let Ok(server) = Server::parse(&text) {
            let again = Server::parse(server.label()).unwrap();
            prop_assert_eq!(again.place(), server.place());
            prop_assert_eq!(again.tls(), server.tls());
            let place = Server::parse(&server.place().to_string()).unwrap();
            prop_assert_eq!(place.place(), server.place());
        }
    }

    #[test]
    fn a_host_and_a_port_are_read(host in host(), port in 1..=u16::MAX) {
        let text = format!("{host}:{port}");
        prop_assert_eq!(Server::parse(&text).unwrap().place().to_string(), text.clone());
        prop_assert_eq!(Server::from_words(&[&host, &port.to_string()]).unwrap().place().to_string(), text);
    }

    // What a password may be, whether it should have been percent-encoded or not.
    #[test]
    fn a_users_password_is_never_shown(
        scheme in prop::sample::select(vec!["", "postgres://", "redis://", "http://", "nats://", "foo://"]),
        user in "[a-z]{0,4}",
        secret in "(Q[0-9a-z/?#@:,%&=+;.\\[\\] ~-]{0,5}){1,3}",
        rest in prop::sample::select(vec![
            "h:1", "h", "h:x", "h:1/db?a=b", "[::1", "h:1#within=x", "h 5", "h:1,redis://:QQ@h2", "",
        ]),
    ) {
        let text = format!("{scheme}{user}:{secret}@{rest}");
        let parsed = Target::parse(&text);
        prop_assert!(!shown(&text, &parsed).contains('Q'), "{} is shown as {}", text, shown(&text, &parsed));
        let words = Server::from_words(&[&text, "5432"]).map(Target::from);
        prop_assert!(!shown(&text, &words).contains('Q'), "{}", shown(&text, &words));
    }

    #[test]
    fn a_password_in_a_query_is_never_shown(
        name in prop::sample::select(vec!["password", "PASS", "pwd", "sslpassword", "token"]),
        secret in "Q[0-9a-z:,%=+;.\\[\\]~/?-]{1,8}",
        before in prop::sample::select(vec!["postgres://h", "http://h:1/x", "redis://h:x", "redis://", "foo://h", "h:1", "h"]),
        after in prop::sample::select(vec!["", "&sslmode=require", "&sslmode=x", "#within=x", ",redis://b:x"]),
    ) {
        let text = format!("{before}?a=b&{name}={secret}{after}");
        let parsed = Target::parse(&text);
        prop_assert!(!shown(&text, &parsed).contains('Q'), "{} is shown as {}", text, shown(&text, &parsed));
        let words = Server::from_words(&[&text, "5432"]).map(Target::from);
        prop_assert!(!shown(&text, &words).contains('Q'), "{}", shown(&text, &words));
    }
}

#[test]
fn options_of_recipes_are_read_and_say_themselves_again() {
    let text = "smtp://mx#within=5s,as=mine,starttls,login,status=200..204,body=a%2Cb,method=HEAD,header=A:%20b";
    let server = Server::parse(text).unwrap();
    let options = server.options();
    assert!(options.starttls && options.login);
    assert_eq!(options.status.as_ref().unwrap().ranges(), [(200, 204)]);
    assert_eq!(options.body.as_deref(), Some("a,b"));
    let headers: Vec<_> = options.headers.iter().map(|one| (one.name(), one.value())).collect();
    assert_eq!(headers, [("A", Some("b"))]);
    assert_eq!(server.tls(), Tls::ByProtocol);
    let again = Server::parse(&format!("{}#{options}", server.label())).unwrap();
    assert_eq!(again, server);

    // They hold for the servers before, and a word without a value is an option there.
    let target = Target::parse("a:25,b:25#as=smtp,starttls").unwrap();
    assert_eq!(target.servers().len(), 2);
    assert!(target.servers().iter().all(|server| server.tls() == Tls::ByProtocol));
    assert_eq!(Server::parse("smtps://mx#starttls").unwrap().tls(), Tls::Immediately);

    for (text, says) in [
        ("a:1#starttls=yes", "the option `starttls` has no value; write #starttls"),
        ("a:1#login=app", "the option `login` has no value; write #login"),
        ("a:1#starttls,starttls", "the option `starttls` stands there twice; write it once"),
        (
            "a:1#status=20",
            "`20` is no set of statuses; write #status=200, #status=200..399 or #status=200,401",
        ),
        (
            "a:1#status=2000",
            "`2000` is no set of statuses; write #status=200, #status=200..399 or #status=200,401",
        ),
        (
            "a:1#status=300..200",
            "`300..200` is no set of statuses; write #status=200, #status=200..399 or #status=200,401",
        ),
        ("a:1#method=get", "`get` is no method; write #method=HEAD"),
        (
            "a:1#header=A:%0d%0aB:",
            "a header cannot hold a line end or a control character; leave it out; for a second header write #header=… again",
        ),
        ("a:1#header=A", "a header has no colon; write #header=Name:%20value"),
        (
            "a:1#header=Cookie: a%zz",
            "a header has a `%` without two digits; write %25 for the `%` itself",
        ),
        ("a:1#header=Cookie: a,b", "a comma ends a header; in its value, write %2C for a comma"),
        (
            "a:1#header=Content-Length: 5",
            "a header says that a body follows, and redial sends none; leave it out",
        ),
        (
            "a:1#body=/(/",
            "the pattern `/(/` is wrong: unclosed group; mend it, or write the text without slashes",
        ),
    ] {
        assert_eq!(Server::parse(text).unwrap_err().to_string(), says, "{text}");
    }
}

#[test]
fn secret_of_a_header_is_read_and_never_shown() {
    for (text, name, sent) in [
        ("http://h/#header=Authorization: Bearer Q", "Authorization", "Bearer Q"),
        ("http://h/#within=5s,header=X-Api-Key:%20Q", "X-Api-Key", "Q"),
        ("http://h/#header=Cookie: a#Q; b=Q,as=http", "Cookie", "a#Q; b=Q"),
        ("http://h/#header=%58-Token%3AQ@x,via=socks5://u:Q@p", "X-Token", "Q@x"),
        ("http://u:Q@h/#via=socks5://u:Q@p,header=X-Token:Q@x", "X-Token", "Q@x"),
        ("http://h/#header=proxy-authorization:Q%2C%20b", "proxy-authorization", "Q, b"),
    ] {
        let server = Server::parse(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
        let options = server.options();
        assert_eq!((options.headers[0].name(), options.headers[0].value()), (name, None));
        let shown = format!("{server} {server:?} {} {options}", server.written());
        assert!(!shown.contains('Q'), "{shown}");
        let masked = redial_core::masked(&format!("say \"{text}\""));
        assert!(!masked.contains('Q'), "{masked}");
        let script = Recipe::named("http").unwrap().script(&server).unwrap();
        let probe = script.probe();
        let ProbeOutput::Send(request) = probe.poll() else { panic!() };
        let request = String::from_utf8_lossy(request);
        assert!(request.contains(&format!("\r\n{name}: {sent}\r\n")), "{request}");
    }
    for text in [
        "http://h/#header=Authorization: Q,realm=\"Q\"",
        "http://h/#header=Authorization Q",
        "http://h/#header=Authorization: Q%0d%0aQ",
        "http://h/#header=Authorization: Q,nothing=1",
        "http://h/#header=Authorization: Q,b:5432",
        "http://h/#header=Authorization: Q%",
        "http://h/#header=Authorization: Q,within=x",
        "db#header=Authorization: Q",
    ] {
        let mistake = Target::parse(text).unwrap_err();
        assert!(!format!("{mistake}").contains('Q'), "{text}: {mistake}");
        assert!(text.get(mistake.at.clone()).is_some(), "{text}: {mistake:?}");
    }
    // A mask that was printed and read again is not a secret to send.
    for text in ["http://h/#header=X-Token:***", "http://u:***@h/"] {
        let server = Server::parse(text).unwrap();
        let mistake = Recipe::named("http").unwrap().script(&server).unwrap_err();
        assert!(mistake.what.ends_with("is masked"), "{mistake}");
    }
}

//! What one target may hold: several hosts, the spellings of drivers, and how it is reached.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::time::Duration;

use redial_core::{Limits, Policy, Server, Target, Tls, Verb, Verify};

fn labels(target: &Target) -> Vec<&str> {
    target.servers().iter().map(|server| &**server.label()).collect()
}

fn places(text: &str) -> Vec<String> {
    let target = Target::parse(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
    target.servers().iter().map(|server| server.place().to_string()).collect()
}

#[test]
fn hosts_of_one_url_share_the_rest() {
    let target = Target::parse("mongodb://u:s3cret@a:1,b/db?tls=true#within=5s").unwrap();
    assert_eq!(
        labels(&target),
        ["mongodb://u:***@a:1/db?tls=true", "mongodb://u:***@b/db?tls=true"]
    );
    for server in target.servers() {
        assert_eq!(server.tls(), Tls::Immediately);
        assert_eq!((server.user(), server.path()), (Some("u"), "/db"));
        assert!(server.had_password());
        assert_eq!(server.options().within, Some(Duration::from_secs(5)));
    }
    // What the labels say is the same again.
    let again = Target::parse(&target.to_string()).unwrap();
    assert_eq!(again.to_string(), target.to_string());

    for (text, expected) in [
        ("postgresql://a:1,b:2/db", &["a:1", "b:2"][..]),
        ("postgres://[::1]:1,b", &["[::1]:1", "b:5432"]),
        ("kafka://a,b,c:9093,redis://d", &["a:9092", "b:9092", "c:9093", "d:6379"]),
        ("tls://a:1,b:2,tcp://c:3", &["a:1", "b:2", "c:3"]),
        ("a:1,redis://b,c:3", &["a:1", "b:6379", "c:3"]),
    ] {
        assert_eq!(places(text), expected, "{text}");
    }
    let mistake = Target::parse("mongodb://a:1,b:x/db").unwrap_err();
    assert_eq!(mistake.to_string(), "`x` is not a port; write a number from 1 to 65535");
    assert_eq!(mistake.at, 16..17);
    let mistake = Target::parse("mongodb://a:1,/db").unwrap_err();
    assert_eq!(mistake.to_string(), "a host is missing beside a comma; write mongodb://db1,db2");
}

#[test]
fn libpq_and_mysql_name_hosts_in_the_query() {
    for (text, expected) in [
        ("postgresql:///db?host=/run/postgresql", &["unix:/run/postgresql/.s.PGSQL.5432"][..]),
        ("postgresql://?host=/run/pg/&port=5433", &["unix:/run/pg/.s.PGSQL.5433"]),
        ("postgresql://%2Frun%2Fpostgresql:5433/db", &["unix:/run/postgresql/.s.PGSQL.5433"]),
        ("postgresql:///db?host=a,b&port=1,2", &["a:1", "b:2"]),
        ("postgresql:///db?host=a,%2Frun&port=7", &["a:7", "unix:/run/.s.PGSQL.7"]),
        ("postgresql://u@ignored:1/db?host=db&port=2", &["db:2"]),
        ("postgresql://a:1,b:2/db?port=3", &["a:3", "b:3"]),
        (
            "postgresql:///db?host=db.example&hostaddr=10.0.0.5&sslmode=verify-full",
            &["10.0.0.5:5432"],
        ),
        ("postgresql:///db?hostaddr=::1", &["[::1]:5432"]),
        ("mysql:///db?unix_socket=/run/mysqld/mysqld.sock", &["unix:/run/mysqld/mysqld.sock"]),
        ("mysql2://h/db?socket=%2Frun%2Fm.sock", &["unix:/run/m.sock"]),
        ("mongodb://%2Ftmp%2Fmongodb-27017.sock/db", &["unix:/tmp/mongodb-27017.sock"]),
        ("http://h/?host=x&port=1", &["h:80"]),
        ("redis://h/?host=x", &["h:6379"]),
    ] {
        assert_eq!(places(text), expected, "{text}");
        let target = Target::parse(text).unwrap();
        assert_eq!(places(&target.to_string()), expected, "{target}");
    }
    let text = "postgresql:///db?host=db.example&hostaddr=10.0.0.5&sslmode=verify-full";
    let server = Server::parse(text).unwrap();
    assert_eq!(server.overrides().sni.as_deref(), Some("db.example"));
    let socket = Server::parse("postgresql:///db?host=/run&sslmode=require").unwrap();
    assert_eq!(socket.tls(), Tls::No);
    for (text, says) in [
        (
            "postgresql:///db?host=a,b&port=1,2,3",
            "2 hosts do not fit 3 ports or names; write one port, or one for each host",
        ),
        ("postgresql:///db?host=a,", "a host in the query is empty; write host=db"),
        ("postgresql:///db?port=1", "`postgresql:///db?port=1` has no host; write postgresql://db"),
        (
            "postgresql:///db?host=%40abstract",
            "`@abstract/.s.PGSQL.5432` has no path; write the path of a socket; abstract ones cannot be dialled",
        ),
    ] {
        assert_eq!(Target::parse(text).map(|t| t.to_string()).unwrap_err().to_string(), says);
    }
}

#[test]
fn spellings_of_drivers_are_protocols() {
    for (text, place, protocol, tls) in [
        ("postgresql+asyncpg://u:p@db/x", "db:5432", "postgres", Tls::No),
        ("mysql+pymysql://db", "db:3306", "mysql", Tls::No),
        ("mysql2://db", "db:3306", "mysql", Tls::No),
        ("mariadb://db", "db:3306", "mysql", Tls::No),
        (
            "jdbc:postgresql://db:1/x?user=a&password=b&ssl=true",
            "db:1",
            "postgres",
            Tls::ByProtocol,
        ),
        ("jdbc:mysql://db/x?sslMode=VERIFY_CA", "db:3306", "mysql", Tls::ByProtocol),
        ("jdbc:mysql://db/x?useSSL=false", "db:3306", "mysql", Tls::No),
        ("redis+ssl://cache", "cache:6379", "redis", Tls::Immediately),
    ] {
        let server = Server::parse(text).unwrap();
        assert_eq!(server.place().to_string(), place, "{text}");
        assert_eq!((server.protocol(), server.tls()), (Some(protocol), tls), "{text}");
        assert!(!server.label().contains("=b"), "{server}");
    }
    let target = Target::parse("jdbc:mysql:loadbalance://a,b:1/x,jdbc:postgresql://c").unwrap();
    assert_eq!(
        labels(&target),
        ["jdbc:mysql:loadbalance://a/x", "jdbc:mysql:loadbalance://b:1/x", "jdbc:postgresql://c"]
    );
    let mistake = Target::parse("jdbc:oracle://db").unwrap_err();
    assert!(mistake.what.starts_with("no protocol is called `jdbc:oracle`"), "{mistake}");
}

#[test]
fn sslmode_is_as_libpq_means_it() {
    use Tls::{ByProtocol, No};
    for (query, tls, verify, ca) in [
        ("sslmode=disable", No, Some(Verify::Full), None),
        ("sslmode=allow", No, Some(Verify::Full), None),
        ("sslmode=prefer", ByProtocol, Some(Verify::IfNamed), None),
        ("sslmode=require", ByProtocol, Some(Verify::IfNamed), None),
        (
            "sslmode=require&sslrootcert=a%20b.pem",
            ByProtocol,
            Some(Verify::IfNamed),
            Some("a b.pem"),
        ),
        ("sslmode=verify-ca", ByProtocol, Some(Verify::Authority), None),
        ("sslmode=verify-full", ByProtocol, Some(Verify::Full), None),
        ("sslrootcert=system", ByProtocol, Some(Verify::Full), Some("system")),
        ("sslrootcert=ca.pem", ByProtocol, Some(Verify::IfNamed), Some("ca.pem")),
        ("application_name=x", No, None, None),
    ] {
        let server = Server::parse(&format!("postgres://db/x?{query}")).unwrap();
        let overrides = server.overrides();
        let found = (server.tls(), overrides.verify, overrides.ca.as_deref());
        assert_eq!(found, (tls, verify, ca), "{query}");
        let is_optional = query.contains("prefer") || query == "sslrootcert=ca.pem";
        assert_eq!(server.tls_is_optional(), is_optional, "{query}");
    }
    let server = Server::parse("postgres://db?sslmode=require&sslcert=c.pem&sslkey=k.pem").unwrap();
    let overrides = server.overrides();
    assert_eq!(
        (overrides.cert.as_deref(), overrides.key.as_deref()),
        (Some("c.pem"), Some("k.pem"))
    );
    let mistake = Server::parse("postgres://db?sslmode=require&sslrootcert=system").unwrap_err();
    assert_eq!(
        mistake.to_string(),
        "`sslrootcert=system` checks nothing without the server's name; write sslmode=verify-full beside it"
    );
    // MySQL's words, and those of drivers.
    for (text, verify) in [
        ("mysql://db?ssl-mode=REQUIRED", Verify::IfNamed),
        ("mysql://db?tls=skip-verify", Verify::Nothing),
        ("mysql://db?ssl_ca=ca.pem", Verify::Authority),
        ("mongodb://db/?tls=true&tlsAllowInvalidCertificates=true", Verify::Nothing),
        ("mongodb://db/?tlsCAFile=ca.pem", Verify::Full),
        ("rediss://db?ssl_cert_reqs=none", Verify::Nothing),
    ] {
        assert_eq!(Server::parse(text).unwrap().overrides().verify, Some(verify), "{text}");
    }
}

#[test]
fn options_have_the_names_of_flags() {
    let text = "https://a#ca=a%2Cb.pem,cert=c.pem,key=k.pem,sni=b.example,alpn=h2,http/1.1,insecure,\
                connect-timeout=1s,tls-timeout=2s,reply-timeout=3s,settle=0s,as=http";
    let server = Server::parse(text).unwrap();
    let overrides = server.overrides();
    assert_eq!(overrides.ca.as_deref(), Some("a,b.pem"));
    assert_eq!(overrides.alpn.iter().map(|name| &**name).collect::<Vec<_>>(), ["h2", "http/1.1"]);
    assert!(overrides.insecure);
    let again = Server::parse(&format!("https://a#{}", server.options())).unwrap();
    assert_eq!(again.options(), server.options());

    let policy = Policy::build(Verb::Wait).server(server).server(Server::parse("b:1").unwrap());
    let policy = policy.build().unwrap();
    let seconds = |limits: Limits| {
        [limits.connect, limits.tls, limits.reply, limits.settle].map(|t| t.as_millis())
    };
    assert_eq!(seconds(policy.limits_of(0)), [1000, 2000, 3000, 0]);
    assert_eq!(seconds(policy.limits_of(1)), [5000, 5000, 5000, 150]);

    // They end where another server begins.
    let target = Target::parse("https://a#alpn=h2,http/1.1,insecure,b:1").unwrap();
    assert_eq!(labels(&target), ["https://a", "b:1"]);
    for (text, says) in [
        (
            "https://a#connect=2s",
            "no option behind `#` is called `connect`; it has the name of its flag: `connect-timeout`",
        ),
        (
            "https://a#timeout=2s",
            "no option behind `#` is called `timeout`; the nearest is `within`",
        ),
        (
            "https://a#tls-timeout=0s",
            "a limit of 0 would end everything at once; write how long, as in `5s`",
        ),
        ("https://a#insecure=yes", "the option `insecure` has no value; write #insecure"),
        (
            "https://a#key=k.pem",
            "the option `key` has no `cert` beside it; write #cert=FILE,key=FILE",
        ),
    ] {
        assert_eq!(Server::parse(text).unwrap_err().to_string(), says, "{text}");
    }
}

#[test]
fn option_that_cannot_apply_is_a_mistake() {
    for (text, says) in [
        (
            "db:5432#ca=a.pem",
            "`#ca` is for TLS, and `db:5432` uses none; write `tls://db:5432#ca…`",
        ),
        (
            "redis://c/0#sni=x",
            "`#sni` is for TLS, and `redis://c/0` uses none; write `rediss://c/0#sni…`",
        ),
        (
            "postgres://db#insecure",
            "`#insecure` is for TLS, and `postgres://db` uses none; write `postgres://db?sslmode=verify-full#insecure…`",
        ),
        ("ssh://h#alpn=x", "`#alpn` is for TLS, and `ssh://h` uses none; leave alpn out"),
        (
            "unix:/x#tls-timeout=1s",
            "`#tls-timeout` is for TLS, and `unix:/x` uses none; leave tls-timeout out",
        ),
        ("a:1#ca=x,tls://b:2", "`#ca` is for TLS, and `a:1` uses none; write `tls://a:1#ca…`"),
        (
            "unix:/x#via=socks5://p",
            "`#via` is for hosts, and `unix:/x` is a Unix socket; leave via out",
        ),
    ] {
        assert_eq!(Target::parse(text).unwrap_err().to_string(), says, "{text}");
    }
    // At the end they hold for whoever has a use for them.
    let target = Target::parse("a:1,tls://b:2#ca=x").unwrap();
    assert_eq!(target.servers()[1].overrides().ca.as_deref(), Some("x"));
    Target::parse("a:1#starttls,ca=x").unwrap();
}

#[test]
fn password_of_a_proxy_is_read_and_never_shown() {
    for text in [
        "http://a#via=socks5://me:s3cr3tQ@proxy,within=5s",
        "http://a#within=5s,via=http://me:s3cr3tQ@proxy:3128",
        "redis://u:Q@a#via=socks5://me:Q@proxy",
    ] {
        let server = Server::parse(text).unwrap();
        let via = server.overrides().via.unwrap();
        let login = via.login().unwrap();
        assert_eq!(login.user, b"me");
        assert!(login.password.ends_with(b"Q"), "{text}");
        assert!(server.had_password());
        let shown = format!("{server} {server:?} {}", server.options());
        assert!(!shown.contains('Q'), "{shown}");
        assert!(shown.contains("via="), "{shown}");
        let masked = redial_core::masked(&format!("say {text}"));
        assert!(!masked.contains('Q'), "{masked}");
        let policy = Policy::build(Verb::Wait).server(server).build().unwrap();
        let file = policy.to_toml();
        assert!(!file.contains('Q'), "{file}");
        Policy::parse(Verb::Wait, &file).unwrap();
    }
    for text in [
        "http://a#via=socks5://me:Q@proxy:x",
        "http://a#via=socks9://me:Q@proxy",
        "http://a#via=socks5://me:Q,Q@proxy",
        "http://a#via=socks5://me:Q@p,via=socks5://me:Q@p",
        "db:1#via=me:Q@p",
    ] {
        let mistake = Target::parse(text).unwrap_err();
        assert!(!format!("{mistake} {}", mistake.in_text("")).contains('Q'), "{text}: {mistake}");
        assert!(text.get(mistake.at.clone()).is_some(), "{text}: {mistake:?}");
    }
    let mistake = Target::parse("http://a#via=env:PROXY").unwrap_err();
    assert_eq!(
        mistake.to_string(),
        "a proxy is a URL; write socks5://HOST:1080 or http://HOST:3128"
    );
}

#[test]
fn list_of_targets_needs_every_one() {
    let list = |text: &str| -> Vec<String> {
        let targets = Target::list(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
        targets.iter().map(ToString::to_string).collect()
    };
    for (text, expected) in [
        ("a:1", &["a:1"][..]),
        ("a:1,b:2", &["a:1", "b:2"]),
        (" a:1, b:2\n c:3,\n", &["a:1", "b:2", "c:3"]),
        ("a:1|b:2,c:3", &["a:1,b:2", "c:3"]),
        ("postgresql://a,b/db,redis://c", &["postgresql://a/db,postgresql://b/db", "redis://c"]),
        ("postgres://u:p,w@db/x,c:1", &["postgres://u:***@db/x,c:1"]),
        ("postgres://u:p,w@db/x,tcp://c:1", &["postgres://u:***@db/x", "tcp://c:1"]),
        ("redis://:s@x redis://:t@y", &["redis://:***@x", "redis://:***@y"]),
        ("a:1#within=5s,b:2", &["a:1", "b:2"]),
    ] {
        assert_eq!(list(text), expected, "{text}");
    }
    assert_eq!(Target::list("a:1#within=5s,b:2").unwrap()[1].within(), None);
    for text in ["", " , ", "a:1 b", "host=db password=Q", "a:1,b:x", "Server=db;Password=Q"] {
        let mistake = Target::list(text).unwrap_err();
        assert!(text.get(mistake.at.clone()).is_some(), "{text}: {mistake:?}");
    }
    for text in ["postgres://u:Q @h:1/db", "postgres://u:a Q:b @h:1", "redis://:Q Q@h"] {
        // A blank in a password is no end of a server.
        let shown = format!("{:?}", Target::list(text));
        assert!(!shown.contains('Q'), "{shown}");
    }
}

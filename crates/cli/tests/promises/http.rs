//! HTTP checks: what is sent, what is read, and what a mismatch says.
//!
//! The servers are scripted here, byte by byte; a real nginx is checked in `servers`.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use redial_lab::{Certificate, Lab, PROTOCOLS, State};
use serde_json::Value;

use crate::support::{Ran, redial};

/// A server that answers each request with these bytes, and keeps the requests.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// A server that answers a path with these bytes, and closes.
    fn answering(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        Self::playing(move |path, stream| stream.write_all(&answer(path)).unwrap_or_default())
    }

    /// A server that does this with a request's path, or with all of the request.
    fn playing(play: impl Fn(&str, &mut TcpStream) + Send + 'static) -> Self {
        let path = |request: &str| request.split(' ').nth(1).unwrap_or("").to_owned();
        Self::hearing(move |request, stream| play(&path(request), stream))
    }

    fn hearing(play: impl Fn(&str, &mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let Some(request) = read_request(&stream) else { continue };
                kept.lock().unwrap().push(request.clone());
                play(&request, &mut stream);
            }
        });
        Self { port, requests }
    }

    fn url(&self, rest: &str) -> String {
        format!("http://127.0.0.1:{}{rest}", self.port)
    }

    fn request(&self) -> String {
        self.requests.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

fn read_request(stream: &TcpStream) -> Option<String> {
    let mut request = String::new();
    let mut reader = BufReader::new(stream);
    while !request.ends_with("\r\n\r\n") {
        if reader.read_line(&mut request).ok()? == 0 {
            return None;
        }
    }
    Some(request)
}

fn ok(_: &str) -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec()
}

fn once(target: &str) -> (Ran, Value) {
    let ran = redial(["wait", "--once", "--json", target]).run();
    let json = serde_json::from_str(ran.stdout.trim()).unwrap_or_else(|_| panic!("{ran}"));
    (ran, json)
}

#[track_caller]
fn ready(target: &str) {
    let (ran, _) = once(target);
    assert_eq!(ran.status, Some(0), "{ran}");
}

/// Not ready, and these are the words.
#[track_caller]
fn unexpected(target: &str, says: &str) {
    let (ran, json) = once(target);
    let failure = &json["targets"][0]["servers"][0]["failure"];
    let found = (ran.status, failure["kind"].as_str(), failure["detail"].as_str());
    assert_eq!(found, (Some(1), Some("unexpected-response"), Some(says)), "{ran}");
}

/// Refused before anything is dialled.
#[track_caller]
fn refused(words: &[&str], says: &str) {
    let ran = redial(words.iter().copied()).run();
    assert!(matches!(ran.status, Some(2 | 125)), "{ran}");
    assert!(ran.stderr.contains(says), "{says}: {ran}");
}

#[test]
fn user_of_a_url_is_sent_as_basic_auth() {
    let server = Server::answering(ok);
    for (user, sent) in [
        ("app:s3cret", "YXBwOnMzY3JldA=="),
        ("app:p%40ss%3Aw%20rd", "YXBwOnBAc3M6dyByZA=="),
        ("app", "YXBwOg=="),
        (":s3cret", "OnMzY3JldA=="),
    ] {
        ready(&server.url("/").replace("//", &format!("//{user}@")));
        let request = server.request();
        assert!(request.contains(&format!("\r\nAuthorization: Basic {sent}\r\n")), "{request}");
    }
    ready(&server.url("/"));
    assert!(!server.request().contains("Authorization"));
    // curl's spelling, and a header in place of the user.
    let url = server.url("/");
    assert_eq!(redial(["wait", "--once", "-u", "app:s3cret", &url]).run().status, Some(0));
    assert!(server.request().contains("Basic YXBwOnMzY3JldA=="));
    ready(&server.url("/#header=Authorization: Bearer x").replace("//", "//app:s3cret@"));
    assert!(server.request().contains("\r\nAuthorization: Bearer x\r\n"));
    assert!(!server.request().contains("Basic"));
}

#[test]
fn parameter_password_is_not_basic_auth() {
    let server = Server::answering(ok);
    ready(&server.url("/?password=s3cret").replace("//", "//app@"));
    let request = server.request();
    assert!(request.contains("\r\nAuthorization: Basic YXBwOg==\r\n"), "{request}"); // `app:`
}

#[test]
fn secret_query_is_sent_and_not_shown() {
    let server = Server::answering(ok);
    let url = server.url("/health?code=a%20b&api-key=s3cret&x=1");
    let ran = redial(["wait", "--once", "-v", &url]).run();
    assert_eq!(ran.status, Some(0), "{ran}");
    let request = server.request();
    assert!(request.starts_with("GET /health?code=a%20b&api-key=s3cret&x=1 HTTP/1.1"), "{request}");
    assert!(!ran.stdout.contains("s3cret") && !ran.stderr.contains("s3cret"), "{ran}");
    let echo = Server::hearing(|request, stream| {
        let words = request.lines().next().unwrap().to_owned();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", words.len());
        stream.write_all((head + &words).as_bytes()).unwrap_or_default();
    });
    let url = echo.url("/?api-key=s3cret#body=zzz");
    let ran = redial(["wait", "--once", "-v", &url]).run();
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(!ran.stdout.contains("s3cret") && !ran.stderr.contains("s3cret"), "{ran}");
}

#[test]
fn headers_of_a_target_are_sent() {
    let server = Server::answering(ok);
    ready(&server.url("/#header=X-A: b c,header=x-a:%20%2C,header=Host: web,header=Cookie: q=1"));
    let request = server.request();
    for line in ["X-A: b c", "x-a: ,", "Host: web", "Cookie: q=1", "Connection: close"] {
        assert!(request.contains(&format!("\r\n{line}\r\n")), "{line}: {request}");
    }
    assert_eq!(request.matches("Host:").count(), 1, "{request}");
    let url = server.url("/");
    let ran = redial(["wait", "--once", "-H", "Authorization: Bearer t,k", &url]).run();
    assert_eq!(ran.status, Some(0), "{ran}");
    assert!(server.request().contains("\r\nAuthorization: Bearer t,k\r\n"));
}

/// A variable is a list, where a blank separates targets.
#[test]
fn header_in_a_variable_is_sent_and_not_shown() {
    let server = Server::answering(ok);
    let run =
        |target: String| redial(["wait", "--once", "-v", "env:API"]).env("API", &target).run();
    let ran = run(server.url("/#header=Authorization:%20Bearer%20s3cret"));
    assert_eq!(ran.status, Some(0), "{ran}");
    assert!(server.request().contains("\r\nAuthorization: Bearer s3cret\r\n"));
    let refused = run(server.url("/#header=Authorization: Bearer s3cret"));
    assert_eq!(refused.status, Some(125), "{refused}");
    for ran in [ran, refused] {
        assert!(!ran.stderr.contains("s3cret"), "{ran}");
    }
}

#[test]
fn header_that_cannot_be_sent_is_refused() {
    for (header, says) in [
        ("X-A:%0d%0aB: c", "a line end or a control character"),
        ("X-A: %00", "a line end or a control character"),
        ("X-A", "has no colon"),
        ("X A: b", "the name of a header"),
        ("Transfer-Encoding: chunked", "redial sends none"),
    ] {
        refused(&["wait", "--once", &format!("http://h/#header={header}")], says);
    }
}

/// A server that repeats all of the request in its answer gets none of it printed.
#[test]
fn secrets_of_a_request_are_never_shown() {
    let echo = Server::hearing(|request, stream| {
        let words = request.rsplit("close\r\n").next().unwrap().replace("Bearer", "");
        let body = format!("{words} {}", if words.contains("Basic") { "s3cret" } else { "" });
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).unwrap_or_default();
    });
    let options = "#header=Authorization: Bearer t0ken-x,header=X-Api-Key:%20k3y-y,body=zzz";
    let targets = [
        echo.url("/#body=zzz").replace("//", "//app:s3cret@"),
        echo.url(&format!("/{options}")),
        format!("http://127.0.0.1:1/{options}"),
        format!("http://127.0.0.1:1/{options},nothing=1"),
        format!("db{options}"),
    ];
    for target in targets {
        let verbs: [&[&str]; 5] = [
            &["wait", "--once", "-v"],
            &["wait", "--once", "--json"],
            &["wait", "--once"],
            &["connect"],
            &["check"],
        ];
        for verb in verbs {
            let ran = redial(verb.iter().copied().chain([&*target])).run();
            let shown = [&*ran.stdout, &*ran.stderr].concat();
            for secret in ["s3cret", "t0ken", "k3y", "YXBwOnMzY3JldA"] {
                assert!(!shown.contains(secret), "{ran}");
            }
        }
    }
}

#[test]
fn option_without_use_is_an_error() {
    for (words, says) in [
        (&["db:5432#status=200"][..], "`#status` has nothing to apply to: `db:5432` has no recipe"),
        (&["redis://c#header=A: b"], "redis, has no use for `#header`"),
        (&["postgres://c#body=x"], "postgres, has no use for `#body`"),
        (&["http://h#status=200", "--gone", "-t", "1"], "--gone asks `http://h` nothing"),
        (&["http://h#status=200", "--expect", "x"], "`#status` does nothing"),
    ] {
        refused(&[&["wait"], words].concat(), says);
    }
    refused(&["connect", "http://127.0.0.1:1#status=200"], "`#status` is for a probe");
    // With a recipe for all, it has a use; and it is asked of servers of its own protocol only.
    let server = Server::answering(ok);
    let target = format!("127.0.0.1:{}#status=200", server.port);
    assert_eq!(redial(["wait", "--once", "--as", "http", &target]).run().status, Some(0));
    let target = format!("redis://127.0.0.1:1,{}", server.url("/#status=200"));
    ready(&target);
}

fn with(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes(), body].concat()
}

#[test]
fn status_outside_its_set_is_named() {
    let server = Server::answering(|path| {
        format!("HTTP/1.1 {}\r\nContent-Length: 0\r\n\r\n", path.trim_start_matches('/')).into()
    });
    for target in ["/401#status=200,401", "/204#status=2xx", "/299", "/404#status=200..299,404"] {
        ready(&server.url(target));
    }
    unexpected(&server.url("/404"), "HTTP status 404, expected 200..399");
    unexpected(&server.url("/200#status=204,401"), "HTTP status 200, expected 204,401");
    unexpected(&server.url("/500#status=2xx"), "HTTP status 500, expected 200..299");
    for status in ["2000", "200xyz", "20", "099"] {
        let says = format!("its first line is no status line of HTTP/1: HTTP/1.1 {status}");
        unexpected(&server.url(&format!("/{status}")), &says);
    }
    for status in ["2000", "200xyz", "20", "399..200"] {
        let target = format!("http://h/#status={status}");
        refused(&["wait", "--once", &target], "is no set of statuses");
    }
}

/// The connection stays open, so that only the body's own end can decide.
#[test]
fn body_is_judged_when_it_is_complete() {
    let server = Server::playing(|path, stream| {
        let answer = match path {
            "/length" => with("Content-Length: 8", b"starting"),
            "/chunked" => {
                with("Transfer-Encoding: chunked", b"5\r\nstart\r\n3\r\ning\r\n0\r\n\r\n")
            }
            _ => b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(),
        };
        stream.write_all(&answer).unwrap_or_default();
        // Until the client leaves.
        let _ = stream.read(&mut [0]);
    });
    let began = Instant::now();
    for path in ["/length", "/chunked"] {
        ready(&server.url(&format!("{path}#body=starting,status=200")));
        ready(&server.url(&format!("{path}#body=/art(ing|ed)/")));
        let says = "the body does not match `ready`: starting";
        unexpected(&server.url(&format!("{path}#body=ready")), says);
        unexpected(
            &server.url(&format!("{path}#json=/status:ready")),
            "the body is not JSON: expected value at line 1 column 1: starting",
        );
    }
    unexpected(&server.url("/none#body=ready"), "the body is empty, expected `ready`");
    // Far from the 5 s that a reply may take.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn json_value_of_a_body_is_compared() {
    let server = Server::answering(|_| {
        let body = br#"{"status": "starting", "checks": [{"db": true, "n": 3}]}"#;
        with(&format!("Content-Length: {}", body.len()), body)
    });
    for check in
        ["json=/status:starting", "json=/status", "json=/checks/0/db:true,json=/checks/0/n:3"]
    {
        ready(&server.url(&format!("/#{check}")));
    }
    for (check, says) in [
        ("json=/status:ready", "/status is \"starting\", expected \"ready\""),
        ("json=/checks/0/db:false", "/checks/0/db is true, expected false"),
        ("json=/status:starting,json=/state", "/state is missing"),
        ("body=starting,json=/checks:1", "/checks is a list, expected 1"),
    ] {
        unexpected(&server.url(&format!("/#{check}")), says);
    }
    refused(&["wait", "http://h/#json=status:ready"], "is no JSON pointer");
    refused(&["wait", "http://h/#json=/a,method=HEAD"], "an answer to HEAD has no body");
    refused(&["wait", "db:5432#json=/a"], "`#json` has nothing to apply to");
}

/// `printf '{"status": "ready"}' | gzip -n`
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56\x2a\x2e\x49\x2c\x29\x2d\x56\
    \xb2\x52\x50\x2a\x4a\x4d\x4c\xa9\x54\xaa\x05\x00\x3a\xce\xae\xe9\x13\x00\x00\x00";

#[test]
fn gzip_body_is_read_though_none_is_asked_for() {
    let server = Server::answering(|path| {
        let chunks = [b"5\r\n", &GZIP[..5], b"\r\n22\r\n", &GZIP[5..], b"\r\n0\r\n\r\n"].concat();
        match path {
            "/chunked" => with("Content-Encoding: gzip\r\nTransfer-Encoding: chunked", &chunks),
            "/closed" => with("Content-Encoding: x-gzip", GZIP),
            "/damaged" => with("Content-Encoding: gzip", &[&GZIP[..31], &[0; 8]].concat()),
            "/br" => with("Content-Encoding: br", b"x"),
            _ => with(&format!("Content-Encoding: gzip\r\nContent-Length: {}", GZIP.len()), GZIP),
        }
    });
    for path in ["/", "/chunked", "/closed"] {
        ready(&server.url(&format!("{path}#json=/status:ready,body=ready")));
    }
    assert!(server.request().contains("\r\nAccept-Encoding: identity\r\n"));
    unexpected(&server.url("/damaged#body=zzz"), "its gzip body is damaged");
    unexpected(&server.url("/br#body=x"), "its body is written as `br`, which redial cannot read");
}

#[test]
fn endless_answers_are_bounded() {
    let server = Server::playing(|path, stream| {
        let (head, piece) = match path {
            "/headers" => ("", "X-A: b\r\n".repeat(512)),
            "/chunks" => ("Transfer-Encoding: chunked\r\n\r\n", "1;x=y\r\na\r\n".repeat(512)),
            _ => ("\r\n", "a".repeat(4096)),
        };
        let mut sent = stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}").as_bytes());
        while sent.is_ok() {
            sent = stream.write_all(piece.as_bytes());
        }
    });
    for (path, says) in [
        ("/headers", "its headers are longer than 64 KiB"),
        ("/chunks", "its chunks are mostly their own headers"),
        ("/body", "the body is longer than 1 MiB, the most that is read"),
    ] {
        unexpected(&server.url(&format!("{path}#json=/status:ready")), says);
        let (ran, _) = once(&server.url(&format!("{path}#body=zzz")));
        assert_eq!(ran.status, Some(1), "{ran}");
    }
}

fn to(status: &str, location: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").into()
}

#[test]
fn redirects_are_followed_where_asked_for() {
    let server = Server::answering(|path| match path {
        "/login" => with("Content-Length: 5", b"hello"),
        "/a" => to("301 Moved", "/b?x=1"),
        "/b?x=1" => to("307 Temporary Redirect", "c/../login"),
        "/gone" => to("302 Found", "/none"),
        _ => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
    });
    ready(&server.url("/a"));
    assert_eq!(server.requests.lock().unwrap().len(), 1);
    ready(&server.url("/a#redirect=follow,status=200,body=hello"));
    assert_eq!(server.requests.lock().unwrap().len(), 4);
    assert_eq!(redial(["wait", "--once", "-L", &server.url("/a")]).run().status, Some(0));
    let says = format!("redirected to {}: HTTP status 404, expected 200..399", server.url("/none"));
    unexpected(&server.url("/gone#redirect=follow"), &says);
    unexpected(&server.url("/a#status=200"), "HTTP status 301, expected 200");
    refused(&["wait", "http://h/#redirect=yes"], "write #redirect=follow");
    refused(&["wait", "redis://h/#redirect=follow"], "redis, has no use for `#redirect`");
    let listed = format!("{}\n", server.url("/a#redirect=follow,status=200"));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), listed).unwrap();
    let ran = redial(["wait", "--once", "--targets", file.path().to_str().unwrap()]).run();
    assert_eq!(ran.status, Some(0), "{ran}");
}

#[test]
fn redirects_are_bounded_and_circles_are_named() {
    let server = Server::answering(|path| match path {
        "/circle" => to("302 Found", "/back"),
        "/back" => to("302 Found", "/circle"),
        "/none" => b"HTTP/1.1 302 Found\r\n\r\n".to_vec(),
        "/ftp" => to("302 Found", "ftp://h/"),
        path => to("302 Found", &format!("{path}x")),
    });
    let url = |path: &str| server.url(path);
    let follow = |path: &str| url(&format!("{path}#redirect=follow"));
    let circle = [url("/circle"), url("/back"), url("/circle")].join(" to ");
    let says = format!("redirected to {}: it redirects in a circle: {circle}", url("/back"));
    unexpected(&follow("/circle"), &says);
    unexpected(&follow("/none"), "HTTP status 302 without a Location");
    unexpected(&follow("/ftp"), "it redirects to `ftp://h/`, which is not HTTP");
    let says = format!(
        "redirected to {}: it is the end of 10 redirects, and redirects again",
        url("/endlessxxxxxxxxxx")
    );
    server.requests.lock().unwrap().clear();
    unexpected(&follow("/endless"), &says);
    assert_eq!(server.requests.lock().unwrap().len(), 11);
}

#[test]
fn credentials_stay_with_their_origin() {
    let away = Server::answering(ok);
    let elsewhere = away.url("/landed");
    let home = Server::answering(move |path| match path {
        "/away" => to("302 Found", &elsewhere),
        "/here" => to("302 Found", "/landed"),
        _ => ok(path),
    });
    let options = "redirect=follow,header=X-Token: t0ken,header=Cookie: c=1,header=X-A: b";
    let url = |path: &str| home.url(&format!("{path}#{options}")).replace("//", "//app:s3cret@");
    ready(&url("/here"));
    let request = home.request();
    for line in ["GET /landed", "Authorization: Basic", "X-Token: t0ken", "Cookie: c=1", "X-A: b"] {
        assert!(request.contains(line), "{line}: {request}");
    }
    ready(&url("/away"));
    let request = away.request();
    assert!(request.starts_with("GET /landed HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nX-A: b\r\n"), "{request}");
    for secret in ["Authorization", "X-Token", "Cookie"] {
        assert!(!request.contains(secret), "{secret}: {request}");
    }
}

/// A server that redirects to what it was sent, over another that repeats that.
#[test]
fn secrets_in_a_redirect_are_never_shown() {
    let away = Server::answering(|path| match path {
        "/x/s3cret" => to("302 Found", "/y/s3cret?token=t0ken"),
        _ => with("Content-Length: 6", b"s3cret"),
    });
    let elsewhere = away.url("/x/s3cret");
    let home = Server::answering(move |_| to("302 Found", &elsewhere));
    let target = home.url("/#redirect=follow,body=zzz").replace("//", "//app:s3cret@");
    for words in [&["wait", "--once", "-v"][..], &["wait", "--once", "--json"]] {
        let ran = redial(words.iter().copied().chain([&*target])).run();
        assert_eq!(ran.status, Some(1), "{ran}");
        let shown = [&*ran.stdout, &*ran.stderr].concat();
        assert!(shown.contains("/y/***?token=***: the body does not match"), "{ran}");
        assert!(!shown.contains("s3cret") && !shown.contains("t0ken"), "{ran}");
    }
}

/// The lab's HTTP server with a certificate of its authority, and the file of that authority.
fn over_tls() -> (Lab, tempfile::NamedTempFile) {
    let http = PROTOCOLS.iter().find(|protocol| protocol.name() == "http").unwrap();
    let lab = Lab::start(http.in_state(State::Ready).over_tls(Certificate::Trusted)).unwrap();
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca.path(), lab.ca_pem().unwrap()).unwrap();
    (lab, ca)
}

#[test]
fn redirect_to_https_is_verified() {
    let (lab, ca) = over_tls();
    let to_tls = format!("https://{}/", lab.address());
    let server = Server::answering(move |_| to("308 Permanent Redirect", &to_tls));
    let target = server.url("/#redirect=follow,status=200");
    ready(&format!("{target},ca={}", ca.path().display()));
    let ran = redial(["wait", "--once", "--ca", ca.path().to_str().unwrap(), &target]).run();
    assert_eq!(ran.status, Some(0), "{ran}");
    let (ran, json) = once(&target);
    let failure = &json["targets"][0]["servers"][0]["failure"];
    assert_eq!(failure["kind"], "tls-certificate", "{ran}");
    assert_eq!(failure["server"], server.url("/"), "{ran}");
    ready(&format!("https://{}/#ca={},redirect=follow", lab.address(), ca.path().display()));
}

/// A proxy by CONNECT, which keeps where it was asked to.
fn proxy() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let Some(request) = read_request(&client) else { continue };
            let place = request.split(' ').nth(1).unwrap().to_owned();
            let Ok(mut server) = TcpStream::connect(&place) else { continue };
            kept.lock().unwrap().push(place);
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap_or_default();
            let (mut from, mut back) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from, &mut back));
            thread::spawn(move || std::io::copy(&mut server, &mut client));
        }
    });
    (port, asked)
}

#[test]
fn checks_and_redirects_go_through_the_proxy() {
    let (port, asked) = proxy();
    let (lab, ca) = over_tls();
    let (lab_at, to_tls) = (lab.address().to_string(), format!("https://{}/", lab.address()));
    let server = Server::answering(move |_| to("302 Found", &to_tls));
    let options = format!("redirect=follow,via=http://127.0.0.1:{port},ca={}", ca.path().display());
    ready(&server.url(&format!("/#{options},status=200")));
    assert_eq!(*asked.lock().unwrap(), [format!("127.0.0.1:{}", server.port), lab_at]);
}

#[test]
fn policy_file_judges_by_its_options() {
    let server = Server::answering(|path| match path {
        "/old" => to("302 Found", "/new"),
        _ => with("Content-Length: 19", br#"{"status": "ready"}"#),
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    let target = server.url("/old#redirect=follow,header=X-Token: t0ken,json=/status:ready");
    std::fs::write(file.path(), format!("servers = [\"{target}\"]\n")).unwrap();
    let path = file.path().to_str().unwrap();
    let ran = redial(["wait", "--once", "--policy", path]).run();
    assert_eq!(ran.status, Some(0), "{ran}");
    assert!(server.request().contains("\r\nX-Token: t0ken\r\n"));
    let ran = redial(["check", path]).run();
    assert!(ran.status == Some(0) && !ran.stdout.contains("t0ken"), "{ran}");
}

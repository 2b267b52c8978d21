//! HTTP checks: what is sent, what is read, and what a mismatch says.
//!
//! The servers are scripted here, byte by byte; a real nginx is checked in `servers`.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

use crate::support::{Ran, redial};

/// A server that answers each request with these bytes, and keeps the requests.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// One that answers a path with these bytes, and closes.
    fn answering(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        Self::playing(move |path, stream| stream.write_all(&answer(path)).unwrap_or_default())
    }

    /// One that does this with a request's path, or with all of the request.
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

#[expect(dead_code)] // the next commit's
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
    let url = server.url("/?password=s3cret").replace("//", "//app@");
    refused(&["wait", "--once", &url], "holds a password or a token");
    assert_eq!(server.request(), "");
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
    // With a recipe for all, it has a use; and it is asked of servers of its own protocol only.
    let server = Server::answering(ok);
    let target = format!("127.0.0.1:{}#status=200", server.port);
    assert_eq!(redial(["wait", "--once", "--as", "http", &target]).run().status, Some(0));
    let target = format!("redis://127.0.0.1:1,{}", server.url("/#status=200"));
    ready(&target);
}

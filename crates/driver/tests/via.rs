//! Through a proxy: what it says becomes the right failure, and nothing of the server's is lost.
//!
//! The proxies are written here, to the byte; real ones are asked in redial-cli's `proxies`.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod common;

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

use redial::{
    Answer, Connection, Delivery, Endpoints, Event, Expectation, Failure, Kind, NotConnected,
    Policy, PolicyBuilder, Redial, Server, Settings, Stage, TlsOptions, Verb, Via, attempt,
};
use redial_lab::{Behaviour, Certificate, Lab, Outage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use common::{linger, reset};

/// What the proxy must be asked, and what it says then.
type Turn = (Vec<u8>, Vec<u8>);

/// A proxy for one client: takes its turns, then leaves the connection to `end`.
fn proxy(talk: Vec<Turn>, end: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        client.set_nodelay(true).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        for (asks, says) in talk {
            let mut asked = vec![0; asks.len()];
            client.read_exact(&mut asked).unwrap();
            assert_eq!(asked.escape_ascii().to_string(), asks.escape_ascii().to_string());
            // A byte at a time: an answer comes in any pieces.
            for byte in says {
                client.write_all(&[byte]).unwrap();
            }
        }
        end(client);
    });
    address
}

fn policy(server: &str) -> PolicyBuilder {
    Policy::build(Verb::Connect)
        .server(Server::parse(server).unwrap())
        .limits(|limits| limits.connect = Duration::from_secs(2))
}

fn through(proxy: &str, server: &str) -> Redial {
    Redial::new(policy(server).build().unwrap()).via(Via::parse(proxy).unwrap())
}

async fn connected(proxy: &str, server: &str) -> Connection {
    through(proxy, server).connect().await.unwrap()
}

async fn failure(proxy: &str, server: &str) -> Failure {
    match through(proxy, server).connect().await {
        Err(NotConnected::GaveUp(gave_up)) => gave_up.failure().unwrap().clone(),
        other => panic!("{other:?}"),
    }
}

/// No login offered, none wanted.
fn hello() -> Turn {
    (b"\x05\x01\x00".to_vec(), b"\x05\x00".to_vec())
}

/// The request for `db:5432`.
const SOCKS: &[u8] = b"\x05\x01\x00\x03\x02db\x15\x38";
const DONE: &[u8] = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50";
const HTTP: &[u8] = b"CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n";
const OK: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

#[tokio::test]
async fn what_a_socks5_proxy_met_is_the_failure() {
    for (reply, kind) in [
        (1, Kind::Unavailable),
        (2, Kind::Denied),
        (3, Kind::Unreachable),
        (4, Kind::Unreachable),
        (5, Kind::Refused),
        (6, Kind::ConnectTimeout),
        (7, Kind::UnexpectedResponse),
        (8, Kind::UnexpectedResponse),
        (99, Kind::UnexpectedResponse),
    ] {
        let turn = (SOCKS.to_vec(), vec![5, reply, 0, 1]);
        let address = proxy(vec![hello(), turn], drop);
        let failure = failure(&format!("socks5://{address}"), "db:5432").await;
        assert_eq!((failure.kind, failure.stage), (kind, Stage::Connect), "reply {reply}");
        assert_eq!(failure.address.as_ref().unwrap().to_string(), address.to_string());
        assert_eq!((failure.sent, failure.delivery), (0, Delivery::Unsent));
        let words = failure.to_string();
        assert!(words.contains(&format!("via socks5://{address}: the proxy")), "{words}");
        assert!(words.contains(&format!("db port 5432 (reply {reply})")), "{words}");
    }
}

#[tokio::test]
async fn an_http_proxys_refusals_are_told_apart() {
    let cases: [(&[u8], Kind, &str); 13] = [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", Kind::Denied, "407 Proxy Auth"),
        (b"HTTP/1.1 403 Access violation\r\n\r\n", Kind::Denied, "403 Access violation"),
        (b"HTTP/1.1 500 Unable to connect\r\n\r\n", Kind::Unavailable, "500 Unable to connect"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", Kind::Unavailable, "502 Bad Gateway"),
        (b"HTTP/1.1 503 No\x1b[2J server\r\n\r\n", Kind::Unavailable, r"503 No\x1b[2J server"),
        (b"HTTP/1.0 504 Gateway Timeout\r\n\r\n", Kind::ConnectTimeout, "504 Gateway Timeout"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", Kind::UnexpectedResponse, "404 Not Found"),
        (b"HTTP/1.1 302 Found\r\n\r\n", Kind::UnexpectedResponse, "302 Found"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", Kind::UnexpectedResponse, "101 Switching"),
        (b"HTTP/1.1 +20 OK\r\n\r\n", Kind::UnexpectedResponse, "+20 OK"),
        (b"HTTP/1.1\n\n", Kind::UnexpectedResponse, "said HTTP/1.1"),
        (b"HTTP/1.1 100 Wait\r\n\r\nHTTP/1.1 503 Full\n\n", Kind::Unavailable, "503 Full"),
        (b"220 mail.example ESMTP\r\n", Kind::UnexpectedResponse, "not HTTP"),
    ];
    for (says, kind, words) in cases {
        let address = proxy(vec![(HTTP.to_vec(), says.to_vec())], linger);
        let failure = failure(&format!("http://{address}"), "db:5432").await;
        assert_eq!((failure.kind, failure.stage), (kind, Stage::Connect), "{failure}");
        let detail = failure.detail.as_ref().unwrap().as_str();
        assert!(detail.contains(words), "{detail}");
        assert!(!detail.contains('\x1b'), "{detail:?}");
    }
}

#[tokio::test]
async fn bytes_behind_the_proxys_answer_are_the_servers() {
    let behind = |head: &[u8]| [head, b"hello"].concat();
    let socks = |answer: &[u8]| vec![hello(), (SOCKS.to_vec(), behind(answer))];
    let http = |answer: &[u8]| vec![(HTTP.to_vec(), behind(answer))];
    for (scheme, talk) in [
        ("socks5", socks(DONE)),
        ("socks5h", socks(b"\x05\x00\x00\x03\x04name\x00\x50")),
        ("socks5", socks(b"\x05\x00\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x50")),
        ("http", http(OK)),
        ("http", http(b"HTTP/1.0 200\nContent-Length: 7\n\n")),
        ("http", http(b"HTTP/1.1 103 Early\r\nX: y\r\n\r\nHTTP/1.1 204 OK\r\nX: y\r\n\r\n")),
    ] {
        let address = proxy(talk, |mut client| {
            let mut sent = [0; 4];
            client.read_exact(&mut sent).unwrap();
            client.write_all(&sent).unwrap();
        });
        let mut connection = connected(&format!("{scheme}://{address}"), "db:5432").await;
        connection.write_all(b"PING").await.unwrap();
        let mut said = String::new();
        connection.read_to_string(&mut said).await.unwrap();
        let counts = (connection.sent(), connection.received());
        assert_eq!((said.as_str(), counts), ("helloPING", (4, 9)), "{scheme}");
    }
}

#[tokio::test]
async fn addresses_are_sent_as_addresses() {
    for (server, asks) in [
        ("192.0.2.7:80", &b"\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50"[..]),
        ("[fe80::1%eth0]:80", b"\x05\x01\x00\x04\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x50"),
    ] {
        let talk = vec![hello(), (asks.to_vec(), DONE.to_vec())];
        connected(&format!("socks5://{}", proxy(talk, linger)), server).await;
    }
    for (server, place) in [("192.0.2.7:80", "192.0.2.7:80"), ("[::1]:80", "[::1]:80")] {
        let asks = format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n").into_bytes();
        let talk = vec![(asks, OK.to_vec())];
        connected(&format!("http://{}", proxy(talk, linger)), server).await;
    }
}

#[tokio::test]
async fn a_password_goes_to_the_proxy_as_it_is_meant() {
    let offer = |method| (b"\x05\x02\x00\x02".to_vec(), vec![5, method]);
    let login = |status| (b"\x01\x02me\x05p@:ss".to_vec(), vec![1, status]);
    let request = || (SOCKS.to_vec(), DONE.to_vec());
    let via = |address| format!("socks5://me:p%40%3ass@{address}");

    connected(&via(proxy(vec![offer(2), login(0), request()], linger)), "db:5432").await;
    connected(&via(proxy(vec![offer(0), request()], linger)), "db:5432").await;
    let basic = b"CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\nProxy-Authorization: Basic bWU6cEA6c3M=\r\n\r\n";
    let http = proxy(vec![(basic.to_vec(), OK.to_vec())], linger);
    connected(&format!("http://me:p%40%3ass@{http}"), "db:5432").await;

    let plain = |method| vec![(b"\x05\x01\x00".to_vec(), vec![5, method])];
    for (proxy, kind, words) in [
        (via(proxy(vec![offer(2), login(1)], drop)), Kind::Denied, "refused the user or password"),
        (via(proxy(vec![offer(255)], drop)), Kind::Denied, "another login than a password"),
        (via(proxy(vec![offer(1)], drop)), Kind::UnexpectedResponse, "not SOCKS5"),
        (format!("socks5://{}", proxy(plain(255), drop)), Kind::Denied, "wants a user"),
        (format!("socks5://{}", proxy(plain(2), drop)), Kind::Denied, "wants a user"),
    ] {
        let failure = failure(&proxy, "db:5432").await;
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(failure.to_string().contains(words), "{failure}");
    }
}

#[tokio::test]
async fn a_proxy_that_says_the_password_back_is_not_quoted() {
    let secrets = ["s3cr3t", "bWU6czNjcjN0"];
    for secret in secrets {
        let says = format!("HTTP/1.1 407 {secret} is wrong\r\n\r\n").into_bytes();
        let address = proxy(vec![(Vec::new(), says)], linger);
        let refused = through(&format!("http://me:s3cr3t@{address}"), "db:5432").connect().await;
        let Err(NotConnected::GaveUp(gave_up)) = refused else { panic!("{refused:?}") };
        assert_eq!(gave_up.failure().unwrap().kind, Kind::Denied);
        let all = format!("{gave_up} {gave_up:?}");
        assert!(!secrets.iter().any(|secret| all.contains(secret)), "{all}");
    }
}

#[tokio::test]
async fn an_end_before_an_answer_is_early_and_inside_one_is_truncated() {
    let cases = [
        ("http", vec![(HTTP.to_vec(), Vec::new())], Kind::ClosedEarly),
        ("http", vec![(HTTP.to_vec(), b"HTTP/1.1 200 OK\r\n".to_vec())], Kind::Truncated),
        ("socks5", vec![(b"\x05\x01\x00".to_vec(), Vec::new())], Kind::ClosedEarly),
        ("socks5", vec![(b"\x05\x01\x00".to_vec(), vec![5])], Kind::Truncated),
        ("socks5", vec![hello(), (SOCKS.to_vec(), Vec::new())], Kind::ClosedEarly),
        ("socks5", vec![hello(), (SOCKS.to_vec(), vec![5, 0, 0, 3])], Kind::Truncated),
        ("socks5", vec![hello(), (SOCKS.to_vec(), DONE[..9].to_vec())], Kind::Truncated),
    ];
    for (scheme, talk, kind) in cases {
        let failure = failure(&format!("{scheme}://{}", proxy(talk, drop)), "db:5432").await;
        assert_eq!((failure.kind, failure.stage), (kind, Stage::Connect), "{failure}");
    }
    let talk = vec![hello(), (SOCKS.to_vec(), vec![5])];
    let failure = failure(&format!("socks5://{}", proxy(talk, reset)), "db:5432").await;
    assert_eq!((failure.kind, failure.stage), (Kind::Reset, Stage::Connect), "{failure}");
}

#[tokio::test]
async fn an_answer_without_an_end_has_a_limit_in_bytes() {
    let (done, left) = mpsc::channel();
    let address = proxy(Vec::new(), move |mut client| {
        drop(client.write_all(b"HTTP/1.1 200 OK\r\n"));
        while client.write_all(&[b'x'; 1024]).is_ok() {}
        done.send(()).unwrap();
    });
    let failure = failure(&format!("http://{address}"), "db:5432").await;
    assert_eq!(failure.kind, Kind::UnexpectedResponse, "{failure}");
    assert!(failure.to_string().contains("16 KiB"), "{failure}");
    left.recv_timeout(Duration::from_secs(20)).unwrap();
}

#[tokio::test]
async fn an_answer_that_only_drips_has_the_limit_of_connecting() {
    for (scheme, says) in [("http", OK), ("socks5", b"\x05\x00\x05\x00\x00\x01\x7f\0\0\x01\0\x50")]
    {
        let lab = Lab::start(Behaviour::drip(says, Duration::from_millis(100))).unwrap();
        let policy = policy("db:5432").limits(|limits| limits.connect = Duration::from_millis(300));
        let via = Via::parse(&format!("{scheme}://{}", lab.address())).unwrap();
        let dripped = Redial::new(policy.build().unwrap()).via(via).connect().await;
        let Err(NotConnected::GaveUp(gave_up)) = dripped else { panic!("{dripped:?}") };
        let failure = gave_up.failure().unwrap();
        assert_eq!((failure.kind, failure.stage), (Kind::ConnectTimeout, Stage::Connect));
        assert!(failure.elapsed < Duration::from_secs(2), "{failure:?}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_down_silent_or_gone_is_named() {
    let down = Lab::start(Outage::Refuse).unwrap();
    let silent = Lab::start(Behaviour::Stall).unwrap();
    let gone = Lab::start(Behaviour::Close).unwrap();
    for (lab, kind, words) in [
        (down, Kind::Refused, "the proxy itself was not reached"),
        (silent, Kind::ConnectTimeout, "the proxy did not answer in time"),
        (gone, Kind::ClosedEarly, "the proxy closed before it answered"),
    ] {
        let failure = failure(&format!("socks5://me:s3cr3t@{}", lab.address()), "db:5432").await;
        assert_eq!((failure.kind, failure.stage), (kind, Stage::Connect), "{failure}");
        let via = format!("via socks5://{}: {words}", lab.address());
        assert!(failure.to_string().contains(&via), "{failure}");
        assert!(!format!("{failure:?}").contains("s3cr3t"));
    }
    let unknown = failure("socks5://nosuch.invalid", "db:5432").await;
    assert_eq!(unknown.stage, Stage::Resolve, "{unknown}");
    assert!(unknown.to_string().contains("the proxy itself was not reached"), "{unknown}");
}

#[tokio::test]
async fn unix_sockets_are_an_error_before_anything_is_dialled() {
    let refused = through("socks5://127.0.0.1:1", "unix:/run/app.sock").connect().await;
    let Err(error @ NotConnected::Unable(_)) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().contains("unix:/run/app.sock is a Unix socket"), "{error}");
}

/// Joins a client and a server until both are done.
fn relay(client: TcpStream, server: SocketAddr) {
    let server = TcpStream::connect(server).unwrap();
    let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let pass = |mut from: TcpStream, mut to: TcpStream| {
        drop(io::copy(&mut from, &mut to));
        drop(to.shutdown(std::net::Shutdown::Write));
    };
    let back = thread::spawn(move || pass(server, client));
    pass(from, to);
    back.join().unwrap();
}

/// The lab's certificate is for `lab`, a name that only the proxy can find.
#[tokio::test]
async fn tls_is_the_servers_and_goes_through() {
    for scheme in ["socks5", "http"] {
        let lab = Lab::start(Behaviour::Echo.over_tls(Certificate::Trusted)).unwrap();
        let server = lab.address();
        let talk = match scheme {
            "http" => {
                let asks = b"CONNECT lab:443 HTTP/1.1\r\nHost: lab:443\r\n\r\n";
                vec![(asks.to_vec(), OK.to_vec())]
            }
            _ => vec![hello(), (b"\x05\x01\x00\x03\x03lab\x01\xbb".to_vec(), DONE.to_vec())],
        };
        let address = proxy(talk, move |client| relay(client, server));
        let tls = TlsOptions { ca_pem: lab.ca_pem().map(Into::into), ..TlsOptions::default() };
        let redial = through(&format!("{scheme}://{address}"), "tls://lab:443").tls(tls);
        let mut connection = redial.connect().await.unwrap();
        connection.write_all(&[7; 100_000]).await.unwrap();
        connection.shutdown().await.unwrap();
        let mut all = Vec::new();
        connection.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, [7; 100_000]);
        let failure = connection.failure();
        assert_eq!((failure.kind, failure.sent), (Kind::Closed, 100_000));
        // At least: what is read before its acknowledgement is not yet certain.
        assert!(matches!(failure.delivery, Delivery::AckedAtLeast(1..=100_000)), "{failure:?}");
    }
}

#[tokio::test]
async fn an_opening_and_an_answer_go_through() {
    let talk = vec![hello(), (SOCKS.to_vec(), DONE.to_vec()), (b"PING".into(), b"+PONG".into())];
    let via = Via::parse(&format!("socks5://{}", proxy(talk, reset))).unwrap();
    let settings = Settings { via: Some(via), ..Settings::default() };
    let (server, answer) = ("db:5432".parse().unwrap(), Answer::parse("^+PONG").unwrap());
    let endpoints = Endpoints::default();
    let opened =
        attempt(&server, 0, &settings, &endpoints, b"PING", Expectation::Answer(&answer)).await;
    let mut connection = opened.unwrap();
    assert_eq!((connection.sent(), connection.received()), (0, 0));
    drop(connection.read_to_end(&mut Vec::new()).await);
    assert_eq!((connection.received(), connection.failure().delivery), (5, Delivery::Unsent));
}

/// What the proxy was asked was acknowledged, and is no byte of the opening's or of the user's.
#[cfg(target_os = "linux")] // elsewhere nothing is known
#[tokio::test]
async fn what_the_proxy_was_asked_is_not_counted_as_delivered() {
    const MUCH: usize = 16 << 20;
    for opening in [true, false] {
        let (ask, asked) = mpsc::channel();
        let (answer, answered) = mpsc::channel();
        let address = proxy(vec![(HTTP.to_vec(), OK.to_vec())], move |client| {
            asked.recv().unwrap();
            // All that this kernel has and nobody has read.
            answer.send(client.peek(&mut vec![0; MUCH]).unwrap()).unwrap();
        });
        let via = Via::parse(&format!("http://{address}")).unwrap();
        let mut settings = Settings { via: Some(via), ..Settings::default() };
        settings.limits.reply = Duration::from_millis(300);
        let (server, endpoints) = ("db:5432".parse().unwrap(), Endpoints::default());
        let failure = if opening {
            let answer = Answer::parse("^x").unwrap();
            let much = vec![7; MUCH];
            attempt(&server, 0, &settings, &endpoints, &much, Expectation::Answer(&answer))
                .await
                .unwrap_err()
        } else {
            let mut connection =
                attempt(&server, 0, &settings, &endpoints, b"", Expectation::Nothing)
                    .await
                    .unwrap();
            let pause = Duration::from_millis(100);
            while tokio::time::timeout(pause, connection.write(&[7; 65536])).await.is_ok() {}
            connection.fail(Kind::Stalled, None);
            connection.failure()
        };
        ask.send(()).unwrap();
        let there = answered.recv_timeout(Duration::from_secs(20)).unwrap() as u64;
        if opening {
            // It is the policy's: nothing of the user's has left.
            assert_eq!(failure.delivery, Delivery::Unsent, "{failure:?}");
            continue;
        }
        let Delivery::AckedAtLeast(bytes) = failure.delivery else { panic!("{failure:?}") };
        assert!(bytes > 0 && bytes <= there, "{bytes} of {there}, opening: {opening}");
    }
}

#[tokio::test]
async fn a_diagnosis_does_not_take_the_proxy_for_the_server() {
    let up = Lab::start(Behaviour::Close).unwrap();
    let policy = policy("db:5432").except("any: diagnose, stop").unwrap().build().unwrap();
    let via = Via::parse(&format!("http://me:s3cr3t@{}", up.address())).unwrap();
    let (tell, told) = mpsc::channel();
    let listen = move |happened: &redial::Happened| {
        if let Event::Diagnosed { cause: Some(cause), .. } = &happened.event {
            tell.send(cause.to_string()).unwrap();
        }
    };
    Redial::new(policy).via(via).listen(listen).connect().await.unwrap_err();
    let cause = told.try_recv().unwrap();
    assert!(cause.starts_with("the proxy http://127.0.0.1:"), "{cause}");
    assert!(cause.ends_with("only it can see db:5432"), "{cause}");
}

//! Through a proxy: what it says becomes the right failure, and nothing of the server's is lost.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use redial::{Failure, Kind, NotConnected, Policy, Redial, Server, Stage, Verb, Via};
use redial_lab::{Behaviour, Lab, Outage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// So many bytes are awaited, then these are said.
type Turn = (usize, Vec<u8>);

/// A proxy for one client: reads `asks` bytes, then says, and so on; then leaves it to `end`.
fn proxy(talk: Vec<Turn>, end: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        for (asks, says) in talk {
            let mut asked = vec![0; asks];
            client.read_exact(&mut asked).unwrap();
            // A byte at a time: an answer comes in any pieces.
            for byte in says {
                client.write_all(&[byte]).unwrap();
            }
        }
        end(client);
    });
    address
}

fn through(proxy: &str, server: &str) -> Redial {
    let policy = Policy::build(Verb::Connect)
        .server(Server::parse(server).unwrap())
        .limits(|limits| limits.connect = Duration::from_secs(2))
        .build()
        .unwrap();
    Redial::new(policy).via(Via::parse(proxy).unwrap())
}

async fn failure(proxy: &str, server: &str) -> Failure {
    match through(proxy, server).connect().await {
        Err(NotConnected::GaveUp(gave_up)) => gave_up.failure().unwrap().clone(),
        other => panic!("{other:?}"),
    }
}

/// `db:5432` as a SOCKS5 request: 4 bytes, a length, two letters, a port.
const REQUEST: usize = 4 + 1 + 2 + 2;

fn hello() -> Turn {
    (3, vec![5, 0])
}

#[tokio::test]
async fn what_a_socks5_proxy_met_is_the_failure() {
    for (reply, kind) in [
        (1, Kind::Unavailable),
        (2, Kind::Denied),
        (3, Kind::Unreachable),
        (4, Kind::Unreachable),
        (5, Kind::Refused),
        (6, Kind::ConnectTimeout),
        (8, Kind::UnexpectedResponse),
    ] {
        let address = proxy(vec![hello(), (REQUEST, vec![5, reply, 0, 1])], drop);
        let failure = failure(&format!("socks5://{address}"), "db:5432").await;
        assert_eq!((failure.kind, failure.stage), (kind, Stage::Connect), "reply {reply}");
        let words = failure.to_string();
        assert!(words.contains(&format!("via socks5://{address}: the proxy")), "{words}");
    }
}

#[tokio::test]
async fn bytes_behind_the_proxys_answer_are_the_servers() {
    let bound_to_a_name = b"\x05\x00\x00\x03\x04name\x00\x50hello";
    let socks = vec![hello(), (REQUEST, bound_to_a_name.to_vec())];
    let http = vec![(
        "CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n".len(),
        b"HTTP/1.1 200 Connection established\r\nX: y\r\n\r\nhello".to_vec(),
    )];
    for (scheme, talk) in [("socks5", socks), ("http", http)] {
        let address = proxy(talk, |mut client| {
            let mut sent = [0; 4];
            client.read_exact(&mut sent).unwrap();
            client.write_all(&sent).unwrap();
        });
        let proxy = format!("{scheme}://{address}");
        let mut connection = through(&proxy, "db:5432").connect().await.unwrap();
        connection.write_all(b"PING").await.unwrap();
        let mut said = String::new();
        connection.read_to_string(&mut said).await.unwrap();
        assert_eq!(
            (said.as_str(), connection.sent(), connection.received()),
            ("helloPING", 4, 9),
            "{scheme}"
        );
    }
}

#[tokio::test]
async fn an_http_proxys_refusals_are_told_apart() {
    const ASKS: usize = "CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n".len();
    let cases: [(&'static [u8], Kind); 5] = [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", Kind::Denied),
        (b"HTTP/1.1 503 No\x1b[2J server\r\n\r\n", Kind::Unavailable),
        (b"HTTP/1.0 504 Gateway Timeout\r\n\r\n", Kind::ConnectTimeout),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", Kind::UnexpectedResponse),
        (b"220 mail.example ESMTP\r\n", Kind::UnexpectedResponse),
    ];
    for (says, kind) in cases {
        let address = proxy(vec![(ASKS, says.to_vec())], |mut client| drop(client.read(&mut [0])));
        let failure = failure(&format!("http://{address}"), "db:5432").await;
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(!failure.to_string().contains('\x1b'), "{failure:?}");
    }
}

#[tokio::test]
async fn an_answer_without_an_end_has_a_limit() {
    let address = proxy(Vec::new(), |mut client| {
        drop(client.write_all(b"HTTP/1.1 200 OK\r\n"));
        while client.write_all(&[b'x'; 1024]).is_ok() {}
    });
    let failure = failure(&format!("http://{address}"), "db:5432").await;
    assert_eq!(failure.kind, Kind::UnexpectedResponse, "{failure}");
}

#[tokio::test]
async fn a_proxy_that_is_down_silent_or_gone_is_named() {
    let down = Lab::start(Outage::Refuse).unwrap();
    let silent = Lab::start(Behaviour::Stall).unwrap();
    let gone = Lab::start(Behaviour::Close).unwrap();
    for (lab, kind) in
        [(down, Kind::Refused), (silent, Kind::ConnectTimeout), (gone, Kind::ClosedEarly)]
    {
        let failure = failure(&format!("socks5://me:s3cr3t@{}", lab.address()), "db:5432").await;
        assert_eq!(failure.kind, kind, "{failure}");
        assert!(failure.to_string().contains("via socks5://127.0.0.1"), "{failure}");
        assert!(!format!("{failure:?}").contains("s3cr3t"));
    }
}

#[tokio::test]
async fn a_password_goes_to_the_proxy_as_it_is_meant() {
    const LOGIN: usize = 1 + 1 + 2 + 1 + 4;
    let socks = vec![(4, vec![5, 2]), (LOGIN, vec![1, 1])];
    let wrong = failure(&format!("socks5://me:p%40ss@{}", proxy(socks, drop)), "db:5432").await;
    assert_eq!(wrong.kind, Kind::Denied, "{wrong}");
    let wanted = vec![(3, vec![5, 2])];
    let missing = failure(&format!("socks5://{}", proxy(wanted, drop)), "db:5432").await;
    assert!(missing.to_string().contains("wants a user and password"), "{missing}");
}

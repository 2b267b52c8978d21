//! One attempt: what each thing a server can do first is called.

#![allow(clippy::unwrap_used)] // they are tests

mod common;

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use redial::{IpVersions, Settings, attempt};
use redial_core::{
    Answer, Delivery, Endpoints, Expectation, Failure, Kind, Limits, Outcome, Stage,
};
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use common::{expect, linger, reset, say, serve, server};

fn detail(failure: &Failure) -> &str {
    failure.detail.as_ref().map_or("", |detail| detail.as_str())
}

#[tokio::test]
async fn every_byte_read_to_judge_is_the_users() {
    let server = serve(|mut stream| {
        stream.write_all(b"220 ready\r\n").unwrap();
        linger(stream);
    });
    let mut connection = expect(&server, "^220 ").await.unwrap();
    let mut banner = [0; 4];
    connection.read_exact(&mut banner).await.unwrap();
    assert_eq!(&banner, b"220 ");
    connection.shutdown().await.unwrap();
    let mut rest = String::new();
    connection.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "ready\r\n");
    let failure = connection.failure();
    assert_eq!((failure.kind, failure.received), (Kind::Closed, 11));
}

#[tokio::test]
async fn an_answer_and_then_the_end_is_no_failure_of_the_attempt() {
    let mut connection =
        expect(&serve(|mut stream| stream.write_all(b"ready").unwrap()), "ready").await.unwrap();
    let mut all = String::new();
    connection.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "ready");
}

#[tokio::test]
async fn an_opening_is_not_the_users() {
    let server = serve(|mut stream| {
        stream.read_exact(&mut [0; 6]).unwrap();
        stream.write_all(b"+PONG\r\n").unwrap();
        stream.read_exact(&mut [0; 3]).unwrap();
        stream.write_all(b"k").unwrap();
        reset(stream);
    });
    let mut connection = say(&server, "PING\r\n", "^+PONG").await.unwrap();
    assert_eq!((connection.sent(), connection.received()), (0, 0));
    connection.write_all(b"GET").await.unwrap();
    connection.read_to_end(&mut Vec::new()).await.unwrap_err();
    let failure = connection.failure();
    assert_eq!((failure.sent, failure.delivery), (3, Delivery::AckedAtLeast(3)));
}

#[tokio::test]
async fn an_end_before_any_byte_is_closed_early() {
    let failure = expect(&serve(drop), "ready").await.unwrap_err();
    assert_eq!((failure.kind, failure.stage), (Kind::ClosedEarly, Stage::Expect));
    assert_eq!(failure.addresses[0].outcome, Outcome::Connected);
    assert!(failure.address.is_some() && failure.is_fresh());
}

#[tokio::test]
async fn an_end_inside_the_answer_is_truncated() {
    let server = serve(|mut stream| stream.write_all(b"rea").unwrap());
    let failure = expect(&server, "^ready").await.unwrap_err();
    assert_eq!((failure.kind, detail(&failure)), (Kind::Truncated, "rea"));
}

#[tokio::test]
async fn an_end_after_other_bytes_is_an_unexpected_response() {
    let server = serve(|mut stream| stream.write_all(b"SSH-2.0\r\n").unwrap());
    let failure = expect(&server, "ready").await.unwrap_err();
    assert_eq!((failure.kind, detail(&failure)), (Kind::UnexpectedResponse, r"SSH-2.0\r\n"));
}

#[tokio::test]
async fn a_wrong_answer_tells_more_than_the_reset_that_comes_with_it() {
    let server = serve(|mut stream| {
        stream.write_all(b"-DENIED go away\r\n").unwrap();
        stream.read_exact(&mut [0; 1]).unwrap();
        // Closed with bytes unread: a reset.
    });
    let failure = say(&server, "PING\r\n", "^+PONG").await.unwrap_err();
    assert_eq!(failure.kind, Kind::UnexpectedResponse);
    assert_eq!(detail(&failure), r"-DENIED go away\r\n");
}

#[tokio::test]
async fn a_reset_before_the_answer_is_a_reset() {
    let failure = expect(&serve(reset), "ready").await.unwrap_err();
    assert_eq!((failure.kind, failure.stage), (Kind::Reset, Stage::Expect));
    assert_eq!(failure.errno.unwrap().name, "ECONNRESET");
}

#[tokio::test(start_paused = true)]
async fn silence_is_a_stall() {
    let failure = expect(&serve(linger), "ready").await.unwrap_err();
    assert_eq!((failure.kind, failure.stage), (Kind::Stalled, Stage::Expect));
    assert!(failure.elapsed >= Duration::from_secs(5));
}

#[tokio::test]
async fn bytes_without_the_answer_in_time_are_an_unexpected_response() {
    let settings = Settings {
        limits: Limits { reply: Duration::from_millis(500), ..Limits::default() },
        ..Settings::default()
    };
    for (answer, kind) in [("ready", Kind::UnexpectedResponse), ("^starting", Kind::Stalled)] {
        let server = serve(|mut stream| {
            stream.write_all(b"start").unwrap();
            linger(stream);
        });
        let answer = Answer::parse(answer).unwrap();
        let endpoints = Endpoints::default();
        let result =
            attempt(&server, 0, &settings, &endpoints, b"", Expectation::Answer(&answer)).await;
        let failure = result.unwrap_err();
        assert_eq!((failure.kind, detail(&failure)), (kind, "start"));
    }
}

#[tokio::test]
async fn more_than_64_kib_without_the_answer_is_an_unexpected_response() {
    let server = serve(|mut stream| {
        let _ = stream.write_all(&[b'x'; 1 << 20]); // the client may leave before
    });
    let failure = expect(&server, "ready").await.unwrap_err();
    assert_eq!(failure.kind, Kind::UnexpectedResponse);
    assert!(detail(&failure).starts_with("xxx"));
}

async fn fail(text: &str, settings: Settings) -> Failure {
    attempt(&server(text), 0, &settings, &Endpoints::default(), b"", Expectation::Nothing)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn nobody_listens() {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let failure = fail(&address.to_string(), Settings::default()).await;
    assert_eq!((failure.kind, failure.stage), (Kind::Refused, Stage::Connect));
    assert_eq!(failure.address.unwrap().to_string(), address.to_string());
    assert_eq!(failure.addresses.len(), 1);
    assert!(failure.elapsed > Duration::ZERO);
}

#[tokio::test]
async fn no_unix_socket() {
    let failure = fail("unix:/nowhere/at/all.sock", Settings::default()).await;
    assert_eq!((failure.kind, failure.stage), (Kind::NoSocket, Stage::Connect));
}

#[tokio::test]
async fn the_wrong_ip_version() {
    let settings = Settings { family: IpVersions::Ipv6, ..Settings::default() };
    let failure = fail("127.0.0.1:1", settings).await;
    assert_eq!((failure.kind, failure.stage), (Kind::DnsNotFound, Stage::Resolve));
    let settings = Settings { bind: Some(Ipv6Addr::LOCALHOST.into()), ..Settings::default() };
    let failure = fail("127.0.0.1:1", settings).await;
    assert_eq!((failure.kind, failure.stage), (Kind::Unreachable, Stage::Connect));
}

#[tokio::test]
async fn an_attempt_can_be_a_task_of_its_own() {
    let server = serve(|mut stream| stream.write_all(b"ready").unwrap());
    let task = tokio::spawn(async move { expect(&server, "ready").await.is_ok() });
    assert!(task.await.unwrap());
}

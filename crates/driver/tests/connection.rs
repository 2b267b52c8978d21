//! A live connection, and what its end is called.

#![allow(clippy::unwrap_used)] // they are tests

mod common;

use std::{
    io::{Read, Write},
    net::Shutdown,
    os::unix::net::UnixListener,
    sync::mpsc,
    thread,
};

use redial::{Settings, attempt};
use redial_core::{Delivery, Detail, Endpoints, Expectation, Kind, Limits, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use common::{connect, linger, pump, reset, serve, server};

#[tokio::test]
async fn a_reset_with_data_flowing_both_ways_is_a_reset_200_of_200() {
    for round in 0..200_usize {
        let server = serve(move |mut stream| {
            // Both directions have moved something, at another moment in each round.
            stream.write_all(&vec![1; 1 + round * 1000]).unwrap();
            stream.read_exact(&mut vec![0; 1 + round * 500]).unwrap();
            reset(stream);
        });
        let mut connection = connect(&server).await;
        let error = pump(&mut connection).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "round {round}");
        let failure = connection.failure();
        assert_eq!(failure.kind, Kind::Reset, "round {round}: {failure}");
        assert_eq!(failure.stage, Stage::Stream);
        assert!(failure.sent > 0 && !failure.is_fresh());
        let Delivery::AckedAtLeast(bytes) = failure.delivery else { panic!("{failure:?}") };
        // No lower bound: what the server read may not have been acknowledged yet.
        assert!(bytes <= failure.sent, "round {round}");
    }
}

/// The reset may come before connecting is over; the kernel then tells it there, and never again.
#[tokio::test]
async fn a_reset_at_once_is_a_reset_of_a_connection_that_stood_200_of_200() {
    for round in 0..200 {
        let mut connection = connect(&serve(reset)).await;
        if round % 2 == 0 {
            pump(&mut connection).await.unwrap_err();
        } else {
            connection.read(&mut [0; 16]).await.unwrap_err();
        }
        let failure = connection.failure();
        assert_eq!((failure.kind, failure.stage), (Kind::Reset, Stage::Stream), "round {round}");
    }
}

#[tokio::test]
async fn half_a_close_is_a_clean_end() {
    let server = serve(|mut stream| {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        write!(stream, "got {}", all.len()).unwrap();
    });
    let mut connection = connect(&server).await;
    connection.write_all(&[7; 100_000]).await.unwrap();
    connection.shutdown().await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "got 100000");
    let failure = connection.failure();
    assert_eq!((failure.kind, failure.sent, failure.received), (Kind::Closed, 100_000, 10));
    assert_eq!(failure.delivery, Delivery::AckedAtLeast(100_000));
}

#[tokio::test]
async fn the_servers_end_does_not_stop_what_is_still_sent() {
    let (done, count) = mpsc::channel();
    let server = serve(move |mut stream| {
        stream.write_all(b"go on").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        done.send(all.len()).unwrap();
    });
    let mut connection = connect(&server).await;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    connection.write_all(&[7; 100_000]).await.unwrap();
    connection.shutdown().await.unwrap();
    assert_eq!(count.recv().unwrap(), 100_000);
    assert_eq!(connection.failure().kind, Kind::Closed);
}

#[tokio::test]
async fn an_end_before_any_byte_is_early_unless_we_had_finished() {
    let mut connection = connect(&serve(drop)).await;
    connection.read(&mut [0; 16]).await.unwrap_err();
    let failure = connection.failure();
    assert_eq!(failure.kind, Kind::ClosedEarly);
    assert!(failure.is_fresh());

    let mut connection = connect(&serve(linger)).await;
    connection.shutdown().await.unwrap();
    assert_eq!(connection.read(&mut [0; 16]).await.unwrap(), 0);
    assert_eq!(connection.failure().kind, Kind::Closed);
}

#[tokio::test]
async fn writing_after_the_servers_end_is_a_broken_pipe() {
    let mut connection = connect(&serve(|mut stream| stream.write_all(b"bye").unwrap())).await;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    while connection.write_all(&[7; 1000]).await.is_ok() {}
    assert_eq!(connection.failure().kind, Kind::BrokenPipe);
    // From now on the end is no clean one.
    connection.read(&mut [0; 16]).await.unwrap_err();
}

#[tokio::test]
async fn what_the_server_still_said_is_read_after_a_write_failed() {
    let server = serve(|mut stream| {
        stream.write_all(b"too much").unwrap();
        stream.read_exact(&mut [0; 1]).unwrap();
        // Closed with bytes unread: a reset.
    });
    let mut connection = connect(&server).await;
    while connection.write_all(&[7; 100_000]).await.is_ok() {}
    assert_eq!(connection.failed(), Some(Kind::Reset));
    let mut heard = Vec::new();
    connection.read_to_end(&mut heard).await.unwrap_err();
    assert_eq!(heard, b"too much");
    let failure = connection.failure();
    assert_eq!((failure.kind, failure.received), (Kind::Reset, 8));
}

#[tokio::test]
async fn nothing_sent_is_unsent() {
    let mut connection = connect(&serve(reset)).await;
    connection.read(&mut [0; 16]).await.unwrap_err();
    let failure = connection.failure();
    assert_eq!((failure.kind, failure.delivery), (Kind::Reset, Delivery::Unsent));
}

#[tokio::test]
async fn what_was_acknowledged_is_known_after_a_reset() {
    let server = serve(|mut stream| {
        stream.read_exact(&mut [0; 1000]).unwrap();
        stream.write_all(b"k").unwrap();
        reset(stream);
    });
    let mut connection = connect(&server).await;
    connection.write_all(&[7; 1000]).await.unwrap();
    let mut heard = Vec::new();
    connection.read_to_end(&mut heard).await.unwrap_err();
    let failure = connection.failure();
    assert_eq!((failure.kind, failure.delivery), (Kind::Reset, Delivery::AckedAtLeast(1000)));
}

#[cfg(target_os = "linux")] // elsewhere nothing is known
#[tokio::test]
async fn what_a_server_did_not_take_is_not_acknowledged() {
    let (full, may_reset) = mpsc::channel();
    let server = serve(move |stream| {
        may_reset.recv().unwrap();
        reset(stream);
    });
    let mut connection = connect(&server).await;
    // Until the kernel of neither side takes any more.
    while tokio::time::timeout(std::time::Duration::from_millis(100), connection.write(&[7; 65536]))
        .await
        .is_ok()
    {}
    full.send(()).unwrap();
    connection.read(&mut [0; 16]).await.unwrap_err();
    let failure = connection.failure();
    let Delivery::AckedAtLeast(bytes) = failure.delivery else { panic!("{failure:?}") };
    assert!(bytes > 0 && bytes < failure.sent, "{bytes} of {}", failure.sent);
}

/// What TCP_USER_TIMEOUT does to a peer that is alive: known, and said.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_that_never_reads_has_stalled_once_dead_is_over() {
    let (done, end) = mpsc::channel::<()>();
    let server = serve(move |stream| {
        let _ = end.recv();
        drop(stream);
    });
    let dead = Some(std::time::Duration::from_millis(500));
    let limits = Limits { dead, ..Limits::default() };
    let settings = Settings { limits, ..Settings::default() };
    let mut connection =
        attempt(&server, 0, &settings, &Endpoints::default(), b"", Expectation::Nothing)
            .await
            .unwrap();
    while connection.write_all(&[7; 65536]).await.is_ok() {}
    drop(done);
    let failure = connection.failure();
    assert_eq!((failure.kind, failure.errno.unwrap().name), (Kind::Stalled, "ETIMEDOUT"));
    assert!(failure.detail.unwrap().as_str().contains("read nothing"));
}

#[tokio::test]
async fn a_reason_that_only_the_user_knows() {
    let mut connection = connect(&serve(linger)).await;
    connection.write_all(b"hello").await.unwrap();
    connection.fail(Kind::Stalled, Some(Detail::from_text("nothing for 30s")));
    connection.write_all(b"hello").await.unwrap_err();
    let failure = connection.failure();
    assert_eq!((failure.kind, failure.sent), (Kind::Stalled, 5));
    assert_eq!(failure.detail.unwrap().as_str(), "nothing for 30s");
}

#[tokio::test]
async fn a_write_after_shutdown_is_the_callers_mistake() {
    let mut connection = connect(&serve(linger)).await;
    connection.shutdown().await.unwrap();
    connection.write_all(b"hello").await.unwrap_err();
    assert_eq!(connection.failed(), None);
}

#[tokio::test]
async fn unix_sockets_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 5]).unwrap();
        stream.write_all(b"world").unwrap();
    });
    let mut connection = connect(&server(&format!("unix:{}", path.display()))).await;
    connection.write_all(b"hello").await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "world");
    let failure = connection.failure();
    assert_eq!((failure.kind, failure.delivery), (Kind::Closed, Delivery::Unknown));
    assert_eq!(failure.address.unwrap().to_string(), path.display().to_string());
}

#[tokio::test]
async fn data_refused_after_the_end_is_not_delivered() {
    for round in 0..50 {
        let (closed, is_closed) = mpsc::channel();
        let server = serve(move |mut stream| {
            stream.write_all(b"hello").unwrap();
            drop(stream);
            closed.send(()).unwrap();
        });
        let mut connection = connect(&server).await;
        let mut greeting = String::new();
        connection.read_to_string(&mut greeting).await.unwrap();
        is_closed.recv().unwrap();
        connection.write_all(b"18 bytes of input\n").await.unwrap();
        // Whether our own end still leaves depends on when the reset comes.
        let shut = if round % 2 == 0 { connection.shutdown().await } else { Ok(()) };
        let delivered = connection.delivered().await;
        assert!(shut.is_ok() || delivered.is_err());
        let failure = connection.failure();
        assert_eq!(failure.kind, Kind::BrokenPipe, "round {round}: {failure:?}");
        #[cfg(target_os = "linux")]
        assert_eq!(failure.delivery, Delivery::AckedAtLeast(0), "round {round}");
    }
}

#[tokio::test]
async fn data_that_was_acknowledged_is_delivered() {
    let mut connection = connect(&serve(linger)).await;
    connection.write_all(&[7; 300_000]).await.unwrap();
    connection.shutdown().await.unwrap();
    connection.read_to_end(&mut Vec::new()).await.unwrap();
    connection.delivered().await.unwrap();
    assert_eq!(connection.failure().delivery, Delivery::AckedAtLeast(300_000));
}

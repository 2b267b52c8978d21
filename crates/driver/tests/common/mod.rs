//! Small servers of this crate's own tests: one connection each, on a port of the system's choice.

#![allow(dead_code, unreachable_pub, missing_docs)] // each test file uses some of it
#![allow(clippy::unwrap_used)] // they are tests

use std::{
    future::poll_fn,
    io::{self, Read},
    net::{TcpListener, TcpStream},
    pin::Pin,
    task::Poll,
    thread,
    time::Duration,
};

use redial::{Connection, Settings, attempt};
use redial_core::{Answer, Endpoints, Expectation, Failure, Server};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A server that does this with its one connection.
pub fn serve(act: impl FnOnce(TcpStream) + Send + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || act(listener.accept().unwrap().0));
    server(&address.to_string())
}

pub fn server(text: &str) -> Server {
    text.parse().unwrap()
}

/// Ends a connection with a reset, whatever was read.
pub fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

/// Waits until the other side is done.
pub fn linger(mut stream: TcpStream) {
    while stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
}

pub async fn connect(server: &Server) -> Connection {
    attempt(server, 0, &Settings::default(), &Endpoints::default(), b"", Expectation::Nothing)
        .await
        .unwrap()
}

pub async fn expect(server: &Server, answer: &str) -> Result<Connection, Failure> {
    say(server, "", answer).await
}

pub async fn say(server: &Server, opening: &str, answer: &str) -> Result<Connection, Failure> {
    let answer = Answer::parse(answer).unwrap();
    let settings = Settings::default();
    let endpoints = Endpoints::default();
    attempt(server, 0, &settings, &endpoints, opening.as_bytes(), Expectation::Answer(&answer))
        .await
}

/// Sends without end, and receives, in one task, until reading is over.
pub async fn pump(connection: &mut Connection) -> io::Result<usize> {
    let chunk = [7; 16384];
    let mut received = 0;
    let mut writing = true;
    poll_fn(|cx| {
        while writing {
            match Pin::new(&mut *connection).poll_write(cx, &chunk) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => writing = false,
                Poll::Pending => break,
            }
        }
        loop {
            let mut bytes = [0; 16384];
            let mut buf = ReadBuf::new(&mut bytes);
            match Pin::new(&mut *connection).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if buf.filled().is_empty() => return Poll::Ready(Ok(received)),
                Poll::Ready(Ok(())) => received += buf.filled().len(),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await
}

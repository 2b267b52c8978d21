//! `redial serve --log`: real connections of every end against the published schema, which allows
//! nothing that it does not describe.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use jsonschema::Validator;
use redial_lab::{LESSON, sha256};
use rustix::{net::sockopt::set_socket_linger, process::Signal};
use serde_json::{Value, json};
use support::{Live, Ran, redial};

fn schema() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/serve.schema.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

/// A server that logs to standard output, behind its address.
fn serve(words: &[&str]) -> (Live, String) {
    let words = ["serve", "--log", "-"].iter().chain(words).copied();
    let mut live = redial(words).silent().start();
    let address = live.line();
    (live, address)
}

/// What a client does to end a connection.
#[derive(Clone, Copy)]
enum Client {
    /// Says this, ends, and reads to the end.
    Says(&'static str),
    /// Says this, hears it back, and resets.
    Resets(&'static str),
    /// Says this, hears it back, and is still there when the server is told to stop.
    Stays(&'static str),
}

/// The lines of one connection to a server with these words.
fn lines(words: &[&str], client: Client) -> (Ran, Vec<Value>) {
    let stays = matches!(client, Client::Stays(_));
    let ends: &[&str] = if stays { &[] } else { &["--connections", "1"] };
    let (live, address) = serve(&[words, ends].concat());
    let mut stream = TcpStream::connect(&address).unwrap();
    let mut heard = String::new();
    match client {
        Client::Says(text) => {
            // A server that has reset it hears nothing and says nothing.
            drop(stream.write_all(text.as_bytes()));
            drop(stream.shutdown(Shutdown::Write));
            drop(stream.read_to_string(&mut heard));
        }
        Client::Resets(text) | Client::Stays(text) => {
            stream.write_all(text.as_bytes()).unwrap();
            stream.read_exact(&mut vec![0; text.len()]).unwrap();
        }
    }
    if stays {
        live.signal(Signal::TERM);
    } else {
        if matches!(client, Client::Resets(_)) {
            set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
        }
        drop(stream);
    }
    let ran = live.end();
    let lines = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (ran, lines)
}

#[test]
fn every_end_is_logged_as_the_schema_says() {
    let validator = validator();
    let cases = [
        (&["--say", "hello"][..], Client::Says("ping\r\n"), "say", "closed-by-server"),
        (&["--echo"], Client::Says("ping\r\n"), "echo", "closed-by-client"),
        (&["--echo"], Client::Resets("ping"), "echo", "reset-by-client"),
        (&["--echo"], Client::Stays("ping"), "echo", "stopped"),
        (&["--script", "reset"], Client::Says(""), "reset", "reset-by-server"),
        (&["--tls"], Client::Says("this is no TLS"), "tls", "failed"),
    ];
    let mut ends = BTreeSet::new();
    for (words, client, behaviour, end) in cases {
        let (ran, lines) = lines(words, client);
        assert_eq!(ran.status, Some(0), "{ran}");
        let [line] = &lines[..] else { panic!("{ran}") };
        let errors: Vec<String> =
            validator.iter_errors(line).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{ran}{errors:#?}");
        assert_eq!((&line["behaviour"], &line["ended"]), (&json!(behaviour), &json!(end)), "{ran}");
        ends.insert(end.to_owned());
    }
    // An end that no connection has is one that nobody has tried.
    let schema = schema();
    let described = schema["properties"]["ended"]["enum"].as_array().unwrap();
    let described: BTreeSet<String> =
        described.iter().map(|end| end.as_str().unwrap().to_owned()).collect();
    assert_eq!(ends, described);
}

#[test]
fn a_line_says_what_was_said() {
    let (_, lines) = lines(&[], Client::Says("GET / HTTP/1.1\r\n\x1b[2J\u{e9}\\"));
    let line = &lines[0];
    assert_eq!(line["head"], r"GET / HTTP/1.1\r\n\x1b[2J\xc3\xa9\\");
    assert_eq!((&line["received"], &line["sent"]), (&json!(23), &json!(LESSON.len())));
    let hexadecimal =
        |text: &str| -> String { sha256(text).iter().map(|byte| format!("{byte:02x}")).collect() };
    assert_eq!(line["sha256_sent"], hexadecimal(LESSON));
    assert_eq!(line["sha256_received"], hexadecimal("GET / HTTP/1.1\r\n\x1b[2J\u{e9}\\"));
}

/// A line is there as soon as its connection has ended, and whole.
#[test]
fn a_line_is_written_at_once() {
    let (mut live, address) = serve(&["--say", "x"]);
    for number in 1..=3 {
        let mut heard = String::new();
        TcpStream::connect(&address).unwrap().read_to_string(&mut heard).unwrap();
        let line: Value = serde_json::from_str(&live.line()).unwrap();
        assert_eq!(line["connection"], number);
    }
    live.signal(Signal::TERM);
    assert_eq!(live.end().status, Some(0));
}

#[test]
fn a_file_is_written_from_its_beginning() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("seen.jsonl");
    fs::write(&file, "of an earlier run\n").unwrap();
    let words = ["serve", "--connections", "1", "--log", file.to_str().unwrap()];
    let mut live = redial(words).silent().start();
    let mut heard = String::new();
    TcpStream::connect(live.line()).unwrap().read_to_string(&mut heard).unwrap();
    assert_eq!(live.end().status, Some(0));
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1, "{text}");
}

/// As with every verb: the reader of standard output left.
#[test]
fn a_log_nobody_reads_ends_it() {
    let (mut live, address) = serve(&[]);
    drop(live.stdout.take());
    let mut heard = String::new();
    TcpStream::connect(&address).unwrap().read_to_string(&mut heard).unwrap();
    let ran = live.end();
    assert_eq!(ran.status, Some(141), "{ran}");
    assert!(ran.stderr.ends_with("the reader of the log left\n"), "{ran}");
}

/// A log that cannot be written is no log: it ends at once, failed.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_it() {
    let mut live = redial(["serve", "--log", "/dev/full"]).silent().start();
    let mut heard = String::new();
    TcpStream::connect(live.line()).unwrap().read_to_string(&mut heard).unwrap();
    let ran = live.end();
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("the log cannot be written: no space left on device"), "{ran}");
}

/// A reader that does not read holds up the log, and neither the clients nor, at a second signal,
/// the end.
#[test]
fn a_log_that_is_not_read_holds_nobody_up_for_good() {
    let (reader, writer) = io::pipe().unwrap();
    let mut live = redial(["serve", "--log", "-", "--max-connections", "10000"])
        .silent()
        .stdout(writer)
        .start();
    let mut reader = reader;
    let (mut address, mut byte) = (Vec::new(), [0]);
    while reader.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
        address.push(byte[0]);
    }
    let address = String::from_utf8(address).unwrap();
    // More lines than a pipe holds.
    for _ in 0..500 {
        let mut heard = String::new();
        TcpStream::connect(&address).unwrap().read_to_string(&mut heard).unwrap();
        assert_eq!(heard, LESSON);
    }
    live.signal(Signal::TERM);
    let mut stderr = live.child.stderr.take().unwrap();
    // The first signal is heard when the port is shut.
    while TcpStream::connect(&address).is_ok() {
        std::thread::yield_now();
    }
    live.signal(Signal::TERM);
    let ran = live.end();
    assert_eq!(ran.status, Some(0), "{ran}");
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert!(said.ends_with("redial: told to stop (SIGTERM)\n"), "{said}");
    drop(reader);
}

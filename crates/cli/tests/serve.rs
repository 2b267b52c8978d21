//! `redial serve`, as it is run: its first line, what a client of the standard library gets from
//! it, how it ends, and what it says to what it cannot do.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod support;

use std::{
    fs,
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
};

use redial_lab::LESSON;
use rustix::process::Signal;
use support::{Live, Ran, redial};

/// A server with these words, and the address it says.
fn serve(words: &[&str]) -> (Live, String) {
    let mut live = redial(["serve"].iter().chain(words).copied()).silent().start();
    let address = live.line();
    (live, address)
}

/// All it says to a client that says this and ends.
fn told(address: &str, said: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(said.as_bytes())?;
    // A server that has reset it leaves nothing to shut.
    drop(stream.shutdown(Shutdown::Write));
    let mut heard = String::new();
    stream.read_to_string(&mut heard)?;
    Ok(heard)
}

fn stop(live: Live, signal: Signal) -> Ran {
    live.signal(signal);
    live.end()
}

#[test]
fn the_address_is_the_first_line_and_the_only_one() {
    let (live, address) = serve(&[]);
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    assert_eq!(told(&address, "").unwrap(), LESSON);
    let ran = stop(live, Signal::TERM);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), ""), "{ran}");
    let said: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(
        said,
        [
            format!(
                "redial: {address} is a practice server inside this process, for tests only: says \
                 its sentence and closes"
            ),
            "redial: served 1 connection: 0 B received, 44 B sent; told to stop (SIGTERM)".into(),
        ]
    );
}

/// A bare port is this machine's own business; every address is said to be open.
#[test]
fn where_it_listens() {
    for (word, begins) in [
        ("0", "127.0.0.1:"),
        ("127.0.0.2:0", "127.0.0.2:"),
        ("localhost:0", ""),
        ("[::1]:0", "[::1]:"),
        (":0", "[::]:"),
        ("0.0.0.0:0", "0.0.0.0:"),
    ] {
        let (live, address) = serve(&[word]);
        assert!(address.starts_with(begins), "{word}: {address}");
        let reached = address.replace("[::]", "127.0.0.1");
        assert_eq!(told(&reached, "").unwrap(), LESSON);
        let ran = stop(live, Signal::TERM);
        let is_open = ran.stderr.contains("for tests only, open to other machines:");
        assert_eq!(is_open, matches!(word, ":0" | "0.0.0.0:0"), "{ran}");
    }
}

#[test]
fn what_it_says() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("saying"), "from\\na file").unwrap();
    let file = format!("@{}", directory.path().join("saying").display());
    for (words, answer) in [
        (&["--say", r"a\tb\x21\n"][..], "a\tb!\n"),
        (&["--say", &file], "from\\na file"),
        (&["--say", ""], ""),
        (&["--echo"], "ping\n"),
        (&["--sink"], ""),
    ] {
        let (live, address) = serve(words);
        assert_eq!(told(&address, "ping\n").unwrap(), answer, "{words:?}");
        stop(live, Signal::TERM);
    }
}

/// Only that it is a practice server: that is said whatever is asked.
#[test]
fn a_quiet_one_says_what_it_is() {
    let (live, address) = serve(&["-q", "--sink"]);
    told(&address, "ping\n").unwrap();
    let ran = stop(live, Signal::TERM);
    assert_eq!(ran.stderr.lines().count(), 1, "{ran}");
    assert!(ran.stderr.contains("is a practice server inside this process"), "{ran}");
}

#[test]
fn a_sink_tells_how_much_and_its_hash() {
    let (live, address) = serve(&["--sink", "--connections", "1"]);
    told(&address, &"x".repeat(100_000)).unwrap();
    let ran = live.end();
    assert_eq!(ran.status, Some(0), "{ran}");
    let line = ran.stderr.lines().nth(1).unwrap();
    let hash: String =
        redial_lab::sha256("x".repeat(100_000)).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(line.contains("sink: closed by client") && line.ends_with(&hash), "{ran}");
    assert!(line.contains("97.7 KiB received, 0 B sent"), "{ran}");
}

#[test]
fn a_number_of_connections_is_all_there_are() {
    let (live, address) = serve(&["--connections", "2"]);
    for _ in 0..2 {
        assert_eq!(told(&address, "").unwrap(), LESSON);
    }
    let ran = live.end();
    assert_eq!(ran.status, Some(0), "{ran}");
    assert!(ran.stderr.ends_with("sent; that was all of --connections\n"), "{ran}");
    assert_eq!(TcpStream::connect(&address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

/// Told to stop is how a server ends, unless it was to serve a number that has not come.
#[test]
fn told_to_stop() {
    for (signal, word, status) in [(Signal::TERM, "SIGTERM", 143), (Signal::INT, "Ctrl-C", 130)] {
        let (live, _) = serve(&[]);
        let ran = stop(live, signal);
        assert_eq!(ran.status, Some(0), "{ran}");
        assert!(ran.stderr.ends_with(&format!("told to stop ({word})\n")), "{ran}");

        let (live, address) = serve(&["--connections", "2"]);
        told(&address, "").unwrap();
        let ran = stop(live, signal);
        assert_eq!(ran.status, Some(status), "{ran}");
        // Whether it has heard the client's end by then is chance.
        assert!(ran.stderr.contains("served 1 connection"), "{ran}");
    }
}

#[test]
fn one_that_lives_is_cut_and_counted() {
    let (live, address) = serve(&["--echo"]);
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.write_all(b"x").unwrap();
    stream.read_exact(&mut [0]).unwrap();
    let ran = stop(live, Signal::TERM);
    assert_eq!(ran.status, Some(0), "{ran}");
    assert!(ran.stderr.contains("served 1 connection, 1 of them cut short: 1 B"), "{ran}");
}

/// Who named the port knows where it is, and standard error says it.
#[test]
fn a_closed_standard_output_stops_nothing() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut live = redial(["serve"]).silent().stdout(writer).start();
    let mut stderr = BufReader::new(live.child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let address = line.split(' ').nth(1).unwrap();
    assert_eq!(told(address, "").unwrap(), LESSON);
    assert_eq!(stop(live, Signal::TERM).status, Some(0));
}

#[test]
fn an_address_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = redial(["serve", &address]).run();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{ran}");
    let said =
        format!("redial: {address} is in use already; leave the address out for a free port");
    assert!(ran.stderr.starts_with(&said), "{ran}");
}

/// A start that fails takes nobody's log away.
#[test]
fn a_log_is_not_emptied_before_the_address_is_had() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    fs::write(&log, "of an earlier run").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_eq!(redial(["serve", &address, "--log", log.to_str().unwrap()]).run().status, Some(2));
    assert_eq!(fs::read_to_string(&log).unwrap(), "of an earlier run");
}

/// What was scripted is what happens, connection by connection, to a client that is not redial.
#[test]
fn a_script_is_played() {
    let script = "reset, close, stall-after 3B out, tls-alert, as redis not-now, ok";
    let (live, address) = serve(&["--script", script, "--say", "well"]);
    assert_eq!(told(&address, "").unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(told(&address, "").unwrap(), "");
    let mut stalled = TcpStream::connect(&address).unwrap();
    let mut three = [0; 3];
    stalled.read_exact(&mut three).unwrap();
    assert_eq!(&three, b"wel");
    // The alert handshake_failure.
    let mut alert = Vec::new();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.write_all(b"\x16\x03\x01").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    stream.read_to_end(&mut alert).unwrap();
    assert_eq!(alert, [21, 3, 3, 0, 2, 2, 40]);
    assert!(told(&address, "PING\r\n").unwrap().starts_with("-LOADING"));
    for _ in 0..2 {
        assert_eq!(told(&address, "").unwrap(), "well");
    }
    drop(stalled);
    assert_eq!(stop(live, Signal::TERM).status, Some(0));
}

/// Refused for a time, and there when it is over: a client that tries again comes in.
#[test]
fn an_outage_ends() {
    let (live, address) = serve(&["--script", "refuse 100ms, ok"]);
    assert_eq!(TcpStream::connect(&address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    while TcpStream::connect(&address).is_err() {
        std::thread::yield_now();
    }
    assert_eq!(told(&address, "").unwrap(), LESSON);
    stop(live, Signal::TERM);
}

/// The same seed is the same faults, at another start too.
#[test]
fn chances_are_the_same_at_every_start() {
    let faults = || {
        let (live, address) = serve(&["--script", "30% reset seed 7"]);
        let faults: Vec<bool> = (0..50).map(|_| told(&address, "").is_err()).collect();
        stop(live, Signal::TERM);
        faults
    };
    let first = faults();
    assert_eq!(first, faults());
    assert!(first.contains(&true) && first.contains(&false), "{first:?}");
}

/// `--tls` takes a word, or none in front of an address.
#[test]
fn the_words_of_tls() {
    for (words, begins) in [
        (&["--tls"][..], "127.0.0.1:"),
        (&["--tls", "[::1]:0"], "[::1]:"),
        (&["--tls", "0"], "127.0.0.1:"),
        (&["--tls", "expired", "[::1]:0"], "[::1]:"),
        (&["--tls", "tls-name"], "127.0.0.1:"),
    ] {
        let (live, address) = serve(words);
        assert!(address.starts_with(begins), "{words:?}: {address}");
        let ran = stop(live, Signal::TERM);
        let shows = "shows a certificate that expired, then says its sentence";
        assert_eq!(ran.stderr.contains(shows), words.contains(&"expired"), "{ran}");
    }
}

/// The authority that was written is there before the address is, and a client that trusts it
/// comes in; so does one with the certificate that is wanted of it.
#[test]
fn certificates_are_written_for_clients() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let (ca, client) = (path("ca.pem"), path("client.pem"));
    let (live, address) = serve(&["--tls", "client", "--ca-out", &ca, "--client-out", &client]);
    let url = format!("tls://{address}");
    let trusting = redial([&*url, "--ca", &ca, "--cert", &client, "--key", &client]).silent().run();
    assert_eq!((trusting.status, trusting.stdout.as_str()), (Some(0), LESSON), "{trusting}");
    let without = redial([&*url, "--ca", &ca]).silent().run();
    assert_eq!(without.status, Some(1), "{without}");
    stop(live, Signal::TERM);

    // One's own: here, the client's.
    let (live, address) = serve(&["--cert", &client, "--key", &client]);
    let ran = redial([&*format!("tls://{address}"), "--ca", &ca]).silent().run();
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("tls-certificate"), "{ran}");
    stop(live, Signal::TERM);
}

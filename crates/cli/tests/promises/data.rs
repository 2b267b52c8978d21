//! Data and exit status: 0 means that the server has all that was sent and the reader has all that
//! came, whatever the standard streams are.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::Path,
    process::Command,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;
use redial_lab::{Behaviour, LESSON, Lab};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use socket2::SockRef;
use tokio_rustls::rustls::{ServerConnection, StreamOwned};

#[path = "../support/ender.rs"]
mod ender;

use crate::support::{Run, redial, terminal};
use ender::{End, Plan, acceptor, serve};

/// For what happens at once, on any machine.
const SOON: Duration = Duration::from_secs(20);

/// A server of one connection on a port of the system's choice.
fn server<T: Send + 'static>(
    act: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (String, thread::JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (address, thread::spawn(move || act(listener.accept().unwrap().0)))
}

/// The same inside TLS, after the handshake.
fn tls_server<T: Send + 'static>(
    act: impl FnOnce(StreamOwned<ServerConnection, TcpStream>) -> T + Send + 'static,
) -> (String, thread::JoinHandle<T>) {
    let config = Arc::clone(acceptor().config());
    let (address, server) = server(move |mut socket| {
        let mut session = ServerConnection::new(config).unwrap();
        while session.is_handshaking() {
            session.complete_io(&mut socket).unwrap();
        }
        act(StreamOwned::new(session, socket))
    });
    (format!("tls://{address}"), server)
}

fn connect(address: &str) -> Run {
    redial(["connect", "--insecure", address])
}

/// `--insecure` is for servers with TLS.
fn connect_plain(address: &str) -> Run {
    redial(["connect", address])
}

#[test]
fn late_input_refused_after_a_close_fails() {
    for _ in 0..10 {
        let (address, closed) = server(|mut socket| socket.write_all(b"hello\n").unwrap());
        let mut live = connect_plain(&address).arg("--json").start();
        assert_eq!(live.line(), "hello");
        closed.join().unwrap();
        live.stdin.take().unwrap().write_all(b"18 bytes of input\n").unwrap();
        let ran = live.end();
        assert_eq!(ran.status, Some(1), "{ran}");
        // Whether the server's end was read before the reset came is chance.
        let kinds = [r#""kind":"broken-pipe""#, r#""kind":"reset""#];
        assert!(kinds.iter().any(|kind| ran.stderr.contains(kind)), "{ran}");
        let delivery = r#""sent":18,"received":6"#;
        assert!(ran.stderr.contains(delivery), "{ran}");
        assert!(ran.stderr.contains(r#"{"certain":"acked-at-least","bytes":0}"#), "{ran}");
    }
}

#[test]
fn late_input_refused_under_tls_fails() {
    for _ in 0..10 {
        let (address, closed) = tls_server(|mut stream| {
            stream.write_all(b"hello\n").unwrap();
            stream.conn.send_close_notify();
            stream.flush().unwrap();
        });
        let mut live = connect(&address).arg("--json").start();
        assert_eq!(live.line(), "hello");
        closed.join().unwrap();
        live.stdin.take().unwrap().write_all(b"18 bytes of input\n").unwrap();
        let ran = live.end();
        assert_eq!(ran.status, Some(1), "{ran}");
        let kinds = [r#""kind":"broken-pipe""#, r#""kind":"reset""#];
        assert!(kinds.iter().any(|kind| ran.stderr.contains(kind)), "{ran}");
        assert!(ran.stderr.contains(r#"{"certain":"acked-at-least","bytes":0}"#), "{ran}");
    }
}

/// The server's own end was clean and everything it wanted has arrived: our closing alert, which it
/// does not read, is no data.
#[test]
fn tls_server_that_closes_first_is_a_clean_end() {
    for input in ["", "hello\n"] {
        for _ in 0..20 {
            let (address, server) = tls_server(move |mut stream| {
                stream.read_exact(&mut vec![0; input.len()]).unwrap();
                stream.write_all(b"bye\n").unwrap();
                stream.conn.send_close_notify();
                stream.flush().unwrap();
            });
            let mut live = connect(&address).start();
            live.stdin.as_mut().unwrap().write_all(input.as_bytes()).unwrap();
            assert_eq!(live.line(), "bye");
            server.join().unwrap();
            let ran = live.end();
            assert_eq!(ran.status, Some(0), "{ran}");
        }
    }
}

#[test]
fn server_that_ends_and_never_reads_fails_in_5_s() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    SockRef::from(&listener).set_recv_buffer_size(1).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (done, over) = mpsc::channel::<()>();
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.write_all(b"hello").unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        let _ = over.recv();
    });
    let begun = Instant::now();
    // More than the server's buffer takes, and less than ours.
    let ran = connect_plain(&address).input(vec![7; 60_000]).run();
    drop(done);
    server.join().unwrap();
    assert_eq!(ran.status, Some(1), "{ran}");
    assert!(ran.stderr.contains("of 60000 bytes sent were not acknowledged within 5s"), "{ran}");
    assert!(begun.elapsed() < Duration::from_secs(5) + SOON, "{:?}", begun.elapsed());
}

/// Reads from a run only when the server cannot write any more: nobody has made room for a while.
fn read_once_stuck(lab: &Lab, run: Run) -> crate::support::Ran {
    let live = run.stdin(std::process::Stdio::null()).start();
    let sent = || lab.seen().totals.bytes_out;
    let more = || {
        let so_far = sent();
        lab.wait_until(Duration::from_millis(400), |totals| totals.bytes_out > so_far)
    };
    while more() {}
    live.end()
}

/// Entry 2: a record that left is data that moved, whether or not the server decrypted it.
#[test]
fn second_server_gets_nothing_after_a_tls_record() {
    for taken in [1, 100, 16 * 1024, 64 * 1024] {
        let (first, server) = tls_server(move |stream| {
            let mut socket = stream.sock;
            socket.read_exact(&mut vec![0; taken]).unwrap();
            SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap();
        });
        let second = Lab::start(Behaviour::Sink).unwrap();
        let clause = "any: next";
        let words = ["connect", "--insecure", &first, &second.address().to_string()];
        let run = redial(words).arg("--except").arg(clause).input(vec![b'x'; 1024 * 1024]);
        let ran = run.run();
        server.join().unwrap();
        assert_eq!(ran.status, Some(1), "{taken}: {ran}");
        assert_eq!(second.seen().totals.bytes_in, 0, "{taken}: {ran}");
    }
}

#[test]
fn receive_with_a_slow_reader_gets_every_byte() {
    let lab = Lab::start(Behaviour::oversized("0123456789", 20 << 20)).unwrap();
    let run = connect_plain(&lab.address().to_string()).arg("--receive").arg("10M");
    let ran = read_once_stuck(&lab, run);
    assert_eq!((ran.status, ran.bytes.len()), (Some(0), 10 << 20), "{}", ran.stderr);
}

#[test]
fn idle_timeout_does_not_count_blocked_output() {
    let lab = Lab::start(Behaviour::oversized("0123456789", 20 << 20)).unwrap();
    let run = connect_plain(&lab.address().to_string()).arg("--idle-timeout").arg("200ms");
    let ran = read_once_stuck(&lab, run);
    assert_eq!((ran.status, ran.bytes.len()), (Some(0), 20 << 20), "{}", ran.stderr);
}

#[test]
fn dead_limit_does_not_count_blocked_output() {
    const LENGTH: usize = 16 << 20;
    let directory = tempfile::tempdir().unwrap();
    let policy = directory.path().join("policy.toml");
    std::fs::write(&policy, "[limits]\ndead = \"400ms\"\n").unwrap();
    // It reads nothing before all of its own is written, and that waits for our reader.
    let (address, server) = server(|mut socket| {
        socket.write_all(&vec![1; LENGTH]).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        socket.read_to_end(&mut Vec::new()).unwrap()
    });
    let run = connect_plain(&address).arg("--policy").arg(policy.to_str().unwrap());
    let mut live = run.start();
    let mut stdin = live.stdin.take().unwrap();
    let writer = thread::spawn(move || stdin.write_all(&vec![2; LENGTH]).unwrap());
    // It is this time that is tested: several times the limit.
    thread::sleep(Duration::from_secs(2));
    let mut stdout = live.stdout.take().unwrap();
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        stdout.read_to_end(&mut bytes).unwrap();
        bytes.len()
    });
    writer.join().unwrap();
    assert_eq!((reader.join().unwrap(), server.join().unwrap()), (LENGTH, LENGTH));
    assert_eq!(live.end().status, Some(0));
}

#[test]
fn max_time_ends_a_run_whose_reader_is_stuck() {
    let lab = Lab::start(Behaviour::Flood).unwrap();
    let address = lab.address().to_string();
    let run = connect_plain(&address).arg("--max-time").arg("300ms");
    let mut live = run.stdin(std::process::Stdio::null()).start();
    let stdout = live.stdout.take();
    let begun = Instant::now();
    let ran = live.end();
    drop(stdout);
    assert_eq!(ran.status, Some(124), "{ran}");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[test]
fn tls_data_before_a_corrupt_record_is_delivered() {
    for length in [5_usize, 60_000] {
        let data = vec![b'd'; length];
        let sent = data.clone();
        let (address, server) = tls_server(move |mut stream| {
            let mut records = Vec::new();
            stream.conn.set_buffer_limit(None);
            stream.conn.writer().write_all(&sent).unwrap();
            while stream.conn.wants_write() {
                stream.conn.write_tls(&mut records).unwrap();
            }
            // Application data, TLS 1.2 on the wire, 32 bytes that nobody encrypted.
            records.extend([23, 3, 3, 0, 32]);
            records.extend([0; 32]);
            stream.sock.write_all(&records).unwrap();
            let _ = stream.sock.read_to_end(&mut Vec::new());
        });
        let ran = connect(&address).silent().run();
        assert_eq!(ran.status, Some(1), "{ran}");
        assert!(ran.bytes == data, "{} of {length} bytes: {}", ran.bytes.len(), ran.stderr);
        assert!(ran.stderr.contains("truncated: "), "{}", ran.stderr);
        assert!(!ran.stderr.contains("tls-handshake"), "{}", ran.stderr);
        server.join().unwrap();
    }
}

fn set_nonblocking(file: &impl AsFd) {
    fcntl_setfl(file, fcntl_getfl(file).unwrap() | OFlags::NONBLOCK).unwrap();
}

/// What may be standard output, what is read of it afterwards, and whether that ends by itself.
fn outputs(directory: &Path) -> Vec<(&'static str, OwnedFd, Box<dyn Read + Send>)> {
    let (pipe_reader, pipe) = std::io::pipe().unwrap();
    let (socket_reader, socket) = UnixStream::pair().unwrap();
    let path = directory.join("appended");
    std::fs::write(&path, "before ").unwrap();
    let appended = OpenOptions::new().append(true).open(&path).unwrap();
    let mut reader = File::open(&path).unwrap();
    reader.read_exact(&mut [0; 7]).unwrap();
    vec![
        ("a pipe", pipe.into(), Box::new(pipe_reader)),
        ("a socket", socket.into(), Box::new(socket_reader)),
        ("a file to append to", appended.into(), Box::new(reader)),
    ]
}

#[test]
fn output_inherited_in_any_mode_is_whole() {
    const LENGTH: usize = 1_000_000;
    let directory = tempfile::tempdir().unwrap();
    for nonblocking in [false, true] {
        for receive in [None, Some("700000")] {
            for (name, output, mut reader) in outputs(directory.path()) {
                let lab = Lab::start(Behaviour::oversized("0123456789", LENGTH as u64)).unwrap();
                if nonblocking {
                    set_nonblocking(&output);
                }
                let mode = fcntl_getfl(&output).unwrap();
                let mut run = connect_plain(&lab.address().to_string()).silent();
                if let Some(limit) = receive {
                    run = run.arg("--receive").arg(limit);
                }
                let live = run.stdout(output.try_clone().unwrap()).start();
                let is_file = name.contains("file");
                let early = (!is_file).then(|| {
                    thread::spawn(move || {
                        let mut bytes = Vec::new();
                        reader.read_to_end(&mut bytes).map(|_| bytes)
                    })
                });
                let ran = live.end();
                assert_eq!(fcntl_getfl(&output).unwrap(), mode, "{name}");
                drop(output);
                let bytes = match early {
                    Some(reading) => reading.join().unwrap().unwrap(),
                    None => std::fs::read(directory.path().join("appended")).unwrap()[7..].to_vec(),
                };
                let wanted = receive.map_or(LENGTH, |limit| limit.parse().unwrap());
                let how = format!("{name}, nonblocking: {nonblocking}: {ran}");
                assert_eq!((ran.status, bytes.len()), (Some(0), wanted), "{how}");
            }
        }
    }
}

#[test]
fn input_inherited_in_any_mode_is_whole() {
    let (pipe, pipe_writer) = std::io::pipe().unwrap();
    let (socket, socket_writer) = UnixStream::pair().unwrap();
    let inputs: [(&str, OwnedFd, Box<dyn Write>); 2] = [
        ("a pipe", pipe.into(), Box::new(pipe_writer)),
        ("a socket", socket.into(), Box::new(socket_writer)),
    ];
    for (name, input, mut writer) in inputs {
        let lab = Lab::start(Behaviour::Echo).unwrap();
        set_nonblocking(&input);
        let mode = fcntl_getfl(&input).unwrap();
        let run = connect_plain(&lab.address().to_string());
        let live = run.stdin(input.try_clone().unwrap()).start();
        assert!(lab.wait_for_connections(1, SOON), "{name}");
        // The first read has found nothing when this comes; the second again.
        for so_far in 1..=3 {
            writer.write_all(b"ping\n").unwrap();
            assert!(lab.wait_until(SOON, |totals| totals.bytes_in == so_far * 5), "{name}");
        }
        drop(writer);
        let ran = live.end();
        assert_eq!((ran.status, &*ran.stdout), (Some(0), "ping\nping\nping\n"), "{name}: {ran}");
        assert_eq!(fcntl_getfl(&input).unwrap(), mode, "{name}");
    }
}

/// One terminal is both, without O_NONBLOCK and with it, and where `read` does not wait.
#[test]
fn terminal_inherited_in_any_mode_works() {
    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
    for (nonblocking, polled) in [(true, false), (false, true), (true, true)] {
        let lab = Lab::start(Behaviour::answer(LESSON)).unwrap();
        let (glass, file) = terminal();
        if nonblocking {
            set_nonblocking(&file);
        }
        if polled {
            let mut mode = tcgetattr(&file).unwrap();
            mode.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
            mode.special_codes[SpecialCodeIndex::VMIN] = 0;
            mode.special_codes[SpecialCodeIndex::VTIME] = 0;
            tcsetattr(&file, OptionalActions::Now, &mode).unwrap();
        }
        let run = connect_plain(&lab.address().to_string());
        let run = run.stdin(file.try_clone().unwrap()).stdout(file.try_clone().unwrap());
        let live = run.start();
        assert!(lab.wait_for_connections(1, SOON));
        let mut glass = File::from(glass);
        glass.write_all(b"hello\n").unwrap();
        let ran = live.end();
        assert_eq!(ran.status, Some(0), "{nonblocking} {polled}: {ran}");
        drop(file);
        let mut shown = Vec::new();
        // The end of a terminal is an error: EIO.
        let _ = glass.read_to_end(&mut shown);
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.contains(LESSON.trim_end()), "{nonblocking} {polled}: {shown}");
        assert_eq!(lab.seen().connections[0].head, b"hello\n", "{nonblocking} {polled}");
    }
}

#[test]
fn closed_standard_streams_end_cleanly() {
    let lab = Lab::start(Behaviour::say(LESSON)).unwrap();
    for redirections in ["<&-", ">&-", "<&- >&-", "<&- >&- 2>&-"] {
        for receive in ["", "--receive 1024"] {
            let script = format!(r#"exec "$0" connect "$1" {receive} {redirections}"#);
            let address = lab.address().to_string();
            let words = ["-c", &script, env!("CARGO_BIN_EXE_redial"), &address];
            let ran = Command::new("sh").args(words).stdin(std::process::Stdio::null()).output();
            assert_eq!(ran.unwrap().status.code(), Some(0), "{redirections} {receive}");
        }
    }
}

/// The property of the pump's own test (`pump/ends.rs`), seen from outside, in fewer cases.
#[test]
fn exit_0_of_the_binary_means_all_arrived() {
    const SEED: u64 = 9;
    const CASES: u64 = 300;
    const THREADS: u64 = 3;
    let threads = (0..THREADS).map(|part| {
        thread::spawn(move || {
            let seeds = (SEED..SEED + CASES).filter(|seed| seed % THREADS == part);
            seeds.filter(|&seed| play(seed)).count()
        })
    });
    let threads: Vec<_> = threads.collect();
    let well: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert!(well > 30, "only {well} cases ended with status 0");
}

/// Plays one case; returns whether it ended with status 0.
fn play(seed: u64) -> bool {
    let mut random = Rng::with_seed(seed);
    let tls = random.bool();
    let end = match random.choice([End::Fin, End::Close, End::Rst, End::HalfClose, End::Silence]) {
        Some(End::Close) if tls => End::Fin,
        end => end.unwrap(),
    };
    let late = random.u8(..3) == 0;
    let most = if random.bool() { 200 } else { 200_000 };
    let length = random.usize(..most);
    let after = if late { 0 } else { random.usize(0..=length) as u64 };
    let says = vec![b's'; random.usize(..20_000)];
    let plan = Plan { end, says: says.clone(), after };
    let told =
        format!("seed {seed}: tls {tls}, {end:?} after {after}, late {late}, {length} bytes");

    let (ended, server_ended) = mpsc::channel();
    let (client_gone, gone) = tokio::sync::oneshot::channel::<()>();
    let (address, server) = server(move |socket| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            socket.set_nonblocking(true).unwrap();
            let socket = tokio::net::TcpStream::from_std(socket).unwrap();
            let ended = || {
                let _ = ended.send(());
            };
            serve(socket, tls.then(acceptor), &plan, ended, async {
                let _ = gone.await;
            })
            .await
        })
    });
    let run = if tls { connect(&format!("tls://{address}")) } else { connect_plain(&address) };
    let mut live = run.arg("--idle-timeout").arg("1s").start();
    let mut stdin = live.stdin.take().unwrap();
    let feeder = thread::spawn(move || {
        if late {
            let _ = server_ended.recv();
        }
        drop(stdin.write_all(&vec![7; length]));
    });
    let ran = live.end();
    drop(client_gone);
    feeder.join().unwrap();
    let received = server.join().unwrap();
    assert!(says.starts_with(&ran.bytes), "{told}");
    let well = ran.status == Some(0);
    if well {
        assert_eq!((received, ran.bytes.len()), (length as u64, says.len()), "{told}: {ran}");
        assert!(!matches!(end, End::Rst | End::Silence), "{told}: {ran}");
    }
    well
}

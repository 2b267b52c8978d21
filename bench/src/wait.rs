//! How soon a command starts once its server is ready, and what waiting for that costs.
//!
//! In each round every program waits for a server of its own, all at the same time; the servers
//! become ready at one moment, drawn anew for each round. Start at [`BENCH`].

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

use rustix::net::{AddressFamily, SocketType, bind, ipproto, listen, socket, sockopt};

use crate::{
    Bench, Outcome, Settings, knock,
    measure::{Measure, Middle},
    report::Report,
    run::{Cost, LIMIT},
};

pub(crate) const BENCH: Bench = Bench { name: "wait", run };

const RUNS: usize = 20;
/// From the start of the programs to the moment the servers are ready.
const WAIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));
/// What a program may take longer: so much, and 1% of the wait.
const GRACE: Duration = Duration::from_millis(10);
/// For how long redial keeps a connection before it believes it, where it expects no answer.
const SETTLING: Duration = Duration::from_millis(150);
/// From "not now" to ready.
const GENTLE: Duration = Duration::from_secs(2);

/// Says when it started, in nanoseconds since 1970.
const COMMAND: [&str; 2] = ["date", "+%s%N"];

/// A program, and what it waits for.
struct Contender {
    name: &'static str,
    /// Its words in front of the server.
    words: Vec<String>,
    scheme: &'static str,
    /// What the server does until the moment.
    before: Before,
    /// How late its median may be, besides [`GRACE`] and 1% of the wait; of others nothing is wanted.
    wanted: Option<Duration>,
}

/// What a server does before it is ready.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Refuses,
    /// Accepts, and answers that it is loading its data.
    Loads,
}

#[rustfmt::skip] // a table reads best as one
fn contenders(settings: &Settings) -> Outcome<Vec<Contender>> {
    use Before::{Loads, Refuses};
    let wait = |redial: &Path| vec![redial.display().to_string(), "wait".into(), "-q".into()];
    let redial = wait(&settings.redial);
    let bare = vec![std::env::current_exe()?.display().to_string(), knock::WORD.into()];
    let wait_for_it = ["wait-for-it", "-q", "-s", "-t", "60"].map(Into::into).into();
    let mut all = vec![
        Contender { name: "redial, redis://", words: redial.clone(), scheme: "redis://", before: Refuses, wanted: Some(Duration::ZERO) },
        Contender { name: "redial, HOST:PORT", words: redial.clone(), scheme: "", before: Refuses, wanted: Some(SETTLING) },
        Contender { name: "redial, LOADING", words: redial, scheme: "redis://", before: Loads, wanted: Some(GENTLE) },
        Contender { name: "a bare loop", words: bare, scheme: "", before: Refuses, wanted: None },
        Contender { name: "wait-for-it", words: wait_for_it, scheme: "", before: Refuses, wanted: None },
    ];
    if let Some(other) = &settings.beside {
        all.push(Contender { name: "redial, beside", words: wait(other), scheme: "redis://", before: Refuses, wanted: Some(Duration::ZERO) });
    }
    Ok(all)
}

fn run(settings: &Settings) -> Outcome<Report> {
    let runs = settings.runs.unwrap_or(RUNS);
    let contenders = contenders(settings)?;
    let names = || contenders.iter().map(|contender| contender.name);
    let mut delay = Measure::new("From ready to the command", "ms", "less", names());
    let mut cpu = Measure::new("CPU while waiting", "% of a core", "less", names());
    let mut beyond = vec![Vec::new(); contenders.len()];
    let mut random = Random(0x2545_f491_4f6c_dd1d);

    for round in 0..runs {
        let wait = random.between(WAIT);
        eprintln!("wait: round {} of {runs}, ready after {wait:.2?}", round + 1);
        for (place, waited) in one_round(&contenders, wait)?.into_iter().enumerate() {
            delay.push(place, ms(waited.delay));
            cpu.push(place, 100.0 * waited.cost.cpu.as_secs_f64() / waited.cost.wall.as_secs_f64());
            beyond[place].push(ms(waited.delay) - ms(wait / 100));
        }
    }
    let note = |(place, contender): (usize, &Contender)| {
        let wanted = contender.wanted?;
        Some(format!(
            "{}: beyond 1% of the wait, the median is {:.2} ms, where at most {} ms are wanted.",
            contender.name,
            Middle::of(&beyond[place]).median,
            (GRACE + wanted).as_millis(),
        ))
    };
    Ok(Report {
        title: "Waiting for a server, then a command".into(),
        how: format!(
            "`redial wait SERVER -- date` and `wait-for-it SERVER -- date`; {runs} rounds, in each of which all wait at once, each for a server that is ready after 1 to 5 s. Until then nobody listens, or (LOADING) it answers so. CPU time is that of the whole process, the command with it; the bare loop, which connects and sleeps as often as redial and does nothing else, says what is the machine's."
        ),
        measures: vec![delay, cpu],
        notes: contenders.iter().enumerate().filter_map(note).collect(),
    })
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// How one wait went.
struct Waited {
    /// From the moment the server was ready to the command's own start.
    delay: Duration,
    cost: Cost,
}

fn one_round(contenders: &[Contender], wait: Duration) -> Outcome<Vec<Waited>> {
    let began = Instant::now();
    let under_way: Vec<_> = contenders
        .iter()
        .map(|contender| {
            let server = Server::start(contender.before, began + wait)?;
            let mut command = Command::new(&contender.words[0]);
            command.args(&contender.words[1..]);
            command.arg(format!("{}{}", contender.scheme, server.address)).arg("--").args(COMMAND);
            command.stdin(Stdio::null()).stdout(Stdio::piped());
            let (started, child) = (Instant::now(), command.spawn()?);
            let ended = thread::spawn(move || ended(child, started).map_err(|e| e.to_string()));
            Ok((contender.name, server, ended))
        })
        .collect::<Outcome<_>>()?;
    let one = |(name, server, ended): (&str, Server, JoinHandle<Result<_, String>>)| {
        let (at, cost): (SystemTime, Cost) = ended
            .join()
            .map_err(|_| "a thread panicked")?
            .map_err(|error| format!("{name}: {error}"))?;
        let ready = server.done()?;
        let delay = at.duration_since(ready).map_err(|_| format!("{name}: it did not wait"))?;
        Ok(Waited { delay, cost })
    };
    under_way.into_iter().map(one).collect()
}

/// When the command started, and what it all cost.
fn ended(mut child: Child, started: Instant) -> Outcome<(SystemTime, Cost)> {
    let output = child.stdout.take();
    let cost = Cost::of_child(&child, started)?;
    let mut said = String::new();
    output.ok_or("no output")?.read_to_string(&mut said)?;
    Ok((SystemTime::UNIX_EPOCH + Duration::from_nanos(said.trim().parse()?), cost))
}

/// A server that becomes ready at a moment, on a port that is its own from the beginning.
struct Server {
    address: SocketAddr,
    thread: JoinHandle<io::Result<SystemTime>>,
}

impl Server {
    fn start(before: Before, ready: Instant) -> io::Result<Self> {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, Some(ipproto::TCP))?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let listener = TcpListener::from(socket);
        let address = listener.local_addr()?;
        let thread = thread::spawn(move || {
            if before == Before::Loads {
                listen(&listener, 64)?;
                while let Some(left) = ready.checked_duration_since(Instant::now()) {
                    // On Linux this is the limit of an accept, too.
                    let left = left.max(Duration::from_millis(1));
                    sockopt::set_socket_timeout(&listener, sockopt::Timeout::Recv, Some(left))?;
                    if let Ok((connection, _)) = listener.accept() {
                        answer(connection, b"-LOADING the data\r\n");
                    }
                }
            } else {
                thread::sleep(ready.saturating_duration_since(Instant::now()));
                listen(&listener, 64)?;
            }
            let at = SystemTime::now();
            sockopt::set_socket_timeout(&listener, sockopt::Timeout::Recv, Some(LIMIT))?;
            answer(listener.accept()?.0, b"+PONG\r\n");
            Ok(at)
        });
        Ok(Self { address, thread })
    }

    /// The moment it was ready.
    fn done(self) -> Outcome<SystemTime> {
        Ok(self.thread.join().map_err(|_| "the server's thread panicked")??)
    }
}

/// Answers a PING, and stays until the client has left. Who asks nothing is told nothing; what
/// goes wrong here shows in how the program ends.
fn answer(mut connection: TcpStream, words: &[u8]) {
    let mut buffer = [0; 512];
    let _ = connection.set_read_timeout(Some(Duration::from_secs(1)));
    while let Ok(count @ 1..) = connection.read(&mut buffer) {
        if buffer[..count].starts_with(b"PING") {
            let _ = connection.write_all(words);
        }
    }
}

/// Moments that are the same in every run of the bench (xorshift64).
struct Random(u64);

impl Random {
    fn between(&mut self, (from, to): (Duration, Duration)) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let share = (self.0 >> 11) as f64 / (1_u64 << 53) as f64;
        from + (to - from).mul_f64(share)
    }
}

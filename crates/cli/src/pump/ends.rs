//! A property of the pump: exit status 0 means that both sides have everything.
//!
//! Random servers end their connection in every way at random points, with TLS and without, before
//! readers of standard output that are fast, slow, stuck or gone, and with input that is small,
//! large or late. `REDIAL_SEED` and `REDIAL_CASES` repeat a case or change how many there are.

#![allow(clippy::unwrap_used, clippy::panic)] // they are tests

#[path = "../../tests/support/ender.rs"]
mod ender;

use std::{env, ops::Range, rc::Rc, sync::Arc, thread, time::Duration};

use fastrand::Rng;
use redial::{
    Delivery, Failure, Limits, Policy, Redial, Server, TlsOptions, TlsSetup, Verb, Verdict,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, unix::pipe},
    sync::{Semaphore, oneshot},
    task::{LocalSet, spawn_local},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use self::ender::{End, Plan, acceptor, serve};
use super::{HalfClose, Pump, Wishes};
use crate::{connect::ending, exit::Exit, runtime::runtime, stdio::Streams};

const SEED: u64 = 2026;
const CASES: u64 = 10_000;
/// How many threads, and how many cases each has under way.
const THREADS: u64 = 2;
const AT_ONCE: usize = 16;
/// No case takes this long, on any machine.
const LIMIT: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Fast,
    /// Begins only after a while.
    Slow,
    /// Reads nothing until the run is over.
    Stuck,
    /// Has left.
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Small,
    Large,
    /// It comes after the server's end.
    Late,
}

#[derive(Debug)]
struct Case {
    tls: bool,
    reader: Reader,
    input: Input,
    /// How much input.
    length: usize,
    plan: Plan,
    receive: Option<u64>,
    limits: Limits,
    /// Whether the pipes are inherited with O_NONBLOCK.
    nonblocking: bool,
}

/// What came of one case.
struct Outcome {
    exit: Exit,
    failure: Option<Failure>,
    sent: u64,
    received_there: u64,
    stdout: Vec<u8>,
}

fn draw(random: &mut Rng) -> Case {
    let tls = random.bool();
    let ends = [End::Fin, End::Close, End::Rst, End::HalfClose, End::Silence];
    let end = match random.choice(ends) {
        // Under TLS a server that closes leaves the client's own closing alert unread.
        Some(End::Close) if tls => End::Fin,
        end => end.unwrap(),
    };
    let reader = random.choice([Reader::Fast, Reader::Slow, Reader::Stuck, Reader::Gone]).unwrap();
    let input = random.choice([Input::Small, Input::Large, Input::Late]).unwrap();
    let length = random.usize(match input {
        Input::Small | Input::Late => 0..200,
        Input::Large => 0..400_000,
    });
    let size: Range<usize> = if random.u8(..4) == 0 { 0..300_000 } else { 0..3_000 };
    let mut says = vec![0; random.usize(size)];
    random.fill(&mut says);
    let after = match input {
        Input::Late => 0,
        Input::Small | Input::Large => random.usize(0..=length) as u64,
    };
    // Where the server goes on counting until we have ended.
    let may_receive = matches!(end, End::HalfClose | End::Silence) && !says.is_empty();
    let receive = (may_receive && random.u8(..3) == 0).then(|| random.u64(1..=says.len() as u64));
    let idle = (end == End::Silence).then_some(Duration::from_millis(60));
    let max_time = (reader == Reader::Stuck).then_some(Duration::from_millis(400));
    Case {
        tls,
        reader,
        input,
        length,
        plan: Plan { end, says, after },
        receive,
        limits: Limits { idle, max_time, ..Limits::default() },
        nonblocking: random.bool(),
    }
}

/// Runs one case: the server, the pump under a session, and what is on the other end of its pipes.
async fn play(case: Rc<Case>, acceptor: TlsAcceptor, setup: TlsSetup, seed: u64) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (ended, server_ended) = oneshot::channel();
    let (client_gone, gone) = oneshot::channel::<()>();
    let there = case.clone();
    let server = spawn_local(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let tls = there.tls.then_some(acceptor);
        let ended = || {
            let _ = ended.send(());
        };
        serve(socket, tls, &there.plan, ended, async {
            let _ = gone.await;
        })
        .await
    });

    let (mut feed, input) = pipe::pipe().unwrap();
    let (output, mut reader) = pipe::pipe().unwrap();
    let (input, output) = if case.nonblocking {
        (input.into_nonblocking_fd().unwrap(), output.into_nonblocking_fd().unwrap())
    } else {
        (input.into_blocking_fd().unwrap(), output.into_blocking_fd().unwrap())
    };
    let mut random = Rng::with_seed(!seed);
    let (how, pause) = (case.clone(), Duration::from_millis(random.u64(..5)));
    let feeder = spawn_local(async move {
        if how.input == Input::Late {
            let _ = server_ended.await;
            sleep(pause).await;
        }
        // The run may well end before it has read everything.
        drop(feed.write_all(&vec![7; how.length]).await);
    });
    let (run_over, over) = oneshot::channel::<()>();
    let how = case.clone();
    let reader = spawn_local(async move {
        match how.reader {
            Reader::Fast => {}
            Reader::Slow => sleep(pause * 30).await,
            Reader::Stuck => {
                let _ = over.await;
            }
            Reader::Gone => return Vec::new(),
        }
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).await.unwrap();
        bytes
    });

    let wishes = Wishes {
        limits: case.limits,
        receive: case.receive,
        half_close: HalfClose::Auto,
        crlf: false,
        raw: false,
    };
    let streams = Streams { input: Some(input.into()), output: output.into() };
    let mut pump = Pump::new(wishes, streams);
    let scheme = if case.tls { "tls://" } else { "" };
    let policy = Policy::build(Verb::Connect)
        .server(Server::parse(&format!("{scheme}{address}")).unwrap())
        .only_while_fresh()
        .build()
        .unwrap();
    let mut sent = 0;
    let finished = Redial::new(policy)
        .tls_setup(setup)
        .carry_out(async |connection: &mut redial::Connection| {
            let ended = pump.run(connection).await;
            sent = connection.sent();
            ended
        })
        .await
        .unwrap();
    let exit = ending(&finished, &pump);
    let failure = match finished.verdict {
        Verdict::Unhandled(failure) => Some((*failure).clone()),
        _ => None,
    };
    drop(pump);
    drop((client_gone, run_over));
    let (stdout, received_there) = (reader.await.unwrap(), server.await.unwrap());
    feeder.abort();
    Outcome { exit, failure, sent, received_there, stdout }
}

/// What must hold of every case.
fn check(case: &Case, outcome: &Outcome) -> Result<(), String> {
    let Outcome { exit, failure, sent, received_there, stdout } = outcome;
    let says = &case.plan.says;
    if !says.starts_with(stdout) {
        return Err(format!("{} bytes of stdout are not the server's", stdout.len()));
    }
    if *exit == Exit::Well {
        if sent != received_there {
            return Err(format!("exit 0: {sent} sent, {received_there} arrived"));
        }
        let read_all = case.reader == Reader::Gone && says.is_empty() || stdout == says;
        let whole = match case.receive {
            None => *sent == case.length as u64 && read_all,
            Some(limit) => (1..=limit).contains(&(stdout.len() as u64)),
        };
        if !whole {
            return Err(format!("exit 0: {sent} sent and {} bytes of stdout", stdout.len()));
        }
        if !matches!(case.plan.end, End::Fin | End::Close | End::HalfClose)
            && case.receive.is_none()
        {
            return Err("exit 0 without an end of the server's".into());
        }
    }
    let Some(failure) = failure else { return Ok(()) };
    // A server that closed or reset does not count what was acknowledged and not yet read.
    let counts_all = matches!(case.plan.end, End::Fin | End::HalfClose | End::Silence);
    match failure.delivery {
        Delivery::AckedAtLeast(bytes) if bytes > *received_there && counts_all => {
            Err(format!("acked-at-least {bytes}, {received_there} arrived"))
        }
        Delivery::Unsent if *received_there > 0 => Err(format!("unsent, {received_there} arrived")),
        _ if failure.is_fresh() && (*received_there > 0 || !stdout.is_empty()) => {
            Err(format!("fresh, {received_there} arrived"))
        }
        _ => Ok(()),
    }
}

/// Plays the cases of one thread; returns how many ended with status 0.
async fn play_all(seeds: Range<u64>) -> u64 {
    let (room, acceptor) = (Arc::new(Semaphore::new(AT_ONCE)), acceptor());
    let options = TlsOptions { insecure: true, ..TlsOptions::default() };
    let setup = TlsSetup::build(&options).unwrap();
    let mut playing = Vec::new();
    for seed in seeds {
        let permit = room.clone().acquire_owned().await.unwrap();
        let (acceptor, setup) = (acceptor.clone(), setup.clone());
        playing.push(spawn_local(async move {
            let _permit = permit;
            let case = Rc::new(draw(&mut Rng::with_seed(seed)));
            let told = || format!("REDIAL_SEED={seed} REDIAL_CASES=1: {case:?}");
            let outcome = timeout(LIMIT, play(case.clone(), acceptor, setup, seed)).await;
            let outcome = outcome.unwrap_or_else(|_| panic!("it hangs: {:.600}", told()));
            if let Err(wrong) = check(&case, &outcome) {
                panic!("{wrong} ({:?}): {:.600}", outcome.failure, told());
            }
            u64::from(outcome.exit == Exit::Well)
        }));
    }
    let mut well = 0;
    for played in playing {
        well += played.await.unwrap();
    }
    well
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn exit_0_means_both_sides_have_everything() {
    let (seed, cases) = (number("REDIAL_SEED", SEED), number("REDIAL_CASES", CASES));
    let share = cases.div_ceil(THREADS);
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let begin = seed + (thread * share).min(cases);
            let seeds = begin..seed + ((thread + 1) * share).min(cases);
            thread::spawn(move || {
                let runtime = runtime().unwrap();
                LocalSet::new().block_on(&runtime, play_all(seeds))
            })
        })
        .collect();
    let well: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    // A property of status 0 needs cases that end with it.
    assert!(cases < 100 || well > cases / 8, "only {well} of {cases} ended with status 0");
}

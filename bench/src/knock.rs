//! The least that waiting costs: connect, close, sleep, and nothing else.
//!
//! `redial-bench knock HOST:PORT -- COMMAND` pauses as long as `redial wait` does on the average,
//! and then becomes the command. It asks the server nothing, tells nothing apart and says nothing.
//! Start at [`knock`].

use std::{
    net::TcpStream,
    os::unix::process::CommandExt,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::Outcome;

/// The word that asks for it.
pub(crate) const WORD: &str = "knock";

/// `every 10ms..1s x1.02` with jitter `equal`: three quarters of 10 ms, and 2% of the time waited.
const FIRST: Duration = Duration::from_micros(7_500);
const SHARE: u32 = 50;

/// Waits, and ends only if there is no such command.
pub(crate) fn knock(words: &[String]) -> Outcome<()> {
    let [server, _, program, arguments @ ..] = words else {
        return Err("knock HOST:PORT -- COMMAND".into());
    };
    let began = Instant::now();
    while TcpStream::connect(server).is_err() {
        thread::sleep(FIRST + began.elapsed() / SHARE);
    }
    Err(Command::new(program).args(arguments).exec().into())
}

//! One run of one program, and what the kernel says it cost.
//!
//! The figures are those of `wait4`: the whole process from its start to its end. It compares
//! nothing. Start at [`Cost::of`].

use std::{
    process::{Child, Command},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};

use crate::Outcome;

/// No run takes longer than this; a program that hangs is killed, and the bench says so.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// What one process took.
pub(crate) struct Cost {
    /// User and system time.
    pub(crate) cpu: Duration,
    /// From its start to its end.
    pub(crate) wall: Duration,
    /// Bytes of memory at the most. The kernel counts from the fork, so a program smaller than
    /// this bench (4 to 6 MiB) is told as large as the bench.
    pub(crate) peak: u64,
}

impl Cost {
    /// Starts this program and waits for its end; a failure of the program is one of the bench.
    pub(crate) fn of(command: &mut Command) -> Outcome<Self> {
        forget_peak();
        let started = Instant::now();
        Self::of_child(&command.spawn()?, started)
            .map_err(|error| format!("{command:?}: {error}").into())
    }

    /// Waits for a program that was started then.
    pub(crate) fn of_child(child: &Child, started: Instant) -> Outcome<Self> {
        let pid = Pid::from_child(child);
        let ended = pidfd_open(pid, PidfdFlags::empty())?;
        let limit = LIMIT.try_into()?;
        let in_time = poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&limit))? > 0;
        if !in_time {
            kill_process(pid, Signal::KILL)?;
        }
        let (status, usage) = wait4(pid)?;
        let wall = started.elapsed();
        match status {
            _ if !in_time => Err(format!("was not done after {LIMIT:?}").into()),
            0 => Ok(Self {
                cpu: time(usage.ru_utime) + time(usage.ru_stime),
                wall,
                peak: u64::try_from(usage.ru_maxrss)? * 1024,
            }),
            status => Err(format!("ended with wait status {status:#x}").into()),
        }
    }
}

/// Keeps what this bench used before out of what its children are said to have used. Where the
/// kernel cannot forget, their peaks are told too high, never too low.
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn time(value: libc::timeval) -> Duration {
    Duration::from_secs(value.tv_sec.unsigned_abs())
        + Duration::from_micros(value.tv_usec.unsigned_abs())
}

/// The one way to learn what one child cost: the standard library keeps only its exit status.
#[allow(unsafe_code)]
fn wait4(pid: Pid) -> std::io::Result<(i32, libc::rusage)> {
    let mut status = 0;
    // SAFETY: rusage is plain numbers, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both are valid for writing, and live through the call.
    let waited =
        unsafe { libc::wait4(pid.as_raw_nonzero().get(), &raw mut status, 0, &raw mut usage) };
    if waited < 0 { Err(std::io::Error::last_os_error()) } else { Ok((status, usage)) }
}

//! The dispositions of signals: as they were inherited, during a session, and after it.
//!
//! A signal that the parent ignored (nohup's SIGHUP, a background job's SIGINT) stays ignored.
//! During a session the others are heard by the runtime. After it, and in a first process (which the
//! kernel spares every signal without a handler), they end the process at once with 128 and their
//! number. The command of `wait` gets what redial was given; Rust ignores SIGPIPE before `main`, so
//! that is read before it. Unsafe for sigaction(2) and its handler only. Start at [`is_ignored`].

#![allow(unsafe_code)]

use std::{
    io,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use redial::Signal;

/// The signals that redial, or Rust, handles in its own way.
const HANDLED: [libc::c_int; 5] =
    [libc::SIGPIPE, libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

static INHERITED: OnceLock<Inherited> = OnceLock::new();
/// Whether the handlers of [`end_at_once`] end the process.
static ENDS_AT_ONCE: AtomicBool = AtomicBool::new(false);

struct Inherited {
    mask: libc::sigset_t,
    /// Which of [`HANDLED`] were ignored; the others had their default.
    ignored: [bool; HANDLED.len()],
}

/// Whether this process was started with the signal ignored.
pub(crate) fn is_ignored(signal: Signal) -> bool {
    let handled = HANDLED.into_iter().zip(inherited().ignored);
    handled.into_iter().any(|(number, ignored)| ignored && number == number_of(signal))
}

/// Makes every signal that is not ignored end the process at once, without `finally`.
///
/// For the time after a session, whose handlers nobody listens to any more, and for a first process.
pub(crate) fn end_at_once() {
    ENDS_AT_ONCE.store(true, Ordering::Relaxed);
    for signal in Signal::ALL.into_iter().filter(|signal| !is_ignored(*signal)) {
        let handler: extern "C" fn(libc::c_int) = leave;
        // SAFETY: the handler reads an atomic and calls _exit(2): both are async-signal-safe.
        unsafe { libc::signal(number_of(signal), handler as libc::sighandler_t) };
    }
}

/// Leaves the signals to the session, whose handlers are installed. Before this, a signal ends the
/// process at once: a first process must never be without a handler. The session's handlers call
/// those that they replaced, which then do nothing.
pub(crate) fn begin_session() {
    ENDS_AT_ONCE.store(false, Ordering::Relaxed);
}

extern "C" fn leave(signal: libc::c_int) {
    if ENDS_AT_ONCE.load(Ordering::Relaxed) {
        // SAFETY: it ends the process and touches no memory of it.
        unsafe { libc::_exit(128 + signal) }
    }
}

/// Gives the process the dispositions and the mask that it was started with. Async-signal-safe.
pub(crate) fn restore() -> io::Result<()> {
    let Some(inherited) = INHERITED.get() else { return Ok(()) };
    for (signal, ignored) in HANDLED.into_iter().zip(inherited.ignored) {
        let disposition = if ignored { libc::SIG_IGN } else { libc::SIG_DFL };
        // SAFETY: no handler is installed, only one of the two constants.
        if unsafe { libc::signal(signal, disposition) } == libc::SIG_ERR {
            return Err(io::Error::last_os_error());
        }
    }
    // SAFETY: the mask was filled by the kernel, and the old one is not asked for.
    match unsafe {
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const inherited.mask, std::ptr::null_mut())
    } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

const fn number_of(signal: Signal) -> libc::c_int {
    match signal {
        Signal::Sigint => libc::SIGINT,
        Signal::Sighup => libc::SIGHUP,
        Signal::Sigquit => libc::SIGQUIT,
        // SIGTERM, and what a newer core may name.
        _ => libc::SIGTERM,
    }
}

fn inherited() -> &'static Inherited {
    INHERITED.get_or_init(read)
}

/// Run by the dynamic linker before Rust's start, which ignores SIGPIPE. Elsewhere that one signal
/// is taken to have been ignored by the parent.
#[cfg(target_os = "linux")]
#[used]
// SAFETY: the section is a list of functions of this type, called once, before `main`.
#[unsafe(link_section = ".init_array")]
static REMEMBER: extern "C" fn() = remember;

#[cfg(target_os = "linux")]
extern "C" fn remember() {
    inherited();
}

fn read() -> Inherited {
    // SAFETY: both are plain data, for which zero is a value.
    let (mut mask, mut action): (libc::sigset_t, libc::sigaction) =
        unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
    // SAFETY: nothing is changed, and `mask` is valid for writing.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::null(), &raw mut mask) };
    let ignored = HANDLED.map(|signal| {
        // SAFETY: nothing is changed, and `action` is valid for writing.
        unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut action) };
        action.sa_sigaction == libc::SIG_IGN
    });
    Inherited { mask, ignored }
}

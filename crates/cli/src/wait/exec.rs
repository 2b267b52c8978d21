//! Becoming the command: the same process, with the signals it would have had without redial.
//!
//! Rust ignores SIGPIPE before `main` and the runtime hears SIGINT and SIGTERM; the command gets
//! all three, and the signal mask, as redial was given them. Descriptors of redial's own close by
//! themselves (CLOEXEC). Unsafe for two reasons only: asking the kernel before Rust's start, and
//! setting it right between the last line of redial and the first of the command. Start at
//! [`become_command`].

#![allow(unsafe_code)]

use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::process::CommandExt,
    process::Command,
    sync::OnceLock,
};

use redial::printable;

use crate::{exit::Exit, terminal::complain, texts::reason};

/// Those that redial, or Rust, handles in its own way.
const HANDLED: [libc::c_int; 3] = [libc::SIGPIPE, libc::SIGINT, libc::SIGTERM];

/// What the process was given.
static INHERITED: OnceLock<Inherited> = OnceLock::new();

struct Inherited {
    mask: libc::sigset_t,
    /// Which of [`HANDLED`] were ignored; the others had their default.
    ignored: [bool; HANDLED.len()],
}

/// Replaces this process by the command; returns only where that fails.
pub(crate) fn become_command(program: &OsStr, arguments: &[OsString], ready: &str) -> Exit {
    let mut command = Command::new(program);
    command.args(arguments).env("REDIAL_READY", ready);
    // SAFETY: between std's own setting-up and execve(2) only async-signal-safe functions are
    // called, on memory that lives as long as the process.
    unsafe { command.pre_exec(restore) };
    let error = command.exec();
    let name = printable(&program.to_string_lossy());
    let (next, exit) = match error.kind() {
        io::ErrorKind::NotFound => {
            ("is it installed, and in PATH? A shell's own words need: sh -c '…'", Exit::NoCommand)
        }
        io::ErrorKind::PermissionDenied => ("is it executable? chmod +x", Exit::NotRunnable),
        _ => (
            "is it a program for this machine, with a #! line if it is a script?",
            Exit::NotRunnable,
        ),
    };
    complain(&format!(
        "redial: everything is ready, but `{name}` cannot be run: {}; {next}",
        reason(&error)
    ));
    exit
}

/// Gives the process back what it was given.
fn restore() -> io::Result<()> {
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

/// Run by the dynamic linker before Rust's start, which ignores SIGPIPE. Elsewhere the command
/// gets the defaults.
#[cfg(target_os = "linux")]
#[used]
// SAFETY: the section is a list of functions of this type, called once, before `main`.
#[unsafe(link_section = ".init_array")]
static REMEMBER: extern "C" fn() = remember;

#[cfg(target_os = "linux")]
extern "C" fn remember() {
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
    drop(INHERITED.set(Inherited { mask, ignored }));
}

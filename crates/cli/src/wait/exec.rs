//! Becoming the command: the same process, with the signals it would have had without redial.
//!
//! The signals are `signals`' to restore. Descriptors of redial's own close by themselves (CLOEXEC).
//! Unsafe for one reason only: restoring them between the last line of redial and the first of the
//! command. Start at [`become_command`].

#![allow(unsafe_code)]

use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::process::CommandExt,
    process::Command,
};

use redial::printable;

use crate::{exit::Exit, signals, stderr, terminal::complain, texts::reason};

/// Replaces this process by the command; returns only where that fails.
pub(crate) fn become_command(program: &OsStr, arguments: &[OsString], ready: &str) -> Exit {
    let mut command = Command::new(program);
    command.args(arguments).env("REDIAL_READY", ready);
    // SAFETY: between std's own setting-up and execve(2) only async-signal-safe functions are
    // called, on memory that lives as long as the process.
    unsafe { command.pre_exec(signals::restore) };
    // The command is this process: what is still queued would be lost with its thread.
    stderr::finish(stderr::Patience::SHORT);
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

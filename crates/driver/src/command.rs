//! The step `run`: a command, its facts in variables, and a limit that holds.
//!
//! Each argument is one argument and no shell is asked. Bytes that came from a network reach the
//! command only escaped and only in variables. What its status means is nobody's business here.
//! Start at [`run`].

use std::{
    hash::{BuildHasher, RandomState},
    os::fd::AsFd,
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use redial_core::{Failure, Ran, Run};
use rustix::process::Pid;
use tokio::process::{Child, Command};

use crate::descendants::{Mark, kill_all};

/// No variable holds more of what a server said.
const LONGEST: usize = 1024;

/// What a command is told.
pub(crate) struct Facts {
    pub(crate) attempt: u32,
    pub(crate) elapsed: Duration,
    pub(crate) failure: Option<Arc<Failure>>,
}

/// The command, ready to start: standard input empty, its output to our standard error.
pub(crate) fn prepare(run: &Run, facts: &Facts) -> Command {
    let mut words = run.args.iter();
    let mut command = Command::new(words.next().map_or("", |program| program));
    command.args(words.map(|word| &**word)).stdin(Stdio::null()).stderr(Stdio::inherit());
    // Results stand on standard output, and a hook's words are none.
    command.stdout(
        std::io::stderr().as_fd().try_clone_to_owned().map_or_else(|_| Stdio::null(), Stdio::from),
    );
    // A group of its own, so that what it starts can be ended with it.
    command.process_group(0);
    command.env("REDIAL_ATTEMPT", facts.attempt.to_string());
    command.env("REDIAL_ELAPSED", format!("{:.3}", facts.elapsed.as_secs_f64()));
    if let Some(failure) = &facts.failure {
        for (name, value) in variables(failure) {
            command.env(name, bounded(value));
        }
    }
    command
}

/// Runs it for at most so long. Dropping the future ends it, with all that it has started.
pub(crate) async fn run(mut command: Command, limit: Duration) -> Ran {
    let mark = ("REDIAL_RUN", format!("{:016x}", RandomState::new().hash_one("run")));
    command.env(mark.0, &mark.1);
    let mut child = match command.spawn() {
        Ok(child) => Family(child, mark),
        Err(error) => return Ran::NotStarted(error.to_string().into()),
    };
    match tokio::time::timeout(limit, child.0.wait()).await {
        Ok(Ok(status)) => {
            use std::os::unix::process::ExitStatusExt;
            match (status.code(), status.signal()) {
                (Some(code), _) => Ran::Exited(code),
                (None, signal) => Ran::Signalled(signal.unwrap_or(0)),
            }
        }
        // ECHILD: where SIGCHLD is ignored, the kernel reaps the child and keeps no status.
        Ok(Err(_)) => Ran::Unknown,
        Err(_) => Ran::Killed,
    }
}

/// A child that does not outlive us, nor do its own.
struct Family(Child, Mark);

impl Drop for Family {
    fn drop(&mut self) {
        // `id` is there only until the child was waited for: after that the number may be another's.
        let command = self.0.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(command) = command {
            kill_all(command, &self.1);
        }
    }
}

/// The facts of a failure by the names commands see.
fn variables(failure: &Failure) -> Vec<(&'static str, String)> {
    let mut variables = vec![
        ("REDIAL_FAILURE", failure.kind.name().to_owned()),
        ("REDIAL_MESSAGE", failure.to_string()),
        ("REDIAL_STAGE", failure.stage.to_string()),
        ("REDIAL_SERVER", failure.server.to_string()),
        ("REDIAL_SENT", failure.sent.to_string()),
        ("REDIAL_RECEIVED", failure.received.to_string()),
        ("REDIAL_DELIVERY", failure.delivery.to_string()),
        ("REDIAL_LASTING", if failure.lasting { "1" } else { "0" }.to_owned()),
    ];
    variables
        .extend(failure.address.as_ref().map(|address| ("REDIAL_ADDRESS", address.to_string())));
    variables.extend(failure.errno.map(|errno| ("REDIAL_ERRNO", errno.name.to_owned())));
    variables.extend(failure.detail.as_ref().map(|detail| ("REDIAL_DETAIL", detail.to_string())));
    variables
}

fn bounded(mut value: String) -> String {
    let end =
        (0..=LONGEST.min(value.len())).rev().find(|end| value.is_char_boundary(*end)).unwrap_or(0);
    value.truncate(end);
    value
}

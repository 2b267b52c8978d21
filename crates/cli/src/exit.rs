//! The exit statuses: one table, for the process and for `redial help exit`.
//!
//! It maps verdicts to numbers and does nothing else. Start at [`Exit`].

use std::process::ExitCode;

use redial::{Signal, Verdict};

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: it went well.
    Well,
    /// 1: unhandled, `stop`, permanent, a limit missed.
    Failed,
    /// 2: a wrong flag, clause or policy.
    Usage,
    /// 124: the deadline passed.
    Deadline,
    /// 125: `wait` itself is in trouble, as coreutils say it.
    Trouble,
    /// 126: the command of `wait` cannot be run.
    NotRunnable,
    /// 127: there is no such command.
    NoCommand,
    /// 128 and the number of the signal: 129, 130, 131 or 143.
    Interrupted(Signal),
    /// 141: the reader of standard output left.
    ReaderLeft,
    /// N: a clause said `exit N`.
    Said(u8),
}

/// The table as `redial help exit` prints it.
pub(crate) const TABLE: [(&str, &str); 13] = [
    (
        "0",
        "it went well: the connection ended cleanly, all that was sent was acknowledged, and no clause said otherwise",
    ),
    (
        "1",
        "it failed: no clause handled the failure, or one said `stop`; `rehearse`: a limit was missed",
    ),
    ("2", "a flag, a clause or a policy is wrong (`wait`: 125)"),
    ("124", "the deadline passed"),
    ("125", "`wait`: a flag, a clause, a policy or a server is wrong"),
    ("126", "`wait`: its command cannot be run; after that, its status is the command's own"),
    ("127", "`wait`: there is no such command"),
    ("129", "ended by SIGHUP: its terminal was closed; `serve` as for 130"),
    ("130", "interrupted by Ctrl-C (SIGINT); `serve` without --connections has done its work: 0"),
    ("131", "ended by Ctrl-\\ (SIGQUIT); `serve` as for 130"),
    ("141", "the reader of standard output left"),
    ("143", "ended by SIGTERM; `serve` as for 130"),
    ("N", "a clause said `exit N`; the only way a failure ends in success is `exit 0`"),
];

impl Exit {
    /// The status of a session's verdict.
    pub(crate) const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Well => Self::Well,
            Verdict::Exit(status) => Self::Said(*status),
            Verdict::Stopped(_) | Verdict::Unhandled(_) => Self::Failed,
            Verdict::Deadline(_) => Self::Deadline,
            Verdict::Interrupted(signal) => Self::Interrupted(*signal),
            // A verdict of a newer core is not a success.
            _ => Self::Failed,
        }
    }

    pub(crate) const fn status(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Deadline => 124,
            Self::Trouble => 125,
            Self::NotRunnable => 126,
            Self::NoCommand => 127,
            Self::Interrupted(Signal::Sighup) => 129,
            Self::Interrupted(Signal::Sigquit) => 131,
            Self::Interrupted(Signal::Sigterm) => 143,
            Self::Interrupted(_) => 130,
            Self::ReaderLeft => 141,
            Self::Said(status) => status,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}

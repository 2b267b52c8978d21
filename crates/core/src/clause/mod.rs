//! Clauses: `KINDS [but KINDS] [if GUARD]: STEP, STEP`.
//!
//! The types here are what was meant; [`parse`](Clause::parse_all) turns what was typed into them,
//! and printing one gives text that means the same. Nothing here runs: [`crate::Session`] walks
//! the steps. Start at [`Clause`].

mod cursor;
mod parse;
mod print;
mod python;
mod retry;
mod run;
mod steps;
mod template;

use alloc::{boxed::Box, vec::Vec};
use core::{num::NonZeroU32, str::FromStr, time::Duration};

pub(crate) use parse::repetition;
pub(crate) use print::StepList;
pub(crate) use steps::STEPS;
pub(crate) use template::Facts as TemplateFacts;
pub use template::Template;

use crate::{Backoff, Delivery, Failure, KindSet, Mistake};

/// What to do about some kinds of failure. The first clause that matches handles the failure.
///
/// ```
/// use redial_core::Clause;
/// let clauses = Clause::parse_all("refused, dns-temporary: retry 10 every 250ms..30s, next")?;
/// assert_eq!(clauses[0].label(), "refused, dns-temporary");
/// assert_eq!(clauses[0].to_string(), "refused, dns-temporary: retry 10 every 250ms..30s, next");
/// # Ok::<(), redial_core::Mistake>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    kinds: KindSet,
    names: Box<[Box<str>]>,
    /// The names that are taken out again: `any but tls`.
    but: Box<[Box<str>]>,
    guard: Option<Guard>,
    steps: Steps,
}

/// What must also be true for a clause to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Guard {
    /// The connection was not yet handed over: nothing of the caller's has left on it, and
    /// nothing was given to the caller.
    Fresh,
    /// No byte of the user's was accepted by the kernel.
    Unsent,
    /// No connection of this session was healthy yet.
    New,
}

/// Steps, in the order they run. Never empty in a clause.
pub(crate) type Steps = Box<[Step]>;

/// One thing a clause does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// The same server again.
    Retry(Retry),
    /// The next server.
    Next,
    /// This server is out until the session next has a healthy connection.
    Drop,
    /// Evidence and conclusion into the record.
    Diagnose,
    /// A command.
    Run(Run),
    /// A line to standard error.
    Say(Template),
    /// End with this status. The only way a failure can end in success (`exit 0`).
    Exit(u8),
    /// End, failed.
    Stop,
}

/// `retry N for D every A..B xF jitter J`: the same server, N more times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How many more attempts.
    pub times: Times,
    /// No attempt of this step begins later than this after the failure at which the step was first
    /// taken, at one server in one round. An attempt under way is not cut off. No limit by default.
    pub within: Option<Duration>,
    /// How long before each. By default `every 250ms..30s`.
    pub backoff: Backoff,
}

impl Retry {
    /// Returns true if nothing but a success or a limit of the session ends it.
    #[must_use]
    pub const fn is_endless(&self) -> bool {
        matches!(self.times, Times::Forever) && self.within.is_none()
    }
}

/// A limit that may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Times {
    /// At most so many.
    Only(NonZeroU32),
    /// No limit.
    Forever,
}

impl Times {
    /// Whether one more is allowed after `used`.
    #[must_use]
    pub const fn allows(self, used: u32) -> bool {
        match self {
            Self::Only(limit) => used < limit.get(),
            Self::Forever => true,
        }
    }
}

/// `run COMMAND ARG… [at most every DUR]`: each argument one argument, never a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The program and its arguments. Never empty; no argument holds a NUL.
    pub args: Box<[Box<str>]>,
    /// Skip it if it ran less than this long ago.
    pub at_most_every: Option<Duration>,
}

impl Clause {
    /// Reads clauses separated by `;` or a newline. Empty text is no clause.
    ///
    /// A `#` that begins a word begins a comment. A clause goes on after `:` and `,` at the end of a
    /// line, and on a line that begins with a step. Python's spellings are read as redial's:
    ///
    /// ```
    /// use redial_core::Clause;
    /// let text = "except (ConnectionRefusedError, socket.timeout) as error:\n    print('down')\n    raise";
    /// let clause: Clause = text.parse()?;
    /// assert_eq!(clause.to_string(), "ConnectionRefusedError, socket.timeout: say \"down\", stop");
    /// # Ok::<(), redial_core::Mistake>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first [`Mistake`], with its position in `text`.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, Mistake> {
        parse::clauses(text)
    }

    /// The kinds it matches.
    #[must_use]
    pub const fn kinds(&self) -> KindSet {
        self.kinds
    }

    /// What must also be true.
    #[must_use]
    pub const fn guard(&self) -> Option<Guard> {
        self.guard
    }

    /// What it does.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether this clause handles the failure; `new` says that no connection was healthy yet.
    #[must_use]
    pub fn matches(&self, failure: &Failure, new: bool) -> bool {
        self.kinds.matches(failure)
            && match self.guard {
                None => true,
                Some(Guard::Fresh) => failure.is_fresh(),
                Some(Guard::Unsent) => failure.delivery == Delivery::Unsent,
                Some(Guard::New) => new,
            }
    }
}

impl Step {
    /// Whether it schedules an attempt (`retry`, `next`, `drop`) rather than doing a thing once.
    #[must_use]
    pub const fn is_attempt(&self) -> bool {
        match self {
            Self::Retry(_) | Self::Next | Self::Drop => true,
            Self::Diagnose | Self::Run(_) | Self::Say(_) | Self::Exit(_) | Self::Stop => false,
        }
    }

    /// Reads the steps of `else` or `finally`: only say, run, diagnose, exit, stop.
    ///
    /// # Errors
    ///
    /// The first [`Mistake`], with its position in `text`.
    pub fn parse_ending(text: &str) -> Result<Steps, Mistake> {
        parse::ending(text)
    }
}

impl FromStr for Clause {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let mut clauses = Self::parse_all(text)?;
        match clauses.len() {
            1 => Ok(clauses.remove(0)),
            0 => Err(Mistake::new(
                0..text.len(),
                "there is no clause here",
                "write KINDS: STEP, as in `refused: retry 10`",
            )),
            _ => Err(Mistake::new(
                0..text.len(),
                "there is more than one clause here",
                "read several with Clause::parse_all",
            )),
        }
    }
}

//! Prints clauses so that reading the text again gives the same clause.
//!
//! The user's own names of kinds are kept; all else is printed in one canonical spelling. Start at
//! the `Display` of [`Clause`].

use alloc::string::String;
use core::fmt::{self, Display, Write};

use serde::{Serialize, Serializer};

use super::{Clause, Guard, Retry, Run, Step, Times};
use crate::{Backoff, backoff::Jitter, quantity::Human};

impl Clause {
    /// The kinds and the guard, by the user's names: `any but tls, dns if fresh`.
    #[must_use]
    pub fn label(&self) -> String {
        let mut label = self.names.join(", ");
        if !self.but.is_empty() {
            label.push_str(" but ");
            label.push_str(&self.but.join(", "));
        }
        if let Some(guard) = self.guard {
            label.push_str(" if ");
            label.push_str(guard.name());
        }
        label
    }
}

impl Guard {
    /// The word a clause uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Unsent => "unsent",
            Self::New => "new",
        }
    }
}

impl Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.label(), StepList(&self.steps))
    }
}

/// Steps with commas between them.
pub(crate) struct StepList<'a>(pub &'a [Step]);

impl Display for StepList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{step}")?;
        }
        Ok(())
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry(retry) => write!(f, "{retry}"),
            Self::Next => f.write_str("next"),
            Self::Drop => f.write_str("drop"),
            Self::Diagnose => f.write_str("diagnose"),
            Self::Run(run) => write!(f, "{run}"),
            Self::Say(template) => {
                f.write_str("say ")?;
                quote(template.as_str(), f)
            }
            Self::Exit(status) => write!(f, "exit {status}"),
            Self::Stop => f.write_str("stop"),
        }
    }
}

impl Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "retry {} ", self.times)?;
        if let Some(within) = self.within {
            write!(f, "for {} ", Human(within))?;
        }
        write!(f, "{}", self.backoff)
    }
}

impl Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only(times) => write!(f, "{times}"),
            Self::Forever => f.write_str("forever"),
        }
    }
}

/// In JSON: a number, or `"forever"`.
impl Serialize for Times {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Only(times) => serializer.serialize_u32(times.get()),
            Self::Forever => serializer.serialize_str("forever"),
        }
    }
}

/// `every 250ms..30s x1.5 jitter full`, with what is default left out.
impl Display for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (base, cap, factor, jitter) = self.parts();
        // `every 5s` and `every 5s..5s` read back with different jitter.
        let exact = base == cap && jitter == Jitter::None;
        if exact {
            write!(f, "every {}", Human(base))?;
        } else {
            write!(f, "every {}..{}", Human(base), Human(cap))?;
        }
        // Between equal pauses nothing grows, and a factor is a mistake there.
        if factor != 2_000 && base != cap {
            write!(f, " x{}", factor / 1_000)?;
            if factor % 1_000 != 0 {
                let part = alloc::format!("{:03}", factor % 1_000);
                write!(f, ".{}", part.trim_end_matches('0'))?;
            }
        }
        match jitter {
            Jitter::Equal => Ok(()),
            Jitter::Full => f.write_str(" jitter full"),
            Jitter::None if exact => Ok(()),
            Jitter::None => f.write_str(" jitter none"),
        }
    }
}

impl Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("run")?;
        for (index, arg) in self.args.iter().enumerate() {
            f.write_char(' ')?;
            // A bare `at` behind the program could begin `at most every`.
            if is_bare(arg) && !(index > 0 && &**arg == "at") {
                f.write_str(arg)?;
            } else {
                quote(arg, f)?;
            }
        }
        match self.at_most_every {
            Some(pause) => write!(f, " at most every {}", Human(pause)),
            None => Ok(()),
        }
    }
}

/// Whether an argument reads back as itself without quotes.
fn is_bare(arg: &str) -> bool {
    !arg.is_empty()
        && arg.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./:=@%+".contains(&byte))
}

pub(super) fn quote(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for letter in text.chars() {
        match letter {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            control if control.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(control))?,
            other => f.write_char(other)?,
        }
    }
    f.write_char('"')
}

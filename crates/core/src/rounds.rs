//! How often the whole list of servers is gone through.
//!
//! A *round* is every eligible server once. This is a limit, not a step: `next` asks it whether
//! there is another round. Start at [`Rounds`].

use core::{fmt, num::NonZeroU32, str::FromStr};

use crate::{Backoff, Mistake, Times, clause::repetition};

/// `rounds = "forever every 250ms..30s"`: how many rounds, and how long between them.
///
/// # Default
///
/// 1 round. Where there are more, `every 250ms..30s` between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounds {
    /// How many rounds in all.
    pub times: Times,
    /// How long before each but the first.
    pub backoff: Backoff,
}

impl Rounds {
    /// One round: each server has one turn.
    pub const ONE: Self = Self { times: Times::Only(NonZeroU32::MIN), backoff: Backoff::DEFAULT };

    /// Rounds without end, `every 250ms..30s`.
    #[must_use]
    pub const fn forever() -> Self {
        Self { times: Times::Forever, backoff: Backoff::DEFAULT }
    }
}

impl Default for Rounds {
    fn default() -> Self {
        Self::ONE
    }
}

impl FromStr for Rounds {
    type Err = Mistake;

    /// Reads `3`, `forever`, `3 every 5s`, `forever every 250ms..30s x1.5 jitter full`.
    fn from_str(text: &str) -> Result<Self, Mistake> {
        repetition(
            text,
            "it has to say how many rounds",
            "write `3`, or `forever every 250ms..30s`",
        )
        .and_then(|retry| match retry.within {
            None => Ok(Self { times: retry.times, backoff: retry.backoff }),
            Some(_) => Err(Mistake::new(
                0..text.len(),
                "rounds have no `for`",
                "bound the time with a deadline, as in `deadline = \"2m\"`",
            )),
        })
    }
}

impl fmt::Display for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.times {
            Times::Only(NonZeroU32::MIN) => f.write_str("1"),
            times => write!(f, "{times} {}", self.backoff),
        }
    }
}

//! How many targets must be ready, and whether that can still come true.
//!
//! A wait runs a session for each server of each target; the goal looks at how they ended and says
//! when the wait is over. It runs none of them and knows no time. Start at [`Tally`].

use alloc::{boxed::Box, format};
use core::fmt;

use crate::Mistake;

/// How many of the targets must be ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Goal {
    /// Every one of them.
    #[default]
    All,
    /// One of them.
    Any,
    /// So many of them, at least one.
    AtLeast(usize),
}

/// As it would be said behind "waiting for": `all`, `any`, `at least 2`.
impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Any => f.write_str("any"),
            Self::AtLeast(number) => write!(f, "at least {number}"),
        }
    }
}

/// Counts targets until the goal is reached or out of reach.
///
/// A target is ready as soon as one of its servers is, and lost once all of them are.
///
/// ```
/// use redial_core::{Goal, Reach, Tally};
///
/// // `db1:5432,db2:5432` and `cache:6379`
/// let mut tally = Tally::new(Goal::All, &[2, 1])?;
/// assert_eq!(tally.lost(0), Reach::Open); // db1 has a bad certificate
/// assert_eq!(tally.ready(0), Reach::Open); // db2 is ready
/// assert_eq!(tally.ready(1), Reach::Reached);
/// # Ok::<(), redial_core::Mistake>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tally {
    needed: usize,
    targets: Box<[Target]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// So many of its servers may still become ready.
    Open(usize),
    Ready,
    Lost,
}

/// Whether the goal can be reached, and has been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Not yet.
    Open,
    /// It is reached.
    Reached,
    /// Too many targets are lost.
    OutOfReach,
}

impl Tally {
    /// Counts for this goal; each target is given as the number of its servers, at least one.
    ///
    /// # Errors
    /// A goal that no outcome could reach, or that is reached by doing nothing.
    pub fn new(goal: Goal, servers: &[usize]) -> Result<Self, Mistake> {
        let all = servers.len();
        let needed = match goal {
            Goal::All => all,
            Goal::Any => 1,
            Goal::AtLeast(number) => number,
        };
        if all == 0 {
            return Err(Mistake::new(
                0..0,
                "nothing is named to wait for",
                "name a server: HOST:PORT",
            ));
        }
        if needed == 0 {
            let what = "at least 0 targets are ready before anything is tried";
            return Err(Mistake::new(0..0, what, "write 1 or more"));
        }
        if needed > all {
            let what = format!("at least {needed} targets cannot be ready: {all} named");
            return Err(Mistake::new(0..0, what, format!("write at most {all}, or name more")));
        }
        let targets = servers.iter().map(|servers| Target::Open((*servers).max(1))).collect();
        Ok(Self { needed, targets })
    }

    /// A server of this target is ready.
    pub fn ready(&mut self, target: usize) -> Reach {
        if let Some(target @ Target::Open(_)) = self.targets.get_mut(target) {
            *target = Target::Ready;
        }
        self.reach()
    }

    /// A server of this target was given up.
    pub fn lost(&mut self, target: usize) -> Reach {
        if let Some(target) = self.targets.get_mut(target) {
            *target = match *target {
                Target::Open(left) if left > 1 => Target::Open(left - 1),
                Target::Open(_) | Target::Lost => Target::Lost,
                Target::Ready => Target::Ready,
            };
        }
        self.reach()
    }

    /// Whether nothing more is to be learned of this target: its other servers need no attempt.
    #[must_use]
    pub fn is_over(&self, target: usize) -> bool {
        !matches!(self.targets.get(target), Some(Target::Open(_)))
    }

    /// Where the goal stands.
    #[must_use]
    pub fn reach(&self) -> Reach {
        let count = |state| self.targets.iter().filter(|target| **target == state).count();
        if count(Target::Ready) >= self.needed {
            Reach::Reached
        } else if self.targets.len() - count(Target::Lost) < self.needed {
            Reach::OutOfReach
        } else {
            Reach::Open
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_needs_every_target_and_any_of_its_servers() {
        let mut tally = Tally::new(Goal::All, &[2, 1]).unwrap();
        assert_eq!(tally.lost(0), Reach::Open);
        assert_eq!(tally.lost(0), Reach::OutOfReach);
        assert_eq!(tally.ready(0), Reach::OutOfReach, "a target that is lost stays lost");

        let mut tally = Tally::new(Goal::All, &[2, 1]).unwrap();
        assert_eq!(
            (tally.ready(0), tally.is_over(0), tally.is_over(1)),
            (Reach::Open, true, false)
        );
        assert_eq!(tally.lost(0), Reach::Open, "a target that is ready stays ready");
        assert_eq!(tally.ready(1), Reach::Reached);
    }

    #[test]
    fn any_is_out_of_reach_only_when_every_target_is_lost() {
        let mut tally = Tally::new(Goal::Any, &[1, 1]).unwrap();
        assert_eq!(tally.lost(1), Reach::Open);
        assert_eq!(tally.clone().lost(0), Reach::OutOfReach);
        assert_eq!(tally.ready(0), Reach::Reached);
    }

    #[test]
    fn at_least_counts() {
        let mut tally = Tally::new(Goal::AtLeast(2), &[1, 1, 1]).unwrap();
        assert_eq!(tally.ready(0), Reach::Open);
        assert_eq!(tally.ready(0), Reach::Open, "one target counts once");
        assert_eq!(tally.lost(1), Reach::Open);
        assert_eq!(tally.ready(2), Reach::Reached);
    }

    #[test]
    fn a_goal_that_cannot_be_reached_is_a_mistake() {
        for (goal, servers) in
            [(Goal::AtLeast(3), &[1, 1][..]), (Goal::AtLeast(0), &[1]), (Goal::All, &[])]
        {
            Tally::new(goal, servers).unwrap_err();
        }
    }
}

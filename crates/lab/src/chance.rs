//! The chance that a connection gets a behaviour, drawn from a seed.
//!
//! Which entry of a script it belongs to is the script's affair. Start at [`Chance`].

use crate::behaviour::Behaviour;
use crate::draw::draw;

/// The chance that a connection gets the behaviour of its entry, and what it gets else.
///
/// It is drawn for each connection from the seed and the connection's number in the lab (0 for
/// the first), and from nothing else: it is output number `k` of SplitMix64 started with the seed
/// (Steele, Lea, Flood, OOPSLA 2014), as a share of 2^64, and below the chance or not. So the
/// same seed gives the same faults, whatever comes in between and however connections overlap.
///
/// ```
/// use redial_lab::{Behaviour, Chance, Lab, Percent};
///
/// let otherwise = Behaviour::say("well\n");
/// let chance = Chance { percent: Percent::new(30).ok_or("too much")?, seed: 7, otherwise };
/// let lab = Lab::start(redial_lab::Script::new([Behaviour::Reset.forever().with(chance)]))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chance {
    /// How probable it is.
    pub percent: Percent,
    /// Where the draws come from.
    pub seed: u64,
    /// What the others get.
    pub otherwise: Behaviour,
}

impl Chance {
    /// Whether connection number `k` gets the behaviour of the entry.
    pub fn hits(&self, k: u64) -> bool {
        // The draw as a share of 2^64, in thousandths of a percent.
        let drawn = (u128::from(draw(self.seed, k)) * u128::from(Percent::ALL)) >> 64;
        drawn < u128::from(self.percent.0)
    }
}

/// A share from 0 to 100 percent, exact to a thousandth of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u32);

impl Percent {
    const ALL: u32 = 100_000;

    /// So many percent, 0 to 100.
    pub fn new(percent: u32) -> Option<Self> {
        Self::from_thousandths(percent.checked_mul(1_000)?)
    }

    /// So many thousandths of a percent, 0 to 100,000.
    pub fn from_thousandths(thousandths: u32) -> Option<Self> {
        (thousandths <= Self::ALL).then_some(Self(thousandths))
    }

    /// In thousandths of a percent, 0 to 100,000.
    pub fn thousandths(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chance_is_kept_and_its_ends_are_sure() {
        let hits = |percent, seed| {
            let percent = Percent::new(percent).unwrap();
            let chance = Chance { percent, seed, otherwise: Behaviour::Close };
            (0..10_000).filter(|k| chance.hits(*k)).count()
        };
        for seed in 0..20 {
            assert_eq!((hits(0, seed), hits(100, seed)), (0, 10_000));
            let hits = hits(30, seed);
            // Five standard deviations of a binomial: 5 x sqrt(10,000 x 0.3 x 0.7) is 229.
            assert!((2_771..=3_229).contains(&hits), "seed {seed}: {hits}");
        }
        assert_eq!(Percent::new(101), None);
        assert_eq!(Percent::new(u32::MAX), None);
    }
}

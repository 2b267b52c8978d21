//! Figures of runs taken in turn: medians, and ratios of medians with their spread.
//!
//! It knows nothing of what is measured. Start at [`Measure`].

/// One quantity, of each program, run by run.
pub(crate) struct Measure {
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    /// `less` or `more`.
    pub(crate) better: &'static str,
    /// The first is redial; run N of each was taken in the same round.
    pub(crate) programs: Vec<(String, Vec<f64>)>,
}

/// A median, and what half of all runs lie between.
pub(crate) struct Middle {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Measure {
    pub(crate) fn new<'a>(
        what: &'static str,
        unit: &'static str,
        better: &'static str,
        names: impl Iterator<Item = &'a str>,
    ) -> Self {
        let programs = names.map(|name| (name.to_owned(), Vec::new())).collect();
        Self { what, unit, better, programs }
    }

    /// One run of the program in this place.
    pub(crate) fn push(&mut self, place: usize, value: f64) {
        self.programs[place].1.push(value);
    }

    /// redial's median by that program's; the spread is that of the rounds, each of which saw the
    /// machine in one state.
    pub(crate) fn ratio(&self, place: usize) -> Middle {
        let (ours, theirs) = (&self.programs[0].1, &self.programs[place].1);
        let rounds: Vec<f64> =
            ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
        let median = Middle::of(ours).median / Middle::of(theirs).median;
        Middle { median, ..Middle::of(&rounds) }
    }
}

impl Middle {
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        Self {
            median: quantile(&values, 0.5),
            low: quantile(&values, 0.25),
            high: quantile(&values, 0.75),
        }
    }
}

/// Between the two nearest of sorted values, in proportion.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::{Measure, Middle};

    #[test]
    fn a_ratio_is_of_medians_and_its_spread_of_rounds() {
        let mut measure = Measure::new("time", "s", "less", ["redial", "nc"].into_iter());
        for (ours, theirs) in [(2.0, 1.0), (4.0, 2.0), (60.0, 30.0)] {
            measure.push(0, ours);
            measure.push(1, theirs);
        }
        let Middle { median, low, high } = measure.ratio(1);
        assert_eq!((median, low, high), (2.0, 2.0, 2.0));
    }

    #[test]
    fn quartiles_lie_between_values() {
        let Middle { median, low, high } = Middle::of(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!((median, low, high), (2.5, 1.75, 3.25));
    }
}

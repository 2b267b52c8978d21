//! The arithmetic of delays: caps, growth, spread, and no number of attempts that overflows.

use std::time::Duration;

use fastrand::Rng;
use proptest::prelude::*;
use redial_core::{Backoff, Jitter};

fn any_jitter() -> impl Strategy<Value = Jitter> {
    prop_oneof![Just(Jitter::Full), Just(Jitter::Equal), Just(Jitter::None)]
}

proptest! {
    #[test]
    fn no_delay_exceeds_the_cap_or_leaves_its_spread(
        base in 0..u64::MAX, cap in 0..u64::MAX, factor in 0..2_000_000u32, jitter in any_jitter(), n: u32, seed: u64,
    ) {
        let backoff = Backoff::between(Duration::from_nanos(base), Duration::from_nanos(cap)).factor(factor).jitter(jitter);
        let delay = backoff.delay(n, &mut Rng::with_seed(seed));
        let spread = backoff.spread(n);
        prop_assert!(delay <= Duration::from_nanos(cap));
        prop_assert!(spread.min <= delay && delay <= spread.max);
        prop_assert!(spread.min <= spread.mean && spread.mean <= spread.max);
    }

    #[test]
    fn the_ceiling_never_shrinks(base in 1..u64::MAX / 2, factor in 1_000..1_000_000u32, n in 0..1_000_000u32) {
        let backoff = Backoff::between(Duration::from_nanos(base), Duration::MAX).factor(factor);
        prop_assert!(backoff.spread(n).max <= backoff.spread(n + 1).max);
    }

    #[test]
    fn small_powers_agree_with_the_formula(base in 1..1_000_000_000u64, factor in 1_000..4_000u32, n in 0..20u32) {
        let backoff = Backoff::between(Duration::from_nanos(base), Duration::MAX).factor(factor).jitter(Jitter::None);
        let exact = (base as f64 * (f64::from(factor) / 1000.0).powi(n as i32)).min(u64::MAX as f64);
        let ours = backoff.spread(n).max.as_nanos() as f64;
        prop_assert!((ours - exact).abs() <= exact * 1e-6 + 1.0, "{ours} is not {exact}");
    }
}

#[test]
fn a_million_steps_neither_panic_nor_exceed_the_cap() {
    let cap = Duration::from_secs(30);
    for jitter in [Jitter::Full, Jitter::Equal, Jitter::None] {
        let backoff = Backoff::between(Duration::from_millis(250), cap).jitter(jitter);
        let mut random = Rng::with_seed(1);
        for n in 0..1_000_000 {
            assert!(backoff.delay(n, &mut random) <= cap);
        }
    }
}

#[test]
fn two_per_cent_from_five_milliseconds_grows() {
    let backoff = Backoff::between(Duration::from_millis(5), Duration::from_secs(1)).factor(1_020);
    assert!(backoff.spread(1).max > backoff.spread(0).max);
    assert!(backoff.spread(50).max > Duration::from_millis(13));
    assert_eq!(backoff.spread(1_000).max, Duration::from_secs(1));
}

#[test]
fn at_the_cap_a_thousand_seeds_still_differ() {
    let backoff = Backoff::default();
    let delays: Vec<f64> = (0..1_000)
        .map(|seed| backoff.delay(1_000, &mut Rng::with_seed(seed)).as_secs_f64())
        .collect();
    let mean = delays.iter().sum::<f64>() / 1_000.0;
    let variance = delays.iter().map(|delay| (delay - mean).powi(2)).sum::<f64>() / 1_000.0;
    // For a uniform draw from d/2..d sigma is (d/2)/sqrt(12), 19% of the mean.
    assert!(
        variance.sqrt() >= 0.15 * mean,
        "sigma is {:.1}% of the mean",
        100.0 * variance.sqrt() / mean
    );
    let distinct: std::collections::BTreeSet<u64> =
        delays.iter().map(|delay| delay.to_bits()).collect();
    assert!(distinct.len() > 990);
}

//! Durations and sizes read back as they were printed, and no text makes a reader panic.

use core::time::Duration;

use proptest::prelude::*;
use redial_core::{
    Bytes, Human, Rate, Rounded, nearest, parse_count, parse_duration, parse_rate,
    parse_seconds_or_duration, parse_size,
};

/// Every order of magnitude as likely as every other, round numbers and odd ones.
fn nanos() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        (any::<u64>(), 0..64_u32).prop_map(|(value, bits)| value >> bits),
        (0..10_000_u64, 0..16_u32).prop_map(|(value, zeros)| value * 10_u64.pow(zeros)),
    ]
}

/// Text made of what quantities are made of.
fn almost() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9]{0,3}[0-9._,/ +-]{0,4}[a-zA-Zµ]{0,4}[0-9]{0,25}[smhdkKMB]{0,2}"
    ]
}

proptest! {
    #[test]
    fn an_exact_duration_reads_back(nanos in nanos()) {
        let duration = Duration::from_nanos(nanos);
        let text = Human(duration).to_string();
        prop_assert_eq!(parse_duration(&text), Ok(duration), "{}", text);
    }

    #[test]
    fn a_rounded_duration_is_near(nanos in nanos()) {
        let text = Rounded(Duration::from_nanos(nanos)).to_string();
        let read = parse_duration(&text).unwrap().as_nanos() as u64;
        prop_assert!(read.abs_diff(nanos) <= nanos / 20 + 50_000, "{} is {}", nanos, text);
        prop_assert!(text.len() <= 10, "{}", text);
    }

    #[test]
    fn a_size_reads_back_nearly(size in 0..u64::MAX / 2) {
        let text = Bytes(size).to_string().replace(' ', "");
        let read = parse_size(&text).unwrap();
        prop_assert!(read.abs_diff(size) <= size / 20, "{} is {}", size, text);
    }

    #[test]
    fn a_rate_reads_back(count in 1..u64::MAX, nanos in nanos().prop_filter("a time", |n| *n > 0)) {
        let rate = Rate { count, per: Duration::from_nanos(nanos) };
        prop_assert_eq!(parse_rate(&rate.to_string()), Ok(rate));
    }

    #[test]
    fn no_text_panics_and_every_mistake_points_into_it(text in almost()) {
        let mistakes = [
            parse_duration(&text).err(),
            parse_seconds_or_duration(&text).err(),
            parse_size(&text).err(),
            parse_count(&text).err(),
            parse_rate(&text).err(),
        ];
        for mistake in mistakes.into_iter().flatten() {
            prop_assert!(text.get(mistake.at.clone()).is_some(), "{:?} in {:?}", mistake, text);
            prop_assert!(!mistake.what.is_empty() && !mistake.instead.is_empty());
        }
    }

    #[test]
    fn a_word_is_nearest_to_itself(word in "[a-z-]{1,20}", other in "[a-z-]{1,20}") {
        prop_assert_eq!(nearest(&word, [other.as_str(), word.as_str()]).map(str::len), Some(word.len()));
        let _near_or_not = nearest(&other, [word.as_str()]);
    }
}

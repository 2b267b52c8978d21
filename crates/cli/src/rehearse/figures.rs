//! Numbers as people read them.
//!
//! Formatting only. Start at [`Grouped`] and [`Short`].

use std::fmt;

/// `20,000`
pub(super) struct Grouped(pub(super) u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

/// `20k`, `1.5M`: at most three digits, where an axis has no room for more.
pub(super) struct Short(pub(super) u64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            0..1_000 => return f.pad(&self.0.to_string()),
            1_000..1_000_000 => (1_000, 'k'),
            1_000_000..1_000_000_000 => (1_000_000, 'M'),
            _ => (1_000_000_000, 'G'),
        };
        let (whole, tenths) = (self.0 / unit, self.0 % unit * 10 / unit);
        if whole < 100 && tenths > 0 {
            f.pad(&format!("{whole}.{tenths}{name}"))
        } else {
            f.pad(&format!("{whole}{name}"))
        }
    }
}

/// At most so many letters: the middle of a long name is left out; its ends tell it from others.
pub(super) fn cut(name: &str, most: usize) -> String {
    let length = name.chars().count();
    if length <= most {
        return name.to_owned();
    }
    let front = most.saturating_sub(1) / 2;
    let back = most.saturating_sub(1) - front;
    let tail = name.chars().skip(length - back);
    name.chars().take(front).chain(['…']).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_long() {
        let grouped = [0, 999, 1_000, 1_234_567].map(|number| Grouped(number).to_string());
        assert_eq!(grouped, ["0", "999", "1,000", "1,234,567"]);
        let short = [0, 999, 1_000, 1_550, 20_000, 123_456, 1_000_000, 2_500_000_000]
            .map(|number| Short(number).to_string());
        assert_eq!(short, ["0", "999", "1k", "1.5k", "20k", "123k", "1M", "2.5G"]);
    }

    #[test]
    fn names_are_cut_in_the_middle() {
        assert_eq!(cut("stay", 8), "stay");
        assert_eq!(cut("any: retry forever every 1s", 12), "any: …ery 1s");
    }
}

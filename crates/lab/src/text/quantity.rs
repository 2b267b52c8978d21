//! Numbers with a unit: `100B`, `4KiB`, `200ms`, `1.5s`, `30%`; and counts, which have none.
//!
//! What is read prints as what reads back to the same. Start at [`Quantity::read`].

use std::fmt;
use std::time::Duration;

use crate::chance::Percent;
use crate::text::tokens::shown;

/// Sizes in bytes; upper and lower case are the same. The first four are printed.
const SIZES: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
];

/// Times in nanoseconds, the longest first.
const TIMES: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// What a word that begins with a digit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// `3`
    Bare(u64),
    /// `4KiB`
    Size(u64),
    /// `1m30s`
    Time(Duration),
    /// `30%`, `0.5%`
    Share(Percent),
}

impl Quantity {
    /// Reads the word. What is wrong with it otherwise, and what to write instead.
    pub(crate) fn read(word: &str) -> Result<Self, [String; 2]> {
        let (number, unit) = Decimal::read(word).ok_or_else(|| too_large(word))?;
        if unit.is_empty() {
            if number.places > 0 {
                let instead = "write a whole number, or a unit behind it";
                return Err([format!("{} is not whole", shown(word)), instead.to_owned()]);
            }
            return number.whole_times(1).map(Self::Bare).ok_or_else(|| too_large(word));
        }
        if unit == "%" {
            return number.share().map(Self::Share).ok_or_else(|| {
                let instead = "write 0% to 100%, with three places behind the point at most";
                [format!("{} is no share of the connections", shown(word)), instead.to_owned()]
            });
        }
        if let Some((_, size)) = SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) {
            return number.whole_times(*size).map(Self::Size).ok_or_else(|| too_large(word));
        }
        time(word)
    }
}

fn too_large(word: &str) -> [String; 2] {
    [format!("{} is too large", shown(word)), "write less".to_owned()]
}

/// Parts with units, the longer first: `1m30s`.
fn time(word: &str) -> Result<Quantity, [String; 2]> {
    let unknown = || {
        let instead = "sizes end in B, KiB, MiB, GiB, kB, MB or GB, \
                       times in ns, us, ms, s, m, h or d";
        [format!("{} has a unit that is not known", shown(word)), instead.to_owned()]
    };
    let (mut rest, mut nanos, mut units) = (word, 0_u128, TIMES.iter());
    while !rest.is_empty() {
        let (number, behind) = Decimal::read(rest).ok_or_else(|| too_large(word))?;
        let end = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let (_, unit) = units.find(|(name, _)| *name == unit).ok_or_else(unknown)?;
        let part = number.times(*unit).ok_or_else(|| too_large(word))?;
        nanos = nanos.checked_add(part).ok_or_else(|| too_large(word))?;
        rest = behind;
    }
    let seconds = u64::try_from(nanos / 1_000_000_000).map_err(|_| too_large(word))?;
    Ok(Quantity::Time(Duration::new(seconds, (nanos % 1_000_000_000) as u32)))
}

/// `value / 10^places`
#[derive(Clone, Copy)]
struct Decimal {
    value: u128,
    places: u32,
}

impl Decimal {
    /// The number at the start of a text, and the rest. Nothing when it is too long to be exact;
    /// what does not begin with a digit is zero.
    fn read(text: &str) -> Option<(Self, &str)> {
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (whole, mut rest) = text.split_at(digits(text));
        let mut fraction = "";
        if let Some(behind) = rest.strip_prefix('.') {
            (fraction, rest) = behind.split_at(digits(behind));
        }
        if whole.len() + fraction.len() > 30 {
            return None;
        }
        let read = |value: u128, digit: u8| value * 10 + u128::from(digit - b'0');
        let value = whole.bytes().chain(fraction.bytes()).fold(0, read);
        Some((Self { value, places: fraction.len() as u32 }, rest))
    }

    /// So many times the unit; what is finer is left out.
    fn times(self, unit: u128) -> Option<u128> {
        Some(self.value.checked_mul(unit)? / 10_u128.pow(self.places))
    }

    fn whole_times(self, unit: u64) -> Option<u64> {
        u64::try_from(self.times(unit.into())?).ok()
    }

    fn share(self) -> Option<Percent> {
        let thousandths = self.times(1_000).filter(|_| self.places <= 3)?;
        Percent::from_thousandths(u32::try_from(thousandths).ok()?)
    }
}

/// A size, in the largest unit that is exact.
pub(crate) struct Size(pub(crate) u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = |(_, unit): &&(&str, u64)| self.0 >= *unit && self.0.is_multiple_of(*unit);
        match SIZES.iter().find(exact) {
            Some((name, unit)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// A time, exactly.
pub(crate) struct Time(pub(crate) Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.as_nanos();
        if left == 0 {
            return f.write_str("0s");
        }
        for (name, unit) in TIMES {
            if left >= unit {
                write!(f, "{}{name}", left / unit)?;
                left %= unit;
            }
        }
        Ok(())
    }
}

/// `30%`, `0.5%`
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, thousandths) = (self.thousandths() / 1_000, self.thousandths() % 1_000);
        write!(f, "{whole}")?;
        if thousandths > 0 {
            write!(f, ".{}", format!("{thousandths:03}").trim_end_matches('0'))?;
        }
        f.write_str("%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit() {
        let (size, nanos) = (Quantity::Size, |n| Quantity::Time(Duration::from_nanos(n)));
        for (word, meant) in [
            ("3", Quantity::Bare(3)),
            ("0B", size(0)),
            ("100b", size(100)),
            ("4KiB", size(4096)),
            ("1.5kib", size(1536)),
            ("2MB", size(2_000_000)),
            ("1GiB", size(1 << 30)),
            ("7ns", nanos(7)),
            ("500us", nanos(500_000)),
            ("1.5s", nanos(1_500_000_000)),
            ("1m30s", nanos(90_000_000_000)),
            ("2h", nanos(7_200_000_000_000)),
            ("0.5%", Quantity::Share(Percent::from_thousandths(500).unwrap())),
            ("100%", Quantity::Share(Percent::new(100).unwrap())),
        ] {
            assert_eq!(Quantity::read(word), Ok(meant), "{word}");
        }
    }

    #[test]
    fn what_is_no_quantity() {
        for (word, what) in [
            ("101%", "`101%` is no share of the connections"),
            ("0.0001%", "`0.0001%` is no share of the connections"),
            ("3x", "`3x` has a unit that is not known"),
            ("1s1m", "`1s1m` has a unit that is not known"),
            ("1s5", "`1s5` has a unit that is not known"),
            ("1.5", "`1.5` is not whole"),
            ("3\u{1b}", "`3\\u{1b}` has a unit that is not known"),
            ("99999999999999999999GiB", "`99999999999999999999GiB` is too large"),
            ("18446744073709551616", "`18446744073709551616` is too large"),
        ] {
            assert_eq!(Quantity::read(word).unwrap_err()[0], what);
        }
    }

    #[test]
    fn what_prints_reads_back() {
        for size in [0, 1, 1023, 1024, 1536, 1 << 20, (1 << 30) + 1, u64::MAX] {
            assert_eq!(Quantity::read(&Size(size).to_string()), Ok(Quantity::Size(size)));
        }
        for time in [Duration::ZERO, Duration::from_millis(1500), Duration::new(86_401, 7)] {
            assert_eq!(Quantity::read(&Time(time).to_string()), Ok(Quantity::Time(time)));
        }
        let longest = Time(Duration::MAX).to_string();
        assert_eq!(Quantity::read(&longest), Ok(Quantity::Time(Duration::MAX)), "{longest}");
        for thousandths in [0, 1, 500, 30_000, 99_999, 100_000] {
            let share = Percent::from_thousandths(thousandths).unwrap();
            assert_eq!(Quantity::read(&share.to_string()), Ok(Quantity::Share(share)));
        }
    }
}

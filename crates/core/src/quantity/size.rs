//! Sizes, counts and rates: `16KiB`, `100k`, `2000/s`.
//!
//! A size is in bytes and a count in whatever is counted; in a size `k` is 1024, in a count 1000.
//! Start at [`parse_size`].

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::{fmt, time::Duration};

use super::{
    duration::{Human, parse_duration},
    number::Noun,
};
use crate::{
    Mistake,
    nearest::quoted,
    suggestion::{nearest_or, write_or},
};

const SIZE: Noun = Noun {
    name: "size",
    example: "512 or 16KiB",
    unit: "byte",
    reads: |text| parse_size(text).is_ok(),
};
const COUNT: Noun = Noun {
    name: "count",
    example: "1000 or 100k",
    unit: "whole one",
    reads: |text| parse_count(text).is_ok(),
};
const RATE: Noun = Noun {
    name: "rate",
    example: "2000/s or 100/m",
    unit: "whole one",
    reads: |text| read_rate(text).is_ok(),
};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
const KILO: u64 = 1_000;
const MEGA: u64 = 1_000_000;
const GIGA: u64 = 1_000_000_000;
const TERA: u64 = 1_000_000_000_000;

/// Units of size; upper and lower case are the same.
const SIZES: [(&str, u64); 14] = [
    ("", 1),
    ("B", 1),
    ("KiB", KIB),
    ("MiB", MIB),
    ("GiB", GIB),
    ("TiB", TIB),
    ("kB", KILO),
    ("MB", MEGA),
    ("GB", GIGA),
    ("TB", TERA),
    ("k", KIB),
    ("M", MIB),
    ("G", GIB),
    ("T", TIB),
];

/// Units of a count; `m` would be a minute elsewhere, so only `k` may be upper or lower case.
const COUNTS: [(&str, u64); 5] = [("", 1), ("k", KILO), ("K", KILO), ("M", MEGA), ("G", GIGA)];

/// Reads a size in bytes: `512`, `16KiB`, `4.1MiB`, `1MB`, `64k`.
///
/// `KiB`, `MiB`, `GiB`, `TiB` and the letters `k`, `M`, `G`, `T` are powers of 1024; `kB`, `MB`,
/// `GB`, `TB` are powers of 1000; upper and lower case are the same. Parts of a byte are rounded.
///
/// # Errors
/// An unknown unit, a sign, a space, more than 2^64 bytes.
///
/// ```
/// # use redial_core::parse_size;
/// assert_eq!(parse_size("16KiB")?, 16_384);
/// assert_eq!(parse_size("1MB")?, 1_000_000);
/// assert_eq!(parse_size("64k")?, 65_536);
/// # Ok::<(), redial_core::Mistake>(())
/// ```
pub fn parse_size(text: &str) -> Result<u64, Mistake> {
    read(&SIZE, text, &SIZES, str::eq_ignore_ascii_case)
}

/// Reads a number of things: `100k`, `1M`, `1_000`, `1.5k`.
///
/// `k` is a thousand, `M` a million, `G` a thousand million.
///
/// # Errors
/// An unknown unit, a sign, a space, more than 2^64.
///
/// ```
/// # use redial_core::parse_count;
/// assert_eq!(parse_count("100k")?, 100_000);
/// assert_eq!(parse_count("1_000")?, 1_000);
/// # Ok::<(), redial_core::Mistake>(())
/// ```
pub fn parse_count(text: &str) -> Result<u64, Mistake> {
    read(&COUNT, text, &COUNTS, str::eq)
}

/// Reads so many in so long: `2000/s`, `100/m`, `10k/h`, `5/10s`.
///
/// # Errors
/// A count or a duration that is wrong, either of them zero, no `/`.
///
/// ```
/// # use redial_core::parse_rate;
/// let rate = parse_rate("2000/s")?;
/// assert_eq!((rate.count, rate.per.as_secs()), (2000, 1));
/// assert_eq!(rate.interval().as_micros(), 500);
/// # Ok::<(), redial_core::Mistake>(())
/// ```
pub fn parse_rate(text: &str) -> Result<Rate, Mistake> {
    read_rate(text).map_err(|mistake| Mistake {
        instead: write_or(rate_meant(text), RATE.reads, mistake.instead),
        ..mistake
    })
}

/// How others write the time of a rate, in lower case and without blanks, and its unit here.
const PER: [(&str, &[&str]); 3] = [
    ("s", &["", "/", "rps", "qps", "tps", "hz", "ps", "sec", "second", "seconds", "s", "req/s"]),
    ("m", &["rpm", "qpm", "min", "minute", "minutes", "m", "req/m"]),
    ("h", &["rph", "hr", "hour", "hours", "h"]),
];

/// The rate that a text means which is none: `2000rps`, `2,000 per second`.
fn rate_meant(text: &str) -> Option<String> {
    let text: String =
        text.chars().filter(|letter| !letter.is_whitespace() && *letter != ',').collect();
    let is_count = |letter: char| letter.is_ascii_digit() || matches!(letter, '.' | '_');
    let length = text.find(|letter: char| !is_count(letter)).unwrap_or(text.len());
    let scaled = text[length..].chars().next().filter(|letter| "kKMG".contains(*letter));
    let (count, unit) = text.split_at(length + scaled.map_or(0, char::len_utf8));
    let unit = unit.to_lowercase();
    let bare = unit.strip_prefix('/').or_else(|| unit.strip_prefix("per")).unwrap_or(&unit);
    let (per, _) = PER.iter().find(|(_, names)| names.contains(&bare))?;
    Some(format!("{count}/{per}"))
}

fn read_rate(text: &str) -> Result<Rate, Mistake> {
    RATE.check(text)?;
    let (count, per) = text.split_once('/').unwrap_or((text, ""));
    if per.is_empty() {
        let what = format!("{} does not say in how long", quoted(text));
        return Err(Mistake::new(0..text.len(), what, format!("write {}", RATE.example)));
    }
    let after = count.len() + 1;
    let count = parse_count(count)?;
    let per = match per.as_bytes().first() {
        Some(b'0'..=b'9' | b'.') => parse_duration(per),
        // `/s` is `/1s`; its mistakes are those of a unit.
        _ => parse_duration(&format!("1{per}")).map_err(|mut mistake| {
            mistake.at = 0..per.len();
            mistake
        }),
    }
    .map_err(|mistake| mistake.shifted(after))?;
    if count == 0 || per.is_zero() {
        let what = format!("{} is no rate", quoted(text));
        return Err(Mistake::new(0..text.len(), what, format!("write {}", RATE.example)));
    }
    Ok(Rate { count, per })
}

/// So many in so long; neither is zero when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u64,
    /// In how long.
    pub per: Duration,
}

impl Rate {
    /// The time between two of them, when they are evenly spread; zero for more than one a
    /// nanosecond.
    #[must_use]
    pub fn interval(self) -> Duration {
        let nanos = self.per.as_nanos() / u128::from(self.count.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// `2000/s`, `5/10s`
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = format!("{}", Human(self.per));
        let per = per
            .strip_prefix('1')
            .filter(|unit| unit.chars().all(char::is_alphabetic))
            .unwrap_or(&per);
        f.pad(&format!("{}/{per}", self.count))
    }
}

/// A size in bytes, for reading: `512 B`, `4.1 MiB`.
///
/// ```
/// # use redial_core::Bytes;
/// assert_eq!(Bytes(4_299_162).to_string(), "4.1 MiB");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = [("KiB", KIB), ("MiB", MIB), ("GiB", GIB), ("TiB", TIB)]
            .into_iter()
            .map(|(name, unit)| {
                (name, (u128::from(self.0) * 10 + u128::from(unit / 2)) / u128::from(unit))
            })
            // The first unit of which there are, once rounded, fewer than 1024.
            .find(|(name, tenths)| *tenths < 10_240 || *name == "TiB")
            .filter(|_| self.0 >= KIB)
            .map(|(name, tenths)| format!("{}.{} {name}", tenths / 10, tenths % 10));
        f.pad(&text.unwrap_or_else(|| format!("{} B", self.0)))
    }
}

/// A number and one of these units.
fn read(
    noun: &Noun,
    text: &str,
    units: &[(&str, u64)],
    same: fn(&str, &str) -> bool,
) -> Result<u64, Mistake> {
    noun.check(text)?;
    let number = noun.number(text, 0)?;
    let name = &text[number.length..];
    match units.iter().find(|(unit, _)| same(unit, name)) {
        Some((_, size)) => noun.times(text, 0, number, *size),
        None => {
            let names = || units.iter().map(|(unit, _)| *unit).filter(|unit| !unit.is_empty());
            let what = format!("no unit of a {} is called {}", noun.name, quoted(name));
            let is_unit = |unit: &str| names().any(|known| known == unit);
            let otherwise = format!("write {}", names().collect::<Vec<_>>().join(", "));
            let instead = nearest_or(name, names(), str::to_owned, is_unit, otherwise);
            Err(Mistake::new(number.length..text.len(), what, instead))
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn reads_sizes_and_counts() {
        for (text, size) in [
            ("0", 0),
            ("512", 512),
            ("512B", 512),
            ("16KiB", 16 * KIB),
            ("16kib", 16 * KIB),
            ("4.1MiB", 4_299_162),
            ("1MB", MEGA),
            ("64k", 64 * KIB),
            ("2T", 2 * TIB),
        ] {
            assert_eq!(parse_size(text), Ok(size), "{text}");
        }
        for (text, count) in [("100k", 100_000), ("1M", MEGA), ("1_000", 1_000), ("1.5K", 1_500)] {
            assert_eq!(parse_count(text), Ok(count), "{text}");
        }
    }

    #[test]
    fn printed_rate_is_read_again() {
        for seconds in [1, 10, 60, 100, 3600, 5000, 86_400] {
            let rate = Rate { count: 2000, per: Duration::from_secs(seconds) };
            assert_eq!(parse_rate(&rate.to_string()).unwrap(), rate, "{rate}");
        }
    }

    #[test]
    fn reads_and_prints_rates() {
        for (text, count, per) in
            [("2000/s", 2000, 1), ("100/m", 100, 60), ("5/10s", 5, 10), ("7/15m", 7, 900)]
        {
            let rate = Rate { count, per: Duration::from_secs(per) };
            assert_eq!(parse_rate(text), Ok(rate));
            assert_eq!(rate.to_string(), text);
        }
    }

    #[test]
    fn prints_sizes() {
        for (size, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (MIB - 1, "1.0 MiB"),
            (4_299_162, "4.1 MiB"),
            (u64::MAX, "16777216.0 TiB"),
        ] {
            assert_eq!(Bytes(size).to_string(), text);
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let mistakes = [
            (
                parse_size("4.1 MiB").unwrap_err(),
                3..4,
                "`4.1 MiB` has a space in it; write `4.1MiB`",
            ),
            (
                parse_size("16KBi").unwrap_err(),
                2..5,
                "no unit of a size is called `KBi`; the nearest is `KiB`",
            ),
            (
                parse_size("99999999TiB").unwrap_err(),
                0..11,
                "`99999999TiB` is too large; write less, such as 512 or 16KiB",
            ),
            (
                parse_count("1m").unwrap_err(),
                1..2,
                "no unit of a count is called `m`; the nearest is `M`",
            ),
            (parse_count("").unwrap_err(), 0..0, "a count is missing; write 1000 or 100k"),
            (
                parse_rate("2000").unwrap_err(),
                0..4,
                "`2000` does not say in how long; write `2000/s`",
            ),
            (
                parse_rate("2000/x").unwrap_err(),
                5..6,
                "no unit of time is called `x`; write ns, us, ms, s, m, h or d",
            ),
            (parse_rate("0/s").unwrap_err(), 0..3, "`0/s` is no rate; write 2000/s or 100/m"),
            (
                parse_rate("2000rps").unwrap_err(),
                0..7,
                "`2000rps` does not say in how long; write `2000/s`",
            ),
            (
                parse_rate("2,000 per minute").unwrap_err(),
                5..6,
                "`2,000 per minute` has a space in it; write `2000/m`",
            ),
            (
                parse_count("100,000").unwrap_err(),
                3..4,
                "`100,000` has a comma in it; write `100000`",
            ),
            (parse_rate("5/").unwrap_err(), 0..2, "`5/` does not say in how long; write `5/s`"),
        ];
        for (mistake, at, says) in mistakes {
            assert_eq!((mistake.at.clone(), mistake.to_string().as_str()), (at, says));
        }
    }
}

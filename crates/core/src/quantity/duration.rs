//! Durations: `250ms`, `1.5s`, `2m30s`.
//!
//! One reader and two ways of printing: [`Human`] is exact and reads back as the same duration,
//! [`Rounded`] is for a progress line. The longest is what 64 bits of nanoseconds hold, about 584
//! years. Start at [`parse_duration`].

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
};
use core::{fmt, time::Duration};

use super::number::Noun;
use crate::{Mistake, nearest::quoted, suggestion::nearest_or};

const NOUN: Noun = Noun {
    name: "duration",
    example: "5s or 250ms",
    unit: "nanosecond",
    reads: |text| parse_duration(text).is_ok(),
};
/// The same where a bare number is seconds.
const SECONDS: Noun = Noun { reads: |text| parse_seconds_or_duration(text).is_ok(), ..NOUN };

const MICRO: u64 = 1_000;
const MILLI: u64 = 1_000 * MICRO;
const SECOND: u64 = 1_000 * MILLI;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Every unit in nanoseconds, the largest first.
const UNITS: [(&str, u64); 7] = [
    ("d", DAY),
    ("h", HOUR),
    ("m", MINUTE),
    ("s", SECOND),
    ("ms", MILLI),
    ("us", MICRO),
    ("ns", 1),
];

/// Reads a duration: numbers with units, the larger first, without spaces.
///
/// Units: `ns`, `us`, `ms`, `s`, `m` (minutes), `h`, `d`. What is finer than a nanosecond is
/// rounded.
///
/// # Errors
/// A number without a unit, an unknown unit, a sign, a space, more than 584 years.
///
/// ```
/// use core::time::Duration;
/// use redial_core::parse_duration;
///
/// assert_eq!(parse_duration("250ms")?, Duration::from_millis(250));
/// assert_eq!(parse_duration("2m30s")?, Duration::from_secs(150));
/// assert_eq!(parse_duration("1.5s")?, Duration::from_millis(1500));
/// let mistake = parse_duration("5").unwrap_err();
/// assert_eq!(mistake.to_string(), "`5` has no unit; write 5s or 5ms");
/// # Ok::<(), redial_core::Mistake>(())
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, Mistake> {
    read(text, false)
}

/// Reads a duration in which a bare number is seconds, as on a flag: `--deadline 30`.
///
/// # Errors
/// Those of [`parse_duration`] but the first.
///
/// ```
/// # use core::time::Duration;
/// # use redial_core::parse_seconds_or_duration;
/// assert_eq!(parse_seconds_or_duration("0.5")?, Duration::from_millis(500));
/// assert_eq!(parse_seconds_or_duration("2m")?, Duration::from_secs(120));
/// # Ok::<(), redial_core::Mistake>(())
/// ```
pub fn parse_seconds_or_duration(text: &str) -> Result<Duration, Mistake> {
    read(text, true)
}

fn read(text: &str, bare_is_seconds: bool) -> Result<Duration, Mistake> {
    let noun = if bare_is_seconds { SECONDS } else { NOUN };
    noun.check(text)?;
    let (mut total, mut at, mut last) = (0_u64, 0, u64::MAX);
    while at < text.len() {
        let number = noun.number(text, at)?;
        let digits = &text[at..at + number.length];
        let rest = &text[at + number.length..];
        let name =
            &rest[..rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len())];
        let end = at + number.length + name.len();
        let unit = match name {
            "" if bare_is_seconds && at == 0 => SECOND,
            "" => {
                let what = format!("{} has no unit", quoted(digits));
                let instead = format!("write {digits:.60}s or {digits:.60}ms");
                return Err(Mistake::new(at..end, what, instead));
            }
            _ => unit(name).map_err(|mistake| mistake.shifted(at + number.length))?,
        };
        if unit >= last {
            let what = format!("{} stands after a unit that is not larger", quoted(&text[at..end]));
            return Err(Mistake::new(at..end, what, "write the larger unit first, such as 2m30s"));
        }
        let value = noun.times(text, at, number, unit)?;
        total = total.checked_add(value).ok_or_else(|| noun.too_large(text))?;
        (at, last) = (end, unit);
    }
    Ok(Duration::from_nanos(total))
}

/// The nanoseconds of a unit. The mistake's positions are those of the name.
fn unit(name: &str) -> Result<u64, Mistake> {
    let known = match name {
        "µs" | "μs" => "us",
        _ => name,
    };
    if let Some((_, nanos)) = UNITS.iter().find(|(unit, _)| *unit == known) {
        return Ok(*nanos);
    }
    let meant = match name.to_ascii_lowercase().as_str() {
        "sec" | "secs" | "second" | "seconds" => Some("s"),
        "min" | "mins" | "minute" | "minutes" => Some("m"),
        "hr" | "hrs" | "hour" | "hours" => Some("h"),
        "day" | "days" => Some("d"),
        lower => UNITS.iter().map(|(unit, _)| *unit).find(|unit| *unit == lower),
    };
    let units = || UNITS.iter().map(|(unit, _)| *unit);
    let otherwise = "write ns, us, ms, s, m, h or d";
    let is_unit = |unit: &str| units().any(|known| known == unit);
    let instead = match meant {
        Some(unit) => nearest_or(unit, units(), str::to_owned, is_unit, otherwise),
        None => nearest_or(name, units(), str::to_owned, is_unit, otherwise),
    };
    let instead = match instead == otherwise {
        true => instead,
        false => format!("{instead} (ns, us, ms, s, m, h, d)"),
    };
    Err(Mistake::new(0..name.len(), format!("no unit of time is called {}", quoted(name)), instead))
}

/// A duration as a person writes it, exactly: `250ms`, `1.5s`, `2m30s`.
///
/// It reads back, with [`parse_duration`], as the same duration.
///
/// ```
/// # use core::time::Duration;
/// # use redial_core::Human;
/// assert_eq!(Human(Duration::from_millis(1500)).to_string(), "1.5s");
/// assert_eq!(Human(Duration::from_secs(3600)).to_string(), "1h");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Human(pub Duration);

impl fmt::Display for Human {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = nanos(self.0);
        let mut text = String::new();
        for (name, unit) in UNITS {
            // Whole days, hours and minutes; then one number with decimals.
            let (count, left) = (rest / unit, rest % unit);
            if count == 0 {
                continue;
            }
            text += &count.to_string();
            rest = left;
            if unit <= SECOND && left > 0 {
                let places = unit.ilog10() as usize;
                text += format!(".{left:0places$}").trim_end_matches('0');
                rest = 0;
            }
            text += name;
        }
        f.pad(if text.is_empty() { "0s" } else { &text })
    }
}

/// A duration to two or three digits, for a line that is read in passing: `0.3ms`, `262ms`,
/// `5.3s`, `2m10s`.
///
/// ```
/// # use core::time::Duration;
/// # use redial_core::Rounded;
/// assert_eq!(Rounded(Duration::from_micros(262_410)).to_string(), "262ms");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rounded(pub Duration);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = nanos(self.0);
        let to = |unit: u64| nanos / unit + u64::from(nanos % unit >= unit.div_ceil(2));
        // Each step asks what the value is once rounded, so 999.6ms is 1.0s and never 1000ms.
        let text = if nanos == 0 {
            String::from("0s")
        } else if nanos < MICRO {
            format!("{nanos}ns")
        } else if to(MICRO) < 100 {
            format!("{}us", to(MICRO))
        } else if to(MILLI / 10) < 100 {
            format!("{}.{}ms", to(MILLI / 10) / 10, to(MILLI / 10) % 10)
        } else if to(MILLI) < 1000 {
            format!("{}ms", to(MILLI))
        } else if to(SECOND / 10) < 600 {
            format!("{}.{}s", to(SECOND / 10) / 10, to(SECOND / 10) % 10)
        } else if to(SECOND) < 3600 {
            pair(to(SECOND), 60, "m", "s")
        } else if to(MINUTE) < 24 * 60 {
            pair(to(MINUTE), 60, "h", "m")
        } else {
            pair(to(HOUR), 24, "d", "h")
        };
        f.pad(&text)
    }
}

fn pair(value: u64, base: u64, large: &str, small: &str) -> String {
    match (value / base, value % base) {
        (count, 0) => format!("{count}{large}"),
        (count, rest) => format!("{count}{large}{rest}{small}"),
    }
}

/// What does not fit is the most that does.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, nanos) in [
            ("10ns", 10),
            ("100us", 100 * MICRO),
            ("100µs", 100 * MICRO),
            ("250ms", 250 * MILLI),
            ("1_000ms", SECOND),
            (".5s", 500 * MILLI),
            ("2m30s", 150 * SECOND),
            ("1d", DAY),
            ("1d2h3m4s5ms6us7ns", DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + 5_006_007),
            ("0s", 0),
            ("18446744073709551615ns", u64::MAX),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, at, says) in [
            ("", 0..0, "a duration is missing; write 5s or 250ms"),
            ("5 s", 1..2, "`5 s` has a space in it; write `5s`"),
            ("-5s", 0..1, "`-5s` is negative; write 5s or 250ms"),
            ("nan", 0..3, "`nan` is not a duration; write 5s or 250ms"),
            ("5", 0..1, "`5` has no unit; write 5s or 5ms"),
            ("2m30", 2..4, "`30` has no unit; write 30s or 30ms"),
            (
                "5sec",
                1..4,
                "no unit of time is called `sec`; the nearest is `s` (ns, us, ms, s, m, h, d)",
            ),
            ("1e3s", 1..2, "no unit of time is called `e`; write ns, us, ms, s, m, h or d"),
            ("1,5s", 1..2, "`1,5s` has a comma in it; write `1.5s`"),
            ("5.s", 0..2, "`5.` is not a number; write `5s`"),
            ("1,000ms", 1..2, "`1,000ms` has a comma in it; write `1000ms`"),
            ("1,5x", 1..2, "`1,5x` has a comma in it; write 5s or 250ms"),
            (
                "30s2m",
                3..5,
                "`2m` stands after a unit that is not larger; write the larger unit first, such as 2m30s",
            ),
            ("0.1ns", 0..5, "`0.1ns` is less than one nanosecond; write more, such as 5s or 250ms"),
            ("300000d", 0..7, "`300000d` is too large; write less, such as 5s or 250ms"),
        ] {
            let mistake = parse_duration(text).unwrap_err();
            assert_eq!((mistake.at.clone(), mistake.to_string().as_str()), (at, says), "{text}");
        }
    }

    #[test]
    fn prints_exactly_and_rounded() {
        for (nanos, exact, rounded) in [
            (0, "0s", "0s"),
            (7, "7ns", "7ns"),
            (42 * MICRO, "42us", "42us"),
            (310 * MICRO, "310us", "0.3ms"),
            (1_234_567, "1.234567ms", "1.2ms"),
            (262_410 * MICRO, "262.41ms", "262ms"),
            (999_600 * MICRO, "999.6ms", "1.0s"),
            (5 * SECOND, "5s", "5.0s"),
            (59_960 * MILLI, "59.96s", "1m"),
            (130 * SECOND, "2m10s", "2m10s"),
            (2 * HOUR + MINUTE / 2, "2h30s", "2h1m"),
            (3 * DAY + 4 * HOUR, "3d4h", "3d4h"),
        ] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(Human(duration).to_string(), exact);
            assert_eq!(Rounded(duration).to_string(), rounded);
        }
        assert_eq!(format!("{:>7}|", Rounded(Duration::from_millis(262))), "  262ms|");
    }
}

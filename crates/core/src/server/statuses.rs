//! Sets of HTTP statuses: `#status=200,401`, `#status=200..299,404`.
//!
//! Start at [`Statuses`].

use alloc::{string::String, sync::Arc, vec::Vec};
use core::fmt;

/// The most ranges in one set.
const MOST: usize = 16;

/// A set of HTTP statuses, as ranges of numbers from 100 to 599.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Statuses(Arc<[(u16, u16)]>);

impl Statuses {
    /// Reads `200`, `200..399`, `2xx`, or several of them separated by commas.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let ranges: Vec<_> = text.split(',').map(range).collect::<Option<_>>()?;
        (ranges.len() <= MOST).then(|| Self(ranges.into()))
    }

    /// Returns true if the set holds this status.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|(low, high)| (*low..=*high).contains(&status))
    }

    /// Returns the ranges as they were written: the first and the last status of each.
    #[must_use]
    pub fn ranges(&self) -> &[(u16, u16)] {
        &self.0
    }
}

/// `200..299,404`; reads back as the same set
impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for (low, high) in &*self.0 {
            if !text.is_empty() {
                text.push(',');
            }
            text += &match low == high {
                true => alloc::format!("{low}"),
                false => alloc::format!("{low}..{high}"),
            };
        }
        f.pad(&text)
    }
}

/// Returns true if the text looks like a part of a set: it goes on after a comma.
pub(super) fn is_part(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || b".x-".contains(&byte))
}

fn range(text: &str) -> Option<(u16, u16)> {
    if let Some(class) = text.strip_suffix("xx") {
        let class: u16 = class.parse().ok().filter(|class| (1..=5).contains(class))?;
        return (text.len() == 3).then_some((class * 100, class * 100 + 99));
    }
    let (low, high) = text.split_once("..").unwrap_or((text, text));
    let number = |text: &str| {
        let is_status = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| is_status && (100..600).contains(number))
    };
    let (low, high) = (number(low)?, number(high)?);
    (low <= high).then_some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_sets_of_ranges() {
        for (text, shown) in [
            ("200", "200"),
            ("200,401", "200,401"),
            ("200..399", "200..399"),
            ("2xx,404", "200..299,404"),
        ] {
            let set = Statuses::parse(text).unwrap();
            assert_eq!(alloc::format!("{set}"), shown);
            assert_eq!(Statuses::parse(shown), Some(set));
        }
        let set = Statuses::parse("200..299,404").unwrap();
        let has = [199, 200, 299, 300, 404].map(|status| set.contains(status));
        assert_eq!(has, [false, true, true, false, true]);
        for text in ["", "20", "2000", "600", "99", "200,", "300..200", "+20", "200xyz", "0xx"] {
            assert_eq!(Statuses::parse(text), None, "{text}");
        }
        assert_eq!(Statuses::parse(&["200"; 17].join(",")), None);
    }
}

//! The number at the start of a quantity, and the mistakes all quantities share.
//!
//! It reads digits, `_` between digits and one decimal point, exactly; units are the business of
//! the quantity. Start at [`Noun::number`].

use alloc::{format, string::String};

use crate::{Mistake, nearest::quoted, suggestion::write_or};

/// Decimal places that are kept; what is finer cannot be told apart.
const PLACES: u32 = 18;

/// What is being read, as its mistakes name it.
pub(super) struct Noun {
    /// `duration`.
    pub(super) name: &'static str,
    /// `5s or 250ms`.
    pub(super) example: &'static str,
    /// What it is counted in: `nanosecond`.
    pub(super) unit: &'static str,
    /// Its reader, which every suggestion has to pass.
    pub(super) reads: fn(&str) -> bool,
}

/// A decimal number: `whole + fraction / 10^18`.
#[derive(Clone, Copy)]
pub(super) struct Number {
    whole: u64,
    fraction: u64,
    /// How many bytes of the text it took.
    pub(super) length: usize,
}

impl Noun {
    /// Refuses what no quantity can be: nothing, spaces, a sign.
    pub(super) fn check(&self, text: &str) -> Result<(), Mistake> {
        let Self { name, example, .. } = self;
        if text.trim().is_empty() {
            let what = format!("a {name} is missing");
            return Err(Mistake::new(0..text.len(), what, format!("write {example}")));
        }
        if let Some((at, space)) = text.char_indices().find(|(_, c)| c.is_whitespace()) {
            let whole: String = text.split_whitespace().collect();
            let what = format!("{} has a space in it", quoted(text));
            let instead = write_or([whole], self.reads, format!("write {example}"));
            return Err(Mistake::new(at..at + space.len_utf8(), what, instead));
        }
        let what = match text.as_bytes().first() {
            Some(b'-') => format!("{} is negative", quoted(text)),
            Some(b'+') => format!("{} has a sign", quoted(text)),
            _ => return Ok(()),
        };
        Err(Mistake::new(0..1, what, format!("write {example}")))
    }

    /// The number that begins at byte `start`.
    pub(super) fn number(&self, text: &str, start: usize) -> Result<Number, Mistake> {
        let rest = &text[start..];
        let length = length(rest.as_bytes());
        let digits = &rest[..length];
        if digits.is_empty() {
            let what = format!("{} is not a {}", quoted(text), self.name);
            return Err(Mistake::new(start..text.len(), what, format!("write {}", self.example)));
        }
        let end = start + length;
        match rest.as_bytes().get(length) {
            Some(b',') => {
                let what = format!("{} has a comma in it", quoted(text));
                let whole = groups_thousands(text).then(|| text.replace(',', ""));
                let candidates = whole.into_iter().chain([text.replacen(',', ".", 1)]);
                let instead = write_or(candidates, self.reads, format!("write {}", self.example));
                Err(Mistake::new(end..end + 1, what, instead))
            }
            Some(b'.' | b'_') => {
                let what = format!("{} is not a number", quoted(&text[start..=end]));
                let is_last = !rest[length + 1..].starts_with(|c: char| c.is_ascii_digit());
                let whole = format!("{}{}", &text[..end], &text[end + 1..]);
                let candidate = (is_last || rest[length..].starts_with('_')).then_some(whole);
                let instead = write_or(candidate, self.reads, format!("write {}", self.example));
                Err(Mistake::new(start..end + 1, what, instead))
            }
            _ => Number::read(digits).ok_or_else(|| self.too_large(text)),
        }
    }

    /// The number times the size of its unit, rounded to the nearest whole; `start` is where the
    /// number begins.
    pub(super) fn times(
        &self,
        text: &str,
        start: usize,
        number: Number,
        unit: u64,
    ) -> Result<u64, Mistake> {
        let value = number.times(unit).ok_or_else(|| self.too_large(text))?;
        if value == 0 && (number.whole, number.fraction) != (0, 0) {
            let what = format!("{} is less than one {}", quoted(text), self.unit);
            let instead = format!("write more, such as {}", self.example);
            return Err(Mistake::new(start..text.len(), what, instead));
        }
        Ok(value)
    }

    /// More than can be counted.
    pub(super) fn too_large(&self, text: &str) -> Mistake {
        let what = format!("{} is too large", quoted(text));
        Mistake::new(0..text.len(), what, format!("write less, such as {}", self.example))
    }
}

impl Number {
    /// Reads digits that [`length`] has checked; nothing when they are too many.
    fn read(digits: &str) -> Option<Self> {
        let mut number = Self { whole: 0, fraction: 0, length: digits.len() };
        let mut place = 10_u64.pow(PLACES);
        let mut is_fraction = false;
        for byte in digits.bytes() {
            match byte {
                b'.' => is_fraction = true,
                b'0'..=b'9' if is_fraction => {
                    place /= 10;
                    number.fraction += u64::from(byte - b'0') * place;
                }
                b'0'..=b'9' => {
                    let digit = u64::from(byte - b'0');
                    number.whole = number.whole.checked_mul(10)?.checked_add(digit)?;
                }
                _ => {}
            }
        }
        Some(number)
    }

    fn times(self, unit: u64) -> Option<u64> {
        // 10^18 < 2^60, so neither product can leave a u128.
        let one = 10_u128.pow(PLACES);
        let fraction = (u128::from(self.fraction) * u128::from(unit) + one / 2) / one;
        u64::try_from(u128::from(self.whole) * u128::from(unit) + fraction).ok()
    }
}

/// Returns true if each comma is followed by three digits, as in `1,000,000`.
fn groups_thousands(text: &str) -> bool {
    let mut groups = text.split(',').skip(1);
    groups.all(|group| group.bytes().take_while(u8::is_ascii_digit).count() == 3)
}

/// How many bytes of the text are a number: `12`, `1_000`, `1.5`, `.5`.
fn length(text: &[u8]) -> usize {
    let is_digit = |index: usize| text.get(index).is_some_and(u8::is_ascii_digit);
    let mut point = false;
    let mut index = 0;
    while let Some(byte) = text.get(index) {
        match byte {
            b'0'..=b'9' => {}
            b'.' if !point && is_digit(index + 1) => point = true,
            b'_' if index > 0 && is_digit(index - 1) && is_digit(index + 1) => {}
            _ => break,
        }
        index += 1;
    }
    index
}

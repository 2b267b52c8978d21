//! Reads `N|forever [for DUR] [every …] [xF] [jitter …]`: how often, how long, with which pauses.
//!
//! The parts after the count may come in any order, each once. Start at [`repetition`].

use alloc::{format, string::String};
use core::{num::NonZeroU32, ops::Range, time::Duration};

use super::{Retry, Times, cursor::Cursor, cursor::Word};
use crate::{
    Backoff, Mistake,
    backoff::{Jitter, MAX_FACTOR},
    nearest::quoted,
    quantity::{Human, parse_duration},
};

/// The shortest pause a clause can ask for: less is a busy loop.
const SHORTEST: Duration = Duration::from_millis(1);

/// The largest pause of a suggested range, as a multiple of the smallest.
const GROWN: u32 = 60;

/// The signs between two times of a range, inside a word.
const SEPARATORS: [&str; 4] = ["..", "…", "–", "-"];

/// Reads a count and its parts; what they belong to began at `start`.
pub(super) fn repetition(
    cursor: &mut Cursor<'_>,
    start: usize,
    how_often: impl Fn(Range<usize>) -> Mistake,
) -> Result<Retry, Mistake> {
    let times = times(cursor, start, how_often)?;
    let (mut within, mut pauses, mut factor, mut spread) = (None, None, None, None);
    let mut ahead = *cursor;
    while let Some(word) = ahead.word(&[])?.filter(|word| !word.quoted) {
        let is_second = match word.text.as_str() {
            "for" => within.replace(limit(&word, &mut ahead)?).is_some(),
            "every" => pauses.replace(every(&mut ahead)?).is_some(),
            "jitter" => spread.replace(jitter(&mut ahead)?).is_some(),
            text if text.starts_with('x') => {
                let thousandths = factor_of(&word)?;
                factor.replace((thousandths, word.clone())).is_some()
            }
            _ => break,
        };
        if is_second {
            let what = format!("{} is written twice", quoted(&word.text));
            return Err(Mistake::new(word.at, what, "leave one out"));
        }
        *cursor = ahead;
    }
    let mut backoff = pauses.unwrap_or_default();
    if let Some((thousandths, word)) = factor {
        // `x1` does not grow either.
        if thousandths > 1_000 && backoff.spread(0).max >= backoff.cap() {
            return Err(no_range(&word, backoff.cap(), cursor));
        }
        backoff = backoff.factor(thousandths);
    }
    if let Some(spread) = spread {
        backoff = backoff.jitter(spread);
    }
    let first = backoff.spread(0).max;
    match within {
        Some((limit, at)) if limit < first => Err(Mistake::new(
            at,
            format!("{} are over before the first pause of {}", Human(limit), Human(first)),
            format!("write `for {}` or more, or a shorter pause", Human(first)),
        )),
        within => Ok(Retry { times, within: within.map(|(limit, _)| limit), backoff }),
    }
}

/// `10`, `10 times`, `forever`.
fn times(
    cursor: &mut Cursor<'_>,
    start: usize,
    how_often: impl Fn(Range<usize>) -> Mistake,
) -> Result<Times, Mistake> {
    let here = start..cursor.position();
    let Some(count) = cursor.word(&[])? else { return Err(how_often(here)) };
    let parsed: u32 = match count.text.as_str() {
        "forever" => return Ok(Times::Forever),
        "every" | "jitter" => return Err(how_often(here)),
        "for" => {
            let mistake = how_often(here);
            let instead = match cursor.word(&[])? {
                Some(limit) => cursor
                    .offer_steps([format!("retry forever for {}", limit.text)], mistake.instead),
                None => mistake.instead,
            };
            return Err(Mistake { instead, ..mistake });
        }
        number => number.parse().map_err(|_| how_often(start..count.at.end))?,
    };
    let never = || {
        Mistake::new(start..count.at.end, "0 times is never", "write `1` or more, or leave it out")
    };
    let times = Times::Only(NonZeroU32::new(parsed).ok_or_else(never)?);
    let mut ahead = *cursor;
    if ahead.word(&[])?.is_some_and(|word| word.is("times") || word.is("time")) {
        *cursor = ahead;
    }
    Ok(times)
}

/// `for 2m`, after the word.
fn limit(word: &Word, cursor: &mut Cursor<'_>) -> Result<(Duration, Range<usize>), Mistake> {
    let Some(limit) = cursor.word(&[])? else {
        return Err(Mistake::new(
            word.at.clone(),
            "`for` has to say how long",
            "write a duration, as in `retry forever for 2m`",
        ));
    };
    Ok((duration(&limit.text, limit.at.start)?, word.at.start..limit.at.end))
}

/// `every A`, `every A..B`, `every A-B` or `every A to B`, after the word.
pub(super) fn every(cursor: &mut Cursor<'_>) -> Result<Backoff, Mistake> {
    let at = cursor.position();
    let Some(first) = cursor.word(&[])? else {
        return Err(Mistake::new(
            at..at,
            "`every` has to say how long",
            "write `every 5s`, or `every 250ms..30s` to begin short and grow",
        ));
    };
    let Some((base, cap)) = range(&first, cursor)? else {
        return duration(&first.text, first.at.start).map(Backoff::exactly);
    };
    let whole = base.at.start..cap.at.end;
    // The unit of `1-30s` follows the second number.
    let unit = cap.text.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let candidate = || pauses_of(&format!("{}{unit}..{}", base.text, cap.text));
    let cursor = &*cursor;
    let corrected = |mistake: Mistake| Mistake {
        instead: offer_pauses(cursor, Some(candidate()), mistake.instead),
        ..mistake
    };
    let low = duration(&base.text, base.at.start).map_err(corrected)?;
    let high = duration(&cap.text, cap.at.start).map_err(corrected)?;
    if high < low {
        let instead = format!("write `every {}..{}`", Human(high), Human(low));
        return Err(Mistake::new(whole, "the cap is below the base", instead));
    }
    Ok(Backoff::between(low, high))
}

/// Both ends of a range that begins with this word, or `None` for a single time.
fn range(first: &Word, cursor: &mut Cursor<'_>) -> Result<Option<(Word, Word)>, Mistake> {
    let text = first.text.as_str();
    let part = |from: usize, to: usize| {
        let at = first.at.start + from..first.at.start + to;
        Word { text: text[from..to].into(), at, quoted: false }
    };
    let found = SEPARATORS.iter().find_map(|separator| {
        let at = text.find(separator).filter(|at| *at > 0 || *separator != "-")?;
        Some((at, at + separator.len()))
    });
    if let Some((end, start)) = found {
        let cap = match text.len() - start {
            0 => cursor.word(&[])?.ok_or_else(|| no_cap(first, cursor))?,
            _ => part(start, text.len()),
        };
        return Ok(Some((part(0, end), cap)));
    }
    let mut ahead = *cursor;
    let Some(second) = ahead.word(&[])?.filter(|word| !word.quoted) else { return Ok(None) };
    let separated = SEPARATORS.iter().find_map(|separator| second.text.strip_prefix(separator));
    let cap = match (second.text.as_str(), separated) {
        ("to", _) | (_, Some("")) => ahead.word(&[])?.ok_or_else(|| no_cap(first, cursor))?,
        (_, Some(cap)) => {
            Word { text: cap.into(), at: second.at.end - cap.len()..second.at.end, quoted: false }
        }
        (_, None) => return Ok(None),
    };
    *cursor = ahead;
    Ok(Some((first.clone(), cap)))
}

fn no_cap(first: &Word, cursor: &Cursor<'_>) -> Mistake {
    let base = first.text.trim_end_matches(['.', '-', '…', '–']);
    let cap = parse_duration(base).ok().map(|base| Human(base.saturating_mul(GROWN)));
    let candidate = cap.map(|cap| pauses_of(&format!("{base}..{cap}")));
    let otherwise = "write both, as in `every 250ms..30s`";
    let instead = offer_pauses(cursor, candidate, otherwise);
    Mistake::new(first.at.clone(), "the range has no end", instead)
}

/// A factor has nothing to grow between.
fn no_range(word: &Word, pause: Duration, cursor: &Cursor<'_>) -> Mistake {
    let (base, cap) = (Human(pause), Human(pause.saturating_mul(GROWN)));
    let candidate = pauses_of(&format!("{base}..{cap} {}", word.text));
    let otherwise = "write a range, as in `every 1s..1m x2`";
    Mistake::new(
        word.at.clone(),
        format!("{} grows nothing: the pause is {base} each time", quoted(&word.text)),
        offer_pauses(cursor, Some(candidate), otherwise),
    )
}

fn pauses_of(range: &str) -> String {
    format!("every {range}")
}

/// ``write `every …` ``, if a `retry` with it reads.
fn offer_pauses(
    cursor: &Cursor<'_>,
    candidate: Option<String>,
    otherwise: impl Into<String>,
) -> String {
    let otherwise = otherwise.into();
    let step = candidate.as_ref().map(|pauses| format!("retry 1 {pauses}"));
    match (candidate, cursor.offer_steps(step, "")) {
        (Some(pauses), offered) if !offered.is_empty() => format!("write {}", quoted(&pauses)),
        _ => otherwise,
    }
}

/// Reads a time of at least 1 ms.
pub(super) fn duration(text: &str, offset: usize) -> Result<Duration, Mistake> {
    let parsed = parse_duration(text).map_err(|mistake| mistake.shifted(offset))?;
    if parsed < SHORTEST {
        return Err(Mistake::new(
            offset..offset + text.len(),
            format!("a pause of {} would hammer the server", quoted(text)),
            "the shortest is `1ms`",
        ));
    }
    Ok(parsed)
}

/// `x1.5` in thousandths.
fn factor_of(word: &Word) -> Result<u32, Mistake> {
    let wrong = || {
        Mistake::new(
            word.at.clone(),
            format!("{} is not a factor", quoted(&word.text)),
            "write `x1` to `x1000` with at most three decimals, as in `x1.5`",
        )
    };
    let digits = word.text.strip_prefix('x').ok_or_else(wrong)?;
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let numeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !numeric(whole) || !numeric(part) || part.len() > 3 || whole.len() > 4 {
        return Err(wrong());
    }
    let thousandths: u32 = format!("{whole}{part:0<3}").parse().map_err(|_| wrong())?;
    if (1_000..=MAX_FACTOR).contains(&thousandths) { Ok(thousandths) } else { Err(wrong()) }
}

fn jitter(cursor: &mut Cursor<'_>) -> Result<Jitter, Mistake> {
    let at = cursor.position();
    let word = cursor.word(&[])?;
    match word.as_ref().map(|word| word.text.as_str()) {
        Some("full") => Ok(Jitter::Full),
        Some("equal") => Ok(Jitter::Equal),
        Some("none") => Ok(Jitter::None),
        other => {
            let at = word.as_ref().map_or(at..at, |word| word.at.clone());
            let what = other.map_or_else(
                || "`jitter` has to say which".into(),
                |other| format!("no jitter is called {}", quoted(other)),
            );
            Err(Mistake::new(
                at,
                what,
                "write `jitter full` (0 to d), `jitter equal` (half of d to d) or `jitter none`",
            ))
        }
    }
}

//! Reads the steps of a clause, and says which step a wrong word was meant to be.
//!
//! One function a step, each from its own word on; the order of steps is checked in [`steps`]. It
//! does not know kinds or guards. Start at [`steps`].

use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::{num::NonZeroU32, ops::Range, time::Duration};

use super::{
    Retry, Run, Step, Steps, Template, Times, cursor::Cursor, cursor::Word, parse::not_in_ending,
};
use crate::{
    Backoff, Mistake, backoff::Jitter, backoff::MAX_FACTOR, nearest::nearest, nearest::quoted,
    quantity::Human, quantity::parse_duration,
};

const STEPS: [&str; 8] = ["retry", "next", "drop", "diagnose", "run", "say", "exit", "stop"];

/// The shortest pause a clause can ask for: less is a busy loop.
const SHORTEST: Duration = Duration::from_millis(1);

pub(super) fn is_step(word: &str) -> bool {
    STEPS.contains(&word)
}

/// The steps up to the end of the clause. In an `ending` nothing may be attempted.
pub(super) fn steps(cursor: &mut Cursor<'_>, ending: Option<&str>) -> Result<Steps, Mistake> {
    let mut steps: Vec<Step> = Vec::new();
    let mut last: Option<&'static str> = None;
    loop {
        let at = cursor.position();
        let Some(word) = cursor.word(&[])? else {
            return Err(Mistake::new(
                at..at,
                "a step is missing here",
                "write what to do, such as `retry 10`; see: redial help clauses",
            ));
        };
        if let Some(last) = last {
            return Err(Mistake::new(
                word.at,
                format!("nothing runs after `{last}`"),
                format!("put `{last}` last"),
            ));
        }
        let step = step(&word, cursor)?;
        match (&step, ending) {
            (step, Some(place)) if step.is_attempt() => return Err(not_in_ending(&word, place)),
            (Step::Exit(_), _) => last = Some("exit"),
            (Step::Stop, _) => last = Some("stop"),
            _ => {}
        }
        steps.push(step);
        if cursor.at_end() {
            return Ok(steps.into_boxed_slice());
        }
        if !cursor.take(',') {
            return Err(too_much(cursor));
        }
    }
}

fn step(word: &Word, cursor: &mut Cursor<'_>) -> Result<Step, Mistake> {
    if word.quoted {
        return Err(Mistake::new(
            word.at.clone(),
            "a string is not a step",
            "to print it: `say \"…\"`; to run it: `run …`",
        ));
    }
    match word.text.as_str() {
        "retry" => retry(word, cursor).map(Step::Retry),
        "next" => Ok(Step::Next),
        "drop" => Ok(Step::Drop),
        "diagnose" => Ok(Step::Diagnose),
        "run" => run(word, cursor).map(Step::Run),
        "say" => say(word, cursor).map(Step::Say),
        "exit" => exit(word, cursor).map(Step::Exit),
        "stop" => Ok(Step::Stop),
        other => Err(unknown(other, word.at.clone())),
    }
}

fn retry(word: &Word, cursor: &mut Cursor<'_>) -> Result<Retry, Mistake> {
    let how_often = |at| {
        Mistake::new(at, "`retry` has to say how often", "write `retry 10` or `retry forever`")
    };
    repetition(cursor, word.at.start, how_often)
}

/// `N|forever [every …] [x…] [jitter …]`; what it belongs to began at `start`.
pub(super) fn repetition(
    cursor: &mut Cursor<'_>,
    start: usize,
    how_often: impl Fn(Range<usize>) -> Mistake,
) -> Result<Retry, Mistake> {
    let here = start..cursor.position();
    let Some(count) = cursor.word(&[])? else { return Err(how_often(here)) };
    let times = match count.text.as_str() {
        "forever" => Times::Forever,
        "every" | "jitter" => return Err(how_often(here)),
        number => {
            let parsed: u32 = number.parse().map_err(|_| how_often(start..count.at.end))?;
            let never = || {
                Mistake::new(
                    start..count.at.end,
                    "0 times is never",
                    "write `1` or more, or leave it out",
                )
            };
            Times::Only(NonZeroU32::new(parsed).ok_or_else(never)?)
        }
    };
    let mut backoff = Backoff::default();
    let mut ahead = *cursor;
    if ahead.word(&[])?.is_some_and(|word| word.is("every")) {
        *cursor = ahead;
        backoff = every(cursor)?;
    }
    let mut ahead = *cursor;
    if let Some(factor) = ahead.word(&[])?.filter(|word| !word.quoted && word.text.starts_with('x'))
    {
        *cursor = ahead;
        backoff = backoff.factor(factor_of(&factor)?);
    }
    let mut ahead = *cursor;
    if ahead.word(&[])?.is_some_and(|word| word.is("jitter")) {
        *cursor = ahead;
        backoff = backoff.jitter(jitter(cursor)?);
    }
    Ok(Retry { times, backoff })
}

/// `every A` or `every A..B`, from behind the word.
pub(super) fn every(cursor: &mut Cursor<'_>) -> Result<Backoff, Mistake> {
    let at = cursor.position();
    let Some(first) = cursor.word(&[])? else {
        return Err(Mistake::new(
            at..at,
            "`every` has to say how long",
            "write `every 5s`, or `every 250ms..30s` to begin short and grow",
        ));
    };
    let Some((base, cap)) = first.text.split_once("..") else {
        return duration(&first.text, first.at.start).map(Backoff::exactly);
    };
    let low = duration(base, first.at.start)?;
    let high = duration(cap, first.at.start + base.len() + 2)?;
    if high < low {
        let instead = format!("write `every {}..{}`", Human(high), Human(low));
        return Err(Mistake::new(first.at, "the cap is below the base", instead));
    }
    Ok(Backoff::between(low, high))
}

fn duration(text: &str, offset: usize) -> Result<Duration, Mistake> {
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

fn run(word: &Word, cursor: &mut Cursor<'_>) -> Result<Run, Mistake> {
    let mut args: Vec<Box<str>> = Vec::new();
    let mut at_most_every = None;
    while let Some(arg) = cursor.word(&[])? {
        if arg.is("at") && at_most_every_follows(cursor)? {
            let at = cursor.position();
            let Some(pause) = cursor.word(&[])? else {
                return Err(Mistake::new(
                    at..at,
                    "`at most every` has to say how long",
                    "write a duration, as in `at most every 5m`",
                ));
            };
            at_most_every = Some(duration(&pause.text, pause.at.start)?);
            break;
        }
        if arg.text.contains('\0') {
            return Err(Mistake::new(
                arg.at,
                "a command's argument cannot hold a NUL",
                "leave `\\x00` out",
            ));
        }
        args.push(arg.text.into_boxed_str());
    }
    if args.first().is_none_or(|program| program.is_empty()) {
        return Err(Mistake::new(
            word.at.clone(),
            "`run` has to say what",
            "write a program and its arguments, as in `run ./page \"db is down\"`",
        ));
    }
    Ok(Run { args: args.into_boxed_slice(), at_most_every })
}

fn at_most_every_follows(cursor: &mut Cursor<'_>) -> Result<bool, Mistake> {
    let mut ahead = *cursor;
    for keyword in ["most", "every"] {
        if !ahead.word(&[])?.is_some_and(|word| word.is(keyword)) {
            return Ok(false);
        }
    }
    *cursor = ahead;
    Ok(true)
}

fn say(word: &Word, cursor: &mut Cursor<'_>) -> Result<Template, Mistake> {
    let Some(text) = cursor.word(&[])? else {
        return Err(Mistake::new(
            word.at.clone(),
            "`say` has to say what",
            "write the line in quotes, as in `say \"the server is down\"`",
        ));
    };
    // Positions inside a string with escapes would be off by the escapes: point at all of it.
    Template::parse(&text.text).map_err(|mistake| Mistake { at: text.at, ..mistake })
}

fn exit(word: &Word, cursor: &mut Cursor<'_>) -> Result<u8, Mistake> {
    let Some(status) = cursor.word(&[])? else {
        return Err(Mistake::new(
            word.at.clone(),
            "`exit` has to say with which status",
            "write `exit 1`, or `stop` to end as redial would",
        ));
    };
    status.text.parse().map_err(|_| {
        Mistake::new(
            status.at,
            format!("{} is not an exit status", quoted(&status.text)),
            "write a whole number from 0 to 255",
        )
    })
}

/// Something stands behind a whole step.
fn too_much(cursor: &mut Cursor<'_>) -> Mistake {
    cursor.skip_blanks();
    let start = cursor.position();
    match cursor.word(&[]) {
        Err(mistake) => mistake,
        Ok(Some(word)) if is_step(&word.text) => Mistake::new(
            start..start,
            "a comma is missing between two steps",
            format!("write `, {}`", word.text),
        ),
        Ok(word) => {
            let end = word.as_ref().map_or(start, |word| word.at.end);
            let text = word.map_or_else(String::new, |word| word.text);
            Mistake::new(
                start..end,
                format!("{} does not belong to this step", quoted(&text)),
                "separate steps with commas, and quote text with blanks",
            )
        }
    }
}

fn unknown(word: &str, at: Range<usize>) -> Mistake {
    let what = format!("no step is called {}", quoted(word));
    let instead = match word {
        "sleep" | "wait" | "pause" | "delay" | "backoff" => {
            "the pause belongs to retry: `retry 10 every 5s`".into()
        }
        "exec" | "command" | "sh" => "to run a command: `run PROGRAM ARG …`".into(),
        "print" | "echo" | "log" => "to print a line: `say \"…\"`".into(),
        "failover" | "continue" => "to go to the next server: `next`".into(),
        "abort" | "fail" | "raise" | "quit" => "to end: `stop`, or `exit N`".into(),
        "reconnect" | "redial" => "to try again: `retry 10` or `retry forever`".into(),
        "why" => "to find out why: `diagnose`".into(),
        _ => match nearest(word, STEPS) {
            Some(near) => format!("the nearest is `{near}`"),
            None => format!("the steps are {}", STEPS.join(", ")),
        },
    };
    Mistake::new(at, what, instead)
}

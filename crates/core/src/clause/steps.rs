//! Reads the steps of a clause, and says which step a wrong word was meant to be.
//!
//! One function a step, each from its own word on; the order of steps is checked in [`steps`]. It
//! does not know kinds or guards. Start at [`steps`].

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use super::{
    Retry, Step, Steps, Template, cursor::Cursor, cursor::Word, parse::not_in_ending, python,
    retry::repetition, run::run,
};
use crate::{KindSet, Mistake, nearest::quoted, suggestion::nearest_or};

/// The words with which a step begins.
pub(crate) const STEPS: [&str; 8] =
    ["retry", "next", "drop", "diagnose", "run", "say", "exit", "stop"];

/// Returns true if a step begins with this word, in redial's spelling or in Python's.
pub(super) fn is_step(word: &str) -> bool {
    STEPS.contains(&word) || python::is_step(word)
}

/// The steps up to the end of the clause. In an `ending` nothing may be attempted.
pub(super) fn steps(cursor: &mut Cursor<'_>, ending: Option<&str>) -> Result<Steps, Mistake> {
    let mut steps: Vec<Step> = Vec::new();
    let mut last: Option<&'static str> = None;
    loop {
        let at = cursor.position();
        cursor.skip_lines();
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
            if !goes_on(cursor)? {
                return Ok(steps.into_boxed_slice());
            }
        } else if !cursor.take(',') {
            return Err(too_much(cursor));
        }
    }
}

/// Moves to the next step if it is on a line of its own, or after a semicolon. No kind of failure
/// is called like a step, so it cannot begin a clause.
fn goes_on(cursor: &mut Cursor<'_>) -> Result<bool, Mistake> {
    let mut ahead = *cursor;
    ahead.skip_separators();
    let next = ahead;
    // A mistake in the next clause is found when that is read.
    let is_next = ahead.word(&[':'])?.is_some_and(|word| !word.quoted && is_step(&word.text));
    if is_next && !ahead.take(':') {
        *cursor = next;
        return Ok(true);
    }
    Ok(false)
}

fn step(word: &Word, cursor: &mut Cursor<'_>) -> Result<Step, Mistake> {
    if word.quoted {
        return Err(Mistake::new(
            word.at.clone(),
            "a string is not a step",
            "to print it: `say \"…\"`; to run it: `run …`",
        ));
    }
    if let Some(step) = python::step(word, cursor)? {
        return Ok(step);
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
        _ => Err(unknown(word, cursor)),
    }
}

fn retry(word: &Word, cursor: &mut Cursor<'_>) -> Result<Retry, Mistake> {
    let how_often = |at| {
        Mistake::new(at, "`retry` has to say how often", "write `retry 10` or `retry forever`")
    };
    repetition(cursor, word.at.start, how_often)
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

fn unknown(word: &Word, cursor: &Cursor<'_>) -> Mistake {
    let text = word.text.as_str();
    let what = format!("no step is called {}", quoted(text));
    // A comma at the end of a line, and the next clause.
    let kind = text.trim_end_matches(':');
    if KindSet::named(kind).is_some() || kind == "except" {
        let what = format!("a step is missing before {}", quoted(text));
        return Mistake::new(word.at.clone(), what, "leave the comma before it out");
    }
    let instead = match text {
        "sleep" | "wait" | "pause" | "delay" | "backoff" => {
            "the pause belongs to retry: `retry 10 every 5s`".into()
        }
        "exec" | "command" | "sh" => "to run a command: `run PROGRAM ARG …`".into(),
        "echo" | "log" => "to print a line: `say \"…\"`".into(),
        "failover" | "continue" => "to go to the next server: `next`".into(),
        "abort" | "fail" | "quit" | "return" | "break" => "to end: `stop`, or `exit N`".into(),
        "reconnect" | "redial" => "to try again: `retry 10` or `retry forever`".into(),
        "why" => "to find out why: `diagnose`".into(),
        // `retry(10)` is a call; `10 times` has lost its verb.
        _ => {
            let call = text.strip_suffix(')').and_then(|text| text.split_once('('));
            let call = call.map(|(step, value)| format!("{step} {value}"));
            let times = text.parse::<u32>().ok().map(|times| format!("retry {times}"));
            let otherwise = nearest_or(text, STEPS, str::to_owned, is_step, {
                format!("the steps are {}", STEPS.join(", "))
            });
            cursor.offer_steps(call.into_iter().chain(times), otherwise)
        }
    };
    Mistake::new(word.at.clone(), what, instead)
}

//! Python's spellings: `except (A, B) as error:`, `print("…")`, `pass`, `raise`, `exit(1)`.
//!
//! They are read as redial's own steps, so nothing after the parser knows them. Start at [`step`].

use alloc::format;

use super::{Step, Template, cursor::Cursor, cursor::Word};
use crate::{Mistake, nearest::quoted};

/// Functions that end a Python program with a status.
const EXITS: [&str; 4] = ["exit(", "sys.exit(", "quit(", "os._exit("];

/// The words after which a clause of Python goes on with an expression of its own.
const PREFIXES: [&str; 4] = ["f", "F", "r", "u"];

/// Returns true if the word begins a step of Python's.
pub(super) fn is_step(word: &str) -> bool {
    matches!(word, "pass" | "raise" | "print")
        || word.starts_with("print(")
        || EXITS.iter().any(|exit| word.starts_with(exit))
}

/// Takes the keyword `except`, if it is next. Returns true if it was.
pub(super) fn take_except(cursor: &mut Cursor<'_>) -> Result<bool, Mistake> {
    let mut ahead = *cursor;
    let is_next = ahead.word(&[':', '('])?.is_some_and(|word| word.is("except"));
    if is_next {
        *cursor = ahead;
    }
    Ok(is_next)
}

/// Takes `as NAME`, if it is next: the name has no use here.
pub(super) fn take_name(cursor: &mut Cursor<'_>) -> Result<(), Mistake> {
    let mut ahead = *cursor;
    if ahead.word(&[':'])?.is_some_and(|word| word.is("as")) && ahead.word(&[':'])?.is_some() {
        *cursor = ahead;
    }
    Ok(())
}

/// Reads the rest of a step whose first word this is; `None` where it is no step of Python's.
pub(super) fn step(word: &Word, cursor: &mut Cursor<'_>) -> Result<Option<Step>, Mistake> {
    let text = word.text.as_str();
    if let Some(inside) = text.strip_prefix("print(") {
        return print(word, inside, cursor).map(Some);
    }
    if let Some(status) = EXITS.iter().find_map(|exit| text.strip_prefix(exit)) {
        return exit(word, status, cursor).map(Some);
    }
    match text {
        // The program goes on after the `try`, and ends well.
        "pass" => Ok(Some(Step::Exit(0))),
        "raise" => raise(cursor).map(Some),
        "print" => {
            let Some(said) = cursor.word(&[])?.filter(|said| said.quoted) else {
                return Err(not_text(word, cursor));
            };
            template(&said).map(Some)
        }
        _ => Ok(None),
    }
}

/// `print("…")`, from the character after the parenthesis.
fn print(word: &Word, inside: &str, cursor: &mut Cursor<'_>) -> Result<Step, Mistake> {
    if !(inside.is_empty() || PREFIXES.contains(&inside)) {
        return Err(not_text(word, cursor));
    }
    let Some(said) = cursor.word(&[])?.filter(|said| said.quoted) else {
        return Err(not_text(word, cursor));
    };
    if !cursor.take(')') {
        let step = template(&said)?;
        return Err(Mistake::new(
            word.at.start..said.at.end,
            "`print` takes one string here, and a closing parenthesis",
            cursor.offer_steps([format!("{step}")], "write `say \"…\"`"),
        ));
    }
    template(&said)
}

fn template(said: &Word) -> Result<Step, Mistake> {
    let read = Template::parse(&said.text);
    read.map(Step::Say).map_err(|mistake| Mistake { at: said.at.clone(), ..mistake })
}

fn not_text(word: &Word, cursor: &Cursor<'_>) -> Mistake {
    Mistake::new(
        word.at.start..cursor.position(),
        "`print` takes a string in quotes here",
        "for the failure itself, write `say \"{failure}\"`",
    )
}

/// `exit(1)`, from the character after the parenthesis.
fn exit(word: &Word, inside: &str, cursor: &mut Cursor<'_>) -> Result<Step, Mistake> {
    let status = inside.strip_suffix(')').map(|status| match status {
        "" => Some(0),
        status => status.parse().ok(),
    });
    if let Some(status) = status.flatten() {
        return Ok(Step::Exit(status));
    }
    // `sys.exit("message")` prints the message and ends with 1.
    let said = cursor.word(&[])?.filter(|said| said.quoted && inside.is_empty());
    let step = said.as_ref().and_then(|said| template(said).ok());
    let candidate = step.map(|step| format!("{step}, exit 1"));
    Err(Mistake::new(
        word.at.start..cursor.position(),
        format!("{} has no status", quoted(&word.text)),
        cursor.offer_steps(candidate, "write `exit 1`, or another number from 0 to 255"),
    ))
}

/// `raise` alone; with an exception it would be another failure.
fn raise(cursor: &mut Cursor<'_>) -> Result<Step, Mistake> {
    let Some(word) = cursor.word(&[])? else { return Ok(Step::Stop) };
    let status = word.text.strip_prefix("SystemExit(").and_then(|rest| rest.strip_suffix(')'));
    if let Some(status) = status.and_then(|status| status.parse().ok()) {
        return Ok(Step::Exit(status));
    }
    Err(Mistake::new(
        word.at,
        "`raise` ends with the failure that is being handled, and names no other",
        "write `stop`, or `exit 1` for a status",
    ))
}

//! Reads clauses: the grammar of kinds, guards and what may follow what.
//!
//! Steps have their own file, `steps`; characters are `cursor`'s. Every mistake says where, what
//! is wrong, and what to write instead. Start at [`clauses`].

use alloc::{boxed::Box, format, string::String, vec::Vec};

use super::{Clause, Guard, Retry, Steps, cursor::Cursor, cursor::Word, steps};
use crate::{
    FAMILIES, Kind, KindSet, Mistake, kinds::kind_names, nearest::nearest, nearest::quoted,
};

/// The kinds that end a session: nothing can be attempted after them.
const ENDINGS: KindSet = KindSet::of(&[Kind::Deadline, Kind::Interrupted]);

/// What may stand in an ending, for messages.
const ENDING_STEPS: &str = "say, run, diagnose, exit or stop";

pub(super) fn clauses(text: &str) -> Result<Vec<Clause>, Mistake> {
    let mut cursor = Cursor::new(text);
    let mut clauses = Vec::new();
    loop {
        cursor.skip_separators();
        if cursor.peek().is_none() {
            return Ok(clauses);
        }
        clauses.push(clause(&mut cursor)?);
    }
}

/// The steps of `else`, `finally` and the like.
pub(super) fn ending(text: &str) -> Result<Steps, Mistake> {
    let mut cursor = Cursor::new(text);
    cursor.skip_separators();
    let steps = steps::steps(&mut cursor, Some("after the end"))?;
    cursor.skip_separators();
    if cursor.peek().is_some() {
        let at = cursor.position()..text.len();
        return Err(Mistake::new(
            at,
            "more text stands behind the steps",
            "separate steps with commas",
        ));
    }
    Ok(steps)
}

/// `N|forever [every …]` alone: the limit `rounds`, and `--retry`. `what` has to be said.
pub(crate) fn repetition(text: &str, what: &str, instead: &str) -> Result<Retry, Mistake> {
    let mut cursor = Cursor::new(text);
    cursor.skip_separators();
    let how_often = |at| Mistake::new(at, what, instead);
    let retry = steps::repetition(&mut cursor, 0, how_often)?;
    cursor.skip_separators();
    if cursor.peek().is_some() {
        return Err(Mistake::new(
            cursor.position()..text.len(),
            "more text stands behind it than belongs there",
            instead,
        ));
    }
    Ok(retry)
}

fn clause(cursor: &mut Cursor<'_>) -> Result<Clause, Mistake> {
    let start = cursor.position();
    let mut kinds = KindSet::default();
    let mut names: Vec<Box<str>> = Vec::new();
    loop {
        let (name, set) = kind(cursor)?;
        kinds = kinds.union(set);
        names.push(name.into_boxed_str());
        if !cursor.take(',') {
            break;
        }
    }
    let guard = guard(cursor)?;
    if !cursor.take(':') {
        return Err(missing_colon(cursor, start, &names));
    }
    let ending = kinds.overlaps(ENDINGS).then(|| {
        if kinds.contains(KindSet::of(&[Kind::Deadline])) {
            "after the deadline"
        } else {
            "after an interrupt"
        }
    });
    let steps = steps::steps(cursor, ending)?;
    Ok(Clause { kinds, names: names.into_boxed_slice(), guard, steps })
}

fn kind(cursor: &mut Cursor<'_>) -> Result<(String, KindSet), Mistake> {
    cursor.skip_blanks();
    let Some(word) = cursor.word(&[':'])? else {
        let at = cursor.position();
        return Err(Mistake::new(
            at..at,
            "a kind of failure is missing here",
            "write `any: …` for every failure, or a kind such as `refused`; see: redial help kinds",
        ));
    };
    // A quoted kind is as good as a bare one: YAML and shells add quotes by themselves.
    match KindSet::named(&word.text) {
        Some(set) => Ok((word.text, set)),
        None => Err(unknown_kind(&word)),
    }
}

fn unknown_kind(word: &Word) -> Mistake {
    let what = format!("no kind of failure is called {}", quoted(&word.text));
    // Our own names before the aliases: `conection` is `connect` rather than ConnectionRefusedError.
    let own =
        Kind::ALL.iter().map(|kind| kind.name()).chain(FAMILIES.iter().map(|family| family.name));
    let near = nearest(&word.text, own.filter(|name| !name.starts_with(char::is_uppercase)));
    let instead = match near.or_else(|| nearest(&word.text, kind_names())) {
        Some(near) => format!("the nearest is `{near}`"),
        None if steps::is_step(&word.text) => {
            format!("a step stands behind kinds and a colon: `any: {} …`", word.text)
        }
        None => "see: redial help kinds".into(),
    };
    Mistake::new(word.at.clone(), what, instead)
}

fn guard(cursor: &mut Cursor<'_>) -> Result<Option<Guard>, Mistake> {
    let mut ahead = *cursor;
    match ahead.word(&[':'])? {
        Some(word) if word.is("if") => *cursor = ahead,
        _ => return Ok(None),
    }
    let at = cursor.position();
    let Some(word) = cursor.word(&[':'])? else {
        return Err(Mistake::new(
            at..at,
            "a guard is missing behind `if`",
            "write `if fresh`, `if unsent` or `if new`",
        ));
    };
    match word.text.as_str() {
        "fresh" => Ok(Some(Guard::Fresh)),
        "unsent" => Ok(Some(Guard::Unsent)),
        "new" => Ok(Some(Guard::New)),
        other => Err(Mistake::new(
            word.at.clone(),
            format!("no guard is called {}", quoted(other)),
            match nearest(other, ["fresh", "unsent", "new"]) {
                Some(near) => format!("the nearest is `{near}`"),
                None => "the guards are `fresh`, `unsent` and `new`".into(),
            },
        )),
    }
}

fn missing_colon(cursor: &Cursor<'_>, start: usize, names: &[Box<str>]) -> Mistake {
    let at = cursor.position();
    let line = cursor.rest().split(['\n', ';']).next().unwrap_or("").trim();
    if line.is_empty() {
        return Mistake::new(
            start..at,
            "this clause has no steps",
            format!("write what to do: `{}: retry 10`", names.join(", ")),
        );
    }
    // Two kinds side by side want a comma; anything else wants the colon.
    let mut ahead = *cursor;
    let next = ahead.word(&[':']).ok().flatten();
    if let Some(word) = next.filter(|word| KindSet::named(&word.text).is_some()) {
        return Mistake::new(
            at..word.at.end,
            "a comma is missing between two kinds",
            format!("write `{}, {}`", names.join(", "), word.text),
        );
    }
    Mistake::new(
        at..at,
        format!("a colon is missing behind `{}`", names.join(", ")),
        format!("write `{}: {}`", names.join(", "), crate::printable(line)),
    )
}

pub(super) fn not_in_ending(word: &Word, place: &str) -> Mistake {
    Mistake::new(
        word.at.clone(),
        format!("nothing can be attempted {place}"),
        format!("only {ENDING_STEPS} may stand here"),
    )
}

//! Reads clauses: the grammar of kinds, guards and what may follow what.
//!
//! Steps have their own file, `steps`; characters are `cursor`'s. Every mistake says where, what
//! is wrong, and what to write instead. Start at [`clauses`].

use alloc::{borrow::ToOwned, boxed::Box, format, string::String, vec::Vec};

use super::{Clause, Guard, Retry, Steps, cursor::Cursor, cursor::Word, python, retry, steps};
use crate::{Kind, KindSet, Mistake, kinds, nearest::quoted, suggestion::nearest_or};

/// The guards of a clause.
const GUARDS: [&str; 3] = ["fresh", "unsent", "new"];

/// A step, where a message needs one and the text has none.
const EXAMPLE: &str = "retry 10";

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
    let retry = retry::repetition(&mut cursor, 0, how_often)?;
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

pub(super) fn clause(cursor: &mut Cursor<'_>) -> Result<Clause, Mistake> {
    let start = cursor.position();
    let is_python = python::take_except(cursor)?;
    // `except:` alone catches everything in Python.
    let mut ahead = *cursor;
    let (names, mut kinds) = if is_python && ahead.take(':') {
        (Box::from([Box::from("any")]), KindSet::named("any").unwrap_or_default())
    } else {
        kinds(cursor)?
    };
    let but = exclusion(cursor, &names, &mut kinds)?;
    python::take_name(cursor)?;
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
    Ok(Clause { kinds, names, but, guard, steps })
}

/// `A, B`, or `(A, B)` as Python writes it.
fn kinds(cursor: &mut Cursor<'_>) -> Result<(Names, KindSet), Mistake> {
    let mut kinds = KindSet::default();
    let mut names: Vec<Box<str>> = Vec::new();
    cursor.skip_blanks();
    let open = cursor.position();
    let is_open = cursor.take('(');
    loop {
        if is_open {
            cursor.skip_lines();
        }
        let (name, set) = kind(cursor)?;
        kinds = kinds.union(set);
        names.push(name.into_boxed_str());
        if !cursor.take(',') {
            break;
        }
        cursor.skip_lines();
        // `(A,)` is a tuple too.
        if is_open && cursor.peek() == Some(')') {
            break;
        }
    }
    if is_open {
        cursor.skip_lines();
        if !cursor.take(')') {
            let candidate = format!("{}: {}", names.join(", "), EXAMPLE);
            let instead = cursor.offer_clauses([candidate], "write `)` after the last kind");
            return Err(Mistake::new(open..open + 1, "the parenthesis is not closed", instead));
        }
    }
    Ok((names.into_boxed_slice(), kinds))
}

type Names = Box<[Box<str>]>;

/// `but C, D`: the names that are taken out again.
fn exclusion(
    cursor: &mut Cursor<'_>,
    names: &[Box<str>],
    kinds: &mut KindSet,
) -> Result<Names, Mistake> {
    let mut ahead = *cursor;
    let Some(word) = ahead.word(&[':', '('])? else { return Ok(Names::default()) };
    if !word.is("but") {
        return Ok(Names::default());
    }
    *cursor = ahead;
    cursor.skip_lines();
    let start = cursor.position();
    let (but, excluded) = self::kinds(cursor)?;
    let at = start..cursor.position();
    // An exclusion without effect is a mistake.
    let in_vain = but
        .iter()
        .find(|name| !KindSet::named(name).is_some_and(|excluded| excluded.overlaps(*kinds)));
    if let Some(name) = in_vain {
        let what = format!("`{}` is not among `{}`", name, names.join(", "));
        return Err(Mistake::new(at, what, "leave it out; see: redial help kinds"));
    }
    *kinds = kinds.without(excluded);
    if *kinds == KindSet::default() {
        let what = format!("nothing is left of `{}`", names.join(", "));
        return Err(Mistake::new(at, what, "take fewer kinds out"));
    }
    Ok(but)
}

fn kind(cursor: &mut Cursor<'_>) -> Result<(String, KindSet), Mistake> {
    cursor.skip_blanks();
    let Some(word) = cursor.word(&[':', '(', ')'])? else {
        let at = cursor.position();
        return Err(Mistake::new(
            at..at,
            "a kind of failure is missing here",
            "write `any: …` for every failure, or a kind such as `refused`; see: redial help kinds",
        ));
    };
    // Python's word for everything is redial's `any`.
    if word.text.eq_ignore_ascii_case("Exception") {
        return Ok(("any".into(), KindSet::named("any").unwrap_or_default()));
    }
    // A quoted kind is as good as a bare one: YAML and shells add quotes by themselves.
    match KindSet::named(&word.text) {
        Some(set) => Ok((word.text, set)),
        None => Err(unknown_kind(&word, cursor)),
    }
}

fn unknown_kind(word: &Word, cursor: &Cursor<'_>) -> Mistake {
    let what = format!("no kind of failure is called {}", quoted(&word.text));
    let instead = match word.text.as_str() {
        block @ ("else" | "finally") => {
            format!("write its steps as --{block} 'STEPS', or in a file as {block} = \"STEPS\"")
        }
        "try" => "leave it out; a clause is KINDS: STEPS".into(),
        text if steps::is_step(text) => {
            let line = format!("any: {text}{}", cursor.rest_of_clause_as_written());
            let otherwise = "a step stands after kinds and a colon: `any: stop`";
            cursor.offer_clauses([line], otherwise)
        }
        text => kinds::near(text),
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
            "a guard is missing after `if`",
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
            nearest_or(other, GUARDS, str::to_owned, |name| GUARDS.contains(&name), {
                "the guards are `fresh`, `unsent` and `new`"
            }),
        )),
    }
}

fn missing_colon(cursor: &Cursor<'_>, start: usize, names: &[Box<str>]) -> Mistake {
    let at = cursor.position();
    let line = cursor.rest_of_clause();
    let label = names.join(", ");
    if line.is_empty() {
        let candidates = [format!("{label}: {EXAMPLE}"), format!("{label}: stop")];
        let instead = cursor.offer_clauses(candidates, "write a colon and what to do");
        return Mistake::new(start..at, "this clause has no steps", instead);
    }
    let mut ahead = *cursor;
    let next = ahead.word(&[':']).ok().flatten();
    let Some(next) = next else {
        return no_colon(cursor, start, &label);
    };
    let mut after = ahead;
    let is_joined = matches!(&*next.text, "and" | "or" | "&" | "&&" | "|" | "||" | "+" | "/");
    let second = if is_joined { after.word(&[':']).ok().flatten() } else { Some(next.clone()) };
    let second = second.filter(|word| !word.quoted);
    let head = cursor.since(start).trim();
    let Some(second) = second else { return no_colon(cursor, start, &label) };
    let at_second = at..second.at.end;
    if head.contains(" if ") && is_joined {
        return second_guard(cursor, &label, head, &second, &after);
    }
    let steps = after.rest_of_clause();
    let steps = steps.strip_prefix(':').map_or(EXAMPLE, str::trim);
    // Two kinds side by side want a comma; anything else wants the colon.
    if KindSet::named(&second.text).is_some() {
        let list = format!("{label}, {}", second.text);
        let offered =
            cursor.offer_clauses([format!("{list}: {steps}"), format!("{list}: stop")], "");
        let instead = match offered.is_empty() {
            true => "separate kinds with commas".into(),
            false => format!("write `{list}`"),
        };
        return Mistake::new(at_second, "a comma is missing between two kinds", instead);
    }
    if matches!(&*next.text, "except" | "without" | "not" | "minus" | "-" | "unless") {
        let rest = ahead.rest_of_clause();
        let candidates = [format!("{label} but {rest}"), format!("{label} but tls: {EXAMPLE}")];
        let instead = cursor.offer_clauses(candidates, "write `any but tls: …`");
        let what = format!("{} takes nothing out", quoted(&next.text));
        return Mistake::new(next.at, what, instead);
    }
    no_colon(cursor, start, &label)
}

fn no_colon(cursor: &Cursor<'_>, start: usize, label: &str) -> Mistake {
    let at = cursor.position();
    let head = cursor.since(start).trim();
    let candidates = [
        format!("{head}: {}", cursor.rest_of_clause()),
        format!("{head}: {EXAMPLE}"),
        format!("{label}: {EXAMPLE}"),
        format!("{label}: stop"),
    ];
    let instead = cursor.offer_clauses(candidates, "write KINDS: STEPS");
    Mistake::new(at..at, format!("a colon is missing after `{head}`"), instead)
}

/// `if fresh and new`: one of the two has to go.
fn second_guard(
    cursor: &Cursor<'_>,
    label: &str,
    head: &str,
    second: &Word,
    after: &Cursor<'_>,
) -> Mistake {
    if !GUARDS.contains(&&*second.text) {
        let what = format!("no guard is called {}", quoted(&second.text));
        return Mistake::new(second.at.clone(), what, format!("write `{head}: …`"));
    }
    let steps = after.rest_of_clause();
    let steps = steps.strip_prefix(':').map_or(EXAMPLE, str::trim);
    let first = cursor.offer_clauses([format!("{head}: {steps}")], format!("write `{head}`"));
    let other = format!("{label} if {}: {steps}", second.text);
    let other = cursor.offer_clauses([other], "").replace("write ", ", or ");
    Mistake::new(
        second.at.clone(),
        "a clause has one guard, and this is a second",
        format!("{first}{other}"),
    )
}

pub(super) fn not_in_ending(word: &Word, place: &str) -> Mistake {
    Mistake::new(
        word.at.clone(),
        format!("nothing can be attempted {place}"),
        format!("only {ENDING_STEPS} may stand here"),
    )
}

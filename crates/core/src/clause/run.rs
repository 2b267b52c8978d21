//! Reads `run PROGRAM ARG … [at most every DUR]`, and refuses what only a shell would understand.
//!
//! Start at [`run`].

use alloc::{boxed::Box, format, vec::Vec};
use core::fmt::{self, Display};

use super::{Run, cursor::Cursor, cursor::Word, print::quote, retry::duration};
use crate::{Mistake, nearest::quoted};

/// Reads from the word after `run` to the end of the step.
pub(super) fn run(word: &Word, cursor: &mut Cursor<'_>) -> Result<Run, Mistake> {
    let mut args: Vec<Box<str>> = Vec::new();
    let mut at_most_every = None;
    let mut special: Option<Word> = None;
    cursor.skip_blanks();
    let start = cursor.position();
    let mut end = start;
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
        end = arg.at.end;
        if special.is_none() && !arg.quoted && is_for_a_shell(&arg.text) {
            special = Some(arg.clone());
        }
        args.push(arg.text.into_boxed_str());
    }
    if let Some(special) = special {
        let end = end - start;
        let line = cursor.since(start).get(..end).unwrap_or("");
        return Err(no_shell(special, line, cursor));
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

/// Returns true if a shell would not pass the word on as it is: a pipe, a redirection, a background
/// job, `&&`, a variable, a command substitution.
fn is_for_a_shell(word: &str) -> bool {
    let redirected = word.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let is_variable = |(at, _): (usize, &str)| {
        word[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || "_{(?@*#".contains(c))
    };
    word.contains(['|', '`'])
        || matches!(word, "&" | "&&")
        || word.starts_with("&>")
        || redirected.starts_with(['<', '>'])
        || word.match_indices('$').any(is_variable)
}

fn no_shell(word: Word, line: &str, cursor: &Cursor<'_>) -> Mistake {
    // A shell reads single quotes as they are read here, but for a backslash.
    let candidate = match line.contains(['\'', '\\']) {
        true => format!("run sh -c {}", InQuotes(line)),
        false => format!("run sh -c '{line}'"),
    };
    let instead = cursor.offer_steps([candidate], "write `run sh -c '…'`");
    Mistake::new(
        word.at,
        format!("`run` has no shell, so {} would be an argument", quoted(&word.text)),
        format!("{instead}; to pass it on, put it in quotes"),
    )
}

struct InQuotes<'a>(&'a str);

impl Display for InQuotes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        quote(self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_characters_are_found() {
        for word in ["|", "||", "a|b", "&&", "&", ">", ">>log", "2>&1", "<in", "&>x", "$HOME"] {
            assert!(is_for_a_shell(word), "{word}");
        }
        for word in ["-", "a&b", "http://h/?a=1&b=2", "5$", "a->b", "x*", "~", "=", "$"] {
            assert!(!is_for_a_shell(word), "{word}");
        }
        assert!(is_for_a_shell("${A}") && is_for_a_shell("a$(b)") && is_for_a_shell("`date`"));
    }
}

//! The habits of other tools: nc, curl, wait-for-it, wait4x, dockerize, wait-on.
//!
//! A flag that means the same here is accepted; any other is answered with the exact line to write,
//! made of the user's own words. The flags are one table (`table`), places another (`places`);
//! `split` reads words, `line` prints them. It opens no connection. Start at [`translated`].

mod forgotten;
mod line;
mod places;
mod resolve;
mod split;
mod table;
mod values;

pub(crate) use self::{
    forgotten::{command_of_connect, dashes},
    places::SPELLINGS,
    table::HABITS,
};
use self::{line::Line, resolve::Resolved};
use crate::{connect, error::Error, serve, wait};

/// A verb whose words may be another tool's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Connect,
    Wait,
    Serve,
}

impl Verb {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Wait => "wait",
            Self::Serve => "serve",
        }
    }

    fn command(self) -> clap::Command {
        match self {
            Self::Connect => connect::command(),
            Self::Wait => wait::command(),
            Self::Serve => serve::command(),
        }
    }
}

/// Returns the words with every accepted habit in redial's spelling.
///
/// `rest` is the command after `--`, for the line that a mistake is answered with.
///
/// # Errors
/// A habit that is not accepted, with the line to write.
pub(crate) fn translated(
    verb: Verb,
    words: &[String],
    rest: &[String],
) -> Result<Vec<String>, Error> {
    let is_foreign =
        split::may_be_foreign(verb, words) || verb == Verb::Wait && places::may_be_foreign(words);
    if !is_foreign {
        return Ok(words.to_vec());
    }
    if let Some(error) = dashes(verb, words, rest) {
        return Err(error);
    }
    let Resolved { mut line, problem } = resolve::resolved(verb, words);
    match problem {
        None => Ok(line.words()),
        Some(problem) => {
            line.command.extend_from_slice(rest);
            Err(problem.error(&line))
        }
    }
}

/// A verb's name, and its flags.
pub(crate) type Named = (&'static str, fn() -> clap::Command);

/// Moves the verb to the front of words that begin with its flags: `--quiet connect db:5432`.
pub(crate) fn verb_first(words: &mut [std::ffi::OsString], verbs: &[Named]) {
    let begins_with_flag = |word: &std::ffi::OsString| word.to_string_lossy().starts_with('-');
    if !words.first().is_some_and(begins_with_flag) {
        return;
    }
    let at = {
        let texts: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        let named = verbs.iter().filter(|(verb, _)| texts.contains(verb));
        named.filter_map(|(verb, command)| split::verb_after_flags(&command(), &texts, verb)).min()
    };
    if let Some(at) = at {
        words[..=at].rotate_right(1);
    }
}

/// A habit that is not accepted.
#[derive(Clone, Debug)]
struct Problem {
    what: String,
    /// What to do where no line can be offered.
    otherwise: &'static str,
    /// Whether a line without the habit does what was meant.
    has_line: bool,
}

impl Problem {
    const fn new(what: String, otherwise: &'static str) -> Self {
        Self { what, otherwise, has_line: true }
    }

    fn error(self, line: &Line) -> Error {
        match line.suggested().filter(|_| self.has_line) {
            Some(line) => Error::plain(self.what, format!("write: {line}")),
            None => Error::plain(self.what, self.otherwise),
        }
    }
}

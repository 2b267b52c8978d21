//! `redial help`: what the words mean, printed from the tables the program itself uses.
//!
//! Each topic is a file: `kinds`, `clauses`, `policy`, `lab`, and the short ones in `tables`. Text for a
//! terminal has 80 columns and no colours; the same generators write the pages in `docs/`. It does
//! not explain flags: each verb's `--help` does. Start at [`run`].

mod clauses;
mod habits;
mod kinds;
mod lab;
#[cfg(test)]
mod pages;
mod policy;
mod recipes;
mod scenarios;
mod servers;
mod tables;
mod words;

use std::{
    ffi::OsString,
    io::{self, Write},
};

use redial::{masked, nearest, printable};

use crate::{check, connect, error::Error, exit::Exit, rehearse, serve, wait};

/// A word behind `redial help`, a line about it, and its text.
type Topic = (&'static str, &'static str, fn() -> String);

/// Everything that is neither a verb nor a kind.
const TOPICS: [Topic; 9] = [
    ("servers", "how servers and targets are written; the protocols", servers::text),
    ("kinds", "what can go wrong, and the names a clause uses for it", kinds::text),
    ("clauses", "what to do about it: the grammar, examples; each step by name", clauses::text),
    ("policy", "a policy file to begin with", policy::text),
    ("recipes", "the protocols redial can judge: what ready means for each", recipes::text),
    ("exit", "the exit statuses", tables::exit),
    ("lab", "the practice servers: lab:late and others, scripts, protocols", lab::text),
    ("scenarios", "what can be rehearsed, scenario files, other tools' policies", scenarios::text),
    ("environment", "the variables that are read, and those a `run` is given", tables::environment),
];

/// Topics that the overview leaves out.
const FURTHER: [Topic; 2] = [
    ("targets", "the same as servers", servers::text),
    ("habits", "the flags of other tools that are known", habits::text),
];

/// What `redial` alone prints.
pub(crate) fn overview(verbs: &[(&str, &str)]) -> Exit {
    print(&overview_text(verbs))
}

fn overview_text(verbs: &[(&str, &str)]) -> String {
    let mut text = "\
redial puts a `try / except` around any connection.

  redial connect db:5432 --retry 10       connect; if that fails, ten times more
  redial connect db1:5432 db2:5432        the second where the first is down
  redial connect db:5432 --except 'refused: say \"it is down\", exit 3'
  redial wait db:5432 -- ./app            when it is ready, the application
  redial connect lab:late --retry 10      the same against a practice server

"
    .to_owned();
    for (verb, about) in verbs.iter().filter(|(verb, _)| *verb != "help") {
        text += &format!("  {verb:<9} {about}\n");
    }
    text += "\nFlags: `redial VERB --help`. Topics, kinds and steps by `redial help NAME`:\n";
    for (topic, about, _) in TOPICS {
        text += &format!("  {topic:<12} {about}\n");
    }
    text
}

/// What `redial --version` prints.
pub(crate) fn version() -> Exit {
    print(concat!("redial ", env!("CARGO_PKG_VERSION"), "\n"))
}

/// Explains one word: a topic, a verb, a kind or a family.
pub(crate) fn run(topic: Option<OsString>, verbs: &[(&str, &str)]) -> Result<Exit, Error> {
    let Some(topic) = topic else { return Ok(overview(verbs)) };
    let word = topic.to_string_lossy();
    let help = || std::iter::once(OsString::from("--help"));
    match &*word {
        "connect" => return connect::run(help()),
        "wait" => return wait::run(help()),
        "check" => return check::run(help()),
        "rehearse" => return rehearse::run(help()),
        "serve" => return serve::run(help()),
        "help" | "-h" | "--help" => return Ok(overview(verbs)),
        _ => {}
    }
    if let Some((.., text)) = TOPICS.iter().chain(&FURTHER).find(|(name, ..)| *name == word) {
        return Ok(print(&text()));
    }
    let about = kinds::about(&word).or_else(|| recipes::about(&word));
    let about = about.or_else(|| scenarios::about(&word)).or_else(|| check::about(&word));
    let about = about.or_else(|| words::about(&word));
    match about {
        Some(text) => Ok(print(&text)),
        None => Err(unknown(&word, verbs)),
    }
}

fn unknown(word: &str, verbs: &[(&str, &str)]) -> Error {
    let topics: Vec<&str> = TOPICS.iter().chain(&FURTHER).map(|(name, ..)| *name).collect();
    let names = verbs.iter().map(|(verb, _)| *verb).chain(topics.iter().copied());
    let names = names.chain(redial_sim::PRESETS.iter().map(|preset| preset.name));
    let further: Vec<&str> = words::names().collect();
    let names = names.chain(further.iter().copied());
    let next = match nearest(word, names.chain(redial::kind_names())) {
        Some(near) => format!("the nearest is `{near}`"),
        None => format!("there are {}, and every kind and step by name", topics.join(", ")),
    };
    Error::plain(format!("no topic is called `{}`", masked(&printable(word))), next)
}

/// To standard output. A reader that left, as `| head` does, has read enough.
fn print(text: &str) -> Exit {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Exit::Failed,
        _ => Exit::Well,
    }
}

/// Text in lines of at most 80 columns, each after the first indented by `indent`.
pub(crate) fn wrapped(text: &str, indent: usize) -> String {
    folded(text, indent, 80)
}

/// The same in lines of another width.
pub(crate) fn folded(text: &str, indent: usize, width: usize) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > indent && column + 1 + length > width {
            lines += "\n";
            lines += &" ".repeat(indent);
            column = indent;
        } else if column > 0 {
            lines += " ";
            column += 1;
        }
        lines += word;
        column += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_fits_80_columns() {
        let kinds = redial::kind_names().into_iter().map(|name| kinds::about(name).unwrap());
        let topics = TOPICS.iter().chain(&FURTHER).map(|(.., text)| text());
        let topics = topics.chain(words::names().map(|name| words::about(name).unwrap()));
        let recipes = redial::RECIPES.iter().map(|recipe| recipes::about(recipe.name).unwrap());
        for text in topics.chain(kinds).chain(recipes).chain([overview_text(&crate::VERBS)]) {
            assert!(text.ends_with('\n'));
            for line in text.lines() {
                // A clause is one line, and an address one word, or they could not be copied.
                let is_clause =
                    redial::Clause::parse_all(line).is_ok_and(|found| !found.is_empty());
                let is_copied = is_clause || line.contains("https://");
                assert!(line.chars().count() <= 80 || is_copied, "{line}");
            }
        }
    }

    #[test]
    fn the_overview_fits_a_screen() {
        assert!(overview_text(&crate::VERBS).lines().count() < 25);
    }

    #[test]
    fn wraps_between_words() {
        assert_eq!(wrapped("a b", 2), "a b");
        let long = "word ".repeat(30);
        assert!(wrapped(long.trim(), 4).lines().all(|line| line.len() <= 80));
        assert_eq!(wrapped(long.trim(), 4).lines().nth(1).map(|line| &line[..8]), Some("    word"));
    }
}

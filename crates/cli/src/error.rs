//! Errors: a wrong flag, file or clause, pointed at.
//!
//! Errors are for reading and end with what to do next; failures of connections are the
//! traceback's. Drawing is miette's. Passwords are gone from an error when it is made, from the
//! line of a file it points at too. Start at [`Error`].

use std::fmt;

use miette::{Diagnostic, LabeledSpan, SourceCode};
use redial::{Mistake, nearest, printable, secrets};

use crate::{
    VERBS,
    blot::{blotted, safe, visible},
    exit::Exit,
    json::{self, Asked, Described, Place},
    misuse, terminal,
};

/// What was wrong with what the user typed or named.
#[derive(Debug)]
pub(crate) enum Error {
    /// A mistake at a place in a text.
    Mistake {
        /// Where the text came from: `--except`, or a file's name.
        source: String,
        text: String,
        mistake: Mistake,
    },
    /// One sentence, and what to do next.
    Plain { what: String, next: String },
    /// The flags' own words, already whole.
    Flags(Box<clap::Error>),
}

impl Error {
    pub(crate) fn plain(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Plain { what: safe(&what.into()), next: safe(&next.into()) }
    }

    /// From a sentence that says already what to do next.
    pub(crate) fn sentence(text: String) -> Self {
        match text.split_once("; ") {
            Some((what, next)) => Self::plain(what, next),
            None => Self::plain(text, "see: redial help"),
        }
    }

    /// Puts a mistake beside its text.
    pub(crate) fn in_text(source: impl Into<String>, text: &str) -> impl FnOnce(Mistake) -> Self {
        let source = safe(&source.into());
        move |mut mistake| {
            for secret in secrets(text) {
                mistake.what = mistake.what.replace(&text[secret.clone()], "***");
                mistake.instead = mistake.instead.replace(&text[secret], "***");
            }
            mistake.what = safe(&mistake.what);
            mistake.instead = safe(&mistake.instead);
            Self::Mistake { source, text: blotted(text, &mistake.at), mistake }
        }
    }

    /// The same, of this place in a file.
    pub(crate) fn at(self, place: &str) -> Self {
        match self {
            Self::Plain { what, next } => Self::plain(format!("{place}: {what}"), next),
            Self::Mistake { mistake, .. } => {
                Self::plain(format!("{place}: {}", mistake.what), mistake.instead)
            }
            Self::Flags(error) => Self::Flags(error),
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Flags(error) if error.exit_code() == 0 => Exit::Well,
            Self::Flags(_) | Self::Mistake { .. } | Self::Plain { .. } => Exit::Usage,
        }
    }

    /// Reports it where the words asked for it: as JSON, as a picture, or both.
    pub(crate) fn report(&self, exit: Exit, asked: &Asked) {
        let written = match self {
            Self::Flags(error) if error.exit_code() == 0 => false,
            Self::Flags(error) => {
                let sentence = safe(&misuse::sentence(error));
                let (what, instead) =
                    sentence.split_once("; ").unwrap_or((&sentence, "see --help"));
                json::write_error(Described { what, instead, place: None }, exit, asked)
            }
            Self::Plain { what, next } => {
                json::write_error(Described { what, instead: next, place: None }, exit, asked)
            }
            Self::Mistake { source, text, mistake } => {
                let (line, column) = mistake.line_and_column(text);
                let marked = safe(text.get(mistake.at.clone()).unwrap_or_default());
                let place = Some(Place { source, line, column, text: &marked });
                let (what, instead) = (&*mistake.what, &*mistake.instead);
                json::write_error(Described { what, instead, place }, exit, asked)
            }
        };
        if !written {
            self.print();
        }
    }

    /// One picture, or one line, on standard error. `--help` goes to standard output.
    pub(crate) fn print(&self) {
        match self {
            // What was asked for: help, on standard output. A closed one leaves nobody to tell.
            Self::Flags(error) if error.exit_code() == 0 => drop(error.print()),
            Self::Flags(error) => {
                terminal::complain(&format!("redial: {}", safe(&misuse::sentence(error))))
            }
            Self::Plain { what, next } => terminal::complain(&format!("redial: {what}; {next}")),
            Self::Mistake { source, text, mistake } if is_short(text) => {
                let place = if text.is_empty() { String::new() } else { underlined(text, mistake) };
                terminal::complain(&format!("redial: {source}: {mistake}{place}"));
            }
            Self::Mistake { source, text, mistake } if has_long_line(text, mistake) => {
                terminal::complain(&format!("redial: {source}: {}", mistake.in_text(text)))
            }
            Self::Mistake { source, text, mistake } => {
                terminal::complain(&drawing(source, text, mistake))
            }
        }
    }
}

/// One line that fits a terminal needs no frame around it.
fn is_short(text: &str) -> bool {
    !text.contains('\n') && text.chars().count() <= 100
}

/// A line that nobody wrote by hand, where the mistake is: a picture of it would fill screens.
fn has_long_line(text: &str, mistake: &Mistake) -> bool {
    let (line, _) = mistake.line_and_column(text);
    text.lines().skip(line.saturating_sub(2)).take(3).any(|line| line.len() > 400)
}

/// The text, and below it marks at the place.
fn underlined(text: &str, mistake: &Mistake) -> String {
    let before = text.get(..mistake.at.start).unwrap_or(text).chars().count();
    let marked = text.get(mistake.at.clone()).map_or(1, |at| at.chars().count()).max(1);
    // Printable letters keep their width; a control character would shift the marks.
    let shown = printable(text);
    if shown != text {
        return format!("\n  {shown}");
    }
    format!("\n  {text}\n  {}{}", " ".repeat(before), "^".repeat(marked))
}

fn drawing(source: &str, text: &str, mistake: &Mistake) -> String {
    let report = Picture { source: miette::NamedSource::new(source, visible(text)), mistake };
    let mut theme = if terminal::stderr_has_colours() {
        miette::GraphicalTheme::unicode()
    } else {
        miette::GraphicalTheme::unicode_nocolor()
    };
    // As every other message begins.
    theme.characters.error = "redial:".into();
    let handler =
        miette::GraphicalReportHandler::new_themed(theme).with_width(100).with_context_lines(1);
    let mut drawn = String::new();
    match handler.render_report(&mut drawn, &report) {
        Ok(()) => drawn.trim().to_owned(),
        Err(_) => format!("redial: {source}: {}", mistake.in_text(text)),
    }
}

#[derive(Debug)]
struct Picture<'a> {
    source: miette::NamedSource<String>,
    mistake: &'a Mistake,
}

impl fmt::Display for Picture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mistake.what)
    }
}

impl std::error::Error for Picture<'_> {}

impl Diagnostic for Picture<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.mistake.instead))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let at = LabeledSpan::underline(self.mistake.at.clone());
        Some(Box::new(std::iter::once(at)))
    }
}

/// The verb that a first word without a port may have been meant to be.
pub(crate) fn nearest_verb(word: &str) -> Option<&'static str> {
    nearest(word, VERBS.iter().map(|(verb, _)| *verb))
}

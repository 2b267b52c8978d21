//! The steps of a probe as a recipe says them: for whom, what is sent, what may come back.
//!
//! A step is the same for every server; what differs from server to server is filled in by
//! [`Step::for_server`]. Nothing is sent here. Start at [`Step`].

use alloc::{boxed::Box, format, string::String, sync::Arc};

use super::{
    built::Built,
    expected::{Alternative, Alternatives, Expected, Then},
    fill::Filler,
    frame::{Frame, Words},
    http::{self, Reads, Wanted},
    only::Only,
    said::Said,
};
use crate::{Answer, Mistake, Server, Statuses, nearest::quoted};

/// One step of a probe.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) only: Option<Only>,
    pub(super) send: Said,
    /// None where nothing is waited for.
    pub(super) expect: Option<Choices>,
    /// What is read of an HTTP answer instead.
    pub(super) reads: Option<Reads>,
    /// Where a step leads that waits for nothing, or once what it reads is as it should be.
    pub(super) then: Then,
}

/// What may come back, before it is known from whom.
#[derive(Clone, Debug)]
pub(super) struct Choices {
    pub(super) all: Box<[Choice]>,
    pub(super) frame: Frame,
    pub(super) limit: usize,
    pub(super) words: Words,
}

#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) only: Option<Only>,
    pub(super) pattern: Pattern,
    pub(super) then: Then,
    pub(super) says: Option<Arc<str>>,
    pub(super) words: Option<Words>,
    pub(super) bye: bool,
    /// Whether its words have to be the server's proof.
    pub(super) proves: bool,
}

/// What an answer looks like: the same for every server, or with the option `status` or `body`.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    Fixed(Answer),
    Status { before: Box<str>, or: Statuses, after: Box<str> },
    Body,
}

/// A step for one server.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) send: Built,
    pub(super) expect: Option<Expected>,
    pub(super) reads: Option<Wanted>,
    pub(super) then: Then,
}

impl Step {
    /// Whether TLS begins behind it.
    pub(super) fn begins_tls(&self) -> bool {
        let mut choices = self.expect.iter().flat_map(|choices| &choices.all);
        self.then == Then::Tls || choices.any(|choice| choice.then == Then::Tls)
    }

    /// Returns the conditions of the step and of its alternatives.
    pub(super) fn conditions(&self) -> impl Iterator<Item = Only> {
        let choices = self.expect.iter().flat_map(|choices| &choices.all);
        self.only.into_iter().chain(choices.filter_map(|choice| choice.only))
    }

    /// Returns true if this option changes what the step sends or expects.
    pub(super) fn uses(&self, option: &str) -> bool {
        let mut choices = self.expect.iter().flat_map(|choices| &choices.all);
        self.send.uses(option)
            || match self.reads {
                Some(Reads::Body) => matches!(option, "body" | "json"),
                Some(Reads::Redirect) => option == "redirect",
                None => false,
            }
            || choices.any(|choice| match choice.pattern {
                Pattern::Fixed(_) => false,
                Pattern::Status { .. } => option == "status",
                Pattern::Body => option == "body",
            })
    }

    /// The step for this server; none if it is not for it.
    pub(super) fn for_server(&self, server: &Server) -> Result<Option<Made>, Mistake> {
        if self.only.is_some_and(|only| !only.holds(server)) {
            return Ok(None);
        }
        let send = self.send.build(&Filler::new(server))?;
        let expect = self.expect.as_ref().map(|choices| choices.made(Some(server))).transpose()?;
        let reads = self.reads.map(|reads| wanted(server, reads)).transpose()?;
        Ok(Some(Made { send, expect, reads, then: self.then }))
    }
}

impl Choices {
    /// The alternatives for this server, or for any.
    pub(super) fn made(&self, server: Option<&Server>) -> Result<Expected, Mistake> {
        let made = |choice: &Choice| {
            Ok(Alternative {
                answer: choice.pattern.answer(server)?.with_limit(self.limit),
                then: choice.then,
                says: choice.says.as_ref().map(|says| filled(says, server)),
                words: choice.words.clone(),
                bye: choice.bye,
                proves: choice.proves,
            })
        };
        let is_for = |choice: &&Choice| match (choice.only, server) {
            (None, _) => true,
            (Some(only), Some(server)) => only.holds(server),
            (Some(_), None) => false,
        };
        Ok(Expected(Arc::new(Alternatives {
            all: self.all.iter().filter(is_for).map(made).collect::<Result<_, Mistake>>()?,
            frame: self.frame,
            limit: self.limit,
            words: self.words.clone(),
            written: None,
        })))
    }
}

impl Pattern {
    /// Reads what an answer looks like.
    pub(super) fn parse(text: &str) -> Result<Self, Mistake> {
        if text == "{body}" {
            return Ok(Self::Body);
        }
        let Some((before, rest)) = text.split_once("{status|") else {
            return Answer::parse(text).map(Self::Fixed);
        };
        let mistake = || {
            let what = "`{status|` has no range behind it";
            Mistake::new(before.len()..text.len(), what, "write {status|200..399}")
        };
        let (range, after) = rest.split_once('}').ok_or_else(mistake)?;
        let or = Statuses::parse(range).ok_or_else(mistake)?;
        let pattern = Self::Status { before: before.into(), or, after: after.into() };
        pattern.answer(None)?;
        Ok(pattern)
    }

    fn answer(&self, server: Option<&Server>) -> Result<Answer, Mistake> {
        let options = server.map(Server::options);
        match self {
            Self::Fixed(answer) => Ok(answer.clone()),
            Self::Status { before, or, after } => {
                let set = options.and_then(|options| options.status.as_ref()).unwrap_or(or);
                Answer::parse(&format!("{before}{}{after}", numbers(set.ranges())))
            }
            Self::Body => match server.map(body).transpose()?.flatten() {
                Some(answer) => Ok(answer),
                None => Answer::parse("body"),
            },
        }
    }
}

/// A sentence with the statuses in it that are well: `expected {status|200..399}`.
fn filled(says: &Arc<str>, server: Option<&Server>) -> Arc<str> {
    let Some((before, rest)) = says.split_once("{status|") else { return Arc::clone(says) };
    let Some((or, after)) = rest.split_once('}') else { return Arc::clone(says) };
    let asked = server.and_then(|server| server.options().status.as_ref());
    match asked {
        Some(asked) => format!("{before}{asked}{after}").into(),
        None => format!("{before}{or}{after}").into(),
    }
}

/// Returns what `#body` asks for.
fn body(server: &Server) -> Result<Option<Answer>, Mistake> {
    let answer = server.options().body.as_deref().map(Answer::parse).transpose();
    answer.map_err(|mistake| {
        let what = format!("the body of {}: {}", quoted(server.label()), mistake.what);
        Mistake::new(0..0, what, mistake.instead)
    })
}

/// Returns what is read of an HTTP answer of this server.
fn wanted(server: &Server, reads: Reads) -> Result<Wanted, Mistake> {
    let options = server.options();
    if reads == Reads::Redirect {
        return Ok(Wanted { location: true, text: None, json: Box::default() });
    }
    if options.method.as_deref() == Some("HEAD") {
        let what =
            format!("an answer to HEAD has no body, and one is expected of {}", server.label());
        return Err(Mistake::new(0..0, what, "leave method out, or ask for no body"));
    }
    let text = body(server)?.map(|answer| answer.with_limit(http::LIMIT));
    Ok(Wanted { location: false, text, json: options.json.clone().into() })
}

/// A pattern of the numbers of three digits in these ranges: `(?:20[0-9]|3[0-9][0-9])`.
fn numbers(ranges: &[(u16, u16)]) -> String {
    let mut text = String::from("(?:");
    for range in ranges {
        one_range(*range, &mut text);
    }
    text.push(')');
    text
}

fn one_range((low, high): (u16, u16), text: &mut String) {
    let mut number = low;
    while number <= high {
        if text.len() > 3 {
            text.push('|');
        }
        let (digits, step) = match number {
            _ if number % 100 == 0 && number + 99 <= high => {
                (format!("{}[0-9][0-9]", number / 100), 100)
            }
            _ if number % 10 == 0 && number + 9 <= high => (format!("{}[0-9]", number / 10), 10),
            _ => (format!("{number}"), 1),
        };
        text.push_str(&digits);
        number += step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Progress;

    #[test]
    fn a_range_of_numbers_is_a_pattern() {
        assert_eq!(numbers(&[(200, 399)]), "(?:2[0-9][0-9]|3[0-9][0-9])");
        assert_eq!(numbers(&[(204, 204)]), "(?:204)");
        assert_eq!(numbers(&[(198, 211)]), "(?:198|199|20[0-9]|210|211)");
        assert_eq!(numbers(&[(200, 299), (404, 404)]), "(?:2[0-9][0-9]|404)");
        for (low, high) in [(200, 399), (100, 599), (204, 204), (199, 301)] {
            let answer = Answer::parse(&format!("/^{}/", numbers(&[(low, high)]))).unwrap();
            for number in 100..=999 {
                let progress = answer.matcher().feed(&answer, format!("{number}").as_bytes());
                let is_in = (low..=high).contains(&number);
                assert_eq!(progress == Progress::Matched, is_in, "{number} in {low}..{high}");
            }
        }
    }
}

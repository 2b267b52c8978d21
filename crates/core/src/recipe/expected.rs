//! What a server may answer, as a list of which the first that fits counts; judged as bytes arrive.
//!
//! The probe's steps and the `answer` of a real conversation are judged by the same rules. Every
//! byte is looked at once by each alternative, and how the bytes were cut makes no difference. It
//! reads no socket and consumes nothing. Start at [`Expected`], then [`Judge`].

use alloc::{boxed::Box, format, string::String, sync::Arc};
use core::ops::Range;

use super::frame::{Frame, Words};
use crate::{Answer, Detail, Kind, Matcher, Progress, masked, printable};

/// How many alternatives there may be in one place.
pub(super) const MOST: usize = 24;

/// What a server may answer: alternatives, tried in the order they are written.
///
/// Made by a [`Recipe`](super::Recipe), or from one [`Answer`].
///
/// ```
/// use redial_core::{Expected, Judged, Kind, Recipe};
///
/// let redis = Recipe::named("redis")?;
/// let answer = redis.answer().unwrap();
/// let mut judge = answer.judge();
/// let heard = b"-LOADING Redis is loading the dataset in memory\r\n";
/// assert_eq!(judge.hear(answer, &heard[..10]), Judged::More);
/// let Judged::Refused(refusal) = judge.hear(answer, heard) else { panic!() };
/// assert_eq!(refusal.kind, Kind::Unavailable);
/// # Ok::<(), redial_core::Mistake>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Expected(pub(super) Arc<Alternatives>);

#[derive(Debug, PartialEq)]
pub(super) struct Alternatives {
    pub(super) all: Box<[Alternative]>,
    pub(super) frame: Frame,
    pub(super) limit: usize,
    pub(super) words: Words,
    /// The expected answer in words, where the user wrote it.
    pub(super) written: Option<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Alternative {
    pub(super) answer: Answer,
    pub(super) then: Then,
    pub(super) says: Option<Arc<str>>,
    pub(super) words: Option<Words>,
    /// Which of the recipe's goodbyes follows: none of them, or its own.
    pub(super) bye: bool,
    /// Whether its words have to be the server's proof that it knows the password.
    pub(super) proves: bool,
}

/// What an alternative leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Ready,
    /// The step after this one.
    Next,
    /// The same step, for the message after this one.
    Again,
    /// This step.
    Step(usize),
    Tls,
    Refused(Kind),
}

/// What the bytes so far say.
#[derive(Clone, Debug, PartialEq)]
pub enum Judged {
    /// Nothing yet: more bytes are needed.
    More,
    /// It is the right answer.
    Ready,
    /// It is not; the protocol's own words may say why.
    Refused(Refusal),
}

/// Why an answer does not do.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Refusal {
    /// In one word.
    pub kind: Kind,
    /// What the recipe says about it: `it is loading its data`.
    pub says: Option<Arc<str>>,
    /// The server's own words, or the first 256 bytes of what it said.
    pub detail: Option<Detail>,
    /// The expected answer, as the user wrote it.
    pub expected: Option<Arc<str>>,
}

impl Refusal {
    pub(super) const fn of(kind: Kind) -> Self {
        Self { kind, says: None, detail: None, expected: None }
    }

    /// Both in one, for a failure's `detail`: `it is loading its data: LOADING Redis is …`.
    #[must_use]
    pub fn into_detail(self) -> Option<Detail> {
        match (self.says, self.detail) {
            (Some(says), Some(detail)) => Some(Detail::from_text(&format!("{says}: {detail}"))),
            (Some(says), None) => Some(Detail::from_text(&says)),
            (None, detail) => detail,
        }
    }
}

/// In one word, and no more.
impl From<Kind> for Refusal {
    fn from(kind: Kind) -> Self {
        Self::of(kind)
    }
}

impl Expected {
    /// Judges one connection from its first byte.
    #[must_use]
    pub fn judge(&self) -> Judge {
        let matchers = self.0.all.iter().map(|one| one.answer.matcher()).collect();
        Judge { matchers, start: 0, looked: 0, end: None }
    }

    /// Within how many bytes it has to be recognised. Default: 65536.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.0.limit
    }
}

/// The one thing that `--expect` asks for.
impl From<Answer> for Expected {
    fn from(answer: Answer) -> Self {
        let limit = answer.limit();
        let words = Words::default();
        let written = Some(sentence(&masked(answer.as_str())).into());
        let then = Then::Ready;
        let one = Alternative { answer, then, says: None, words: None, bye: true, proves: false };
        let all = [one].into();
        Self(Arc::new(Alternatives { all, frame: Frame::Whole, limit, words, written }))
    }
}

/// How far the judgement of one connection is.
///
/// It belongs to the [`Expected`] that made it, and is told all that was heard, each time.
#[derive(Clone, Debug)]
pub struct Judge {
    matchers: Box<[Matcher]>,
    /// Where the message that is judged begins, how far it was looked at, and where it ends.
    start: usize,
    looked: usize,
    end: Option<usize>,
}

/// Why no more bytes will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// They may.
    No,
    /// The server ended its side.
    End,
    /// The time allowed has passed.
    Time,
}

/// What was found, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    More,
    /// This alternative; the message is these bytes.
    Alternative(usize, Range<usize>),
    /// None of them, for this reason.
    None(Kind),
}

impl Judge {
    /// Judges all bytes that were heard on this connection so far.
    #[must_use]
    pub fn hear(&mut self, expected: &Expected, heard: &[u8]) -> Judged {
        self.judged(expected, heard, Over::No)
    }

    /// The server ended its side after these bytes: the answer is right, or why it is not.
    ///
    /// Before any byte that is `closed-early`, inside an answer `truncated`.
    ///
    /// # Errors
    /// What the end, or the wrong bytes, mean.
    pub fn end(&mut self, expected: &Expected, heard: &[u8]) -> Result<(), Refusal> {
        self.last(expected, heard, Over::End)
    }

    /// The time allowed has passed: the answer is right, or why it is not.
    ///
    /// # Errors
    /// `stalled`, or `unexpected-response` where the server said something else.
    pub fn time_is_up(&mut self, expected: &Expected, heard: &[u8]) -> Result<(), Refusal> {
        self.last(expected, heard, Over::Time)
    }

    fn last(&mut self, expected: &Expected, heard: &[u8], over: Over) -> Result<(), Refusal> {
        match self.judged(expected, heard, over) {
            Judged::Ready => Ok(()),
            Judged::Refused(refusal) => Err(refusal),
            Judged::More => {
                Err(Refusal { expected: expected.0.written.clone(), ..Refusal::of(Kind::Stalled) })
            }
        }
    }

    fn judged(&mut self, expected: &Expected, heard: &[u8], over: Over) -> Judged {
        loop {
            match self.find(&expected.0, heard, over) {
                Found::More => return Judged::More,
                Found::None(kind) => return Judged::Refused(expected.0.nothing(kind, heard)),
                Found::Alternative(index, message) => match expected.0.all[index].then {
                    Then::Again => self.next_message(&expected.0, message.end),
                    Then::Refused(kind) => {
                        return Judged::Refused(expected.0.refusal(index, kind, &heard[message]));
                    }
                    // In a conversation that is not redial's there are no further steps.
                    Then::Ready | Then::Next | Then::Step(_) | Then::Tls => return Judged::Ready,
                },
            }
        }
    }

    /// Looks at what is new among all that was heard.
    pub(super) fn find(&mut self, expected: &Alternatives, heard: &[u8], over: Over) -> Found {
        let available = heard.len().min(expected.limit);
        if self.end.is_none() {
            let looked = self.looked.saturating_sub(self.start);
            let message = heard.get(self.start..available).unwrap_or_default();
            self.end = expected.frame.length(message, looked).map(|l| l.saturating_add(self.start));
        }
        if self.end.is_some_and(|end| end > expected.limit) {
            return Found::None(Kind::UnexpectedResponse);
        }
        let end = self.end.unwrap_or(available).min(available);
        let new = heard.get(self.looked..end).unwrap_or_default();
        for (matcher, one) in self.matchers.iter_mut().zip(&expected.all) {
            matcher.feed(&one.answer, new);
        }
        self.looked = end.max(self.looked);
        let whole = self.end.is_some_and(|end| end <= available);
        let framed = expected.frame != Frame::Whole;
        // All of the message is here, or as much as is looked at: nothing can change any more.
        let definite = whole || available == expected.limit;
        // No more will come: what could have stood anywhere did not.
        let ended = over != Over::No && !framed;
        for (index, (matcher, one)) in self.matchers.iter().zip(&expected.all).enumerate() {
            match matcher.progress() {
                Progress::Refused => {}
                Progress::Matched if framed && !whole => break,
                Progress::Matched => {
                    let end = if framed { end } else { self.start + matcher.seen() };
                    return Found::Alternative(index, self.start..end);
                }
                Progress::More if definite || ended && !matcher.is_inside(&one.answer) => {}
                // Until it is decided, those behind it have to wait.
                Progress::More => break,
            }
        }
        let none_can = |matcher: &Matcher| matcher.progress() == Progress::Refused;
        if definite || self.matchers.iter().all(none_can) {
            return Found::None(Kind::UnexpectedResponse);
        }
        let inside = self.matchers.iter().zip(&expected.all).any(|(matcher, one)| {
            matcher.progress() == Progress::Matched || matcher.is_inside(&one.answer)
        });
        let silent = heard.len() <= self.start;
        match over {
            Over::No => Found::More,
            Over::End if heard.is_empty() => Found::None(Kind::ClosedEarly),
            Over::End if inside || silent => Found::None(Kind::Truncated),
            Over::Time if inside || silent => Found::None(Kind::Stalled),
            Over::End | Over::Time => Found::None(Kind::UnexpectedResponse),
        }
    }

    /// Goes on with the message that begins here.
    pub(super) fn next_message(&mut self, expected: &Alternatives, start: usize) {
        for (matcher, one) in self.matchers.iter_mut().zip(&expected.all) {
            *matcher = one.answer.matcher();
        }
        (self.start, self.looked, self.end) = (start, start, None);
    }
}

impl Alternatives {
    /// Returns the bytes of the message that are its words, by this alternative.
    pub(super) fn words<'a>(&self, index: usize, message: &'a [u8]) -> &'a [u8] {
        self.all[index].words.as_ref().unwrap_or(&self.words).of(message)
    }

    /// The refusal that this alternative is.
    pub(super) fn refusal(&self, index: usize, kind: Kind, message: &[u8]) -> Refusal {
        let one = &self.all[index];
        let words = self.words(index, message);
        let detail = (!words.is_empty()).then(|| Detail::from_bytes(words));
        if let Some((before, after)) = one.says.as_ref().and_then(|says| says.split_once("{words}"))
        {
            let words = detail.as_ref().map_or("", Detail::as_str);
            let says = sentence(&format!("{before}{words}{after}"));
            return Refusal { kind, says: Some(says.into()), detail: None, expected: None };
        }
        Refusal { kind, says: one.says.clone(), detail, expected: None }
    }

    /// What was heard is none of what was expected.
    pub(super) fn nothing(&self, kind: Kind, heard: &[u8]) -> Refusal {
        let detail = (!heard.is_empty()).then(|| Detail::from_bytes(heard));
        Refusal { kind, says: None, detail, expected: self.written.clone() }
    }
}

/// A sentence of a recipe: bounded, and safe to print.
pub(super) fn sentence(text: &str) -> String {
    printable(text).chars().take(200).collect()
}

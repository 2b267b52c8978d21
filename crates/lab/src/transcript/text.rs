//! The written form of a transcript, read.
//!
//! The form is described at [`Transcript`]. Start at [`Transcript::parse`].

use std::fmt;
use std::iter::Peekable;
use std::vec::IntoIter;

use super::tokens::{Token, tokens};
use super::units::{Cut, How};
use super::{Condition, Exchange, Item, Reply, State, Transcript};

/// A transcript cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranscriptError {
    /// The line, from 1; 0 where something is missing altogether.
    pub line: usize,
    /// What is wrong there, and what could be written instead.
    pub what: String,
}

/// `line 3: …`
impl fmt::Display for TranscriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.what),
            line => write!(f, "line {line}: {}", self.what),
        }
    }
}

impl std::error::Error for TranscriptError {}

impl Transcript {
    /// Reads the written form, as the server is in this state.
    ///
    /// ```
    /// use redial_lab::{State, Transcript};
    ///
    /// let text = r#"
    ///     cut line
    ///     on spells "ping" say "pong\n"
    ///     else say "what?\n" close
    /// "#;
    /// Transcript::parse(text, State::Ready)?;
    /// let error = Transcript::parse("cut lien", State::Ready).unwrap_err();
    /// assert!(error.to_string().starts_with("line 1: "), "{error}");
    /// # Ok::<(), redial_lab::TranscriptError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// With the line, what is wrong in it, and what there is.
    pub fn parse(text: &str, state: State) -> Result<Self, TranscriptError> {
        Self::named("as", text, state)
    }

    pub(super) fn named(
        word: &'static str,
        text: &str,
        state: State,
    ) -> Result<Self, TranscriptError> {
        let (mut cuts, mut greeting, mut exchanges, mut other) = (vec![], None, vec![], None);
        let mut section = None;
        for (line, tokens) in lines(text)? {
            match statement(tokens).map_err(|what| TranscriptError { line, what })? {
                Statement::Section(named) => section = Some(named),
                _ if section.is_some_and(|section| section != state) => {}
                Statement::Cut(cut) => cuts.push(cut),
                Statement::Greet(reply) => greeting = Some(reply),
                Statement::On(exchange) => exchanges.push(exchange),
                Statement::Else(reply) => other = Some(reply),
            }
        }
        let missing = |what: &str| TranscriptError { line: 0, what: what.to_owned() };
        if cuts.is_empty() {
            return Err(missing("nothing says where what the client says ends; add: cut line"));
        }
        let other = other.ok_or_else(|| {
            missing("nothing says what anything else is answered with; add: else close")
        })?;
        Ok(Self { word, cuts, greeting, exchanges, other })
    }
}

/// A line, read.
enum Statement {
    Section(State),
    Cut(Cut),
    Greet(Reply),
    On(Exchange),
    Else(Reply),
}

/// The lines that say something, with what continues them, each with its number.
fn lines(text: &str) -> Result<Vec<(usize, Vec<Token>)>, TranscriptError> {
    // A text that is indented as a whole is as good as one that is not.
    let indent = |line: &str| line.len() - line.trim_start().len();
    let said = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let least = text.lines().filter(said).map(indent).min().unwrap_or(0);
    let mut lines: Vec<(usize, Vec<Token>)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let tokens = tokens(line).map_err(|what| TranscriptError { line: number, what })?;
        match lines.last_mut() {
            _ if tokens.is_empty() => {}
            Some((_, last)) if indent(line) > least => last.extend(tokens),
            _ => lines.push((number, tokens)),
        }
    }
    Ok(lines)
}

fn statement(tokens: Vec<Token>) -> Result<Statement, String> {
    let mut line = Line(tokens.into_iter().peekable());
    let statement = match line.word().as_deref() {
        Some("[ready]") => Statement::Section(State::Ready),
        Some("[not-now]") => Statement::Section(State::NotNow),
        Some("cut") => Statement::Cut(line.cut()?),
        Some("greet") => Statement::Greet(line.reply()?),
        Some("on") => Statement::On(Exchange { when: line.conditions()?, reply: line.reply()? }),
        Some("else") => Statement::Else(line.reply()?),
        _ => return Err("a line begins with cut, greet, on, else, [ready] or [not-now]".to_owned()),
    };
    match line.0.next() {
        None => Ok(statement),
        Some(Token::Word(word)) => Err(format!("{word:?} is not expected here")),
        Some(Token::Text(_)) => Err("a text is not expected here".to_owned()),
    }
}

/// What is left of a line.
struct Line(Peekable<IntoIter<Token>>);

impl Line {
    fn cut(&mut self) -> Result<Cut, String> {
        let begins = if self.take("begins") { self.bytes()? } else { Vec::new() };
        let how = match self.word().as_deref() {
            Some("line") => How::Line,
            Some("head") => How::Head,
            Some("resp") => How::Resp,
            Some("ber") => How::Ber,
            Some("varint") => How::Varint { at: self.number_after("at")? },
            Some(size @ ("u8" | "u16" | "u24" | "u32")) => {
                let size = match size {
                    "u8" => 1,
                    "u16" => 2,
                    "u24" => 3,
                    _ => 4,
                };
                let little = self.take("le");
                How::Number {
                    size,
                    little,
                    at: self.number_after("at")?,
                    plus: self.number_after("plus")?,
                }
            }
            Some(count)
                if count.parse::<u16>().is_ok_and(|count| count > 0) && self.take("bytes") =>
            {
                How::Bytes(count.parse().unwrap_or(usize::MAX))
            }
            _ => {
                return Err("a unit ends by: line, head, resp, ber, varint at A, N bytes, \
                     or u8|u16|u24|u32 [le] at A plus B"
                    .to_owned());
            }
        };
        Ok(Cut { begins, how })
    }

    /// One condition at least.
    fn conditions(&mut self) -> Result<Vec<Condition>, String> {
        let mut conditions = Vec::new();
        loop {
            conditions.push(if self.take("begins") {
                Condition::At(0, self.bytes()?)
            } else if self.take("at") {
                Condition::At(self.number()?, self.bytes()?)
            } else if self.take("spells") {
                Condition::Spells(self.bytes()?)
            } else if self.take("contains") {
                Condition::Contains(self.bytes()?)
            } else if conditions.is_empty() {
                return Err("`on` wants begins, at N, spells or contains, and bytes".to_owned());
            } else {
                return Ok(conditions);
            });
        }
    }

    fn reply(&mut self) -> Result<Reply, String> {
        let mut reply = Reply::default();
        let says = self.take("say");
        if says && !self.take("nothing") {
            while let Some(item) = self.item()? {
                reply.say.push(item);
            }
            if reply.say.is_empty() {
                return Err("say what? bytes, word, unit A..B, or nothing".to_owned());
            }
        }
        reply.close = self.take("close");
        if says || reply.close { Ok(reply) } else { Err("`say` or `close` is missing".to_owned()) }
    }

    fn item(&mut self) -> Result<Option<Item>, String> {
        Ok(if let Some(bytes) = self.0.peek().and_then(Token::bytes) {
            self.0.next();
            Some(Item::Bytes(bytes))
        } else if self.take("word") {
            Some(Item::Word)
        } else if self.take("unit") {
            let range = self.word().unwrap_or_default();
            Some(range_of(&range).ok_or("unit wants a range, such as 4..8 or 6..")?)
        } else {
            None
        })
    }

    /// One text or number in hexadecimal at least, and all that follow.
    fn bytes(&mut self) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        while let Some(more) = self.0.peek().and_then(Token::bytes) {
            self.0.next();
            bytes.extend(more);
        }
        if bytes.is_empty() {
            Err("bytes are missing: \"text\" or 00ff".to_owned())
        } else {
            Ok(bytes)
        }
    }

    fn number_after(&mut self, word: &str) -> Result<usize, String> {
        if self.take(word) { self.number() } else { Err(format!("`{word} N` is missing")) }
    }

    /// A place or a length: nothing beyond 65,535 is either.
    fn number(&mut self) -> Result<usize, String> {
        let number = self.word().and_then(|word| word.parse::<u16>().ok());
        number.map(usize::from).ok_or_else(|| "a number from 0 to 65535 is missing".to_owned())
    }

    /// The next word, whatever it is; a text is left where it is.
    fn word(&mut self) -> Option<String> {
        match self.0.next_if(|token| matches!(token, Token::Word(_))) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn take(&mut self, word: &str) -> bool {
        self.0.next_if(|token| matches!(token, Token::Word(next) if next == word)).is_some()
    }
}

/// `4..8` or `6..`
fn range_of(text: &str) -> Option<Item> {
    let (from, to) = text.split_once("..")?;
    let to = if to.is_empty() { None } else { Some(usize::from(to.parse::<u16>().ok()?)) };
    Some(Item::Unit(from.parse::<u16>().ok()?.into(), to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Transcript::parse(text, State::Ready).unwrap_err().to_string()
    }

    #[test]
    fn states_have_their_own_lines_and_share_those_before() {
        let text = r#"
            # comment
            cut line
            [ready]
            greet say "hello" 0d0a
            else say word close
            [not-now]
            on begins "x"   # goes on
              at 2 "y"
              say "later"
            else close
        "#;
        let ready = Transcript::parse(text, State::Ready).unwrap();
        let hello = vec![Item::Bytes(b"hello".to_vec()), Item::Bytes(b"\r\n".to_vec())];
        assert_eq!(ready.greeting, Some(Reply { say: hello, close: false }));
        assert_eq!(ready.other, Reply { say: vec![Item::Word], close: true });
        assert!(ready.exchanges.is_empty());
        let not_now = Transcript::parse(text, State::NotNow).unwrap();
        assert_eq!(not_now.cuts, ready.cuts);
        assert_eq!(not_now.greeting, None);
        assert_eq!(not_now.exchanges[0].when.len(), 2);
        assert_eq!(not_now.other, Reply { say: vec![], close: true });
    }

    #[test]
    fn what_is_wrong_is_said_with_the_line() {
        for (text, expected) in [
            ("", "cut line"),
            ("cut line", "else close"),
            ("cut lien\nelse close", "line 1: a unit ends by"),
            ("cut 0 bytes\nelse close", "line 1: a unit ends by"),
            ("cut u16 at 0\nelse close", "line 1: `plus N` is missing"),
            ("cut line\non \"x\" say \"y\"", "line 2: `on` wants"),
            ("cut line\non begins say \"y\"", "line 2: bytes are missing"),
            ("cut line\nelse say", "line 2: say what?"),
            ("cut line\nelse", "line 2: `say` or `close` is missing"),
            ("cut line\nelse close now", "line 2: \"now\" is not expected here"),
            ("cut line\nelse say unit 8", "line 2: unit wants a range"),
            ("cut line\n[redy]", "line 2: a line begins with"),
            ("cut line\nelse say \"x", "line 2: the quotes have no end"),
        ] {
            let said = error(text);
            assert!(said.contains(expected), "{text:?}: {said}");
        }
    }
}

//! A transcript, played to one client.
//!
//! It reads and writes nothing itself; `play` brings the client's bytes and takes the
//! answers. What it holds is bounded by the longest unit. Start at [`Conversation`].

use std::sync::Arc;

use super::Transcript;
use super::units::{End, end};

/// How far a client has come with a transcript.
pub(super) struct Conversation {
    transcript: Arc<Transcript>,
    heard: Vec<u8>,
}

/// What the server does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// What it says; perhaps nothing.
    pub(super) say: Vec<u8>,
    /// Whether it then closes.
    pub(super) close: bool,
}

impl Conversation {
    pub(super) fn new(transcript: Arc<Transcript>) -> Self {
        Self { transcript, heard: Vec::new() }
    }

    /// What the server does before the client says anything.
    pub(super) fn greeting(&self) -> Option<Turn> {
        let greeting = self.transcript.greeting.as_ref()?;
        Some(Turn { say: greeting.to(&[]), close: greeting.close })
    }

    /// The client said more. Every turn must be taken before the next of these.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
    }

    /// What the server does about the next whole thing that it heard, if there is one.
    pub(super) fn turn(&mut self) -> Option<Turn> {
        if self.heard.is_empty() {
            return None;
        }
        let Transcript { cuts, exchanges, other, .. } = &*self.transcript;
        match end(cuts, &self.heard) {
            End::Open => None,
            End::Never => {
                let unit = std::mem::take(&mut self.heard);
                Some(Turn { say: other.to(&unit), close: true })
            }
            End::After(length) => {
                let unit: Vec<u8> = self.heard.drain(..length).collect();
                let fits = exchanges
                    .iter()
                    .find(|exchange| exchange.when.iter().all(|when| when.holds(&unit)));
                let reply = fits.map_or(other, |exchange| &exchange.reply);
                Some(Turn { say: reply.to(&unit), close: reply.close })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::State;

    const TEXT: &str = r#"
        cut line
        greet say "hello\n"
        on spells "bye" say word "\n" close
        on contains "nothing" say nothing
        on at 1 6565 say unit 0..1 unit 2..
        else say "what?\n"
    "#;

    fn said(heard: &[u8]) -> Vec<(String, bool)> {
        let transcript = Transcript::parse(TEXT, State::Ready).unwrap();
        let mut conversation = Conversation::new(transcript.into());
        let mut turns = Vec::new();
        for piece in heard.chunks(heard.len().div_ceil(64)) {
            conversation.hear(piece);
            while let Some(turn) = conversation.turn() {
                turns.push((String::from_utf8(turn.say).unwrap(), turn.close));
            }
        }
        turns
    }

    #[test]
    fn the_first_that_matches_is_said_and_else_otherwise() {
        let turns = said(b"what\nsay nOthing\nseen\nBye now\nrest");
        let turn = |text: &str, close| (text.to_owned(), close);
        let expected =
            [turn("what?\n", false), turn("", false), turn("sen\n", false), turn("Bye\n", true)];
        assert_eq!(turns, expected);
    }

    #[test]
    fn a_unit_without_end_is_answered_once_and_ends_it() {
        let turns = said(&[b'x'; 16 * 1024]);
        assert_eq!(turns, [("what?\n".to_owned(), true)]);
    }
}

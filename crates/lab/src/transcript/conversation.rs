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
                self.heard.clear();
                Some(Turn { say: other.to_none(), close: true })
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
    use crate::{PROTOCOLS, State};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

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

    /// All that is said to these bytes, in so many pieces.
    fn whole(transcript: &Arc<Transcript>, heard: &[u8], piece: usize) -> Vec<Turn> {
        let mut conversation = Conversation::new(Arc::clone(transcript));
        let mut turns = Vec::new();
        for piece in heard.chunks(piece) {
            conversation.hear(piece);
            while let Some(turn) = conversation.turn() {
                let close = turn.close;
                turns.push(turn);
                if close {
                    return turns;
                }
            }
        }
        turns
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Nor do any bytes make it panic.
        #[test]
        fn the_pieces_in_which_bytes_come_do_not_matter(
            mut heard in vec(prop_oneof![any::<u8>(), 0..8_u8, Just(b'\n')], 0..600),
            begin in select(vec!["", "*2\r\n$4\r\n", "AMQP", "\0\0\0", "GET "]),
            piece in 1..90_usize,
        ) {
            heard.splice(..0, begin.bytes());
            for protocol in PROTOCOLS {
                for state in [State::Ready, State::NotNow] {
                    let transcript = Transcript::parse(protocol.text(), state).unwrap().into();
                    let at_once = whole(&transcript, &heard, usize::MAX);
                    prop_assert_eq!(&whole(&transcript, &heard, piece), &at_once, "{}", protocol);
                }
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(
            text in "((cut|on|else|greet|say|unit|at|u8|[0-9]{1,6}|[\"\\\\x \n#é.]){0,2} ?){0,40}"
        ) {
            let _ = Transcript::parse(&text, State::Ready);
        }
    }
}

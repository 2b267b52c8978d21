//! Servers of a known protocol, as far as a probe can tell: what `as redis` is.
//!
//! A transcript is data: "where the client says this, say that". It keeps no state but the bytes
//! not yet answered, knows no passwords and stores nothing. Start at [`PROTOCOLS`], or at
//! [`Transcript::parse`] for one of your own.
//!
//! # Layout
//!
//! - `text`: the written form, read into a transcript
//! - `tokens`: a line of it, cut into words and bytes
//! - `units`: where one thing the client said ends
//! - `conversation`: a transcript, played to one client
//! - `play`: the same on a connection
//! - `protocols`: those that come with the lab, as a table
//! - `words`: how a script names one

mod conversation;
mod play;
mod protocols;
mod text;
mod tokens;
mod units;
mod words;

pub use protocols::{PROTOCOLS, Protocol, UnknownProtocol};
pub use text::TranscriptError;
pub(crate) use words::read;

use conversation::{Conversation, Turn};
use units::Cut;

/// What a server says, and to what.
///
/// The written form is a line for each thing; a line that begins with a space goes on with the one
/// before, and `#` begins a comment. Bytes are `"text"` (with `\r \n \t \0 \\ \" \xHH`) and bare
/// hexadecimal (`00000008`), one after the other.
///
/// ```text
/// cut line                                  # what the client says ends with a line feed
/// [ready]
/// greet say "220 ready\r\n"                 # said before the client says anything
/// on spells "QUIT" say "221 bye\r\n" close  # the first that matches
/// else say "500 what?\r\n"                  # to everything else
/// [not-now]
/// greet say "421 not now\r\n" close
/// else close
/// ```
///
/// - `cut`: where a unit of what the client says ends: `line` (a line feed), `head` (an empty
///   line), `resp` (a command of Redis), `N bytes`, `u8|u16|u24|u32 [le] at A plus B` (the number
///   there, plus B, is its length), `varint at A` (as in MQTT), `ber` (as in LDAP). With
///   `begins BYTES` before that, only for units that begin so; the first that fits.
/// - `on`: a unit for which all of this is true: `begins BYTES`, `at N BYTES`, `contains BYTES` and
///   `spells BYTES` (begins with); the last two take capital and small letters as the same.
/// - `say`: bytes, `word` (the unit's first word), `unit A..B` (its bytes from A to before B; `A..`
///   to its end), or `nothing`. `close` after that ends the connection.
///
/// What stands before `[ready]` holds in both states. A unit is 16 KiB at most; a client that says
/// more without an end to it is answered as by `else`, unless that repeats the unit, and the
/// connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    word: &'static str,
    cuts: Vec<Cut>,
    greeting: Option<Reply>,
    exchanges: Vec<Exchange>,
    other: Reply,
}

/// Whether a server is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It does what it is there for.
    Ready,
    /// It refuses for now, in its protocol's own words.
    NotNow,
}

impl Transcript {
    /// As records call it: `as redis`, `as redis not-now`; `as` for one that was read.
    pub(crate) fn word(&self) -> &'static str {
        self.word
    }
}

/// What is said to units that match.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exchange {
    when: Vec<Condition>,
    reply: Reply,
}

/// One thing that is true of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    /// These bytes are there.
    At(usize, Vec<u8>),
    /// It begins with these letters, capital or small.
    Spells(Vec<u8>),
    /// These letters are in it, capital or small.
    Contains(Vec<u8>),
}

impl Condition {
    fn holds(&self, unit: &[u8]) -> bool {
        match self {
            Self::At(at, bytes) => unit.get(*at..).is_some_and(|rest| rest.starts_with(bytes)),
            Self::Spells(letters) => {
                unit.get(..letters.len()).is_some_and(|start| start.eq_ignore_ascii_case(letters))
            }
            Self::Contains(letters) => {
                unit.windows(letters.len()).any(|part| part.eq_ignore_ascii_case(letters))
            }
        }
    }
}

/// What is said, and whether the server then ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Reply {
    say: Vec<Item>,
    close: bool,
}

/// A part of what is said.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Bytes(Vec<u8>),
    /// The first word of the unit.
    Word,
    /// Bytes of the unit, from here to before there; those that it has.
    Unit(usize, Option<usize>),
}

impl Reply {
    /// The bytes, for what is no unit; none if they would repeat one.
    fn to_none(&self) -> Vec<u8> {
        match self.say.iter().all(|item| matches!(item, Item::Bytes(_))) {
            true => self.to(&[]),
            false => Vec::new(),
        }
    }

    /// The bytes, for this unit.
    fn to(&self, unit: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for item in &self.say {
            bytes.extend_from_slice(match item {
                Item::Bytes(bytes) => bytes,
                Item::Word => unit.split(u8::is_ascii_whitespace).next().unwrap_or_default(),
                Item::Unit(from, to) => {
                    let to = to.unwrap_or(unit.len()).min(unit.len());
                    unit.get(*from..to).unwrap_or_default()
                }
            });
        }
        bytes
    }
}

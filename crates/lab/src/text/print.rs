//! Scripts written as the text that [`Script::parse`] reads back to the same.
//!
//! Everything is written out: what a text left to `ok`, or to a default, is there. Start at
//! [`Script`].

use std::fmt::{Display, Formatter, Result};

use crate::behaviour::{After, Behaviour};
use crate::script::{Entry, Script};
use crate::text::quantity::{Size, Time};
use crate::text::tokens::Quoted;

/// `reset 2, say "hello\n"`; with `loop` at the end if it starts again.
impl Display for Script {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for (number, entry) in self.entries().iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{entry}")?;
        }
        f.write_str(if self.is_looping() { ", loop" } else { "" })
    }
}

/// `30% reset else say "hello\n" 5 every 20ms seed 7`, `refuse 2s`.
impl Display for Entry {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Connections { behaviour, count, every, chance } => {
                match chance {
                    None => write!(f, "{behaviour}")?,
                    Some(chance) => {
                        write!(f, "{} {behaviour} else {}", chance.percent, chance.otherwise)?;
                    }
                }
                // One connection, or every one from here on, is what a word alone says.
                if let Some(count @ (0 | 2..)) = count {
                    write!(f, " {count}")?;
                }
                if let Some(every) = every {
                    write!(f, " every {}", Time(*every))?;
                }
                if let Some(chance) = chance {
                    write!(f, " seed {}", chance.seed)?;
                }
                Ok(())
            }
            Self::Outage { outage, time: None } => write!(f, "{outage}"),
            Self::Outage { outage, time: Some(time) } => write!(f, "{outage} {}", Time(*time)),
        }
    }
}

/// The behaviour with all that belongs to it, as it stands in a script: `reset`,
/// `drip 1B 200ms "hello\n"`. Its [word](Behaviour::word) alone is shorter.
impl Display for Behaviour {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(self.word())?;
        match self {
            Self::Close
            | Self::Reset
            | Self::ReadThenClose
            | Self::ReadThenReset
            | Self::Stall
            | Self::NeverRead
            | Self::Flood
            | Self::Echo
            | Self::Sink
            | Self::Converse(_) => Ok(()),
            Self::CloseAfter(after) | Self::ResetAfter(after) | Self::StallAfter(after) => {
                write!(f, " {after}")
            }
            Self::Say(text)
            | Self::Answer(text)
            | Self::Cut(text)
            | Self::Banner(text)
            | Self::HalfClose(text)
            | Self::Truncated(text) => write!(f, " {}", Quoted(text)),
            Self::Oversized { text, bytes } => write!(f, " {} {}", Size(*bytes), Quoted(text)),
            Self::Drip { text, bytes, every } => {
                write!(f, " {} {} {}", Size(bytes.get() as u64), Time(*every), Quoted(text))
            }
            Self::Slice { text, bytes } => {
                write!(f, " {} {}", Size(bytes.get() as u64), Quoted(text))
            }
            Self::Garbage { bytes, seed } => write!(f, " {} seed {seed}", Size(*bytes)),
            Self::Delay { time, then } => write!(f, " {} {then}", Time(*time)),
            #[cfg(feature = "tls")]
            Self::Tls { then, .. } => write!(f, " {then}"),
            #[cfg(feature = "tls")]
            Self::Handshake(_) => Ok(()),
        }
    }
}

/// `100B in`, `100B out "hello\n"`.
impl Display for After {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::In(bytes) => write!(f, "{} in", Size(*bytes)),
            Self::Out { bytes, text } => write!(f, "{} out {}", Size(*bytes), Quoted(text)),
        }
    }
}

//! Scripts read from text: `reset 2, stall, ok`.
//!
//! The grammar, and what may stand where; it plays nothing. Start at [`Script::parse`].
//!
//! - `acts`: the table of a script's words; `reader`: what they can ask for
//! - `tokens`: a text cut into words and commas; `quantity`: its units; `nearest`: what was meant
//! - `print`: scripts written as text

mod acts;
mod nearest;
mod print;
mod quantity;
mod reader;
mod tokens;

use std::fmt;
use std::ops::Range;

use crate::behaviour::{Behaviour, Outage};
use crate::chance::Chance;
use crate::script::{Entry, Script};

pub use acts::{ACTS, Act};
pub(crate) use nearest::nearest;
pub(crate) use reader::Words;
pub(crate) use tokens::shown;

use quantity::Quantity;

use tokens::Kind;

/// Acts within acts, as in `delay 1s delay 1s ok`.
const DEEPEST: usize = 8;

/// The words that are no act and stand between others.
const BETWEEN: [&str; 7] = ["then", "else", "every", "seed", "in", "out", "loop"];

/// What happens instead of connections.
const OUTAGES: [Outage; 2] = [Outage::Refuse, Outage::Blackhole];

impl Script {
    /// Reads a script. `ok` in it means `well`; so does whatever a chance leaves over.
    ///
    /// ```text
    /// script = entry {"," entry} ["," "loop"]
    /// entry  = ["then"] ( outage [TIME]
    ///                   | [PERCENT] act ["else" act] [COUNT] ["every" TIME] ["seed" N] )
    /// outage = "refuse" | "blackhole"
    /// act    = a word of ACTS and what belongs to it
    /// ```
    ///
    /// - An entry holds for one connection, or for COUNT of them; an outage for its TIME. The last
    ///   entry repeats without end, or with `loop` the whole list does.
    /// - `every TIME` accepts no faster than one connection each so often.
    /// - `30% reset` is `reset` for 30 % of the connections and `ok`, or what `else` says, for the
    ///   others: see [`Chance`] for how that is drawn from `seed N`. Without a seed it is 0, so
    ///   the faults are the same at every start. The seed at the end is that of all that is drawn
    ///   in the entry, `garbage` too unless that has one of its own.
    /// - A bare number counts connections. A SIZE has a unit (`100B`, `4KiB`, `1MB`), so has a
    ///   TIME (`500us`, `200ms`, `1.5s`, `2m30s`); a PERCENT is `30%` or `0.5%`.
    /// - A TEXT is in "double" or 'single' quotes, with `\n \r \t \" \' \\ \xHH`.
    ///
    /// A script prints as a text that reads back to the same.
    ///
    /// ```
    /// use redial_lab::{Behaviour, Script};
    ///
    /// let well = Behaviour::say("hello\n");
    /// for text in [
    ///     "reset 2, stall, ok",
    ///     "ok 5, reset, loop",
    ///     "30% reset seed 7",
    ///     "refuse 2s, then close 3, then ok",
    /// ] {
    ///     let script = Script::parse(text, &well)?;
    ///     assert_eq!(Script::parse(&script.to_string(), &well)?, script);
    /// }
    /// # Ok::<(), redial_lab::ScriptError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What is wrong, where, and what to write instead.
    pub fn parse(text: &str, well: &Behaviour) -> Result<Self, ScriptError> {
        Words::new(text, well)?.script()
    }
}

/// What is wrong with a script's text, where, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The bytes of the text this is about. Empty at the place where something is missing.
    pub at: Range<usize>,
    /// What is wrong, naming it: ``no act is called `rest` ``.
    pub what: String,
    /// What to write instead: ``the nearest is `reset` ``.
    pub instead: String,
}

impl ScriptError {
    pub(crate) fn new(
        at: Range<usize>,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) -> Self {
        Self { at, what: what.into(), instead: instead.into() }
    }
}

/// `what; instead`, without the place.
impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.instead)
    }
}

impl std::error::Error for ScriptError {}

impl Words<'_> {
    fn script(&mut self) -> Result<Script, ScriptError> {
        let mut entries: Vec<(Entry, Range<usize>)> = Vec::new();
        let mut looping = false;
        loop {
            let start = self.here().start;
            if !entries.is_empty() && self.take("loop") {
                if self.next < self.tokens.len() {
                    let at = self.tokens[self.next - 1].at.clone();
                    return Err(ScriptError::new(at, "`loop` is not last", "move it to the end"));
                }
                looping = true;
                break;
            }
            let entry = self.entry()?;
            entries.push((entry, start..self.tokens[self.next - 1].at.end));
            match self.peek() {
                None => break,
                Some(Kind::Comma) => self.next += 1,
                Some(_) => return Err(self.left_over()),
            }
        }
        let reached = if looping { entries.len() } else { entries.len() - 1 };
        for (entry, at) in &entries[..reached] {
            if let Entry::Outage { outage, time: None } = entry {
                let what = format!("`{outage}` has no end here, so what follows never comes");
                return Err(ScriptError::new(at.clone(), what, format!("write `{outage} 2s`")));
            }
        }
        let entries = entries.into_iter().map(|(entry, _)| entry);
        Ok(if looping { Script::looping(entries) } else { Script::new(entries) })
    }

    fn entry(&mut self) -> Result<Entry, ScriptError> {
        self.take("then");
        let first = self.here();
        if let Some(outage) = OUTAGES.into_iter().find(|outage| self.take(&outage.to_string())) {
            return self.outage(outage);
        }
        self.find_seed();
        let percent = match self.quantity()? {
            Some(Quantity::Share(percent)) => {
                self.next += 1;
                Some(percent)
            }
            Some(_) => {
                let what = "an entry begins with what happens";
                return Err(ScriptError::new(first, what, "write the number behind: `reset 2`"));
            }
            None => None,
        };
        let behaviour = self.act()?;
        let chance = match (percent, self.take("else")) {
            (Some(percent), with_else) => {
                let otherwise = if with_else { self.act()? } else { self.nested(Self::well)? };
                let seed = self.seed_of_the_entry();
                Some(Chance { percent, seed, otherwise })
            }
            (None, false) => None,
            (None, true) => {
                let what = "`else` without a chance before it";
                let instead = "write `30% reset else stall`";
                return Err(ScriptError::new(self.before(), what, instead));
            }
        };
        let count = match self.quantity()? {
            Some(Quantity::Bare(0)) => {
                let what = "an entry for no connection";
                return Err(ScriptError::new(self.here(), what, "leave the entry out"));
            }
            Some(Quantity::Bare(count)) => {
                self.next += 1;
                count
            }
            _ => 1,
        };
        let every = match self.take("every") {
            false => None,
            true => Some(
                self.time()?
                    .filter(|time| !time.is_zero())
                    .ok_or_else(|| self.missing("a time longer than none", "every 20ms"))?,
            ),
        };
        let seed = self.here().start;
        if self.take("seed") {
            self.bare()?; // for a use above
            if !self.drawn {
                let at = seed..self.before().end;
                let instead = "leave it out, or write a chance, as in `30% reset seed 7`";
                return Err(ScriptError::new(at, "`seed` where nothing is drawn", instead));
            }
        }
        Ok(Entry::Connections { behaviour, count: Some(count), every, chance })
    }

    fn outage(&mut self, outage: Outage) -> Result<Entry, ScriptError> {
        let time = match self.quantity()? {
            None => None,
            Some(Quantity::Time(time)) if !time.is_zero() => {
                self.next += 1;
                Some(time)
            }
            Some(_) => {
                let what = format!("`{outage}` lasts for a time, and lets in no connection");
                let instead = format!("write how long: `{outage} 2s`");
                return Err(ScriptError::new(self.here(), what, instead));
            }
        };
        Ok(Entry::Outage { outage, time })
    }

    fn act(&mut self) -> Result<Behaviour, ScriptError> {
        let at = self.here();
        let Some(Kind::Word(word)) = self.peek() else {
            let what = match self.peek() {
                None | Some(Kind::Comma) => "an entry is missing",
                Some(_) => "a text without a word that says it",
            };
            return Err(ScriptError::new(at, what, "write what happens, such as `ok` or `say`"));
        };
        let word = *word;
        let Some(act) = Act::find(word) else { return Err(unknown(word, at)) };
        self.next += 1;
        self.nested(act.reader())
    }

    /// The act that follows, if any does: `ok` is the act that may be left out.
    pub(crate) fn act_or_ok(&mut self) -> Result<Behaviour, ScriptError> {
        let begins = |word: &&str| word.starts_with(|c: char| c.is_ascii_alphabetic());
        match self.word().filter(begins).filter(|word| !BETWEEN.contains(word)) {
            Some(_) => self.act(),
            None => self.nested(Self::well),
        }
    }

    /// Reads one act, which may have another within it, but not without end.
    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Behaviour, ScriptError>,
    ) -> Result<Behaviour, ScriptError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.too_deep());
        }
        let behaviour = read(self)?;
        self.depth -= 1;
        Ok(behaviour)
    }

    pub(crate) fn well(&mut self) -> Result<Behaviour, ScriptError> {
        // Where it stands is one of its own levels.
        match self.depth - 1 + self.well.levels() > DEEPEST {
            true => Err(self.too_deep()),
            false => Ok(self.well.clone()),
        }
    }

    fn too_deep(&self) -> ScriptError {
        let what = "too many acts within each other";
        ScriptError::new(self.before(), what, format!("write {DEEPEST} at most"))
    }

    /// What stands where an entry should have ended.
    fn left_over(&self) -> ScriptError {
        let at = self.here();
        let Some(word) = self.word() else {
            let instead = "write it behind a word that says it, such as `say`";
            return ScriptError::new(at, "a text that belongs to no word", instead);
        };
        let what = format!("{} does not belong here", shown(word));
        if Act::find(word).is_some() || word == "loop" || is_outage(word) || word == "then" {
            return ScriptError::new(at, what, format!("write a comma before it: `, {word}`"));
        }
        let instead = match nearest(word, BETWEEN) {
            Some(near) if near != word => format!("the nearest is `{near}`"),
            _ => "an entry is written: ACT [COUNT] [every TIME] [seed N]".to_owned(),
        };
        ScriptError::new(at, what, instead)
    }
}

fn is_outage(word: &str) -> bool {
    OUTAGES.iter().any(|outage| outage.to_string() == word)
}

fn unknown(word: &str, at: Range<usize>) -> ScriptError {
    if is_outage(word) {
        let what = format!("`{word}` lets in no connection, so it can be no part of one");
        return ScriptError::new(at, what, format!("write it as an entry: `{word} 2s`"));
    }
    if word == "loop" {
        let what = "`loop` without anything before it";
        return ScriptError::new(at, what, "write `ok 5, reset, loop`");
    }
    let what = format!("no act is called {}", shown(word));
    let words = ACTS.iter().map(|act| act.word()).chain(["refuse", "blackhole", "then", "loop"]);
    let instead = match nearest(word, words.clone()) {
        Some(near) => format!("the nearest is `{near}`"),
        None => format!("there are: {}", words.collect::<Vec<_>>().join(", ")),
    };
    ScriptError::new(at, what, instead)
}

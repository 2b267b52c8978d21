//! A pattern, as the automaton that matches it.
//!
//! It is built from the end to the start: every part is given the state that follows it. Only
//! the earliest end of a match is asked for, so greed and the order of alternatives play no part.
//! What must not be compiled was refused before. Start at [`Automaton::of`].

use alloc::{vec, vec::Vec};

use regex_automata::{
    Anchored,
    dfa::{Automaton as _, StartKind, dense},
    nfa::thompson::{Builder, NFA, Transition},
    util::{look, primitives::StateID, start},
};
use regex_syntax::{
    hir::{Class, Hir, HirKind, Look, Repetition},
    utf8::Utf8Sequences,
};

/// The largest automaton, and what making it may cost for a moment. In bytes.
const LIMIT: usize = 1 << 20;
const WORK_LIMIT: usize = 4 << 20;

/// A state for everything the bytes so far can mean.
pub(super) struct Automaton {
    pub(super) dfa: dense::DFA<Vec<u32>>,
    pub(super) start: StateID,
}

impl Automaton {
    /// Compiles the pattern; nothing if it would be too large.
    pub(super) fn of(hir: &Hir, anchored: bool) -> Option<Self> {
        let (kind, anchored) = match anchored {
            true => (StartKind::Anchored, Anchored::Yes),
            false => (StartKind::Unanchored, Anchored::No),
        };
        let config = dense::Config::new()
            .start_kind(kind)
            .accelerate(false)
            .dfa_size_limit(Some(LIMIT))
            .determinize_size_limit(Some(WORK_LIMIT));
        let dfa = dense::Builder::new().configure(config).build_from_nfa(&nfa(hir)?).ok()?;
        let start = dfa.start_state(&start::Config::new().anchored(anchored)).ok()?;
        Some(Self { dfa, start })
    }
}

fn nfa(hir: &Hir) -> Option<NFA> {
    let mut states = States(Builder::new());
    states.0.set_utf8(false);
    states.0.set_size_limit(Some(LIMIT)).ok()?;
    states.0.start_pattern().ok()?;
    let end = states.0.add_match().ok()?;
    let start = states.before(hir, end)?;
    states.0.finish_pattern(start).ok()?;
    // For a match anywhere: the start, or any byte and then the same again.
    let anywhere = states.any(vec![start])?;
    let any_byte = states.range(0x00, 0xff, anywhere)?;
    states.0.patch(anywhere, any_byte).ok()?;
    states.0.build(start, anywhere).ok()
}

struct States(Builder);

impl States {
    /// The state from which this part leads to `next`.
    fn before(&mut self, hir: &Hir, next: StateID) -> Option<StateID> {
        match hir.kind() {
            HirKind::Empty => Some(next),
            HirKind::Literal(literal) => {
                literal.0.iter().rev().try_fold(next, |next, &byte| self.range(byte, byte, next))
            }
            HirKind::Class(Class::Bytes(class)) => {
                let ranges = class.ranges().iter();
                let starts = ranges.map(|range| self.range(range.start(), range.end(), next));
                let starts = starts.collect::<Option<_>>()?;
                self.any(starts)
            }
            HirKind::Class(Class::Unicode(class)) => {
                let sequences = class
                    .ranges()
                    .iter()
                    .flat_map(|range| Utf8Sequences::new(range.start(), range.end()));
                let starts = sequences.map(|sequence| {
                    let bytes = sequence.as_slice().iter().rev();
                    bytes
                        .copied()
                        .try_fold(next, |next, byte| self.range(byte.start, byte.end, next))
                });
                let starts = starts.collect::<Option<_>>()?;
                self.any(starts)
            }
            HirKind::Look(Look::Start) => self.0.add_look(next, look::Look::Start).ok(),
            HirKind::Look(_) => None,
            HirKind::Repetition(repetition) => self.repeated(repetition, next),
            HirKind::Capture(capture) => self.before(&capture.sub, next),
            HirKind::Concat(parts) => {
                parts.iter().rev().try_fold(next, |next, part| self.before(part, next))
            }
            HirKind::Alternation(parts) => {
                let starts = parts.iter().map(|part| self.before(part, next));
                let starts = starts.collect::<Option<_>>()?;
                self.any(starts)
            }
        }
    }

    fn repeated(&mut self, repetition: &Repetition, next: StateID) -> Option<StateID> {
        let Repetition { min, max, sub, .. } = repetition;
        let mut start = next;
        match max {
            Some(max) => {
                for _ in *min..*max {
                    let once_more = self.before(sub, start)?;
                    start = self.any(vec![once_more, next])?;
                }
            }
            None => {
                start = self.any(vec![next])?;
                let once_more = self.before(sub, start)?;
                self.0.patch(start, once_more).ok()?;
            }
        }
        (0..*min).try_fold(start, |next, _| self.before(sub, next))
    }

    /// A state that is all of these at once.
    fn any(&mut self, starts: Vec<StateID>) -> Option<StateID> {
        self.0.add_union(starts).ok()
    }

    fn range(&mut self, start: u8, end: u8, next: StateID) -> Option<StateID> {
        self.0.add_range(Transition { start, end, next }).ok()
    }
}

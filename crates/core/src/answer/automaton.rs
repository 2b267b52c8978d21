//! A pattern, as the automaton that matches it.
//!
//! A dense DFA: one state id per connection, and each byte is looked at once. Only the earliest end
//! of a match is asked for, so greed and the order of alternatives play no part. What must not be
//! compiled was refused before. Start at [`Automaton::of`].
//!
//! Bytes that an answer must begin with are not compiled but compared: most of a recipe's patterns
//! are such, and to make a DFA of each took half the time of a start.

use alloc::{boxed::Box, vec::Vec};

use regex_automata::{
    Anchored,
    dfa::{Automaton as _, StartKind, dense},
    nfa::thompson::{self, WhichCaptures},
    util::{primitives::StateID, start},
};
use regex_syntax::hir::Hir;

/// The largest automaton, and what making it may cost for a moment. In bytes.
const LIMIT: usize = 1 << 20;
const WORK_LIMIT: usize = 4 << 20;

pub(super) enum Automaton {
    /// These bytes, the very first ones.
    Bytes(Box<[u8]>),
    /// A state for everything the bytes so far can mean.
    Dfa { dfa: Box<dense::DFA<Vec<u32>>>, start: StateID },
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
        // Bytes, not text: a server may say anything.
        let bytes = thompson::Config::new()
            .utf8(false)
            .nfa_size_limit(Some(LIMIT))
            .which_captures(WhichCaptures::None);
        let nfa = thompson::Compiler::new().configure(bytes).build_from_hir(hir).ok()?;
        let dfa = dense::Builder::new().configure(config).build_from_nfa(&nfa).ok()?;
        let start = dfa.start_state(&start::Config::new().anchored(anchored)).ok()?;
        Some(Self::Dfa { dfa: Box::new(dfa), start })
    }

    /// Before the first byte.
    pub(super) const fn start(&self) -> StateID {
        match self {
            Self::Bytes(_) => StateID::ZERO,
            Self::Dfa { start, .. } => *start,
        }
    }
}

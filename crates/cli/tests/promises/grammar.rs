//! The clause grammar: accepted spellings and the canonical form that `check` prints.

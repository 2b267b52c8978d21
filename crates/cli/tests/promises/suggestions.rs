//! Suggestions: every printed correction is accepted by the parser.

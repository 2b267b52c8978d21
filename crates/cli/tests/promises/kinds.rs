//! Kinds of failure: the right kind, and a next step that fits.

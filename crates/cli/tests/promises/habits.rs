//! Flags and habits of other tools: accepted, or answered with the line to write.

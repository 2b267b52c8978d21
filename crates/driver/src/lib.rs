//! try / except for connections: dial, check the answer, and do what the matching clause says.

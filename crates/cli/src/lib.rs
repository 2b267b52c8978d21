//! The command line of redial: try / except for connections.

//! Signals and blocked output: neither delays a deadline nor an exit.

//! The live lines of a wait: one for each target, each in its last state.
//!
//! Drawing them is `stderr`'s. Start at [`lines`].

use super::progress::{State, Watched, in_short, tries};

/// A line for each target: `  db:5432  3 tries  refused: …`
pub(super) fn lines(targets: &[Watched], gone: bool) -> Vec<String> {
    targets.iter().map(|target| line(target, gone)).collect()
}

fn line(target: &Watched, gone: bool) -> String {
    let Some(telling) = target.telling() else { return format!("  {}", target.label) };
    let state = match (telling.state, &telling.last) {
        (State::Ready(_), _) if gone => "gone".to_owned(),
        (State::Ready(_), _) => "ready".to_owned(),
        (State::Trying | State::Lost(_), Some(failure)) => in_short(failure, gone),
        (State::Trying | State::Lost(_), None) => String::new(),
    };
    let line = format!("  {}  {}  {state}", target.label, tries(telling.tries));
    line.trim_end().to_owned()
}

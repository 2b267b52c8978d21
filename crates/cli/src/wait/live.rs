//! The live lines on a terminal: one for each target, each in its last state.
//!
//! Drawing and the cursor are indicatif's; when this is dropped the lines are gone and the cursor
//! is where it was. Start at [`Live`].

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::progress::{State, Watched, in_short, tries};

/// More lines than a screen has would only flicker.
const MOST: usize = 16;

/// The lines.
pub(crate) struct Live {
    screen: MultiProgress,
    lines: Vec<ProgressBar>,
}

impl Live {
    pub(crate) fn new(labels: &[&str]) -> Self {
        let screen = MultiProgress::new();
        let style = ProgressStyle::with_template("  {spinner} {wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let line = |label: &&str| {
            let line = screen.add(ProgressBar::new_spinner().with_style(style.clone()));
            line.set_message((*label).to_owned());
            line
        };
        let lines = labels.iter().take(MOST).map(line).collect();
        Self { screen, lines }
    }

    /// Draws a target as it is now.
    pub(crate) fn show(&self, target: usize, watched: &Watched, gone: bool) {
        let (Some(line), Some(telling)) = (self.lines.get(target), watched.telling()) else {
            return;
        };
        let state = match (telling.state, &telling.last) {
            (State::Ready(_), _) if gone => "gone".to_owned(),
            (State::Ready(_), _) => "ready".to_owned(),
            (State::Trying | State::Lost(_), Some(failure)) => in_short(failure, gone),
            (State::Trying | State::Lost(_), None) => String::new(),
        };
        let message = format!("{}  {}  {state}", watched.label, tries(telling.tries));
        line.set_message(message);
        line.tick();
    }

    /// A line above the live ones.
    pub(crate) fn say(&self, line: &str) {
        // Whoever closed standard error does not want to hear it.
        drop(self.screen.println(line));
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        drop(self.screen.clear());
    }
}

//! The live lines of a terminal: the state of what is under way, below all lines that stay.
//!
//! They are drawn again around whatever else is written, in one text, so that neither is ever within
//! the other. When that is written is the thread's matter. Start at [`Live::around`].

use std::{
    fmt::Write,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use crate::terminal::Style;

/// How long live lines stay as they are, at least.
const FRAME: Duration = Duration::from_millis(50);
/// More lines than a small screen has would scroll.
const MOST: usize = 16;

/// Data that standard output has put on a terminal did not end its line.
static OPEN_LINE: AtomicBool = AtomicBool::new(false);

/// Remembers how the data ended that standard output has put on a terminal.
pub(crate) fn data_on_terminal(data: &[u8]) {
    if let Some(last) = data.last() {
        OPEN_LINE.store(*last != b'\n', Ordering::Relaxed);
    }
}

/// The live lines as they should be, and as they are.
#[derive(Default)]
pub(super) struct Live {
    lines: Vec<String>,
    is_changed: bool,
    /// How many the terminal shows.
    drawn: usize,
    drawn_at: Option<Instant>,
}

impl Live {
    /// Replaces the lines; returns whether that changed anything.
    pub(super) fn set(&mut self, mut lines: Vec<String>) -> bool {
        lines.truncate(MOST);
        let is_changed = self.lines != lines;
        self.lines = lines;
        self.is_changed |= is_changed;
        is_changed
    }

    /// Whether the terminal shows other lines than these.
    pub(super) const fn is_due(&self) -> bool {
        self.is_changed
    }

    /// Whether the terminal shows lines that are to go.
    pub(super) const fn is_to_go(&self) -> bool {
        self.is_changed && self.lines.is_empty()
    }

    /// How long until they are to be drawn; `None` while nothing has changed.
    pub(super) fn next_frame(&self) -> Option<Duration> {
        let age = self.drawn_at.map_or(FRAME, |at| at.elapsed());
        let pause = if self.is_to_go() { Duration::ZERO } else { FRAME.saturating_sub(age) };
        self.is_changed.then_some(pause)
    }

    /// What puts these lines above the live ones.
    pub(super) fn around(&mut self, lines: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        if self.drawn > 0 {
            text.extend_from_slice(b"\r");
            if self.drawn > 1 {
                text.extend_from_slice(format!("\x1b[{}A", self.drawn - 1).as_bytes());
            }
            text.extend_from_slice(b"\x1b[J");
        }
        let is_any = !lines.is_empty() || !self.lines.is_empty();
        if is_any && OPEN_LINE.swap(false, Ordering::Relaxed) {
            text.push(b'\n');
        }
        text.extend_from_slice(lines);
        text.extend_from_slice(self.drawing().as_bytes());
        (self.drawn, self.is_changed) = (self.lines.len(), false);
        self.drawn_at = Some(Instant::now());
        text
    }

    fn drawing(&self) -> String {
        let size = rustix::termios::tcgetwinsize(super::stderr()).ok();
        let width = size.map(|size| usize::from(size.ws_col)).filter(|width| *width > 0);
        let width = width.unwrap_or(80);
        let cut = |line: &String| {
            let short: String = line.chars().take(width - 1).collect();
            Style::of_stderr().faint(&short)
        };
        let lines: Vec<String> = self.lines.iter().map(cut).collect();
        let mut drawing = lines.join("\n");
        if !drawing.is_empty() {
            // A letter may be wider than it was counted: such a line may not go on in the next.
            drawing.insert_str(0, "\x1b[?7l");
            let _ = drawing.write_str("\x1b[?7h");
        }
        drawing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_stay_are_above_the_live_ones() {
        let mut live = Live::default();
        let drawn = |live: &mut Live, lines: &str| {
            String::from_utf8(live.around(lines.as_bytes())).unwrap()
        };
        assert!(live.set(vec!["one".into(), "two".into()]));
        assert_eq!(drawn(&mut live, "a\n"), "a\n\x1b[?7lone\ntwo\x1b[?7h");
        assert!(!live.set(vec!["one".into(), "two".into()]));
        assert_eq!(live.next_frame(), None);
        assert!(live.set(Vec::new()) && live.is_to_go());
        assert_eq!(live.next_frame(), Some(Duration::ZERO));
        assert_eq!(drawn(&mut live, "b\n"), "\r\x1b[1A\x1b[Jb\n");
        assert_eq!(drawn(&mut live, "c\n"), "c\n");
    }
}

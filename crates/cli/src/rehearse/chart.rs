//! The chart in the terminal.

use crate::terminal::Style;

pub(super) fn draw(_reports: &[redial_sim::Report], _style: Style) -> String {
    String::new()
}

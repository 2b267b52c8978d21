//! The chart in the terminal: for each policy its attempts over time, and the clients connected.
//!
//! All have the same scales, so that they can be compared. 80 columns; colours only where they are
//! wanted, and nothing rests on them. Start at [`draw`].

use super::{
    figures::Short,
    view::{View, number, whole, written},
};
use crate::terminal::Style;

/// What stands left of the curves, and how wide they are.
const MARGIN: usize = 18;
const WIDTH: usize = 61;
/// An eighth of a line to a whole one.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// More than the scale goes to.
const BEYOND: char = '▲';

/// The lines, one picture below the other.
pub(super) fn draw(view: &View, reports: &[redial_sim::Report], style: Style) -> String {
    // Many policies have less room each.
    let rows = if reports.len() <= 4 { 4 } else { 2 };
    let mut text = String::new();
    for (place, report) in reports.iter().enumerate() {
        let paint = |line: &str| style.number(place, line);
        let arrivals = view.arrivals(report, WIDTH);
        text += &paint(&report.policy);
        text += "\n";
        let curve = curve(&arrivals, view.most, rows);
        text += &labelled("attempts/s", &Short(rounded(view.most)).to_string(), &curve, paint);
        let connected = view.connected(report, WIDTH);
        let curve = self::curve(&connected, view.clients, 2);
        text += &labelled("connected", &Short(rounded(view.clients)).to_string(), &curve, paint);
    }
    text += &down(view);
    text += &axis(view);
    if let Some(beyond) = view.beyond(reports) {
        let most = Short(rounded(beyond));
        text += &format!("{:MARGIN$} {BEYOND} up to {most}/s, while the server was down\n", "");
    }
    text
}

/// Rows of blocks, the highest first. What is not nothing shows.
fn curve(values: &[f64], most: f64, rows: usize) -> Vec<String> {
    let eighths = |value: &f64| match whole((value / most * number(rows as u64) * 8.0).round()) {
        0 if *value > 0.0 => 1,
        eighths => eighths,
    };
    let row = |row: usize| {
        let block = |value: &f64| {
            if row + 1 == rows && *value > most * 1.005 {
                return BEYOND;
            }
            let filled = eighths(value).saturating_sub(row * 8).min(8);
            BLOCKS.get(filled).copied().unwrap_or(' ')
        };
        values.iter().map(block).collect()
    };
    (0..rows).rev().map(row).collect()
}

/// The rows with the scale at their left: the most at the top, 0 at the bottom.
fn labelled(what: &str, most: &str, rows: &[String], paint: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    for (place, row) in rows.iter().enumerate() {
        let label = match place {
            0 => format!("  {what:<10} {most:>4} ┤"),
            _ if place + 1 == rows.len() => format!("{:>17} ┤", 0),
            _ => format!("{:>17} │", ""),
        };
        text += &format!("{label}{}", paint(row));
        text.truncate(text.trim_end().len());
        text += "\n";
    }
    text
}

/// A line that says when some server is down.
fn down(view: &View) -> String {
    let step = (view.to - view.from) / number(WIDTH as u64);
    let is_down = |column: u64| {
        let middle = view.from + (number(column) + 0.5) * step;
        view.downs.iter().any(|(begin, end)| *begin <= middle && middle < *end)
    };
    let marks: String =
        (0..WIDTH as u64).map(|column| if is_down(column) { '░' } else { '─' }).collect();
    format!("  {:<10} {:>4} └{marks}\n", "down: ░", "")
}

/// Times from the return.
fn axis(view: &View) -> String {
    let mut line = " ".repeat(MARGIN + WIDTH + 1);
    for at in view.ticks() {
        let label = written(at);
        let column = MARGIN + whole(view.place(at + view.returned).max(0.0) * number(WIDTH as u64));
        // In the middle below its time, unless there is no room.
        let begin = column.saturating_sub(label.len() / 2).max(MARGIN);
        let free = line.get(begin.saturating_sub(1)..begin + label.len() + 1);
        if free.is_some_and(|free| free.trim().is_empty()) {
            line.replace_range(begin..begin + label.len(), &label);
        }
    }
    format!("  {:<15}{}\n", "from the return", line[17..].trim_end())
}

fn rounded(number: f64) -> u64 {
    whole(number.round()) as u64
}

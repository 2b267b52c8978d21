//! The table: a line for each policy, its columns as wide as what stands in them.
//!
//! Formatting only. Start at [`table`].

use std::time::Duration;

use redial::Rounded;
use redial_sim::Report;

use super::figures::{Grouped, cut};

const WIDTH: usize = 80;
/// A name has at least so much room before columns are set apart.
const NAME: usize = 14;
const COLUMNS: usize = 9;

/// The two lines above it: what columns have in common, and what each is.
const GROUPS: [(&str, usize); 4] =
    [("", 2), ("back after the return", 3), ("peak attempts", 2), ("", 3)];
const HEADS: [&str; COLUMNS + 1] =
    ["policy", "recovers", "50%", "99%", "100%", "per s", "per 100ms", "each", "wasted", "ampl."];

/// The lines, at most 80 columns wide; longer names are cut.
pub(super) fn table(reports: &[Report]) -> String {
    let rows: Vec<[String; COLUMNS]> = reports.iter().map(row).collect();
    let mut widths = [0; COLUMNS];
    for (column, width) in widths.iter_mut().enumerate() {
        let cells = rows.iter().map(|row| row[column].chars().count());
        *width = cells.chain([HEADS[column + 1].len()]).max().unwrap_or(0);
    }
    // Two spaces between columns where there is room.
    let names = reports.iter().map(|report| report.policy.chars().count());
    let longest = names.chain([HEADS[0].len()]).max().unwrap_or(0);
    let others: usize = widths.iter().map(|width| width + 1).sum();
    if longest.min(NAME) + others + COLUMNS <= WIDTH {
        widths.iter_mut().for_each(|width| *width += 1);
    }
    let others: usize = widths.iter().map(|width| width + 1).sum();
    let first = longest.min(WIDTH.saturating_sub(others)).max(HEADS[0].len());

    let mut text = groups(first, &widths);
    text += &line(HEADS[0], first, &widths, &HEADS[1..]);
    for (report, row) in reports.iter().zip(&rows) {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        text += &line(&cut(&report.policy, first), first, &widths, &cells);
    }
    text
}

fn row(report: &Report) -> [String; COLUMNS] {
    let back = |time: Option<Duration>| time.map_or("–".into(), |time| Rounded(time).to_string());
    [
        if report.recovers { "yes" } else { "no" }.into(),
        back(report.back_50),
        back(report.back_99),
        back(report.back_100),
        Grouped(report.peak_second).to_string(),
        Grouped(report.peak_tenth).to_string(),
        format!("{:.1}", report.attempts_per_client()),
        format!("{:.0}%", report.wasted * 100.0),
        format!("{:.1}x", report.amplification),
    ]
}

fn line(name: &str, first: usize, widths: &[usize], cells: &[&str]) -> String {
    let mut line = format!("{name:<first$}");
    for (cell, width) in cells.iter().zip(widths) {
        line += &format!(" {cell:>width$}");
    }
    line + "\n"
}

/// What stands above several columns, in their middle.
fn groups(first: usize, widths: &[usize]) -> String {
    let (mut line, mut column) = (String::new(), 0);
    for (group, count) in GROUPS {
        // The first group begins with the name.
        let own = if column == 0 { first } else { 0 };
        let taken = count - usize::from(column == 0);
        let width =
            own + widths[column..column + taken].iter().map(|width| width + 1).sum::<usize>();
        line += &format!("{group:>width$}");
        column += taken;
    }
    line.trim_end().to_owned() + "\n"
}

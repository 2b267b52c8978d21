//! The traceback: every attempt of a session that failed, and one sentence on what to do next.
//!
//! A view of the record, aligned, one line an attempt: where, what, how long, and which clause did
//! what about it. It prints nothing and decides nothing. Start at [`traceback`].

use std::time::Duration;

use redial::{
    Action, Address, Between, Event, Failure, Happened, Kind, Outcome, Record, Rounded, Times,
};

use crate::{story::address_line, terminal::Style};

/// The whole traceback of a record that ended with this failure.
pub(crate) fn traceback(record: &Record, failure: &Failure, style: Style) -> String {
    let rows = rows(record);
    let attempts = attempts(record);
    let elapsed = record.events().flatten().last().map_or(Duration::ZERO, |last| last.at);
    let mut lines = vec![format!(
        "redial: {}: {} ({attempts} {}, {})",
        style.strong(headline(record, failure)),
        targets(record),
        if attempts == 1 { "attempt" } else { "attempts" },
        Rounded(elapsed)
    )];
    let cells: Vec<[&str; 6]> = rows.iter().filter_map(Line::row).map(Row::cells).collect();
    let widths: [usize; 6] = std::array::from_fn(|column| {
        cells.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0)
    });
    let indent = " ".repeat(2 + widths[0]);
    for line in &rows {
        lines.push(match line {
            Line::Gap(between) => format!("  {:>1$}  {2}", "…", widths[0], gap(between)),
            Line::Row(row) => row.aligned(&widths, style),
        });
    }
    if failure.addresses.len() > 1 {
        lines.extend(
            failure.addresses.iter().map(|tried| format!("{indent}  {}", address_line(tried))),
        );
    }
    lines.push(closing(record, failure));
    lines.join("\n")
}

/// The sentence at the end: what happened, to what, and what to do next.
pub(crate) fn closing(record: &Record, failure: &Failure) -> String {
    let sentence = failure.sentence(&record.policy().limits_named(&failure.server));
    let retried = record.events().flatten().any(|happened| {
        matches!(happened.event, Event::Handled { action: Action::Retry { .. }, .. })
    });
    let again = match (failure.kind, retried) {
        (_, true) => "to try for longer: --retry forever --deadline 5m",
        (Kind::Refused | Kind::ClosedEarly | Kind::Unavailable, false) => {
            "to go on trying: --retry 10"
        }
        (_, false) => return sentence,
    };
    match failure.is_fresh() && !failure.lasting && !failure.kind.only_where_named() {
        true if sentence.ends_with('?') => {
            format!("{sentence} {}{}", again[..1].to_uppercase(), &again[1..])
        }
        true => format!("{sentence}; {again}"),
        false => sentence,
    }
}

fn headline(record: &Record, failure: &Failure) -> &'static str {
    let connected =
        record.events().flatten().any(|happened| matches!(happened.event, Event::Connected { .. }));
    match (failure.kind, connected) {
        (Kind::Deadline, false) => "gave up in time",
        (_, false) => "could not connect",
        (_, true) => "the connection failed",
    }
}

fn targets(record: &Record) -> String {
    let servers: Vec<String> =
        record.policy().servers().iter().map(|server| server.label().to_string()).collect();
    servers.join(", ")
}

/// How many attempts there were, those that were not kept included.
fn attempts(record: &Record) -> u64 {
    let kept = record
        .events()
        .flatten()
        .filter(|happened| matches!(happened.event, Event::Trying { .. }))
        .count();
    kept as u64 + record.between().attempts
}

enum Line {
    Row(Row),
    Gap(Between),
}

impl Line {
    fn row(&self) -> Option<&Row> {
        match self {
            Self::Row(row) => Some(row),
            Self::Gap(_) => None,
        }
    }
}

struct Row {
    number: String,
    server: String,
    address: String,
    kind: String,
    took: String,
    decision: String,
}

impl Row {
    fn cells(&self) -> [&str; 6] {
        [&self.number, &self.server, &self.address, &self.kind, &self.took, &self.decision]
    }

    /// The cells in columns; a column that is empty in every row takes no room.
    fn aligned(&self, widths: &[usize; 6], style: Style) -> String {
        const NUMBER: usize = 0;
        const KIND: usize = 3;
        let mut line = String::new();
        for (column, (cell, width)) in
            self.cells().into_iter().zip(widths).enumerate().filter(|(_, (_, width))| **width > 0)
        {
            // Colour codes have no width, so the padding comes first.
            let padded = if column == NUMBER {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            };
            line.push_str("  ");
            line.push_str(&if column == KIND { style.failure(&padded) } else { padded });
        }
        line.trim_end().to_owned()
    }
}

/// A line for each failure, with the decision that followed it.
fn rows(record: &Record) -> Vec<Line> {
    let mut rows: Vec<Line> = Vec::new();
    for happened in record.events() {
        match happened {
            None => rows.push(Line::Gap(record.between().clone())),
            Some(Happened { event: Event::Failed { attempt, failure }, .. }) => {
                rows.push(Line::Row(Row {
                    number: attempt.to_string(),
                    server: failure.server.to_string(),
                    address: address(failure),
                    kind: failure.kind.name().to_owned(),
                    took: Rounded(failure.elapsed).to_string(),
                    decision: String::new(),
                }))
            }
            Some(Happened { event: Event::Handled { clause, used_up, action, .. }, .. }) => {
                if let Some(Line::Row(row)) = rows.last_mut() {
                    row.decision = decision(record, *clause, *used_up, *action);
                }
            }
            Some(_) => {}
        }
    }
    rows
}

/// The address without the port the server's name shows already, and how many others there were.
fn address(failure: &Failure) -> String {
    let tried = failure.addresses.iter().filter(|tried| tried.outcome != Outcome::NotTried).count();
    let others = if tried > 1 { format!(" +{}", tried - 1) } else { String::new() };
    match &failure.address {
        Some(Address::Ip(address)) if *failure.server == *address.to_string() => {
            others.trim_start().to_owned()
        }
        Some(Address::Ip(address)) => format!("{}{others}", address.ip()),
        _ => others.trim_start().to_owned(),
    }
}

fn decision(record: &Record, clause: Option<usize>, used_up: bool, action: Action) -> String {
    let policy = record.policy();
    let label = clause.and_then(|index| policy.clauses().get(index)).map(|clause| clause.label());
    let used_up = if used_up { "used up, " } else { "" };
    let what = match action {
        Action::Unhandled => return "not handled".to_owned(),
        Action::Retry { n, of: Times::Only(of), delay } => {
            format!("retry {n} of {of} in {}", Rounded(delay))
        }
        Action::Retry { n, of: Times::Forever, delay } => {
            format!("retry {n} in {}", Rounded(delay))
        }
        Action::Next { delay, dropped, .. } => {
            let dropped = if dropped { "dropped, " } else { "" };
            let pause =
                if delay.is_zero() { String::new() } else { format!(" in {}", Rounded(delay)) };
            format!("{dropped}next server{pause}")
        }
        Action::Exit { status } => format!("exit {status}"),
        Action::Stop => "stop".to_owned(),
        _ => String::new(),
    };
    match label {
        // The verb's own `next` needs no name.
        Some(label) if clause.is_some_and(|clause| !policy.is_own(clause)) => {
            format!("{label}: {used_up}{what}")
        }
        _ => format!("{used_up}{what}"),
    }
}

fn gap(between: &Between) -> String {
    let kinds: Vec<String> =
        between.failures.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    format!("{} more attempts: {}", between.attempts, kinds.join(", "))
}

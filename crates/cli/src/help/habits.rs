//! `redial help habits`: the flags of other tools that are known, from the table that reads them.
//!
//! The same rows are a part of `docs/coming-from.md`. Start at [`text`].

use super::{tables::row, wrapped};
use crate::habits::{HABITS, SPELLINGS};

/// `redial help habits`.
pub(super) fn text() -> String {
    let mut text = format!("HABITS OF OTHER TOOLS\n\n{}\n", wrapped(INTRODUCTION, 0));
    for tool in tools() {
        text += &format!("\n{}\n", tool.to_uppercase());
        for (there, here) in rows(tool) {
            text += &row(&there, &here, 34);
        }
    }
    text + "\nMore on each tool: docs/coming-from.md\n"
}

/// The part of `docs/coming-from.md` that is generated.
#[cfg(test)]
pub(super) fn section() -> String {
    let escaped = |text: &str| text.replace('|', "\\|");
    let mut page = format!("{INTRODUCTION}\n\n| tool | there | verb | here |\n|---|---|---|---|\n");
    for tool in tools() {
        for spelling in SPELLINGS.iter().filter(|spelling| spelling.tool == tool) {
            page += &format!("| {tool} | `{}` | wait | {} |\n", spelling.there, spelling.here);
        }
        for habit in HABITS.iter().filter(|habit| habit.tool == tool) {
            page += &format!(
                "| {tool} | `{}`: {} | {} | {} |\n",
                habit.names.join("`, `"),
                habit.does,
                habit.verbs().join(", "),
                escaped(&habit.here())
            );
        }
    }
    page
}

const INTRODUCTION: &str = "\
A flag that means the same here is accepted as it is. Any other is answered with the exact line \
to write, made of the words that were typed.";

/// The tools, in the order of the table.
fn tools() -> Vec<&'static str> {
    let mut tools: Vec<&str> = Vec::new();
    let named = HABITS.iter().map(|habit| habit.tool);
    for tool in named.chain(SPELLINGS.iter().map(|spelling| spelling.tool)) {
        if !tools.contains(&tool) {
            tools.push(tool);
        }
    }
    tools
}

/// What is written there, and what it is here.
fn rows(tool: &str) -> Vec<(String, String)> {
    let spellings = SPELLINGS.iter().filter(|spelling| spelling.tool == tool);
    let spellings =
        spellings.map(|spelling| (format!("wait {}", spelling.there), spelling.here.to_owned()));
    let flags = HABITS.iter().filter(|habit| habit.tool == tool).map(|habit| {
        (format!("{} {}", habit.verbs().join("|"), habit.names.join(" ")), habit.here())
    });
    spellings.chain(flags).collect()
}

//! The kinds of failure, printed: the table, one of them, and the page `docs/kinds.md`.
//!
//! All of it comes from `Kind::facts` and `FAMILIES`; nothing is said here that is not there.
//! Start at [`text`].

use redial::{FAMILIES, Kind, KindSet};

use super::wrapped;

const INTRODUCTION: &str = "\
A failure is why an attempt or a live connection ended. A clause names kinds, or \
families of them; the first clause that matches handles the failure. `transient` is \
the family to retry: everything that may heal by itself. Lasting kinds do not.";

/// `redial help kinds`.
pub(super) fn text() -> String {
    let mut text = wrapped(INTRODUCTION, 0) + "\n\n";
    text += &format!("{:<20} {:<12} {}\n", "kind", "heals", "what happened");
    for kind in Kind::ALL {
        let facts = kind.facts();
        let row = format!("{:<20} {:<12} {}", facts.name, heals(kind), facts.sentence);
        text += &(wrapped_row(&row, 34) + "\n");
    }
    text += &format!("\n{:<20} {}\n", "family", "its kinds");
    for family in &FAMILIES {
        let row = format!("{:<20} {}", family.name, members(family.kinds));
        text += &(wrapped_row(&row, 21) + "\n");
    }
    text + "\n" + &wrapped(NAMES, 0) + "\nOne by name: redial help refused\n"
}

const NAMES: &str = "\
Names of errno and of Python's exceptions are accepted as well (ECONNREFUSED, \
ConnectionRefusedError, OSError, socket.timeout), in upper or lower case.";

/// `redial help refused`: a kind or a family, by any of its names.
pub(super) fn about(name: &str) -> Option<String> {
    let set = KindSet::named(name)?;
    let mut kinds = set.iter();
    match (kinds.next(), kinds.next()) {
        (Some(kind), None) => Some(one(kind)),
        _ => family(set),
    }
}

/// `docs/kinds.md`.
#[cfg(test)]
pub(super) fn page() -> String {
    let mut page =
        format!("# Kinds of failure\n\n{}\n\n{INTRODUCTION}\n\n", super::pages::GENERATED);
    page += "| kind | families | stage | also accepted as | heals | what happened | what to do next |\n";
    page += "|---|---|---|---|---|---|---|\n";
    for kind in Kind::ALL {
        let facts = kind.facts();
        page += &format!(
            "| `{}` | {} | {} | {} | {} | {} | {} |\n",
            facts.name,
            families(kind),
            facts.stages,
            facts.aliases.join(", "),
            heals(kind),
            facts.sentence,
            facts.next,
        );
    }
    page += "\n## Families\n\n| family | also accepted as | for | kinds |\n|---|---|---|---|\n";
    for family in &FAMILIES {
        let aliases = family.aliases.join(", ");
        page += &format!(
            "| `{}` | {aliases} | {} | {} |\n",
            family.name,
            family.about,
            members(family.kinds)
        );
    }
    page + "\n" + NAMES + "\n"
}

fn one(kind: Kind) -> String {
    let facts = kind.facts();
    let mut text = wrapped(&format!("{}: {}.", facts.name, facts.sentence), 0) + "\n\n";
    let mut row = |name: &str, value: &str| {
        if !value.is_empty() {
            text += &(wrapped_row(&format!("  {name:<11} {value}"), 14) + "\n");
        }
    };
    row("families", &families(kind));
    row("stage", facts.stages);
    row("heals", heals(kind));
    row("also called", &facts.aliases.join(", "));
    row("next", facts.next);
    row("a clause", &example(kind));
    text
}

fn family(set: KindSet) -> Option<String> {
    let family = FAMILIES.iter().find(|family| family.kinds == set)?;
    let mut text = wrapped(&format!("{}: {}.", family.name, family.about), 0) + "\n\n";
    for kind in set.iter() {
        let row = format!("  {:<20} {}", kind.name(), kind.facts().sentence);
        text += &(wrapped_row(&row, 23) + "\n");
    }
    if !family.aliases.is_empty() {
        text += &format!("\nalso called {}\n", family.aliases.join(", "));
    }
    Some(text)
}

/// A clause that makes sense for it.
fn example(kind: Kind) -> String {
    let steps = match kind {
        Kind::Deadline | Kind::Interrupted => "say \"{failure}\", exit 3",
        Kind::Closed | Kind::NoServer => "next",
        kind if kind.is_lasting() => "diagnose, stop",
        _ => "retry 10, next",
    };
    format!("--except '{kind}: {steps}'")
}

/// Whether it heals, in a word or two.
const fn heals(kind: Kind) -> &'static str {
    match kind.facts().lasting {
        Some(false) => "by itself",
        Some(true) => "no: lasting",
        None => "if named",
    }
}

fn families(kind: Kind) -> String {
    let one = KindSet::of(&[kind]);
    let names =
        FAMILIES.iter().filter(|family| family.kinds.overlaps(one)).map(|family| family.name);
    names.collect::<Vec<_>>().join(", ")
}

fn members(kinds: KindSet) -> String {
    if FAMILIES.iter().any(|family| family.name == "any" && family.kinds == kinds) {
        return "every kind but closed, deadline and interrupted".into();
    }
    kinds.iter().map(Kind::name).collect::<Vec<_>>().join(", ")
}

/// A row of columns: blanks between them are kept, the last column is wrapped.
fn wrapped_row(row: &str, indent: usize) -> String {
    let at = row.char_indices().nth(indent).map_or(row.len(), |(at, _)| at);
    let (columns, last) = row.split_at(at);
    if last.is_empty() {
        return row.trim_end().to_owned();
    }
    let padded = wrapped(&format!("{}{last}", "\u{1}".repeat(indent)), indent);
    padded.replacen(&"\u{1}".repeat(indent), columns, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_page_under_all_its_names() {
        let refused = about("refused").unwrap();
        assert_eq!(about("ECONNREFUSED").as_ref(), Some(&refused));
        assert_eq!(about("socket.ConnectionRefusedError"), Some(refused));
        assert!(about("OSError").unwrap().starts_with("any: "));
        assert_eq!(about("wombat"), None);
    }

    #[test]
    fn every_example_is_a_clause() {
        for kind in Kind::ALL {
            let example = example(kind);
            let clause = example.trim_start_matches("--except '").trim_end_matches('\'');
            assert_eq!(redial::Clause::parse_all(clause).unwrap().len(), 1, "{clause}");
        }
    }
}

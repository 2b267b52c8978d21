//! The generated pages of `docs/` are what would be generated now.
//!
//! `UPDATE_DOCS=1 cargo test -p redial-cli pages` writes them anew.

use std::{fs, path::Path};

use super::{clauses, habits, kinds, lab, scenarios, servers, tables, words};
use crate::check;

/// The second line of each page.
pub(super) const GENERATED: &str = "<!-- Generated from the tables of the program: UPDATE_DOCS=1 cargo test -p redial-cli pages -->";

/// The page as it is written, with the generated section at its end.
fn coming_from() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/coming-from.md");
    let page = fs::read_to_string(path).unwrap_or_default();
    let written = page.split(GENERATED).next().unwrap_or_default();
    format!("{written}{GENERATED}\n\n{}", habits::section())
}

#[test]
fn the_pages_say_what_the_program_says() {
    let marked = |page: String| page.replacen('\n', &format!("\n\n{GENERATED}\n"), 1);
    for (name, page) in [
        ("kinds.md", kinds::page()),
        ("exit-codes.md", tables::exit_page()),
        ("clauses.md", marked(clauses::page())),
        ("lab.md", marked(lab::page())),
        ("dangers.md", marked(check::page())),
        ("scenarios.md", marked(scenarios::page())),
        ("servers.md", marked(servers::page())),
        ("steps.md", marked(words::page())),
        ("coming-from.md", coming_from()),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &page).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == page,
            "docs/{name} is out of date: UPDATE_DOCS=1 cargo test -p redial-cli pages"
        );
    }
}

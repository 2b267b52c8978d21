//! The generated pages of `docs/` are what would be generated now.
//!
//! `UPDATE_DOCS=1 cargo test -p redial-cli pages` writes them anew.

use std::{fs, path::Path};

use super::{clauses, kinds, lab, scenarios, tables};
use crate::check;

/// The second line of each page.
pub(super) const GENERATED: &str = "<!-- Generated from the tables of the program: UPDATE_DOCS=1 cargo test -p redial-cli pages -->";

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

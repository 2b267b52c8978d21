//! Every block of the documentation that can be run is run, and ends as it says.
//!
//! A block marked `sh` is commands, one a line, as a reader would paste them; a command that is
//! meant to fail says so behind it: `# exit 3`. A block marked `bash` is one script, a block marked
//! `python` with tests in it one file of them. Blocks marked `rust` are documentation tests of the crate they are
//! about.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

const PAGES: [&str; 14] = [
    "README.md",
    "docs/lesson.md",
    "docs/clauses.md",
    "docs/dangers.md",
    "docs/kinds.md",
    "docs/exit-codes.md",
    "docs/lab.md",
    "docs/lab-and-others.md",
    "docs/rehearse.md",
    "docs/scenarios.md",
    "docs/cookbook.md",
    "docs/coming-from.md",
    "docs/servers.md",
    "docs/targets.md",
];

#[test]
fn every_command_of_the_documentation_runs() {
    let mut commands = 0;
    for (page, block) in blocks("sh") {
        for command in block.lines().filter(|line| !line.trim().is_empty()) {
            let wanted = command
                .rsplit_once("# exit ")
                .map_or(0, |(_, status)| status.trim().parse().unwrap());
            ends(wanted, page, command, &run("bash", &["-c", command], &[]));
            commands += 1;
        }
    }
    assert!(commands >= 10, "only {commands} commands were found");
}

#[test]
fn every_script_of_the_documentation_runs() {
    let scripts = blocks("bash");
    for (page, script) in &scripts {
        ends(0, page, script, &run("bash", &["-c", script], &[]));
    }
    assert!(!scripts.is_empty());
}

/// Wants pytest, which `./test` installs.
#[cfg(feature = "real")]
#[test]
fn every_python_test_of_the_documentation_passes() {
    let mut tests = blocks("python");
    tests.retain(|(_, block)| block.contains("def test_"));
    for (page, test) in &tests {
        let words = ["-q", "-p", "no:cacheprovider", "test_page.py"];
        ends(0, page, test, &run("pytest-3", &words, &[("test_page.py", test)]));
    }
    assert!(!tests.is_empty());
}

fn ends(wanted: i32, page: &str, what: &str, output: &Output) {
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert_eq!(output.status.code(), Some(wanted), "{page}: {what}\n{said}");
}

/// In an empty folder but for these files, with `redial` in the path.
fn run(program: &str, words: &[&str], files: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let binaries = Path::new(env!("CARGO_BIN_EXE_redial")).parent().unwrap();
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap());
    let output = Command::new(program)
        .args(words)
        .env("PATH", path)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output();
    output.unwrap_or_else(|error| panic!("{program}: {error}; ./test installs it"))
}

/// All blocks of a language, each with its page.
fn blocks(language: &str) -> Vec<(&'static str, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut blocks = Vec::new();
    for page in PAGES {
        let text = fs::read_to_string(root.join(page)).unwrap();
        let mut inside = false;
        for line in text.lines() {
            if line.starts_with("```") {
                inside = line.trim_start_matches('`') == language;
                if inside {
                    blocks.push((page, String::new()));
                }
            } else if let Some((_, block)) = blocks.last_mut().filter(|_| inside) {
                *block += line;
                *block += "\n";
            }
        }
    }
    blocks
}

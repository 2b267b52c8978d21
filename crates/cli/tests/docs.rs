//! Every shell block of the documentation runs, and ends as it says.
//!
//! A block marked `sh` is commands, one a line, as a reader would paste them; a command that is
//! meant to fail says so behind it: `# exit 3`.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

#[test]
fn every_shell_block_of_the_documentation_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages = [
        "README.md",
        "docs/lesson.md",
        "docs/clauses.md",
        "docs/kinds.md",
        "docs/exit-codes.md",
        "docs/coming-from.md",
    ];
    let binaries = Path::new(env!("CARGO_BIN_EXE_redial")).parent().unwrap();
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap());
    let mut commands = 0;
    for page in pages {
        let text = fs::read_to_string(root.join(page)).unwrap();
        for command in commands_of(&text) {
            let folder = tempfile::tempdir().unwrap();
            let output = Command::new("bash")
                .args(["-c", command])
                .env("PATH", &path)
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let wanted = command
                .rsplit_once("# exit ")
                .map_or(0, |(_, status)| status.trim().parse().unwrap());
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(wanted), "{page}: {command}\n{stderr}");
            commands += 1;
        }
    }
    assert!(commands >= 10, "only {commands} commands were found");
}

fn commands_of(page: &str) -> Vec<&str> {
    let mut inside = false;
    page.lines()
        .filter(|line| {
            let fence = line.starts_with("```");
            if fence {
                inside = *line == "```sh";
            }
            inside && !fence && !line.trim().is_empty()
        })
        .collect()
}

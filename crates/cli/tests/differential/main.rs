//! The test that keeps rehearsals honest: the same scenario in virtual time and on the network.
//!
//! Every file of `scenarios/` is one policy, and servers by the lab's script. It is played by a
//! session in virtual time, against servers that are thought up (`thought`), and by the real
//! driver against the real lab on loopback (`live`); then the two records are compared event by
//! event (`compare`). Where the simulator can play it as well, it is asked too (`rehearsed`).
//!
//! What decides, and what is drawn, has to be equal. Times differ by what a machine is late; one
//! that is busy with something else may be later than that, so a scenario has five tries. A
//! scenario that hangs on who comes first within the tolerance is refused: it would prove nothing.

#![allow(clippy::panic, clippy::unwrap_used)] // they are tests

mod compare;
mod live;
mod rehearsed;
mod scenario;
mod thought;
mod virtually;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use scenario::Scenario;

/// How often a scenario is played on the network before a difference is believed.
const TRIES: usize = 5;

#[test]
fn every_scenario_happens_live_as_in_virtual_time() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 12, "the scenarios are not where they were");
    // Side by side: nearly all of their time they wait.
    let played: Vec<_> = thread::scope(|scope| {
        let begin = |file| {
            let named = thread::Builder::new().name(name(file));
            named.spawn_scoped(scope, move || play(file)).unwrap()
        };
        let plays: Vec<_> = files.iter().map(PathBuf::as_path).map(begin).collect();
        plays.into_iter().map(|play| play.join().unwrap()).collect()
    });
    let rehearsed = played.iter().filter(|play| **play == Ok(true)).count();
    let wrong: Vec<String> = played.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{} of {}:\n\n{}", wrong.len(), files.len(), wrong.join("\n\n"));
    assert!(rehearsed >= 3, "the simulator knows only {rehearsed} of the scenarios");
}

/// Plays one file every way there is; whether that was in the simulator too. The error says what
/// differed, in every try.
fn play(file: &Path) -> Result<bool, String> {
    let name = name(file);
    let text = fs::read_to_string(file).unwrap();
    let scenario: Scenario = toml::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
    let about = |what: String| format!("{name}: {}\n{what}", scenario.about);
    let expected = virtually::play(&scenario).map_err(about)?;
    let rehearsed = rehearsed::agrees(&scenario, &expected).map_err(about)?;
    let mut differences = Vec::new();
    for _ in 0..TRIES {
        match compare::differ(&expected, &live::play(&scenario)) {
            None => return Ok(rehearsed),
            Some(difference) => {
                println!("{name}: once\n{difference}");
                differences.push(difference);
            }
        }
    }
    Err(about(differences.join("\nand again:\n")))
}

fn name(file: &Path) -> String {
    file.file_stem().unwrap().to_string_lossy().into_owned()
}

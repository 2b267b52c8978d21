//! Near flags: what a flag that does not exist was meant to be, and a dash that is no hyphen.
//!
//! A flag is offered only where the verb has it. Start at [`near`].

use std::ffi::OsString;

use redial::{nearest_or, printable, suggestion};

use crate::{error::Error, habits, habits::Named};

/// Dashes that word processors and chat programs make of hyphens.
const DASHES: [char; 5] = ['—', '–', '―', '‐', '−'];

/// Other tools' names of flags, too far from redial's to be found by their letters.
const OTHER_NAMES: [(&str, &str); 7] = [
    ("--proxy", "--via"),
    ("--cacert", "--ca"),
    ("--retries", "--retry"),
    ("--catch", "--except"),
    ("--on-error", "--except"),
    ("--until", "--deadline"),
    ("--max-retries", "--retry"),
];

/// Returns the next step for a flag that the verb does not have. `known` are the flags it has.
pub(crate) fn near(flag: &str, known: &[String]) -> String {
    let name = flag.split('=').next().unwrap_or(flag);
    let has = |flag: &str| known.iter().any(|known| known == flag);
    let meant = OTHER_NAMES.iter().filter(|(other, _)| *other == name).map(|(_, meant)| *meant);
    match suggestion(meant, has) {
        Some(meant) => format!("write `{meant}`"),
        None => {
            // A short flag is near every other.
            let long = known.iter().map(String::as_str).filter(|flag| flag.starts_with("--"));
            nearest_or(name, long, str::to_owned, has, "see --help")
        }
    }
}

/// Refuses a word that begins with a dash which is no hyphen, before the command after `--`.
///
/// # Errors
/// The first such word, with the flag it was meant to be.
pub(crate) fn refuse_dashes(words: &[OsString], commands: &[Named]) -> Result<(), Error> {
    let own = words.iter().take_while(|word| *word != "--");
    let found = own.filter_map(|word| word.to_str()).find(|word| word.starts_with(DASHES));
    let Some(word) = found else { return Ok(()) };
    let flags = flags_among(words, commands);
    let name = word.trim_start_matches(|letter| DASHES.contains(&letter) || letter == '-');
    let candidates = [format!("--{name}"), format!("-{name}")];
    let has = |flag: &str| {
        let flag = flag.split('=').next().unwrap_or(flag);
        flags.iter().any(|known| known == flag)
    };
    let next = match suggestion(candidates, has) {
        Some(flag) => format!("write `{}`", printable(&flag)),
        None => "write it with hyphens: `-` or `--`".into(),
    };
    let dash: String = word.chars().take(1).collect();
    Err(Error::plain(format!("`{}` begins with {dash}, which is no hyphen", printable(word)), next))
}

/// The flags of the verb that this process was started with.
pub(crate) fn of_this_verb() -> Vec<String> {
    let commands = crate::commands();
    let mut words: Vec<OsString> = std::env::args_os().skip(1).collect();
    habits::verb_first(&mut words, &commands);
    flags_among(&words, &commands)
}

/// The flags of the verb that the words begin with, or those of `connect`.
fn flags_among(words: &[OsString], commands: &[Named]) -> Vec<String> {
    let verb = words.first().and_then(|verb| verb.to_str()).unwrap_or("connect");
    let command = commands.iter().find(|(name, _)| *name == verb).or(commands.first());
    command.map(|(_, command)| flags_of(&command())).unwrap_or_default()
}

/// Every flag of a command, with its hyphens.
pub(crate) fn flags_of(command: &clap::Command) -> Vec<String> {
    let flags = command.get_arguments().flat_map(|arg| {
        let long = arg.get_long_and_visible_aliases().unwrap_or_default();
        let short = arg.get_short_and_visible_aliases().unwrap_or_default();
        let long = long.into_iter().map(|long| format!("--{long}"));
        long.chain(short.into_iter().map(|short| format!("-{short}"))).collect::<Vec<_>>()
    });
    flags.chain(["--help".into(), "-h".into()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_names_are_flags_of_a_verb() {
        let flags = flags_of(&crate::connect::command());
        for (other, meant) in OTHER_NAMES {
            assert!(flags.iter().any(|flag| flag == meant), "{meant}");
            assert!(!flags.iter().any(|flag| flag == other), "{other}");
        }
    }

    /// Each flag of each verb, with a letter missing, doubled, changed or swapped.
    #[test]
    fn near_flags_are_flags_of_the_verb() {
        let mut suggested = 0;
        for (verb, command) in crate::commands() {
            let flags = flags_of(&command());
            for flag in &flags {
                for at in 0..flag.len() {
                    let (before, after) = flag.split_at(at);
                    let mutants = [
                        format!("{before}{}", &after[1..]),
                        format!("{before}x{after}"),
                        format!("{before}q{}", &after[1..]),
                    ];
                    for mutant in mutants {
                        let hint = near(&mutant, &flags);
                        let Some(near) = hint.split('`').nth(1) else { continue };
                        assert!(flags.iter().any(|known| known == near), "{verb} {mutant}: {hint}");
                        suggested += 1;
                    }
                }
            }
        }
        assert!(suggested > 1_000, "{suggested}");
    }
}

//! The dangers `check` knows, explained: for `--help`, for `redial help NAME`, for `docs/`.
//!
//! Views of one table, [`DANGERS`]; it finds nothing. Start at [`about`].

use super::warnings::DANGERS;

/// Their names with a line each, for `--help`.
pub(super) fn list() -> String {
    DANGERS.iter().map(|danger| format!("  {:<18} {}\n", danger.name, danger.about)).collect()
}

/// `redial help no-jitter`: one of them.
pub(crate) fn about(name: &str) -> Option<String> {
    let danger = DANGERS.iter().find(|danger| danger.name == name)?;
    let example =
        |policy: &str| -> String { policy.lines().map(|line| format!("  {line}\n")).collect() };
    let flags = if danger.takes_a_crowd() { CROWD } else { "" };
    Some(format!(
        "{name}: {}.\n\n{}\nRather:\n\n{}\n`redial check FILE{flags}` warns of it.\n",
        danger.about,
        example(danger.has),
        example(danger.has_not),
    ))
}

/// The crowd of the examples.
const CROWD: &str = " --clients 10k --accepts 100/s";

/// `docs/dangers.md`, without the line that says where it comes from.
#[cfg(test)]
pub(crate) fn page() -> String {
    let section = |danger: &super::warnings::Danger| {
        let flags = if danger.takes_a_crowd() { CROWD } else { "" };
        format!(
            "## {}\n\n{}.\n\n```toml\n{}\n```\n\nRather:\n\n```toml\n{}\n```\n{}\n",
            danger.name,
            capital(danger.about),
            danger.has,
            danger.has_not,
            if flags.is_empty() { String::new() } else { format!("\nWith `{}`.\n", flags.trim()) },
        )
    };
    let sections: Vec<String> = DANGERS.iter().map(section).collect();
    format!("{PAGE}{}", sections.concat().trim_end().to_owned() + "\n")
}

#[cfg(test)]
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}

#[cfg(test)]
const PAGE: &str = "\
# Dangers

What `redial check` warns of: a policy that may be written like this, and still does what nobody \
wants. Each has a name, which `--json` gives and `redial help NAME` explains; with `--strict` a \
warning is exit status 1. Below each stand a policy that has it and one near it that has not.

Most are found by reading the policy and by playing its schedule. Where that is not enough, \
clients rehearse it in virtual time, which takes a fraction of a second. Two of them \
depend on how many clients there are, and are looked for when that is said: \
`--clients 100k --accepts 2000/s`.

The servers are those the policy names; a policy that names none may be used with any. What a \
proxy on the way would say is not foreseen.

";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_explained() {
        for danger in &DANGERS {
            let text = about(danger.name).unwrap();
            assert!(text.contains(danger.about) && text.contains("Rather:"), "{text}");
        }
        assert_eq!(about("wombat"), None);
    }
}

//! The short topics: exit statuses, the environment.
//!
//! Each prints a table that the program itself uses. Start at [`exit`].

use super::wrapped;
use crate::{connect, exit::TABLE, wait};

/// `redial help exit`.
pub(super) fn exit() -> String {
    let mut text = "How redial ends, as its exit status:\n\n".to_owned();
    for (status, meaning) in TABLE {
        text += &row(status, meaning, 5);
    }
    let step = super::words::about("exit").unwrap_or_default();
    format!("{text}\nAs a step of a clause: {step}")
}

/// `docs/exit-codes.md`.
#[cfg(test)]
pub(super) fn exit_page() -> String {
    let mut page = format!(
        "# Exit statuses\n\n{}\n\n| status | meaning |\n|---|---|\n",
        super::pages::GENERATED
    );
    for (status, meaning) in TABLE {
        page += &format!("| {status} | {meaning} |\n");
    }
    page
}

/// `redial help environment`.
pub(super) fn environment() -> String {
    let mut text =
        "Variables that stand for flags; a flag on the command line wins:\n\n".to_owned();
    let (connect, wait) = (connect::command(), wait::command());
    let only_wait = wait.get_arguments().filter(|argument| {
        !connect.get_arguments().any(|known| known.get_id() == argument.get_id())
    });
    for argument in connect.get_arguments().chain(only_wait) {
        let (Some(variable), Some(flag)) = (argument.get_env(), flag_of(argument)) else {
            continue;
        };
        text += &row(&variable.to_string_lossy(), &flag, 28);
    }
    text += "\n--insecure has none: it is to be seen where it is used.\n\nOthers:\n\n";
    for (variable, meaning) in OTHERS {
        text += &row(variable, meaning, 28);
    }
    text += "\nVariables a `run` is given:\n\n";
    for (variable, meaning) in RUN_VARIABLES {
        text += &row(variable, meaning, 28);
    }
    text
}

const OTHERS: [(&str, &str); 3] = [
    ("NO_COLOR", "no colours"),
    ("REDIAL_NO_LAB", "1 forbids practice servers, and `serve`"),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "the authorities to trust, instead of the system's"),
];

/// What the driver tells a command; the values are bounded and printable.
const RUN_VARIABLES: [(&str, &str); 14] = [
    ("REDIAL_FAILURE", "the kind of failure: refused"),
    ("REDIAL_MESSAGE", "the failure as one sentence"),
    ("REDIAL_STAGE", "resolve, connect, tls, expect or stream"),
    ("REDIAL_SERVER", "the server as it was named, without its password"),
    ("REDIAL_ADDRESS", "the socket address, if one was tried"),
    ("REDIAL_ERRNO", "the operating system's name for it, if it has one"),
    ("REDIAL_DETAIL", "the server's or resolver's own words, if there are any"),
    ("REDIAL_LASTING", "1 if it does not heal by itself, else 0"),
    ("REDIAL_ATTEMPT", "the number of the attempt, from 1"),
    ("REDIAL_ELAPSED", "seconds since the beginning"),
    ("REDIAL_SENT", "bytes of yours sent on the connection"),
    ("REDIAL_RECEIVED", "bytes received"),
    ("REDIAL_RUN", "marks what this `run` has started, which ends with it if it is killed"),
    ("REDIAL_DELIVERY", "what is certain about them: unsent, acked-at-least N, unknown"),
];

fn flag_of(argument: &clap::Arg) -> Option<String> {
    let long = argument.get_long().map(|long| format!("--{long}"));
    long.or_else(|| argument.get_short().map(|short| format!("-{short}")))
}

/// A name, and its meaning in a column of its own.
pub(super) fn row(name: &str, meaning: &str, width: usize) -> String {
    // A column that is wider than its room pushes the text on, and no further.
    let padding = "\u{1}".repeat((width + 1).saturating_sub(name.chars().count()).max(1));
    let text =
        wrapped(&format!("\u{1}\u{1}{}{padding}{meaning}", name.replace(' ', "\u{1}")), width + 3);
    text.replace('\u{1}', " ") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The driver has its own list, in its own words; this one has them all.
    #[test]
    fn every_variable_of_a_run_is_listed() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../driver/src/command.rs");
        let source = std::fs::read_to_string(path).unwrap();
        let names = |text: &str| {
            let quoted = text.split('"').skip(1).step_by(2);
            let mut names: Vec<String> =
                quoted.filter(|text| text.starts_with("REDIAL_")).map(Into::into).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        let mut listed: Vec<&str> = RUN_VARIABLES.iter().map(|(name, _)| *name).collect();
        listed.sort_unstable();
        assert_eq!(names(&source), listed);
    }
}

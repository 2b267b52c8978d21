//! What was typed, and deserves a word before anything is done: passwords, `--insecure`, a clause
//! among the servers.
//!
//! It only looks at words. Start at [`as_text`].

use std::ffi::OsString;

use redial::{Server, Via, printable};

use crate::{error::Error, flags::DialFlags, terminal::complain};

/// Words as text: a server or a clause is text.
pub(crate) fn as_text(words: impl Iterator<Item = OsString>) -> Result<Vec<String>, Error> {
    let text = |word: OsString| {
        word.into_string().map_err(|word| {
            Error::plain(
                format!("`{}` is not UTF-8", printable(&word.to_string_lossy())),
                "write it in plain letters",
            )
        })
    };
    words.map(text).collect()
}

/// `'refused: retry 3'` among the servers is a clause whose flag was forgotten.
pub(crate) fn misplaced_clause(words: &[String]) -> Result<(), Error> {
    // In an option, `: ` may be a header's.
    let is_clause = |word: &&String| {
        let server = word.split('#').next().unwrap_or(word);
        server.contains(": ") || server.ends_with(": stop")
    };
    let clause = words.iter().find(is_clause);
    match clause {
        Some(word) => Err(Error::plain(
            format!("`{}` looks like a clause among the servers", printable(word)),
            "put --except in front of it",
        )),
        None => Ok(()),
    }
}

/// Says of every password on the command line that it is one, and of `--insecure` what it means.
///
/// A note on a page's fragment is left out where the user asked for quiet.
pub(crate) fn warn(
    words: &[String],
    servers: &[Server],
    via: Option<&Via>,
    dial: &DialFlags,
    is_quiet: bool,
) {
    let typed = servers
        .iter()
        .filter(|server| {
            server.had_password() && !words.iter().any(|word| word.starts_with("env:"))
        })
        .map(|server| server.label().to_string());
    let typed_via =
        via.filter(|via| via.had_password() && dial.via_was_typed()).map(Via::to_string);
    for label in typed.chain(typed_via) {
        complain(&format!(
            "redial: {label}: a password on a command line can be read by everyone on this machine; put the URL in a variable and write env:NAME"
        ));
    }
    for server in servers.iter().filter(|_| !is_quiet) {
        if let Some(fragment) = server.fragment() {
            complain(&format!(
                "redial: {}: `#{}` is not sent: a browser uses it after the page has loaded",
                server.label(),
                printable(fragment)
            ));
        }
    }
    let own = servers.iter().filter(|server| server.options().overrides.insecure);
    let labels = own.map(|server| format!("{}#insecure", server.label()));
    for label in dial.insecure.then(|| "--insecure".to_owned()).into_iter().chain(labels) {
        complain(&format!(
            "redial: {label}: certificates are not checked; anyone between here and the server can read and change everything"
        ));
    }
}

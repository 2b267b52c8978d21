//! What is waited for, as it is called in every line about it.
//!
//! It reads no words: servers come from `practice`. A file's lines are words, one each. Start at
//! [`of`].

use std::path::Path;

use redial::{Place, Server, Tls};

use crate::{error::Error, practice::Practice, texts};

/// The targets of a file: a line is what a word is on the command line. Lines that begin with `#`
/// are comments, and so is what follows a blank and a `#`.
pub(crate) fn read(path: &Path, practice: &mut Practice) -> Result<Vec<Vec<Server>>, Error> {
    let (name, text) = texts::target_list(path)?;
    let mut targets = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = without_comment(line);
        if line.is_empty() {
            continue;
        }
        let place = format!("{name}: line {}", number + 1);
        let word = line.to_owned();
        targets.extend(practice.targets(&[word]).map_err(|error| error.at(&place))?);
    }
    if targets.is_empty() {
        let what = format!("{name} names no target");
        return Err(Error::plain(what, "write one a line, as in db:5432"));
    }
    Ok(targets)
}

fn without_comment(line: &str) -> &str {
    let is_comment = |at: &usize| line[..*at].is_empty() || line[..*at].ends_with([' ', '\t']);
    let comment = line.match_indices('#').map(|(at, _)| at).find(is_comment);
    line[..comment.unwrap_or(line.len())].trim()
}

/// One or more servers, any of which will do.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// `db1:5432 or db2:5432`
    pub(crate) label: String,
    pub(crate) servers: Vec<Server>,
}

/// Each with its name.
pub(crate) fn of(targets: Vec<Vec<Server>>) -> Vec<Target> {
    let named = |servers: Vec<Server>| {
        let labels: Vec<&str> = servers.iter().map(|server| &**server.label()).collect();
        Target { label: labels.join(" or "), servers }
    };
    targets.into_iter().map(named).collect()
}

/// What a server is: its protocol, or how its bytes travel.
pub(crate) fn what(server: &Server) -> &str {
    match (server.protocol(), server.place(), server.tls()) {
        (Some(protocol), ..) => protocol,
        (None, Place::Unix { .. }, _) => "unix",
        (None, Place::Host { .. }, Tls::No) => "tcp",
        (None, Place::Host { .. }, Tls::Immediately | Tls::ByProtocol) => "tls",
    }
}

//! What the clients do: words and flags, as plans that can be played.
//!
//! A word is another tool's name, a verb, a clause, or a policy file, in this order; the flags that
//! make a policy are added to each of them that is one of ours. It plays nothing. Start at
//! [`plans`].

use std::{ffi::OsString, path::Path};

use redial::{Clause, Mistake, Verb, masked, nearest, printable};
use redial_sim::{PRESETS, Peer, Plan, Scenario};

use super::figures::cut;
use crate::{error::Error, flags::PolicyFlags, typed::as_text};

/// Of more than these no chart can be read.
const MOST: usize = 12;

/// A clause may be long; its name in a sentence is not.
const LONGEST_NAME: usize = 100;

/// The verbs whose policies clients can have. `standing` is what the library calls `stay`'s.
const VERBS: [(&str, Verb); 4] = [
    ("stay", Verb::Stay),
    ("standing", Verb::Stay),
    ("connect", Verb::Connect),
    ("wait", Verb::Wait),
];

/// A plan for each word, or what the flags say, or the standing policy.
pub(super) fn plans(
    words: &[OsString],
    standing: Option<&str>,
    flags: &PolicyFlags,
    scenario: &Scenario,
) -> Result<Vec<Plan>, Error> {
    let verb = match standing {
        Some(name) => verb(name)?,
        None => Verb::Stay,
    };
    let words = as_text(words.iter().cloned())?;
    if words.len() > MOST {
        return Err(Error::plain(
            format!("{} policies side by side are too many to be read", words.len()),
            format!("{MOST} are the most; play the others in a second run"),
        ));
    }
    let plan = |word: &String| one(word, verb, flags, scenario);
    let mut plans = words.iter().map(plan).collect::<Result<Vec<_>, _>>()?;
    // Flags that would change none of the words are a policy of their own.
    let is_changed = words.iter().any(|word| Peer::named(word).is_none());
    if plans.is_empty() || (!flags.is_empty() && !is_changed) {
        plans.push(ours(name_of(verb, flags), verb, flags, scenario)?);
    }
    Ok(plans)
}

fn one(word: &str, verb: Verb, flags: &PolicyFlags, scenario: &Scenario) -> Result<Plan, Error> {
    if let Some(peer) = Peer::named(word) {
        return Ok(Plan::peer(peer));
    }
    let name = masked(&printable(word));
    if let Some((_, verb)) = VERBS.iter().find(|(name, _)| *name == word) {
        return ours(name, *verb, flags, scenario);
    }
    let path = if word == "-" { Path::new("/dev/stdin") } else { Path::new(word) };
    if path.exists() {
        return ours(name, verb, &flags.with_file(path), scenario);
    }
    if word.contains(':') && is_clause(word) {
        Clause::parse_all(word).map_err(Error::in_text("clause", word))?;
        let mut flags = flags.clone();
        flags.except.insert(0, word.to_owned());
        return ours(name, verb, &flags, scenario);
    }
    Err(unknown(word, &name))
}

/// Clients that are sessions of redial.
fn ours(name: String, verb: Verb, flags: &PolicyFlags, scenario: &Scenario) -> Result<Plan, Error> {
    let plain = |mistake: Mistake| Error::plain(mistake.what, mistake.instead);
    let name = cut(&name, LONGEST_NAME);
    Plan::policy(name, flags.policy(verb)?, scenario).map_err(plain)
}

/// What the policy is called that flags alone make: as the verb, if they add no clause.
fn name_of(verb: Verb, flags: &PolicyFlags) -> String {
    let file = flags.policy.as_ref().map(|file| printable(&file.display().to_string()));
    let clauses = flags.except.iter().map(|text| masked(&printable(text)));
    let retry = flags.retry.iter().map(|text| format!("--retry {}", printable(text)));
    let name = file.into_iter().chain(clauses).chain(retry).collect::<Vec<_>>().join("; ");
    if name.is_empty() { verb.name().into() } else { name }
}

/// A word with a `: ` in it, or one that is read as a clause: its mistakes are those of clauses.
fn is_clause(word: &str) -> bool {
    word.contains(": ") || Clause::parse_all(word).is_ok_and(|clauses| !clauses.is_empty())
}

fn verb(name: &str) -> Result<Verb, Error> {
    if let Some((_, verb)) = VERBS.iter().find(|(verb, _)| *verb == name) {
        return Ok(*verb);
    }
    let names = VERBS.map(|(name, _)| name);
    let next = match nearest(name, names) {
        Some(near) => format!("the nearest is `{near}`"),
        None => "there are stay, connect, wait".into(),
    };
    Err(Error::plain(
        format!(
            "--standing: no verb that clients could stay connected by is `{}`",
            printable(name)
        ),
        next,
    ))
}

fn unknown(word: &str, shown: &str) -> Error {
    if PRESETS.iter().any(|preset| preset.name == word) {
        return Error::plain(
            format!("`{shown}` is a scenario, not a policy"),
            format!("write --scenario {shown}"),
        );
    }
    let is_lab = word.starts_with("lab:");
    if is_lab || redial::Target::parse(word).is_ok() || word.contains("://") {
        return Error::plain(
            format!("`{shown}` is a server, and rehearse connects to none"),
            "name policies: files, clauses, `stay`, other tools; see: redial help scenarios",
        );
    }
    if word.is_empty() {
        let next = "is a variable of the script empty?";
        return Error::plain("a word is empty where `POLICY` belongs", next);
    }
    if word.contains(['/', '.']) {
        let next = "to print a policy to begin with: redial help policy";
        return Error::plain(format!("there is no file `{shown}`"), next);
    }
    let names = Peer::ALL.iter().map(|peer| peer.name).chain(VERBS.map(|(name, _)| name));
    let next = match nearest(word, names.clone()) {
        Some(near) if !word.contains(['/', '.']) => format!("the nearest is `{near}`"),
        _ => {
            format!("besides files and clauses there are {}", names.collect::<Vec<_>>().join(", "))
        }
    };
    Error::plain(format!("`{shown}` is no policy: no file, no verb, no other tool"), next)
}

//! What the reader of flags found wrong, in redial's words: one line, and what to write instead.
//!
//! clap finds the mistakes; what it says of rare ones is passed on as it is. Start at [`sentence`].

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::flag_hints;

/// The error as `WHAT; INSTEAD`.
pub(crate) fn sentence(error: &clap::Error) -> String {
    known(error).unwrap_or_else(|| {
        let said = error.render().to_string();
        said.trim_end().trim_start_matches("error: ").to_owned()
    })
}

fn known(error: &clap::Error) -> Option<String> {
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let flag = one(error, ContextKind::InvalidArg)?;
            if !flag.starts_with('-') {
                let flag = redial::printable(&flag);
                return Some(format!("`{flag}` is one word too many; see --help"));
            }
            // `-1` behind a flag is its value, and was meant to be.
            let near = flag_hints::near(&flag, &flag_hints::of_this_verb());
            Some(format!("there is no flag `{flag}`; {near}"))
        }
        ErrorKind::ArgumentConflict => {
            let flag = name(&one(error, ContextKind::InvalidArg)?);
            let others = names(error, ContextKind::PriorArg);
            if others.iter().all(|other| *other == flag) {
                return Some(format!("`{flag}` stands there twice; leave one out"));
            }
            let others = others.join("`, `");
            Some(format!("`{flag}` does not go together with `{others}`; leave one out"))
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = names(error, ContextKind::InvalidArg);
            match &missing[..] {
                [server] if server == "SERVER" => {
                    Some("a server is missing; write HOST:PORT behind `connect`".into())
                }
                missing => Some(format!("`{}` is missing; see --help", missing.join("`, `"))),
            }
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => value(error),
        _ => None,
    }
}

/// A flag whose value is missing or wrong.
fn value(error: &clap::Error) -> Option<String> {
    let flag = one(error, ContextKind::InvalidArg)?;
    let value = one(error, ContextKind::InvalidValue).unwrap_or_default();
    let shown = redial::printable(&value);
    if let Some(why) = error.source() {
        return Some(format!("{}: {why}", name(&flag)));
    }
    let valid = names(error, ContextKind::ValidValue).join("`, `");
    Some(match (value.is_empty(), valid.is_empty()) {
        (true, _) if !flag.starts_with('-') => {
            format!(
                "a word is empty where `{}` belongs; is a variable of the script empty?",
                name(&flag)
            )
        }
        (true, true) => format!("`{}` has no value; write `{flag}`", name(&flag)),
        (true, false) => format!("`{}` has no value; write one of `{valid}`", name(&flag)),
        (false, _) => format!("{} cannot be `{shown}`; write one of `{valid}`", name(&flag)),
    })
}

fn one(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}

fn names(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![name(text)],
        Some(ContextValue::Strings(texts)) => texts.iter().map(|text| name(text)).collect(),
        _ => Vec::new(),
    }
}

/// `--json[=<FILE>]` and `<SERVER>...` without what stands around the name.
fn name(flag: &str) -> String {
    let flag = flag.split([' ', '=']).next().unwrap_or(flag);
    flag.trim_end_matches("...").trim_matches(['[', ']', '<', '>']).to_owned()
}

//! What stands in front of doing well: nothing, or TLS, right or wrong in one way.
//!
//! The words and the faults are the lab's. Start at [`behind`].

use std::{fs, io::Read, path::Path};

use redial::{nearest, printable};
use redial_lab::{ACTS, Act, Behaviour, Certificate, Given, Script};

use super::{Flags, plan::short};
use crate::{error::Error, texts::reason};

/// Certificates and keys are some kilobytes.
const LARGEST: u64 = 1024 * 1024;

/// What doing well is when it begins with TLS, and a few words that go on from "it …".
pub(super) fn behind(
    flags: &Flags,
    well: Behaviour,
    about: String,
) -> Result<(Behaviour, String), Error> {
    match (&flags.cert, &flags.key, &flags.tls) {
        (Some(_), Some(_), Some(Some(word))) => Err(Error::plain(
            format!("`--tls {}` makes a certificate, and --cert is another", short(word)),
            "leave one of them out; a certificate of one's own may be wrong by itself",
        )),
        (Some(certificate), Some(key), _) => {
            let given = Certificate::Given(given(certificate, key)?);
            Ok((well.over_tls(given), format!("shows the certificate of --cert, then {about}")))
        }
        (.., Some(word)) => as_a_script_calls_it(word.as_deref(), &well, &about),
        (.., None) => Ok((well, about)),
    }
}

/// The acts that begin with TLS, as scripts call them: `tls`, `tls-expired`.
pub(crate) fn acts() -> impl Iterator<Item = &'static Act> {
    ACTS.iter().filter(|act| act.word() == "tls" || act.word().starts_with("tls-"))
}

/// `expired`, or `tls-expired`; nothing is TLS done well.
fn as_a_script_calls_it(
    word: Option<&str>,
    well: &Behaviour,
    about: &str,
) -> Result<(Behaviour, String), Error> {
    let whole = match word {
        None => "tls".to_owned(),
        Some(word) if word == "tls" || word.starts_with("tls-") => word.to_owned(),
        Some(word) => format!("tls-{word}"),
    };
    let act = acts().find(|act| act.word() == whole).ok_or_else(|| unknown(word.unwrap_or("")))?;
    let script = Script::parse(act.word(), well)
        .map_err(|error| Error::sentence(format!("--tls: {error}")))?;
    let behaviour = script.behaviours().next().cloned().unwrap_or_else(|| well.clone());
    // Some have no behind.
    let then = if act.arguments().is_empty() { String::new() } else { format!(", then {about}") };
    Ok((behaviour, format!("{}{then}", act.about().replace("does that inside", "speaks"))))
}

fn unknown(word: &str) -> Error {
    let words = || acts().filter_map(|act| act.word().strip_prefix("tls-"));
    let next = match nearest(word, words()) {
        Some(near) => format!("the nearest is `{near}`"),
        None => {
            let words = words().collect::<Vec<_>>().join(", ");
            format!("there are {words}; without one TLS is done well")
        }
    };
    Error::plain(format!("--tls: `{}` is no way to do TLS badly", short(word)), next)
}

fn given(certificate: &Path, key: &Path) -> Result<Given, Error> {
    let (chain, key_pem) = (file("--cert", certificate)?, file("--key", key)?);
    Given::from_pem(chain, key_pem).map_err(|error| {
        let name = |path: &Path| printable(&path.display().to_string());
        let files = format!("--cert {}, --key {}", name(certificate), name(key));
        Error::sentence(format!("{files}: {error}"))
    })
}

fn file(flag: &str, path: &Path) -> Result<Vec<u8>, Error> {
    let name = printable(&path.display().to_string());
    let unreadable = |error| {
        let what = format!("{flag}: `{name}` cannot be read: {}", reason(&error));
        Error::plain(what, "name a PEM file")
    };
    let mut pem = Vec::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1).read_to_end(&mut pem).map_err(unreadable)?;
    if pem.len() as u64 > LARGEST {
        return Err(Error::plain(
            format!("{flag}: `{name}` is larger than 1 MiB"),
            "name a PEM file",
        ));
    }
    Ok(pem)
}

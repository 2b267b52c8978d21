//! What stands in front of doing well: nothing, or TLS, right or wrong in one way.
//!
//! The words and the faults are the lab's. Start at [`Front::of`].

use std::{fs, io::Read, path::Path};

use redial::{nearest, printable};
use redial_lab::{Behaviour, Certificate, Given, Handshake};

use super::{Flags, plan::short};
use crate::{error::Error, texts::reason};

/// Certificates and keys are some kilobytes.
const LARGEST: u64 = 1024 * 1024;

/// What a client meets first.
pub(super) enum Front {
    Plain,
    /// And what it does, in words that go on from "it …".
    Certificate(Certificate, &'static str),
    Handshake(Handshake, &'static str),
}

impl Front {
    pub(super) fn of(flags: &Flags) -> Result<Self, Error> {
        let given = match (&flags.cert, &flags.key) {
            (Some(certificate), Some(key)) => Some(given(certificate, key)?),
            // The flags want both or none.
            _ => None,
        };
        match (given, &flags.tls) {
            (Some(_), Some(Some(word))) => Err(Error::plain(
                format!("`--tls {}` makes a certificate, and --cert is another", printable(word)),
                "leave one of them out; a certificate of one's own may be wrong by itself",
            )),
            (Some(given), _) => {
                Ok(Self::Certificate(Certificate::Given(given), "shows the certificate of --cert"))
            }
            (None, Some(word)) => word_of(word.as_deref().unwrap_or("tls")),
            (None, None) => Ok(Self::Plain),
        }
    }

    /// The behaviour behind it, and what they do together.
    pub(super) fn before(self, then: Behaviour, about: &str) -> (Behaviour, String) {
        match self {
            Self::Plain => (then, about.to_owned()),
            Self::Certificate(certificate, shows) => {
                (then.over_tls(certificate), format!("{shows}, and then {about}"))
            }
            // There is no behind.
            Self::Handshake(handshake, does) => (Behaviour::Handshake(handshake), does.to_owned()),
        }
    }
}

/// `expired`, or `tls-expired` as scripts call it.
fn word_of(word: &str) -> Result<Front, Error> {
    let whole = if word == "tls" || word.starts_with("tls-") {
        word.to_owned()
    } else {
        format!("tls-{word}")
    };
    if let Some((_, about, what)) = Certificate::WORDS.iter().find(|(word, ..)| *word == whole) {
        return Ok(Front::Certificate(what.clone(), about));
    }
    if let Some((_, about, what)) = Handshake::WORDS.iter().find(|(word, ..)| *word == whole) {
        return Ok(Front::Handshake(*what, about));
    }
    let words = || {
        let certificates = Certificate::WORDS.iter().map(|(word, ..)| *word);
        let all = certificates.chain(Handshake::WORDS.iter().map(|(word, ..)| *word));
        all.filter_map(|word| word.strip_prefix("tls-"))
    };
    let next = match nearest(word, words()) {
        Some(near) => format!("the nearest is `{near}`"),
        None => format!(
            "there are {}, and none for TLS done well",
            words().collect::<Vec<_>>().join(", ")
        ),
    };
    let what = format!("--tls: `{}` is no way to do TLS badly", short(word));
    Err(Error::plain(what, next))
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

//! A header line of an HTTP request: `#header=Name: value`.
//!
//! A value that is a secret by its name (`Authorization`, `Cookie`, `X-Api-Key`) is shown by
//! nothing. A header never holds a line end. Start at [`Header`].

use alloc::{format, string::String, sync::Arc};
use core::fmt;

use super::{
    Secret,
    credentials::is_secret_parameter,
    mask::MASK,
    options::{FLAGS, NAMES, decoded, encoded},
    overrides,
};
use crate::Mistake;

/// The longest header line, in bytes.
const LONGEST: usize = 8 << 10;

/// The headers whose name alone does not say that they carry a secret.
const SECRET: [&str; 2] = ["cookie", "set-cookie"];

/// A header line of an HTTP request.
///
/// ```
/// use redial_core::Server;
///
/// let server = Server::parse("http://api/#header=X-Api-Key: s3cret")?;
/// let header = &server.options().headers[0];
/// assert_eq!((header.name(), header.value()), ("X-Api-Key", None));
/// assert_eq!(server.written(), "http://api/#header=X-Api-Key:%20***");
/// # Ok::<(), redial_core::Mistake>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Header {
    name: Arc<str>,
    value: Secret,
}

impl Header {
    /// Reads `Name: value`, percent-encoded. No mistake quotes any of it.
    pub(super) fn parse(text: &str) -> Result<Self, Mistake> {
        let wrong = |what: &str, instead: &str| Err(Mistake::new(0..text.len(), what, instead));
        if text.contains(',') {
            return wrong("a comma ends a header", "in its value, write %2C for a comma");
        }
        let Some(line) = decoded(text) else {
            return wrong("a header has a `%` without two digits", "write %25 for the `%` itself");
        };
        let Some((name, value)) = line.split_once(':') else {
            return wrong("a header has no colon", "write #header=Name:%20value");
        };
        if name.is_empty() || !name.bytes().all(is_token) {
            let instead = "write #header=Name:%20value";
            return wrong("the name of a header is letters, digits and `-`", instead);
        }
        if value.chars().any(char::is_control) {
            let what = "a header cannot hold a line end or a control character";
            return wrong(what, "leave it out; for a second header write #header=… again");
        }
        if line.len() > LONGEST {
            return wrong("a header is longer than 8 KiB", "write a shorter one");
        }
        let value = value.trim();
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is("transfer-encoding") || is("content-length") && value != "0" {
            let what = "a header says that a body follows, and redial sends none";
            return wrong(what, "leave it out");
        }
        Ok(Self { name: name.into(), value: Secret::new(value) })
    }

    /// Returns the name as it was written.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value; none where it is a secret.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        (!self.is_secret()).then(|| self.value.expose())
    }

    /// Returns true if the value is a secret, by the header's name.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        is_secret_header(&self.name)
    }

    /// Returns the value, for the bytes of a request only.
    pub(crate) fn secret(&self) -> &Secret {
        &self.value
    }

    /// Returns true if the value is the mask of a secret that was printed and read again.
    pub(crate) fn is_masked(&self) -> bool {
        self.is_secret() && self.value.expose() == MASK
    }
}

/// `Name:%20value`, percent-encoded; a secret is `***`
impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value: String = self.value().map_or_else(|| MASK.into(), encoded);
        write!(f, "{}:%20{value}", encoded(&self.name))
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("Header({}: {})", self.name, self.value().unwrap_or(MASK)))
    }
}

/// Returns true if a header of this name carries a secret.
pub(super) fn is_secret_header(name: &str) -> bool {
    let lower = name.trim().to_ascii_lowercase();
    SECRET.contains(&&*lower) || is_secret_parameter(&lower)
}

/// Returns where the value of a header ends: at the next option, or at another server. Any other
/// comma may be a part of a secret.
pub(super) fn end(text: &str, value: usize) -> usize {
    let ends = |after: &str| {
        let name = after.split(['=', ',']).next().unwrap_or("");
        let is_value = after[name.len()..].starts_with('=');
        FLAGS.contains(&name)
            || is_value && (NAMES.contains(&name) || overrides::NAMES.contains(&name))
    };
    let mut commas = text[value..].match_indices(',').map(|(at, _)| value + at);
    commas.find(|comma| ends(&text[comma + 1..])).unwrap_or(text.len())
}

/// Returns where the value begins of a header whose name says that it is a secret, or whose name
/// cannot be read.
pub(super) fn secret_start(line: &str) -> Option<usize> {
    let colon = line.find(':').into_iter().chain(line.to_ascii_lowercase().find("%3a")).min();
    let (name, start) = match colon {
        Some(colon) => {
            let sign = if line[colon..].starts_with(':') { 1 } else { 3 };
            (&line[..colon], colon + sign)
        }
        None => return Some(0),
    };
    let is_secret = decoded(name).is_none_or(|name| is_secret_header(&name));
    let blanks = |text: &str| text.starts_with(' ').then_some(1);
    let mut value = start;
    while let Some(length) =
        blanks(&line[value..]).or_else(|| line[value..].starts_with("%20").then_some(3))
    {
        value += length;
    }
    is_secret.then_some(value)
}

/// A byte of a header's name (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

//! Options of one target, behind `#`: `postgres://db#within=5s`, `unix:/run/x.sock#as=redis`.
//!
//! They are for redial alone and never travel. Whether a recipe of that name exists, and whether it
//! asks for the others, is not known here. Start at [`Options`].

use alloc::{format, string::String, sync::Arc, vec::Vec};
use core::{fmt, time::Duration};

use crate::{
    Answer, Human, Mistake,
    nearest::{nearest, quoted},
    parse_duration,
};

const NAMES: [&str; 7] = ["within", "as", "starttls", "status", "body", "method", "header"];

/// What stands behind `#`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    /// `within=5s`: how long this target may take.
    pub within: Option<Duration>,
    /// `as=redis`: the recipe by which its answers are judged.
    pub as_: Option<Arc<str>>,
    /// `starttls`: TLS is to begin in the protocol's own words.
    pub starttls: bool,
    /// `status=200` or `status=200..399`: the first and the last that is well.
    pub status: Option<(u16, u16)>,
    /// `body=TEXT`: what the body holds, as `--expect` is written.
    pub body: Option<Arc<str>>,
    /// `method=HEAD`.
    pub method: Option<Arc<str>>,
    /// `header=Name:%20value`: a line that is sent as well. What is written percent-encoded is
    /// decoded here, in `body` too.
    pub header: Option<Arc<str>>,
}

impl Options {
    /// Reads `within=5s,as=redis`.
    pub(super) fn read(text: &str) -> Result<Self, Mistake> {
        let mut options = Self::default();
        let mut start = 0;
        for option in text.split(',') {
            options.set(option).map_err(|mistake| mistake.shifted(start))?;
            start += option.len() + 1;
        }
        Ok(options)
    }

    /// These, and from `other` what is not set here.
    pub(super) fn or(self, other: &Self) -> Self {
        Self {
            within: self.within.or(other.within),
            as_: self.as_.or_else(|| other.as_.clone()),
            starttls: self.starttls || other.starttls,
            status: self.status.or(other.status),
            body: self.body.or_else(|| other.body.clone()),
            method: self.method.or_else(|| other.method.clone()),
            header: self.header.or_else(|| other.header.clone()),
        }
    }

    fn set(&mut self, option: &str) -> Result<(), Mistake> {
        let all = 0..option.len();
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        if value.is_empty() && option != "starttls" {
            let what = "an option behind `#` has no value";
            return Err(Mistake::new(all, what, "write #within=5s or #as=redis"));
        }
        if !NAMES.contains(&name) {
            let what = format!("no option behind `#` is called {}", quoted(name));
            let instead = match nearest(name, NAMES) {
                Some(name) => format!("the nearest is `{name}`"),
                None => "write #within=5s or #as=redis".into(),
            };
            return Err(Mistake::new(0..name.len(), what, instead));
        }
        let twice = match name {
            "within" => self.within.is_some(),
            "as" => self.as_.is_some(),
            "starttls" => self.starttls,
            "status" => self.status.is_some(),
            "body" => self.body.is_some(),
            "method" => self.method.is_some(),
            _ => self.header.is_some(),
        };
        if twice {
            let what = format!("the option `{name}` stands there twice");
            return Err(Mistake::new(all, what, "write it once"));
        }
        if name == "starttls" {
            if option != name {
                let what = "the option `starttls` has no value";
                return Err(Mistake::new(all, what, "write #starttls"));
            }
            self.starttls = true;
            return Ok(());
        }
        let after = name.len() + 1;
        let wrong = |what: &str, instead: &str| {
            let what = format!("{} is no {what}", quoted(value));
            Mistake::new(after..option.len(), what, instead)
        };
        match name {
            "within" => {
                let within = parse_duration(value).map_err(|mistake| mistake.shifted(after))?;
                self.within = Some(within);
            }
            "as" => self.as_ = Some(value.into()),
            "status" => {
                let range = status_range(value);
                let instead = "write #status=200 or #status=200..399";
                self.status = Some(range.ok_or_else(|| wrong("range of statuses", instead))?);
            }
            "method" => match value.bytes().all(|byte| byte.is_ascii_uppercase()) {
                true => self.method = Some(value.into()),
                false => return Err(wrong("method", "write #method=HEAD")),
            },
            "body" => {
                let text = decoded(value);
                let text = text.ok_or_else(|| wrong("text", "write %25 for a `%`"))?;
                Answer::parse(&text).map_err(|mistake| Mistake { at: all, ..mistake })?;
                self.body = Some(text.into());
            }
            _ => {
                let header = decoded(value).filter(|header| is_header(header));
                if header.as_deref().is_some_and(is_secret) {
                    let what = "a header that holds a secret has no place in an option";
                    let instead = "write it into a recipe of your own, and #as=FILE";
                    return Err(Mistake::new(after..option.len(), what, instead));
                }
                let instead = "write #header=Name:%20value";
                self.header = Some(header.ok_or_else(|| wrong("header", instead))?.into());
            }
        }
        Ok(())
    }
}

/// `within=5s,as=redis`; reads back as the same options
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |name: &str, value: &Option<Arc<str>>| {
            value.as_ref().map(|value| format!("{name}={}", encoded(value)))
        };
        let status = self.status.map(|(low, high)| match low == high {
            true => format!("status={low}"),
            false => format!("status={low}..{high}"),
        });
        let all = [
            self.within.map(|within| format!("within={}", Human(within))),
            self.as_.as_ref().map(|recipe| format!("as={recipe}")),
            self.starttls.then(|| "starttls".into()),
            status,
            text("body", &self.body),
            text("method", &self.method),
            text("header", &self.header),
        ];
        let mut sign = "";
        for option in all.into_iter().flatten() {
            write!(f, "{sign}{option}")?;
            sign = ",";
        }
        Ok(())
    }
}

/// The text with everything encoded that could end an option, or stand for something else.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | b',' | b'#' | b'@' | b'"' | b'\'' => encoded.push_str(&format!("%{byte:02X}")),
            0x21..=0x7e => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// `200`, or `200..399`: both from 100 to 599.
pub(crate) fn status_range(text: &str) -> Option<(u16, u16)> {
    let (low, high) = text.split_once("..").unwrap_or((text, text));
    let number = |text: &str| text.parse().ok().filter(|number| (100..600).contains(number));
    let (low, high) = (number(low)?, number(high)?);
    (low <= high).then_some((low, high))
}

/// The text that is percent-encoded here; nothing where a `%` has no two digits.
fn decoded(text: &str) -> Option<String> {
    String::from_utf8(percent_decoded(text)?).ok()
}

/// A name and a value, and nothing that could begin a second line (RFC 9112, section 5).
fn is_header(text: &str) -> bool {
    let Some((name, value)) = text.split_once(':') else { return false };
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token) && !value.chars().any(char::is_control)
}

/// Whether a header's name says that it holds a secret: options are shown, and not masked.
fn is_secret(header: &str) -> bool {
    let name = header.split(':').next().unwrap_or("").to_ascii_lowercase();
    ["auth", "cookie", "token", "secret", "pass", "key"].iter().any(|part| name.contains(part))
}

/// The bytes of percent-encoded text; nothing where a `%` has no two digits.
pub(crate) fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?);
        rest = &rest[2..];
    }
    Some(bytes)
}

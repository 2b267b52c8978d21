//! Options of one target, behind `#`: `postgres://db#within=5s`, `unix:/run/x.sock#as=redis`.
//!
//! They are for redial alone and never travel. Whether a recipe of that name exists, and whether it
//! asks for the others, is not known here. Start at [`Options`].

use alloc::{format, string::String, sync::Arc, vec::Vec};
use core::{fmt, ops::Range, time::Duration};

use super::overrides::{self, Overrides};
use crate::{
    Answer, Human, Mistake,
    nearest::{nearest, quoted},
    parse_duration,
};

const NAMES: [&str; 8] =
    ["within", "as", "starttls", "login", "status", "body", "method", "header"];

/// The options without a value.
pub(super) const FLAGS: [&str; 3] = ["starttls", "login", "insecure"];

/// The options whose value may have commas in it.
pub(super) const LISTS: [&str; 1] = ["alpn"];

/// What stands behind `#`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    /// `within=5s`: how long this target may take.
    pub within: Option<Duration>,
    /// `as=redis`: the recipe by which its answers are judged.
    pub as_: Option<Arc<str>>,
    /// `starttls`: TLS is to begin in the protocol's own words.
    pub starttls: bool,
    /// `login`: the probe logs in with the URL's user and password.
    pub login: bool,
    /// `status=200` or `status=200..399`: the first and the last that is well.
    pub status: Option<(u16, u16)>,
    /// `body=TEXT`: what the body holds, as `--expect` is written.
    pub body: Option<Arc<str>>,
    /// `method=HEAD`.
    pub method: Option<Arc<str>>,
    /// `header=Name:%20value`: a line that is sent as well. What is written percent-encoded is
    /// decoded here, in `body` too.
    pub header: Option<Arc<str>>,
    /// `ca=FILE`, `sni=NAME`, `via=PROXY`, `connect-timeout=2s` and others with a flag's name.
    pub overrides: Overrides,
}

impl Options {
    /// Reads `within=5s,as=redis`. `written` gives what stood at a place of the text before its
    /// passwords were masked.
    pub(super) fn read(
        text: &str,
        written: &dyn Fn(Range<usize>) -> String,
    ) -> Result<Self, Mistake> {
        let mut options = Self::default();
        for at in pieces(text) {
            let option = &text[at.clone()];
            let read = match option.strip_prefix("via=") {
                Some(value) => {
                    options.set(&format!("via={}", written(at.end - value.len()..at.end)))
                }
                None => options.set(option),
            };
            read.map_err(|mut mistake| {
                // The unmasked text may have another length.
                mistake.at.end = mistake.at.end.min(option.len());
                mistake.at.start = mistake.at.start.min(mistake.at.end);
                mistake.shifted(at.start)
            })?;
        }
        if options.overrides.key.is_some() && options.overrides.cert.is_none() {
            let at = text.find("key=").unwrap_or(0);
            let what = "the option `key` has no `cert` beside it";
            return Err(Mistake::new(at..text.len(), what, "write #cert=FILE,key=FILE"));
        }
        Ok(options)
    }

    /// These, and from `other` what is not set here.
    pub(super) fn or(self, other: &Self) -> Self {
        Self {
            within: self.within.or(other.within),
            as_: self.as_.or_else(|| other.as_.clone()),
            starttls: self.starttls || other.starttls,
            login: self.login || other.login,
            status: self.status.or(other.status),
            body: self.body.or_else(|| other.body.clone()),
            method: self.method.or_else(|| other.method.clone()),
            header: self.header.or_else(|| other.header.clone()),
            overrides: self.overrides.or(&other.overrides),
        }
    }

    fn set(&mut self, option: &str) -> Result<(), Mistake> {
        let all = 0..option.len();
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        if value.is_empty() && !FLAGS.contains(&option) {
            let what = "an option behind `#` has no value";
            return Err(Mistake::new(all, what, "write #within=5s or #as=redis"));
        }
        if !NAMES.contains(&name) && !overrides::NAMES.contains(&name) {
            let what = format!("no option behind `#` is called {}", quoted(name));
            let near = match name {
                "connect" | "tls" | "reply" => {
                    let instead = format!("it has the name of its flag: `{name}-timeout`");
                    return Err(Mistake::new(0..name.len(), what, instead));
                }
                "timeout" | "deadline" => Some("within"),
                _ => nearest(name, NAMES.into_iter().chain(overrides::NAMES)),
            };
            let instead = match near {
                Some(name) => format!("the nearest is `{name}`"),
                None => "write #within=5s or #as=redis".into(),
            };
            return Err(Mistake::new(0..name.len(), what, instead));
        }
        let twice = match name {
            "within" => self.within.is_some(),
            "as" => self.as_.is_some(),
            "starttls" => self.starttls,
            "login" => self.login,
            "status" => self.status.is_some(),
            "body" => self.body.is_some(),
            "method" => self.method.is_some(),
            "header" => self.header.is_some(),
            _ => self.overrides.has(name),
        };
        if twice {
            let what = format!("the option `{name}` stands there twice");
            return Err(Mistake::new(all, what, "write it once"));
        }
        if FLAGS.contains(&name) {
            if option != name {
                let what = format!("the option `{name}` has no value");
                return Err(Mistake::new(all, what, format!("write #{name}")));
            }
            match name {
                "insecure" => self.overrides.insecure = true,
                "login" => self.login = true,
                _ => self.starttls = true,
            }
            return Ok(());
        }
        let after = name.len() + 1;
        if overrides::NAMES.contains(&name) {
            return self.overrides.set(name, value).map_err(|mistake| mistake.shifted(after));
        }
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
            self.login.then(|| "login".into()),
            status,
            text("body", &self.body),
            text("method", &self.method),
            text("header", &self.header),
        ];
        let mut sign = "";
        for option in all.into_iter().flatten().chain(self.overrides.written()) {
            write!(f, "{sign}{option}")?;
            sign = ",";
        }
        Ok(())
    }
}

/// The options between the commas that separate them.
fn pieces(text: &str) -> Vec<Range<usize>> {
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for option in text.split(',') {
        let at = start..start + option.len();
        start = at.end + 1;
        match pieces.last_mut() {
            Some(list) if continues(&text[list.clone()], option) => list.end = at.end,
            _ => pieces.push(at),
        }
    }
    pieces
}

/// Whether a word belongs to the list in the option before it, as `http/1.1` in
/// `alpn=h2,http/1.1`: it names no option, and has no port as a server would.
pub(super) fn continues(option: &str, word: &str) -> bool {
    let is_list = option.split_once('=').is_some_and(|(name, _)| LISTS.contains(&name));
    is_list && !word.is_empty() && !word.contains(['=', ':']) && !FLAGS.contains(&word)
}

/// The text with everything encoded that could end an option, or stand for something else.
pub(super) fn encoded(text: &str) -> String {
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
pub(super) fn decoded(text: &str) -> Option<String> {
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

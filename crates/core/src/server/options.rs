//! Options of one target, behind `#`: `postgres://db#within=5s`, `unix:/run/x.sock#as=redis`.
//!
//! They are for redial alone and never travel. Whether a recipe of that name exists, and whether it
//! asks for the others, is not known here. Start at [`Options`].

use alloc::{format, string::String, sync::Arc, vec::Vec};
use core::{fmt, ops::Range, time::Duration};

use super::{
    Header, Statuses,
    overrides::{self, Overrides},
    statuses,
};
use crate::{
    Answer, Human, JsonCheck, Mistake,
    nearest::{nearest, quoted},
    parse_duration,
};

/// The options that are no flag of another name.
pub(super) const NAMES: [&str; 10] =
    ["within", "as", "starttls", "login", "status", "body", "json", "method", "header", "redirect"];

/// The options without a value.
pub(super) const FLAGS: [&str; 3] = ["starttls", "login", "insecure"];

/// The options whose value may have commas in it.
pub(super) const LISTS: [&str; 2] = ["alpn", "status"];

/// The options whose value is text, in which blanks may stand as they are.
pub(super) const TEXTS: [&str; 3] = ["header=", "body=", "json="];

/// The most headers of one target.
const MOST_HEADERS: usize = 16;

/// The most values of a JSON document that one target is checked for.
const MOST_VALUES: usize = 16;

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
    /// `status=200`, `status=200..399`, `status=200,401`: the statuses that are well.
    pub status: Option<Statuses>,
    /// `body=TEXT`: what the body holds, as `--expect` is written.
    pub body: Option<Arc<str>>,
    /// `json=/status:ready`: values that a JSON body holds, each an option.
    pub json: Vec<JsonCheck>,
    /// `method=HEAD`.
    pub method: Option<Arc<str>>,
    /// `header=Name: value`: lines that are sent as well, each an option. What is written
    /// percent-encoded is decoded here, in `body` too.
    pub headers: Vec<Header>,
    /// `redirect=follow`: an answer that redirects is followed.
    pub redirect: bool,
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
            let masked = ["via=", "header="].into_iter().find(|name| option.starts_with(name));
            let read = match masked {
                Some(name) => {
                    options.set(&format!("{name}{}", written(at.start + name.len()..at.end)))
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
            status: self.status.or_else(|| other.status.clone()),
            body: self.body.or_else(|| other.body.clone()),
            json: if self.json.is_empty() { other.json.clone() } else { self.json },
            method: self.method.or_else(|| other.method.clone()),
            headers: if self.headers.is_empty() { other.headers.clone() } else { self.headers },
            redirect: self.redirect || other.redirect,
            overrides: self.overrides.or(&other.overrides),
        }
    }

    /// Returns the names of the options that only a recipe's probe has a use for, and are set.
    pub fn for_probes(&self) -> impl Iterator<Item = &'static str> {
        let named = [
            ("status", self.status.is_some()),
            ("body", self.body.is_some()),
            ("json", !self.json.is_empty()),
            ("method", self.method.is_some()),
            ("header", !self.headers.is_empty()),
            ("redirect", self.redirect),
        ];
        named.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name)
    }

    /// The same without the options that only a recipe's probe has a use for.
    pub(super) fn without_probes(&self) -> Self {
        Self {
            status: None,
            body: None,
            json: Vec::new(),
            method: None,
            headers: Vec::new(),
            redirect: false,
            ..self.clone()
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
            "redirect" => self.redirect,
            "header" | "json" => false,
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
                let set = Statuses::parse(value);
                let instead = "write #status=200, #status=200..399 or #status=200,401";
                self.status = Some(set.ok_or_else(|| wrong("set of statuses", instead))?);
            }
            "redirect" if value == "follow" => self.redirect = true,
            "redirect" => return Err(wrong("way of redirects", "write #redirect=follow")),
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
            "json" if self.json.len() == MOST_VALUES => {
                let what = format!("more than {MOST_VALUES} values of a body stand here");
                return Err(Mistake::new(all, what, "leave some out"));
            }
            "json" => {
                let check = JsonCheck::parse(value).map_err(|mistake| mistake.shifted(after))?;
                self.json.push(check);
            }
            _ if self.headers.len() == MOST_HEADERS => {
                let what = format!("more than {MOST_HEADERS} headers stand here");
                return Err(Mistake::new(all, what, "leave some out"));
            }
            _ => {
                let header = Header::parse(value).map_err(|mistake| mistake.shifted(after))?;
                self.headers.push(header);
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
        let status = self.status.as_ref().map(|status| format!("status={status}"));
        let json = self.json.iter().map(|check| format!("json={}", check.written(encoded)));
        let headers = self.headers.iter().map(|header| format!("header={header}"));
        let all = [
            self.within.map(|within| format!("within={}", Human(within))),
            self.as_.as_ref().map(|recipe| format!("as={recipe}")),
            self.starttls.then(|| "starttls".into()),
            self.login.then(|| "login".into()),
            status,
            text("body", &self.body),
            text("method", &self.method),
        ];
        let mut sign = "";
        let redirect = self.redirect.then(|| "redirect=follow".into());
        let all = all.into_iter().flatten().chain(json).chain(headers).chain(redirect);
        for option in all.chain(self.overrides.written()) {
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
    let Some((name, _)) = option.split_once('=') else { return false };
    if name == "status" {
        return statuses::is_part(word);
    }
    LISTS.contains(&name)
        && !word.is_empty()
        && !word.contains(['=', ':'])
        && !FLAGS.contains(&word)
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

/// The text that is percent-encoded here; nothing where a `%` has no two digits.
pub(crate) fn decoded(text: &str) -> Option<String> {
    String::from_utf8(percent_decoded(text)?).ok()
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

//! Passwords, replaced by `***` before anything else looks at the text.
//!
//! What a server's reader sees, and so what its labels and mistakes can quote, has no password in
//! it. Where a password could be taken for something else (a `/` in it makes the rest a path), the
//! text is refused without quoting any of it. Text of other kinds (a clause, a file, a message) is
//! searched word by word with [`secrets`]. Start at [`Masked::of`].

use alloc::{string::String, vec::Vec};
use core::ops::Range;

use super::{
    Place,
    credentials::{self, is_secret_parameter},
    header,
};
use crate::{Mistake, Scheme};

pub(super) const MASK: &str = "***";

/// A text without its passwords.
pub(super) struct Masked {
    pub(super) text: String,
    /// Where the passwords were, in the text as it was written; in order.
    secrets: Vec<Range<usize>>,
}

impl Masked {
    /// Masks every password of a server, or of several separated by commas.
    ///
    /// # Errors
    /// An `@` that could belong to a password.
    pub(super) fn of(text: &str) -> Result<Self, Mistake> {
        let mut secrets = Vec::new();
        for region in regions(text) {
            find(text, region, &mut secrets)?;
        }
        // A mask that was read back is not a password.
        secrets.retain(|secret| !secret.is_empty() && &text[secret.clone()] != MASK);
        let (mut masked, mut end) = (String::with_capacity(text.len()), 0);
        for secret in &secrets {
            masked += &text[end..secret.start];
            masked += MASK;
            end = secret.end;
        }
        masked += &text[end..];
        Ok(Self { text: masked, secrets })
    }

    /// Returns the place of the password for a login, in the text as it was written, of the server
    /// at these bytes of the masked text: that of the user, else the query's parameter `password`,
    /// and true for that.
    pub(super) fn password(&self, piece: &Range<usize>) -> Option<(Range<usize>, bool)> {
        let written = &self.text[piece.clone()];
        let body = written.find("://")? + 3;
        let authority =
            body + written[body..].find(['/', '?', '#']).unwrap_or(written.len() - body);
        let user = written[body..authority].rfind('@').map_or(body, |length| body + length);
        let colon = written[body..user].find(':');
        let masked = match colon {
            Some(colon) => body + colon + 1..user,
            None => {
                let query = written.split('#').next()?;
                let mut start = query.find('?')? + 1;
                let value = query[start..].split('&').find_map(|parameter| {
                    let at = start;
                    start += parameter.len() + 1;
                    let value = parameter.strip_prefix("password=")?;
                    Some(at + parameter.len() - value.len()..at + parameter.len())
                });
                value?
            }
        };
        if written[masked.clone()] != *MASK {
            return None;
        }
        // Of several secrets, the one whose mask begins here.
        let start = self.origin(piece.start + masked.start);
        let secret = self.secrets.iter().find(|secret| secret.start == start).cloned()?;
        Some((secret, colon.is_none()))
    }

    /// Whether a password was masked between these bytes of the masked text.
    pub(super) fn had_password(&self, piece: &Range<usize>) -> bool {
        let piece = self.origin(piece.start)..self.origin(piece.end);
        self.secrets.iter().any(|secret| piece.start <= secret.start && secret.end <= piece.end)
    }

    /// What stood between these bytes of the masked text, in the text as it was written.
    pub(super) fn written<'a>(&self, text: &'a str, piece: &Range<usize>) -> &'a str {
        text.get(self.origin(piece.start)..self.origin(piece.end)).unwrap_or("")
    }

    /// The same mistake, at its place in the text as it was written.
    pub(super) fn in_original(&self, mut mistake: Mistake) -> Mistake {
        mistake.at = self.origin(mistake.at.start)..self.origin(mistake.at.end);
        mistake
    }

    /// Where a byte of the masked text was before.
    fn origin(&self, mut position: usize) -> usize {
        for secret in &self.secrets {
            if position <= secret.start {
                break;
            }
            // Inside a mask is inside the password: its end.
            position = (position + secret.len()).saturating_sub(MASK.len()).max(secret.end);
        }
        position
    }
}

/// Where passwords stand in text of any kind, in order: in a file, a clause, a message.
///
/// Words end at blanks and double quotes, and each is searched as a server would be. What could be
/// a password counts as one.
///
/// ```
/// let text = r#"servers = ["redis://:s3cret@db"]"#;
/// let found = redial_core::secrets(text);
/// assert_eq!(&text[found[0].clone()], "s3cret");
/// ```
#[must_use]
pub fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    let ends_word = |letter: char| letter.is_whitespace() || letter == '"';
    for piece in text.split_inclusive(ends_word) {
        let mut rest = piece.trim_end_matches(ends_word);
        let mut at = start;
        while !rest.is_empty() {
            let part = &rest[..next_server(rest).unwrap_or(rest.len())];
            match Masked::of(part) {
                _ if found.last().is_some_and(|secret| at < secret.end) => {}
                Ok(masked) if masked.secrets.is_empty() => {
                    let open = open_password(&text[at..], part.len());
                    found.extend(open.map(|open| at + open.start..at + open.end));
                }
                Ok(masked) => found
                    .extend(masked.secrets.iter().map(|secret| at + secret.start..at + secret.end)),
                Err(_) => found.push(at..at + part.len()),
            }
            at += part.len();
            rest = &rest[part.len()..];
        }
        start += piece.len();
    }
    found.extend(credentials::find(text));
    disjoint(found)
}

/// The same ranges in order, those that overlap or touch as one.
fn disjoint(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut disjoint: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match disjoint.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => disjoint.push(range),
        }
    }
    disjoint
}

/// A password that goes on behind the word's end: it has a blank in it.
///
/// What stands behind a host's colon is a port; anything else, up to an `@` of the same line, is a
/// password.
fn open_password(text: &str, word: usize) -> Option<Range<usize>> {
    let body = text[..word].find("://")? + 3;
    let authority = text[body..word].split(['/', '?', '#']).next().unwrap_or("");
    let start = body + authority.find(':')? + 1;
    // A mark of the text around it may stand behind the port.
    let digits =
        text[start..body + authority.len()].trim_end_matches(|c: char| c.is_ascii_punctuation());
    let is_port = digits.bytes().all(|byte| byte.is_ascii_digit());
    let line = text[word..].split(['\n', '"']).next().unwrap_or("");
    let end = word + line.find('@')?;
    (!is_port && !text[body..word].contains('@')).then_some(start..end)
}

/// Where in the middle of a word another server begins: a protocol behind a mark of some text.
fn next_server(word: &str) -> Option<usize> {
    word.match_indices("://").find_map(|(end, _)| {
        let (mark, letter) =
            word[..end].char_indices().rfind(|(_, letter)| !letter.is_ascii_alphanumeric())?;
        let begin = mark + letter.len_utf8();
        let is_mark = matches!(letter, '\'' | '`' | '(' | '[' | '{' | '<' | '=' | ',');
        (is_mark && Scheme::named(&word[begin..end]).is_some()).then_some(begin)
    })
}

/// The text with each of its passwords replaced by `***`.
///
/// ```
/// assert_eq!(redial_core::masked("say postgres://app:s3cret@db"), "say postgres://app:***@db");
/// ```
#[must_use]
pub fn masked(text: &str) -> String {
    let (mut masked, mut end) = (String::with_capacity(text.len()), 0);
    for secret in secrets(text) {
        masked += &text[end..secret.start];
        masked += MASK;
        end = secret.end;
    }
    masked += &text[end..];
    masked
}

/// The parts of the text in each of which at most one password of a user can be.
///
/// A comma ends one only if a protocol follows: other commas may be in the password.
fn regions(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut starts = text.match_indices([',', '|']).filter_map(|(comma, _)| {
        let name = text[comma + 1..].split_once("://").map_or("", |(name, _)| name);
        (Scheme::named(name).is_some() || text[comma + 1..].starts_with("unix:")).then_some(comma)
    });
    let mut next = Some(0);
    core::iter::from_fn(move || {
        let start = next?;
        let end = starts.next();
        next = end.map(|comma| comma + 1);
        Some(start..end.unwrap_or(text.len()))
    })
}

fn find(text: &str, region: Range<usize>, secrets: &mut Vec<Range<usize>>) -> Result<(), Mistake> {
    let written = &text[region.clone()];
    let (proxy, headers) = (option(written, "via="), headers(written));
    let first = proxy.iter().chain(&headers).map(|(options, _)| *options).min();
    let Some(options) = first.map(|options| region.start + options) else {
        return find_in_address(text, region, secrets);
    };
    find_in_address(text, region.start..options, secrets)?;
    for (_, value) in &headers {
        let end = region.start + header::end(written, *value);
        let value = region.start + *value;
        secrets.extend(header::secret_start(&text[value..end]).map(|length| value + length..end));
    }
    let Some(proxy) = proxy.map(|(_, at)| region.start + at) else { return Ok(()) };
    // A header's value is not the proxy's.
    let next = headers.iter().map(|(_, value)| region.start + value).find(|value| *value > proxy);
    let region = proxy..next.unwrap_or(region.end);
    let end = text[region.clone()].find(',').map_or(region.end, |length| proxy + length);
    let Some(login_end) = text[region.clone()].rfind('@').map(|length| proxy + length) else {
        return Ok(());
    };
    if login_end > end {
        return Err(Mistake::new(
            proxy..end,
            "an `@` after a `,` could belong to the proxy's password",
            "in a password write %2C for a comma, and %40 for an `@`",
        ));
    }
    let login = text[proxy..login_end].find("://").map_or(proxy, |length| proxy + length + 3);
    match text[login..login_end].find(':') {
        Some(colon) => secrets.push(login + colon + 1..login_end),
        // A user alone may be a token.
        None => secrets.push(login..login_end),
    }
    secrets.sort_unstable_by_key(|secret| secret.start);
    Ok(())
}

/// Returns where the options of a server begin, with their `#`, and within them the value of one.
fn option(text: &str, name: &str) -> Option<(usize, usize)> {
    options_named(text, name).next()
}

/// Returns the same for each header.
fn headers(text: &str) -> Vec<(usize, usize)> {
    options_named(text, "header=").collect()
}

fn options_named(text: &str, name: &str) -> impl Iterator<Item = (usize, usize)> {
    text.match_indices(name).filter_map(move |(at, _)| {
        let before = &text[..at];
        // Other options may stand between.
        let options = before.rfind('#').filter(|_| before.ends_with(['#', ',']))?;
        Some((options, at + name.len()))
    })
}

fn find_in_address(
    text: &str,
    region: Range<usize>,
    secrets: &mut Vec<Range<usize>>,
) -> Result<(), Mistake> {
    let written = &text[region.clone()];
    if written.starts_with("unix:") {
        return Ok(());
    }
    let is_word =
        |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let (scheme, body) = match written.split_once("://") {
        // `jdbc:postgresql`
        Some((name, _)) if is_word(name) || Scheme::named(name).is_some() => {
            (name, region.start + name.len() + 3)
        }
        // `user:password@host`, without a protocol: refused later, but masked all the same.
        _ => {
            let user_end = written.rfind('@');
            let user = &written[..user_end.unwrap_or(0)];
            if let Some(colon) = user.find(':') {
                secrets.push(region.start + colon + 1..region.start + user.len());
            }
            query(text, region.start + user.len()..region.end, secrets);
            return Ok(());
        }
    };
    let after = |at: usize, stops: &[char]| {
        text[at..region.end].find(stops).map_or(region.end, |length| at + length)
    };
    let authority = body..after(body, &['/', '?', '#']);
    let user_end = text[authority.clone()].rfind('@').map(|length| body + length);

    // Only the web has an `@` in its paths, and only where what stands before is a place by itself.
    let is_path = user_end.is_none()
        && Scheme::named(scheme).is_some_and(|scheme| {
            scheme.protocol == Some("http")
                && Place::read(&text[authority.clone()], Some(scheme)).is_ok()
        });
    if text[authority.end..region.end].contains('@') && !is_path {
        return Err(Mistake::new(
            region.start..body,
            "an `@` after a `/`, `?` or `#` could belong to a password",
            "in a password write %2F, %3F, %23 for these, and %40 for an `@`",
        ));
    }
    if let Some(end) = user_end {
        match text[body..end].find(':') {
            Some(colon) => secrets.push(body + colon + 1..end),
            // Here a user alone is a token.
            None if scheme.eq_ignore_ascii_case("nats") => secrets.push(body..end),
            None => {}
        }
    }
    query(text, authority.end..region.end, secrets);
    Ok(())
}

/// Finds the secrets between a `?` and a `#`.
fn query(text: &str, region: Range<usize>, secrets: &mut Vec<Range<usize>>) {
    let written = text[region.clone()].split('#').next().unwrap_or("");
    let Some((before, query)) = written.split_once('?') else { return };
    let mut start = region.start + before.len() + 1;
    for parameter in query.split('&') {
        let end = start + parameter.len();
        secrets.extend(secret_value(parameter).map(|value| start + value..end));
        start = end + 1;
    }
}

/// Where the value begins, if the parameter's name says that it is a secret.
///
/// `;` once separated parameters as well: a name may stand after one.
fn secret_value(parameter: &str) -> Option<usize> {
    parameter.match_indices('=').map(|(at, _)| at).find_map(|at| {
        let name = parameter[..at].rsplit(';').next().unwrap_or("");
        is_secret_parameter(&decoded(name)).then_some(at + 1)
    })
}

/// The text with `%61` and its like read as what they stand for; ASCII is enough for a name.
fn decoded(text: &str) -> String {
    let mut letters = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        let code = rest.as_str().get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        match code.filter(|code| letter == '%' && code.is_ascii()) {
            Some(code) => {
                letters.push(char::from(code));
                rest = rest.as_str()[2..].chars();
            }
            None => letters.push(letter),
        }
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_every_password() {
        for (text, masked) in [
            ("db:5432", "db:5432"),
            ("postgres://app:s3cret@db/x", "postgres://app:***@db/x"),
            ("redis://:s3cret@db", "redis://:***@db"),
            ("redis://u:p@ss,w:o@db:1,redis://u:other@db", "redis://u:***@db:1,redis://u:***@db"),
            (
                "postgres://db?a=1&PassWord=x,y;z&b=2#as=x",
                "postgres://db?a=1&PassWord=***&b=2#as=x",
            ),
            ("postgres://db?p%61ssword=x&a;token=y=z", "postgres://db?p%61ssword=***&a;token=***"),
            ("app:s3cret@db:5432", "app:***@db:5432"),
            ("db:1?password=x", "db:1?password=***"),
            ("nats://t0ken@n", "nats://***@n"),
            ("redis://app:***@db", "redis://app:***@db"),
            ("redis://app:@db", "redis://app:@db"),
            ("http://h:80/users/@me", "http://h:80/users/@me"),
            ("unix:/run/a:b@c", "unix:/run/a:b@c"),
        ] {
            assert_eq!(Masked::of(text).map(|masked| masked.text).unwrap(), masked);
        }
    }

    #[test]
    fn refuses_what_could_be_part_of_a_password() {
        for text in [
            "redis://u:a/b@h",
            "redis://u:12?b@h",
            "redis://u:12#b,c/d@h",
            "redis://u:a@b/c@h",
            "http://u:a/b@h",
            "http://u:a@b/c@h",
        ] {
            let mistake = Masked::of(text).map(|masked| masked.text).unwrap_err();
            assert!(mistake.what.starts_with("an `@` after"), "{text}: {mistake}");
        }
    }

    #[test]
    fn masks_passwords_in_any_text() {
        for (text, shown) in [
            (
                "servers = [\"redis://:s3cret@db\", \"db:1\"]",
                "servers = [\"redis://:***@db\", \"db:1\"]",
            ),
            (
                "any: run psql postgres://u:s3cret@h/x, stop",
                "any: run psql postgres://u:***@h/x, stop",
            ),
            ("a postgres://u:s3/cr3t@h", "a ***"),
            ("a postgres://u:s3 cr3t @h/x b", "a postgres://u:***@h/x b"),
            ("postgres://db:1, mail me@home", "postgres://db:1, mail me@home"),
            ("db?password=s3cret\nrefused: stop", "db?password=***\nrefused: stop"),
            (
                "refused: retry 10, say \"{server}: down\"",
                "refused: retry 10, say \"{server}: down\"",
            ),
        ] {
            assert_eq!(masked(text), shown);
        }
        let text = "servers=['redis://:s3cret@a','redis://u:s3cret@b']; see `nats://s3cret@h`";
        assert_eq!(
            masked(text),
            "servers=['redis://:***@a','redis://u:***@b']; see `nats://***@h`"
        );
    }

    #[test]
    fn finds_its_way_back() {
        let text = "redis://u:long-password@db:x,redis://u:p@db:y";
        let masked = Masked::of(text).unwrap();
        for letter in ["x", "y"] {
            let at = masked.text.find(&alloc::format!("db:{letter}")).unwrap() + 3;
            assert_eq!(&text[masked.origin(at)..masked.origin(at + 1)], letter);
        }
        assert!(masked.had_password(&(0..17)));
        assert!(!masked.had_password(&(14..17)));
    }
}

//! Credentials in text that is not a URL: `NAME=VALUE` pairs, flags with a value, password files.
//!
//! Connection strings (libpq's `host=db password=X`, ADO's `Server=db;Password=X`), arguments of a
//! command (`--password X`, `-u user:X`), an `Authorization` header and the lines of a pgpass file
//! carry secrets that no URL parser sees. URLs are `mask`'s. Start at [`find`].

use alloc::{string::String, vec::Vec};
use core::{net::Ipv6Addr, ops::Range};

use super::header::is_secret_header;

/// A name that contains one of these carries a secret, wherever it is written. Separators are
/// removed before the comparison.
const LONG: [&str; 14] = [
    "pass",
    "pwd",
    "token",
    "secret",
    "apikey",
    "accesskey",
    "privatekey",
    "accountkey",
    "sharedkey",
    "signature",
    "credential",
    "jwt",
    "bearer",
    "authorization",
];

/// A name of which one of these is a whole word carries a secret in the query of a URL.
const SHORT: [&str; 9] = ["key", "auth", "sig", "code", "pw", "session", "sid", "otp", "pin"];

/// Parameters whose names look like a secret's, with values that are none.
const PUBLIC: [&str; 6] = [
    "target_session_attrs",
    "require_auth",
    "passfile",
    "password_encryption",
    "sslkey",
    "tokenizer",
];

/// Returns true if the parameter of a URL's query carries a secret.
pub(super) fn is_secret_parameter(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_word = || {
        lower
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .any(|word| SHORT.contains(&word))
    };
    !PUBLIC.contains(&&*lower) && (has_long_name(&lower) || is_word())
}

fn has_long_name(lower: &str) -> bool {
    let letters: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    LONG.iter().any(|name| letters.contains(name))
}

/// Returns true if a name outside a URL carries a secret.
fn is_secret_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_path = ["file", "path", "dir", "stdin"].iter().any(|end| lower.ends_with(end));
    !is_path && !PUBLIC.contains(&&*lower) && has_long_name(&lower)
}

/// Finds every credential, in no order; ranges may overlap.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    pairs(text, &mut found);
    arguments(text, &mut found);
    headers(text, &mut found);
    password_lines(text, &mut found);
    found.retain(|secret| !secret.is_empty() && &text[secret.clone()] != super::mask::MASK);
    found
}

/// `password=X`, `Password = 'X Y'`.
fn pairs(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices('=') {
        let before = text[..at].trim_end_matches(' ');
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
        let name = &before[before.trim_end_matches(is_part).len()..];
        // ADO's names have blanks in them: the last word decides.
        if !name.is_empty() && is_secret_name(name) {
            let start =
                at + 1 + (text[at + 1..].len() - text[at + 1..].trim_start_matches(' ').len());
            found.push(value(text, start));
        }
    }
}

/// The value that begins at `start`: quoted, or up to a blank or a separator.
fn value(text: &str, start: usize) -> Range<usize> {
    let rest = &text[start..];
    let Some(quote) = rest.chars().next().filter(|letter| matches!(letter, '\'' | '"')) else {
        let end = rest
            .find(|letter: char| letter.is_whitespace() || ";&`\"'".contains(letter))
            .unwrap_or(rest.len());
        // A comma at the end separates steps.
        return start..start + rest[..end].trim_end_matches(',').len();
    };
    let mut escaped = false;
    let end = rest[1..].find(|letter| {
        let ends = letter == quote && !escaped;
        escaped = letter == '\\' && !escaped;
        ends
    });
    start + 1..start + 1 + end.unwrap_or(rest.len() - 1)
}

/// `--password X`, `-u user:X`, and mysql's `-pX`.
fn arguments(text: &str, found: &mut Vec<Range<usize>>) {
    let is_mysql = text.contains("mysql") || text.contains("mariadb");
    let mut words = words(text).peekable();
    while let Some(word) = words.next() {
        let written = &text[word.clone()];
        let Some(flag) = written.strip_prefix('-').map(|rest| rest.trim_start_matches('-')) else {
            continue;
        };
        let next = words.peek().cloned().filter(|next| !text[next.clone()].starts_with('-'));
        if flag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && is_secret_name(flag)
        {
            found.extend(next.map(|next| value(text, next.start)));
        } else if matches!(written, "-u" | "--user" | "-U" | "--proxy-user")
            && let Some(next) = next
            && let Some(colon) = text[next.clone()].find(':')
        {
            let value = value(text, next.start);
            found.push(next.start + colon + 1..value.end.max(next.start + colon + 1));
        } else if is_mysql && written.starts_with("-p") && written.len() > 2 {
            found.push(word.start + 2..word.end);
        }
    }
}

/// `Authorization: Bearer X` and other headers that carry a secret, up to the end of the line or
/// of the quotes around it.
fn headers(text: &str, found: &mut Vec<Range<usize>>) {
    const NAMES: [&str; 5] =
        ["authorization:", "cookie:", "x-api-key:", "x-auth-token:", "x-access-token:"];
    let lower = text.to_ascii_lowercase();
    for (at, name) in NAMES.iter().flat_map(|name| lower.match_indices(name)) {
        header(text, at + name.len(), found);
    }
    // Any other name, where it stands in an option.
    for (at, option) in lower.match_indices("header=") {
        let start = at + option.len();
        let Some(colon) = text[start..].find(':').map(|length| start + length) else { continue };
        if is_secret_header(&text[start..colon]) {
            header(text, colon + 1, found);
        }
    }
}

fn header(text: &str, start: usize, found: &mut Vec<Range<usize>>) {
    let line = &text[start..];
    let mut blanks = line.len() - line.trim_start_matches(' ').len();
    while line[blanks..].starts_with("%20") {
        blanks += 3;
    }
    let end = line.find(['\n', '\r', '"', '\'', '`', '\\']).unwrap_or(line.len());
    found.push(start + blanks.min(end)..start + end);
}

/// `HOST:PORT:DATABASE:USER:PASSWORD`, a line of a pgpass file (libpq, section 34.16).
fn password_lines(text: &str, found: &mut Vec<Range<usize>>) {
    for word in words(text) {
        let written = &text[word.clone()];
        let mut fields = written.splitn(5, ':');
        let (Some(host), Some(port), Some(_), Some(_), Some(password)) =
            (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let is_port = port == "*" || port.parse::<u16>().is_ok();
        let is_address = written.parse::<Ipv6Addr>().is_ok() || host.contains('[');
        if is_port && !host.is_empty() && !is_address {
            found.push(word.end - password.len()..word.end);
        }
    }
}

/// The words between blanks and quotes.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let ends_word = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '`');
    let mut at = 0;
    text.split_inclusive(ends_word).filter_map(move |piece| {
        let start = at;
        at += piece.len();
        let word = piece.trim_end_matches(ends_word);
        (!word.is_empty()).then_some(start..start + word.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_parameters_are_known_by_name() {
        for name in [
            "password",
            "PWD",
            "key",
            "auth",
            "sig",
            "signature",
            "X-Amz-Signature",
            "X-Amz-Credential",
            "access_key",
            "accessKey",
            "AccountKey",
            "jwt",
            "bearer",
            "session",
            "code",
            "private_key",
            "pw",
            "api-key",
            "sslpassword",
        ] {
            assert!(is_secret_parameter(name), "{name}");
        }
        for name in [
            "sslmode",
            "sslkey",
            "target_session_attrs",
            "keyspace",
            "monkey",
            "authSource",
            "design",
            "encoding",
            "passfile",
        ] {
            assert!(!is_secret_parameter(name), "{name}");
        }
    }

    #[test]
    fn credentials_are_masked_in_any_text() {
        for (text, masked) in [
            ("host=db password=s3cret dbname=x", "host=db password=*** dbname=x"),
            ("host=db password='s3 c\\'ret' dbname=x", "host=db password='***' dbname=x"),
            ("Server=db;Password=s3cret;Database=x", "Server=db;Password=***;Database=x"),
            ("Server=db;Pwd = s3cret;", "Server=db;Pwd = ***;"),
            ("AccountKey=s3cret==;Endpoint=x", "AccountKey=***;Endpoint=x"),
            ("db:5432:app:user:s3cret", "db:5432:app:user:***"),
            ("*:*:*:user:s3:cret", "*:*:*:user:***"),
            ("any: run psql --password s3cret, stop", "any: run psql --password ***, stop"),
            ("any: run x --token \"s3cret\", stop", "any: run x --token \"***\", stop"),
            ("run curl -u app:s3cret http://h/", "run curl -u app:*** http://h/"),
            ("run mysql -ps3cret -h db", "run mysql -p*** -h db"),
            ("run env PGPASSWORD=s3cret psql", "run env PGPASSWORD=*** psql"),
            ("-H 'Authorization: Bearer s3cret'", "-H 'Authorization: ***'"),
            ("2001:0:1:2:3:4:5:6", "2001:0:1:2:3:4:5:6"),
            (
                "give a certificate: --cert FILE --key FILE",
                "give a certificate: --cert FILE --key FILE",
            ),
            (
                "there is no flag `--password`; see --help",
                "there is no flag `--password`; see --help",
            ),
            ("run x --password-file /run/secret", "run x --password-file /run/secret"),
            ("password=***", "password=***"),
        ] {
            assert_eq!(crate::masked(text), masked);
        }
    }
}

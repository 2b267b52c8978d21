//! HTTP CONNECT (RFC 9110 section 9.3.6), with a Basic login (RFC 7617).
//!
//! One request, and the head of one answer, read a byte at a time: what stands behind it is the
//! server's. The content of a refusal is not read. What a status means is the table of
//! [`redial_core::Via`]. Start at [`ask`].

use redial_core::{Kind, ViaLogin, escape};
use tokio::io::AsyncWriteExt;

use super::{Trouble, fill, without_zone};
use crate::wire::Wire;

/// All heads of an answer together; a proxy's is a few lines.
const LONGEST_HEAD: usize = 16 << 10;
/// What a failure quotes of the status line.
const QUOTED: usize = 128;

/// Asks for a connection to the server; returns once its first byte would be the server's.
pub(super) async fn ask(
    wire: &mut Wire,
    host: &str,
    port: u16,
    login: Option<&ViaLogin>,
) -> Result<(), Trouble> {
    let secret = login.map(|login| base64(&[&login.user, &b":"[..], &login.password].concat()));
    wire.write_all(request(host, port, secret.as_deref()).as_bytes()).await?;
    let mut room = LONGEST_HEAD;
    let line = loop {
        let line = status_line(&read_head(wire, &mut room).await?);
        // Others come before the one that counts (RFC 9110 section 15.2); 101 would be the last.
        if !matches!(status(&line), Some(100 | 102..200)) {
            break line;
        }
    };
    let kind = match status(&line) {
        Some(200..300) => return Ok(()),
        Some(401 | 403 | 407) => Kind::Denied,
        Some(429 | 500 | 502 | 503) => Kind::Unavailable,
        Some(504) => Kind::ConnectTimeout,
        _ => Kind::UnexpectedResponse,
    };
    let password = login.map(|login| &*login.password);
    let secrets = [password, secret.as_deref().map(str::as_bytes)];
    Err(Trouble::Said(kind, quoted(&line, secrets.into_iter().flatten())))
}

fn request(host: &str, port: u16, secret: Option<&str>) -> String {
    let host = without_zone(host);
    let place =
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let login = secret
        .map_or_else(String::new, |secret| format!("Proxy-Authorization: Basic {secret}\r\n"));
    format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{login}\r\n")
}

/// Reads up to and with the empty line. A line may end without its `\r` (RFC 9112 section 2.2).
async fn read_head(wire: &mut Wire, room: &mut usize) -> Result<Vec<u8>, Trouble> {
    const BEGINNING: &[u8] = b"HTTP/";
    let said = |words| Trouble::said(Kind::UnexpectedResponse, words);
    let mut head = Vec::new();
    while !head.ends_with(b"\n\r\n") && !head.ends_with(b"\n\n") {
        *room = room.checked_sub(1).ok_or_else(|| said("the proxy's answer is over 16 KiB"))?;
        let mut byte = [0];
        fill(wire, &mut byte, !head.is_empty()).await?;
        head.extend(byte);
        let length = head.len().min(BEGINNING.len());
        if head[..length] != BEGINNING[..length] {
            return Err(said("the proxy's answer is not HTTP"));
        }
    }
    Ok(head)
}

fn status_line(head: &[u8]) -> Vec<u8> {
    head.split(|byte| b"\r\n".contains(byte)).next().unwrap_or_default().to_vec()
}

fn status(line: &[u8]) -> Option<u16> {
    let digits = line.split(|&byte| byte == b' ').nth(1)?;
    let all_are = digits.len() == 3 && digits.iter().all(u8::is_ascii_digit);
    all_are.then(|| digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
}

/// The proxy's own words, unless they say a secret back.
fn quoted<'a>(line: &[u8], mut secrets: impl Iterator<Item = &'a [u8]>) -> String {
    let repeated = secrets.any(|secret| {
        !secret.is_empty() && line.windows(secret.len()).any(|words| words == secret)
    });
    match status(line) {
        _ if !repeated => format!("the proxy said {}", escape(line, QUOTED)),
        Some(status) => format!("the proxy said {status}, and the password"),
        None => "the proxy said the password".into(),
    }
}

/// RFC 4648 section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = group.iter().fold(0_usize, |number, &byte| number << 8 | usize::from(byte))
            << (8 * (3 - group.len()));
        for position in 0..4 {
            text.push(if position <= group.len() {
                char::from(LETTERS[number >> (18 - 6 * position) & 63])
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        // The vectors of RFC 4648 section 10.
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn a_status_is_three_digits() {
        for (line, found) in [
            ("HTTP/1.1 200 OK", Some(200)),
            ("HTTP/1.0 407", Some(407)),
            ("HTTP/1.1 +20 OK", None),
            ("HTTP/1.1 2000 OK", None),
            ("HTTP/1.1", None),
            ("", None),
        ] {
            assert_eq!(status(line.as_bytes()), found, "{line}");
        }
    }

    #[test]
    fn a_secret_that_is_said_back_is_not_quoted() {
        let secrets = || [&b"s3cr3t"[..], b""].into_iter();
        assert_eq!(quoted(b"HTTP/1.1 403 No", secrets()), "the proxy said HTTP/1.1 403 No");
        let found = quoted(b"HTTP/1.1 403 s3cr3t is wrong", secrets());
        assert_eq!(found, "the proxy said 403, and the password");
    }
}

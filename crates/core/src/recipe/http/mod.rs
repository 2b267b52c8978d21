//! The rest of an HTTP answer after its status line: its headers, and its decoded body.
//!
//! The body is read as its headers say that it is written (Content-Length, chunked, gzip), and is
//! judged as soon as that is possible: a text when it is found, everything else when the body is
//! complete. Headers, body and decompressed body are bounded. Start at [`Reader`].

mod body;
mod chunked;
mod gzip;
mod head;

use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
    vec::Vec,
};

use body::Body;
use head::Head;

use super::expected::Over;
use crate::{Answer, JsonCheck, JsonMismatch, Kind, Matcher, Progress, nearest::quoted};

/// The most of a body that is read, as it is meant: 1 MiB.
pub(super) const LIMIT: usize = 1 << 20;

/// What a recipe's step reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// The body, for `#body` and `#json`.
    Body,
    /// The headers, for where they redirect to.
    Redirect,
}

/// What a step reads of one server's answer.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Whether the headers are all that is read, for their `Location`.
    pub(super) location: bool,
    pub(super) text: Option<Answer>,
    pub(super) json: Box<[JsonCheck]>,
}

/// What the bytes so far come to.
pub(super) enum Outcome {
    More,
    Ready,
    /// This status redirects there.
    Redirected(u16, String),
    Refused(Kind, String, Vec<u8>),
}

/// Reads one answer.
#[derive(Clone)]
pub(super) struct Reader {
    status: u16,
    head: Head,
    /// Known once the headers are read.
    body: Option<Body>,
    text: Vec<u8>,
    matcher: Option<Matcher>,
}

/// What makes an answer unreadable, as a sentence.
type Malformed = String;

impl Reader {
    /// Reads what follows this status line.
    pub(super) fn new(status_line: &[u8], wanted: &Wanted) -> Self {
        let digits = status_line.get(9..12).and_then(|digits| str::from_utf8(digits).ok());
        Self {
            status: digits.and_then(|digits| digits.parse().ok()).unwrap_or(200),
            head: Head::default(),
            body: None,
            text: Vec::new(),
            matcher: wanted.text.as_ref().map(Answer::matcher),
        }
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, wanted: &Wanted, mut bytes: &[u8]) -> Outcome {
        match self.take(wanted, &mut bytes) {
            Ok(outcome) => outcome,
            Err(says) => Outcome::Refused(Kind::UnexpectedResponse, says, Vec::new()),
        }
    }

    fn take(&mut self, wanted: &Wanted, bytes: &mut &[u8]) -> Result<Outcome, Malformed> {
        if self.body.is_none() {
            if !self.head.take(bytes)? {
                return Ok(Outcome::More);
            }
            if wanted.location {
                let location = self.head.all("location").next().map(ToString::to_string);
                return match location {
                    Some(location) => Ok(Outcome::Redirected(self.status, location)),
                    None => Err(format!("HTTP status {} without a Location", self.status)),
                };
            }
            let has_none = matches!(self.status, 204 | 304);
            self.body = Some(if has_none { Body::none() } else { Body::new(&self.head)? });
        }
        let Some(body) = &mut self.body else { return Ok(Outcome::More) };
        let before = self.text.len();
        let limit = LIMIT;
        body.take(bytes, &mut self.text, limit)?;
        let (is_complete, is_full) = (body.is_complete(), self.text.len() >= limit);
        let new = self.text.get(before..).unwrap_or_default();
        let found = match (&wanted.text, &mut self.matcher) {
            (Some(text), Some(matcher)) => matcher.feed(text, new),
            _ => Progress::Matched,
        };
        Ok(match found {
            Progress::Refused => self.without_text(wanted),
            Progress::Matched if wanted.json.is_empty() => Outcome::Ready,
            _ if is_complete => self.complete(wanted),
            _ if is_full => {
                let says = "the body is longer than 1 MiB, the most that is read".to_string();
                Outcome::Refused(Kind::UnexpectedResponse, says, Vec::new())
            }
            _ => Outcome::More,
        })
    }

    /// No more bytes will come.
    pub(super) fn end(&self, wanted: &Wanted, over: Over) -> Outcome {
        let kind = if over == Over::Time { Kind::Stalled } else { Kind::Truncated };
        match &self.body {
            None => Outcome::Refused(kind, "its headers have no end".into(), Vec::new()),
            // Only the end of the connection ends such a body, which may come late.
            Some(body) if body.ends_with_connection() => match self.judged(wanted) {
                Err((_, JsonMismatch::NotJson(_))) if over == Over::Time => {
                    Outcome::Refused(kind, "its body has no end".into(), Vec::new())
                }
                _ => self.complete(wanted),
            },
            Some(body) => Outcome::Refused(kind, body.missing(), Vec::new()),
        }
    }

    /// Judges a body of which all is here.
    fn complete(&self, wanted: &Wanted) -> Outcome {
        let is_found = |matcher: &Matcher| matcher.progress() == Progress::Matched;
        if !self.matcher.as_ref().is_none_or(is_found) {
            return self.without_text(wanted);
        }
        match self.judged(wanted) {
            Ok(()) => Outcome::Ready,
            Err((words, mismatch)) => {
                Outcome::Refused(Kind::UnexpectedResponse, mismatch.to_string(), words)
            }
        }
    }

    fn judged(&self, wanted: &Wanted) -> Result<(), (Vec<u8>, JsonMismatch)> {
        for check in &wanted.json {
            check.check(&self.text).map_err(|mismatch| match mismatch {
                JsonMismatch::NotJson(_) => (self.text.clone(), mismatch),
                JsonMismatch::Value(_) => (Vec::new(), mismatch),
            })?;
        }
        Ok(())
    }

    fn without_text(&self, wanted: &Wanted) -> Outcome {
        let text = quoted(wanted.text.as_ref().map_or("", Answer::as_str));
        let says = match self.text.is_empty() {
            true => format!("the body is empty, expected {text}"),
            false => format!("the body does not match {text}"),
        };
        Outcome::Refused(Kind::UnexpectedResponse, says, self.text.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(text: Option<&str>, json: &[&str], said: &[u8], size: usize) -> String {
        let wanted = Wanted {
            location: false,
            text: text.map(|text| Answer::parse(text).unwrap().with_limit(LIMIT)),
            json: json.iter().map(|text| JsonCheck::parse(text).unwrap()).collect(),
        };
        let mut reader = Reader::new(b"HTTP/1.1 200 OK\r\n", &wanted);
        for (index, piece) in said.chunks(size).enumerate() {
            match reader.feed(&wanted, piece) {
                Outcome::More => {}
                Outcome::Ready | Outcome::Redirected(..) => {
                    return format!("ready at {}", (index + 1) * size);
                }
                Outcome::Refused(kind, says, _) => return format!("{kind}: {says}"),
            }
        }
        match reader.end(&wanted, Over::End) {
            Outcome::More => "more".into(),
            Outcome::Ready | Outcome::Redirected(..) => "ready".into(),
            Outcome::Refused(kind, says, _) => format!("{kind}: {says}"),
        }
    }

    /// `{"status": "ready"}`, by gzip(1).
    const GZIP: &[u8] = &[
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0x56, 0x2a, 0x2e, 0x49, 0x2c, 0x29, 0x2d, 0x56,
        0xb2, 0x52, 0x50, 0x2a, 0x4a, 0x4d, 0x4c, 0xa9, 0x54, 0xaa, 0x05, 0,
    ];

    #[test]
    fn body_is_read_as_its_headers_say() {
        for (said, expected) in [
            (&b"Content-Length: 5\r\n\r\nreadymore"[..], "ready"),
            (b"\r\nready", "ready"),
            (b"Transfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n2;x=y\r\ndy\r\n0\r\n\r\n", "ready"),
            (b"transfer-encoding:CHUNKED\n\n0003\nrea\n2\ndy\n0\nX: y\n\n", "ready"),
            (
                b"Content-Length: 4\r\n\r\nread",
                "unexpected-response: the body does not match `ready`",
            ),
            (
                b"Content-Length: 0\r\n\r\n",
                "unexpected-response: the body is empty, expected `ready`",
            ),
            (b"Content-Length: 9\r\n\r\nrea", "truncated: its body ends after 3 of 9 bytes"),
            (b"Content-Length: 5", "truncated: its headers have no end"),
            (
                b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
                "unexpected-response: two headers give two lengths of its body",
            ),
            (b"Content-Length: -5\r\n\r\n", "unexpected-response: its Content-Length is no number"),
            (
                b"Transfer-Encoding: gzip, chunked\r\n\r\n",
                "unexpected-response: its body is written as `gzip, chunked`, which redial cannot read",
            ),
            (
                b"Content-Encoding: br\r\n\r\n",
                "unexpected-response: its body is written as `br`, which redial cannot read",
            ),
            (
                b"Transfer-Encoding: chunked\r\n\r\nx\r\n",
                "unexpected-response: a chunk of its body has no length",
            ),
            (
                b"Transfer-Encoding: chunked\r\n\r\n5\r\nrea\r\n0\r\n\r\n",
                "unexpected-response: a chunk of its body is longer than it says",
            ),
            (
                b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
                "unexpected-response: a chunk of its body has no length",
            ),
            (
                b"Transfer-Encoding: chunked\r\n\r\n2\r\nre\r\n",
                "truncated: its body ends within its chunks",
            ),
        ] {
            for size in [usize::MAX, 1, 2, 3, 7] {
                let size = size.min(said.len());
                let found = outcome(Some("ready"), &[], said, size);
                let found = if found.starts_with("ready") { "ready" } else { &found };
                assert_eq!(found, expected, "{:?} {size}", String::from_utf8_lossy(said));
            }
        }
    }

    #[test]
    fn headers_and_chunk_lines_are_bounded() {
        let long = [b"X: ".to_vec(), b"a".repeat(100 << 10)].concat();
        let found = outcome(Some("ready"), &[], &long, 1000);
        assert_eq!(found, "unexpected-response: its headers are longer than 64 KiB");
        let many = b"1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n".repeat(3000);
        let many = [&b"Transfer-Encoding: chunked\r\n\r\n"[..], &many].concat();
        let found = outcome(Some("ready"), &[], &many, 1000);
        assert_eq!(found, "unexpected-response: its chunks are mostly their own headers");
    }

    #[test]
    fn compressed_body_is_read_and_bounded() {
        let gzip = |body: &[u8], text: &[u8]| {
            let mut all = body.to_vec();
            all.extend_from_slice(&gzip::crc32(0, text).to_le_bytes());
            all.extend_from_slice(&(text.len() as u32).to_le_bytes());
            let head = format!("Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", all.len());
            [head.as_bytes(), &all].concat()
        };
        let said = gzip(GZIP, br#"{"status": "ready"}"#);
        for size in [said.len(), 1, 5] {
            assert!(outcome(None, &["/status:ready"], &said, size).starts_with("ready"));
        }
        let wrong = gzip(GZIP, br#"{"status": "Ready"}"#);
        let found = outcome(None, &["/status:ready"], &wrong, 9);
        assert_eq!(found, "unexpected-response: its gzip body is damaged");
        let cut = &said[..said.len() - 4];
        let found = outcome(None, &["/status:ready"], cut, 9);
        assert!(found.starts_with("truncated: "), "{found}");
        // 8 MiB of zeros in 8 KiB.
        let zeros = alloc::vec![0; 8 << 20];
        let mut bomb = alloc::vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
        bomb.extend(miniz_oxide::deflate::compress_to_vec(&zeros, 6));
        let said = gzip(&bomb, &zeros);
        let found = outcome(None, &["/status:ready"], &said, 8192);
        assert_eq!(
            found,
            "unexpected-response: the body is longer than 1 MiB, the most that is read"
        );
    }
}

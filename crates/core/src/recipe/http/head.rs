//! The headers of an HTTP answer, up to the empty line (RFC 9112, section 5).
//!
//! Start at [`Head`].

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use super::Malformed;

/// The most bytes of headers.
const LIMIT: usize = 64 << 10;

/// Headers, as far as they were read.
#[derive(Clone, Default)]
pub(super) struct Head {
    lines: Vec<(String, String)>,
    line: Vec<u8>,
    count: usize,
}

impl Head {
    /// Takes bytes up to the empty line; true once that is read.
    pub(super) fn take(&mut self, bytes: &mut &[u8]) -> Result<bool, Malformed> {
        while let Some((byte, rest)) = bytes.split_first() {
            *bytes = rest;
            self.count += 1;
            if self.count > LIMIT {
                return Err("its headers are longer than 64 KiB".into());
            }
            if *byte != b'\n' {
                self.line.push(*byte);
                continue;
            }
            let line = core::mem::take(&mut self.line);
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            if line.is_empty() {
                return Ok(true);
            }
            // A line without a colon, or one that continues another, says nothing of the body.
            let text = String::from_utf8_lossy(line);
            if let Some((name, value)) = text.split_once(':') {
                self.lines.push((name.to_ascii_lowercase(), value.trim().to_string()));
            }
        }
        Ok(false)
    }

    /// Returns the values of a header, whose name is in lower case.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = self.lines.iter().filter(move |(other, _)| other == name);
        lines.map(|(_, value)| &**value)
    }

    /// Returns the values of a header as one list, in lower case.
    pub(super) fn list(&self, name: &str) -> String {
        self.all(name).collect::<Vec<_>>().join(", ").to_ascii_lowercase()
    }
}

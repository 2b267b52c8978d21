//! Chunks: a body in pieces, each after its length (RFC 9112, section 7.1).
//!
//! Start at [`Chunks`].

use alloc::vec::Vec;

use super::Malformed;

/// The longest line of a chunk or a trailer, in bytes.
const LONGEST: usize = 4 << 10;

/// The most bytes that are no data: lengths, their extensions, line ends, trailers.
const OVERHEAD: usize = 128 << 10;

/// Chunks that are being read.
#[derive(Clone, Default)]
pub(super) struct Chunks {
    phase: Phase,
    line: Vec<u8>,
    overhead: usize,
}

#[derive(Clone, Copy, Default)]
enum Phase {
    #[default]
    Length,
    Data(u64),
    /// The line end after data.
    End,
    Trailer,
    Complete,
}

impl Chunks {
    /// Takes bytes up to the next data, which may be a part of a chunk; none where there is none.
    pub(super) fn take<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Malformed> {
        loop {
            if let Phase::Data(left) = self.phase {
                let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                let (data, rest) = bytes.split_at(count);
                *bytes = rest;
                let left = left - count as u64;
                self.phase = if left == 0 { Phase::End } else { Phase::Data(left) };
                return Ok((count > 0).then_some(data));
            }
            if matches!(self.phase, Phase::Complete) {
                *bytes = &[];
                return Ok(None);
            }
            let Some(line) = self.line(bytes)? else { return Ok(None) };
            self.phase = match self.phase {
                Phase::Length => match length(&line)? {
                    0 => Phase::Trailer,
                    length => Phase::Data(length),
                },
                Phase::End if line.is_empty() => Phase::Length,
                Phase::End => return Err("a chunk of its body is longer than it says".into()),
                Phase::Trailer if line.is_empty() => Phase::Complete,
                phase => phase,
            };
        }
    }

    pub(super) const fn is_complete(&self) -> bool {
        matches!(self.phase, Phase::Complete)
    }

    /// Takes a line, without its end.
    fn line(&mut self, bytes: &mut &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
        while let Some((byte, rest)) = bytes.split_first() {
            *bytes = rest;
            self.overhead += 1;
            if self.overhead > OVERHEAD {
                return Err("its chunks are mostly their own headers".into());
            }
            if *byte == b'\n' {
                let mut line = core::mem::take(&mut self.line);
                if line.ends_with(b"\r") {
                    line.pop();
                }
                return Ok(Some(line));
            }
            // Data where a line end belongs is refused at its first byte.
            if matches!(self.phase, Phase::End) && *byte != b'\r' {
                return Err("a chunk of its body is longer than it says".into());
            }
            self.line.push(*byte);
            if self.line.len() > LONGEST {
                return Err("a line between its chunks is longer than 4 KiB".into());
            }
        }
        Ok(None)
    }
}

/// Reads a length in hexadecimal digits; an extension after `;` is left out.
fn length(line: &[u8]) -> Result<u64, Malformed> {
    let text = str::from_utf8(line).unwrap_or("");
    let digits = text.split(';').next().unwrap_or("").trim();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let length = u64::from_str_radix(digits, 16).ok().filter(|_| is_number);
    length.ok_or_else(|| "a chunk of its body has no length".into())
}

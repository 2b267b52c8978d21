//! gzip: members of compressed data, each checked by its CRC and its length (RFC 1952).
//!
//! Start at [`Gunzip`].

use alloc::{boxed::Box, vec::Vec};

use miniz_oxide::{
    DataFormat, MZFlush, MZStatus,
    inflate::stream::{InflateState, inflate},
};

use super::Malformed;

/// The longest header of a member: it may hold a file's name and a comment.
const LONGEST: usize = 4 << 10;

/// How much is decompressed at a time.
const PIECE: usize = 16 << 10;

/// A compressed body that is being read.
#[derive(Clone)]
pub(super) struct Gunzip {
    phase: Phase,
    /// The header or the trailer so far.
    held: Vec<u8>,
    crc: u32,
    length: u32,
}

#[derive(Clone)]
enum Phase {
    Header,
    Data(Box<InflateState>),
    Trailer,
    /// At least one member was read; another may follow.
    Between,
}

impl Default for Gunzip {
    fn default() -> Self {
        Self { phase: Phase::Header, held: Vec::new(), crc: 0, length: 0 }
    }
}

impl Gunzip {
    /// Takes bytes, and appends what they mean to the text, up to the limit.
    pub(super) fn take(
        &mut self,
        mut bytes: &[u8],
        text: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), Malformed> {
        while !bytes.is_empty() && text.len() < limit {
            match &mut self.phase {
                Phase::Between => self.phase = Phase::Header,
                Phase::Header => {
                    let before = self.held.len();
                    self.held.extend_from_slice(&bytes[..bytes.len().min(LONGEST)]);
                    let Some(length) = header(&self.held)? else {
                        if self.held.len() > LONGEST {
                            return Err("its gzip body is damaged".into());
                        }
                        return Ok(());
                    };
                    bytes = &bytes[length - before..];
                    self.held.clear();
                    (self.crc, self.length) = (0, 0);
                    self.phase = Phase::Data(InflateState::new_boxed(DataFormat::Raw));
                }
                Phase::Data(state) => {
                    let start = text.len();
                    text.resize(limit.min(start + PIECE), 0);
                    let done = inflate(state, bytes, &mut text[start..], MZFlush::None);
                    text.truncate(start + done.bytes_written);
                    bytes = &bytes[done.bytes_consumed..];
                    self.crc = crc32(self.crc, &text[start..]);
                    self.length = self.length.wrapping_add(done.bytes_written as u32);
                    let stuck = done.bytes_consumed == 0 && done.bytes_written == 0;
                    match done.status {
                        Ok(MZStatus::StreamEnd) => self.phase = Phase::Trailer,
                        Ok(_) if !stuck => {}
                        _ => return Err("its gzip body is damaged".into()),
                    }
                }
                Phase::Trailer => {
                    let count = bytes.len().min(8 - self.held.len());
                    self.held.extend_from_slice(&bytes[..count]);
                    bytes = &bytes[count..];
                    if self.held.len() == 8 {
                        let [crc, length] = [self.crc.to_le_bytes(), self.length.to_le_bytes()];
                        if self.held != [crc, length].concat() {
                            return Err("its gzip body is damaged".into());
                        }
                        self.held.clear();
                        self.phase = Phase::Between;
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns true if the body may end here.
    pub(super) const fn is_complete(&self) -> bool {
        matches!(self.phase, Phase::Between)
    }
}

/// Returns the length of the header that these bytes begin with, once it is here.
fn header(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let magic = [0x1f, 0x8b, 8];
    if !bytes.iter().zip(magic).all(|(byte, magic)| *byte == magic) {
        return Err("its body is not gzip, though its Content-Encoding says so".into());
    }
    let Some(flags) = bytes.get(3) else { return Ok(None) };
    let mut at = 10;
    // FEXTRA: two bytes of length, and so many.
    if flags & 4 != 0 {
        let Some([low, high]) = bytes.get(at..at + 2) else { return Ok(None) };
        at += 2 + usize::from(u16::from_le_bytes([*low, *high]));
    }
    // FNAME and FCOMMENT: text up to a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            let Some(rest) = bytes.get(at..) else { return Ok(None) };
            let Some(zero) = rest.iter().position(|byte| *byte == 0) else { return Ok(None) };
            at += zero + 1;
        }
    }
    // FHCRC.
    if flags & 2 != 0 {
        at += 2;
    }
    Ok((bytes.len() >= at).then_some(at))
}

/// Continues a CRC-32 with these bytes (RFC 1952, section 8).
pub(super) fn crc32(before: u32, bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| TABLE[(crc as u8 ^ byte) as usize] ^ crc >> 8;
    !bytes.iter().fold(!before, step)
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 0 { crc >> 1 } else { 0xedb8_8320 ^ crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_follows_the_check_value() {
        assert_eq!(crc32(0, b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(crc32(0, b"1234"), b"56789"), 0xcbf4_3926);
    }

    #[test]
    fn header_is_read_with_all_its_parts() {
        let plain = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
        assert_eq!(header(&plain), Ok(Some(10)));
        assert_eq!(header(&plain[..9]), Ok(None));
        let full =
            [&[0x1f, 0x8b, 8, 31, 0, 0, 0, 0, 0, 3, 2, 0, 9, 9], &b"name\0note\0cc"[..]].concat();
        assert_eq!(header(&full), Ok(Some(full.len())));
        for length in 0..full.len() {
            assert_eq!(header(&full[..length]), Ok(None), "{length}");
        }
        assert!(header(b"PK").is_err());
    }
}

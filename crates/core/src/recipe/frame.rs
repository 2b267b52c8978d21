//! Where one message ends and the next begins, and which of its bytes are words for people.
//!
//! A stream has no messages of its own: a protocol ends them with a newline, or says their length
//! in front. It judges nothing. Start at [`Frame`].

use alloc::boxed::Box;

use super::said::Size;

/// How messages are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Frame {
    /// They are not: everything that is said is one message, up to where it is recognised.
    #[default]
    Whole,
    /// Each ends with `\n`.
    Line,
    /// Each is one element of BER: a tag of one byte, a length of up to four (X.690, 8.1.3).
    Ber,
    /// Each says its length: the number at `at` and `plus` are all of it, from its first byte.
    Length {
        /// Where the number stands.
        at: usize,
        /// How it is written.
        size: Size,
        /// What the number does not count.
        plus: usize,
    },
}

impl Frame {
    /// The length of the message that these bytes begin with, if it is known yet. `looked` bytes of
    /// it were here at the last call.
    ///
    /// A length that does not even hold its own number is [`usize::MAX`]: no message is that long.
    pub(super) fn length(&self, bytes: &[u8], looked: usize) -> Option<usize> {
        match self {
            Self::Whole => None,
            Self::Line => {
                let new = bytes.get(looked..)?;
                new.iter().position(|byte| *byte == b'\n').map(|end| looked + end + 1)
            }
            Self::Ber => {
                let first = usize::from(*bytes.get(1)?);
                if first < 0x80 {
                    return Some(first + 2);
                }
                let width = first - 0x80;
                if !(1..=4).contains(&width) {
                    return Some(usize::MAX);
                }
                let number = bytes.get(2..2 + width)?;
                let length = number.iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
                usize::try_from(length).ok()?.checked_add(2 + width)
            }
            Self::Length { at, size, plus } => {
                let number = size.read(bytes.get(*at..at + size.width)?);
                let length = usize::try_from(number).unwrap_or(usize::MAX).saturating_add(*plus);
                Some(if length < at + size.width { usize::MAX } else { length })
            }
        }
    }
}

/// Which part of a message is its words: behind some bytes or from its beginning, a few more bytes
/// left out, up to others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) after: Option<Box<[u8]>>,
    pub(super) skip: usize,
    pub(super) until: Option<Box<[u8]>>,
}

impl Words {
    /// The words, without blanks at either end; without `until`, those of the first line.
    pub(super) fn of<'a>(&self, message: &'a [u8]) -> &'a [u8] {
        let mut words = message;
        if let Some(after) = &self.after {
            words = find(words, after).map_or(&[], |at| &words[at + after.len()..]);
        }
        words = words.get(self.skip..).unwrap_or_default();
        let end = self.until.as_deref().unwrap_or(b"\n");
        words = find(words, end).map_or(words, |at| &words[..at]);
        words.trim_ascii()
    }
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len().max(1)).position(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_known_once_its_number_is_here() {
        let size = Size::named("u32").unwrap();
        let frame = Frame::Length { at: 1, size, plus: 1 };
        assert_eq!(frame.length(b"E\0\0\0", 0), None);
        assert_eq!(frame.length(b"E\0\0\0\x08abcd", 4), Some(9));
        assert_eq!(frame.length(b"E\0\0\0\x01", 0), Some(usize::MAX));
        let frame = Frame::Length { at: 0, size: Size::named("u24le").unwrap(), plus: 4 };
        assert_eq!(frame.length(b"\x0a\x01\x00\x00", 0), Some(270));
        assert_eq!(Frame::Line.length(b"220 a\r\n220", 2), Some(7));
        assert_eq!(Frame::Ber.length(b"\x30\x0c\x02", 0), Some(14));
        assert_eq!(Frame::Ber.length(b"\x30\x84\0\0\x01", 0), None);
        assert_eq!(Frame::Ber.length(b"\x30\x84\0\0\x01\0", 0), Some(262));
        assert_eq!(Frame::Ber.length(b"\x30\x80", 0), Some(usize::MAX));
        assert_eq!(Frame::Whole.length(b"220 a\r\n220", 0), None);
    }

    #[test]
    fn words_are_found_where_they_stand() {
        let message = b"E\0\0\0\x20SFATAL\0C57P03\0Mstarting up\0\0";
        let words = Words { after: Some((*b"\0M").into()), until: Some((*b"\0").into()), skip: 0 };
        assert_eq!(words.of(message), b"starting up");
        assert_eq!(words.of(b"E"), b"");
        assert_eq!(Words { skip: 4, ..Words::default() }.of(b"421 busy \r\nx"), b"busy");
        assert_eq!(Words { skip: 40, ..Words::default() }.of(b"421"), b"");
    }
}

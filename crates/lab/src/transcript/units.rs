//! Where one thing the client said ends: a line, a packet, a command.
//!
//! It looks at no more than it must, and never trusts a length further than [`LIMIT`]. Start at
//! [`Cut`].

/// The longest unit: 16 KiB. What is not whole yet is looked at again with every piece.
pub(super) const LIMIT: usize = 16 * 1024;

/// A rule for units that begin with some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) begins: Vec<u8>,
    pub(super) how: How,
}

/// How the end of a unit is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// After a line feed.
    Line,
    /// After an empty line: the head of an HTTP request.
    Head,
    /// After a command of Redis: an array of bulk strings, or a line.
    Resp,
    /// After so many bytes.
    Bytes(usize),
    /// A number of 1 to 4 bytes somewhere, plus something, is the length.
    Number { size: usize, little: bool, at: usize, plus: usize },
    /// A number of seven bits a byte, least first (MQTT 3.1.1 section 2.2.3), is what follows it.
    Varint { at: usize },
    /// A length as in BER (X.690 section 8.1.3) behind a tag of one byte.
    Ber,
}

/// What is known of the end of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is so long.
    After(usize),
    /// It needs more bytes.
    Open,
    /// This is no unit.
    Never,
}

/// Where the first unit ends in what was heard; there is something.
pub(super) fn end(cuts: &[Cut], heard: &[u8]) -> End {
    for Cut { begins, how } in cuts {
        if heard.starts_with(begins) {
            return match how.end(heard) {
                Some(0) => End::Never,
                Some(length) if length > LIMIT => End::Never,
                Some(length) if length <= heard.len() => End::After(length),
                Some(_) | None if heard.len() >= LIMIT => End::Never,
                Some(_) | None => End::Open,
            };
        }
        if begins.starts_with(heard) {
            return End::Open;
        }
    }
    End::Never
}

impl How {
    /// The length of the unit, as soon as it can be told.
    fn end(&self, heard: &[u8]) -> Option<usize> {
        match self {
            Self::Line => line(heard),
            Self::Head => heard.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4),
            Self::Resp => resp(heard),
            Self::Bytes(length) => Some(*length),
            Self::Number { size, little, at, plus } => {
                let number = number(heard.get(*at..*at + *size)?, *little);
                Some(number.saturating_add(*plus))
            }
            Self::Varint { at } => {
                varint(heard.get(*at..)?).map(|length| length.saturating_add(*at))
            }
            Self::Ber => ber(heard),
        }
    }
}

fn line(heard: &[u8]) -> Option<usize> {
    heard.iter().position(|&byte| byte == b'\n').map(|at| at + 1)
}

/// Up to four bytes as a number.
fn number(bytes: &[u8], little: bool) -> usize {
    let add = |sum: usize, byte: &u8| sum << 8 | usize::from(*byte);
    if little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) }
}

/// A line, or as many bulk strings as the first line says. Nonsense ends with its line.
fn resp(heard: &[u8]) -> Option<usize> {
    let first = line(heard)?;
    let Some(count) = count(b'*', &heard[..first]) else { return Some(first) };
    let mut at = first;
    for _ in 0..count {
        let end = at + line(&heard[at..])?;
        let Some(length) = self::count(b'$', &heard[at..end]) else { return Some(end) };
        at = end.saturating_add(length).saturating_add(2);
        if at > heard.len() {
            return if at > LIMIT { Some(at) } else { None };
        }
    }
    Some(at)
}

/// The number in a line such as `*2`.
fn count(kind: u8, line: &[u8]) -> Option<usize> {
    let digits = line.strip_prefix(&[kind])?.trim_ascii_end();
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The number and its own bytes.
fn varint(heard: &[u8]) -> Option<usize> {
    let mut number = 0;
    for (index, byte) in heard.iter().take(4).enumerate() {
        number |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some(number + index + 1);
        }
    }
    if heard.len() < 4 { None } else { Some(usize::MAX) }
}

/// The tag, the length and what follows.
fn ber(heard: &[u8]) -> Option<usize> {
    let first = usize::from(*heard.get(1)?);
    match first {
        0..=0x7f => Some(2 + first),
        0x81..=0x84 => {
            let bytes = first - 0x80;
            Some(number(heard.get(2..2 + bytes)?, false).saturating_add(2 + bytes))
        }
        _ => Some(usize::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(how: How, heard: &[u8]) -> End {
        end(&[Cut { begins: Vec::new(), how }], heard)
    }

    #[test]
    fn each_kind_of_unit_ends_where_it_should() {
        let be = |size, plus| How::Number { size, little: false, at: 0, plus };
        let le = How::Number { size: 3, little: true, at: 0, plus: 4 };
        for (how, unit) in [
            (How::Line, &b"PING\r\n"[..]),
            (How::Head, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            (How::Resp, b"PING\r\n"),
            (How::Resp, b"*2\r\n$4\r\nECHO\r\n$4\r\na\r\nb\r\n"),
            (How::Resp, b"*0\r\n"),
            (How::Bytes(4), b"ruok"),
            (be(2, 2), &[0, 3, 1, 2, 3]),
            (be(4, 0), &[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]),
            (le, &[1, 0, 0, 0, 0x0e]),
            (How::Varint { at: 1 }, &[0xc0, 0]),
            (How::Varint { at: 1 }, &[&[0x10, 0x80, 1][..], &[7; 128]].concat()),
            (How::Ber, &[0x30, 2, 5, 0]),
            (How::Ber, &[0x30, 0x84, 0, 0, 0, 1, 9]),
        ] {
            for length in 1..unit.len() {
                assert_eq!(whole(how.clone(), &unit[..length]), End::Open, "{how:?} {length}");
            }
            let more = [unit, b"more\r\n\r\n"].concat();
            assert_eq!(whole(how.clone(), &more), End::After(unit.len()), "{how:?}");
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_no_unit() {
        let long = How::Number { size: 4, little: false, at: 0, plus: 4 };
        assert_eq!(whole(long, &[0xff; 4]), End::Never);
        assert_eq!(whole(How::Ber, &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), End::Never);
        assert_eq!(whole(How::Varint { at: 0 }, &[0xff; 4]), End::Never);
        assert_eq!(whole(How::Resp, b"*1\r\n$99999999999\r\n"), End::Never);
        assert_eq!(whole(How::Line, &[b'x'; LIMIT]), End::Never);
        assert_eq!(whole(How::Line, &[b'x'; LIMIT - 1]), End::Open);
        let none = How::Number { size: 1, little: false, at: 0, plus: 0 };
        assert_eq!(whole(none, &[0]), End::Never);
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let cut = |begins: &[u8], how| Cut { begins: begins.to_vec(), how };
        let cuts = [cut(b"AMQP", How::Bytes(8)), cut(b"", How::Line)];
        assert_eq!(end(&cuts, b"AM"), End::Open);
        assert_eq!(end(&cuts, b"AMQP\0\0\t\x01"), End::After(8));
        assert_eq!(end(&cuts, b"HI\n"), End::After(3));
        assert_eq!(end(&cuts[..1], b"HI\n"), End::Never);
    }
}

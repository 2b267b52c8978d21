//! Bytes of a server as a terminal may show them: control characters visible, letters kept.
//!
//! A terminal obeys C0 and C1 controls, alone or as UTF-8, and reorders a line at bidirectional
//! characters. Input comes in pieces, so a sequence may begin in one and end in the next. Start at
//! [`Shown`].

use redial::printable;

/// Escapes everything that a terminal would obey; line ends and tabs stay.
#[derive(Default)]
pub(crate) struct Shown {
    /// The beginning of a UTF-8 sequence, or a `\r` whose `\n` may come later.
    held: Vec<u8>,
}

impl Shown {
    /// Returns these bytes as they may be shown, after those that were held back.
    pub(crate) fn show(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut input = std::mem::take(&mut self.held);
        input.extend_from_slice(bytes);
        let mut shown = Vec::with_capacity(input.len());
        let mut rest = &input[..];
        while !rest.is_empty() {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.show_text(text, true, &mut shown);
                    break;
                }
                Err(error) => {
                    let (valid, invalid) = rest.split_at(error.valid_up_to());
                    // It is valid as far as this: nothing is lost.
                    self.show_text(&String::from_utf8_lossy(valid), false, &mut shown);
                    let Some(length) = error.error_len() else {
                        self.held = invalid.to_vec();
                        break;
                    };
                    for &byte in &invalid[..length] {
                        match byte {
                            0x80..=0x9f => escape(&[byte], &mut shown),
                            _ => shown.push(byte),
                        }
                    }
                    rest = &invalid[length..];
                }
            }
        }
        shown
    }

    /// `is_last`: more may come after it, so that a `\r` at the end is held back.
    fn show_text(&mut self, text: &str, is_last: bool, shown: &mut Vec<u8>) {
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            let mut buffer = [0; 4];
            let bytes = letter.encode_utf8(&mut buffer);
            match letter {
                '\r' if letters.peek() == Some(&'\n') => shown.push(b'\r'),
                '\r' if is_last && letters.peek().is_none() => self.held = vec![b'\r'],
                '\n' | '\t' => shown.extend_from_slice(bytes.as_bytes()),
                // Every printable letter is itself.
                _ if printable(bytes) == *bytes => shown.extend_from_slice(bytes.as_bytes()),
                _ => escape(bytes.as_bytes(), shown),
            }
        }
    }
}

fn escape(bytes: &[u8], shown: &mut Vec<u8>) {
    for byte in bytes {
        shown.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;

    fn shown<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut shown = Shown::default();
        pieces.into_iter().flat_map(|piece| shown.show(piece)).collect()
    }

    #[test]
    fn controls_are_escaped_however_they_are_cut() {
        for (bytes, expected) in [
            (&b"ok\r\n\tfine\n"[..], &b"ok\r\n\tfine\n"[..]),
            (b"\x1b[2Jgone\rover", br"\x1b[2Jgone\x0dover"),
            (b"\r\r\n", b"\\x0d\r\n"),
            ("é ² \u{9b}2J".as_bytes(), "é ² \\xc2\\x9b2J".as_bytes()),
            (b"a\x9b2Jb\x80", br"a\x9b2Jb\x80"),
            (b"caf\xe9!", b"caf\xe9!"),
            ("a\u{202e}b\u{2066}c".as_bytes(), br"a\xe2\x80\xaeb\xe2\x81\xa6c"),
            ("日本\u{feff}語".as_bytes(), "日本\\xef\\xbb\\xbf語".as_bytes()),
        ] {
            assert_eq!(shown([bytes]), expected);
            assert_eq!(shown(bytes.chunks(1)), expected);
        }
    }
}

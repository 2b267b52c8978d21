//! A line of a transcript, cut into words and bytes.
//!
//! What the words mean is `text`'s business. Start at [`tokens`].

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Not in quotes: a keyword, a number, bytes in hexadecimal.
    Word(String),
    /// In quotes.
    Text(Vec<u8>),
}

impl Token {
    /// The bytes it stands for, if it can stand for bytes.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(bytes) => Some(bytes.clone()),
            Self::Word(word) => hexadecimal(word),
        }
    }
}

/// The pieces of a line, without its comment.
///
/// # Errors
///
/// Quotes that do not end, or an escape that is none; in words.
pub(super) fn tokens(line: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '#' {
            break;
        }
        rest = if first == '"' {
            let (bytes, rest) = quoted(&rest[1..])?;
            tokens.push(Token::Text(bytes));
            rest
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            &rest[end..]
        }
        .trim_start();
    }
    Ok(tokens)
}

/// What is in quotes, and what comes after.
fn quoted(text: &str) -> Result<(Vec<u8>, &str), String> {
    let mut bytes = Vec::new();
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        let escaped = match next {
            '"' => return Ok((bytes, rest.as_str())),
            '\\' => rest.next(),
            other => {
                bytes.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
        };
        bytes.push(match escaped {
            Some('n') => b'\n',
            Some('r') => b'\r',
            Some('t') => b'\t',
            Some('0') => 0,
            Some('\\') => b'\\',
            Some('"') => b'"',
            Some('x') => {
                let (hex, after) = rest.as_str().split_at_checked(2).unwrap_or(("", ""));
                rest = after.chars();
                match hexadecimal(hex).as_deref() {
                    Some(&[byte]) => byte,
                    _ => return Err(r"\x wants two hexadecimal digits".to_owned()),
                }
            }
            Some(other) => {
                return Err(format!(r#"\{other} is no escape; there are \n \r \t \0 \\ \" \xHH"#));
            }
            None => break,
        });
    }
    Err("the quotes have no end".to_owned())
}

/// An even number of hexadecimal digits, at least two.
fn hexadecimal(word: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = word.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    bytes.collect::<Option<Vec<_>>>().filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_bytes() {
        let read = tokens(r##"say 00fF "a\r\n\x7f\"#" close # "x"##).unwrap();
        let word = |text: &str| Token::Word(text.to_owned());
        let text = Token::Text(b"a\r\n\x7f\"#".to_vec());
        assert_eq!(read, [word("say"), word("00fF"), text, word("close")]);
        assert_eq!(read[1].bytes(), Some(vec![0, 0xff]));
        assert_eq!(read[0].bytes(), None);
        assert_eq!(word("123").bytes(), None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, what) in [
            (r#"say "x"#, "no end"),
            (r#"say "\"#, "no end"),
            (r#"say "\q""#, "no escape"),
            (r#"say "\x1""#, "two hexadecimal digits"),
            (r#"say "\xé""#, "two hexadecimal digits"),
        ] {
            let said = tokens(line).unwrap_err();
            assert!(said.contains(what), "{line}: {said}");
        }
    }
}

//! Text as an error may show it: without secrets and without control characters.
//!
//! Everything that quotes a person's text passes here once, whatever quoted it. A picture of a file
//! keeps its byte positions, so secrets and control characters are replaced one for one. Start at
//! [`safe`].

use std::ops::Range;

use redial::{masked, printable, secrets};

/// A message without passwords and control characters; line ends stay.
pub(crate) fn safe(text: &str) -> String {
    masked(text).split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// The text with its secrets replaced byte for byte, so that positions stay.
///
/// What a policy file sends or expects counts as a secret, unless the mistake is in it.
pub(crate) fn blotted(text: &str, mistake: &Range<usize>) -> String {
    let mut hidden = secrets(text);
    let is_elsewhere =
        |value: &Range<usize>| mistake.start < value.start || mistake.end > value.end;
    hidden.extend(payloads(text).into_iter().filter(is_elsewhere));
    let mut bytes = text.as_bytes().to_vec();
    for byte in hidden.into_iter().flatten() {
        if bytes[byte] != b'\n' {
            bytes[byte] = b'*';
        }
    }
    // Whole characters were replaced.
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The values of the keys `send` and `expect` of a policy file.
fn payloads(text: &str) -> Vec<Range<usize>> {
    let mut payloads = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        if start < payloads.last().map_or(0, |last: &Range<usize>| last.end) {
            continue;
        }
        let key = line.trim_start();
        let Some(rest) = ["send", "expect"].iter().find_map(|name| key.strip_prefix(name)) else {
            continue;
        };
        let Some(value) = rest.trim_start().strip_prefix('=') else { continue };
        let value = value.trim_start_matches(' ');
        let begin = start + line.len() - value.len();
        let long = ["\"\"\"", "'''"].into_iter().find(|quotes| value.starts_with(quotes));
        let end = match long {
            Some(quotes) => text[begin + 3..].find(quotes).map_or(text.len(), |at| begin + 3 + at),
            None => begin + value.trim_end().len(),
        };
        payloads.push(begin..end);
    }
    payloads
}

/// Control and bidirectional characters of a file replaced by as many bytes of `?`.
pub(crate) fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for letter in text.chars() {
        let mut buffer = [0; 4];
        let written = letter.encode_utf8(&mut buffer);
        if matches!(letter, '\n' | '\t' | '\r') || printable(written) == *written {
            visible.push(letter);
        } else {
            visible.extend(std::iter::repeat_n('?', written.len()));
        }
    }
    visible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_hidden_and_positions_stay() {
        let text = "send = \"AUTH s3cret\"\nexpect = '^OK'\nservers = 1\n";
        let at = text.len() - 2..text.len() - 1;
        let shown = blotted(text, &at);
        assert_eq!(shown.len(), text.len());
        assert!(!shown.contains("s3cret") && !shown.contains("^OK"), "{shown}");
        assert!(shown.ends_with("\nservers = 1\n"), "{shown}");
        let long = "send = '''\nAUTH s3cret\n'''\nservers = 1\n";
        assert!(!blotted(long, &at).contains("s3cret"));
        let inside = text.find("^OK").unwrap();
        assert!(blotted(text, &(inside..inside + 3)).contains("^OK"));
    }

    #[test]
    fn control_characters_are_visible_and_positions_stay() {
        let text = "a\u{1b}[2J\u{9b}\u{202e}é\n";
        assert_eq!(visible(text), "a?[2J?????é\n");
        assert_eq!(visible(text).len(), text.len());
        assert_eq!(safe("a\u{202e}b\nc\u{9b}"), "a\\u{202e}b\nc\\u{9b}");
    }
}

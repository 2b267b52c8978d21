//! The values of other tools' flags, as redial writes them.
//!
//! Tools count in seconds or in milliseconds without saying so; redial's durations have units.
//! Start at [`filled`].

use redial::{Human, parse_duration};

/// A word with the flag's value in its places: `{}`, `{ms}`, `{quarter}`.
pub(super) fn filled(word: &str, value: &str) -> String {
    let ms = with_unit(value, "ms");
    word.replace("{quarter}", &quarter(&ms)).replace("{ms}", &ms).replace("{}", value)
}

/// The value with this unit, where it has none.
pub(super) fn with_unit(value: &str, unit: &str) -> String {
    let is_bare = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if is_bare { format!("{value}{unit}") } else { value.to_owned() }
}

fn quarter(text: &str) -> String {
    parse_duration(text).map_or_else(|_| text.to_owned(), |time| Human(time / 4).to_string())
}

/// Percent-encodes what could end an option behind `#`.
pub(super) fn encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '%' | ',' | '#' | '@' | '"' | '\'' | ' ' => {
                encoded += &format!("%{:02X}", u32::from(letter));
            }
            letter => encoded.push(letter),
        }
    }
    encoded
}

/// `USER:PASSWORD` as it is written in a URL.
pub(super) fn user(value: &str) -> String {
    let part = |text: &str| {
        let byte = |byte: u8| match byte {
            b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        text.bytes().map(byte).collect::<String>()
    };
    match value.split_once(':') {
        Some((user, password)) => format!("{}:{}", part(user), part(password)),
        None => part(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_get_the_units_of_their_tool() {
        for (word, value, filled_in) in [
            ("{}", "3", "3"),
            ("{ms}", "250", "250ms"),
            ("{ms}", "1s", "1s"),
            ("{quarter}..{ms}", "1s", "250ms..1s"),
            ("{quarter}..{ms}", "400", "100ms..400ms"),
        ] {
            assert_eq!(filled(word, value), filled_in);
        }
        assert_eq!(user("app:p@ss:w/ö"), "app:p%40ss%3Aw%2F%C3%B6");
        assert_eq!(encoded("X-A: b,c"), "X-A:%20b%2Cc");
    }
}

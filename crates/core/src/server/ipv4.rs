//! IPv4 addresses in the forms of `inet_aton(3)`: `1.2.3`, `010.0.0.1`, `0x7f.1`.
//!
//! A resolver accepts them and dials an address that differs from what was written: 1.2.0.3 for
//! `1.2.3`. They are refused, with the address that was probably meant. Start at [`refuse`].

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::net::Ipv4Addr;

use crate::{Mistake, nearest::quoted};

/// Returns a mistake for a host made of numbers that is not four numbers from 0 to 255.
///
/// `whole` writes a host with everything that surrounded it: its port, its protocol.
pub(super) fn refuse(host: &str, whole: impl Fn(&str) -> String) -> Result<(), Mistake> {
    let plain = host.strip_suffix('.').unwrap_or(host);
    let Some(parts) = plain.split('.').map(Number::read).collect::<Option<Vec<_>>>() else {
        return Ok(());
    };
    if plain.parse::<Ipv4Addr>().is_ok() {
        return Ok(());
    }
    let all = 0..host.len();
    let write = |address: Ipv4Addr| format!("write {}", quoted(&whole(&address.to_string())));
    if let Some(address) = without_zeros(&parts) {
        let what = format!(
            "{} has leading zeros, which some programs read as octal numbers",
            quoted(host)
        );
        return Err(Mistake::new(all, what, write(address)));
    }
    let (what, instead) = match by_resolver(&parts) {
        // 0.0.0.0/8 is no host's address: a number alone is a port or a mistake.
        Some(address) if address.octets()[0] == 0 => (
            format!("{} is not a host: a resolver reads it as {address}", quoted(host)),
            String::from("write the host's name, or its four-part address"),
        ),
        Some(address) => {
            let form = if parts.len() < 4 { "a short form" } else { "another form" };
            let what = format!("{} is {form} of the address {address}", quoted(host));
            (what, write(address))
        }
        None => (
            format!("{} is not an IPv4 address", quoted(host)),
            String::from("write four numbers from 0 to 255"),
        ),
    };
    Err(Mistake::new(all, what, instead))
}

/// One part of an address.
struct Number {
    /// Its value as `strtoul(3)` with base 0 reads it; none for digits that its base does not have,
    /// and for more than 32 bits.
    value: Option<u32>,
    /// Its value as decimal digits; none for hexadecimal ones.
    decimal: Option<u32>,
}

impl Number {
    fn read(text: &str) -> Option<Self> {
        if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            let is_hex = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
            let value = u32::from_str_radix(digits, 16).ok();
            return is_hex.then_some(Self { value, decimal: None });
        }
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let base = if text.len() > 1 && text.starts_with('0') { 8 } else { 10 };
        Some(Self { value: u32::from_str_radix(text, base).ok(), decimal: text.parse().ok() })
    }
}

/// Four decimal numbers, some with zeros before them, as a person means them.
fn without_zeros(parts: &[Number]) -> Option<Ipv4Addr> {
    let [a, b, c, d] = parts else { return None };
    let byte = |part: &Number| u8::try_from(part.decimal?).ok();
    Some(Ipv4Addr::new(byte(a)?, byte(b)?, byte(c)?, byte(d)?))
}

/// The address that `inet_aton(3)` makes of one to four numbers: the last fills the bytes left.
fn by_resolver(parts: &[Number]) -> Option<Ipv4Addr> {
    let (last, first) = parts.split_last().filter(|(_, first)| first.len() < 4)?;
    let mut address = last.value?;
    let left = 32 - 8 * u32::try_from(first.len()).ok()?;
    if left < 32 && address >> left != 0 {
        return None;
    }
    for (index, part) in first.iter().enumerate() {
        let byte = u8::try_from(part.value?).ok()?;
        address |= u32::from(byte) << (24 - 8 * index);
    }
    Some(Ipv4Addr::from(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(host: &str) -> Result<(), String> {
        refuse(host, |host| format!("{host}:80")).map_err(|mistake| mistake.to_string())
    }

    #[test]
    fn names_and_four_part_addresses_pass() {
        for host in
            ["db", "10.0.0.5", "255.255.255.255", "0.0.0.0", "10.0.0.5.", "web.1", "1.2.3.x", "0xg"]
        {
            assert_eq!(read(host), Ok(()), "{host}");
        }
    }

    /// glibc's `inet_aton` gives the same addresses.
    #[test]
    fn forms_of_inet_aton_name_the_address() {
        for (host, says) in [
            ("1.2.3", "`1.2.3` is a short form of the address 1.2.0.3; write `1.2.0.3:80`"),
            ("127.1", "`127.1` is a short form of the address 127.0.0.1; write `127.0.0.1:80`"),
            ("0x7f.1", "`0x7f.1` is a short form of the address 127.0.0.1; write `127.0.0.1:80`"),
            (
                "2130706433",
                "`2130706433` is a short form of the address 127.0.0.1; write `127.0.0.1:80`",
            ),
            ("0177.1", "`0177.1` is a short form of the address 127.0.0.1; write `127.0.0.1:80`"),
            (
                "0x7f.0.0.1",
                "`0x7f.0.0.1` is another form of the address 127.0.0.1; write `127.0.0.1:80`",
            ),
            (
                "010.0.0.1",
                "`010.0.0.1` has leading zeros, which some programs read as octal numbers; write `10.0.0.1:80`",
            ),
            (
                "192.168.008.009",
                "`192.168.008.009` has leading zeros, which some programs read as octal numbers; write `192.168.8.9:80`",
            ),
            (
                "80",
                "`80` is not a host: a resolver reads it as 0.0.0.80; write the host's name, or its four-part address",
            ),
            ("1.2.3.256", "`1.2.3.256` is not an IPv4 address; write four numbers from 0 to 255"),
            ("1.2.3.4.5", "`1.2.3.4.5` is not an IPv4 address; write four numbers from 0 to 255"),
            ("4294967296", "`4294967296` is not an IPv4 address; write four numbers from 0 to 255"),
            ("1.2.65536", "`1.2.65536` is not an IPv4 address; write four numbers from 0 to 255"),
        ] {
            assert_eq!(read(host), Err(says.into()), "{host}");
        }
    }
}

//! Answers to a challenge by one hash: PostgreSQL's md5, MySQL's two plugins.
//!
//! Sources: <https://www.postgresql.org/docs/current/protocol-flow.html> (AuthenticationMD5Password),
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods_native_password_authentication.html>,
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html>.

use alloc::{string::String, vec::Vec};

use md5::Md5;
use sha1::{Digest, Sha1};
use sha2::Sha256;

/// Returns the MD5 digest in hexadecimal digits.
pub(super) fn md5_hex(parts: &[&[u8]]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digest = Md5::new();
    parts.iter().for_each(|part| digest.update(part));
    let bytes = digest.finalize();
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Returns PostgreSQL's answer to AuthenticationMD5Password, whose salt is at 9.
pub(super) fn postgres_md5(user: &[u8], password: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let salt = message.get(9..13)?;
    let inner = md5_hex(&[password, user]);
    let mut answer = b"md5".to_vec();
    answer.extend_from_slice(md5_hex(&[inner.as_bytes(), salt]).as_bytes());
    Some(answer)
}

/// Returns the answer of mysql_native_password: SHA1(p) xor SHA1(nonce SHA1(SHA1(p))).
pub(super) fn mysql_native(password: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let nonce = mysql_nonce(message)?;
    if password.is_empty() {
        return Some(Vec::new());
    }
    let one = Sha1::digest(password);
    let two = Sha1::digest(one);
    let mask = Sha1::new().chain_update(nonce).chain_update(two).finalize();
    Some(one.iter().zip(&mask).map(|(a, b)| a ^ b).collect())
}

/// Returns the answer of caching_sha2_password: SHA256(p) xor SHA256(SHA256(SHA256(p)) nonce).
pub(super) fn mysql_sha2(password: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let nonce = mysql_nonce(message)?;
    if password.is_empty() {
        return Some(Vec::new());
    }
    let one = Sha256::digest(password);
    let two = Sha256::digest(one);
    let mask = Sha256::new().chain_update(two).chain_update(nonce).finalize();
    Some(one.iter().zip(&mask).map(|(a, b)| a ^ b).collect())
}

/// Returns the 20 bytes of a challenge: of the greeting, or of an AuthSwitchRequest.
fn mysql_nonce(message: &[u8]) -> Option<[u8; 20]> {
    // Behind the length and the sequence number: what it is, and a text that ends with a zero.
    let kind = *message.get(4)?;
    let text = message.get(5..)?;
    let rest = &text[text.iter().position(|byte| *byte == 0)? + 1..];
    let mut nonce = [0; 20];
    match kind {
        // The thread's number, 8 bytes, and the others behind 19 of capabilities and a length.
        0x0a => {
            nonce[..8].copy_from_slice(rest.get(4..12)?);
            nonce[8..].copy_from_slice(rest.get(31..43)?);
        }
        0xfe => nonce.copy_from_slice(rest.get(..20)?),
        _ => return None,
    }
    Some(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| alloc::format!("{byte:02x}")).collect()
    }

    #[test]
    fn md5_of_postgres_is_that_of_its_documentation() {
        // concat('md5', md5(concat(md5(concat(password, username)), random-salt)))
        let message = b"R\0\0\0\x0c\0\0\0\x05\x01\x02\x03\x04";
        let inner = md5_hex(&[b"s3cretapp"]);
        let outer = md5_hex(&[inner.as_bytes(), &[1, 2, 3, 4]]);
        let answer = postgres_md5(b"app", b"s3cret", message).unwrap();
        assert_eq!(answer, alloc::format!("md5{outer}").into_bytes());
        assert_eq!(md5_hex(&[b"abc"]), "900150983cd24fb0d6963f7d28e17f72", "RFC 1321");
        assert_eq!(postgres_md5(b"app", b"s3cret", &message[..12]), None);
    }

    #[test]
    fn challenge_of_mysql_is_found_in_both_packets() {
        let mut greeting = b"\x4a\0\0\0\x0a5.7\0\x01\0\0\0ABCDEFGH\0".to_vec();
        greeting.extend_from_slice(&[0xff; 18]);
        greeting.extend_from_slice(b"IJKLMNOPQRST\0mysql_native_password\0");
        let switch = b"\x2c\0\0\x02\xfemysql_native_password\0ABCDEFGHIJKLMNOPQRST\0";
        assert_eq!(mysql_nonce(&greeting), Some(*b"ABCDEFGHIJKLMNOPQRST"));
        assert_eq!(mysql_nonce(switch), Some(*b"ABCDEFGHIJKLMNOPQRST"));
        assert_eq!(mysql_nonce(&greeting[..40]), None);
        assert_eq!(mysql_native(b"", switch), Some(Vec::new()));
        assert_eq!(mysql_sha2(b"", &greeting), Some(Vec::new()));
    }

    /// The server holds SHA1(SHA1(p)), and SHA256(SHA256(p)): it undoes the mask and hashes once.
    #[test]
    fn answers_to_mysql_are_what_its_servers_check() {
        let switch = b"\x2c\0\0\x02\xfex\0ABCDEFGHIJKLMNOPQRST\0";
        let nonce = &switch[7..27];
        let answer = mysql_native(b"s3cret", switch).unwrap();
        let stored = Sha1::digest(Sha1::digest(b"s3cret"));
        let mask = Sha1::new().chain_update(nonce).chain_update(stored).finalize();
        let one: Vec<u8> = answer.iter().zip(&mask).map(|(a, b)| a ^ b).collect();
        assert_eq!(Sha1::digest(one), stored);
        let answer = mysql_sha2(b"s3cret", switch).unwrap();
        let stored = Sha256::digest(Sha256::digest(b"s3cret"));
        let mask = Sha256::new().chain_update(stored).chain_update(nonce).finalize();
        let one: Vec<u8> = answer.iter().zip(&mask).map(|(a, b)| a ^ b).collect();
        assert_eq!(Sha256::digest(one), stored);
        assert_eq!(hex(&stored).len(), 64);
    }
}

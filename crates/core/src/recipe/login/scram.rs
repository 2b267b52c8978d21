//! SCRAM (RFC 5802, RFC 7677): one exchange, without channel binding.
//!
//! The caller carries the messages; the nonce is an input, and the iterated hash is computed in
//! pieces, so that a server that asks for many iterations never holds up other sessions. Start at
//! [`Scram::new`].

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::base64;

/// The most iterations that are computed: PostgreSQL's default is 4,096, MongoDB's 15,000.
const MOST_ITERATIONS: u32 = 100_000;

/// Iterations in one piece: about a millisecond.
const PIECE: u32 = 2_048;

/// The block of both hashes, in bytes.
const BLOCK: usize = 64;

/// "n,,": the client supports no channel binding and acts for itself.
const GS2: &str = "n,,";

const BROKEN: &str = "its answer breaks the rules of SCRAM (RFC 5802)";

/// The hash of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
}

/// One exchange.
#[derive(Clone)]
pub(super) struct Scram {
    hash: Hash,
    nonce: String,
    first_bare: String,
    password: Vec<u8>,
    /// The salted password, under way.
    salting: Option<Salting>,
    /// The server's signature, once the client's proof was made.
    expected: Option<Vec<u8>>,
}

/// `Hi` of RFC 5802, section 2.2: the hash of a hash of a hash.
#[derive(Clone)]
struct Salting {
    key: Keyed,
    last: Vec<u8>,
    sum: Vec<u8>,
    left: u32,
    server_first: String,
    whole_nonce: String,
}

/// What a step of the exchange comes to.
pub(super) enum Outcome {
    /// The iterated hash is not computed yet; see [`Scram::work`].
    Unfinished,
    /// The message to send.
    Message(String),
    /// The server breaks the rules, in a sentence.
    Refused(String),
}

impl Scram {
    /// A new exchange of this user, whose password was prepared as the protocol asks.
    pub(super) fn new(hash: Hash, user: &[u8], password: Vec<u8>, nonce: &[u8]) -> Self {
        let user = String::from_utf8_lossy(user).replace('=', "=3D").replace(',', "=2C");
        let nonce = base64::encoded(nonce);
        let first_bare = format!("n={user},r={nonce}");
        Self { hash, nonce, first_bare, password, salting: None, expected: None }
    }

    /// Returns the client's first message.
    pub(super) fn first(&self) -> String {
        format!("{GS2}{}", self.first_bare)
    }

    /// Returns the client's final message, once enough was computed.
    pub(super) fn last(&mut self, server_first: &[u8]) -> Outcome {
        if self.salting.is_none() {
            match self.begin(server_first) {
                Ok(salting) => self.salting = Some(salting),
                Err(says) => return Outcome::Refused(says),
            }
        }
        let Some(salting) = self.salting.take_if(|salting| salting.left == 0) else {
            return Outcome::Unfinished;
        };
        let hmac = |key: &[u8], text: &str| Keyed::new(self.hash, key).mac(text.as_bytes());
        let client_key = hmac(&salting.sum, "Client Key");
        let stored_key = match self.hash {
            Hash::Sha1 => Sha1::digest(&client_key).to_vec(),
            Hash::Sha256 => Sha256::digest(&client_key).to_vec(),
        };
        let binding = base64::encoded(GS2.as_bytes());
        let without_proof = format!("c={binding},r={}", salting.whole_nonce);
        let all = format!("{},{},{without_proof}", self.first_bare, salting.server_first);
        let signature = hmac(&stored_key, &all);
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        self.expected = Some(hmac(&hmac(&salting.sum, "Server Key"), &all));
        Outcome::Message(format!("{without_proof},p={}", base64::encoded(&proof)))
    }

    /// Computes one piece of the iterated hash.
    pub(super) fn work(&mut self) {
        if let Some(salting) = &mut self.salting {
            let piece = salting.left.min(PIECE);
            for _ in 0..piece {
                salting.last = salting.key.mac(&salting.last);
                salting.sum.iter_mut().zip(&salting.last).for_each(|(sum, byte)| *sum ^= byte);
            }
            salting.left -= piece;
        }
    }

    /// Returns true if this message is the server's signature: the server knows the password too.
    pub(super) fn is_proof(&self, server_final: &[u8]) -> bool {
        let text = text(server_final).unwrap_or_default();
        let value = text.split(',').next().and_then(|first| first.strip_prefix("v="));
        match (value.and_then(base64::decoded), &self.expected) {
            (Some(value), Some(expected)) => value == *expected,
            _ => false,
        }
    }

    /// Reads the server's first message.
    fn begin(&self, server_first: &[u8]) -> Result<Salting, String> {
        let text = text(server_first).ok_or(BROKEN)?;
        let mut attributes = text.split(',');
        let mut value = |name| attributes.next().and_then(|one| one.strip_prefix(name));
        let nonce = value("r=").ok_or(BROKEN)?;
        let salt = value("s=").and_then(base64::decoded).ok_or(BROKEN)?;
        let count: u32 = value("i=").and_then(|number| number.parse().ok()).ok_or(BROKEN)?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() || salt.is_empty() {
            return Err(BROKEN.into());
        }
        if !(1..=MOST_ITERATIONS).contains(&count) {
            let most = MOST_ITERATIONS;
            return Err(format!(
                "it asks for {count} iterations of a hash; redial computes {most}"
            ));
        }
        let key = Keyed::new(self.hash, &self.password);
        let first = key.mac(&[&salt[..], &[0, 0, 0, 1]].concat());
        Ok(Salting {
            key,
            sum: first.clone(),
            last: first,
            left: count - 1,
            server_first: text.clone(),
            whole_nonce: nonce.into(),
        })
    }
}

/// Returns the message: printable text, up to whatever the protocol has behind it.
fn text(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(u8::is_ascii_control).unwrap_or(bytes.len());
    str::from_utf8(&bytes[..end]).ok().map(ToString::to_string)
}

/// HMAC with a key that was hashed once.
#[derive(Clone)]
enum Keyed {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
}

impl Keyed {
    fn new(hash: Hash, key: &[u8]) -> Self {
        // A key that is longer than the hash's block is hashed itself (RFC 2104, section 2).
        let short = match hash {
            _ if key.len() <= BLOCK => key.to_vec(),
            Hash::Sha1 => Sha1::digest(key).to_vec(),
            Hash::Sha256 => Sha256::digest(key).to_vec(),
        };
        let mut block = [0; BLOCK];
        block[..short.len()].copy_from_slice(&short);
        match hash {
            Hash::Sha1 => Self::Sha1(Hmac::new(&block.into())),
            Hash::Sha256 => Self::Sha256(Hmac::new(&block.into())),
        }
    }

    fn mac(&self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1(mac) => mac.clone().chain_update(bytes).finalize().into_bytes().to_vec(),
            Self::Sha256(mac) => mac.clone().chain_update(bytes).finalize().into_bytes().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays an exchange: the client's final message, and whether the server's is a proof.
    fn played(
        hash: Hash,
        password: &[u8],
        nonce: &str,
        server_first: &str,
        server_final: &str,
    ) -> (String, bool) {
        let nonce = base64::decoded(nonce).unwrap();
        let mut scram = Scram::new(hash, b"user", password.to_vec(), &nonce);
        loop {
            match scram.last(server_first.as_bytes()) {
                Outcome::Unfinished => scram.work(),
                Outcome::Message(message) => {
                    return (message, scram.is_proof(server_final.as_bytes()));
                }
                Outcome::Refused(says) => return (says, false),
            }
        }
    }

    #[test]
    fn exchange_is_that_of_rfc_5802() {
        let nonce = "fyko+d2lbbFgONRv9qkxdawL";
        let scram = Scram::new(Hash::Sha1, b"user", Vec::new(), &base64::decoded(nonce).unwrap());
        assert_eq!(scram.first(), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
        let (message, proven) = played(
            Hash::Sha1,
            b"pencil",
            nonce,
            "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        );
        assert_eq!(
            message,
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
        );
        assert!(proven);
    }

    #[test]
    fn exchange_is_that_of_rfc_7677() {
        let server_first = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let server_final = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        let played = |password, last| {
            played(Hash::Sha256, password, "rOprNGfwEbeRWgbNEkqO", server_first, last)
        };
        let (message, proven) = played(b"pencil", server_final);
        assert_eq!(
            message,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(proven);
        // A server that does not know the password, or sends no signature at all.
        assert!(!played(b"pen", server_final).1);
        for last in ["v=", "v=AAAA", "e=other-error", "", "\u{1}"] {
            assert!(!played(b"pencil", last).1, "{last:?}");
        }
    }

    #[test]
    fn names_with_commas_are_escaped() {
        let scram = Scram::new(Hash::Sha256, b"a,b=c", Vec::new(), b"123");
        assert_eq!(scram.first(), "n,,n=a=2Cb=3Dc,r=MTIz");
    }

    #[test]
    fn server_that_breaks_the_rules_is_refused() {
        for (server_first, says) in [
            ("r=other,s=QSXCR+Q6sek8bf92,i=4096", BROKEN),
            ("r=MTIz,s=QSXCR+Q6sek8bf92,i=4096", BROKEN),
            ("r=MTIzx,s=,i=4096", BROKEN),
            ("r=MTIzx,s=QSXCR+Q6sek8bf92", BROKEN),
            ("r=MTIzx,s=QSXCR+Q6sek8bf92,i=-1", BROKEN),
            ("m=x,r=MTIzx,s=QSXCR+Q6sek8bf92,i=1", BROKEN),
            ("", BROKEN),
            (
                "r=MTIzx,s=QSXCR+Q6sek8bf92,i=4294967295",
                "it asks for 4294967295 iterations of a hash; redial computes 100000",
            ),
            (
                "r=MTIzx,s=QSXCR+Q6sek8bf92,i=0",
                "it asks for 0 iterations of a hash; redial computes 100000",
            ),
        ] {
            let (said, proven) = played(Hash::Sha256, b"x", "MTIz", server_first, "v=");
            assert_eq!((&*said, proven), (says, false), "{server_first}");
        }
    }

    /// The largest count takes 49 pieces: nothing is held up for long.
    #[test]
    fn iterations_are_computed_in_pieces() {
        assert_eq!(MOST_ITERATIONS.div_ceil(PIECE), 49);
        let mut scram = Scram::new(Hash::Sha256, b"user", b"x".to_vec(), b"123");
        let server_first = "r=MTIzx,s=QSXCR+Q6sek8bf92,i=5000";
        let mut pieces = 0;
        while let Outcome::Unfinished = scram.last(server_first.as_bytes()) {
            scram.work();
            pieces += 1;
        }
        assert_eq!(pieces, 3);
    }
}

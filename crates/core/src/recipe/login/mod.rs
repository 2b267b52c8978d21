//! Logins: the parts of a message that are computed from a password, and the server's own proof.
//!
//! Which messages a login takes is the recipe's; a [`Proof`] is one placeholder in them. Nothing
//! here reads a clock, a socket or a source of randomness: the nonce is an input. Passwords are
//! used as they are: of the preparation that SCRAM asks for (RFC 4013) nothing is done to letters
//! that are not ASCII. Start at [`Login`].

mod base64;
mod hashes;
mod scram;

use alloc::{string::String, sync::Arc, vec::Vec};

pub(super) use base64::{decoded as base64_decoded, encoded as base64_encoded};

use scram::{Hash, Outcome, Scram};

/// What a placeholder `{proof.NAME}` is computed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// The answer to PostgreSQL's AuthenticationMD5Password.
    PostgresMd5,
    /// The answer of MySQL's mysql_native_password.
    MysqlNative,
    /// The answer of MySQL's caching_sha2_password.
    MysqlSha2,
    /// The client's first message of SCRAM-SHA-256.
    Scram256First,
    /// That of SCRAM-SHA-1, whose password is MongoDB's digest.
    MongodbScram1First,
    /// The client's final message, of either.
    ScramFinal,
}

/// The user and the password of a URL, decoded.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    pub(super) user: Option<Vec<u8>>,
    pub(super) password: Option<Vec<u8>>,
    /// Other secrets that are sent, as no message may repeat them.
    pub(super) hidden: Vec<Vec<u8>>,
}

/// One login: what it is given, and how far it is.
#[derive(Clone)]
pub(super) struct Login {
    credentials: Arc<Credentials>,
    nonce: Option<Vec<u8>>,
    scram: Option<Scram>,
}

/// What computing a proof comes to.
pub(super) enum Proving {
    /// A nonce is needed: [`Login::take_nonce`], and again.
    Nonce,
    /// More is to be computed: [`Login::work`], and again.
    Work,
    /// The proof.
    Done(Vec<u8>),
    /// The server's message makes none possible, in a sentence.
    Refused(String),
}

impl Proof {
    /// Every proof with its name.
    pub(super) const ALL: [(&'static str, Self); 6] = [
        ("postgres-md5", Self::PostgresMd5),
        ("mysql-native", Self::MysqlNative),
        ("mysql-sha2", Self::MysqlSha2),
        ("scram-sha-256-first", Self::Scram256First),
        ("mongodb-scram-sha-1-first", Self::MongodbScram1First),
        ("scram-final", Self::ScramFinal),
    ];
}

impl Login {
    pub(super) const fn new(credentials: Arc<Credentials>) -> Self {
        Self { credentials, nonce: None, scram: None }
    }

    /// Computes a proof. `message` was just read, and `words` are its part for the exchange;
    /// `or` is the user where the URL names none.
    pub(super) fn prove(
        &mut self,
        proof: Proof,
        or: &str,
        message: &[u8],
        words: &[u8],
    ) -> Proving {
        let credentials = Arc::clone(&self.credentials);
        let user = credentials.user.as_deref().unwrap_or(or.as_bytes());
        let password = credentials.password.as_deref().unwrap_or_default();
        let answer = match proof {
            Proof::PostgresMd5 => hashes::postgres_md5(user, password, message),
            Proof::MysqlNative => hashes::mysql_native(password, message),
            Proof::MysqlSha2 => hashes::mysql_sha2(password, message),
            Proof::Scram256First => return self.first(Hash::Sha256, user, password.to_vec()),
            Proof::MongodbScram1First => {
                let digest = hashes::md5_hex(&[user, b":mongo:", password]);
                return self.first(Hash::Sha1, user, digest.into_bytes());
            }
            Proof::ScramFinal => {
                let outcome = self.scram.as_mut().map(|scram| scram.last(words));
                return match outcome {
                    Some(Outcome::Unfinished) => Proving::Work,
                    Some(Outcome::Message(message)) => Proving::Done(message.into_bytes()),
                    Some(Outcome::Refused(says)) => Proving::Refused(says),
                    None => Proving::Refused("its answer comes before the question".into()),
                };
            }
        };
        answer.map_or_else(|| Proving::Refused("its challenge is too short".into()), Proving::Done)
    }

    fn first(&mut self, hash: Hash, user: &[u8], password: Vec<u8>) -> Proving {
        let Some(nonce) = self.nonce.take() else { return Proving::Nonce };
        let scram = Scram::new(hash, user, password, &nonce);
        let first = scram.first();
        self.scram = Some(scram);
        Proving::Done(first.into_bytes())
    }

    /// Takes random bytes, for one exchange.
    pub(super) fn take_nonce(&mut self, nonce: &[u8]) {
        self.nonce = Some(nonce.to_vec());
    }

    /// Computes for about a millisecond.
    pub(super) fn work(&mut self) {
        if let Some(scram) = &mut self.scram {
            scram.work();
        }
    }

    /// Returns true if the server's message proves that it knows the password.
    pub(super) fn is_proof(&self, words: &[u8]) -> bool {
        self.scram.as_ref().is_some_and(|scram| scram.is_proof(words))
    }

    /// Replaces the secrets where a server repeats them, whole or cut at the end.
    pub(super) fn scrub(&self, bytes: &[u8]) -> Vec<u8> {
        const MASK: &[u8] = b"***";
        let Credentials { password, hidden, .. } = &*self.credentials;
        let secrets = || password.iter().chain(hidden).filter(|secret| !secret.is_empty());
        if secrets().next().is_none() {
            return bytes.to_vec();
        }
        let mut clean = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some((first, after)) = rest.split_first() {
            // The longest: one secret may begin with another.
            let whole = secrets().filter(|secret| rest.starts_with(secret)).map(Vec::len).max();
            if let Some(length) = whole {
                clean.extend_from_slice(MASK);
                rest = &rest[length..];
            } else if secrets().any(|secret| secret.starts_with(rest)) {
                clean.extend_from_slice(MASK);
                break;
            } else {
                clean.push(*first);
                rest = after;
            }
        }
        clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_that_is_repeated_is_masked() {
        let password = Some(b"s3cret".to_vec());
        let hidden = alloc::vec![b"Bearer t0ken".to_vec(), b"t0ken".to_vec()];
        let login = Login::new(Arc::new(Credentials { user: None, password, hidden }));
        for (heard, clean) in [
            ("AUTH s3cret\r\n", "AUTH ***\r\n"),
            ("s3crets3cret", "******"),
            ("AUTH s3cr", "AUTH ***"),
            ("-ERR no", "-ERR no"),
            ("s3crus3cret", "s3cru***"),
            ("Bearer t0ken, t0ken s3cret!", "***, *** ***!"),
        ] {
            assert_eq!(login.scrub(heard.as_bytes()), clean.as_bytes());
        }
        assert_eq!(Login::new(Arc::default()).scrub(b"+PONG"), b"+PONG");
    }
}

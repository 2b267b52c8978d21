//! Handshakes that never end well, and the records they are made of.
//!
//! No certificate is to blame here: the server is silent, refuses, or is too old. The records are
//! written by hand, since no library of today speaks the old ones; the one ServerHello that must
//! fit its ClientHello comes from rustls. Start at [`Handshake`].

use std::io;
use std::sync::Arc;

use tokio_rustls::rustls::{ServerConfig, ServerConnection};

use super::Certificate;

/// How a handshake fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Handshake {
    /// Reads the ClientHello and everything after it, and never answers.
    Stall,
    /// Answers with a ServerHello that fits, and then never says another byte.
    StallAfterHello,
    /// Answers the ClientHello with the fatal alert handshake_failure (40), and closes.
    Alert,
    /// Answers the ClientHello as a server that knows TLS 1.0 and nothing later, and closes.
    Old,
}

/// The fatal alert handshake_failure: RFC 8446 section 6.2 (level 2, description 40) in a
/// record as section 5.1 has it (type 21, version 3.3, two bytes).
pub(super) const ALERT: &[u8] = &[21, 3, 3, 0, 2, 2, 40];

/// The ServerHello of a server whose highest version is TLS 1.0: RFC 2246 section 7.4.1.3, in a
/// record of section 6.2.1. It is what RFC 5246 appendix E.1 has such a server answer to a client
/// that offers more. The random is what it is; the cipher suite is the one that RFC 5246 section
/// 9 made mandatory, TLS_RSA_WITH_AES_128_CBC_SHA; the extension, an empty renegotiation_info
/// (RFC 5746 section 3.6), is there since clients complain first if it is not.
pub(super) const OLD: &[u8] = b"\x16\x03\x01\x00\x31\
    \x02\x00\x00\x2d\x03\x01\
    redial lab: not a day after 1999\
    \x00\x00\x2f\x00\
    \x00\x05\xff\x01\x00\x01\x00";

impl Handshake {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Stall => "tls-stall",
            Self::StallAfterHello => "tls-half",
            Self::Alert => "tls-alert",
            Self::Old => "tls-old",
        }
    }

    /// The certificate without which it cannot begin.
    pub(crate) fn certificate(self) -> Option<Certificate> {
        match self {
            Self::StallAfterHello => Some(Certificate::Trusted),
            Self::Stall | Self::Alert | Self::Old => None,
        }
    }
}

/// A server's side of the handshake that goes as far as its ServerHello.
pub(crate) struct Hello(ServerConnection);

impl Hello {
    pub(crate) fn new(config: Arc<ServerConfig>) -> io::Result<Self> {
        ServerConnection::new(config).map(Self).map_err(io::Error::other)
    }

    /// Hears what the client said, and gives the ServerHello once that was a whole ClientHello:
    /// one record, as if the rest of the flight had been lost.
    pub(crate) fn hear(&mut self, mut bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
        while !bytes.is_empty() {
            self.0.read_tls(&mut bytes)?;
            self.0.process_new_packets().map_err(io::Error::other)?;
        }
        let mut flight = Vec::new();
        while self.0.wants_write() {
            self.0.write_tls(&mut flight)?;
        }
        Ok((!flight.is_empty()).then(|| first_message(flight)))
    }
}

/// The first handshake message of a flight in a record of its own. Over TLS 1.2 a record may hold
/// several messages (RFC 5246 section 6.2.1).
fn first_message(mut flight: Vec<u8>) -> Vec<u8> {
    const RECORD: usize = 5; // type, version, length
    const MESSAGE: usize = 4; // type, length of three bytes
    if let Some(&[_, high, middle, low]) = flight.get(RECORD..RECORD + MESSAGE) {
        let message = u32::from_be_bytes([0, high, middle, low]) as usize + MESSAGE;
        flight.truncate(RECORD + message);
        if let Ok(length) = u16::try_from(message) {
            flight[3..RECORD].copy_from_slice(&length.to_be_bytes());
        }
    }
    flight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_in_the_old_hello_are_right() {
        assert_eq!(OLD.len(), 5 + usize::from(OLD[4]));
        assert_eq!(OLD.len(), 5 + 4 + usize::from(OLD[8]));
    }

    #[test]
    fn only_the_first_message_of_a_flight_is_left() {
        let flight = vec![22, 3, 3, 0, 10, 2, 0, 0, 2, 8, 9, 11, 0, 0, 0, 22, 3, 3];
        assert_eq!(first_message(flight), [22, 3, 3, 0, 6, 2, 0, 0, 2, 8, 9]);
    }
}

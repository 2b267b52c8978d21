//! Through a proxy: SOCKS5 or HTTP CONNECT, and then as if directly.
//!
//! The server's name is sent to the proxy and looked up there; what the proxy says of it becomes a
//! failure at the stage `connect`. Bytes behind the proxy's answer are the server's and stay
//! unread. TLS to the proxy itself is not spoken. Start at [`Via`].

use std::{fmt, io, sync::Arc, time::Duration};

use redial_core::{Detail, Kind, Mistake, Place, Server, escape, printable};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use crate::{cause::Cause, errno::Moment, wire::Wire};

/// An HTTP proxy's answer is a few lines.
const LONGEST_HEAD: usize = 16 << 10;

/// A proxy that connections go through: `socks5://[user:pass@]HOST[:1080]` or
/// `http://[user:pass@]HOST:PORT`. User and password may be percent-encoded.
#[derive(Clone)]
pub struct Via {
    protocol: Protocol,
    place: Place,
    login: Option<(Vec<u8>, Vec<u8>)>,
    label: Arc<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    /// RFC 1928, and RFC 1929 for the password.
    Socks5,
    /// RFC 9110 section 9.3.6.
    Http,
}

/// Without the password, which goes to the proxy and nowhere else.
impl fmt::Debug for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Via").field(&self.label).finish()
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

impl Via {
    /// Reads a proxy's URL.
    ///
    /// # Errors
    ///
    /// A [`Mistake`], which never quotes a password.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let wrong = |what: &str| {
            Mistake::new(0..text.len(), what, "write socks5://HOST:1080 or http://HOST:3128")
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("a proxy is a URL"))?;
        let protocol = match scheme {
            "socks5" | "socks5h" => Protocol::Socks5,
            "http" => Protocol::Http,
            _ => return Err(wrong("a proxy speaks SOCKS5 or HTTP")),
        };
        let (login, host) = match rest.rsplit_once('@') {
            Some((login, host)) => {
                let (user, password) = login.split_once(':').unwrap_or((login, ""));
                let decoded = decode(user).zip(decode(password));
                (
                    Some(decoded.ok_or_else(|| {
                        wrong("the proxy's user or password is not percent-encoded rightly")
                    })?),
                    host,
                )
            }
            None => (None, rest),
        };
        let too_long = |part: &[u8]| part.len() > 255;
        if login.as_ref().is_some_and(|(user, password)| too_long(user) || too_long(password)) {
            return Err(wrong("the proxy's user or password is longer than 255 bytes"));
        }
        let host = host.trim_end_matches('/');
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let spelled = if has_port || protocol == Protocol::Http {
            host.to_owned()
        } else {
            format!("{host}:1080")
        };
        let server =
            Server::parse(&spelled).map_err(|mistake| Mistake { at: 0..text.len(), ..mistake })?;
        let label = format!("{scheme}://{}", printable(&spelled)).into();
        Ok(Self { protocol, place: server.place().clone(), login, label })
    }

    /// Where the proxy is.
    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    /// Asks the proxy, on a connection to it, for a connection to the server, within the limit.
    pub(crate) async fn open(
        &self,
        wire: &mut Wire,
        server: &Place,
        limit: Duration,
    ) -> Result<(), Cause> {
        let Place::Host { host, port } = server else {
            return Err(
                self.because(Kind::Denied, "a Unix socket cannot be reached through a proxy")
            );
        };
        let asked = timeout(limit, async {
            match self.protocol {
                Protocol::Socks5 => self.socks5(wire, host, *port).await,
                Protocol::Http => self.http(wire, host, *port).await,
            }
        });
        match asked.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Trouble::Said(kind, words))) => Err(self.because(kind, &words)),
            Ok(Err(Trouble::Io(error))) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.because(Kind::ClosedEarly, "the proxy closed before it answered"))
            }
            Ok(Err(Trouble::Io(error))) => {
                Err(self.named(Cause::from_os(&error, Moment::Live { ended: false })))
            }
            Err(_) => Err(self.because(Kind::ConnectTimeout, "the proxy did not answer in time")),
        }
    }

    /// Says of a failure that it was met on the way through this proxy.
    pub(crate) fn named(&self, mut cause: Cause) -> Cause {
        let words = match &cause.detail {
            Some(detail) => format!("via {self}: {detail}"),
            None => format!("via {self}"),
        };
        cause.detail = Some(Detail::from_text(&words));
        cause
    }

    fn because(&self, kind: Kind, words: &str) -> Cause {
        self.named(Cause::because(kind, words))
    }

    async fn socks5(&self, wire: &mut Wire, host: &str, port: u16) -> Result<(), Trouble> {
        const NO_LOGIN: u8 = 0;
        const LOGIN: u8 = 2;
        let offered: &[u8] =
            if self.login.is_some() { &[5, 2, NO_LOGIN, LOGIN] } else { &[5, 1, NO_LOGIN] };
        wire.write_all(offered).await?;
        let [version, method] = exactly(wire).await?;
        if version != 5 {
            return Err(Trouble::said(Kind::UnexpectedResponse, "this is no SOCKS5 proxy"));
        }
        match (method, &self.login) {
            (NO_LOGIN, _) => {}
            (LOGIN, Some((user, password))) => {
                let mut login = vec![1];
                for part in [user, password] {
                    // The lengths were checked when it was read.
                    login.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
                    login.extend_from_slice(part);
                }
                wire.write_all(&login).await?;
                let [_, status] = exactly(wire).await?;
                if status != 0 {
                    return Err(Trouble::said(
                        Kind::Denied,
                        "the proxy refused the user or password",
                    ));
                }
            }
            _ => return Err(Trouble::said(Kind::Denied, "the proxy wants a user and password")),
        }
        let mut request = vec![5, 1, 0];
        match bare(host).parse() {
            Ok(std::net::IpAddr::V4(address)) => {
                request.push(1);
                request.extend(address.octets());
            }
            Ok(std::net::IpAddr::V6(address)) => {
                request.push(4);
                request.extend(address.octets());
            }
            Err(_) => {
                let length = u8::try_from(host.len()).map_err(|_| {
                    Trouble::said(Kind::DnsNotFound, "SOCKS5 takes no name over 255 bytes")
                })?;
                request.extend([3, length]);
                request.extend(host.as_bytes());
            }
        }
        request.extend(port.to_be_bytes());
        wire.write_all(&request).await?;
        let [_, reply, _, kind] = exactly(wire).await?;
        if reply != 0 {
            return Err(refused(reply));
        }
        // The address it bound means nothing to us, but stands in the way.
        let rest = match kind {
            1 => 4 + 2,
            4 => 16 + 2,
            3 => usize::from(exactly::<1>(wire).await?[0]) + 2,
            _ => {
                return Err(Trouble::said(
                    Kind::UnexpectedResponse,
                    "the proxy's answer is not SOCKS5",
                ));
            }
        };
        wire.read_exact(&mut vec![0; rest]).await?;
        Ok(())
    }

    async fn http(&self, wire: &mut Wire, host: &str, port: u16) -> Result<(), Trouble> {
        let host = if host.contains(':') { format!("[{}]", bare(host)) } else { host.to_owned() };
        let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
        if let Some((user, password)) = &self.login {
            let login = [user, &b":"[..], password].concat();
            request.push_str(&format!("Proxy-Authorization: Basic {}\r\n", base64(&login)));
        }
        request.push_str("\r\n");
        wire.write_all(request.as_bytes()).await?;
        // One byte at a time: what stands behind the head is the server's.
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() == LONGEST_HEAD {
                return Err(Trouble::said(
                    Kind::UnexpectedResponse,
                    "the proxy's answer has no end",
                ));
            }
            let [byte] = exactly(wire).await?;
            head.push(byte);
            if head.len() == 5 && head != b"HTTP/" {
                return Err(Trouble::said(Kind::UnexpectedResponse, "this is no HTTP proxy"));
            }
        }
        let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
        let status = line
            .split(|&byte| byte == b' ')
            .nth(1)
            .and_then(|status| std::str::from_utf8(status).ok()?.parse::<u16>().ok());
        let words = format!("the proxy said {}", escape(line, 128));
        match status {
            Some(200..300) => Ok(()),
            Some(401 | 403 | 407) => Err(Trouble::Said(Kind::Denied, words)),
            Some(502 | 503) => Err(Trouble::Said(Kind::Unavailable, words)),
            Some(504) => Err(Trouble::Said(Kind::ConnectTimeout, words)),
            _ => Err(Trouble::Said(Kind::UnexpectedResponse, words)),
        }
    }
}

/// Why the proxy did not open the way.
enum Trouble {
    Said(Kind, String),
    Io(io::Error),
}

impl Trouble {
    fn said(kind: Kind, words: &str) -> Self {
        Self::Said(kind, words.to_owned())
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// RFC 1928 section 6: what the proxy met when it dialled.
fn refused(reply: u8) -> Trouble {
    let (kind, words) = match reply {
        2 => (Kind::Denied, "the proxy's rules forbid it"),
        3 => (Kind::Unreachable, "the proxy has no way to its network"),
        4 => (Kind::Unreachable, "the proxy has no way to it"),
        5 => (Kind::Refused, "the proxy was refused"),
        6 => (Kind::ConnectTimeout, "the proxy got no answer"),
        1 => (Kind::Unavailable, "the proxy failed and does not say why"),
        7 | 8 => (Kind::UnexpectedResponse, "the proxy cannot do that"),
        _ => (Kind::UnexpectedResponse, "the proxy gave a reason that SOCKS5 does not know"),
    };
    Trouble::Said(kind, format!("{words} (reply {reply})"))
}

async fn exactly<const LENGTH: usize>(wire: &mut Wire) -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    wire.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// A host without the brackets or the zone of an IPv6 address.
fn bare(host: &str) -> &str {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.split('%').next().unwrap_or(host)
}

/// The bytes of percent-encoded text; nothing where a `%` has no two digits.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    Some(bytes)
}

/// RFC 4648 section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let number = group.iter().fold(0_usize, |number, &byte| number << 8 | usize::from(byte))
            << (8 * (3 - group.len()));
        for position in 0..4 {
            text.push(if position <= group.len() {
                char::from(LETTERS[number >> (18 - 6 * position) & 63])
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        // The vectors of RFC 4648 section 10.
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn a_proxy_shows_neither_user_nor_password() {
        let via = Via::parse("socks5://me:s3cr3t%40pw@proxy").unwrap();
        assert_eq!(format!("{via} {via:?}"), "socks5://proxy:1080 Via(\"socks5://proxy:1080\")");
        assert_eq!(via.login.unwrap().1, b"s3cr3t@pw");
        for wrong in [
            "proxy:1",
            "https://me:s3cr3t@p:1",
            "http://me:s3cr3t@p",
            "socks5://me:s3cr3t%zz@p",
            "socks5://me:s3cr3t@p:0",
        ] {
            let mistake = Via::parse(wrong).unwrap_err();
            assert!(!mistake.to_string().contains("s3cr3t"), "{mistake}");
        }
    }
}

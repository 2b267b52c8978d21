//! Through a proxy: SOCKS5 or HTTP CONNECT, and then as if directly.
//!
//! The server's name is sent to the proxy and looked up there; what the proxy says of it becomes a
//! failure at the stage `connect`. Bytes behind the proxy's answer are the server's and stay
//! unread. TLS to the proxy itself is not spoken. How each protocol asks is in `socks5` and
//! `http`. Start at [`Via`].

mod http;
mod socks5;

use std::{fmt, io, sync::Arc, time::Duration};

use redial_core::{Detail, Kind, Mistake, Place, Server};
use tokio::{io::AsyncReadExt, time::timeout};

use crate::{Error, cause::Cause, errno::Moment, wire::Wire};

/// A proxy that connections go through.
///
/// | written | means |
/// |---|---|
/// | `socks5://[USER:PASS@]HOST[:PORT]` | SOCKS5 (RFC 1928), with RFC 1929's user and password; port 1080 |
/// | `socks5h://…` | the same |
/// | `http://[USER:PASS@]HOST:PORT` | CONNECT (RFC 9110, 9.3.6), with Basic (RFC 7617) |
///
/// User and password may be percent-encoded. The password is in no label, message or record.
///
/// **Names are the proxy's to look up**, with both protocols and both spellings of SOCKS5 (what
/// curl calls `socks5h`): this machine asks no resolver for the server, only for the proxy. The
/// source address and the IP version that were chosen are those of the connection to the proxy.
///
/// What the proxy says of the server becomes the failure, at the stage `connect`, with the proxy's
/// address, and its words as the detail (`via PROXY: …`):
///
/// | SOCKS5 reply (RFC 1928, 6) | HTTP status | kind |
/// |---|---|---|
/// | 5 | | `refused` |
/// | 3, 4 | | `unreachable` |
/// | 6 | 504 | `connect-timeout` |
/// | 2, and a wrong or missing password | 401, 403, 407 | `denied` |
/// | 1 | 429, 500, 502, 503 | `unavailable` |
/// | 7, 8, any other, not SOCKS5 | any other, not HTTP | `unexpected-response` |
///
/// 1 and 500 are what microsocks and tinyproxy say of a server that is down, so they heal; a
/// proxy does not tell a name that does not exist from one without an address. A proxy that ends
/// before its answer is `closed-early`, inside it `truncated`, not in time `connect-timeout`.
///
/// Once it stands, the connection is the server's, and what the proxy was asked counts nowhere.
/// But the kernel that acknowledges is the proxy's: `acked-at-least N` says the *proxy* has N.
///
/// ```
/// let via = redial::Via::parse("socks5://me:s3cret@proxy")?;
/// assert_eq!(via.to_string(), "socks5://proxy:1080");
/// assert!(via.had_password());
/// # Ok::<(), redial::Mistake>(())
/// ```
#[derive(Clone)]
pub struct Via {
    protocol: Protocol,
    place: Place,
    login: Option<Login>,
    label: Arc<str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Socks5,
    Http,
}

/// What goes to the proxy, and nowhere else.
#[derive(Clone)]
struct Login {
    user: Vec<u8>,
    password: Vec<u8>,
}

/// Without the user and the password.
impl fmt::Debug for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Via").field(&self.label).finish()
    }
}

/// Without the user and the password.
impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

/// What is wrong with a host of numbers: `127.1`. It has no letters, so it is no password.
fn short_address(host: &str) -> Option<String> {
    let name = host.split(':').next().filter(|name| name.contains('.'))?;
    let is_number = |byte: u8| byte.is_ascii_digit() || b".xX".contains(&byte);
    let is_numbers = name.bytes().all(is_number);
    let mistake = Server::from_words(&[name, "1080"]).err().filter(|_| is_numbers)?;
    Some(mistake.what)
}

impl Via {
    /// Reads a proxy's URL.
    ///
    /// # Errors
    /// What is wrong, quoting nothing: where an `@` was forgotten, the port is a password.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let wrong = |what: &str| {
            Mistake::new(0..text.len(), what, "write socks5://HOST:1080 or http://HOST:3128")
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("a proxy is a URL"))?;
        let scheme = scheme.to_ascii_lowercase();
        let protocol = match &*scheme {
            "socks5" | "socks5h" => Protocol::Socks5,
            "http" => Protocol::Http,
            "https" => return Err(wrong("TLS to the proxy itself is not spoken")),
            _ => return Err(wrong("a proxy speaks SOCKS5 or HTTP")),
        };
        let (login, host) = match rest.rsplit_once('@') {
            Some((login, host)) => (Some(Login::parse(login, protocol).map_err(wrong)?), host),
            None => (None, rest),
        };
        let host = host.strip_suffix('/').unwrap_or(host);
        if host.contains(['/', '?', '#', ',']) {
            return Err(wrong("a proxy has a host and a port, and nothing behind them"));
        }
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let default = if has_port || protocol == Protocol::Http { "" } else { ":1080" };
        let server = Server::parse(&format!("tcp://{host}{default}")).map_err(|_| {
            match short_address(host) {
                Some(what) => wrong(&what),
                None => wrong("the proxy's host or port cannot be read"),
            }
        })?;
        let label = format!("{scheme}://{host}{default}").into();
        Ok(Self { protocol, place: server.place().clone(), login, label })
    }

    /// Whether it was written with a password.
    #[must_use]
    pub fn had_password(&self) -> bool {
        self.login.as_ref().is_some_and(|login| !login.password.is_empty())
    }

    /// Where the proxy is.
    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    /// Whether all these servers can be reached through a proxy at all.
    pub(crate) fn check<'a>(
        &self,
        servers: impl IntoIterator<Item = &'a Server>,
    ) -> Result<(), Error> {
        let unix = |server: &&Server| matches!(server.place(), Place::Unix { .. });
        match servers.into_iter().find(unix) {
            None => Ok(()),
            Some(server) => Err(Error::new(
                format!("{} is a Unix socket, and {self} cannot reach those", server.label()),
                "name a host and a port, or leave the proxy (--via) out",
            )),
        }
    }

    /// Asks the proxy, on a connection to it, for a connection to the server, within the limit.
    pub(crate) async fn open(
        &self,
        wire: &mut Wire,
        server: &Place,
        limit: Duration,
    ) -> Result<(), Cause> {
        let Place::Host { host, port } = server else {
            let words = "a Unix socket cannot be reached through a proxy";
            return Err(self.named(Cause::new(Kind::Denied), words));
        };
        let login = self.login.as_ref();
        let asked = timeout(limit, async {
            match self.protocol {
                Protocol::Socks5 => socks5::ask(wire, host, *port, login).await,
                Protocol::Http => http::ask(wire, host, *port, login).await,
            }
        });
        let (cause, words) = match asked.await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(Trouble::Said(kind, words))) => (Cause::new(kind), words),
            Ok(Err(Trouble::Ended { inside: false })) => {
                (Cause::new(Kind::ClosedEarly), "the proxy closed before it answered".into())
            }
            Ok(Err(Trouble::Ended { inside: true })) => {
                (Cause::new(Kind::Truncated), "the proxy closed inside its answer".into())
            }
            Ok(Err(Trouble::Io(error))) => {
                let cause = Cause::from_os(&error, Moment::Live { ended: wire.ended });
                (cause, "the connection to the proxy itself broke".into())
            }
            Err(_) => (Cause::new(Kind::ConnectTimeout), "the proxy did not answer in time".into()),
        };
        Err(self.named(cause, &words))
    }

    /// The same of a failure to get to the proxy itself.
    pub(crate) fn not_reached(&self, cause: Cause) -> Cause {
        self.named(cause, "the proxy itself was not reached")
    }

    /// Says of a failure that it was met on the way through this proxy.
    fn named(&self, mut cause: Cause, words: &str) -> Cause {
        let more = cause.detail.map_or_else(String::new, |detail| format!(": {detail}"));
        cause.detail = Some(Detail::from_text(&format!("via {self}: {words}{more}")));
        cause
    }
}

impl Login {
    /// Reads `USER[:PASS]`, percent-encoded or not. A mistake says only what is wrong.
    fn parse(text: &str, protocol: Protocol) -> Result<Self, &'static str> {
        /// RFC 1929 section 2: each has one byte for its length.
        const LONGEST: usize = 255;
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        let (Some(user), Some(password)) = (decode(user), decode(password)) else {
            return Err(
                "the proxy's user or password has a % without two digits; write %25 for it",
            );
        };
        match protocol {
            Protocol::Socks5 if user.is_empty() => Err("SOCKS5 wants a user with a password"),
            Protocol::Socks5 if user.len() > LONGEST || password.len() > LONGEST => {
                Err("the proxy's user or password is longer than SOCKS5 can say: 255 bytes")
            }
            // RFC 7617 section 2: it would end there.
            Protocol::Http if user.contains(&b':') => Err("the proxy's user has a colon in it"),
            Protocol::Socks5 | Protocol::Http => Ok(Self { user, password }),
        }
    }
}

/// Why the proxy did not open the way.
#[derive(Debug)]
enum Trouble {
    /// Its answer, or what is wrong with it.
    Said(Kind, String),
    /// It ended: inside an answer, or before one.
    Ended {
        inside: bool,
    },
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

/// Reads as many bytes as there is room for, and none behind them. `inside`: they continue an
/// answer.
async fn fill(wire: &mut Wire, bytes: &mut [u8], mut inside: bool) -> Result<(), Trouble> {
    let mut filled = 0;
    while filled < bytes.len() {
        match wire.read(&mut bytes[filled..]).await? {
            0 => return Err(Trouble::Ended { inside }),
            count => filled += count,
        }
        inside = true;
    }
    Ok(())
}

/// A host without the zone of an IPv6 address, which is this machine's own.
fn without_zone(host: &str) -> &str {
    host.split_once('%').map_or(host, |(address, _)| address)
}

/// The bytes of percent-encoded text; nothing where a `%` has no two digits.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).ok()?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_as_people_write_them() {
        for (text, label) in [
            ("socks5://proxy", "socks5://proxy:1080"),
            ("socks5h://proxy:9050/", "socks5h://proxy:9050"),
            ("SOCKS5://[::1]", "socks5://[::1]:1080"),
            ("http://me:a/b@p@[fe80::1%eth0]:3128", "http://[fe80::1%eth0]:3128"),
            ("http://:t0ken@proxy:3128", "http://proxy:3128"),
        ] {
            assert_eq!(Via::parse(text).unwrap().to_string(), label);
        }
    }

    #[test]
    fn neither_a_proxy_nor_a_mistake_shows_user_or_password() {
        let via = Via::parse("socks5://me:s3cr3t%40pw@proxy").unwrap();
        assert_eq!(format!("{via} {via:?}"), "socks5://proxy:1080 Via(\"socks5://proxy:1080\")");
        assert_eq!(via.login.unwrap().password, b"s3cr3t@pw");
        let long = format!("socks5://me:s3cr3t{}@p", "x".repeat(250));
        for wrong in [
            "proxy:1",
            "me:s3cr3t@proxy:1",
            "https://me:s3cr3t@p:1",
            "http://me:s3cr3t@p",
            "http://me:s3cr3t",
            "http://me%3Aa:s3cr3t@p:1",
            "http://me:s3cr3t@p:1/path",
            "http://me:s3cr3t@unix:/run/p",
            "http://me:s3cr3t@tls://p:1",
            "http://me:s3cr3t@p\r\n:1",
            "socks5://me:s3cr3t%zz@p",
            "socks5://me:s3cr3t%+1@p",
            "socks5://me:s3cr3t%4",
            "socks5://me:s3cr3t%4@p",
            "socks5://:s3cr3t@p",
            "socks5://me:s3cr3t@",
            "socks5://me:s3cr3t@p:0",
            "socks5://me:s3cr3t@p:65536",
            "socks5://me:s3cr3t@p,q:1",
            &long,
        ] {
            let mistake = Via::parse(wrong).unwrap_err();
            assert!(!mistake.to_string().contains("s3cr3t"), "{mistake}");
        }
    }
}

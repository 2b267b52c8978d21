//! A proxy as people write it: `socks5://[USER:PASS@]HOST:1080`, `http://[USER:PASS@]HOST:3128`.
//!
//! Reading only: what is sent to a proxy, and what its answers mean, is the driver's. Start at
//! [`Via`].

use alloc::{format, string::ToString, sync::Arc, vec::Vec};
use core::fmt;

use super::{Place, Server, percent_decoded};
use crate::Mistake;

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
/// # use redial_core::Via;
/// let via = Via::parse("socks5://me:s3cret@proxy")?;
/// assert_eq!(via.to_string(), "socks5://proxy:1080");
/// assert!(via.had_password());
/// # Ok::<(), redial_core::Mistake>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Via {
    protocol: ViaProtocol,
    place: Place,
    login: Option<ViaLogin>,
    label: Arc<str>,
}

/// The protocol that a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViaProtocol {
    /// SOCKS5.
    Socks5,
    /// HTTP CONNECT.
    Http,
}

/// The user and the password for a proxy. They go to the proxy, and nowhere else.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ViaLogin {
    /// The user, decoded.
    pub user: Vec<u8>,
    /// The password, decoded.
    pub password: Vec<u8>,
}

/// Without the user and the password.
impl fmt::Debug for ViaLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ViaLogin(***)")
    }
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
fn short_address(host: &str) -> Option<alloc::string::String> {
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
            "socks5" | "socks5h" => ViaProtocol::Socks5,
            "http" => ViaProtocol::Http,
            "https" => return Err(wrong("TLS to the proxy itself is not spoken")),
            _ => return Err(wrong("a proxy speaks SOCKS5 or HTTP")),
        };
        let (login, host) = match rest.rsplit_once('@') {
            Some((login, host)) => (Some(ViaLogin::parse(login, protocol).map_err(wrong)?), host),
            None => (None, rest),
        };
        let host = host.strip_suffix('/').unwrap_or(host);
        if host.contains(['/', '?', '#', ',']) {
            return Err(wrong("a proxy has a host and a port, and nothing behind them"));
        }
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let default = if has_port || protocol == ViaProtocol::Http { "" } else { ":1080" };
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
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// The protocol that it speaks.
    #[must_use]
    pub const fn protocol(&self) -> ViaProtocol {
        self.protocol
    }

    /// The user and the password, where there are any.
    #[must_use]
    pub const fn login(&self) -> Option<&ViaLogin> {
        self.login.as_ref()
    }

    /// The URL, with `***` for the user and the password.
    pub(super) fn masked(&self) -> alloc::string::String {
        match self.label.split_once("://") {
            Some((scheme, rest)) if self.login.is_some() => format!("{scheme}://***@{rest}"),
            _ => self.label.to_string(),
        }
    }
}

impl ViaLogin {
    /// Reads `USER[:PASS]`, percent-encoded or not. A mistake says only what is wrong.
    fn parse(text: &str, protocol: ViaProtocol) -> Result<Self, &'static str> {
        /// RFC 1929 section 2: each has one byte for its length.
        const LONGEST: usize = 255;
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        let (Some(user), Some(password)) = (percent_decoded(user), percent_decoded(password))
        else {
            return Err(
                "the proxy's user or password has a % without two digits; write %25 for it",
            );
        };
        match protocol {
            ViaProtocol::Socks5 if user.is_empty() => Err("SOCKS5 wants a user with a password"),
            ViaProtocol::Socks5 if user.len() > LONGEST || password.len() > LONGEST => {
                Err("the proxy's user or password is longer than SOCKS5 can say: 255 bytes")
            }
            // RFC 7617 section 2: it would end there.
            ViaProtocol::Http if user.contains(&b':') => Err("the proxy's user has a colon in it"),
            ViaProtocol::Socks5 | ViaProtocol::Http => Ok(Self { user, password }),
        }
    }
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
        assert_eq!(via.masked(), "socks5://***@proxy:1080");
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

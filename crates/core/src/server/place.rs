//! Where a server is: a host and a port, or the path of a Unix socket.
//!
//! Names are checked for what a resolver could never find; nothing is resolved. Start at
//! [`Place`].

use alloc::{format, string::String, sync::Arc};
use core::{fmt, net::Ipv6Addr};

use super::{ipv4, read::offer};
use crate::{Mistake, Scheme, nearest::quoted};

/// What `sun_path` holds on Linux, without the zero at its end.
const LONGEST_PATH: usize = 107;
/// RFC 1035, section 2.3.4, as it is written: without the length bytes.
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// Words that mean something else when a `:` and a number follow them.
const PREFIXES: [&str; 3] = ["unix", "env", "srv"];

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A name or an IP address, and a port.
    Host {
        /// Without brackets: `db1`, `10.0.0.5`, `::1`, `fe80::1%eth0`.
        host: Arc<str>,
        /// 1 to 65535.
        port: u16,
    },
    /// A Unix socket.
    Unix {
        /// Absolute, or relative to where the program runs; at most 107 bytes.
        path: Arc<str>,
    },
}

/// `db1:5432`, `[::1]:5432`, `unix:/run/redis.sock`; reads back as the same place
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { host, port } if host.contains(':') => f.pad(&format!("[{host}]:{port}")),
            // A host may be called `unix`; what it is must not depend on that.
            Self::Host { host, port } if PREFIXES.contains(&&**host) => {
                f.pad(&format!("tcp://{host}:{port}"))
            }
            Self::Host { host, port } => f.pad(&format!("{host}:{port}")),
            Self::Unix { path } => f.pad(&format!("unix:{path}")),
        }
    }
}

impl Place {
    /// The host, where there is one.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Host { host, .. } => Some(host),
            Self::Unix { .. } => None,
        }
    }

    /// Reads `host:port` and `[v6]:port`; a scheme may give the port.
    pub(super) fn read(text: &str, scheme: Option<&Scheme>) -> Result<Self, Mistake> {
        let (host, port) = split(text, scheme)?;
        let port = match port {
            Some(port) => self::port(port).map_err(|m| m.shifted(text.len() - port.len()))?,
            None => scheme.and_then(|scheme| scheme.port).ok_or_else(|| no_port(text, scheme))?,
        };
        Ok(Self::Host { host: host.into(), port })
    }

    /// A host and a port that were written apart.
    pub(super) fn of_words(host: &str, port: &str) -> Result<Self, Mistake> {
        let after = host.len() + 1;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(inner) => address(inner).map_err(|mistake| mistake.shifted(1))?,
            None if host.contains(':') => {
                if let Some((_, written)) =
                    host.split_once(':').filter(|(_, p)| self::port(p).is_ok())
                {
                    let what = format!("{} has the port {written} already", quoted(host));
                    let instead = format!("write {}", quoted(host));
                    return Err(Mistake::new(after..after + port.len(), what, instead));
                }
                address(host)?
            }
            None => {
                name(host, |host| format!("{host}:{port}"))?;
                String::from(host)
            }
        };
        let port = self::port(port).map_err(|mistake| mistake.shifted(after))?;
        Ok(Self::Host { host: host.into(), port })
    }

    /// Reads what stands after `unix:`.
    pub(super) fn read_path(text: &str) -> Result<Self, Mistake> {
        // `unix:///run/x` is how URLs write it.
        let path = text.strip_prefix("//").filter(|rest| rest.starts_with('/')).unwrap_or(text);
        let mistake = |what: String, instead: &str| Mistake::new(0..text.len(), what, instead);
        if path.is_empty() || path == "/" {
            return Err(mistake("a Unix socket has no path".into(), "write unix:/run/app.sock"));
        }
        if let Some(rest) = path.strip_prefix("//") {
            let instead = offer(format!("unix:/{rest}"), "write one");
            return Err(mistake(format!("{} has two slashes", quoted(path)), &instead));
        }
        if path.starts_with('@') {
            let what = format!("{} has no path", quoted(path));
            return Err(mistake(
                what,
                "write the path of a socket; abstract ones cannot be dialled",
            ));
        }
        if path.len() > LONGEST_PATH {
            let what = format!("a path of {} bytes is too long for a Unix socket", path.len());
            return Err(mistake(what, &format!("use one of at most {LONGEST_PATH}")));
        }
        Ok(Self::Unix { path: path.into() })
    }
}

/// The host, and the port: what the text ends with.
fn split<'a>(text: &'a str, scheme: Option<&Scheme>) -> Result<(String, Option<&'a str>), Mistake> {
    let all = 0..text.len();
    let example = || format!("write {}", example(text, scheme));
    if let Some(inner) = text.strip_prefix('[') {
        let Some(end) = inner.find(']') else {
            return Err(Mistake::new(all, "the bracket is not closed", example()));
        };
        let host = address(&inner[..end]).map_err(|mistake| mistake.shifted(1))?;
        let rest = &inner[end + 1..];
        return match rest.strip_prefix(':') {
            Some("") => Err(no_port(text, scheme)),
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => {
                let what = format!("{} stands after the bracket", quoted(rest));
                let at = text.len() - rest.len()..text.len();
                let instead = match port(rest) {
                    Ok(port) => {
                        format!("write {}", quoted(&format!("{}[{host}]:{port}", prefix(scheme))))
                    }
                    Err(_) => example(),
                };
                Err(Mistake::new(at, what, instead))
            }
        };
    }
    match text.matches(':').count() {
        0 => {
            // A number alone is a port without its host, and the caller says so.
            if scheme.is_some() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
                name(text, |host| format!("{}{host}", prefix(scheme)))?;
            }
            Ok((String::from(text), None))
        }
        1 => {
            let (host, port) = text.split_once(':').unwrap_or((text, ""));
            if host.is_empty() {
                let what = format!("{} has no host", quoted(text));
                let instead = match port {
                    "" => String::from("write HOST:PORT"),
                    port => offer(format!("localhost:{port}"), "write HOST:PORT"),
                };
                return Err(Mistake::new(0..0, what, instead));
            }
            name(host, |host| format!("{}{host}:{port}", prefix(scheme)))?;
            if port.is_empty() {
                return Err(no_port(text, scheme));
            }
            Ok((String::from(host), Some(port)))
        }
        _ => {
            let (first, rest) = text.split_once(':').unwrap_or((text, ""));
            if scheme.is_none() && Scheme::named(first).is_some() {
                let what = format!("{} has no `//` after {first}:", quoted(text));
                let instead = offer(format!("{first}://{rest}"), "write it as PROTOCOL://HOST");
                return Err(Mistake::new(all, what, instead));
            }
            let address = text.parse::<Ipv6Addr>().is_ok() || before_port(text).is_some();
            let (what, instead) = if address {
                ("could be read in two ways", example())
            } else {
                ("has too many colons", String::from("write HOST:PORT, or [ADDRESS]:PORT for IPv6"))
            };
            Err(Mistake::new(all, format!("{} {what}", quoted(text)), instead))
        }
    }
}

/// How the server could be written, from what there is of it; PORT where there is no port.
fn example(text: &str, scheme: Option<&Scheme>) -> String {
    let text = text.trim_start_matches('[');
    let host =
        |host: &str| if host.contains(':') { format!("[{host}]") } else { String::from(host) };
    let prefix = prefix(scheme);
    let text = text.split(']').next().unwrap_or(text);
    match before_port(text) {
        Some((address, port)) => quoted(&format!("{prefix}[{address}]:{port}")),
        None if scheme.is_some_and(|scheme| scheme.port.is_some()) => {
            quoted(&format!("{prefix}{}", host(text)))
        }
        // PORT is for the reader to fill in, so it is no text to copy.
        None => {
            let written = quoted(&format!("{prefix}{}:PORT", host(text.trim_end_matches(':'))));
            String::from(written.trim_matches('`'))
        }
    }
}

/// `redis://`, or nothing.
fn prefix(scheme: Option<&Scheme>) -> String {
    scheme.map_or(String::new(), |scheme| format!("{}://", scheme.name))
}

/// Parts of hosts' names, and the protocol that such a host usually has.
const USUAL: [(&str, &str); 6] = [
    ("rabbit", "amqp"),
    ("mongo", "mongodb"),
    ("maria", "mysql"),
    ("cache", "redis"),
    ("pg", "postgres"),
    ("db", "postgres"),
];

/// The protocol that a host's name suggests: `redis` for `redis-1.internal`, else `http`.
fn usual_protocol(host: &str) -> &'static str {
    let own = Scheme::all().iter().map(|scheme| (scheme.name, scheme.name));
    let long = own.filter(|(name, _)| name.len() > 3);
    let found = long.chain(USUAL).find(|(part, _)| host.contains(part));
    found.map_or("http", |(_, name)| name)
}

/// `::1:5432` as an address and a port, where it can be read so.
fn before_port(text: &str) -> Option<(&str, u16)> {
    let (address, port) = text.rsplit_once(':')?;
    // `::` before the port leaves one colon too few.
    let is_address =
        |text: &str| text.split('%').next().is_some_and(|t| t.parse::<Ipv6Addr>().is_ok());
    let port = port.parse().ok().filter(|_| port.len() >= 2)?;
    is_address(address).then_some((address, port))
}

fn no_port(text: &str, scheme: Option<&Scheme>) -> Mistake {
    let at = text.len()..text.len();
    let host = text.trim_end_matches(':');
    if !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_digit()) {
        let what = format!("{} is a port without a host", quoted(host));
        return Mistake::new(
            0..text.len(),
            what,
            format!("write {}", quoted(&format!("localhost:{host}"))),
        );
    }
    let example = example(text, scheme);
    let instead = match scheme {
        None if !host.contains(':') => {
            let url = quoted(&format!("{}://{host}", usual_protocol(host)));
            format!("write {example}, or a URL whose protocol has a port: {url}")
        }
        _ => format!("write {example}"),
    };
    Mistake::new(at, format!("{} has no port", quoted(text)), instead)
}

fn port(text: &str) -> Result<u16, Mistake> {
    let all = 0..text.len();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return match text.parse() {
            Ok(port) if port > 0 => Ok(port),
            _ => {
                let what = format!("there is no port {}", quoted(text));
                Err(Mistake::new(all, what, "write a number from 1 to 65535"))
            }
        };
    }
    if text.contains(['/', '?']) {
        let what = format!("only a protocol has a path, and {} is one", quoted(text));
        return Err(Mistake::new(all, what, "write postgres:// or http:// before the host"));
    }
    let instead = match Scheme::named(text).and_then(|scheme| scheme.port) {
        Some(port) => format!("write {port}"),
        None => String::from("write a number from 1 to 65535"),
    };
    Err(Mistake::new(all, format!("{} is not a port", quoted(text)), instead))
}

/// What stands in brackets: an IPv6 address, perhaps with a zone (`fe80::1%eth0`).
fn address(text: &str) -> Result<String, Mistake> {
    let (number, zone) = match text.split_once('%') {
        // RFC 6874 writes the percent sign of a zone as `%25`.
        Some((number, zone)) => {
            (number, Some(zone.strip_prefix("25").filter(|z| !z.is_empty()).unwrap_or(zone)))
        }
        None => (text, None),
    };
    let is_zone = |zone: &str| {
        !zone.is_empty()
            && zone.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte))
    };
    if number.parse::<Ipv6Addr>().is_err() || !zone.is_none_or(is_zone) {
        let what = format!("{} is not an IPv6 address", quoted(text));
        return Err(Mistake::new(
            0..text.len(),
            what,
            "write an IPv6 address as [::1]:PORT, and a name without brackets",
        ));
    }
    Ok(zone.map_or(String::from(number), |zone| format!("{number}%{zone}")))
}

/// Refuses what no resolver could find, and what it would read as another address.
///
/// `whole` writes a host with what surrounded it, for a correction.
fn name(text: &str, whole: impl Fn(&str) -> String) -> Result<(), Mistake> {
    let all = 0..text.len();
    let mistake = |what: &str, instead: &str| {
        Err(Mistake::new(all.clone(), format!("{} {what}", quoted(text)), instead))
    };
    if text.is_empty() {
        return Err(Mistake::new(all, "the host is missing", "write HOST:PORT"));
    }
    if !text.is_ascii() {
        return mistake("has letters that no host name has", "write its xn-- form");
    }
    if text.contains(['/', '?']) {
        return mistake("has a path and no protocol", "write http:// or unix: before it");
    }
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if let Some((at, letter)) = text.char_indices().find(|(_, letter)| !is_letter(*letter as u8)) {
        let what = format!("{} has a {} in it", quoted(text), quoted(&String::from(letter)));
        let instead = "a host has letters, digits, `-`, `_` and `.`";
        return Err(Mistake::new(at..at + 1, what, instead));
    }
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.len() > LONGEST_NAME {
        let what = format!("a name of {} characters is too long for a host", text.len());
        return Err(Mistake::new(all, what, format!("a host has at most {LONGEST_NAME}")));
    }
    if text.split('.').any(str::is_empty) {
        return mistake("has nothing between two dots", "write db.example.com");
    }
    if let Some(label) = text.split('.').find(|label| label.len() > LONGEST_LABEL) {
        let what = format!("{} characters between two dots are too many", label.len());
        return Err(Mistake::new(all, what, format!("a host has at most {LONGEST_LABEL}")));
    }
    ipv4::refuse(text, whole)
}

//! Resolves names: the system's own resolver (getaddrinfo), with its own error codes.
//!
//! Lookups run on detached threads, so that one that hangs holds neither a deadline nor the end of
//! the runtime, as a blocking pool would; `queue` bounds their number. It does not sort
//! (getaddrinfo has, by RFC 6724), race or cache. Start at [`lookup`].

mod hosts;
mod queue;
mod rcode;

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use dns_lookup::{AddrInfoHints, LookupError, LookupErrorKind};
use redial_core::{Detail, Kind};

use self::queue::{Question, Queue};
use crate::{
    cause::Cause,
    errno::{self, Moment},
};

static QUEUE: Queue = Queue::new(resolve);

/// Which IP versions may be used: `-4`, `-6`, or both, the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IpVersions {
    /// IPv4 and IPv6.
    #[default]
    Any,
    /// IPv4 only.
    Ipv4,
    /// IPv6 only.
    Ipv6,
}

impl IpVersions {
    fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Ipv4 => address.is_ipv4(),
            Self::Ipv6 => address.is_ipv6(),
        }
    }

    const fn number(self) -> i32 {
        match self {
            Self::Any => libc::AF_UNSPEC,
            Self::Ipv4 => libc::AF_INET,
            Self::Ipv6 => libc::AF_INET6,
        }
    }
}

/// The addresses of a host, best first. An IP address is its own answer and starts no thread.
///
/// There is no time limit here: drop the future to stop waiting. The lookup then ends by itself.
pub(crate) async fn lookup(
    host: &str,
    port: u16,
    family: IpVersions,
) -> Result<Vec<SocketAddr>, Cause> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return literal(address, port, family);
    }
    let question = Question { host: host.into(), family: family.number() };
    let answered = QUEUE.ask(question, hosts::is_local);
    let mut addresses = answered
        .await
        .unwrap_or_else(|_| Err(Cause::because(Kind::Other, "the lookup ended early")))?;
    addresses.iter_mut().for_each(|address| address.set_port(port));
    Ok(addresses)
}

fn literal(address: IpAddr, port: u16, family: IpVersions) -> Result<Vec<SocketAddr>, Cause> {
    if family.allows(address) {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let wanted = if address.is_ipv4() { "IPv6" } else { "IPv4" };
    Err(Cause::because(
        Kind::DnsNotFound,
        &format!("only {wanted} was asked for, and {address} is not"),
    ))
}

/// Asks the system's resolver. The addresses have no port yet.
fn resolve(question: &Question) -> Result<Vec<SocketAddr>, Cause> {
    let hints = AddrInfoHints {
        address: question.family,
        socktype: libc::SOCK_STREAM,
        ..AddrInfoHints::default()
    };
    let found = dns_lookup::getaddrinfo(Some(&question.host), None, Some(hints));
    let addresses: Vec<_> = found
        .map_err(|error| unresolved_name(error, question))?
        .filter_map(Result::ok) // an address of a family that is not IP
        .map(|info| info.sockaddr)
        .collect();
    if addresses.is_empty() {
        return Err(Cause::because(Kind::DnsNotFound, "the name has no IP address"));
    }
    Ok(addresses)
}

/// A name that was not found may be one that no nameserver looked for: glibc does not tell.
fn unresolved_name(error: LookupError, question: &Question) -> Cause {
    let cause = unresolved(error);
    if cause.kind != Kind::DnsNotFound {
        return cause;
    }
    match rcode::temporary(&question.host, question.family) {
        Some(code) => {
            let words = format!("{}: the nameserver did not look for the name", code.name());
            Cause::because(Kind::DnsTemporary, &words)
        }
        None => cause,
    }
}

fn unresolved(error: LookupError) -> Cause {
    use LookupErrorKind as Code;
    let number = error.error_num();
    let (kind, name) = match error.kind() {
        Code::NoName => (Kind::DnsNotFound, "EAI_NONAME"),
        Code::NoData => (Kind::DnsNotFound, "EAI_NODATA"),
        Code::Again => (Kind::DnsTemporary, "EAI_AGAIN"),
        Code::Fail => (Kind::DnsTemporary, "EAI_FAIL"),
        Code::Memory => (Kind::Exhausted, "EAI_MEMORY"),
        Code::System => {
            let system = io::Error::from(error);
            let (kind, errno) = errno::classify(&system, Moment::Preparing);
            let detail = Some(Detail::from_text(&format!("EAI_SYSTEM: {system}")));
            return Cause { errno, detail, ..Cause::new(kind) };
        }
        // glibc's "the name exists, with no address of the family asked for".
        Code::IO if number == EAI_ADDRFAMILY => (Kind::DnsNotFound, "EAI_ADDRFAMILY"),
        // A name no resolver can be asked: a NUL byte in it.
        Code::IO if number == 0 => (Kind::DnsNotFound, "not a name"),
        Code::Badflags => (Kind::Other, "EAI_BADFLAGS"),
        Code::Family => (Kind::Other, "EAI_FAMILY"),
        Code::Socktype => (Kind::Other, "EAI_SOCKTYPE"),
        Code::Service => (Kind::Other, "EAI_SERVICE"),
        Code::Unknown | Code::IO => (Kind::Other, "an unknown resolver code"),
    };
    let words = io::Error::from(error).to_string();
    let words = words.trim_start_matches("failed to lookup address information: ");
    Cause::because(kind, &format!("{name}: {words}"))
}

/// glibc's number; libc does not export it.
const EAI_ADDRFAMILY: i32 = -9;

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(code: i32) -> Cause {
        unresolved(LookupError::new(code))
    }

    #[test]
    fn resolver_codes_are_told_apart() {
        assert_eq!(failed(libc::EAI_NONAME).kind, Kind::DnsNotFound);
        assert_eq!(failed(libc::EAI_NODATA).kind, Kind::DnsNotFound);
        assert_eq!(failed(libc::EAI_AGAIN).kind, Kind::DnsTemporary);
        assert_eq!(failed(libc::EAI_FAIL).kind, Kind::DnsTemporary);
        assert_eq!(failed(libc::EAI_MEMORY).kind, Kind::Exhausted);
        assert!(failed(libc::EAI_NONAME).detail.unwrap().as_str().starts_with("EAI_NONAME: "));
    }

    #[tokio::test]
    async fn a_literal_is_its_own_answer() {
        let found = lookup("::1", 80, IpVersions::Any).await.unwrap();
        assert_eq!(found, ["[::1]:80".parse().unwrap()]);
        let refused = lookup("127.0.0.1", 80, IpVersions::Ipv6).await.unwrap_err();
        assert_eq!(refused.kind, Kind::DnsNotFound);
        assert_eq!(
            refused.detail.unwrap().as_str(),
            "only IPv6 was asked for, and 127.0.0.1 is not"
        );
    }

    #[tokio::test]
    async fn localhost_has_an_address_with_the_port() {
        let found = lookup("localhost", 8080, IpVersions::Ipv4).await.unwrap();
        assert_eq!(found, ["127.0.0.1:8080".parse().unwrap()]);
    }

    #[tokio::test]
    async fn a_name_that_no_resolver_can_be_asked_is_not_found() {
        let failure = lookup("a\0b", 80, IpVersions::Any).await.unwrap_err();
        assert_eq!(failure.kind, Kind::DnsNotFound);
    }
}

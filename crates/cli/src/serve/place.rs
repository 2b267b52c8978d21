//! Where to listen: `PORT`, `:PORT`, `HOST:PORT`, `[V6]:PORT`, and nothing for a free port.
//!
//! A bare port means loopback: a practice server is nobody else's business unless its user says so.
//! It binds nothing; a bind that failed is put into words here. Start at [`places`].

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
};

use redial::{Server, masked, printable};

use crate::{error::Error, texts::reason};

/// The socket addresses a word means, in the order to try them: never none.
pub(super) fn places(word: Option<&str>) -> Result<Vec<SocketAddr>, Error> {
    let Some(word) = word else { return Ok(vec![(Ipv4Addr::LOCALHOST, 0).into()]) };
    if let Some(error) = not_a_place(word) {
        return Err(error);
    }
    if word.parse::<Ipv6Addr>().is_ok() {
        return Err(Error::plain(
            format!("`{}` is an IPv6 address without a port", shown(word)),
            "write [ADDRESS]:PORT, as in [::1]:5432, or [::1]:0 for a free one",
        ));
    }
    if let Some(port) = word.strip_prefix(':') {
        let port = number(port, word)?;
        // The first takes both versions of IP; the second is for machines without IPv6.
        return Ok(vec![
            (Ipv6Addr::UNSPECIFIED, port).into(),
            (Ipv4Addr::UNSPECIFIED, port).into(),
        ]);
    }
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(vec![(Ipv4Addr::LOCALHOST, number(word, word)?).into()]);
    }
    let is_host_alone = |host: &str| host.starts_with('[') && !host.ends_with(']');
    let Some((host, port)) = word.rsplit_once(':').filter(|(host, _)| !is_host_alone(host)) else {
        let shown = shown(word);
        return Err(Error::plain(
            format!("`{shown}` has no port to listen on"),
            format!("write {shown}:0 for a free port, or {shown}:PORT"),
        ));
    };
    let port = number(port, word)?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    refuse_short_address(host, port)?;
    let found = (host, port).to_socket_addrs().map_err(|_| {
        Error::plain(
            format!("no address of this machine is called `{}`", shown(host)),
            "write 127.0.0.1:PORT for this machine alone, :PORT for every address",
        )
    })?;
    let found: Vec<SocketAddr> = found.collect();
    if found.is_empty() {
        return Err(Error::plain(
            format!("`{}` has no address", shown(host)),
            "write 127.0.0.1:PORT for this machine alone, :PORT for every address",
        ));
    }
    Ok(found)
}

/// Refuses `127.1`, which a resolver reads as an address of four parts.
fn refuse_short_address(host: &str, port: u16) -> Result<(), Error> {
    let begins_with_digit = host.starts_with(|letter: char| letter.is_ascii_digit());
    if !begins_with_digit || Server::from_words(&[host, "1"]).is_ok() {
        return Ok(());
    }
    match Server::from_words(&[host, &port.to_string()]) {
        Ok(_) => Ok(()),
        Err(mistake) => Err(Error::plain(mistake.what, mistake.instead)),
    }
}

/// Why the address could not be had, and what to do.
pub(super) fn not_bound(word: Option<&str>, places: &[SocketAddr], error: &io::Error) -> Error {
    let place = match (word, places) {
        (Some(word), _) => shown(word),
        (None, [place, ..]) => place.to_string(),
        (None, []) => "the address".into(),
    };
    let (what, instead) = match error.kind() {
        io::ErrorKind::AddrInUse => (
            format!("{place} is in use already"),
            "leave the address out for a free port; who has it: ss -ltnp",
        ),
        io::ErrorKind::PermissionDenied => (
            format!("{place} may not be listened on: {}", reason(error)),
            "a port below 1024 wants rights; choose one above, or leave the address out",
        ),
        io::ErrorKind::AddrNotAvailable => (
            format!("{place} is no address of this machine"),
            "write 127.0.0.1:PORT for this machine alone, :PORT for every address",
        ),
        _ => (
            format!("{place} cannot be listened on: {}", reason(error)),
            "leave the address out for a free port of 127.0.0.1",
        ),
    };
    Error::plain(what, instead)
}

/// What people write that is no place to listen, each with its answer.
fn not_a_place(word: &str) -> Option<Error> {
    let error = |what: String, instead: &str| Some(Error::plain(what, instead));
    if word.is_empty() {
        return error(
            "the address is an empty word".into(),
            "leave it out for a free port; is a variable of the script empty?",
        );
    }
    if word.starts_with("lab:") {
        return error(
            format!("`{}` is a practice server by itself, and `serve` is another", shown(word)),
            "to connect to it: redial connect lab:NAME; to serve: redial serve --script 'reset, ok'",
        );
    }
    if word.starts_with("unix:") || word.starts_with('/') {
        return error(
            format!("`{}` is a Unix socket, and serve listens on TCP", shown(word)),
            "write PORT or HOST:PORT",
        );
    }
    if let Some((scheme, _)) = word.split_once("://") {
        let instead = match scheme {
            "tls" | "https" | "rediss" => "write HOST:PORT and --tls",
            _ => "write PORT or HOST:PORT; what it answers is said by flags (--say, --as)",
        };
        return error(format!("`{}` is a server's URL, not an address", shown(word)), instead);
    }
    None
}

fn number(port: &str, word: &str) -> Result<u16, Error> {
    port.parse().map_err(|_| {
        Error::plain(
            format!("`{}` is no port in `{}`", shown(port), shown(word)),
            "a port is a number from 1 to 65535, or 0 for a free one",
        )
    })
}

fn shown(word: &str) -> String {
    let short: String = word.chars().take(60).collect();
    let dots = if short.len() < word.len() { "…" } else { "" };
    masked(&printable(&(short + dots)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(word: &str) -> Vec<String> {
        places(Some(word)).unwrap().iter().map(ToString::to_string).collect()
    }

    fn said(word: &str) -> String {
        match places(Some(word)) {
            Err(Error::Plain { what, next }) => format!("{what}; {next}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn places_as_people_write_them() {
        assert_eq!(places(None).unwrap(), [(Ipv4Addr::LOCALHOST, 0).into()]);
        assert_eq!(read("5432"), ["127.0.0.1:5432"]);
        assert_eq!(read("0"), ["127.0.0.1:0"]);
        assert_eq!(read(":5432"), ["[::]:5432", "0.0.0.0:5432"]);
        assert_eq!(read("127.0.0.2:5432"), ["127.0.0.2:5432"]);
        assert_eq!(read("0.0.0.0:0"), ["0.0.0.0:0"]);
        assert_eq!(read("[::1]:5432"), ["[::1]:5432"]);
        assert!(read("localhost:5432").contains(&"127.0.0.1:5432".into()));
    }

    #[test]
    fn what_is_none_says_what_to_write() {
        for word in ["::1", "::", "fe80::1:5432"] {
            assert!(said(word).contains("write [ADDRESS]:PORT"), "{}", said(word));
        }
        assert!(said("[::1]").contains("write [::1]:0"), "{}", said("[::1]"));
        assert!(said("127.0.0.1").contains("write 127.0.0.1:0"), "{}", said("127.0.0.1"));
        for port in ["70000", ":70000", "localhost:x", "localhost:", ":"] {
            assert!(said(port).contains("from 1 to 65535"), "{}", said(port));
        }
    }
}

//! The header lines of an HTTP request: those that every request has, and those of one server.
//!
//! Credentials come from the URL's user and password, or from `#header=Authorization: …`. Nothing
//! here is shown. Start at [`lines`].

use alloc::{format, string::String, vec::Vec};

use crate::{Mistake, Secret, Server, nearest::quoted, server::percent_decoded};

/// Returns the header lines for a server; a header of `#header` replaces that of the same name.
///
/// `basic` is user and password for `Authorization: Basic`.
pub(super) fn lines(
    server: &Server,
    authority: &[u8],
    basic: Option<&str>,
) -> Result<Vec<u8>, Mistake> {
    let own = own_lines(server)?;
    let mut lines = Vec::new();
    let mut line = |name: &str, value: &[u8]| {
        let headers = &server.options().headers;
        if !headers.iter().any(|header| header.name().eq_ignore_ascii_case(name)) {
            lines.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
    };
    line("Host", authority);
    line("User-Agent", b"redial");
    line("Accept", b"*/*");
    // A body is read to be checked: the fewer ways it is written in, the better.
    line("Accept-Encoding", b"identity");
    line("Connection", b"close");
    if let Some(basic) = basic {
        refuse_masked_password(server)?;
        line("Authorization", format!("Basic {basic}").as_bytes());
    }
    lines.extend_from_slice(&own);
    Ok(lines)
}

/// Returns the lines of `#header`.
pub(super) fn own_lines(server: &Server) -> Result<Vec<u8>, Mistake> {
    let mut lines = Vec::new();
    for header in &server.options().headers {
        if header.is_masked() {
            let header = quoted(header.name());
            let what = format!("the header {header} of {} is masked", quoted(server.label()));
            return Err(Mistake::new(0..0, what, "write its value in place of `***`"));
        }
        // Its parts were checked as they were read: no line of it can begin a second.
        let line = format!("{}: {}\r\n", header.name(), header.secret().expose());
        lines.extend_from_slice(line.as_bytes());
    }
    Ok(lines)
}

/// Returns what no message may repeat: the values of secret headers, their last words (the token of
/// `Bearer TOKEN`), and the secret values of the query.
pub(super) fn secrets(server: &Server) -> Vec<Vec<u8>> {
    let headers = server.options().headers.iter().filter(|header| header.is_secret());
    let values = headers.map(|header| header.secret().expose());
    let words = values.flat_map(|value| [value, value.rsplit(' ').next().unwrap_or("")]);
    let mut secrets: Vec<Vec<u8>> = words.map(|word| String::from(word).into_bytes()).collect();
    secrets.extend(of_query(server));
    secrets.retain(|secret| !secret.is_empty());
    secrets.dedup();
    secrets
}

/// The values of the query that its masked form does not show, as they are sent and decoded.
fn of_query(server: &Server) -> impl Iterator<Item = Vec<u8>> {
    let masked = server.query().unwrap_or("").split('&');
    let written = server.secret_query().map_or("", Secret::expose).split('&');
    let pairs = masked.zip(written).filter(|(masked, written)| masked != written);
    pairs.flat_map(|(_, written)| {
        let value = written.split_once('=').map_or(written, |(_, value)| value);
        [Some(value.as_bytes().to_vec()), percent_decoded(value)].into_iter().flatten()
    })
}

/// A mask that was read back in place of a password is not the password.
fn refuse_masked_password(server: &Server) -> Result<(), Mistake> {
    let is_masked = server.user_password().is_none()
        && server.label().split_once("://").is_some_and(|(_, rest)| {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
            authority.split_once('@').is_some_and(|(user, _)| user.ends_with(":***"))
        });
    if is_masked {
        let what = format!("the password of {} is masked", quoted(server.label()));
        return Err(Mistake::new(0..0, what, "write it in place of `***`"));
    }
    Ok(())
}

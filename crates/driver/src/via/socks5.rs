//! SOCKS5 (RFC 1928), with a user and a password (RFC 1929).
//!
//! A greeting, a login where the proxy wants one, and one request: three short turns, each read to
//! its last byte and no further. What the proxy's reply means is the table of [`redial_core::Via`].
//! Start at [`ask`].

use std::net::IpAddr;

use redial_core::{Kind, ViaLogin};
use tokio::io::AsyncWriteExt;

use super::{Trouble, fill, without_zone};
use crate::wire::Wire;

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const LOGIN: u8 = 2;
const NONE_OF_THESE: u8 = 0xff;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Asks for a connection to the server; returns once its first byte would be the server's.
pub(super) async fn ask(
    wire: &mut Wire,
    host: &str,
    port: u16,
    login: Option<&ViaLogin>,
) -> Result<(), Trouble> {
    greet(wire, login).await?;
    wire.write_all(&request(host, port)?).await?;
    let [version, reply, _, bound] = turn(wire).await?;
    if version != VERSION {
        return Err(not_socks());
    }
    if reply != 0 {
        return Err(refused(reply, host, port));
    }
    // The address it connects from: of no use here, but it stands before the server's bytes.
    let length = match bound {
        IPV4 => 4,
        IPV6 => 16,
        NAME => {
            let mut length = [0];
            fill(wire, &mut length, true).await?;
            usize::from(length[0])
        }
        _ => return Err(not_socks()),
    };
    fill(wire, &mut [0; 255 + 2][..length + 2], true).await
}

/// Agrees on how to log in, and does so.
async fn greet(wire: &mut Wire, login: Option<&ViaLogin>) -> Result<(), Trouble> {
    let offered: &[u8] = match login {
        Some(_) => &[VERSION, 2, NO_LOGIN, LOGIN],
        None => &[VERSION, 1, NO_LOGIN],
    };
    wire.write_all(offered).await?;
    let [version, method] = turn(wire).await?;
    if version != VERSION {
        return Err(not_socks());
    }
    match (method, login) {
        (NO_LOGIN, _) => Ok(()),
        (LOGIN, Some(login)) => {
            let mut words = vec![1];
            for part in [&login.user, &login.password] {
                // The lengths were checked when it was read.
                words.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
                words.extend_from_slice(part);
            }
            wire.write_all(&words).await?;
            // Some proxies write another version here; the status is what counts.
            match turn(wire).await? {
                [_, 0] => Ok(()),
                _ => Err(Trouble::said(Kind::Denied, "the proxy refused the user or password")),
            }
        }
        (NONE_OF_THESE | LOGIN, None) => {
            Err(Trouble::said(Kind::Denied, "the proxy wants a user and password"))
        }
        (NONE_OF_THESE, Some(_)) => {
            Err(Trouble::said(Kind::Denied, "the proxy wants another login than a password"))
        }
        _ => Err(not_socks()),
    }
}

fn request(host: &str, port: u16) -> Result<Vec<u8>, Trouble> {
    let mut request = vec![VERSION, CONNECT, 0];
    match without_zone(host).parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(IPV4);
            request.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(IPV6);
            request.extend(address.octets());
        }
        Err(_) => {
            let length = u8::try_from(host.len()).map_err(|_| {
                Trouble::said(Kind::DnsNotFound, "SOCKS5 takes no name over 255 bytes")
            })?;
            request.extend([NAME, length]);
            request.extend(host.as_bytes());
        }
    }
    request.extend(port.to_be_bytes());
    Ok(request)
}

/// What the proxy met when it dialled.
fn refused(reply: u8, host: &str, port: u16) -> Trouble {
    // What answers there is the proxy: that it is up must not be in doubt.
    let (kind, words) = match reply {
        1 => (Kind::Unavailable, "the proxy is up; it does not say why it cannot connect to"),
        2 => (Kind::Denied, "the proxy is up; its rules forbid"),
        3 | 4 => (Kind::Unreachable, "the proxy is up; it has no way to"),
        5 => (Kind::Refused, "the proxy is up; it was refused by"),
        6 => (Kind::ConnectTimeout, "the proxy is up; it got no answer from"),
        7 | 8 => (Kind::UnexpectedResponse, "the proxy cannot do what connects to"),
        _ => (Kind::UnexpectedResponse, "the proxy gave a reason SOCKS5 does not know for"),
    };
    Trouble::Said(kind, format!("{words} {host} port {port} (reply {reply})"))
}

fn not_socks() -> Trouble {
    Trouble::said(Kind::UnexpectedResponse, "the proxy's answer is not SOCKS5")
}

/// The proxy's next turn begins with so many bytes.
async fn turn<const LENGTH: usize>(wire: &mut Wire) -> Result<[u8; LENGTH], Trouble> {
    let mut bytes = [0; LENGTH];
    fill(wire, &mut bytes, false).await?;
    Ok(bytes)
}

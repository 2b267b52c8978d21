//! Through a proxy: SOCKS5 or HTTP CONNECT, and then as if directly.
//!
//! The server's name is sent to the proxy and looked up there; what the proxy says of it becomes a
//! failure at the stage `connect`. Bytes behind the proxy's answer are the server's and stay
//! unread. TLS to the proxy itself is not spoken. How each protocol asks is in `socks5` and
//! `http`; how a proxy is written, and what its answers mean, is [`Via`]'s. Start at [`Through`].

mod http;
mod socks5;

use std::{io, time::Duration};

use redial_core::{Detail, Kind, Place, Server, Via, ViaProtocol};
use tokio::{io::AsyncReadExt, time::timeout};

use crate::{Error, cause::Cause, errno::Moment, wire::Wire};

/// What the driver does with a proxy.
pub(crate) trait Through {
    /// Whether all these servers can be reached through a proxy at all.
    fn check<'a>(&self, servers: impl IntoIterator<Item = &'a Server>) -> Result<(), Error>;

    /// Asks the proxy, on a connection to it, for a connection to the server, within the limit.
    async fn open(&self, wire: &mut Wire, server: &Place, limit: Duration) -> Result<(), Cause>;

    /// The same of a failure to get to the proxy itself.
    fn not_reached(&self, cause: Cause) -> Cause;

    /// Says of a failure that it was met on the way through this proxy.
    fn named(&self, cause: Cause, words: &str) -> Cause;
}

impl Through for Via {
    fn check<'a>(&self, servers: impl IntoIterator<Item = &'a Server>) -> Result<(), Error> {
        let unix = |server: &&Server| matches!(server.place(), Place::Unix { .. });
        match servers.into_iter().find(unix) {
            None => Ok(()),
            Some(server) => Err(Error::new(
                format!("{} is a Unix socket, and {self} cannot reach those", server.label()),
                "name a host and a port, or leave the proxy (--via) out",
            )),
        }
    }

    async fn open(&self, wire: &mut Wire, server: &Place, limit: Duration) -> Result<(), Cause> {
        let Place::Host { host, port } = server else {
            let words = "a Unix socket cannot be reached through a proxy";
            return Err(self.named(Cause::new(Kind::Denied), words));
        };
        let login = self.login();
        let asked = timeout(limit, async {
            match self.protocol() {
                ViaProtocol::Socks5 => socks5::ask(wire, host, *port, login).await,
                ViaProtocol::Http => http::ask(wire, host, *port, login).await,
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

    fn not_reached(&self, cause: Cause) -> Cause {
        self.named(cause, "the proxy itself was not reached")
    }

    fn named(&self, mut cause: Cause, words: &str) -> Cause {
        let more = cause.detail.map_or_else(String::new, |detail| format!(": {detail}"));
        cause.detail = Some(Detail::from_text(&format!("via {self}: {words}{more}")));
        cause
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

//! Dials one server: its addresses, raced, until one connects or none is left.
//!
//! The race itself is the core's ([`redial_core::race`]); here are only its sockets and its clock.
//! No lookups and no TLS. Start at [`dial`].

use std::{future::poll_fn, pin::Pin, task::Poll, time::Duration};

use redial_core::{
    Address, Kind, Outcome, Tried,
    race::{Input, Output, Race},
};
use tokio::time::{self, Instant};

use crate::{
    outq,
    socket::{self, Connected, Options, Peer, Refusal},
};

/// The connection that won, and what became of every address.
#[derive(Debug)]
pub(crate) struct Dialled {
    pub(crate) connected: Connected,
    pub(crate) peer: Peer,
    pub(crate) addresses: Vec<Tried>,
}

/// Races the addresses, in the order given, each with `limit` to connect. The error is every
/// address and its failure: [`redial_core::Failure::merge`] makes one of them.
pub(crate) async fn dial(
    peers: &[Peer],
    limit: Duration,
    options: Options,
) -> Result<Dialled, Vec<Tried>> {
    let began = Instant::now();
    let addresses = peers.iter().map(Peer::address).collect();
    let mut race = Race::new(Duration::ZERO, limit, addresses);
    let mut dials = Dials::default();
    let mut winner = None;
    loop {
        match race.poll() {
            Output::Dial { index } => {
                dials.begin(index, socket::dial(peers[index].clone(), options));
            }
            Output::Cancel { index } => dials.cancel(index),
            Output::Wake { at } => {
                // The earliest end wins over the clock: an answer that is there is not late.
                let answered = time::timeout_at(began + at, dials.next()).await;
                let input = match answered {
                    Ok((index, Ok(connected))) => {
                        winner = Some(connected);
                        Input::Connected { index }
                    }
                    Ok((index, Err((kind, errno)))) => Input::Failed { index, kind, errno },
                    Err(_) => Input::Tick,
                };
                race.handle(began.elapsed(), input);
            }
            Output::Won { index } => {
                let addresses = race.into_tried();
                return match winner {
                    Some(connected) => {
                        Ok(Dialled { connected, peer: peers[index].clone(), addresses })
                    }
                    // The race never says so of an address that did not connect.
                    None => Err(addresses),
                };
            }
            Output::Lost => {
                let mut tried = race.into_tried();
                name_loopback(&mut tried);
                return Err(tried);
            }
        }
    }
}

/// Names as unreachable the silent addresses of this machine while its loopback interface is down.
pub(crate) fn name_loopback(tried: &mut [Tried]) {
    for one in tried {
        if is_silent(one) && is_own(&one.address) && outq::is_loopback_down() {
            one.outcome = Outcome::Failed { kind: Kind::Unreachable, errno: None };
        }
    }
}

const fn is_silent(tried: &Tried) -> bool {
    matches!(tried.outcome, Outcome::Failed { kind: Kind::ConnectTimeout, .. })
}

/// Returns true for an address of this machine: packets to it go through loopback.
pub(crate) fn is_own(address: &Address) -> bool {
    match address {
        Address::Ip(address) => address.ip().is_loopback() || socket::is_local(address.ip()),
        _ => false,
    }
}

type Dial = Pin<Box<dyn Future<Output = Result<Connected, Refusal>> + Send>>;

/// The dials under way: at most 64, so that each wake may simply ask all of them.
#[derive(Default)]
struct Dials(Vec<(usize, Dial)>);

impl Dials {
    fn begin(
        &mut self,
        index: usize,
        dial: impl Future<Output = Result<Connected, Refusal>> + Send + 'static,
    ) {
        self.0.push((index, Box::pin(dial)));
    }

    fn cancel(&mut self, index: usize) {
        self.0.retain(|(other, _)| *other != index);
    }

    /// The next dial to end, whichever it is. Pending for as long as there is none.
    async fn next(&mut self) -> (usize, Result<Connected, Refusal>) {
        poll_fn(|cx| {
            for at in 0..self.0.len() {
                let (index, dial) = &mut self.0[at];
                if let Poll::Ready(result) = dial.as_mut().poll(cx) {
                    let index = *index;
                    drop(self.0.remove(at));
                    return Poll::Ready((index, result));
                }
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use redial_core::Failure;
    use socket2::{Domain, Type};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    fn bound() -> (socket2::Socket, SocketAddr) {
        let socket = socket2::Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        (socket, address)
    }

    /// A listener whose backlog is full: connections to it hang.
    async fn black_hole() -> (socket2::Socket, Vec<TcpStream>, SocketAddr) {
        let (socket, address) = bound();
        socket.listen(0).unwrap();
        let held = TcpStream::connect(address).await.unwrap();
        (socket, vec![held], address)
    }

    async fn race(addresses: &[SocketAddr]) -> Result<Dialled, Vec<Tried>> {
        let peers: Vec<_> = addresses.iter().copied().map(Peer::Ip).collect();
        dial(&peers, LIMIT, Options::default()).await
    }

    fn outcomes(tried: &[Tried]) -> Vec<&'static str> {
        let name = |tried: &Tried| match tried.outcome {
            Outcome::Failed { kind, .. } => kind.name(),
            Outcome::Connected => "connected",
            Outcome::Abandoned => "abandoned",
            Outcome::NotTried => "not-tried",
            _ => "?",
        };
        tried.iter().map(name).collect()
    }

    #[tokio::test]
    async fn a_refusal_is_followed_at_once_by_the_next_address() {
        let (_bound, nobody) = bound();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let dialled = race(&[nobody, good, nobody]).await.unwrap();
        assert_eq!(outcomes(&dialled.addresses), ["refused", "connected", "not-tried"]);
        assert_eq!(dialled.peer, Peer::Ip(good));
    }

    #[tokio::test]
    async fn all_refuse() {
        let (_bound, nobody) = bound();
        let tried = race(&[nobody, nobody]).await.unwrap_err();
        assert_eq!(outcomes(&tried), ["refused", "refused"]);
        assert_eq!(Failure::merge("x".into(), tried).kind, Kind::Refused);
    }

    #[cfg(target_os = "linux")] // what a full backlog does differs elsewhere
    #[tokio::test]
    async fn an_address_that_does_not_answer_is_overtaken() {
        let (_socket, _held, hole) = black_hole().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dialled = race(&[hole, listener.local_addr().unwrap()]).await.unwrap();
        assert_eq!(outcomes(&dialled.addresses), ["abandoned", "connected"]);
        assert!(dialled.addresses[0].elapsed >= redial_core::race::ATTEMPT_DELAY);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn no_answer_in_time_is_a_connect_timeout() {
        let (_socket, _held, hole) = black_hole().await;
        time::pause();
        let tried = race(&[hole]).await.unwrap_err();
        assert_eq!(outcomes(&tried), ["connect-timeout"]);
        assert!(tried[0].elapsed >= LIMIT);
    }
}

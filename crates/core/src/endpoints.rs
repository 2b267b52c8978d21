//! A session's memory of addresses that accepted a connection and then failed.
//!
//! Such an address goes last in its server's next race, so that a bad one cannot hide a good one
//! behind an open port. Addresses that failed to *connect* are not kept: the race finds that out
//! by itself. It does not eject anything and knows no time. Start at [`Endpoints`].

use alloc::collections::VecDeque;
use core::net::SocketAddr;

use crate::{Address, Failure, Stage};

/// How many endpoints are remembered; then the one demoted longest ago is forgotten.
const REMEMBERED: usize = 64;

/// The endpoints of one session that failed after connecting, the longest ago first.
///
/// ```
/// # use redial_core::Endpoints;
/// let (bad, good) = ("10.0.0.5:5432".parse().unwrap(), "10.0.0.6:5432".parse().unwrap());
/// let mut endpoints = Endpoints::default();
/// endpoints.demote(0, bad);
/// let mut addresses = [bad, good];
/// endpoints.order(0, &mut addresses);
/// assert_eq!(addresses, [good, bad]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    demoted: VecDeque<(usize, SocketAddr)>,
}

impl Endpoints {
    /// Puts this server's demoted addresses last, the one demoted longest ago first of them; the
    /// others keep their order.
    pub fn order(&self, server: usize, addresses: &mut [SocketAddr]) {
        if !self.demoted.is_empty() {
            addresses.sort_by_key(|address| self.position(server, *address).map_or(0, |at| at + 1));
        }
    }

    /// This address connected and then failed.
    pub fn demote(&mut self, server: usize, address: SocketAddr) {
        self.forgive(server, address);
        if self.demoted.len() == REMEMBERED {
            self.demoted.pop_front();
        }
        self.demoted.push_back((server, address));
    }

    /// This address connected, and was what it should be.
    pub fn forgive(&mut self, server: usize, address: SocketAddr) {
        if let Some(at) = self.position(server, address) {
            self.demoted.remove(at);
        }
    }

    /// Demotes the address that a failure blames, if it came after connecting.
    pub fn learn(&mut self, server: usize, failure: &Failure) {
        let after_connecting = match failure.stage {
            Stage::Resolve | Stage::Connect => false,
            Stage::Tls | Stage::Expect | Stage::Stream => true,
        };
        if let (true, Some(Address::Ip(address))) = (after_connecting, &failure.address) {
            self.demote(server, *address);
        }
    }

    fn position(&self, server: usize, address: SocketAddr) -> Option<usize> {
        self.demoted.iter().position(|known| *known == (server, address))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::Kind;

    fn address(host: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, host], 5432))
    }

    #[test]
    fn the_demoted_go_last_the_oldest_first() {
        let mut endpoints = Endpoints::default();
        endpoints.demote(0, address(2));
        endpoints.demote(0, address(1));
        let mut addresses: Vec<_> = (1..=4).map(address).collect();
        endpoints.order(0, &mut addresses);
        assert_eq!(addresses, [3, 4, 2, 1].map(address));
    }

    #[test]
    fn another_server_with_the_same_address_is_another_endpoint() {
        let mut endpoints = Endpoints::default();
        endpoints.demote(1, address(1));
        let mut addresses = [address(1), address(2)];
        endpoints.order(0, &mut addresses);
        assert_eq!(addresses, [1, 2].map(address));
    }

    #[test]
    fn the_forgiven_have_their_old_place() {
        let mut endpoints = Endpoints::default();
        endpoints.demote(0, address(1));
        endpoints.forgive(0, address(1));
        let mut addresses = [address(1), address(2)];
        endpoints.order(0, &mut addresses);
        assert_eq!(addresses, [1, 2].map(address));
    }

    #[test]
    fn memory_is_bounded_and_forgets_the_oldest() {
        let mut endpoints = Endpoints::default();
        for host in 0..100 {
            endpoints.demote(0, address(host));
        }
        assert_eq!(endpoints.demoted.len(), REMEMBERED);
        assert_eq!(endpoints.position(0, address(99)), Some(REMEMBERED - 1));
        assert_eq!(endpoints.position(0, address(0)), None);
    }

    #[test]
    fn only_failures_after_connecting_are_learnt() {
        let mut endpoints = Endpoints::default();
        let mut failure = Failure::new(Kind::Refused, Stage::Connect, "db".into());
        failure.address = Some(Address::Ip(address(1)));
        endpoints.learn(0, &failure);
        assert!(endpoints.demoted.is_empty());
        failure.stage = Stage::Expect;
        endpoints.learn(0, &failure);
        assert_eq!(endpoints.demoted.len(), 1);
    }
}

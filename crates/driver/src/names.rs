//! What a name was found to be, for as long as it is not asked for again.
//!
//! An attempt every few milliseconds must not mean a question to a resolver each time. It keeps the
//! last answer of each name; it does not ask, that is `lookup`. Start at [`Names`].

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::{IpVersions, cause::Cause, lookup::lookup};

/// How often names are asked for.
///
/// # Default
/// At every attempt.
#[derive(Clone, Debug, Default)]
pub struct Names {
    every: Duration,
    known: Arc<Mutex<Vec<Known>>>,
}

/// The last answer for one name. Few names stand in a policy, so a list finds them.
#[derive(Debug)]
struct Known {
    host: Box<str>,
    asked: Instant,
    /// What was found; `None` where nothing was.
    found: Option<Vec<SocketAddr>>,
}

impl Names {
    /// At most once in this time. Within it, an answer holds, and where there was none the next
    /// question waits.
    #[must_use]
    pub fn at_most_every(time: Duration) -> Self {
        Self { every: time, known: Arc::default() }
    }

    /// The addresses of a host, best first.
    pub(crate) async fn lookup(
        &self,
        host: &str,
        port: u16,
        family: IpVersions,
    ) -> Result<Vec<SocketAddr>, Cause> {
        if self.every.is_zero() {
            return lookup(host, port, family).await;
        }
        match self.last(host) {
            Some((asked, found)) if asked.elapsed() < self.every => match found {
                Some(addresses) => return Ok(with_port(addresses, port)),
                None => sleep_until(asked + self.every).await,
            },
            _ => {}
        }
        let asked = Instant::now();
        let found = lookup(host, port, family).await;
        self.learn(Known { host: host.into(), asked, found: found.as_ref().ok().cloned() });
        found
    }

    fn last(&self, host: &str) -> Option<(Instant, Option<Vec<SocketAddr>>)> {
        let known = self.known();
        let last = known.iter().find(|known| &*known.host == host)?;
        Some((last.asked, last.found.clone()))
    }

    fn learn(&self, news: Known) {
        let mut known = self.known();
        known.retain(|known| known.host != news.host);
        known.push(news);
    }

    // A holder that panicked left a list that is still a list.
    fn known(&self) -> MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn with_port(mut addresses: Vec<SocketAddr>, port: u16) -> Vec<SocketAddr> {
    addresses.iter_mut().for_each(|address| address.set_port(port));
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_found_holds_and_what_was_not_waits() {
        let names = Names::at_most_every(Duration::from_secs(1));
        let ask = async |host: &str| names.lookup(host, 80, IpVersions::Ipv4).await;
        let began = Instant::now();
        assert_eq!(ask("localhost").await.unwrap(), ["127.0.0.1:80".parse().unwrap()]);
        names.known()[0].found = Some(vec!["127.0.0.9:1".parse().unwrap()]);
        assert_eq!(ask("localhost").await.unwrap(), ["127.0.0.9:80".parse().unwrap()]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(ask("localhost").await.unwrap(), ["127.0.0.1:80".parse().unwrap()]);

        ask("a\0b").await.unwrap_err();
        assert_eq!(began.elapsed(), Duration::from_secs(1));
        ask("a\0b").await.unwrap_err();
        assert!(began.elapsed() >= Duration::from_secs(2), "the second question waited");
    }
}

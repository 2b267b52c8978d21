//! How long each part of an attempt, and a live connection, may take.
//!
//! Numbers only: nothing here measures time or ends anything. The race keeps `connect`, the driver
//! keeps the others. Start at [`Limits`].

use core::time::Duration;

/// The time limits of a policy, one per thing that can take too long.
///
/// # Default
/// `connect` 5 s, `tls` 5 s, `reply` 5 s, `idle` none, `max_time` none, `dead` 60 s,
/// `settle` 150 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From dialling an address to its answer, for each address by itself. 5 s.
    pub connect: Duration,
    /// The TLS handshake. 5 s.
    pub tls: Duration,
    /// From the connection (after TLS) to an answer that is judged. Runs only while an opening is
    /// being sent or an answer is expected. 5 s.
    pub reply: Duration,
    /// How long a live connection may carry nothing in either direction. None.
    pub idle: Option<Duration>,
    /// How long one live connection may last: the only limit that ends one that is well. None.
    pub max_time: Option<Duration>,
    /// How long bytes may stay unacknowledged before the connection counts as dead
    /// (TCP_USER_TIMEOUT, tcp(7)). 60 s; `None` leaves it to the operating system.
    ///
    /// On Linux this also ends, as `stalled`, a connection whose peer is alive and has read nothing
    /// for so long while more was waiting to be sent.
    pub dead: Option<Duration>,
    /// How long a connection must stay open before `wait` believes it, where no answer is expected.
    /// 150 ms; zero believes at once.
    pub settle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            tls: Duration::from_secs(5),
            reply: Duration::from_secs(5),
            idle: None,
            max_time: None,
            dead: Some(Duration::from_secs(60)),
            settle: Duration::from_millis(150),
        }
    }
}

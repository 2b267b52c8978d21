//! An event and its id: of whom, what, and of which attempt, in 64 bits.
//!
//! Ids order events of the same time: servers before clients, clients by number, then as
//! [`What`] lists them. Whether an event still means anything is for the world to say. Start at
//! [`key`].

/// The bits of a serial number that an event carries.
pub(crate) const SERIAL: u32 = (1 << 24) - 1;

/// What comes, in the order it is taken at equal times of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum What {
    /// A server goes down or comes back.
    Turn,
    /// A server is done with a connection.
    Done,
    /// A client begins.
    Begin,
    /// A client's SYN reaches its server.
    Syn,
    /// What a server said reaches the client: refused.
    Refused,
    /// … the connection stands.
    Accepted,
    /// … the server's word: the attempt stands.
    Served,
    /// … it was closed.
    Closed,
    /// … it was reset.
    Cut,
    /// A SYN is sent again.
    Again,
    /// The last segment of a handshake reaches the server again.
    Ack,
    /// Nobody answered the SYN in time.
    Timeout,
    /// The server's word did not come in time.
    Impatience,
    /// The client asked to be told the time.
    Wake,
}

impl What {
    pub(crate) const ALL: [Self; 14] = [
        Self::Turn,
        Self::Done,
        Self::Begin,
        Self::Syn,
        Self::Refused,
        Self::Accepted,
        Self::Served,
        Self::Closed,
        Self::Cut,
        Self::Again,
        Self::Ack,
        Self::Timeout,
        Self::Impatience,
        Self::Wake,
    ];

    /// Whether the client's session hears of it, mostly.
    pub(crate) const fn is_told(self) -> bool {
        match self {
            Self::Begin
            | Self::Refused
            | Self::Accepted
            | Self::Served
            | Self::Closed
            | Self::Cut
            | Self::Timeout
            | Self::Impatience
            | Self::Wake => true,
            Self::Turn | Self::Done | Self::Syn | Self::Again | Self::Ack => false,
        }
    }
}

/// An event's id: of whom, what, and of which attempt.
pub(crate) fn key(entity: u32, what: What, serial: u32) -> u64 {
    u64::from(entity) << 32 | u64::from(what as u8) << 24 | u64::from(serial & SERIAL)
}

#[allow(clippy::cast_possible_truncation)] // each part is masked
pub(crate) fn read(key: u64) -> (u32, What, u32) {
    let what = What::ALL[(key >> 24) as usize & 0xff];
    ((key >> 32) as u32, what, key as u32 & SERIAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_whose_what_and_which() {
        for (place, what) in What::ALL.into_iter().enumerate() {
            assert_eq!(what as usize, place);
            assert_eq!(read(key(4_000_000_000, what, 77)), (4_000_000_000, what, 77));
        }
    }
}

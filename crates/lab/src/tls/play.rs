//! Handshakes on a connection, those that end well and those that do not.
//!
//! Start at [`Connection::shake_hands`] and [`Connection::fail_to_shake_hands`].

use std::io;

use super::Certificate;
use super::handshake::{ALERT, Handshake, OLD};
use crate::connection::Connection;
use crate::seen::Ended;

impl Connection {
    /// Shows the certificate; the connection that comes back speaks inside TLS.
    pub(crate) async fn shake_hands(self, certificate: &Certificate) -> io::Result<Self> {
        let identities = self.identities()?;
        self.over(|stream| async move { identities.shake_hands(certificate, stream).await }).await
    }

    /// Begins a handshake that never ends well.
    pub(crate) async fn fail_to_shake_hands(&mut self, how: Handshake) -> io::Result<Ended> {
        match how {
            Handshake::Stall => self.fall_silent().await,
            Handshake::StallAfterHello => self.stall_after_hello().await,
            Handshake::Alert => self.answer(ALERT).await,
            Handshake::Old => self.answer(OLD).await,
        }
    }

    async fn stall_after_hello(&mut self) -> io::Result<Ended> {
        let mut hello = self.identities()?.hello()?;
        loop {
            let mut said = Ok(None);
            if self.read_and(|bytes| said = hello.hear(bytes)).await? == 0 {
                return self.finish(Ended::ClosedByPeer).await;
            }
            if let Some(hello) = said? {
                self.say(&hello).await?;
                return self.fall_silent().await;
            }
        }
    }
}

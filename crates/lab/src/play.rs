//! What each behaviour does: one `match` from the behaviour to its acts.
//!
//! It neither reads nor writes; the acts are in `connection`. Start at [`Connection::behave`].

use std::io;
use std::sync::Arc;

use tokio::time::sleep;

use crate::behaviour::{After, Behaviour};
use crate::connection::Connection;
use crate::seen::Ended;

impl Connection {
    /// Does what the behaviour says, to the end of the connection, and notes how it ended.
    pub(crate) async fn behave(self, behaviour: Behaviour) {
        let (ledger, number) = (Arc::clone(&self.ledger), self.number);
        // `play` drops the socket before the note is made: who waits for the note finds it done.
        let ended = self.play(behaviour).await.unwrap_or_else(|error| match error.kind() {
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected => Ended::ResetByPeer,
            // Only TLS says this: an end of the line without an end of the conversation.
            io::ErrorKind::UnexpectedEof => Ended::ClosedByPeer,
            _ => Ended::Failed(error.to_string()),
        });
        ledger.ended(number, ended);
    }

    async fn play(mut self, behaviour: Behaviour) -> io::Result<Ended> {
        match behaviour {
            Behaviour::Close => self.finish(Ended::ClosedByUs).await,
            Behaviour::Reset => self.reset(),
            Behaviour::ReadThenClose => match self.read().await? {
                0 => self.finish(Ended::ClosedByPeer).await,
                _ => self.finish(Ended::ClosedByUs).await,
            },
            Behaviour::ReadThenReset => match self.read().await? {
                0 => self.finish(Ended::ClosedByPeer).await,
                _ => self.reset(),
            },
            Behaviour::CloseAfter(after) => match self.reach(after).await? {
                Reached::ClientsEnd => self.finish(Ended::ClosedByPeer).await,
                Reached::In | Reached::Out => self.finish(Ended::ClosedByUs).await,
            },
            Behaviour::ResetAfter(after) => match self.reach(after).await? {
                Reached::ClientsEnd => self.finish(Ended::ClosedByPeer).await,
                Reached::In => self.reset(),
                Reached::Out => self.reset_after_all().await,
            },
            Behaviour::Stall => self.fall_silent().await,
            Behaviour::StallAfter(after) => match self.reach(after).await? {
                Reached::ClientsEnd => self.finish(Ended::ClosedByPeer).await,
                Reached::In => self.stop_reading().await,
                Reached::Out => self.fall_silent().await,
            },
            Behaviour::NeverRead => self.never_read().await,
            Behaviour::Say(text) => {
                self.hold();
                self.say(&text).await?;
                self.finish(Ended::ClosedByUs).await
            }
            Behaviour::Answer(text) => self.answer(&text).await,
            Behaviour::Cut(text) => {
                self.say(&text).await?;
                self.cut().await
            }
            Behaviour::Banner(text) => {
                self.say(&text).await?;
                self.read_to_the_end().await?;
                self.finish(Ended::ClosedByPeer).await
            }
            Behaviour::HalfClose(text) => {
                self.say(&text).await?;
                self.say_the_end().await?;
                self.read_to_the_end().await?;
                Ok(Ended::ClosedByUs)
            }
            Behaviour::Truncated(text) => {
                self.say(&text[..text.len() / 2]).await?;
                self.finish(Ended::ClosedByUs).await
            }
            Behaviour::Oversized { text, bytes } => {
                self.say_over(&text, bytes).await?;
                self.finish(Ended::ClosedByUs).await
            }
            Behaviour::Drip { text, bytes, every } => {
                for piece in text.chunks(bytes.get()) {
                    sleep(every).await;
                    self.say(piece).await?;
                }
                self.finish(Ended::ClosedByUs).await
            }
            Behaviour::Slice { text, bytes } => {
                for piece in text.chunks(bytes.get()) {
                    self.say_apart(piece).await?;
                }
                self.finish(Ended::ClosedByUs).await
            }
            Behaviour::Garbage { bytes, seed } => {
                self.say_junk(seed, bytes).await?;
                self.finish(Ended::ClosedByUs).await
            }
            Behaviour::Flood => {
                self.say_junk(0, u64::MAX).await?; // 16 EiB: nobody has seen the end
                self.finish(Ended::ClosedByUs).await
            }
            Behaviour::Echo => self.echo().await,
            Behaviour::Sink => {
                self.read_to_the_end().await?;
                self.finish(Ended::ClosedByPeer).await
            }
            Behaviour::Delay { time, then } => {
                sleep(time).await;
                Box::pin(self.play(*then)).await
            }
            Behaviour::Converse(transcript) => self.converse(transcript).await,
            #[cfg(feature = "tls")]
            Behaviour::Tls { certificate, then } => {
                let connection = self.shake_hands(&certificate).await?;
                Box::pin(connection.play(*then)).await
            }
            #[cfg(feature = "tls")]
            Behaviour::Handshake(handshake) => self.fail_to_shake_hands(handshake).await,
        }
    }

    /// Reads or says so many bytes.
    async fn reach(&mut self, after: After) -> io::Result<Reached> {
        match after {
            After::In(bytes) => match self.read_exactly(bytes).await? {
                false => Ok(Reached::ClientsEnd),
                true => Ok(Reached::In),
            },
            After::Out { bytes, text } => {
                self.say_over(&text, bytes).await?;
                Ok(Reached::Out)
            }
        }
    }
}

/// What came first.
enum Reached {
    /// The client ended before so many bytes of its own.
    ClientsEnd,
    /// So many bytes of the client's.
    In,
    /// So many bytes of ours.
    Out,
}

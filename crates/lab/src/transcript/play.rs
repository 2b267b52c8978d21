//! A transcript on a connection: the conversation, with its bytes.
//!
//! What is said is decided in `conversation`. Start at [`Connection::converse`].

use std::io;
use std::sync::Arc;

use super::{Conversation, Transcript, Turn};
use crate::connection::Connection;
use crate::seen::Ended;

impl Connection {
    /// Talks until one of the two ends.
    pub(crate) async fn converse(&mut self, transcript: Arc<Transcript>) -> io::Result<Ended> {
        let mut conversation = Conversation::new(transcript);
        let mut next = conversation.greeting();
        loop {
            while let Some(Turn { say, close }) = next {
                self.say(&say).await?;
                if close {
                    return self.finish(Ended::ClosedByUs).await;
                }
                next = conversation.turn();
            }
            if self.read_and(|bytes| conversation.hear(bytes)).await? == 0 {
                return self.finish(Ended::ClosedByPeer).await;
            }
            next = conversation.turn();
        }
    }
}

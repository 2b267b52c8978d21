//! A handshake: a SYN, what the server's kernel makes of it, and what its client then believes.
//!
//! A client is told that its connection stands before the server's kernel has a place for it, and
//! is not told where there is none. What becomes of connections that stand is `world`'s. Start at
//! [`World::syn`].

use super::{Line, Stage, World};
use crate::{client::Client, event::What, network::ack_again, server::Knock, time::NEVER};

impl<C: Client> World<C> {
    /// A SYN reaches its server.
    pub(super) fn syn(&mut self, client: u32) {
        let now = self.now;
        let Line { since, serial, server, .. } = self.seats[client as usize].line;
        let serving = &mut self.setting.servers[usize::from(server)];
        let up = serving.up;
        let knock = serving.knock(now, &self.setting.network, client, serial);
        self.tally.arrives(now, up);
        match knock {
            Knock::Refused => {
                self.tally.overflowed += u64::from(up);
                let at = now + self.way();
                self.push(at, client, What::Refused, serial);
            }
            Knock::Ignored => {
                self.tally.overflowed += u64::from(up);
                let limit = since.saturating_add(self.setting.patience.connect);
                let again = self.setting.network.syn_again(since, now);
                match again.filter(|again| *again < limit) {
                    Some(again) => self.push(again, client, What::Again, serial),
                    None => self.push(limit.max(now), client, What::Timeout, serial),
                }
            }
            Knock::Closed => {
                self.seats[client as usize].line.stage = Stage::Waiting;
                let mut at = now + self.way();
                if self.setting.patience.word.is_none() {
                    self.push(at, client, What::Accepted, serial);
                    at += self.way();
                }
                self.push(at, client, What::Closed, serial);
            }
            Knock::Taken { begins } => {
                self.answered(client);
                if begins {
                    self.begin(u32::from(server));
                }
            }
            Knock::Lost { remembered } => {
                self.tally.overflowed += 1;
                self.answered(client);
                self.seats[client as usize].line.half_open = remembered;
                self.ack_later(client);
            }
        }
    }

    /// The server's kernel answers a SYN: to the client, the connection stands.
    fn answered(&mut self, client: u32) {
        let at = self.now + self.way();
        let line = &mut self.seats[client as usize].line;
        let serial = line.serial;
        line.stage = Stage::Waiting;
        match self.setting.patience.word {
            Some(word) => {
                line.until = at.saturating_add(word);
                let until = line.until;
                self.push(until, client, What::Impatience, serial);
            }
            None => {
                line.until = NEVER;
                self.push(at, client, What::Accepted, serial);
            }
        }
    }

    /// The last segment of a handshake comes again, to a server that dropped it before.
    pub(super) fn ack(&mut self, client: u32) {
        let Line { serial, server, half_open, .. } = self.seats[client as usize].line;
        let serving = &mut self.setting.servers[usize::from(server)];
        let Some(begins) = serving.queue(self.now, client, serial) else {
            self.tally.overflowed += 1;
            return self.ack_later(client);
        };
        if half_open {
            serving.forget();
            self.seats[client as usize].line.half_open = false;
        }
        if begins {
            self.begin(u32::from(server));
        }
    }

    fn ack_later(&mut self, client: u32) {
        let Line { since, serial, half_open, .. } = self.seats[client as usize].line;
        if let Some(at) = ack_again(half_open, since, self.now) {
            self.push(at, client, What::Ack, serial);
        }
    }
}

//! A server: what it takes, what each connection costs it, and what it does when it cannot.
//!
//! One connection after another is taken off the listen backlog. It costs the longer of two
//! things: the pace of the accept loop (`accepts`), and the handshake on the cores that the clients
//! already connected leave free. While work that returning clients brought along is not done, the
//! two share the server evenly. Whether a client is still there is not known until its turn comes:
//! that is how work is wasted. It decides nothing about clients. Start at [`Server`].

use std::{collections::VecDeque, time::Duration};

use redial_core::Rate;

use crate::{Network, time::nanos};

/// A thousandth, as speeds are counted.
const WHOLE: u64 = 1_000;

/// What a server can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    /// How many connections its accept loop takes off the backlog, at most. 2000/s.
    pub accepts: Rate,
    /// How many connections wait to be taken off (`listen(2)`). 4096, Linux' `somaxconn`.
    pub backlog: u32,
    /// What becomes of one that finds the backlog full. It is ignored, as Linux does.
    pub full: Full,
    /// What a handshake costs, in time of one core. Nothing: clients do not wait for the server's
    /// word unless their policy expects one.
    pub handshake: Duration,
    /// How many cores share the work. 1.
    pub cores: u32,
    /// The work each client brings along when it returns (subscribing, fetching), in time of one
    /// core. Nothing.
    pub returning: Duration,
    /// The work each connected client causes per second, in time of one core. Nothing.
    pub load: Duration,
    /// How many connections it holds; those beyond are accepted and closed. No limit.
    pub connections: Option<u64>,
    /// What it does while it is down. It refuses.
    pub down: Down,
}

/// What becomes of a connection that finds the backlog full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Full {
    /// Its SYN is ignored, and the client's kernel sends another. SYNs that came within a round
    /// trip of the last place were let pass, and it is the client's answer that is dropped: the
    /// client believes that it is connected. Linux.
    #[default]
    Ignore,
    /// It is refused: Linux with `tcp_abort_on_overflow`, others.
    Refuse,
}

/// What a server does while it is down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Down {
    /// Its machine says that nothing listens.
    #[default]
    Refuse,
    /// Nothing answers.
    Ignore,
    /// A proxy in front of it accepts, and closes.
    Close,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            accepts: Rate { count: 2_000, per: Duration::from_secs(1) },
            backlog: 4_096,
            full: Full::Ignore,
            handshake: Duration::ZERO,
            cores: 1,
            returning: Duration::ZERO,
            load: Duration::ZERO,
            connections: None,
            down: Down::Refuse,
        }
    }
}

impl Server {
    /// The connections it takes in a second, for long, when so many clients are connected to it:
    /// the work that each brings along is counted in.
    #[must_use]
    pub fn takes(&self, connected: u64) -> u64 {
        let cost = self.cost(connected);
        let brought = nanos(self.returning).saturating_mul(WHOLE) / self.speed(connected);
        1_000_000_000 / cost.saturating_add(brought.min(cost)).max(1)
    }

    /// What one connection costs, in nanoseconds, when so many clients are connected.
    fn cost(&self, connected: u64) -> u64 {
        let handshake = nanos(self.handshake).saturating_mul(WHOLE) / self.speed(connected);
        nanos(self.accepts.interval()).max(handshake).max(1)
    }

    /// How fast the cores are for newcomers, in thousandths of a core; never below a hundredth of
    /// them: no scheduler starves anyone for ever.
    fn speed(&self, connected: u64) -> u64 {
        let all = u64::from(self.cores.max(1)) * WHOLE;
        let load = connected.saturating_mul(nanos(self.load)) / (1_000_000_000 / WHOLE);
        all.saturating_sub(load).max(all / 100)
    }
}

/// What became of a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knock {
    /// It waits in the backlog; `begins` if the server had nothing else to do.
    Taken {
        begins: bool,
    },
    Refused,
    Ignored,
    /// The client is told that it is heard, and what it answers finds the backlog full: it believes
    /// that the connection stands.
    Lost {
        /// Whether the server remembers that it was asked, and says once more that it heard.
        remembered: bool,
    },
    Closed,
}

/// A connection in the backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) client: u32,
    pub(crate) serial: u32,
    /// How long the server was busy with it, in nanoseconds.
    pub(crate) cost: u64,
}

/// A server at work.
pub(crate) struct Serving {
    pub(crate) is: Server,
    pub(crate) up: bool,
    up_since: u64,
    recovery: u64,
    /// Client, attempt, and when its SYN came.
    waiting: VecDeque<(u32, u32, u64)>,
    /// Handshakes whose last segment was dropped, and that are remembered.
    half_open: u32,
    /// What it works on. What is done for a life before a restart is told by `life`.
    current: Option<Job>,
    pub(crate) life: u32,
    /// Connections it holds.
    pub(crate) connected: u64,
    /// Work brought along by those who returned, in nanoseconds of one core.
    debt: u64,
    idle_since: u64,
}

impl Serving {
    pub(crate) fn new(is: Server, recovery: Duration) -> Self {
        Self {
            is,
            up: true,
            up_since: 0,
            recovery: nanos(recovery),
            waiting: VecDeque::new(),
            half_open: 0,
            current: None,
            life: 0,
            connected: 0,
            debt: 0,
            idle_since: 0,
        }
    }

    /// It goes down or comes back; what was in the backlog is gone.
    pub(crate) fn turn(&mut self, now: u64, up: bool) {
        self.up = up;
        self.life += 1;
        self.waiting.clear();
        self.half_open = 0;
        self.current = None;
        self.connected = 0;
        self.debt = 0;
        self.idle_since = now;
        self.up_since = now;
    }

    /// A SYN arrives. A round trip later, the client's answer would: only then a connection takes
    /// its place in the backlog, and until then more SYNs are let pass than there are places for.
    pub(crate) fn knock(&mut self, now: u64, way: &Network, client: u32, serial: u32) -> Knock {
        if !self.up {
            return match self.is.down {
                Down::Refuse => Knock::Refused,
                Down::Ignore => Knock::Ignored,
                Down::Close => Knock::Closed,
            };
        }
        if let Some(begins) = self.queue(now, client, serial) {
            return Knock::Taken { begins };
        }
        let round_trip = way.round_trip();
        let on_the_way = |(_, _, since): &&(u32, u32, u64)| now - since < round_trip;
        match self.is.full {
            Full::Refuse => Knock::Refused,
            Full::Ignore if self.waiting.iter().rev().take_while(on_the_way).count() == 0 => {
                Knock::Ignored
            }
            // Linux remembers as many as may wait; beyond, it answers with a cookie
            // (tcp_syncookies) and forgets.
            Full::Ignore => {
                let remembered = self.half_open < self.is.backlog.max(1);
                self.half_open += u32::from(remembered);
                Knock::Lost { remembered }
            }
        }
    }

    /// A handshake is complete: it waits in the backlog if there is a place. Whether the server had
    /// nothing else to do.
    pub(crate) fn queue(&mut self, now: u64, client: u32, serial: u32) -> Option<bool> {
        if self.waiting.len() >= self.is.backlog.max(1) as usize {
            return None;
        }
        self.waiting.push_back((client, serial, now));
        Some(self.current.is_none())
    }

    /// A handshake that was remembered is complete, or given up.
    pub(crate) fn forget(&mut self) {
        self.half_open = self.half_open.saturating_sub(1);
    }

    /// Begins with the next in the backlog. Returns when it will be done.
    pub(crate) fn begin(&mut self, now: u64) -> Option<u64> {
        let (client, serial, _) = self.waiting.pop_front()?;
        let speed = self.is.speed(self.connected);
        let idle = now.saturating_sub(self.idle_since);
        self.debt = self.debt.saturating_sub(idle.saturating_mul(speed) / WHOLE);
        let full = self.is.connections.is_some_and(|most| self.connected >= most);
        let alone = match full {
            true => nanos(self.is.accepts.interval()).max(1),
            false => self.is.cost(self.connected),
        };
        // While there is a debt, as much time again goes to it.
        let shared = alone.min(self.debt.saturating_mul(WHOLE) / speed);
        self.debt = self.debt.saturating_sub((shared * speed).div_ceil(WHOLE));
        let cost = (alone + shared).saturating_mul(WHOLE) / self.fitness(now);
        self.current = Some(Job { client, serial, cost });
        Some(now.saturating_add(cost))
    }

    /// It is done with the one it began with.
    pub(crate) fn done(&mut self, now: u64) -> Option<Job> {
        self.idle_since = now;
        self.current.take()
    }

    /// Whether it has nothing to do.
    pub(crate) fn is_idle(&self) -> bool {
        self.current.is_none() && self.waiting.is_empty()
    }

    /// Whether one more connection is one too many.
    pub(crate) fn is_full(&self) -> bool {
        self.is.connections.is_some_and(|most| self.connected >= most)
    }

    /// A client is connected and begins its work.
    pub(crate) fn hold(&mut self) {
        self.connected += 1;
        self.debt = self.debt.saturating_add(nanos(self.is.returning));
    }

    /// A connection is gone.
    pub(crate) fn release(&mut self) {
        self.connected = self.connected.saturating_sub(1);
    }

    /// How far it has recovered, in thousandths: a tenth at its return, then evenly to the whole.
    fn fitness(&self, now: u64) -> u64 {
        let age = now.saturating_sub(self.up_since);
        if self.life == 0 || age >= self.recovery {
            return WHOLE;
        }
        let tenth = WHOLE / 10;
        let grown = u128::from(WHOLE - tenth) * u128::from(age) / u128::from(self.recovery.max(1));
        tenth + u64::try_from(grown).unwrap_or(0)
    }
}

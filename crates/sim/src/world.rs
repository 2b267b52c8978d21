//! The loop: clients, servers and the way between them, one event after another.
//!
//! Discrete events in a [`Calendar`], in the order of (time, id), on one thread and in integers,
//! so a seed gives the same result on any machine. Most clients have one event that is to come;
//! events of an attempt that is over are recognised by its serial number. It decides nothing: when
//! and whether to try is the client's, what a server does is the server's. Start at [`World::run`].

mod handshake;

use std::ops::ControlFlow;

use fastrand::Rng;

use crate::{
    Calendar, Progress, Start,
    client::{Cause, Client, Happens, Wish, mixed},
    event::{SERIAL, What, key, read},
    network::Network,
    outage::Turn,
    prefetch::prefetch,
    server::Serving,
    tally::Tally,
    time::NEVER,
};

/// How many events there are between two looks at whether to go on.
const LOOK: u32 = 1 << 16;

/// So many events ahead of time is who comes fetched.
const AHEAD: usize = 8;

/// Where a client's connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nowhere.
    Away,
    /// The SYN is out.
    Knocking,
    /// The server has it; the client does not know yet, or waits for the server's word.
    Waiting,
    /// It stands.
    Live,
    /// The client is gone for good.
    Over,
}

/// A client's connection, as the network sees it.
#[derive(Clone, Copy)]
struct Line {
    /// When the attempt began.
    since: u64,
    /// The wake that is in the calendar.
    wake: u64,
    /// Until when the client waits for the server's word.
    until: u64,
    /// The number of the attempt.
    serial: u32,
    server: u16,
    stage: Stage,
    /// The server has taken it off its backlog, and holds it.
    held: bool,
    /// The server remembers a handshake that is not complete.
    half_open: bool,
    /// It counts as back: it stands on both sides.
    back: bool,
}

/// A client with its connection: one place in memory, since one is seldom needed without the other.
#[repr(C, align(64))] // whole cache lines: a million of them are far from any cache
struct Seat<C> {
    line: Line,
    client: C,
}

/// How long clients wait, and for what.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// For an answer to the SYN.
    pub(crate) connect: u64,
    /// From then for the server's word; `None` if they do not wait for one.
    pub(crate) word: Option<u64>,
    /// What it is called when it does not come.
    pub(crate) cause: Cause,
}

/// All that a run needs besides the clients.
pub(crate) struct Setting {
    pub(crate) network: Network,
    pub(crate) servers: Vec<Serving>,
    pub(crate) turns: Vec<Turn>,
    pub(crate) patience: Patience,
    pub(crate) start: Start,
    /// Whether each client's list of servers begins at another one.
    pub(crate) rotated: bool,
    pub(crate) notice: u64,
    pub(crate) end: u64,
    pub(crate) seed: u64,
}

/// Everything that is rehearsed.
pub(crate) struct World<C: Client> {
    plan: C::Plan,
    setting: Setting,
    seats: Vec<Seat<C>>,
    calendar: Calendar,
    random: Rng,
    tally: Tally,
    now: u64,
    next_turn: usize,
}

impl<C: Client> World<C> {
    /// Sets it up: the clients connected, or about to begin.
    pub(crate) fn new(plan: C::Plan, clients: u32, setting: Setting) -> Self {
        let line = Line {
            since: 0,
            wake: NEVER,
            until: 0,
            serial: 0,
            server: 0,
            stage: Stage::Away,
            held: false,
            half_open: false,
            back: false,
        };
        let seeds = (0..u64::from(clients)).map(|client| mixed(setting.seed, client));
        let mut world = Self {
            seats: seeds.map(|seed| Seat { line, client: C::new(&plan, seed) }).collect(),
            calendar: Calendar::new(),
            random: Rng::with_seed(mixed(setting.seed, u64::MAX)),
            tally: Tally::new(u64::from(clients), setting.end),
            now: 0,
            next_turn: 0,
            plan,
            setting,
        };
        match world.setting.start {
            Start::Connected => (0..clients).for_each(|client| world.stands(client)),
            Start::New => {
                let first = world.setting.turns.first().map_or(0, |turn| turn.at);
                for client in 0..clients {
                    let at = first + world.noticed();
                    world.push(at, client, What::Begin, 0);
                }
            }
        }
        world.push_turn();
        world
    }

    /// Runs to the end, or until nothing more can happen. Returns the counts and when it stopped.
    pub(crate) fn run(
        mut self,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> (Tally, u64, bool) {
        let mut looks = 0;
        let mut stopped = false;
        while let Some((at, key)) = self.next() {
            if at > self.setting.end {
                self.now = self.setting.end;
                break;
            }
            self.now = at;
            self.happen(key);
            looks += 1;
            if looks == LOOK {
                looks = 0;
                stopped = progress(self.progress()).is_break();
                if stopped {
                    break;
                }
            }
            if self.is_quiet() {
                break;
            }
        }
        (self.tally, self.now, stopped)
    }

    /// What comes next; who comes soon is fetched.
    fn next(&mut self) -> Option<(u64, u64)> {
        if self.calendar.turn() {
            (0..AHEAD).for_each(|places| self.fetch(places));
        }
        self.fetch(AHEAD);
        self.calendar.pop()
    }

    fn fetch(&self, places: usize) {
        let Some(key) = self.calendar.ahead(places) else { return };
        let (entity, what, _) = read(key);
        let client = entity.wrapping_sub(self.first_client()) as usize;
        let Some(seat) = self.seats.get(client) else { return };
        if what.is_told() {
            prefetch(seat);
        } else {
            prefetch(&seat.line);
        }
    }

    /// Everyone is back, no server has anything to do, and none will go down any more.
    fn is_quiet(&self) -> bool {
        self.tally.is_whole()
            && self.next_turn >= self.setting.turns.len()
            && self.setting.servers.iter().all(Serving::is_idle)
    }

    fn progress(&self) -> Progress {
        Progress {
            at: std::time::Duration::from_nanos(self.now),
            of: std::time::Duration::from_nanos(self.setting.end),
            connected: self.tally.connected,
            attempts: self.tally.attempts,
        }
    }

    fn happen(&mut self, key: u64) {
        let (entity, what, serial) = read(key);
        match what {
            What::Turn => return self.turn(),
            What::Done => return self.done(entity, serial),
            _ => {}
        }
        let client = entity - self.first_client();
        let line = &mut self.seats[client as usize].line;
        let now = self.now;
        match what {
            What::Wake => {
                // A later one may have been asked for since.
                if line.wake == now {
                    line.wake = NEVER;
                }
                return self.tell(client, Happens::Tick);
            }
            What::Begin => {
                self.tally.lost += 1;
                return self.tell(client, Happens::Start);
            }
            _ if line.serial & SERIAL != serial => return,
            _ => {}
        }
        match (what, line.stage) {
            (What::Syn, Stage::Knocking) => self.syn(client),
            (What::Refused, Stage::Knocking) => self.fails(client, Cause::Refused),
            (What::Timeout, Stage::Knocking) => self.fails(client, Cause::ConnectTimeout),
            (What::Again, Stage::Knocking) => {
                self.tally.again += 1;
                let at = now + self.way();
                self.push(at, client, What::Syn, serial);
            }
            (What::Ack, Stage::Waiting | Stage::Live) if !line.held => self.ack(client),
            (What::Accepted | What::Served, Stage::Waiting) => {
                line.stage = Stage::Live;
                self.is_back(client);
                self.tell(client, Happens::Connected);
            }
            (What::Impatience, Stage::Waiting) => {
                self.fails(client, self.setting.patience.cause);
            }
            (What::Closed, Stage::Waiting) => self.fails(client, Cause::ClosedEarly),
            (What::Closed, Stage::Live) => self.fails(client, Cause::Closed),
            (What::Cut, Stage::Waiting) => self.fails(client, Cause::ClosedEarly),
            (What::Cut, Stage::Live) => {
                self.tally.lost += u64::from(line.back);
                self.fails(client, Cause::Reset);
            }
            _ => {}
        }
    }

    /// The attempt, or the connection, of a client failed.
    fn fails(&mut self, client: u32, cause: Cause) {
        self.leave(client);
        self.tell(client, Happens::Failed(cause));
    }

    /// A client has nothing to do with its connection any more.
    fn leave(&mut self, client: u32) {
        let line = &mut self.seats[client as usize].line;
        if line.held {
            line.held = false;
            self.setting.servers[usize::from(line.server)].release();
        }
        if std::mem::take(&mut line.half_open) {
            self.setting.servers[usize::from(line.server)].forget();
        }
        line.stage = Stage::Away;
        if std::mem::take(&mut line.back) {
            self.tally.disconnects(self.now);
        }
    }

    /// A client that does not wait for the server's word has a connection as soon as the server's
    /// kernel says so; it is back when the server has taken it.
    fn is_back(&mut self, client: u32) {
        let line = &mut self.seats[client as usize].line;
        if line.stage == Stage::Live && line.held && !line.back {
            line.back = true;
            self.tally.made += 1;
            self.tally.connects(self.now);
        }
    }

    /// Tells a client, and does what it wants.
    fn tell(&mut self, client: u32, happens: Happens) {
        if self.seats[client as usize].line.stage == Stage::Over {
            return;
        }
        let wish = self.seats[client as usize].client.tell(&self.plan, self.now, happens);
        self.do_(client, wish);
    }

    fn do_(&mut self, client: u32, wish: Wish) {
        if wish.cancel {
            self.leave(client);
        }
        if let Some(server) = wish.attempt {
            self.attempt(client, server);
        }
        if wish.done {
            self.leave(client);
            self.seats[client as usize].line.stage = Stage::Over;
            self.tally.gave_up += 1;
        }
        let line = &mut self.seats[client as usize].line;
        if wish.wake < line.wake {
            line.wake = wish.wake;
            self.push(wish.wake, client, What::Wake, 0);
        }
    }

    fn attempt(&mut self, client: u32, server: u32) {
        let server = self.server_of(client, server);
        let line = &mut self.seats[client as usize].line;
        line.since = self.now;
        line.serial = line.serial.wrapping_add(1);
        line.server = server;
        line.stage = Stage::Knocking;
        let serial = line.serial;
        self.tally.attempts += 1;
        let at = self.now + self.way();
        self.push(at, client, What::Syn, serial);
    }

    /// Which of the servers a client means by the n-th of its list.
    fn server_of(&self, client: u32, server: u32) -> u16 {
        let shift = if self.setting.rotated { client } else { 0 };
        let servers = self.setting.servers.len().max(1) as u64;
        u16::try_from((u64::from(server) + u64::from(shift)) % servers).unwrap_or(0)
    }

    /// A client has been connected for long when the run begins; that costs nothing.
    fn stands(&mut self, client: u32) {
        let wish = self.seats[client as usize].client.tell(&self.plan, 0, Happens::Start);
        let Some(server) = wish.attempt else { return self.do_(client, wish) };
        let server = self.server_of(client, server);
        let line = &mut self.seats[client as usize].line;
        line.server = server;
        line.serial = 1;
        line.stage = Stage::Live;
        line.held = true;
        line.back = true;
        self.setting.servers[usize::from(server)].connected += 1;
        self.tally.connects(0);
        self.tell(client, Happens::Connected);
    }

    /// A server begins with the next connection, if there is one.
    fn begin(&mut self, server: u32) {
        let serving = &mut self.setting.servers[server as usize];
        if let Some(at) = serving.begin(self.now) {
            let key = key(server, What::Done, serving.life);
            self.calendar.push(at, key);
        }
    }

    /// A server is done with a connection: is anybody there?
    fn done(&mut self, server: u32, life: u32) {
        let now = self.now;
        let serving = &mut self.setting.servers[server as usize];
        if serving.life & SERIAL != life {
            return;
        }
        let Some(job) = serving.done(now) else { return };
        self.tally.busy += u128::from(job.cost);
        let at = now + self.way();
        let serving = &mut self.setting.servers[server as usize];
        let line = &mut self.seats[job.client as usize].line;
        let there = line.serial == job.serial && matches!(line.stage, Stage::Waiting | Stage::Live);
        // One who will have left when the word arrives is as good as gone.
        if there && at < line.until {
            if serving.is_full() {
                self.push(at, job.client, What::Closed, job.serial);
            } else {
                serving.hold();
                line.held = true;
                self.tally.useful += u128::from(job.cost);
                if self.setting.patience.word.is_some() {
                    self.push(at, job.client, What::Served, job.serial);
                } else {
                    self.is_back(job.client);
                }
            }
        }
        self.begin(server);
    }

    /// A server goes down or comes back.
    fn turn(&mut self) {
        let Some(Turn { server, up, .. }) = self.setting.turns.get(self.next_turn).copied() else {
            return;
        };
        self.next_turn += 1;
        self.push_turn();
        self.setting.servers[server as usize].turn(self.now, up);
        if up {
            return;
        }
        let silent = self.setting.servers[server as usize].is.down == crate::Down::Ignore;
        for client in 0..u32::try_from(self.seats.len()).unwrap_or(u32::MAX) {
            let line = &mut self.seats[client as usize].line;
            if u32::from(line.server) != server {
                continue;
            }
            // Who waits for the word of a server that fell silent waits until its patience ends.
            let cut = line.stage == Stage::Live || (line.stage == Stage::Waiting && !silent);
            line.held = false;
            line.half_open = false;
            if cut {
                let serial = line.serial;
                let at = self.now + self.noticed();
                self.push(at, client, What::Cut, serial);
            }
        }
    }

    fn push_turn(&mut self) {
        if let Some(turn) = self.setting.turns.get(self.next_turn) {
            self.calendar.push(turn.at, key(turn.server, What::Turn, 0));
        }
    }

    /// How long a segment is under way.
    fn way(&mut self) -> u64 {
        self.setting.network.draw(&mut self.random)
    }

    /// How long until a client notices that its connection is cut.
    fn noticed(&mut self) -> u64 {
        let notice = self.setting.notice;
        self.way() + if notice == 0 { 0 } else { self.random.u64(0..=notice) }
    }

    fn push(&mut self, at: u64, client: u32, what: What, serial: u32) {
        self.calendar.push(at, key(self.first_client() + client, what, serial));
    }

    fn first_client(&self) -> u32 {
        u32::try_from(self.setting.servers.len()).unwrap_or(u32::MAX)
    }
}

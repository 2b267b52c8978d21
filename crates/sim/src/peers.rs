//! Other people's policies, to compare with: how long each waits before it tries again.
//!
//! These are models of other tools, written from their documentation, and no sessions: the one
//! place here that computes a delay. All of them begin anew at every connection that was made, as
//! those tools do, however short it lived; gRPC alone waits for the server's word, and measures
//! its pauses from the beginning of the attempt. Limits of time are redial's own (5 s), so that
//! only the delays differ. Start at [`Peer`].

use std::time::Duration;

use fastrand::Rng;

use crate::{
    client::{Cause, Client, Happens, Wish},
    time::{NEVER, nanos},
};

const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLI;

/// A tool, and the rule of its delays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// As it is named on a command line: `backon`.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// Where the rule is documented.
    pub source: &'static str,
    /// The rule.
    pub rule: Rule,
    /// How often it tries again before it gives up. `None`: for ever.
    pub times: Option<u32>,
}

/// How long to wait before the n-th try, counted from 0, in a row of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// `min(cap, base·2^n)`.
    Plain {
        /// The first.
        base: Duration,
        /// The longest.
        cap: Duration,
    },
    /// `random(0, min(cap, base·2^n))`.
    Full {
        /// The first.
        base: Duration,
        /// The longest.
        cap: Duration,
    },
    /// Half of `min(cap, base·2^n)`, and as much again at random.
    Equal {
        /// The first.
        base: Duration,
        /// The longest.
        cap: Duration,
    },
    /// `min(cap, random(base, 3·the last one))`.
    Decorrelated {
        /// The first.
        base: Duration,
        /// The longest.
        cap: Duration,
    },
    /// `d ± percent` of it, with d = `min(cap, base·factor^n)`: beyond the cap at most.
    Around {
        /// The first.
        base: Duration,
        /// The longest, before it is spread.
        cap: Duration,
        /// The factor, in thousandths.
        factor: u32,
        /// By how many percent it is spread.
        percent: u32,
        /// Counted from the beginning of the attempt that failed, and begun anew only once the
        /// server has spoken: gRPC.
        from_start: bool,
    },
    /// `min(cap, base·2^n ± percent of it)`: the spread is lost at the cap.
    Clamped {
        /// The first.
        base: Duration,
        /// The longest.
        cap: Duration,
        /// By how many percent it is spread.
        percent: u32,
    },
    /// Nothing, nothing, and then `min(4 s, 2^n ms)`.
    Nats,
    /// 50 ms·2^n, and of that up to 99% on top, of seconds and of their fraction apart and each cut
    /// to whole ones.
    Tower,
}

impl Peer {
    /// All that ship, by name.
    pub const ALL: [Self; 9] = [
        Self {
            name: "aws-full",
            about: "AWS, full jitter, 1s up to 30s",
            source: "https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/",
            rule: Rule::Full { base: Duration::from_secs(1), cap: Duration::from_secs(30) },
            times: None,
        },
        Self {
            name: "aws-equal",
            about: "AWS, equal jitter, 1s up to 30s",
            source: "https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/",
            rule: Rule::Equal { base: Duration::from_secs(1), cap: Duration::from_secs(30) },
            times: None,
        },
        Self {
            name: "aws-decorrelated",
            about: "AWS, decorrelated jitter, 1s up to 30s",
            source: "https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/",
            rule: Rule::Decorrelated { base: Duration::from_secs(1), cap: Duration::from_secs(30) },
            times: None,
        },
        Self {
            name: "grpc",
            about: "gRPC connection backoff: 1s x1.6 up to 120s, 20% around it",
            source: "https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md",
            rule: Rule::Around {
                base: Duration::from_secs(1),
                cap: Duration::from_secs(120),
                factor: 1_600,
                percent: 20,
                from_start: true,
            },
            times: None,
        },
        Self {
            name: "backon",
            about: "backon 1.6's default: 3 times, 1s x2 up to 60s, no jitter",
            source: "https://docs.rs/backon/1.6.0/backon/struct.ExponentialBuilder.html",
            rule: Rule::Plain { base: Duration::from_secs(1), cap: Duration::from_secs(60) },
            times: Some(3),
        },
        Self {
            name: "async-nats",
            about: "async-nats 0.51's default: at once, then 2ms x2 up to 4s, no jitter",
            source: "https://docs.rs/async-nats/0.51.0/async_nats/struct.ConnectOptions.html\
                     #method.reconnect_delay_callback",
            rule: Rule::Nats,
            times: None,
        },
        Self {
            name: "tower",
            about: "tower 0.5's ExponentialBackoffMaker: 50ms x2 without a cap, 99% on top",
            source: "https://docs.rs/tower/0.5.3/tower/retry/backoff/\
                     struct.ExponentialBackoffMaker.html",
            rule: Rule::Tower,
            times: None,
        },
        Self {
            name: "stubborn-io",
            about: "stubborn-io 0.3.6's example: 1s x2 up to 30s, 5% around it, none at the cap",
            source: "https://docs.rs/stubborn-io/0.3.6/stubborn_io/strategies/\
                     struct.ExpBackoffStrategy.html",
            rule: Rule::Clamped {
                base: Duration::from_secs(1),
                cap: Duration::from_secs(30),
                percent: 5,
            },
            times: None,
        },
        Self {
            name: "wait-for-it",
            about: "wait-for-it.sh: a second, every time",
            source: "https://github.com/vishnubob/wait-for-it/blob/master/wait-for-it.sh",
            rule: Rule::Plain { base: Duration::from_secs(1), cap: Duration::from_secs(1) },
            times: None,
        },
    ];

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|peer| peer.name == name)
    }

    /// The longest pause.
    #[must_use]
    pub const fn cap(&self) -> Duration {
        match self.rule {
            Rule::Plain { cap, .. }
            | Rule::Full { cap, .. }
            | Rule::Equal { cap, .. }
            | Rule::Decorrelated { cap, .. }
            | Rule::Around { cap, .. }
            | Rule::Clamped { cap, .. } => cap,
            Rule::Nats => Duration::from_secs(4),
            Rule::Tower => Duration::MAX,
        }
    }
}

/// A client of such a tool. The n-th try of a row goes to the n-th server of its list, around.
pub(crate) struct PeerClient {
    random: Rng,
    /// Failures in a row.
    row: u32,
    /// The last delay.
    last: u64,
    /// When the attempt under way, or the last one, began.
    since: u64,
    server: u32,
    pausing: u64,
    /// It gave up.
    done: bool,
}

impl Client for PeerClient {
    type Plan = Peer;

    fn new(_: &Peer, seed: u64) -> Self {
        Self {
            random: Rng::with_seed(seed),
            row: 0,
            last: 0,
            since: 0,
            server: 0,
            pausing: NEVER,
            done: false,
        }
    }

    fn tell(&mut self, plan: &Peer, now: u64, happens: Happens) -> Wish {
        match happens {
            _ if self.done => Wish::NONE,
            Happens::Start => self.attempt(now),
            Happens::Tick if now >= self.pausing => {
                self.server = self.server.wrapping_add(1);
                self.attempt(now)
            }
            Happens::Tick => Wish { wake: self.pausing, ..Wish::NONE },
            Happens::Connected => {
                let waits = matches!(plan.rule, Rule::Around { from_start: true, .. });
                if !waits {
                    self.begin_anew();
                }
                Wish::NONE
            }
            Happens::Failed(cause) => {
                // What had stood and spoken is a new beginning for every tool.
                if cause == Cause::Reset {
                    self.begin_anew();
                }
                self.pause(plan, now)
            }
        }
    }
}

impl PeerClient {
    fn begin_anew(&mut self) {
        (self.row, self.last) = (0, 0);
    }

    fn attempt(&mut self, now: u64) -> Wish {
        self.since = now;
        self.pausing = NEVER;
        Wish { attempt: Some(self.server), ..Wish::NONE }
    }

    fn pause(&mut self, plan: &Peer, now: u64) -> Wish {
        if plan.times.is_some_and(|times| self.row >= times) {
            self.done = true;
            return Wish { done: true, ..Wish::NONE };
        }
        let delay = self.delay(plan.rule);
        self.row = self.row.saturating_add(1);
        self.last = delay;
        let from = match plan.rule {
            Rule::Around { from_start: true, .. } if self.row > 1 => self.since,
            _ => now,
        };
        self.pausing = from.saturating_add(delay).max(now);
        Wish { wake: self.pausing, ..Wish::NONE }
    }

    /// The delay after `row` failures before this one.
    fn delay(&mut self, rule: Rule) -> u64 {
        let (n, random) = (self.row, &mut self.random);
        match rule {
            Rule::Plain { base, cap } => grown(base, cap, 2_000, n),
            Rule::Full { base, cap } => random.u64(0..=grown(base, cap, 2_000, n)),
            Rule::Equal { base, cap } => {
                let d = grown(base, cap, 2_000, n);
                random.u64(d / 2..=d)
            }
            Rule::Decorrelated { base, cap } => {
                let base = nanos(base);
                let most = self.last.max(base).saturating_mul(3);
                random.u64(base..=most).min(nanos(cap))
            }
            Rule::Around { base, cap, factor, percent, .. } => {
                around(grown(base, cap, factor, n), percent, random)
            }
            Rule::Clamped { base, cap, percent } => {
                let d = grown(base, Duration::from_nanos(NEVER / 4), 2_000, n);
                around(d, percent, random).min(nanos(cap))
            }
            Rule::Nats => match n {
                // The callback's first argument is 1, and it says 0 to that.
                0 => 0,
                1..=11 => MILLI << n,
                _ => 4 * SECOND,
            },
            Rule::Tower => {
                let d = grown(Duration::from_millis(50), Duration::MAX, 2_000, n);
                // One draw, of whole millionths, for both parts.
                let millionths = random.u64(1..=990_000);
                let part = |of: u64| {
                    u64::try_from(u128::from(of) * u128::from(millionths) / 1_000_000).unwrap_or(0)
                };
                let share = part(d / SECOND) * SECOND + part(d % SECOND);
                d.saturating_add(share)
            }
        }
    }
}

/// `min(cap, base·factor^n)`.
fn grown(base: Duration, cap: Duration, thousandths: u32, n: u32) -> u64 {
    let (mut d, cap) = (nanos(base), nanos(cap));
    for _ in 0..n {
        if d >= cap {
            break;
        }
        let grown = u128::from(d) * u128::from(thousandths) / 1_000;
        let grown = u64::try_from(grown).unwrap_or(NEVER);
        if grown == d {
            break;
        }
        d = grown;
    }
    d.min(cap)
}

/// `d ± percent` of it.
fn around(d: u64, percent: u32, random: &mut Rng) -> u64 {
    let part = d / 100 * u64::from(percent);
    random.u64(d.saturating_sub(part)..=d.saturating_add(part))
}

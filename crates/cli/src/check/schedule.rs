//! When a policy tries again, and when it gives up: one schedule for each clause.
//!
//! The policy is played, not read: a session in virtual time, at a server that fails every attempt
//! at once in a way the clause handles. So rounds, `next`, `drop` and used-up steps count as they
//! will. Only pauses are added up; how long attempts take is the server's affair. Start at
//! [`schedules`].

use std::{sync::Arc, time::Duration};

use redial::{
    Action, Backoff, Clause, Event, Failure, Input, Kind, Mistake, Output, Place, Policy,
    PolicyBuilder, Retry, Server, Session, Spread, Stage, Step, StepResult, Times,
};

/// A policy that has made so many attempts is not going to surprise anybody.
const LONGEST: usize = 100_000;

/// What follows when every attempt ends in the same way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Schedule {
    /// The clause that handles it: its index in the policy.
    pub(super) clause: usize,
    /// The kind that was played.
    pub(super) kind: Kind,
    /// The pauses, in order. The attempt before the first has none.
    pub(super) pauses: Vec<Pause>,
    pub(super) end: End,
}

/// What stands between two attempts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pause {
    /// The number of the attempt behind it.
    pub(super) attempt: usize,
    pub(super) why: Why,
    pub(super) spread: Spread,
    /// It grows no further here.
    pub(super) settled: bool,
}

/// What asked for the attempt.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Why {
    Retry { n: u32, of: Times },
    Next { server: usize },
    Round { round: u32 },
}

/// How a schedule ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It gives up after its last attempt.
    GivesUp,
    /// The last pause is repeated for ever.
    Forever,
    /// It goes on beyond [`LONGEST`] attempts.
    Long,
}

/// The schedule of every clause that pauses.
pub(super) fn schedules(policy: &PolicyBuilder) -> Result<Vec<Schedule>, Mistake> {
    // The schedule is what the clauses say; a deadline is compared with it.
    let mut played = policy.clone().deadline(Duration::MAX);
    if !played.has_servers() {
        played = played.server(Server::at(Place::Host { host: "server".into(), port: 1 }));
    }
    let played = Arc::new(played.build()?);
    let schedules = (0..played.clauses().len()).filter_map(|clause| play(&played, clause));
    Ok(schedules.collect())
}

impl Schedule {
    /// How long all pauses take together.
    pub(super) fn total(&self) -> Spread {
        self.totals().last().unwrap_or(NOTHING)
    }

    /// The sum of the pauses up to each.
    pub(super) fn totals(&self) -> impl Iterator<Item = Spread> {
        self.pauses.iter().scan(NOTHING, |sum, pause| {
            *sum = plus(*sum, pause.spread);
            Some(*sum)
        })
    }

    /// How many attempts were played.
    pub(super) fn attempts(&self) -> usize {
        self.pauses.len() + 1
    }

    /// How many attempts fit into this much time: at least, and at most.
    pub(super) fn attempts_within(&self, limit: Duration) -> (usize, usize) {
        let fit = |sum: fn(&Spread) -> Duration| {
            self.totals().take_while(|total| sum(total) < limit).count() + 1
        };
        (fit(|total| total.max), fit(|total| total.min))
    }

    /// The pauses worth a line: the first five, the first of each kind, where it stops growing,
    /// the last.
    pub(super) fn notable(&self) -> Vec<usize> {
        let first_of = |index: usize, same: &dyn Fn(&Pause, &Pause) -> bool| {
            let pause = &self.pauses[index];
            !self.pauses[..index].iter().rev().take(LOOK_BACK).any(|other| same(pause, other))
        };
        (0..self.pauses.len())
            .filter(|&index| {
                let pause = &self.pauses[index];
                index < 5
                    || index + 1 == self.pauses.len()
                    || index < LOOK_BACK
                        && (first_of(index, &|a, b| a.is_like(b))
                            || pause.settled && first_of(index, &|a, b| b.settled && a.is_like(b)))
            })
            .collect()
    }
}

/// Comparing each pause with all before it would be slow in a schedule of thousands.
const LOOK_BACK: usize = 1_000;

impl Pause {
    /// Whether the same step of the clause asked for both.
    fn is_like(&self, other: &Self) -> bool {
        match (&self.why, &other.why) {
            (Why::Retry { of, .. }, Why::Retry { of: other, .. }) => of == other,
            (Why::Next { .. }, Why::Next { .. }) | (Why::Round { .. }, Why::Round { .. }) => true,
            _ => false,
        }
    }
}

/// Plays the policy until it gives up, or goes on for ever. `None`: it never pauses.
fn play(policy: &Arc<Policy>, clause: usize) -> Option<Schedule> {
    let kind = first_kind(policy, clause)?;
    let mut player = Player {
        policy,
        clause: &policy.clauses()[clause],
        server: 0,
        unhealthy: vec![0; policy.servers().len()],
        step: None,
        pauses: Vec::new(),
    };
    let end = player.run(kind);
    let pauses = player.pauses;
    pauses.iter().any(|pause| !pause.spread.max.is_zero()).then_some(Schedule {
        clause,
        kind,
        pauses,
        end,
    })
}

/// A kind that reaches the clause: `refused` if it does, for everybody has met it.
fn first_kind(policy: &Policy, clause: usize) -> Option<Kind> {
    let kinds = policy.clauses()[clause].kinds();
    std::iter::once(Kind::Refused).chain(kinds.iter()).find(|kind| {
        let failure = failure(*kind);
        policy.clauses().iter().position(|clause| clause.matches(&failure, true)) == Some(clause)
    })
}

/// A failure of a fresh connection: every guard lets it pass.
fn failure(kind: Kind) -> Failure {
    Failure::new(kind, Stage::Connect, "server".into())
}

/// What is known while a policy is played.
struct Player<'a> {
    policy: &'a Arc<Policy>,
    clause: &'a Clause,
    server: usize,
    /// Attempts at each server, all of them failed.
    unhealthy: Vec<u32>,
    /// The `retry` that asked last, during the visit to this server.
    step: Option<usize>,
    pauses: Vec<Pause>,
}

impl Player<'_> {
    fn run(&mut self, kind: Kind) -> End {
        let mut session = Session::new(self.policy.clone(), 1);
        let failure = Arc::new(failure(kind));
        let mut now = Duration::ZERO;
        session.handle(now, Input::Start);
        loop {
            let input = match session.poll() {
                Output::Attempt { id, server } => {
                    self.server = server;
                    self.unhealthy[server] += 1;
                    Input::Failed { id, failure: failure.clone() }
                }
                Output::Step { id, .. } => Input::StepDone { id, result: StepResult::Skipped },
                Output::Wake { at, .. } => {
                    now = at;
                    Input::Tick
                }
                Output::Note(happened) => {
                    if let Event::Handled { action, .. } = happened.event
                        && let Some(end) = self.handled(action)
                    {
                        return end;
                    }
                    continue;
                }
                Output::Done(_) => return End::GivesUp,
                _ => continue,
            };
            session.handle(now, input);
        }
    }

    /// Notes the pause before the next attempt. Returns the end when there is no more to learn.
    fn handled(&mut self, action: Action) -> Option<End> {
        let (why, backoff, exponent, drawn, forever) = match action {
            Action::Retry { n, of, delay } => {
                let retry = self.retry(n, of)?;
                let exponent = self.unhealthy[self.server] - 1;
                (Why::Retry { n, of }, retry.backoff, exponent, delay, retry.is_endless())
            }
            Action::Next { server, round, delay, .. } => {
                self.step = None;
                let rounds = self.policy.rounds();
                if delay.is_zero() {
                    (Why::Next { server }, Backoff::exactly(Duration::ZERO), 0, delay, false)
                } else {
                    let forever = rounds.times == Times::Forever;
                    (Why::Round { round }, rounds.backoff, round - 2, delay, forever)
                }
            }
            _ => return None,
        };
        let spread = backoff.spread(exponent);
        debug_assert!(spread.min <= drawn && drawn <= spread.max, "{drawn:?} is not in {spread:?}");
        let settled = backoff.spread(exponent.saturating_add(1)) == spread;
        let attempt = self.pauses.len() + 2;
        self.pauses.push(Pause { attempt, why, spread, settled });
        if forever && settled {
            return Some(End::Forever);
        }
        (self.pauses.len() >= LONGEST).then_some(End::Long)
    }

    /// The `retry` that asked for its n-th attempt.
    fn retry(&mut self, n: u32, of: Times) -> Option<Retry> {
        let retries = |step: &Step| match step {
            Step::Retry(retry) if retry.times == of => Some(*retry),
            _ => None,
        };
        let steps = self.clause.steps();
        if n == 1 {
            // The one before it is used up: it is the next of its count.
            let from = self.step.map_or(0, |step| step + 1);
            let found = steps.iter().skip(from).position(|step| retries(step).is_some());
            self.step = found.map(|found| from + found);
        }
        self.step.and_then(|step| steps.get(step)).and_then(retries)
    }
}

const NOTHING: Spread = Spread { min: Duration::ZERO, mean: Duration::ZERO, max: Duration::ZERO };

fn plus(a: Spread, b: Spread) -> Spread {
    Spread {
        min: a.min.saturating_add(b.min),
        mean: a.mean.saturating_add(b.mean),
        max: a.max.saturating_add(b.max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redial::Verb;

    fn of(clauses: &str, servers: usize, rounds: &str) -> Vec<Schedule> {
        let mut policy = Policy::build(Verb::Connect).except(clauses).unwrap();
        for server in 0..servers {
            policy = policy.server(Server::parse(&format!("db{server}:1")).unwrap());
        }
        schedules(&policy.rounds(rounds.parse().unwrap())).unwrap()
    }

    fn seconds(spread: Spread) -> (f64, f64, f64) {
        (spread.min.as_secs_f64(), spread.mean.as_secs_f64(), spread.max.as_secs_f64())
    }

    #[test]
    fn a_retry_doubles_up_to_its_cap() {
        let schedules = of("refused: retry 5 every 1s..4s", 1, "1");
        assert_eq!(schedules.len(), 1);
        let schedule = &schedules[0];
        assert_eq!(schedule.attempts(), 6);
        assert_eq!(schedule.end, End::GivesUp);
        assert_eq!(seconds(schedule.total()), (7.5, 11.25, 15.0));
        assert_eq!(schedule.attempts_within(Duration::from_secs(3)), (2, 3));
    }

    #[test]
    fn a_second_retry_goes_on_where_the_first_was() {
        let schedules = of("refused: retry 2 every 1s..8s, retry 2 every 1s..16s", 1, "1");
        let longest: Vec<u64> =
            schedules[0].pauses.iter().map(|pause| pause.spread.max.as_secs()).collect();
        assert_eq!(longest, [1, 2, 4, 8]);
    }

    #[test]
    fn every_server_and_round_counts() {
        let schedules = of("refused: retry 1 every 1s, next", 2, "2 every 3s");
        let whys: Vec<&Why> = schedules[0].pauses.iter().map(|pause| &pause.why).collect();
        let once = Times::Only(std::num::NonZeroU32::MIN);
        assert_eq!(
            whys,
            [
                &Why::Retry { n: 1, of: once },
                &Why::Next { server: 1 },
                &Why::Retry { n: 1, of: once },
                &Why::Round { round: 2 },
                &Why::Retry { n: 1, of: once },
                &Why::Next { server: 1 },
                &Why::Retry { n: 1, of: once },
            ]
        );
        assert_eq!(seconds(schedules[0].total()).2, 7.0);
    }

    #[test]
    fn for_ever_ends_where_it_stops_growing() {
        let schedules = of("refused: retry forever every 1s..5s", 1, "1");
        assert_eq!(schedules[0].end, End::Forever);
        assert_eq!(schedules[0].attempts(), 5);
        assert!(schedules[0].pauses[3].settled);
        let schedules = of("refused: retry forever every 1s..5s x1", 1, "1");
        assert_eq!(schedules[0].attempts(), 2);
        let schedules = of("refused: next", 1, "forever every 1s..2s");
        assert_eq!(schedules[0].end, End::Forever);
    }

    #[test]
    fn a_clause_without_a_pause_has_no_schedule() {
        assert_eq!(of("refused: next, stop", 2, "1"), []);
        assert_eq!(of("any: stop; refused: retry 3", 1, "1"), []);
    }

    #[test]
    fn a_very_long_one_ends() {
        let schedules = of("refused: retry 4000000000 every 1s", 1, "1");
        assert_eq!(schedules[0].end, End::Long);
        assert_eq!(schedules[0].notable(), [0, 1, 2, 3, 4, LONGEST - 1]);
    }

    /// The pauses that were drawn lie within those announced: `play` asserts it.
    #[test]
    fn every_verb_can_be_played() {
        for verb in Verb::ALL {
            let policy = Policy::build(verb).rounds("3".parse().unwrap());
            schedules(&policy).unwrap();
        }
    }
}

//! What is allowed and still not what anybody wants: one line each.
//!
//! The walk through a policy with the table of dangers (`table`); each danger is a small function
//! in `reach`, `pace`, `limits` or `crowd`. Only what is certain is said: a warning that may be
//! wrong is noise, and what a rule cannot tell is rehearsed (`rehearsed`). The verb's own clauses,
//! and what `--retry` stands for, are not the user's to mend. Start at [`warnings`].

mod crowd;
mod limits;
mod pace;
mod reach;
mod rehearsed;
mod table;

use redial::{Clause, Policy, PolicyBuilder, Retry, Step, Verb};

pub(super) use self::{crowd::Crowd, table::DANGERS};
use super::schedule::Schedule;

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Warning {
    /// The name of the danger.
    pub(super) danger: &'static str,
    pub(super) at: At,
    /// What is wrong with it.
    pub(super) what: String,
    /// What to write instead.
    pub(super) instead: String,
}

/// What is to be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// A clause: its index in the policy.
    Clause(usize),
    /// A key of the policy, which is a flag too: `rounds`, `deadline`.
    Key(&'static str),
    /// Nothing by itself.
    Policy,
}

/// What is known of the policy.
pub(super) struct Case<'a> {
    pub(super) builder: &'a PolicyBuilder,
    pub(super) policy: &'a Policy,
    pub(super) schedules: &'a [Schedule],
    /// Who else has it, where the user says so.
    pub(super) crowd: Option<Crowd>,
}

/// Something that may be wrong with a policy.
pub(super) struct Danger {
    /// A name that never changes: in JSON, and for `redial help NAME`.
    pub(super) name: &'static str,
    /// What happens, as a sentence without its end.
    pub(super) about: &'static str,
    /// A policy that has it.
    pub(super) has: &'static str,
    /// One near it that has not.
    pub(super) has_not: &'static str,
    find: Find,
}

/// Where a danger is looked for.
enum Find {
    /// In each clause of the user's.
    Clause(fn(&Case<'_>, usize) -> Option<Found>),
    /// In each `retry` of these, and in the rounds.
    Pace(fn(&Case<'_>, At, Retry) -> Option<Found>),
    /// In the policy.
    Policy(fn(&Case<'_>) -> Option<(At, Found)>),
    /// In what many clients do; only where it is said how many.
    Crowd(fn(&Case<'_>, Crowd) -> Vec<(At, Found)>),
}

/// What is wrong, and what to write instead.
type Found = (String, String);

/// Everything there is to say: of the user's clauses in their order, then of the rest.
pub(super) fn warnings(case: &Case<'_>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (index, clause) in case.policy.clauses().iter().enumerate() {
        if case.policy.is_own(index) || is_ours(clause) {
            continue;
        }
        let at = At::Clause(index);
        let is_unreached = case.policy.unreached(index).is_some();
        for danger in &DANGERS {
            let found = match danger.find {
                Find::Clause(find) => find(case, index),
                Find::Pace(find) => retries(clause).find_map(|retry| find(case, at, retry)),
                Find::Policy(_) | Find::Crowd(_) => None,
            };
            let is_found = found.is_some();
            warnings.extend(found.map(|found| danger.warning(at, found)));
            // What a clause does that is never reached is no danger.
            if is_unreached && is_found {
                break;
            }
        }
    }
    for danger in &DANGERS {
        let rounds = At::Key("rounds");
        let found = match danger.find {
            Find::Clause(_) => vec![],
            Find::Pace(find) => pace_of_rounds(case.policy)
                .and_then(|pace| find(case, rounds, pace))
                .map(|found| (rounds, found))
                .into_iter()
                .collect(),
            Find::Policy(find) => find(case).into_iter().collect(),
            Find::Crowd(find) => case.crowd.map(|crowd| find(case, crowd)).unwrap_or_default(),
        };
        warnings.extend(found.into_iter().map(|(at, found)| danger.warning(at, found)));
    }
    warnings
}

impl Danger {
    fn warning(&self, at: At, (what, instead): Found) -> Warning {
        Warning { danger: self.name, at, what, instead }
    }

    /// Whether it takes `--clients` and `--accepts` to see it.
    pub(super) const fn takes_a_crowd(&self) -> bool {
        matches!(self.find, Find::Crowd(_))
    }
}

/// Whether it was written by redial: a verb's own clause in a saved policy, or what `--retry` is.
fn is_ours(clause: &Clause) -> bool {
    let is_sugar = clause.label() == "transient if fresh"
        && matches!(clause.steps(), [Step::Retry(_), Step::Next]);
    let is_own = |verb: &Verb| verb.clauses().is_ok_and(|clauses| clauses.contains(clause));
    is_sugar || Verb::ALL.iter().any(is_own)
}

fn retries(clause: &Clause) -> impl Iterator<Item = Retry> {
    clause.steps().iter().filter_map(|step| match step {
        Step::Retry(retry) => Some(*retry),
        _ => None,
    })
}

/// How often the rounds are gone through, if there is more than one.
fn pace_of_rounds(policy: &Policy) -> Option<Retry> {
    let rounds = policy.rounds();
    let goes_on =
        |clause: &Clause| clause.steps().iter().any(|step| matches!(step, Step::Next | Step::Drop));
    let several = rounds.times.allows(1) && policy.clauses().iter().any(goes_on);
    several.then_some(Retry { times: rounds.times, within: None, backoff: rounds.backoff })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::schedule::schedules;

    /// 10,000 clients of a server that takes 100 a second.
    fn crowd() -> Crowd {
        Crowd { clients: 10_000, accepts: redial::parse_rate("100/s").unwrap() }
    }

    fn found(text: &str, crowd: Option<Crowd>) -> Vec<(&'static str, At)> {
        let builder = Policy::parse(Verb::Connect, text).unwrap();
        let schedules = schedules(&builder).unwrap();
        let policy = builder.clone().build().unwrap();
        let case = Case { builder: &builder, policy: &policy, schedules: &schedules, crowd };
        warnings(&case).into_iter().map(|warning| (warning.danger, warning.at)).collect()
    }

    #[test]
    fn each_danger_is_found_where_it_is_and_not_near_it() {
        for danger in &DANGERS {
            let crowd = danger.takes_a_crowd().then(crowd);
            let names = |text| -> Vec<&str> {
                found(text, crowd).into_iter().map(|(danger, _)| danger).collect()
            };
            // Who never comes back has pauses that are too short.
            let expected = match danger.name {
                "no-recovery" => vec!["cap-too-low", "no-recovery"],
                name => vec![name],
            };
            assert_eq!(names(danger.has), expected, "{}: {}", danger.name, danger.has);
            assert_eq!(names(danger.has_not), [""; 0], "{}: {}", danger.name, danger.has_not);
        }
    }

    #[test]
    fn names_are_told_apart() {
        for (index, danger) in DANGERS.iter().enumerate() {
            assert!(DANGERS[..index].iter().all(|other| other.name != danger.name));
            assert!(!redial::kind_names().contains(&danger.name));
            assert!(danger.about.chars().count() < 80, "{}", danger.about);
        }
    }

    /// More that have one, each with what it is and where.
    #[test]
    fn others_that_have_one() {
        use At::{Clause, Key};
        for (text, danger, at) in [
            ("clauses = 'any: stop; refused: retry forever every 1s'", "never-reached", Clause(1)),
            ("clauses = 'transient: retry 3, retry forever, stop'", "never-run", Clause(0)),
            // It is run once data has moved, and that is not what was meant either.
            ("clauses = 'transient: retry 3, retry forever, say done'", "data-moved", Clause(0)),
            ("rounds = 'forever every 30s'", "no-jitter", Key("rounds")),
            ("rounds = '20 every 1s..30s jitter none'", "spread-lost", Key("rounds")),
            ("rounds = 'forever every 1s jitter full'", "no-budget", Key("rounds")),
            ("clauses = 'refused: retry 60 every 1s'", "no-jitter", Clause(0)),
            (
                "clauses = 'refused: retry forever every 1s..1m x1 jitter full'",
                "no-budget",
                Clause(0),
            ),
            // The first pauses differ by less than a second, and half a minute later it is the same.
            ("clauses = 'refused: retry 3, retry forever every 30s'", "no-jitter", Clause(0)),
            ("clauses = 'closed: retry forever'", "data-moved", Clause(0)),
            ("clauses = 'tls: retry forever'", "retries-permanent", Clause(0)),
            ("clauses = 'any but tls: retry forever'", "retries-permanent", Clause(0)),
            ("clauses = 'any: retry 3, exit 75'", "data-moved", Clause(0)),
            (
                "healthy-after = '50ms'\nrounds = 'forever'",
                "resets-on-connect",
                Key("healthy-after"),
            ),
            (
                "healthy-after = '0s'\nclauses = 'transient: retry 3 every 1ms..30s'",
                "resets-on-connect",
                Key("healthy-after"),
            ),
            ("deadline = '1h'\nclauses = 'any: stop'", "deadline-unused", Key("deadline")),
            ("deadline = '9s'\nrounds = '3 every 20s..1m'", "too-late", Key("rounds")),
            ("deadline = '9s'\nclauses = 'any: retry 3, retry 3 every 20s'", "too-late", Clause(0)),
        ] {
            assert_eq!(found(text, None), [(danger, at)], "{text}");
        }
    }

    #[test]
    fn a_clause_that_is_never_reached_has_no_other_danger() {
        let text = "servers = 'db:1,db:2'\nclauses = '''\nany: stop\nany: retry forever every 1s\n\
                    no-socket: retry forever every 1s\n'''";
        let expected = [("never-reached", At::Clause(1)), ("cannot-happen", At::Clause(2))];
        assert_eq!(found(text, None), expected);
    }

    #[test]
    fn others_that_have_none() {
        for text in [
            "",
            "clauses = 'any if fresh: stop; reset: retry 3'",
            "clauses = 'refused: retry 3 every 30s'",
            "clauses = 'refused: retry 3 every 1s..30s jitter none'",
            "clauses = 'refused: retry forever every 30s..30s'",
            // Drawn from minutes, what was spread stays spread.
            "clauses = 'refused: retry 9, retry forever every 30s'",
            "clauses = 'refused: retry 20, retry forever every 2h'",
            "deadline = '1m'\nclauses = 'refused: retry forever every 1s jitter equal'",
            "clauses = 'any: next'",
            "servers = 'db:1'\nrounds = 2\nclauses = 'any: next'",
            "servers = 'db:1'\nclauses = 'transient if fresh: retry 10, next'",
            "servers = 'db:1'\nonly = true\nclauses = 'any if fresh: next'",
            "clauses = 'any: retry 3, next, stop'",
            "clauses = 'any: say \"{failure}\", stop'",
            "clauses = 'connect: retry 3, exit 75'",
            "healthy-after = '0s'\nclauses = 'refused: retry forever'",
            // Pauses that do not grow have nothing to begin anew.
            "healthy-after = '0s'\nrounds = 'forever every 5s..5s'",
            "deadline = '20s'\nclauses = 'refused: retry 3 every 1s'",
            "deadline = '1h'\nrounds = 'forever'",
            "deadline = '1h'\nclauses = 'any: retry forever'",
            "clauses = 'any: retry forever for 10m'",
            "clauses = 'tls-certificate: retry forever'",
        ] {
            assert_eq!(found(text, None), [], "{text}");
        }
    }

    #[test]
    fn a_crowd_is_held_against_whatever_has_no_end() {
        let low = |at| vec![("cap-too-low", at)];
        let found = |text: &str| found(text, Some(crowd()));
        // 10,000 clients at 100 a second: 134s with `equal`, 200s with `full`.
        assert_eq!(found("rounds = 'forever'"), low(At::Key("rounds")));
        assert_eq!(found("rounds = 'forever every 1s..133s'"), low(At::Key("rounds")));
        assert_eq!(found("rounds = 'forever every 1s..134s'"), []);
        assert_eq!(found("rounds = 'forever every 1s..199s jitter full'"), low(At::Key("rounds")));
        assert_eq!(found("rounds = 'forever every 1s..200s jitter full'"), []);
        assert_eq!(
            found("clauses = 'transient if fresh: retry forever, next'"),
            low(At::Clause(0))
        );
        // However often they ask, it is seen that they never come back.
        for pause in ["100ms..200ms", "1s..2s"] {
            let text = format!("servers = 'tls://db:1'\nrounds = 'forever every {pause}'");
            let names: Vec<&str> = found(&text).into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, ["cap-too-low", "no-recovery"], "{pause}");
        }
        // Those who give up do not ask for ever.
        assert_eq!(found("clauses = 'refused: retry 10'"), []);
        assert_eq!(found("clauses = 'refused: stop'"), []);
    }
}

//! What is allowed and still not what anybody wants: one line each.
//!
//! Only what is certain is said: a warning that may be wrong is noise. The verb's own clauses, and
//! what `--retry` stands for, are not the user's to mend. Start at [`warnings`].

use redial::{Clause, Guard, Human, Jitter, KindSet, Policy, Retry, Step, Times, Verb};

use super::schedule::Schedule;

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Warning {
    /// The clause: its index in the policy.
    pub(super) clause: usize,
    /// What is wrong with it.
    pub(super) what: String,
    /// What to write instead.
    pub(super) instead: String,
}

/// Everything there is to say about the user's clauses, in their order.
pub(super) fn warnings(policy: &Policy, schedules: &[Schedule]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (index, clause) in policy.clauses().iter().enumerate() {
        if policy.is_own(index) || is_ours(clause) {
            continue;
        }
        let mut warn = |(what, instead)| warnings.push(Warning { clause: index, what, instead });
        if let Some(found) = never_matches(policy, index) {
            warn(found);
            // What a clause does that never runs is no danger.
            continue;
        }
        never_run(clause).into_iter().for_each(&mut warn);
        clause.steps().iter().filter_map(in_step).for_each(&mut warn);
        nowhere_to_go(policy, clause).into_iter().for_each(&mut warn);
        let schedule = schedules.iter().find(|schedule| schedule.clause == index);
        schedule.and_then(|schedule| too_late(policy, schedule)).into_iter().for_each(&mut warn);
    }
    warnings
}

/// What is wrong, and what to write instead.
type Found = (String, String);

/// Whether it was written by redial: a verb's own clause in a saved policy, or what `--retry` is.
fn is_ours(clause: &Clause) -> bool {
    let is_sugar = clause.label() == "transient if fresh"
        && matches!(clause.steps(), [Step::Retry(_), Step::Next]);
    let is_own = |verb: &Verb| verb.clauses().is_ok_and(|clauses| clauses.contains(clause));
    is_sugar || Verb::ALL.iter().any(is_own)
}

/// All its kinds are taken by clauses in front of it, whatever else is true.
fn never_matches(policy: &Policy, index: usize) -> Option<Found> {
    let clause = &policy.clauses()[index];
    let in_front: Vec<(usize, &Clause)> = policy.clauses()[..index]
        .iter()
        .enumerate()
        .filter(|(_, other)| other.kinds().overlaps(clause.kinds()))
        .filter(|(_, other)| other.guard().is_none() || other.guard() == clause.guard())
        .collect();
    let taken =
        in_front.iter().fold(KindSet::default(), |all, (_, other)| all.union(other.kinds()));
    if !taken.contains(clause.kinds()) {
        return None;
    }
    let numbers: Vec<String> = in_front.iter().map(|(index, _)| (index + 1).to_string()).collect();
    let what = match &numbers[..] {
        [one] => format!("never reached: clause {one} takes all its kinds"),
        several => format!("never reached: clauses {} take all its kinds", several.join(", ")),
    };
    Some((what, "put it in front, or leave it out".into()))
}

/// Steps behind one that never ends.
fn never_run(clause: &Clause) -> Option<Found> {
    let endless = |step: &Step| matches!(step, Step::Retry(Retry { times: Times::Forever, .. }));
    let at = clause.steps().iter().position(endless)?;
    let behind = clause.steps().get(at + 1..).filter(|behind| !behind.is_empty())?;
    let steps: Vec<String> = behind.iter().map(|step| format!("`{}`", short(step))).collect();
    let what = format!(
        "{} behind `retry forever` never run{}",
        steps.join(", "),
        if steps.len() == 1 { "s" } else { "" }
    );
    Some((what, "say how often, as in `retry 10`, or leave the rest out".into()))
}

/// A retry that keeps clients in step.
fn in_step(step: &Step) -> Option<Found> {
    let Step::Retry(Retry { times, backoff }) = step else { return None };
    if backoff.shape() != Jitter::None {
        return None;
    }
    let exact = backoff.spread(0).max == backoff.cap();
    let reaches_cap = match times {
        Times::Forever => true,
        // `retry 3 every 5s` was meant.
        Times::Only(times) => !exact && backoff.spread(times.get() - 1).max == backoff.cap(),
    };
    if !reaches_cap {
        return None;
    }
    let what = format!(
        "clients that fail together come back together, every {}: no jitter",
        Human(backoff.cap())
    );
    let instead = if exact {
        format!("write `every {} jitter equal`", Human(backoff.cap()))
    } else {
        "leave `jitter none` out".into()
    };
    Some((what, instead))
}

/// `next` or `drop` where the only server has its only turn.
fn nowhere_to_go(policy: &Policy, clause: &Clause) -> Option<Found> {
    let one_round = matches!(policy.rounds().times, Times::Only(times) if times.get() == 1);
    if policy.servers().len() != 1 || !one_round {
        return None;
    }
    let step = clause.steps().iter().find(|step| matches!(step, Step::Next | Step::Drop))?;
    let what = format!("`{step}` has nowhere to go: there is one server, and one round");
    Some((what, "name another server, or allow more rounds: `rounds = 3`".into()))
}

/// A first pause that the deadline cuts off.
fn too_late(policy: &Policy, schedule: &Schedule) -> Option<Found> {
    let deadline = policy.deadline()?;
    let first = schedule.pauses.first()?.spread;
    // A guard may let the first failure pass; then this clause is not the first.
    let guarded = policy.clauses()[schedule.clause].guard() == Some(Guard::New);
    if first.min < deadline || guarded {
        return None;
    }
    let what = format!(
        "never tries again: its first pause is {} or more, and the deadline {}",
        Human(first.min),
        Human(deadline)
    );
    Some((what, "allow more time, or begin with a shorter pause".into()))
}

/// A step without its details.
fn short(step: &Step) -> &'static str {
    match step {
        Step::Retry(_) => "retry",
        Step::Next => "next",
        Step::Drop => "drop",
        Step::Diagnose => "diagnose",
        Step::Run(_) => "run",
        Step::Say(_) => "say",
        Step::Exit(_) => "exit",
        Step::Stop => "stop",
        _ => "…",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::schedule::schedules;
    use redial::Server;

    fn of(
        clauses: &str,
        change: impl FnOnce(redial::PolicyBuilder) -> redial::PolicyBuilder,
    ) -> Vec<String> {
        let policy = change(Policy::build(Verb::Connect).except(clauses).unwrap());
        let schedules = schedules(&policy).unwrap();
        let found = warnings(&policy.build().unwrap(), &schedules);
        found.into_iter().map(|found| format!("{}: {}", found.clause + 1, found.what)).collect()
    }

    fn plain(clauses: &str) -> Vec<String> {
        of(clauses, |policy| policy)
    }

    fn alone(policy: redial::PolicyBuilder) -> redial::PolicyBuilder {
        policy.server(Server::parse("db:1").unwrap())
    }

    #[test]
    fn a_clause_behind_one_that_takes_everything() {
        assert_eq!(
            plain("any: stop; refused: retry 3"),
            ["2: never reached: clause 1 takes all its kinds"]
        );
        assert_eq!(
            plain("refused: stop; dns: stop; refused, dns-not-found: retry 3"),
            ["3: never reached: clauses 1, 2 take all its kinds"]
        );
        assert_eq!(plain("any if fresh: stop; refused if fresh: stop").len(), 1);
        for fine in [
            "any if fresh: stop; refused: retry 3",
            "refused: stop; any: stop",
            "any: stop; closed: stop",
            "transient: stop; application: stop",
        ] {
            assert_eq!(plain(fine), [""; 0], "{fine}");
        }
    }

    #[test]
    fn steps_behind_one_that_never_ends() {
        assert_eq!(
            plain("any: retry forever, next, stop"),
            ["1: `next`, `stop` behind `retry forever` never run"]
        );
        assert_eq!(
            plain("any: retry 3, retry forever, stop"),
            ["1: `stop` behind `retry forever` never runs"]
        );
    }

    #[test]
    fn clients_in_step() {
        let warned = "1: clients that fail together come back together, every 30s: no jitter";
        assert_eq!(plain("any: retry forever every 30s"), [warned]);
        assert_eq!(plain("any: retry 20 every 1s..30s jitter none"), [warned]);
        for fine in [
            "any: retry 3 every 30s",
            "any: retry 3 every 1s..30s jitter none",
            "any: retry forever every 30s jitter equal",
            "any: retry forever every 30s..30s",
        ] {
            assert_eq!(plain(fine), [""; 0], "{fine}");
        }
    }

    #[test]
    fn nowhere_to_go_but_only_when_that_is_known() {
        let warned = "1: `next` has nowhere to go: there is one server, and one round";
        assert_eq!(of("any: retry 3, next", alone), [warned]);
        assert_eq!(of("any: next", |policy| alone(alone(policy))), [""; 0]);
        assert_eq!(of("any: next", |policy| alone(policy).rounds("2".parse().unwrap())), [""; 0]);
        assert_eq!(plain("any: next"), [""; 0]);
        assert_eq!(of("transient if fresh: retry 10, next", alone), [""; 0]);
        assert_eq!(of("any if fresh: next", |policy| alone(policy).only(true)), [""; 0]);
    }

    #[test]
    fn a_deadline_before_the_first_pause_is_over() {
        let limit = |seconds| {
            move |policy: redial::PolicyBuilder| {
                policy.deadline(std::time::Duration::from_secs(seconds))
            }
        };
        assert_eq!(
            of("any: retry 3 every 20s..1m", limit(5)),
            ["1: never tries again: its first pause is 10s or more, and the deadline 5s"]
        );
        assert_eq!(of("any: retry 3 every 20s..1m", limit(15)), [""; 0]);
    }
}

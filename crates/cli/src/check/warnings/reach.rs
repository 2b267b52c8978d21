//! What never happens: clauses never reached, steps never run, attempts never made.
//!
//! Whether a clause can handle a failure is the core's to say ([`Policy::unreached`]); here it is
//! put into words. Start at any of them: each is one danger.
//!
//! [`Policy::unreached`]: redial::Policy::unreached

use redial::{Clause, Guard, Kind, KindSet, Missing, Step, Unreached, Verb};

use super::{Case, Found};

/// Clauses in front of it take whatever it would.
pub(super) fn never_reached(case: &Case<'_>, clause: usize) -> Option<Found> {
    let Some(Unreached::Behind(in_front)) = case.policy.unreached(clause) else { return None };
    let numbers: Vec<String> = in_front.iter().map(|index| (index + 1).to_string()).collect();
    let what = match &numbers[..] {
        [one] => format!("never reached: clause {one} takes all its kinds"),
        several => format!("never reached: clauses {} take all its kinds", several.join(", ")),
    };
    Some((what, "put it in front, or leave it out".into()))
}

/// What it names does not happen to these servers.
pub(super) fn cannot_happen(case: &Case<'_>, clause: usize) -> Option<Found> {
    let Some(Unreached::Without(missing)) = case.policy.unreached(clause) else { return None };
    let (why, instead): (Vec<&str>, Vec<&str>) = missing.into_iter().filter_map(words_of).unzip();
    let what = format!("never reached: {}", why.join(", and "));
    Some((what, format!("leave it out, or {}", instead.join(" and "))))
}

/// What is missing, and what would be there.
fn words_of(missing: Missing) -> Option<(&'static str, &'static str)> {
    Some(match missing {
        Missing::Name => ("every server is an address, so no name is looked up", "name a host"),
        Missing::UnixSocket => ("no server is a Unix socket", "write the server as `unix:/PATH`"),
        Missing::Tls => ("no server is reached by TLS", "write the server as `tls://HOST:PORT`"),
        Missing::Expectation => {
            ("nothing is expected, so nothing is unexpected", "say what: `expect = \"TEXT\"`")
        }
        Missing::Recipe => (
            "no server is judged by its protocol, which would know how it says \"not now\"",
            "name the protocol, as in `postgres://HOST` or `as = \"postgres\"`",
        ),
        _ => return None,
    })
}

/// Steps behind one that never ends.
pub(super) fn never_run(case: &Case<'_>, clause: usize) -> Option<Found> {
    if data_moved(case, clause).is_some() {
        return None; // then they do
    }
    let clause = &case.policy.clauses()[clause];
    let endless = |step: &Step| matches!(step, Step::Retry(retry) if retry.is_endless());
    let at = clause.steps().iter().position(endless)?;
    let behind = clause.steps().get(at + 1..).filter(|behind| !behind.is_empty())?;
    let what = format!(
        "{} behind `retry forever` never run{}",
        names(behind.iter()),
        if behind.len() == 1 { "s" } else { "" }
    );
    Some((what, "say how often, as in `retry 10`, or leave the rest out".into()))
}

/// `next` or `drop` where the only server has its only turn.
pub(super) fn nowhere_to_go(case: &Case<'_>, clause: usize) -> Option<Found> {
    let one_round = !case.policy.rounds().times.allows(1);
    if case.policy.servers().len() != 1 || !one_round {
        return None;
    }
    let steps = case.policy.clauses()[clause].steps();
    let step = steps.iter().find(|step| matches!(step, Step::Next | Step::Drop))?;
    let what = format!("`{step}` has nowhere to go: there is one server, and one round");
    Some((what, "name another server, or allow more rounds: `rounds = 3`".into()))
}

/// What ends a connection on which data has moved as a rule.
const LATE: KindSet = KindSet::of(&[Kind::Closed, Kind::BrokenPipe]);
/// What may end one.
const MAY_BE_LATE: KindSet =
    LATE.union(KindSet::of(&[Kind::ClosedEarly, Kind::Truncated, Kind::Reset, Kind::Stalled]));

/// `connect` makes no attempt once data has moved: what stands behind comes at once.
pub(super) fn data_moved(case: &Case<'_>, clause: usize) -> Option<Found> {
    let clause = &case.policy.clauses()[clause];
    let is_guarded = matches!(clause.guard(), Some(Guard::Fresh | Guard::Unsent));
    if case.policy.verb() != Verb::Connect || is_guarded || !clause.kinds().overlaps(MAY_BE_LATE) {
        return None;
    }
    let at = clause.steps().iter().position(Step::is_attempt)?;
    let (attempt, behind) = clause.steps()[at..].split_first()?;
    if LATE.contains(clause.kinds()) {
        let what = format!(
            "comes when data has moved, and then `{}` is passed over: nothing is ever sent again",
            short(attempt)
        );
        return Some((what, "leave it out, and let what starts redial start it again".into()));
    }
    let acts = |step: &&Step| matches!(step, Step::Say(_) | Step::Run(_) | Step::Exit(_));
    let acting: Vec<&Step> = behind.iter().filter(acts).collect();
    if acting.is_empty() {
        return None;
    }
    let what = format!(
        "once data has moved `{}` is passed over, and {} come{} at once",
        short(attempt),
        names(acting.iter().copied()),
        if acting.len() == 1 { "s" } else { "" },
    );
    Some((what, format!("write `{} if fresh`", unguarded(clause))))
}

/// A family that is retried without an end, permanent kinds included: an unknown name, an expired
/// certificate. A kind that is named by itself was meant.
pub(super) fn retries_permanent(case: &Case<'_>, index: usize) -> Option<Found> {
    let policy = case.policy;
    let clause = &policy.clauses()[index];
    let is_endless = |step: &Step| matches!(step, Step::Retry(retry) if retry.is_endless());
    // `wait` waits for names and certificates too.
    let is_bounded =
        policy.deadline().is_some() || matches!(policy.verb(), Verb::Wait | Verb::Gone);
    if is_bounded || !clause.steps().iter().any(is_endless) {
        return None;
    }
    let label = clause.label();
    let named = label.split(" if ").next().and_then(|kinds| kinds.split(" but ").next())?;
    let by_itself: Vec<KindSet> = named
        .split(", ")
        .filter_map(KindSet::named)
        .filter(|kinds| kinds.iter().count() == 1)
        .collect();
    let permanent: Vec<&str> = clause
        .kinds()
        .iter()
        .filter(|kind| kind.is_lasting() && !by_itself.contains(&KindSet::of(&[*kind])))
        .filter(|kind| policy.handles(index, *kind))
        .map(Kind::name)
        .collect();
    let list = permanent.join(", ");
    let instead = match (permanent.is_empty(), label.contains(" but ")) {
        (true, _) => return None,
        (false, true) => format!("put `{list}: stop` before it"),
        (false, false) => format!("write `{named} but {list}`, or put `{list}: stop` before it"),
    };
    Some((format!("retries forever what does not go away by itself: {list}"), instead))
}

/// The kinds as they were written.
fn unguarded(clause: &Clause) -> String {
    let label = redial::masked(&clause.label());
    label.split_once(" if ").map_or(label.clone(), |(kinds, _)| kinds.to_owned())
}

/// `` `run`, `stop` ``
fn names<'a>(steps: impl Iterator<Item = &'a Step>) -> String {
    let steps: Vec<String> = steps.map(|step| format!("`{}`", short(step))).collect();
    steps.join(", ")
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

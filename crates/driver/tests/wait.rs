//! Waiting: what is believed, what ends it, and how many are enough.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::time::{Duration, Instant};

use redial::{Event, Goal, Kind, Policy, PolicyBuilder, Redial, Server, Verb, Verdict, Wait};
use redial_lab::{Behaviour, Lab, Outage, Script};

fn server(lab: &Lab) -> Server {
    Server::parse(&lab.address().to_string()).unwrap()
}

fn policy(verb: Verb, lab: &Lab) -> PolicyBuilder {
    Policy::build(verb).server(server(lab)).deadline(Duration::from_secs(20))
}

/// Ends at its first failure.
fn once(lab: &Lab) -> Redial {
    Redial::new(policy(Verb::Wait, lab).only(true).build().unwrap())
}

fn wait(lab: &Lab) -> Redial {
    Redial::new(policy(Verb::Wait, lab).build().unwrap())
}

async fn failure(lab: &Lab) -> Kind {
    match once(lab).ready().await.unwrap().verdict {
        Verdict::Unhandled(failure) => failure.kind,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_connection_that_does_not_last_is_not_believed() {
    assert_eq!(failure(&Lab::start(Behaviour::Close).unwrap()).await, Kind::ClosedEarly);
    assert_eq!(failure(&Lab::start(Behaviour::Reset).unwrap()).await, Kind::Reset);
    assert_eq!(failure(&Lab::start(Outage::Refuse).unwrap()).await, Kind::Refused);
}

#[tokio::test]
async fn a_connection_that_lasts_or_a_server_that_speaks_is_believed() {
    for behaviour in [Behaviour::Stall, Behaviour::banner("hi"), Behaviour::say("hi")] {
        let lab = Lab::start(behaviour).unwrap();
        assert_eq!(once(&lab).ready().await.unwrap().verdict, Verdict::Well);
    }
}

/// A port that is forwarded before there is a server behind it.
#[tokio::test]
async fn accept_then_close_is_waited_through() {
    let script = Script::new([
        Behaviour::Close.times(2),
        Behaviour::Reset.times(1),
        Behaviour::Stall.forever(),
    ]);
    let lab = Lab::start(script).unwrap();
    let finished = wait(&lab).ready().await.unwrap();
    assert_eq!(finished.verdict, Verdict::Well);
    assert_eq!(lab.seen().totals.connections, 4);
}

#[tokio::test]
async fn all_alternatives_are_tried_side_by_side_and_one_will_do() {
    let (down, hole) =
        (Lab::start(Outage::Refuse).unwrap(), Lab::start(Outage::Blackhole).unwrap());
    let up = Lab::start(Behaviour::Stall).unwrap();
    let began = Instant::now();
    let waited = Wait::new(Goal::All)
        .target([wait(&hole), wait(&down), wait(&up)])
        .target([wait(&up)])
        .run()
        .await
        .unwrap();
    assert!(waited.reached);
    assert_eq!(waited.ready().collect::<Vec<_>>(), [(0, 2), (1, 0)]);
    assert!(waited.targets[0][0].is_none(), "it was called off");
    assert!(began.elapsed() < Duration::from_secs(4), "nobody waited for the black hole");
}

#[tokio::test]
async fn out_of_reach_ends_it_at_once() {
    let (down, up) = (Lab::start(Outage::Refuse).unwrap(), Lab::start(Outage::Blackhole).unwrap());
    let waited =
        Wait::new(Goal::All).target([once(&down)]).target([wait(&up)]).run().await.unwrap();
    assert!(!waited.reached);
    assert!(matches!(waited.verdict, Verdict::Unhandled(failure) if failure.kind == Kind::Refused));
}

#[tokio::test]
async fn one_deadline_ends_what_is_in_flight() {
    let hole = Lab::start(Outage::Blackhole).unwrap();
    let limit = Duration::from_millis(200);
    let policy = Policy::build(Verb::Wait).server(server(&hole)).deadline(limit).build().unwrap();
    let began = Instant::now();
    let waited = Wait::new(Goal::All).target([Redial::new(policy)]).run().await.unwrap();
    assert!(matches!(waited.verdict, Verdict::Deadline(_)), "{:?}", waited.verdict);
    assert!(began.elapsed() >= limit);
}

#[tokio::test]
async fn several_times_in_a_row_begins_anew_after_a_failure() {
    let script = Script::new([
        Behaviour::say("1").times(1),
        Behaviour::Close.times(1),
        Behaviour::say("2").forever(),
    ]);
    let lab = Lab::start(script).unwrap();
    let policy = policy(Verb::Wait, &lab).consecutive(2).build().unwrap();
    let finished = Redial::new(policy).ready().await.unwrap();
    assert_eq!(finished.verdict, Verdict::Well);
    assert_eq!(lab.seen().totals.connections, 4, "well, not well, well, well");
    let again = |happened: &&redial::Happened| matches!(happened.event, Event::Again { .. });
    assert_eq!(finished.record.events().flatten().filter(again).count(), 2);
}

#[tokio::test]
async fn gone_is_refused_or_absent_not_unknown() {
    let script = Script::new([Behaviour::Stall.times(2), Outage::Refuse.forever()]);
    let lab = Lab::start(script).unwrap();
    let gone = Redial::new(policy(Verb::Gone, &lab).build().unwrap());
    let finished = gone.ready().await.unwrap();
    assert_eq!(finished.verdict, Verdict::Exit(0));
    assert_eq!(lab.seen().totals.connections, 2, "it was there twice");

    let absent = Server::parse("unix:/nowhere/at/all.sock").unwrap();
    let policy = Policy::build(Verb::Gone).server(absent).build().unwrap();
    assert_eq!(Redial::new(policy).ready().await.unwrap().verdict, Verdict::Exit(0));

    let unknown = Server::parse("no-such-name.invalid:1").unwrap();
    let policy = Policy::build(Verb::Gone).server(unknown).build().unwrap();
    let verdict = Redial::new(policy).ready().await.unwrap().verdict;
    assert!(matches!(verdict, Verdict::Stopped(_)), "{verdict:?}");
}

#[tokio::test]
async fn else_and_finally_belong_to_the_whole() {
    let lab = Lab::start(Behaviour::Stall).unwrap();
    let said = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let teller = said.clone();
    let policy =
        policy(Verb::Wait, &lab).otherwise("say well").unwrap().finally("say over").unwrap();
    let redial = Redial::new(policy.build().unwrap()).listen(move |happened| {
        if let Event::Said { line } = &happened.event {
            teller.lock().unwrap().push(line.to_string());
        }
    });
    assert_eq!(redial.conclude(Verdict::Well).await.unwrap().verdict, Verdict::Well);
    assert_eq!(*said.lock().unwrap(), ["well", "over"]);
    assert_eq!(lab.seen().totals.connections, 0, "nothing is dialled");
}

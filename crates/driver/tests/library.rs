//! The ways in for programs: `connect`, and `run` with a closure, against servers that misbehave.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use redial::{
    Delivery, Event, GaveUp, Kind, Lasting, NotConnected, Policy, PolicyBuilder, Redial, Server,
    Verb, Verdict,
};
use redial_lab::{Behaviour, Lab, Outage, Script};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SAYS: &str = "hello\n";

fn lab(script: impl Into<Script>) -> Lab {
    Lab::start(script).unwrap()
}

fn policy(verb: Verb, labs: &[&Lab]) -> PolicyBuilder {
    labs.iter().fold(Policy::build(verb), |policy, lab| {
        policy.server(Server::parse(&lab.address().to_string()).unwrap())
    })
}

fn gave_up<T>(result: Result<T, NotConnected>) -> Box<GaveUp> {
    match result {
        Err(NotConnected::GaveUp(gave_up)) => gave_up,
        Err(NotConnected::Unable(error)) => panic!("{error}"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it went well"),
    }
}

#[tokio::test]
async fn connect_hands_over_a_connection_of_the_server_that_works() {
    let (down, up) = (lab(Outage::Refuse), lab(Behaviour::say(SAYS)));
    let mut connection =
        redial::connect(policy(Verb::Connect, &[&down, &up]).build().unwrap()).await.unwrap();
    let mut said = String::new();
    connection.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, SAYS);
    assert_eq!(connection.failure().kind, Kind::Closed);
}

#[tokio::test]
async fn giving_up_says_how_and_keeps_every_attempt() {
    let down = lab(Outage::Refuse);
    let policy = policy(Verb::Connect, &[&down]).except("refused: retry 2 every 1ms, stop");
    let gave_up = gave_up(redial::connect(policy.unwrap().build().unwrap()).await);
    assert!(matches!(gave_up.verdict, Verdict::Stopped(_)));
    assert_eq!(gave_up.failure().unwrap().kind, Kind::Refused);
    assert!(gave_up.to_string().contains("nothing listens there"), "{gave_up}");
    let attempts = |event: &Event| matches!(event, Event::Trying { .. });
    assert_eq!(gave_up.record.events().flatten().filter(|note| attempts(&note.event)).count(), 3);
}

#[tokio::test]
async fn exit_is_a_verdict_and_say_an_event() {
    let down = lab(Outage::Refuse);
    let policy = policy(Verb::Connect, &[&down]).except("refused: say '{server} is down', exit 9");
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = said.clone();
    let redial = Redial::new(policy.unwrap().build().unwrap()).listen(move |happened| {
        if let Event::Said { line } = &happened.event {
            heard.lock().unwrap().push(line.to_string());
        }
    });
    assert_eq!(gave_up(redial.connect().await).verdict, Verdict::Exit(9));
    assert_eq!(*said.lock().unwrap(), [format!("{} is down", down.address())]);
}

#[tokio::test]
async fn a_command_is_an_error_unless_it_is_allowed() {
    let down = lab(Outage::Refuse);
    let policy = policy(Verb::Connect, &[&down]).except("refused: run false, exit 5").unwrap();
    let policy = policy.build().unwrap();
    let refused = redial::connect(policy.clone()).await;
    assert!(matches!(refused, Err(NotConnected::Unable(_))));
    assert_eq!(gave_up(Redial::new(policy).allow_run().connect().await).verdict, Verdict::Exit(5));
}

#[tokio::test]
async fn run_hands_over_a_new_connection_until_the_closure_is_content() {
    let flaky = lab(Script::new([Behaviour::Reset.times(2), Behaviour::Echo.forever()]));
    let policy = policy(Verb::Stay, &[&flaky]).except("reset: retry 5 every 1ms").unwrap();
    let mut calls = 0;
    let answer = redial::run(policy.build().unwrap(), |mut connection| {
        calls += 1;
        async move {
            connection.write_all(b"PING").await?;
            let mut answer = [0; 4];
            connection.read_exact(&mut answer).await?;
            Ok::<_, io::Error>(answer)
        }
    })
    .await
    .unwrap();
    assert_eq!((&answer, calls), (b"PING", 3));
}

#[tokio::test]
async fn an_end_inside_a_reply_is_truncated() {
    let short = lab(Behaviour::say("PO"));
    let policy = policy(Verb::Connect, &[&short]).build().unwrap();
    let result = redial::run(policy, |mut connection| async move {
        let mut answer = [0; 4];
        connection.read_exact(&mut answer).await.map(drop)
    })
    .await;
    assert_eq!(gave_up(result).failure().unwrap().kind, Kind::Truncated);
}

#[tokio::test]
async fn an_error_of_the_closure_is_application_and_lasts_only_if_it_says_so() {
    let up = lab(Behaviour::Echo);
    let policy =
        |clauses: &str| policy(Verb::Connect, &[&up]).except(clauses).unwrap().build().unwrap();
    let mut calls = 0;
    let passing = redial::run(policy("transient: retry 2 every 1ms"), |_| {
        calls += 1;
        async { Err::<(), _>("the cache is cold") }
    })
    .await;
    let gave_up_passing = gave_up(passing);
    let failure = gave_up_passing.failure().unwrap();
    assert_eq!((failure.kind, failure.lasting, calls), (Kind::Application, false, 3));
    assert!(failure.to_string().contains("the cache is cold"), "{failure}");
    let lasting =
        redial::run(policy("transient: retry 2 every 1ms\napplication: exit 7"), |_| async {
            Err::<(), _>(Lasting::new("wrong password"))
        })
        .await;
    assert_eq!(gave_up(lasting).verdict, Verdict::Exit(7));
}

#[tokio::test]
async fn the_deadline_bounds_the_time_without_a_connection() {
    let hole = lab(Outage::Blackhole);
    let policy = policy(Verb::Connect, &[&hole]).deadline(Duration::from_millis(200));
    let begun = std::time::Instant::now();
    let gave_up = gave_up(redial::connect(policy.build().unwrap()).await);
    assert!(matches!(gave_up.verdict, Verdict::Deadline(_)));
    assert!(begun.elapsed() < Duration::from_secs(4), "the attempt was not cancelled");
}

#[tokio::test]
async fn the_deadline_of_run_bounds_the_closure_too() {
    let stall = lab(Behaviour::Stall);
    let policy = policy(Verb::Stay, &[&stall]).deadline(Duration::from_millis(200));
    let result =
        redial::run(
            policy.build().unwrap(),
            |mut connection| async move { connection.read_u8().await },
        )
        .await;
    assert!(matches!(gave_up(result).verdict, Verdict::Deadline(_)));
}

#[tokio::test]
async fn what_was_never_sent_is_unsent() {
    let reset = lab(Behaviour::Reset);
    let policy = policy(Verb::Connect, &[&reset]).except("reset if unsent: exit 3").unwrap();
    let result =
        redial::run(
            policy.build().unwrap(),
            |mut connection| async move { connection.read_u8().await },
        )
        .await;
    let gave_up = gave_up(result);
    assert_eq!(gave_up.verdict, Verdict::Exit(3));
    let failures = gave_up.record.events().flatten().filter_map(|note| match &note.event {
        Event::Failed { failure, .. } => Some(failure.delivery),
        _ => None,
    });
    assert_eq!(failures.collect::<Vec<_>>(), [Delivery::Unsent]);
}

#[tokio::test]
async fn both_ways_in_can_be_spawned() {
    let up = lab(Behaviour::say(SAYS));
    let policy = policy(Verb::Connect, &[&up]).build().unwrap();
    let connected = tokio::spawn(redial::connect(policy.clone())).await.unwrap();
    assert!(connected.is_ok());
    let task = tokio::spawn(async move {
        redial::run(policy, |mut connection| async move { connection.read_u8().await })
            .await
            .is_ok()
    });
    assert!(task.await.unwrap());
}

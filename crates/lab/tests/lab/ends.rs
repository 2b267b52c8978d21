use std::io::Write;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use redial_lab::{Behaviour, Ended, Lab, sha256};

use crate::client::{PATIENCE, SILENCE, assert_says, connect};

#[test]
fn each_end_is_told_once_with_all_that_was_seen() {
    let (tell, told) = channel();
    let on_end = move |seen: &_| tell.send(Clone::clone(seen)).unwrap();
    let lab = Lab::build(Behaviour::Echo).on_end(on_end).start().unwrap();
    let mut stream = connect(&lab);
    stream.write_all(b"to and fro").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_says(&mut stream, "to and fro");

    let seen = told.recv_timeout(PATIENCE).unwrap();
    assert_eq!((seen.number, seen.behaviour), (0, "echo"));
    assert_eq!(seen.peer, stream.local_addr().unwrap());
    assert_eq!((seen.bytes_in, seen.bytes_out), (10, 10));
    assert_eq!(seen.head, b"to and fro");
    assert_eq!((seen.sha256_in, seen.sha256_out), (sha256("to and fro"), sha256("to and fro")));
    assert_eq!(seen.ended, Some(Ended::ClosedByPeer));
    assert!(seen.elapsed > std::time::Duration::ZERO);
    assert_eq!(lab.stop().connections, [seen]);
    assert!(told.recv().is_err(), "told twice");
}

#[test]
fn a_connection_that_outlived_the_ones_kept_is_told_in_full() {
    for kept in [0, 2] {
        let (tell, told) = channel();
        let on_end = move |seen: &_| tell.send(Clone::clone(seen)).unwrap();
        let lab = Lab::build(Behaviour::Sink).kept(kept).on_end(on_end).start().unwrap();
        let mut first = connect(&lab);
        assert!(lab.wait_for_connections(1, PATIENCE));
        for number in 1..5 {
            drop(connect(&lab));
            assert_eq!(told.recv_timeout(PATIENCE).unwrap().number, number);
        }
        assert!(lab.seen().connections.iter().all(|seen| seen.number > 2));
        first.write_all(b"still here").unwrap();
        drop(first);
        let seen = told.recv_timeout(PATIENCE).unwrap();
        assert_eq!((seen.number, seen.bytes_in), (0, 10));
        assert_eq!(
            (seen.head.as_slice(), seen.sha256_in),
            (&b"still here"[..], sha256("still here"))
        );
    }
}

#[test]
fn who_lives_when_the_lab_stops_is_told_then() {
    let (tell, told) = channel();
    let on_end = move |seen: &_| tell.send(Clone::clone(seen)).unwrap();
    let lab = Lab::build(Behaviour::banner("hi")).on_end(on_end).start().unwrap();
    let _streams = [connect(&lab), connect(&lab)];
    assert!(lab.wait_until(PATIENCE, |totals| totals.bytes_out == 4));
    lab.stop();
    let mut seen: Vec<_> = told.try_iter().collect();
    seen.sort_by_key(|seen| seen.number);
    let told = seen.iter().map(|seen| (seen.number, seen.bytes_out, seen.ended.clone()));
    assert_eq!(told.collect::<Vec<_>>(), [(0, 2, None), (1, 2, None)]);
}

#[test]
fn one_who_is_slow_to_hear_holds_up_who_comes_and_nobody_who_lives() {
    let (go_on, wait) = channel::<()>();
    let on_end = move |_: &_| wait.recv_timeout(PATIENCE).unwrap();
    let lab = Lab::build(Behaviour::Echo).at_once(2).on_end(on_end).start().unwrap();
    let (first, mut second) = (connect(&lab), connect(&lab));
    assert!(lab.wait_for_connections(2, PATIENCE));
    drop(first);
    assert!(lab.wait_for_ends(1, PATIENCE));
    let third = connect(&lab);
    assert!(!lab.wait_for_connections(3, SILENCE), "its place is free before the call returned");
    second.write_all(b"alive").unwrap();
    assert!(lab.wait_until(PATIENCE, |totals| totals.bytes_out == 5));
    go_on.send(()).unwrap();
    assert!(lab.wait_for_connections(3, PATIENCE));
    drop((second, third));
    go_on.send(()).unwrap();
    go_on.send(()).unwrap();
}

#[test]
fn who_is_told_may_ask_the_lab_and_drop_it() {
    let lab = Arc::new(Mutex::new(None::<Lab>));
    let (tell, told) = channel();
    let held = Arc::clone(&lab);
    let on_end = move |_: &_| {
        let lab = held.lock().unwrap().take().unwrap();
        tell.send(lab.seen().totals.ended).unwrap();
        drop(lab);
        tell.send(0).unwrap();
    };
    let started = Lab::build(Behaviour::say("x")).on_end(on_end).start().unwrap();
    let mut stream = connect(&started);
    let waiting = lab.lock().unwrap().replace(started);
    assert!(waiting.is_none());
    assert_says(&mut stream, "x");
    drop(stream);
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), 1);
    assert_eq!(told.recv_timeout(PATIENCE).unwrap(), 0);
}

use std::io::Write;

use redial_lab::{Behaviour, Ended, Lab, sha256};

use crate::client::{PATIENCE, SILENCE, assert_says, connect};

#[test]
fn a_connection_is_seen_while_it_lives_and_after() {
    let lab = Lab::start(Behaviour::Sink).unwrap();
    assert!(!lab.wait_for_connections(1, SILENCE), "nobody came");
    let mut stream = connect(&lab);
    assert!(lab.wait_for_connections(1, PATIENCE));
    stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    assert!(lab.wait_until(PATIENCE, |totals| totals.bytes_in == 16));

    let seen = &lab.seen().connections[0];
    assert_eq!((seen.number, seen.bytes_in, seen.bytes_out), (0, 16, 0));
    assert_eq!(seen.peer, stream.local_addr().unwrap());
    assert_eq!(seen.head, b"GET / HTTP/1.1\r\n");
    assert_eq!(seen.sha256_in, sha256("GET / HTTP/1.1\r\n"));
    assert_eq!(seen.ended, None);

    drop(stream);
    assert!(lab.wait_for_ends(1, PATIENCE));
    assert_eq!(lab.stop().connections[0].ended, Some(Ended::ClosedByPeer));
}

#[test]
fn the_list_is_bounded_and_the_totals_are_not() {
    let lab = Lab::build(Behaviour::say("x")).kept(2).start().unwrap();
    for _ in 0..5 {
        assert_says(&mut connect(&lab), "x");
    }
    assert!(lab.wait_for_ends(5, PATIENCE));
    let seen = lab.seen();
    assert_eq!((seen.totals.connections, seen.totals.bytes_out), (5, 5));
    assert_eq!(seen.connections.iter().map(|seen| seen.number).collect::<Vec<_>>(), [3, 4]);
}

use redial_lab::{Behaviour, Lab, Outage, Script};
use std::time::Duration;

use crate::client::{assert_reset, assert_says, connect};

#[test]
fn two_resets_then_well() {
    let script = Script::new([Behaviour::Reset.times(2), Behaviour::say("well").forever()]);
    let lab = Lab::start(script).unwrap();
    assert_reset(&mut connect(&lab), "");
    assert_reset(&mut connect(&lab), "");
    for _ in 0..3 {
        assert_says(&mut connect(&lab), "well");
    }
    let words: Vec<_> = lab.seen().connections.iter().map(|seen| seen.behaviour).collect();
    assert_eq!(words, ["reset", "reset", "say", "say", "say"]);
}

#[test]
fn a_loop_goes_round_through_an_outage() {
    let lab = Lab::start(Script::looping([
        Behaviour::say("a").times(1),
        Outage::Refuse.lasting(Duration::from_millis(1)),
        Behaviour::say("b").times(1),
    ]))
    .unwrap();
    for expected in ["a", "b", "a", "b"] {
        let mut stream = loop {
            // Refused for 1 ms after each "a".
            match std::net::TcpStream::connect(lab.address()) {
                Ok(stream) => break stream,
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused),
            }
        };
        assert_says(&mut stream, expected);
    }
}

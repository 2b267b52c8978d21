use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use redial_lab::{Behaviour, Lab, Outage, Script};

use crate::client::{PATIENCE, assert_says, connect, refusal};

#[test]
fn refuse_refuses() {
    let lab = Lab::start(Outage::Refuse).unwrap();
    for _ in 0..3 {
        assert_eq!(refusal(&lab), ErrorKind::ConnectionRefused);
    }
    assert_eq!(lab.seen().totals.connections, 0);
}

#[test]
fn refuse_for_a_time_then_the_same_port_answers() {
    let time = Duration::from_millis(400);
    let start = Instant::now();
    let lab = Lab::start(Script::new([
        Outage::Refuse.lasting(time),
        Behaviour::say("at last").forever(),
    ]))
    .unwrap();
    let mut refused = 0;
    let mut stream = loop {
        assert!(start.elapsed() < PATIENCE);
        match TcpStream::connect(lab.address()) {
            Ok(stream) => break stream,
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
        }
        refused += 1;
    };
    assert!(refused > 0);
    assert!(start.elapsed() >= time, "{:?}", start.elapsed());
    assert_says(&mut stream, "at last");
}

#[test]
fn refuse_after_the_last_connection_of_an_entry() {
    let script = Script::new([Behaviour::say("once").times(1), Outage::Refuse.forever()]);
    let lab = Lab::start(script).unwrap();
    assert_says(&mut connect(&lab), "once");
    assert_eq!(refusal(&lab), ErrorKind::ConnectionRefused);
}

#[test]
fn connections_live_through_an_outage() {
    let script = Script::new([Behaviour::Echo.times(1), Outage::Refuse.forever()]);
    let lab = Lab::start(script).unwrap();
    let mut stream = connect(&lab);
    assert!(lab.wait_for_connections(1, PATIENCE));
    assert_eq!(refusal(&lab), ErrorKind::ConnectionRefused);
    std::io::Write::write_all(&mut stream, b"still here").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_says(&mut stream, "still here");
}

// A full backlog is silent on Linux only.
#[cfg(target_os = "linux")]
mod blackhole {
    use super::*;

    #[test]
    fn blackhole_ignores_every_request() {
        let lab = Lab::start(Outage::Blackhole).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(refusal(&lab), ErrorKind::TimedOut));
            }
        });
        assert_eq!(lab.seen().totals.connections, 0);
    }

    #[test]
    fn blackhole_over_ipv6_and_on_every_address() {
        for address in ["[::1]:0", "0.0.0.0:0"] {
            let lab = Lab::bind(address, Outage::Blackhole).unwrap();
            assert_eq!(refusal(&lab), ErrorKind::TimedOut, "{address}");
        }
    }

    #[test]
    fn who_waits_is_let_in_when_the_blackhole_ends() {
        let script = Script::new([
            Outage::Blackhole.lasting(Duration::from_millis(200)),
            Behaviour::say("at last").forever(),
        ]);
        let lab = Lab::start(script).unwrap();
        // The kernel asks again after 1 s.
        let mut stream = TcpStream::connect_timeout(&lab.address(), PATIENCE).unwrap();
        assert_says(&mut stream, "at last");
    }
}

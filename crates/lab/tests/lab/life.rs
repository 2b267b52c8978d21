use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};

use redial_lab::{Behaviour, Lab, Outage, Script};
use tokio::io::AsyncReadExt;

use crate::client::{PATIENCE, SILENCE, assert_says, connect, read_all, refusal};

#[test]
fn dropping_the_lab_ends_it_and_frees_the_port() {
    let lab = Lab::start(Behaviour::Stall).unwrap();
    let address = lab.address();
    let mut stream = connect(&lab);
    assert!(lab.wait_for_connections(1, PATIENCE));
    drop(lab);
    let (bytes, _) = read_all(&mut stream);
    assert_eq!(bytes, b"");
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);

    let next = Lab::bind(address, Behaviour::say("next")).unwrap();
    assert_eq!(next.address(), address);
    assert_says(&mut connect(&next), "next");
}

#[test]
fn a_lab_that_refuses_stops_as_well() {
    for outage in [Outage::Refuse, Outage::Blackhole] {
        let address = Lab::start(outage).unwrap().address();
        assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }
}

#[test]
fn an_address_that_cannot_be_had_is_named_with_what_to_do() {
    let lab = Lab::start(Behaviour::Close).unwrap();
    let error = Lab::bind(lab.address(), Behaviour::Close).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    let advice = "is in use; choose another port, or 0 for a free one";
    assert_eq!(error.to_string(), format!("{} {advice}", lab.address()));

    // Of the network that is kept for documentation.
    let error = Lab::bind("192.0.2.1:0", Behaviour::Close).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrNotAvailable);
    assert_eq!(
        error.to_string(),
        "192.0.2.1 is not an address of this machine; 0.0.0.0 and [::] are all of them"
    );
}

#[test]
fn what_is_no_address_is_told_at_the_start() {
    for builder in [
        Lab::build(Behaviour::Close).bind("no port"),
        Lab::build(Behaviour::Close).bind(&[] as &[SocketAddr]),
    ] {
        assert_eq!(builder.start().unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn of_several_addresses_the_first_that_can_be_had() {
    let taken = Lab::start(Behaviour::Close).unwrap();
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let lab = Lab::bind(&[taken.address(), free][..], Behaviour::say("free")).unwrap();
    assert_says(&mut connect(&lab), "free");
}

#[test]
fn ipv6() {
    let lab = Lab::bind("[::1]:0", Behaviour::say("six")).unwrap();
    assert!(lab.address().is_ipv6());
    assert_says(&mut connect(&lab), "six");
}

#[test]
fn two_labs_are_two_servers() {
    let (first, second) =
        (Lab::start(Outage::Refuse).unwrap(), Lab::start(Behaviour::say("2")).unwrap());
    assert_ne!(first.address(), second.address());
    assert_says(&mut connect(&second), "2");
}

#[test]
fn an_asynchronous_caller_is_served_beside_its_own_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let heard = runtime.block_on(async {
        let lab = Lab::start(Behaviour::say("beside")).unwrap();
        let mut stream = tokio::net::TcpStream::connect(lab.address()).await.unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).await.unwrap();
        heard
    });
    assert_eq!(heard, "beside");
}

#[test]
fn beyond_the_limit_clients_wait() {
    let lab = Lab::build(Behaviour::Echo).at_once(1).start().unwrap();
    let first = connect(&lab);
    let _second = connect(&lab);
    assert!(lab.wait_for_connections(1, PATIENCE));
    assert!(!lab.wait_for_connections(2, SILENCE));
    drop(first);
    assert!(lab.wait_for_connections(2, PATIENCE));
}

#[test]
fn many_at_once() {
    let lab = Lab::start(Behaviour::banner("hi")).unwrap();
    let streams: Vec<_> = (0..300).map(|_| connect(&lab)).collect();
    assert!(lab.wait_for_connections(300, PATIENCE));
    assert_eq!(lab.seen().totals.ended, 0);
    drop(streams);
    assert!(lab.wait_for_ends(300, PATIENCE));
}

#[test]
fn after_the_last_connection_the_door_is_shut_and_the_lab_over_when_it_ends() {
    let lab = Lab::build(Behaviour::Echo).connections(2).start().unwrap();
    let (first, second) = (connect(&lab), connect(&lab));
    assert!(lab.wait_for_connections(2, PATIENCE));
    assert_eq!(refusal(&lab), ErrorKind::ConnectionRefused);
    drop(first);
    assert!(lab.wait_for_ends(1, PATIENCE));
    assert!(!lab.is_over());
    assert!(!lab.wait_for_end(SILENCE));
    drop(second);
    assert!(lab.wait_for_end(PATIENCE));
    assert!(lab.is_over());
    assert_eq!(lab.stop().totals.connections, 2);
}

#[test]
fn the_last_connection_comes_before_what_the_script_has_next() {
    let script = Script::new([Behaviour::say("once").times(1), Behaviour::Stall.forever()]);
    let lab = Lab::build(script).connections(1).start().unwrap();
    assert_says(&mut connect(&lab), "once");
    assert!(lab.wait_for_end(PATIENCE));
    assert_eq!(refusal(&lab), ErrorKind::ConnectionRefused);
}

#[test]
fn without_a_last_connection_a_lab_is_never_over_and_with_none_at_once() {
    let lab = Lab::start(Behaviour::say("x")).unwrap();
    assert_says(&mut connect(&lab), "x");
    assert!(lab.wait_for_ends(1, PATIENCE));
    assert!(!lab.is_over());

    let lab = Lab::build(Behaviour::say("x")).connections(0).start().unwrap();
    assert!(lab.wait_for_end(PATIENCE));
    assert_eq!(refusal(&lab), ErrorKind::ConnectionRefused);
}

#[test]
fn one_at_once_is_the_least() {
    let lab = Lab::build(Behaviour::say("x")).at_once(0).start().unwrap();
    assert_says(&mut connect(&lab), "x");
}

#[test]
fn a_lab_that_refuses_keeps_its_port_from_everybody() {
    let former = Lab::start(Behaviour::say("x")).unwrap();
    let mut stream = connect(&former);
    assert_says(&mut stream, "x");
    drop(stream);
    assert!(former.wait_for_ends(1, PATIENCE));
    let address = former.address();
    drop(former);
    // Once on a port that is fresh, once where the former's connection is not forgotten yet.
    for lab in [Lab::start(Outage::Refuse), Lab::bind(address, Outage::Refuse)] {
        let lab = lab.unwrap();
        let error = Lab::bind(lab.address(), Outage::Refuse).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        let error = TcpListener::bind(lab.address()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
    }
}

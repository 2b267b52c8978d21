use std::io::ErrorKind;
use std::net::TcpStream;

use redial_lab::{Behaviour, Lab, Limits, Outage};
use tokio::io::AsyncReadExt;

use crate::client::{PATIENCE, SILENCE, assert_says, connect, read_all};

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
fn an_address_in_use_is_an_error() {
    let lab = Lab::start(Behaviour::Close).unwrap();
    let error = Lab::bind(lab.address(), Behaviour::Close).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
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
    let limits = Limits { at_once: 1, ..Limits::default() };
    let lab = Lab::bind_within(limits, "127.0.0.1:0", Behaviour::Echo).unwrap();
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

use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use redial_lab::{After, Behaviour, Ended, Lab};

use crate::client::{PATIENCE, assert_reset, assert_says, assert_silent, connect};

/// More than the buffers of both kernels hold.
const MUCH: usize = 16 << 20;

#[track_caller]
fn assert_ended(lab: &Lab, ended: Ended) {
    assert!(lab.wait_for_ends(1, PATIENCE), "still open: {:?}", lab.seen());
    assert_eq!(lab.seen().connections[0].ended, Some(ended));
}

#[test]
fn close_is_a_clean_end_without_a_byte() {
    let lab = Lab::start(Behaviour::Close).unwrap();
    let mut stream = connect(&lab);
    assert_says(&mut stream, "");
    drop(stream);
    assert_ended(&lab, Ended::ClosedByUs);
}

#[test]
fn reset_is_a_reset() {
    let lab = Lab::start(Behaviour::Reset).unwrap();
    assert_reset(&mut connect(&lab), "");
    assert_ended(&lab, Ended::ResetByUs);
}

#[test]
fn read_then_close_waits_for_the_request() {
    let lab = Lab::start(Behaviour::ReadThenClose).unwrap();
    let mut stream = connect(&lab);
    assert_silent(&mut stream);
    stream.write_all(b"GET /").unwrap();
    assert_says(&mut stream, "");
    drop(stream);
    assert_ended(&lab, Ended::ClosedByUs);
}

#[test]
fn read_then_reset_waits_for_the_request() {
    let lab = Lab::start(Behaviour::ReadThenReset).unwrap();
    let mut stream = connect(&lab);
    assert_silent(&mut stream);
    stream.write_all(b"GET /").unwrap();
    assert_reset(&mut stream, "");
    assert_ended(&lab, Ended::ResetByUs);
}

#[test]
fn close_after_counts_bytes() {
    let lab = Lab::start(Behaviour::CloseAfter(After::In(5))).unwrap();
    let mut stream = connect(&lab);
    stream.write_all(b"1234").unwrap();
    assert_silent(&mut stream);
    stream.write_all(b"56").unwrap();
    assert_says(&mut stream, "");
}

#[test]
fn reset_after_counts_bytes_and_reads_no_more() {
    let lab = Lab::start(Behaviour::ResetAfter(After::In(20_000))).unwrap();
    let mut stream = connect(&lab);
    stream.write_all(&[b'x'; 19_999]).unwrap();
    assert_silent(&mut stream);
    stream.write_all(&[b'x'; 2]).unwrap();
    assert_reset(&mut stream, "");
    assert_ended(&lab, Ended::ResetByUs);
    assert_eq!(lab.seen().connections[0].bytes_in, 20_000);
}

#[test]
fn who_waits_for_bytes_closes_when_the_client_ends_before() {
    for behaviour in [
        Behaviour::ReadThenClose,
        Behaviour::ReadThenReset,
        Behaviour::CloseAfter(After::In(5)),
        Behaviour::ResetAfter(After::In(5)),
        Behaviour::answer("no"),
    ] {
        let lab = Lab::start(behaviour).unwrap();
        let mut stream = connect(&lab);
        stream.shutdown(Shutdown::Write).unwrap();
        assert_says(&mut stream, "");
        assert_ended(&lab, Ended::ClosedByPeer);
    }
}

#[test]
fn say_says_and_closes() {
    let lab = Lab::start(Behaviour::say("hello\n")).unwrap();
    let mut stream = connect(&lab);
    assert_says(&mut stream, "hello\n");
    drop(stream);
    assert_ended(&lab, Ended::ClosedByUs);
    assert_eq!(lab.seen().totals.bytes_out, 6);
}

#[test]
fn a_clean_end_stays_clean_while_the_client_sends() {
    for behaviour in [Behaviour::say("hello\n"), Behaviour::cut("hello\n")] {
        let lab = Lab::start(behaviour).unwrap();
        let mut stream = connect(&lab);
        stream.write_all(&vec![b'x'; MUCH]).unwrap();
        assert_says(&mut stream, "hello\n");
        drop(stream);
        assert_ended(&lab, Ended::ClosedByUs);
        assert_eq!(lab.seen().totals.bytes_in, MUCH as u64);
    }
}

#[test]
fn answer_answers_whatever_comes() {
    let lab = Lab::start(Behaviour::answer("400\r\n")).unwrap();
    let mut stream = connect(&lab);
    assert_silent(&mut stream);
    stream.write_all(b"\x16\x03\x01").unwrap();
    assert_says(&mut stream, "400\r\n");
}

#[test]
fn banner_greets_and_stays_until_the_client_ends() {
    let lab = Lab::start(Behaviour::banner("220 mail\r\n")).unwrap();
    let mut stream = connect(&lab);
    let mut greeting = [0; 10];
    stream.read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting, b"220 mail\r\n");
    stream.write_all(b"PING\r\n").unwrap();
    assert_silent(&mut stream);
    stream.shutdown(Shutdown::Write).unwrap();
    assert_says(&mut stream, "");
    assert_ended(&lab, Ended::ClosedByPeer);
}

#[test]
fn partial_then_reset_lets_the_bytes_arrive() {
    let lab = Lab::start(Behaviour::partial_then_reset("half a rep")).unwrap();
    assert_reset(&mut connect(&lab), "half a rep");
    assert_ended(&lab, Ended::ResetByUs);
}

#[test]
fn stall_answers_nothing_not_even_the_end() {
    let lab = Lab::start(Behaviour::Stall).unwrap();
    let mut stream = connect(&lab);
    stream.write_all(b"anybody there?").unwrap();
    assert_silent(&mut stream);
    stream.shutdown(Shutdown::Write).unwrap();
    assert_silent(&mut stream);
    assert_eq!(lab.seen().totals.ended, 0);
    assert!(lab.wait_until(PATIENCE, |totals| totals.bytes_in == 14));
}

#[test]
fn stall_after_says_its_part() {
    let lab = Lab::start(Behaviour::stall_after("200 O")).unwrap();
    let mut stream = connect(&lab);
    let mut part = [0; 5];
    stream.read_exact(&mut part).unwrap();
    assert_eq!(&part, b"200 O");
    stream.shutdown(Shutdown::Write).unwrap();
    assert_silent(&mut stream);
}

#[test]
fn drip_takes_its_time() {
    let every = Duration::from_millis(20);
    let lab = Lab::start(Behaviour::drip("drop", every)).unwrap();
    let start = Instant::now();
    let mut stream = connect(&lab);
    let mut first = [0; 4];
    assert_eq!(stream.read(&mut first).unwrap(), 1);
    assert_says(&mut stream, "rop");
    assert!(start.elapsed() >= every * 4, "{:?}", start.elapsed());
}

#[test]
fn echo_echoes_and_keeps_the_half_close() {
    let lab = Lab::start(Behaviour::Echo).unwrap();
    let mut stream = connect(&lab);
    stream.write_all(b"one").unwrap();
    let mut one = [0; 3];
    stream.read_exact(&mut one).unwrap();
    assert_eq!(&one, b"one");
    let much: Vec<u8> = (0..MUCH).map(|i| (i * 7 % 251) as u8).collect();
    let mut sender = stream.try_clone().unwrap();
    let sent = much.clone();
    let sending = std::thread::spawn(move || {
        sender.write_all(&sent).unwrap();
        sender.shutdown(Shutdown::Write).unwrap();
    });
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).unwrap();
    sending.join().unwrap();
    assert!(heard == much, "{} of {} bytes came back", heard.len(), much.len());
    assert_ended(&lab, Ended::ClosedByPeer);
}

#[test]
fn sink_takes_everything() {
    let lab = Lab::start(Behaviour::Sink).unwrap();
    let mut stream = connect(&lab);
    let much = vec![b'x'; MUCH];
    stream.write_all(&much).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_says(&mut stream, "");
    assert_ended(&lab, Ended::ClosedByPeer);
    let seen = lab.seen();
    assert_eq!(seen.connections[0].bytes_in, MUCH as u64);
    assert_eq!(seen.connections[0].sha256, redial_lab::sha256(&much));
}

#[test]
fn flood_never_ends() {
    let lab = Lab::start(Behaviour::Flood).unwrap();
    let mut stream = connect(&lab);
    let mut junk = vec![0; MUCH];
    stream.read_exact(&mut junk).unwrap();
    for byte in 0..=u8::MAX {
        assert!(junk[..16 * 1024].contains(&byte), "no {byte}");
    }
    drop(stream);
    assert_ended(&lab, Ended::ResetByPeer);
}

#[test]
fn the_clients_reset_is_seen_as_one() {
    let lab = Lab::start(Behaviour::Sink).unwrap();
    let stream = connect(&lab);
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
    assert_ended(&lab, Ended::ResetByPeer);
}

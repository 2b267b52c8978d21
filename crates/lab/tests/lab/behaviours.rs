use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use redial_lab::{After, Behaviour, Ended, Lab};

use crate::client::{PATIENCE, SILENCE, assert_reset, assert_says, assert_silent, connect};

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
fn close_after_says_so_much_over_and_over() {
    for (bytes, said) in [(0, ""), (4, "abca"), (3, "abc"), (8, "abcabcab")] {
        let after = After::Out { bytes, text: b"abc"[..].into() };
        let lab = Lab::start(Behaviour::CloseAfter(after)).unwrap();
        let mut stream = connect(&lab);
        assert_says(&mut stream, said);
        drop(stream);
        assert_ended(&lab, Ended::ClosedByUs);
    }
    let nothing = After::Out { bytes: 5, text: [].into() };
    assert_says(&mut connect(&Lab::start(Behaviour::CloseAfter(nothing)).unwrap()), "");
}

#[test]
fn reset_after_lets_what_it_said_arrive() {
    let after = After::Out { bytes: 5, text: b"hello\n"[..].into() };
    let lab = Lab::start(Behaviour::ResetAfter(after)).unwrap();
    assert_reset(&mut connect(&lab), "hello");
    assert_ended(&lab, Ended::ResetByUs);
}

#[test]
fn who_waits_for_bytes_closes_when_the_client_ends_before() {
    for behaviour in [
        Behaviour::ReadThenClose,
        Behaviour::ReadThenReset,
        Behaviour::CloseAfter(After::In(5)),
        Behaviour::ResetAfter(After::In(5)),
        Behaviour::StallAfter(After::In(5)),
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
    // The lab goes on reading for 10 s, in which it must also hash this on a busy machine.
    let much = MUCH / 8;
    for behaviour in [Behaviour::say("hello\n"), Behaviour::cut("hello\n")] {
        let lab = Lab::start(behaviour).unwrap();
        let mut stream = connect(&lab);
        stream.write_all(&vec![b'x'; much]).unwrap();
        assert_says(&mut stream, "hello\n");
        drop(stream);
        assert_ended(&lab, Ended::ClosedByUs);
        assert_eq!(lab.seen().totals.bytes_in, much as u64);
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

/// How much the client can send before its writes block; its own buffer is made small.
#[track_caller]
fn sent_until_blocked(stream: &mut TcpStream) -> usize {
    socket2::SockRef::from(&*stream).set_send_buffer_size(64 << 10).unwrap();
    stream.set_write_timeout(Some(SILENCE)).unwrap();
    let mut sent = 0;
    while sent < MUCH {
        match stream.write(&[b'x'; 8 << 10]) {
            Ok(bytes) => sent += bytes,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                break;
            }
        }
    }
    sent
}

#[test]
fn never_read_blocks_the_clients_writes() {
    let lab = Lab::start(Behaviour::NeverRead).unwrap();
    let mut stream = connect(&lab);
    assert!(lab.wait_for_connections(1, PATIENCE));
    let sent = sent_until_blocked(&mut stream);
    // The buffers of both sides; a server that read would take it all.
    assert!(sent < MUCH / 4, "{sent} bytes and no end");
    assert_silent(&mut stream);
    let totals = lab.seen().totals;
    assert_eq!((totals.bytes_in, totals.bytes_out, totals.ended), (0, 0, 0));
}

#[test]
fn never_read_notices_a_client_that_resets() {
    let lab = Lab::start(Behaviour::NeverRead).unwrap();
    let stream = connect(&lab);
    assert!(lab.wait_for_connections(1, PATIENCE));
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
    assert_ended(&lab, Ended::ResetByPeer);
}

#[test]
fn stall_after_reads_so_much_and_not_one_byte_more() {
    let lab = Lab::start(Behaviour::StallAfter(After::In(10_000))).unwrap();
    let mut stream = connect(&lab);
    let sent = sent_until_blocked(&mut stream);
    assert!((10_000..MUCH).contains(&sent), "{sent}");
    assert_silent(&mut stream);
    let totals = lab.seen().totals;
    assert_eq!((totals.bytes_in, totals.bytes_out, totals.ended), (10_000, 0, 0));
}

#[test]
fn half_close_ends_its_half_and_reads_the_others() {
    let lab = Lab::start(Behaviour::half_close("bye\n")).unwrap();
    let mut stream = connect(&lab);
    assert_says(&mut stream, "bye\n");
    for sent in 1..=3 {
        stream.write_all(&[b'x'; 1000]).unwrap();
        assert!(lab.wait_until(PATIENCE, |totals| totals.bytes_in == sent * 1000));
    }
    assert_eq!(lab.seen().totals.ended, 0);
    drop(stream);
    assert_ended(&lab, Ended::ClosedByUs);
}

#[test]
fn truncated_ends_cleanly_half_way() {
    for (text, half) in [("hello world\n", "hello "), ("abc", "a"), ("a", ""), ("", "")] {
        let lab = Lab::start(Behaviour::truncated(text)).unwrap();
        let mut stream = connect(&lab);
        assert_says(&mut stream, half);
        drop(stream);
        assert_ended(&lab, Ended::ClosedByUs);
    }
}

#[test]
fn oversized_is_as_large_as_asked() {
    let lab = Lab::start(Behaviour::oversized("0123456789\n", MUCH as u64)).unwrap();
    let (bytes, end) = crate::client::read_all(&mut connect(&lab));
    end.unwrap();
    assert_eq!(bytes.len(), MUCH);
    assert!(bytes.iter().zip(b"0123456789\n".iter().cycle()).all(|(a, b)| a == b));
}

#[test]
fn slice_says_its_text_whole() {
    let text: Vec<u8> = (0..2_000_u32).flat_map(u32::to_le_bytes).collect();
    for bytes in [1, 3, 7_999, 8_000, usize::MAX] {
        let lab = Lab::start(Behaviour::slice(&text, NonZeroUsize::new(bytes).unwrap())).unwrap();
        let mut stream = connect(&lab);
        let (heard, end) = crate::client::read_all(&mut stream);
        end.unwrap();
        assert!(heard == text, "slices of {bytes}");
    }
}

/// What a client reads at once is no measure: its kernel joins what has arrived. Segments are
/// counted by this one, which sends them; others may add to the count and never take from it.
#[cfg(target_os = "linux")]
#[test]
fn slice_makes_a_segment_of_each_piece() {
    let segments = || {
        let table = std::fs::read_to_string("/proc/self/net/snmp").unwrap();
        let mut rows = table.lines().filter_map(|line| line.strip_prefix("Tcp: "));
        let names = rows.next().unwrap().split(' ');
        let (_, value) = names
            .zip(rows.next().unwrap().split(' '))
            .find(|(name, _)| *name == "OutSegs")
            .unwrap();
        value.parse::<usize>().unwrap()
    };
    const PIECES: usize = 30_000;
    let lab = Lab::start(Behaviour::slice([b'x'; PIECES], NonZeroUsize::MIN)).unwrap();
    let before = segments();
    // All of it waits for a while, which is when a kernel would join it.
    let mut stream = connect(&lab);
    assert_says(&mut stream, [b'x'; PIECES]);
    let sent = segments() - before;
    assert!(sent >= PIECES, "{sent} segments");
}

/// More than 100,000 bytes of the published algorithm, written the way it was published.
fn splitmix64(mut state: u64) -> Vec<u8> {
    let next = |_| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).to_le_bytes()
    };
    (0..12_501).flat_map(next).collect()
}

#[test]
fn garbage_is_the_same_for_the_same_seed() {
    let junk = |bytes, seed| {
        let lab = Lab::start(Behaviour::Garbage { bytes, seed }).unwrap();
        let (junk, end) = crate::client::read_all(&mut connect(&lab));
        end.unwrap();
        assert_eq!(junk.len() as u64, bytes);
        junk
    };
    let first = junk(100_003, 7);
    assert!(first == splitmix64(7)[..100_003]);
    assert!(first == junk(100_003, 7));
    assert_ne!(first[..1_001], junk(1_001, 8));
    assert_eq!(junk(0, 0), []);
}

#[test]
fn delay_does_nothing_for_a_time() {
    let time = Duration::from_millis(150);
    let start = Instant::now();
    let lab = Lab::start(Behaviour::say("late\n").delayed(time)).unwrap();
    let mut stream = connect(&lab);
    stream.write_all(b"anybody?").unwrap();
    assert_says(&mut stream, "late\n");
    assert!(start.elapsed() >= time, "{:?}", start.elapsed());
    assert_eq!(lab.seen().connections[0].behaviour, "delay");
}

#[test]
fn drip_by_so_much() {
    let (bytes, every) = (NonZeroUsize::new(4).unwrap(), Duration::from_millis(20));
    let start = Instant::now();
    let text = b"0123456789"[..].into();
    let lab = Lab::start(Behaviour::Drip { text, bytes, every }).unwrap();
    let mut stream = connect(&lab);
    let mut first = [0; 10];
    assert_eq!(stream.read(&mut first).unwrap(), 4);
    assert_says(&mut stream, "456789");
    assert!(start.elapsed() >= every * 3, "{:?}", start.elapsed());
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
    assert_eq!(seen.connections[0].sha256_in, redial_lab::sha256(&much));
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

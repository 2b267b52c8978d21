//! What each protocol's probe hears, ready and not now, on plain sockets.

use std::io::{Read, Write};
use std::net::TcpStream;

use redial_lab::{Behaviour, Ended, Lab, PROTOCOLS, Protocol, Script, State, Transcript};

use crate::client::{PATIENCE, assert_says, assert_silent, connect, read_all};

fn lab(name: &str, state: State) -> Lab {
    Lab::start(Protocol::parse(name).unwrap().in_state(state)).unwrap()
}

fn ready(name: &str) -> (Lab, TcpStream) {
    let lab = lab(name, State::Ready);
    let stream = connect(&lab);
    (lab, stream)
}

fn not_now(name: &str) -> (Lab, TcpStream) {
    let lab = lab(name, State::NotNow);
    let stream = connect(&lab);
    (lab, stream)
}

/// Sends this and hears exactly that.
#[track_caller]
fn assert_answers(stream: &mut TcpStream, ask: impl AsRef<[u8]>, expected: impl AsRef<[u8]>) {
    stream.write_all(ask.as_ref()).unwrap();
    assert_hears(stream, expected);
}

#[track_caller]
fn assert_hears(stream: &mut TcpStream, expected: impl AsRef<[u8]>) {
    let expected = expected.as_ref();
    let mut heard = vec![0; expected.len()];
    stream.read_exact(&mut heard).unwrap();
    assert_eq!(heard.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

/// What it hears up to this.
fn hear_until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut heard = Vec::new();
    while !heard.ends_with(end) {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        heard.push(byte[0]);
    }
    heard
}

/// Bytes from hexadecimal, spaces between.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.split_whitespace().collect::<String>().into_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

#[test]
fn servers_that_speak_first_greet_or_say_not_now_and_close() {
    for (name, greeting, refusal) in [
        ("smtp", "220 lab.example", "421 4.3.2 "),
        ("imap", "* OK [CAPABILITY IMAP4rev1]", "* BYE [UNAVAILABLE] "),
        ("pop3", "+OK ", "-ERR [SYS/TEMP] "),
        ("ftp", "220 ", "421 "),
        ("ssh", "SSH-2.0-redial_lab\r\n", "Exceeded MaxStartups\r\n"),
        ("memcached", "", "ERROR Too many open connections\r\n"),
        ("nats", "INFO {\"server_id\":", "INFO {\"server_id\":"),
        ("mysql", "R\0\0\0\n8.0.0-practice\0", "\x17\0\0\0\u{7f}"),
    ] {
        assert_hears(&mut ready(name).1, greeting);
        let (bytes, end) = read_all(&mut not_now(name).1);
        end.unwrap();
        // The only byte that is no text: an error packet of MySQL begins with 255.
        let heard: Vec<u8> = bytes.iter().map(|&b| if b == 0xff { 0x7f } else { b }).collect();
        assert!(heard.starts_with(refusal.as_bytes()), "{name}: {}", bytes.escape_ascii());
    }
}

#[test]
fn redis() {
    let (_lab, mut stream) = ready("redis");
    assert_answers(&mut stream, "PING\r\n", "+PONG\r\n");
    // As clients send it, in pieces, and two at once.
    stream.write_all(b"*1\r\n$4\r\nPI").unwrap();
    assert_answers(&mut stream, "NG\r\n*1\r\n$4\r\nping\r\n", "+PONG\r\n+PONG\r\n");
    assert_answers(&mut stream, "*2\r\n$3\r\nGET\r\n$2\r\na\n\r\n", "-ERR unknown command");

    let (_lab, mut stream) = not_now("redis");
    let loading = "-LOADING Redis is loading the dataset in memory\r\n";
    assert_answers(&mut stream, "PING\r\n", loading);
    assert_answers(&mut stream, "*1\r\n$4\r\nPING\r\n", loading);
}

#[test]
fn http_and_etcd() {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let (_lab, mut stream) = ready("http");
    let ok = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\n";
    assert_answers(&mut stream, get("/health"), format!("{ok}ready\n"));
    assert_answers(&mut stream, "HEAD / HTTP/1.1\r\n\r\n", ok);
    assert_answers(&mut stream, "POST / HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\n");

    let (_lab, mut stream) = ready("etcd");
    assert_answers(&mut stream, get("/health"), "HTTP/1.1 200 OK\r\n");
    let rest = hear_until(&mut stream, b"}");
    assert!(rest.ends_with(b"\r\n\r\n{\"health\":\"true\",\"reason\":\"\"}"));

    for name in ["http", "etcd"] {
        let (_lab, mut stream) = not_now(name);
        stream.write_all(get("/health").as_bytes()).unwrap();
        let (bytes, end) = read_all(&mut stream);
        end.unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{text}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{text}");
    }
}

/// The messages of PostgreSQL: kind and content, each as long as it says.
fn messages(mut bytes: &[u8]) -> Vec<(char, Vec<u8>)> {
    let mut messages = Vec::new();
    while let [kind, a, b, c, d, rest @ ..] = bytes {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize - 4;
        messages.push((char::from(*kind), rest[..length].to_vec()));
        bytes = &rest[length..];
    }
    assert!(bytes.is_empty());
    messages
}

const STARTUP: &[u8] = b"\0\0\0\x17\0\x03\0\0user\0a\0database\0b\0\0";

#[test]
fn postgres() {
    let startup = [&(STARTUP.len() as u32).to_be_bytes()[..], &STARTUP[4..]].concat();
    let (_lab, mut stream) = ready("postgres");
    assert_answers(&mut stream, hex("00000008 04d2162f"), "N");
    stream.write_all(&startup).unwrap();
    stream.write_all(b"Q\0\0\0\x0eSELECT 1;\0").unwrap();
    stream.write_all(b"Q\0\0\0\x0cSELECT \0X\0\0\0\x04").unwrap();
    let (bytes, end) = read_all(&mut stream);
    end.unwrap();
    let messages_heard = messages(&bytes);
    let kinds: String = messages_heard.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, "RSSSSSSSKZTDCZEZ");
    assert_eq!(messages_heard[0].1, [0; 4], "AuthenticationOk");

    let (_lab, mut stream) = not_now("postgres");
    assert_answers(&mut stream, hex("00000008 04d2162f"), "N");
    stream.write_all(&startup).unwrap();
    let (bytes, end) = read_all(&mut stream);
    end.unwrap();
    let [(kind, content)] = &messages(&bytes)[..] else { panic!("{}", bytes.escape_ascii()) };
    assert_eq!(*kind, 'E');
    let fields: Vec<_> = content.split(|&byte| byte == 0).collect();
    assert!(fields.contains(&&b"C57P03"[..]) && fields.contains(&&b"SFATAL"[..]));
    assert!(fields.contains(&&b"Mthe database system is starting up"[..]));
}

#[test]
fn mysql() {
    let (_lab, mut stream) = ready("mysql");
    let mut greeting = vec![0; 4 + 82];
    stream.read_exact(&mut greeting).unwrap();
    assert_eq!(greeting[..5], [82, 0, 0, 0, 10], "length, sequence, protocol version");
    assert!(greeting.ends_with(b"mysql_native_password\0"));
    let login = [hex("06000001"), hex("85a20000 0000")].concat();
    assert_answers(&mut stream, login, hex("07000002 00 00 00 0200 0000"));
    assert_answers(&mut stream, hex("01000000 0e"), hex("07000001 00 00 00 0200 0000"));
    assert_answers(&mut stream, hex("02000000 03 31"), hex("2e000001 ff d304"));
    let mut why = [0; 43];
    stream.read_exact(&mut why).unwrap();
    assert!(why.starts_with(b"#42000"));
    stream.write_all(&hex("01000000 01")).unwrap();
    assert_says(&mut stream, "");

    let (_lab, mut stream) = not_now("mysql");
    assert_says(&mut stream, [hex("17000000 ff 1004"), b"Too many connections".to_vec()].concat());
}

#[test]
fn mail_and_files() {
    let (_lab, mut stream) = ready("smtp");
    assert_hears(&mut stream, "220 lab.example ESMTP a practice server\r\n");
    assert_answers(&mut stream, "ehlo me\r\n", "250-lab.example\r\n250-8BITMIME\r\n250 SIZE 0\r\n");
    assert_answers(&mut stream, "HELP\r\n", "500 ");
    stream.write_all(b"QUIT\r\n").unwrap();
    assert!(read_all(&mut stream).0.ends_with(b"\r\n221 2.0.0 Bye\r\n"));

    let (_lab, mut stream) = ready("imap");
    assert_hears(&mut stream, "* OK [CAPABILITY IMAP4rev1] a practice server\r\n");
    assert_answers(&mut stream, "a7 noop\r\n", "a7 OK NOOP completed\r\n");
    let bye = "* BYE a practice server\r\nz OK LOGOUT completed\r\n";
    stream.write_all(b"z LOGOUT\r\n").unwrap();
    assert_says(&mut stream, bye);

    let (_lab, mut stream) = ready("pop3");
    stream.write_all(b"CAPA\r\nQUIT\r\n").unwrap();
    assert_says(
        &mut stream,
        "+OK a practice server\r\n+OK\r\nUSER\r\nRESP-CODES\r\n.\r\n+OK bye\r\n",
    );

    let (_lab, mut stream) = ready("ftp");
    stream.write_all(b"USER a\r\nPASS b\r\nQUIT\r\n").unwrap();
    let (bytes, _) = read_all(&mut stream);
    let codes: Vec<_> = bytes.split(|&b| b == b'\n').filter_map(|line| line.get(..4)).collect();
    assert_eq!(codes, [b"220 ", b"331 ", b"230 ", b"221 "]);
}

/// SSH's disconnect is a packet: length, padding, message 1, reason 11, in whole blocks of eight.
#[test]
fn ssh() {
    let (_lab, mut stream) = ready("ssh");
    assert_answers(&mut stream, "SSH-2.0-probe\r\n", "SSH-2.0-redial_lab\r\n");
    let (packet, end) = read_all(&mut stream);
    end.unwrap();
    assert_eq!(packet.len() % 8, 0);
    assert_eq!(packet[..4], (packet.len() as u32 - 4).to_be_bytes());
    assert_eq!(packet[5..10], [1, 0, 0, 0, 11]);
    assert!(packet[4] >= 4 && packet.ends_with(&vec![0; usize::from(packet[4])]));
}

#[test]
fn memcached_nats_and_zookeeper() {
    let (_lab, mut stream) = ready("memcached");
    assert_answers(&mut stream, "version\r\n", "VERSION 1.6.0\r\n");
    assert_answers(&mut stream, "get a\r\n", "END\r\n");

    let (_lab, mut stream) = ready("nats");
    let info = hear_until(&mut stream, b"\n");
    assert!(info.starts_with(b"INFO {") && info.ends_with(b"}\r\n"), "{}", info.escape_ascii());
    assert_answers(&mut stream, "CONNECT {\"verbose\":true}\r\nPING\r\n", "+OK\r\nPONG\r\n");
    assert_answers(&mut stream, "CONNECT {\"verbose\":false}\r\nping\r\n", "PONG\r\n");
    let (bytes, _) = read_all(&mut not_now("nats").1);
    assert!(bytes.ends_with(b"}\r\n-ERR 'Maximum Connections Exceeded'\r\n"));

    let (_lab, mut stream) = ready("zookeeper");
    stream.write_all(b"ruok").unwrap();
    assert_says(&mut stream, "imok");
    let (_lab, mut stream) = not_now("zookeeper");
    stream.write_all(b"ruok").unwrap();
    assert_says(&mut stream, "");
    let (_lab, mut stream) = not_now("zookeeper");
    stream.write_all(b"srvr").unwrap();
    assert_says(&mut stream, "This ZooKeeper instance is not currently serving requests\n");
}

#[test]
fn mqtt() {
    let old = hex("10 0d 0004 4d515454 04 02 003c 0001 61");
    let new = hex("10 0e 0004 4d515454 05 02 003c 00 0001 61");
    let (_lab, mut stream) = ready("mqtt");
    assert_answers(&mut stream, &old, hex("20 02 00 00"));
    assert_answers(&mut stream, hex("82 06 000a 0001 61 00 c0 00"), hex("90 03 000a 00 d0 00"));
    assert_answers(&mut ready("mqtt").1, &new, hex("20 03 00 00 00"));
    for (connect, refusal) in [(old, "20 02 00 03"), (new, "20 03 00 88 00")] {
        let (_lab, mut stream) = not_now("mqtt");
        stream.write_all(&connect).unwrap();
        assert_says(&mut stream, hex(refusal));
    }
}

#[test]
fn ldap_and_dns() {
    let bind = hex("30 0c 020107 60 07 020103 0400 8000");
    let answer = |code: &str| hex(&format!("30 0c 020107 61 07 0a01{code} 0400 0400"));
    assert_answers(&mut ready("ldap").1, &bind, answer("00"));
    assert_answers(&mut not_now("ldap").1, &bind, answer("34"));

    let query = |flags: &str| hex(&format!("0011 abcd {flags} 0001 0000 0000 0000 00 0002 0001"));
    assert_answers(&mut ready("dns").1, query("0100"), query("8180"));
    assert_answers(&mut not_now("dns").1, query("0100"), query("8182"));
}

#[test]
fn amqp() {
    let header = [&b"AMQP"[..], &[0, 0, 9, 1]].concat();
    let frame = |bytes: &[u8], at: usize| {
        let size = u32::from_be_bytes(bytes[at + 3..at + 7].try_into().unwrap()) as usize;
        assert_eq!(bytes[at + 7 + size], 0xce, "the frame ends where it says");
        bytes[at + 7..at + 11].to_vec()
    };
    let (_lab, mut stream) = ready("amqp");
    stream.write_all(&header).unwrap();
    stream.write_all(&hex("01 0000 00000004 000a 000b ce")).unwrap(); // StartOk, shortened
    stream.write_all(&hex("01 0000 00000004 000a 0032 ce")).unwrap(); // Close
    let (bytes, end) = read_all(&mut stream);
    end.unwrap();
    assert_eq!(frame(&bytes, 0), hex("000a 000a"), "Connection.Start");
    assert_eq!(frame(&bytes, 68), hex("000a 001e"), "Connection.Tune");
    assert_eq!(bytes[88..], hex("01 0000 00000004 000a 0033 ce"), "Connection.CloseOk");

    let (_lab, mut stream) = ready("amqp");
    stream.write_all(&hex("414d5150 00 01 00 00")).unwrap();
    assert_says(&mut stream, &header);

    let (_lab, mut stream) = not_now("amqp");
    stream.write_all(&header).unwrap();
    let mut refusal = vec![0; 74];
    stream.read_exact(&mut refusal).unwrap();
    assert_eq!(frame(&refusal, 0), hex("000a 0032"), "Connection.Close");
    assert_eq!(refusal[11..13], 320_u16.to_be_bytes());
}

#[test]
fn kafka() {
    let ask = |version: &str| hex(&format!("0000000a 0012 {version} 0000002a ffff"));
    let both = "00000016 0000002a 0000 00000002 0003 0000 0000 0012 0000 0000";
    let older = "00000010 0000002a 0023 00000001 0012 0000 0000";
    assert_answers(&mut ready("kafka").1, ask("0000"), hex(both));
    assert_answers(&mut ready("kafka").1, ask("0003"), hex(older));
    let refusal = hex("0000000a 0000002a 0008 00000000");
    assert_answers(&mut not_now("kafka").1, ask("0000"), refusal);
}

#[test]
fn mongodb() {
    // OP_MSG {hello: 1}; request 42.
    let hello =
        hex("25000000 2a000000 00000000 dd070000 00000000 00 10000000 10 68656c6c6f00 01000000 00");
    for (state, expected) in [
        (State::Ready, &b"isWritablePrimary\0\x01"[..]),
        (State::NotNow, b"\x10code\0\x7c\x34\0\0"),
    ] {
        let lab = lab("mongodb", state);
        let mut stream = connect(&lab);
        stream.write_all(&[&(hello.len() as u32).to_le_bytes()[..], &hello[4..]].concat()).unwrap();
        let mut header = [0; 25];
        stream.read_exact(&mut header).unwrap();
        let number =
            |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!((number(8), number(12)), (42, 2013), "the answer to 42, an OP_MSG");
        assert_eq!(number(0), 21 + number(21), "header, flags, kind, document");
        let mut document = vec![0; number(21) - 4];
        stream.read_exact(&mut document).unwrap();
        assert_eq!(document.last(), Some(&0));
        assert!(document.windows(expected.len()).any(|part| part == expected));
        assert_silent(&mut stream);
    }
}

#[test]
fn a_script_goes_from_not_now_to_ready() {
    let well = Behaviour::say("well");
    let script = Script::parse("as redis not-now 2, as redis", &well).unwrap();
    assert_eq!(script.to_string(), "as redis not-now 2, as redis");
    let lab = Lab::start(script).unwrap();
    for expected in ["-LOADING ", "-LOADING ", "+PONG\r\n", "+PONG\r\n"] {
        assert_answers(&mut connect(&lab), "PING\r\n", expected);
    }
    assert!(lab.wait_for_ends(4, PATIENCE));
    let words: Vec<_> = lab.seen().connections.iter().map(|seen| seen.behaviour).collect();
    assert_eq!(words, ["as redis not-now", "as redis not-now", "as redis", "as redis"]);
}

#[test]
fn every_protocol_can_be_scripted_in_both_states() {
    let well = Behaviour::say("well");
    for protocol in PROTOCOLS {
        let text = format!("as {protocol} not-now, as {protocol}");
        assert_eq!(Script::parse(&text, &well).unwrap().to_string(), text);
    }
    for (text, what, instead) in [
        ("as", "a protocol is missing", "as redis"),
        ("as rediss", "`rediss`", "the nearest is `redis`"),
        ("as oracle", "`oracle`", "there are: amqp, dns"),
    ] {
        let error = Script::parse(text, &well).unwrap_err();
        assert!(error.what.contains(what) && error.instead.contains(instead), "{error}");
    }
}

#[test]
fn nonsense_gets_an_answer_and_an_end() {
    for protocol in PROTOCOLS {
        for state in [State::Ready, State::NotNow] {
            let lab = Lab::start(protocol.in_state(state)).unwrap();
            let mut stream = connect(&lab);
            // More than any unit may be. The lab may be gone before it is all sent.
            let _ = stream.write_all(&[0xfe; 20 * 1024]);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = read_all(&mut stream);
            assert!(lab.wait_for_ends(1, PATIENCE), "{protocol} {state:?}");
        }
    }
}

#[test]
fn a_transcript_of_ones_own() {
    let text =
        "cut line\non spells \"knock\" say \"who is there?\\n\"\nelse say \"go away\\n\" close";
    let transcript = Transcript::parse(text, State::Ready).unwrap();
    let lab = Lab::start(Behaviour::Converse(transcript.into())).unwrap();
    let mut stream = connect(&lab);
    assert_answers(&mut stream, "Knock knock\n", "who is there?\n");
    stream.write_all(b"me\n").unwrap();
    assert_says(&mut stream, "go away\n");
    drop(stream);
    assert!(lab.wait_for_ends(1, PATIENCE));
    assert_eq!(lab.seen().connections[0].ended, Some(Ended::ClosedByUs));
}

#[cfg(feature = "tls")]
#[test]
fn inside_tls_it_is_said_too() {
    let script = Script::parse("tls as redis not-now 2, tls-expired as redis", &Behaviour::Close);
    assert_eq!(script.unwrap().to_string(), "tls as redis not-now 2, tls-expired as redis");
}

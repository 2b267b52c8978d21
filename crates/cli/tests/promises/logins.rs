//! Logins of `wait`: which recipes log in, when, and what comes of wrong credentials.
//!
//! The servers are scripted here, or the lab's; real Redis, PostgreSQL and MariaDB are logged in to
//! in `wait_real`.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use redial_lab::{Behaviour, Lab, PROTOCOLS, State};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{Ran, redial};

/// A server that plays this with each client; its port, and how many clients it has had.
fn server(play: impl Fn(&mut TcpStream) -> Option<()> + Send + 'static) -> (u16, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let clients = Arc::new(AtomicU32::new(0));
    let counted = clients.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            play(&mut stream);
        }
    });
    (port, clients)
}

/// What comes until these words are in it.
fn until(stream: &mut TcpStream, words: &str) -> Option<String> {
    let (mut heard, mut byte) = (Vec::new(), [0]);
    while !heard.ends_with(words.as_bytes()) {
        stream.read_exact(&mut byte).ok()?;
        heard.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&heard).into_owned())
}

/// Redis 7 with the password `s3cret`, which answers every command with `state` once it has it.
fn redis(state: &'static str) -> (u16, Arc<AtomicU32>) {
    server(move |stream| {
        let mut authenticated = false;
        loop {
            let line = until(stream, "\r\n")?;
            let answer = match line.trim_end() {
                "*2" => {
                    let rest = until(stream, "AUTH\r\n")? + &until(stream, "\r\n")?;
                    authenticated =
                        rest.ends_with("$6\r\n") && until(stream, "\r\n")? == "s3cret\r\n";
                    if authenticated {
                        "+OK\r\n"
                    } else {
                        "-WRONGPASS invalid username-password pair or user is disabled.\r\n"
                    }
                }
                _ if authenticated => state,
                _ => "-NOAUTH Authentication required.\r\n",
            };
            stream.write_all(answer.as_bytes()).ok()?;
        }
    })
}

fn once(words: &[&str]) -> (Ran, Value) {
    let ran = redial(["wait", "--once", "--json"].into_iter().chain(words.iter().copied())).run();
    let json = serde_json::from_str(ran.stdout.trim()).unwrap_or_else(|_| panic!("{ran}"));
    (ran, json)
}

/// Not ready, for this reason and in these words.
#[track_caller]
fn not_ready(words: &[&str], kind: &str, said: &str) {
    let (ran, json) = once(words);
    let failure = &json["targets"][0]["servers"][0]["failure"];
    assert_eq!((ran.status, failure["kind"].as_str()), (Some(1), Some(kind)), "{ran}");
    let detail = failure["detail"].as_str().unwrap_or_default();
    assert!(detail.contains(said), "{detail:?}, not {said:?}");
}

#[track_caller]
fn ready(words: &[&str]) {
    let (ran, _) = once(words);
    assert_eq!(ran.status, Some(0), "{ran}");
}

#[test]
fn redis_with_password_loading_is_unavailable() {
    let (port, _) = redis("-LOADING Redis is loading the dataset in memory\r\n");
    not_ready(&[&format!("redis://:s3cret@127.0.0.1:{port}")], "unavailable", "loading its data");
}

#[test]
fn redis_with_password_is_ready_after_auth() {
    let (port, _) = redis("+PONG\r\n");
    ready(&[&format!("redis://:s3cret@127.0.0.1:{port}")]);
    ready(&[&format!("redis://127.0.0.1:{port}?password=s3cret")]);
    ready(&[&format!("127.0.0.1:{port}#as=redis")]);
}

#[test]
fn redis_with_wrong_password_is_denied() {
    let (port, _) = redis("+PONG\r\n");
    not_ready(&[&format!("redis://:wrong@127.0.0.1:{port}")], "denied", "WRONGPASS");
    not_ready(&[&format!("redis://127.0.0.1:{port}#login")], "denied", "the URL has none");
}

/// The next attempt would be refused as well, and servers count them.
#[test]
fn wait_with_wrong_password_ends_after_one_attempt() {
    let (port, clients) = redis("+PONG\r\n");
    let ran = redial(["wait", &format!("redis://:wrong@127.0.0.1:{port}"), "-t", "30"]).run();
    assert_eq!((ran.status, clients.load(Ordering::SeqCst)), (Some(1), 1), "{ran}");
    assert!(ran.stderr.contains("WRONGPASS"), "{ran}");
}

#[test]
fn password_is_never_shown_even_if_repeated() {
    let lab = Lab::start(Behaviour::Echo).unwrap();
    let at = lab.address();
    let urls = ["redis://:s3cret@", "redis://app:s3cret@", "amqp://app:s3cret@"];
    for url in urls.map(|url| format!("{url}{at}#login")) {
        for more in [&["-v"][..], &["-q"], &["--json"]] {
            let words = ["wait", "--once", "--reply-timeout", "300ms", &url];
            let ran = redial(words.into_iter().chain(more.iter().copied())).run();
            assert_eq!(ran.status, Some(1), "{ran}");
            let shown = [&*ran.stdout, &*ran.stderr].concat();
            assert!(!shown.contains("s3cret"), "{ran}");
        }
    }
}

#[test]
fn login_without_a_recipe_for_it_is_an_error() {
    for (words, says) in [
        (&["http://web", "--login"][..], "redial knows no login for any of these targets"),
        (&["db:5432", "--login"], "redial knows no login for any of these targets"),
        (&["http://web#login"], "http has no login that redial knows"),
        (&["mysql://db", "--login"], "has no user to log in as"),
        (&["mongodb://db#login"], "has no user to log in as"),
        (&["postgres://app:s3cret@db", "--login", "--gone"], "--gone"),
        (&["postgres://app:s3cret@db", "--login", "--expect", "x"], "--expect"),
        (&["postgres://app:a%0ab@db", "--login"], "control character"),
    ] {
        let ran = redial(["wait", "-t", "1"].into_iter().chain(words.iter().copied())).run();
        assert_eq!(ran.status, Some(125), "{ran}");
        assert!(ran.stderr.contains(says), "{says}: {ran}");
        assert!(!ran.stderr.contains("s3cret"), "{ran}");
    }
}

/// The servers that can are logged in to, the others are asked as ever.
#[test]
fn login_with_other_targets_logs_in_where_it_can() {
    let lab = |name| {
        let protocol = PROTOCOLS.iter().find(|protocol| protocol.name() == name).unwrap();
        Lab::start(protocol.in_state(State::Ready)).unwrap()
    };
    let (amqp, http) = (lab("amqp"), lab("http"));
    let targets = [format!("amqp://{}/app", amqp.address()), format!("http://{}/", http.address())];
    ready(&[&targets[0], &targets[1], "--login"]);
}

#[test]
fn help_recipes_states_the_default_of_logins() {
    let ran = redial(["help", "recipes"]).run();
    let text = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("redis logs in wherever its URL has a password"), "{ran}");
    assert!(text.contains("wrong user and password included"), "{ran}");
    let ran = redial(["help", "postgres"]).run();
    assert!(ran.stdout.contains("where --login or #login asks for it"), "{ran}");
}

/// The first message of a client of PostgreSQL, which begins with its length.
fn startup_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut message = vec![0; u32::from_be_bytes(length) as usize - 4];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}

#[test]
fn postgres_with_wrong_password_is_ready_by_default() {
    let (port, _) = server(|stream| {
        startup_message(stream)?;
        stream.write_all(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0").ok()
    });
    ready(&[&format!("postgres://app:wrong@127.0.0.1:{port}")]);
}

/// A server that asks for so many iterations would hold up everything else for minutes.
#[test]
fn scram_iterations_beyond_the_limit_are_refused() {
    let (port, _) = server(|stream| {
        startup_message(stream)?;
        stream.write_all(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0").ok()?;
        let mut message = [0; 256];
        let count = stream.read(&mut message).ok()?;
        let first = String::from_utf8_lossy(&message[..count]).into_owned();
        let nonce = first.split("r=").nth(1)?;
        let text = format!("r={nonce}x,s=QSXCR+Q6sek8bf92,i=2000000000");
        let length = (text.len() as u32 + 8).to_be_bytes();
        stream.write_all(&[b"R", &length[..], b"\0\0\0\x0b", text.as_bytes()].concat()).ok()
    });
    let url = format!("postgres://app:s3cret@127.0.0.1:{port}#login");
    not_ready(&[&url], "unexpected-response", "2000000000 iterations");
}

#[test]
fn mongodb_login_is_checked_by_both_sides() {
    let url = |password, port| format!("mongodb://user:{password}@127.0.0.1:{port}/#login");
    let (port, _) = server(|stream| mongodb(stream, "pencil", true));
    ready(&[&url("pencil", port)]);
    not_ready(&[&url("pen", port)], "denied", "Authentication failed");
    // By default nothing is asked but hello.
    ready(&[&url("pen", port).replace("#login", "")]);
    let (port, _) = server(|stream| mongodb(stream, "another", false));
    not_ready(&[&url("pencil", port)], "unexpected-response", "does not prove");
}

/// MongoDB as its specification has it: hello, saslStart, saslContinue. It lets in whom it knows,
/// or everybody.
fn mongodb(stream: &mut TcpStream, password: &str, checks: bool) -> Option<()> {
    let mut client_first = String::new();
    let mut server_first = String::new();
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length).ok()?;
        let mut message = vec![0; u32::from_le_bytes(length) as usize - 4];
        stream.read_exact(&mut message).ok()?;
        let text = String::from_utf8_lossy(&message).into_owned();
        let part = |name: &str| {
            Some(text.split(name).nth(1)?.split(['\0', '\u{3}', '\u{2}']).next()?.to_owned())
        };
        let salt = b"salt of a server";
        let answer = if text.contains("saslStart") {
            client_first = part("n,,")?;
            let nonce = client_first.split("r=").nth(1)?.to_owned();
            server_first = format!("r={nonce}server,s=c2FsdCBvZiBhIHNlcnZlcg==,i=4096");
            payload(false, &server_first)
        } else if text.contains("saslContinue") {
            let last = format!("c=biws{}", part("c=biws")?);
            let (without_proof, proof) = last.split_once(",p=")?;
            let all = format!("{client_first},{server_first},{without_proof}");
            let salted = pbkdf2(password.as_bytes(), salt, 4096);
            let client_key = hmac(&salted, b"Client Key");
            let signature = hmac(&Sha256::digest(client_key), all.as_bytes());
            let right: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
            if checks && base64(&right) != proof {
                document(b"\x02errmsg\0\x17\0\0\0Authentication failed.\0\x10code\0\x12\0\0\0")
            } else {
                let server = hmac(&hmac(&salted, b"Server Key"), all.as_bytes());
                payload(true, &format!("v={}", base64(&server)))
            }
        } else {
            document(b"\x08isWritablePrimary\0\x01\x01ok\0\0\0\0\0\0\0\xf0\x3f")
        };
        stream.write_all(&answer).ok()?;
    }
}

fn payload(done: bool, text: &str) -> Vec<u8> {
    let length = (text.len() as u32).to_le_bytes();
    let done = [u8::from(done)];
    let parts = [b"\x10conversationId\0\x01\0\0\0\x08done\0".as_slice(), &done, b"\x05payload\0"];
    let rest = [&length[..], b"\0", text.as_bytes(), b"\x01ok\0\0\0\0\0\0\0\xf0\x3f"];
    document(&[parts.concat(), rest.concat()].concat())
}

/// An OP_MSG with a document of these elements.
fn document(elements: &[u8]) -> Vec<u8> {
    let size = |length: usize| (length as u32).to_le_bytes();
    let head = b"\x05\0\0\0\x01\0\0\0\xdd\x07\0\0\0\0\0\0\0";
    let all = [&size(elements.len() + 5)[..], elements, b"\0"].concat();
    [&size(4 + head.len() + all.len())[..], head, &all].concat()
}

fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text);
    let outer = Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c));
    outer.chain_update(inner.finalize()).finalize().into()
}

fn pbkdf2(password: &[u8], salt: &[u8], count: u32) -> [u8; 32] {
    let mut last = hmac(password, &[salt, &[0, 0, 0, 1]].concat());
    let mut sum = last;
    for _ in 1..count {
        last = hmac(password, &last);
        sum.iter_mut().zip(last).for_each(|(sum, byte)| *sum ^= byte);
    }
    sum
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

//! Reads the response code that getaddrinfo hides.
//!
//! glibc reports FORMERR, REFUSED, and SERVFAIL next to an empty answer as "no such name". Only after
//! such a report, the nameservers of /etc/resolv.conf are asked once more, over UDP (RFC 1035). It
//! reads headers, never addresses. Start at [`temporary`].

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use super::hosts::read;

/// The time for all questions.
const LIMIT: Duration = Duration::from_secs(1);
/// The time for one answer.
const PATIENCE: Duration = Duration::from_millis(300);
/// Nameservers (MAXNS in resolv.h) and search domains that are used.
const NAMESERVERS: usize = 3;
const DOMAINS: usize = 3;

/// Record types, in the order of queries.
const A: u16 = 1;
const AAAA: u16 = 28;

/// A response code other than NOERROR and NXDOMAIN: the server did not look for the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rcode(u8);

impl Rcode {
    /// The name of RFC 1035, 4.1.1, and RFC 2136.
    pub(super) const fn name(self) -> &'static str {
        match self.0 {
            1 => "FORMERR",
            2 => "SERVFAIL",
            4 => "NOTIMP",
            5 => "REFUSED",
            9 => "NOTAUTH",
            _ => "an error",
        }
    }
}

/// The code with which no nameserver looked for the name, if that is why it was not found.
///
/// Takes up to a second. `None` where a nameserver did look, where none answers, or where this
/// machine asks none (nsswitch.conf(5)).
pub(super) fn temporary(host: &str, family: i32) -> Option<Rcode> {
    if !asks_nameservers(&read("/etc/nsswitch.conf")) {
        return None;
    }
    let resolv = Resolv::parse(&read("/etc/resolv.conf"));
    let until = Instant::now() + LIMIT;
    let types: &[u16] = match family {
        libc::AF_INET => &[A],
        libc::AF_INET6 => &[AAAA],
        _ => &[A, AAAA],
    };
    let mut questions = resolv.names(host).into_iter().flat_map(|name| {
        types.iter().filter_map(move |&kind| question(&name, kind)).collect::<Vec<_>>()
    });
    questions.find_map(|question| ask_each(&resolv.nameservers, &question, until))
}

/// What each nameserver, in turn, answers to a question: the last code, unless one did look.
fn ask_each(nameservers: &[SocketAddr], question: &[u8], until: Instant) -> Option<Rcode> {
    let mut found = None;
    for nameserver in nameservers {
        match ask(*nameserver, question, until) {
            Some(0 | 3) => return None,
            Some(code) => found = Some(Rcode(code)),
            None => {}
        }
    }
    found
}

/// One question to one nameserver. `None` without an answer in time.
fn ask(nameserver: SocketAddr, question: &[u8], until: Instant) -> Option<u8> {
    let any = if nameserver.is_ipv4() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    } else {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    // Connected, it receives from that nameserver alone.
    socket.connect(nameserver).ok()?;
    let id = RandomState::new().build_hasher().finish().to_be_bytes();
    let id = [id[0], id[1]];
    socket.send(&query(id, question)).ok()?;
    let until = until.min(Instant::now() + PATIENCE);
    let mut answer = [0; 512];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        // Zero would be without limit.
        (!left.is_zero()).then_some(())?;
        socket.set_read_timeout(Some(left)).ok()?;
        let length = socket.recv(&mut answer).ok()?;
        if let Some(code) = rcode(&answer[..length], id, question) {
            return Some(code);
        }
    }
}

/// The header of a standard query for one question, with recursion desired, and the question.
fn query(id: [u8; 2], question: &[u8]) -> Vec<u8> {
    let mut query = vec![id[0], id[1], 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend(question);
    query
}

/// The name in labels, its type, and the class IN. `None` for what is no name in the DNS.
fn question(name: &str, kind: u16) -> Option<Vec<u8>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut question = Vec::with_capacity(name.len() + 6);
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        question.push(length);
        question.extend(label.as_bytes());
    }
    question.push(0);
    if question.len() > 255 {
        return None;
    }
    question.extend(kind.to_be_bytes());
    question.extend([0, 1]);
    Some(question)
}

/// The code of an answer to this query; `None` for anything else.
fn rcode(answer: &[u8], id: [u8; 2], question: &[u8]) -> Option<u8> {
    let (header, body) = answer.split_at_checked(12)?;
    let is_answer = header[2] & 0xF8 == 0x80; // QR set, opcode 0
    // A server that could not read the question may leave it out.
    let is_ours = header[4..6] == [0, 0] || body.get(..question.len()) == Some(question);
    (header[..2] == id && is_answer && is_ours).then_some(header[3] & 0x0F)
}

/// Returns true if the system looks names up in the DNS. Without a line, glibc does.
fn asks_nameservers(nsswitch: &str) -> bool {
    let sources = nsswitch.lines().find_map(|line| line.trim_start().strip_prefix("hosts:"));
    sources.is_none_or(|sources| sources.split_whitespace().any(|source| source == "dns"))
}

/// What is read of resolv.conf(5).
#[derive(Debug, Default, PartialEq)]
struct Resolv {
    nameservers: Vec<SocketAddr>,
    domains: Vec<String>,
}

impl Resolv {
    fn parse(text: &str) -> Self {
        let mut resolv = Self::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => {
                    // With an interface (`fe80::1%eth0`) it is left out.
                    let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
                    resolv.nameservers.extend(address.map(|address| SocketAddr::new(address, 53)));
                }
                // The last line counts.
                Some("search" | "domain") => {
                    resolv.domains = words.take(DOMAINS).map(str::to_owned).collect();
                }
                _ => {}
            }
        }
        resolv.nameservers.truncate(NAMESERVERS);
        resolv
    }

    /// The names that glibc asks for: with a dot the name itself, else the name in each domain.
    fn names(&self, host: &str) -> Vec<String> {
        if host.contains('.') || self.domains.is_empty() {
            return vec![host.to_owned()];
        }
        self.domains.iter().map(|domain| format!("{host}.{domain}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const ID: [u8; 2] = [7, 9];

    fn reply(flags: [u8; 2], question: &[u8]) -> Vec<u8> {
        let mut reply = query(ID, question);
        reply[2..4].copy_from_slice(&flags);
        reply
    }

    #[test]
    fn question_has_labels_type_and_class() {
        let expected = b"\x02db\x07example\x00\x00\x1C\x00\x01";
        assert_eq!(question("db.example.", AAAA).unwrap(), expected);
        assert_eq!(question(&format!("{}.a", "x".repeat(64)), A), None);
        assert_eq!(question(&"a.".repeat(130), A), None);
        assert_eq!(question("", A), None);
        assert_eq!(question("a..b", A), None);
    }

    #[test]
    fn rcode_is_read_of_our_answer_only() {
        let asked = question("db.example", A).unwrap();
        let other = question("db.example", AAAA).unwrap();
        assert_eq!(rcode(&reply([0x81, 0x85], &asked), ID, &asked), Some(5));
        assert_eq!(rcode(&reply([0x81, 0x85], &asked), [1, 1], &asked), None);
        assert_eq!(rcode(&reply([0x81, 0x85], &asked), ID, &other), None);
        assert_eq!(rcode(&reply([0x01, 0x00], &asked), ID, &asked), None, "our own query");
        let headless = [7, 9, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(rcode(&headless, ID, &asked), Some(1), "FORMERR without the question");
        for length in 0..12 {
            assert_eq!(rcode(&headless[..length], ID, &asked), None);
        }
    }

    #[test]
    fn resolv_conf_is_read_as_glibc_does() {
        let text = "# nameserver 1.1.1.1\nsearch a.example b.example c.example d.example\n\
            nameserver 10.0.0.1\nnameserver fe80::1%eth0\nnameserver ::1\noptions ndots:2";
        let resolv = Resolv::parse(text);
        assert_eq!(
            resolv.nameservers,
            ["10.0.0.1:53", "[::1]:53"].map(|address| address.parse().unwrap())
        );
        assert_eq!(resolv.names("db"), ["db.a.example", "db.b.example", "db.c.example"]);
        assert_eq!(resolv.names("db.x"), ["db.x"]);
        assert_eq!(Resolv::default().names("db"), ["db"]);
    }

    #[test]
    fn nsswitch_without_dns_asks_nobody() {
        assert!(asks_nameservers("passwd: files\nhosts: files dns\n") && asks_nameservers(""));
        assert!(!asks_nameservers("hosts: files\n"));
    }

    /// A nameserver that answers each question with these flags.
    fn nameserver(flags: [u8; 2]) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Ok((length, client)) = socket.recv_from(&mut buffer) {
                buffer[2..4].copy_from_slice(&flags);
                let _ = socket.send_to(&buffer[..length], client);
            }
        });
        address
    }

    #[test]
    fn nameserver_that_looked_outweighs_one_that_did_not() {
        let (refuses, looked) = (nameserver([0x81, 0x85]), nameserver([0x81, 0x83]));
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let silent = silent.local_addr().unwrap();
        let asked = question("db.example", A).unwrap();
        let until = || Instant::now() + LIMIT;
        assert_eq!(ask_each(&[silent, refuses], &asked, until()), Some(Rcode(5)));
        assert_eq!(ask_each(&[refuses, looked], &asked, until()), None);
        assert_eq!(ask_each(&[], &asked, until()), None);
    }
}

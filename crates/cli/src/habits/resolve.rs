//! What a verb's words mean once every habit is in redial's spelling.
//!
//! A habit that is not accepted is rewritten as well: the result is the line to suggest, and the
//! first such habit is the problem. Start at [`resolved`].

use std::net::IpAddr;

use redial::{Place, Server};

use super::{
    Problem, Verb,
    line::{Line, Part},
    places,
    split::{self, Token},
    table::{Habit, Meaning},
    values::{encoded, filled, user, with_unit},
};

/// A line in redial's spelling, and what was not accepted of it.
pub(super) struct Resolved {
    pub(super) line: Line,
    pub(super) problem: Option<Problem>,
}

/// Reads a verb's words.
pub(super) fn resolved(verb: Verb, words: &[String]) -> Resolved {
    let mut tokens = split::tokens(verb, words);
    let problem = if verb == Verb::Wait { places::rewrite(&mut tokens) } else { None };
    let is_probe =
        tokens.iter().any(|token| matches!(token, Token::Habit(_, name, _) if name == "-z"));
    let is_http_proxy = tokens.iter().any(|token| {
        matches!(token, Token::Habit(_, name, Some(value)) if name == "-X" && value == "connect")
    });
    let mut resolver = Resolver {
        line: Line { verb, parts: Vec::new(), redirection: None, command: Vec::new() },
        problem,
        is_probe,
        proxy: if is_http_proxy { "http" } else { "socks5" },
        host: None,
        port: None,
        place_at: None,
        user: None,
        options: Vec::new(),
        is_unix: false,
        numeric: None,
        retry_delay: None,
        tls: false,
        has_line: true,
    };
    for token in tokens {
        resolver.take(token);
    }
    resolver.finish()
}

struct Resolver {
    line: Line,
    problem: Option<Problem>,
    /// Whether only the port is looked at.
    is_probe: bool,
    /// The protocol of a proxy without one.
    proxy: &'static str,
    /// The host and the port that are in flags, with the words that named them.
    host: Option<Flag>,
    port: Option<Flag>,
    /// Where among the parts they were.
    place_at: Option<usize>,
    /// The user of every http target.
    user: Option<Flag>,
    /// Options of every http target, with the flags they came from.
    options: Vec<(Flag, String)>,
    is_unix: bool,
    numeric: Option<Flag>,
    retry_delay: Option<Flag>,
    tls: bool,
    /// Whether what is left of the line does what was meant.
    has_line: bool,
}

/// A flag of another tool on this line.
#[derive(Clone)]
struct Flag {
    habit: &'static Habit,
    name: String,
    value: String,
}

impl Resolver {
    fn take(&mut self, token: Token) {
        match token {
            Token::Flag(words) => self.line.parts.push(Part::Flag(words)),
            Token::Place(place) => self.line.parts.push(Part::Place(place)),
            Token::Rest(rest) => self.line.command = rest,
            Token::Habit(habit, name, value) => {
                let is_missing = value.is_none() && habit.takes_value();
                let flag = Flag { habit, name, value: value.unwrap_or_default() };
                if is_missing {
                    self.fails(&flag, "its value is missing");
                } else {
                    self.habit(flag);
                }
            }
        }
    }

    fn habit(&mut self, flag: Flag) {
        match flag.habit.meaning {
            Meaning::Same(words) => self.words(words, &flag.value),
            Meaning::Option(option) => {
                let option = filled(option, &encoded(&flag.value));
                self.options.push((flag, option));
            }
            Meaning::User => self.user = Some(flag),
            Meaning::Host => {
                self.place_at.get_or_insert(self.line.parts.len());
                self.host = Some(flag);
            }
            Meaning::Port => {
                self.place_at.get_or_insert(self.line.parts.len());
                self.port = Some(flag);
            }
            Meaning::Target => self.line.parts.push(Part::Place(flag.value)),
            Meaning::Unix => self.is_unix = true,
            Meaning::Numeric => self.numeric = Some(flag),
            Meaning::RetryDelay => self.retry_delay = Some(flag),
            // Read before, since `-x` may stand before it.
            Meaning::ProxyProtocol => {}
            // The limit of a probe is the limit of the whole.
            Meaning::Write(..) if self.is_probe && flag.name == "-w" => {
                self.words(&["-t", "{}"], &flag.value);
            }
            Meaning::Write(words, why) => {
                self.words(words, &flag.value);
                self.fails(&flag, why);
            }
            Meaning::Probe => {
                self.line.verb = Verb::Wait;
                self.line.parts.insert(0, Part::Flag(vec!["--once".into()]));
                self.fails(&flag, "here `wait --once` does");
            }
            Meaning::Tls(why) => {
                self.tls = true;
                self.fails(&flag, why);
            }
            Meaning::Listen(why) => {
                self.line.verb = Verb::Serve;
                self.fails(&flag, why);
            }
            Meaning::Never(why) => {
                self.fails(&flag, why);
                self.has_line = false;
            }
        }
    }

    fn words(&mut self, words: &[&'static str], value: &str) {
        if let ["< /dev/null"] = words {
            self.line.redirection = Some("< /dev/null");
        } else if !words.is_empty() {
            let proxied = |word: &&str| word.replace("socks5", self.proxy);
            let words = words.iter().map(|word| filled(&proxied(word), value));
            let words: Vec<String> = words.collect();
            for flag in words.chunk_by(|_, after| !after.starts_with("--")) {
                self.line.parts.push(Part::Flag(flag.to_vec()));
            }
        }
    }

    /// Remembers the first habit that is not accepted.
    fn fails(&mut self, flag: &Flag, why: &str) {
        let Habit { tool, does, .. } = flag.habit;
        let tool = tool.split(',').next().unwrap_or(tool);
        let what = format!("`{}` of {tool} {does}: {why}", flag.name);
        self.problem.get_or_insert(Problem::new(what, "see: redial help habits"));
    }

    fn finish(mut self) -> Resolved {
        self.named_by_flags();
        if self.line.verb == Verb::Serve {
            self.line.parts.retain(|part| matches!(part, Part::Place(_)));
        }
        if self.problem.is_some() || self.numeric.is_some() || self.tls {
            self.join_pair();
        }
        if self.is_unix {
            for place in self.line.places_mut().filter(|place| !place.contains(':')) {
                *place = format!("unix:{place}");
            }
        }
        if self.tls {
            for place in self.line.places_mut().filter(|place| !place.contains("://")) {
                *place = format!("tls://{place}");
            }
        }
        if let Some(flag) = self.numeric.take()
            && !self.line.places().all(|place| is_numeric(place))
        {
            self.fails(&flag, "name the server by its address");
        }
        self.set_options();
        self.set_retry_delay();
        let has_line = |problem| Problem { has_line: self.has_line, ..problem };
        Resolved { line: self.line, problem: self.problem.map(has_line) }
    }

    /// The place that `-h HOST -p PORT` names, and `HOST -p PORT`.
    fn named_by_flags(&mut self) {
        let at = self.place_at.unwrap_or_default().min(self.line.parts.len());
        let is_serve = self.line.verb == Verb::Serve;
        if is_serve && let Some(flag) = self.host.clone().or_else(|| self.port.clone()) {
            self.fails(&flag, "the address is written alone");
        }
        let (host, port) = (self.host.take(), self.port.take());
        let place = match (host, port) {
            (Some(host), Some(port)) => joined(&host.value, &port.value),
            (Some(host), None) if is_serve => format!("{}:0", host.value),
            (Some(host), None) => host.value,
            (None, Some(port)) if is_serve => port.value,
            (None, Some(port)) => return self.port_alone(&port, at),
            (None, None) => return,
        };
        self.line.parts.insert(at, Part::Place(place));
    }

    fn port_alone(&mut self, port: &Flag, at: usize) {
        let places: Vec<&String> = self.line.places().collect();
        match places[..] {
            [] => {
                self.line.parts.insert(at, Part::Place(format!("localhost:{}", port.value)));
                self.fails(port, "no host is named");
            }
            [host] if Server::parse(host).is_err() && is_pair(host, &port.value) => {
                let place = joined(host, &port.value);
                self.line.places_mut().for_each(|host| host.clone_from(&place));
            }
            _ => self
                .fails(port, "the server has its port already, and a source port is not set here"),
        }
    }

    /// `db 5432` as one word, which it is on any line.
    fn join_pair(&mut self) {
        let places: Vec<&String> = self.line.places().collect();
        let [host, port] = places[..] else { return };
        if !is_pair(host, port) {
            return;
        }
        let (place, mut is_first) = (joined(host, port), true);
        self.line.parts.retain_mut(|part| match part {
            Part::Place(host) if is_first => {
                host.clone_from(&place);
                is_first = false;
                true
            }
            Part::Place(_) => false,
            Part::Flag(_) => true,
        });
    }

    fn set_options(&mut self) {
        if let Some(flag) = self.user.take() {
            self.need_urls(&flag);
            let user = user(&flag.value);
            for place in self.line.places_mut() {
                let Some((scheme, rest)) = place.split_once("://") else { continue };
                let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
                if !authority.contains('@') {
                    *place = format!("{scheme}://{user}@{rest}");
                }
            }
        }
        for (flag, option) in std::mem::take(&mut self.options) {
            self.need_urls(&flag);
            for place in self.line.places_mut() {
                *place += if place.contains('#') { "," } else { "#" };
                *place += &option;
            }
        }
    }

    /// Refuses places that are no URLs of HTTP, and makes them such.
    fn need_urls(&mut self, flag: &Flag) {
        let is_http =
            |place: &String| place.starts_with("http://") || place.starts_with("https://");
        if !self.line.places().all(is_http) {
            self.fails(flag, "the target of an HTTP check is a URL");
            self.join_pair();
            for place in self.line.places_mut().filter(|place| !place.contains("://")) {
                *place = format!("http://{place}/");
            }
        }
    }

    /// `--retry 5 --retry-delay 2` is `--retry 5,2s`; curl's 0 is curl's own backoff.
    fn set_retry_delay(&mut self) {
        let Some(flag) = self.retry_delay.take() else { return };
        if flag.value == "0" {
            return;
        }
        let delay = with_unit(&flag.value, "s");
        for part in &mut self.line.parts {
            let Part::Flag(words) = part else { continue };
            match &mut words[..] {
                [name, times] if name == "--retry" && !times.contains(',') => {
                    *times += &format!(",{delay}");
                    return;
                }
                [word] if word.starts_with("--retry=") && !word.contains(',') => {
                    *word += &format!(",{delay}");
                    return;
                }
                _ => {}
            }
        }
        self.line.parts.push(Part::Flag(vec!["--retry".into(), format!("10,{delay}")]));
        self.fails(&flag, "it needs a number of retries");
    }
}

/// A host and a port as one word; as they were where they are none, for the reader to refuse.
fn joined(host: &str, port: &str) -> String {
    Server::from_words(&[host, port])
        .map_or_else(|_| format!("{host}:{port}"), |server| server.label().to_string())
}

fn is_pair(host: &str, port: &str) -> bool {
    port.parse::<u32>().is_ok() && Server::from_words(&[host, port]).is_ok()
}

fn is_numeric(place: &str) -> bool {
    let is_address =
        |host: &str| host.split('%').next().is_some_and(|h| h.parse::<IpAddr>().is_ok());
    match Server::parse(place) {
        Ok(server) => match server.place() {
            Place::Host { host, .. } => is_address(host),
            Place::Unix { .. } => true,
        },
        // Its own mistake is reported by the reader.
        Err(_) => true,
    }
}

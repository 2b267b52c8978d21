//! Targets as other tools write them: `tcp db:5432`, `tcp:db:5432`, `socket:/run/app.sock`.
//!
//! Start at [`rewrite`].

use super::{Problem, split::Token};

/// A spelling of another tool.
pub(crate) struct Spelling {
    pub(crate) there: &'static str,
    pub(crate) tool: &'static str,
    pub(crate) here: &'static str,
}

/// Every spelling of a target that is known; [`rewrite`] reads them.
pub(crate) static SPELLINGS: [Spelling; 7] = [
    Spelling { there: "tcp HOST:PORT", tool: "wait4x", here: "accepted" },
    Spelling { there: "http URL", tool: "wait4x", here: "accepted" },
    Spelling { there: "redis URL, mysql URL …", tool: "wait4x", here: "the URL alone" },
    Spelling { there: "tcp:HOST:PORT", tool: "wait-on", here: "accepted" },
    Spelling { there: "tcp:PORT", tool: "wait-on", here: "localhost:PORT" },
    Spelling { there: "http-get://HOST/, https-get://HOST/", tool: "wait-on", here: "accepted" },
    Spelling { there: "socket:PATH", tool: "wait-on", here: "accepted, and unix:PATH" },
];

/// Protocols that wait4x names by a word before the URL.
const WORDS: [&str; 9] = [
    "postgresql",
    "postgres",
    "mysql",
    "redis",
    "mongodb",
    "rabbitmq",
    "kafka",
    "amqp",
    "influxdb",
];

/// Whether any word may be another tool's target, for a reader in a hurry: false is certain.
pub(super) fn may_be_foreign(words: &[String]) -> bool {
    let prefixes = ["tcp:", "socket:", "http-get:", "https-get:", "file:"];
    words.iter().any(|word| {
        matches!(word.as_str(), "tcp" | "http")
            || WORDS.contains(&word.as_str())
            || prefixes.iter().any(|prefix| word.starts_with(prefix))
    })
}

/// Rewrites the targets that mean the same here; returns what is wrong with the first other one.
pub(super) fn rewrite(tokens: &mut Vec<Token>) -> Option<Problem> {
    let mut problem = protocol_word(tokens);
    for token in tokens {
        let Token::Place(place) = token else { continue };
        match spelled(place) {
            Some(Ok(written)) => *place = written,
            Some(Err((written, found))) => {
                *place = written;
                problem = problem.or(Some(found));
            }
            None => {}
        }
    }
    problem
}

/// A place in redial's spelling, where it has another; with the problem of one that is refused.
pub(super) fn spelled(place: &str) -> Option<Result<String, (String, Problem)>> {
    for (there, here) in [("http-get://", "http://"), ("https-get://", "https://")] {
        if let Some(rest) = place.strip_prefix(there) {
            return Some(Ok(format!("{here}{rest}")));
        }
    }
    if let Some(path) = place.strip_prefix("socket:") {
        return Some(Ok(format!("unix:{path}")));
    }
    if place.starts_with("file:") {
        let what = "wait-on's `file:` waits for a file: redial waits for servers".into();
        let problem = Problem { has_line: false, ..Problem::new(what, "leave it out") };
        return Some(Err((place.to_owned(), problem)));
    }
    let rest = place.strip_prefix("tcp:").filter(|rest| !rest.starts_with("//"))?;
    if rest.bytes().all(|byte| byte.is_ascii_digit()) && !rest.is_empty() {
        let what =
            format!("wait-on's `tcp:{rest}` is a port of localhost, and here a host called tcp");
        let problem = Problem::new(what, "write HOST:PORT");
        return Some(Err((format!("localhost:{rest}"), problem)));
    }
    Some(Ok(rest.to_owned()))
}

/// `tcp db:5432`: wait4x's word for a protocol, before a target.
fn protocol_word(tokens: &mut Vec<Token>) -> Option<Problem> {
    let mut places = tokens.iter().enumerate().filter_map(|(at, token)| match token {
        Token::Place(place) => Some((at, place.as_str())),
        _ => None,
    });
    let (at, word) = places.next()?;
    let (_, target) = places.next()?;
    let is_number = target.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        return None;
    }
    let is_accepted = match word {
        "tcp" => true,
        "http" => target.starts_with("http://") || target.starts_with("https://"),
        word if WORDS.contains(&word) && target.contains("://") => false,
        _ => return None,
    };
    let what = format!("wait4x's `{word}` names the protocol: here the URL does");
    tokens.remove(at);
    (!is_accepted).then_some(Problem::new(what, "leave the word out"))
}

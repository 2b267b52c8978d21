//! Flags of other tools, and what they are called here.
//!
//! People's fingers know `nc`; each of its flags gets its answer instead of a usage text. It only
//! looks at words. Start at [`answer`].

use crate::error::Error;

/// The error for a word that belongs to another tool, if it does.
///
/// Words behind `--` are nobody's flags.
pub(crate) fn answer(words: &[String]) -> Option<Error> {
    let flags = words.iter().take_while(|word| *word != "--");
    for word in flags {
        let next = match word.as_str() {
            "-z" => {
                "nc's `-z` only looks whether the port is open: redial connect HOST:PORT --half-close always < /dev/null"
            }
            "-zv" | "-vz" => {
                "nc's `-zv` only looks whether the port is open: redial connect HOST:PORT -v --half-close always < /dev/null"
            }
            "-l" | "-lp" | "-lk" | "-k" => {
                "nc's `-l` listens; connect dials (a practice server that listens: redial serve PORT)"
            }
            "-N" => {
                "nc's `-N` ends the sending side at the end of input; redial does so by itself (--half-close)"
            }
            "-d" => "nc's `-d` does not read standard input: < /dev/null does that",
            "-n" => "nc's `-n` asks no resolver: name the server by its address",
            "-e" | "-c" => {
                "nc's `-e` runs a program on the connection; redial does not (a clause may `run` one on a failure)"
            }
            "-u" => "nc's `-u` is UDP; redial speaks TCP and Unix sockets",
            "-U" => "nc's `-U` is a Unix socket: redial connect unix:/PATH",
            "-C" => "nc's `-C` sends CRLF line ends: --crlf",
            "-s" => "nc's `-s` sets the source address: --bind ADDRESS",
            "-x" | "-X" => {
                "nc's `-x` goes through a proxy: --via socks5://HOST:1080, http://HOST:3128"
            }
            word if is_wait(word) => {
                "nc's `-w N` limits connecting and idling at once; here they are two: --connect-timeout N, --idle-timeout N"
            }
            _ => continue,
        };
        return Some(Error::plain(format!("there is no flag `{word}`"), next));
    }
    None
}

/// The same for `wait`, whose neighbours are wait-for-it, wait4x, dockerize and wait-on.
pub(crate) fn answer_wait(words: &[String]) -> Option<Error> {
    for word in words {
        let name = word.split('=').next().unwrap_or(word);
        let next = match name {
            "-s" | "--strict" => {
                "the command never runs after a wait that failed; leave the flag out"
            }
            "--host" | "-p" | "--port" => "name the server: redial wait HOST:PORT",
            "-i" | "--interval" | "-wait-retry-interval" => {
                "how often it tries: --except 'transient: retry forever every 1s'"
            }
            "-wait" | "--wait" => "each word is a target: redial wait tcp://db:5432 http://api/",
            "-w" | "--window" | "-d" | "--delay" => {
                "a server is ready when it answers; several times in a row: --consecutive N"
            }
            "-r" | "--reverse" | "--invert-check" => "until they are gone: --gone",
            "--expect-status-code" | "-wait-http-header" | "--expect-body-regex" => {
                "what is expected: --expect '/re/', or options behind #, see: redial help recipes"
            }
            "-timeout" => "two dashes: --timeout 30s",
            _ => continue,
        };
        return Some(Error::plain(format!("there is no flag `{name}`"), next));
    }
    None
}

/// The same for `serve`: how other servers are told where to listen.
pub(crate) fn answer_serve(words: &[std::ffi::OsString]) -> Option<Error> {
    let flags = words.iter().filter_map(|word| word.to_str()).take_while(|word| *word != "--");
    for word in flags {
        let next = match word.split('=').next().unwrap_or(word) {
            "-l" | "-lp" | "-lk" | "-k" | "--listen" => {
                "serve listens anyway, again and again; write the port alone: redial serve 5432"
            }
            "-p" | "--port" => "write the port alone: redial serve 5432",
            "--host" | "--bind" | "-b" | "--address" => {
                "write the address alone: redial serve 127.0.0.1:5432, or :5432 for every address"
            }
            "-d" | "--daemon" => "it stays in front; `&` in a shell puts it behind",
            _ => continue,
        };
        return Some(Error::plain(format!("there is no flag `{word}`"), next));
    }
    None
}

fn is_wait(word: &str) -> bool {
    word.strip_prefix("-w").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

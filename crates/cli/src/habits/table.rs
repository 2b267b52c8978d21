//! The table of other tools' flags: what each means there, and what it becomes here.
//!
//! One row per flag. The reader of words, `redial help habits` and `docs/coming-from.md` are made
//! from it. A flag of the same meaning is accepted; any other is answered with the line to write.
//! Start at [`HABITS`].

use std::net::IpAddr;

use super::Verb;

/// One flag of another tool.
#[derive(Debug)]
pub(crate) struct Habit {
    /// Its spellings.
    pub(crate) names: &'static [&'static str],
    pub(crate) tool: &'static str,
    /// The verbs that know it.
    pub(super) verbs: &'static [Verb],
    pub(super) value: Takes,
    /// What it does there, as a verb phrase: "limits one transfer to N seconds".
    pub(crate) does: &'static str,
    pub(super) meaning: Meaning,
}

impl Habit {
    pub(super) const fn takes_value(&self) -> bool {
        !matches!(self.value, No)
    }

    /// The names of the verbs that know it.
    pub(crate) fn verbs(&self) -> Vec<&'static str> {
        self.verbs.iter().map(|verb| verb.name()).collect()
    }

    /// What it is here, for a page.
    pub(crate) fn here(&self) -> String {
        let shown = |words: &[&str]| {
            let words =
                words.iter().map(|word| match word.contains(' ') && !word.starts_with('<') {
                    true => format!("'{word}'"),
                    false => (*word).to_owned(),
                });
            let words = words.collect::<Vec<_>>().join(" ");
            words.replace("{quarter}", "N/4").replace("{ms}", "N").replace("{}", "N")
        };
        match self.meaning {
            Same([]) => "accepted: redial does so anyway".into(),
            Same(words) => format!("accepted: {}", shown(words)),
            HttpOption(option) => format!("accepted: #{}", option.replace("{}", "N")),
            User => "accepted: http://USER:PASSWORD@HOST".into(),
            Host | Port | Target if !self.verbs.contains(&Serve) => "accepted".into(),
            Unix => "accepted: unix:PATH".into(),
            Numeric => "accepted where every server is an address".into(),
            RetryDelay => "accepted with --retry: --retry N,TIME".into(),
            ProxyProtocol => "accepted with -x".into(),
            Host | Port | Target => "write HOST:PORT".into(),
            Write([], why) | Never(why) => why.into(),
            Write(words, why) => format!("write {}: {why}", shown(words)),
            Probe => "write redial wait --once HOST:PORT".into(),
            Tls(why) => format!("write tls://HOST:PORT: {why}"),
            Listen(why) => format!("write redial serve PORT: {why}"),
        }
    }
}

/// Whether a flag has a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    No,
    One,
    /// One, and the row is meant only where the value is like this.
    If(fn(&str) -> bool),
}

/// What becomes of it. In words, `{}` is the value, `{ms}` the value in milliseconds where it has no
/// unit, and `{quarter}` a quarter of that.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    /// The same as these words; none: redial does so anyway.
    Same(&'static [&'static str]),
    /// The same as this option of every `http` target.
    Option(&'static str),
    /// The user and the password of every `http` target.
    User,
    /// A host, whose port is in another flag.
    Host,
    Port,
    /// A whole target.
    Target,
    /// Every place is the path of a Unix socket.
    Unix,
    /// Every host has to be an address.
    Numeric,
    /// The pause after each `--retry`.
    RetryDelay,
    /// What `-x` goes through.
    ProxyProtocol,
    /// Not the same; these words instead, and why.
    Write(&'static [&'static str], &'static str),
    /// Not the same; one attempt of `wait` instead.
    Probe,
    /// Not the same; TLS to every place instead.
    Tls(&'static str),
    /// Not the same; `serve` instead.
    Listen(&'static str),
    /// Not available, and why; what is left of the line is offered.
    Never(&'static str),
}

use Meaning::{
    Host, Listen, Never, Numeric, Option as HttpOption, Port, Probe, ProxyProtocol, RetryDelay,
    Same, Target, Tls, Unix, User, Write,
};
use Takes::{If, No, One};
use Verb::{Connect, Serve, Wait};

const BOTH: &[Verb] = &[Connect, Wait];

/// A row, in the order of its fields.
const fn row(
    names: &'static [&'static str],
    tool: &'static str,
    verbs: &'static [Verb],
    value: Takes,
    does: &'static str,
    meaning: Meaning,
) -> Habit {
    Habit { names, tool, verbs, value, does, meaning }
}

/// The words for pauses of one length, drawn so that clients spread.
const EVERY: &[&str] = &["--except", "transient: retry forever every {quarter}..{ms}"];

/// Every flag of another tool that is known, by tool. The first row that fits is used.
pub(crate) static HABITS: &[Habit] = &[
    // nc, ncat
    row(&["-z"], "nc", &[Wait], No, "only looks whether the port is open", Same(&["--once"])),
    row(&["-z"], "nc", &[Connect], No, "only looks whether the port is open", Probe),
    row(
        &["-w"],
        "nc",
        &[Connect],
        One,
        "limits connecting and silence at once",
        Write(&["--connect-timeout", "{}", "--idle-timeout", "{}"], "here they are two flags"),
    ),
    row(&["-l"], "nc", &[Connect], No, "listens", Listen("connect dials, and `serve` listens")),
    row(
        &["-N"],
        "nc",
        &[Connect],
        No,
        "ends the sending side at the end of input",
        Same(&["--half-close", "always"]),
    ),
    row(&["-C"], "nc", &[Connect], No, "sends line ends as CRLF", Same(&["--crlf"])),
    row(&["-U"], "nc", BOTH, No, "dials a Unix socket", Unix),
    row(&["-n"], "nc", BOTH, No, "asks no resolver", Numeric),
    row(
        &["-s"],
        "nc",
        &[Connect],
        If(is_address),
        "sets the source address",
        Same(&["--bind", "{}"]),
    ),
    row(
        &["-d"],
        "nc",
        &[Connect],
        No,
        "reads no standard input",
        Write(&["< /dev/null"], "the shell does that"),
    ),
    row(&["-u"], "nc", &[Connect], No, "speaks UDP", Never("redial speaks TCP and Unix sockets")),
    row(
        &["-e", "-c"],
        "nc",
        &[Connect],
        One,
        "runs a program on the connection",
        Never("redial copies standard input and output; a clause may `run` a command on a failure"),
    ),
    row(
        &["-i"],
        "nc",
        &[Connect],
        One,
        "pauses between lines",
        Never("redial sends what it reads at once"),
    ),
    row(&["-X"], "nc", &[Connect], One, "names the proxy's protocol", ProxyProtocol),
    row(&["-x"], "nc, curl", BOTH, If(is_url), "goes through a proxy", Same(&["--via", "{}"])),
    row(
        &["-x"],
        "nc",
        &[Connect],
        One,
        "goes through a SOCKS proxy",
        Write(&["--via", "socks5://{}"], "a proxy is a URL"),
    ),
    row(
        &["--ssl"],
        "ncat",
        &[Connect],
        No,
        "speaks TLS and checks no certificate",
        Tls("TLS belongs to the server's name, and the certificate is checked"),
    ),
    // curl
    row(&["-k"], "curl", BOTH, No, "accepts any certificate", Same(&["--insecure"])),
    row(&["-s", "--silent"], "curl", &[Connect], No, "prints no progress", Same(&["--quiet"])),
    row(&["--silent"], "curl", &[Wait], No, "prints no progress", Same(&["--quiet"])),
    row(&["-f", "--fail"], "curl", &[Wait], No, "fails at a status that is an error", Same(&[])),
    row(&["-S", "--show-error"], "curl", BOTH, No, "prints why it failed", Same(&[])),
    row(&["--retry-delay"], "curl", BOTH, One, "pauses N seconds before each retry", RetryDelay),
    row(&["--retry-connrefused"], "curl", BOTH, No, "retries a refused connection too", Same(&[])),
    row(
        &["--retry-max-time"],
        "curl",
        BOTH,
        One,
        "retries for at most N seconds",
        Same(&["--deadline", "{}"]),
    ),
    row(
        &["--retry-all-errors"],
        "curl",
        BOTH,
        No,
        "retries any failure",
        Write(
            &[],
            "`--retry` is for what can change by itself; the rest: --except 'any if fresh: retry 10'",
        ),
    ),
    row(
        &["-m"],
        "curl",
        &[Connect],
        One,
        "limits one whole transfer",
        Write(
            &["--connect-timeout", "{}", "--max-time", "{}"],
            "here connecting has a limit of its own",
        ),
    ),
    row(
        &["-m"],
        "curl",
        &[Wait],
        One,
        "limits one whole transfer",
        Write(
            &["--connect-timeout", "{}", "--reply-timeout", "{}"],
            "here connecting has a limit of its own",
        ),
    ),
    row(&["--cacert"], "curl", BOTH, One, "trusts these authorities only", Same(&["--ca", "{}"])),
    row(
        &["--interface"],
        "curl",
        BOTH,
        If(is_address),
        "sets the source address",
        Same(&["--bind", "{}"]),
    ),
    row(&["--url"], "curl", BOTH, One, "names the URL", Target),
    row(&["-I", "--head"], "curl", &[Wait], No, "asks with HEAD", HttpOption("method=HEAD")),
    row(
        &["-X", "--request"],
        "curl",
        &[Wait],
        One,
        "asks with this method",
        HttpOption("method={}"),
    ),
    row(&["-H", "--header"], "curl", &[Wait], One, "sends a header", HttpOption("header={}")),
    row(
        &["-H", "--header"],
        "curl",
        &[Connect],
        One,
        "sends a header",
        Never(
            "connect sends what it reads; a check with a header: redial wait 'http://HOST/#header=NAME:%20VALUE'",
        ),
    ),
    row(
        &["-L", "--location"],
        "curl",
        &[Wait],
        No,
        "follows redirects",
        HttpOption("redirect=follow"),
    ),
    row(&["-u", "--user"], "curl", &[Wait], One, "logs in with Basic authentication", User),
    row(
        &["-x", "--proxy"],
        "curl",
        &[Wait],
        One,
        "goes through an HTTP proxy",
        Write(&["--via", "http://{}"], "a proxy is a URL"),
    ),
    // wait-for-it, and clients of databases
    row(&["-h", "--host"], "wait-for-it", BOTH, One, "names the host", Host),
    row(&["-p", "--port"], "wait-for-it", BOTH, One, "names the port", Port),
    row(
        &["-s", "--strict"],
        "wait-for-it",
        &[Wait],
        No,
        "runs the command only after success",
        Same(&[]),
    ),
    // wait4x
    row(
        &["--expect-status-code"],
        "wait4x",
        &[Wait],
        One,
        "expects this status",
        HttpOption("status={}"),
    ),
    row(
        &["--expect-body-regex"],
        "wait4x",
        &[Wait],
        One,
        "expects a body that matches",
        HttpOption("body=/{}/"),
    ),
    row(&["--request-header"], "wait4x", &[Wait], One, "sends a header", HttpOption("header={}")),
    row(
        &["--connection-timeout"],
        "wait4x",
        &[Wait],
        One,
        "limits one connection attempt",
        Same(&["--connect-timeout", "{}"]),
    ),
    row(
        &["--insecure-skip-tls-verify"],
        "wait4x",
        &[Wait],
        No,
        "accepts any certificate",
        Same(&["--insecure"]),
    ),
    row(&["--no-redirect"], "wait4x", &[Wait], No, "follows no redirect", Same(&[])),
    row(
        &["-i", "--interval"],
        "wait4x, wait-on",
        &[Wait],
        One,
        "pauses so long between attempts",
        Write(
            EVERY,
            "pauses grow by themselves, from 10ms to 1s, and are drawn so that clients spread",
        ),
    ),
    row(
        &["--invert-check"],
        "wait4x",
        &[Wait],
        No,
        "takes any failure for success",
        Write(&["--gone"], "a server is gone when it refuses or its socket is absent"),
    ),
    row(
        &["--backoff-policy"],
        "wait4x",
        &[Wait],
        One,
        "lets pauses grow",
        Write(&[], "pauses grow by themselves, from 10ms to 1s"),
    ),
    row(
        &["--backoff-exponential-coefficient"],
        "wait4x",
        &[Wait],
        One,
        "lets pauses grow by a factor",
        Write(&[], "pauses grow by themselves, from 10ms to 1s"),
    ),
    row(
        &["--backoff-exponential-max-interval"],
        "wait4x",
        &[Wait],
        One,
        "limits how pauses grow",
        Write(&[], "pauses grow by themselves, from 10ms to 1s"),
    ),
    // dockerize
    row(&["-wait", "--wait"], "dockerize", &[Wait], One, "names a target", Target),
    row(
        &["-timeout"],
        "dockerize",
        &[Wait],
        One,
        "limits the whole wait",
        Same(&["--timeout", "{}"]),
    ),
    row(
        &["-wait-retry-interval", "--wait-retry-interval"],
        "dockerize",
        &[Wait],
        One,
        "pauses so long between attempts",
        Write(
            EVERY,
            "pauses grow by themselves, from 10ms to 1s, and are drawn so that clients spread",
        ),
    ),
    row(
        &["-wait-http-header", "--wait-http-header"],
        "dockerize",
        &[Wait],
        One,
        "sends a header",
        HttpOption("header={}"),
    ),
    row(
        &["-skip-tls-verify", "--skip-tls-verify"],
        "dockerize",
        &[Wait],
        No,
        "accepts any certificate",
        Same(&["--insecure"]),
    ),
    row(
        &["-template", "-stdout", "-stderr"],
        "dockerize",
        &[Wait],
        One,
        "writes files, or shows logs",
        Never("redial only waits"),
    ),
    // wait-on, wait-port
    row(
        &["--tcpTimeout"],
        "wait-on",
        &[Wait],
        One,
        "limits one connection attempt, in ms",
        Same(&["--connect-timeout", "{ms}"]),
    ),
    row(
        &["--httpTimeout"],
        "wait-on",
        &[Wait],
        One,
        "limits one request, in ms",
        Write(
            &["--connect-timeout", "{ms}", "--reply-timeout", "{ms}"],
            "here connecting has a limit of its own",
        ),
    ),
    row(
        &["-w", "--window"],
        "wait-on",
        &[Wait],
        One,
        "wants the target to stay ready so long",
        Write(&["--consecutive", "2"], "ready several times in a row, 1s apart, is a number"),
    ),
    row(
        &["-d", "--delay"],
        "wait-on",
        &[Wait],
        One,
        "pauses before the first attempt",
        Write(&[], "a server that is not there yet is waited for anyway"),
    ),
    row(
        &["-r", "--reverse"],
        "wait-on",
        &[Wait],
        No,
        "waits until targets are not available",
        Write(&["--gone"], "a server is gone when it refuses or its socket is absent"),
    ),
    row(
        &["-l", "--log"],
        "wait-on",
        &[Wait],
        No,
        "prints every attempt",
        Write(&["--verbose"], "the flag has another name"),
    ),
    row(
        &["--wait-for-dns"],
        "wait-port",
        &[Wait],
        No,
        "retries a name that is not found",
        Same(&[]),
    ),
    // serve
    row(
        &["-l", "--listen", "-k"],
        "nc",
        &[Serve],
        No,
        "listens, again and again",
        Write(&[], "serve does so anyway"),
    ),
    row(
        &["-h", "--host", "--bind", "-b", "--address"],
        "other servers",
        &[Serve],
        One,
        "names the address",
        Host,
    ),
    row(&["-p", "--port"], "other servers", &[Serve], One, "names the port", Port),
    row(
        &["-d", "--daemon"],
        "other servers",
        &[Serve],
        No,
        "goes into the background",
        Never("serve stays in the foreground; a shell's `&` puts it into the background"),
    ),
];

fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

fn is_url(text: &str) -> bool {
    text.contains("://")
}

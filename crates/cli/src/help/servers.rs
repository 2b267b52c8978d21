//! `redial help servers` and `docs/servers.md`: how servers and targets are written.
//!
//! The protocols are printed from the core's own table; a test reads every example. Start at
//! [`text`].

use redial::{Scheme, Tls};

use super::{tables::row, wrapped};

/// `redial help servers`, or `targets`.
pub(super) fn text() -> String {
    let mut text = format!("SERVERS AND TARGETS\n\n{}\n\n", wrapped(INTRODUCTION, 0));
    for (form, meaning, _) in FORMS {
        text += &row(form, meaning, 22);
    }
    text += &format!("\n{}\n\nOPTIONS\n\n{}\n\n", wrapped(NAMES, 0), wrapped(BEHIND, 0));
    for (option, meaning, _) in OPTIONS {
        text += &row(option, meaning, 22);
    }
    text += "\nPROTOCOLS\n\n";
    for (names, about) in protocols() {
        text += &row(&names.join(", "), &about, 22);
    }
    text + "\nWhat ready means for each: redial help recipes\n"
}

/// `docs/servers.md`, without the line that says where it comes from.
#[cfg(test)]
pub(super) fn page() -> String {
    let mut page = format!(
        "# Servers and targets\n\n{INTRODUCTION}\n\n| written | means | as in |\n|---|---|---|\n"
    );
    for (form, meaning, example) in FORMS {
        page += &format!("| `{form}` | {meaning} | `{example}` |\n");
    }
    page += &format!(
        "\n{NAMES}\n\n## Options\n\n{BEHIND}\n\n| option | means | as in |\n|---|---|---|\n"
    );
    for (option, meaning, example) in OPTIONS {
        page += &format!("| `{option}` | {meaning} | `{example}` |\n");
    }
    page += "\n## Protocols\n\n| protocol | |\n|---|---|\n";
    for (names, about) in protocols() {
        page += &format!("| `{}` | {about} |\n", names.join("`, `"));
    }
    page + "\nWhat ready means for each is on the page of [recipes](recipes.md).\n"
}

const INTRODUCTION: &str = "\
A server is one address. A target of `wait` is one server, or several separated by commas, of \
which any will do. `connect` takes servers: the next is tried where the one before it fails. \
`wait` takes targets: all have to be ready, unless --any or --at-least N is given.";

const NAMES: &str = "\
An IPv4 address has four decimal numbers: 127.1, 010.0.0.1 and 0x7f.1 are refused, since \
programs differ in how they read them. A password is masked in everything that is printed.";

/// Forms of a server, what each means, and an example.
const FORMS: [(&str, &str, &str); 10] = [
    ("HOST:PORT", "a name or an IPv4 address, and a port; HOST PORT is the same", "10.0.0.5:8080"),
    ("[ADDRESS]:PORT", "an IPv6 address, and a port", "[fe80::1%eth0]:8080"),
    ("unix:PATH", "a Unix socket", "unix:/run/app.sock"),
    ("tls://HOST:PORT", "TLS from the first byte", "tls://mail:993"),
    (
        "PROTOCOL://HOST",
        "a protocol, with its port and its check; USER@, :PORT, /PATH and ?QUERY may be added",
        "postgres://app@db/main?sslmode=require",
    ),
    ("env:NAME", "what the variable NAME holds: a password stays off the command line", "env:HOME"),
    ("lab:NAME", "a practice server inside this process (redial help lab)", "lab:late"),
    ("SERVER,SERVER", "one target: either will do", "db1:5432,db2:5432"),
    ("SERVER#OPTIONS", "options of this server alone, as below", "db:5432#within=5s"),
    (
        "http://HOST/#/PAGE",
        "a page's fragment, which begins with / or !, is not sent",
        "http://h/#/login",
    ),
];

const BEHIND: &str = "\
Options follow a `#` and are separated by commas. Each is for its own target, and counts before the \
flag of that name. An option that cannot apply is an error. In a value, %2C is a comma.";

/// Options of one target, what each means, and an example.
const OPTIONS: [(&str, &str, &str); 21] = [
    ("within=TIME", "the time this target may take", "db:5432#within=5s"),
    ("as=RECIPE", "the recipe that judges it (redial help recipes)", "cache:6379#as=redis"),
    ("login", "log in with the user and password of the URL", "postgres://app@db#login"),
    ("starttls", "TLS begins in the protocol's own way", "smtp://mail#starttls"),
    (
        "ca=FILE",
        "the authorities to trust; `ca=system` is the system's store",
        "tls://h:1#ca=ca.pem",
    ),
    ("cert=FILE", "the client certificate", "tls://h:1#cert=me.pem,key=me.key"),
    ("key=FILE", "its key, where that is in another file", "tls://h:1#cert=me.pem,key=me.key"),
    ("sni=NAME", "the name to send and to check", "tls://10.0.0.5:1#sni=db.example"),
    ("alpn=NAMES", "the application protocols to offer", "tls://h:1#alpn=h2,http/1.1"),
    ("insecure", "accept any certificate", "tls://h:1#insecure"),
    ("via=PROXY", "the proxy to dial through", "db:5432#via=socks5://proxy:1080"),
    ("connect-timeout=TIME", "the time for a connection", "db:5432#connect-timeout=2s"),
    ("tls-timeout=TIME", "the time for a TLS handshake", "tls://h:1#tls-timeout=2s"),
    (
        "settle=TIME",
        "how long a connection must stay open, where no answer is expected",
        "db:5432#settle=1s",
    ),
    ("reply-timeout=TIME", "the time for an answer", "redis://cache#reply-timeout=20s"),
    (
        "status=SET",
        "the HTTP statuses that are ready: 200,401 or 200..399",
        "http://h/#status=200,401",
    ),
    (
        "header=NAME: VALUE",
        "a header of the HTTP request, repeatable",
        "http://h/#header=X-Probe: redial",
    ),
    ("method=NAME", "the HTTP method, GET without it", "http://h/#method=HEAD"),
    ("body=TEXT", "what the body holds, as --expect is written", "http://h/#body=ok"),
    (
        "json=POINTER:VALUE",
        "the value at a JSON pointer of the body",
        "http://h/#json=/status:ready",
    ),
    ("redirect=follow", "follow redirects, ten at most", "http://h/#redirect=follow"),
];

/// Schemes of one protocol, and what they have.
fn protocols() -> Vec<(Vec<&'static str>, String)> {
    let mut protocols: Vec<(Vec<&'static str>, String)> = Vec::new();
    for scheme in Scheme::all() {
        let Some(port) = scheme.port else { continue };
        let tls = match (scheme.tls, scheme.tls_on_request) {
            (Tls::Immediately, _) => ", TLS from the first byte",
            (_, Tls::ByProtocol) => ", TLS if the query asks for it, by the protocol's own words",
            (_, Tls::Immediately) => ", TLS if the query asks for it",
            _ => "",
        };
        let about = format!("port {port}{tls}");
        match protocols.last_mut() {
            Some((names, same)) if *same == about => names.push(scheme.name),
            _ => protocols.push((vec![scheme.name], about)),
        }
    }
    protocols
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_read() {
        for (_, _, example) in FORMS.into_iter().chain(OPTIONS) {
            assert!(crate::practice::reads(example), "{example}");
        }
    }
}

//! `redial help servers` and `docs/servers.md`: how servers and targets are written.
//!
//! The protocols are printed from the core's own table; a test reads every example. Options
//! behind `#` are explained with the recipes. Start at [`text`].

use redial::{Scheme, Tls};

use super::{tables::row, wrapped};

/// `redial help servers`, or `targets`.
pub(super) fn text() -> String {
    let mut text = format!("SERVERS AND TARGETS\n\n{}\n\n", wrapped(INTRODUCTION, 0));
    for (form, meaning, _) in FORMS {
        text += &row(form, meaning, 22);
    }
    text += &format!("\n{}\n\nPROTOCOLS\n\n", wrapped(NAMES, 0));
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
    page += &format!("\n{NAMES}\n\n## Protocols\n\n| protocol | |\n|---|---|\n");
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
    ("SERVER#OPTIONS", "options of this server alone (redial help recipes)", "db:5432#within=5s"),
    (
        "http://HOST/#/PAGE",
        "a page's fragment, which begins with / or !, is not sent",
        "http://h/#/login",
    ),
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
        for (_, _, example) in FORMS {
            assert!(crate::practice::reads(example), "{example}");
        }
    }
}

//! Flags that have nothing to apply to are errors: a flag that is ignored looks like one that works.
//!
//! Only what was typed is refused. A value from a `REDIAL_OPT_` variable is a default for many
//! calls, and applies where it can. Start at [`Typed`].

use std::net::IpAddr;

use clap::{ArgMatches, parser::ValueSource};
use redial::{Expectation, Place, Policy, Server, Tls, Verb, Via};

use crate::{
    error::Error,
    flags::{DialFlags, PolicyFlags},
};

/// The flags of one call, as they were typed.
pub(crate) struct Typed<'a> {
    matches: &'a ArgMatches,
    verb: Verb,
}

/// The flags that only TLS has a use for, by their names in the parser.
const FOR_TLS: [(&str, &str); 7] = [
    ("ca", "--ca"),
    ("cert", "--cert"),
    ("key", "--key"),
    ("sni", "--sni"),
    ("alpn", "--alpn"),
    ("insecure", "--insecure"),
    ("tls_timeout", "--tls-timeout"),
];

/// The flags of a connection that lives, which `wait` keeps none of.
const FOR_LIVE: [(&str, &str, &str); 3] = [
    ("idle_timeout", "--idle-timeout", "to limit an answer: --reply-timeout 5s"),
    ("max_time", "--max-time", "for the time allowed in all: --timeout 1m"),
    ("healthy_after", "--healthy-after", "to see it ready several times in a row: --consecutive 3"),
];

impl<'a> Typed<'a> {
    pub(crate) const fn new(matches: &'a ArgMatches, verb: Verb) -> Self {
        Self { matches, verb }
    }

    fn has(&self, flag: &str) -> bool {
        let known = self.matches.ids().any(|id| id == flag);
        known && self.matches.value_source(flag) == Some(ValueSource::CommandLine)
    }

    /// Refuses flags that contradict each other, or that the verb has no use for.
    pub(crate) fn check_flags(&self, policy: &PolicyFlags) -> Result<(), Error> {
        if self.has("ca") && self.has("insecure") {
            let what = "--insecure accepts any certificate, and --ca has nothing to check";
            return Err(Error::plain(what, "leave one of them out"));
        }
        if self.has("recipe") {
            for (flag, is_set) in
                [("--expect", policy.expect.is_some()), ("--send", policy.send.is_some())]
            {
                if is_set {
                    let what = format!("--as and {flag} both say how a server is judged");
                    return Err(Error::plain(what, "leave one of them out"));
                }
            }
            if self.verb == Verb::Gone {
                let what = "--gone asks nothing of a server, and --as has nothing to judge";
                return Err(Error::plain(what, "leave --as out"));
            }
        }
        if matches!(self.verb, Verb::Wait | Verb::Gone) {
            for (id, flag, instead) in FOR_LIVE {
                if self.has(id) {
                    let what =
                        format!("{flag} is for a connection that lives, and wait keeps none");
                    return Err(Error::plain(what, instead));
                }
            }
        }
        if self.has("settle") && self.verb == Verb::Gone {
            let what = "--gone believes a refusal at once, and --settle has nothing to wait for";
            return Err(Error::plain(what, "leave --settle out"));
        }
        Ok(())
    }

    /// Refuses flags that none of these servers has a use for, and a source address or an IP
    /// version that one of them cannot be reached by.
    pub(crate) fn check_servers(
        &self,
        servers: &[Server],
        dial: &DialFlags,
        via: Option<&Via>,
    ) -> Result<(), Error> {
        self.check_tls(servers)?;
        let dialled: Vec<(&Place, String)> = servers
            .iter()
            .map(|server| {
                let own = server.options().overrides.via.as_ref();
                match own.or(via) {
                    Some(via) => (via.place(), via.to_string()),
                    None => (server.place(), server.label().to_string()),
                }
            })
            .collect();
        if let Some(via) = via {
            let is_unix = |server: &&Server| matches!(server.place(), Place::Unix { .. });
            if let Some(server) = servers.iter().find(is_unix) {
                let what =
                    format!("{} is a Unix socket, and {via} cannot reach those", server.label());
                let next = "name a host and a port, or leave the proxy (--via) out";
                return Err(Error::plain(what, next));
            }
        }
        let Some((_, first)) = dialled.first() else { return Ok(()) };
        let is_unix = |(place, _): &(&Place, String)| matches!(place, Place::Unix { .. });
        if dialled.iter().all(is_unix) {
            for (id, flag) in [("four", "-4"), ("six", "-6"), ("bind", "--bind")] {
                if self.has(id) {
                    let what = format!("{flag} is for hosts, and {first} is a Unix socket");
                    return Err(Error::plain(what, format!("leave {flag} out")));
                }
            }
        }
        let bind = dial.bind.filter(|_| self.has("bind"));
        if let Some(address) = bind {
            let flag = if address.is_ipv4() { (dial.six, "-6") } else { (dial.four, "-4") };
            if flag.0 {
                let what = format!("--bind {address} is an {} address", version(address));
                return Err(Error::plain(what, format!("leave {} out", flag.1)));
            }
        }
        for (place, name) in &dialled {
            let Some(address) = literal(place) else { continue };
            let refused = if self.has("four") && address.is_ipv6() {
                Some("-4".to_owned())
            } else if self.has("six") && address.is_ipv4() {
                Some("-6".to_owned())
            } else {
                bind.filter(|bind| bind.is_ipv4() != address.is_ipv4())
                    .map(|bind| format!("--bind {bind}"))
            };
            if let Some(flag) = refused {
                let what = format!("{flag} cannot reach {name}, an {} address", version(address));
                return Err(Error::plain(what, "leave it out, or name the server"));
            }
        }
        Ok(())
    }

    /// Refuses flags for TLS where none of these servers uses it.
    pub(crate) fn check_tls(&self, servers: &[Server]) -> Result<(), Error> {
        let uses_tls = |server: &Server| match server.tls() {
            Tls::No => server.may_use_tls(),
            Tls::Immediately => true,
            // In `connect` the protocol's own words are the user's.
            Tls::ByProtocol => self.verb != Verb::Connect || !server.tls_is_optional(),
        };
        let Some(first) = servers.first().filter(|_| !servers.iter().any(uses_tls)) else {
            return Ok(());
        };
        let Some((_, flag)) = FOR_TLS.into_iter().find(|(id, _)| self.has(id)) else {
            return Ok(());
        };
        let what = format!("{flag} is for TLS, and {} uses none", first.label());
        let is_lab = first.label().starts_with("lab:");
        let instead = match first.written_with_tls().filter(|_| !is_lab) {
            Some(text) => format!("write {text}"),
            None => format!("leave {flag} out"),
        };
        Err(Error::plain(what, instead))
    }

    /// Refuses flags for an answer where none is expected, and `--settle` where one is; and a
    /// recipe that cannot judge.
    pub(crate) fn check_policies<'p>(
        &self,
        policies: impl IntoIterator<Item = &'p Policy>,
    ) -> Result<(), Error> {
        let (mut answers, mut settles, mut first) = (false, false, None);
        for policy in policies {
            for (index, server) in policy.servers().iter().enumerate() {
                first.get_or_insert_with(|| server.label().to_string());
                match policy.expectation(index) {
                    Expectation::Settled(_) => settles = true,
                    Expectation::Nothing => {
                        settles |= policy.opening().is_empty();
                        answers |= !policy.opening().is_empty();
                    }
                    _ => answers = true,
                }
            }
            if self.verb == Verb::Gone
                && let Some(answer) = policy.answer()
            {
                let what = format!("--gone asks nothing of a server, and `{answer}` is expected");
                return Err(Error::plain(what, "leave `expect` out of the policy file"));
            }
        }
        let Some(first) = first else { return Ok(()) };
        if self.has("recipe") && !answers {
            let what = "--as cannot judge here: the protocol's server does not speak first";
            let next = format!("to probe it: redial wait {first}; or say what to expect: --expect");
            return Err(Error::plain(what, next));
        }
        if self.has("reply_timeout") && !answers {
            let what = format!("--reply-timeout is for an answer, and none is expected of {first}");
            return Err(Error::plain(what, "say what is: --expect TEXT, or a protocol's URL"));
        }
        if self.has("settle") && !settles {
            let what = format!(
                "--settle is for servers of which no answer is expected, and {first} has one"
            );
            return Err(Error::plain(what, "leave --settle out"));
        }
        Ok(())
    }
}

/// The address, where a server is named by one.
fn literal(place: &Place) -> Option<IpAddr> {
    place.host()?.split('%').next()?.parse().ok()
}

const fn version(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "IPv4" } else { "IPv6" }
}

//! How one target is reached, where it differs from the flags: its TLS, its proxy, its time limits.
//!
//! An option has the name of its flag (`#ca=a.pem` is `--ca a.pem` for this target alone). The
//! parameters by which database URLs say the same (`sslmode`, `sslrootcert`) are read into the
//! same type. No file is opened here. Start at [`Overrides`].

use alloc::{format, string::String, sync::Arc, vec::Vec};
use core::time::Duration;

use super::{Via, options};
use crate::{Human, Limits, Mistake, nearest::quoted, parse_duration};

/// The options that a [`Overrides`] holds.
pub(super) const NAMES: [&str; 11] = [
    "ca",
    "cert",
    "key",
    "sni",
    "alpn",
    "insecure",
    "via",
    "connect-timeout",
    "tls-timeout",
    "reply-timeout",
    "settle",
];

/// What is checked of a server's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Verify {
    /// Its chain and its name: `sslmode=verify-full`.
    #[default]
    Full,
    /// Its chain, whatever its name: `sslmode=verify-ca`.
    Authority,
    /// Its chain if authorities are named, else nothing: `sslmode=require`, as libpq means it.
    IfNamed,
    /// Nothing: `tls=skip-verify`.
    Nothing,
}

/// How one target is reached, where it differs from the flags.
///
/// # Default
/// As the flags have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Overrides {
    /// `ca=FILE`: the PEM file of authorities to trust; `system` is the system's trust store.
    pub ca: Option<Arc<str>>,
    /// `cert=FILE`: the PEM file of our own certificate.
    pub cert: Option<Arc<str>>,
    /// `key=FILE`: the PEM file of its key; without it, the key in `cert`.
    pub key: Option<Arc<str>>,
    /// `sni=NAME`: the name to ask for and to check.
    pub sni: Option<Arc<str>>,
    /// `alpn=h2,http/1.1`: the protocols to offer; empty where none are named.
    pub alpn: Vec<Arc<str>>,
    /// `insecure`: any certificate is accepted.
    pub insecure: bool,
    /// What `sslmode` and its like ask to be checked.
    pub verify: Option<Verify>,
    /// `via=socks5://…`: the proxy.
    pub via: Option<Via>,
    /// `connect-timeout=2s`.
    pub connect: Option<Duration>,
    /// `tls-timeout=2s`.
    pub tls: Option<Duration>,
    /// `reply-timeout=2s`.
    pub reply: Option<Duration>,
    /// `settle=1s`, where 0s believes at once.
    pub settle: Option<Duration>,
}

impl Overrides {
    /// These, and from `other` what is not set here.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        let (cert, key) = match self.cert {
            // The key of another certificate is not this one's.
            Some(cert) => (Some(cert), self.key),
            None => (other.cert.clone(), self.key.or_else(|| other.key.clone())),
        };
        Self {
            ca: self.ca.or_else(|| other.ca.clone()),
            cert,
            key,
            sni: self.sni.or_else(|| other.sni.clone()),
            alpn: if self.alpn.is_empty() { other.alpn.clone() } else { self.alpn },
            insecure: self.insecure || other.insecure,
            verify: self.verify.or(other.verify),
            via: self.via.or_else(|| other.via.clone()),
            connect: self.connect.or(other.connect),
            tls: self.tls.or(other.tls),
            reply: self.reply.or(other.reply),
            settle: self.settle.or(other.settle),
        }
    }

    /// The time limits of a policy, as they are for this target.
    #[must_use]
    pub fn limits(&self, of_policy: &Limits) -> Limits {
        Limits {
            connect: self.connect.unwrap_or(of_policy.connect),
            tls: self.tls.unwrap_or(of_policy.tls),
            reply: self.reply.unwrap_or(of_policy.reply),
            settle: self.settle.unwrap_or(of_policy.settle),
            ..*of_policy
        }
    }

    /// The name of the first option that only TLS has a use for.
    #[must_use]
    pub fn only_for_tls(&self) -> Option<&'static str> {
        let named = [
            ("ca", self.ca.is_some()),
            ("cert", self.cert.is_some()),
            ("key", self.key.is_some()),
            ("sni", self.sni.is_some()),
            ("alpn", !self.alpn.is_empty()),
            ("insecure", self.insecure),
            ("tls-timeout", self.tls.is_some()),
        ];
        named.into_iter().find(|(_, is_set)| *is_set).map(|(name, _)| name)
    }

    /// Whether the option is set.
    pub(super) fn has(&self, name: &str) -> bool {
        match name {
            "ca" => self.ca.is_some(),
            "cert" => self.cert.is_some(),
            "key" => self.key.is_some(),
            "sni" => self.sni.is_some(),
            "alpn" => !self.alpn.is_empty(),
            "insecure" => self.insecure,
            "via" => self.via.is_some(),
            "connect-timeout" => self.connect.is_some(),
            "tls-timeout" => self.tls.is_some(),
            "reply-timeout" => self.reply.is_some(),
            _ => self.settle.is_some(),
        }
    }

    /// Sets an option of [`NAMES`] that has a value. Positions of mistakes are those in the value.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), Mistake> {
        let wrong = |what: &str, instead: &str| {
            Mistake::new(0..value.len(), format!("{} is no {what}", quoted(value)), instead)
        };
        let text = || {
            let text = options::decoded(value).filter(|text| !text.chars().any(char::is_control));
            text.map(Arc::from).ok_or_else(|| wrong("text", "write %25 for a `%`"))
        };
        match name {
            "ca" => self.ca = Some(text()?),
            "cert" => self.cert = Some(text()?),
            "key" => self.key = Some(text()?),
            "sni" => self.sni = Some(text()?),
            "alpn" => {
                let names: Vec<Arc<str>> = text()?.split(',').map(Into::into).collect();
                // RFC 7301, section 3.1: one byte for the length of each.
                if names.iter().any(|name| name.is_empty() || name.len() > 255) {
                    return Err(wrong("list of protocols", "write #alpn=h2,http/1.1"));
                }
                self.alpn = names;
            }
            "via" => self.via = Some(Via::parse(value)?),
            "settle" => self.settle = Some(parse_duration(value)?),
            _ => {
                let time = parse_duration(value)?;
                if time.is_zero() {
                    let what = "a limit of 0 would end everything at once";
                    return Err(Mistake::new(0..value.len(), what, "write how long, as in `5s`"));
                }
                match name {
                    "connect-timeout" => self.connect = Some(time),
                    "tls-timeout" => self.tls = Some(time),
                    _ => self.reply = Some(time),
                }
            }
        }
        Ok(())
    }

    /// The options as they are written, each `name=value`.
    pub(super) fn written(&self) -> Vec<String> {
        let text = |name: &str, value: &Option<Arc<str>>| {
            value.as_ref().map(|value| format!("{name}={}", options::encoded(value)))
        };
        let time =
            |name: &str, time: Option<Duration>| time.map(|time| format!("{name}={}", Human(time)));
        let alpn: Vec<String> = self.alpn.iter().map(|name| options::encoded(name)).collect();
        let all = [
            text("ca", &self.ca),
            text("cert", &self.cert),
            text("key", &self.key),
            text("sni", &self.sni),
            (!alpn.is_empty()).then(|| format!("alpn={}", alpn.join(","))),
            self.insecure.then(|| "insecure".into()),
            self.via.as_ref().map(|via| format!("via={}", via.masked())),
            time("connect-timeout", self.connect),
            time("tls-timeout", self.tls),
            time("reply-timeout", self.reply),
            time("settle", self.settle),
        ];
        all.into_iter().flatten().collect()
    }
}

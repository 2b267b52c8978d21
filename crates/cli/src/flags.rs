//! The flags verbs share: what was typed, and the policy it means.
//!
//! A verb flattens [`PolicyFlags`] and [`ReportFlags`] into its own; each becomes what it means in
//! one place. It opens no connection. Start at [`PolicyFlags::policy`].

use std::{ffi::OsString, net::IpAddr, path::PathBuf, time::Duration};

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches};
use redial::{
    Answer, Clause, IpVersions, Policy, PolicyBuilder, Rounds, TlsOptions, Verb, Via,
    parse_seconds_or_duration, retry_sugar,
};

use crate::{
    error::Error,
    json,
    story::Volume,
    texts::{from_variable, opening, read_policy, recipe},
};

#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PolicyFlags {
    /// Try transient failures again N times (or `forever`) while nothing has been sent or received
    #[arg(
        long,
        value_name = "N|forever[,BASE..CAP]",
        env = "REDIAL_OPT_RETRY",
        hide_env = true,
        help_heading = "When it fails"
    )]
    pub(crate) retry: Option<String>,

    /// What to do about some failures: `refused: retry 10, next` (repeatable; see: redial help clauses)
    #[arg(
        long,
        value_name = "KINDS: STEPS",
        env = "REDIAL_OPT_EXCEPT",
        hide_env = true,
        help_heading = "When it fails"
    )]
    pub(crate) except: Vec<String>,

    /// Steps after a connection that ended well: `say "…"`, `run …`, `exit N`
    #[arg(
        long = "else",
        value_name = "STEPS",
        env = "REDIAL_OPT_ELSE",
        hide_env = true,
        help_heading = "When it fails"
    )]
    pub(crate) otherwise: Option<String>,

    /// Steps at the very end, whatever happened, within 10s
    #[arg(
        long,
        value_name = "STEPS",
        env = "REDIAL_OPT_FINALLY",
        hide_env = true,
        help_heading = "When it fails"
    )]
    pub(crate) finally: Option<String>,

    /// Read a policy file first; flags add to it (see: redial check --standing connect)
    #[arg(
        long,
        value_name = "FILE",
        env = "REDIAL_OPT_POLICY",
        hide_env = true,
        help_heading = "When it fails"
    )]
    pub(crate) policy: Option<PathBuf>,

    /// How often to go through the servers: `3`, `forever every 250ms..30s` [default: 1]
    #[arg(
        long,
        value_name = "N|forever …",
        env = "REDIAL_OPT_ROUNDS",
        hide_env = true,
        help_heading = "When it fails"
    )]
    pub(crate) rounds: Option<String>,

    /// Leave the verb's own clauses out (redial check --standing VERB prints them)
    #[arg(long, env = "REDIAL_OPT_ONLY", hide_env = true, help_heading = "When it fails")]
    pub(crate) only: bool,

    /// Judge by this protocol's recipe, or by a recipe file (see: redial help recipes)
    #[arg(
        long = "as",
        value_name = "RECIPE|FILE",
        env = "REDIAL_OPT_AS",
        hide_env = true,
        help_heading = "What to expect"
    )]
    pub(crate) recipe: Option<String>,

    /// The first answer must contain TEXT (`^TEXT`: begin with it; `/re/`: match it)
    #[arg(
        long,
        value_name = "TEXT",
        env = "REDIAL_OPT_EXPECT",
        hide_env = true,
        help_heading = "What to expect"
    )]
    pub(crate) expect: Option<String>,

    /// Send this first on every connection: TEXT (with \n, \r, \xHH), `@FILE`, or `env:NAME`
    #[arg(
        long,
        value_name = "TEXT|@FILE|env:NAME",
        env = "REDIAL_OPT_SEND",
        hide_env = true,
        help_heading = "What to expect"
    )]
    pub(crate) send: Option<String>,

    /// The time allowed until it stands or is ready; 0 is no limit [default: none; wait: 60s]
    #[arg(short = 't', long, visible_alias = "timeout", value_name = "TIME", value_parser = time_or_none, allow_negative_numbers = true, env = "REDIAL_OPT_DEADLINE", hide_env = true, help_heading = "Limits")]
    pub(crate) deadline: Option<Duration>,

    /// For an address to answer [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = time, allow_negative_numbers = true, env = "REDIAL_OPT_CONNECT_TIMEOUT", hide_env = true, help_heading = "Limits")]
    pub(crate) connect_timeout: Option<Duration>,

    /// For the TLS handshake [default: 5s; wait: up to 3/4 of the time left]
    #[arg(long, value_name = "TIME", value_parser = time, allow_negative_numbers = true, env = "REDIAL_OPT_TLS_TIMEOUT", hide_env = true, help_heading = "Limits")]
    pub(crate) tls_timeout: Option<Duration>,

    /// For the expected answer [default: 5s; wait: up to 3/4 of the time left]
    #[arg(long, value_name = "TIME", value_parser = time, allow_negative_numbers = true, env = "REDIAL_OPT_REPLY_TIMEOUT", hide_env = true, help_heading = "Limits")]
    pub(crate) reply_timeout: Option<Duration>,

    /// End a connection that carries nothing for this long, as `stalled` [default: none]
    #[arg(long, value_name = "TIME", value_parser = time, allow_negative_numbers = true, env = "REDIAL_OPT_IDLE_TIMEOUT", hide_env = true, help_heading = "Limits")]
    pub(crate) idle_timeout: Option<Duration>,

    /// End even a live connection after this long [default: none]
    #[arg(long, value_name = "TIME", value_parser = time, allow_negative_numbers = true, env = "REDIAL_OPT_MAX_TIME", hide_env = true, help_heading = "Limits")]
    pub(crate) max_time: Option<Duration>,

    /// A connection is healthy after this long; only then do counts and delays start anew [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = time, allow_negative_numbers = true, env = "REDIAL_OPT_HEALTHY_AFTER", hide_env = true, help_heading = "Limits")]
    pub(crate) healthy_after: Option<Duration>,
}

#[derive(Args, Debug, Default)]
pub(crate) struct DialFlags {
    /// IPv4 only
    #[arg(
        short = '4',
        conflicts_with = "six",
        env = "REDIAL_OPT_4",
        hide_env = true,
        help_heading = "How to connect"
    )]
    pub(crate) four: bool,

    /// IPv6 only
    #[arg(short = '6', env = "REDIAL_OPT_6", hide_env = true, help_heading = "How to connect")]
    pub(crate) six: bool,

    /// Connect from this address of this machine
    #[arg(
        long,
        value_name = "ADDRESS",
        value_parser = address,
        env = "REDIAL_OPT_BIND",
        hide_env = true,
        help_heading = "How to connect"
    )]
    pub(crate) bind: Option<IpAddr>,

    /// Go through a proxy, which looks the server's name up: `socks5://[USER:PASS@]HOST:1080`,
    /// `http://[USER:PASS@]HOST:3128`, or env:NAME
    #[arg(
        long,
        value_name = "PROXY",
        env = "REDIAL_OPT_VIA",
        hide_env = true,
        help_heading = "How to connect"
    )]
    pub(crate) via: Option<String>,

    /// Trust the authorities in this PEM file, and no others
    #[arg(
        long,
        value_name = "FILE",
        env = "REDIAL_OPT_CA",
        hide_env = true,
        help_heading = "How to connect"
    )]
    pub(crate) ca: Option<PathBuf>,

    /// Show this certificate (PEM) to the server
    #[arg(
        long,
        value_name = "FILE",
        requires = "key",
        env = "REDIAL_OPT_CERT",
        hide_env = true,
        help_heading = "How to connect"
    )]
    pub(crate) cert: Option<PathBuf>,

    /// The key of --cert (PEM)
    #[arg(
        long,
        value_name = "FILE",
        requires = "cert",
        env = "REDIAL_OPT_KEY",
        hide_env = true,
        help_heading = "How to connect"
    )]
    pub(crate) key: Option<PathBuf>,

    /// The name the certificate must be for [default: the server's]
    #[arg(
        long,
        value_name = "NAME",
        env = "REDIAL_OPT_SNI",
        hide_env = true,
        help_heading = "How to connect"
    )]
    pub(crate) sni: Option<String>,

    /// Offer these protocols in the TLS handshake: `h2,http/1.1`
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        env = "REDIAL_OPT_ALPN",
        hide_env = true,
        help_heading = "How to connect"
    )]
    pub(crate) alpn: Vec<String>,

    /// Accept any certificate, saying so every time
    #[arg(long, help_heading = "How to connect")]
    pub(crate) insecure: bool,
}

#[derive(Args, Debug, Default)]
pub(crate) struct ReportFlags {
    /// Say less: only why it ended
    #[arg(
        short,
        long,
        conflicts_with = "verbose",
        env = "REDIAL_OPT_QUIET",
        hide_env = true,
        help_heading = "What is said"
    )]
    pub(crate) quiet: bool,

    /// Say more: every attempt
    #[arg(short, long, env = "REDIAL_OPT_VERBOSE", hide_env = true, help_heading = "What is said")]
    pub(crate) verbose: bool,

    /// The record as JSON instead of the story (docs/record.schema.json)
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, env = "REDIAL_OPT_JSON", hide_env = true, help_heading = "What is said")]
    pub(crate) json: Option<Option<PathBuf>>,

    /// The number all jitter is drawn from, to play a session again [default: a new one]
    #[arg(
        long,
        value_name = "N",
        env = "REDIAL_OPT_SEED",
        hide_env = true,
        help_heading = "What is said"
    )]
    pub(crate) seed: Option<u64>,
}

/// The flags that these words mean, and how each of them came to be set.
pub(crate) fn parse<F: FromArgMatches + CommandFactory>(
    words: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<(F, ArgMatches), Error> {
    let matches = F::command().try_get_matches_from(words);
    let parsed = matches.and_then(|matches| Ok((F::from_arg_matches(&matches)?, matches)));
    parsed.map_err(|error| Error::Flags(Box::new(error.format(&mut F::command()))))
}

/// A duration above zero; a bare number is seconds.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let time = parse_seconds_or_duration(text).map_err(|mistake| mistake.to_string())?;
    if time.is_zero() {
        return Err("0 leaves no time at all; write a longer one, such as 20s or 5m".into());
    }
    Ok(time)
}

/// A duration, where 0 is no limit.
pub(crate) fn time_or_none(text: &str) -> Result<Duration, String> {
    parse_seconds_or_duration(text).map_err(|mistake| mistake.to_string())
}

fn address(text: &str) -> Result<IpAddr, String> {
    let wrong = |_| {
        format!("`{}` is not an IP address; write one of this machine's", redial::printable(text))
    };
    text.parse().map_err(wrong)
}

impl ReportFlags {
    /// Refuses a record that cannot be written, before the session.
    pub(crate) fn can_be_written(&self) -> Result<(), Error> {
        match &self.json {
            Some(Some(file)) => json::can_be_written("--json", file),
            _ => Ok(()),
        }
    }

    /// How much is told.
    pub(crate) const fn volume(&self) -> Volume {
        match self {
            Self { json: Some(None), .. } => Volume::Json,
            Self { quiet: true, .. } => Volume::Quiet,
            Self { verbose: true, .. } => Volume::Verbose,
            _ => Volume::Normal,
        }
    }
}

impl PolicyFlags {
    /// Whether nothing was said that makes a policy.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same flags with another policy file.
    pub(crate) fn with_file(&self, file: &std::path::Path) -> Self {
        Self { policy: Some(file.to_owned()), ..self.clone() }
    }

    /// Returns whether the clauses and steps can be read; no file is opened.
    pub(crate) fn reads(&self) -> bool {
        let build = || Policy::build(Verb::Connect);
        self.clauses().is_ok()
            && self.otherwise.as_ref().is_none_or(|text| build().otherwise(text).is_ok())
            && self.finally.as_ref().is_none_or(|text| build().finally(text).is_ok())
            && self.rounds.as_ref().is_none_or(|text| text.parse::<Rounds>().is_ok())
    }

    /// The policy these flags mean, before its servers are named.
    pub(crate) fn policy(&self, verb: Verb) -> Result<PolicyBuilder, Error> {
        let mut policy = match &self.policy {
            Some(path) => read_policy(verb, path)?,
            None => Policy::build(verb),
        };
        policy = policy.in_front(self.clauses()?);
        if let Some(text) = &self.otherwise {
            policy = policy.otherwise(text).map_err(Error::in_text("--else", text))?;
        }
        if let Some(text) = &self.finally {
            policy = policy.finally(text).map_err(Error::in_text("--finally", text))?;
        }
        if let Some(text) = &self.rounds {
            let rounds: Rounds = text.parse().map_err(Error::in_text("--rounds", text))?;
            policy = policy.rounds(rounds);
        }
        if let Some(text) = &self.recipe {
            policy = policy.recipe(recipe(text)?);
        }
        if let Some(text) = &self.expect {
            policy = policy.expect(Answer::parse(text).map_err(Error::in_text("--expect", text))?);
        }
        if let Some(text) = &self.send {
            policy = policy.send(opening(text)?);
        }
        if let Some(limit) = self.deadline.filter(|limit| !limit.is_zero()) {
            policy = policy.deadline(limit);
        }
        if let Some(time) = self.healthy_after {
            policy = policy.healthy_after(time);
        }
        if self.only {
            policy = policy.only(true);
        }
        if let Some(limit) = self.tls_timeout {
            policy = policy.tls_limit(limit);
        }
        if let Some(limit) = self.reply_timeout {
            policy = policy.reply_limit(limit);
        }
        Ok(policy.limits(|limits| {
            limits.connect = self.connect_timeout.unwrap_or(limits.connect);
            limits.idle = self.idle_timeout.or(limits.idle);
            limits.max_time = self.max_time.or(limits.max_time);
        }))
    }

    /// The clauses of `--except` in the order given, then what `--retry` stands for.
    fn clauses(&self) -> Result<Vec<Clause>, Error> {
        let mut clauses = Vec::new();
        for text in &self.except {
            clauses.extend(Clause::parse_all(text).map_err(Error::in_text("--except", text))?);
        }
        if let Some(text) = &self.retry {
            let sugar = retry_sugar(text).map_err(Error::in_text("--retry", text))?;
            clauses.extend(Clause::parse_all(&sugar).map_err(Error::in_text("--retry", &sugar))?);
        }
        Ok(clauses)
    }
}

impl DialFlags {
    pub(crate) const fn ip_versions(&self) -> IpVersions {
        match (self.four, self.six) {
            (true, _) => IpVersions::Ipv4,
            (_, true) => IpVersions::Ipv6,
            _ => IpVersions::Any,
        }
    }

    pub(crate) fn via(&self) -> Result<Option<Via>, Error> {
        let Some(text) = &self.via else { return Ok(None) };
        let text = from_variable("--via", text)?;
        let via = Via::parse(&text)
            .map_err(|mistake| Error::plain(format!("--via: {}", mistake.what), mistake.instead))?;
        Ok(Some(via))
    }

    /// Whether the proxy stands on the command line itself, for everyone on this machine to read.
    pub(crate) fn via_was_typed(&self) -> bool {
        let is_variable = |text: &String| {
            text.starts_with("env:") || std::env::var("REDIAL_OPT_VIA").as_ref() == Ok(text)
        };
        self.via.as_ref().is_some_and(|text| !is_variable(text))
    }

    pub(crate) fn tls(&self, authority: Option<String>) -> TlsOptions {
        TlsOptions {
            ca: self.ca.clone(),
            ca_pem: authority,
            cert: self.cert.clone(),
            key: self.key.clone(),
            sni: self.sni.clone(),
            alpn: self.alpn.clone(),
            insecure: self.insecure,
            ..TlsOptions::default()
        }
    }
}

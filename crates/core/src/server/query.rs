//! What the query of a URL says of TLS and of where the server is, in the words of its drivers.
//!
//! `sslmode` and its files as libpq, MySQL and the drivers of MongoDB and Redis write them; `host`,
//! `hostaddr` and `port` as libpq has them, and MySQL's sockets. Other parameters are the
//! protocol's, and are left alone. Start at [`Query::read`].

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::ops::Range;

use super::{Overrides, Verify, options::decoded};
use crate::{
    Mistake, Scheme, Tls,
    nearest::{nearest, quoted},
};

/// What a query says.
#[derive(Debug, Default)]
pub(super) struct Query<'a> {
    pub(super) tls: Asked,
    pub(super) overrides: Overrides,
    /// libpq's `host`: names, addresses, or directories of sockets.
    pub(super) host: Option<&'a str>,
    /// libpq's `hostaddr`: where to connect, when `host` is only the name to check.
    pub(super) hostaddr: Option<&'a str>,
    /// libpq's `port`: one for all hosts, or one for each.
    pub(super) port: Option<&'a str>,
    /// The path of a MySQL socket.
    pub(super) socket: Option<&'a str>,
}

/// Whether TLS is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Asked {
    #[default]
    Unsaid,
    No,
    /// Where the server offers it.
    Optional,
    Yes,
}

use Asked::{No, Optional, Yes};
use Verify::{Authority, Full, IfNamed, Nothing};

/// The values of `sslmode`, `ssl-mode`, `tls` and `ssl`.
///
/// <https://www.postgresql.org/docs/current/libpq-ssl.html>, table 32.1;
/// <https://dev.mysql.com/doc/refman/8.4/en/connection-options.html#option_general_ssl-mode>;
/// <https://github.com/go-sql-driver/mysql#tls>.
const MODES: [(&str, Asked, Verify); 18] = [
    ("true", Yes, Full),
    ("1", Yes, Full),
    ("yes", Yes, Full),
    ("require", Yes, IfNamed),
    ("required", Yes, IfNamed),
    ("verify-ca", Yes, Authority),
    ("verify_ca", Yes, Authority),
    ("verify-full", Yes, Full),
    ("verify_identity", Yes, Full),
    ("skip-verify", Yes, Nothing),
    ("prefer", Optional, IfNamed),
    ("preferred", Optional, IfNamed),
    ("allow", No, Full),
    ("false", No, Full),
    ("0", No, Full),
    ("no", No, Full),
    ("disable", No, Full),
    ("disabled", No, Full),
];

impl<'a> Query<'a> {
    /// Reads a query; of parameters that occur twice, the last counts. `written` gives what stood
    /// at a place of it before secrets were masked.
    pub(super) fn read(
        scheme: &Scheme,
        text: &'a str,
        written: &dyn Fn(Range<usize>) -> String,
    ) -> Result<Self, Mistake> {
        let mut query = Self::default();
        // A query of the web is not ours to read.
        if scheme.tls_on_request == Tls::No {
            return Ok(query);
        }
        let mut system_at = None;
        let mut start = 0;
        for parameter in text.split('&') {
            let (at, end) = (start, start + parameter.len());
            start = end + 1;
            let Some((name, value)) = parameter.split_once('=') else { continue };
            let plain: String = name.chars().filter(|c| !matches!(c, '-' | '_')).collect();
            let file = || {
                let value = written(end - value.len()..end);
                let path = decoded(&value).filter(|path| !path.chars().any(char::is_control));
                path.filter(|path| !path.is_empty()).map(Into::into)
            };
            let is_true = matches!(value, "true" | "1");
            match (&*plain.to_ascii_lowercase(), scheme.protocol) {
                ("tls" | "ssl" | "sslmode" | "usessl", _) => {
                    (query.tls, query.overrides.verify) = mode(name, value)
                        .map_err(|mistake| mistake.shifted(at + name.len() + 1))?;
                }
                ("sslrootcert" | "sslca" | "tlscafile" | "sslcacerts", _) => {
                    query.overrides.ca = file();
                    system_at = (value == "system").then_some(at..end);
                }
                ("sslcert" | "sslcertfile" | "tlscertificatekeyfile", _) => {
                    query.overrides.cert = file();
                }
                ("sslkey" | "sslkeyfile", _) => query.overrides.key = file(),
                ("tlsinsecure" | "tlsallowinvalidcertificates", _) if is_true => {
                    query.overrides.verify = Some(Nothing);
                }
                ("tlsallowinvalidhostnames", _) if is_true => {
                    query.overrides.verify = Some(Authority);
                }
                ("sslcertreqs", _) if value.ends_with("none") => {
                    query.overrides.verify = Some(Nothing);
                }
                ("host", Some("postgres")) => query.host = Some(value),
                ("hostaddr", Some("postgres")) => query.hostaddr = Some(value),
                ("port", Some("postgres")) => query.port = Some(value),
                ("unixsocket" | "socket", Some("mysql")) => {
                    query.socket = Some(value);
                }
                _ => {}
            }
        }
        query.fill_in(scheme);
        match system_at {
            // As libpq has it: the system's authorities sign for anybody, so the name must count.
            Some(at) if !matches!(query.overrides.verify, Some(Full)) => {
                let what = "`sslrootcert=system` checks nothing without the server's name";
                Err(Mistake::new(at, what, "write sslmode=verify-full beside it"))
            }
            _ => Ok(query),
        }
    }

    /// What the drivers take for granted where files are named and no mode is.
    fn fill_in(&mut self, scheme: &Scheme) {
        let names_files = self.overrides.ca.is_some() || self.overrides.cert.is_some();
        if self.tls != Asked::Unsaid || !names_files {
            return;
        }
        let is_system = self.overrides.ca.as_deref() == Some("system");
        let verify = match scheme.protocol {
            Some("postgres") if !is_system => {
                self.tls = Optional;
                IfNamed
            }
            Some("mysql") if !is_system => {
                self.tls = Yes;
                Authority
            }
            _ => {
                self.tls = Yes;
                Full
            }
        };
        self.overrides.verify.get_or_insert(verify);
    }
}

fn mode(name: &str, value: &str) -> Result<(Asked, Option<Verify>), Mistake> {
    let lower = value.to_ascii_lowercase();
    if let Some((_, asked, verify)) = MODES.iter().find(|(word, ..)| *word == lower) {
        return Ok((*asked, Some(*verify)));
    }
    let what = format!("`{name}` cannot be {}", quoted(value));
    let instead = match nearest(value, MODES.iter().map(|(word, ..)| *word)) {
        Some(word) => format!("the nearest is `{word}`"),
        None if name.len() == 3 => "write true or false".to_string(),
        None => "write require or disable".to_string(),
    };
    Err(Mistake::new(0..value.len(), what, instead))
}

/// The query without these parameters; none where nothing is left.
pub(super) fn without(text: &str, names: &[&str]) -> Option<String> {
    let is_kept = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or("");
        !names.iter().any(|other| name.eq_ignore_ascii_case(other))
    };
    let kept: Vec<&str> = text.split('&').filter(is_kept).collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

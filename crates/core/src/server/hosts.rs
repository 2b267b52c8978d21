//! What stands after `://`: one host or several, which are alternatives of one target.
//!
//! `mongodb://a:1,b:2/db` names two servers that share a user, a database and a query; so do
//! libpq's `postgresql:///db?host=a,b&port=1,2` and the directory of a socket. Start at
//! [`servers`].

use alloc::{
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::{net::IpAddr, ops::Range};

use super::{
    Place, Secret, Server,
    options::decoded,
    query::{Asked, Query, without},
};
use crate::{Mistake, Scheme, Tls, nearest::quoted};

/// The parameters that say where a server is.
const PLACES: [&str; 6] = ["host", "hostaddr", "port", "unix_socket", "socket", "unixSocket"];

/// Where one server is, and the name to check its certificate for, where that is another.
struct Host {
    place: Place,
    name: Option<Arc<str>>,
}

/// Reads the servers of a URL, whose scheme was written `name`.
pub(super) fn servers(
    scheme: &'static Scheme,
    name: &str,
    text: &str,
    written: &dyn Fn(Range<usize>) -> String,
) -> Result<Vec<Server>, Mistake> {
    let authority = &text[..text.find(['/', '?']).unwrap_or(text.len())];
    let (path, query) = match text[authority.len()..].split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (&text[authority.len()..], None),
    };
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let host_at = authority.len() - host.len();
    if scheme.protocol.is_none() && (user.is_some() || query.is_some() || path.len() > 1) {
        let what = format!("{}:// has only a host and a port", scheme.name);
        let instead = format!("write {}", quoted(&format!("{}://{host}", scheme.name)));
        return Err(Mistake::new(0..text.len(), what, instead));
    }
    let query_at = authority.len() + path.len() + 1;
    let asked = query.map_or(Ok(Query::default()), |query| {
        let written = |at: Range<usize>| written(at.start + query_at..at.end + query_at);
        Query::read(scheme, query, &written).map_err(|mistake| mistake.shifted(query_at))
    })?;
    let listed = listed(scheme, host, &asked).map_err(|mistake| {
        // What a parameter holds was decoded: the mistake is somewhere in the query.
        let end = query_at + query.map_or(0, str::len);
        Mistake { at: query_at.min(end)..end, ..mistake }
    })?;
    let hosts = match listed {
        Some(hosts) => hosts,
        None if host.is_empty() => {
            let what = format!("{} has no host", quoted(&format!("{name}://{text}")));
            let instead = format!("write {}://db", scheme.name);
            return Err(Mistake::new(host_at..host_at, what, instead));
        }
        None => {
            let mut at = host_at;
            let one = |host: &str| {
                let start = at;
                at += host.len() + 1;
                let place = place(scheme, host).map_err(|mistake| mistake.shifted(start))?;
                Ok(Host { place, name: None })
            };
            host.split(',').map(one).collect::<Result<_, Mistake>>()?
        }
    };
    let tls = match (scheme.tls, asked.tls) {
        (Tls::No, Asked::Yes) => scheme.tls_on_request,
        // Only PostgreSQL's own words have room for a server without TLS.
        (Tls::No, Asked::Optional) if scheme.protocol == Some("postgres") => Tls::ByProtocol,
        (tls, _) => tls,
    };
    let is_one = hosts.len() == 1;
    let secret_query = query.and_then(|query| {
        let original = written(query_at..query_at + query.len());
        (original != query).then(|| Secret::new(&original))
    });
    let kept = query.and_then(|query| without(query, &PLACES));
    let label = |place: &Place| {
        let user = user.map_or(String::new(), |user| format!("{user}@"));
        let query = kept.as_ref().map_or(String::new(), |query| format!("?{query}"));
        format!("{name}://{user}{}{path}{query}", in_url(scheme, place))
    };
    let user = user.map(|user| user.split(':').next().unwrap_or(user));
    let one = |host: Host| {
        // A socket of this machine is not encrypted, whatever was asked for (libpq).
        let is_unix = matches!(host.place, Place::Unix { .. }) && scheme.tls == Tls::No;
        let mut overrides = asked.overrides.clone();
        overrides.sni = host.name;
        Server {
            label: match is_one {
                true => format!("{name}://{text}").into(),
                false => label(&host.place).into(),
            },
            tls: if is_unix { Tls::No } else { tls },
            scheme: Some(scheme),
            user: user.filter(|user| !user.is_empty()).map(Into::into),
            path: path.into(),
            query: query.map(Into::into),
            secret_query: secret_query.clone(),
            asked: overrides,
            tls_is_optional: asked.tls == Asked::Optional && !is_unix && tls == Tls::ByProtocol,
            ..Server::at(host.place)
        }
    };
    Ok(hosts.into_iter().map(one).collect())
}

/// A host of a URL: `db:5432`, or the percent-encoded path of a socket, `%2Frun%2Fpostgresql`.
fn place(scheme: &Scheme, host: &str) -> Result<Place, Mistake> {
    let is_path = host.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%2F"));
    if !is_path || scheme.protocol.is_none() || scheme.protocol == Some("http") {
        if host.is_empty() {
            let instead = format!("write {}://db1,db2", scheme.name);
            return Err(Mistake::new(0..0, "a host is missing beside a comma", instead));
        }
        return Place::read(host, Some(scheme));
    }
    let (path, port) = host.split_once(':').unwrap_or((host, ""));
    let whole = |mistake: Mistake| Mistake { at: 0..host.len(), ..mistake };
    socket(scheme, &text(path)?, port).map_err(whole)
}

/// The socket at a path, which for PostgreSQL is its directory.
fn socket(scheme: &Scheme, path: &str, port: &str) -> Result<Place, Mistake> {
    if scheme.protocol != Some("postgres") {
        return Place::read_path(path);
    }
    // The port is in the socket's name.
    let port = match port {
        "" => scheme.port.unwrap_or_default(),
        port => match Place::of_words("localhost", port)? {
            Place::Host { port, .. } => port,
            Place::Unix { .. } => 0,
        },
    };
    Place::read_path(&format!("{}/.s.PGSQL.{port}", path.trim_end_matches('/')))
}

/// The hosts that the query names instead of the authority.
fn listed(scheme: &Scheme, host: &str, asked: &Query<'_>) -> Result<Option<Vec<Host>>, Mistake> {
    if let Some(path) = &asked.socket {
        let place = Place::read_path(&text(path)?)?;
        return Ok(Some([Host { place, name: None }].into()));
    }
    if asked.host.is_none() && asked.hostaddr.is_none() && asked.port.is_none() {
        return Ok(None);
    }
    let value = |written: Option<&str>| written.map(text).transpose();
    let (names, addresses, ports) =
        (value(asked.host)?, value(asked.hostaddr)?, value(asked.port)?);
    // Where only the port stands in the query, the hosts stand in the authority.
    let written = names.clone().or_else(|| (!host.is_empty()).then(|| host.to_string()));
    let Some(hosts) = addresses.clone().or(written) else { return Ok(None) };
    let hosts: Vec<&str> = hosts.split(',').collect();
    let ports: Vec<&str> = ports.as_deref().unwrap_or("").split(',').collect();
    let names: Vec<&str> = match (&names, &addresses) {
        (Some(names), Some(_)) => names.split(',').collect(),
        _ => Vec::new(),
    };
    let fits = |count: usize| count <= 1 || count == hosts.len();
    if !fits(ports.len()) || !fits(names.len()) {
        let what = format!("{} hosts do not fit {} ports or names", hosts.len(), ports.len());
        return Err(Mistake::new(0..0, what, "write one port, or one for each host"));
    }
    let one = |(index, host): (usize, &&str)| {
        let port = ports.get(index).or(ports.first()).copied().unwrap_or("");
        let name = names.get(index).or(names.first()).filter(|name| !name.is_empty());
        let place = match *host {
            "" => return Err(Mistake::new(0..0, "a host in the query is empty", "write host=db")),
            path if path.starts_with(['/', '@']) => socket(scheme, path, port)?,
            host if port.is_empty() => {
                // An address has no brackets here.
                let address = host.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6());
                let host = if address { format!("[{host}]") } else { host.to_string() };
                Place::read(&host, Some(scheme))?
            }
            host => {
                let host = host
                    .rsplit_once(':')
                    .filter(|(_, port)| !port.is_empty())
                    .map_or(host, |(before, _)| if before.contains(':') { host } else { before });
                Place::of_words(host, port)?
            }
        };
        Ok(Host { place, name: name.map(|name| Arc::from(*name)) })
    };
    hosts.iter().enumerate().map(one).collect::<Result<Vec<_>, _>>().map(Some)
}

/// A place as the authority of a URL has it.
fn in_url(scheme: &Scheme, place: &Place) -> String {
    match place {
        Place::Unix { path } => {
            let (path, port) = match (scheme.protocol, path.rsplit_once("/.s.PGSQL.")) {
                (Some("postgres"), Some((directory, port))) => (directory, format!(":{port}")),
                _ => (&**path, String::new()),
            };
            format!("{}{port}", path.replace('%', "%25").replace('/', "%2F"))
        }
        Place::Host { host, port } => {
            let host = if host.contains(':') { format!("[{host}]") } else { host.to_string() };
            match scheme.port {
                Some(own) if own == *port => host,
                _ => format!("{host}:{port}"),
            }
        }
    }
}

/// A value of a query, decoded.
fn text(value: &str) -> Result<String, Mistake> {
    decoded(value).filter(|text| !text.chars().any(char::is_control)).ok_or_else(|| {
        let what = format!("{} is not percent-encoded as a URL is", quoted(value));
        Mistake::new(0..0, what, "write %25 for a `%`")
    })
}

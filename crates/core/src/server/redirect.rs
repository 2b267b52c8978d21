//! The server that an HTTP redirect leads to (RFC 3986, section 5; RFC 9110, section 10.2.2).
//!
//! Credentials stay with their origin: scheme, host and port. Whether a redirect is followed at all
//! is the recipe's. Start at [`Server::redirected`].

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{Overrides, Place, Server, masked};
use crate::{Scheme, Tls, escape::printable, nearest::quoted};

/// The longest URL that is followed.
const LONGEST: usize = 8 << 10;

impl Server {
    /// Returns the server of the `Location` of an answer, as its options and its origin allow.
    ///
    /// Another origin gets neither user and password nor headers that carry secrets.
    ///
    /// # Errors
    /// Why it is not followed, as the end of a sentence about the answer.
    pub(crate) fn redirected(&self, location: &str) -> Result<Self, String> {
        let location = location.split('#').next().unwrap_or("");
        let shown = quoted(&masked(location));
        let is_url = |letter: char| !letter.is_control() && !letter.is_whitespace();
        if !location.chars().all(is_url) || location.len() > LONGEST {
            return Err(format!("it redirects to {shown}, which is no URL"));
        }
        let mut server = match absolute(location) {
            Some((name, rest)) => {
                let name = name.unwrap_or(if self.tls == Tls::No { "http" } else { "https" });
                let scheme = Scheme::named(name).filter(|scheme| scheme.protocol == Some("http"));
                let scheme =
                    scheme.ok_or_else(|| format!("it redirects to {shown}, which is not HTTP"))?;
                self.elsewhere(scheme, rest)
                    .ok_or_else(|| format!("it redirects to {shown}, which is no URL"))?
            }
            None => Self { path: joined(&self.path, path_of(location)).into(), ..self.clone() },
        };
        let keeps_query = location.is_empty();
        if !keeps_query {
            server.query = location.split_once('?').map(|(_, query)| query.into());
        }
        let scheme = if server.tls == Tls::No { "http" } else { "https" };
        let authority = server.authority();
        let query = server.query.as_ref().map_or(String::new(), |query| format!("?{query}"));
        let url = format!("{scheme}://{authority}{}{query}", server.path);
        server.label = printable(&masked(&url)).into();
        server.fragment = None;
        if self.tls != Tls::No && server.tls == Tls::No {
            return Err(format!("it redirects from https to {}", quoted(&server.label)));
        }
        Ok(server)
    }

    /// Returns true if the two have scheme, host and port in common.
    pub(crate) fn has_origin_of(&self, other: &Self) -> bool {
        let is_place = match (&self.place, &other.place) {
            (Place::Host { host, port }, Place::Host { host: name, port: number }) => {
                host.eq_ignore_ascii_case(name) && port == number
            }
            (place, other) => place == other,
        };
        is_place && (self.tls == Tls::No) == (other.tls == Tls::No)
    }

    /// Returns true if the two are one resource: the same origin, path and query.
    pub(crate) fn is_resource(&self, other: &Self) -> bool {
        let root = |path: &str| if path.is_empty() { String::from("/") } else { path.to_string() };
        self.has_origin_of(other)
            && root(&self.path) == root(&other.path)
            && self.query == other.query
            && self.options.method == other.options.method
    }

    /// The same request by another method.
    pub(crate) fn asking_by(mut self, method: &str) -> Self {
        self.options.method = Some(method.into());
        self
    }

    /// Reads the server of the rest of a URL, after `//`.
    fn elsewhere(&self, scheme: &'static Scheme, rest: &str) -> Option<Self> {
        let authority = rest.split(['/', '?']).next().unwrap_or("");
        // A user in a redirect is somebody else's credentials.
        if authority.contains('@') {
            return None;
        }
        let is_own_socket = matches!(self.place, Place::Unix { .. }) && authority == "localhost";
        let place = match is_own_socket {
            true => self.place.clone(),
            false => Place::read(authority, Some(scheme)).ok()?,
        };
        let path = joined("", path_of(&rest[authority.len()..]));
        let mut server = Self {
            place,
            scheme: Some(scheme),
            tls: scheme.tls,
            path: path.into(),
            ..self.clone()
        };
        if !server.has_origin_of(self) {
            server.user = None;
            server.password = None;
            server.had_password = false;
            server.asked = Overrides::default();
            server.options.login = false;
            let is_kept =
                |name: &str, is_secret: bool| !is_secret && !name.eq_ignore_ascii_case("host");
            server.options.headers.retain(|header| is_kept(header.name(), header.is_secret()));
        }
        Some(server)
    }

    /// Host and port as a URL of HTTP has them.
    fn authority(&self) -> String {
        match &self.place {
            Place::Unix { .. } => "localhost".into(),
            Place::Host { port, host } => {
                let default = if self.tls == Tls::No { 80 } else { 443 };
                let host = if host.contains(':') { format!("[{host}]") } else { host.to_string() };
                if *port == default { host } else { format!("{host}:{port}") }
            }
        }
    }
}

/// The scheme of an absolute URL, and the rest after its `//`; without a scheme, `//host` is one of
/// the same scheme. None for a path.
fn absolute(url: &str) -> Option<(Option<&str>, &str)> {
    if let Some(rest) = url.strip_prefix("//") {
        return Some((None, rest));
    }
    let colon = url.find(':').filter(|colon| !url[..*colon].contains(['/', '?']))?;
    let rest = &url[colon + 1..];
    Some((Some(&url[..colon]), rest.strip_prefix("//").unwrap_or("")))
}

fn path_of(url: &str) -> &str {
    url.split('?').next().unwrap_or("")
}

/// Joins two paths, without `.` and `..` (RFC 3986, section 5.2.4).
fn joined(base: &str, path: &str) -> String {
    if path.is_empty() && !base.is_empty() {
        return base.into();
    }
    let folder = match path.starts_with('/') {
        true => "",
        false => base.rsplit_once('/').map_or("", |(folder, _)| folder),
    };
    let whole = format!("{folder}/{}", path.strip_prefix('/').unwrap_or(path));
    let mut names: Vec<&str> = Vec::new();
    let mut parts = whole.split('/').skip(1).peekable();
    while let Some(name) = parts.next() {
        let is_last = parts.peek().is_none();
        match name {
            "." | ".." => {
                if name == ".." {
                    names.pop();
                }
                if is_last {
                    names.push("");
                }
            }
            name => names.push(name),
        }
    }
    format!("/{}", names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(from: &str, to: &str) -> Result<String, String> {
        let server = Server::parse(from).unwrap();
        server.redirected(to).map(|server| server.label().to_string())
    }

    #[test]
    fn location_is_resolved_against_its_request() {
        for (from, to, label) in [
            ("http://a/b/c?d", "/x?y", "http://a/x?y"),
            ("http://a/b/c?d", "x", "http://a/b/x"),
            ("http://a/b/c?d", "../x/./y/..", "http://a/x/"),
            ("http://a/b/c?d", "../../../x", "http://a/x"),
            ("http://a/b/c?d", "?e", "http://a/b/c?e"),
            ("http://a", "x#y", "http://a/x"),
            ("http://a:8080/", "//b/x", "http://b/x"),
            ("https://a/", "//b:1/x", "https://b:1/x"),
            ("http://a/", "https://a", "https://a/"),
            ("http://u:p@a/", "http://a:80/x", "http://a/x"),
            ("http://a/", "http://[::1]:81/x", "http://[::1]:81/x"),
            ("http://a/", "/x?token=Q", "http://a/x?token=***"),
            ("a:8080#as=http", "/x", "http://a:8080/x"),
            ("unix:/run/a#as=http", "http://localhost/x", "http://localhost/x"),
        ] {
            assert_eq!(self::label(from, to).as_deref(), Ok(label), "{from} {to}");
        }
        for (from, to, says) in [
            ("http://a", "ftp://b/", "it redirects to `ftp://b/`, which is not HTTP"),
            (
                "http://a",
                "file:/etc/passwd",
                "it redirects to `file:/etc/passwd`, which is not HTTP",
            ),
            ("http://a", "http:///x", "it redirects to `http:///x`, which is no URL"),
            ("http://a", "http://u:p@b/", "it redirects to `http://u:***@b/`, which is no URL"),
            ("http://a", "http://b:x/", "it redirects to `http://b:x/`, which is no URL"),
            ("http://a", "/x y", "it redirects to `/x y`, which is no URL"),
            ("https://a", "http://a/", "it redirects from https to `http://a/`"),
        ] {
            assert_eq!(label(from, to), Err(says.into()), "{from} {to}");
        }
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        let text =
            "http://u:p@a/#header=X-Token:%20t,header=X-A:%20b,header=Host:%20h,via=socks5://p";
        let server = Server::parse(text).unwrap();
        for (to, is_same) in [
            ("/x", true),
            ("http://A:80/x", true),
            ("http://a:81/x", false),
            ("https://a/x", false),
            ("http://b/x", false),
            ("http://a.b/x", false),
        ] {
            let next = server.redirected(to).unwrap();
            let names: Vec<&str> = next.options().headers.iter().map(|one| one.name()).collect();
            assert_eq!(next.user().is_some(), is_same, "{to}");
            assert_eq!(next.password().is_some(), is_same, "{to}");
            assert_eq!(names == ["X-Token", "X-A", "Host"], is_same, "{to}");
            assert!(is_same || names == ["X-A"], "{to}");
            assert!(next.overrides().via.is_some());
        }
        let away = server.redirected("http://b/").unwrap();
        assert_eq!(away.redirected("http://a/").unwrap().user(), None);
    }
}

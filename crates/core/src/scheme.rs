//! The protocols that a server can be named by: `postgres://`, `rediss://`, `https://`, …
//!
//! One table: the port, when TLS begins, and the recipe that judges the server's answers. It does
//! not know what a recipe says, nor how an address is written. Start at [`Scheme::named`].

/// When TLS begins on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tls {
    /// Never.
    No,
    /// With the first byte, as `https` does.
    Immediately,
    /// After the two sides agreed on it in the protocol's own words, as STARTTLS does.
    ByProtocol,
}

/// What stands before `://`.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Scheme {
    /// As it is written: `rediss`.
    pub name: &'static str,
    /// The recipe of its protocol: `redis`. None for `tcp` and `tls`.
    pub protocol: Option<&'static str>,
    /// The port when none is written. None for `tcp` and `tls`.
    pub port: Option<u16>,
    /// When TLS begins by itself.
    pub tls: Tls,
    /// When TLS begins once `?tls=true` or its like asks for it; `No` where a query is not ours to
    /// read.
    pub tls_on_request: Tls,
}

impl Scheme {
    /// The scheme of this name, in upper or lower case.
    ///
    /// The spellings of drivers and frameworks are known too: `postgresql+asyncpg`, `mysql2`,
    /// `jdbc:postgresql`, `redis+ssl`.
    ///
    /// ```
    /// use redial_core::{Scheme, Tls};
    ///
    /// let scheme = Scheme::named("rediss").unwrap();
    /// assert_eq!((scheme.protocol, scheme.port), (Some("redis"), Some(6379)));
    /// assert_eq!(scheme.tls, Tls::Immediately);
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        exact(name).or_else(|| exact(alias(name)?))
    }

    /// The scheme of the same protocol with TLS from the first byte: `rediss` for `redis`.
    #[must_use]
    pub fn secured(&self) -> Option<&'static Self> {
        SCHEMES.iter().find(|scheme| {
            scheme.tls == Immediately
                && match self.protocol {
                    Some(_) => scheme.protocol == self.protocol,
                    None => scheme.name == "tls",
                }
        })
    }

    /// Every scheme, in the order of the table.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        &SCHEMES
    }
}

/// What drivers and frameworks call a protocol: Rails, Django, Laravel, and forks.
const ALIASES: [(&str, &str); 7] = [
    ("mysql2", "mysql"),
    ("trilogy", "mysql"),
    ("pgsql", "postgres"),
    ("psql", "postgres"),
    ("postgis", "postgres"),
    ("valkey", "redis"),
    ("valkeys", "rediss"),
];

/// The protocols before whose `+` a driver's name may follow, as SQLAlchemy writes it.
const WITH_DRIVER: [&str; 4] = ["postgres", "postgresql", "mysql", "mariadb"];

/// The protocols that JDBC and R2DBC know among ours.
const JDBC: [&str; 3] = ["postgresql", "mysql", "mariadb"];

fn exact(name: &str) -> Option<&'static Scheme> {
    SCHEMES.iter().find(|scheme| scheme.name.eq_ignore_ascii_case(name))
}

/// The name in the table that another spelling stands for.
fn alias(name: &str) -> Option<&'static str> {
    let is = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    if let Some((_, name)) = ALIASES.iter().find(|(alias, _)| is(alias, name)) {
        return Some(name);
    }
    if let Some((prefix, rest)) = name.split_once(':') {
        // `jdbc:mysql:loadbalance`: how a driver chooses among its hosts is not for a probe.
        let (name, mode) = rest.split_once(':').unwrap_or((rest, "x"));
        let is_word = !mode.is_empty() && mode.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let known = JDBC.into_iter().find(|known| is(known, name));
        return known.filter(|_| is_word && (is(prefix, "jdbc") || is(prefix, "r2dbc")));
    }
    let (base, driver) = name.split_once('+')?;
    if is(driver, "ssl") || is(driver, "tls") {
        // Elsewhere `+tls` may mean STARTTLS.
        let own = ["redis", "amqp", "mqtt"].into_iter().find(|own| is(own, base))?;
        return Some(exact(own)?.secured()?.name);
    }
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if driver.is_empty() || is(driver, "srv") || !driver.bytes().all(is_word) {
        return None;
    }
    WITH_DRIVER.into_iter().find(|known| is(known, base))
}

use Tls::{ByProtocol, Immediately, No};

static SCHEMES: [Scheme; 32] = [
    bare("tcp", No),
    bare("tls", Immediately),
    scheme("postgres", "postgres", 5432, No, ByProtocol),
    scheme("postgresql", "postgres", 5432, No, ByProtocol),
    scheme("mysql", "mysql", 3306, No, ByProtocol),
    scheme("mariadb", "mysql", 3306, No, ByProtocol),
    scheme("redis", "redis", 6379, No, Immediately),
    scheme("rediss", "redis", 6379, Immediately, Immediately),
    scheme("http", "http", 80, No, No),
    scheme("https", "http", 443, Immediately, No),
    scheme("amqp", "amqp", 5672, No, Immediately),
    scheme("amqps", "amqp", 5671, Immediately, Immediately),
    scheme("mqtt", "mqtt", 1883, No, Immediately),
    scheme("mqtts", "mqtt", 8883, Immediately, Immediately),
    scheme("smtp", "smtp", 25, No, ByProtocol),
    scheme("smtps", "smtp", 465, Immediately, Immediately),
    scheme("imap", "imap", 143, No, ByProtocol),
    scheme("imaps", "imap", 993, Immediately, Immediately),
    scheme("pop3", "pop3", 110, No, ByProtocol),
    scheme("pop3s", "pop3", 995, Immediately, Immediately),
    scheme("ftp", "ftp", 21, No, ByProtocol),
    scheme("ssh", "ssh", 22, No, No),
    scheme("ldap", "ldap", 389, No, ByProtocol),
    scheme("ldaps", "ldap", 636, Immediately, Immediately),
    scheme("nats", "nats", 4222, No, ByProtocol),
    scheme("mongodb", "mongodb", 27017, No, Immediately),
    scheme("memcached", "memcached", 11211, No, Immediately),
    scheme("kafka", "kafka", 9092, No, Immediately),
    scheme("zookeeper", "zookeeper", 2181, No, Immediately),
    scheme("etcd", "etcd", 2379, No, Immediately),
    scheme("dns", "dns", 53, No, No),
    scheme("grpc", "grpc", 50051, No, Immediately),
];

const fn bare(name: &'static str, tls: Tls) -> Scheme {
    Scheme { name, protocol: None, port: None, tls, tls_on_request: No }
}

const fn scheme(
    name: &'static str,
    protocol: &'static str,
    port: u16,
    tls: Tls,
    tls_on_request: Tls,
) -> Scheme {
    Scheme { name, protocol: Some(protocol), port: Some(port), tls, tls_on_request }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_of_a_driver_is_its_protocol() {
        for (name, is) in [
            ("postgresql+asyncpg", Some("postgresql")),
            ("postgresql+psycopg2", Some("postgresql")),
            ("mysql+pymysql", Some("mysql")),
            ("mysql2", Some("mysql")),
            ("MariaDB+MariaDBConnector", Some("mariadb")),
            ("pgsql", Some("postgres")),
            ("jdbc:postgresql", Some("postgresql")),
            ("jdbc:mysql:loadbalance", Some("mysql")),
            ("r2dbc:mariadb", Some("mariadb")),
            ("redis+ssl", Some("rediss")),
            ("amqp+tls", Some("amqps")),
            ("valkeys", Some("rediss")),
            ("jdbc:oracle", None),
            ("jdbc:mysql:", None),
            ("odbc:mysql", None),
            ("mongodb+srv", None),
            ("postgresql+srv", None),
            ("postgresql+", None),
            ("http+unix", None),
            ("smtp+tls", None),
        ] {
            assert_eq!(Scheme::named(name).map(|scheme| scheme.name), is, "{name}");
        }
    }

    #[test]
    fn secured_scheme_begins_with_tls() {
        let secured = |name| Scheme::named(name).and_then(Scheme::secured).map(|one| one.name);
        for (name, is) in [("redis", Some("rediss")), ("tcp", Some("tls")), ("ssh", None)] {
            assert_eq!(secured(name), is);
        }
    }
}

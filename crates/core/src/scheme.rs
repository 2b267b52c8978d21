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
    /// ```
    /// use redial_core::{Scheme, Tls};
    ///
    /// let scheme = Scheme::named("rediss").unwrap();
    /// assert_eq!((scheme.protocol, scheme.port), (Some("redis"), Some(6379)));
    /// assert_eq!(scheme.tls, Tls::Immediately);
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SCHEMES.iter().find(|scheme| scheme.name.eq_ignore_ascii_case(name))
    }

    /// Every scheme, in the order of the table.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        &SCHEMES
    }
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

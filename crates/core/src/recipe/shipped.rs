//! The recipes that redial brings along: what `redial help recipes` lists.
//!
//! Only the one that is asked for is parsed. A test holds this table, the files and the schemes
//! against each other. Start at [`RECIPES`].

/// A recipe that is part of the program.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// Its name, as `--as` and `#as=` take it.
    pub name: &'static str,
    /// What it is for, in a line.
    pub about: &'static str,
    /// Its file.
    pub text: &'static str,
}

#[rustfmt::skip] // a table reads best as one
/// Every recipe that is part of the program, in the order in which they are listed.
pub const RECIPES: [Shipped; 22] = [
    shipped("tcp", "anything that listens; nothing is expected", include_str!("../../recipes/tcp.toml")),
    shipped("tls", "anything that begins with TLS; nothing is expected behind it", include_str!("../../recipes/tls.toml")),
    shipped("http", "web servers and services: a path is answered with a status that is well", include_str!("../../recipes/http.toml")),
    shipped("redis", "Redis, Valkey and their like: PING is answered", include_str!("../../recipes/redis.toml")),
    shipped("memcached", "memcached: version is answered", include_str!("../../recipes/memcached.toml")),
    shipped("postgres", "PostgreSQL and what speaks its protocol: a session begins, or a password is asked for", include_str!("../../recipes/postgres.toml")),
    shipped("mysql", "MySQL, MariaDB: a handshake is carried through", include_str!("../../recipes/mysql.toml")),
    shipped("mongodb", "MongoDB: hello is answered by a member that serves reads", include_str!("../../recipes/mongodb.toml")),
    shipped("amqp", "RabbitMQ and other AMQP brokers: a connection is opened to the login", include_str!("../../recipes/amqp.toml")),
    shipped("mqtt", "Mosquitto, EMQX and other MQTT brokers: CONNECT is answered", include_str!("../../recipes/mqtt.toml")),
    shipped("nats", "NATS: it says who it is, and answers PING where it wants no login", include_str!("../../recipes/nats.toml")),
    shipped("kafka", "Apache Kafka and what speaks its protocol: ApiVersions is answered", include_str!("../../recipes/kafka.toml")),
    shipped("zookeeper", "Apache ZooKeeper: srvr is answered by a member that serves", include_str!("../../recipes/zookeeper.toml")),
    shipped("etcd", "etcd: /health says that it is healthy", include_str!("../../recipes/etcd.toml")),
    shipped("grpc", "gRPC services with the standard health service: Check says SERVING", include_str!("../../recipes/grpc.toml")),
    shipped("smtp", "mail servers: the greeting is 220, and EHLO is answered", include_str!("../../recipes/smtp.toml")),
    shipped("imap", "IMAP servers: the greeting is OK or PREAUTH", include_str!("../../recipes/imap.toml")),
    shipped("pop3", "POP3 servers: the greeting is +OK", include_str!("../../recipes/pop3.toml")),
    shipped("ftp", "FTP servers: the greeting is 220, and NOOP is answered", include_str!("../../recipes/ftp.toml")),
    shipped("ssh", "SSH servers: it says its version and offers keys", include_str!("../../recipes/ssh.toml")),
    shipped("ldap", "directories: an anonymous bind is answered", include_str!("../../recipes/ldap.toml")),
    shipped("dns", "name servers, over TCP: a question is answered", include_str!("../../recipes/dns.toml")),
];

const fn shipped(name: &'static str, about: &'static str, text: &'static str) -> Shipped {
    Shipped { name, about, text }
}

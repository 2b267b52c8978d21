//! Names that need no resolver: `localhost` (RFC 6761, 6.3), and those in /etc/hosts (hosts(5)).
//!
//! Only the names are read: the addresses are getaddrinfo's to give. Start at [`is_local`].

use std::{fs::File, io::Read};

/// How much of /etc/hosts is read.
const MOST: u64 = 1 << 20;

/// Returns true if the name is answered on this machine.
pub(super) fn is_local(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default();
    last.eq_ignore_ascii_case("localhost") || names(&read("/etc/hosts"), host)
}

/// Up to 1 MiB of a file of this machine; nothing where it cannot be read.
pub(super) fn read(path: &str) -> String {
    let mut bytes = Vec::new();
    let is_read = File::open(path).and_then(|file| file.take(MOST).read_to_end(&mut bytes));
    is_read.map(|_| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// Returns true if a line of hosts(5) gives this name an address.
fn names(hosts: &str, host: &str) -> bool {
    hosts.lines().any(|line| {
        let line = line.split('#').next().unwrap_or_default();
        line.split_whitespace().skip(1).any(|name| name.eq_ignore_ascii_case(host))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_hosts_are_local() {
        let hosts =
            "127.0.0.1 localhost\n10.0.0.1\tDb.internal db # old\n# 10.0.0.2 gone\n10.0.0.3";
        assert!(names(hosts, "db.internal") && names(hosts, "db") && names(hosts, "localhost"));
        assert!(!names(hosts, "old") && !names(hosts, "gone") && !names(hosts, "10.0.0.3"));
    }

    #[test]
    fn localhost_is_local_without_a_file() {
        assert!(is_local("LocalHost.") && is_local("a.localhost"));
        assert!(!is_local("localhost.example"));
    }
}

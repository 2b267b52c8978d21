//! From the operating system's errors to kinds of failure: the one place where that happens.
//!
//! The same number means different things at different moments (EACCES, ETIMEDOUT, EPIPE), so the
//! moment is part of the question. It reads the raw number, never `std::io::ErrorKind`, which
//! knows no EMFILE, ENOBUFS or EHOSTDOWN. Resolver codes are `lookup`'s, TLS errors `tls`'s.
//! Start at [`classify`].

use std::{
    io,
    net::{Ipv6Addr, SocketAddr, UdpSocket},
};

use redial_core::{Errno, Kind};

/// What was being done when the error came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Making a socket, or binding it to a source address.
    Preparing,
    /// Connecting to an IP address; `at_once` if connect(2) itself said so, not a packet later.
    Connecting { to: SocketAddr, at_once: bool },
    /// Connecting to a Unix socket.
    ConnectingUnix,
    /// Using a connection that stood; `ended` once the peer's end (FIN) was read.
    Live { ended: bool },
}

/// The kind of failure an error is at this moment, with its name and number where it has one.
pub(crate) fn classify(error: &io::Error, moment: Moment) -> (Kind, Option<Errno>) {
    match error.raw_os_error() {
        Some(number) => (kind(number, moment, has_no_source), Some(errno(number))),
        None => (Kind::Other, None),
    }
}

/// The name and number of an operating-system error.
pub(crate) fn errno(number: i32) -> Errno {
    let known = NAMES.iter().chain(&[(ENONET, "ENONET")]).find(|(known, _)| *known == number);
    Errno { name: known.map_or("errno", |(_, name)| name), number }
}

/// `has_no_source` says whether this machine has no address to reach that one from; it is asked
/// only where that decides.
fn kind(number: i32, moment: Moment, has_no_source: impl FnOnce(SocketAddr) -> bool) -> Kind {
    use Moment::{Connecting, ConnectingUnix, Live, Preparing};
    match (number, moment) {
        (libc::ECONNREFUSED, _) => Kind::Refused,
        (libc::EHOSTUNREACH | libc::ENETUNREACH | libc::EHOSTDOWN | libc::ENETDOWN, _) => {
            Kind::Unreachable
        }
        (libc::EAFNOSUPPORT, _) => Kind::Unreachable,

        // ICMP codes that Linux reports under other errnos (net/ipv4/icmp.c, `icmp_err_convert`):
        // protocol unreachable, network or host isolated, and ICMPv6 parameter problem. From a
        // local call, EPROTO and EOPNOTSUPP stay `other`.
        (
            libc::ENOPROTOOPT | libc::EPROTO | libc::EOPNOTSUPP,
            Connecting { at_once: false, .. },
        ) => Kind::Unreachable,
        (libc::ENOPROTOOPT | libc::EPROTO | libc::EOPNOTSUPP, Live { .. }) => Kind::Unreachable,
        (ENONET, _) => Kind::Unreachable,

        // Connecting: without IPv6, or with it switched off, an IPv6 address has no source; else
        // the ports have run out. Binding: the source address is not local; `attempt` says so.
        (libc::EADDRNOTAVAIL, Connecting { to, .. }) if to.is_ipv6() && has_no_source(to) => {
            Kind::Unreachable
        }
        (libc::EADDRNOTAVAIL | libc::EADDRINUSE, _) => Kind::Exhausted,
        (libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM, _) => Kind::Exhausted,
        // IP: the route cache is full. A Unix server's full backlog never gets here: see `socket`.
        (libc::EAGAIN, _) => Kind::Exhausted,

        (libc::ETIMEDOUT, Live { .. }) => Kind::Stalled,
        (libc::ETIMEDOUT, Preparing | Connecting { .. } | ConnectingUnix) => Kind::ConnectTimeout,

        // Later, it is a packet (ICMPv6 "administratively prohibited"), not this machine.
        (libc::EACCES, Connecting { at_once: false, .. } | Live { .. }) => Kind::Unreachable,
        (libc::EACCES | libc::EPERM, _) => Kind::Denied,

        (libc::ENOENT | libc::ENOTDIR, ConnectingUnix) => Kind::NoSocket,
        // What connect(2) says of an address behind a blackhole route.
        (libc::EINVAL, Connecting { .. }) => Kind::Unreachable,

        (libc::ECONNRESET, _) => Kind::Reset,
        // Whoever asks second reads these instead of ECONNRESET, unless the peer had ended.
        (libc::EPIPE | libc::ENOTCONN | libc::ESHUTDOWN, Live { ended: false }) => Kind::Reset,
        (libc::EPIPE | libc::ENOTCONN | libc::ESHUTDOWN, Live { ended: true }) => Kind::BrokenPipe,
        (libc::ECONNABORTED, _) => Kind::BrokenPipe,

        _ => Kind::Other,
    }
}

/// Whether this machine has no address of its own from which `to` could be reached.
///
/// Connecting a datagram socket chooses a source as TCP does, sends nothing, and cannot fail for
/// want of TCP ports.
fn has_no_source(to: SocketAddr) -> bool {
    UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).and_then(|socket| socket.connect(to)).is_err()
}

/// The host is isolated (ICMP 3/8). Linux's asm-generic/errno.h; the libc crate lacks it for glibc.
const ENONET: i32 = 64;

macro_rules! names {
    ($($name:ident)*) => { [$((libc::$name, stringify!($name))),*] };
}

/// The names of errors that sockets and files are known to return. Where two names share a
/// number, the first in this list is used.
const NAMES: [(i32, &str); 57] = names![
    EPERM ENOENT EINTR EIO ENXIO EBADF EAGAIN ENOMEM EACCES EFAULT EBUSY EEXIST ENODEV ENOTDIR
    EISDIR EINVAL ENFILE EMFILE ETXTBSY EFBIG ENOSPC ESPIPE EROFS EPIPE EDOM ERANGE EDEADLK
    ENAMETOOLONG ENOSYS ELOOP EPROTO EOVERFLOW ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE
    ENOPROTOOPT EPROTONOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL
    ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN
    ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH ECANCELED
];

#[cfg(test)]
mod tests {
    use super::*;

    fn four(at_once: bool) -> Moment {
        Moment::Connecting { to: SocketAddr::from(([192, 0, 2, 1], 80)), at_once }
    }

    fn six(at_once: bool) -> Moment {
        Moment::Connecting { to: SocketAddr::from((Ipv6Addr::LOCALHOST, 80)), at_once }
    }

    const UNIX: Moment = Moment::ConnectingUnix;
    const OPEN: Moment = Moment::Live { ended: false };
    const ENDED: Moment = Moment::Live { ended: true };

    #[test]
    fn the_whole_table() {
        use Kind::*;
        let table = [
            (libc::ECONNREFUSED, four(false), Refused),
            (libc::ECONNREFUSED, four(true), Refused),
            (libc::ECONNREFUSED, UNIX, Refused),
            (libc::EHOSTUNREACH, four(false), Unreachable),
            (libc::EHOSTUNREACH, OPEN, Unreachable),
            (libc::ENETUNREACH, four(true), Unreachable),
            (libc::EHOSTDOWN, four(false), Unreachable),
            (libc::ENETDOWN, four(true), Unreachable),
            (libc::EAFNOSUPPORT, six(true), Unreachable),
            (libc::EAFNOSUPPORT, Moment::Preparing, Unreachable),
            (libc::EADDRNOTAVAIL, four(true), Exhausted),
            (libc::EADDRNOTAVAIL, Moment::Preparing, Exhausted),
            (libc::ENOPROTOOPT, four(false), Unreachable),
            (libc::ENOPROTOOPT, four(true), Other),
            (libc::EPROTO, six(false), Unreachable),
            (libc::EPROTO, UNIX, Other),
            (libc::EOPNOTSUPP, four(false), Unreachable),
            (libc::EOPNOTSUPP, OPEN, Unreachable),
            (ENONET, four(false), Unreachable),
            (libc::EADDRINUSE, Moment::Preparing, Exhausted),
            (libc::EINVAL, four(true), Unreachable),
            (libc::EINVAL, UNIX, Other),
            (libc::EINVAL, OPEN, Other),
            (libc::ETIMEDOUT, four(false), ConnectTimeout),
            (libc::ETIMEDOUT, OPEN, Stalled),
            (libc::ETIMEDOUT, ENDED, Stalled),
            (libc::ENOENT, UNIX, NoSocket),
            (libc::ENOTDIR, UNIX, NoSocket),
            (libc::ENOENT, OPEN, Other),
            (libc::EACCES, four(true), Denied),
            (libc::EACCES, six(false), Unreachable),
            (libc::EACCES, OPEN, Unreachable),
            (libc::EACCES, UNIX, Denied),
            (libc::EPERM, four(true), Denied),
            (libc::EMFILE, Moment::Preparing, Exhausted),
            (libc::ENFILE, Moment::Preparing, Exhausted),
            (libc::ENOBUFS, OPEN, Exhausted),
            (libc::ENOMEM, four(true), Exhausted),
            (libc::EAGAIN, four(true), Exhausted),
            (libc::ECONNRESET, OPEN, Reset),
            (libc::ECONNRESET, ENDED, Reset),
            (libc::EPIPE, OPEN, Reset),
            (libc::EPIPE, ENDED, BrokenPipe),
            (libc::ENOTCONN, OPEN, Reset),
            (libc::ECONNABORTED, OPEN, BrokenPipe),
            (libc::EXDEV, OPEN, Other),
        ];
        for (number, moment, expected) in table {
            let found = kind(number, moment, |_| panic!("asked about {number} at {moment:?}"));
            assert_eq!(found, expected, "{} at {moment:?}", errno(number));
        }
    }

    #[test]
    fn eaddrnotavail_to_ipv6_depends_on_whether_this_machine_has_any() {
        assert_eq!(kind(libc::EADDRNOTAVAIL, six(true), |_| true), Kind::Unreachable);
        assert_eq!(kind(libc::EADDRNOTAVAIL, six(true), |_| false), Kind::Exhausted);
    }

    #[test]
    fn errors_have_their_names() {
        assert_eq!(
            errno(libc::ECONNREFUSED).to_string(),
            format!("ECONNREFUSED {}", libc::ECONNREFUSED)
        );
        assert_eq!(errno(4095).to_string(), "errno 4095");
    }

    #[test]
    fn an_error_without_a_number_is_other() {
        let error = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(classify(&error, OPEN), (Kind::Other, None));
    }
}

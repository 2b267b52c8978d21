//! How many bytes the other machine's kernel has not acknowledged, and whether loopback is down.
//!
//! The one file with unsafe code: no safe crate offers SIOCOUTQ and SIOCGIFFLAGS. SIOCOUTQ answers
//! for TCP sockets on Linux, also after the connection was reset, and `None` elsewhere. It says
//! nothing about what the other *program* has read. Start at [`unacknowledged`].

#![allow(unsafe_code)]

use std::os::fd::BorrowedFd;

/// Bytes written to this TCP socket that its peer's kernel has not acknowledged; an end (FIN)
/// that was sent counts as one. `None` where the system cannot say.
#[cfg(target_os = "linux")]
pub(crate) fn unacknowledged(socket: BorrowedFd<'_>) -> Option<u64> {
    use std::os::fd::AsRawFd;

    let mut bytes: libc::c_int = 0;
    // SIOCOUTQ has the number of TIOCOUTQ, which libc has for every Linux target.
    // SAFETY: the descriptor is open for as long as it is borrowed, and TIOCOUTQ writes one int to
    // the address given, which is that of a live, aligned `c_int` nobody else refers to.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ as _, &raw mut bytes) };
    (answer == 0).then(|| u64::try_from(bytes).unwrap_or(0))
}

/// This system has no question to ask.
#[cfg(not(target_os = "linux"))]
pub(crate) fn unacknowledged(_socket: BorrowedFd<'_>) -> Option<u64> {
    None
}

/// Returns true if the interface `lo` is down in this network namespace. Its addresses stay when
/// it is brought down, and packets to them are dropped without an error.
#[cfg(target_os = "linux")]
pub(crate) fn is_loopback_down() -> bool {
    use std::os::fd::AsRawFd;

    let Ok(socket) = std::net::UdpSocket::bind((std::net::Ipv4Addr::UNSPECIFIED, 0)) else {
        return false;
    };
    let mut name = [0; libc::IFNAMSIZ];
    for (place, byte) in name.iter_mut().zip(*b"lo") {
        *place = byte as libc::c_char;
    }
    let flags = libc::__c_anonymous_ifr_ifru { ifru_flags: 0 };
    let mut request = libc::ifreq { ifr_name: name, ifr_ifru: flags };
    // SAFETY: the descriptor is open, and SIOCGIFFLAGS reads the name and writes the flags of the
    // `ifreq` at the address given, which is live, aligned and not referred to elsewhere.
    let answer =
        unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS as _, &raw mut request) };
    // SAFETY: `ifru_flags` was written, above or by the kernel.
    let flags = unsafe { request.ifr_ifru.ifru_flags };
    answer == 0 && i32::from(flags) & libc::IFF_UP == 0
}

/// Only Linux drops such packets without an error.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_loopback_down() -> bool {
    false
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::{
        io::{Read, Write},
        net::{TcpListener, TcpStream},
        os::fd::AsFd,
        time::Duration,
    };

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0)
    }

    /// Writes until the kernel takes no more.
    fn fill(client: &mut TcpStream) -> u64 {
        client.set_nonblocking(true).unwrap();
        let mut written = 0;
        while let Ok(count) = client.write(&[7; 65536]) {
            written += count as u64;
        }
        client.set_nonblocking(false).unwrap();
        written
    }

    #[test]
    fn a_peer_that_does_not_read_leaves_bytes_unacknowledged() {
        let (mut client, _server) = pair();
        assert_eq!(unacknowledged(client.as_fd()), Some(0));
        let written = fill(&mut client);
        let left = unacknowledged(client.as_fd()).unwrap();
        assert!(left > 0 && left < written, "{left} of {written}");
    }

    #[test]
    fn it_still_answers_after_a_reset() {
        let (mut client, server) = pair();
        fill(&mut client);
        let before = unacknowledged(client.as_fd()).unwrap();
        drop(server); // with unread bytes: a reset
        client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let error = client.read(&mut [0; 1]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ECONNRESET));
        let after = unacknowledged(client.as_fd()).unwrap();
        assert!(after > 0 && after <= before, "{after} after {before}");
    }
}

//! A plain client, and how long a test may take before it has failed.

use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

use redial_lab::Lab;

/// Longer than anything takes on a busy machine: reached only by a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Long enough to see that nothing comes.
pub(crate) const SILENCE: Duration = Duration::from_millis(100);

/// A connection to the lab whose reads end, one way or the other.
pub(crate) fn connect(lab: &Lab) -> TcpStream {
    let stream = TcpStream::connect(lab.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Everything the server says, and how that ended.
pub(crate) fn read_all(stream: &mut impl Read) -> (Vec<u8>, io::Result<()>) {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).map(|_| ());
    (bytes, end)
}

/// The server's clean end, after saying this.
#[track_caller]
pub(crate) fn assert_says(stream: &mut impl Read, expected: impl AsRef<[u8]>) {
    let (bytes, end) = read_all(stream);
    assert_eq!(bytes.escape_ascii().to_string(), expected.as_ref().escape_ascii().to_string());
    end.unwrap();
}

/// A reset, after this.
#[track_caller]
pub(crate) fn assert_reset(stream: &mut impl Read, after: &str) {
    let (bytes, end) = read_all(stream);
    assert_eq!(bytes, after.as_bytes());
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

/// Neither a byte nor an end.
#[track_caller]
pub(crate) fn assert_silent(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(SILENCE)).unwrap();
    let heard = stream.read(&mut [0; 16]);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(heard.unwrap_err().kind(), ErrorKind::WouldBlock);
}

/// How a connection request fails.
#[track_caller]
pub(crate) fn refusal(lab: &Lab) -> ErrorKind {
    TcpStream::connect_timeout(&lab.address(), Duration::from_millis(300)).unwrap_err().kind()
}

//! Standard input and output beside an async loop, each on a thread with blocking calls.
//!
//! What was inherited may be shared with other processes, so it is never made non-blocking. It
//! moves bytes onto and off a [`Belt`] and knows nothing of connections. Start at [`input`] and
//! [`output`].

use std::{
    fs::File,
    io::{self, IsTerminal, Read, Write},
    os::fd::AsFd,
    sync::Arc,
    thread,
};

use crate::belt::Belt;

/// Starts reading standard input; the belt ends where the input ends.
pub(crate) fn input() -> io::Result<Arc<Belt>> {
    // A duplicate reads without std's own buffer in between.
    let mut input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let belt = Arc::new(Belt::default());
    let put = belt.clone();
    spawn("stdin", move || {
        loop {
            let mut buffer = put.buffer();
            match input.read(buffer.room()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => put.recycle(buffer),
                Err(error) => return put.end(Err(error)),
                Ok(0) => return put.end(Ok(())),
                Ok(length) => {
                    buffer.fill(length);
                    if !put.put(buffer) {
                        return;
                    }
                }
            }
        }
    })?;
    Ok(belt)
}

/// Starts writing standard output; it ends with an error when the reader has left.
///
/// With `raw` unset and a terminal at the other end, control characters are shown, not obeyed.
pub(crate) fn output(raw: bool) -> io::Result<Arc<Belt>> {
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let escaping = !raw && io::stdout().is_terminal();
    let belt = Arc::new(Belt::default());
    let take = belt.clone();
    let mut shown = Shown::default();
    spawn("stdout", move || {
        while let Some(chunk) = take.take_keeping() {
            let written = if escaping {
                output.write_all(&shown.show(chunk.filled()))
            } else {
                output.write_all(chunk.filled())
            };
            // In this order: a belt that is empty was written.
            if let Err(error) = written {
                return take.end(Err(error));
            }
            take.taken(chunk);
        }
    })?;
    Ok(belt)
}

/// Whether there is any standard input to speak of: not `/dev/null`, not closed.
pub(crate) fn has_input() -> bool {
    let Ok(input) = rustix::fs::fstat(io::stdin().as_fd()) else { return false };
    let device = rustix::fs::FileType::from_raw_mode(input.st_mode).is_char_device();
    let null = rustix::fs::stat("/dev/null").map(|null| null.st_rdev);
    !(device && null == Ok(input.st_rdev))
}

/// Bytes with everything a terminal would obey made visible; line ends and tabs stay.
#[derive(Default)]
struct Shown {
    /// A byte that is obeyed or not by what comes after it, which may come later.
    held: Option<u8>,
}

impl Shown {
    fn show(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut shown = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            match self.held.take() {
                Some(b'\r') if byte != b'\n' => escape(b'\r', &mut shown),
                // C1 controls, which some terminals obey, are C2 80 to C2 9F.
                Some(0xc2) if matches!(byte, 0x80..=0x9f) => {
                    escape(0xc2, &mut shown);
                    escape(byte, &mut shown);
                    continue;
                }
                held => shown.extend(held),
            }
            match byte {
                b'\r' | 0xc2 => self.held = Some(byte),
                b'\n' | b'\t' => shown.push(byte),
                0x00..=0x1f | 0x7f => escape(byte, &mut shown),
                _ => shown.push(byte),
            }
        }
        shown
    }
}

fn escape(byte: u8, shown: &mut Vec<u8>) {
    shown.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.into()).stack_size(64 * 1024).spawn(work).map(drop)
}

#[cfg(test)]
mod tests {
    use super::Shown;

    fn shown<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut shown = Shown::default();
        pieces.into_iter().flat_map(|piece| shown.show(piece)).collect()
    }

    #[test]
    fn a_terminal_is_shown_what_it_would_obey_however_it_comes() {
        for (bytes, expected) in [
            (&b"ok\r\n\tfine\n"[..], &b"ok\r\n\tfine\n"[..]),
            (b"\x1b[2Jgone\rover", br"\x1b[2Jgone\x0dover"),
            (b"\r\r\n", b"\\x0d\r\n"),
            ("é ² \u{9b}2J".as_bytes(), "é ² \\xc2\\x9b2J".as_bytes()),
        ] {
            assert_eq!(shown([bytes]), expected);
            assert_eq!(shown(bytes.chunks(1)), expected);
        }
    }
}

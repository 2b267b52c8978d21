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
    spawn("stdout", move || {
        while let Some(chunk) = take.take_keeping() {
            let written = if escaping {
                output.write_all(&shown(chunk.filled()))
            } else {
                output.write_all(chunk.filled())
            };
            take.taken(chunk);
            if let Err(error) = written {
                return take.end(Err(error));
            }
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
fn shown(bytes: &[u8]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(bytes.len());
    for (index, &byte) in bytes.iter().enumerate() {
        let next = bytes.get(index + 1).copied();
        let after_c2 = index > 0 && bytes[index - 1] == 0xc2;
        let obeyed = match byte {
            b'\n' | b'\t' => false,
            b'\r' => !matches!(next, Some(b'\n') | None),
            // C1 controls, which some terminals obey, are C2 80 to C2 9F.
            0xc2 => matches!(next, Some(0x80..=0x9f)),
            0x80..=0x9f => after_c2,
            0x00..=0x1f | 0x7f => true,
            _ => false,
        };
        if obeyed {
            shown.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
        } else {
            shown.push(byte);
        }
    }
    shown
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.into()).stack_size(64 * 1024).spawn(work).map(drop)
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_terminal_is_shown_what_it_would_obey() {
        assert_eq!(shown(b"ok\r\n\tfine\n"), b"ok\r\n\tfine\n");
        assert_eq!(shown(b"\x1b[2Jgone\rover"), br"\x1b[2Jgone\x0dover");
        assert_eq!(shown("é \u{9b}2J".as_bytes()), r"é \xc2\x9b2J".as_bytes());
    }
}

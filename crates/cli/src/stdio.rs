//! Standard input and output beside an async loop, each on a thread with blocking calls
//! where there is something to wait for.
//!
//! What was inherited may be shared with other processes, so it is never made non-blocking. It
//! moves bytes onto and off a [`Belt`] and knows nothing of connections. Start at [`read`] and
//! [`Output`].

use std::{
    fs::File,
    io::{self, IoSlice, IsTerminal, Read, Write},
    os::fd::AsFd,
    sync::Arc,
    task::{Context, Poll},
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    termios::{LocalModes, SpecialCodeIndex, tcgetattr},
};

use crate::{
    belt::{Belt, Chunk},
    shown::Shown,
    stderr::data_on_terminal,
};

/// Standard input and output as they were inherited.
pub(crate) struct Streams {
    /// `None` where there is nothing to read: `/dev/null`, or closed.
    pub(crate) input: Option<File>,
    pub(crate) output: File,
}

impl Streams {
    /// Duplicates, which read and write without std's own buffers in between. They share the mode
    /// of the originals (O_NONBLOCK, O_APPEND), so that mode is coped with and never changed.
    pub(crate) fn inherited() -> io::Result<Self> {
        let input =
            if has_input() { Some(io::stdin().as_fd().try_clone_to_owned()?) } else { None };
        Ok(Self {
            input: input.map(File::from),
            output: File::from(io::stdout().as_fd().try_clone_to_owned()?),
        })
    }
}

/// Starts reading the input; the belt ends where the input ends.
pub(crate) fn read(mut input: File) -> io::Result<Arc<Belt>> {
    let belt = Arc::new(Belt::default());
    let put = belt.clone();
    spawn("stdin", move || {
        loop {
            let mut buffer = put.buffer();
            match read_some(&mut input, buffer.room()) {
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

/// One read that waits, whatever mode the file is in. 0 is the end.
fn read_some(input: &mut File, room: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(room) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait_until(input, PollFlags::IN)?;
            }
            Ok(0) if is_polled_terminal(input) => {
                if wait_until(input, PollFlags::IN)?.contains(PollFlags::HUP) {
                    return Ok(0);
                }
            }
            result => return result,
        }
    }
}

/// Whether this is a terminal whose reads return 0 where nothing was typed yet (`stty -icanon min
/// 0`): that is no end.
fn is_polled_terminal(input: &File) -> bool {
    tcgetattr(input).is_ok_and(|mode| {
        !mode.local_modes.contains(LocalModes::ICANON)
            && mode.special_codes[SpecialCodeIndex::VMIN] == 0
    })
}

/// Writes all of it, whatever mode the file is in.
fn write_all(output: &mut File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => bytes = &bytes[length..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait_until(output, PollFlags::OUT)?;
            }
            Err(error) => return Err(left(error)),
        }
    }
    Ok(())
}

/// Waits until the file can be read or written, and returns what it is ready for.
fn wait_until(file: &File, flags: PollFlags) -> io::Result<PollFlags> {
    let mut files = [PollFd::new(file, flags)];
    loop {
        match poll(&mut files, None) {
            Ok(_) => return Ok(files[0].revents()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The reader of a socket that left with bytes unread is one that left, as with a pipe.
fn left(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::ConnectionReset => io::ErrorKind::BrokenPipe.into(),
        _ => error,
    }
}

/// Standard output. Its thread starts with the first write that may have to wait: what one write
/// hands to a pipe with room needs none, and most short answers are that.
pub(crate) struct Output {
    belt: Arc<Belt>,
    /// Until the thread has it.
    file: Option<File>,
    is_terminal: bool,
    /// What the thread writes has its control characters shown, not obeyed.
    escaping: bool,
}

impl Output {
    /// With `raw` unset and a terminal at the other end, control characters are shown.
    pub(crate) fn new(file: File, raw: bool) -> Self {
        let is_terminal = file.is_terminal();
        Self {
            is_terminal,
            belt: Arc::new(Belt::default()),
            file: Some(file),
            escaping: !raw && is_terminal,
        }
    }

    /// Whether there is room for [`Output::push`]; an error when the reader has left.
    pub(crate) fn poll_room(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.belt.poll_room(context)
    }

    /// An empty buffer.
    pub(crate) fn buffer(&self) -> Chunk {
        self.belt.buffer()
    }

    /// Writes this at once, or has it written.
    pub(crate) fn push(&mut self, mut chunk: Chunk) -> io::Result<()> {
        if let Some(file) = self.file.as_ref().filter(|_| !self.escaping) {
            chunk.advance(write_now(file, chunk.filled())?);
        }
        if chunk.filled().is_empty() {
            self.belt.recycle(chunk);
            return Ok(());
        }
        self.start()?;
        self.belt.push(chunk);
        Ok(())
    }

    /// Whether all of it is written.
    pub(crate) fn poll_empty(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.belt.poll_empty(context)
    }

    /// From now on a thread writes, if it does not yet; it ends with an error when the reader has
    /// left.
    fn start(&mut self) -> io::Result<()> {
        let Some(mut output) = self.file.take() else { return Ok(()) };
        let (take, is_terminal, escaping) = (self.belt.clone(), self.is_terminal, self.escaping);
        let mut shown = Shown::default();
        spawn("stdout", move || {
            while let Some(chunk) = take.take_keeping() {
                let written = if escaping {
                    write_all(&mut output, &shown.show(chunk.filled()))
                } else {
                    write_all(&mut output, chunk.filled())
                };
                if is_terminal {
                    data_on_terminal(chunk.filled());
                }
                // In this order: a belt that is empty was written.
                if let Err(error) = written {
                    return take.end(Err(error));
                }
                take.taken(chunk);
            }
        })
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // Lets the thread end, once it has written what it has.
        self.belt.end(Ok(()));
    }
}

/// Writes what can be written without waiting; 0 where the system cannot promise that (files,
/// terminals, older kernels).
#[cfg(target_os = "linux")]
pub(crate) fn write_now(output: &impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    use rustix::io::{Errno, ReadWriteFlags, pwritev2};
    // This offset stands for wherever the file is, as with write(2).
    let here = u64::MAX;
    match pwritev2(output, &[IoSlice::new(bytes)], here, ReadWriteFlags::NOWAIT) {
        Ok(count) => Ok(count),
        Err(Errno::AGAIN | Errno::INTR | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(0),
        Err(error) => Err(left(error.into())),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn write_now(_: &impl AsFd, _: &[u8]) -> io::Result<usize> {
    Ok(0)
}

/// Whether there is any standard input to speak of: not `/dev/null`, not closed.
fn has_input() -> bool {
    let Ok(input) = rustix::fs::fstat(io::stdin().as_fd()) else { return false };
    let device = rustix::fs::FileType::from_raw_mode(input.st_mode).is_char_device();
    let null = rustix::fs::stat("/dev/null").map(|null| null.st_rdev);
    !(device && null == Ok(input.st_rdev))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.into()).stack_size(64 * 1024).spawn(work).map(drop)
}

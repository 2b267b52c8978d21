//! Standard input and output beside an async loop, each on a thread with blocking calls
//! where there is something to wait for.
//!
//! What was inherited may be shared with other processes, so it is never made non-blocking. It
//! moves bytes onto and off a [`Belt`] and knows nothing of connections. Start at [`input`] and
//! [`Output`].

use std::{
    fs::File,
    io::{self, IoSlice, IsTerminal, Read, Write},
    os::fd::AsFd,
    sync::Arc,
    task::{Context, Poll},
    thread,
};

use crate::{
    belt::{Belt, Chunk},
    shown::Shown,
    stderr::data_on_terminal,
};

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
    pub(crate) fn open(raw: bool) -> io::Result<Self> {
        let output = io::stdout();
        let is_terminal = output.is_terminal();
        Ok(Self {
            is_terminal,
            belt: Arc::new(Belt::default()),
            file: Some(File::from(output.as_fd().try_clone_to_owned()?)),
            escaping: !raw && is_terminal,
        })
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
                    output.write_all(&shown.show(chunk.filled()))
                } else {
                    output.write_all(chunk.filled())
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
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn write_now(_: &impl AsFd, _: &[u8]) -> io::Result<usize> {
    Ok(0)
}

/// Whether there is any standard input to speak of: not `/dev/null`, not closed.
pub(crate) fn has_input() -> bool {
    let Ok(input) = rustix::fs::fstat(io::stdin().as_fd()) else { return false };
    let device = rustix::fs::FileType::from_raw_mode(input.st_mode).is_char_device();
    let null = rustix::fs::stat("/dev/null").map(|null| null.st_rdev);
    !(device && null == Ok(input.st_rdev))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.into()).stack_size(64 * 1024).spawn(work).map(drop)
}

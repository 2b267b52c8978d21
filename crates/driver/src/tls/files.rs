//! Reads certificate and key files, each within 16 MiB and 5 s.
//!
//! A device has no end, and a pipe may have no writer; both get an error instead of a wait without
//! limit. It does not parse PEM. Start at [`read`].

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read},
    os::unix::fs::{FileTypeExt, OpenOptionsExt},
    path::Path,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::Error;

/// A bundle of every public authority has about 250 kB.
const LARGEST: u64 = 16 << 20;
/// The time for a pipe or a device to be read to its end.
const LIMIT: Duration = Duration::from_secs(5);
const PEM: &str = "name a PEM file";

/// The content of a file that an option names.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    read_within(path, LARGEST, LIMIT)
}

fn read_within(path: &Path, largest: u64, limit: Duration) -> Result<Vec<u8>, Error> {
    let until = Instant::now() + limit;
    // O_NONBLOCK: opening a pipe would wait for its writer.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let mut file = file.map_err(|error| unreadable(path, &error))?.take(largest + 1);
    let (mut bytes, mut was_ready) = (Vec::new(), false);
    loop {
        match file.read_to_end(&mut bytes) {
            Ok(_) if bytes.len() as u64 > largest => return Err(too_large(path)),
            // Before its first writer, a pipe reads as if it had ended.
            Ok(_) if !bytes.is_empty() || was_ready || !is_pipe(file.get_ref()) => {
                return Ok(bytes);
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(unreadable(path, &error)),
        }
        if !is_ready(file.get_ref(), until).map_err(|error| unreadable(path, &error))? {
            let what = format!("{} has not ended within {}s", path.display(), limit.as_secs());
            return Err(Error::new(what, "name a PEM file, or start what writes to this pipe"));
        }
        was_ready = true;
    }
}

/// Waits until there is something to read. False once the time is over.
fn is_ready(file: &File, until: Instant) -> io::Result<bool> {
    let left = until.saturating_duration_since(Instant::now());
    let left = Timespec::try_from(left).map_err(io::Error::other)?;
    let mut files = [PollFd::new(file, PollFlags::IN)];
    match poll(&mut files, Some(&left)) {
        Ok(count) => Ok(count > 0),
        Err(rustix::io::Errno::INTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn is_pipe(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo())
}

/// Checks what SSL_CERT_FILE and SSL_CERT_DIR name, before the trust store reads all of it.
pub(super) fn check_environment() -> Result<(), Error> {
    if let Some(path) = std::env::var_os("SSL_CERT_FILE") {
        check("SSL_CERT_FILE", Path::new(&path))?;
    }
    let Some(directories) = std::env::var_os("SSL_CERT_DIR") else { return Ok(()) };
    for directory in std::env::split_paths(&directories) {
        // The trust store reports what it cannot read.
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            check("SSL_CERT_DIR", &entry.path())?;
        }
    }
    Ok(())
}

fn check(variable: &str, path: &Path) -> Result<(), Error> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    let name = path.display();
    // Reading a pipe here would leave nothing for the trust store.
    if metadata.file_type().is_fifo() {
        return Err(Error::new(format!("{variable}: {name} is a pipe"), PEM));
    }
    let is_endless = metadata.file_type().is_char_device() && read(path).is_err();
    if is_endless || metadata.len() > LARGEST {
        return Err(Error::new(format!("{variable}: {name} is larger than 16 MiB"), PEM));
    }
    Ok(())
}

fn too_large(path: &Path) -> Error {
    Error::new(format!("{} is larger than 16 MiB", path.display()), PEM)
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    // Without Rust's own "(os error 2)", which says nothing more to a reader.
    let words = error.to_string();
    let words = words.split(" (os error").next().unwrap_or_default().to_lowercase();
    Error::new(format!("cannot read {}: {words}", path.display()), "check the path and its rights")
}

#[cfg(test)]
mod tests {
    use std::{io::Write, os::fd::AsRawFd, thread};

    use super::*;

    const SHORT: Duration = Duration::from_millis(50);

    #[test]
    fn endless_file_is_too_large() {
        let error = read_within(Path::new("/dev/zero"), 1000, LIMIT).unwrap_err();
        assert!(error.to_string().contains("larger than 16 MiB"), "{error}");
    }

    #[test]
    fn pipe_without_bytes_ends_with_the_limit() {
        let (reader, writer) = io::pipe().unwrap();
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        let error = read_within(Path::new(&path), 1000, SHORT).unwrap_err();
        assert!(error.to_string().contains("has not ended"), "{error}");
        drop(writer);
    }

    #[test]
    fn pipe_is_read_to_its_end() {
        let (reader, mut writer) = io::pipe().unwrap();
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        let writing = thread::spawn(move || {
            for part in [&[1; 900_000], &[2; 900_000]] {
                writer.write_all(part).unwrap();
            }
        });
        assert_eq!(read_within(Path::new(&path), LARGEST, LIMIT).unwrap().len(), 1_800_000);
        writing.join().unwrap();
    }
}

//! Files of certificates and keys: bounded reads, and an error for all that is not PEM.
//!
//! A device without an end, or a file that was named by accident, is read up to a limit and refused.
//! Start at [`certificates`] and [`key`].

use std::{
    env, fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use tokio_rustls::rustls::pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};

use crate::Error;

/// The largest file that is read, in bytes. The trust store of Debian has 220 kB.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The certificates of a PEM file, one at least.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let bytes = bounded(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if found.is_empty() => Err(Error::new(
            format!("{} holds no certificate", path.display()),
            "give a PEM file (-----BEGIN CERTIFICATE-----)",
        )),
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable(path, "certificate", &error)),
    }
}

/// The first private key of a PEM file.
pub(super) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let bytes = bounded(path)?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| unreadable(path, "private key", &error))
}

/// Refuses a trust store named by SSL_CERT_FILE that is not a file, or is too large: the platform's
/// reader has no limit.
pub(super) fn check_store_of_environment() -> Result<(), Error> {
    let Some(path) = env::var_os("SSL_CERT_FILE").map(PathBuf::from) else { return Ok(()) };
    let Ok(metadata) = fs::metadata(&path) else { return Ok(()) };
    if metadata.is_file() && metadata.len() <= LARGEST {
        return Ok(());
    }
    let what = match metadata.is_file() {
        true => "is larger than 16 MiB, so it is not a trust store",
        false => "is not a file",
    };
    let next = "unset SSL_CERT_FILE, or name the authorities: --ca FILE";
    Err(Error::new(format!("SSL_CERT_FILE: {} {what}", path.display()), next))
}

fn bounded(path: &Path) -> Result<Vec<u8>, Error> {
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| unreadable(path, "", &pem::Error::Io(error)))?;
    if bytes.len() as u64 > LARGEST {
        let what = format!("{} is larger than 16 MiB, so it is not a PEM file", path.display());
        return Err(Error::new(what, "name a file of certificates or a key in PEM"));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, what: &str, error: &pem::Error) -> Error {
    match error {
        pem::Error::Io(error) => {
            // Without Rust's own "(os error 2)", which tells a reader nothing more.
            let said = error.to_string();
            let said = said.split(" (os error").next().unwrap_or_default().to_lowercase();
            let problem = format!("cannot read {}: {said}", path.display());
            Error::new(problem, "check the path and its rights")
        }
        pem::Error::NoItemsFound => {
            Error::new(format!("{} holds no {what}", path.display()), "give a PEM file with one")
        }
        other => Error::new(
            format!("{} is not a PEM file of a {what}: {other}", path.display()),
            "give a PEM file (-----BEGIN …-----)",
        ),
    }
}

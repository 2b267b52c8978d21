//! stub
use crate::{error::Error, exit::Exit};
use std::ffi::OsString;
pub(crate) fn run(_words: impl Iterator<Item = OsString>) -> Result<Exit, Error> {
    Ok(Exit::Well)
}

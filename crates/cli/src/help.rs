//! stub
use crate::{error::Error, exit::Exit};
use std::ffi::OsString;
pub(crate) fn overview(_v: &[(&str, &str)]) -> Exit {
    Exit::Well
}
pub(crate) fn version() -> Exit {
    Exit::Well
}
pub(crate) fn run(_t: Option<OsString>, _v: &[(&str, &str)]) -> Result<Exit, Error> {
    Ok(Exit::Well)
}

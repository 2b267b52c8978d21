//! The variables of docker-compose-wait, read only where nothing else is named.
//!
//! What cannot be had of them is an error, not silence: a wait that does less than it seems is
//! worse than none. Start at [`read`].

use std::{env, time::Duration};

use redial::printable;

use crate::error::Error;

/// What the variables say.
pub(crate) struct Compose {
    /// `WAIT_HOSTS`: `db:5432, cache:6379`.
    pub(crate) hosts: String,
    /// `WAIT_TIMEOUT`, in seconds.
    pub(crate) timeout: Option<Duration>,
    /// `WAIT_HOST_CONNECT_TIMEOUT`, in seconds.
    pub(crate) connect_timeout: Option<Duration>,
}

/// Those that ask for what redial does in another place, and where.
const ELSEWHERE: [(&str, &str); 4] = [
    ("WAIT_COMMAND", "put the command behind --: redial wait … -- COMMAND"),
    ("WAIT_PATHS", "redial waits for servers, not for files"),
    (
        "WAIT_BEFORE",
        "a server that is not there yet is waited for anyway; for a pause: sleep N && redial wait …",
    ),
    ("WAIT_AFTER", "a server is ready when it answers; for a pause: --else 'run sleep N'"),
];

/// What `WAIT_HOSTS` and its friends say, if they say anything.
pub(crate) fn read() -> Result<Option<Compose>, Error> {
    let Some(hosts) = text("WAIT_HOSTS")? else { return Ok(None) };
    if hosts.trim_matches([',', ' ']).is_empty() {
        return Err(Error::plain(
            "WAIT_HOSTS is set and names nothing",
            "write WAIT_HOSTS=db:5432,cache:6379",
        ));
    }
    for (name, next) in ELSEWHERE {
        if text(name)?.is_some_and(|value| value != "0") {
            return Err(Error::plain(format!("{name} is not read"), next));
        }
    }
    Ok(Some(Compose {
        hosts,
        timeout: seconds("WAIT_TIMEOUT")?,
        connect_timeout: seconds("WAIT_HOST_CONNECT_TIMEOUT")?,
    }))
}

fn text(name: &str) -> Result<Option<String>, Error> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.trim().is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            Err(Error::plain(format!("{name} is not UTF-8"), "write it in plain letters"))
        }
    }
}

fn seconds(name: &str) -> Result<Option<Duration>, Error> {
    let Some(value) = text(name)? else { return Ok(None) };
    let seconds = value.trim().parse().map_err(|_| {
        Error::plain(
            format!("{name} is `{}`, which is no whole number of seconds", printable(&value)),
            format!("write {name}=30"),
        )
    })?;
    Ok(Some(Duration::from_secs(seconds)).filter(|time| !time.is_zero()))
}

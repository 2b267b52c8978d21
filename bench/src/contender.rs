//! The programs that are compared, and how each is told to do the same.
//!
//! It runs nothing. Start at [`all`].

use std::{net::SocketAddr, path::PathBuf, process::Command};

use crate::Settings;

/// A program, under the name it has in the report.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    which: Which,
}

enum Which {
    Redial(PathBuf),
    Nc,
    Socat,
}

/// What a program is to do, where it has to be told.
#[derive(Clone, Copy)]
pub(crate) enum Task {
    /// Standard input to the server, ended with it.
    Send,
    /// What the server says to standard output.
    Receive,
}

/// redial first, for everything is compared with it.
pub(crate) fn all(settings: &Settings) -> Vec<Contender> {
    let mut all = vec![
        Contender { name: "redial", which: Which::Redial(settings.redial.clone()) },
        Contender { name: "nc", which: Which::Nc },
        Contender { name: "socat", which: Which::Socat },
    ];
    if let Some(other) = &settings.beside {
        all.push(Contender { name: "redial, beside", which: Which::Redial(other.clone()) });
    }
    all
}

impl Contender {
    /// The words that make this program do that.
    pub(crate) fn words(&self, task: Task, server: SocketAddr) -> Vec<String> {
        let (host, port) = (server.ip().to_string(), server.port().to_string());
        match (&self.which, task) {
            (Which::Redial(file), _) => {
                vec![file.display().to_string(), "connect".into(), server.to_string()]
            }
            (Which::Nc, Task::Send) => vec!["nc".into(), "-N".into(), host, port],
            (Which::Nc, Task::Receive) => vec!["nc".into(), host, port],
            (Which::Socat, Task::Send) => {
                vec!["socat".into(), "-u".into(), "-".into(), format!("TCP:{server}")]
            }
            (Which::Socat, Task::Receive) => {
                vec!["socat".into(), "-u".into(), format!("TCP:{server}"), "-".into()]
            }
        }
    }

    /// The same as a command; where its bytes come from and go to is the caller's.
    pub(crate) fn command(&self, task: Task, server: SocketAddr) -> Command {
        let words = self.words(task, server);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }
}

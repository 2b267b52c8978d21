//! Where a server lives: a folder of its own and a port that nobody has.
//!
//! What is started here ends here; a server that stays is a [`Server`](super::Server). Start at
//! [`Place::new`].

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// Where Debian puts servers and their clients.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// A folder and a port. Dropped, the folder goes.
pub(crate) struct Place {
    folder: TempDir,
    port: u16,
    user: &'static str,
}

impl Place {
    /// A free port, and a folder that is this user's: many servers refuse to be root's.
    pub(crate) fn new(user: &'static str) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap(), port: free_port(), user };
        place.give("");
        place
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The whole path of a name in the folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file: root's, so the server reads it. One named `hosts` is its `/etc/hosts`.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Makes a file or a folder in it, with all that is there, the server's own.
    pub(crate) fn give(&self, name: &str) {
        to_its_end(Command::new("chown").args(["-R", self.user]).arg(self.folder().join(name)));
    }

    /// Runs a program to its end, as the server's user.
    pub(crate) fn prepare(&self, program: &Path, words: &[&str]) {
        to_its_end(&mut self.furnish(self.as_user(Command::new(program).args(words))));
    }

    /// The same command, of the server's user.
    pub(crate) fn as_user(&self, command: &Command) -> Command {
        // Debian's users have a group of their name, but for nobody.
        let group = if self.user == "nobody" { "nogroup" } else { self.user };
        let mut outer = Command::new("setpriv");
        outer.args(["--reuid", self.user, "--regid", group, "--init-groups", "--"]);
        outer.arg(command.get_program()).args(command.get_args());
        outer
    }

    /// In the folder, its temporary files too (one namespace's process numbers are another's), and
    /// with nothing of this environment.
    pub(crate) fn furnish(&self, mut command: Command) -> Command {
        command.current_dir(self.folder());
        command.env_clear().env("PATH", PATH).env("LC_ALL", "C").env("HOME", self.folder());
        command.env("TMPDIR", self.folder());
        command
    }
}

/// The whole path of a program, which may be one. Without it there is nothing to test with.
pub(crate) fn installed(program: &str, package: &str) -> PathBuf {
    let mut places = PATH.split(':').map(|folder| Path::new(folder).join(program));
    places
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("no {program}: apt-get install {package}, or run ./test"))
}

/// A port that was free a moment ago. Who finds it taken asks again.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// To its end, which must be a good one.
fn to_its_end(command: &mut Command) {
    let ran = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(ran.status.success(), "{command:?}:\n{}{}", said(&ran.stdout), said(&ran.stderr));
}

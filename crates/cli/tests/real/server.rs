//! A real server under way, and the certainty that nothing of it stays.
//!
//! It runs in a process namespace of its own, whose first process is a shell that reads from a pipe
//! we hold: when the pipe closes (a drop, a panic, a test that was killed) the shell ends, and the
//! kernel ends whatever was started there, in one step. What it speaks is in the siblings. Start at
//! [`Server::start`].

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpStream},
    ops::RangeInclusive,
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{Place, client::meet, place::installed};

/// No server needs this long, on any machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Between two questions whether it is.
const PAUSE: Duration = Duration::from_millis(5);

/// The first process of its namespace: ends with the server, or when standard input does.
const FIRST: &str = r#"
    [ ! -e hosts ] || mount --bind hosts /etc/hosts
    trap 'exit 0' TERM
    exec 3<&0 </dev/null
    { read -r _ <&3; kill -TERM 1; } &
    exec 3<&-
    "$@" &
    wait $!"#;

type Release = Box<dyn FnOnce(&Server)>;

/// A server of a test's own. Dropped, it is killed with all that it started.
pub(crate) struct Server {
    package: &'static str,
    place: Place,
    /// Connections that keep it busy.
    held: Vec<TcpStream>,
    /// What ends the state it was started in.
    release: Option<Release>,
    child: Child,
    /// Closed, everything ends.
    pipe: Option<ChildStdin>,
}

impl Server {
    /// Starts a server of this package as this user, and waits until `ready` says so, for a minute.
    ///
    /// `furnish` puts into the place what it needs, and says what to run there: in the foreground,
    /// on loopback, at the place's port. `ready` asks the server itself. Where somebody took the
    /// port meanwhile it is tried again, three times in all.
    pub(super) fn start(
        package: &'static str,
        user: &'static str,
        furnish: impl Fn(&Place) -> Command,
        ready: impl Fn(&Self) -> bool,
    ) -> Self {
        for _ in 0..3 {
            let place = Place::new(user);
            let command = furnish(&place);
            let mut server = Self::spawn(package, place, &command);
            if server.wait(&ready) {
                return server;
            }
        }
        panic!("{package}: its port was taken, three times");
    }

    fn spawn(package: &'static str, place: Place, command: &Command) -> Self {
        let program = installed(command.get_program().to_str().unwrap(), package);
        let inner = place.as_user(Command::new(program).args(command.get_args()));
        let mut outer = Command::new("unshare");
        outer.args(["--mount", "--pid", "--kill-child", "--", "sh", "-c", FIRST, "sh"]);
        outer.arg(inner.get_program()).args(inner.get_args());
        let log = File::create(place.path("log")).unwrap();
        place.give("log");
        let mut outer = place.furnish(outer);
        outer.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut child = outer.spawn().unwrap_or_else(|error| panic!("{outer:?}: {error}"));
        let pipe = child.stdin.take();
        Self { package, place, held: Vec::new(), release: None, child, pipe }
    }

    /// Until it is ready; false where its port was taken.
    fn wait(&mut self, ready: impl Fn(&Self) -> bool) -> bool {
        let begun = Instant::now();
        loop {
            let ready = ready(self);
            // Asked after, since it may have been somebody else that answered at its port.
            if let Some(status) = self.child.try_wait().unwrap() {
                let log = self.log();
                if log.to_lowercase().contains("address already in use") {
                    return false;
                }
                panic!("{} ended, {status}:\n{log}", self.package);
            }
            if ready {
                return true;
            }
            assert!(begun.elapsed() < LIMIT, "{} is not ready:\n{}", self.package, self.log());
            // Nothing tells when a server will answer but its answer.
            thread::sleep(PAUSE);
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.place.port()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port()))
    }

    /// The whole path of a name in its folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.place.path(name)
    }

    /// What it has written until now.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path("log")).unwrap()).into_owned()
    }

    /// Its process namespace, which has its number for as long as the file is open.
    pub(crate) fn namespace(&self) -> File {
        File::open(format!("/proc/{}/ns/pid_for_children", self.child.id())).unwrap()
    }

    /// It stays in the state that it is in until this was done.
    pub(super) fn until(mut self, release: impl FnOnce(&Self) + 'static) -> Self {
        self.release = Some(Box::new(release));
        self
    }

    /// Full: connections that begin with `opening` are held until so many are, and the next one is
    /// answered by `refusal`.
    pub(super) fn fill(
        mut self,
        clients: RangeInclusive<usize>,
        opening: &[u8],
        refusal: &str,
    ) -> Self {
        let begun = Instant::now();
        while begun.elapsed() < LIMIT && self.held.len() <= *clients.end() {
            let (connection, said) = meet(self.port(), opening);
            match (said.contains(refusal), clients.contains(&self.held.len())) {
                (true, true) => return self,
                // Who asked before, and has left, may still be counted.
                (true, false) => thread::sleep(PAUSE),
                (false, _) => self.held.extend(connection),
            }
        }
        panic!("{} is not full with {clients:?} clients:\n{}", self.package, self.log());
    }

    /// Ends the state it was started in: from here on it is on its way to being ready.
    pub(crate) fn go_on(&mut self) {
        self.held.clear();
        if let Some(release) = self.release.take() {
            release(self);
        }
    }

    /// At once and without a goodbye, as a machine does: its port refuses. A drop does the same.
    pub(crate) fn stop(self) {}
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // A namespace's first process has not ended before all the others have.
        drop(self.child.wait());
    }
}

//! Servers that say one sentence: a lab, and what else is used for it.
//!
//! The lab is a thread of this bench, as in a test that uses it; the others are processes. What
//! each cost the processor is read from `/proc`, which counts hundredths of a second. It sends no
//! load. Start at [`CONTENDERS`].

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use redial_lab::{Behaviour, Lab};

use crate::{Outcome, load::SENTENCE};

/// A server, under the name it has in the report.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    /// Connections in one run: some seconds' worth, or a hundredth of a second would show.
    pub(crate) connections: u64,
    which: Which,
}

enum Which {
    Lab,
    Nginx,
    Python,
    Socat,
}

/// The lab first, for everything is compared with it.
pub(crate) const CONTENDERS: [Contender; 4] = [
    Contender { name: "redial-lab", connections: 40_000, which: Which::Lab },
    Contender { name: "nginx", connections: 40_000, which: Which::Nginx },
    Contender { name: "socketserver", connections: 10_000, which: Which::Python },
    Contender { name: "socat", connections: 2_000, which: Which::Socat },
];

/// A thread per connection, as the examples of the library have it.
const PYTHON: &str = "
import socketserver, sys
class Say(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(sys.argv[2].encode())
class Server(socketserver.ThreadingTCPServer):
    request_queue_size = 4096
    daemon_threads = True
Server(('127.0.0.1', int(sys.argv[1])), Say).serve_forever()
";

/// A server that runs until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    running: Running,
}

enum Running {
    Lab { _until_dropped: Lab },
    Process { child: Child, folder: PathBuf },
}

impl Contender {
    pub(crate) fn start(&self) -> Outcome<Server> {
        if let Which::Lab = self.which {
            let lab = Lab::start(Behaviour::say(SENTENCE))?;
            return Ok(Server {
                address: lab.address(),
                running: Running::Lab { _until_dropped: lab },
            });
        }
        // They have to be told a port, so one that was free a moment ago.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let folder =
            std::env::temp_dir().join(format!("redial-bench-{}-{}", self.name, std::process::id()));
        fs::create_dir_all(&folder)?;
        let child = self
            .command(address, &folder)?
            .stdin(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", self.name))?;
        let server = Server { address, running: Running::Process { child, folder } };
        let started = Instant::now();
        while let Err(error) = TcpStream::connect(address) {
            if started.elapsed() > Duration::from_secs(10) {
                return Err(format!("{}: no answer within 10 s: {error}", self.name).into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }

    fn command(&self, address: SocketAddr, folder: &std::path::Path) -> Outcome<Command> {
        let port = address.port().to_string();
        let folder = folder.display();
        let mut command;
        match self.which {
            Which::Lab => return Err("a lab is no command".into()),
            Which::Nginx => {
                let told = format!(
                    "daemon off; master_process off; pid {folder}/pid;
                     load_module /usr/lib/nginx/modules/ngx_stream_module.so;
                     error_log stderr crit;
                     events {{ worker_connections 4096; }}
                     stream {{ server {{
                         listen {address} backlog=4096; return {SENTENCE:?};
                     }} }}"
                );
                fs::write(format!("{folder}/nginx.conf"), told)?;
                command = Command::new("nginx");
                command.args(["-c", &format!("{folder}/nginx.conf"), "-e", "stderr"]);
            }
            Which::Python => {
                command = Command::new("/usr/bin/python3");
                command.args(["-c", PYTHON, &port, SENTENCE]);
            }
            Which::Socat => {
                fs::write(format!("{folder}/sentence"), SENTENCE)?;
                command = Command::new("socat");
                let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1,fork,backlog=4096");
                command.args(["-U", &listen, &format!("OPEN:{folder}/sentence,rdonly")]);
            }
        }
        Ok(command)
    }
}

impl Server {
    /// User and system time so far: of the lab's thread, or of a process and its children.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        match &self.running {
            Running::Lab { .. } => {
                for thread in fs::read_dir("/proc/self/task")? {
                    let thread = thread?.path();
                    if fs::read_to_string(thread.join("comm"))?.trim() == "redial-lab" {
                        return ticks(&fs::read_to_string(thread.join("stat"))?, 2);
                    }
                }
                Err("the lab has no thread".into())
            }
            Running::Process { child, .. } => {
                ticks(&fs::read_to_string(format!("/proc/{}/stat", child.id()))?, 4)
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Running::Process { child, folder } = &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// The sum of the first so many of utime, stime, cutime and cstime in a `stat` (`man 5
/// proc_pid_stat`): fields 14 to 17, counted from the name's closing bracket, for a name may hold
/// anything. A tick is a hundredth of a second.
fn ticks(stat: &str, fields: usize) -> Outcome<Duration> {
    let (_, after) = stat.rsplit_once(')').ok_or("a stat without a name")?;
    let mut ticks = 0;
    for field in after.split_whitespace().skip(11).take(fields) {
        ticks += field.parse::<u64>()?;
    }
    Ok(Duration::from_millis(ticks * 10))
}

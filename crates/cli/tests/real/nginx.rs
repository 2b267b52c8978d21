//! nginx (nginx-light): `/` is ready, `/starting` says 503, `/dead` has nobody behind it (502).

use std::process::Command;

use super::{Place, Server, ask};

pub(crate) const PACKAGE: &str = "nginx-light";

/// Ready.
pub(crate) fn start() -> Server {
    Server::start(PACKAGE, "nobody", command, |server| status(server.port(), "/") == "200")
}

/// The status of a page, as curl says it; `000` where there is no answer.
pub(crate) fn status(port: u16, page: &str) -> String {
    let url = format!("http://127.0.0.1:{port}{page}");
    ask("curl", &["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", &url]).1
}

fn command(place: &Place) -> Command {
    let port = place.port();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|name| format!("{name}_temp_path temporary;")).concat();
    let text = format!(
        "daemon off; master_process off; pid pid; error_log stderr;
        events {{ worker_connections 64; }}
        http {{
            access_log log; {temporary}
            server {{
                listen 127.0.0.1:{port};
                location / {{ return 200 \"hello\\n\"; }}
                location /starting {{ return 503 \"starting\\n\"; }}
                location /dead {{ proxy_pass http://127.0.0.1:1; }}
            }}
        }}"
    );
    let mut command = Command::new("nginx");
    command.args(["-e", "stderr", "-p", &place.path(""), "-c", &place.write("conf", text)]);
    command
}

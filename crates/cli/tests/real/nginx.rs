//! nginx (nginx-light): `/` is ready, `/starting` says 503, `/dead` has nobody behind it (502).
//! `/private` wants app and s3cret, `/moved` leads to `/`, `/json` is compressed for who takes that.

use std::process::Command;

use super::{Place, Server, ask, certificate::certify};

pub(crate) const PACKAGE: &str = "nginx-light";

/// Ready.
pub(crate) fn start() -> Server {
    let ready = |server: &Server| status(server.port(), "/") == "200";
    Server::start(PACKAGE, "nobody", |place| command(place, "", ""), ready)
}

/// The same pages, through TLS alone.
pub(crate) fn over_tls() -> Server {
    let furnish = |place: &Place| {
        let certified = certify(place);
        let files = format!("ssl_certificate {}; ", certified.cert);
        let files = files + &format!("ssl_certificate_key {};", certified.key);
        command(place, "ssl", &files)
    };
    Server::start(PACKAGE, "nobody", furnish, |server| {
        let url = format!("https://127.0.0.1:{}/", server.port());
        ask("curl", &["curl", "-s", "--cacert", &server.path("ca.pem"), &url]).1 == "hello\n"
    })
}

/// The status of a page, as curl says it; `000` where there is no answer.
pub(crate) fn status(port: u16, page: &str) -> String {
    let url = format!("http://127.0.0.1:{port}{page}");
    ask("curl", &["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", &url]).1
}

fn command(place: &Place, speaks: &str, files: &str) -> Command {
    let port = place.port();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|name| format!("{name}_temp_path temporary;")).concat();
    let users = place.write("users", "app:{PLAIN}s3cret\n");
    let text = format!(
        "daemon off; master_process off; pid pid; error_log stderr;
        events {{ worker_connections 64; }}
        http {{
            access_log log; {temporary}
            server {{
                listen 127.0.0.1:{port} {speaks};
                {files}
                location / {{ return 200 \"hello\\n\"; }}
                location /starting {{ return 503 \"starting\\n\"; }}
                location /private {{
                    auth_basic realm;
                    auth_basic_user_file {users};
                    try_files /none =204;
                }}
                location /moved {{ return 302 /; }}
                location /json {{
                    gzip on; gzip_min_length 1; gzip_types application/json;
                    default_type application/json;
                    return 200 '{{\"status\": \"ready\"}}';
                }}
                location /dead {{ proxy_pass http://127.0.0.1:1; }}
            }}
        }}"
    );
    let mut command = Command::new("nginx");
    command.args(["-e", "stderr", "-p", &place.path(""), "-c", &place.write("conf", text)]);
    command
}

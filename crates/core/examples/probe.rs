//! Probes one server by a recipe, with nothing but the standard library and the core.
//!
//! `cargo run -p redial-core --example probe -- redis://127.0.0.1` prints `ready`, or why not. A
//! second word is the file of a recipe of your own. TLS is the driver's, so servers that begin with
//! it, or by their protocol's words, are not for this example.

use std::{
    env, fs,
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    process::ExitCode,
    time::Duration,
};

use redial_core::{Place, Probe, ProbeInput, ProbeOutput, Recipe, Server};

fn main() -> ExitCode {
    let mut words = env::args().skip(1);
    let (Some(server), file) = (words.next(), words.next()) else {
        eprintln!("probe: a server is missing; write redis://127.0.0.1:6379");
        return ExitCode::from(2);
    };
    match run(&server, file.as_deref()) {
        Ok(said) => {
            println!("{said}");
            ExitCode::from(u8::from(!said.starts_with("ready")))
        }
        Err(said) => {
            eprintln!("probe: {said}");
            ExitCode::from(2)
        }
    }
}

fn run(server: &str, file: Option<&str>) -> Result<String, Box<dyn std::error::Error>> {
    let server = Server::parse(server)?;
    let recipe = match file {
        Some(file) => Recipe::parse(&fs::read_to_string(file)?)?,
        None => match Recipe::of(&server)? {
            Some(recipe) => recipe,
            None => Recipe::named("tcp")?,
        },
    };
    let script = recipe.script(&server)?;
    let Place::Host { host, port } = server.place() else {
        return Err("only hosts and ports are for this example".into());
    };
    let mut stream = TcpStream::connect((&**host, *port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    Ok(probe(script.probe(), &mut stream)?)
}

/// The loop that [`Probe`] describes.
fn probe(mut probe: Probe, stream: &mut TcpStream) -> io::Result<String> {
    let mut chunk = [0; 4096];
    loop {
        let input = match probe.poll() {
            // What the server said tells more than that it does not listen.
            ProbeOutput::Send(bytes) => {
                let _ = stream.write_all(bytes);
                ProbeInput::Sent
            }
            ProbeOutput::Read => match stream.read(&mut chunk) {
                Ok(0) => ProbeInput::End,
                Ok(count) => ProbeInput::Bytes(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ProbeInput::TimeIsUp,
                Err(error) => return Err(error),
            },
            // An example: a program draws 18 bytes that no one can guess.
            ProbeOutput::Nonce => ProbeInput::Nonce(b"nothing is random "),
            ProbeOutput::Compute => ProbeInput::Computed,
            ProbeOutput::StartTls => return Err(io::Error::other("TLS is the driver's")),
            ProbeOutput::Redirected(script) => {
                return Ok(format!("it redirects to {}", script.server()));
            }
            ProbeOutput::Failed(refusal) => {
                let kind = refusal.kind;
                return Ok(match refusal.clone().into_detail() {
                    Some(detail) => format!("{kind}: {detail}"),
                    None => format!("{kind}: {}", kind.facts().sentence),
                });
            }
            ProbeOutput::Ready { says } => {
                let said = says.map_or_else(|| "ready".into(), |says| format!("ready: {says}"));
                // Good manners: a goodbye, and nothing left unread, which would end in a reset.
                let _ = stream.write_all(probe.goodbye());
                let _ = stream.shutdown(Shutdown::Write);
                stream.set_read_timeout(Some(Duration::from_millis(100)))?;
                while stream.read(&mut chunk).is_ok_and(|count| count > 0) {}
                return Ok(said);
            }
        };
        probe.handle(input);
    }
}

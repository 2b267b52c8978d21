//! The lesson in Rust: connect, receive up to 1024 bytes, print; two servers, and a clause.
//!
//! `cargo run -p redial --example lesson -- 127.0.0.1:9000 127.0.0.1:9001`

use redial::{NotConnected, Policy, Redial, Server, Verb, Verdict};
use tokio::io::AsyncReadExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut policy = Policy::build(Verb::Connect).except(
        "ConnectionRefusedError: retry 3, next, say 'nobody accepts our request', exit 1",
    )?;
    for word in std::env::args().skip(1) {
        policy = policy.server(Server::parse(&word)?);
    }
    let redial = Redial::new(policy.build()?).listen(|happened| eprintln!("{:?}", happened.event));
    match redial.connect().await {
        Ok(connection) => {
            let mut message = Vec::new();
            connection.take(1024).read_to_end(&mut message).await?;
            println!("{}", String::from_utf8_lossy(&message));
            println!("This sentence will only print if the except block was not executed.");
        }
        // `exit N` is a verdict here: what to do with it is this program's business.
        Err(NotConnected::GaveUp(gave_up)) => match gave_up.verdict {
            Verdict::Exit(status) => std::process::exit(status.into()),
            _ => return Err(gave_up.into()),
        },
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

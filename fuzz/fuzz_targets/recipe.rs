//! Recipes from any text, and those that are shipped fed with any bytes: no panic, positions inside,
//! an end to every probe, and how the bytes were cut does not matter.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use redial_core::{Kind, ProbeInput, ProbeOutput, RECIPES, Recipe, Script, Server};

/// Every recipe for a server in the clear, for one that is to begin TLS, and for logins.
static SCRIPTS: LazyLock<Vec<Script>> = LazyLock::new(|| {
    let made = RECIPES.iter().flat_map(|one| {
        let recipe = Recipe::parse(one.text).expect("it is shipped");
        let login = "redis://user:s3cret@server:1#login,as=";
        let login = [format!("{login}{}", one.name), format!("{login}{},starttls", one.name)];
        ["server:1", "server:1#body=ok", "server:1#starttls", &login[0], &login[1]]
            .map(|server| recipe.script(&Server::parse(server).expect("a server")).ok())
    });
    made.flatten().collect()
});

fuzz_target!(|input: (&str, u8, &[u8], u8)| {
    let (text, which, bytes, cut) = input;
    match Recipe::parse(text) {
        Ok(recipe) => {
            for example in recipe.examples().iter().take(4) {
                let _ = example.play(&recipe, usize::from(cut));
            }
            if let Ok(script) = recipe.script(&Server::parse("server:1").expect("a server")) {
                probe(&script, bytes, 1);
            }
        }
        Err(mistake) => assert!(text.get(mistake.at.clone()).is_some(), "{mistake:?}"),
    }
    let script = &SCRIPTS[usize::from(which) % SCRIPTS.len()];
    let whole = probe(script, bytes, usize::MAX);
    for size in [1, usize::from(cut).max(1)] {
        let cut = probe(script, bytes, size);
        // What comes in one piece with the agreement on TLS is in the clear.
        if whole != Some(Kind::UnexpectedResponse) {
            assert_eq!(cut, whole);
        }
    }
});

/// The kind of failure of a probe that hears these bytes; none if the server is ready.
fn probe(script: &Script, bytes: &[u8], size: usize) -> Option<Kind> {
    let mut probe = script.probe();
    let mut chunks = bytes.chunks(size);
    for _ in 0..bytes.len() + 1000 {
        let input = match probe.poll() {
            ProbeOutput::Ready { .. } | ProbeOutput::Redirected(_) => return None,
            ProbeOutput::Failed(refusal) => return Some(refusal.kind),
            ProbeOutput::Send(sent) => {
                assert!(sent.len() <= 16 << 10);
                ProbeInput::Sent
            }
            ProbeOutput::StartTls => ProbeInput::TlsStarted,
            ProbeOutput::Nonce => ProbeInput::Nonce(&[7; 18]),
            ProbeOutput::Compute => ProbeInput::Computed,
            ProbeOutput::Read => chunks.next().map_or(ProbeInput::End, ProbeInput::Bytes),
        };
        probe.handle(input);
    }
    panic!("the probe has no end");
}

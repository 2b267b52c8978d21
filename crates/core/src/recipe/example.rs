//! What a server once said, and what redial made of it: a recipe proves itself by these.
//!
//! One test plays every example of every recipe, with the bytes cut in every way; so a bug report
//! becomes a few lines in a recipe's file. Start at [`Example::play`].

use alloc::{boxed::Box, format, string::String, vec::Vec};

use super::{Judged, ProbeInput, ProbeOutput, Recipe, Refusal};
use crate::{Kind, Server, escape};

/// What a server said, message by message, and the verdict about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub(super) about: Box<str>,
    pub(super) server: Option<Box<str>>,
    /// The random bytes of its login.
    pub(super) nonce: Vec<u8>,
    pub(super) answer: bool,
    pub(super) said: Vec<Vec<u8>>,
    pub(super) sent: Option<Vec<Vec<u8>>>,
    pub(super) verdict: Option<Kind>,
    pub(super) words: Box<str>,
}

impl Example {
    /// The state of the server it is about.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Plays it: the server says each message when it is waited for, in pieces of `size` bytes, and
    /// ends its side after the last.
    ///
    /// # Errors
    /// What came out instead, as text for a person.
    pub fn play(&self, recipe: &Recipe, size: usize) -> Result<(), String> {
        let (verdict, sent) = match self.answer {
            false => self.probe(recipe, size.max(1))?,
            true => (self.answer(recipe, size.max(1))?, Vec::new()),
        };
        let kind = verdict.as_ref().map(|refusal| refusal.kind);
        if kind != self.verdict {
            let name = |kind: Option<Kind>| kind.map_or("ready", Kind::name);
            let detail = verdict.and_then(Refusal::into_detail);
            let detail = detail.map_or_else(String::new, |detail| format!(" ({detail})"));
            return Err(format!("{}{detail} instead of {}", name(kind), name(self.verdict)));
        }
        if let Some(expected) = &self.sent
            && *expected != sent
        {
            let shown: Vec<_> = sent.iter().map(|bytes| escape(bytes, 512)).collect();
            let wanted: Vec<_> = expected.iter().map(|bytes| escape(bytes, 512)).collect();
            return Err(format!("sent {shown:#?} instead of {wanted:#?}"));
        }
        let detail = verdict.and_then(Refusal::into_detail);
        let detail = detail.as_ref().map_or("", |detail| detail.as_str());
        if !detail.contains(&*self.words) {
            return Err(format!("the words are `{detail}` instead of `{}`", self.words));
        }
        Ok(())
    }

    fn probe(
        &self,
        recipe: &Recipe,
        size: usize,
    ) -> Result<(Option<Refusal>, Vec<Vec<u8>>), String> {
        let name = recipe.schemes().first().map_or("tcp", |scheme| scheme);
        let server = match &self.server {
            Some(server) => Server::parse(server),
            None => Server::parse(&format!("{name}://server:{}", recipe.port().unwrap_or(1))),
        };
        let script = server.and_then(|server| recipe.script(&server));
        let mut probe = script.map_err(|mistake| format!("{mistake}"))?.probe();
        let mut said = self.said.iter();
        let mut sent = Vec::new();
        loop {
            let input = match probe.poll() {
                ProbeOutput::Ready { .. } => return Ok((None, sent)),
                // The bytes that follow are those of the next server.
                ProbeOutput::Redirected(script) => {
                    probe = script.clone().probe();
                    continue;
                }
                ProbeOutput::Failed(refusal) => return Ok((Some(refusal.clone()), sent)),
                ProbeOutput::StartTls => ProbeInput::TlsStarted,
                ProbeOutput::Nonce => ProbeInput::Nonce(&self.nonce),
                ProbeOutput::Compute => ProbeInput::Computed,
                ProbeOutput::Send(bytes) => {
                    sent.push(bytes.into());
                    ProbeInput::Sent
                }
                ProbeOutput::Read => match said.next() {
                    None => ProbeInput::End,
                    Some(message) => {
                        for piece in message.chunks(size) {
                            probe.handle(ProbeInput::Bytes(piece));
                        }
                        continue;
                    }
                },
            };
            probe.handle(input);
        }
    }

    fn answer(&self, recipe: &Recipe, size: usize) -> Result<Option<Refusal>, String> {
        let Some(expected) = recipe.answer() else { return Err("there is no answer".into()) };
        let said = self.said.concat();
        let mut judge = expected.judge();
        let mut heard = 0;
        while heard < said.len() {
            heard = said.len().min(heard + size);
            match judge.hear(expected, &said[..heard]) {
                Judged::More => {}
                Judged::Ready => return Ok(None),
                Judged::Refused(refusal) => return Ok(Some(refusal)),
            }
        }
        Ok(judge.end(expected, &said).err())
    }
}

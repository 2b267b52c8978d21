//! One probe of one connection: what to send, when to read, and what it comes to.
//!
//! A machine without sockets or clocks, as the session and the race are: the driver does what
//! [`Probe::poll`] says, and tells [`Probe::handle`] what came of it. Start at [`Probe`].

use alloc::{string::String, sync::Arc, vec::Vec};
use core::fmt;

use super::{
    Script,
    expected::{Found, Judge, Over, Refusal, Then, sentence},
    http::{Outcome, Reader, Wanted},
    login::{Login, Proving},
};
use crate::Kind;

/// How many steps a probe takes at most; more are going round in a ring.
const MOST_TURNS: usize = 64;

/// What happened outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeInput<'a> {
    /// The server said this.
    Bytes(&'a [u8]),
    /// All of the last [`ProbeOutput::Send`] was handed to the kernel.
    Sent,
    /// The handshake that [`ProbeOutput::StartTls`] asked for is done.
    TlsStarted,
    /// What [`ProbeOutput::Nonce`] asked for: random bytes, 18 of them, which no one can guess.
    Nonce(&'a [u8]),
    /// Compute a piece of what [`ProbeOutput::Compute`] stands for.
    Computed,
    /// The server ended its side. Also for a connection that broke, or that takes no more: what was
    /// heard before decides, and where that comes to no more than `closed-early` or `truncated`,
    /// the connection's own failure (a reset) tells more.
    End,
    /// The time allowed for a reply has passed.
    TimeIsUp,
}

/// What to do now.
#[derive(Clone, Copy, PartialEq)]
pub enum ProbeOutput<'a> {
    /// Send all of this, then [`ProbeInput::Sent`].
    Send(&'a [u8]),
    /// Begin TLS on this connection, then [`ProbeInput::TlsStarted`].
    StartTls,
    /// Draw random bytes, then [`ProbeInput::Nonce`].
    Nonce,
    /// A login takes computing. [`ProbeInput::Computed`] computes for about a millisecond; other
    /// work may be done in between.
    Compute,
    /// Read, then [`ProbeInput::Bytes`] or [`ProbeInput::End`].
    Read,
    /// The server is ready. The probe is over.
    Ready {
        /// What the recipe says about it: `it asks for a password`.
        says: Option<&'a str>,
    },
    /// It redirects to another server, and redirects are to be followed. The probe is over; the
    /// next is that of this script, on a new connection to [`Script::server`].
    Redirected(&'a Script),
    /// It is not. The probe is over.
    Failed(&'a Refusal),
}

/// One probe of one connection.
///
/// > Do what [`Probe::poll`] says, and tell [`Probe::handle`] what came of it, until it says
/// > `Ready` or `Failed`. Polling again repeats the same. Bytes may be told at any time.
///
/// ```
/// use std::io::{Read, Write};
///
/// use redial_core::{Probe, ProbeInput, ProbeOutput, Refusal};
///
/// fn run(mut probe: Probe, stream: &mut (impl Read + Write)) -> std::io::Result<Option<Refusal>> {
///     let mut chunk = [0; 4096];
///     loop {
///         match probe.poll() {
///             ProbeOutput::Send(bytes) => {
///                 stream.write_all(bytes)?;
///                 probe.handle(ProbeInput::Sent);
///             }
///             ProbeOutput::Read => match stream.read(&mut chunk)? {
///                 0 => probe.handle(ProbeInput::End),
///                 count => probe.handle(ProbeInput::Bytes(&chunk[..count])),
///             },
///             ProbeOutput::StartTls => probe.handle(ProbeInput::TlsStarted), // after the handshake
///             ProbeOutput::Nonce => probe.handle(ProbeInput::Nonce(b"18 random bytes, drawn")),
///             ProbeOutput::Compute => probe.handle(ProbeInput::Computed),
///             // To be followed on a new connection: none of it is asked for here.
///             ProbeOutput::Redirected(_) => return Ok(None),
///             ProbeOutput::Failed(refusal) => return Ok(Some(refusal.clone())),
///             ProbeOutput::Ready { .. } => {
///                 // Good manners. Ready stays ready, whatever becomes of it.
///                 let _ = stream.write_all(probe.goodbye());
///                 return Ok(None);
///             }
///         }
///     }
/// }
/// # let script = redial_core::Recipe::named("redis")?.script(&"redis://cache".parse()?)?;
/// # struct Server(Vec<u8>);
/// # impl Read for Server { fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
/// #     let n = self.0.len().min(to.len()).min(3); to[..n].copy_from_slice(&self.0[..n]);
/// #     self.0.drain(..n); Ok(n) } }
/// # impl Write for Server { fn write(&mut self, from: &[u8]) -> std::io::Result<usize> { Ok(from.len()) }
/// #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) } }
/// # assert_eq!(run(script.probe(), &mut Server(b"+PONG\r\n".to_vec())).unwrap(), None);
/// # Ok::<(), redial_core::Mistake>(())
/// ```
///
/// What is still unread when a connection is closed makes the kernel send a reset, which some
/// servers log: after `Ready`, shut the writing side down and read to the end, for a moment.
#[derive(Clone)]
pub struct Probe {
    script: Script,
    step: usize,
    turns: usize,
    phase: Phase,
    /// What was heard in this step, or waits for it.
    heard: Vec<u8>,
    ever_heard: bool,
    /// What is sent in this step.
    sends: Vec<u8>,
    judge: Option<Judge>,
    /// The HTTP answer that this step reads.
    reader: Option<Reader>,
    login: Login,
    /// The message that led to this step, for what a login computes from it.
    challenge: Challenge,
}

/// A message of the server, and the part of it that is its words.
#[derive(Clone, Default)]
struct Challenge {
    message: Vec<u8>,
    words: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Phase {
    Send,
    Tls,
    Nonce,
    Compute,
    Read,
    Ready { says: Option<Arc<str>>, bye: bool },
    Redirected(Script),
    Failed(Refusal),
}

impl Probe {
    pub(super) fn new(script: Script) -> Self {
        let login = Login::new(Arc::clone(&script.0.credentials));
        let mut probe = Self {
            script,
            step: 0,
            turns: 0,
            phase: Phase::Read,
            heard: Vec::new(),
            ever_heard: false,
            sends: Vec::new(),
            judge: None,
            reader: None,
            login,
            challenge: Challenge::default(),
        };
        probe.enter(0, &[]);
        probe
    }

    /// What to do now; see the rule at [`Probe`].
    #[must_use]
    pub fn poll(&self) -> ProbeOutput<'_> {
        match &self.phase {
            Phase::Send => ProbeOutput::Send(&self.sends),
            Phase::Tls => ProbeOutput::StartTls,
            Phase::Nonce => ProbeOutput::Nonce,
            Phase::Compute => ProbeOutput::Compute,
            Phase::Read => ProbeOutput::Read,
            Phase::Ready { says, .. } => ProbeOutput::Ready { says: says.as_deref() },
            Phase::Redirected(script) => ProbeOutput::Redirected(script),
            Phase::Failed(refusal) => ProbeOutput::Failed(refusal),
        }
    }

    /// What is polite to send before the connection is closed, once the server is ready; may be
    /// nothing, and no answer to it is needed.
    #[must_use]
    pub fn goodbye(&self) -> &[u8] {
        match &self.phase {
            Phase::Ready { bye: true, .. } => &self.script.0.bye.bytes,
            _ => &[],
        }
    }

    /// Whether it is over: ready, redirected, or failed.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ready { .. } | Phase::Redirected(_) | Phase::Failed(_))
    }

    /// Something happened. What comes after the probe is over is ignored.
    pub fn handle(&mut self, input: ProbeInput<'_>) {
        if self.is_over() {
            return;
        }
        match input {
            ProbeInput::Bytes(bytes) => self.hear(bytes),
            ProbeInput::Sent if matches!(self.phase, Phase::Send) => {
                self.phase = Phase::Read;
                self.go_on(Over::No);
            }
            ProbeInput::TlsStarted if matches!(self.phase, Phase::Tls) => {
                self.enter(self.step + 1, &[]);
                self.go_on(Over::No);
            }
            ProbeInput::Nonce(nonce) if matches!(self.phase, Phase::Nonce) => {
                self.login.take_nonce(nonce);
                self.prove();
            }
            ProbeInput::Computed if matches!(self.phase, Phase::Compute) => {
                self.login.work();
                self.prove();
            }
            ProbeInput::Sent
            | ProbeInput::TlsStarted
            | ProbeInput::Nonce(_)
            | ProbeInput::Computed => {}
            ProbeInput::End => self.end(Over::End),
            ProbeInput::TimeIsUp => self.end(Over::Time),
        }
    }

    fn hear(&mut self, mut bytes: &[u8]) {
        self.ever_heard |= !bytes.is_empty();
        while !bytes.is_empty() && !self.is_over() {
            if matches!(self.phase, Phase::Tls) {
                return self.fail(too_soon(&self.login.scrub(bytes)));
            }
            let room = self.limit().saturating_sub(self.heard.len());
            if room == 0 {
                // It talks and does not listen.
                let heard = self.login.scrub(&self.heard);
                return self.fail(refused(Kind::UnexpectedResponse, &heard));
            }
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.heard.extend_from_slice(now);
            bytes = later;
            if matches!(self.phase, Phase::Read) {
                self.go_on(Over::No);
            }
        }
    }

    /// No more bytes will come: what was heard decides.
    fn end(&mut self, over: Over) {
        if !matches!(self.phase, Phase::Tls) {
            self.phase = Phase::Read;
            self.go_on(over);
        }
        // Whatever would be sent or read after that cannot be any more.
        if !self.is_over() {
            self.fail(Refusal::of(match over {
                Over::Time => Kind::Stalled,
                Over::No | Over::End if self.ever_heard => Kind::Truncated,
                Over::No | Over::End => Kind::ClosedEarly,
            }));
        }
    }

    /// Judges what was heard, through as many steps as it lasts.
    fn go_on(&mut self, over: Over) {
        while matches!(self.phase, Phase::Read) {
            let script = self.script.clone();
            let Some(Some(step)) = script.0.steps.get(self.step) else { return };
            if let Some(wanted) = &step.reads {
                match self.read(wanted, over) {
                    Outcome::More => return,
                    Outcome::Ready => self.lead(step.then, &[]),
                    Outcome::Redirected(status, location) => {
                        match script.redirected(status, &location) {
                            Ok(script) => self.phase = Phase::Redirected(script),
                            Err(says) => {
                                return self.refuse(Kind::UnexpectedResponse, &says, &[]);
                            }
                        }
                    }
                    Outcome::Refused(kind, says, words) => {
                        return self.refuse(kind, &says, &words);
                    }
                }
                continue;
            }
            let Some(expected) = &step.expect else {
                // Nothing is waited for, and what was to be sent has left.
                if over == Over::No {
                    self.lead(step.then, &[]);
                    continue;
                }
                return;
            };
            let judge = self.judge.get_or_insert_with(|| expected.judge());
            match judge.find(&expected.0, &self.heard, over) {
                Found::More => return,
                Found::None(kind) => {
                    let kind = match kind {
                        Kind::ClosedEarly if self.ever_heard => Kind::Truncated,
                        kind => kind,
                    };
                    return self.fail(expected.0.nothing(kind, &self.login.scrub(&self.heard)));
                }
                Found::Alternative(index, message) => {
                    let one = &expected.0.all[index];
                    let words = expected.0.words(index, &self.heard[message.clone()]);
                    if one.proves && !self.login.is_proof(words) {
                        let says = Some("it does not prove that it knows the password".into());
                        return self.fail(Refusal { says, ..Kind::UnexpectedResponse.into() });
                    }
                    match one.then {
                        Then::Again => judge.next_message(&expected.0, message.end),
                        Then::Ready => {
                            self.phase = Phase::Ready { says: one.says.clone(), bye: one.bye };
                        }
                        Then::Refused(kind) => {
                            let heard = self.login.scrub(&self.heard[message]);
                            return self.fail(expected.0.refusal(index, kind, &heard));
                        }
                        then @ (Then::Next | Then::Step(_) | Then::Tls) => {
                            self.challenge = Challenge {
                                message: self.heard[message.clone()].to_vec(),
                                words: words.to_vec(),
                            };
                            let rest = self.heard.split_off(message.end);
                            let heard = core::mem::replace(&mut self.heard, rest);
                            self.lead(then, &heard[message.start..]);
                        }
                    }
                }
            }
        }
    }

    /// Fails with a sentence and the server's words, without the secrets that either repeats.
    fn refuse(&mut self, kind: Kind, says: &str, words: &[u8]) {
        let says = self.login.scrub(says.as_bytes());
        let says = sentence(&String::from_utf8_lossy(&says));
        let refusal = refused(kind, &self.login.scrub(words));
        self.fail(Refusal { says: Some(says.into()), ..refusal });
    }

    /// Reads what came of an HTTP answer.
    fn read(&mut self, wanted: &Wanted, over: Over) -> Outcome {
        let came = core::mem::take(&mut self.heard);
        let status_line = &self.challenge.message;
        let reader = self.reader.get_or_insert_with(|| Reader::new(status_line, wanted));
        match reader.feed(wanted, &came) {
            Outcome::More if over != Over::No => reader.end(wanted, over),
            outcome => outcome,
        }
    }

    /// Goes where a step leads; `message` was just read.
    fn lead(&mut self, then: Then, message: &[u8]) {
        match then {
            Then::Next | Then::Again => self.enter(self.step + 1, message),
            Then::Step(step) => self.enter(step, message),
            Then::Tls if self.heard.is_empty() => self.phase = Phase::Tls,
            Then::Tls => self.fail(too_soon(&self.login.scrub(&self.heard))),
            Then::Ready => self.phase = Phase::Ready { says: None, bye: true },
            Then::Refused(kind) => self.fail(refused(kind, &self.login.scrub(message))),
        }
    }

    /// Begins the first step from this one on that is for this server; behind the last, it is ready.
    fn enter(&mut self, from: usize, message: &[u8]) {
        let script = self.script.clone();
        let rest = script.0.steps.iter().enumerate().skip(from);
        let Some((index, step)) = rest.filter_map(|(i, step)| Some((i, step.as_ref()?))).next()
        else {
            self.phase = Phase::Ready { says: None, bye: true };
            return;
        };
        self.turns += 1;
        if self.turns > MOST_TURNS {
            return self.fail(refused(Kind::UnexpectedResponse, &self.login.scrub(message)));
        }
        (self.step, self.judge, self.reader) = (index, None, None);
        if step.send.proof().is_some() {
            return self.prove();
        }
        self.sends = step.send.after(message);
        self.phase = if self.sends.is_empty() { Phase::Read } else { Phase::Send };
    }

    /// Computes what this step sends, as far as that is possible by now.
    fn prove(&mut self) {
        let script = self.script.clone();
        let step = script.0.steps.get(self.step).and_then(Option::as_ref);
        let Some((step, (proof, user))) = step.and_then(|step| Some((step, step.send.proof()?)))
        else {
            return;
        };
        let Challenge { message, words } = &self.challenge;
        match self.login.prove(proof, user, message, words) {
            Proving::Nonce => self.phase = Phase::Nonce,
            Proving::Work => self.phase = Phase::Compute,
            Proving::Done(proof) => match step.send.proven(&proof, message) {
                Some(sends) => (self.sends, self.phase) = (sends, Phase::Send),
                None => self.fail(unprovable("its challenge makes too long an answer")),
            },
            Proving::Refused(says) => self.fail(unprovable(&says)),
        }
    }

    fn limit(&self) -> usize {
        let step = self.script.0.steps.get(self.step).and_then(Option::as_ref);
        let expected = step.and_then(|step| step.expect.as_ref());
        expected.map_or(super::LIMIT, |expected| expected.limit())
    }

    fn fail(&mut self, refusal: Refusal) {
        self.phase = Phase::Failed(refusal);
        self.heard = Vec::new();
    }
}

/// The step alone: what was read may hold a password, as may what is sent.
impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("step", &self.step).finish_non_exhaustive()
    }
}

/// How much is sent, and not what: it may hold a password.
impl fmt::Debug for ProbeOutput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(bytes) => write!(f, "Send({} bytes)", bytes.len()),
            Self::StartTls => f.write_str("StartTls"),
            Self::Nonce => f.write_str("Nonce"),
            Self::Compute => f.write_str("Compute"),
            Self::Read => f.write_str("Read"),
            Self::Ready { says } => f.debug_struct("Ready").field("says", says).finish(),
            Self::Redirected(_) => f.write_str("Redirected"),
            Self::Failed(refusal) => f.debug_tuple("Failed").field(refusal).finish(),
        }
    }
}

/// The server's part of a login is not one.
fn unprovable(says: &str) -> Refusal {
    Refusal { says: Some(says.into()), ..Kind::UnexpectedResponse.into() }
}

fn refused(kind: Kind, message: &[u8]) -> Refusal {
    let detail = (!message.is_empty()).then(|| crate::Detail::from_bytes(message));
    Refusal { kind, says: None, detail, expected: None }
}

/// Bytes in the clear behind the agreement on TLS are not to be believed later: see
/// CVE-2011-0411 and RFC 3207, section 4.2.
fn too_soon(bytes: &[u8]) -> Refusal {
    let says = Some("it went on in the clear where TLS was to begin".into());
    Refusal { says, ..refused(Kind::UnexpectedResponse, bytes) }
}

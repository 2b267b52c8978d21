//! The policy: what to try, what to expect, the clauses, the limits.
//!
//! Valid by construction: every part was parsed before it got here. Putting one together is in
//! `builder`, reading one from a file in `file`, printing one in `print`, by what servers are judged
//! in `judgement`, which clauses are never reached in `reach`; nothing here runs, that is
//! [`crate::Session`]. Start at [`Policy::build`].

mod builder;
mod file;
mod judgement;
mod print;
mod reach;

use alloc::{boxed::Box, string::String};
use core::time::Duration;

use self::judgement::Judgement;
pub use self::{
    builder::PolicyBuilder,
    reach::{Missing, Unreached},
};
use crate::{
    Answer, Clause, Expectation, Limits, Mistake, Patience, Recipe, Rounds, Server, Step, Verb,
    clause::Steps, session::Program,
};

/// How long a `run` may take before it is killed with its group.
pub const RUN_LIMIT: Duration = Duration::from_secs(30);

/// How long a connection must live, by default, to count as healthy.
pub const HEALTHY_AFTER: Duration = Duration::from_secs(10);

/// The pause between attempts that succeed, where several must in a row.
pub const CONSECUTIVE_PAUSE: Duration = Duration::from_secs(1);

/// What to try, what to expect, what to do about failures, and the limits.
///
/// ```
/// use redial_core::{Policy, Server, Verb};
/// let policy = Policy::build(Verb::Connect)
///     .server(Server::parse("db1:5432")?)
///     .server(Server::parse("db2:5432")?)
///     .except("refused: retry 10, next")?
///     .build()?;
/// assert_eq!(policy.servers().len(), 2);
/// # Ok::<(), redial_core::Mistake>(())
/// ```
#[derive(Clone, Debug)]
pub struct Policy {
    verb: Verb,
    servers: Box<[Server]>,
    /// One for each server.
    judgements: Box<[Judgement]>,
    recipe: Option<Recipe>,
    answer: Option<Answer>,
    opening: Option<Box<[u8]>>,
    clauses: Box<[Clause]>,
    /// From this clause on they are the verb's own.
    own: usize,
    rounds: Rounds,
    limits: Limits,
    set: SetLimits,
    deadline: Option<Duration>,
    bounds_everything: bool,
    only_while_fresh: bool,
    consecutive: u32,
    healthy_after: Duration,
    otherwise: Steps,
    finally: Steps,
    /// Where each clause's steps begin when all steps are counted through; then else, finally, end.
    places: Box<[usize]>,
}

/// Which limits of one attempt were set, rather than left at their default.
#[derive(Clone, Copy, Debug, Default)]
struct SetLimits {
    tls: bool,
    reply: bool,
    /// Whether the defaults hold, whatever time is left.
    bounded: bool,
}

/// Names a step of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StepRef {
    pub(crate) program: Program,
    pub(crate) index: usize,
}

impl Policy {
    /// Begins a policy for a verb.
    #[must_use]
    pub fn build(verb: Verb) -> PolicyBuilder {
        PolicyBuilder::new(verb)
    }

    /// Begins the standing policy: reconnect for ever, give up only on what cannot heal.
    ///
    /// The clauses of `redial stay`: rounds forever, `every 250ms..30s`.
    #[must_use]
    pub fn standing() -> PolicyBuilder {
        Self::build(Verb::Stay)
    }

    /// Begins a policy from a file's text (TOML, at most 1 MiB).
    ///
    /// # Errors
    ///
    /// The first [`Mistake`], with its position in `text`.
    pub fn parse(verb: Verb, text: &str) -> Result<PolicyBuilder, Mistake> {
        file::read(verb, text)
    }

    /// The same policy, whose deadline bounds the life of its connections too.
    #[must_use]
    pub const fn bounding_everything(mut self) -> Self {
        self.bounds_everything = true;
        self
    }

    /// What it is for.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        self.verb
    }

    /// The servers, any of which will do, in the order they are tried.
    #[must_use]
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// What the first answer must look like.
    #[must_use]
    pub const fn answer(&self) -> Option<&Answer> {
        self.answer.as_ref()
    }

    /// What is sent before the answer is judged, on every connection.
    #[must_use]
    pub fn opening(&self) -> &[u8] {
        self.opening.as_deref().unwrap_or_default()
    }

    /// The clauses in the order they are tried: the user's, then the verb's own.
    #[must_use]
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// Whether this clause is the verb's own rather than the user's.
    #[must_use]
    pub const fn is_own(&self, clause: usize) -> bool {
        clause >= self.own
    }

    /// How often the list of servers is gone through.
    #[must_use]
    pub const fn rounds(&self) -> &Rounds {
        &self.rounds
    }

    /// The time limits of each part.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How long the session may be without a connection.
    #[must_use]
    pub const fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// Whether the deadline runs on while a connection lives.
    #[must_use]
    pub const fn deadline_bounds_everything(&self) -> bool {
        self.bounds_everything
    }

    /// Whether any of its steps is a `run`.
    #[must_use]
    pub fn runs_commands(&self) -> bool {
        let clauses = self.clauses.iter().flat_map(|clause| clause.steps());
        let mut steps = clauses.chain(&*self.otherwise).chain(&*self.finally);
        steps.any(|step| matches!(step, Step::Run(_)))
    }

    /// Whether no attempt follows a failure after which data had moved, whatever a clause says.
    #[must_use]
    pub const fn is_only_while_fresh(&self) -> bool {
        self.only_while_fresh
    }

    /// How often in a row the body must end well before the session does. 1 unless set.
    #[must_use]
    pub const fn consecutive(&self) -> u32 {
        self.consecutive
    }

    /// What must hold before a connection to this server counts.
    #[must_use]
    pub fn expectation(&self, server: usize) -> Expectation<'_> {
        match (&self.answer, self.judgements.get(server), self.verb) {
            (Some(answer), ..) => Expectation::Answer(answer),
            (None, Some(Judgement::Probe { script, .. }), _) => Expectation::Probe(script),
            (None, Some(Judgement::Greeting(expected)), _) => Expectation::Greeting(expected),
            // An opening that nobody answers has to leave, no more.
            (None, _, Verb::Wait) if self.opening.is_none() => {
                match self.limits_of(server).settle {
                    Duration::ZERO => Expectation::Nothing,
                    settle => Expectation::Settled(settle),
                }
            }
            (None, ..) => Expectation::Nothing,
        }
    }

    /// The time limits of attempts at this server: the policy's, or those behind its `#`.
    #[must_use]
    pub fn limits_of(&self, server: usize) -> Limits {
        match self.servers.get(server) {
            Some(server) => server.options().overrides.limits(&self.limits),
            None => self.limits,
        }
    }

    /// The time limits of the server with this label, as a failure names it.
    #[must_use]
    pub fn limits_named(&self, label: &str) -> Limits {
        let is_it = |server: &Server| &**server.label() == label;
        let server = self.servers.iter().position(is_it);
        server.map_or(self.limits, |server| self.limits_of(server))
    }

    /// How long an answer of this server may take: its own `#reply-timeout`, else `limits.reply` if
    /// that was set, else as long as its recipe states (`within`), else the default.
    #[must_use]
    pub fn reply_limit(&self, server: usize) -> Duration {
        self.set_reply(server).unwrap_or(self.limits.reply)
    }

    /// How long this server may stay silent once it is connected: [`Policy::reply_limit`], and where
    /// nothing sets that, `wait` follows the time left.
    #[must_use]
    pub fn patience(&self, server: usize) -> Patience {
        self.following(self.set_reply(server), self.limits.reply)
    }

    /// The same for the TLS handshake, by `limits.tls`.
    #[must_use]
    pub fn tls_patience(&self, server: usize) -> Patience {
        let named = self.servers.get(server).and_then(|one| one.options().overrides.tls);
        let set = named.or_else(|| self.set.tls.then_some(self.limits.tls));
        self.following(set, self.limits.tls)
    }

    fn following(&self, set: Option<Duration>, default: Duration) -> Patience {
        match (set, self.verb) {
            (Some(limit), _) => Patience::fixed(limit),
            (None, Verb::Wait) if !self.set.bounded => {
                Patience::following(default).among(self.servers.len())
            }
            (None, _) => Patience::fixed(default),
        }
    }

    /// The limit that somebody set for replies of this server.
    fn set_reply(&self, server: usize) -> Option<Duration> {
        let named = self.servers.get(server).and_then(|one| one.options().overrides.reply);
        let of_recipe = || self.judgements.get(server).and_then(Judgement::within);
        named.or_else(|| self.set.reply.then_some(self.limits.reply)).or_else(of_recipe)
    }

    /// Whether connections are redial's own, to probe servers on.
    #[must_use]
    pub fn is_probing(&self) -> bool {
        self.judgements.iter().any(|judgement| matches!(judgement, Judgement::Probe { .. }))
    }

    /// What a probe of this server needs the two sides to agree on in the TLS handshake: `h2`.
    #[must_use]
    pub fn alpn(&self, server: usize) -> Option<&str> {
        match self.judgements.get(server)? {
            Judgement::Probe { recipe, .. } => recipe.alpn(),
            Judgement::None | Judgement::Greeting(_) => None,
        }
    }

    /// How long a connection must live to count as healthy.
    #[must_use]
    pub const fn healthy_after(&self) -> Duration {
        self.healthy_after
    }

    /// The steps after a body that ended well.
    #[must_use]
    pub fn otherwise(&self) -> &[Step] {
        &self.otherwise
    }

    /// The steps at the very end.
    #[must_use]
    pub fn finally(&self) -> &[Step] {
        &self.finally
    }

    /// The step a session asks to be carried out.
    #[must_use]
    pub fn step(&self, at: StepRef) -> Option<&Step> {
        self.steps(at.program).get(at.index)
    }

    pub(crate) fn steps(&self, program: Program) -> &[Step] {
        match program {
            Program::Clause(clause) => self.clauses.get(clause).map_or(&[], Clause::steps),
            Program::Else => &self.otherwise,
            Program::Finally => &self.finally,
        }
    }

    /// The step's place when all are counted through.
    pub(crate) fn step_place(&self, at: StepRef) -> usize {
        let list = match at.program {
            Program::Clause(clause) => clause,
            Program::Else => self.clauses.len(),
            Program::Finally => self.clauses.len() + 1,
        };
        self.places.get(list).map_or(usize::MAX, |place| place + at.index)
    }

    /// How many steps there are in all.
    pub(crate) fn step_count(&self) -> usize {
        self.places.last().copied().unwrap_or(0)
    }

    pub(crate) fn has_throttled_run(&self) -> bool {
        let lists =
            self.clauses.iter().map(Clause::steps).chain([&*self.otherwise, &*self.finally]);
        lists.flatten().any(|step| matches!(step, Step::Run(run) if run.at_most_every.is_some()))
    }

    /// Returns true if a `retry` of a clause has a `for`.
    pub(crate) fn has_timed_retry(&self) -> bool {
        let steps = self.clauses.iter().flat_map(Clause::steps);
        steps.into_iter().any(|step| matches!(step, Step::Retry(retry) if retry.within.is_some()))
    }
}

/// `--retry N|forever[,BASE..CAP]`: what it stands for.
///
/// ```
/// let text = redial_core::retry_sugar("10,100ms..5s")?;
/// assert_eq!(text, "transient if fresh: retry 10 every 100ms..5s, next");
/// # Ok::<(), redial_core::Mistake>(())
/// ```
///
/// # Errors
///
/// A [`Mistake`] with its position in `text`.
pub fn retry_sugar(text: &str) -> Result<String, Mistake> {
    let read = |text: &str| {
        let instead = "write `10`, `forever`, or with pauses `10,250ms..30s`";
        crate::clause::repetition(text, "it has to say how often", instead)
    };
    let retry = match text.split_once(',') {
        Some((times, pause)) => {
            let spelled = alloc::format!("{times} every {}", pause.trim());
            read(&spelled).map_err(|mistake| Mistake { at: 0..text.len(), ..mistake })?
        }
        None => read(text)?,
    };
    Ok(alloc::format!("transient if fresh: {}, next", Step::Retry(retry)))
}

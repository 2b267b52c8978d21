//! A policy being put together, part by part.
//!
//! What is said later replaces what was said before; servers and clauses add up. It reads no text
//! but clauses, and runs nothing. Start at [`PolicyBuilder`].

use alloc::{boxed::Box, vec::Vec};
use core::time::Duration;

use super::{
    HEALTHY_AFTER, Policy, SetLimits,
    judgement::{Judgement, recipe_of},
};
use crate::{Answer, Clause, Limits, Mistake, Recipe, Rounds, Server, Step, Verb, clause::Steps};

/// A policy being put together. What is said later replaces what was said before; servers and
/// clauses add up.
#[derive(Clone, Debug)]
pub struct PolicyBuilder {
    verb: Verb,
    servers: Vec<Server>,
    recipe: Option<Recipe>,
    answer: Option<Answer>,
    opening: Option<Box<[u8]>>,
    clauses: Vec<Clause>,
    login: bool,
    only: bool,
    rounds: Option<Rounds>,
    limits: Limits,
    /// Whether `limits.tls` and `limits.reply` were set.
    set: SetLimits,
    deadline: Option<Duration>,
    /// Whether `deadline` is the verb's default, which a target's own time replaces.
    default_deadline: bool,
    bounds_everything: bool,
    only_while_fresh: bool,
    consecutive: u32,
    healthy_after: Duration,
    otherwise: Steps,
    finally: Steps,
}

impl PolicyBuilder {
    /// Nothing said yet.
    pub(super) fn new(verb: Verb) -> Self {
        Self {
            verb,
            servers: Vec::new(),
            recipe: None,
            answer: None,
            opening: None,
            clauses: Vec::new(),
            login: false,
            only: false,
            rounds: None,
            limits: Limits::default(),
            set: SetLimits::default(),
            deadline: None,
            default_deadline: false,
            bounds_everything: false,
            only_while_fresh: false,
            consecutive: 1,
            healthy_after: HEALTHY_AFTER,
            otherwise: Steps::default(),
            finally: Steps::default(),
        }
    }

    /// Adds a server.
    #[must_use]
    pub fn server(mut self, server: Server) -> Self {
        self.servers.push(server);
        self
    }

    /// Takes these servers instead of those named so far.
    #[must_use]
    pub fn servers(mut self, servers: Vec<Server>) -> Self {
        self.servers = servers;
        self
    }

    /// Adds clauses, after those there are.
    ///
    /// # Errors
    ///
    /// A [`Mistake`] with its position in `text`.
    pub fn except(mut self, text: &str) -> Result<Self, Mistake> {
        self.clauses.extend(Clause::parse_all(text)?);
        Ok(self)
    }

    /// Adds clauses after those there are.
    pub(super) fn then(mut self, clauses: Vec<Clause>) -> Self {
        self.clauses.extend(clauses);
        self
    }

    /// Puts clauses in front of those there are.
    #[must_use]
    pub fn in_front(mut self, mut clauses: Vec<Clause>) -> Self {
        clauses.append(&mut self.clauses);
        self.clauses = clauses;
        self
    }

    /// What the first answer must look like.
    #[must_use]
    pub fn expect(mut self, answer: Answer) -> Self {
        self.answer = Some(answer);
        self
    }

    /// The recipe that servers are judged by which name none of their own (`#as=`).
    #[must_use]
    pub fn recipe(mut self, recipe: Recipe) -> Self {
        self.recipe = Some(recipe);
        self
    }

    /// Logs in at every server whose recipe can, as the option `#login` does at one. Off by default.
    #[must_use]
    pub const fn login(mut self, login: bool) -> Self {
        self.login = login;
        self
    }

    /// Returns true if the recipe of this server can log in.
    ///
    /// # Errors
    ///
    /// The server names a recipe that does not exist.
    pub fn can_log_in(&self, server: &Server) -> Result<bool, Mistake> {
        let recipe = recipe_of(self.recipe.as_ref(), server)?;
        Ok(recipe.is_some_and(|recipe| recipe.can_log_in()))
    }

    /// What is sent first on every connection. Nothing is appended.
    #[must_use]
    pub fn send(mut self, opening: impl Into<Box<[u8]>>) -> Self {
        self.opening = Some(opening.into());
        self
    }

    /// Leaves the verb's own clauses out. Off by default.
    #[must_use]
    pub const fn only(mut self, only: bool) -> Self {
        self.only = only;
        self
    }

    /// How often the list of servers is gone through. By default as the verb says.
    #[must_use]
    pub const fn rounds(mut self, rounds: Rounds) -> Self {
        self.rounds = Some(rounds);
        self
    }

    /// Changes the time limits.
    #[must_use]
    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        let before = self.limits;
        change(&mut self.limits);
        self.set.tls |= self.limits.tls != before.tls;
        self.set.reply |= self.limits.reply != before.reply;
        self
    }

    /// Sets `limits.tls`, also where it is the default: then `wait` does not follow the time left.
    #[must_use]
    pub const fn tls_limit(mut self, limit: Duration) -> Self {
        (self.limits.tls, self.set.tls) = (limit, true);
        self
    }

    /// Sets `limits.reply`, also where it is the default: then `wait` does not follow the time left.
    #[must_use]
    pub const fn reply_limit(mut self, limit: Duration) -> Self {
        (self.limits.reply, self.set.reply) = (limit, true);
        self
    }

    /// Keeps the limits of one attempt as they are, whatever time is left to it.
    #[must_use]
    pub const fn bounded_attempts(mut self) -> Self {
        self.set.bounded = true;
        self
    }

    /// Whether a deadline was set.
    #[must_use]
    pub const fn has_deadline(&self) -> bool {
        self.deadline.is_some()
    }

    /// How long the session may be without a connection. No limit by default.
    #[must_use]
    pub const fn deadline(mut self, limit: Duration) -> Self {
        (self.deadline, self.default_deadline) = (Some(limit), false);
        self
    }

    /// The deadline, unless one was set.
    #[must_use]
    pub const fn deadline_unless_set(mut self, limit: Duration) -> Self {
        if self.deadline.is_none() {
            (self.deadline, self.default_deadline) = (Some(limit), true);
        }
        self
    }

    /// Sets a shorter deadline; one that is longer replaces the default only.
    #[must_use]
    pub fn deadline_at_most(mut self, limit: Duration) -> Self {
        let set = self.deadline.filter(|_| !self.default_deadline);
        self.deadline = Some(set.map_or(limit, |deadline| deadline.min(limit)));
        self.default_deadline = false;
        self
    }

    /// The same without `else` and `finally`, which belong to the whole of several sessions.
    #[must_use]
    pub fn without_endings(self) -> Self {
        Self { otherwise: Steps::default(), finally: Steps::default(), ..self }
    }

    /// Whether there is an `else` or a `finally`.
    #[must_use]
    pub fn has_endings(&self) -> bool {
        !self.otherwise.is_empty() || !self.finally.is_empty()
    }

    /// The servers named so far.
    #[must_use]
    pub fn named(&self) -> &[Server] {
        &self.servers
    }

    /// Lets the deadline bound everything, the life of the connection too. `wait` always does.
    #[must_use]
    pub const fn deadline_bounds_everything(mut self) -> Self {
        self.bounds_everything = true;
        self
    }

    /// Once data has moved, `retry`, `next` and `drop` count as used up, whatever a clause says: for
    /// a user who cannot begin again, as one whose standard input is gone. Off by default.
    #[must_use]
    pub const fn only_while_fresh(mut self) -> Self {
        self.only_while_fresh = true;
        self
    }

    /// How often in a row the body must end well before the session does,
    /// [`CONSECUTIVE_PAUSE`](crate::CONSECUTIVE_PAUSE) apart; a failure in between begins anew. At
    /// least 1, which is the default.
    #[must_use]
    pub const fn consecutive(mut self, times: u32) -> Self {
        self.consecutive = if times == 0 { 1 } else { times };
        self
    }

    /// How long a connection must live to count as healthy. 10 s by default.
    #[must_use]
    pub const fn healthy_after(mut self, time: Duration) -> Self {
        self.healthy_after = time;
        self
    }

    /// Steps to run once after a body that ended well.
    ///
    /// # Errors
    ///
    /// A [`Mistake`]: only say, run, diagnose, exit and stop may stand there.
    pub fn otherwise(mut self, text: &str) -> Result<Self, Mistake> {
        self.otherwise = Step::parse_ending(text)?;
        Ok(self)
    }

    /// Steps to run once at the very end, within 10 s.
    ///
    /// # Errors
    ///
    /// A [`Mistake`]: only say, run, diagnose, exit and stop may stand there.
    pub fn finally(mut self, text: &str) -> Result<Self, Mistake> {
        self.finally = Step::parse_ending(text)?;
        Ok(self)
    }

    /// Whether a server was named.
    #[must_use]
    pub fn has_servers(&self) -> bool {
        !self.servers.is_empty()
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// A server names a recipe that does not exist, or one that cannot be made for it.
    pub fn build(mut self) -> Result<Policy, Mistake> {
        if self.login {
            let asked = self.servers.iter().map(|server| self.asking(server));
            self.servers = asked.collect::<Result<_, Mistake>>()?;
        }
        let mut clauses = self.clauses;
        let own = clauses.len();
        if !self.only {
            clauses.extend(self.verb.clauses()?);
        }
        let lengths = clauses
            .iter()
            .map(|clause| clause.steps().len())
            .chain([self.otherwise.len(), self.finally.len()]);
        let mut total = 0;
        let mut places = Vec::with_capacity(clauses.len() + 3);
        for length in lengths {
            places.push(total);
            total += length;
        }
        places.push(total);
        // Who says what to send or to expect has said how to judge.
        let judged = self.answer.is_none() && self.opening.is_none();
        let judgement = |server| match judged {
            true => Judgement::of(self.verb, self.recipe.as_ref(), server),
            false => Judgement::by_words(server),
        };
        let judgements = self.servers.iter().map(judgement).collect::<Result<_, Mistake>>()?;
        Ok(Policy {
            verb: self.verb,
            servers: self.servers.into_boxed_slice(),
            judgements,
            recipe: self.recipe,
            answer: self.answer,
            opening: self.opening,
            clauses: clauses.into_boxed_slice(),
            own,
            rounds: self.rounds.unwrap_or_else(|| self.verb.rounds()),
            limits: self.limits,
            set: self.set,
            deadline: self.deadline,
            // Being ready, or gone, is the whole body of a wait.
            bounds_everything: self.bounds_everything
                || matches!(self.verb, Verb::Wait | Verb::Gone),
            only_while_fresh: self.only_while_fresh,
            consecutive: self.consecutive,
            healthy_after: self.healthy_after,
            otherwise: self.otherwise,
            finally: self.finally,
            places: places.into_boxed_slice(),
        })
    }

    /// Returns the server with the option `login`, if its recipe can log in.
    fn asking(&self, server: &Server) -> Result<Server, Mistake> {
        let server = server.clone();
        Ok(if self.can_log_in(&server)? { server.asking_login() } else { server })
    }
}

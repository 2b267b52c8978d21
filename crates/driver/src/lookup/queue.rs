//! The queue of lookups: a bounded number of threads, whatever the number of names.
//!
//! A lookup has a place from its start. One that has no answer after [`OVERDUE`] gives its place to
//! the next name in the queue and keeps its thread, since getaddrinfo cannot be stopped. Names that
//! were overdue before wait in a second queue, and local names have places of their own, so that a
//! resolver that does not answer holds up only the names that it is asked for. Start at
//! [`Queue::ask`].

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    net::SocketAddr,
    panic::catch_unwind,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use redial_core::{Detail, Kind};
use tokio::sync::oneshot;

use crate::{
    cause::Cause,
    errno::{self, Moment},
};

/// Lookups that run at the same time and are not overdue.
const PLACES: usize = 64;
/// Lookups of local names that run at the same time, in addition.
const LOCAL_PLACES: usize = 16;
/// Threads for lookups that are not local, overdue ones included.
const THREADS: usize = 256;
/// Of these threads, those that names which were overdue before may use.
const SLOW_THREADS: usize = 128;
/// After this long without an answer, a lookup gives its place to the next.
const OVERDUE: Duration = Duration::from_secs(2);
/// If no lookup starts or ends for this long, the names in the queue fail.
const STUCK: Duration = Duration::from_secs(10);
/// Names remembered to have been overdue.
const REMEMBERED: usize = 4096;

pub(super) type Answer = Result<Vec<SocketAddr>, Cause>;
type Waiters = Vec<oneshot::Sender<Answer>>;

/// What a lookup is for. Lookups of the same name share one thread.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Question {
    pub(super) host: Box<str>,
    /// `AF_UNSPEC`, `AF_INET` or `AF_INET6`.
    pub(super) family: i32,
}

pub(super) struct Queue {
    resolve: fn(&Question) -> Answer,
    overdue: Duration,
    stuck: Duration,
    state: Mutex<State>,
    /// Notified when the queue is emptied, for its watch.
    emptied: Condvar,
}

struct State {
    running: BTreeMap<Question, Running>,
    waiting: BTreeMap<Question, Waiters>,
    new: VecDeque<Question>,
    slow: VecDeque<Question>,
    /// Names whose last lookup was overdue.
    were_overdue: BTreeSet<Question>,
    /// The last start or end of a lookup that is not local.
    moved: Option<Instant>,
    is_watched: bool,
}

struct Running {
    began: Instant,
    is_overdue: bool,
    is_local: bool,
    waiters: Waiters,
}

impl Queue {
    pub(super) const fn new(resolve: fn(&Question) -> Answer) -> Self {
        let state = State {
            running: BTreeMap::new(),
            waiting: BTreeMap::new(),
            new: VecDeque::new(),
            slow: VecDeque::new(),
            were_overdue: BTreeSet::new(),
            moved: None,
            is_watched: false,
        };
        Self {
            resolve,
            overdue: OVERDUE,
            stuck: STUCK,
            state: Mutex::new(state),
            emptied: Condvar::new(),
        }
    }

    /// Starts the lookup, joins the one under way for the same name, or queues it.
    ///
    /// `is_local` is called only when there is no place: it reads a file. The receiver gets an
    /// error only if the queue was dropped.
    pub(super) fn ask(
        &'static self,
        question: Question,
        is_local: impl FnOnce(&str) -> bool,
    ) -> oneshot::Receiver<Answer> {
        let (answer, receiver) = oneshot::channel();
        let mut state = self.state();
        if let Some(waiters) = state.waiters(&question) {
            waiters.retain(|waiter| !waiter.is_closed());
            waiters.push(answer);
            return receiver;
        }
        let is_slow = state.were_overdue.contains(&question);
        if state.has_place(is_slow) {
            self.start(&mut state, question, vec![answer], false);
        } else if !is_slow && state.has_local_place() && is_local(&question.host) {
            self.start(&mut state, question, vec![answer], true);
        } else {
            state.queue(question, vec![answer], is_slow);
            self.watch(&mut state);
        }
        receiver
    }

    /// Runs a lookup on a thread of its own. Without a thread, it waits for one that ends.
    fn start(
        &'static self,
        state: &mut State,
        question: Question,
        waiters: Waiters,
        is_local: bool,
    ) {
        let named = question.clone();
        let spawned = thread::Builder::new().name("lookup".into()).spawn(move || self.work(named));
        match spawned {
            Ok(_) => state.run(question, waiters, is_local),
            Err(error) if state.running.is_empty() => {
                let cause = no_thread(&error);
                waiters.into_iter().for_each(|waiter| drop(waiter.send(Err(cause.clone()))));
            }
            Err(_) => {
                state.queue(question, waiters, false);
                self.watch(state);
            }
        }
    }

    /// A thread's work: this lookup, then those in the queue for which there is a place.
    fn work(&'static self, first: Question) {
        let mut next = Some(first);
        while let Some(question) = next {
            let answer = catch_unwind(|| (self.resolve)(&question)).unwrap_or_else(|_| {
                Err(Cause::because(Kind::Other, "the resolver's thread ended early"))
            });
            let mut state = self.state();
            let ended = state.end(&question, self.overdue);
            next = state.next().map(|(question, waiters)| {
                state.run(question.clone(), waiters, false);
                question
            });
            self.start_more(&mut state);
            drop(state);
            for waiter in ended {
                // A waiter that was dropped needs no answer.
                let _ = waiter.send(answer.clone());
            }
        }
    }

    fn start_more(&'static self, state: &mut State) {
        // As many as there are: where no thread can be had, a name goes back to the queue.
        for _ in 0..state.waiting.len() {
            let Some((question, waiters)) = state.next() else { break };
            self.start(state, question, waiters, false);
        }
        if state.waiting.is_empty() {
            self.emptied.notify_all();
        }
    }

    /// Watches the queue from a thread of its own, which ends when the queue is empty.
    fn watch(&'static self, state: &mut State) {
        if state.is_watched {
            return;
        }
        // Without that thread, the queue moves when a lookup ends.
        let spawned =
            thread::Builder::new().name("lookup-queue".into()).spawn(move || self.keep_moving());
        state.is_watched = spawned.is_ok();
    }

    fn keep_moving(&'static self) {
        let mut state = self.state();
        loop {
            let now = Instant::now();
            state.mark_overdue(now, self.overdue);
            self.start_more(&mut state);
            let stuck_at = state.moved.unwrap_or(now) + self.stuck;
            if stuck_at <= now {
                state.give_up();
            }
            if state.waiting.is_empty() {
                state.is_watched = false;
                return;
            }
            let on_time = state.running.values().filter(|running| !running.is_overdue);
            let overdue_at = on_time.map(|running| running.began + self.overdue).min();
            let until = overdue_at.map_or(stuck_at, |at| at.min(stuck_at));
            state = self
                .emptied
                .wait_timeout(state, until.saturating_duration_since(now))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    // No code that holds the lock panics half-way through a change.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn waiters(&mut self, question: &Question) -> Option<&mut Waiters> {
        match self.running.get_mut(question) {
            Some(running) => Some(&mut running.waiters),
            None => self.waiting.get_mut(question),
        }
    }

    fn has_place(&self, is_slow: bool) -> bool {
        let common = self.running.values().filter(|running| !running.is_local);
        let (threads, on_time) = common.fold((0, 0), |(threads, on_time), running| {
            (threads + 1, on_time + usize::from(!running.is_overdue))
        });
        on_time < PLACES && threads < if is_slow { SLOW_THREADS } else { THREADS }
    }

    fn has_local_place(&self) -> bool {
        self.running.values().filter(|running| running.is_local).count() < LOCAL_PLACES
    }

    fn queue(&mut self, question: Question, waiters: Waiters, is_slow: bool) {
        let queue = if is_slow { &mut self.slow } else { &mut self.new };
        queue.push_back(question.clone());
        self.waiting.insert(question, waiters);
    }

    /// Takes the next name for which there is a place. A name without a waiting caller is removed.
    fn next(&mut self) -> Option<(Question, Waiters)> {
        for is_slow in [false, true] {
            while self.has_place(is_slow) {
                let queue = if is_slow { &mut self.slow } else { &mut self.new };
                let Some(question) = queue.pop_front() else { break };
                let mut waiters = self.waiting.remove(&question).unwrap_or_default();
                waiters.retain(|waiter| !waiter.is_closed());
                if !waiters.is_empty() {
                    return Some((question, waiters));
                }
            }
        }
        None
    }

    fn run(&mut self, question: Question, waiters: Waiters, is_local: bool) {
        let began = Instant::now();
        if !is_local {
            self.moved = Some(began);
        }
        self.running.insert(question, Running { began, is_overdue: false, is_local, waiters });
    }

    /// Frees the place of a lookup that ended, and returns those that wait for its answer.
    fn end(&mut self, question: &Question, overdue: Duration) -> Waiters {
        let Some(running) = self.running.remove(question) else { return Vec::new() };
        if running.began.elapsed() < overdue {
            self.were_overdue.remove(question);
        } else {
            self.remember_overdue(question.clone());
        }
        if !running.is_local {
            self.moved = Some(Instant::now());
        }
        running.waiters
    }

    fn mark_overdue(&mut self, now: Instant, overdue: Duration) {
        let mut late = Vec::new();
        for (question, running) in &mut self.running {
            if !running.is_overdue && running.began + overdue <= now {
                running.is_overdue = true;
                late.push(question.clone());
            }
        }
        late.into_iter().for_each(|question| self.remember_overdue(question));
    }

    fn remember_overdue(&mut self, question: Question) {
        if self.were_overdue.len() >= REMEMBERED {
            self.were_overdue.pop_first();
        }
        self.were_overdue.insert(question);
    }

    /// Fails every name in the queue: no lookup has an answer.
    fn give_up(&mut self) {
        let cause = unanswered(self.running.len());
        self.new.clear();
        self.slow.clear();
        for waiter in std::mem::take(&mut self.waiting).into_values().flatten() {
            let _ = waiter.send(Err(cause.clone()));
        }
    }
}

fn no_thread(error: &io::Error) -> Cause {
    let (_, errno) = errno::classify(error, Moment::Preparing);
    let detail = Some(Detail::from_text(&format!("no thread to look up the name: {error}")));
    Cause { errno, detail, ..Cause::new(Kind::Exhausted) }
}

fn unanswered(running: usize) -> Cause {
    let words = format!("the resolver does not answer: {running} lookups wait for it");
    Cause::because(Kind::DnsTemporary, &words)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names that begin with `hang` have no answer while the test runs.
    fn resolve(question: &Question) -> Answer {
        if question.host.starts_with("hang") {
            thread::park_timeout(Duration::from_secs(20));
        }
        if &*question.host == "panic" {
            panic!("on purpose");
        }
        Ok(Vec::new())
    }

    fn queue(overdue: Duration, stuck: Duration) -> &'static Queue {
        Box::leak(Box::new(Queue { overdue, stuck, ..Queue::new(resolve) }))
    }

    fn name(host: &str) -> Question {
        Question { host: host.into(), family: 0 }
    }

    fn fill(queue: &'static Queue, count: usize) -> Vec<oneshot::Receiver<Answer>> {
        let ask = |number| queue.ask(name(&format!("hang{number}")), |_| false);
        (0..count).map(ask).collect()
    }

    const NEVER: Duration = Duration::from_secs(3600);
    const SOON: Duration = Duration::from_millis(50);

    #[test]
    fn overdue_lookup_gives_its_place_to_the_next() {
        let queue = queue(SOON, NEVER);
        let _hanging = fill(queue, PLACES);
        let answered = queue.ask(name("quick"), |_| false);
        assert!(queue.state().waiting.contains_key(&name("quick")));
        assert!(answered.blocking_recv().unwrap().is_ok());
    }

    #[test]
    fn local_name_needs_no_common_place() {
        let queue = queue(NEVER, NEVER);
        let _hanging = fill(queue, PLACES + 10);
        let answered = queue.ask(name("localhost"), |host| host == "localhost");
        assert!(answered.blocking_recv().unwrap().is_ok());
    }

    #[test]
    fn hanging_names_have_bounded_threads_then_fail() {
        let queue = queue(SOON, SOON * 10);
        let mut hanging = fill(queue, THREADS + 1);
        let last = hanging.pop().unwrap().blocking_recv().unwrap().unwrap_err();
        assert_eq!(last.kind, Kind::DnsTemporary);
        let words = last.detail.unwrap();
        assert!(words.as_str().starts_with("the resolver does not answer"), "{words}");
        assert_eq!(queue.state().running.len(), THREADS);
    }

    #[test]
    fn known_hanging_names_leave_threads_for_others() {
        let queue = queue(NEVER, NEVER);
        let mut state = queue.state();
        state.were_overdue.extend((0..THREADS).map(|number| name(&format!("hang{number}"))));
        drop(state);
        let hanging = fill(queue, THREADS);
        // At most the places, since none is overdue; then all of them are.
        let mut state = queue.state();
        state.mark_overdue(Instant::now() + NEVER, NEVER);
        queue.start_more(&mut state);
        state.mark_overdue(Instant::now() + NEVER, NEVER);
        queue.start_more(&mut state);
        assert_eq!(state.running.len(), SLOW_THREADS);
        drop(state);
        let answered = queue.ask(name("quick"), |_| false);
        assert!(answered.blocking_recv().unwrap().is_ok());
        drop(hanging);
    }

    #[test]
    fn same_name_shares_one_thread() {
        let queue = queue(NEVER, NEVER);
        let _waiters: Vec<_> = (0..300).map(|_| queue.ask(name("hang"), |_| false)).collect();
        assert_eq!(queue.state().running.len(), 1);
        assert!(queue.state().waiting.is_empty());
    }

    #[test]
    fn abandoned_names_in_the_queue_are_not_asked() {
        let queue = queue(NEVER, NEVER);
        let hanging = fill(queue, PLACES + 5);
        drop(hanging);
        let mut state = queue.state();
        state.mark_overdue(Instant::now() + NEVER, NEVER);
        queue.start_more(&mut state);
        assert_eq!((state.running.len(), state.waiting.len()), (PLACES, 0));
    }

    #[test]
    fn resolver_that_panics_is_a_failure() {
        let answer = queue(NEVER, NEVER).ask(name("panic"), |_| false).blocking_recv().unwrap();
        assert_eq!(answer.unwrap_err().kind, Kind::Other);
    }
}

//! What a session costs: its size, and that an attempt allocates nothing.
//!
//! A relay holds one session for each client, so both are promises. The allocator below counts
//! what this thread asks for; tests on other threads do not disturb it.

#![allow(clippy::panic, clippy::unwrap_used)] // they are tests
#![allow(unsafe_code)] // an allocator cannot be written without

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::Arc,
    time::Duration,
};

use redial_core::*;

struct Counting;

thread_local! {
    static REQUESTS: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all memory comes from and goes back to the system's allocator, unchanged; the counters
// are plain thread-local cells that allocate nothing themselves.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        REQUESTS.set(REQUESTS.get() + 1);
        HELD.set(HELD.get().wrapping_add(layout.size()));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.set(HELD.get().wrapping_sub(layout.size()));
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn policy() -> Arc<Policy> {
    let policy = Policy::build(Verb::Stay)
        .server("db1:5432".parse().unwrap())
        .server("db2:5432".parse().unwrap())
        .except("refused, dns-temporary: retry 10 every 250ms..30s, next")
        .unwrap()
        .deadline(Duration::from_secs(100_000_000))
        .build()
        .unwrap();
    Arc::new(policy)
}

#[test]
fn a_session_of_two_servers_is_small() {
    let policy = policy();
    let before = HELD.get();
    let mut session = Session::new(policy, 1);
    session.handle(Duration::ZERO, Input::Start);
    let heap = HELD.get() - before;
    let whole = size_of::<Session>() + heap;
    println!(
        "session {} + heap {heap} = {whole} bytes; an output {}, an input {}",
        size_of::<Session>(),
        size_of::<Output>(),
        size_of::<Input>()
    );
    assert!(whole <= 768, "{} and {heap} on the heap", size_of::<Session>());
}

#[test]
fn an_attempt_allocates_nothing() {
    let mut session = Session::new(policy(), 1);
    // The driver makes the failures; a session only passes them on.
    let [refused, reset] = [(Kind::Refused, Stage::Connect), (Kind::Reset, Stage::Stream)]
        .map(|(kind, stage)| Arc::new(Failure::new(kind, stage, "db1:5432".into())));
    let mut now = Duration::ZERO;
    let (mut attempts, mut before) = (0_u32, 0);
    session.handle(now, Input::Start);
    while attempts < 10_000 {
        match session.poll() {
            Output::Attempt { id, .. } => {
                attempts += 1;
                if attempts == 10 {
                    before = REQUESTS.get();
                }
                let failure = if attempts % 3 == 0 {
                    session.handle(now, Input::Connected { id, address: None });
                    now += Duration::from_secs(u64::from(attempts % 2) * 20);
                    reset.clone()
                } else {
                    refused.clone()
                };
                session.handle(now, Input::Failed { id, failure });
            }
            Output::Wake { at, .. } => {
                now = at;
                session.handle(now, Input::Tick);
            }
            Output::Done(verdict) => panic!("it gave up: {verdict:?}"),
            _ => {}
        }
    }
    let requests = REQUESTS.get() - before;
    assert_eq!(requests, 0, "for {attempts} attempts");
}

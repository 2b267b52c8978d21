//! The calendar queue beside a binary heap: the same entries in the same order, whatever comes.

#![allow(clippy::unwrap_used)] // they are tests

use std::{cmp::Reverse, collections::BinaryHeap};

use proptest::prelude::*;
use redial_sim::Calendar;

/// Pushes a delay from the time popped last, or pops.
#[derive(Clone, Debug)]
enum Step {
    Push(u64, u64),
    Pop(u8),
}

/// Delays as they come in a rehearsal: equal ones, near ones, far ones, and very far ones.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let delay = prop_oneof![
        Just(0),
        Just(1_000_000),
        0_u64..1_000,
        0_u64..30_000_000_000,
        0_u64..u64::MAX / 2,
    ];
    let step = prop_oneof![
        5 => (delay, 0_u64..50).prop_map(|(delay, id)| Step::Push(delay, id)),
        1 => (0_u8..12).prop_map(Step::Pop),
    ];
    prop::collection::vec(step, 0..800)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn entries_come_in_the_order_of_a_heap(steps in steps()) {
        let (mut calendar, mut heap) = (Calendar::new(), BinaryHeap::new());
        let mut now = 0_u64;
        for step in steps {
            match step {
                Step::Push(delay, id) => {
                    let at = now.saturating_add(delay);
                    calendar.push(at, id);
                    heap.push(Reverse((at, id)));
                }
                Step::Pop(times) => for _ in 0..times {
                    let expected = heap.pop().map(|Reverse(entry)| entry);
                    prop_assert_eq!(calendar.pop(), expected);
                    now = expected.map_or(now, |(at, _)| at);
                }
            }
            prop_assert_eq!(calendar.len(), heap.len());
        }
        while let Some(Reverse(expected)) = heap.pop() {
            prop_assert_eq!(calendar.pop(), Some(expected));
        }
        prop_assert_eq!(calendar.pop(), None);
        prop_assert!(calendar.is_empty());
    }

    /// The hold model through years that pass and days that change their length.
    #[test]
    fn it_stays_in_order_through_many_years(seed: u64, size in 1_usize..5_000, far in 1_u64..40) {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut calendar, mut heap) = (Calendar::new(), BinaryHeap::new());
        for id in 0..size as u64 {
            let at = random.u64(0..1_u64 << far);
            calendar.push(at, id);
            heap.push(Reverse((at, id)));
        }
        for turn in 0..4 * size {
            let Some(Reverse((at, id))) = heap.pop() else { break };
            prop_assert_eq!(calendar.pop(), Some((at, id)));
            if turn < 2 * size || random.bool() {
                // Delays grow as those of a backoff do, so days that fitted stop fitting.
                let at = at + random.u64(0..1_u64 << (far + turn as u64 / size as u64 * 3));
                calendar.push(at, id);
                heap.push(Reverse((at, id)));
            }
        }
    }
}

#[test]
fn a_million_at_one_moment_are_no_trouble() {
    let mut calendar = Calendar::new();
    for id in (0..1_000_000).rev() {
        calendar.push(10_000_000_000, id);
    }
    for id in 0..1_000_000 {
        assert_eq!(calendar.pop(), Some((10_000_000_000, id)));
        calendar.push(10_000_000_001 + id, id);
    }
    assert_eq!(calendar.pop(), Some((10_000_000_001, 0)));
}

#[test]
fn what_is_pushed_late_still_comes_first() {
    let mut calendar = Calendar::new();
    calendar.push(1 << 50, 1);
    assert_eq!(calendar.pop(), Some((1 << 50, 1)));
    calendar.push(7, 2);
    calendar.push(u64::MAX, 4);
    calendar.push(3, 3);
    assert_eq!([calendar.pop(), calendar.pop()].map(Option::unwrap), [(3, 3), (7, 2)]);
    assert_eq!(calendar.pop(), Some((u64::MAX, 4)));
}

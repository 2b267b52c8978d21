//! Small lists without an allocation, so that a session is one piece of memory.
//!
//! A million sessions are rehearsed in turns, each long out of every cache when its turn comes:
//! each separate allocation is one more wait for memory. What does not fit is allocated as usual.
//! Start at [`Few`] and [`Queue`].

use alloc::{boxed::Box, collections::VecDeque, vec};
use core::ops::{Deref, DerefMut};

/// A list whose length never changes, up to N of them in place.
pub(super) enum Few<T, const N: usize> {
    Here([T; N], u8),
    There(Box<[T]>),
}

impl<T: Copy + Default, const N: usize> Few<T, N> {
    pub(super) fn new(len: usize) -> Self {
        match u8::try_from(len) {
            Ok(here) if len <= N => Self::Here([T::default(); N], here),
            _ => Self::There(vec![T::default(); len].into_boxed_slice()),
        }
    }
}

impl<T, const N: usize> Deref for Few<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Here(items, len) => items.get(..usize::from(*len)).unwrap_or_default(),
            Self::There(items) => items,
        }
    }
}

impl<T, const N: usize> DerefMut for Few<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::Here(items, len) => items.get_mut(..usize::from(*len)).unwrap_or_default(),
            Self::There(items) => items,
        }
    }
}

/// A queue whose first place is in place.
pub(super) struct Queue<T> {
    /// Nothing is in `rest` while this is empty.
    first: Option<T>,
    /// None while nothing ever was.
    #[allow(clippy::box_collection)] // 8 bytes in each of a million sessions instead of 32
    rest: Option<Box<VecDeque<T>>>,
}

impl<T> Queue<T> {
    /// One in which so many may wait without an allocation later.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        let rest = (capacity > 1).then(|| Box::new(VecDeque::with_capacity(capacity - 1)));
        Self { first: None, rest }
    }

    #[inline]
    pub(super) fn push_back(&mut self, item: T) {
        if self.first.is_none() {
            self.first = Some(item);
        } else {
            self.rest.get_or_insert_default().push_back(item);
        }
    }

    #[inline]
    pub(super) fn pop_front(&mut self) -> Option<T> {
        let first = self.first.take();
        if let Some(rest) = &mut self.rest {
            self.first = rest.pop_front();
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_as_long_as_they_were_made() {
        for len in 0..6 {
            let mut few = Few::<u32, 3>::new(len);
            assert_eq!(few.len(), len);
            few.fill(7);
            assert!(few.iter().all(|item| *item == 7));
        }
    }

    #[test]
    fn what_waits_leaves_in_the_order_it_came() {
        let mut queue = Queue::with_capacity(1);
        assert_eq!(queue.pop_front(), None);
        for round in 1..5 {
            (0..round).for_each(|item| queue.push_back(item));
            assert_eq!(queue.pop_front(), Some(0));
            queue.push_back(round);
            (1..=round).for_each(|item| assert_eq!(queue.pop_front(), Some(item)));
            assert_eq!(queue.pop_front(), None);
        }
    }
}

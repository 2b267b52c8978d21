//! Asks the processor to fetch what will be needed soon.
//!
//! A million clients do not fit into a cache, and the calendar knows who is next: without asking,
//! two thirds of a rehearsal is waiting for memory. It reads and writes nothing. Elsewhere than on
//! x86-64 it does nothing. Start at [`prefetch`].

#![allow(unsafe_code)] // the one intrinsic below

/// The bytes that are fetched together.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Fetches all of a value.
#[cfg(target_arch = "x86_64")]
pub(crate) fn prefetch<T>(value: &T) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    let start = std::ptr::from_ref(value).cast::<i8>();
    for offset in (0..size_of::<T>()).step_by(LINE) {
        // SAFETY: a prefetch is a hint: it dereferences nothing, and faults at no address; these
        // are inside the value.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.add(offset)) };
    }
}

/// Fetches all of a value: left to the processor.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn prefetch<T>(_: &T) {}

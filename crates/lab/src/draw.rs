//! What is drawn from a seed: a chance for each connection, and junk.
//!
//! Nothing is remembered between two draws: the one for number `k` depends on the seed and `k`
//! alone, so connections that overlap cannot disturb each other. Start at [`draw`].

/// Output number `k` (from 0) of SplitMix64 started with `seed`.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014;
/// the constants are those of Vigna's `splitmix64.c` (<https://prng.di.unimi.it/splitmix64.c>).
pub(crate) fn draw(seed: u64, k: u64) -> u64 {
    let mut z = seed.wrapping_add(k.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The junk of a seed from word number `word` on: each draw as eight little-endian bytes.
pub(crate) fn junk(seed: u64, word: u64, buffer: &mut [u8]) {
    for (k, piece) in (word..).zip(buffer.chunks_mut(8)) {
        piece.copy_from_slice(&draw(seed, k).to_le_bytes()[..piece.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_sequence() {
        // The first outputs for seed 1234567, as published with the algorithm by many.
        let first = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973];
        assert_eq!([0, 1].map(|k| draw(1_234_567, k)), first);
    }

    #[test]
    fn junk_is_the_same_however_it_is_cut() {
        let (mut whole, mut halves) = ([0; 50], [0; 50]);
        junk(7, 0, &mut whole);
        junk(7, 0, &mut halves[..24]);
        junk(7, 3, &mut halves[24..]);
        assert_eq!(whole, halves);
    }
}

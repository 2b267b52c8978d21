//! How much plaintext is inside how much ciphertext.
//!
//! The kernel knows which of its bytes were acknowledged; under TLS those are ciphertext. Marks
//! taken while writing answer how many of the user's bytes that certainly includes. They are
//! bounded and err on the low side only. Start at [`Marks`].

/// How many marks are kept.
const KEPT: usize = 64;

/// Pairs of (plaintext bytes, ciphertext bytes that hold all of them), both growing.
#[derive(Debug, Default)]
pub(crate) struct Marks(Vec<Mark>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    plain: u64,
    cipher: u64,
}

impl Marks {
    /// The first `plain` bytes are within the first `cipher` bytes. Both may only grow.
    ///
    /// `acknowledged` is asked when there is no room: marks that lie below what the peer has, but
    /// for the last, can never be needed again; of the others, those too close together go.
    pub(crate) fn add(&mut self, plain: u64, cipher: u64, acknowledged: impl FnOnce() -> u64) {
        // More plaintext in no more ciphertext than was thought: the better mark.
        while self.0.pop_if(|last| last.cipher >= cipher).is_some() {}
        if self.0.len() == KEPT {
            self.thin(acknowledged());
        }
        self.0.push(Mark { plain, cipher });
    }

    /// Plaintext bytes that are certainly within the first `cipher` bytes.
    pub(crate) fn within(&self, cipher: u64) -> u64 {
        let below = self.0.partition_point(|mark| mark.cipher <= cipher);
        below.checked_sub(1).map_or(0, |last| self.0[last].plain)
    }

    fn thin(&mut self, acknowledged: u64) {
        let below = self.0.partition_point(|mark| mark.cipher <= acknowledged);
        self.0.drain(..below.saturating_sub(1));
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else { return };
        let apart = (last.cipher - first.cipher) / (KEPT as u64 / 2) + 1;
        let mut next = 0;
        self.0.retain(|mark| {
            let keep = mark.cipher >= next;
            if keep {
                next = mark.cipher + apart;
            }
            keep
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plaintext_is_counted_only_when_all_of_its_ciphertext_is_there() {
        let mut marks = Marks::default();
        marks.add(100, 122, || 0);
        marks.add(200, 244, || 0);
        assert_eq!(marks.within(121), 0);
        assert_eq!(marks.within(122), 100);
        assert_eq!(marks.within(243), 100);
        assert_eq!(marks.within(u64::MAX), 200);
    }

    #[test]
    fn a_later_mark_with_less_ciphertext_corrects_the_one_before() {
        let mut marks = Marks::default();
        marks.add(100, 70_000, || 0); // a cautious guess
        marks.add(100, 122, || 0);
        assert_eq!(marks.within(122), 100);
    }

    #[test]
    fn marks_are_bounded_whatever_was_acknowledged() {
        for behind in [0, 10, 1000, u64::MAX] {
            let mut marks = Marks::default();
            for sent in 1..=100_000_u64 {
                let acknowledged = sent.saturating_sub(behind);
                marks.add(sent, sent, || acknowledged);
                assert!(marks.0.len() <= KEPT);
                let certain = marks.within(acknowledged);
                assert!(certain <= acknowledged);
                // What is lost by thinning stays small beside what is in flight.
                let lost = acknowledged - certain;
                assert!(lost <= (behind / 4).max(1), "{lost} with {behind} in flight, at {sent}");
            }
        }
    }
}

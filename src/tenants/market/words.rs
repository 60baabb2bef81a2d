//! Counter-based random words for lists of contracts: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random
//! numbers: as easy as 1, 2, 3", SC11), several calls side by side.
//!
//! A word depends on the key (seed and source), the trial, the position and what it is for, and on nothing else. It
//! passes BigCrush with neighbouring counters. One call gives four words: two for each of two neighbouring contracts.

use rand::Rng;

use crate::sampling::streams::Source;

/// Calls that are computed side by side.
pub(super) const LANES: usize = 8;
const ROUNDS: usize = 10;
const MULTIPLIERS: [u64; 2] = [0xd251_1f53, 0xcd9e_8d57];
/// The golden ratio and the square root of 3, less 1.
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const LOW: u64 = 0xffff_ffff;

/// The keys of all rounds, of a source and a seed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Key {
    of: Option<(Source, u64)>,
    rounds: [[u64; 2]; ROUNDS],
}

/// The pairs of words of a list of calls: the first and the second of call 0, of its neighbour, of call 1, …
pub(super) struct Pairs<'a> {
    pub(super) first: &'a mut [u32],
    pub(super) second: &'a mut [u32],
}

impl Key {
    /// Makes it that of a source and a seed, which it often is already.
    pub(super) fn set(&mut self, source: Source, seed: u64) {
        if self.of != Some((source, seed)) {
            // A trial number that no run reaches.
            let word = source.stream_at(seed, u64::MAX, 0).next_u64();
            *self = Self::from_words(word as u32, (word >> 32) as u32);
            self.of = Some((source, seed));
        }
    }

    fn from_words(mut first: u32, mut second: u32) -> Self {
        let rounds = std::array::from_fn(|_| {
            let key = [u64::from(first), u64::from(second)];
            first = first.wrapping_add(WEYL[0]);
            second = second.wrapping_add(WEYL[1]);
            key
        });
        Self { of: None, rounds }
    }

    /// The four words of one call.
    pub(super) fn words(&self, trial: u64, position: u32, plane: u32) -> [u32; 4] {
        let (low, high) = (trial & LOW, trial >> 32);
        self.calls::<1>([[u64::from(position)], [u64::from(plane)], [low], [high]])
            .map(|[word]| word as u32)
    }

    /// The words of calls at positions of planes, which are lists of one length, a multiple of [`LANES`]. They are
    /// those of [`Self::words`]: words 0 and 1 for the first of two neighbours, words 2 and 3 for the second.
    #[inline(always)]
    pub(super) fn fill(
        &self,
        trial: u64,
        [positions, planes]: [&[u32]; 2],
        purpose: u32,
        to: Pairs<'_>,
    ) {
        let (low, high) = ([trial & LOW; LANES], [trial >> 32; LANES]);
        let calls = positions
            .chunks_exact(LANES)
            .zip(planes.chunks_exact(LANES));
        let pairs =
            (to.first.chunks_exact_mut(2 * LANES)).zip(to.second.chunks_exact_mut(2 * LANES));
        for ((positions, planes), (first, second)) in calls.zip(pairs) {
            let (mut position, mut plane) = ([0; LANES], [0; LANES]);
            for lane in 0..LANES {
                position[lane] = u64::from(positions[lane]);
                plane[lane] = u64::from(planes[lane] | purpose);
            }
            let [a, b, c, d] = self.calls([position, plane, low, high]);
            for lane in 0..LANES {
                first[2 * lane] = a[lane] as u32;
                first[2 * lane + 1] = c[lane] as u32;
                second[2 * lane] = b[lane] as u32;
                second[2 * lane + 1] = d[lane] as u32;
            }
        }
    }

    /// Each number is 32 bits in the low half of 64, as the product of processors takes them.
    #[inline(always)]
    fn calls<const N: usize>(&self, counter: [[u64; N]; 4]) -> [[u64; N]; 4] {
        let [mut a, mut b, mut c, mut d] = counter;
        for key in &self.rounds {
            for lane in 0..N {
                let first = (a[lane] & LOW) * MULTIPLIERS[0];
                let second = (c[lane] & LOW) * MULTIPLIERS[1];
                a[lane] = (second >> 32) ^ b[lane] ^ key[0];
                b[lane] = second;
                c[lane] = (first >> 32) ^ d[lane] ^ key[1];
                d[lane] = first;
                // The upper halves of `b` and `d` reach the upper halves of `a` and `c`, which products ignore.
            }
        }
        [a, b, c, d]
    }
}

/// The odd multiple of 2^-33 that a word stands for: uniform in the open interval (0, 1).
#[inline(always)]
pub(super) fn open_unit(word: u32) -> f64 {
    (f64::from(word) + 0.5) * (1.0 / 4_294_967_296.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers of Random123 for Philox4x32-10.
    #[test]
    fn words_are_those_of_random123() {
        let key = Key::from_words;
        assert_eq!(
            key(0, 0).words(0, 0, 0),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            key(u32::MAX, u32::MAX).words(u64::MAX, u32::MAX, u32::MAX),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            key(0xa409_3822, 0x299f_31d0).words(0x0370_7344_1319_8a2e, 0x243f_6a88, 0x85a3_08d3),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn lists_have_the_words_of_single_calls() {
        let mut key = Key::default();
        key.set(Source::named("tenants"), 7);
        let positions: [u32; 16] = std::array::from_fn(|call| call as u32 / 3);
        let planes: [u32; 16] = std::array::from_fn(|call| call as u32 % 3);
        let (mut first, mut second) = ([0; 32], [0; 32]);
        let to = Pairs {
            first: &mut first,
            second: &mut second,
        };
        key.fill(1 << 40 | 5, [&positions, &planes], 3 << 24, to);
        for call in 0..16 {
            let words = key.words(1 << 40 | 5, positions[call], planes[call] | 3 << 24);
            let found = [
                first[2 * call],
                second[2 * call],
                first[2 * call + 1],
                second[2 * call + 1],
            ];
            assert_eq!(found, words);
        }
    }
}

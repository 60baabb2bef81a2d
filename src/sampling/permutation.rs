//! Pseudo-random permutations that are computed one place at a time.

/// A permutation of 0 to `len` - 1 that four key words pick among a great many.
///
/// A place is mixed by steps that each permute the numbers below the next power of two: adding a
/// key, multiplying by an odd number, and xor with its own upper bits (the building blocks
/// of Kensler, "Correlated Multi-Jittered Sampling", Pixar Technical Memo 13-01, 2013). What
/// lands at `len` or beyond is mixed again until it does not (cycle walking; Black and Rogaway, "Ciphers with
/// Arbitrary Finite Domains", CT-RSA 2002), fewer than two times on average. Twelve rounds: with four, the
/// pairs of places among 16 or 64 were visibly uneven.
#[derive(Clone, Copy, Debug)]
pub(super) struct Permutation {
    len: u64,
    mask: u64,
    shift: u32,
    keys: [u64; 4],
}

impl Permutation {
    /// The permutation of `len` places, 1 to 2^62, that `keys` pick.
    pub(super) fn new(len: u64, keys: [u64; 4]) -> Self {
        debug_assert!((1..=1 << 62).contains(&len));
        let bits = len.next_power_of_two().trailing_zeros();
        Self {
            len,
            mask: (1 << bits) - 1,
            shift: (bits / 2).max(1),
            keys,
        }
    }

    /// Where `place`, below `len`, goes.
    #[inline]
    pub(super) fn at(&self, place: u64) -> u64 {
        debug_assert!(place < self.len);
        let mut place = place;
        loop {
            for key in self.keys {
                for key in [key, key.rotate_left(21), key.rotate_left(42)] {
                    place = place.wrapping_add(key) & self.mask;
                    place ^= place >> self.shift;
                    place = place.wrapping_mul((key >> 11) | 1) & self.mask;
                    place ^= place >> self.shift;
                }
            }
            if place < self.len {
                return place;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::streams::Source;

    fn keys(trial: u64) -> [u64; 4] {
        Source::named("permutation").permutation_keys(1, trial)
    }

    #[test]
    fn every_place_is_taken_once() {
        for len in [1, 2, 3, 5, 8, 17, 100, 625, 1_024, 4_097] {
            let permutation = Permutation::new(len, keys(len));
            let mut seen = vec![false; len as usize];
            for place in 0..len {
                let to = permutation.at(place) as usize;
                assert!(!seen[to], "{to} twice among {len}");
                seen[to] = true;
            }
        }
    }

    /// Over many keys each pair of places goes to each pair of places equally often.
    #[test]
    fn pairs_of_places_are_spread_evenly() {
        for len in [7_u64, 16, 24, 64] {
            let size = len as usize;
            let draws = (50 * len * len).max(40_000);
            for (first, second) in [(0, 1), (2, 5), (0, len - 1)] {
                let mut counts = vec![0_u64; size * size];
                for trial in 0..draws {
                    let permutation = Permutation::new(len, keys(trial));
                    let to = permutation.at(first) * len + permutation.at(second);
                    counts[to as usize] += 1;
                }
                let cells = (size * (size - 1)) as f64;
                let expected = draws as f64 / cells;
                let chi_square: f64 = (0..size * size)
                    .filter(|cell| cell / size != cell % size)
                    .map(|cell| (counts[cell] as f64 - expected).powi(2) / expected)
                    .sum();
                // Its mean is cells - 1 and its variance twice that; five standard deviations.
                let limit = cells - 1.0 + 5.0 * (2.0 * (cells - 1.0)).sqrt();
                assert!(
                    chi_square < limit,
                    "{len} {first} {second}: {chi_square} of {limit}"
                );
            }
        }
    }
}

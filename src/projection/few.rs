//! The exact distribution of a number that takes few distinct values.

/// How many distinct values a [`Few`] holds: the number that the documentation of projections names.
pub(super) const MOST: usize = 256;

/// Counts of distinct finite values: an open-addressing hash table whose size
/// follows the number of distinct values. Which values it holds depends on what
/// was added alone; where they lie in the table may not, and is never shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Few {
    /// Bit patterns of values; meaningful where the count is not 0.
    keys: Vec<u64>,
    counts: Vec<u64>,
    distinct: usize,
}

impl Few {
    /// Adds `times` (at least 1) occurrences of a finite value that is not -0.
    /// False, and nothing done, if that would be more distinct values than it holds.
    #[inline]
    pub(super) fn add(&mut self, value: f64, times: u64) -> bool {
        let key = value.to_bits();
        if !self.keys.is_empty() {
            let slot = self.slot_of(key);
            if self.counts[slot] != 0 {
                self.counts[slot] += times;
                return true;
            }
        }
        self.insert(key, times)
    }

    #[cold]
    fn insert(&mut self, key: u64, times: u64) -> bool {
        if self.distinct == MOST {
            return false;
        }
        // At most half full, so that a search ends soon.
        if (self.distinct + 1) * 2 > self.keys.len() {
            self.grow();
        }
        let slot = self.slot_of(key);
        self.keys[slot] = key;
        self.counts[slot] = times;
        self.distinct += 1;
        true
    }

    fn grow(&mut self) {
        let size = (self.keys.len() * 2).max(4);
        let keys = std::mem::replace(&mut self.keys, vec![0; size]);
        let counts = std::mem::replace(&mut self.counts, vec![0; size]);
        for (key, count) in keys.into_iter().zip(counts) {
            if count != 0 {
                let slot = self.slot_of(key);
                self.keys[slot] = key;
                self.counts[slot] = count;
            }
        }
    }

    /// Where the key is or, if nowhere, would be put. The table is never full.
    #[inline]
    fn slot_of(&self, key: u64) -> usize {
        let mask = self.keys.len() - 1;
        // Multiplicative hashing (Knuth, The Art of Computer Programming, 6.4):
        // the top bits of the product depend on every bit of the key.
        let mut slot = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & mask;
        while self.counts[slot] != 0 && self.keys[slot] != key {
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// The values and their counts, in ascending order of value.
    pub(super) fn sorted(&self) -> Vec<(f64, u64)> {
        let mut values: Vec<(f64, u64)> = self.iter().collect();
        values.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        values
    }

    /// The values and their counts, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (f64, u64)> {
        (self.keys.iter().zip(&self.counts))
            .filter(|(_, count)| **count != 0)
            .map(|(key, count)| (f64::from_bits(*key), *count))
    }

    /// The memory held, in bytes, besides the struct itself.
    pub(super) fn heap_bytes(&self) -> usize {
        (self.keys.capacity() + self.counts.capacity()) * size_of::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_up_to_the_most_distinct_ones() {
        let mut few = Few::default();
        for round in 1..=3 {
            for value in 0..MOST {
                assert!(few.add(-1.5 * value as f64 + 0.0, round));
            }
        }
        assert!(!few.add(1.0, 1));
        let sorted = few.sorted();
        assert_eq!(sorted.len(), MOST);
        assert!(sorted.is_sorted());
        assert!(sorted.iter().all(|(_, count)| *count == 6));
    }
}

//! The exact distribution of a number that takes few distinct values.

/// How many distinct values a [`Few`] holds: the number that the documentation of projections names.
pub(super) const MOST: usize = 256;

/// Up to so many distinct values it is faster to compare numbers with each of them than to look each number up.
const MOST_COMPARED: usize = 8;

/// Counts of distinct finite values: an open-addressing hash table whose size
/// follows the number of distinct values. Which values it holds depends on what
/// was added alone; where they lie in the table may not, and is never shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Few {
    slots: Vec<Slot>,
    distinct: usize,
}

/// A value's bit pattern and how often it was added.
#[derive(Clone, Copy, Debug)]
struct Slot {
    key: u64,
    count: u64,
}

impl Slot {
    /// Its key is that of no finite value.
    const EMPTY: Self = Self {
        key: u64::MAX,
        count: 0,
    };
}

impl Few {
    /// Adds `times` (at least 1) occurrences of a finite value that is not -0.
    /// False, and nothing done, if that would be more distinct values than it holds.
    #[inline]
    pub(super) fn add(&mut self, value: f64, times: u64) -> bool {
        let key = value.to_bits();
        // Without slots the mask lets all through, and there is none.
        let first = Self::hash(key) & self.slots.len().wrapping_sub(1);
        match self.slots.get_mut(first) {
            Some(slot) if slot.key == key => {
                slot.count += times;
                true
            }
            _ => self.add_elsewhere(key, times),
        }
    }

    /// Adds finite numbers if all are among its values and these are few enough to be compared with; false, and
    /// nothing done, if not.
    #[inline(always)]
    pub(super) fn add_known(&mut self, numbers: &[f64]) -> bool {
        if self.distinct > MOST_COMPARED {
            return false;
        }
        // The table is half full at most, and no longer than that.
        let mut counts = [0; 2 * MOST_COMPARED];
        for (count, slot) in counts.iter_mut().zip(&self.slots) {
            if slot.count != 0 {
                let value = f64::from_bits(slot.key);
                *count = numbers.iter().map(|x| u64::from(*x == value)).sum();
            }
        }
        let all_known = counts.iter().sum::<u64>() == numbers.len() as u64;
        if all_known {
            for (count, slot) in counts.iter().zip(&mut self.slots) {
                slot.count += count;
            }
        }
        all_known
    }

    fn add_elsewhere(&mut self, key: u64, times: u64) -> bool {
        if !self.slots.is_empty() {
            let slot = self.slot_of(key);
            if self.slots[slot].key == key {
                self.slots[slot].count += times;
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
        if (self.distinct + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let slot = self.slot_of(key);
        self.slots[slot] = Slot { key, count: times };
        self.distinct += 1;
        true
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(4);
        let slots = std::mem::replace(&mut self.slots, vec![Slot::EMPTY; size]);
        for old in slots.into_iter().filter(|slot| slot.count != 0) {
            let slot = self.slot_of(old.key);
            self.slots[slot] = old;
        }
    }

    /// Multiplicative hashing (Knuth, The Art of Computer Programming, 6.4): only the top bits of the product depend on
    /// every bit of the key; the lowest are 0 for whole numbers, whose bits end early. As many are taken as the longest table needs.
    #[inline]
    fn hash(key: u64) -> usize {
        const BITS: u32 = (2 * MOST).ilog2();
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS)) as usize
    }

    /// Where the key is or, if nowhere, would be put. The table is never full.
    fn slot_of(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = Self::hash(key) & mask;
        while self.slots[slot].count != 0 && self.slots[slot].key != key {
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// Reads something of each line of the cache that values are in, but of a few only.
    #[inline]
    pub(super) fn touch(&self) -> u64 {
        let lines = self.slots.iter().step_by(64 / size_of::<Slot>()).take(16);
        lines.fold(0, |all, slot| all ^ slot.key)
    }

    /// The values and their counts, in ascending order of value.
    pub(super) fn sorted(&self) -> Vec<(f64, u64)> {
        let mut values: Vec<(f64, u64)> = self.iter().collect();
        values.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        values
    }

    /// The values and their counts, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (f64, u64)> {
        (self.slots.iter())
            .filter(|slot| slot.count != 0)
            .map(|slot| (f64::from_bits(slot.key), slot.count))
    }

    /// The memory held, in bytes, besides the struct itself.
    pub(super) fn heap_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compared_with_all_values_are_counted_as_if_looked_up() {
        let values: Vec<f64> = (0..=MOST_COMPARED).map(|value| value as f64).collect();
        for distinct in 0..=values.len() {
            let (known, new) = values.split_at(distinct);
            let mut few = Few::default();
            assert!(known.iter().all(|value| few.add(*value, 1)));
            let before = few.sorted();
            assert!(!few.add_known(&[known, &[-1.0]].concat()));
            assert!(new.is_empty() || !few.add_known(new));
            assert_eq!(few.sorted(), before);
            let numbers = [known, &known[..distinct / 2]].concat();
            assert_eq!(few.add_known(&numbers), distinct <= MOST_COMPARED);
            let mut looked_up = Few::default();
            let added = known.iter().chain(if distinct <= MOST_COMPARED {
                &numbers[..]
            } else {
                &[]
            });
            assert!(added.copied().all(|value| looked_up.add(value, 1)));
            assert_eq!(few.sorted(), looked_up.sorted());
        }
    }

    #[test]
    fn whole_numbers_and_steps_of_others_are_found_where_they_are_first_looked_for() {
        for step in [1.0, 0.1, 2.5, 21.0, 1e-3] {
            let mut few = Few::default();
            for value in 0..MOST {
                assert!(few.add(value as f64 * step, 1));
            }
            let slots = few.slots.iter().enumerate();
            let mask = few.slots.len() - 1;
            let displaced = slots
                .filter(|(_, slot)| slot.count > 0)
                .map(|(place, slot)| place.wrapping_sub(Few::hash(slot.key)) & mask);
            // With random places it would be half a step on average, the table being half full (Knuth, 6.4, linear probing).
            let steps = displaced.sum::<usize>() as f64 / MOST as f64;
            assert!(steps < 0.5, "{step}: {steps}");
        }
    }

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

//! Things to do in later months, kept in the order in which they were added.

/// For each month a list of items, which are small positions. Reused from trial to trial without allocation.
#[derive(Clone, Debug, Default)]
pub(super) struct Buckets {
    months: Vec<Vec<u32>>,
    /// Whether all lists are empty.
    is_empty: bool,
}

impl Buckets {
    pub(super) fn reset(&mut self, months: usize) {
        if !self.is_empty {
            self.months.iter_mut().for_each(Vec::clear);
        }
        self.months.resize_with(months, Vec::new);
        self.is_empty = true;
    }

    /// Puts `item` into the list of `month`; beyond the horizon it is forgotten.
    #[inline]
    pub(super) fn push(&mut self, month: usize, item: u32) {
        if let Some(list) = self.months.get_mut(month) {
            list.push(item);
            self.is_empty = false;
        }
    }

    #[inline]
    pub(super) fn of(&self, month: usize) -> &[u32] {
        &self.months[month]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_back_in_the_order_of_adding() {
        let mut buckets = Buckets::default();
        for _ in 0..2 {
            buckets.reset(3);
            for (month, item) in [(1, 4), (2, 0), (1, 2), (7, 9), (1, 3)] {
                buckets.push(month, item);
            }
            assert!(buckets.of(0).is_empty());
            assert_eq!(buckets.of(1), [4, 2, 3]);
            assert_eq!(buckets.of(2), [0]);
        }
    }
}

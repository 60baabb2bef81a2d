//! Things to do in later months, kept in the order in which they were added.

const NONE: u32 = u32::MAX;

/// For each month a first-in-first-out list of items; items are small positions counted from 0,
/// each in at most one list. Reused from trial to trial without allocation.
#[derive(Clone, Debug, Default)]
pub(super) struct Buckets {
    first: Vec<u32>,
    last: Vec<u32>,
    next: Vec<u32>,
}

impl Buckets {
    pub(super) fn reset(&mut self, months: usize) {
        self.first.clear();
        self.first.resize(months, NONE);
        self.last.clear();
        self.last.resize(months, NONE);
        self.next.clear();
    }

    /// Puts `item` into the list of `month`; beyond the horizon it is forgotten.
    pub(super) fn push(&mut self, month: usize, item: u32) {
        let Some(last) = self.last.get_mut(month) else {
            return;
        };
        let place = item as usize;
        if self.next.len() <= place {
            self.next.resize(place + 1, NONE);
        }
        self.next[place] = NONE;
        match *last {
            NONE => self.first[month] = item,
            before => self.next[before as usize] = item,
        }
        *last = item;
    }

    pub(super) fn first(&self, month: usize) -> Option<u32> {
        Some(self.first[month]).filter(|&item| item != NONE)
    }

    pub(super) fn after(&self, item: u32) -> Option<u32> {
        Some(self.next[item as usize]).filter(|&item| item != NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_back_in_the_order_of_adding() {
        let mut buckets = Buckets::default();
        buckets.reset(3);
        for (month, item) in [(1, 4), (2, 0), (1, 2), (7, 9), (1, 3)] {
            buckets.push(month, item);
        }
        let list = |month| std::iter::successors(buckets.first(month), |&item| buckets.after(item));
        assert_eq!(list(0).count(), 0);
        assert_eq!(list(1).collect::<Vec<_>>(), [4, 2, 3]);
        assert_eq!(list(2).collect::<Vec<_>>(), [0]);
    }
}

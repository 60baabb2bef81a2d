//! Things to do in later months, kept in the order in which they were added.

const NONE: u32 = u32::MAX;

/// For each month a first-in-first-out list of items; items are small positions counted from 0,
/// each in at most one list. Reused from trial to trial without allocation.
#[derive(Clone, Debug, Default)]
pub(super) struct Buckets {
    /// The first and the last item of each month.
    ends: Vec<(u32, u32)>,
    /// By item: the one behind it.
    next: Vec<u32>,
}

impl Buckets {
    pub(super) fn reset(&mut self, months: usize) {
        self.ends.clear();
        self.ends.resize(months, (NONE, NONE));
        self.next.clear();
    }

    /// Puts `item` into the list of `month`; beyond the horizon it is forgotten.
    #[inline]
    pub(super) fn push(&mut self, month: usize, item: u32) {
        let Some((first, last)) = self.ends.get_mut(month) else {
            return;
        };
        let place = item as usize;
        if place == self.next.len() {
            self.next.push(NONE);
        } else {
            if place > self.next.len() {
                self.next.resize(place + 1, NONE);
            }
            self.next[place] = NONE;
        }
        match *last {
            NONE => *first = item,
            before => self.next[before as usize] = item,
        }
        *last = item;
    }

    #[inline]
    pub(super) fn first(&self, month: usize) -> Option<u32> {
        Some(self.ends[month].0).filter(|&item| item != NONE)
    }

    #[inline]
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

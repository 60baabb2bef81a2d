//! The contracts of a segment in a trial, as columns.

use std::ops::Range;

use super::NEVER;
use super::extras::ContractExtra;
use crate::tenants::buckets::Buckets;

/// Contracts that wait for room one by one, in the order of their signing; reused from trial to trial.
///
/// The columns are as long as they were ever needed; `len` says how many contracts there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Contracts {
    len: usize,
    /// Units of power that each month of the ramp adds, and its months: together the size.
    pub(super) step: Vec<i64>,
    pub(super) ramp: Vec<u32>,
    /// The month in which it wants to move in.
    pub(super) ready: Vec<u32>,
    /// Months from moving in to the first month of absence.
    pub(super) stay: Vec<u32>,
    /// In which month what is left of it gives up waiting.
    pub(super) gives_up: Vec<u32>,
    // Only of contracts that are served one by one, from the month on in which they want to move in:
    /// Units that have not found room.
    pub(super) left: Vec<i64>,
    /// The first month of absence, once it has moved in.
    pub(super) leaves: Vec<u32>,
    /// What is kept beside, where the market keeps extras.
    pub(super) extra: Vec<ContractExtra>,
    by_month: ByMonth,
}

/// Contracts by the month in which they want to move in.
#[derive(Clone, Debug, Default)]
struct ByMonth {
    /// Of those that are known at the start: all in the order of their months, and where each month begins.
    order: Vec<u32>,
    first: Vec<u32>,
    /// Those that came later.
    late: Buckets,
    is_sorted: bool,
    /// By month: units of power of all of them.
    wanted: Vec<i64>,
}

/// Contracts to be added, in columns of one length.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewContracts<'a> {
    pub(super) step: &'a [i64],
    pub(super) ramp: &'a [u32],
    /// The month; beyond the horizon it is not added.
    pub(super) ready: &'a [u32],
    pub(super) stay: &'a [u32],
    pub(super) gives_up: &'a [u32],
}

/// A contract to be added.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewContract {
    pub(super) step: i64,
    pub(super) ramp: u32,
    pub(super) ready: u32,
    pub(super) stay: u32,
    pub(super) gives_up: u32,
}

impl Contracts {
    pub(super) fn reset(&mut self, months: usize) {
        self.len = 0;
        self.extra.clear();
        self.by_month.late.reset(months);
        self.by_month.is_sorted = false;
        super::refill(&mut self.by_month.wanted, months, 0);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Units of power of a contract.
    pub(super) fn size(&self, item: usize) -> i64 {
        self.step[item] * i64::from(self.ramp[item])
    }

    pub(super) fn has_moved_in(&self, item: usize) -> bool {
        self.leaves[item] != NEVER
    }

    /// Makes room for this many more.
    fn reserve(&mut self, more: usize) {
        let length = self.len + more;
        if self.step.len() < length {
            self.step.resize(length, 0);
            self.left.resize(length, 0);
            for column in [
                &mut self.ramp,
                &mut self.ready,
                &mut self.stay,
                &mut self.gives_up,
                &mut self.leaves,
            ] {
                column.resize(length, 0);
            }
        }
    }

    /// Adds those contracts of a list that want to move in within the horizon.
    #[inline(always)]
    pub(super) fn append(&mut self, list: NewContracts<'_>) {
        let (months, count) = (self.by_month.wanted.len(), list.ready.len());
        self.reserve(count);
        let mut len = self.len;
        for number in 0..count {
            let ready = list.ready[number];
            if ready as usize >= months {
                continue;
            }
            let (step, ramp) = (list.step[number], list.ramp[number]);
            self.step[len] = step;
            self.ramp[len] = ramp;
            self.ready[len] = ready;
            self.stay[len] = list.stay[number];
            self.gives_up[len] = list.gives_up[number];
            self.by_month.wanted[ready as usize] += step * i64::from(ramp);
            if self.by_month.is_sorted {
                self.by_month.late.push(ready as usize, len as u32);
            }
            len += 1;
        }
        self.len = len;
    }

    /// Adds a contract; its number.
    pub(super) fn push(&mut self, contract: NewContract) -> u32 {
        let item = self.len as u32;
        self.append(NewContracts {
            step: &[contract.step],
            ramp: &[contract.ramp],
            ready: &[contract.ready],
            stay: &[contract.stay],
            gives_up: &[contract.gives_up],
        });
        item
    }

    /// Gets those ready that want to move in in a month and are to be served one by one.
    pub(super) fn expect_one_by_one(&mut self, month: usize, queue: &mut Vec<u32>) {
        let known = self.by_month.known(month);
        // One by one: they are few, and a copy of memory is a call.
        queue.reserve(known.len());
        for place in known {
            let item = self.by_month.order[place];
            self.expect(item, queue);
        }
        for number in 0..self.by_month.late.of(month).len() {
            let item = self.by_month.late.of(month)[number];
            self.expect(item, queue);
        }
    }

    fn expect(&mut self, item: u32, queue: &mut Vec<u32>) {
        queue.push(item);
        self.left[item as usize] = self.size(item as usize);
        self.leaves[item as usize] = NEVER;
    }

    /// Sorts what there is by month; what is pushed from then on is kept apart.
    pub(super) fn sort(&mut self, months: usize) {
        let ByMonth {
            order,
            first,
            is_sorted,
            ..
        } = &mut self.by_month;
        let ready = &self.ready[..self.len];
        first.clear();
        first.resize(months + 1, 0);
        for &month in ready {
            first[month as usize + 1] += 1;
        }
        order.clear();
        *is_sorted = true;
        if ready.is_empty() {
            return;
        }
        for month in 0..months {
            first[month + 1] += first[month];
        }
        order.resize(self.len, 0);
        // Each month's place moves on as it is filled, and ends where the next one begins.
        for (item, &month) in (0..).zip(ready) {
            let place = &mut first[month as usize];
            order[*place as usize] = item;
            *place += 1;
        }
        first.rotate_right(1);
        first[0] = 0;
    }

    /// Units of power of those that want to move in in a month.
    pub(super) fn wanted_in(&self, month: usize) -> i64 {
        self.by_month.wanted[month]
    }

    /// Those that want to move in in a month: known at the start, and come later.
    pub(super) fn ready_in(&self, month: usize) -> [&[u32]; 2] {
        let by_month = &self.by_month;
        [
            &by_month.order[by_month.known(month)],
            by_month.late.of(month),
        ]
    }
}

impl ByMonth {
    /// Where those that are known at the start to want to move in in a month stand in the order.
    fn known(&self, month: usize) -> Range<usize> {
        self.first[month] as usize..self.first[month + 1] as usize
    }
}

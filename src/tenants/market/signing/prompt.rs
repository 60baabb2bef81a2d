//! Contracts that sign and want to move in at once: months are all that need be known of their times.

use super::{Next, Signing};
use crate::tenants::market::draft::{Draft, Origin, TOGETHER};

impl Signing<'_> {
    /// The months of the ramp of all contracts, if all that a list need say of times is in which month companies are
    /// contacted: they sign at once, want to move in at once, and nothing but their number, size and stay is asked for.
    pub(super) fn prompt_ramp(&self) -> Option<u32> {
        let segment = &self.market.segments[self.position];
        let founds = self.state.wanted.subsidiaries
            && self.state.segments[self.position]
                .rates
                .subsidiary_probability
                > 0.0;
        let is_prompt = self.origin == Origin::Outreach
            && segment.allocation.is_pooled()
            && [&segment.sign_lag, &segment.move_in_lag]
                .iter()
                .all(|lag| lag.constant() == Some(0.0))
            && !(founds || self.decides() || segment.is_in_pflops() || self.market.keeps_extras);
        segment.plain_ramp.filter(|_| is_prompt)
    }

    /// As [`Self::list_months`], without times.
    #[inline(always)]
    pub(super) fn list_months_promptly(&mut self, next: &mut Next) -> bool {
        while next.month < self.months.len() {
            let month = self.months.start + next.month;
            let count = self.draft.counts.listed[next.month];
            if next.number < count {
                next.number += (self.draft).list_run(month as u32, next.number..count);
                if self.draft.is_full() {
                    return false;
                }
            }
            (next.month, next.number) = (next.month + 1, 0);
        }
        true
    }

    /// As [`Self::pass`], for a list without times.
    #[inline(always)]
    pub(super) fn pass_promptly(&mut self, ramp: u32) {
        if self.draft.len == 0 {
            return;
        }
        self.draft.pad();
        let segment = &self.market.segments[self.position];
        self.draw_size(segment);
        self.draw_term(segment);
        self.measure(segment);
        self.set_stay(segment);
        self.enter_promptly(ramp);
        self.draft.runs.clear();
        self.draft.len = 0;
    }

    /// Enters the contracts of each month together: their signatures, the beginning of their ramps, and their ends.
    #[inline(always)]
    fn enter_promptly(&mut self, ramp: u32) {
        let ramp = i64::from(ramp);
        let months = self.market.months;
        let flow = &mut self.state.flow[self.market.months_of(self.position)..][..=months];
        let slot = self.market.demand_slot(self.position);
        let endings = &mut self.state.capacity.endings[self.market.months_of(slot)..][..=months];
        let Draft {
            len,
            runs,
            step,
            steps_before,
            stay,
            month,
            leaves,
            leaving,
            ..
        } = &mut *self.draft;
        // Of a month, however short, two of these need be read.
        let mut sum = 0;
        for (&step, before) in step[..*len].iter().zip(&mut steps_before[1..]) {
            sum += step;
            *before = sum;
        }
        for run in &*runs {
            let numbers = run.numbers();
            let steps = steps_before[numbers.end] - steps_before[numbers.start];
            let flow = &mut flow[run.month as usize];
            flow.signing += numbers.len() as u32;
            flow.signing_units += steps * ramp;
            flow.arrival.number += numbers.len() as u64;
            flow.arrival.step += steps;
            flow.arrival.amount += steps * ramp;
        }
        let stays = stay[..*len].iter().zip(&month[..*len]);
        for (leaves, (&stay, &month)) in leaves[..*len].iter_mut().zip(stays) {
            *leaves = month + stay;
        }
        // Who never leaves is passed over without a branch, which no processor would foresee.
        let mut count = 0;
        for (number, &month) in leaves[..*len].iter().enumerate() {
            leaving[count] = number as u32;
            count += usize::from(month < months as u32);
        }
        for &number in &leaving[..count] {
            let number = number as usize % TOGETHER;
            let ending = &mut endings[leaves[number] as usize];
            ending.leased += step[number] * ramp;
            ending.departures += 1;
        }
    }
}

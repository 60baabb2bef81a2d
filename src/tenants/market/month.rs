//! How a month begins for a segment: who is contacted, whose lease ends, who signs, and what is wanted from now on.

use super::Market;
use super::compiled::CompiledSegment;
use super::state::{Capacity, Counts, FlowMonth, MarketState, SegmentState};

impl Market {
    /// Begins month `month` for all segments.
    pub(super) fn begin_month(&self, state: &mut MarketState, month: usize) {
        self.fill_budgets(state, month);
        for (position, segment) in self.segments.iter().enumerate() {
            if !state.segments[position].is_foreseen {
                self.contact(state, position, month..month + 1);
            }
            let flow = state.flow[self.months_of(position) + month];
            let of_segment = &mut state.segments[position];
            let counts = &mut state.counts[position];
            let capacity = &mut state.capacity;
            self.end_leases(position, of_segment, counts, capacity, month);
            counts.contacted += u64::from(flow.contacted);
            counts.signed += u64::from(flow.signing);
            counts.subsidiaries += u64::from(flow.establishing);
            counts.declined += u64::from(flow.declining);
            of_segment.pending += flow.signing_units;
            if segment.allocation.is_pooled() {
                of_segment.pending -= flow.arrival.amount;
                counts.in_service += flow.arrival.number;
                self.begin_ramps(position, segment, capacity, &flow, month);
            } else {
                let wanted = of_segment.contracts.wanted_in(month);
                of_segment.waiting += wanted;
                of_segment.pending -= wanted;
                self.let_go(of_segment, month);
            }
        }
    }

    /// Advances the ramps of a segment by a month and lets those go whose time is over.
    fn end_leases(
        &self,
        position: usize,
        of_segment: &mut SegmentState,
        counts: &mut Counts,
        capacity: &mut Capacity,
        month: usize,
    ) {
        of_segment.ended = 0;
        for &pool in &self.segments[position].leases_in {
            let slot = self.slot(position, pool);
            let ending = &capacity.endings[self.months_of(slot) + month];
            let rate = &mut capacity.rate[slot];
            *rate -= ending.rate;
            capacity.level[slot] += *rate - (ending.leased - ending.unused);
            if ending.leased == 0 {
                continue;
            }
            of_segment.ended += ending.leased;
            if pool < self.pools {
                capacity.leased[pool] -= ending.leased;
            }
            counts.in_service -= u64::from(ending.departures);
            counts.left += u64::from(ending.departures);
            counts.left_early += u64::from(ending.early_departures);
        }
    }

    /// Pooled contracts begin their ramps in the month in which they want to.
    fn begin_ramps(
        &self,
        position: usize,
        segment: &CompiledSegment,
        capacity: &mut Capacity,
        flow: &FlowMonth,
        month: usize,
    ) {
        let slot = self.demand_slot(position);
        capacity.level[slot] += flow.arrival.step;
        capacity.rate[slot] += flow.arrival.step;
        if let Some(ramp) = segment.plain_ramp {
            let end = (month + ramp as usize).min(self.months);
            capacity.endings[self.months_of(slot) + end].rate += flow.arrival.step;
        }
    }

    /// Contracts whose stay is over before all of them has found room wait no longer.
    fn let_go(&self, of_segment: &mut SegmentState, month: usize) {
        for &item in of_segment.queue.leaving.of(month) {
            let left = std::mem::take(&mut of_segment.contracts.left[item as usize]);
            of_segment.waiting -= left;
            if self.keeps_extras {
                of_segment.contracts.extra[item as usize].give_up(month, left);
            }
        }
    }
}

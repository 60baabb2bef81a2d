//! How contracts come to their room and leave it: queues, leases, ramps.

use super::state::{Lease, MarketState};
use super::{Market, NEVER, units};
use crate::tenants::Allocation;

impl Market {
    pub(super) fn advance_ramps(&self, state: &mut MarketState, month: usize) {
        let slots = state.rate.len();
        let ends = &state.ramp_ends[month * slots..(month + 1) * slots];
        for ((level, rate), end) in state.level.iter_mut().zip(&mut state.rate).zip(ends) {
            *rate -= end;
            *level += *rate;
        }
    }

    pub(super) fn leave(&self, state: &mut MarketState, month: usize) {
        let slots = state.rate.len();
        let mut next = state.leaving.first(month);
        while let Some(item) = next {
            next = state.leaving.after(item);
            let lease = &state.leases[item as usize];
            let slot = lease.slot as usize;
            let ramp_end = lease.month as usize + lease.ramp as usize;
            // The ramp has already been advanced to this month.
            let steps = (month + 1 - lease.month as usize).min(lease.ramp as usize);
            state.level[slot] -= lease.step * steps as i64;
            if month < ramp_end {
                state.rate[slot] -= lease.step;
                if ramp_end < self.months {
                    state.ramp_ends[ramp_end * slots + slot] += -lease.step;
                }
            }
            let pool = slot % (self.pools + 1);
            if pool < self.pools {
                state.leased[pool] -= lease.amount;
            }
            if lease.first {
                let contract = &mut state.contracts[lease.contract as usize];
                let segment = contract.segment as usize;
                state.counts[segment].in_service -= 1;
                state.counts[segment].left += 1;
                state.waiting[segment] -= contract.left;
                if self.keeps_extras {
                    state.extra[lease.contract as usize].give_up(month, contract.left);
                }
                contract.left = 0;
            }
        }
    }

    pub(super) fn make_ready(&self, state: &mut MarketState, month: usize) {
        let mut next = state.ready.first(month);
        while let Some(item) = next {
            next = state.ready.after(item);
            let contract = &state.contracts[item as usize];
            let (segment, size) = (contract.segment as usize, contract.size);
            state.waiting[segment] += size;
            state.pending[segment] -= size;
            if self.segments[segment].allocation.is_pooled() {
                self.lease(state, item, month, self.demand_slot(segment), size);
            } else {
                state.queues[segment].contracts.push(item);
            }
        }
    }

    /// Gives room to waiting contracts, by priority, then in the order of becoming ready.
    pub(super) fn place(&self, state: &mut MarketState, month: usize, room_kw: &[f64]) {
        for rank in &self.ranks {
            for &segment in rank {
                state.blocked[segment] = false;
            }
            while let Some((segment, item)) = self.next_in_turn(state, rank) {
                self.place_contract(state, segment, item, month, room_kw);
                if state.contracts[item as usize].left > 0 {
                    state.blocked[segment] = true;
                } else {
                    state.queues[segment].front += 1;
                }
            }
        }
    }

    /// Of the segments that are not blocked, the one whose first contract was ready first.
    fn next_in_turn(&self, state: &mut MarketState, rank: &[usize]) -> Option<(usize, u32)> {
        let mut best: Option<(u32, usize, u32)> = None;
        for &segment in rank {
            if state.blocked[segment] {
                continue;
            }
            let queue = &mut state.queues[segment];
            while let Some(&item) = queue.contracts.get(queue.front) {
                if state.contracts[item as usize].left > 0 {
                    break;
                }
                queue.front += 1;
            }
            if let Some(&item) = queue.contracts.get(queue.front) {
                let ready = state.contracts[item as usize].ready;
                if best.is_none_or(|(earliest, ..)| ready < earliest) {
                    best = Some((ready, segment, item));
                }
            }
        }
        best.map(|(_, segment, item)| (segment, item))
    }

    fn place_contract(
        &self,
        state: &mut MarketState,
        segment: usize,
        item: u32,
        month: usize,
        room_kw: &[f64],
    ) {
        let whole = self.segments[segment].allocation == Allocation::FirstComeWhole;
        let stays_home = match &self.segments[segment].extras {
            Some(extras) => {
                month < state.contracts[item as usize].ready as usize + extras.spill_over
            }
            None => false,
        };
        let home = self.segments[segment].home;
        for &pool in &self.segments[segment].pools {
            if stays_home && self.campus_of(pool) != home {
                continue;
            }
            let left = state.contracts[item as usize].left;
            let free = (units(room_kw[pool]) - state.leased[pool]).max(0);
            let taken = left.min(free);
            if taken == 0 || (whole && taken < left) {
                continue;
            }
            state.leased[pool] += taken;
            self.lease(state, item, month, self.slot(segment, pool), taken);
            if taken == left {
                return;
            }
        }
    }

    fn lease(&self, state: &mut MarketState, item: u32, month: usize, slot: usize, amount: i64) {
        let contract = &mut state.contracts[item as usize];
        let first = !contract.has_moved_in();
        let segment = contract.segment as usize;
        if first {
            contract.leaves = (month as u32).saturating_add(contract.stay);
            if self.keeps_extras {
                let fixed = state.extra[item as usize].leaves;
                contract.leaves = contract.leaves.min(fixed);
            }
            state.counts[segment].in_service += 1;
        }
        contract.left -= amount;
        state.waiting[segment] -= amount;
        let step = amount / i64::from(contract.ramp);
        let lease = Lease {
            amount,
            step,
            month: month as u32,
            ramp: contract.ramp,
            contract: item,
            slot: slot as u32,
            first,
        };
        state.level[slot] += step;
        state.rate[slot] += step;
        let ramp_end = month + lease.ramp as usize;
        if ramp_end < self.months {
            state.ramp_ends[ramp_end * state.rate.len() + slot] += step;
        }
        if contract.leaves != NEVER {
            state
                .leaving
                .push(contract.leaves as usize, state.leases.len() as u32);
        }
        state.leases.push(lease);
        if first && self.keeps_extras {
            self.promise_expansion(state, item, month);
        }
    }

    pub(super) fn give_up(&self, state: &mut MarketState, month: usize) {
        let mut next = state.expiring.first(month);
        while let Some(item) = next {
            next = state.expiring.after(item);
            let contract = &mut state.contracts[item as usize];
            let segment = contract.segment as usize;
            if !contract.has_moved_in() {
                state.counts[segment].lost += 1;
            }
            state.waiting[segment] -= contract.left;
            if self.keeps_extras {
                state.extra[item as usize].give_up(month, contract.left);
            }
            // A lost contract must not look as if it had moved in.
            contract.size -= contract.left;
            contract.left = 0;
        }
    }

    /// Finds what is in service in each slot; pooled demand takes what the others left, in the
    /// order of the segments.
    pub(super) fn serve(&self, state: &mut MarketState, room_kw: &[f64]) {
        state.served.copy_from_slice(&state.level);
        for (segment, compiled) in self.segments.iter().enumerate() {
            if !compiled.allocation.is_pooled() {
                continue;
            }
            for pool in 0..self.pools {
                let slot = self.slot(segment, pool);
                state.leased[pool] -= state.level[slot];
            }
            let mut demand = state.level[self.demand_slot(segment)];
            for &pool in &compiled.pools {
                let free = (units(room_kw[pool]) - state.leased[pool]).max(0);
                let taken = demand.min(free);
                let slot = self.slot(segment, pool);
                state.served[slot] = taken;
                state.level[slot] = taken;
                state.leased[pool] += taken;
                demand -= taken;
            }
            state.waiting[segment] = demand;
            state.served[self.demand_slot(segment)] = 0;
        }
    }
}

//! How contracts come to their room and leave it: queues, leases, ramps.

use super::extras::ContractExtra;
use super::state::{Contract, Counts, Ending, Lease, MarketState};
use super::{Market, NEVER, units};
use crate::tenants::Allocation;
use crate::tenants::buckets::Buckets;

/// What new leases of a segment in a pool change in the state of the market, at hand for many of them in a row.
struct Letting<'a> {
    market: &'a Market,
    month: usize,
    slot: usize,
    is_pooled: bool,
    contracts: &'a mut Vec<Contract>,
    counts: &'a mut Counts,
    waiting: &'a mut i64,
    waits: &'a mut [u32],
    level: &'a mut i64,
    rate: &'a mut i64,
    /// What these are to be changed by at the end.
    sums: Sums,
    endings: &'a mut [Ending],
    leaving: &'a mut Buckets,
    // Where the market keeps extras.
    extra: &'a mut Vec<ContractExtra>,
    leases: &'a mut Vec<Lease>,
    ready: &'a mut Buckets,
    signing: &'a mut [u32],
    signing_units: &'a mut [i64],
}

/// What leases change together.
#[derive(Clone, Copy, Default)]
struct Sums {
    amount: i64,
    step: i64,
    moved_in: u64,
    waited_months: u64,
}

impl<'a> Letting<'a> {
    fn of(
        market: &'a Market,
        state: &'a mut MarketState,
        segment: usize,
        pool: usize,
        month: usize,
    ) -> Self {
        let slot = market.slot(segment, pool);
        let months = segment * market.months..(segment + 1) * market.months;
        Self {
            market,
            month,
            slot,
            is_pooled: market.segments[segment].allocation.is_pooled(),
            contracts: &mut state.contracts,
            counts: &mut state.counts[segment],
            waiting: &mut state.waiting[segment],
            waits: &mut state.waits,
            level: &mut state.level[slot],
            rate: &mut state.rate[slot],
            sums: Sums::default(),
            endings: &mut state.endings[slot * market.months..(slot + 1) * market.months],
            leaving: &mut state.leaving,
            extra: &mut state.extra,
            leases: &mut state.leases,
            ready: &mut state.ready[segment],
            signing: &mut state.signing[months.clone()],
            signing_units: &mut state.signing_units[months],
        }
    }

    /// Leases a part of a contract. All that the lease will ever change is noted at
    /// once, by the month in which it does, so that nobody has to come back to it.
    #[inline(always)]
    fn lease(&mut self, item: u32, amount: i64) {
        let month = self.month;
        let contract = &mut self.contracts[item as usize];
        let first = !contract.has_moved_in();
        contract.left -= amount;
        self.sums.amount += amount;
        let mut exits_early = false;
        if first {
            contract.leaves = (month as u32).saturating_add(contract.stay);
            if self.market.keeps_extras {
                let extra = &self.extra[item as usize];
                contract.leaves = contract.leaves.min(extra.leaves);
                exits_early = extra.exits_early;
            }
            self.sums.moved_in += 1;
            if !self.is_pooled {
                let waited = month - contract.ready as usize;
                self.sums.waited_months += waited as u64;
                if let Some(count) = self.waits.get_mut(waited) {
                    *count += 1;
                }
            }
        }
        let (leaves, ramp) = (contract.leaves as usize, contract.ramp as usize);
        debug_assert!(leaves > month, "it leaves before it comes");
        let step = amount / i64::from(contract.ramp);
        self.sums.step += step;
        if let Some(ending) = self.endings.get_mut(leaves) {
            ending.level += step * (leaves - month).min(ramp) as i64;
            ending.leased += amount;
            if first {
                ending.departures += 1;
                ending.early_departures += u32::from(exits_early);
                if contract.left > 0 {
                    self.leaving.push(leaves, item);
                }
            }
        }
        if let Some(ending) = self.endings.get_mut((month + ramp).min(leaves)) {
            ending.rate += step;
        }
        if self.market.keeps_extras {
            self.leases.push(Lease {
                amount,
                step,
                month: month as u32,
                ramp: ramp as u32,
                contract: item,
                slot: self.slot as u32,
            });
            if first {
                self.promise_expansion(item);
            }
        }
    }

    /// Enters what all leases come to; the units that they take.
    fn close(self) -> i64 {
        let Sums {
            amount,
            step,
            moved_in,
            waited_months,
        } = self.sums;
        *self.waiting -= amount;
        *self.level += step;
        *self.rate += step;
        self.counts.in_service += moved_in;
        if !self.is_pooled {
            self.counts.moved_in += moved_in;
            self.counts.waited_months += waited_months;
        }
        amount
    }

    /// When a contract with an option to expand moves in, its expansion is due some time later.
    fn promise_expansion(&mut self, item: u32) {
        let extra = self.extra[item as usize];
        if extra.expands_by <= 0 {
            return;
        }
        let contract = &self.contracts[item as usize];
        let ready = self.month + extra.expands_after as usize;
        if ready >= self.market.months || ready >= contract.leaves as usize {
            return;
        }
        let expansion = Contract {
            size: extra.expands_by,
            left: extra.expands_by,
            ready: ready as u32,
            stay: NEVER,
            leaves: NEVER,
            gives_up: (ready as u32)
                .saturating_add(extra.patience)
                .min(contract.leaves.saturating_sub(1)),
            ..contract.clone()
        };
        let leaves = contract.leaves;
        self.signing[ready] += 1;
        self.signing_units[ready] += expansion.size;
        self.ready.push(ready, self.contracts.len() as u32);
        self.contracts.push(expansion);
        self.extra
            .push(ContractExtra::expansion_of(&extra, ready, leaves));
    }
}

impl Market {
    /// Advances all ramps by a month and lets those go whose time is over.
    pub(super) fn advance(&self, state: &mut MarketState, month: usize) {
        state.ended.fill(0);
        let endings = state.endings.iter().skip(month).step_by(self.months);
        let levels = state.level.iter_mut().zip(&mut state.rate);
        for (slot, ((level, rate), ending)) in levels.zip(endings).enumerate() {
            *rate -= ending.rate;
            *level += *rate - ending.level;
            if ending.leased != 0 {
                let (segment, pool) = (slot / (self.pools + 1), slot % (self.pools + 1));
                state.ended[segment] += ending.leased;
                if pool < self.pools {
                    state.leased[pool] -= ending.leased;
                }
                let counts = &mut state.counts[segment];
                counts.in_service -= u64::from(ending.departures);
                counts.left += u64::from(ending.departures);
                counts.left_early += u64::from(ending.early_departures);
            }
        }
        for &item in state.leaving.of(month) {
            let contract = &mut state.contracts[item as usize];
            state.waiting[contract.segment as usize] -= contract.left;
            if self.keeps_extras {
                state.extra[item as usize].give_up(month, contract.left);
            }
            contract.left = 0;
        }
    }

    pub(super) fn make_ready(&self, state: &mut MarketState, month: usize) {
        for (position, segment) in self.segments.iter().enumerate() {
            let ready = state.ready[position].of(month);
            let contracts = &state.contracts;
            let sum: i64 = ready
                .iter()
                .map(|&item| contracts[item as usize].size)
                .sum();
            state.waiting[position] += sum;
            state.pending[position] -= sum;
            let queue = &mut state.queues[position];
            queue.fresh = queue.contracts.len();
            queue.contracts.extend_from_slice(ready);
            if segment.allocation.is_pooled() {
                self.move_in(state, position, NEVER, month, self.pools, i64::MAX);
            }
        }
    }

    /// Gives room to waiting contracts, by priority, then in the order of becoming ready. Whom it
    /// could not serve wholly waits on.
    pub(super) fn place(&self, state: &mut MarketState, month: usize, room_kw: &[f64]) {
        state.room.clear();
        state.room.extend(room_kw.iter().map(|&kw| units(kw)));
        for rank in &self.ranks {
            for &segment in rank {
                state.queues[segment].is_blocked = false;
            }
            while let Some((segment, last)) = self.next_in_turn(state, rank) {
                self.place_first(state, segment, last, month);
            }
        }
        for queue in &mut state.queues {
            for &item in &queue.contracts[queue.front.max(queue.fresh)..] {
                let gives_up = state.contracts[item as usize].gives_up;
                if gives_up != NEVER {
                    state.expiring.push(gives_up as usize, item);
                }
            }
        }
    }

    /// Of the segments that are not blocked, the one whose first contract was ready first; and the
    /// last month up to which those behind it were ready before all others, too.
    fn next_in_turn(&self, state: &mut MarketState, rank: &[usize]) -> Option<(usize, u32)> {
        let mut best: Option<(u32, usize)> = None;
        let mut last = NEVER;
        for &segment in rank {
            let queue = &mut state.queues[segment];
            if queue.is_blocked {
                continue;
            }
            while let Some(&item) = queue.contracts.get(queue.front) {
                let contract = &state.contracts[item as usize];
                if contract.left == 0 {
                    // It gave up, or left before all of it had found room.
                    queue.front += 1;
                    continue;
                }
                let ready = contract.ready;
                match best {
                    None => best = Some((ready, segment)),
                    // Of equal ones the first in the order of the segments comes first.
                    Some((earliest, _)) if ready < earliest => {
                        last = earliest - 1;
                        best = Some((ready, segment));
                    }
                    Some(_) => last = last.min(ready),
                }
                break;
            }
        }
        best.map(|(_, segment)| (segment, last))
    }

    /// Places the contracts of a segment, the first first, that were ready up to month `last`,
    /// until one does not find all of its room.
    fn place_first(&self, state: &mut MarketState, segment: usize, last: u32, month: usize) {
        let compiled = &self.segments[segment];
        let free = |state: &MarketState, pool: usize| state.room[pool] - state.leased[pool];
        let spills_over = (compiled.extras.as_ref()).is_some_and(|extras| extras.spill_over > 0);
        loop {
            // As long as they fit into the first pool that has room they need no search.
            let pool = (compiled.pools.iter().copied()).find(|&pool| free(state, pool) > 0);
            if let Some(pool) = pool
                && (!spills_over || self.campus_of(pool) == compiled.home)
            {
                let free = free(state, pool);
                state.leased[pool] += self.move_in(state, segment, last, month, pool, free);
            }
            let queue = &state.queues[segment];
            let Some(&item) = queue.contracts.get(queue.front) else {
                return;
            };
            let contract = &state.contracts[item as usize];
            if contract.ready > last {
                return;
            }
            let (ready, left) = (contract.ready as usize, contract.left);
            if self.place_contract(state, segment, item, ready, left, month) > 0 {
                state.queues[segment].is_blocked = true;
                return;
            }
            state.queues[segment].front += 1;
        }
    }

    /// Lets the first contracts of a segment that were ready up to month `last` move into a pool, as long as each
    /// fits wholly into what is left of its `free` units; what they take.
    fn move_in(
        &self,
        state: &mut MarketState,
        segment: usize,
        last: u32,
        month: usize,
        pool: usize,
        free: i64,
    ) -> i64 {
        let mut queue = std::mem::take(&mut state.queues[segment]);
        let mut letting = Letting::of(self, state, segment, pool, month);
        let waiting = &queue.contracts[queue.front..];
        let mut passed = 0;
        for &item in waiting {
            let contract = &letting.contracts[item as usize];
            let left = contract.left;
            if contract.ready > last || left > free - letting.sums.amount {
                break;
            }
            passed += 1;
            // Nothing is left of one that gave up.
            if left > 0 {
                letting.lease(item, left);
            }
        }
        let taken = letting.close();
        queue.front += passed;
        state.queues[segment] = queue;
        taken
    }

    /// Finds room for what is `left` of a contract, and returns what is left then.
    fn place_contract(
        &self,
        state: &mut MarketState,
        segment: usize,
        item: u32,
        ready: usize,
        mut left: i64,
        month: usize,
    ) -> i64 {
        let compiled = &self.segments[segment];
        let whole = compiled.allocation == Allocation::FirstComeWhole;
        let stays_home =
            (compiled.extras.as_ref()).is_some_and(|extras| month < ready + extras.spill_over);
        for &pool in &compiled.pools {
            if left == 0 {
                break;
            }
            if stays_home && self.campus_of(pool) != compiled.home {
                continue;
            }
            let free = (state.room[pool] - state.leased[pool]).max(0);
            let taken = left.min(free);
            if taken == 0 || (whole && taken < left) {
                continue;
            }
            state.leased[pool] += taken;
            let mut letting = Letting::of(self, state, segment, pool, month);
            letting.lease(item, taken);
            letting.close();
            left -= taken;
        }
        left
    }

    pub(super) fn give_up(&self, state: &mut MarketState, month: usize) {
        for &item in state.expiring.of(month) {
            let contract = &mut state.contracts[item as usize];
            let segment = contract.segment as usize;
            if !contract.has_moved_in() {
                state.counts[segment].lost += 1;
                let compiled = &self.segments[segment];
                let needed = match compiled.allocation {
                    Allocation::FirstComeWhole => contract.left,
                    _ => 1,
                };
                if !(compiled.pools.iter()).any(|&pool| state.room[pool] >= needed) {
                    state.counts[segment].lost_without_room += 1;
                }
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
    pub(super) fn serve(&self, state: &mut MarketState) {
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
                let free = (state.room[pool] - state.leased[pool]).max(0);
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

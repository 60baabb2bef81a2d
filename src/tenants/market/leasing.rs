//! How contracts come to their room and leave it: queues, leases, ramps.
//!
//! Where nobody waits and all who want to move in in a month fit into a pool together, they lease it in one pass over
//! their columns. Only in a shortage are the contracts of a segment served one by one, until its queue is empty.

use super::contracts::{Contracts, NewContract};
use super::extras::ContractExtra;
use super::state::{Counts, Ending, FlowMonth, Lease, MarketState};
use super::{FOREVER, Market, NEVER, units};
use crate::tenants::Allocation;
use crate::tenants::buckets::Buckets;

/// What leases of a segment in a pool change in the state of the market (borrowed once for many leases).
struct Leasing<'a> {
    market: &'a Market,
    month: usize,
    segment: usize,
    pool: usize,
    contracts: &'a mut Contracts,
    leaving: &'a mut Buckets,
    counts: &'a mut Counts,
    waiting: &'a mut i64,
    waits: &'a mut [u32],
    level: &'a mut i64,
    rate: &'a mut i64,
    endings: &'a mut [Ending],
    flow: &'a mut [FlowMonth],
    leases: &'a mut Vec<Lease>,
    sums: Sums,
}

/// What leases change together.
#[derive(Clone, Copy, Default)]
struct Sums {
    amount: i64,
    step: i64,
    moved_in: u64,
    waited_months: u64,
}

impl<'a> Leasing<'a> {
    fn of(
        market: &'a Market,
        state: &'a mut MarketState,
        segment: usize,
        pool: usize,
        month: usize,
    ) -> Self {
        let slot = market.slot(segment, pool);
        let of_segment = &mut state.segments[segment];
        Self {
            market,
            month,
            segment,
            pool,
            contracts: &mut of_segment.contracts,
            leaving: &mut of_segment.queue.leaving,
            counts: &mut state.counts[segment],
            waiting: &mut of_segment.waiting,
            waits: &mut state.waits,
            level: &mut state.capacity.level[slot],
            rate: &mut state.capacity.rate[slot],
            endings: &mut state.capacity.endings[market.months_of(slot)..][..=market.months],
            flow: &mut state.flow,
            leases: &mut state.leases,
            sums: Sums::default(),
        }
    }

    /// Leases all of a contract or a part. What the lease will ever change is noted at once, by the month in which it
    /// does, so that nobody has to come back to it.
    fn lease(&mut self, item: u32, amount: i64) {
        let (number, month) = (item as usize, self.month);
        let is_first = !self.contracts.has_moved_in(number);
        self.contracts.left[number] -= amount;
        let mut exits_early = false;
        if is_first {
            let mut leaves = month as u32 + self.contracts.stay[number];
            if self.market.keeps_extras {
                let extra = &self.contracts.extra[number];
                leaves = leaves.min(extra.leaves);
                exits_early = extra.exits_early;
            }
            self.contracts.leaves[number] = leaves;
            let waited = month - self.contracts.ready[number] as usize;
            self.sums.moved_in += 1;
            self.sums.waited_months += waited as u64;
            if let Some(count) = self.waits.get_mut(waited) {
                *count += 1;
            }
        }
        let ramp = self.contracts.ramp[number];
        let leaves = self.contracts.leaves[number] as usize;
        debug_assert!(leaves > month, "it leaves before it comes");
        // Mostly it is all of it, and a division takes longer than all else.
        let step = if amount == self.contracts.size(number) {
            self.contracts.step[number]
        } else {
            amount / i64::from(ramp)
        };
        self.sums.amount += amount;
        self.sums.step += step;
        let end = leaves.min(self.market.months);
        let ending = &mut self.endings[end];
        ending.leased += amount;
        ending.unused += amount - step * i64::from(ramp.min((leaves - month) as u32));
        if is_first {
            ending.departures += 1;
            ending.early_departures += u32::from(exits_early);
            if self.contracts.left[number] > 0 {
                self.leaving.push(leaves, item);
            }
        }
        self.endings[(month + ramp as usize).min(end)].rate += step;
        if self.market.keeps_extras {
            self.leases.push(Lease {
                amount,
                step,
                month: month as u32,
                ramp,
                segment: self.segment as u32,
                contract: item,
                pool: self.pool as u32,
            });
            if is_first {
                self.promise_expansion(number);
            }
        }
    }

    /// Leases all of contracts that want to move in this month, of which no more is kept and whose ramps have `ramp`
    /// months and end before they leave.
    fn lease_plainly(&mut self, ramp: u32) {
        let (month, months) = (self.month, self.market.months);
        let mut sum = 0;
        for items in self.contracts.ready_in(month) {
            for &item in items {
                let step = self.contracts.step[item as usize];
                let stay = self.contracts.stay[item as usize] as usize;
                let ending = &mut self.endings[(month + stay).min(months)];
                ending.leased += step * i64::from(ramp);
                ending.departures += 1;
                sum += step;
            }
            self.sums.moved_in += items.len() as u64;
        }
        self.endings[(month + ramp as usize).min(months)].rate += sum;
        self.sums.step += sum;
        self.sums.amount += sum * i64::from(ramp);
        if let Some(count) = self.waits.first_mut() {
            *count += self.sums.moved_in as u32;
        }
    }

    /// Enters what all leases come to; the units that they take.
    fn close(self) -> i64 {
        *self.waiting -= self.sums.amount;
        *self.level += self.sums.step;
        *self.rate += self.sums.step;
        self.counts.in_service += self.sums.moved_in;
        self.counts.moved_in += self.sums.moved_in;
        self.counts.waited_months += self.sums.waited_months;
        self.sums.amount
    }

    /// When a contract with an option to expand moves in, its expansion is due some time later.
    fn promise_expansion(&mut self, number: usize) {
        let extra = self.contracts.extra[number];
        if extra.expands_by <= 0 {
            return;
        }
        let (ramp, leaves) = (self.contracts.ramp[number], self.contracts.leaves[number]);
        let ready = self.month + extra.expands_after as usize;
        if ready >= self.market.months || ready >= leaves as usize {
            return;
        }
        let gives_up = (ready as u32).saturating_add(extra.patience);
        let item = self.contracts.push(NewContract {
            step: (extra.expands_by / i64::from(ramp)).max(1),
            ramp,
            ready: ready as u32,
            stay: FOREVER,
            gives_up: gives_up.min(leaves.saturating_sub(1)),
        });
        let expansion = ContractExtra::expansion_of(&extra, ready, leaves);
        self.contracts.extra.push(expansion);
        let flow = &mut self.flow[self.market.months_of(self.segment) + ready];
        flow.signing += 1;
        flow.signing_units += self.contracts.size(item as usize);
    }
}

impl Market {
    /// Gives room to waiting contracts, by priority, then in the order of becoming ready. Whom it
    /// could not serve wholly waits on.
    pub(super) fn place(&self, state: &mut MarketState, month: usize, room_kw: &[f64]) {
        for (room, &kw) in state.capacity.room.iter_mut().zip(room_kw) {
            *room = units(kw);
        }
        for rank in &self.ranks {
            let mut is_short = !rank
                .iter()
                .all(|&segment| state.segments[segment].queue.is_empty());
            for &segment in rank {
                // Those of a rank that come behind one that is short wait behind it.
                if is_short || !self.lease_all(state, segment, month) {
                    is_short = true;
                    state.segments[segment].enqueue(month);
                }
            }
            if is_short {
                self.place_one_by_one(state, rank, month);
            }
        }
    }

    /// Lets all contracts of a segment that want to move in this month do so, if nobody waits before them and they fit
    /// into the pool to which they go first.
    fn lease_all(&self, state: &mut MarketState, segment: usize, month: usize) -> bool {
        let contracts = &state.segments[segment].contracts;
        let wanted = contracts.wanted_in(month);
        if wanted == 0 {
            return true;
        }
        let compiled = &self.segments[segment];
        let free = |pool: usize| state.capacity.room[pool] - state.capacity.leased[pool];
        let Some(pool) = compiled.pools.iter().copied().find(|&pool| free(pool) > 0) else {
            return false;
        };
        let stays_home = compiled
            .extras
            .as_ref()
            .is_some_and(|extras| extras.spill_over > 0);
        if wanted > free(pool) || (stays_home && self.campus_of(pool) != compiled.home) {
            return false;
        }
        // Existing contracts have no ramp.
        let is_plain = !self.keeps_extras && (month > 0 || compiled.existing.contract == 0);
        match compiled.plain_ramp.filter(|_| is_plain) {
            Some(ramp) => {
                let mut leasing = Leasing::of(self, state, segment, pool, month);
                leasing.lease_plainly(ramp);
                let taken = leasing.close();
                state.capacity.leased[pool] += taken;
            }
            None => {
                state.segments[segment].enqueue(month);
                self.move_in(state, segment, NEVER, month, pool);
            }
        }
        true
    }

    /// Serves the queues of a rank contract by contract, the first to be ready first.
    fn place_one_by_one(&self, state: &mut MarketState, rank: &[usize], month: usize) {
        for &segment in rank {
            state.segments[segment].queue.is_blocked = false;
        }
        while let Some((segment, last)) = self.next_in_turn(state, rank) {
            self.place_first(state, segment, last, month);
        }
        for &segment in rank {
            let of_segment = &mut state.segments[segment];
            let queue = &mut of_segment.queue;
            for &item in &queue.contracts[queue.front.max(queue.fresh)..] {
                let gives_up = of_segment.contracts.gives_up[item as usize];
                if gives_up != NEVER {
                    queue.expiring.push(gives_up as usize, item);
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
            let of_segment = &mut state.segments[segment];
            if of_segment.queue.is_blocked {
                continue;
            }
            let Some(first) = of_segment.first_in_queue() else {
                continue;
            };
            let ready = of_segment.contracts.ready[first as usize];
            match best {
                None => best = Some((ready, segment)),
                // Of equal ones the first in the order of the segments comes first.
                Some((earliest, _)) if ready < earliest => {
                    last = earliest - 1;
                    best = Some((ready, segment));
                }
                Some(_) => last = last.min(ready),
            }
        }
        best.map(|(_, segment)| (segment, last))
    }

    /// Places the contracts of a segment, the first first, that were ready up to month `last`,
    /// until one does not find all of its room.
    fn place_first(&self, state: &mut MarketState, segment: usize, last: u32, month: usize) {
        let compiled = &self.segments[segment];
        let free = |state: &MarketState, pool: usize| {
            state.capacity.room[pool] - state.capacity.leased[pool]
        };
        let spills_over = (compiled.extras.as_ref()).is_some_and(|extras| extras.spill_over > 0);
        loop {
            // As long as they fit into the first pool that has room they need no search.
            let pool = (compiled.pools.iter().copied()).find(|&pool| free(state, pool) > 0);
            if let Some(pool) = pool
                && (!spills_over || self.campus_of(pool) == compiled.home)
            {
                self.move_in(state, segment, last, month, pool);
            }
            let of_segment = &state.segments[segment];
            let Some(&item) = of_segment.queue.contracts.get(of_segment.queue.front) else {
                return;
            };
            if of_segment.contracts.ready[item as usize] > last {
                return;
            }
            if self.place_contract(state, segment, item, month) > 0 {
                state.segments[segment].queue.is_blocked = true;
                return;
            }
            state.segments[segment].queue.front += 1;
        }
    }

    /// Lets the first contracts of a segment that were ready up to month `last` move into a pool, as long as each
    /// fits wholly into what is left of it.
    fn move_in(
        &self,
        state: &mut MarketState,
        segment: usize,
        last: u32,
        month: usize,
        pool: usize,
    ) {
        let free = state.capacity.room[pool] - state.capacity.leased[pool];
        let mut queue = std::mem::take(&mut state.segments[segment].queue.contracts);
        let front = state.segments[segment].queue.front;
        let mut leasing = Leasing::of(self, state, segment, pool, month);
        let mut passed = 0;
        for &item in &queue[front..] {
            let left = leasing.contracts.left[item as usize];
            let ready = leasing.contracts.ready[item as usize];
            if ready > last || left > free - leasing.sums.amount {
                break;
            }
            passed += 1;
            // Nothing is left of one that gave up.
            if left > 0 {
                leasing.lease(item, left);
            }
        }
        let taken = leasing.close();
        state.capacity.leased[pool] += taken;
        let of_segment = &mut state.segments[segment].queue;
        std::mem::swap(&mut of_segment.contracts, &mut queue);
        of_segment.front += passed;
    }

    /// Finds room for what is left of a contract, and returns what is left then.
    fn place_contract(
        &self,
        state: &mut MarketState,
        segment: usize,
        item: u32,
        month: usize,
    ) -> i64 {
        let compiled = &self.segments[segment];
        let contracts = &state.segments[segment].contracts;
        let ready = contracts.ready[item as usize] as usize;
        let mut left = contracts.left[item as usize];
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
            let free = (state.capacity.room[pool] - state.capacity.leased[pool]).max(0);
            let taken = left.min(free);
            if taken == 0 || (whole && taken < left) {
                continue;
            }
            let mut leasing = Leasing::of(self, state, segment, pool, month);
            leasing.lease(item, taken);
            leasing.close();
            state.capacity.leased[pool] += taken;
            left -= taken;
        }
        left
    }

    /// Lets those go whose patience is at its end.
    pub(super) fn give_up(&self, state: &mut MarketState, month: usize) {
        let room = &state.capacity.room;
        for &position in &self.queued {
            let of_segment = &mut state.segments[position];
            let contracts = &mut of_segment.contracts;
            for &item in of_segment.queue.expiring.of(month) {
                let number = item as usize;
                let left = std::mem::take(&mut contracts.left[number]);
                if !contracts.has_moved_in(number) {
                    let compiled = &self.segments[position];
                    let needed = match compiled.allocation {
                        Allocation::FirstComeWhole => left,
                        _ => 1,
                    };
                    let counts = &mut state.counts[position];
                    counts.lost += 1;
                    if !compiled.pools.iter().any(|&pool| room[pool] >= needed) {
                        counts.lost_without_room += 1;
                    }
                }
                of_segment.waiting -= left;
                if self.keeps_extras {
                    contracts.extra[number].give_up(month, left);
                }
            }
        }
    }

    /// Pooled demand takes what the others left, in the order of the segments.
    pub(super) fn serve(&self, state: &mut MarketState) {
        let capacity = &mut state.capacity;
        for &segment in &self.pooled {
            let compiled = &self.segments[segment];
            for &pool in &compiled.pools {
                capacity.leased[pool] -= capacity.level[self.slot(segment, pool)];
            }
            let mut demand = capacity.level[self.demand_slot(segment)];
            for &pool in &compiled.pools {
                let free = (capacity.room[pool] - capacity.leased[pool]).max(0);
                let taken = demand.min(free);
                let slot = self.slot(segment, pool);
                capacity.level[slot] = taken;
                capacity.leased[pool] += taken;
                demand -= taken;
            }
            state.segments[segment].waiting = demand;
        }
    }
}

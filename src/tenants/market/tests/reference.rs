//! A plain market: every contract is looked at in every month. Slow, and as near to the words of the documentation as
//! it can be. It takes from the market only what was drawn: sizes, times of readiness, stays, patience and terms.

use super::super::{Market, MarketState, NEVER, units};
use crate::tenants::Allocation;

/// A contract, and what has become of it.
struct Contract {
    segment: usize,
    item: usize,
    ready: usize,
    size: i64,
    step: i64,
    ramp: usize,
    stay: usize,
    /// An expansion ends with the contract that it expands, in this month.
    ends: usize,
    gives_up: usize,
    /// Pool, month and amount of its leases.
    leases: Vec<(usize, usize, i64)>,
    leaves: Option<usize>,
    is_over: bool,
}

/// What a segment has come to.
#[derive(Default)]
pub(super) struct OfSegment {
    pub(super) in_service: u64,
    pub(super) left: u64,
    pub(super) lost: u64,
    pub(super) waited_months: u64,
    pub(super) waiting: i64,
    /// By pool.
    pub(super) served: Vec<i64>,
}

pub(super) struct Reference {
    pub(super) segments: Vec<OfSegment>,
    contracts: Vec<Contract>,
    /// By segment: how many contracts have been taken over.
    known: Vec<usize>,
    leased: Vec<i64>,
    /// What pooled segments were served by pool at the end of the last month: they keep it against the others.
    pooled: Vec<i64>,
}

impl Contract {
    fn left(&self) -> i64 {
        let leased: i64 = self.leases.iter().map(|lease| lease.2).sum();
        self.size - leased
    }

    /// Units in service at the end of a month in a pool.
    fn served(&self, pool: usize, month: usize) -> i64 {
        if self.leaves.is_some_and(|leaves| leaves <= month) {
            return 0;
        }
        let of_pool = self.leases.iter().filter(|lease| lease.0 == pool);
        of_pool
            .map(|&(_, from, amount)| {
                let step = amount / self.ramp as i64;
                step * (month + 1 - from).min(self.ramp) as i64
            })
            .sum()
    }
}

impl Reference {
    pub(super) fn of(market: &Market) -> Self {
        let of_segment = |_: &_| OfSegment {
            served: vec![0; market.pools],
            ..OfSegment::default()
        };
        Self {
            segments: market.segments.iter().map(of_segment).collect(),
            contracts: Vec::new(),
            known: vec![0; market.segments.len()],
            leased: vec![0; market.pools],
            pooled: vec![0; market.pools],
        }
    }

    /// What is leased by pool, with what pooled segments are served there.
    pub(super) fn leased(&self) -> Vec<i64> {
        let pools = self.leased.iter().zip(&self.pooled);
        pools.map(|(leased, pooled)| leased + pooled).collect()
    }

    /// Takes over contracts that have been drawn since.
    fn learn(&mut self, market: &Market, state: &MarketState) {
        for segment in 0..market.segments.len() {
            let contracts = &state.segments[segment].contracts;
            for item in self.known[segment]..contracts.len() {
                self.contracts.push(Contract {
                    segment,
                    item,
                    ready: contracts.ready[item] as usize,
                    size: contracts.size(item),
                    step: contracts.step[item],
                    ramp: contracts.ramp[item] as usize,
                    stay: contracts.stay[item] as usize,
                    ends: contracts.extra[item].leaves as usize,
                    gives_up: match contracts.gives_up[item] {
                        NEVER => usize::MAX,
                        month => month as usize,
                    },
                    leases: Vec::new(),
                    leaves: None,
                    is_over: false,
                });
            }
            self.known[segment] = contracts.len();
        }
    }

    pub(super) fn pass_month(
        &mut self,
        market: &Market,
        state: &MarketState,
        month: usize,
        room_kw: &[f64],
    ) {
        self.learn(market, state);
        let room: Vec<i64> = room_kw.iter().map(|&kw| units(kw)).collect();
        for contract in &mut self.contracts {
            if contract.leaves == Some(month) {
                contract.is_over = true;
                for &(pool, _, amount) in &contract.leases {
                    self.leased[pool] -= amount;
                }
            }
        }
        for rank in &market.ranks {
            self.serve_rank(market, rank, month, &room);
        }
        for contract in &mut self.contracts {
            if contract.ready <= month && contract.gives_up == month && contract.left() > 0 {
                if contract.leases.is_empty() {
                    self.segments[contract.segment].lost += 1;
                }
                contract.is_over |= contract.leases.is_empty();
                // What is left is no longer wanted.
                contract.size -= contract.left();
            }
        }
        self.sum_up(market, month);
        self.pooled.fill(0);
        let pooled = (market.segments.iter().enumerate())
            .filter(|(_, segment)| segment.allocation.is_pooled())
            .map(|(position, _)| position);
        for position in pooled {
            // Their contracts are not kept: they are counted in sums alone.
            let counts = &state.counts[position];
            self.segments[position].in_service = counts.in_service;
            self.segments[position].left = counts.left;
            for (pool, pooled) in self.pooled.iter_mut().enumerate() {
                *pooled += state.capacity.level[market.slot(position, pool)];
            }
        }
    }

    /// One queue for all segments of a rank: by the month of readiness, then by segment, then in the order of signing.
    /// Who is not served wholly blocks those of its segment behind it.
    fn serve_rank(&mut self, market: &Market, rank: &[usize], month: usize, room: &[i64]) {
        let mut waiting: Vec<usize> = (0..self.contracts.len())
            .filter(|&number| {
                let contract = &self.contracts[number];
                rank.contains(&contract.segment)
                    && contract.ready <= month
                    && !contract.is_over
                    && contract.left() > 0
            })
            .collect();
        waiting.sort_by_key(|&number| {
            let contract = &self.contracts[number];
            (contract.ready, contract.segment, contract.item)
        });
        let mut blocked = vec![false; market.segments.len()];
        for number in waiting {
            let contract = &mut self.contracts[number];
            let segment = &market.segments[contract.segment];
            if blocked[contract.segment] {
                continue;
            }
            let spill_over = segment
                .extras
                .as_ref()
                .map_or(0, |extras| extras.spill_over);
            for &pool in &segment.pools {
                let is_home = market.campus_of(pool) == segment.home;
                if month < contract.ready + spill_over && !is_home {
                    continue;
                }
                let free = (room[pool] - self.leased[pool] - self.pooled[pool]).max(0);
                let left = contract.left();
                let taken = match segment.allocation {
                    Allocation::FirstComeWhole if free < left => 0,
                    _ => left.min(free),
                };
                if taken == 0 {
                    continue;
                }
                if contract.leases.is_empty() {
                    contract.leaves = Some((month + contract.stay).min(contract.ends));
                    self.segments[contract.segment].waited_months +=
                        (month - contract.ready) as u64;
                }
                contract.leases.push((pool, month, taken));
                self.leased[pool] += taken;
            }
            blocked[contract.segment] = contract.left() > 0;
        }
    }

    fn sum_up(&mut self, market: &Market, month: usize) {
        for (position, of_segment) in self.segments.iter_mut().enumerate() {
            let contracts: Vec<&Contract> = (self.contracts.iter())
                .filter(|contract| contract.segment == position && contract.ready <= month)
                .collect();
            let moved_in = contracts
                .iter()
                .filter(|contract| !contract.leases.is_empty());
            of_segment.left = moved_in.clone().filter(|contract| contract.is_over).count() as u64;
            of_segment.in_service = moved_in.count() as u64 - of_segment.left;
            let wanted = contracts.iter().filter(|contract| !contract.is_over);
            of_segment.waiting = wanted.map(|contract| contract.left()).sum();
            for pool in 0..market.pools {
                let served = contracts
                    .iter()
                    .map(|contract| contract.served(pool, month));
                of_segment.served[pool] = served.sum();
                debug_assert!(
                    contracts
                        .iter()
                        .all(|one| one.step * one.ramp as i64 >= one.size)
                );
            }
        }
    }
}

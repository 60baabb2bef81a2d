//! The market of a trial: contracts, leases and queues, and where it starts from.

use super::cohort::CohortState;
use super::contracts::Contracts;
use super::draft::Draft;
use super::extras::TermRates;
use super::funnel::FunnelState;
use super::words::Key;
use super::{Market, refill};
use crate::compute::DrawnGeneration;
use crate::tenants::buckets::Buckets;

/// A part of a contract in one pool.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub(super) amount: i64,
    /// What each month of the ramp adds.
    pub(super) step: i64,
    pub(super) month: u32,
    pub(super) ramp: u32,
    pub(super) segment: u32,
    pub(super) contract: u32,
    pub(super) pool: u32,
}

/// Contracts that wait for their room, the first to be ready first.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    pub(super) contracts: Vec<u32>,
    pub(super) front: usize,
    /// The first that was put in this month.
    pub(super) fresh: usize,
    /// Whether there is no room for the first this month.
    pub(super) is_blocked: bool,
    /// Contracts by the month in which they lose patience.
    pub(super) expiring: Buckets,
    /// Contracts that leave before all of them has found room, by the month in which they do.
    pub(super) leaving: Buckets,
}

impl Queue {
    fn reset(&mut self, months: usize) {
        self.contracts.clear();
        (self.front, self.fresh, self.is_blocked) = (0, 0, false);
        self.expiring.reset(months);
        self.leaving.reset(months);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.front == self.contracts.len()
    }
}

/// What the leases of a slot that end in a month take with them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Ending {
    /// What is leased less, as tenants leave; and what of that was never in service.
    pub(super) leased: i64,
    pub(super) unused: i64,
    /// What the rate loses, as ramps end.
    pub(super) rate: i64,
    /// How many contracts leave that first moved in here, and how many of these before the end of their term.
    pub(super) departures: u32,
    pub(super) early_departures: u32,
}

/// Contracts of pooled demand that begin their ramp in a month.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Arrival {
    pub(super) amount: i64,
    pub(super) step: i64,
    pub(super) number: u64,
}

/// Which numbers of companies anybody asks for. What the others need is not drawn, which leaves all else as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WantedCounts {
    /// Companies contacted, or declined.
    pub(crate) contacts: bool,
    pub(crate) subsidiaries: bool,
}

impl Default for WantedCounts {
    fn default() -> Self {
        Self {
            contacts: true,
            subsidiaries: true,
        }
    }
}

/// The market of one trial; reused from trial to trial.
#[derive(Clone, Debug, Default)]
pub(crate) struct MarketState {
    pub(super) seed: u64,
    pub(super) trial: u64,
    pub(crate) wanted: WantedCounts,
    pub(super) segments: Vec<SegmentState>,
    /// By segment.
    pub(super) counts: Vec<Counts>,
    /// By segment and month, with one place behind for what lies beyond the horizon.
    pub(super) flow: Vec<FlowMonth>,
    pub(super) capacity: Capacity,
    /// Where they are kept.
    pub(super) leases: Vec<Lease>,
    /// By whole months of waiting: contracts that have moved in, where that is reported.
    pub(super) waits: Vec<u32>,
    pub(super) funnel: FunnelState,
    /// By segment and month: kW of a PFLOPS.
    pub(super) kw_per_pflops: Vec<f64>,
    pub(super) cohorts: CohortState,
    /// Contracts that are being signed; taken out while they are.
    pub(super) draft: Option<Box<Draft>>,
    /// Of a segment in PFLOPS: the generations from which its power follows, in the order of release.
    pub(super) generations: Vec<DrawnGeneration>,
}

/// What a trial keeps of a segment.
#[derive(Clone, Debug, Default)]
pub(super) struct SegmentState {
    pub(super) rates: Rates,
    pub(super) terms: Option<TermRates>,
    /// By month of contact: what the probability of signing is multiplied by.
    pub(super) sign_factors: Vec<f64>,
    /// Of what is drawn for each contract, and of the counts of a month.
    pub(super) contract_key: Key,
    pub(super) count_key: Key,
    pub(super) contracts: Contracts,
    pub(super) queue: Queue,
    /// Units that wait for room; signed, but not wanted yet; and of the leases that end this month.
    pub(super) waiting: i64,
    pub(super) pending: i64,
    pub(super) ended: i64,
    /// Whether all who sign are known from the start.
    pub(super) is_foreseen: bool,
    /// Contracts of programs, as far as they have been signed.
    pub(super) of_programs: u32,
}

impl SegmentState {
    /// Puts those that want to move in in a month behind those that wait.
    pub(super) fn enqueue(&mut self, month: usize) {
        self.queue.fresh = self.queue.contracts.len();
        (self.contracts).expect_one_by_one(month, &mut self.queue.contracts);
    }

    /// The first contract that waits for room; those that gave up, or left before all of them had found room, are passed.
    pub(super) fn first_in_queue(&mut self) -> Option<u32> {
        let queue = &mut self.queue;
        while let Some(&item) = queue.contracts.get(queue.front) {
            if self.contracts.left[item as usize] > 0 {
                return Some(item);
            }
            queue.front += 1;
        }
        None
    }
}

/// What companies of a segment do in a month, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct FlowMonth {
    pub(super) contacted: u32,
    pub(super) declining: u32,
    pub(super) signing: u32,
    pub(super) establishing: u32,
    /// Units that are signed.
    pub(super) signing_units: i64,
    pub(super) arrival: Arrival,
}

/// What is leased and in service. A slot is a segment and a pool; pooled segments have one more for all their demand.
#[derive(Clone, Debug, Default)]
pub(super) struct Capacity {
    /// By pool: the deployable capacity of the month, and what of it is leased.
    pub(super) room: Vec<i64>,
    pub(super) leased: Vec<i64>,
    /// By slot: what is in service and by how much it grows a month; in the place behind all pools, what pooled demand
    /// would have in service but for a lack of room.
    pub(super) level: Vec<i64>,
    pub(super) rate: Vec<i64>,
    /// By slot and month, with one place behind for what lies beyond the horizon.
    pub(super) endings: Vec<Ending>,
}

/// What is drawn once a trial for a segment.
#[derive(Clone, Debug, Default)]
pub(super) struct Rates {
    pub(super) outreach: f64,
    pub(super) outreach_growth: f64,
    pub(super) sign_probability: f64,
    pub(super) subsidiary_probability: f64,
    pub(super) ln_stay: f64,
    pub(super) draw_share: f64,
    pub(super) utilisation: f64,
}

/// How many, up to now or now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) contacted: u64,
    pub(crate) signed: u64,
    pub(crate) subsidiaries: u64,
    /// Contracts that have moved in and not left.
    pub(crate) in_service: u64,
    /// Contracts that gave up waiting before they moved in.
    pub(crate) lost: u64,
    /// Contracts that have moved in and left.
    pub(crate) left: u64,
    /// Of these, contracts that left before the end of their term.
    pub(crate) left_early: u64,
    /// Companies that have decided against signing.
    pub(crate) declined: u64,
    /// Of the contracts lost, those for which no campus that they accept had room enough for
    /// anybody.
    pub(crate) lost_without_room: u64,
    /// Contracts that have moved in, and the months that they waited together.
    pub(crate) moved_in: u64,
    pub(crate) waited_months: u64,
}

/// What tenants use of a pool in a month, in kW: what is in service, what of it they draw, and what does useful work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolUse {
    pub(crate) in_service_kw: f64,
    pub(crate) drawn_kw: f64,
    pub(crate) useful_kw: f64,
}

/// What the market did in a month, by segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentMonth<'a> {
    pub(crate) counts: &'a Counts,
    pub(crate) waiting_kw: f64,
    /// Signed, but not wanted yet.
    pub(crate) pending_kw: f64,
    /// Of the leases that ended in the month.
    pub(crate) ended_kw: f64,
}

impl Market {
    /// Slots are segment x (pools + 1): the last is the total demand of a pooled segment.
    pub(super) fn slot(&self, segment: usize, pool: usize) -> usize {
        segment * (self.pools + 1) + pool
    }

    pub(super) fn demand_slot(&self, segment: usize) -> usize {
        self.slot(segment, self.pools)
    }

    /// Where the months of a slot begin among the endings, or of a segment in the flow.
    pub(super) fn months_of(&self, slot_or_segment: usize) -> usize {
        slot_or_segment * (self.months + 1)
    }

    pub(crate) fn reset(&self, state: &mut MarketState, seed: u64, trial: u64, drawn: &[f64]) {
        let (segments, slots) = (self.segments.len(), self.slot(self.segments.len(), 0));
        (state.seed, state.trial) = (seed, trial);
        state.leases.clear();
        if self.first_outcome.is_some() {
            refill(&mut state.waits, self.months, 0);
        }
        refill(
            &mut state.flow,
            self.months_of(segments),
            FlowMonth::default(),
        );
        state
            .capacity
            .reset(self.pools, slots, self.months_of(slots));
        refill(&mut state.counts, segments, Counts::default());
        state.segments.resize_with(segments, SegmentState::default);
        for (segment, of_trial) in self.segments.iter().zip(&mut state.segments) {
            of_trial.contract_key.set(segment.contracts, seed);
            of_trial.count_key.set(segment.signing, seed);
            of_trial.contracts.reset(self.months);
            of_trial.queue.reset(self.months);
            (of_trial.waiting, of_trial.pending, of_trial.ended) = (0, 0, 0);
            of_trial.of_programs = 0;
            of_trial.rates = segment.rates(drawn);
            refill(&mut of_trial.sign_factors, self.months, 1.0);
            of_trial.terms = self
                .keeps_extras
                .then(|| segment.term_rates(drawn))
                .flatten();
        }
        self.reset_extras(state, drawn);
        for (position, segment) in self.segments.iter().enumerate() {
            let existing = &segment.existing;
            state.counts[position] = Counts {
                contacted: u64::from(existing.contacted),
                signed: u64::from(existing.signed),
                subsidiaries: u64::from(existing.subsidiaries),
                ..Counts::default()
            };
            self.add_existing(state, position);
            self.expect_named(state, position, drawn);
            let is_foreseen = self.foresees(position);
            state.segments[position].is_foreseen = is_foreseen;
            if is_foreseen {
                self.contact(state, position, 0..self.months);
            }
            state.segments[position].contracts.sort(self.months);
        }
    }
}

impl Capacity {
    fn reset(&mut self, pools: usize, slots: usize, endings: usize) {
        refill(&mut self.room, pools, 0);
        refill(&mut self.leased, pools, 0);
        for list in [&mut self.level, &mut self.rate] {
            refill(list, slots, 0);
        }
        refill(&mut self.endings, endings, Ending::default());
    }
}

//! The market of a trial: contracts, leases and queues, and where it starts from.

use super::buckets::Buckets;
use super::cohort;
use super::extras::{ContractExtra, TermsLuck};
use super::funnel::{FunnelLuck, RegimeMood, VoucherPurse};
use super::luck::Luck;
use super::signing::Lists;
use super::{Market, refill};
use crate::compute::DrawnGeneration;

#[derive(Clone, Debug)]
pub(super) struct Contract {
    pub(super) size: i64,
    /// What has not found room yet.
    pub(super) left: i64,
    pub(super) segment: u32,
    pub(super) ready: u32,
    /// Months from moving in to the first month of absence.
    pub(super) stay: u32,
    pub(super) ramp: u32,
    /// The first month of absence, once it has moved in.
    pub(super) leaves: u32,
    /// In which month what is left of it gives up waiting.
    pub(super) gives_up: u32,
}

impl Contract {
    pub(super) fn has_moved_in(&self) -> bool {
        self.left < self.size
    }
}

/// A part of a contract in one pool.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub(super) amount: i64,
    /// What each month of the ramp adds.
    pub(super) step: i64,
    pub(super) month: u32,
    pub(super) ramp: u32,
    pub(super) contract: u32,
    pub(super) slot: u32,
}

/// Contracts that wait for their room, the first to be ready first.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    pub(super) contracts: Vec<u32>,
    pub(super) front: usize,
    /// The first that was made ready this month.
    pub(super) fresh: usize,
    /// Whether there is no room for the first this month.
    pub(super) is_blocked: bool,
}

/// What the leases of a slot that end in a month take with them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Ending {
    /// What the rate loses, as ramps end.
    pub(super) rate: i64,
    /// What is in service less, as tenants leave.
    pub(super) level: i64,
    /// What is leased less.
    pub(super) leased: i64,
    /// How many contracts leave that first moved in here, and how many of these before the end of their term.
    pub(super) departures: u32,
    pub(super) early_departures: u32,
}

/// The market of one trial; reused from trial to trial.
#[derive(Clone, Debug, Default)]
pub(crate) struct MarketState {
    pub(super) luck: Vec<Luck>,
    pub(super) rates: Vec<Rates>,
    pub(super) contracts: Vec<Contract>,
    /// Where they are kept.
    pub(super) leases: Vec<Lease>,
    /// By segment: contracts by the month in which they want to move in.
    pub(super) ready: Vec<Buckets>,
    /// Contracts by the month in which they lose patience.
    pub(super) expiring: Buckets,
    /// Contracts that leave before all of them has found room, by the month in which they do.
    pub(super) leaving: Buckets,
    pub(super) queues: Vec<Queue>,
    /// By pool: the deployable capacity of the month.
    pub(super) room: Vec<i64>,
    /// By segment and month: companies contacted, and the probability that one signs.
    pub(super) contacted: Vec<u32>,
    pub(super) sign_probability: Vec<f64>,
    /// Room for those of the companies contacted in a month that sign; and when they do.
    pub(super) signers: Vec<u32>,
    pub(super) signed: Vec<f64>,
    pub(super) lists: Lists,
    /// By segment and month; one more for what is beyond the horizon.
    pub(super) signing: Vec<u32>,
    pub(super) establishing: Vec<u32>,
    pub(super) declining: Vec<u32>,
    /// By segment: units of the leases that end this month.
    pub(super) ended: Vec<i64>,
    /// By whole months of waiting: contracts that have moved in, where that is reported.
    pub(super) waits: Vec<u32>,
    /// By slot, which is a segment and a pool; pooled segments use a slot of their own.
    pub(super) level: Vec<i64>,
    pub(super) rate: Vec<i64>,
    /// By slot and month.
    pub(super) endings: Vec<Ending>,
    pub(super) leased: Vec<i64>,
    pub(super) served: Vec<i64>,
    pub(super) waiting: Vec<i64>,
    pub(super) counts: Vec<Counts>,
    /// By segment and month: units that are signed in it; and by segment: signed, but not wanted yet.
    pub(super) signing_units: Vec<i64>,
    pub(super) pending: Vec<i64>,
    /// By contract, where the market keeps them.
    pub(super) extra: Vec<ContractExtra>,
    pub(super) terms_luck: Vec<Option<TermsLuck>>,
    pub(super) funnel: FunnelLuck,
    pub(super) moods: Vec<RegimeMood>,
    pub(super) purses: Vec<VoucherPurse>,
    /// By segment and month: what prices are multiplied by.
    pub(super) price_factors: Vec<f64>,
    /// By campus, stage and month: by how much the number of companies changes, and is.
    pub(super) stage_changes: Vec<i32>,
    pub(super) at_stage: Vec<i64>,
    /// By segment and month: kW of a PFLOPS.
    pub(super) kw_per_pflops: Vec<f64>,
    /// Of a segment in PFLOPS: what it reckons with, in the order of release.
    pub(super) generations: Vec<DrawnGeneration>,
    pub(super) cohorts: cohort::CohortState,
    /// Groups about to be formed: stay, number, kW.
    pub(super) cohorts_formed: Vec<(u32, u64, f64)>,
}

/// What is drawn once a trial for a segment.
#[derive(Clone, Debug)]
pub(super) struct Rates {
    pub(super) outreach: f64,
    pub(super) outreach_growth: f64,
    pub(super) sign_probability: f64,
    pub(super) subsidiary_probability: f64,
    pub(super) ln_stay: f64,
    pub(super) draw_share: f64,
    pub(super) utilisation: f64,
    /// What the probability of signing is multiplied by this month.
    pub(super) sign_factor: f64,
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

/// What the market did in a month, by segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentMonth {
    pub(crate) home: usize,
    pub(crate) counts: Counts,
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

    pub(crate) fn reset(&self, state: &mut MarketState, seed: u64, trial: u64, drawn: &[f64]) {
        let (segments, slots) = (self.segments.len(), self.slot(self.segments.len(), 0));
        state.luck.clear();
        state.rates.clear();
        state.contracts.clear();
        state.leases.clear();
        state.ready.resize_with(segments, Buckets::default);
        let lists = [&mut state.expiring, &mut state.leaving];
        for buckets in state.ready.iter_mut().chain(lists) {
            buckets.reset(self.months);
        }
        state.queues.resize_with(segments, Queue::default);
        for queue in &mut state.queues {
            queue.contracts.clear();
            (queue.front, queue.fresh) = (0, 0);
        }
        // The last of these are for what is beyond the horizon.
        refill(&mut state.signing, segments * self.months + 1, 0);
        refill(&mut state.establishing, segments * self.months + 1, 0);
        refill(&mut state.signing_units, segments * self.months + 1, 0);
        refill(&mut state.declining, segments * self.months, 0);
        refill(&mut state.contacted, segments * self.months, 0);
        refill(&mut state.sign_probability, segments * self.months, 0.0);
        refill(&mut state.ended, segments, 0);
        if self.first_outcome.is_some() {
            refill(&mut state.waits, self.months, 0);
        }
        refill(&mut state.level, slots, 0);
        refill(&mut state.rate, slots, 0);
        refill(&mut state.served, slots, 0);
        refill(&mut state.endings, slots * self.months, Ending::default());
        refill(&mut state.leased, self.pools, 0);
        refill(&mut state.waiting, segments, 0);
        refill(&mut state.counts, segments, Counts::default());
        refill(&mut state.pending, segments, 0);
        self.reset_extras(state, seed, trial, drawn);
        for (position, segment) in self.segments.iter().enumerate() {
            state.luck.push(Luck::open(segment, seed, trial));
            state.rates.push(Rates {
                outreach: segment.outreach.value(drawn),
                outreach_growth: libm::pow(1.0 + segment.outreach_growth.value(drawn), 1.0 / 12.0),
                sign_probability: segment.sign_probability.value(drawn),
                subsidiary_probability: segment.subsidiary_probability.value(drawn),
                ln_stay: libm::log1p(-segment.churn.value(drawn)),
                draw_share: segment.draw_share.value(drawn),
                utilisation: segment.utilisation.value(drawn),
                sign_factor: 1.0,
            });
            let existing = &segment.existing;
            state.counts[position] = Counts {
                contacted: u64::from(existing.contacted),
                signed: u64::from(existing.signed),
                subsidiaries: u64::from(existing.subsidiaries),
                ..Counts::default()
            };
            if existing.contract > 0 {
                self.add_existing(state, position, existing.signed, existing.contract);
            }
            for number in 0..existing.negotiating {
                let lag_left = (f64::from(number) + 0.5) / f64::from(existing.negotiating);
                self.negotiate(state, position, 0.0, lag_left);
            }
            self.expect_named(state, position, seed, trial, drawn);
        }
        self.reach_out_ahead(state, seed, trial);
    }
}

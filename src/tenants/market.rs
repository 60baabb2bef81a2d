//! The compiled market, and how a month passes for it.
//!
//! Capacity is counted in whole millionths of a kW (2^-20 kW), so that what moves in and out
//! cancels exactly and nothing drifts over the years. Each contract costs a constant number of
//! steps however long it stays: its ramp is a rate that is switched on and off.

mod cohort;
mod extras;
mod funnel;
mod ledger;

use crate::compute::CompiledGeneration;
use crate::date::Date;
use crate::monte_carlo::inputs::{Inputs, Quantity};
use crate::monte_carlo::streams::{Source, Stream};
use crate::tenants::buckets::Buckets;
use crate::tenants::{Allocation, GROWTH, NamedTenant, Regime, Segment, Voucher};
use crate::uncertain::{Domain, Sampler, Uncertain, UncertainError, minus_ln};
pub(crate) use funnel::{CONTACTED, stage_metric, voucher_metric};

use extras::{ContractExtra, Extras, TermsLuck};
use funnel::{CompiledRegime, CompiledVoucher, FunnelLuck, RegimeMood, VoucherPurse};

const UNITS_PER_KW: f64 = 1_048_576.0;
/// Later than any horizon.
const NEVER: u32 = u32::MAX;

/// kW (0 or more) to units, rounded down, so that no more is given than there is.
#[inline]
fn units(kw: f64) -> i64 {
    // The conversion rounds towards 0, and is far cheaper than `floor` on older processors.
    (kw * UNITS_PER_KW) as i64
}

/// A number of 0 or more rounded up, as cheaply.
#[inline]
fn round_up(number: f64) -> f64 {
    let below = number as u64 as f64;
    if below < number { below + 1.0 } else { number }
}

fn kw(units: i64) -> f64 {
    units as f64 / UNITS_PER_KW
}

/// All segments, compiled. A pool is the capacity of one rack type on one campus.
#[derive(Clone, Debug)]
pub(crate) struct Market {
    segments: Vec<CompiledSegment>,
    /// Segments of equal priority, the first served first.
    ranks: Vec<Vec<usize>>,
    pools: usize,
    pools_per_campus: usize,
    months: usize,
    regimes: Vec<CompiledRegime>,
    vouchers: Vec<CompiledVoucher>,
    /// The names of all stages of all segments; the first is that of companies just contacted.
    stages: Vec<String>,
    /// Whether more is kept of each contract than its allocation needs.
    keeps_extras: bool,
    /// The position of its first metric beyond those that every scenario has.
    first_metric: usize,
}

#[derive(Clone, Debug)]
struct CompiledSegment {
    outreach: Quantity,
    outreach_growth: Quantity,
    sign_probability: Quantity,
    subsidiary_probability: Quantity,
    churn: Quantity,
    draw_share: Quantity,
    utilisation: Quantity,
    sign_lag: Varying,
    subsidiary_lag: Varying,
    subsidiary: Source,
    size: Varying,
    size_kw: f64,
    size_whole: bool,
    largest_kw: f64,
    move_in_lag: Varying,
    ramp: Varying,
    term: Varying,
    patience: Option<Varying>,
    stay: Source,
    arrivals: Source,
    signing: Source,
    allocation: Allocation,
    /// Pools that it accepts, in the order of liking.
    pools: Vec<usize>,
    home: usize,
    existing: Existing,
    /// What few segments have; none for a plain one.
    extras: Option<Box<Extras>>,
}

#[derive(Clone, Debug, Default)]
struct Existing {
    contacted: u32,
    negotiating: u32,
    signed: u32,
    subsidiaries: u32,
    contract: i64,
}

/// A quantity that is drawn for each contract.
#[derive(Clone, Debug)]
struct Varying {
    sampler: Sampler,
    source: Source,
}

impl Varying {
    fn new(
        segment: &str,
        what: &str,
        quantity: &Uncertain,
        domain: Domain,
    ) -> Result<Self, UncertainError> {
        Ok(Self {
            sampler: quantity.sampler(domain)?,
            source: Source::named(&format!("tenants/{segment}/{what}")),
        })
    }
}

/// One contract's draws come from these, each the next of its own stream, so that the k-th
/// contract of a segment has the same luck whatever the others do.
#[derive(Clone, Debug)]
struct Luck {
    sign_lag: Drawer,
    subsidiary_lag: Drawer,
    size: Drawer,
    move_in_lag: Drawer,
    ramp: Drawer,
    term: Drawer,
    patience: Drawer,
    subsidiary: Stream,
    stay: Stream,
    signing: Stream,
}

#[derive(Clone, Debug)]
enum Drawer {
    Constant(f64),
    Stream(Stream),
}

impl Drawer {
    fn open(varying: &Varying, seed: u64, trial: u64) -> Self {
        match varying.sampler.constant() {
            Some(value) => Self::Constant(value),
            None => Self::Stream(varying.source.stream(seed, trial)),
        }
    }

    #[inline]
    fn next(&mut self, varying: &Varying) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Stream(stream) => varying.sampler.at(stream.uniform()),
        }
    }

    /// Passes over a draw that is not needed, so that the next contract's luck stays its own.
    #[inline]
    fn skip(&mut self) {
        if let Self::Stream(stream) = self {
            stream.uniform();
        }
    }
}

/// What the market needs to know of the campuses to be compiled.
pub(crate) struct Supply<'a> {
    pub(crate) campuses: &'a [String],
    pub(crate) rack_types: &'a [String],
    pub(crate) standard_rack_kw: f64,
    pub(crate) months: usize,
    pub(crate) start: Date,
    pub(crate) generations: &'a [CompiledGeneration],
    /// By generation.
    pub(crate) generation_names: &'a [&'a str],
}

/// All who come to rent.
#[derive(Clone, Copy)]
pub(crate) struct Demand<'a> {
    pub(crate) segments: &'a [Segment],
    pub(crate) tenants: &'a [NamedTenant],
    pub(crate) regimes: &'a [Regime],
    pub(crate) vouchers: &'a [Voucher],
    /// Whether somebody will ask for the leases of the trial.
    pub(crate) keeps_leases: bool,
}

impl Supply<'_> {
    /// The pool of a rack type on a campus.
    pub(crate) fn pool(&self, campus: usize, rack_type: usize) -> usize {
        campus * self.rack_types.len() + rack_type
    }
}

impl Market {
    pub(crate) fn compile(
        demand: Demand<'_>,
        supply: &Supply<'_>,
        inputs: &mut Inputs,
    ) -> Result<Self, UncertainError> {
        // A named tenant is a segment of one company.
        let mut segments = demand.segments.to_vec();
        for tenant in demand.tenants {
            if let Some(of) = demand.segments.iter().find(|s| s.name == tenant.segment) {
                segments.push(tenant.as_segment(of));
            }
        }
        let mut stages = Vec::new();
        let mut compiled = Vec::with_capacity(segments.len());
        for (position, segment) in segments.iter().enumerate() {
            let tenant = position
                .checked_sub(demand.segments.len())
                .map(|tenant| &demand.tenants[tenant]);
            let mut one = CompiledSegment::compile(segment, supply, inputs)?;
            let extras = Extras::compile(segment, tenant, supply, &mut stages, inputs)?;
            one.extras = extras.map(Box::new);
            compiled.push(one);
        }
        let keeps_extras = demand.keeps_leases
            || compiled.iter().any(|segment| {
                segment
                    .extras
                    .as_ref()
                    .is_some_and(|extras| extras.has_terms())
            });
        let mut priorities: Vec<u32> = segments.iter().map(|segment| segment.priority).collect();
        priorities.sort_unstable();
        priorities.dedup();
        let ranks = priorities
            .iter()
            .map(|priority| {
                (0..segments.len())
                    .filter(|&s| segments[s].priority == *priority)
                    .collect()
            })
            .collect();
        let names: Vec<&str> = segments
            .iter()
            .map(|segment| segment.name.as_str())
            .collect();
        Ok(Self {
            segments: compiled,
            ranks,
            pools: supply.campuses.len() * supply.rack_types.len(),
            pools_per_campus: supply.rack_types.len(),
            months: supply.months,
            regimes: funnel::compile_regimes(demand.regimes, &names, inputs)?,
            vouchers: funnel::compile_vouchers(demand.vouchers, &names, supply.start, inputs)?,
            stages,
            keeps_extras,
            first_metric: 0,
        })
    }
}

impl CompiledSegment {
    fn compile(
        segment: &Segment,
        supply: &Supply<'_>,
        inputs: &mut Inputs,
    ) -> Result<Self, UncertainError> {
        let name = &segment.name;
        let mut drawn = |what: &str, quantity: &Uncertain, domain: Domain| {
            inputs.add(format!("tenants/{name}/{what}"), quantity, domain)
        };
        let varying = |what: &str, quantity: &Uncertain| {
            Varying::new(name, what, quantity, Domain::NON_NEGATIVE)
        };
        let source = |what: &str| Source::named(&format!("tenants/{name}/{what}"));
        let (size, size_kw, size_whole) =
            match (&segment.contract_standard_racks, &segment.contract_power_kw) {
                (Some(racks), _) => (racks.clone(), supply.standard_rack_kw, true),
                (None, Some(power)) => (power.clone(), 1.0, false),
                // In PFLOPS; what a PFLOPS takes in kW is among the extras.
                (None, None) => {
                    let size = segment.contract_pflops.clone();
                    (size.unwrap_or_else(Uncertain::zero), 1.0, false)
                }
            };
        let positions = |wanted: &[String], known: &[String]| -> Vec<usize> {
            if wanted.is_empty() {
                return (0..known.len()).collect();
            }
            wanted
                .iter()
                .filter_map(|name| known.iter().position(|other| other == name))
                .collect()
        };
        let campuses = positions(&segment.campuses, supply.campuses);
        let rack_types = positions(&segment.rack_types, supply.rack_types);
        let pools = campuses
            .iter()
            .flat_map(|&campus| {
                rack_types
                    .iter()
                    .map(move |&kind| supply.pool(campus, kind))
            })
            .collect();
        let existing = segment.existing.clone().unwrap_or_default();
        Ok(Self {
            outreach: drawn(
                "outreach",
                &segment.outreach_per_month,
                Domain::NON_NEGATIVE,
            )?,
            outreach_growth: drawn("outreach growth", &segment.outreach_growth_per_year, GROWTH)?,
            sign_probability: drawn("sign probability", &segment.sign_probability, Domain::SHARE)?,
            subsidiary_probability: drawn(
                "subsidiary probability",
                &segment.subsidiary_probability,
                Domain::SHARE,
            )?,
            churn: drawn("churn", &segment.churn_per_month, Domain::SHARE)?,
            draw_share: drawn("draw share", &segment.draw_share, Domain::SHARE)?,
            utilisation: drawn("utilisation", &segment.utilisation, Domain::SHARE)?,
            sign_lag: varying("sign lag", &segment.sign_lag_months)?,
            subsidiary_lag: varying("subsidiary lag", &segment.subsidiary_lag_months)?,
            subsidiary: source("subsidiary"),
            size: varying("contract size", &size)?,
            size_kw,
            size_whole,
            largest_kw: segment.largest_contract_kw.unwrap_or(f64::INFINITY),
            move_in_lag: varying("move-in lag", &segment.move_in_lag_months)?,
            ramp: varying("ramp", &segment.ramp_months)?,
            term: varying("term", &segment.term_months)?,
            patience: segment
                .patience_months
                .as_ref()
                .map(|patience| varying("patience", patience))
                .transpose()?,
            stay: source("stay"),
            arrivals: source("arrivals"),
            signing: source("signing"),
            allocation: segment.allocation,
            home: campuses.first().copied().unwrap_or(0),
            pools,
            existing: Existing {
                contacted: existing.companies_contacted,
                negotiating: existing.companies_negotiating,
                signed: existing.contracts_signed,
                subsidiaries: existing.subsidiaries,
                contract: match existing.contracts_signed {
                    0 => 0,
                    count => units(existing.leased_power_kw / f64::from(count)),
                },
            },
            extras: None,
        })
    }

    fn luck(&self, seed: u64, trial: u64) -> Luck {
        let open = |varying: &Varying| Drawer::open(varying, seed, trial);
        Luck {
            sign_lag: open(&self.sign_lag),
            subsidiary_lag: open(&self.subsidiary_lag),
            size: open(&self.size),
            move_in_lag: open(&self.move_in_lag),
            ramp: open(&self.ramp),
            term: open(&self.term),
            patience: self.patience.as_ref().map_or(Drawer::Constant(0.0), open),
            subsidiary: self.subsidiary.stream(seed, trial),
            stay: self.stay.stream(seed, trial),
            signing: self.signing.stream(seed, trial),
        }
    }

    /// The size of a contract in units: whole standard racks and one at least, or kW as drawn.
    fn contract_units(&self, drawn: f64) -> i64 {
        let amount = if self.size_whole {
            round_up(drawn).max(1.0)
        } else {
            drawn
        };
        units((amount * self.size_kw).min(self.largest_kw)).max(1)
    }

    /// Months that a tenant stays after the one in which it moves in, for its first month of
    /// absence: its term, then a geometric number of months with the churn as its probability.
    ///
    /// `ln_stay` is ln(1 - churn); the inversion of the geometric distribution is
    /// floor(ln u / ln(1 - churn)).
    fn stay_months(term: f64, uniform: f64, ln_stay: f64) -> u32 {
        if ln_stay == 0.0 {
            return NEVER;
        }
        // Conversions round towards 0 and end at the greatest number there is, which is `NEVER`.
        let beyond = (-minus_ln(uniform) / ln_stay) as u32;
        (term as u32).saturating_add(1).saturating_add(beyond)
    }
}

#[derive(Clone, Debug)]
struct Contract {
    size: i64,
    /// What has not found room yet.
    left: i64,
    segment: u32,
    ready: u32,
    /// Months from moving in to the first month of absence.
    stay: u32,
    ramp: u32,
    /// The first month of absence, once it has moved in.
    leaves: u32,
}

impl Contract {
    fn has_moved_in(&self) -> bool {
        self.left < self.size
    }
}

/// What is agreed when a contract is signed; times in months after the start.
struct Signature {
    size: i64,
    signed: f64,
    /// When it wants to move in.
    ready: f64,
    /// Months of its ramp, if that is not drawn.
    ramp: Option<u32>,
}

/// A part of a contract in one pool.
#[derive(Clone, Debug)]
struct Lease {
    amount: i64,
    /// What each month of the ramp adds.
    step: i64,
    month: u32,
    ramp: u32,
    contract: u32,
    slot: u32,
    first: bool,
}

#[derive(Clone, Debug, Default)]
struct Queue {
    contracts: Vec<u32>,
    front: usize,
}

/// The market of one trial; reused from trial to trial.
#[derive(Clone, Debug, Default)]
pub(crate) struct MarketState {
    luck: Vec<Luck>,
    rates: Vec<Rates>,
    contracts: Vec<Contract>,
    leases: Vec<Lease>,
    ready: Buckets,
    expiring: Buckets,
    leaving: Buckets,
    queues: Vec<Queue>,
    blocked: Vec<bool>,
    /// By segment and month.
    signing: Vec<u32>,
    establishing: Vec<u32>,
    /// By slot, which is a segment and a pool; pooled segments use a slot of their own.
    level: Vec<i64>,
    rate: Vec<i64>,
    /// By month and slot: what the rate loses when ramps end.
    ramp_ends: Vec<i64>,
    leased: Vec<i64>,
    served: Vec<i64>,
    waiting: Vec<i64>,
    counts: Vec<Counts>,
    /// By segment and month: units that are signed in it; and by segment: signed, but not wanted yet.
    signing_units: Vec<i64>,
    pending: Vec<i64>,
    /// By contract, where the market keeps them.
    extra: Vec<ContractExtra>,
    terms_luck: Vec<Option<TermsLuck>>,
    funnel: FunnelLuck,
    moods: Vec<RegimeMood>,
    purses: Vec<VoucherPurse>,
    /// By segment and month: what prices are multiplied by.
    price_factors: Vec<f64>,
    /// By campus, stage and month: by how much the number of companies changes, and is.
    stage_changes: Vec<i32>,
    at_stage: Vec<i64>,
    /// By segment and month: kW of a PFLOPS.
    kw_per_pflops: Vec<f64>,
    cohorts: cohort::CohortState,
    /// Groups about to be formed: stay, number, kW.
    cohorts_formed: Vec<(u32, u64, f64)>,
}

/// What is drawn once a trial for a segment.
#[derive(Clone, Debug)]
struct Rates {
    outreach: f64,
    outreach_growth: f64,
    sign_probability: f64,
    subsidiary_probability: f64,
    ln_stay: f64,
    draw_share: f64,
    utilisation: f64,
    /// What the probability of signing is multiplied by this month.
    sign_factor: f64,
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
}

/// What the market did in a month, by segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentMonth {
    pub(crate) home: usize,
    pub(crate) counts: Counts,
    pub(crate) waiting_kw: f64,
    /// Signed, but not wanted yet.
    pub(crate) pending_kw: f64,
}

impl Market {
    /// Slots are segment x (pools + 1): the last is the total demand of a pooled segment.
    fn slot(&self, segment: usize, pool: usize) -> usize {
        segment * (self.pools + 1) + pool
    }

    fn demand_slot(&self, segment: usize) -> usize {
        self.slot(segment, self.pools)
    }

    pub(crate) fn reset(&self, state: &mut MarketState, seed: u64, trial: u64, drawn: &[f64]) {
        let (segments, slots) = (self.segments.len(), self.slot(self.segments.len(), 0));
        state.luck.clear();
        state.rates.clear();
        state.contracts.clear();
        state.leases.clear();
        for buckets in [&mut state.ready, &mut state.expiring, &mut state.leaving] {
            buckets.reset(self.months);
        }
        state.queues.resize_with(segments, Queue::default);
        for queue in &mut state.queues {
            queue.contracts.clear();
            queue.front = 0;
        }
        refill(&mut state.blocked, segments, false);
        refill(&mut state.signing, segments * self.months, 0);
        refill(&mut state.establishing, segments * self.months, 0);
        refill(&mut state.level, slots, 0);
        refill(&mut state.rate, slots, 0);
        refill(&mut state.served, slots, 0);
        refill(&mut state.ramp_ends, slots * self.months, 0);
        refill(&mut state.leased, self.pools, 0);
        refill(&mut state.waiting, segments, 0);
        refill(&mut state.counts, segments, Counts::default());
        refill(&mut state.signing_units, segments * self.months, 0);
        refill(&mut state.pending, segments, 0);
        self.reset_extras(state, seed, trial, drawn);
        for (position, segment) in self.segments.iter().enumerate() {
            state.luck.push(segment.luck(seed, trial));
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
                for _ in 0..existing.signed {
                    let signature = Signature {
                        size: existing.contract,
                        signed: 0.0,
                        ready: 0.0,
                        ramp: Some(1),
                    };
                    self.add_contract(state, position, signature);
                }
            }
            for number in 0..existing.negotiating {
                let lag_left = (f64::from(number) + 0.5) / f64::from(existing.negotiating);
                self.negotiate(state, position, 0.0, lag_left);
            }
            self.expect_named(state, position, seed, trial, drawn);
        }
    }

    /// Adds a contract as it is signed.
    fn add_contract(&self, state: &mut MarketState, position: usize, signature: Signature) {
        let Signature {
            size,
            signed,
            ready,
            ramp,
        } = signature;
        let segment = &self.segments[position];
        let luck = &mut state.luck[position];
        if signed < self.months as f64 {
            // What was signed before the start counts from its first month on.
            let month = signed as usize;
            state.signing_units[position * self.months + month] += size;
        }
        if ready >= self.months as f64 {
            luck.ramp.skip();
            luck.term.skip();
            luck.stay.uniform();
            luck.patience.skip();
            if self.keeps_extras {
                self.skip_terms(state, position);
            }
            return;
        }
        let drawn_ramp = (luck.ramp.next(&segment.ramp) + 0.5).clamp(1.0, 1e6) as u32;
        let term = luck.term.next(&segment.term);
        let stay_luck = luck.stay.uniform();
        let mut stay = CompiledSegment::stay_months(term, stay_luck, state.rates[position].ln_stay);
        let patience = luck
            .patience
            .next(segment.patience.as_ref().unwrap_or(&segment.term));
        let item = state.contracts.len() as u32;
        let ready_month = ready as u32;
        if self.keeps_extras {
            let extra = self.draw_terms(state, position, size, term, stay_luck, &mut stay);
            state.extra.push(ContractExtra {
                signed: signed as u32,
                patience: if segment.patience.is_some() {
                    patience.ceil() as u32
                } else {
                    NEVER
                },
                ..extra
            });
        }
        state.contracts.push(Contract {
            size,
            left: size,
            segment: position as u32,
            ready: ready_month,
            stay,
            ramp: ramp.unwrap_or(drawn_ramp),
            leaves: NEVER,
        });
        state.ready.push(ready_month as usize, item);
        if segment.patience.is_some() && !segment.allocation.is_pooled() {
            state.expiring.push((ready + patience) as usize, item);
        }
    }

    /// Passes month `month`, with `room_kw` of deployable capacity in each pool at its end.
    pub(crate) fn pass_month(
        &self,
        state: &mut MarketState,
        seed: u64,
        trial: u64,
        month: usize,
        room_kw: &[f64],
    ) {
        self.advance_ramps(state, month);
        self.leave(state, month);
        self.reach_out(state, seed, trial, month);
        self.make_ready(state, month);
        self.place(state, month, room_kw);
        self.give_up(state, month);
        self.serve(state, room_kw);
        if !state.funnel.scarcity.is_empty() {
            self.note_offer(state, room_kw);
        }
    }

    fn advance_ramps(&self, state: &mut MarketState, month: usize) {
        let slots = state.rate.len();
        let ends = &state.ramp_ends[month * slots..(month + 1) * slots];
        for ((level, rate), end) in state.level.iter_mut().zip(&mut state.rate).zip(ends) {
            *rate -= end;
            *level += *rate;
        }
    }

    fn leave(&self, state: &mut MarketState, month: usize) {
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

    fn reach_out(&self, state: &mut MarketState, seed: u64, trial: u64, month: usize) {
        if !self.regimes.is_empty() || !self.vouchers.is_empty() {
            self.turn_month(state, seed, trial, month);
        }
        for (position, segment) in self.segments.iter().enumerate() {
            let rates = &mut state.rates[position];
            let mut mean = rates.outreach;
            rates.outreach *= rates.outreach_growth;
            if segment.extras.is_some() || !self.regimes.is_empty() {
                mean = self.wanted_outreach(state, position, month, mean);
            }
            let contacted = if mean > 0.0 {
                segment
                    .arrivals
                    .stream_at(seed, trial, month as u64)
                    .poisson(mean)
            } else {
                0
            };
            state.counts[position].contacted += contacted;
            if segment.allocation == Allocation::Cohort {
                self.gather_cohort(state, position, month, contacted);
            } else {
                for number in 0..contacted {
                    let share_of_month = (number as f64 + 0.5) / contacted as f64;
                    self.negotiate(state, position, month as f64 + share_of_month, 1.0);
                }
            }
            let at = position * self.months + month;
            let counts = &mut state.counts[position];
            counts.signed += u64::from(state.signing[at]);
            counts.subsidiaries += u64::from(state.establishing[at]);
            state.pending[position] += state.signing_units[at];
        }
    }

    /// A company contacted at `contact` months signs or does not, after this share of a lag.
    fn negotiate(&self, state: &mut MarketState, position: usize, contact: f64, lag_share: f64) {
        let segment = &self.segments[position];
        let passed = match &segment.extras {
            Some(extras) if !extras.stages.is_empty() => {
                self.pass_stages(state, position, contact, lag_share)
            }
            _ => Some(contact),
        };
        let voucher = if self.vouchers.is_empty() {
            None
        } else {
            self.voucher_for(state, position)
        };
        let (sign_factor, size_factor) = match voucher {
            Some(voucher) => (
                state.purses[voucher].sign_factor,
                state.purses[voucher].size_factor,
            ),
            None => (1.0, 1.0),
        };
        let rates = &state.rates[position];
        let luck = &mut state.luck[position];
        let probability = rates.sign_probability * rates.sign_factor * sign_factor;
        let signs = luck.signing.uniform() < probability;
        let Some(passed) = passed else {
            return;
        };
        if !signs {
            if passed > contact || segment.extras.is_some() {
                self.leave_funnel(state, position, passed, lag_share);
            }
            return;
        }
        let signed = passed + lag_share * luck.sign_lag.next(&segment.sign_lag);
        if segment.extras.is_some() {
            self.note_signature(state, position, signed);
        }
        let size = self.sign(state, position, signed, None, size_factor);
        if let Some(voucher) = voucher {
            self.grant(state, voucher, position, contact, size);
        }
    }

    /// A company signs at `signed` months, and wants to move in at `ready` or after its lag; its
    /// size in units.
    fn sign(
        &self,
        state: &mut MarketState,
        position: usize,
        signed: f64,
        ready: Option<f64>,
        size_factor: f64,
    ) -> i64 {
        let segment = &self.segments[position];
        let rates = &state.rates[position];
        let luck = &mut state.luck[position];
        let drawn = luck.size.next(&segment.size) * size_factor;
        let size = match &segment.extras {
            Some(extras) if extras.hardware.is_some() => {
                let month = (signed.max(0.0) as usize).min(self.months - 1);
                let kw = drawn * state.kw_per_pflops[position * self.months + month];
                units(kw.min(segment.largest_kw)).max(1)
            }
            _ => segment.contract_units(drawn),
        };
        let lag = luck.move_in_lag.next(&segment.move_in_lag);
        let ready = ready.unwrap_or(signed + lag);
        let has_subsidiary = luck.subsidiary.uniform() < rates.subsidiary_probability;
        if has_subsidiary {
            let established = signed + luck.subsidiary_lag.next(&segment.subsidiary_lag);
            if established < self.months as f64 {
                state.establishing[position * self.months + established as usize] += 1;
            }
        } else {
            luck.subsidiary_lag.skip();
        }
        if signed < self.months as f64 {
            state.signing[position * self.months + signed as usize] += 1;
        }
        let signature = Signature {
            size,
            signed,
            ready,
            ramp: None,
        };
        self.add_contract(state, position, signature);
        size
    }

    fn make_ready(&self, state: &mut MarketState, month: usize) {
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
    fn place(&self, state: &mut MarketState, month: usize, room_kw: &[f64]) {
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

    fn give_up(&self, state: &mut MarketState, month: usize) {
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
    fn serve(&self, state: &mut MarketState, room_kw: &[f64]) {
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

    /// Power in service in a pool, in kW.
    pub(crate) fn in_service_kw(&self, state: &MarketState, pool: usize) -> f64 {
        let total: i64 = (0..self.segments.len())
            .map(|segment| state.served[self.slot(segment, pool)])
            .sum();
        kw(total)
    }

    /// Power that tenants draw in a pool, in kW: what is in service x the segment's draw share.
    pub(crate) fn drawn_kw(&self, state: &MarketState, pool: usize) -> f64 {
        self.weighted_kw(state, pool, |rates| rates.draw_share)
    }

    /// Power in service that does useful work in a pool, in kW: x the segment's utilisation.
    pub(crate) fn useful_kw(&self, state: &MarketState, pool: usize) -> f64 {
        self.weighted_kw(state, pool, |rates| rates.utilisation)
    }

    fn weighted_kw(&self, state: &MarketState, pool: usize, weight: fn(&Rates) -> f64) -> f64 {
        (0..self.segments.len())
            .map(|segment| {
                kw(state.served[self.slot(segment, pool)]) * weight(&state.rates[segment])
            })
            .sum()
    }

    /// Power leased in a pool, in kW, whether its ramp is over or not.
    pub(crate) fn leased_kw(&self, state: &MarketState, pool: usize) -> f64 {
        kw(state.leased[pool])
    }

    /// The campus of a pool.
    pub(crate) fn campus_of(&self, pool: usize) -> usize {
        pool / self.pools_per_campus
    }

    /// The month of each segment.
    pub(crate) fn segments<'a>(
        &'a self,
        state: &'a MarketState,
    ) -> impl Iterator<Item = SegmentMonth> + 'a {
        self.segments
            .iter()
            .enumerate()
            .map(|(position, segment)| SegmentMonth {
                home: segment.home,
                counts: state.counts[position],
                waiting_kw: kw(state.waiting[position]),
                pending_kw: kw(state.pending[position]),
            })
    }
}

fn refill<T: Clone>(list: &mut Vec<T>, length: usize, value: T) {
    list.clear();
    list.resize(length, value);
}

#[cfg(test)]
mod tests;

//! From outreach to signed contracts, month by month or, where nothing on the way can change it, for all months at
//! once.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::compiled::CompiledSegment;
use super::extras::{ContractExtra, TermsLuck, draw_terms};
use super::luck::{Agreed, Luck};
use super::state::{Contract, MarketState, Rates};
use super::{Market, NEVER, month_at, units};
use crate::tenants::Allocation;
use crate::tenants::buckets::Buckets;
use crate::uncertain::minus_ln_of;

/// As many contracts at most are drawn together: a list for each quantity, so that the state of
/// its stream stays at hand and processors can work on several at once.
const TOGETHER: usize = 64;

/// What is drawn for contracts that are signed together.
#[derive(Clone, Debug)]
pub(super) struct Lists {
    /// Standard racks, kW or PFLOPS; and what that is in units.
    amounts: [f64; TOGETHER],
    sizes: [i64; TOGETHER],
    /// When they want to move in.
    ready: [f64; TOGETHER],
    /// Luck that decides on subsidiaries, and when they are founded.
    luck: [f64; TOGETHER],
    founding_lags: [f64; TOGETHER],
    ramps: [f64; TOGETHER],
    terms: [f64; TOGETHER],
    /// Luck that decides how long they stay beyond their terms, and minus its logarithm.
    stay_luck: [f64; TOGETHER],
    stays: [f64; TOGETHER],
    patiences: [f64; TOGETHER],
}

impl Default for Lists {
    fn default() -> Self {
        const NOTHING: [f64; TOGETHER] = [0.0; TOGETHER];
        Self {
            amounts: NOTHING,
            sizes: [0; TOGETHER],
            ready: NOTHING,
            luck: NOTHING,
            founding_lags: NOTHING,
            ramps: NOTHING,
            terms: NOTHING,
            stay_luck: NOTHING,
            stays: NOTHING,
            patiences: NOTHING,
        }
    }
}

/// What a segment's signatures change in the state of the market, at hand for many of them in a row.
struct Register<'a> {
    market: &'a Market,
    segment: &'a CompiledSegment,
    position: usize,
    rates: &'a Rates,
    luck: &'a mut Luck,
    lists: &'a mut Lists,
    // By segment and month, with a place behind for what is beyond the horizon.
    signing: &'a mut [u32],
    signing_units: &'a mut [i64],
    establishing: &'a mut [u32],
    kw_per_pflops: &'a [f64],
    contracts: &'a mut Vec<Contract>,
    ready: &'a mut Buckets,
    extra: &'a mut Vec<ContractExtra>,
    terms_luck: Option<&'a mut TermsLuck>,
}

/// How companies sign that do so together.
#[derive(Clone, Copy)]
struct Manner {
    /// When they want to move in, if not after their lag.
    ready: Option<f64>,
    /// What sizes are multiplied by.
    size_factor: f64,
}

const PLAINLY: Manner = Manner {
    ready: None,
    size_factor: 1.0,
};

impl<'a> Register<'a> {
    fn of(market: &'a Market, state: &'a mut MarketState, position: usize) -> Self {
        Self {
            market,
            segment: &market.segments[position],
            position,
            rates: &state.rates[position],
            luck: &mut state.luck[position],
            lists: &mut state.lists,
            signing: &mut state.signing,
            signing_units: &mut state.signing_units,
            establishing: &mut state.establishing,
            kw_per_pflops: &state.kw_per_pflops,
            contracts: &mut state.contracts,
            ready: &mut state.ready[position],
            extra: &mut state.extra,
            terms_luck: state.terms_luck.get_mut(position).and_then(Option::as_mut),
        }
    }

    /// Where a month is in lists by segment and month: the place behind them all if it is beyond the horizon. Without
    /// a branch, which may be a matter of chance.
    #[inline(always)]
    fn place(&self, months: f64) -> usize {
        let month = month_at(months);
        if month < self.market.months {
            self.position * self.market.months + month
        } else {
            self.signing.len() - 1
        }
    }

    /// Up to [`TOGETHER`] companies sign at `signed` months; the size of the last in units.
    #[inline(always)]
    fn sign(&mut self, signed: &[f64], manner: Manner) -> i64 {
        let (segment, count) = (self.segment, signed.len());
        let lists = &mut *self.lists;
        let (amounts, sizes) = (&mut lists.amounts[..count], &mut lists.sizes[..count]);
        self.luck.size.fill(&segment.size, amounts);
        match &segment.extras {
            Some(extras) if extras.hardware.is_some() => {
                let first = self.position * self.market.months;
                for ((size, &amount), &signed) in sizes.iter_mut().zip(&*amounts).zip(signed) {
                    let month = month_at(signed.max(0.0)).min(self.market.months - 1);
                    let kw = amount * manner.size_factor * self.kw_per_pflops[first + month];
                    *size = units(kw.min(segment.largest_kw)).max(1);
                }
            }
            _ => {
                for (size, &amount) in sizes.iter_mut().zip(&*amounts) {
                    *size = segment.contract_units(amount * manner.size_factor);
                }
            }
        }
        let last = sizes[count - 1];
        let ready = &mut lists.ready[..count];
        self.luck.move_in_lag.fill(&segment.move_in_lag, ready);
        for (lag, &signed) in ready.iter_mut().zip(signed) {
            *lag = manner.ready.unwrap_or(signed + *lag);
        }
        for &signed in signed {
            let place = self.place(signed);
            self.signing[place] += 1;
        }
        self.found_subsidiaries(signed);
        self.add(signed, None);
        last
    }

    /// Some of the companies that sign found a subsidiary some time later.
    #[inline(always)]
    fn found_subsidiaries(&mut self, signed: &[f64]) {
        let probability = self.rates.subsidiary_probability;
        if probability <= 0.0 {
            return;
        }
        let (subsidiary_lag, count) = (&self.segment.subsidiary_lag, signed.len());
        let (luck, lags) = (&mut self.lists.luck, &mut self.lists.founding_lags);
        let (luck, lags) = (&mut luck[..count], &mut lags[..count]);
        self.luck.subsidiary.fill(luck);
        self.luck.subsidiary_lag.fill_luck(lags);
        // Those who found one are gathered first, for who does is a coin that no processor foresees.
        let mut founders = [0_u8; TOGETHER];
        let mut found = 0;
        for (number, &luck) in luck.iter().enumerate() {
            founders[found % TOGETHER] = number as u8;
            found += usize::from(luck < probability);
        }
        for &number in &founders[..found] {
            let number = usize::from(number);
            let lag =
                (self.luck.subsidiary_lag).at(subsidiary_lag, self.lists.founding_lags[number]);
            let place = self.place(signed[number] + lag);
            self.establishing[place] += 1;
        }
    }

    /// Adds up to [`TOGETHER`] contracts in the order of their signing, of the sizes and the wishes to move in that
    /// are listed; with so many months of ramp, if these are not drawn.
    #[inline(always)]
    fn add(&mut self, signed: &[f64], ramp: Option<u32>) {
        let (segment, count) = (self.segment, signed.len());
        let Lists {
            sizes,
            ready,
            ramps,
            terms,
            stay_luck,
            stays,
            patiences,
            ..
        } = &mut *self.lists;
        let (sizes, ready) = (&sizes[..count], &ready[..count]);
        let [ramps, terms, stay_luck, stays, patiences] =
            [ramps, terms, stay_luck, stays, patiences].map(|list| &mut list[..count]);
        self.luck.ramp.fill(&segment.ramp, ramps);
        self.luck.term.fill(&segment.term, terms);
        self.luck.stay.fill(stay_luck);
        stays.copy_from_slice(stay_luck);
        minus_ln_of(stays);
        match &segment.patience {
            Some(patience) => self.luck.patience.fill(patience, patiences),
            None => patiences.fill(f64::INFINITY),
        }
        let (months, is_pooled) = (self.market.months, segment.allocation.is_pooled());
        let (first, beyond) = (self.position * months, self.signing_units.len() - 1);
        self.contracts.reserve(count);
        for number in 0..count {
            let (size, signed, ready) = (sizes[number], signed[number], ready[number]);
            // What was signed before the start counts from its first month on.
            let month = month_at(signed);
            self.signing_units[if month < months {
                first + month
            } else {
                beyond
            }] += size;
            let drawn_ramp = (ramps[number] + 0.5).clamp(1.0, 1e6) as u32;
            let mut agreed = Agreed {
                term: terms[number],
                stay_luck: stay_luck[number],
                stay: CompiledSegment::stay_months(
                    terms[number],
                    stays[number],
                    self.rates.ln_stay,
                ),
            };
            let month = month_at(ready);
            if self.market.keeps_extras {
                // Drawn for all, so that the next contract's luck stays its own.
                let terms = segment
                    .extras
                    .as_deref()
                    .zip(self.terms_luck.as_deref_mut());
                let extra = draw_terms(terms, size, &mut agreed);
                if month < months {
                    self.extra.push(ContractExtra {
                        signed: signed as u32,
                        patience: patiences[number].ceil() as u32,
                        ..extra
                    });
                }
            }
            if month >= months {
                continue;
            }
            self.ready.push(month, self.contracts.len() as u32);
            self.contracts.push(Contract {
                size,
                left: size,
                segment: self.position as u32,
                ready: month as u32,
                stay: agreed.stay,
                ramp: ramp.unwrap_or(drawn_ramp),
                leaves: NEVER,
                gives_up: if is_pooled {
                    NEVER
                } else {
                    (ready + patiences[number]) as u32
                },
            });
        }
    }
}

/// Companies that sign at these moments, in a form that is compiled for each generation of processors: the one at hand
/// is chosen when it runs. Every generation computes the same bits.
struct Signing<'a, 'b> {
    register: &'b mut Register<'a>,
    signed: &'b [f64],
    manner: Manner,
}

impl WithSimd for Signing<'_, '_> {
    type Output = i64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> i64 {
        let mut last = 0;
        for some in self.signed.chunks(TOGETHER) {
            last = self.register.sign(some, self.manner);
        }
        last
    }
}

/// Contracts that are there at the start, as [`Signing`].
struct Existing<'a> {
    register: Register<'a>,
    count: usize,
    size: i64,
}

impl WithSimd for Existing<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        self.register.lists.sizes.fill(self.size);
        self.register.lists.ready.fill(0.0);
        let mut left = self.count;
        while left > 0 {
            let some = left.min(TOGETHER);
            self.register.add(&[0.0; TOGETHER][..some], Some(1));
            left -= some;
        }
    }
}

/// Who signs of all that are contacted in some months, as [`Signing`].
struct Negotiation<'a, 'b> {
    register: Register<'a>,
    /// By month from `first` on: how many are contacted, and the probability that one signs.
    contacted: &'b [u32],
    probability: &'b [f64],
    first: usize,
    declining: &'b mut [u32],
    signers: &'b mut Vec<u32>,
    signed: &'b mut Vec<f64>,
}

impl WithSimd for Negotiation<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        self.signed.clear();
        let chances = self.contacted.iter().zip(self.probability);
        for ((month, (&contacted, &probability)), declining) in
            (self.first..).zip(chances).zip(&mut *self.declining)
        {
            let all = contacted as usize;
            if self.signers.len() < all {
                self.signers.resize(all, 0);
            }
            let signing = &mut self.register.luck.signing;
            let found = signing.pick(probability, &mut self.signers[..all]);
            // Those who do not sign are but counted.
            *declining += contacted - found as u32;
            // Companies are contacted evenly spread over the month.
            let contact =
                |&number: &u32| month as f64 + (f64::from(number) + 0.5) / f64::from(contacted);
            self.signed
                .extend(self.signers[..found].iter().map(contact));
            let whole = self.signed.len() - self.signed.len() % TOGETHER;
            if whole > 0 {
                for some in self.signed[..whole].chunks_exact_mut(TOGETHER) {
                    self.register.sign_after_lag(some);
                }
                self.signed.copy_within(whole.., 0);
                self.signed.truncate(self.signed.len() - whole);
            }
        }
        if !self.signed.is_empty() {
            self.register.sign_after_lag(self.signed);
        }
    }
}

impl Register<'_> {
    /// Up to [`TOGETHER`] companies sign some time after they were contacted.
    #[inline(always)]
    fn sign_after_lag(&mut self, contacts: &mut [f64]) {
        let lags = &mut self.lists.luck[..contacts.len()];
        self.luck.sign_lag.fill(&self.segment.sign_lag, lags);
        for (contact, lag) in contacts.iter_mut().zip(lags) {
            *contact += *lag;
        }
        self.sign(contacts, PLAINLY);
    }
}

impl Market {
    /// Adds contracts of one size that are there at the start.
    pub(super) fn add_existing(
        &self,
        state: &mut MarketState,
        position: usize,
        count: u32,
        size: i64,
    ) {
        self.arch.dispatch(Existing {
            register: Register::of(self, state, position),
            count: count as usize,
            size,
        });
    }

    /// Adds a contract of that size as it is signed; the months of its lag are given.
    pub(super) fn add_contract(
        &self,
        state: &mut MarketState,
        position: usize,
        size: i64,
        signed: f64,
        ready: f64,
    ) {
        let register = &mut Register::of(self, state, position);
        (register.lists.sizes[0], register.lists.ready[0]) = (size, ready);
        register.add(&[signed], None);
    }

    /// Contacts companies and lets them sign, or not, in all months in which nothing that is yet to happen can change
    /// that.
    pub(super) fn reach_out_ahead(&self, state: &mut MarketState, seed: u64, trial: u64) {
        for position in 0..self.segments.len() {
            if self.foresees(position) {
                self.contact(state, seed, trial, position, 0..self.months);
            }
        }
    }

    pub(super) fn reach_out(&self, state: &mut MarketState, seed: u64, trial: u64, month: usize) {
        if !self.regimes.is_empty() || !self.vouchers.is_empty() {
            self.turn_month(state, seed, trial, month);
        }
        for position in 0..self.segments.len() {
            if !self.foresees(position) {
                self.contact(state, seed, trial, position, month..month + 1);
            }
            let at = position * self.months + month;
            let counts = &mut state.counts[position];
            counts.contacted += u64::from(state.contacted[at]);
            counts.signed += u64::from(state.signing[at]);
            counts.subsidiaries += u64::from(state.establishing[at]);
            counts.declined += u64::from(state.declining[at]);
            state.pending[position] += state.signing_units[at];
        }
    }

    /// Contacts companies in some months, and lets them sign or not.
    fn contact(
        &self,
        state: &mut MarketState,
        seed: u64,
        trial: u64,
        position: usize,
        months: Range<usize>,
    ) {
        let segment = &self.segments[position];
        let first = position * self.months;
        let at = first + months.start..first + months.end;
        for month in months.clone() {
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
            let rates = &state.rates[position];
            state.contacted[first + month] = contacted as u32;
            state.sign_probability[first + month] = rates.sign_probability * rates.sign_factor;
        }
        if segment.allocation == Allocation::Cohort {
            for month in months {
                let contacted = u64::from(state.contacted[first + month]);
                self.gather_cohort(state, position, month, contacted);
            }
        } else if self.negotiates_one_by_one(position) {
            for month in months {
                let contacted = state.contacted[first + month];
                for number in 0..contacted {
                    let since = (f64::from(number) + 0.5) / f64::from(contacted);
                    self.negotiate(state, position, month as f64 + since, 1.0);
                }
            }
        } else {
            let [contacted, mut declining] =
                [&mut state.contacted, &mut state.declining].map(std::mem::take);
            let [probability, mut signed] =
                [&mut state.sign_probability, &mut state.signed].map(std::mem::take);
            let mut signers = std::mem::take(&mut state.signers);
            self.arch.dispatch(Negotiation {
                register: Register::of(self, state, position),
                contacted: &contacted[at.clone()],
                probability: &probability[at.clone()],
                first: months.start,
                declining: &mut declining[at],
                signers: &mut signers,
                signed: &mut signed,
            });
            (state.contacted, state.declining) = (contacted, declining);
            (state.sign_probability, state.signed) = (probability, signed);
            state.signers = signers;
        }
    }

    fn negotiates_one_by_one(&self, position: usize) -> bool {
        let extras = self.segments[position].extras.as_deref();
        extras.is_some_and(|extras| !extras.stages.is_empty()) || !self.vouchers.is_empty()
    }

    /// Whether nothing that is yet to happen in a trial changes who of a segment is contacted and signs.
    fn foresees(&self, position: usize) -> bool {
        let segment = &self.segments[position];
        let outreach = (segment.extras.as_ref()).and_then(|extras| extras.outreach.as_ref());
        !self.expects_own
            && self.regimes.is_empty()
            && segment.allocation != Allocation::Cohort
            && !self.negotiates_one_by_one(position)
            && outreach.is_none_or(|outreach| outreach.scarcity.is_none())
    }

    /// A company contacted at `contact` months signs or does not, after this share of a lag.
    pub(super) fn negotiate(
        &self,
        state: &mut MarketState,
        position: usize,
        contact: f64,
        lag_share: f64,
    ) {
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
            if segment.extras.is_some() {
                self.leave_funnel(state, position, passed, lag_share);
            } else {
                self.note_decline(state, position, contact);
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
    pub(super) fn sign(
        &self,
        state: &mut MarketState,
        position: usize,
        signed: f64,
        ready: Option<f64>,
        size_factor: f64,
    ) -> i64 {
        self.arch.dispatch(Signing {
            register: &mut Register::of(self, state, position),
            signed: &[signed],
            manner: Manner { ready, size_factor },
        })
    }
}

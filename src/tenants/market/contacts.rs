//! From outreach to lists of companies: month by month or, where nothing on the way can change it, for all months at once.
//!
//! How many sign in a month is one number by inversion; each of them has an index in its month.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::Market;
use super::counts::MonthCounts;
use super::draft::{ALL_DRAWN, Draft, NOBODY, Origin};
use super::state::MarketState;
use super::words::{Key, open_unit};
use crate::tenants::Allocation;

impl Market {
    /// Contacts companies in some months, and lets them sign or not.
    pub(super) fn contact(&self, state: &mut MarketState, position: usize, months: Range<usize>) {
        let segment = &self.segments[position];
        if segment.allocation == Allocation::Cohort {
            for month in months {
                let mean = self.outreach_of(state, position, month);
                let stream = segment
                    .arrivals
                    .stream_at(state.seed, state.trial, month as u64);
                let contacted = { stream }.poisson(mean);
                state.flow[self.months_of(position) + month].contacted = contacted as u32;
                self.gather_cohort(state, position, month, contacted);
            }
            return;
        }
        self.count_months(state, position, months.clone());
        self.sign_list(state, position, Origin::Outreach, months, ALL_DRAWN);
    }

    /// Companies expected to be contacted in a month.
    fn outreach_of(&self, state: &mut MarketState, position: usize, month: usize) -> f64 {
        let rates = &mut state.segments[position].rates;
        let trend = rates.outreach;
        rates.outreach *= rates.outreach_growth;
        if self.segments[position].extras.is_some() || !self.regimes.is_empty() {
            return self.wanted_outreach(state, position, month, trend);
        }
        trend
    }

    /// How many are contacted in some months, and how many of them are listed as those who sign, or may.
    ///
    /// Of a Poisson number of companies of which each signs with the same probability, those who sign and those who do
    /// not are independent Poisson numbers.
    fn count_months(&self, state: &mut MarketState, position: usize, months: Range<usize>) {
        let mut draft = state.draft.take().unwrap_or_default();
        draft.counts.clear();
        let has_stages = self.has_stages(position);
        let voucher = self.best_voucher(state, position);
        for month in months.clone() {
            let mean = self.outreach_of(state, position, month);
            // The probability with which a company is listed: that of signing, or the greatest that it may have.
            let of_segment = &state.segments[position];
            let plain = of_segment.rates.sign_probability * of_segment.sign_factors[month];
            let listed = if has_stages {
                1.0
            } else {
                (plain * voucher).min(1.0)
            };
            draft.listed_share = listed;
            draft.counts.means.push(mean * listed);
            if state.wanted.contacts {
                draft.counts.declining_means.push(mean * (1.0 - listed));
            }
        }
        self.arch.dispatch(Counting {
            counts: &mut draft.counts,
            key: &state.segments[position].count_key,
            trial: state.trial,
            first: months.start,
        });
        let at = self.months_of(position) + months.start;
        let counts = draft.counts.listed.iter().zip(&draft.counts.declined);
        for (flow, (&listed, &declined)) in state.flow[at..].iter_mut().zip(counts) {
            flow.contacted += listed + declined;
            flow.declining += declined;
        }
        state.draft = Some(draft);
    }

    fn has_stages(&self, position: usize) -> bool {
        let extras = self.segments[position].extras.as_deref();
        extras.is_some_and(|extras| !extras.stages.is_empty())
    }

    /// Whether a company that is listed need not sign.
    pub(super) fn decides_one_by_one(&self, position: usize) -> bool {
        self.has_stages(position)
            || self
                .vouchers
                .iter()
                .any(|voucher| voucher.touches[position])
    }

    /// Whether nothing later in a trial changes who of a segment is contacted and signs.
    pub(super) fn foresees(&self, position: usize) -> bool {
        let segment = &self.segments[position];
        let outreach = (segment.extras.as_ref()).and_then(|extras| extras.outreach.as_ref());
        !self.expects_own
            && !self
                .vouchers
                .iter()
                .any(|voucher| voucher.touches[position])
            && segment.allocation != Allocation::Cohort
            && outreach.is_none_or(|outreach| outreach.scarcity.is_none())
    }

    /// Lets each of those listed sign, after its stages and by its voucher, or not: then it is nobody. Their times of
    /// contact become those of their signatures.
    pub(super) fn decide(
        &self,
        state: &mut MarketState,
        draft: &mut Draft,
        position: usize,
        is_waiting: bool,
    ) {
        let segment = &self.segments[position];
        let waiting = f64::from(segment.existing.negotiating);
        let probability = state.segments[position].rates.sign_probability;
        let listed = if is_waiting { 1.0 } else { draft.listed_share };
        for number in 0..draft.len {
            let contact = draft.signed[number];
            if contact >= NOBODY {
                continue;
            }
            let words = draft.place(number);
            // A company that had been contacted before the start has a uniform share of its lags left.
            let lag_share = if is_waiting {
                (f64::from(words.number()) + 0.5) / waiting
            } else {
                1.0
            };
            let contact = f64::from(contact);
            draft.signed[number] = NOBODY;
            let passed = if self.has_stages(position) {
                self.pass_stages(state, position, words, contact, lag_share)
            } else {
                Some(contact)
            };
            let Some(passed) = passed else {
                continue;
            };
            let voucher = self.voucher_for(state, position);
            let factor = voucher.map_or(1.0, |voucher| state.funnel.budgets[voucher].sign_factor);
            // Campaigns and regimes do not reach those who had been contacted before the start.
            let plain = match is_waiting {
                true => probability,
                false => probability * self.sign_factor(state, position, contact),
            };
            let lag = lag_share * f64::from(draft.sign_lag[number]);
            if open_unit(draft.consent[number]) * listed >= plain * factor {
                self.leave_funnel(state, position, passed, lag);
                continue;
            }
            let signed = passed + lag;
            self.note_signature(state, position, signed);
            draft.signed[number] = signed as f32;
            draft.factor[number] = 1.0;
            if let Some(voucher) = voucher {
                let factor = state.funnel.budgets[voucher].size_factor;
                draft.factor[number] = factor as f32;
                let kw = self.size_kw(
                    state,
                    position,
                    draft.amount[number] * factor as f32,
                    signed,
                );
                self.grant(state, voucher, position, contact, kw);
            }
        }
    }

    /// What the probability of signing is multiplied by for a company contacted at a moment of the trial, in months.
    fn sign_factor(&self, state: &MarketState, position: usize, contact: f64) -> f64 {
        let month = (contact as usize).min(self.months - 1);
        state.segments[position].sign_factors[month]
    }

    /// The size of a contract of that amount, in kW.
    fn size_kw(&self, state: &MarketState, position: usize, amount: f32, signed: f64) -> f64 {
        let segment = &self.segments[position];
        let mut amount = amount;
        if segment.is_in_pflops() {
            let month = (signed as usize).min(self.months - 1);
            amount *= state.kw_per_pflops[position * self.months + month] as f32;
        }
        segment.contract_kw(amount)
    }
}

/// Counts of some months, as [`Signing`].
struct Counting<'a> {
    counts: &'a mut MonthCounts,
    key: &'a Key,
    trial: u64,
    first: usize,
}

impl WithSimd for Counting<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.counts.draw(self.key, self.trial, self.first);
    }
}

//! From outreach to signed contracts, month by month.

use super::compiled::CompiledSegment;
use super::extras::{ContractExtra, TermsLuck, draw_terms};
use super::luck::{Luck, Offers, Terms};
use super::state::{Contract, MarketState, Rates, Signature};
use super::{Market, NEVER, month_at, units};
use crate::tenants::Allocation;
use crate::tenants::buckets::Buckets;

/// What a segment's signatures change in the state of the market, at hand for many of them in a row.
struct Register<'a> {
    market: &'a Market,
    segment: &'a CompiledSegment,
    rates: &'a Rates,
    offers: &'a mut Offers,
    terms: &'a mut Terms,
    position: usize,
    is_pooled: bool,
    signing: &'a mut [u32],
    signing_units: &'a mut [i64],
    establishing: &'a mut [u32],
    kw_per_pflops: &'a [f64],
    contracts: &'a mut Vec<Contract>,
    ready: &'a mut Buckets,
    extra: &'a mut Vec<ContractExtra>,
    terms_luck: Option<&'a mut TermsLuck>,
}

impl<'a> Register<'a> {
    fn of(market: &'a Market, state: &'a mut MarketState, position: usize) -> Self {
        let segment = &market.segments[position];
        let Luck { offers, terms, .. } = &mut state.luck[position];
        Self {
            market,
            segment,
            rates: &state.rates[position],
            offers,
            terms,
            position,
            is_pooled: segment.allocation.is_pooled(),
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

    /// A company signs at `signed` months, and wants to move in at `ready` or after its lag; its
    /// size in units.
    #[inline(always)]
    fn sign(&mut self, signed: f64, ready: Option<f64>, size_factor: f64) -> i64 {
        let segment = self.segment;
        let offer = self.offers.next(segment, self.rates);
        let size = match &segment.extras {
            Some(extras) if extras.hardware.is_some() => {
                let month = month_at(signed.max(0.0)).min(self.market.months - 1);
                let kw_per_pflops = self.kw_per_pflops[self.position * self.market.months + month];
                let kw = offer.amount * size_factor * kw_per_pflops;
                units(kw.min(segment.largest_kw)).max(1)
            }
            _ if size_factor != 1.0 => segment.contract_units(offer.amount * size_factor),
            _ => offer.units,
        };
        let place = self.place(signed);
        self.signing[place] += 1;
        if self.rates.subsidiary_probability > 0.0 {
            let place = self.place(signed + offer.founding_lag);
            self.establishing[place] += 1;
        }
        self.add(Signature {
            size,
            signed,
            ready: ready.unwrap_or(signed + offer.move_in_lag),
            ramp: None,
        });
        size
    }

    /// Adds a contract as it is signed.
    #[inline(always)]
    fn add(&mut self, signature: Signature) {
        let Signature {
            size,
            signed,
            ready,
            ramp,
        } = signature;
        let place = self.place(signed);
        self.signing_units[place] += size;
        let agreed = self.terms.next(self.segment, self.rates);
        let mut stay = agreed.stay;
        if self.market.keeps_extras {
            // Drawn for all, so that the next contract's luck stays its own.
            let terms = self
                .segment
                .extras
                .as_deref()
                .zip(self.terms_luck.as_deref_mut());
            let extra = draw_terms(terms, size, &agreed, &mut stay);
            if ready < self.market.months as f64 {
                self.extra.push(ContractExtra {
                    // What was signed before the start counts from its first month on.
                    signed: signed as u32,
                    patience: agreed.patience.ceil() as u32,
                    ..extra
                });
            }
        }
        let month = month_at(ready);
        if month >= self.market.months {
            return;
        }
        self.ready.push(month, self.contracts.len() as u32);
        self.contracts.push(Contract {
            size,
            left: size,
            segment: self.position as u32,
            ready: month as u32,
            stay,
            ramp: ramp.unwrap_or(agreed.ramp),
            leaves: NEVER,
            gives_up: if self.is_pooled {
                NEVER
            } else {
                (ready + agreed.patience) as u32
            },
        });
    }
}

impl Market {
    /// Adds a contract as it is signed.
    pub(super) fn add_contract(
        &self,
        state: &mut MarketState,
        position: usize,
        signature: Signature,
    ) {
        Register::of(self, state, position).add(signature);
    }

    pub(super) fn reach_out(&self, state: &mut MarketState, seed: u64, trial: u64, month: usize) {
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
                self.negotiate_all(state, position, month, contacted);
            }
            let at = position * self.months + month;
            let counts = &mut state.counts[position];
            counts.signed += u64::from(state.signing[at]);
            counts.subsidiaries += u64::from(state.establishing[at]);
            counts.declined += u64::from(state.declining[at]);
            state.pending[position] += state.signing_units[at];
        }
    }

    /// Lets all who are contacted in a month, evenly spread over it, sign or not.
    fn negotiate_all(
        &self,
        state: &mut MarketState,
        position: usize,
        month: usize,
        contacted: u64,
    ) {
        let segment = &self.segments[position];
        let contact = |number: f64| month as f64 + (number + 0.5) / contacted as f64;
        let has_stages = (segment.extras.as_ref()).is_some_and(|extras| !extras.stages.is_empty());
        if has_stages || !self.vouchers.is_empty() {
            for number in 0..contacted {
                self.negotiate(state, position, contact(number as f64), 1.0);
            }
            return;
        }
        // Those who do not sign are but counted.
        let rates = &state.rates[position];
        let probability = rates.sign_probability * rates.sign_factor;
        let mut signers = std::mem::take(&mut state.signers);
        let luck = &mut state.luck[position];
        luck.signing
            .pick(contacted as usize, probability, &mut signers);
        state.declining[position * self.months + month] += contacted as u32 - signers.len() as u32;
        let mut signed = std::mem::take(&mut state.signed);
        let lags = &mut state.luck[position].sign_lag;
        signed.clear();
        signed.extend(
            signers
                .iter()
                .map(|&number| contact(f64::from(number)) + lags.next(&segment.sign_lag)),
        );
        let mut register = Register::of(self, state, position);
        for &signed in &signed {
            register.sign(signed, None, 1.0);
        }
        state.signed = signed;
        state.signers = signers;
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

    /// A company signs: [`Register::sign`].
    pub(super) fn sign(
        &self,
        state: &mut MarketState,
        position: usize,
        signed: f64,
        ready: Option<f64>,
        size_factor: f64,
    ) -> i64 {
        Register::of(self, state, position).sign(signed, ready, size_factor)
    }
}

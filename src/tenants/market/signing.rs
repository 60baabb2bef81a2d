//! From outreach to signed contracts, month by month.

use super::compiled::CompiledSegment;
use super::extras::ContractExtra;
use super::state::{Contract, MarketState, Signature};
use super::{Market, NEVER, units};
use crate::tenants::Allocation;

/// As many contracts at most are drawn together: a list for each quantity, so that the state of
/// its stream stays at hand.
const TOGETHER: usize = 32;

impl Market {
    /// Adds a contract as it is signed.
    pub(super) fn add_contract(
        &self,
        state: &mut MarketState,
        position: usize,
        signature: Signature,
    ) {
        let Signature {
            size,
            signed,
            ready,
            ramp,
        } = signature;
        self.add_contracts(state, position, &[size], &[signed], &[ready], ramp);
    }

    /// Adds up to [`TOGETHER`] contracts in the order of their signing: sizes, when they are signed, and when they
    /// want to move in; and the months of their ramp, if these are not drawn.
    fn add_contracts(
        &self,
        state: &mut MarketState,
        position: usize,
        sizes: &[i64],
        signed: &[f64],
        ready: &[f64],
        ramp: Option<u32>,
    ) {
        let segment = &self.segments[position];
        let months = self.months as f64;
        let of_months = position * self.months..(position + 1) * self.months;
        let signing_units = &mut state.signing_units[of_months];
        for (&size, &signed) in sizes.iter().zip(signed) {
            // What was signed before the start counts from its first month on.
            if let Some(units) = signing_units.get_mut(signed as usize) {
                *units += size;
            }
        }
        let luck = &mut state.luck[position];
        let mut lists = [[0.0; TOGETHER]; 4];
        let [ramps, terms, stays, patiences] =
            lists.each_mut().map(|list| &mut list[..sizes.len()]);
        luck.ramp.fill(&segment.ramp, ramps);
        luck.term.fill(&segment.term, terms);
        luck.stay.fill(stays);
        match &segment.patience {
            Some(patience) => luck.patience.fill(patience, patiences),
            None => patiences.fill(f64::INFINITY),
        }
        let ln_stay = state.rates[position].ln_stay;
        let is_pooled = segment.allocation.is_pooled();
        for number in 0..sizes.len() {
            let (size, ready, term) = (sizes[number], ready[number], terms[number]);
            if ready >= months {
                if self.keeps_extras {
                    self.skip_terms(state, position);
                }
                continue;
            }
            let mut stay = CompiledSegment::stay_months(term, stays[number], ln_stay);
            let item = state.contracts.len() as u32;
            if self.keeps_extras {
                let extra = self.draw_terms(state, position, size, term, stays[number], &mut stay);
                state.extra.push(ContractExtra {
                    signed: signed[number] as u32,
                    patience: patiences[number].ceil() as u32,
                    ..extra
                });
            }
            let drawn_ramp = (ramps[number] + 0.5).clamp(1.0, 1e6) as u32;
            state.contracts.push(Contract {
                size,
                left: size,
                segment: position as u32,
                ready: ready as u32,
                stay,
                ramp: ramp.unwrap_or(drawn_ramp),
                leaves: NEVER,
                gives_up: if is_pooled {
                    NEVER
                } else {
                    (ready + patiences[number]) as u32
                },
            });
            state.ready.push(ready as usize, item);
        }
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
        for some in signers.chunks(TOGETHER) {
            let mut signed = [0.0; TOGETHER];
            let signed = &mut signed[..some.len()];
            let luck = &mut state.luck[position];
            luck.sign_lag.fill(&segment.sign_lag, signed);
            for (signed, &number) in signed.iter_mut().zip(some) {
                *signed += contact(f64::from(number));
            }
            self.sign_all(state, position, signed, None, 1.0);
        }
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
        self.sign_all(state, position, &[signed], ready, size_factor)
    }

    /// Lets up to [`TOGETHER`] companies sign as [`Self::sign`] does; the size of the last.
    fn sign_all(
        &self,
        state: &mut MarketState,
        position: usize,
        signed: &[f64],
        ready: Option<f64>,
        size_factor: f64,
    ) -> i64 {
        let segment = &self.segments[position];
        let subsidiary_probability = state.rates[position].subsidiary_probability;
        let of_months = position * self.months..(position + 1) * self.months;
        let count = signed.len();
        let luck = &mut state.luck[position];
        let mut lists = [[0.0; TOGETHER]; 3];
        let [drawn, readies, lags] = lists.each_mut().map(|list| &mut list[..count]);
        let mut sizes = [0; TOGETHER];
        let sizes = &mut sizes[..count];
        luck.size.fill(&segment.size, drawn);
        match &segment.extras {
            Some(extras) if extras.hardware.is_some() => {
                let kw_per_pflops = &state.kw_per_pflops[of_months.clone()];
                for ((size, &drawn), &signed) in sizes.iter_mut().zip(&*drawn).zip(signed) {
                    let month = (signed.max(0.0) as usize).min(self.months - 1);
                    let kw = drawn * size_factor * kw_per_pflops[month];
                    *size = units(kw.min(segment.largest_kw)).max(1);
                }
            }
            _ => {
                for (size, &drawn) in sizes.iter_mut().zip(&*drawn) {
                    *size = segment.contract_units(drawn * size_factor);
                }
            }
        }
        luck.move_in_lag.fill(&segment.move_in_lag, readies);
        for (lag, &signed) in readies.iter_mut().zip(signed) {
            *lag = ready.unwrap_or(signed + *lag);
        }
        luck.subsidiary.fill(drawn);
        luck.subsidiary_lag.fill(&segment.subsidiary_lag, lags);
        let signing = &mut state.signing[of_months.clone()];
        let establishing = &mut state.establishing[of_months];
        for ((&signed, &luck), &lag) in signed.iter().zip(&*drawn).zip(&*lags) {
            if let Some(number) = signing.get_mut(signed as usize) {
                *number += 1;
            }
            if luck < subsidiary_probability
                && let Some(number) = establishing.get_mut((signed + lag) as usize)
            {
                *number += 1;
            }
        }
        self.add_contracts(state, position, sizes, signed, readies, None);
        sizes[count - 1]
    }
}

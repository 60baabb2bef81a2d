//! From outreach to signed contracts, month by month.

use super::extras::ContractExtra;
use super::state::{Contract, MarketState, Signature};
use super::{Market, NEVER, units};
use crate::tenants::Allocation;

impl Market {
    /// Adds a contract as it is signed.
    #[inline]
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
        let segment = &self.segments[position];
        let months = self.months as f64;
        let agreed = state.luck[position].terms.next(segment, &state.rates[position]);
        state.signing_units[self.month_of(position, signed)] += size;
        if ready >= months {
            if self.keeps_extras {
                self.skip_terms(state, position);
            }
            return;
        }
        let mut stay = agreed.stay;
        let item = state.contracts.len() as u32;
        if self.keeps_extras {
            let extra = self.draw_terms(state, position, size, &agreed, &mut stay);
            state.extra.push(ContractExtra {
                // What was signed before the start counts from its first month on.
                signed: signed as u32,
                patience: agreed.patience.ceil() as u32,
                ..extra
            });
        }
        state.contracts.push(Contract {
            size,
            left: size,
            segment: position as u32,
            ready: ready as u32,
            stay,
            ramp: ramp.unwrap_or(agreed.ramp),
            leaves: NEVER,
            gives_up: if segment.allocation.is_pooled() {
                NEVER
            } else {
                (ready + agreed.patience) as u32
            },
        });
        state.ready[position].push(ready as usize, item);
    }

    /// Where a month of a segment is in lists by segment and month: the place behind them all if it is beyond the
    /// horizon. Without a branch where it is a matter of chance.
    #[inline]
    fn month_of(&self, position: usize, months: f64) -> usize {
        let month = months as usize;
        if month < self.months {
            position * self.months + month
        } else {
            self.segments.len() * self.months
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
        for &number in &signers {
            let lag = state.luck[position].sign_lag.next(&segment.sign_lag);
            self.sign(state, position, contact(f64::from(number)) + lag, None, 1.0);
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
    #[inline]
    pub(super) fn sign(
        &self,
        state: &mut MarketState,
        position: usize,
        signed: f64,
        ready: Option<f64>,
        size_factor: f64,
    ) -> i64 {
        let segment = &self.segments[position];
        let offer = state.luck[position].offers.next(segment, &state.rates[position]);
        let size = match &segment.extras {
            Some(extras) if extras.hardware.is_some() => {
                let month = (signed.max(0.0) as usize).min(self.months - 1);
                let kw_per_pflops = state.kw_per_pflops[position * self.months + month];
                let kw = offer.amount * size_factor * kw_per_pflops;
                units(kw.min(segment.largest_kw)).max(1)
            }
            _ if size_factor != 1.0 => segment.contract_units(offer.amount * size_factor),
            _ => offer.units,
        };
        state.signing[self.month_of(position, signed)] += 1;
        state.establishing[self.month_of(position, signed + offer.founding_lag)] += 1;
        let signature = Signature {
            size,
            signed,
            ready: ready.unwrap_or(signed + offer.move_in_lag),
            ramp: None,
        };
        self.add_contract(state, position, signature);
        size
    }
}

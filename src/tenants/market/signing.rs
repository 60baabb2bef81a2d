//! From outreach to signed contracts, month by month.

use super::compiled::CompiledSegment;
use super::extras::ContractExtra;
use super::state::{Contract, MarketState, Signature};
use super::{Market, NEVER, units};
use crate::tenants::Allocation;

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
    pub(super) fn sign(
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
}

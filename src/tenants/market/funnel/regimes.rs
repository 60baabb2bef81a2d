//! States of the market that segments share.

use super::touched;
use crate::sampling::inputs::{Inputs, Quantity};
use crate::sampling::streams::Source;
use crate::tenants::Regime;
use crate::tenants::market::{Market, MarketState, refill};
use crate::tenants::outreach::MEAN_MONTHS;
use crate::uncertain::{Domain, Uncertain, UncertainError};

#[derive(Clone, Debug)]
pub(in crate::tenants::market) struct CompiledRegime {
    source: Source,
    /// By segment.
    pub(in crate::tenants::market) touches: Vec<bool>,
    states: Vec<CompiledRegimeState>,
}

#[derive(Clone, Debug)]
struct CompiledRegimeState {
    mean_months: Option<Quantity>,
    then: Vec<usize>,
    outreach: Quantity,
    sign: Quantity,
    price: Quantity,
}

/// A regime in a trial.
#[derive(Clone, Debug, Default)]
pub(in crate::tenants::market) struct RegimeInTrial {
    /// By month.
    pub(super) states: Vec<usize>,
    /// By state: the probability of ending in a month, and the factors of outreach, signing and prices.
    pub(super) factors: Vec<[f64; 4]>,
}

pub(in crate::tenants::market) fn compile_regimes(
    regimes: &[Regime],
    segments: &[&str],
    inputs: &mut Inputs,
) -> Result<Vec<CompiledRegime>, UncertainError> {
    let mut compiled = Vec::with_capacity(regimes.len());
    for regime in regimes {
        let mut states = Vec::with_capacity(regime.states.len());
        for (position, state) in regime.states.iter().enumerate() {
            let mut add = |what: &str, quantity: &Uncertain, domain| {
                let name = format!("regimes/{}/{}/{what}", regime.name, state.name);
                inputs.add(name, quantity, domain)
            };
            let then = (0..regime.states.len())
                .filter(|&next| match state.then.is_empty() {
                    true => next != position,
                    false => state.then.contains(&regime.states[next].name),
                })
                .collect();
            states.push(CompiledRegimeState {
                mean_months: match &state.mean_months {
                    Some(mean) => Some(add("mean months", mean, MEAN_MONTHS)?),
                    None => None,
                },
                then,
                outreach: add(
                    "outreach factor",
                    &state.outreach_factor,
                    Domain::NON_NEGATIVE,
                )?,
                sign: add("sign factor", &state.sign_factor, Domain::NON_NEGATIVE)?,
                price: add("price factor", &state.price_factor, Domain::NON_NEGATIVE)?,
            });
        }
        compiled.push(CompiledRegime {
            source: Source::named(&format!("regimes/{}", regime.name)),
            touches: touched(&regime.segments, segments),
            states,
        });
    }
    Ok(compiled)
}

impl Market {
    pub(in crate::tenants::market) fn reset_regimes(&self, state: &mut MarketState, drawn: &[f64]) {
        (state.funnel.regimes).resize_with(self.regimes.len(), RegimeInTrial::default);
        for (regime, current) in self.regimes.iter().zip(&mut state.funnel.regimes) {
            current.factors.clear();
            current.factors.extend(regime.states.iter().map(|one| {
                let ends = one.mean_months.map_or(0.0, |mean| 1.0 / mean.value(drawn));
                [
                    ends,
                    one.outreach.value(drawn),
                    one.sign.value(drawn),
                    one.price.value(drawn),
                ]
            }));
        }
        if !self.regimes.is_empty() {
            let length = self.segments.len() * self.months;
            refill(&mut state.funnel.price_factors, length, 1.0);
        }
        self.draw_regimes(state);
    }

    /// Draws the states of regimes in all months: they switch at the beginning of a month, whatever else happens.
    fn draw_regimes(&self, state: &mut MarketState) {
        let (seed, trial) = (state.seed, state.trial);
        for (regime, current) in self.regimes.iter().zip(&mut state.funnel.regimes) {
            let mut now = 0;
            current.states.clear();
            for month in 0..self.months {
                let ends = current.factors[now][0];
                let then = &regime.states[now].then;
                if month > 0 && !then.is_empty() {
                    let level = regime.source.uniform_at(seed, trial, month as u64);
                    if level < ends {
                        // Given that it is below `ends`, level / ends is uniform again.
                        let choice = (level / ends * then.len() as f64) as usize;
                        now = then[choice.min(then.len() - 1)];
                    }
                }
                current.states.push(now);
            }
        }
    }
}

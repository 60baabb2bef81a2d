//! Commitments between contact and signature: stages with their lags and deposits.

use super::CONTACTED;
use crate::sampling::inputs::{Inputs, Quantity};
use crate::tenants::Stage;
use crate::tenants::market::draft::WordPlace;
use crate::tenants::market::quantiles::Varying;
use crate::tenants::market::words::open_unit;
use crate::tenants::market::{Market, MarketState, refill};
use crate::uncertain::{Domain, UncertainError};

/// The words of a company's stages are those of this purpose and the next ones.
const FIRST_STAGE: u32 = 16;

#[derive(Clone, Debug)]
pub(in crate::tenants::market) struct CompiledStage {
    /// Its position among the stages of all segments.
    place: usize,
    probability: Quantity,
    lag: Varying,
    deposit: Quantity,
    forfeited_share: Quantity,
}

/// A stage in a trial.
#[derive(Clone, Debug)]
pub(in crate::tenants::market) struct StageInTrial {
    probability: f64,
    deposit: f64,
    forfeited_share: f64,
}

/// Deposits of a month.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct DepositMonth {
    pub(crate) taken: f64,
    /// No longer held: paid back, credited or forfeited.
    pub(crate) released: f64,
    /// Of that, forfeited.
    pub(crate) forfeited: f64,
}

impl CompiledStage {
    fn has_deposit(&self) -> bool {
        self.deposit != Quantity::Fixed(0.0)
    }

    pub(in crate::tenants::market) fn compile(
        segment: &str,
        stage: &Stage,
        known: &mut Vec<String>,
        inputs: &mut Inputs,
    ) -> Result<Self, UncertainError> {
        if known.is_empty() {
            known.push(CONTACTED.to_owned());
        }
        let place = match known.iter().position(|name| *name == stage.name) {
            Some(place) => place,
            None => {
                known.push(stage.name.clone());
                known.len() - 1
            }
        };
        let name = format!("tenants/{segment}/stage {}", stage.name);
        let (mut deposit, mut forfeited_share) = (Quantity::Fixed(0.0), Quantity::Fixed(0.0));
        if let Some(stated) = &stage.deposit {
            let input = format!("{name}/deposit");
            deposit = inputs.add(input, &stated.amount, Domain::NON_NEGATIVE)?;
            let input = format!("{name}/forfeited share");
            forfeited_share = inputs.add(input, &stated.forfeited_share, Domain::SHARE)?;
        }
        Ok(Self {
            deposit,
            forfeited_share,
            place,
            lag: Varying::new(
                segment,
                &format!("stage {}/lag", stage.name),
                &stage.lag_months,
                Domain::NON_NEGATIVE,
            )?,
            probability: inputs.add(name, &stage.reach_probability, Domain::SHARE)?,
        })
    }
}

impl Market {
    pub(in crate::tenants::market) fn reset_stages(&self, state: &mut MarketState, drawn: &[f64]) {
        state.funnel.deposits.clear();
        if self.stages.is_empty() {
            return;
        }
        let (places, months) = (self.campuses() * self.stages.len(), self.months);
        refill(&mut state.funnel.stage_changes, places * months, 0);
        refill(&mut state.funnel.at_stage, places, 0);
        (state.funnel.stages).resize_with(self.segments.len(), Vec::new);
        for (segment, of_trial) in self.segments.iter().zip(&mut state.funnel.stages) {
            let stages = segment.extras.iter().flat_map(|extras| &extras.stages);
            of_trial.clear();
            of_trial.extend(stages.map(|stage| StageInTrial {
                probability: stage.probability.value(drawn),
                deposit: stage.deposit.value(drawn),
                forfeited_share: stage.forfeited_share.value(drawn),
            }));
        }
        if self.has_extras(|extras| extras.stages.iter().any(CompiledStage::has_deposit)) {
            let length = self.campuses() * months;
            refill(&mut state.funnel.deposits, length, DepositMonth::default());
        }
    }

    fn move_stage(
        &self,
        state: &mut MarketState,
        position: usize,
        stage: usize,
        months: f64,
        by: i32,
    ) {
        if months < self.months as f64 {
            let campus = self.segments[position].home;
            let place = campus * self.stages.len() + stage;
            state.funnel.stage_changes[place * self.months + months.max(0.0) as usize] += by;
        }
    }

    /// Takes a company through the stages: when it came to the last of them, if it did.
    pub(in crate::tenants::market) fn pass_stages(
        &self,
        state: &mut MarketState,
        position: usize,
        place: WordPlace,
        contact: f64,
        lag_share: f64,
    ) -> Option<f64> {
        let stages = self.segments[position]
            .extras
            .iter()
            .flat_map(|extras| &extras.stages);
        let mut now = contact;
        let mut at = 0;
        self.move_stage(state, position, at, now, 1);
        for (number, stage) in stages.enumerate() {
            let key = &state.segments[position].contract_key;
            let [reached, lag] = place.words(key, state.trial, FIRST_STAGE + number as u32);
            let reached = open_unit(reached) < state.funnel.stages[position][number].probability;
            let lag = lag_share * stage.lag.at(lag);
            now += lag;
            self.move_stage(state, position, at, now, -1);
            if reached {
                at = stage.place;
                self.move_stage(state, position, at, now, 1);
                self.take_deposit(state, position, number, now);
            } else {
                self.release_deposits(state, position, number, now, true);
                self.note_decline(state, position, now);
                return None;
            }
        }
        Some(now)
    }

    fn deposits_of<'a>(
        &self,
        state: &'a mut MarketState,
        position: usize,
        months: f64,
    ) -> Option<&'a mut DepositMonth> {
        if months >= self.months as f64 {
            return None;
        }
        let first = self.segments[position].home * self.months;
        let month = months.max(0.0) as usize;
        state.funnel.deposits.get_mut(first + month)
    }

    fn take_deposit(&self, state: &mut MarketState, position: usize, stage: usize, months: f64) {
        let amount = state.funnel.stages[position][stage].deposit;
        if let Some(of_month) = self.deposits_of(state, position, months) {
            of_month.taken += amount;
        }
    }

    /// A company that has come through this many stages signs, or decides against it.
    fn release_deposits(
        &self,
        state: &mut MarketState,
        position: usize,
        stages: usize,
        months: f64,
        declines: bool,
    ) {
        if state.funnel.deposits.is_empty() {
            return;
        }
        let passed = &state.funnel.stages[position][..stages];
        let held: f64 = passed.iter().map(|stage| stage.deposit).sum();
        let forfeited: f64 = passed
            .iter()
            .map(|stage| stage.deposit * stage.forfeited_share)
            .sum();
        if let Some(of_month) = self.deposits_of(state, position, months) {
            of_month.released += held;
            if declines {
                of_month.forfeited += forfeited;
            }
        }
    }

    /// Counts a company that has decided against signing from that month on.
    pub(in crate::tenants::market) fn note_decline(
        &self,
        state: &mut MarketState,
        position: usize,
        months: f64,
    ) {
        if months < self.months as f64 {
            state.flow[self.months_of(position) + months.max(0.0) as usize].declining += 1;
        }
    }

    fn last_stage(&self, position: usize) -> Option<usize> {
        let extras = self.segments[position].extras.as_ref()?;
        Some(extras.stages.last()?.place)
    }

    /// A company that came to the last stage, if there is one, at `passed` months decides against signing: with stages
    /// after its lag.
    pub(in crate::tenants::market) fn leave_funnel(
        &self,
        state: &mut MarketState,
        position: usize,
        passed: f64,
        lag: f64,
    ) {
        let mut decided = passed;
        if let Some(stage) = self.last_stage(position) {
            decided += lag;
            self.move_stage(state, position, stage, decided, -1);
            let stages = state.funnel.stages[position].len();
            self.release_deposits(state, position, stages, decided, true);
        }
        self.note_decline(state, position, decided);
    }

    /// A company at the last stage signs.
    pub(in crate::tenants::market) fn note_signature(
        &self,
        state: &mut MarketState,
        position: usize,
        signed: f64,
    ) {
        if let Some(stage) = self.last_stage(position) {
            self.move_stage(state, position, stage, signed, -1);
            let stages = state.funnel.stages[position].len();
            self.release_deposits(state, position, stages, signed, false);
        }
    }
}

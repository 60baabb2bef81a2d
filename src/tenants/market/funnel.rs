//! From outreach to signature: curves, campaigns, seasons, regimes, stages and vouchers.

mod outreach;
mod regimes;
mod stages;
mod vouchers;

use super::extras::Extras;
use super::{Market, MarketState};
use crate::projection::{Metric, TrialRow};
pub(super) use outreach::Outreach;
pub(super) use regimes::{CompiledRegime, RegimeInTrial, compile_regimes};
pub(crate) use stages::DepositMonth;
pub(super) use stages::{CompiledStage, StageInTrial};
pub(super) use vouchers::{CompiledVoucher, VoucherBudget, compile_vouchers};

/// The stage of a company that has only been contacted.
pub(crate) const CONTACTED: &str = "contacted";

/// The metric of companies at a stage.
pub(crate) fn stage_metric(stage: &str) -> String {
    format!("companies at stage {stage}")
}

/// The metric of what a voucher has granted.
pub(crate) fn voucher_metric(voucher: &str) -> String {
    format!("granted by {voucher}")
}

/// The funnel of a trial: what is planned for it, its stages, and what changes them.
#[derive(Clone, Debug, Default)]
pub(super) struct FunnelState {
    /// By segment and month: the outreach that is planned, and the factor of signing.
    planned: Vec<(f64, f64)>,
    /// By segment: by what scarcity multiplies the probability of signing, and that where nothing is free.
    pub(super) scarcity: Vec<(f64, f64)>,
    /// By segment and stage.
    stages: Vec<Vec<StageInTrial>>,
    regimes: Vec<RegimeInTrial>,
    pub(super) budgets: Vec<VoucherBudget>,
    /// By segment and month: what prices are multiplied by.
    pub(super) price_factors: Vec<f64>,
    /// By campus, stage and month: by how much the number of companies changes, and is.
    stage_changes: Vec<i32>,
    at_stage: Vec<i64>,
    /// By campus and month; empty without deposits.
    pub(super) deposits: Vec<DepositMonth>,
}

fn touched(wanted: &[String], names: &[&str]) -> Vec<bool> {
    names
        .iter()
        .map(|name| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name))
        .collect()
}

impl Market {
    fn campuses(&self) -> usize {
        self.pools.checked_div(self.pools_per_campus).unwrap_or(0)
    }

    /// Whether a segment has certain extras.
    fn has_extras(&self, what: impl Fn(&Extras) -> bool) -> bool {
        let mut extras = self
            .segments
            .iter()
            .filter_map(|segment| segment.extras.as_deref());
        extras.any(what)
    }

    pub(super) fn reset_funnel(&self, state: &mut MarketState, drawn: &[f64]) {
        self.reset_outreach(state, drawn);
        self.reset_stages(state, drawn);
        self.reset_regimes(state, drawn);
        self.reset_budgets(state, drawn);
    }

    /// Adds what it reports beyond the metrics of every scenario to a layout.
    pub(crate) fn extend_layout(&mut self, currency: &str, metrics: &mut Vec<Metric>) {
        self.first_metric = metrics.len();
        metrics.extend(self.stages.iter().map(|stage| Metric {
            name: stage_metric(stage),
            unit: "companies".to_owned(),
            meaning: format!(
                "Companies at the stage \"{stage}\" that have not decided about the next"
            ),
        }));
        metrics.extend(self.vouchers.iter().map(|voucher| Metric {
            name: voucher_metric(&voucher.name),
            unit: currency.to_owned(),
            meaning: format!(
                "Granted by the vouchers \"{}\" since the start",
                voucher.name
            ),
        }));
    }

    /// Writes what it reports beyond the metrics of every scenario.
    pub(crate) fn report(&self, state: &mut MarketState, month: usize, row: &mut TrialRow) {
        let campuses = self.campuses();
        let mut add = |campus: usize, metric: usize, value: f64| {
            row.monthly_mut(0, self.first_metric + metric)[month] += value;
            if campuses > 1 {
                row.monthly_mut(campus + 1, self.first_metric + metric)[month] += value;
            }
        };
        for campus in 0..campuses {
            for stage in 0..self.stages.len() {
                let place = campus * self.stages.len() + stage;
                let change = state.funnel.stage_changes[place * self.months + month];
                state.funnel.at_stage[place] += i64::from(change);
                add(campus, stage, state.funnel.at_stage[place] as f64);
            }
            for (voucher, budget) in state.funnel.budgets.iter_mut().enumerate() {
                budget.granted[campus] += budget.grants[campus * self.months + month];
                add(campus, self.stages.len() + voucher, budget.granted[campus]);
            }
        }
    }

    /// Whether it reports anything beyond the metrics of every scenario.
    pub(crate) fn reports_more(&self) -> bool {
        !self.stages.is_empty() || !self.vouchers.is_empty()
    }
}

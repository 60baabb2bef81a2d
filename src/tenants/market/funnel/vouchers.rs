//! Vouchers: budgets that make more companies sign, or for more, until they are spent.

use super::touched;
use crate::date::Date;
use crate::sampling::inputs::{Inputs, Quantity};
use crate::sampling::streams::Stream;
use crate::tenants::Voucher;
use crate::tenants::market::{Market, MarketState, refill};
use crate::uncertain::UncertainError;

#[derive(Clone, Debug)]
pub(in crate::tenants::market) struct CompiledVoucher {
    /// By segment.
    pub(in crate::tenants::market) touches: Vec<bool>,
    budget: Quantity,
    amount_per_kw: Quantity,
    sign: Quantity,
    size: Quantity,
    first: usize,
    years: usize,
    is_carried_over: bool,
    pub(super) name: String,
    pub(in crate::tenants::market) is_paid_by_operator: bool,
}

/// A voucher in a trial.
#[derive(Clone, Debug, Default)]
pub(in crate::tenants::market) struct VoucherBudget {
    left: f64,
    budget: f64,
    amount_per_kw: f64,
    pub(in crate::tenants::market) sign_factor: f64,
    pub(in crate::tenants::market) size_factor: f64,
    /// By campus and month; and by campus up to now.
    pub(in crate::tenants::market) grants: Vec<f64>,
    pub(in crate::tenants::market) granted: Vec<f64>,
}

pub(in crate::tenants::market) fn compile_vouchers(
    vouchers: &[Voucher],
    segments: &[&str],
    start: Date,
    inputs: &mut Inputs,
) -> Result<Vec<CompiledVoucher>, UncertainError> {
    vouchers
        .iter()
        .map(|voucher| {
            let name = format!("vouchers/{}", voucher.name);
            let fields = voucher.fields();
            let first = voucher.starts.map_or(0.0, |date| date.months_after(start));
            Ok(CompiledVoucher {
                touches: touched(&voucher.segments, segments),
                budget: inputs.register(&name, fields.budget_per_year())?,
                amount_per_kw: inputs.register(&name, fields.amount_per_kw())?,
                sign: inputs.register(&name, fields.sign_factor())?,
                size: inputs.register(&name, fields.size_factor())?,
                first: first.max(0.0) as usize,
                years: voucher.years.map_or(usize::MAX, |years| years as usize),
                is_carried_over: voucher.is_carried_over,
                name: voucher.name.clone(),
                is_paid_by_operator: voucher.is_paid_by_operator,
            })
        })
        .collect()
}

impl Market {
    pub(in crate::tenants::market) fn reset_budgets(&self, state: &mut MarketState, drawn: &[f64]) {
        (state.funnel.budgets).resize_with(self.vouchers.len(), VoucherBudget::default);
        for (voucher, budget) in self.vouchers.iter().zip(&mut state.funnel.budgets) {
            budget.budget = voucher.budget.value(drawn);
            budget.amount_per_kw = voucher.amount_per_kw.value(drawn);
            budget.sign_factor = voucher.sign.value(drawn);
            budget.size_factor = voucher.size.value(drawn);
            budget.left = 0.0;
            refill(&mut budget.grants, self.campuses() * self.months, 0.0);
            refill(&mut budget.granted, self.campuses(), 0.0);
        }
    }

    /// Gives vouchers their budgets of the year at its beginning.
    pub(in crate::tenants::market) fn fill_budgets(&self, state: &mut MarketState, month: usize) {
        for (voucher, budget) in self.vouchers.iter().zip(&mut state.funnel.budgets) {
            match Self::year_since(month, voucher.first) {
                Some((year, _)) if year >= voucher.years => budget.left = 0.0,
                Some((_, true)) if voucher.is_carried_over => budget.left += budget.budget,
                Some((_, true)) => budget.left = budget.budget,
                _ => {}
            }
        }
    }

    /// The first voucher with budget left for a segment.
    pub(in crate::tenants::market) fn voucher_for(
        &self,
        state: &MarketState,
        position: usize,
    ) -> Option<usize> {
        (self.vouchers.iter().zip(&state.funnel.budgets))
            .position(|(voucher, budget)| voucher.touches[position] && budget.left > 0.0)
    }

    /// The greatest factor of signing among the vouchers with budget left for a segment; 1 without one.
    pub(in crate::tenants::market) fn best_voucher(
        &self,
        state: &MarketState,
        position: usize,
    ) -> f64 {
        let mut best = None;
        for (voucher, budget) in self.vouchers.iter().zip(&state.funnel.budgets) {
            if voucher.touches[position] && budget.left > 0.0 {
                best = Some(budget.sign_factor.max(best.unwrap_or(0.0)));
            }
        }
        // When the budgets are spent the others sign as they would without.
        best.map_or(1.0, |factor: f64| factor.max(1.0))
    }

    /// Grants a voucher for a contract of that size, as far as its budget goes.
    pub(in crate::tenants::market) fn grant(
        &self,
        state: &mut MarketState,
        voucher: usize,
        position: usize,
        contact: f64,
        size_kw: f64,
    ) {
        let budget = &mut state.funnel.budgets[voucher];
        let amount = (size_kw * budget.amount_per_kw).min(budget.left);
        budget.left -= amount;
        let month = (contact as usize).min(self.months - 1);
        budget.grants[self.segments[position].home * self.months + month] += amount;
    }

    /// Of this many companies of a cohort contacted in a month, those who sign with each voucher and
    /// without one, into `cohorts.signers`: the class (0 without, else 1 + the voucher) and the number.
    ///
    /// A voucher serves companies in the order of their contact until its budget is spent, with
    /// grants of the mean size. If all n would be served S of them sign; where the budget is spent
    /// at the m-th signature it is taken to come at the mean place of the m-th of S among n,
    /// m (n + 1)/(S + 1), and those behind it go without this voucher.
    pub(in crate::tenants::market) fn sign_cohort(
        &self,
        state: &mut MarketState,
        position: usize,
        month: usize,
        contacted: u64,
        mean_kw: f64,
        stream: &mut Stream,
    ) {
        let of_segment = &state.segments[position];
        let plain = of_segment.rates.sign_probability * of_segment.sign_factors[month];
        let mut left = contacted;
        state.cohorts.signers.clear();
        while left > 0
            && let Some(voucher) = self.voucher_for(state, position)
        {
            let budget = &state.funnel.budgets[voucher];
            let grant = mean_kw * budget.size_factor * budget.amount_per_kw;
            let signers = stream.binomial(left, (plain * budget.sign_factor).min(1.0));
            let payable = (budget.left / grant).ceil();
            let (served, signed) = if signers as f64 <= payable {
                (left, signers)
            } else {
                let place = payable * (left + 1) as f64 / (signers + 1) as f64;
                ((place + 0.5) as u64, payable as u64)
            };
            let budget = budget.left;
            let amount = (signed as f64 * grant).min(budget);
            // What is left of a budget that does not pay for one more is paid for the last.
            let rest = if served < left { 0.0 } else { budget - amount };
            let budget = &mut state.funnel.budgets[voucher];
            budget.left = rest;
            budget.grants[self.segments[position].home * self.months + month] += amount;
            state.cohorts.signers.push((1 + voucher, signed));
            if served >= left {
                return;
            }
            left -= served;
        }
        let signers = stream.binomial(left, plain.min(1.0));
        state.cohorts.signers.push((0, signers));
    }
}

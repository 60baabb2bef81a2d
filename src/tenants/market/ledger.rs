//! What the books need of the market: leases, delays, exits and vouchers.

use super::compiled::CompiledSegment;
use super::extras::Extras;
use super::funnel::DepositMonth;
use super::{Market, MarketState, NEVER, kw};
use crate::sampling::inputs::Quantity;

/// A part of a contract in a pool, for as long as it lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LeaseView {
    pub(crate) segment: usize,
    pub(crate) pool: usize,
    pub(crate) amount_kw: f64,
    /// What each month of the ramp adds.
    pub(crate) step_kw: f64,
    /// The first month, and the first month of absence.
    pub(crate) month: usize,
    pub(crate) end: usize,
    pub(crate) ramp: usize,
    /// The month of the signature.
    pub(crate) signed: usize,
    pub(crate) exits_early: bool,
}

impl CompiledSegment {
    fn extras(&self) -> Option<&Extras> {
        self.extras.as_deref()
    }
}

impl Market {
    /// How many segments there are, named tenants included.
    pub(crate) fn len(&self) -> usize {
        self.segments.len()
    }

    /// Whether the rent of a segment depends on its single leases, with or without a price that is
    /// fixed at the signature.
    pub(crate) fn is_billed_by_lease(&self, segment: usize, is_fixed: bool) -> bool {
        let compiled = &self.segments[segment];
        let has_minimum = compiled
            .extras()
            .is_some_and(|extras| extras.minimum_take != Quantity::Fixed(0.0));
        !compiled.allocation.is_pooled() && (is_fixed || has_minimum)
    }

    /// The share of a lease that is paid for whether it is used or not.
    pub(crate) fn minimum_take(&self, segment: usize, drawn: &[f64]) -> f64 {
        let extras = self.segments[segment].extras();
        extras.map_or(0.0, |extras| extras.minimum_take.value(drawn))
    }

    /// Whether tenants of a segment pay for leaving early.
    pub(crate) fn has_exit_fee(&self, segment: usize) -> bool {
        let extras = self.segments[segment].extras();
        extras.is_some_and(|extras| extras.exit_fee != Quantity::Fixed(0.0))
    }

    /// The fee for leaving early, in months of rent.
    pub(crate) fn exit_fee_months(&self, segment: usize, drawn: &[f64]) -> f64 {
        let extras = self.segments[segment].extras();
        extras.map_or(0.0, |extras| extras.exit_fee.value(drawn))
    }

    /// What prices of a segment are multiplied by in a month, by the state of the market.
    pub(crate) fn price_factor(&self, state: &MarketState, segment: usize, month: usize) -> f64 {
        if self.regimes.is_empty() {
            return 1.0;
        }
        state.funnel.price_factors[segment * self.months + month]
    }

    /// All leases of the trial but those of pooled demand.
    pub(crate) fn leases<'a>(
        &'a self,
        state: &'a MarketState,
    ) -> impl Iterator<Item = LeaseView> + 'a {
        state.leases.iter().map(move |lease| {
            let contracts = &state.segments[lease.segment as usize].contracts;
            let item = lease.contract as usize;
            let extra = &contracts.extra[item];
            LeaseView {
                segment: lease.segment as usize,
                pool: lease.pool as usize,
                amount_kw: kw(lease.amount),
                step_kw: kw(lease.step),
                month: lease.month as usize,
                end: contracts.leaves[item] as usize,
                ramp: lease.ramp as usize,
                signed: extra.signed as usize,
                exits_early: extra.exits_early,
            }
        })
    }

    /// Calls `book` with campus, month and amount of all liquidated damages: for each kW and month
    /// end from the one in which the tenant wanted to move in, beyond the months of grace.
    pub(crate) fn each_damage(
        &self,
        state: &MarketState,
        drawn: &[f64],
        mut book: impl FnMut(usize, usize, f64),
    ) {
        if self.segments.iter().all(|segment| {
            segment
                .extras()
                .is_none_or(|extras| extras.damages.is_none())
        }) {
            return;
        }
        let mut late = |segment: usize, ready: u32, until: usize, amount_kw: f64| {
            let compiled = &self.segments[segment];
            let Some(damages) = compiled.extras().and_then(|extras| extras.damages) else {
                return;
            };
            let first = ready as usize + damages.grace;
            let end = until
                .min(self.months)
                .min(first.saturating_add(damages.most));
            let amount = amount_kw * damages.per_kw_month.value(drawn);
            for month in first..end {
                book(compiled.home, month, amount);
            }
        };
        for lease in &state.leases {
            let segment = lease.segment as usize;
            let ready = state.segments[segment].contracts.ready[lease.contract as usize];
            late(segment, ready, lease.month as usize, kw(lease.amount));
        }
        for (segment, of_segment) in state.segments.iter().enumerate() {
            let contracts = &of_segment.contracts;
            for (item, extra) in contracts.extra.iter().enumerate() {
                let (left, until) = match extra.gave_up {
                    NEVER => (contracts.left[item], self.months),
                    month => (extra.abandoned, month as usize + 1),
                };
                // Nothing is owed to who has left.
                let until = until.min(contracts.leaves[item] as usize);
                if left > 0 {
                    late(segment, contracts.ready[item], until, kw(left));
                }
            }
        }
    }

    /// Calls `book` with campus, month and amount of the vouchers that the operator pays.
    pub(crate) fn each_voucher(
        &self,
        state: &MarketState,
        mut book: impl FnMut(usize, usize, f64),
    ) {
        for (voucher, budget) in self.vouchers.iter().zip(&state.funnel.budgets) {
            if voucher.is_paid_by_operator {
                for (place, grant) in budget.grants.iter().enumerate() {
                    book(place / self.months, place % self.months, *grant);
                }
            }
        }
    }

    /// Calls `book` with campus, month and the deposits of that month.
    pub(crate) fn each_deposit(
        &self,
        state: &MarketState,
        mut book: impl FnMut(usize, usize, DepositMonth),
    ) {
        if self.stages.is_empty() {
            return;
        }
        for (place, of_month) in state.funnel.deposits.iter().enumerate() {
            book(place / self.months, place % self.months, *of_month);
        }
    }

    /// Power in service of a segment in a pool, in kW.
    pub(crate) fn served_kw(&self, state: &MarketState, segment: usize, pool: usize) -> f64 {
        kw(state.capacity.level[self.slot(segment, pool)])
    }
}

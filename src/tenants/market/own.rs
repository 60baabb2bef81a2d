//! Contracts that a program brings, beside those of outreach.

use super::draft::{ALL_DRAWN, Origin, Terms};
use super::{Market, MarketState, units};
use crate::own::OwnContract;

impl Market {
    /// Signs a contract in the middle of a month that is yet to be passed.
    pub(crate) fn sign_own(
        &self,
        state: &mut MarketState,
        position: usize,
        month: usize,
        contract: OwnContract,
    ) {
        let of_segment = &mut state.segments[position];
        let number = of_segment.of_programs;
        of_segment.of_programs += 1;
        let largest_kw = self.segments[position].largest_kw;
        let power_kw = contract.power_kw;
        let terms = Terms {
            size: power_kw.map(|kw| units(kw.max(0.0).min(largest_kw)).max(1)),
            move_in_lag: (contract.move_in_lag_months).map(|lag| lag.max(0.0) as f32),
            is_signed: true,
            ..ALL_DRAWN
        };
        let signed = month as f32 + 0.5;
        self.sign_known(
            state,
            position,
            Origin::Program,
            number..number + 1,
            signed,
            terms,
        );
    }

    /// Lets programs sign contracts in months that are yet to be passed.
    pub(crate) fn expect_own(&mut self) {
        self.expects_own = true;
    }
}

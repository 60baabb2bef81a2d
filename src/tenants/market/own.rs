//! Contracts that a program brings, beside those of outreach.

use super::draft::{ALL_DRAWN, Origin, Terms};
use super::{Market, MarketState, units};

/// A contract that somebody signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct OwnContract {
    /// Its size in kW of critical IT power; none: drawn from the segment's sizes.
    pub power_kw: Option<f64>,
    /// After how many months it wants to move in; none: drawn from the segment's lags.
    pub move_in_lag_months: Option<f64>,
}

impl OwnContract {
    /// A contract as the segment draws them.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of this size, in kW of critical IT power.
    #[must_use]
    pub fn power_kw(mut self, power_kw: f64) -> Self {
        self.power_kw = Some(power_kw);
        self
    }

    /// That wants to move in this many months after it is signed.
    #[must_use]
    pub fn move_in_lag_months(mut self, months: f64) -> Self {
        self.move_in_lag_months = Some(months);
        self
    }
}

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

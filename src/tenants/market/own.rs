//! Contracts that a program brings, beside those of outreach.

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

    /// That wants to move in so many months after it is signed.
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
        let signed = month as f64 + 0.5;
        let lag = contract.move_in_lag_months.map(|lag| lag.max(0.0));
        let Some(power_kw) = contract.power_kw else {
            let ready = lag.map(|lag| signed + lag);
            self.sign(state, position, signed, ready, 1.0);
            return;
        };
        let segment = &self.segments[position];
        // What is given is drawn all the same, so that the next contract's luck stays its own.
        let luck = &mut state.luck[position];
        luck.size.next(&segment.size);
        let drawn_lag = luck.move_in_lag.next(&segment.move_in_lag);
        luck.subsidiary.uniform();
        luck.subsidiary_lag.next(&segment.subsidiary_lag);
        state.signing[position * self.months + month] += 1;
        let size = units(power_kw.max(0.0).min(segment.largest_kw)).max(1);
        let ready = signed + lag.unwrap_or(drawn_lag);
        self.add_contract(state, position, size, signed, ready);
    }

    /// Lets programs sign contracts in months that are yet to be passed.
    pub(crate) fn expect_own(&mut self) {
        self.expects_own = true;
    }
}

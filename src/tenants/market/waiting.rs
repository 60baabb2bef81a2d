//! How long contracts waited for room, as outcomes of a trial.

use super::{Market, MarketState};
use crate::projection::{Metric, TrialRow};

const MEAN: &str = "waiting_months_mean";
const P90: &str = "waiting_months_p90";

impl Market {
    /// Adds its outcomes to a layout, and reports them from then on.
    pub(crate) fn report_outcomes(&mut self, outcomes: &mut Vec<Metric>) {
        self.first_outcome = Some(outcomes.len());
        let meanings = [
            (
                MEAN,
                "Mean time that the contracts which moved in waited for room",
            ),
            (
                P90,
                "The months within which nine tenths of the contracts which moved in had found room",
            ),
        ];
        outcomes.extend(meanings.map(|(name, meaning)| Metric {
            name: name.to_owned(),
            unit: "months".to_owned(),
            meaning: meaning.to_owned(),
        }));
    }

    /// Writes its outcomes; NaN where nobody moved in.
    pub(crate) fn write_outcomes(&self, state: &MarketState, row: &mut TrialRow) {
        let Some(first) = self.first_outcome else {
            return;
        };
        let found = [mean(&state.waits), percentile(&state.waits, 0.9)];
        row.outcomes_mut()[first..first + found.len()].copy_from_slice(&found);
    }
}

/// The mean of a list of how many waited 0, 1, … months.
fn mean(waits: &[u32]) -> f64 {
    let (mut count, mut sum) = (0_u64, 0_u64);
    for (months, &number) in waits.iter().enumerate() {
        count += u64::from(number);
        sum += u64::from(number) * months as u64;
    }
    if count == 0 {
        return f64::NAN;
    }
    sum as f64 / count as f64
}

/// The least number of months that at least that share of them waited at most (nearest rank).
fn percentile(waits: &[u32], share: f64) -> f64 {
    let count: u64 = waits.iter().map(|&number| u64::from(number)).sum();
    let mut so_far = 0;
    for (months, &number) in waits.iter().enumerate() {
        so_far += u64::from(number);
        if number > 0 && so_far as f64 >= share * count as f64 {
            return months as f64;
        }
    }
    f64::NAN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        // Eight waited 0 months, one 3, one 7.
        let mut waits = [0; 10];
        (waits[0], waits[3], waits[7]) = (8, 1, 1);
        assert_eq!(percentile(&waits, 0.5), 0.0);
        assert_eq!(percentile(&waits, 0.9), 3.0);
        assert_eq!(percentile(&waits, 0.91), 7.0);
        assert_eq!(mean(&waits), 1.0);
        assert!(percentile(&[0; 4], 0.9).is_nan() && mean(&[]).is_nan());
    }
}

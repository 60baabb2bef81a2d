//! The bad end of a distribution: of net present values, say.

use crate::projection::Distribution;

/// The probability of a loss: the share of trials below 0; none without trials.
pub fn probability_of_loss(of: Distribution<'_>) -> Option<f64> {
    of.probability_at_least(0.0).map(|share| 1.0 - share)
}

/// The conditional value at risk, or expected shortfall: the mean of the worst `share` of the
/// trials (above 0, at most 1), where less is worse. 0.1 asks for the mean of the worst tenth.
///
/// (1/share) x the integral of the quantile from 0 to `share` (Acerbi & Tasche, "On the coherence
/// of expected shortfall", Journal of Banking & Finance 26, 2002): [`Distribution::mean_of_least`].
/// None without trials, for a share outside of (0, 1], and where a quantile is infinite.
pub fn conditional_value_at_risk(of: Distribution<'_>, share: f64) -> Option<f64> {
    of.mean_of_least(share)
}

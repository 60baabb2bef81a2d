//! Quantiles of numbers in ascending order.

/// Numbers in ascending order, ready for quantiles.
#[derive(Clone, Debug)]
pub(in crate::projection) struct Ordered {
    /// Each with how many there are up to and with it.
    pub(super) values: Vec<(f64, u64)>,
}

impl Ordered {
    fn count(&self) -> u64 {
        self.values.last().map_or(0, |(_, total)| *total)
    }

    /// The number at a rank from 0, which is below the count.
    fn at(&self, rank: u64) -> f64 {
        let position = self.values.partition_point(|(_, total)| *total <= rank);
        self.values[position].0
    }

    /// The quantile at p (cut to 0 to 1) by straight interpolation between order statistics at the rank
    /// (n - 1) p: definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical
    /// Packages", The American Statistician 50(4), 1996; NumPy's default. It is
    /// infinite where an infinite number takes part, and `None` without numbers or for a p that is NaN.
    pub(in crate::projection) fn quantile(&self, p: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 || p.is_nan() {
            return None;
        }
        let rank = (count - 1) as f64 * p.clamp(0.0, 1.0);
        let below = (rank.floor() as u64).min(count - 1);
        let share = rank - below as f64;
        let low = self.at(below);
        if share <= 0.0 {
            return Some(low);
        }
        let high = self.at((below + 1).min(count - 1));
        if low == high {
            return Some(low);
        }
        if low.is_infinite() || high.is_infinite() {
            // Halfway to infinity is infinity; from -infinity it is not yet left.
            return Some(if high == f64::INFINITY { high } else { low });
        }
        let gap = high - low;
        let between = if gap.is_finite() {
            low + share * gap
        } else {
            (1.0 - share) * low + share * high
        };
        Some(between.clamp(low, high))
    }

    /// The share of the numbers that are at most `value`; `None` without numbers.
    pub(in crate::projection) fn share_at_most(&self, value: f64) -> Option<f64> {
        let count = self.count();
        let position = self.values.partition_point(|(number, _)| *number <= value);
        let at_most = position
            .checked_sub(1)
            .map_or(0, |last| self.values[last].1);
        (count > 0).then(|| at_most as f64 / count as f64)
    }

    /// The standard error of the quantile at p where `share_error` is that of the share of numbers below it: half the
    /// distance between the quantiles at p less and p plus that (Woodruff, "Confidence Intervals for Medians and Other
    /// Position Measures", Journal of the American Statistical Association 47, 1952). `None` for fewer than two numbers
    /// or where that reaches an infinite one.
    pub(in crate::projection) fn quantile_std_error(
        &self,
        p: f64,
        share_error: f64,
    ) -> Option<f64> {
        if self.count() < 2 || p.is_nan() {
            return None;
        }
        let p = p.clamp(0.0, 1.0);
        let half = (self.quantile(p + share_error)? - self.quantile(p - share_error)?) / 2.0;
        half.is_finite().then_some(half)
    }
}

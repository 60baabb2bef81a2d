//! Intervals that hold at all numbers of trials at once; [`stop`](super) says how, and by whom.

use crate::projection::Distribution;

/// A confidence sequence: with the probability that it is made for, its intervals hold at all numbers of trials at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sequence {
    pub(super) weight: f64,
    pub(super) ln_limit: f64,
}

impl Sequence {
    /// With probability at most `alpha` it ever fails; narrowest around `trials`.
    pub(super) fn new(alpha: f64, trials: f64) -> Self {
        let twice = -2.0 * libm::log(alpha);
        Self {
            weight: (trials / (twice + libm::log1p(twice))).max(1.0),
            ln_limit: -libm::log(alpha),
        }
    }

    /// ln M(p; s, t).
    pub(super) fn ln_martingale(&self, p: f64, successes: f64, trials: f64) -> f64 {
        let (a, b) = (self.weight * p, self.weight * (1.0 - p));
        let failures = trials - successes;
        ln_rising(a, successes) + ln_rising(b, failures)
            - ln_rising(self.weight, trials)
            - times_ln(successes, p)
            - times_ln(failures, 1.0 - p)
    }

    /// The interval of a probability after `successes` of `trials`.
    pub(crate) fn probability(&self, successes: u64, trials: u64) -> (f64, f64) {
        if trials == 0 {
            return (0.0, 1.0);
        }
        let (s, t) = (successes as f64, trials as f64);
        let share = s / t;
        // Below the limit at the share itself, above it towards 0 and 1, and convex between.
        let edge = |outside: f64| {
            let (mut inside, mut outside) = (share, outside);
            for _ in 0..60 {
                let middle = inside + (outside - inside) / 2.0;
                if self.ln_martingale(middle, s, t) < self.ln_limit {
                    inside = middle;
                } else {
                    outside = middle;
                }
            }
            outside
        };
        let low = if successes == 0 { 0.0 } else { edge(0.0) };
        let high = if successes == trials { 1.0 } else { edge(1.0) };
        (low, high)
    }

    /// The least and the greatest number of successes among `trials` that the probability p admits.
    pub(super) fn counts(&self, p: f64, trials: u64) -> (u64, u64) {
        let t = trials as f64;
        let admits = |successes: u64| self.ln_martingale(p, successes as f64, t) < self.ln_limit;
        let middle = ((t * p) as u64).min(trials);
        let search = |mut inside: u64, mut end: u64| {
            if admits(end) {
                return end;
            }
            while inside.abs_diff(end) > 1 {
                let between = inside.midpoint(end);
                if admits(between) {
                    inside = between;
                } else {
                    end = between;
                }
            }
            inside
        };
        (search(middle, 0), search(middle, trials))
    }

    /// Where the quantile at p lies: between two order statistics, each of which is known up to its bucket.
    pub(crate) fn quantile(&self, of: &Distribution<'_>, p: f64) -> (f64, f64) {
        let trials = of.count();
        if trials == 0 {
            return (f64::NEG_INFINITY, f64::INFINITY);
        }
        let (fewest, most) = self.counts(p, trials);
        let low = (fewest.checked_sub(1))
            .and_then(|rank| of.order_statistic(rank))
            .map_or(f64::NEG_INFINITY, |(low, _)| low);
        let high = (of.order_statistic(most)).map_or(f64::INFINITY, |(_, high)| high);
        (low, high)
    }

    /// Where the mean of the finite values lies, if there are enough of them; of fewer than two nothing is said.
    pub(crate) fn mean(&self, of: &Distribution<'_>) -> (f64, f64) {
        match (of.mean(), of.std_dev()) {
            (Some(mean), Some(std_dev)) => {
                let half = std_dev * self.half_width_of_mean(of.finite_count() as f64);
                (mean - half, mean + half)
            }
            _ => (f64::NEG_INFINITY, f64::INFINITY),
        }
    }

    /// Half the width of the interval of a mean of `trials` numbers, in standard deviations.
    pub(crate) fn half_width_of_mean(&self, trials: f64) -> f64 {
        let growth = libm::log1p(trials / self.weight);
        ((trials + self.weight) * (growth + 2.0 * self.ln_limit)).sqrt() / trials
    }
}

/// ln of the rising factorial x (x + 1) … (x + n - 1) = Γ(x + n) / Γ(x); for x = 0 and n = 0 it is 0.
fn ln_rising(x: f64, n: f64) -> f64 {
    if n == 0.0 {
        0.0
    } else {
        libm::lgamma(x + n) - libm::lgamma(x)
    }
}

pub(super) fn times_ln(factor: f64, x: f64) -> f64 {
    if factor == 0.0 {
        0.0
    } else {
        factor * libm::log(x)
    }
}

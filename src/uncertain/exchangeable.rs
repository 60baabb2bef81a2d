//! Quantities that recur on one site: waits and sizes of which some have been seen there already.
//!
//! Values x_1, x_2, … of one site come from the distribution F of a class of sites. Their normal scores
//! z_i = Φ⁻¹(F(x_i)) have an effect c of the site in common:
//!
//! ```text
//! z_i = √s c + √(1 - s) e_i        c, e_1, e_2, … independent and standard normal
//! ```
//!
//! so that every value has the distribution F, and any two of a site the correlation s of scores: the share of the
//! variance that lies between sites (the one-way random effects model; Searle, Casella & McCulloch, "Variance
//! Components", 1992). What a site has done so far updates its c by Bayes' theorem. With values x_1, …, x_n seen,
//!
//! ```text
//! c | x_1, …, x_n   is normal with mean √s Σ z_i / (1 + (n - 1) s) and variance (1 - s) / (1 + (n - 1) s)
//! ```
//!
//! A wait that is not over after a time t has a score above z_t = Φ⁻¹(F(t)), which happens with the probability
//! S(c) = Φ(-(z_t - √s c)/√(1 - s)). If waiting may also be in vain, with the probability p, the site's c has its
//! density times p + (1 - p) S(c), and the wait is in vain with the probability p / (p + (1 - p) S(c)).

use super::knots::Knots;
use super::special::{normal_cdf, normal_quantile};
use super::{Rule, Sampler};

/// The most of the variance that may lie between sites: with all of it one value would determine all others.
pub(crate) const MOST_BETWEEN: f64 = 0.99;

/// Values of a site that come from the distribution of a class.
#[derive(Clone, Debug)]
pub(crate) struct Exchangeable {
    class: Sampler,
    /// √s and √(1 - s).
    common: f64,
    own: f64,
}

/// A wait that was not over when it had lasted so long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unfinished {
    pub(crate) months: f64,
    /// The probability that there is nothing to wait for.
    pub(crate) in_vain: f64,
}

/// What is drawn of a site once its effect is known.
#[derive(Clone, Debug)]
pub(crate) enum Draw {
    /// A value.
    Value(Exchangeable),
    /// A wait that is longer than what has passed.
    Remaining(Exchangeable, Unfinished),
    /// 1 if what was waited for will come, 0 if the wait is in vain.
    Comes(Exchangeable, Unfinished),
}

impl Draw {
    /// The value, if it cannot vary.
    pub(crate) fn constant(&self) -> Option<f64> {
        match self {
            Self::Value(values) => values.class.constant(),
            Self::Remaining(values, wait) => Some(values.class.constant()?.max(wait.months)),
            Self::Comes(..) => None,
        }
    }

    /// The quantile at `u` of (0, 1), given the effect of the site.
    pub(crate) fn at(&self, effect: f64, u: f64) -> f64 {
        match self {
            Self::Value(values) => values.at(effect, u),
            Self::Remaining(values, wait) => values.beyond(effect, wait.months, u),
            Self::Comes(values, wait) => {
                let lasts = (1.0 - wait.in_vain) * values.survival(effect, wait.months);
                let vain = wait.in_vain / (wait.in_vain + lasts);
                // Nothing can last so long: then what has not come is not expected.
                f64::from(u8::from(u >= vain))
            }
        }
    }
}

impl Exchangeable {
    /// Values of a class of which a share `between` of the variance of scores, 0 to [`MOST_BETWEEN`], lies between sites.
    pub(crate) fn new(class: Sampler, between: f64) -> Self {
        Self {
            class,
            common: between.sqrt(),
            own: (1.0 - between).sqrt(),
        }
    }

    /// Whether sites differ at all.
    pub(crate) fn has_effect(&self) -> bool {
        self.common > 0.0
    }

    /// The effect of a site that has these values, and has perhaps waited for the next one, which comes from the
    /// class that is named with the wait.
    pub(crate) fn effect(&self, seen: &[f64], waited: Option<(&Self, Unfinished)>) -> Sampler {
        const POINTS: u32 = 2_001;
        const SPREAD: f64 = 9.0;
        let between = self.common * self.common;
        let n = seen.len() as f64;
        let divisor = 1.0 + (n - 1.0) * between;
        let scores: f64 = seen.iter().map(|&value| self.score(value)).sum();
        let (mean, sd) = if seen.is_empty() {
            (0.0, 1.0)
        } else {
            (self.common * scores / divisor, self.own / divisor.sqrt())
        };
        let step = 2.0 * SPREAD / f64::from(POINTS - 1);
        let mut knots = Vec::with_capacity(POINTS as usize);
        let (mut sum, mut before) = (0.0, 0.0);
        for point in 0..POINTS {
            let z = -SPREAD + step * f64::from(point);
            let effect = mean + sd * z;
            let likelihood = waited.map_or(1.0, |(next, wait)| {
                wait.in_vain + (1.0 - wait.in_vain) * next.survival(effect, wait.months)
            });
            let density = libm::exp(-0.5 * z * z) * likelihood;
            if point > 0 {
                sum += 0.5 * (before + density);
            }
            before = density;
            knots.push((sum, effect));
        }
        for knot in &mut knots {
            knot.0 /= sum;
        }
        let knots = Knots::through(&knots);
        let mean = knots.mean();
        Sampler {
            rule: Rule::Knots(knots.into()),
            mean,
        }
    }

    /// The value at `u` of a site with this effect.
    fn at(&self, effect: f64, u: f64) -> f64 {
        self.value(self.common * effect + self.own * normal_quantile(u))
    }

    /// The value at `u` of those above `least`: from the upper tail, where what is left may be little.
    fn beyond(&self, effect: f64, least: f64, u: f64) -> f64 {
        let left = (1.0 - u) * self.survival(effect, least);
        let own = -normal_quantile(left.max(f64::MIN_POSITIVE));
        self.value(self.common * effect + self.own * own).max(least)
    }

    /// The probability of a value above `value` on a site with this effect.
    fn survival(&self, effect: f64, value: f64) -> f64 {
        normal_cdf(-(self.score(value) - self.common * effect) / self.own)
    }

    fn value(&self, score: f64) -> f64 {
        self.class
            .at(normal_cdf(score).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON))
    }

    /// The normal score of a value; beyond all that the class knows, that of one in 10^15.
    fn score(&self, value: f64) -> f64 {
        const BEYOND: f64 = 1e-15;
        normal_quantile(self.class.share_below(value).clamp(BEYOND, 1.0 - BEYOND))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Domain, Uncertain};
    use super::*;

    const MEDIAN: f64 = 9.0;
    const SIGMA: f64 = 0.8;

    /// A class whose scores are ln(x / 9) / 0.8.
    fn waits(between: f64) -> Exchangeable {
        let class = Uncertain::lognormal(MEDIAN, SIGMA);
        Exchangeable::new(class.sampler(Domain::NON_NEGATIVE).unwrap(), between)
    }

    fn of_score(z: f64) -> f64 {
        MEDIAN * libm::exp(SIGMA * z)
    }

    /// Mean and variance by the midpoint rule on the quantile function.
    fn moments(at: impl Fn(f64) -> f64) -> (f64, f64) {
        const POINTS: u32 = 20_000;
        let values = (0..POINTS).map(|point| at((f64::from(point) + 0.5) / f64::from(POINTS)));
        let (sum, squares) =
            values.fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
        let mean = sum / f64::from(POINTS);
        (mean, squares / f64::from(POINTS) - mean * mean)
    }

    #[test]
    #[ignore = "slow"]
    fn what_was_seen_moves_the_effect_as_the_conjugate_normal() {
        let values = waits(0.4);
        let seen = [of_score(0.5), of_score(1.5), of_score(-0.2)];
        let (mean, variance) = moments(|u| values.effect(&seen, None).at(u));
        assert!((mean - 0.4_f64.sqrt() * 1.8 / 1.8).abs() < 1e-4, "{mean}");
        assert!((variance - 0.6 / 1.8).abs() < 1e-3, "{variance}");
        let (mean, variance) = moments(|u| values.effect(&[], None).at(u));
        assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-3);
    }

    #[test]
    fn a_wait_that_lasts_is_conditioned_and_tells_of_the_site() {
        // The score of the wait and c are bivariate normal of correlation √s. Given that the score is above a,
        // E(c) = √s φ(a)/(1 - Φ(a)), and the score itself is a truncated normal.
        let (s, a) = (0.4_f64, 0.7);
        let values = waits(s);
        let wait = Unfinished {
            months: of_score(a),
            in_vain: 0.0,
        };
        let effect = values.effect(&[], Some((&values, wait)));
        let tail = normal_cdf(-a);
        let hazard = libm::exp(-0.5 * a * a) / (2.0 * std::f64::consts::PI).sqrt() / tail;
        let (mean, _) = moments(|u| effect.at(u));
        assert!((mean - s.sqrt() * hazard).abs() < 1e-4, "{mean}");
        // Over the site's effect and the value's own residual: a lattice of both.
        let draw = Draw::Remaining(values, wait);
        let (mut sum, mut longer) = (0.0, 0.0);
        const SIDE: u32 = 400;
        for i in 0..SIDE {
            let c = effect.at((f64::from(i) + 0.5) / f64::from(SIDE));
            for j in 0..SIDE {
                let x = draw.at(c, (f64::from(j) + 0.5) / f64::from(SIDE));
                assert!(x >= wait.months);
                let score = libm::log(x / MEDIAN) / SIGMA;
                sum += score;
                longer += f64::from(u8::from(score > 1.5));
            }
        }
        let all = f64::from(SIDE * SIDE);
        assert!((sum / all - hazard).abs() < 2e-3, "{}", sum / all);
        assert!((longer / all - normal_cdf(-1.5) / tail).abs() < 3e-3);
    }

    #[test]
    fn the_longer_nothing_comes_the_less_is_expected() {
        // Over all sites: P(in vain | waited) = p / (p + (1 - p) S), with the marginal S of the class.
        let (p, a) = (0.2, 1.0);
        for s in [0.0, 0.5] {
            let values = waits(s);
            let wait = Unfinished {
                months: of_score(a),
                in_vain: p,
            };
            let effect = values.effect(&[], Some((&values, wait)));
            let draw = Draw::Comes(values, wait);
            const SIDE: u32 = 500;
            let mut comes = 0.0;
            for i in 0..SIDE {
                let c = effect.at((f64::from(i) + 0.5) / f64::from(SIDE));
                for j in 0..SIDE {
                    comes += draw.at(c, (f64::from(j) + 0.5) / f64::from(SIDE));
                }
            }
            let share = comes / f64::from(SIDE * SIDE);
            let expected = 1.0 - p / (p + (1.0 - p) * normal_cdf(-a));
            assert!((share - expected).abs() < 3e-3, "{s}: {share} {expected}");
        }
    }

    #[test]
    fn values_of_a_site_keep_the_distribution_of_the_class() {
        let values = waits(0.6);
        let effect = values.effect(&[], None);
        let draw = Draw::Value(values);
        const SIDE: u32 = 300;
        let mut below = 0.0;
        for i in 0..SIDE {
            let c = effect.at((f64::from(i) + 0.5) / f64::from(SIDE));
            for j in 0..SIDE {
                let x = draw.at(c, (f64::from(j) + 0.5) / f64::from(SIDE));
                below += f64::from(u8::from(x < of_score(-0.5)));
            }
        }
        let share = below / f64::from(SIDE * SIDE);
        assert!((share - normal_cdf(-0.5)).abs() < 2e-3, "{share}");
    }
}

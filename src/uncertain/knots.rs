//! Quantile functions of straight pieces: empirical distributions, quantiles pasted from elsewhere, and mixtures.
//!
//! Between two knots (p0, x0) and (p1, x1) the quantile function is a straight line. Two knots of one value are an
//! atom of probability p1 - p0; two knots of one probability are a gap in which no value lies.

use super::{Outcome, Rule, Sampler};

/// Knots (probability, value), neither of which falls, from probability 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Knots(Vec<(f64, f64)>);

/// A tabulated distribution is cut into this many pieces in each octave of the tail probability: the error of a
/// straight piece is below 2e-4 of the distance between the quantiles at its ends.
const PIECES_PER_OCTAVE: u32 = 32;
/// Down to a tail probability of 2^-32; what lies beyond is put at the quantile there.
const OCTAVES: u32 = 32;

impl Knots {
    /// The knots of a stated quantile function, whose first probability is 0 and whose last is 1.
    pub(super) fn through(quantiles: &[(f64, f64)]) -> Self {
        Self(quantiles.to_vec())
    }

    /// The distribution of observed values: a straight line from each to the next in order of size, so that the
    /// i-th of n has the probability (i - 1)/(n - 1) of a smaller one (Law, "Simulation Modeling and Analysis",
    /// 5th edition, 2015, section 6.2.4).
    pub(super) fn of_observed(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1).max(1) as f64;
        let knots = sorted.iter().enumerate();
        Self(knots.map(|(rank, &x)| (rank as f64 / last, x)).collect())
    }

    /// The mixture of distributions with these weights, which sum to 1: P(X <= x) = sum of weight x P(part <= x).
    ///
    /// Exact for parts of straight pieces and atoms; tabulated parts are taken as straight pieces first.
    pub(super) fn mixture(parts: &[(f64, Sampler)]) -> Self {
        let parts: Vec<(f64, Self)> = (parts.iter())
            .map(|(weight, part)| (*weight, Self::of(part)))
            .collect();
        let mut values: Vec<f64> = (parts.iter())
            .flat_map(|(_, part)| part.0.iter().map(|knot| knot.1))
            .collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let mut knots: Vec<(f64, f64)> = Vec::with_capacity(values.len() + parts.len());
        for x in values {
            let shares = parts.iter().map(|(weight, part)| {
                let (below, up_to) = part.shares(x);
                (weight * below, weight * up_to)
            });
            let (below, up_to) =
                shares.fold((0.0, 0.0), |sum, share| (sum.0 + share.0, sum.1 + share.1));
            let before = knots.last().map_or(0.0, |knot| knot.0);
            knots.push((below.max(before), x));
            if up_to > below {
                knots.push((up_to.max(before), x));
            }
        }
        if let Some(last) = knots.last_mut() {
            last.0 = 1.0;
        }
        Self(knots)
    }

    /// A compiled distribution in straight pieces.
    fn of(sampler: &Sampler) -> Self {
        match &sampler.rule {
            Rule::Fixed(value) => Self(vec![(0.0, *value), (1.0, *value)]),
            Rule::Knots(knots) => knots.as_ref().clone(),
            Rule::Discrete(steps) => {
                let mut knots = Vec::with_capacity(2 * steps.len());
                let mut before = 0.0;
                for &(up_to, value) in steps.iter() {
                    knots.extend([(before, value), (up_to, value)]);
                    before = up_to;
                }
                Self(knots)
            }
            Rule::Uniform { min, width } => Self(vec![(0.0, *min), (1.0, min + width)]),
            _ => {
                let tail = |step: u32| {
                    let piece = f64::from(step % PIECES_PER_OCTAVE) / f64::from(PIECES_PER_OCTAVE);
                    let octave = (step / PIECES_PER_OCTAVE) as i32 - OCTAVES as i32;
                    (1.0 + piece) * libm::exp2(f64::from(octave))
                };
                let count = (OCTAVES - 1) * PIECES_PER_OCTAVE;
                let lower = (0..count).map(tail).chain([0.5]);
                let upper = (0..count).rev().map(|step| 1.0 - tail(step));
                let mut knots: Vec<(f64, f64)> =
                    lower.chain(upper).map(|u| (u, sampler.at(u))).collect();
                if let (Some(&(_, least)), Some(&(_, most))) = (knots.first(), knots.last()) {
                    knots.insert(0, (0.0, least));
                    knots.push((1.0, most));
                }
                Self(knots)
            }
        }
    }

    /// P(X < x) and P(X <= x).
    fn shares(&self, x: f64) -> (f64, f64) {
        let between = |after: usize| {
            let ((p0, x0), (p1, x1)) = (self.0[after - 1], self.0[after]);
            p0 + (p1 - p0) * ((x - x0) / (x1 - x0))
        };
        let from = self.0.partition_point(|knot| knot.1 < x);
        let beyond = self.0.partition_point(|knot| knot.1 <= x);
        let below = match self.0.get(from) {
            None => 1.0,
            Some(&(p, value)) if value == x || from == 0 => {
                if from == 0 {
                    0.0
                } else {
                    p
                }
            }
            Some(_) => between(from),
        };
        let up_to = match (beyond, self.0.get(beyond)) {
            (0, _) => 0.0,
            (_, None) => 1.0,
            _ if beyond > from => self.0[beyond - 1].0,
            _ => between(beyond),
        };
        (below, up_to)
    }

    /// The value below which a share `u` of all values lies.
    pub(super) fn at(&self, u: f64) -> f64 {
        let after = self.0.partition_point(|knot| knot.0 < u);
        let Some(&(p1, x1)) = self.0.get(after) else {
            return self.0[self.0.len() - 1].1;
        };
        if after == 0 {
            return x1;
        }
        let (p0, x0) = self.0[after - 1];
        x0 + (x1 - x0) * ((u - p0) / (p1 - p0))
    }

    /// The integral of the quantile function over (0, 1).
    pub(super) fn mean(&self) -> f64 {
        let pairs = self.0.windows(2);
        let pieces = pairs.map(|pair| (pair[1].0 - pair[0].0) * 0.5 * (pair[0].1 + pair[1].1));
        pieces.sum()
    }
}

/// A weight and what it is the weight of, or a probability and its value, with the value first as in [`Outcome`].
pub(super) fn pairs(list: &[Outcome]) -> Vec<(f64, f64)> {
    let pairs = list.iter();
    pairs.map(|pair| (pair.probability, pair.value)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Domain, Uncertain};
    use super::*;

    fn sampler(quantity: &Uncertain) -> Sampler {
        quantity.sampler(Domain::NON_NEGATIVE).unwrap()
    }

    #[test]
    fn observed_values_are_joined_by_straight_lines() {
        let observed = sampler(&Uncertain::empirical([5.0, 1.0, 3.0, 3.0, 9.0]));
        let at = [
            1e-12,
            0.125,
            0.25,
            0.375,
            0.5,
            0.625,
            0.75,
            0.875,
            1.0 - 1e-12,
        ];
        let values = at.map(|u| (observed.at(u) * 1e6).round() / 1e6);
        assert_eq!(values, [1.0, 2.0, 3.0, 3.0, 3.0, 4.0, 5.0, 7.0, 9.0]);
        // Trapezoids of a quarter each: 2, 3, 4, 7.
        assert!((observed.mean() - 4.0).abs() < 1e-12);
        assert_eq!(Uncertain::empirical([2.0, 2.0]).constant(), Some(2.0));
    }

    #[test]
    fn a_mixture_has_the_distribution_function_of_its_parts() {
        use statrs::distribution::{ContinuousCDF, LogNormal};
        let quantity = Uncertain::mixture([
            (0.5, Uncertain::lognormal(14.0, 0.5)),
            (0.3, Uncertain::uniform(2.0, 4.0)),
            (0.2, Uncertain::discrete([(0.0, 0.25), (30.0, 0.75)])),
        ]);
        let mixed = sampler(&quantity);
        let theory = LogNormal::new(14.0_f64.ln(), 0.5).unwrap();
        // P(X <= x), and P(X < x) at the two atoms.
        let below = |x: f64, closed: bool| {
            let atom = |at: f64| f64::from(u8::from(if closed { at <= x } else { at < x }));
            0.5 * theory.cdf(x)
                + 0.3 * ((x - 2.0) / 2.0).clamp(0.0, 1.0)
                + 0.2 * (0.25 * atom(0.0) + 0.75 * atom(30.0))
        };
        let mut previous = f64::NEG_INFINITY;
        for step in 1..20_000 {
            let u = f64::from(step) / 20_000.0;
            let x = mixed.at(u);
            assert!(x >= previous);
            previous = x;
            // In the piece from 0 to the least of the lognormal that is tabulated nothing else lies.
            let (least, most) = (below(x, false), below(x, true));
            assert!(
                least - 2e-5 <= u && u <= most + 2e-5,
                "{u}: {x}, {least} {most}"
            );
        }
        let mean = 0.5 * 14.0 * libm::exp(0.125) + 0.3 * 3.0 + 0.2 * 22.5;
        assert!((mixed.mean() - mean).abs() < 1e-12);
    }

    #[test]
    fn mixtures_nest_and_one_part_alone_is_that_part() {
        let inner = Uncertain::mixture([(0.5, 1.0.into()), (0.5, 3.0.into())]);
        let outer = Uncertain::mixture([(0.5, inner.clone()), (0.5, Uncertain::Constant(5.0))]);
        let drawn = [0.2, 0.4, 0.6, 0.9].map(|u| sampler(&outer).at(u));
        assert_eq!(drawn, [1.0, 3.0, 5.0, 5.0]);
        assert_eq!(sampler(&outer).mean(), 3.5);
        let alone = Uncertain::mixture([(1.0, Uncertain::pert(2.0, 3.0, 6.0))]);
        let (alone, plain) = (sampler(&alone), sampler(&Uncertain::pert(2.0, 3.0, 6.0)));
        for u in [1e-6, 0.01, 0.3, 0.5, 0.77, 0.999] {
            assert!((alone.at(u) - plain.at(u)).abs() < 1e-4, "{u}");
        }
    }

    #[test]
    fn pasted_quantiles_are_taken_as_they_are() {
        let pasted = sampler(&Uncertain::quantiles([
            (0.0, 1.0),
            (0.5, 7.0),
            (0.5, 9.0),
            (1.0, 19.0),
        ]));
        let values = [0.25, 0.5, 0.75].map(|u| pasted.at(u));
        assert_eq!(values, [4.0, 7.0, 14.0]);
        assert!((pasted.mean() - (2.0 + 7.0)).abs() < 1e-12);
    }
}

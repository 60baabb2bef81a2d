//! Total indices: the share of a result's variance that is left when all but one input are known.
//!
//! For each trial t a second one is run that differs in one factor alone, whose values it takes from a trial of a second,
//! independent sample (pick-freeze). With A and B the samples and A_i that of A with factor i from B:
//!
//! - total index S_T = E\[(f(A) - f(A_i))^2\] / (2 Var Y) (Jansen, "Analysis of variance designs for model output",
//!   Computer Physics Communications 117, 1999),
//! - first-order index S = E\[f(B) (f(A_i) - f(A))\] / Var Y (Saltelli et al., "Variance based sensitivity analysis of
//!   model output", Computer Physics Communications 181, 2010).
//!
//! A factor is one input, or several that go together. **Process noise is one more factor**: f(A) and f(A_i) have the
//! same noise, f(B) has another, and a sample that differs from A in its noise alone gives the noise its own indices. So
//! the indices are shares of all variance, noise included.

use serde::{Deserialize, Serialize};

use super::resampling::{Estimate, bootstrap_weights};

/// How many bootstrap samples the standard errors are of.
const REPLICATES: u64 = 200;

/// What a factor does to the variance of a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VarianceShares {
    /// The input, the group or the process noise.
    pub name: String,
    /// What it does on its own.
    pub first_order: Estimate,
    /// What it does on its own and together with others.
    pub total: Estimate,
}

/// A point to be evaluated: uniform numbers of (0, 1) for the inputs, and the number of its process noise.
#[derive(Clone, Debug, PartialEq)]
pub struct PointWithNoise {
    /// One number for each input.
    pub point: Vec<f64>,
    /// Points with the same number have the same process noise.
    pub noise: u64,
}

/// Inputs that are exchanged together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// Its name.
    pub name: String,
    /// The positions of its inputs.
    pub inputs: Vec<usize>,
}

/// The name of the factor that is no input.
pub const PROCESS_NOISE: &str = "process noise";

/// Indices of each factor, and last of the process noise, from `base` trials of each sample: `base` times (factors + 3)
/// evaluations.
///
/// `point` gives the points of independent trials; numbers up to twice `base` are asked for.
pub fn variance_shares<E>(
    factors: &[Factor],
    base: u64,
    seed: u64,
    mut point: impl FnMut(u64) -> Vec<f64>,
    evaluate: impl FnOnce(&[PointWithNoise]) -> Result<Vec<f64>, E>,
) -> Result<Vec<VarianceShares>, E> {
    let a: Vec<Vec<f64>> = (0..base).map(&mut point).collect();
    let b: Vec<Vec<f64>> = (base..2 * base).map(&mut point).collect();
    let sample = |points: &[Vec<f64>], first_noise: u64| -> Vec<PointWithNoise> {
        (points.iter().zip(first_noise..))
            .map(|(point, noise)| PointWithNoise {
                point: point.clone(),
                noise,
            })
            .collect()
    };
    let mut points = sample(&a, 0);
    points.extend(sample(&b, base));
    for factor in factors {
        let mut exchanged = a.clone();
        for (to, from) in exchanged.iter_mut().zip(&b) {
            factor
                .inputs
                .iter()
                .for_each(|&input| to[input] = from[input]);
        }
        points.extend(sample(&exchanged, 0));
    }
    points.extend(sample(&a, base));
    let results = evaluate(&points)?;
    let samples: Vec<&[f64]> = results.chunks(base as usize).collect();
    let names = factors
        .iter()
        .map(|factor| factor.name.as_str())
        .chain([PROCESS_NOISE]);
    let weights: Vec<Vec<f64>> = (0..REPLICATES)
        .map(|replicate| bootstrap_weights(base as usize, seed, replicate))
        .collect();
    let ones = vec![1.0; base as usize];
    let shares = names.zip(&samples[2..]).map(|(name, exchanged)| {
        let found = indices(samples[0], samples[1], exchanged, &ones);
        let replicates: Vec<[f64; 2]> = (weights.iter())
            .map(|weights| indices(samples[0], samples[1], exchanged, weights))
            .collect();
        let estimate = |which: usize| {
            let replicates: Vec<f64> = replicates.iter().map(|found| found[which]).collect();
            Estimate::corrected(found[which], &replicates)
        };
        VarianceShares {
            name: name.to_owned(),
            first_order: estimate(0),
            total: estimate(1),
        }
    });
    Ok(shares.collect())
}

/// First-order and total index of one factor.
fn indices(a: &[f64], b: &[f64], exchanged: &[f64], weights: &[f64]) -> [f64; 2] {
    let count: f64 = weights.iter().sum();
    let mean_of = |of: &dyn Fn(usize) -> f64| -> f64 {
        weights
            .iter()
            .enumerate()
            .map(|(at, weight)| weight * of(at))
            .sum::<f64>()
            / count
    };
    let mean = mean_of(&|at| 0.5 * (a[at] + b[at]));
    let variance = mean_of(&|at| 0.5 * ((a[at] - mean).powi(2) + (b[at] - mean).powi(2)));
    if variance <= 0.0 {
        return [0.0; 2];
    }
    let first = mean_of(&|at| (b[at] - mean) * (exchanged[at] - a[at]));
    let total = mean_of(&|at| 0.5 * (a[at] - exchanged[at]).powi(2));
    [first / variance, total / variance]
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::super::reference::{
        ISHIGAMI_FIRST, ISHIGAMI_TOTAL, ishigami, sobol_g, sobol_g_totals,
    };
    use super::*;
    use crate::sampling::streams::Source;

    fn shares(
        inputs: usize,
        base: u64,
        seed: u64,
        f: impl Fn(&PointWithNoise) -> f64,
    ) -> Vec<VarianceShares> {
        let factors: Vec<Factor> = (0..inputs)
            .map(|input| Factor {
                name: format!("x{input}"),
                inputs: vec![input],
            })
            .collect();
        let point = |trial| {
            let mut point = vec![0.0; inputs];
            Source::named("points").stream(seed, trial).fill(&mut point);
            point
        };
        variance_shares::<Infallible>(&factors, base, seed, point, |points| {
            Ok(points.iter().map(&f).collect())
        })
        .unwrap()
    }

    #[test]
    fn ishigami_totals() {
        let found = shares(3, 8_000, 1, |at| ishigami(&at.point));
        for ((share, first), total) in found.iter().zip(ISHIGAMI_FIRST).zip(ISHIGAMI_TOTAL) {
            assert!(
                (share.total.value - total).abs() < 4.0 * share.total.std_error + 5e-4,
                "{share:?}"
            );
            assert!(
                (share.first_order.value - first).abs() < 4.0 * share.first_order.std_error + 5e-4
            );
        }
        assert_eq!(found[3].name, PROCESS_NOISE);
        assert_eq!(found[3].total.value, 0.0);
    }

    #[test]
    fn sobol_g_totals_are_found() {
        for (share, expected) in shares(8, 8_000, 2, |at| sobol_g(&at.point))
            .iter()
            .zip(sobol_g_totals())
        {
            assert!(
                (share.total.value - expected).abs() < 4.0 * share.total.std_error + 1e-4,
                "{share:?} {expected}"
            );
        }
    }

    /// y = x + noise, both uniform: each has half of the variance.
    #[test]
    fn process_noise_is_counted_as_a_factor() {
        let noise = Source::named("noise");
        let found = shares(1, 8_000, 3, |at| at.point[0] + noise.uniform(9, at.noise));
        for share in found {
            assert!(
                (share.total.value - 0.5).abs() < 4.0 * share.total.std_error,
                "{share:?}"
            );
            assert!(
                (share.first_order.value - 0.5).abs() < 4.0 * share.first_order.std_error,
                "{share:?}"
            );
        }
    }

    /// Intervals of +-1.96 standard errors cover the true index in about 95 % of analyses.
    #[test]
    fn intervals_cover() {
        let covered = (0..60)
            .map(|seed| shares(3, 400, 100 + seed, |at| ishigami(&at.point)))
            .flat_map(|found| {
                found
                    .into_iter()
                    .zip([0.5576, 0.4424, 0.2437])
                    .map(|(share, expected)| {
                        (share.total.value - expected).abs() < 1.96 * share.total.std_error
                    })
            })
            .filter(|covers| *covers)
            .count();
        // 180 intervals, not all independent: at least 88 %.
        assert!(covered >= 158, "{covered} of 180");
    }
}

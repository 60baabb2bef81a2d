//! Bootstrap samples and permutations of trials, by streams of their own, so that they are the same on any machine.

use serde::{Deserialize, Serialize};

use crate::sampling::streams::Source;

/// An estimated number with what its bootstrap says of it.
///
/// The bootstrap draws the trials again, with replacement, a hundred times (Efron & Tibshirani, "An Introduction to the
/// Bootstrap", 1993).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Estimate {
    /// The estimate, corrected for its bias.
    pub value: f64,
    /// The bias that was taken off: the mean over the bootstrap less what the trials say.
    pub bias: f64,
    /// The standard deviation over the bootstrap.
    pub std_error: f64,
}

impl Estimate {
    /// Of a number that needs no correction.
    pub(crate) fn unbiased(value: f64, std_error: f64) -> Self {
        Self {
            value,
            bias: 0.0,
            std_error,
        }
    }

    /// Of a number found in the trials, and in each bootstrap sample of them.
    pub(crate) fn corrected(found: f64, replicates: &[f64]) -> Self {
        let (mean, std_error) = mean_and_sd(replicates);
        let bias = if replicates.is_empty() {
            0.0
        } else {
            mean - found
        };
        Self {
            value: found - bias,
            bias,
            std_error,
        }
    }
}

/// The mean and the standard deviation (n - 1); 0 for the latter of fewer than two numbers.
pub(crate) fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let sd = if n > 1.0 {
        (squares / (n - 1.0)).sqrt()
    } else {
        0.0
    };
    (mean, sd)
}

/// How often each of `trials` is drawn in a bootstrap sample of as many.
pub(crate) fn bootstrap_weights(trials: usize, seed: u64, replicate: u64) -> Vec<f64> {
    let mut stream = Source::named("analysis/bootstrap").stream(seed, replicate);
    let mut weights = vec![0.0; trials];
    for _ in 0..trials {
        weights[(stream.uniform() * trials as f64) as usize] += 1.0;
    }
    weights
}

/// A random permutation of 0 to `trials` - 1 (Fisher and Yates).
pub(crate) fn permutation(trials: usize, seed: u64, replicate: u64) -> Vec<u32> {
    let mut stream = Source::named("analysis/permutation").stream(seed, replicate);
    let mut order: Vec<u32> = (0..trials as u32).collect();
    for last in (1..trials).rev() {
        order.swap(last, (stream.uniform() * (last + 1) as f64) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bootstrap_sample_has_as_many_trials() {
        let weights = bootstrap_weights(1_000, 1, 0);
        assert_eq!(weights.iter().sum::<f64>(), 1_000.0);
        // The share that is not drawn is 1/e, within five standard errors.
        let left_out = weights.iter().filter(|weight| **weight == 0.0).count();
        assert!((left_out as f64 / 1_000.0 - 0.3679).abs() < 0.05);
        assert_ne!(weights, bootstrap_weights(1_000, 1, 1));
    }

    #[test]
    fn a_permutation_has_each_position_once() {
        let mut order = permutation(500, 3, 7);
        assert_ne!(order, (0..500).collect::<Vec<u32>>());
        order.sort_unstable();
        assert_eq!(order, (0..500).collect::<Vec<u32>>());
    }
}

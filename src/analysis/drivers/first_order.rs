//! First-order indices: the share of a result's variance that knowing one input would take away.
//!
//! For an input X and a result Y, S = Var(E\[Y | X\]) / Var(Y), 0 to 1 (Sobol', 1993). Two estimators, of the trials that
//! one has:
//!
//! - **by bins** of about equally many trials: the variance between the bins' means. With n trials in K bins the means
//!   vary by chance, too; that is taken off as in an adjusted R^2 (Kelley, "An unbiased correlation ratio measure",
//!   PNAS 21, 1935): S = 1 - (W / (n - K)) / (T / (n - 1)), with W the sum of squares inside the bins and T in all.
//! - **by ranks**: the covariance of Y in trials that are neighbours in X (Gamboa, Gremaud, Klein & Lagnoux, "Global
//!   sensitivity analysis: a novel generation of mighty estimators based on rank statistics", Bernoulli 28, 2022, after
//!   Chatterjee, "A new coefficient of correlation", JASA 116, 2021). No bins to choose, but a standard error of about
//!   1 / sqrt(n) for any input.

use super::bins::Bins;

/// Sums of a result in each bin of an input, from which its index follows.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    sums: Vec<f64>,
    counts: Vec<f64>,
    squares: f64,
}

impl Moments {
    fn new(bins: usize) -> Self {
        Self::of_sums(vec![0.0; bins], vec![0.0; bins], 0.0)
    }

    /// Of what each bin's results sum to, how many they are, and the sum of all results' squares.
    pub(crate) fn of_sums(sums: Vec<f64>, counts: Vec<f64>, squares: f64) -> Self {
        Self {
            sums,
            counts,
            squares,
        }
    }

    #[inline]
    fn add_weighted(&mut self, bin: u16, y: f64, weight: f64) {
        self.sums[usize::from(bin)] += weight * y;
        self.counts[usize::from(bin)] += weight;
        self.squares += weight * y * y;
    }

    /// The index by bins; 0 if the result does not vary.
    pub(crate) fn index(&self) -> f64 {
        let count: f64 = self.counts.iter().sum();
        let total: f64 = self.sums.iter().sum();
        let used = self.counts.iter().filter(|count| **count > 0.0).count() as f64;
        let all = self.squares - total * total / count;
        if all <= f64::EPSILON * self.squares || count <= used {
            return 0.0;
        }
        let of_bins = self.sums.iter().zip(&self.counts);
        let of_bins = of_bins.filter(|(_, count)| **count > 0.0);
        let between =
            of_bins.map(|(sum, count)| sum * sum / count).sum::<f64>() - total * total / count;
        1.0 - ((all - between) / (count - used)) / (all / (count - 1.0))
    }
}

/// The index by bins, of trials with weights; 0 if the result does not vary.
pub fn by_bins(bins: &Bins, result: &[f64], weights: &[f64]) -> f64 {
    let mut moments = Moments::new(bins.count);
    for ((&bin, &y), &weight) in bins.of.iter().zip(result).zip(weights) {
        moments.add_weighted(bin, y, weight);
    }
    moments.index()
}

/// The share of the variance that lies between the bins' means, from which [`by_bins`] takes off what chance adds.
pub fn between_share(bins: &Bins, result: &[f64]) -> f64 {
    let n = result.len() as f64;
    let adjusted = by_bins(bins, result, &vec![1.0; result.len()]);
    1.0 - (1.0 - adjusted) * (n - bins.count as f64) / (n - 1.0)
}

/// The index by ranks, of trials in ascending order of the input; 0 if the result does not vary.
pub fn by_ranks(order: &[u32], result: &[f64]) -> f64 {
    let n = result.len() as f64;
    let mean = result.iter().sum::<f64>() / n;
    let of = |position: usize| result[order[position % order.len()] as usize] - mean;
    let variance: f64 = (0..order.len()).map(|at| of(at) * of(at)).sum();
    let covariance: f64 = (0..order.len()).map(|at| of(at) * of(at + 1)).sum();
    if variance > 0.0 {
        covariance / variance
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::bins::{bins_for, order_of};
    use super::super::reference::{ISHIGAMI_FIRST, ishigami_trials};
    use super::*;

    /// Published: 0.314, 0.442, 0 (Ishigami & Homma 1990, a = 7, b = 0.1).
    #[test]
    fn ishigami() {
        let (inputs, result) = ishigami_trials(10_000);
        let ones = vec![1.0; result.len()];
        for (input, expected) in inputs.iter().zip(ISHIGAMI_FIRST) {
            let bins = Bins::new(input, bins_for(result.len()));
            let by_bins = by_bins(&bins, &result, &ones);
            // About four standard errors of the estimate of 10,000 trials, by bins with what 39 bins cannot resolve.
            assert!((by_bins - expected).abs() < 0.03, "{by_bins} {expected}");
            let by_ranks = by_ranks(&order_of(input), &result);
            assert!((by_ranks - expected).abs() < 0.04, "{by_ranks} {expected}");
        }
    }

    #[test]
    fn an_input_without_effect_has_an_index_of_0_on_average() {
        let (inputs, _) = ishigami_trials(40_000);
        let ones = vec![1.0; 1_000];
        let indices: Vec<f64> = (inputs[0].chunks(1_000).zip(inputs[1].chunks(1_000)))
            .map(|(x, y)| by_bins(&Bins::new(x, 16), y, &ones))
            .collect();
        let mean = indices.iter().sum::<f64>() / 40.0;
        // Five standard errors: sqrt(2 x 16) / 1,000 / sqrt(40).
        assert!(mean.abs() < 0.0045, "{mean}");
    }

    #[test]
    fn a_result_that_does_not_vary_has_no_drivers() {
        let bins = Bins::new(&[1.0, 2.0, 3.0, 4.0], 2);
        assert_eq!(by_bins(&bins, &[5.0; 4], &[1.0; 4]), 0.0);
        assert_eq!(by_ranks(&[0, 1, 2, 3], &[5.0; 4]), 0.0);
    }
}

//! How far a result's distribution moves when an input is known: measures of the whole distribution, and of a
//! probability.
//!
//! - **delta** (Borgonovo, "A new uncertainty importance measure", Reliability Engineering & System Safety 92, 2007):
//!   half of the expected area between the densities of Y and of Y given X, 0 to 1.
//! - **PAWN** (Pianosi & Wagener, "A simple and efficient method for global sensitivity analysis based on cumulative
//!   distribution functions", Environmental Modelling & Software 67, 2015; from given trials: 2018): the Kolmogorov-Smirnov
//!   distance between the distribution functions of Y and of Y given X, at the X where it is largest.
//!
//! Both are of trials in bins of the input and classes of the result. For a target, which is met or missed, the classes
//! are these two: delta is then the mean, and PAWN the largest, of how far its probability moves.
//!
//! Both are above 0 even for an input without effect, as shares in bins differ by chance. Hence the noise floor
//! ([`NoiseFloor`](super::NoiseFloor)).

use super::bins::Bins;

/// Trials counted in bins of an input and classes of a result.
#[derive(Clone, Debug)]
pub struct Table {
    counts: Vec<f64>,
    classes: usize,
}

impl Table {
    /// Counts trials with weights.
    pub fn new(input: &Bins, result: &Bins, weights: &[f64]) -> Self {
        let classes = result.count;
        let mut counts = vec![0.0; input.count * classes];
        for ((&bin, &class), &weight) in input.of.iter().zip(&result.of).zip(weights) {
            counts[usize::from(bin) * classes + usize::from(class)] += weight;
        }
        Self { counts, classes }
    }

    /// Of counts that are known: those of the classes of the first bin, then of the next.
    pub(crate) fn of_counts(counts: Vec<f64>, classes: usize) -> Self {
        Self { counts, classes }
    }

    fn shares(&self) -> Vec<f64> {
        let mut shares = vec![0.0; self.classes];
        for bin in self.counts.chunks(self.classes) {
            for (share, count) in shares.iter_mut().zip(bin) {
                *share += count;
            }
        }
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
        shares
    }

    /// Borgonovo's delta, 0 to 1; what chance adds is not taken off.
    pub fn delta(&self) -> f64 {
        let shares = self.shares();
        let total: f64 = self.counts.iter().sum();
        let mut sum = 0.0;
        for bin in self.counts.chunks(self.classes) {
            let trials: f64 = bin.iter().sum();
            sum += (bin.iter().zip(&shares))
                .map(|(count, share)| (count - share * trials).abs())
                .sum::<f64>();
        }
        sum / (2.0 * total)
    }

    /// PAWN's largest distance over the bins, 0 to 1; what chance adds is not taken off.
    pub fn pawn(&self) -> f64 {
        let shares = self.shares();
        let distance = |bin: &[f64]| {
            let trials: f64 = bin.iter().sum();
            let (mut conditional, mut all, mut largest) = (0.0, 0.0, 0.0_f64);
            for (count, share) in bin.iter().zip(&shares) {
                conditional += count / trials;
                all += share;
                largest = largest.max((conditional - all).abs());
            }
            largest
        };
        let bins = self.counts.chunks(self.classes);
        bins.filter(|bin| bin.iter().sum::<f64>() > 0.0)
            .map(distance)
            .fold(0.0, f64::max)
    }
}

/// Into how many bins the input, and classes the result, are put: n^0.3, from 4 to 24 (assumption).
pub fn cells_for(trials: usize) -> usize {
    (libm::pow(trials as f64, 0.3) as usize).clamp(4, 24)
}

#[cfg(test)]
mod tests {
    use super::super::reference::{ISHIGAMI_DELTA, ishigami_trials};
    use super::super::resampling::{Estimate, bootstrap_weights};
    use super::*;

    /// Published: 0.210, 0.358, 0.155 (Plischke, Borgonovo & Smith, "Global sensitivity measures from given data", 2013).
    #[test]
    fn ishigami() {
        let (inputs, result) = ishigami_trials(10_000);
        let cells = cells_for(result.len());
        let classes = Bins::new(&result, cells);
        let ones = vec![1.0; result.len()];
        for (input, expected) in inputs.iter().zip(ISHIGAMI_DELTA) {
            let bins = Bins::new(input, cells);
            let found = Table::new(&bins, &classes, &ones).delta();
            let replicates: Vec<f64> = (0..50)
                .map(|replicate| bootstrap_weights(result.len(), 1, replicate))
                .map(|weights| Table::new(&bins, &classes, &weights).delta())
                .collect();
            let delta = Estimate::corrected(found, &replicates);
            assert!(
                (delta.value - expected).abs() < 0.05,
                "{delta:?} {expected}"
            );
        }
    }

    #[test]
    fn a_target_moves_by_its_probability() {
        let input: Vec<f64> = (0..4_000).map(f64::from).collect();
        let met: Vec<f64> = (0..4_000)
            .map(|trial| f64::from(u8::from(trial >= 3_000)))
            .collect();
        let (bins, classes) = (Bins::new(&input, 4), Bins::new(&met, 8));
        let table = Table::new(&bins, &classes, &vec![1.0; 4_000]);
        // P is 1/4; given the bins it is 0, 0, 0, 1.
        assert!((table.delta() - 0.375).abs() < 1e-12);
        assert!((table.pawn() - 0.75).abs() < 1e-12);
    }
}

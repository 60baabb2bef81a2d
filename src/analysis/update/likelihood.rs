//! How likely observations are in a trial.
//!
//! With the residuals r = observed - simulated and the covariance S of errors and discrepancies, the log likelihood is
//! that of a normal distribution, -(n ln 2 pi + ln det S + r' S^-1 r) / 2. S has (error^2 + discrepancy^2) on its diagonal;
//! observations of one metric share their discrepancy by exp(-months between them / 24). A milestone that has not been
//! reached by a time t has the likelihood P(simulated time + error > t).

use super::observations::{DISCREPANCY_MONTHS, Found};
use crate::projection::TrialRow;
use crate::uncertain::normal_cdf;

/// Observations ready to be compared with trials.
pub(super) struct Likelihood {
    found: Vec<Found>,
    /// Positions of the observations with a residual.
    measured: Vec<usize>,
    /// The lower triangle L of S = L L', row by row.
    lower: Vec<f64>,
    /// -(n ln 2 pi + ln det S) / 2.
    constant: f64,
}

impl Likelihood {
    pub(super) fn new(found: Vec<Found>) -> Self {
        let measured: Vec<usize> = (0..found.len())
            .filter(|position| !found[*position].is_not_yet)
            .collect();
        let lower = cholesky(&found, &measured);
        let n = measured.len();
        let log_root: f64 = (0..n).map(|i| libm::log(lower[i * n + i])).sum();
        let constant = -0.5 * n as f64 * libm::log(2.0 * std::f64::consts::PI) - log_root;
        Self {
            found,
            measured,
            lower,
            constant,
        }
    }

    /// The observations.
    pub(super) fn found(&self) -> &[Found] {
        &self.found
    }

    /// The log likelihood of a trial's values of all observations; minus infinity if one does not exist.
    pub(super) fn of_values(&self, values: &[f64], residuals: &mut Vec<f64>) -> f64 {
        if values.iter().any(|value| !value.is_finite()) {
            return f64::NEG_INFINITY;
        }
        residuals.clear();
        let n = self.measured.len();
        let mut sum = self.constant;
        for (row, &position) in self.measured.iter().enumerate() {
            let residual = self.found[position].value - values[position];
            let before: f64 = (self.lower[row * n..row * n + row].iter())
                .zip(&*residuals)
                .map(|(weight, scaled)| weight * scaled)
                .sum();
            let scaled = (residual - before) / self.lower[row * n + row];
            residuals.push(scaled);
            sum -= 0.5 * scaled * scaled;
        }
        for (found, value) in self.found.iter().zip(values) {
            if found.is_not_yet {
                sum += log_normal_cdf((value - found.value) / found.sd());
            }
        }
        sum
    }

    /// The values of all observations in a trial.
    pub(super) fn values(&self, row: &TrialRow, values: &mut Vec<f64>) {
        values.clear();
        values.extend(self.found.iter().map(|found| found.of(row)));
    }
}

/// ln P(Z <= z), by its asymptotic series -z^2/2 - ln(-z sqrt(2 pi)) + ln(1 - 1/z^2) far out, where the distribution function
/// itself is 0.
fn log_normal_cdf(z: f64) -> f64 {
    if z > -30.0 {
        return libm::log(normal_cdf(z));
    }
    let square = z * z;
    -0.5 * square - libm::log(-z * (2.0 * std::f64::consts::PI).sqrt()) + libm::log1p(-1.0 / square)
}

/// The covariance of errors and discrepancies of two observations.
fn covariance(a: &Found, b: &Found, is_same: bool) -> f64 {
    if is_same {
        return a.error * a.error + a.discrepancy * a.discrepancy;
    }
    if a.of != b.of {
        return 0.0;
    }
    let apart = (a.months - b.months).abs() / DISCREPANCY_MONTHS;
    a.discrepancy * b.discrepancy * libm::exp(-apart)
}

/// The lower triangle of the covariance matrix. It is positive definite up to rounding, as every error is above 0 or
/// observations are at different times; two that say exactly the same get a millionth more variance.
fn cholesky(found: &[Found], measured: &[usize]) -> Vec<f64> {
    const LEAST: f64 = 1e-6;
    let n = measured.len();
    let mut lower: Vec<f64> = vec![0.0; n * n];
    for j in 0..n {
        let of_j = &found[measured[j]];
        let before: f64 = (0..j).map(|k| lower[j * n + k].powi(2)).sum();
        let variance = covariance(of_j, of_j, true);
        let root = (variance - before).max(LEAST * variance).sqrt();
        lower[j * n + j] = root;
        for i in j + 1..n {
            let before: f64 = (0..j).map(|k| lower[i * n + k] * lower[j * n + k]).sum();
            lower[i * n + j] = (covariance(&found[measured[i]], of_j, false) - before) / root;
        }
    }
    lower
}

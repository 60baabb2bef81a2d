//! What a result is expected to be, given some of the inputs: least squares on polynomials of the inputs' ranks, always
//! judged on trials that it has not seen.
//!
//! An input with rank u in (0, 1) gives Legendre polynomials of 2 u - 1 as columns; products of the first two of them
//! let inputs act together. The trials are split into [`FOLDS`] folds; what is expected of a fold's trials is fitted to
//! the other folds (cross-fitting), so that a spurious relation predicts nothing and costs accuracy instead of feigning it.

use pulp::{Arch, NullaryFnOnce};

use crate::parallel;
use crate::uncertain::correlation::cholesky;

/// Into how many folds trials are split.
pub(crate) const FOLDS: usize = 10;
/// Added to the variance of each column, which is 1, so that collinear columns can be solved for.
const RIDGE: f64 = 1e-8;
/// A column for each this many trials at most (assumption; a rule of thumb of 10 to 20 is usual).
pub(crate) const TRIALS_PER_COLUMN: usize = 15;

/// Legendre polynomials of degree 1 to `degree` of ranks from 1 to n, as columns of mean 0 and variance 1. A column
/// that does not vary is left out.
pub(crate) fn polynomials(ranks: &[f64], degree: usize) -> Vec<Vec<f64>> {
    let n = ranks.len() as f64;
    let centred: Vec<f64> = ranks
        .iter()
        .map(|rank| (2.0 * rank - 1.0) / n - 1.0)
        .collect();
    let mut columns: Vec<Vec<f64>> = Vec::with_capacity(degree);
    let (mut before, mut last) = (vec![1.0; ranks.len()], centred.clone());
    for k in 1..=degree {
        columns.extend(standardised(last.clone()));
        let k = k as f64;
        let next = (last.iter().zip(&before).zip(&centred))
            .map(|((p, q), x)| ((2.0 * k + 1.0) * x * p - k * q) / (k + 1.0))
            .collect();
        before = std::mem::replace(&mut last, next);
    }
    columns
}

/// The product of two columns, as a column.
pub(crate) fn product(first: &[f64], second: &[f64]) -> Option<Vec<f64>> {
    standardised(first.iter().zip(second).map(|(a, b)| a * b).collect())
}

fn standardised(mut column: Vec<f64>) -> Option<Vec<f64>> {
    let n = column.len() as f64;
    let mean = column.iter().sum::<f64>() / n;
    let sd = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
    if sd < 1e-9 {
        return None;
    }
    column.iter_mut().for_each(|x| *x = (*x - mean) / sd);
    Some(column)
}

/// The fold that a trial is judged in. Neighbours are judged together: in some designs they are opposites of one another, in
/// an ensemble copies.
fn fold_of(trial: usize, trials: usize) -> usize {
    trial * FOLDS / trials
}

/// What each result is expected to be in each trial, by columns fitted to the other folds.
pub(crate) fn cross_fit<C: AsRef<[f64]> + Sync>(
    columns: &[C],
    results: &[&[f64]],
) -> Vec<Vec<f64>> {
    let trials = results.first().map_or(0, |result| result.len());
    let members: Vec<Vec<usize>> = (0..FOLDS)
        .map(|fold| {
            (0..trials)
                .filter(|&trial| fold_of(trial, trials) == fold)
                .collect()
        })
        .collect();
    let moments: Vec<Moments> = parallel::map(&members, |fold| Moments::of(fold, columns, results));
    let total = moments.iter().fold(None, |sum: Option<Moments>, moments| {
        Some(sum.map_or_else(|| moments.clone(), |sum| sum.plus(moments, 1.0)))
    });
    let Some(total) = total else {
        return Vec::new();
    };
    let fitted: Vec<Vec<Vec<f64>>> =
        parallel::map(&moments, |own| total.clone().plus(own, -1.0).coefficients());
    let mut expected = vec![vec![0.0; trials]; results.len()];
    for (expected, result) in expected.iter_mut().zip(0..) {
        for (trial, value) in expected.iter_mut().enumerate() {
            let coefficients: &[f64] = &fitted[fold_of(trial, trials)][result];
            *value = coefficients[0]
                + (coefficients[1..].iter().zip(columns))
                    .map(|(coefficient, column)| coefficient * column.as_ref()[trial])
                    .sum::<f64>();
        }
    }
    expected
}

/// Sums of products over the trials of a fold. Column 0 is the constant 1.
#[derive(Clone)]
struct Moments {
    trials: f64,
    size: usize,
    columns: Vec<f64>,
    results: Vec<Vec<f64>>,
}

impl Moments {
    fn of<C: AsRef<[f64]>>(members: &[usize], columns: &[C], results: &[&[f64]]) -> Self {
        let pick = |column: &[f64]| -> Vec<f64> { members.iter().map(|&at| column[at]).collect() };
        let mut picked = vec![vec![1.0; members.len()]];
        picked.extend(columns.iter().map(|column| pick(column.as_ref())));
        let size = picked.len();
        let mut sums = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..=row {
                let sum = dot(&picked[row], &picked[column]);
                sums[row * size + column] = sum;
                sums[column * size + row] = sum;
            }
        }
        let with_results = |result: &&[f64]| {
            let result = pick(result);
            picked.iter().map(|column| dot(column, &result)).collect()
        };
        Self {
            trials: members.len() as f64,
            size,
            columns: sums,
            results: results.iter().map(with_results).collect(),
        }
    }

    fn plus(mut self, other: &Self, sign: f64) -> Self {
        self.trials += sign * other.trials;
        let add = |to: &mut Vec<f64>, from: &Vec<f64>| {
            to.iter_mut()
                .zip(from)
                .for_each(|(to, from)| *to += sign * from);
        };
        add(&mut self.columns, &other.columns);
        for (to, from) in self.results.iter_mut().zip(&other.results) {
            add(to, from);
        }
        self
    }

    /// The least-squares coefficients of each result.
    fn coefficients(mut self) -> Vec<Vec<f64>> {
        for value in &mut self.columns {
            *value /= self.trials;
        }
        for place in 1..self.size {
            self.columns[place * self.size + place] += RIDGE;
        }
        let lower = cholesky(&self.columns, self.size);
        let solved = |result: &Vec<f64>| match &lower {
            Some(lower) => solve(lower, self.size, result.iter().map(|sum| sum / self.trials)),
            // Not positive in spite of the ridge: nothing better than the mean is known.
            None => {
                let mut mean = vec![0.0; self.size];
                mean[0] = result[0] / self.trials;
                mean
            }
        };
        self.results.iter().map(solved).collect()
    }
}

/// Solves L L' x = b; a row whose pivot is 0 takes no part.
fn solve(lower: &[f64], size: usize, right: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut x: Vec<f64> = right.collect();
    for row in 0..size {
        let known = dot(&lower[row * size..row * size + row], &x[..row]);
        let pivot = lower[row * size + row];
        x[row] = if pivot > 0.0 {
            (x[row] - known) / pivot
        } else {
            0.0
        };
    }
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size).map(|k| lower[k * size + row] * x[k]).sum();
        let pivot = lower[row * size + row];
        x[row] = if pivot > 0.0 {
            (x[row] - known) / pivot
        } else {
            0.0
        };
    }
    x
}

/// The sum of products of two columns of the same length.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    Arch::new().dispatch(Dot(a, b))
}

struct Dot<'a>(&'a [f64], &'a [f64]);

impl NullaryFnOnce for Dot<'_> {
    type Output = f64;

    /// As many partial sums as the widest processors form side by side, so that the sum is the same on any.
    #[inline(always)]
    fn call(self) -> f64 {
        const LANES: usize = 32;
        let mut sums = [0.0; LANES];
        let (a_parts, a_rest) = self.0.as_chunks::<LANES>();
        let (b_parts, b_rest) = self.1.as_chunks::<LANES>();
        for (a, b) in a_parts.iter().zip(b_parts) {
            for (lane, sum) in sums.iter_mut().enumerate() {
                *sum += a[lane] * b[lane];
            }
        }
        let rest = a_rest.iter().zip(b_rest).map(|(a, b)| a * b);
        sums.iter().sum::<f64>() + rest.sum::<f64>()
    }
}

/// The share of a result's variance that expectations explain, and its standard error:
/// R^2 = 1 - mean((y - expected)^2) / mean((y - mean)^2), with the error of a ratio of means.
pub(crate) fn explained(expected: &[f64], result: &[f64]) -> (f64, f64) {
    let n = result.len() as f64;
    let mean = result.iter().sum::<f64>() / n;
    let left = |(expected, y): (&f64, &f64)| (y - expected).powi(2);
    let of = |y: &f64| (y - mean).powi(2);
    let total = result.iter().map(of).sum::<f64>() / n;
    let unexplained = expected.iter().zip(result).map(left).sum::<f64>() / n / total;
    let spread = (expected.iter().zip(result))
        .map(|pair| (left(pair) - unexplained * of(pair.1)).powi(2))
        .sum::<f64>();
    (1.0 - unexplained, spread.sqrt() / n / total)
}

#[cfg(test)]
mod tests {
    use super::super::drivers::bins::mid_ranks;
    use super::super::drivers::reference::{ishigami_trials, uniform_columns};
    use super::*;

    #[test]
    fn a_polynomial_is_found_again() {
        let inputs = uniform_columns(2, 2_000);
        let result: Vec<f64> = (inputs[0].iter().zip(&inputs[1]))
            .map(|(x, y)| 2.0 + 3.0 * x - 4.0 * y * y)
            .collect();
        let columns: Vec<Vec<f64>> = (inputs.iter())
            .flat_map(|input| polynomials(&mid_ranks(input), 3))
            .collect();
        let expected = cross_fit(&columns, &[&result]);
        // Ranks differ from what they rank by about 1 / sqrt(n).
        let (share, _) = explained(&expected[0], &result);
        assert!(share > 0.998, "{share}");
    }

    /// The first-order indices of Ishigami's function add up to 0.756; x1 and x3 together explain 0.558.
    #[test]
    fn groups_of_ishigami() {
        let (inputs, result) = ishigami_trials(10_000);
        let columns: Vec<Vec<Vec<f64>>> = inputs
            .iter()
            .map(|input| polynomials(&mid_ranks(input), 6))
            .collect();
        let additive: Vec<&Vec<f64>> = columns.iter().flatten().collect();
        let (share, std_error) = explained(&cross_fit(&additive, &[&result])[0], &result);
        assert!((share - 0.756).abs() < 0.03, "{share} {std_error}");
        assert!((0.001..0.02).contains(&std_error));
        let mut pair: Vec<Vec<f64>> = columns[0].iter().chain(&columns[2]).cloned().collect();
        for first in &columns[0][..4] {
            pair.extend(
                columns[2][..4]
                    .iter()
                    .filter_map(|second| product(first, second)),
            );
        }
        let (share, _) = explained(&cross_fit(&pair, &[&result])[0], &result);
        assert!((share - 0.558).abs() < 0.03, "{share}");
    }

    #[test]
    fn noise_explains_nothing() {
        let inputs = uniform_columns(6, 3_000);
        let columns: Vec<Vec<f64>> = (inputs[1..].iter())
            .flat_map(|input| polynomials(&mid_ranks(input), 6))
            .collect();
        let (share, _) = explained(&cross_fit(&columns, &[&inputs[0]])[0], &inputs[0]);
        assert!((-0.05..0.01).contains(&share), "{share}");
    }

    #[test]
    fn columns_that_say_the_same_do_no_harm() {
        let inputs = uniform_columns(1, 1_000);
        let mut columns = polynomials(&mid_ranks(&inputs[0]), 3);
        columns.push(columns[0].clone());
        let (share, _) = explained(&cross_fit(&columns, &[&inputs[0]])[0], &inputs[0]);
        assert!(share > 0.99, "{share}");
    }
}

//! What it is worth to be able to wait: an option that is exercised at one of several dates, or never.
//!
//! Least-squares Monte Carlo (Longstaff & Schwartz, "Valuing American Options by Simulation: A Simple Least-Squares
//! Approach", Review of Financial Studies 14, 2001): from the last date back, what it is worth to continue is estimated by regression of
//! the discounted later cash flows on polynomials of what is observed, over the paths on which exercising yields something;
//! where exercising now yields more, that is the cash flow of the path. The rule so found sees no future, so that its
//! value on fresh paths is a lower bound of the option's, but for chance; on the paths that it was fitted to it is optimistic.

use serde::{Deserialize, Serialize};

/// Why an option has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// There are no paths, or no dates.
    #[error("an option needs a path or more with a date or more")]
    Nothing,
    /// Paths have different lengths.
    #[error("path {path} has {found} dates, the first {expected}")]
    Lengths {
        /// Which, from 0.
        path: usize,
        /// How many dates it has.
        found: usize,
        /// How many the first has.
        expected: usize,
    },
    /// The discount factor is no share.
    #[error("the discount factor of a step is not above 0 and at most 1")]
    Discount,
}

/// When to exercise: at each date but the last the coefficients, by powers of the observed value, of what it is worth to go
/// on; none where exercising yields nothing on all paths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExerciseRule {
    coefficients: Vec<Option<Vec<f64>>>,
    discount: f64,
}

impl ExerciseRule {
    /// Fits a rule to paths: the observed value at each date, from the first on which one may exercise. `payoff` is what
    /// exercising yields; `discount` the worth now of 1 a step later; `degree` that of the polynomial, 2 being usual.
    ///
    /// The example of the article, 8 paths and a put at 1.10 with three dates:
    ///
    /// ```
    /// use buildout::analysis::decide::real_option::ExerciseRule;
    ///
    /// let paths = [
    ///     [1.09, 1.08, 1.34], [1.16, 1.26, 1.54], [1.22, 1.07, 1.03], [0.93, 0.97, 0.92],
    ///     [1.11, 1.56, 1.52], [0.76, 0.77, 0.90], [0.92, 0.84, 1.01], [0.88, 1.22, 1.34],
    /// ];
    /// let put = |price: f64| (1.10 - price).max(0.0);
    /// let discount = (-0.06_f64).exp();
    /// let rule = ExerciseRule::fit(&paths, put, discount, 2)?;
    /// assert!((rule.value(&paths, put) - 0.1144).abs() < 5e-5);
    /// // Without the right to exercise early:
    /// assert!((ExerciseRule::at_the_end(3, discount).value(&paths, put) - 0.0564).abs() < 5e-5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fit<P: AsRef<[f64]>>(
        paths: &[P],
        payoff: impl Fn(f64) -> f64,
        discount: f64,
        degree: usize,
    ) -> Result<Self, OptionError> {
        let dates = check(paths, discount)?;
        let value = |path: usize, date: usize| paths[path].as_ref()[date];
        let mut rule = Self::at_the_end(dates, discount);
        let mut flows: Vec<f64> = (0..paths.len())
            .map(|path| payoff(value(path, dates - 1)))
            .collect();
        for date in (0..dates - 1).rev() {
            flows.iter_mut().for_each(|flow| *flow *= discount);
            let paying: Vec<usize> = (0..paths.len())
                .filter(|path| payoff(value(*path, date)) > 0.0)
                .collect();
            let points = paying.iter().map(|path| (value(*path, date), flows[*path]));
            rule.coefficients[date] = least_squares(points, degree.min(paying.len().max(1) - 1));
            for path in paying {
                if rule.exercises(date, value(path, date), &payoff) {
                    flows[path] = payoff(value(path, date));
                }
            }
        }
        Ok(rule)
    }

    /// The rule to wait for the last of this many dates.
    pub fn at_the_end(dates: usize, discount: f64) -> Self {
        Self {
            coefficients: vec![None; dates.max(1) - 1],
            discount,
        }
    }

    /// Whether it exercises at a date (from 0) on which this value is observed: it sees that value alone.
    pub fn exercises(&self, date: usize, observed: f64, payoff: impl Fn(f64) -> f64) -> bool {
        let now = payoff(observed);
        let Some(coefficients) = self.coefficients.get(date) else {
            return now > 0.0;
        };
        now > 0.0
            && (coefficients.as_ref()).is_some_and(|coefficients| {
                let later = coefficients
                    .iter()
                    .rev()
                    .fold(0.0, |sum, c| sum * observed + c);
                now > later
            })
    }

    /// The mean present value over paths, one step before the first date: on fresh ones a lower bound of what the option is worth.
    pub fn value<P: AsRef<[f64]>>(&self, paths: &[P], payoff: impl Fn(f64) -> f64) -> f64 {
        let of_path = |path: &P| {
            let dates = path.as_ref().iter().enumerate();
            let exercised = dates
                .into_iter()
                .find(|(date, observed)| self.exercises(*date, **observed, &payoff));
            exercised.map_or(0.0, |(date, observed)| {
                payoff(*observed) * self.discount.powi(date as i32 + 1)
            })
        };
        paths.iter().map(of_path).sum::<f64>() / paths.len() as f64
    }
}

fn check<P: AsRef<[f64]>>(paths: &[P], discount: f64) -> Result<usize, OptionError> {
    let expected = paths.first().map_or(0, |path| path.as_ref().len());
    if expected == 0 {
        return Err(OptionError::Nothing);
    }
    if !(discount > 0.0 && discount <= 1.0) {
        return Err(OptionError::Discount);
    }
    let other = (paths.iter()).position(|path| path.as_ref().len() != expected);
    match other {
        Some(path) => Err(OptionError::Lengths {
            path,
            found: paths[path].as_ref().len(),
            expected,
        }),
        None => Ok(expected),
    }
}

/// The polynomial of this degree with the least squares, by powers; none without points. The normal equations are solved by
/// Gaussian elimination with pivoting; powers that say the same as lower ones have coefficient 0.
fn least_squares(points: impl Iterator<Item = (f64, f64)>, degree: usize) -> Option<Vec<f64>> {
    let size = degree + 1;
    let mut rows = vec![vec![0.0; size + 1]; size];
    let mut count = 0;
    for (x, y) in points {
        count += 1;
        for (i, row) in rows.iter_mut().enumerate() {
            for (j, sum) in row.iter_mut().take(size).enumerate() {
                *sum += x.powi((i + j) as i32);
            }
            row[size] += y * x.powi(i as i32);
        }
    }
    if count == 0 {
        return None;
    }
    let scale = rows.iter().flatten().fold(0.0, |a: f64, x| a.max(x.abs()));
    for pivot in 0..size {
        let greatest =
            (pivot..size).max_by(|a, b| rows[*a][pivot].abs().total_cmp(&rows[*b][pivot].abs()));
        rows.swap(pivot, greatest.unwrap_or(pivot));
        if rows[pivot][pivot].abs() <= 1e-12 * scale {
            continue;
        }
        let row = rows[pivot].clone();
        for (other, target) in rows.iter_mut().enumerate() {
            if other != pivot {
                let factor = target[pivot] / row[pivot];
                target
                    .iter_mut()
                    .zip(&row)
                    .for_each(|(a, b)| *a -= factor * b);
            }
        }
    }
    let coefficients = (0..size).map(|power| {
        let pivot = rows[power][power];
        if pivot.abs() <= 1e-12 * scale {
            0.0
        } else {
            rows[power][size] / pivot
        }
    });
    Some(coefficients.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATHS: [[f64; 3]; 8] = [
        [1.09, 1.08, 1.34],
        [1.16, 1.26, 1.54],
        [1.22, 1.07, 1.03],
        [0.93, 0.97, 0.92],
        [1.11, 1.56, 1.52],
        [0.76, 0.77, 0.90],
        [0.92, 0.84, 1.01],
        [0.88, 1.22, 1.34],
    ];

    #[test]
    fn the_published_regression_at_the_second_date_is_found() {
        let put = |price: f64| (1.10 - price).max(0.0);
        let rule = ExerciseRule::fit(&PATHS, put, (-0.06_f64).exp(), 2).unwrap();
        // E[Y | X] = -1.070 + 2.983 X - 1.813 X².
        let found = rule.coefficients[1].as_ref().unwrap();
        for (found, published) in found.iter().zip([-1.070, 2.983, -1.813]) {
            assert!((found - published).abs() < 2e-3, "{found} {published}");
        }
        // Exercised at the second date on paths 4, 6 and 7; it does not look at what follows.
        let exercised: Vec<usize> = (0..8)
            .filter(|path| rule.exercises(1, PATHS[*path][1], put))
            .map(|path| path + 1)
            .collect();
        assert_eq!(exercised, [4, 6, 7]);
    }

    #[test]
    fn what_is_no_set_of_paths_is_refused() {
        let put = |price: f64| price;
        let none: [[f64; 0]; 0] = [];
        assert_eq!(
            ExerciseRule::fit(&none, put, 0.9, 2),
            Err(OptionError::Nothing)
        );
        assert_eq!(
            ExerciseRule::fit(&PATHS, put, 1.5, 2),
            Err(OptionError::Discount)
        );
        let uneven = [vec![1.0, 2.0], vec![1.0]];
        assert!(matches!(
            ExerciseRule::fit(&uneven, put, 0.9, 2),
            Err(OptionError::Lengths {
                path: 1,
                found: 1,
                expected: 2
            })
        ));
    }
}

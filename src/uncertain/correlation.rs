//! Correlated inputs: a Gaussian copula on a matrix of rank correlations.
//!
//! A planner states Spearman's rank correlation r of two inputs. It is that of two normal numbers
//! whose product-moment correlation is 2 sin(pi r / 6) (Kruskal, "Ordinal measures of association",
//! JASA 53, 1958), so the uniforms u of the inputs are turned into
//!
//! ```text
//! z = normal quantile of u,   y = L z  with  L L' = the matrix (Cholesky),   u' = normal cdf of y
//! ```
//!
//! and each input is the quantile of its own distribution at u'. Every input keeps its
//! distribution; only how they go together changes. (Between discrete inputs the correlation that
//! results is weaker than the stated one.)
//!
//! It works on the vector of uniforms, whatever design of sampling they come from: independent
//! draws, Latin hypercubes and low-discrepancy points all stay what they are in z. The strata of a
//! Latin hypercube hold for the first of a group of correlated inputs, and for sums of z, but not
//! for each of the others by itself.
//!
//! Not every matrix is possible: it must have no negative eigenvalue. One that has is refused, or,
//! with `nearest`, replaced by the nearest correlation matrix in the Frobenius norm (Higham,
//! "Computing the nearest correlation matrix", IMA Journal of Numerical Analysis 22, 2002).

use super::special::{normal_cdf, normal_quantile};

/// Correlations that cannot all hold together.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "these correlations cannot all hold together: the least eigenvalue of their matrix is {least_eigenvalue:.4}, below 0"
)]
pub(crate) struct Impossible {
    /// The least eigenvalue of the matrix of the normal numbers.
    pub(crate) least_eigenvalue: f64,
}

/// A symmetric matrix with ones on its diagonal, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CorrelationMatrix {
    size: usize,
    values: Vec<f64>,
}

impl CorrelationMatrix {
    /// Nothing correlated with anything.
    pub(crate) fn identity(size: usize) -> Self {
        let mut matrix = Self {
            size,
            values: vec![0.0; size * size],
        };
        for i in 0..size {
            matrix.values[i * size + i] = 1.0;
        }
        matrix
    }

    /// How many rows it has.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The correlation of two.
    pub(crate) fn get(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.size + column]
    }

    /// Sets the correlation of two different ones.
    ///
    /// # Panics
    /// If they are the same, or beyond the size.
    pub(crate) fn set(&mut self, row: usize, column: usize, value: f64) {
        assert!(row != column);
        self.values[row * self.size + column] = value;
        self.values[column * self.size + row] = value;
    }

    /// Eigenvalues and eigenvectors (columns) by Jacobi's rotations (Golub & Van Loan, Matrix
    /// Computations, section 8.5).
    fn eigen(&self) -> (Vec<f64>, Vec<f64>) {
        let n = self.size;
        let mut a = self.values.clone();
        let mut v = Self::identity(n).values;
        for _ in 0..60 {
            let off: f64 = (0..n)
                .flat_map(|p| (0..p).map(move |q| (p, q)))
                .map(|(p, q)| a[p * n + q] * a[p * n + q])
                .sum();
            if off <= 1e-24 {
                break;
            }
            for p in 0..n {
                for q in p + 1..n {
                    let apq = a[p * n + q];
                    if apq == 0.0 {
                        continue;
                    }
                    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
                    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                    let t = if theta == 0.0 { 1.0 } else { t };
                    let c = 1.0 / (t * t + 1.0).sqrt();
                    let s = t * c;
                    for k in 0..n {
                        let (kp, kq) = (a[k * n + p], a[k * n + q]);
                        a[k * n + p] = c * kp - s * kq;
                        a[k * n + q] = s * kp + c * kq;
                    }
                    for k in 0..n {
                        let (pk, qk) = (a[p * n + k], a[q * n + k]);
                        a[p * n + k] = c * pk - s * qk;
                        a[q * n + k] = s * pk + c * qk;
                    }
                    for k in 0..n {
                        let (kp, kq) = (v[k * n + p], v[k * n + q]);
                        v[k * n + p] = c * kp - s * kq;
                        v[k * n + q] = s * kp + c * kq;
                    }
                }
            }
        }
        ((0..n).map(|i| a[i * n + i]).collect(), v)
    }

    /// The least eigenvalue; below 0 no numbers can be so correlated.
    pub(crate) fn least_eigenvalue(&self) -> f64 {
        self.eigen().0.into_iter().fold(f64::INFINITY, f64::min)
    }

    /// The symmetric matrix without what is below `floor` of its eigenvalues.
    fn lifted(&self, floor: f64) -> Self {
        let n = self.size;
        let (values, vectors) = self.eigen();
        let mut lifted = Self {
            size: n,
            values: vec![0.0; n * n],
        };
        for (k, value) in values.iter().enumerate() {
            let value = value.max(floor);
            for i in 0..n {
                let scaled = value * vectors[i * n + k];
                for j in 0..n {
                    lifted.values[i * n + j] += scaled * vectors[j * n + k];
                }
            }
        }
        lifted
    }

    /// The nearest correlation matrix in the Frobenius norm: alternating projections with
    /// Dykstra's correction (Higham 2002), until nothing moves by more than 1e-9.
    #[must_use]
    pub(crate) fn nearest(&self) -> Self {
        const FLOOR: f64 = 1e-9;
        let n = self.size;
        let mut y = self.clone();
        let mut correction = vec![0.0; n * n];
        for _ in 0..500 {
            let mut r = y.clone();
            for (value, correction) in r.values.iter_mut().zip(&correction) {
                *value -= correction;
            }
            let x = r.lifted(0.0);
            for ((correction, x), r) in correction.iter_mut().zip(&x.values).zip(&r.values) {
                *correction = x - r;
            }
            let mut next = x;
            for i in 0..n {
                next.values[i * n + i] = 1.0;
            }
            let moved = (next.values.iter().zip(&y.values))
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f64::max);
            y = next;
            if moved < 1e-9 {
                break;
            }
        }
        // Positive definite in spite of rounding, and with ones on the diagonal.
        let lifted = y.lifted(FLOOR);
        let mut nearest = Self::identity(n);
        for i in 0..n {
            for j in 0..i {
                let scale = (lifted.get(i, i) * lifted.get(j, j)).sqrt();
                nearest.set(i, j, lifted.get(i, j) / scale);
            }
        }
        nearest
    }

    /// The lower triangle L with L L' = this matrix; see [`cholesky`].
    fn cholesky(&self) -> Option<Vec<f64>> {
        cholesky(&self.values, self.size)
    }
}

/// The lower triangle L with L L' = a symmetric matrix whose diagonal is about 1, both row by row; none if it has a
/// negative eigenvalue. A matrix that is only semi-definite, as with correlations of 1, has one too.
pub(crate) fn cholesky(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    const ZERO: f64 = 1e-10;
    let mut l = vec![0.0; n * n];
    for j in 0..n {
        let before: f64 = (0..j).map(|k| l[j * n + k] * l[j * n + k]).sum();
        let pivot = matrix[j * n + j] - before;
        if pivot < -ZERO {
            return None;
        }
        let is_zero = pivot <= ZERO;
        let root = if is_zero { 0.0 } else { pivot.sqrt() };
        l[j * n + j] = root;
        for i in j + 1..n {
            let before: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
            let rest = matrix[i * n + j] - before;
            if is_zero {
                if rest.abs() > 1e-7 {
                    return None;
                }
            } else {
                l[i * n + j] = rest / root;
            }
        }
    }
    Some(l)
}

/// The correlation of two normal numbers whose rank correlation is `rank`: 2 sin(pi rank / 6).
pub(crate) fn normal_correlation(rank: f64) -> f64 {
    2.0 * libm::sin(std::f64::consts::PI * rank / 6.0)
}

/// A Gaussian copula over some of the inputs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Copula {
    /// Positions of the correlated inputs.
    members: Vec<usize>,
    lower: Vec<f64>,
}

impl Copula {
    /// A copula that correlates the uniforms at these positions by rank correlations.
    ///
    /// # Panics
    /// If there are not as many members as the matrix has rows.
    pub(crate) fn new(
        members: Vec<usize>,
        ranks: &CorrelationMatrix,
        nearest: bool,
    ) -> Result<Self, Impossible> {
        assert_eq!(members.len(), ranks.size());
        let mut normal = CorrelationMatrix::identity(ranks.size());
        for i in 0..ranks.size() {
            for j in 0..i {
                normal.set(i, j, normal_correlation(ranks.get(i, j)));
            }
        }
        let lower = match normal.cholesky() {
            Some(lower) => lower,
            None if nearest => {
                let possible = normal.nearest();
                possible.cholesky().ok_or_else(|| Impossible {
                    least_eigenvalue: possible.least_eigenvalue(),
                })?
            }
            None => {
                return Err(Impossible {
                    least_eigenvalue: normal.least_eigenvalue(),
                });
            }
        };
        Ok(Self { members, lower })
    }

    /// Positions of the correlated inputs.
    pub(crate) fn members(&self) -> &[usize] {
        &self.members
    }

    /// Correlates a trial's uniforms, each in (0, 1), in their place.
    pub(crate) fn correlate(&self, uniforms: &mut [f64]) {
        let n = self.members.len();
        let first = self.members.first().map(|&member| uniforms[member]);
        for &member in &self.members {
            uniforms[member] = normal_quantile(uniforms[member]);
        }
        // From the last one back, so that those before it are still what they were.
        for (row, &member) in self.members.iter().enumerate().rev() {
            let correlated: f64 = (self.lower[row * n..=row * n + row].iter())
                .zip(&self.members)
                .map(|(weight, &other)| weight * uniforms[other])
                .sum();
            uniforms[member] = normal_cdf(correlated).clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON);
        }
        if let Some((&member, first)) = self.members.first().zip(first) {
            uniforms[member] = first;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::streams::Source;

    fn matrix(size: usize, entries: &[(usize, usize, f64)]) -> CorrelationMatrix {
        let mut matrix = CorrelationMatrix::identity(size);
        for &(i, j, value) in entries {
            matrix.set(i, j, value);
        }
        matrix
    }

    /// Spearman's correlation of two columns.
    fn rank_correlation(a: &[f64], b: &[f64]) -> f64 {
        let ranks = |values: &[f64]| {
            let mut order: Vec<usize> = (0..values.len()).collect();
            order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
            let mut ranks = vec![0.0; values.len()];
            for (rank, &position) in order.iter().enumerate() {
                ranks[position] = rank as f64;
            }
            ranks
        };
        let (a, b) = (ranks(a), ranks(b));
        let n = a.len() as f64;
        let d: f64 = a.iter().zip(&b).map(|(a, b)| (a - b) * (a - b)).sum();
        1.0 - 6.0 * d / (n * (n * n - 1.0))
    }

    #[test]
    fn uniforms_get_the_stated_rank_correlations_and_stay_uniform() {
        let ranks = matrix(3, &[(0, 1, 0.7), (0, 2, -0.4), (1, 2, 0.1)]);
        // The inputs 3, 0 and 2 of four; 1 is left alone.
        let copula = Copula::new(vec![3, 0, 2], &ranks, false).unwrap();
        let sources = ["a", "b", "c", "d"].map(Source::named);
        let mut columns = vec![Vec::new(); 4];
        const TRIALS: u64 = 20_000;
        for trial in 0..TRIALS {
            let mut u = sources.map(|source| source.uniform(3, trial));
            let untouched = u[1];
            copula.correlate(&mut u);
            assert_eq!(u[1], untouched);
            for (column, u) in columns.iter_mut().zip(u) {
                column.push(u);
            }
        }
        // The standard error of a rank correlation is at most 1 / sqrt(n) = 0.0071.
        for (i, j, expected) in [(3, 0, 0.7), (3, 2, -0.4), (0, 2, 0.1), (1, 0, 0.0)] {
            let found = rank_correlation(&columns[i], &columns[j]);
            assert!((found - expected).abs() < 0.025, "{i} {j} {found}");
        }
        // Kolmogorov's distance of a uniform: above 1.95 / sqrt(n) once in a thousand.
        for column in &mut columns {
            column.sort_by(f64::total_cmp);
            let distance = (column.iter().enumerate())
                .map(|(rank, u)| (u - (rank as f64 + 0.5) / TRIALS as f64).abs())
                .fold(0.0, f64::max);
            assert!(distance < 1.95 / (TRIALS as f64).sqrt(), "{distance}");
        }
    }

    #[test]
    fn an_impossible_matrix_is_refused_with_its_least_eigenvalue() {
        // a with b and b with c go together, a with c against one another: for normal
        // correlations of r, r and -r the least eigenvalue is 1 - 2 r.
        let ranks = matrix(3, &[(0, 1, 0.9), (1, 2, 0.9), (0, 2, -0.9)]);
        let error = Copula::new(vec![0, 1, 2], &ranks, false).unwrap_err();
        let expected = 1.0 - 2.0 * normal_correlation(0.9);
        assert!((error.least_eigenvalue - expected).abs() < 1e-9);
        assert!(Copula::new(vec![0, 1, 2], &ranks, true).is_ok());
    }

    #[test]
    fn the_nearest_matrix_is_highams() {
        // Higham (2002), section 4: 1 1 0 / 1 1 1 / 0 1 1, whose nearest correlation matrix has
        // 0.7607 and 0.1573; its distance is 0.5278.
        let given = matrix(3, &[(0, 1, 1.0), (1, 2, 1.0), (0, 2, 0.0)]);
        let nearest = given.nearest();
        assert!((nearest.get(0, 1) - 0.7607).abs() < 1e-4);
        assert!((nearest.get(1, 2) - 0.7607).abs() < 1e-4);
        assert!((nearest.get(0, 2) - 0.1573).abs() < 1e-4);
        let distance: f64 = (nearest.values.iter().zip(&given.values))
            .map(|(a, b)| (a - b) * (a - b))
            .sum::<f64>()
            .sqrt();
        assert!((distance - 0.5278).abs() < 1e-4);
        assert!(nearest.least_eigenvalue() >= -1e-12);
    }

    #[test]
    fn a_correlation_of_one_is_possible() {
        let ranks = matrix(2, &[(0, 1, 1.0)]);
        let copula = Copula::new(vec![0, 1], &ranks, false).unwrap();
        let mut u = [0.25, 0.9];
        copula.correlate(&mut u);
        assert!((u[1] - 0.25).abs() < 1e-12, "{u:?}");
    }
}

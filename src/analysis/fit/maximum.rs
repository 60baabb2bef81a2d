//! Maxima of smooth functions of a few parameters.

/// Where `function` is greatest, searched from `start` with first steps of `step`; `None` if it is
/// nowhere finite. By the simplex of Nelder & Mead (The Computer Journal 7, 1965), begun again from
/// what it found, so that a simplex that has collapsed does not end the search.
pub(super) fn maximise(
    function: impl Fn(&[f64]) -> f64,
    start: &[f64],
    step: f64,
) -> Option<Vec<f64>> {
    let cost = |at: &[f64]| {
        let value = -function(at);
        if value.is_nan() { f64::INFINITY } else { value }
    };
    let mut best = start.to_vec();
    for scale in [1.0, 0.3, 0.1] {
        best = Simplex::around(&best, step * scale, cost).minimise(cost);
    }
    cost(&best).is_finite().then_some(best)
}

/// The corners of a simplex with their costs, the least first.
struct Simplex(Vec<(f64, Vec<f64>)>);

impl Simplex {
    fn around(at: &[f64], step: f64, cost: impl Fn(&[f64]) -> f64) -> Self {
        let mut corners = vec![(cost(at), at.to_vec())];
        for axis in 0..at.len() {
            let mut corner = at.to_vec();
            corner[axis] += step;
            corners.push((cost(&corner), corner));
        }
        Self(corners)
    }

    fn minimise(mut self, cost: impl Fn(&[f64]) -> f64) -> Vec<f64> {
        const STEPS: usize = 4_000;
        const TOLERANCE: f64 = 1e-12;
        for _ in 0..STEPS {
            self.0.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (least, most) = (self.0[0].0, self.0[self.0.len() - 1].0);
            if most - least <= TOLERANCE * (1.0 + least.abs()) {
                break;
            }
            self.step(&cost);
        }
        self.0.swap_remove(0).1
    }

    /// Replaces the worst corner by its reflection, a point beyond or before that, or draws all
    /// corners towards the best.
    fn step(&mut self, cost: impl Fn(&[f64]) -> f64) {
        let last = self.0.len() - 1;
        let (worst, second, least) = (self.0[last].0, self.0[last - 1].0, self.0[0].0);
        let along = |by: f64| {
            let point: Vec<f64> = (0..last)
                .map(|axis| {
                    let others = self.0[..last].iter().map(|(_, corner)| corner[axis]);
                    let centre = others.sum::<f64>() / last as f64;
                    centre + by * (centre - self.0[last].1[axis])
                })
                .collect();
            (cost(&point), point)
        };
        let reflected = along(1.0);
        let replacement = if reflected.0 < least {
            let beyond = along(2.0);
            Some(if beyond.0 < reflected.0 {
                beyond
            } else {
                reflected
            })
        } else if reflected.0 < second {
            Some(reflected)
        } else {
            let nearer = along(if reflected.0 < worst { 0.5 } else { -0.5 });
            (nearer.0 < worst.min(reflected.0)).then_some(nearer)
        };
        match replacement {
            Some(corner) => self.0[last] = corner,
            None => self.shrink(cost),
        }
    }

    fn shrink(&mut self, cost: impl Fn(&[f64]) -> f64) {
        let (best, others) = self.0.split_at_mut(1);
        for (value, corner) in others {
            for (x, best) in corner.iter_mut().zip(&best[0].1) {
                *x = best + 0.5 * (*x - best);
            }
            *value = cost(corner);
        }
    }
}

/// The covariance of the estimates at a maximum of a logarithm of a likelihood: the inverse of the
/// negative matrix of second derivatives, by central differences. `None` if that is not positive definite.
pub(super) fn covariance(function: impl Fn(&[f64]) -> f64, at: &[f64]) -> Option<Vec<Vec<f64>>> {
    const H: f64 = 1e-3;
    let n = at.len();
    let shifted = |moves: &[(usize, f64)]| {
        let mut point = at.to_vec();
        for &(axis, by) in moves {
            point[axis] += by;
        }
        function(&point)
    };
    let second = |i: usize, j: usize| {
        if i == j {
            (shifted(&[(i, H)]) - 2.0 * function(at) + shifted(&[(i, -H)])) / (H * H)
        } else {
            let equal = shifted(&[(i, H), (j, H)]) + shifted(&[(i, -H), (j, -H)]);
            let opposite = shifted(&[(i, H), (j, -H)]) + shifted(&[(i, -H), (j, H)]);
            (equal - opposite) / (4.0 * H * H)
        }
    };
    let information = (0..n)
        .map(|i| (0..n).map(|j| -second(i.min(j), i.max(j))).collect())
        .collect();
    inverse(information)
}

/// The inverse of a symmetric positive definite matrix, by Gauss-Jordan elimination without pivoting,
/// which such a matrix does not need; `None` if a pivot is not positive.
fn inverse(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let n = matrix.len();
    for (i, row) in matrix.iter_mut().enumerate() {
        row.extend((0..n).map(|j| f64::from(u8::from(i == j))));
    }
    for pivot in 0..n {
        let divisor = matrix[pivot][pivot];
        if divisor.is_nan() || divisor <= 0.0 {
            return None;
        }
        matrix[pivot].iter_mut().for_each(|x| *x /= divisor);
        let row = matrix[pivot].clone();
        for (i, other) in matrix.iter_mut().enumerate() {
            if i != pivot {
                let factor = other[pivot];
                for (x, y) in other.iter_mut().zip(&row) {
                    *x -= factor * y;
                }
            }
        }
    }
    Some(matrix.into_iter().map(|row| row[n..].to_vec()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normal_log_density_has_its_mean_and_covariance() {
        // ln density of a normal with mean (1, -2) and precision ((2, 0.5), (0.5, 1))
        let f = |x: &[f64]| {
            let (a, b) = (x[0] - 1.0, x[1] + 2.0);
            -0.5 * (2.0 * a * a + a * b + b * b)
        };
        let at = maximise(f, &[0.0, 0.0], 0.5).unwrap();
        assert!((at[0] - 1.0).abs() < 1e-5 && (at[1] + 2.0).abs() < 1e-5);
        let c = covariance(f, &at).unwrap();
        let det = 2.0 - 0.25;
        assert!((c[0][0] - 1.0 / det).abs() < 1e-6);
        assert!((c[0][1] + 0.5 / det).abs() < 1e-6);
        assert!((c[1][1] - 2.0 / det).abs() < 1e-6);
    }
}

//! Partial rank correlation: how a result goes with one input while the others stay, where inputs go together.
//!
//! From the correlations of ranks (Spearman's) of the inputs and the result, PRCC_i = -P_iy / sqrt(P_ii P_yy) with P the
//! inverse of their matrix (Helton & Davis, "Latin hypercube sampling and the propagation of uncertainty in analyses of
//! complex systems", Reliability Engineering & System Safety 81, 2003). It detects monotone effects only.

use super::bins::mid_ranks;
use super::resampling::Estimate;
use crate::uncertain::correlation::cholesky;

/// The partial rank correlation of each input with the result, -1 to 1; none where an input does not vary or is given by
/// others.
///
/// The standard error is that of Fisher's transform, (1 - r^2) / sqrt(n - k - 2) for k inputs.
pub fn partial_rank_correlations(inputs: &[&[f64]], result: &[f64]) -> Vec<Option<Estimate>> {
    let size = inputs.len() + 1;
    let ranked: Vec<Vec<f64>> = (inputs.iter().copied().chain([result]))
        .map(|column| standard(mid_ranks(column)))
        .collect();
    let mut matrix = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..=row {
            let sum: f64 = ranked[row]
                .iter()
                .zip(&ranked[column])
                .map(|(a, b)| a * b)
                .sum();
            matrix[row * size + column] = sum;
            matrix[column * size + row] = sum;
        }
    }
    let Some(lower) = cholesky(&matrix, size) else {
        return vec![None; inputs.len()];
    };
    let inverse = inverse_of(&lower, size);
    let last = size - 1;
    let freedom = result.len().saturating_sub(size + 1).max(1) as f64;
    let of_input = |input: usize| {
        let (own, own_y) = (inverse[input * size + input], inverse[last * size + last]);
        let r = -inverse[last * size + input] / (own * own_y).sqrt();
        r.is_finite().then(|| {
            Estimate::unbiased(r.clamp(-1.0, 1.0), (1.0 - r * r).max(0.0) / freedom.sqrt())
        })
    };
    (0..inputs.len()).map(of_input).collect()
}

/// Centred, with a sum of squares of 1; all 0 if it does not vary.
fn standard(mut ranks: Vec<f64>) -> Vec<f64> {
    let mean = (ranks.len() + 1) as f64 / 2.0;
    let norm = ranks
        .iter()
        .map(|rank| (rank - mean).powi(2))
        .sum::<f64>()
        .sqrt();
    let scale = if norm > 0.0 { 1.0 / norm } else { 0.0 };
    ranks
        .iter_mut()
        .for_each(|rank| *rank = (*rank - mean) * scale);
    ranks
}

/// The inverse of L L', row by row; infinite where L has no pivot.
fn inverse_of(lower: &[f64], size: usize) -> Vec<f64> {
    // Columns of the inverse of L, then their products.
    let mut below = vec![0.0; size * size];
    for column in 0..size {
        below[column * size + column] = 1.0 / lower[column * size + column];
        for row in column + 1..size {
            let known: f64 = (column..row)
                .map(|k| lower[row * size + k] * below[k * size + column])
                .sum();
            below[row * size + column] = -known / lower[row * size + row];
        }
    }
    let mut inverse = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..=row {
            let sum: f64 = (row..size)
                .map(|k| below[k * size + row] * below[k * size + column])
                .sum();
            inverse[row * size + column] = sum;
            inverse[column * size + row] = sum;
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::super::reference::uniform_columns;
    use super::*;

    /// y = a + noise; b goes with a (rank correlation about 0.7) but does nothing of its own.
    #[test]
    fn a_bystander_of_a_driver_is_distinguished() {
        let u = uniform_columns(3, 4_000);
        let a = &u[0];
        let b: Vec<f64> = a.iter().zip(&u[1]).map(|(a, own)| a + own).collect();
        let result: Vec<f64> = a.iter().zip(&u[2]).map(|(a, noise)| a + noise).collect();
        let alone = partial_rank_correlations(&[&b], &result)[0].unwrap();
        assert!(alone.value > 0.4, "{alone:?}");
        let both = partial_rank_correlations(&[a, &b], &result);
        let (driver, bystander) = (both[0].unwrap(), both[1].unwrap());
        assert!(driver.value > 0.5, "{driver:?}");
        assert!(
            bystander.value.abs() < 5.0 * bystander.std_error,
            "{bystander:?}"
        );
    }

    /// With one input the partial correlation is Spearman's: of 1 to 5 with 2, 1, 4, 3, 5 it is 0.8.
    #[test]
    fn one_input_alone_has_its_rank_correlation() {
        let found =
            partial_rank_correlations(&[&[1.0, 2.0, 3.0, 4.0, 5.0]], &[2.0, 1.0, 4.0, 3.0, 5.0]);
        assert!((found[0].unwrap().value - 0.8).abs() < 1e-12);
    }
}

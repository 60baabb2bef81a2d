//! Partial rank correlation: how a result goes with one input while the others stay, where inputs go together.
//!
//! From the correlations of ranks (Spearman's) of the inputs and the result, PRCC_i = -P_iy / sqrt(P_ii P_yy) with P the
//! inverse of their matrix (Helton & Davis, "Latin hypercube sampling and the propagation of uncertainty in analyses of
//! complex systems", Reliability Engineering & System Safety 81, 2003). It detects monotone effects only.

use super::bins::mid_ranks;
use super::resampling::Estimate;
use crate::analysis::regression::dot;
use crate::parallel;
use crate::uncertain::correlation::cholesky;

/// The partial rank correlation of each input with the result, -1 to 1; none where an input does not vary or is given by
/// others.
///
/// The standard error is that of Fisher's transform, (1 - r^2) / sqrt(n - k - 2) for k inputs.
pub fn partial_rank_correlations(inputs: &[&[f64]], result: &[f64]) -> Vec<Option<Estimate>> {
    let ranks: Vec<Vec<f64>> = inputs.iter().map(|input| mid_ranks(input)).collect();
    let ranks: Vec<&[f64]> = ranks.iter().map(Vec::as_slice).collect();
    partial_correlations_of_ranks(&ranks, &mid_ranks(result))
}

/// The same, of ranks that are known.
pub(crate) fn partial_correlations_of_ranks(
    inputs: &[&[f64]],
    result: &[f64],
) -> Vec<Option<Estimate>> {
    let size = inputs.len() + 1;
    let ranked: Vec<Vec<f64>> = parallel::map_numbers(size, |column| {
        standard(inputs.get(column).copied().unwrap_or(result))
    });
    let rows: Vec<Vec<f64>> = parallel::map_numbers(size, |row| {
        let before = ranked[..=row].iter();
        before.map(|column| dot(&ranked[row], column)).collect()
    });
    let mut matrix = vec![0.0; size * size];
    for (row, sums) in rows.iter().enumerate() {
        for (column, &sum) in sums.iter().enumerate() {
            matrix[row * size + column] = sum;
            matrix[column * size + row] = sum;
        }
    }
    let Some(lower) = cholesky(&matrix, size) else {
        return vec![None; inputs.len()];
    };
    let freedom = result.len().saturating_sub(size + 1).max(1) as f64;
    let of_input = |input: usize| {
        // With M = L^-1 and the result last, P = M' M has P_ii = |column i of M|^2 and P_iy = M_yi M_yy.
        let column = column_of_inverse(&lower, size, input);
        let r = -column.last()? / dot(&column, &column).sqrt();
        r.is_finite().then(|| {
            Estimate::unbiased(r.clamp(-1.0, 1.0), (1.0 - r * r).max(0.0) / freedom.sqrt())
        })
    };
    parallel::map_numbers(inputs.len(), of_input)
}

/// The squared correlation of each column of numbers with the result, 0 to 1; 0 for one that does not vary.
pub(crate) fn squared_correlations(columns: &[&[f64]], result: &[f64]) -> Vec<f64> {
    let result = standard(result);
    parallel::map(columns, |column| dot(&standard(column), &result).powi(2))
}

/// Centred, with a sum of squares of 1; all 0 if it does not vary.
fn standard(column: &[f64]) -> Vec<f64> {
    let mean = column.iter().sum::<f64>() / column.len() as f64;
    let mut centred: Vec<f64> = column.iter().map(|value| value - mean).collect();
    let norm = dot(&centred, &centred).sqrt();
    let scale = if norm > 0.0 { 1.0 / norm } else { 0.0 };
    centred.iter_mut().for_each(|value| *value *= scale);
    centred
}

/// A column of the inverse of L, from its diagonal down; infinite where L has no pivot.
fn column_of_inverse(lower: &[f64], size: usize, column: usize) -> Vec<f64> {
    let mut found = Vec::with_capacity(size - column);
    found.push(1.0 / lower[column * size + column]);
    for row in column + 1..size {
        let known = dot(&lower[row * size + column..row * size + row], &found);
        found.push(-known / lower[row * size + row]);
    }
    found
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

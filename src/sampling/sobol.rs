//! Scrambled Sobol' points, addressed by their number.

use sobol::Sobol;
use sobol::params::JoeKuoD6;

use super::streams::{Source, open_unit};

/// How many dimensions have direction numbers: those of Joe and Kuo.
pub(crate) const DIMENSIONS: usize = 21_201;
/// The points of one replicate are numbered with this many bits.
const INDEX_BITS: usize = 32;

/// Replicates of the Sobol' sequence, each scrambled independently.
///
/// Direction numbers: Joe and Kuo, "Constructing Sobol sequences with better two-dimensional
/// projections", SIAM Journal on Scientific Computing 30(5), 2008 (search criterion D6).
/// Scrambling: a random lower-triangular binary matrix for each dimension and a
/// random digital shift (Matoušek, "On the L2-discrepancy for anchored boxes", Journal of
/// Complexity 14, 1998). Every point is uniform and the points keep their even spread; a mean over them has
/// the same variance as under the nested uniform scrambling of Owen (Owen, "Variance with
/// alternative scramblings of digital nets", ACM TOMACS 13(4), 2003), and the scrambling costs
/// nothing once the matrices have been multiplied out.
#[derive(Clone, Debug)]
pub(crate) struct ScrambledSobol {
    dimensions: usize,
    /// For each replicate the shift, then the columns of the generator matrices, each with all dimensions.
    replicates: Vec<Vec<u64>>,
}

impl ScrambledSobol {
    /// `replicates` scramblings for `sources`, one dimension each, at most [`DIMENSIONS`] of them.
    pub(crate) fn new(sources: &[Source], seed: u64, replicates: u32) -> Self {
        let dimensions = sources.len().min(DIMENSIONS);
        let directions = directions(dimensions);
        let replicates = (0..replicates)
            .map(|replicate| {
                let mut words = vec![0; (1 + INDEX_BITS) * dimensions];
                for (dimension, source) in sources[..dimensions].iter().enumerate() {
                    let mut stream = source.scrambling(seed, u64::from(replicate));
                    let mut word = || rand::Rng::next_u64(&mut stream);
                    words[dimension] = word();
                    // Column j of the random matrix: ones on the diagonal, random below it.
                    let scramble: [u64; 64] = std::array::from_fn(|row| {
                        let diagonal = 1 << (63 - row);
                        diagonal | (word() & (diagonal - 1))
                    });
                    for (column, direction) in directions[dimension].iter().enumerate() {
                        let mut left = *direction;
                        let mut product = 0;
                        while left != 0 {
                            let row = left.leading_zeros() as usize;
                            product ^= scramble[row];
                            left &= !(1 << (63 - row));
                        }
                        words[(1 + column) * dimensions + dimension] = product;
                    }
                }
                words
            })
            .collect();
        Self {
            dimensions,
            replicates,
        }
    }

    /// How many of a trial's inputs have a dimension.
    pub(super) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// How many points a replicate has.
    pub(super) const fn points() -> u64 {
        1 << INDEX_BITS
    }

    /// Writes the coordinates of a point, uniform in (0, 1), into `to`, which has one place for each dimension.
    ///
    /// Only the lower 32 bits of `index` count.
    pub(crate) fn point(&self, replicate: usize, index: u64, to: &mut [f64]) {
        const LANES: usize = 32;
        let (shift, columns) = self.replicates[replicate].split_at(self.dimensions);
        for (chunk, (to, shift)) in to.chunks_mut(LANES).zip(shift.chunks(LANES)).enumerate() {
            let mut sum = [0_u64; LANES];
            sum[..shift.len()].copy_from_slice(shift);
            let mut left = index as u32;
            while left != 0 {
                let column = left.trailing_zeros() as usize;
                left &= left - 1;
                let start = column * self.dimensions + chunk * LANES;
                for (sum, word) in sum.iter_mut().zip(&columns[start..start + shift.len()]) {
                    *sum ^= word;
                }
            }
            for (x, bits) in to.iter_mut().zip(sum) {
                *x = open_unit(bits);
            }
        }
    }
}

fn directions(dimensions: usize) -> Vec<Vec<u64>> {
    if dimensions == 0 {
        return Vec::new();
    }
    // The longer table takes some 50 ms to unpack.
    let parameters = if dimensions <= 1_000 {
        JoeKuoD6::standard()
    } else {
        JoeKuoD6::extended()
    };
    Sobol::<u64>::init_direction_vals(dimensions, INDEX_BITS, &parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(count: usize) -> Vec<Source> {
        (0..count)
            .map(|number| Source::named(&format!("input {number}")))
            .collect()
    }

    /// Unscrambled, the first eight points in dimensions 1 to 3 are those of Joe and Kuo's own program, which
    /// goes through them in Gray code order.
    #[test]
    fn direction_numbers_are_those_of_joe_and_kuo() {
        let directions = directions(3);
        let numbers = |dimension: usize| -> Vec<f64> {
            (0..8_u64)
                .map(|number| {
                    let index = number ^ (number >> 1);
                    let bits = (0..INDEX_BITS)
                        .filter(|bit| (index >> bit) & 1 == 1)
                        .fold(0, |sum, bit| sum ^ directions[dimension][bit]);
                    bits as f64 / (1_u128 << 64) as f64
                })
                .collect()
        };
        assert_eq!(
            numbers(0),
            [0.0, 0.5, 0.75, 0.25, 0.375, 0.875, 0.625, 0.125]
        );
        assert_eq!(
            numbers(1),
            [0.0, 0.5, 0.25, 0.75, 0.375, 0.875, 0.125, 0.625]
        );
        assert_eq!(
            numbers(2),
            [0.0, 0.5, 0.25, 0.75, 0.625, 0.125, 0.875, 0.375]
        );
    }

    /// Scrambling keeps each of the first 2^k points in a stratum of its own, in every dimension,
    /// and the first two dimensions a (0, m, 2)-net: one point in every elementary interval.
    #[test]
    fn scrambled_points_keep_their_even_spread() {
        let sobol = ScrambledSobol::new(&sources(40), 9, 3);
        let points: Vec<Vec<f64>> = (0..256)
            .map(|index| {
                let mut to = vec![0.0; 40];
                sobol.point(2, index, &mut to);
                to
            })
            .collect();
        for dimension in 0..40 {
            let mut strata: Vec<usize> = (points.iter())
                .map(|point| (point[dimension] * 256.0) as usize)
                .collect();
            strata.sort_unstable();
            assert_eq!(
                strata,
                (0..256).collect::<Vec<_>>(),
                "dimension {dimension}"
            );
        }
        for split in 0..=8 {
            let (columns, rows) = (1 << split, 1 << (8 - split));
            let mut cells: Vec<usize> = (points.iter())
                .map(|point| {
                    let column = (point[0] * columns as f64) as usize;
                    column * rows + (point[1] * rows as f64) as usize
                })
                .collect();
            cells.sort_unstable();
            cells.dedup();
            assert_eq!(cells.len(), 256, "{columns} x {rows}");
        }
    }

    /// Over scramblings a point is uniform, and two dimensions of it are independent.
    #[test]
    fn each_point_is_uniform_over_scramblings() {
        let replicates = 4_000;
        let sobol = ScrambledSobol::new(&sources(2), 1, replicates);
        for index in [0, 5, 1 << 20] {
            let mut cells = [0_u32; 64];
            for replicate in 0..replicates as usize {
                let mut to = [0.0; 2];
                sobol.point(replicate, index, &mut to);
                cells[(to[0] * 8.0) as usize * 8 + (to[1] * 8.0) as usize] += 1;
            }
            let expected = f64::from(replicates) / 64.0;
            let chi_square: f64 = (cells.iter())
                .map(|count| (f64::from(*count) - expected).powi(2) / expected)
                .sum();
            // 63 degrees of freedom: mean 63, standard deviation 11.2; five of them.
            assert!(chi_square < 63.0 + 5.0 * 11.2, "{index}: {chi_square}");
        }
    }

    #[test]
    fn beyond_a_thousand_dimensions_the_longer_table_takes_over() {
        let short = directions(1_000);
        let long = directions(1_200);
        assert_eq!(short, long[..1_000]);
        assert_eq!(long.len(), 1_200);
    }
}

//! How many companies sign in a month, by inversion: one uniform number gives one count, which never falls as the
//! number or the mean rises. So trials of two scenarios with other means stay as near to each other as they can.

use super::words::{self, Key, Pairs, open_unit};
use crate::uncertain::normal_quantile;

/// From this mean on the expansion is used. Its error falls with the mean to the power of 3/2.
const LARGE: f64 = 128.0;
/// Months that are computed side by side.
const LANES: usize = 16;
/// No count of a mean below [`LARGE`] is greater: the probability beyond is under 1e-40.
const MOST: usize = 512;

/// Counts of the companies of a segment that are contacted in some months.
#[derive(Clone, Debug, Default)]
pub(super) struct MonthCounts {
    /// By month: how many are expected to be listed as those who sign, or may, and how many not to sign; nothing of these if
    /// nobody asks for them.
    pub(super) means: Vec<f64>,
    pub(super) declining_means: Vec<f64>,
    /// How many these are; and the share of the distance between two that the first is away from the month's beginning.
    pub(super) listed: Vec<u32>,
    pub(super) declined: Vec<u32>,
    pub(super) offsets: Vec<f32>,
    positions: Vec<u32>,
    planes: Vec<u32>,
    words: [Vec<u32>; 2],
    levels: [Vec<f64>; 2],
}

impl MonthCounts {
    pub(super) fn clear(&mut self) {
        self.means.clear();
        self.declining_means.clear();
    }

    /// Draws the counts of the means, the first of which is that of month `first`.
    #[inline(always)]
    pub(super) fn draw(&mut self, key: &Key, trial: u64, first: usize) {
        let months = self.means.len();
        self.listed.clear();
        self.listed.resize(months, 0);
        self.declined.clear();
        self.declined.resize(months, 0);
        let is_nobody = |means: &[f64]| means.iter().all(|&mean| mean <= 0.0);
        if is_nobody(&self.means) && is_nobody(&self.declining_means) {
            self.offsets.clear();
            self.offsets.resize(months, 0.0);
            return;
        }
        let padded = months.next_multiple_of(words::LANES);
        self.positions.clear();
        self.positions.extend((first as u32..).take(padded));
        self.planes.clear();
        self.planes.resize(padded, 0);
        let [one, two] = &mut self.words;
        one.resize(2 * padded, 0);
        two.resize(2 * padded, 0);
        let to = Pairs {
            first: one,
            second: two,
        };
        key.fill(trial, [&self.positions, &self.planes], 0, to);
        // Four words a month, of which the last is not used.
        let [signing, declining] = &mut self.levels;
        signing.clear();
        declining.clear();
        self.offsets.clear();
        for (one, two) in self.words[0]
            .chunks_exact(2)
            .zip(self.words[1].chunks_exact(2))
        {
            signing.push(open_unit(one[0]));
            declining.push(open_unit(two[0]));
            self.offsets.push(open_unit(one[1]) as f32);
        }
        poisson(&self.means, &signing[..months], &mut self.listed);
        if !self.declining_means.is_empty() {
            poisson(
                &self.declining_means,
                &declining[..months],
                &mut self.declined,
            );
        }
    }
}

/// Poisson distributed counts of these means, 0 or more, at levels in (0, 1). The lists are of one length.
#[inline(always)]
pub(super) fn poisson(means: &[f64], levels: &[f64], counts: &mut [u32]) {
    if means.len() == 1 {
        poisson_in_lanes::<1>(means, levels, counts);
    } else {
        poisson_in_lanes::<LANES>(means, levels, counts);
    }
}

/// As [`poisson`], this many months side by side; their number does not change a bit.
#[inline(always)]
fn poisson_in_lanes<const N: usize>(means: &[f64], levels: &[f64], counts: &mut [u32]) {
    let lists = means.chunks(N).zip(levels.chunks(N));
    for ((means, levels), counts) in lists.zip(counts.chunks_mut(N)) {
        let (mut mean, mut level, mut count) = ([0.0; N], [0.0; N], [0.0; N]);
        mean[..means.len()].copy_from_slice(means);
        level[..levels.len()].copy_from_slice(levels);
        for mean in &mut mean {
            // Those of the expansion are computed apart.
            *mean = if *mean < LARGE { *mean } else { 0.0 };
        }
        search(&mean, &level, &mut count);
        for (lane, to) in counts.iter_mut().enumerate() {
            *to = if means[lane] < LARGE {
                count[lane] as u32
            } else {
                expansion(means[lane], levels[lane])
            };
        }
    }
}

/// Goes up the probabilities until their sum has reached the level (Devroye, "Non-Uniform Random Variate Generation",
/// 1986, X.3.3), in all lanes at once.
#[inline(always)]
fn search<const N: usize>(mean: &[f64; N], level: &[f64; N], count: &mut [f64; N]) {
    /// Steps between two looks at whether all lanes are done.
    const STEPS: usize = 8;
    let mut term = exp_of_minus(mean);
    let mut sum = [0.0; N];
    let mut from = 0;
    while from < MOST {
        let mut is_open = false;
        for step in from..from + STEPS {
            let next = 1.0 / (step + 1) as f64;
            for lane in 0..N {
                sum[lane] += term[lane];
                count[lane] += if sum[lane] < level[lane] { 1.0 } else { 0.0 };
                term[lane] *= mean[lane] * next;
            }
        }
        for lane in 0..N {
            is_open |= sum[lane] < level[lane];
        }
        if !is_open {
            break;
        }
        from += STEPS;
    }
}

/// exp(-x) for x from 0 to [`LARGE`], within 1e-14 of it in proportion.
#[inline(always)]
fn exp_of_minus<const N: usize>(x: &[f64; N]) -> [f64; N] {
    /// ln 2 in two parts, the first of which has few digits.
    const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
    /// Added and taken away, it rounds to a whole number; its last bits are that number.
    const WHOLE: f64 = 1.5 * (1_u64 << 52) as f64;
    // A plain loop: the closure of `array::from_fn` is not compiled for the processor at hand.
    let mut exp = [0.0; N];
    for lane in 0..N {
        let shifted = x[lane] * -std::f64::consts::LOG2_E + WHOLE;
        let power = shifted - WHOLE;
        let r = -x[lane] - power * LN_2[0] - power * LN_2[1];
        // |r| <= ln 2 / 2: the series of 13 terms is exact to 1e-16.
        let mut series = 1.0;
        for k in (1..13).rev() {
            series = 1.0 + series * r * (1.0 / k as f64);
        }
        let two_to_power = (shifted.to_bits() << 52).wrapping_add(1.0_f64.to_bits());
        exp[lane] = series * f64::from_bits(two_to_power);
    }
    exp
}

/// The quantile function of Poisson distributions of a large mean by its normal expansion: Giles, "Algorithm 955:
/// approximation of the inverse Poisson cumulative distribution function", ACM TOMS 42 (2016), to the term of order
/// 1/mean.
fn expansion(mean: f64, level: f64) -> u32 {
    let w = normal_quantile(level);
    let (q, root) = (w * w, mean.sqrt());
    let count = mean + root * w + (1.0 / 3.0 + q / 6.0) - w * (1.0 / 36.0 + q / 72.0) / root
        + (-8.0 / 405.0 + q * (7.0 / 810.0 + q / 270.0)) / mean;
    count.max(0.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Discrete, DiscreteCDF, Poisson};

    /// At each level just below and just above a value of the distribution function the count is that of the theory.
    #[test]
    fn counts_are_quantiles() {
        for mean in [1e-3, 0.3, 2.0, 17.0, 60.0, 127.9] {
            let theory = Poisson::new(mean).unwrap();
            for count in 0..200 {
                let reached = theory.cdf(count);
                for (level, expected) in [(reached - 1e-9, count), (reached + 1e-9, count + 1)] {
                    if !(2e-10..1.0 - 2e-9).contains(&level) || theory.pmf(count) < 3e-9 {
                        continue;
                    }
                    let mut found = [0];
                    poisson(&[mean], &[level], &mut found);
                    assert_eq!(u64::from(found[0]), expected, "{mean} {level}");
                }
            }
        }
        let mut none = [9; 3];
        poisson(&[0.0; 3], &[1e-10, 0.5, 1.0 - 1e-10], &mut none);
        assert_eq!(none, [0; 3]);
    }

    /// The expansion puts each step of the distribution function to within a thousandth of the step's height of its
    /// level, and beyond two standard deviations to within a two-hundredth.
    #[test]
    fn the_expansion_is_near_the_quantiles() {
        for mean in [128.0, 700.0, 20_000.0] {
            let theory = Poisson::new(mean).unwrap();
            for tenth in -40..=40 {
                let count = (mean + f64::from(tenth) * 0.1 * mean.sqrt()) as u64;
                let (reached, pmf) = (theory.cdf(count), theory.pmf(count));
                let share = if f64::abs(f64::from(tenth)) <= 20.0 {
                    1e-3
                } else {
                    5e-3
                };
                let off = share * pmf + 1e-12;
                assert!(
                    u64::from(expansion(mean, reached - off)) <= count,
                    "{mean} {count}"
                );
                assert!(
                    u64::from(expansion(mean, reached + off)) > count,
                    "{mean} {count}"
                );
            }
        }
    }

    #[test]
    fn exponentials_are_those_of_the_library() {
        for tenth in 0..1_280 {
            let x = f64::from(tenth) * 0.1;
            let found = exp_of_minus(&[x; LANES])[3];
            assert!((found / libm::exp(-x) - 1.0).abs() < 1e-14, "{x}");
        }
    }
}

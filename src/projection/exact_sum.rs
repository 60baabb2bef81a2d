//! A sum of doubles without rounding, so that the order of adding cannot matter.

use serde::{Deserialize, Serialize};

/// An exact sum of finite doubles.
///
/// A small superaccumulator after Neal, "Fast exact summation using small and
/// large superaccumulators" (arXiv 1505.05571, 2015). A double is a whole number of up to 53 bits
/// times 2^(exponent - 1075). Bin `i` holds a whole number that counts in units of
/// 2^(32 i - 1075), and a double goes to the bin of its exponent, shifted by
/// up to 31 places. So an addend takes 84 bits of a bin's 127, which leaves
/// room for 2^43 of them.
///
/// The bins are a window from the lowest to the highest one that was added to: a
/// function of the addends alone, whatever their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ExactSum {
    lowest: i32,
    #[serde(with = "halves")]
    bins: Vec<i128>,
}

/// A double as `mantissa * 2^(exponent - 1075)`; exponent is 1 for subnormals.
#[inline(always)]
fn parts(x: f64) -> (i64, i32) {
    let bits = x.to_bits();
    let biased = ((bits >> 52) & 0x7ff) as i32;
    let fraction = (bits & ((1 << 52) - 1)) as i64;
    let (magnitude, exponent) = if biased == 0 {
        (fraction, 1)
    } else {
        (fraction | (1 << 52), biased)
    };
    let mantissa = if x < 0.0 { -magnitude } else { magnitude };
    (mantissa, exponent)
}

/// How many addends [`ExactSum::add_block`] takes at once.
pub(super) const MOST_ADDENDS: usize = 256;

/// What is added to a normal double's exponent in its bits.
const BIAS: i32 = 1023;

/// [`ExactSum::add_block`] takes magnitudes whose exponent is at most that far from 0: then all numbers it works
/// with are normal.
const FARTHEST: i32 = 970;

/// Whether [`ExactSum::add_block`] takes both a double of that magnitude and its square.
#[inline(always)]
pub(super) fn is_moderate(x: f64) -> bool {
    // A square's exponent is up to one more than twice its root's.
    (biased_exponent(x) - BIAS).abs() < FARTHEST / 2
}

/// 2^(biased - 1023) for the biased exponent of a normal double.
#[inline(always)]
fn power_of_two(biased: i32) -> f64 {
    f64::from_bits((biased as u64) << 52)
}

#[inline(always)]
fn biased_exponent(x: f64) -> i32 {
    ((x.to_bits() >> 52) & 0x7ff) as i32
}

/// The exact sum of what `term` makes of numbers, each of one bin or 0, as that of two doubles.
///
/// Let all be below 2^k. Added to a number of about 2^(k + 8) a number is rounded to a multiple of 2^(k - 44), which
/// is what the sum grows by; what was rounded off is at most 2^(k - 45). As the bin goes down to 2^(k - 32), that is
/// a multiple of 2^(k - 84). A lane takes 16 at most, which leave its sum between 2^(k + 8) and 2^(k + 9). 256 of the former
/// add up to at most 2^52 times their unit and 256 of the latter to at most 2^47 times theirs, so neither sum rounds.
#[inline(always)]
fn two_sums(numbers: &[f64], bin: i32, term: impl Fn(f64) -> f64) -> (f64, f64) {
    const LANES: usize = 16;
    let start = 1.5 * power_of_two(bin * 32 + 32 + 8);
    let mut tops = [start; LANES];
    let mut rests = [0.0; LANES];
    let mut pass = |lane: usize, x: f64| {
        let top = tops[lane] + x;
        rests[lane] += x - (top - tops[lane]);
        tops[lane] = top;
    };
    let (groups, last) = numbers.as_chunks::<LANES>();
    for group in groups {
        for (lane, x) in group.iter().enumerate() {
            pass(lane, term(*x));
        }
    }
    for (lane, x) in last.iter().enumerate() {
        pass(lane, term(*x));
    }
    let top = tops.iter().map(|top| top - start).sum();
    (top, rests.iter().sum())
}

/// x squared as `mantissa * 2^(exponent - 1075)`; the mantissa is x's own
/// mantissa squared and rounded to the nearest 53 bits.
fn scaled_square(x: f64) -> (i64, i32) {
    let (mantissa, exponent) = parts(x);
    if mantissa == 0 {
        return (0, 0);
    }
    // The mantissa as a double is exact; its square lies within 1 and 2^106.
    let root = mantissa as f64;
    let (square, places) = parts(root * root);
    (square, places + 2 * (exponent - 1075))
}

impl ExactSum {
    /// Adds what `term` makes of up to [`MOST_ADDENDS`] numbers: 0 or of magnitudes from `least` to `most`, both of which occur.
    /// Their exponents are at most [`FARTHEST`] from 0.
    #[inline(always)]
    pub(super) fn add_block(
        &mut self,
        numbers: &[f64],
        term: impl Fn(f64) -> f64,
        least: f64,
        most: f64,
    ) {
        debug_assert!(numbers.len() <= MOST_ADDENDS);
        let [least, most] = [least, most].map(biased_exponent);
        debug_assert!(BIAS - FARTHEST <= least && least <= most && most <= BIAS + FARTHEST);
        let (lowest, highest) = (least >> 5, most >> 5);
        if lowest == highest {
            self.add_multiples(lowest, two_sums(numbers, lowest, term));
            return;
        }
        for bin in lowest..=highest {
            let from = power_of_two(bin * 32);
            let to = power_of_two(bin * 32 + 32);
            let own = |x| {
                let x = term(x);
                let is_own = (from <= x.abs()) & (x.abs() < to);
                if is_own { x } else { 0.0 }
            };
            self.add_multiples(bin, two_sums(numbers, bin, own));
        }
    }

    /// Adds doubles that are multiples of a bin's unit to it.
    fn add_multiples(&mut self, bin: i32, multiples: (f64, f64)) {
        let ours = self.bin_mut(bin);
        for multiple in [multiples.0, multiples.1] {
            let (mantissa, exponent) = parts(multiple);
            let places = exponent - bin * 32;
            // What falls off to the right is 0.
            *ours += if mantissa == 0 {
                0
            } else if places >= 0 {
                i128::from(mantissa) << places
            } else {
                i128::from(mantissa >> -places)
            };
        }
    }

    /// Reads one of its bins, so that they come into the cache.
    #[inline(always)]
    pub(super) fn touch(&self) -> u64 {
        self.bins.first().map_or(0, |bin| *bin as u64)
    }

    /// Adds `times` copies of x.
    pub(super) fn add_times(&mut self, x: f64, times: u64) {
        let (mantissa, exponent) = parts(x);
        self.add_parts_times(mantissa, exponent, times);
    }

    /// Adds `times` copies of x squared, rounded to 53 bits but never out of range: the
    /// exponent is kept apart.
    pub(super) fn add_square_times(&mut self, x: f64, times: u64) {
        let (mantissa, exponent) = scaled_square(x);
        self.add_parts_times(mantissa, exponent, times);
    }

    fn add_parts_times(&mut self, mantissa: i64, exponent: i32, times: u64) {
        if mantissa != 0 && times != 0 {
            *self.bin_mut(exponent >> 5) +=
                (i128::from(mantissa) << (exponent & 31)) * i128::from(times);
        }
    }

    fn bin_mut(&mut self, bin: i32) -> &mut i128 {
        if self.bins.is_empty() {
            self.lowest = bin;
            self.bins.push(0);
        } else if bin < self.lowest {
            let missing = (self.lowest - bin) as usize;
            self.bins.splice(0..0, std::iter::repeat_n(0, missing));
            self.lowest = bin;
        } else if (bin - self.lowest) as usize >= self.bins.len() {
            self.bins.resize((bin - self.lowest) as usize + 1, 0);
        }
        &mut self.bins[(bin - self.lowest) as usize]
    }

    /// Adds all that `other` has.
    pub(super) fn merge(&mut self, other: &Self) {
        // Both ends of a window were added to, so the windows' union is that of the addends.
        for (bin, value) in (other.lowest..).zip(&other.bins) {
            *self.bin_mut(bin) += value;
        }
    }

    /// The sum times 2^-shift, rounded once to the nearest double, ties to even.
    /// Below the normal range it may be rounded twice.
    pub(super) fn rounded(&self, shift: i32) -> f64 {
        // Two's complement digits of 32 bits, the lowest first, and the sign in `carry`.
        let mut digits = Vec::with_capacity(self.bins.len() + 4);
        let mut carry = 0_i128;
        for bin in &self.bins {
            // The carry is below 2^96 and the bin below 2^126.
            let value = bin + carry;
            digits.push(value as u32);
            carry = value >> 32;
        }
        for _ in 0..4 {
            digits.push(carry as u32);
            carry >>= 32;
        }
        let negative = carry < 0;
        if negative {
            let mut borrow = true;
            for digit in &mut digits {
                let (value, overflow) = (!*digit).overflowing_add(u32::from(borrow));
                *digit = value;
                borrow = overflow;
            }
        }
        let Some(top) = digits.iter().rposition(|digit| *digit != 0) else {
            return 0.0;
        };
        // The top three digits hold at least 65 bits; below them only whether anything is there counts.
        let digit = |position: usize| u128::from(digits[position]);
        let low = top.saturating_sub(2);
        let mut whole = (low..=top)
            .rev()
            .fold(0, |whole, position| (whole << 32) | digit(position));
        if digits[..low].iter().any(|digit| *digit != 0) {
            whole |= 1;
        }
        // u128 to double rounds to nearest, ties to even; `whole` has at most 96
        // bits, and with its sticky bit rounds as the full number would.
        let exponent = (self.lowest + low as i32) * 32 - 1075 - shift;
        let magnitude = libm::scalbn(whole as f64, exponent);
        if negative { -magnitude } else { magnitude }
    }

    /// The sum times 2^-shift as a rounded double and the rounded rest.
    pub(super) fn rounded_pair(&self, shift: i32) -> (f64, f64) {
        let high = self.rounded(shift);
        if high == 0.0 || !high.is_finite() {
            return (high, 0.0);
        }
        let mut rest = self.clone();
        let (mantissa, exponent) = parts(-high);
        rest.add_parts_times(mantissa, exponent + shift, 1);
        (high, rest.rounded(shift))
    }

    /// The memory held, in bytes, besides the struct itself.
    pub(super) fn heap_bytes(&self) -> usize {
        self.bins.capacity() * size_of::<i128>()
    }

    /// Whether it could have come from that many additions.
    pub(super) fn is_sound(&self, additions: u64) -> bool {
        // An addend has up to 53 + 31 bits. Exponents of squares reach from -3225 to 3225 at most.
        self.lowest.abs() <= 128
            && self.bins.len() <= 256
            && additions < 1 << 42
            && (self.bins.iter()).all(|bin| bin.unsigned_abs() >> 84 <= u128::from(additions))
    }
}

/// 128-bit numbers as pairs of 64 bits, which every format of serde can hold.
mod halves {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(bins: &[i128], to: S) -> Result<S::Ok, S::Error> {
        let pairs: Vec<(i64, u64)> = bins
            .iter()
            .map(|bin| ((bin >> 64) as i64, *bin as u64))
            .collect();
        pairs.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<i128>, D::Error> {
        let pairs = Vec::<(i64, u64)>::deserialize(from)?;
        Ok(pairs
            .into_iter()
            .map(|(high, low)| (i128::from(high) << 64) | i128::from(low))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum_of(values: &[f64]) -> ExactSum {
        let mut sum = ExactSum::default();
        for value in values {
            sum.add_times(*value, 1);
        }
        sum
    }

    #[test]
    fn what_a_running_sum_loses_is_kept() {
        assert_eq!(sum_of(&[1e300, 1.0, -1e300, 1e-300]).rounded(0), 1.0);
        assert_eq!(sum_of(&[1e16, 1.0, -1e16]).rounded(0), 1.0);
        assert_eq!(sum_of(&[1e300, 1e-300, -1e300]).rounded(0), 1e-300);
        assert_eq!(sum_of(&[-5e-324, -5e-324]).rounded(0), -1e-323);
        assert_eq!(sum_of(&[0.1; 10]).rounded(0), 1.0);
        assert_eq!(sum_of(&[]).rounded(0), 0.0);
        assert_eq!(sum_of(&[0.0, -0.0]), ExactSum::default());
    }

    #[test]
    fn rounding_is_to_nearest_with_ties_to_even() {
        let one_and = |rest: &[f64]| sum_of(&[&[1.0], rest].concat()).rounded(0);
        let half_step = f64::EPSILON / 2.0;
        assert_eq!(one_and(&[half_step]), 1.0);
        assert_eq!(one_and(&[half_step, 1e-200]), 1.0 + f64::EPSILON);
        assert_eq!(one_and(&[half_step, -1e-200]), 1.0);
        assert_eq!(one_and(&[3.0 * half_step]), 1.0 + 2.0 * f64::EPSILON);
        assert_eq!(
            -sum_of(&[-1.0, -half_step, -1e-200]).rounded(0),
            1.0 + f64::EPSILON
        );
    }

    #[test]
    fn squares_beyond_the_range_of_doubles_are_kept() {
        let mut sum = ExactSum::default();
        for x in [3e200, -4e200] {
            sum.add_square_times(x, 1);
        }
        let shift = 665;
        let expected = 25.0 * (1e200 * libm::exp2(-332.5)).powi(2);
        assert!((sum.rounded(shift) / expected - 1.0).abs() < 1e-14);
        let mut tiny = ExactSum::default();
        tiny.add_square_times(2.0_f64.powi(-600), 3);
        assert_eq!(tiny.rounded(-1200), 3.0);
    }

    fn block_of(values: &[f64]) -> ExactSum {
        let magnitudes = values.iter().map(|x| x.abs());
        let most = magnitudes.clone().fold(0.0, f64::max);
        let least = magnitudes.filter(|x| *x != 0.0).fold(most, f64::min);
        let mut sum = ExactSum::default();
        sum.add_block(values, |x| x, least, most);
        sum
    }

    /// Zeros, and numbers of all mantissas that are near each other or far apart.
    fn moderate() -> impl Strategy<Value = f64> {
        let scaled = |powers| {
            (prop::num::f64::NORMAL, powers).prop_map(|(x, power)| {
                let mantissa = x.to_bits() & (u64::MAX >> 12 | 1 << 63);
                f64::from_bits(mantissa | 1023 << 52) * 2.0_f64.powi(power)
            })
        };
        prop_oneof![
            1 => Just(0.0),
            4 => scaled(-3..3),
            4 => scaled(28..36),
            1 => scaled(1 - FARTHEST / 2..FARTHEST / 2),
        ]
    }

    #[test]
    fn a_block_of_the_greatest_numbers_of_a_bin_is_exact() {
        // Each bin ends below a power of two: at 2^1, 2^33, ...
        for power in [-927, -31, 1, 33, 961] {
            let most = 2.0_f64.powi(power).next_down();
            let least = 2.0_f64.powi(power - 32);
            for values in [
                vec![most; MOST_ADDENDS],
                vec![-most; MOST_ADDENDS],
                vec![least.next_up(); MOST_ADDENDS],
                [most, -least.next_up()].repeat(MOST_ADDENDS / 2),
                [most, most.next_down(), least, 2.0 * most].repeat(MOST_ADDENDS / 4),
            ] {
                assert_eq!(block_of(&values), sum_of(&values), "{power}");
            }
        }
    }

    proptest! {
        /// Against whole numbers: multiples of 2^-20 up to 2^43 sum exactly in an i128.
        #[test]
        fn a_sum_is_that_of_scaled_integers(units in prop::collection::vec(-(1_i64 << 52)..(1 << 52), 0..200)) {
            let step = 2.0_f64.powi(-20);
            let values: Vec<f64> = units.iter().map(|unit| *unit as f64 * step).collect();
            let total: i128 = units.iter().map(|unit| i128::from(*unit)).sum();
            // An i128 to double conversion rounds to nearest, ties to even.
            prop_assert_eq!(sum_of(&values).rounded(0), total as f64 * step);
        }

        #[test]
        fn order_and_grouping_do_not_matter(
            values in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO, 0..60),
            cut in 0_usize..60,
        ) {
            let whole = sum_of(&values);
            let cut = cut.min(values.len());
            let mut parts = sum_of(&values[cut..]);
            parts.merge(&sum_of(&values[..cut]));
            prop_assert_eq!(&parts, &whole);
            let mut backwards = values.clone();
            backwards.reverse();
            prop_assert_eq!(sum_of(&backwards), whole);
        }

        #[test]
        fn blocks_and_single_additions_agree(
            values in prop::collection::vec(moderate(), 1..=MOST_ADDENDS),
        ) {
            prop_assume!(values.iter().any(|x| *x != 0.0));
            prop_assert!(values.iter().all(|x| *x == 0.0 || is_moderate(*x)));
            let squares: Vec<f64> = values.iter().map(|x| x * x).collect();
            let mut careful = ExactSum::default();
            values.iter().for_each(|x| careful.add_square_times(*x, 1));
            prop_assert_eq!(block_of(&squares), careful);
            prop_assert_eq!(block_of(&values), sum_of(&values));
        }

        #[test]
        fn the_pair_holds_twice_the_digits(values in prop::collection::vec(-1e10..1e10_f64, 1..60)) {
            let sum = sum_of(&values);
            let (high, low) = sum.rounded_pair(0);
            prop_assert_eq!(high, sum.rounded(0));
            prop_assert!(low.abs() <= high.abs() * f64::EPSILON);
            let mut rest = sum.clone();
            rest.add_times(-high, 1);
            rest.add_times(-low, 1);
            prop_assert!(rest.rounded(0).abs() <= low.abs() * f64::EPSILON);
        }
    }

    #[test]
    fn the_state_comes_back_from_its_text() {
        let sum = sum_of(&[1e300, -2.5, 1e-300]);
        let text = serde_json::to_string(&sum).unwrap();
        assert_eq!(serde_json::from_str::<ExactSum>(&text).unwrap(), sum);
    }
}

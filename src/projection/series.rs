//! The distribution of one number over the trials, in a form that merges exactly.

use serde::{Deserialize, Serialize};

use super::buckets::Buckets;
use super::exact_sum::{ExactSum, MOST_ADDENDS, is_moderate};
use super::few::{Few, MOST};

/// How many numbers are counted in one go, so that a histogram stays in the cache.
pub(super) const BLOCK: usize = MOST_ADDENDS;

/// The relative width of a histogram's buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Fineness {
    /// 2^-7: a bucket's middle is within 0.39 % of what was counted in it.
    Monthly,
    /// 2^-10: within 0.049 %, for what there are few series of.
    Fine,
}

impl Fineness {
    fn bits(self) -> u32 {
        match self {
            Self::Monthly => 7,
            Self::Fine => 10,
        }
    }
}

/// The distribution of one number over the trials.
///
/// Its state is a function of the multiset of numbers absorbed: while there are at most
/// 256 distinct ones they are kept with their counts, and from there on exact sums and a
/// histogram. The number of distinct values of a multiset does not depend on the order
/// in which it was put together, so neither does the form.
#[derive(Clone, Debug)]
pub(super) struct Series {
    fineness: Fineness,
    /// Trials in which it was -infinity, +infinity and not a number.
    below: u64,
    beyond: u64,
    undefined: u64,
    finite: Finite,
}

#[derive(Clone, Debug)]
enum Finite {
    Few(Few),
    Many(Box<Many>),
}

#[derive(Clone, Debug)]
struct Many {
    count: u64,
    sum: ExactSum,
    squares: ExactSum,
    min: f64,
    max: f64,
    zeros: u64,
    negative: Buckets,
    positive: Buckets,
}

/// Mean and standard deviation of the finite numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moments {
    pub(super) mean: f64,
    /// With n - 1; `None` for a single number.
    pub(super) standard_deviation: Option<f64>,
}

impl Series {
    pub(super) fn new(fineness: Fineness) -> Self {
        Self {
            fineness,
            below: 0,
            beyond: 0,
            undefined: 0,
            finite: Finite::Few(Few::default()),
        }
    }

    /// Back to no numbers.
    pub(super) fn forget(&mut self) {
        *self = Self::new(self.fineness);
    }

    /// Takes in one number of each of up to [`BLOCK`] trials.
    pub(super) fn absorb(&mut self, column: &[f64]) {
        debug_assert!(column.len() <= BLOCK);
        let Some(extent) = Extent::of(column) else {
            return;
        };
        if !extent.is_finite {
            self.absorb_special(column);
        } else if extent.min == extent.max {
            // Before anything is built, and after all of it is, a number is often the same in all trials.
            self.add_times(extent.min, column.len() as u64);
        } else {
            self.absorb_finite(column, extent);
        }
    }

    /// Takes in a column of which some may not be finite.
    fn absorb_special(&mut self, column: &[f64]) {
        let mut finite = [0.0; BLOCK];
        let mut count = 0;
        for x in column {
            if x.is_finite() {
                finite[count] = *x;
                count += 1;
            } else {
                self.add_times(*x, 1);
            }
        }
        let finite = &finite[..count];
        if let Some(extent) = Extent::of(finite) {
            self.absorb_finite(finite, extent);
        }
    }

    /// Takes in finite numbers.
    fn absorb_finite(&mut self, mut column: &[f64], mut extent: Extent) {
        if let Finite::Few(few) = &mut self.finite {
            let taken = (column.iter())
                .position(|x| !few.add(x + 0.0, 1))
                .unwrap_or(column.len());
            column = &column[taken..];
            match Extent::of(column) {
                None => return,
                Some(rest) => extent = rest,
            }
        }
        let many = many_of(&mut self.finite, self.fineness);
        match self.fineness {
            Fineness::Monthly => many.absorb::<7>(column, extent),
            Fineness::Fine => many.absorb::<10>(column, extent),
        }
    }

    /// Reads something of each line of the cache that [`Self::absorb`] is about to change, so that they come in
    /// together. What it returns only keeps the reading from being left out.
    #[inline]
    pub(super) fn touch(&self) -> u64 {
        match &self.finite {
            Finite::Few(few) => few.touch(),
            Finite::Many(many) => {
                many.zeros ^ many.sum.touch() ^ many.squares.touch() ^ many.positive.touch()
            }
        }
    }

    /// Takes in the same number of `times` trials.
    fn add_times(&mut self, x: f64, times: u64) {
        if !x.is_finite() {
            count_special(
                &mut self.below,
                &mut self.beyond,
                &mut self.undefined,
                x,
                times,
            );
            return;
        }
        let x = x + 0.0;
        if let Finite::Few(few) = &mut self.finite
            && few.add(x, times)
        {
            return;
        }
        many_of(&mut self.finite, self.fineness).add_times(x, times);
    }

    /// Takes in all that `other` has; both are of one fineness.
    pub(super) fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.fineness, other.fineness);
        self.below += other.below;
        self.beyond += other.beyond;
        self.undefined += other.undefined;
        match &other.finite {
            Finite::Few(few) => {
                for (value, count) in few.iter() {
                    self.add_times(value, count);
                }
            }
            Finite::Many(theirs) => {
                let ours = many_of(&mut self.finite, self.fineness);
                ours.merge(theirs);
            }
        }
    }

    /// In how many trials it was a number, infinite ones included.
    pub(super) fn defined(&self) -> u64 {
        self.finite() + self.below + self.beyond
    }

    /// In how many trials it was finite.
    pub(super) fn finite(&self) -> u64 {
        match &self.finite {
            Finite::Few(few) => few.iter().map(|(_, count)| count).sum(),
            Finite::Many(many) => many.count,
        }
    }

    /// The least and the greatest finite number.
    pub(super) fn range(&self) -> Option<(f64, f64)> {
        match &self.finite {
            Finite::Few(few) => few.iter().fold(None, |range, (value, _)| match range {
                None => Some((value, value)),
                Some((min, max)) => Some((f64::min(min, value), f64::max(max, value))),
            }),
            Finite::Many(many) => Some((many.min, many.max)),
        }
    }

    /// Mean and standard deviation of the finite numbers; `None` if there are none.
    pub(super) fn moments(&self) -> Option<Moments> {
        let (min, max) = self.range()?;
        match &self.finite {
            Finite::Many(many) => Some(moments(&many.sum, &many.squares, many.count, min, max)),
            Finite::Few(few) => {
                let mut sum = ExactSum::default();
                let mut squares = ExactSum::default();
                for (value, count) in few.iter() {
                    sum.add_times(value, count);
                    squares.add_square_times(value, count);
                }
                Some(moments(&sum, &squares, self.finite(), min, max))
            }
        }
    }

    /// The numbers in ascending order, infinite ones included, each with how many
    /// there are up to and with it. A bucket stands as its middle.
    pub(super) fn ordered(&self) -> Ordered {
        let mut values = Vec::new();
        let mut total = 0;
        let mut push = |value: f64, count: u64| {
            if count > 0 {
                total += count;
                values.push((value, total));
            }
        };
        push(f64::NEG_INFINITY, self.below);
        match &self.finite {
            Finite::Few(few) => {
                for (value, count) in few.sorted() {
                    push(value, count);
                }
            }
            Finite::Many(many) => many.each_bucket(|low, high, count| {
                push(low + (high - low) / 2.0, count);
            }),
        }
        push(f64::INFINITY, self.beyond);
        Ordered { values }
    }

    /// Between which bounds the number with that rank lies; equal ones if it is known exactly.
    pub(super) fn order_statistic(&self, rank: u64) -> Option<(f64, f64)> {
        if rank < self.below {
            return Some((f64::NEG_INFINITY, f64::NEG_INFINITY));
        }
        let mut left = rank - self.below;
        let mut found = None;
        let mut pass = |low: f64, high: f64, count: u64| {
            if found.is_none() {
                if left < count {
                    found = Some((low, high));
                } else {
                    left -= count;
                }
            }
        };
        match &self.finite {
            Finite::Few(few) => {
                for (value, count) in few.sorted() {
                    pass(value, value, count);
                }
            }
            Finite::Many(many) => many.each_bucket(&mut pass),
        }
        pass(f64::INFINITY, f64::INFINITY, self.beyond);
        found
    }

    /// How many numbers are at least `least`; estimated by straight interpolation
    /// within its bucket where numbers are no longer kept one by one.
    pub(super) fn count_at_least(&self, least: f64) -> f64 {
        let finite = match &self.finite {
            Finite::Few(few) => (few.iter())
                .filter(|(value, _)| *value >= least)
                .map(|(_, count)| count as f64)
                .sum(),
            Finite::Many(many) => {
                let mut sum = 0.0;
                many.each_bucket(|low, high, count| {
                    let share = if least <= low {
                        1.0
                    } else if least <= high {
                        (high - least) / (high - low)
                    } else {
                        0.0
                    };
                    sum += share * count as f64;
                });
                // The greatest number is known to be there.
                if least <= many.max {
                    f64::max(sum, 1.0)
                } else {
                    0.0
                }
            }
        };
        let below = if least == f64::NEG_INFINITY {
            self.below
        } else {
            0
        };
        finite + (below + self.beyond) as f64
    }

    /// How many numbers are at most `most`; estimated as in [`Self::count_at_least`].
    pub(super) fn count_at_most(&self, most: f64) -> f64 {
        let finite = match &self.finite {
            Finite::Few(few) => (few.iter())
                .filter(|(value, _)| *value <= most)
                .map(|(_, count)| count as f64)
                .sum(),
            Finite::Many(many) => {
                let mut sum = 0.0;
                many.each_bucket(|low, high, count| {
                    let share = if most >= high {
                        1.0
                    } else if most >= low {
                        (most - low) / (high - low)
                    } else {
                        0.0
                    };
                    sum += share * count as f64;
                });
                if most >= many.min {
                    f64::max(sum, 1.0)
                } else {
                    0.0
                }
            }
        };
        let beyond = if most == f64::INFINITY {
            self.beyond
        } else {
            0
        };
        finite + (self.below + beyond) as f64
    }

    /// Whether numbers are still kept one by one, so that quantiles are exact.
    pub(super) fn is_exact(&self) -> bool {
        matches!(self.finite, Finite::Few(_))
    }

    /// The memory held, in bytes, besides the struct itself.
    pub(super) fn heap_bytes(&self) -> usize {
        match &self.finite {
            Finite::Few(few) => few.heap_bytes(),
            Finite::Many(many) => {
                size_of::<Many>()
                    + many.sum.heap_bytes()
                    + many.squares.heap_bytes()
                    + many.negative.heap_bytes()
                    + many.positive.heap_bytes()
            }
        }
    }
}

fn count_special(below: &mut u64, beyond: &mut u64, undefined: &mut u64, x: f64, times: u64) {
    if x == f64::INFINITY {
        *beyond += times;
    } else if x == f64::NEG_INFINITY {
        *below += times;
    } else {
        *undefined += times;
    }
}

/// The histogram form, into which the distinct values are poured if need be.
fn many_of(finite: &mut Finite, fineness: Fineness) -> &mut Many {
    if let Finite::Few(few) = finite {
        let mut many = Many::new(fineness);
        for (value, count) in few.iter() {
            many.add_times(value, count);
        }
        *finite = Finite::Many(Box::new(many));
    }
    match finite {
        Finite::Many(many) => many,
        Finite::Few(_) => unreachable!("it has just been replaced"),
    }
}

/// The lesser of two numbers of which neither is NaN: unlike [`f64::min`] one instruction.
#[inline]
fn lesser(left: f64, right: f64) -> f64 {
    if right < left { right } else { left }
}

/// The greater of two numbers of which neither is NaN.
#[inline]
fn greater(left: f64, right: f64) -> f64 {
    if right > left { right } else { left }
}

/// Between which of its numbers a block is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Extent {
    min: f64,
    max: f64,
    /// False if one of the numbers is not finite, and perhaps if their sum is not; then `min` and `max` are void.
    is_finite: bool,
}

impl Extent {
    /// `None` without numbers.
    #[inline]
    fn of(numbers: &[f64]) -> Option<Self> {
        const LANES: usize = 4;
        let first = *numbers.first()?;
        let mut min = [first; LANES];
        let mut max = [first; LANES];
        let mut sum = [0.0; LANES];
        let mut pass = |lane: usize, x: f64| {
            min[lane] = lesser(min[lane], x);
            max[lane] = greater(max[lane], x);
            sum[lane] += x;
        };
        let (groups, last) = numbers.as_chunks::<LANES>();
        for group in groups {
            for (lane, x) in group.iter().enumerate() {
                pass(lane, *x);
            }
        }
        for x in last {
            pass(0, *x);
        }
        // No -0: minus nothing is nothing.
        Some(Self {
            min: min.into_iter().fold(first, lesser) + 0.0,
            max: max.into_iter().fold(first, greater) + 0.0,
            is_finite: sum.iter().sum::<f64>().is_finite(),
        })
    }
}

impl Many {
    fn new(fineness: Fineness) -> Self {
        Self {
            count: 0,
            sum: ExactSum::default(),
            squares: ExactSum::default(),
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            zeros: 0,
            negative: Buckets::new(fineness.bits()),
            positive: Buckets::new(fineness.bits()),
        }
    }

    /// Takes in finite numbers, up to [`BLOCK`].
    fn absorb<const FINENESS: u32>(&mut self, column: &[f64], extent: Extent) {
        // Most columns need neither buffer, and clearing one takes longer than what is done with it.
        let mut sides;
        let (positive, negative) = if extent.min > 0.0 {
            (Some((column, extent)), None)
        } else if extent.max < 0.0 {
            (None, Some((column, extent)))
        } else {
            sides = [[0.0; BLOCK]; 2];
            sides_of(column, &mut sides)
        };
        let (least, most) = match (positive, negative) {
            (Some((_, above)), None) => (above.min, above.max),
            (None, Some((_, below))) => (-below.max, -below.min),
            (Some((_, above)), Some((_, below))) => (
                lesser(above.min, -below.max),
                greater(above.max, -below.min),
            ),
            (None, None) => (0.0, 0.0),
        };
        if !(is_moderate(least) && is_moderate(most)) {
            column.iter().for_each(|x| self.add_times(x + 0.0, 1));
            return;
        }
        let mut padded;
        let addends = match column.try_into() {
            Ok(addends) => addends,
            Err(_) => {
                padded = [0.0; BLOCK];
                padded[..column.len()].copy_from_slice(column);
                &padded
            }
        };
        self.sum.add_block(addends, least, most);
        let squares = addends.map(|x| x * x);
        self.squares.add_block(&squares, least * least, most * most);
        self.count += column.len() as u64;
        self.min = lesser(self.min, extent.min);
        self.max = greater(self.max, extent.max);
        let mut signed = 0;
        if let Some((numbers, extent)) = positive {
            self.positive.reserve_counts(self.count);
            self.positive
                .count::<FINENESS>(numbers, extent.min, extent.max);
            signed += numbers.len();
        }
        if let Some((numbers, extent)) = negative {
            self.negative.reserve_counts(self.count);
            self.negative
                .count::<FINENESS>(numbers, extent.max, extent.min);
            signed += numbers.len();
        }
        self.zeros += (column.len() - signed) as u64;
    }

    /// Takes in a finite number `times` times.
    fn add_times(&mut self, x: f64, times: u64) {
        self.count += times;
        self.sum.add_times(x, times);
        self.squares.add_square_times(x, times);
        self.min = f64::min(self.min, x);
        self.max = f64::max(self.max, x);
        let buckets = if x > 0.0 {
            &mut self.positive
        } else if x < 0.0 {
            &mut self.negative
        } else {
            self.zeros += times;
            return;
        };
        buckets.reserve_counts(self.count);
        buckets.add(Buckets::bucket(buckets.fineness(), x), times);
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum.merge(&other.sum);
        self.squares.merge(&other.squares);
        self.min = f64::min(self.min, other.min);
        self.max = f64::max(self.max, other.max);
        self.zeros += other.zeros;
        self.negative.reserve_counts(self.count);
        self.negative.merge(&other.negative);
        self.positive.reserve_counts(self.count);
        self.positive.merge(&other.positive);
    }

    /// Every bucket that was counted in, in ascending order: its bounds, narrowed
    /// to the range of all numbers, and its count.
    fn each_bucket(&self, mut visit: impl FnMut(f64, f64, u64)) {
        let fineness = self.positive.fineness();
        let bounds = |bucket| {
            (
                Buckets::lower_bound(fineness, bucket),
                Buckets::lower_bound(fineness, bucket + 1),
            )
        };
        for (bucket, count) in self.negative.iter().rev() {
            let (near, far) = bounds(bucket);
            visit(f64::max(-far, self.min), f64::min(-near, self.max), count);
        }
        if self.zeros > 0 {
            visit(0.0, 0.0, self.zeros);
        }
        for (bucket, count) in self.positive.iter() {
            let (low, high) = bounds(bucket);
            visit(f64::max(low, self.min), f64::min(high, self.max), count);
        }
    }
}

/// Numbers of one sign.
type Side<'a> = Option<(&'a [f64], Extent)>;

/// The positive and the negative ones of finite numbers, if there are any, copied to `buffers`.
fn sides_of<'a>(column: &[f64], buffers: &'a mut [[f64; BLOCK]; 2]) -> (Side<'a>, Side<'a>) {
    let [positive, negative] = buffers;
    let (mut positives, mut negatives) = (0, 0);
    for x in column {
        positive[positives] = *x;
        positives += usize::from(*x > 0.0);
        negative[negatives] = *x;
        negatives += usize::from(*x < 0.0);
    }
    let side = |numbers: &'a [f64]| Some((numbers, Extent::of(numbers)?));
    (side(&positive[..positives]), side(&negative[..negatives]))
}

/// Mean and standard deviation of `count` (at least 1) numbers between `min` and `max`.
fn moments(sum: &ExactSum, squares: &ExactSum, count: u64, min: f64, max: f64) -> Moments {
    let n = count as f64;
    let largest = f64::max(min.abs(), max.abs());
    // Scaled so that the largest number is about 1: then no square leaves the range of doubles.
    let scale = if largest == 0.0 {
        0
    } else {
        libm::ilogb(largest)
    };
    let (high, low) = sum.rounded_pair(scale);
    let mean = libm::scalbn(high / n, scale).clamp(min, max);
    if count < 2 {
        return Moments {
            mean,
            standard_deviation: None,
        };
    }
    if min == max {
        return Moments {
            mean,
            standard_deviation: Some(0.0),
        };
    }
    // n * (sum of squares) - (sum)^2, whose leading digits cancel where the spread is
    // small beside the mean: so in pairs of doubles, with the error of each product.
    let (square_high, square_low) = squares.rounded_pair(2 * scale);
    let (left, left_rest) = product(n, square_high);
    let (right, right_rest) = product(high, high);
    let rest = left_rest + n * square_low - right_rest - 2.0 * high * low;
    let difference = f64::max((left - right) + rest, 0.0);
    let variance = difference / n / (n - 1.0);
    Moments {
        mean,
        standard_deviation: Some(libm::scalbn(variance.sqrt(), scale)),
    }
}

/// a * b as a rounded product and its error, which is exact.
fn product(a: f64, b: f64) -> (f64, f64) {
    let rounded = a * b;
    (rounded, libm::fma(a, b, -rounded))
}

/// Numbers in ascending order, ready for quantiles.
#[derive(Clone, Debug)]
pub(super) struct Ordered {
    /// Each with how many there are up to and with it.
    values: Vec<(f64, u64)>,
}

impl Ordered {
    fn count(&self) -> u64 {
        self.values.last().map_or(0, |(_, total)| *total)
    }

    /// The number at a rank from 0, which is below the count.
    fn at(&self, rank: u64) -> f64 {
        let position = self.values.partition_point(|(_, total)| *total <= rank);
        self.values[position].0
    }

    /// The quantile at p (cut to 0 to 1) by straight interpolation between order statistics at the rank
    /// (n - 1) p: definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical
    /// Packages", The American Statistician 50(4), 1996; NumPy's default. It is
    /// infinite where an infinite number takes part, and `None` without numbers or for a p that is NaN.
    pub(super) fn quantile(&self, p: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 || p.is_nan() {
            return None;
        }
        let rank = (count - 1) as f64 * p.clamp(0.0, 1.0);
        let below = (rank.floor() as u64).min(count - 1);
        let share = rank - below as f64;
        let low = self.at(below);
        if share <= 0.0 {
            return Some(low);
        }
        let high = self.at((below + 1).min(count - 1));
        if low == high {
            return Some(low);
        }
        if low.is_infinite() || high.is_infinite() {
            // Halfway to infinity is infinity; from -infinity it is not yet left.
            return Some(if high == f64::INFINITY { high } else { low });
        }
        let gap = high - low;
        let between = if gap.is_finite() {
            low + share * gap
        } else {
            (1.0 - share) * low + share * high
        };
        Some(between.clamp(low, high))
    }

    /// The standard error of the quantile at p: half the distance between the quantiles at
    /// p - s and p + s with s = sqrt(p (1 - p) / n), the standard error of the share
    /// of numbers below (Woodruff, "Confidence Intervals for Medians and Other Position Measures",
    /// Journal of the American Statistical Association 47, 1952). `None` for fewer than two numbers
    /// or where that reaches an infinite one.
    pub(super) fn quantile_std_error(&self, p: f64) -> Option<f64> {
        let count = self.count();
        if count < 2 || p.is_nan() {
            return None;
        }
        let p = p.clamp(0.0, 1.0);
        let s = (p * (1.0 - p) / count as f64).sqrt();
        let half = (self.quantile(p + s)? - self.quantile(p - s)?) / 2.0;
        half.is_finite().then_some(half)
    }
}

/// The state of a [`Series`] as it is written: in one order, numbers as their bit
/// patterns, so that it comes back exactly in any format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SeriesState {
    below: u64,
    beyond: u64,
    undefined: u64,
    finite: FiniteState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum FiniteState {
    /// Bit patterns and counts, in ascending order of value.
    Few(Vec<(u64, u64)>),
    Many {
        sum: ExactSum,
        squares: ExactSum,
        min: u64,
        max: u64,
        zeros: u64,
        negative: Vec<(u32, u64)>,
        positive: Vec<(u32, u64)>,
    },
}

impl Series {
    pub(super) fn to_state(&self) -> SeriesState {
        let finite = match &self.finite {
            Finite::Few(few) => FiniteState::Few(
                (few.sorted().into_iter())
                    .map(|(value, count)| (value.to_bits(), count))
                    .collect(),
            ),
            Finite::Many(many) => FiniteState::Many {
                sum: many.sum.clone(),
                squares: many.squares.clone(),
                min: many.min.to_bits(),
                max: many.max.to_bits(),
                zeros: many.zeros,
                negative: many.negative.iter().collect(),
                positive: many.positive.iter().collect(),
            },
        };
        SeriesState {
            below: self.below,
            beyond: self.beyond,
            undefined: self.undefined,
            finite,
        }
    }

    /// The series of that state; `None` if no series has it, or not over so many trials.
    pub(super) fn from_state(state: SeriesState, fineness: Fineness, trials: u64) -> Option<Self> {
        let special = (state.below.checked_add(state.beyond)?).checked_add(state.undefined)?;
        let expected = trials.checked_sub(special)?;
        let mut series = Self::new(fineness);
        series.below = state.below;
        series.beyond = state.beyond;
        series.undefined = state.undefined;
        match state.finite {
            FiniteState::Few(values) => {
                if total(values.iter().map(|(_, count)| *count))? != expected || values.len() > MOST
                {
                    return None;
                }
                let mut few = Few::default();
                let mut last = f64::NEG_INFINITY;
                for (bits, count) in values {
                    let value = f64::from_bits(bits);
                    let in_order = value > last && value.is_finite();
                    if !in_order || bits == (-0.0_f64).to_bits() {
                        return None;
                    }
                    last = value;
                    few.add(value, count);
                }
                series.finite = Finite::Few(few);
            }
            FiniteState::Many {
                sum,
                squares,
                min,
                max,
                zeros,
                negative,
                positive,
            } => {
                let mut many = Many::new(fineness);
                let (min, max) = (f64::from_bits(min), f64::from_bits(max));
                let in_order = min < max && min.is_finite() && max.is_finite();
                if !in_order || !sum.is_sound(expected) || !squares.is_sound(expected) {
                    return None;
                }
                let mut count = zeros;
                for (counts, buckets) in [
                    (negative, &mut many.negative),
                    (positive, &mut many.positive),
                ] {
                    count = count
                        .checked_add(total(counts.iter().map(|(_, count)| *count))?)
                        .filter(|count| *count <= expected)?;
                    buckets.reserve_counts(expected);
                    for (bucket, count) in counts {
                        if bucket >= Buckets::all(fineness.bits()) {
                            return None;
                        }
                        buckets.add(bucket, count);
                    }
                }
                if count != expected {
                    return None;
                }
                many.count = count;
                many.sum = sum;
                many.squares = squares;
                many.min = min;
                many.max = max;
                many.zeros = zeros;
                series.finite = Finite::Many(Box::new(many));
            }
        }
        Some(series)
    }
}

/// The sum of counts; `None` if one is 0 or they are too many.
fn total(mut counts: impl Iterator<Item = u64>) -> Option<u64> {
    counts.try_fold(0_u64, |total, count| {
        total.checked_add(count).filter(|_| count > 0)
    })
}

#[cfg(test)]
mod tests;

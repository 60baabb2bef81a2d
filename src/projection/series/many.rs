//! Numbers that are too many to be kept one by one: exact sums and a histogram.

use super::{BLOCK, Fineness};
use crate::projection::buckets::Buckets;
use crate::projection::exact_sum::{ExactSum, is_moderate};
use crate::projection::trial_sample::SHARED;

/// Finite numbers as their count, exact sums, range and histogram.
#[derive(Clone, Debug)]
pub(super) struct Many {
    pub(super) count: u64,
    pub(super) sum: ExactSum,
    pub(super) squares: ExactSum,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) zeros: u64,
    pub(super) negative: Buckets,
    pub(super) positive: Buckets,
}

/// The lesser of two numbers of which neither is NaN: unlike [`f64::min`] one instruction.
#[inline(always)]
fn lesser(left: f64, right: f64) -> f64 {
    if right < left { right } else { left }
}

/// The greater of two numbers of which neither is NaN.
#[inline(always)]
fn greater(left: f64, right: f64) -> f64 {
    if right > left { right } else { left }
}

/// Between which of its numbers a block is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extent {
    pub(super) min: f64,
    pub(super) max: f64,
    /// False if one of the numbers is not finite, and perhaps if their sum is not; then `min` and `max` are void.
    pub(super) is_finite: bool,
}

impl Extent {
    /// `None` without numbers.
    #[inline(always)]
    pub(super) fn of(numbers: &[f64]) -> Option<Self> {
        const LANES: usize = 16;
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
    pub(super) fn new(fineness: Fineness) -> Self {
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
    #[inline(always)]
    pub(super) fn absorb<const FINENESS: u32>(&mut self, column: &[f64], extent: Extent) {
        // Most columns need neither buffer, and clearing one takes longer than what is done with it.
        let mut sides;
        let (positive, negative) = if extent.min > 0.0 {
            (Some((column, extent)), None)
        } else if extent.max < 0.0 {
            (None, Some((column, extent)))
        } else {
            sides = [[0.0; BLOCK]; 2];
            sides_of(column, extent, &mut sides)
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
        self.sum.add_block(column, |x| x, least, most);
        self.squares
            .add_block(column, |x| x * x, least * least, most * most);
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
    pub(super) fn add_times(&mut self, x: f64, times: u64) {
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

    pub(super) fn merge(&mut self, other: &Self) {
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
    /// to the range of all numbers, and its count. A value of the bucket that several numbers of `sample` share, which
    /// are some of these numbers in ascending order, stands apart, with its share of the bucket's count in the sample.
    pub(super) fn each_piece(&self, sample: &[f64], mut visit: impl FnMut(f64, f64, u64)) {
        let fineness = self.positive.fineness();
        let bounds = |bucket| {
            (
                Buckets::lower_bound(fineness, bucket),
                Buckets::lower_bound(fineness, bucket + 1),
            )
        };
        let (below, rest) = sample.split_at(sample.partition_point(|x| *x < 0.0));
        let above = &rest[rest.partition_point(|x| *x <= 0.0)..];
        let mut sampled = InBuckets::new(fineness, below);
        for (bucket, count) in self.negative.iter().rev() {
            let (near, far) = bounds(bucket);
            let range = (f64::max(-far, self.min), f64::min(-near, self.max));
            divide(range, count, sampled.next(bucket), &mut visit);
        }
        if self.zeros > 0 {
            visit(0.0, 0.0, self.zeros);
        }
        let mut sampled = InBuckets::new(fineness, above);
        for (bucket, count) in self.positive.iter() {
            let (low, high) = bounds(bucket);
            let range = (f64::max(low, self.min), f64::min(high, self.max));
            divide(range, count, sampled.next(bucket), &mut visit);
        }
    }
}

/// Numbers of one sign in ascending order, bucket by bucket.
struct InBuckets<'a> {
    fineness: u32,
    left: &'a [f64],
}

impl<'a> InBuckets<'a> {
    fn new(fineness: u32, numbers: &'a [f64]) -> Self {
        Self {
            fineness,
            left: numbers,
        }
    }

    /// The numbers in that bucket, which comes after those asked for before.
    fn next(&mut self, bucket: u32) -> &'a [f64] {
        let is_here = |x: &&f64| Buckets::bucket(self.fineness, **x) == bucket;
        let (here, left) = self
            .left
            .split_at(self.left.iter().take_while(is_here).count());
        self.left = left;
        here
    }
}

/// Divides what is counted between two bounds among the values that several of the sampled numbers share and the stretches between
/// these, in proportion to the sample.
fn divide(
    (low, high): (f64, f64),
    count: u64,
    sampled: &[f64],
    visit: &mut impl FnMut(f64, f64, u64),
) {
    let up_to = |numbers: usize| {
        (u128::from(count) * numbers as u128 / sampled.len().max(1) as u128) as u64
    };
    let (mut low, mut done, mut passed) = (low, 0, 0);
    for equal in sampled.chunk_by(|left, right| left == right) {
        let before = passed;
        passed += equal.len();
        if equal.len() >= SHARED {
            visit(low, equal[0], up_to(before) - done);
            visit(equal[0], equal[0], up_to(passed) - up_to(before));
            (low, done) = (equal[0], up_to(passed));
        }
    }
    if done < count {
        visit(low, high, count - done);
    }
}

/// Numbers of one sign.
type Side<'a> = Option<(&'a [f64], Extent)>;

/// The positive and the negative ones of finite numbers, if there are any, copied to `buffers`.
#[inline(always)]
fn sides_of<'a>(
    column: &[f64],
    extent: Extent,
    buffers: &'a mut [[f64; BLOCK]; 2],
) -> (Side<'a>, Side<'a>) {
    let [positive, negative] = buffers;
    let positive = chosen(column, |x| x > 0.0, positive);
    let negative = if extent.min < 0.0 {
        chosen(column, |x| x < 0.0, negative)
    } else {
        &[]
    };
    let side = |numbers: &'a [f64]| Some((numbers, Extent::of(numbers)?));
    (side(positive), side(negative))
}

/// Those numbers that `is_wanted` takes, copied to `to`.
#[inline(always)]
fn chosen<'a>(
    numbers: &[f64],
    is_wanted: impl Fn(f64) -> bool,
    to: &'a mut [f64; BLOCK],
) -> &'a [f64] {
    let mut count = 0;
    for x in numbers {
        to[count] = *x;
        count += usize::from(is_wanted(*x));
    }
    &to[..count]
}

//! The distribution of one number over the trials, in a form that merges exactly.

mod many;
mod moments;
mod ordered;
mod state;

use serde::{Deserialize, Serialize};

use super::exact_sum::{ExactSum, MOST_ADDENDS};
use super::few::Few;
use many::{Extent, Many};
pub(super) use moments::Moments;
use moments::moments;
pub(super) use ordered::Ordered;
pub(super) use state::SeriesState;

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
    #[inline(always)]
    pub(super) fn absorb(&mut self, column: &[f64]) {
        debug_assert!(column.len() <= BLOCK);
        let Some(extent) = Extent::of(column) else {
            return;
        };
        if extent.is_finite {
            self.absorb_finite(column, extent);
        } else {
            self.absorb_special(column);
        }
    }

    /// Takes in a column of which some may not be finite.
    #[cold]
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
    #[inline(always)]
    fn absorb_finite(&mut self, column: &[f64], extent: Extent) {
        if extent.min == extent.max {
            // Before anything is built, and after all of it is, a number is often the same in all trials.
            self.add_times(extent.min, column.len() as u64);
            return;
        }
        let (mut rest, mut extent) = (column, extent);
        if let Finite::Few(few) = &mut self.finite {
            if few.add_known(column) {
                return;
            }
            let taken = column.iter().position(|x| !few.add(x + 0.0, 1));
            rest = &column[taken.unwrap_or(column.len())..];
            match Extent::of(rest) {
                None => return,
                Some(of_rest) => extent = of_rest,
            }
        }
        let many = many_of(&mut self.finite, self.fineness);
        match self.fineness {
            Fineness::Monthly => many.absorb::<7>(rest, extent),
            Fineness::Fine => many.absorb::<10>(rest, extent),
        }
    }

    /// Reads something of each line of the cache that [`Self::absorb`] is about to change, so that they come in
    /// together. What it returns only keeps the reading from being left out.
    #[inline(always)]
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
    /// there are up to and with it. A bucket stands as its middle, but for values that several numbers of a sample
    /// of these numbers, in ascending order, share.
    pub(super) fn ordered(&self, sample: &[f64]) -> Ordered {
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
            Finite::Many(many) => many.each_piece(sample, |low, high, count| {
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
            Finite::Many(many) => many.each_piece(&[], &mut pass),
        }
        pass(f64::INFINITY, f64::INFINITY, self.beyond);
        found
    }

    /// How many numbers are at least `least`; where numbers are no longer kept one by one, estimated by straight
    /// interpolation within its bucket between the values that several numbers of the sample share.
    pub(super) fn count_at_least(&self, least: f64, sample: &[f64]) -> f64 {
        let finite = match &self.finite {
            Finite::Few(few) => (few.iter())
                .filter(|(value, _)| *value >= least)
                .map(|(_, count)| count as f64)
                .sum(),
            Finite::Many(many) => {
                let mut sum = 0.0;
                many.each_piece(sample, |low, high, count| {
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
    pub(super) fn count_at_most(&self, most: f64, sample: &[f64]) -> f64 {
        let finite = match &self.finite {
            Finite::Few(few) => (few.iter())
                .filter(|(value, _)| *value <= most)
                .map(|(_, count)| count as f64)
                .sum(),
            Finite::Many(many) => {
                let mut sum = 0.0;
                many.each_piece(sample, |low, high, count| {
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

#[cfg(test)]
mod tests;

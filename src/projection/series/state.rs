//! The state of a series as checkpoints keep it.

use serde::{Deserialize, Serialize};

use super::{Fineness, Finite, Many, Series};
use crate::projection::buckets::Buckets;
use crate::projection::exact_sum::ExactSum;
use crate::projection::few::{Few, MOST};

/// The state of a [`Series`] as it is written: in one order, numbers as their bit
/// patterns, so that it comes back exactly in any format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::projection) struct SeriesState {
    pub(super) below: u64,
    pub(super) beyond: u64,
    pub(super) undefined: u64,
    pub(super) finite: FiniteState,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum FiniteState {
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
    pub(in crate::projection) fn to_state(&self) -> SeriesState {
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

    /// The series of that state; `None` if no series has it, or not over this many trials.
    pub(in crate::projection) fn from_state(
        state: SeriesState,
        fineness: Fineness,
        trials: u64,
    ) -> Option<Self> {
        let special = (state.below.checked_add(state.beyond)?).checked_add(state.undefined)?;
        let expected = trials.checked_sub(special)?;
        let mut series = Self::new(fineness);
        series.below = state.below;
        series.beyond = state.beyond;
        series.undefined = state.undefined;
        series.finite = state.finite.restore(fineness, expected)?;
        Some(series)
    }
}

impl FiniteState {
    /// The numbers of that state; `None` if they are not `expected` ones in a form that a series has.
    fn restore(self, fineness: Fineness, expected: u64) -> Option<Finite> {
        match self {
            Self::Few(values) => restore_few(values, expected).map(Finite::Few),
            Self::Many {
                sum,
                squares,
                min,
                max,
                zeros,
                negative,
                positive,
            } => {
                let (min, max) = (f64::from_bits(min), f64::from_bits(max));
                let in_order = min < max && min.is_finite() && max.is_finite();
                if !in_order || !sum.is_sound(expected) || !squares.is_sound(expected) {
                    return None;
                }
                let mut many = Many::new(fineness);
                let mut count = zeros;
                for (counts, buckets) in [
                    (negative, &mut many.negative),
                    (positive, &mut many.positive),
                ] {
                    count = count
                        .checked_add(total(counts.iter().map(|(_, count)| *count))?)
                        .filter(|count| *count <= expected)?;
                    restore_buckets(counts, buckets, fineness, expected)?;
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
                Some(Finite::Many(Box::new(many)))
            }
        }
    }
}

fn restore_few(values: Vec<(u64, u64)>, expected: u64) -> Option<Few> {
    if total(values.iter().map(|(_, count)| *count))? != expected || values.len() > MOST {
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
    Some(few)
}

fn restore_buckets(
    counts: Vec<(u32, u64)>,
    buckets: &mut Buckets,
    fineness: Fineness,
    expected: u64,
) -> Option<()> {
    buckets.reserve_counts(expected);
    for (bucket, count) in counts {
        if bucket >= Buckets::all(fineness.bits()) {
            return None;
        }
        buckets.add(bucket, count);
    }
    Some(())
}

/// The sum of counts; `None` if one is 0 or they are too many.
fn total(mut counts: impl Iterator<Item = u64>) -> Option<u64> {
    counts.try_fold(0_u64, |total, count| {
        total.checked_add(count).filter(|_| count > 0)
    })
}

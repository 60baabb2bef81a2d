//! Some trials kept whole, by which values that many trials share are distinguished from values that lie close together.

use serde::{Deserialize, Serialize};

use super::row::TrialRow;
use super::selection::Columns;

/// How many trials are kept: of a value that one trial in ten shares, fewer than [`SHARED`] are among them once in
/// 6,000 times (binomial distribution).
pub(super) const KEPT: usize = 128;
/// From this many equal numbers of the sample on, their value counts as shared.
pub(super) const SHARED: usize = 3;
/// About how many of its monthly numbers the key of a row without a trial's number is made of.
const IN_KEY: usize = 256;

/// A uniform sample without replacement of the trials taken in: those with the least keys, where a key is a hash of a
/// trial's number and of what came of it once. It depends on which trials were taken in, not on their order, and merges
/// exactly (Cohen and Kaplan, "Summarizing Data Using Bottom-k Sketches", PODC 2007).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct TrialSample {
    /// In ascending order.
    kept: Vec<Kept>,
}

/// A trial that is kept, in ascending order of keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Kept {
    key: u64,
    /// Bit patterns of all gathered numbers: monthly ones, milestones, outcomes.
    values: Box<[u64]>,
}

impl TrialSample {
    /// Takes in a trial with its [`key`] and all numbers that are gathered of it: monthly ones, milestones, outcomes.
    pub(super) fn absorb<N: Iterator<Item = f64>>(
        &mut self,
        key: u64,
        numbers: impl FnOnce() -> N,
    ) {
        if self.may_keep(key) {
            let values = numbers().map(bits).collect();
            self.keep(Kept { key, values });
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for theirs in &other.kept {
            if !self.may_keep(theirs.key) {
                break;
            }
            self.keep(theirs.clone());
        }
    }

    fn may_keep(&self, key: u64) -> bool {
        self.kept.len() < KEPT || self.kept.last().is_none_or(|last| key <= last.key)
    }

    fn keep(&mut self, new: Kept) {
        let place = self.kept.partition_point(|kept| *kept < new);
        if place < KEPT {
            self.kept.truncate(KEPT - 1);
            self.kept.insert(place, new);
        }
    }

    /// The finite ones of the numbers at that place of the trials kept, in ascending order.
    pub(super) fn sorted(&self, place: usize) -> Vec<f64> {
        let numbers = self
            .kept
            .iter()
            .map(|kept| f64::from_bits(kept.values[place]));
        let mut finite: Vec<f64> = numbers.filter(|x| x.is_finite()).collect();
        finite.sort_unstable_by(f64::total_cmp);
        finite
    }

    pub(super) fn forget(&mut self) {
        self.kept.clear();
    }

    /// Whether it can be a sample of this many trials with this many numbers each.
    pub(super) fn is_sound(&self, trials: u64, numbers: usize) -> bool {
        self.kept.len() as u64 == trials.min(KEPT as u64)
            && self.kept.is_sorted()
            && self.kept.iter().all(|kept| kept.values.len() == numbers)
    }

    /// The memory held, in bytes, besides the struct itself.
    pub(super) fn heap_bytes(&self) -> usize {
        let values: usize = self
            .kept
            .iter()
            .map(|kept| size_of_val(&*kept.values))
            .sum();
        self.kept.capacity() * size_of::<Kept>() + values
    }
}

/// A number's bit pattern; one for all that are not numbers, and one for 0 and -0.
fn bits(x: f64) -> u64 {
    if x.is_nan() {
        f64::NAN.to_bits()
    } else {
        (x + 0.0).to_bits()
    }
}

/// A hash of a trial's number and of what came of it once. Which metrics are gathered does not matter, so that what is said
/// of one is the same beside others; only trials that were given no numbers are told apart by some of their months, too.
pub(super) fn key(row: &TrialRow, monthly: &Columns) -> u64 {
    let wanted = if row.is_numbered() { 0 } else { IN_KEY };
    let every = monthly.count().div_ceil(IN_KEY).max(1);
    let months = monthly.numbers(row).step_by(every).take(wanted);
    let rest = row.milestones().iter().chain(row.outcomes());
    let numbers = months.chain(rest.copied());
    numbers.fold(mixed(row.trial()), |hash, x| mixed(hash ^ bits(x)))
}

/// Mixes all bits (the finalizer of Stafford's Mix13, used in SplitMix64).
fn mixed(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

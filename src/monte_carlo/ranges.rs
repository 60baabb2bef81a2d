//! Sets of trial numbers.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A set of trial numbers: ranges in order, none touching the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// No trial.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many trials.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(start, end)| end - start).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges, in order.
    pub fn iter(&self) -> impl Iterator<Item = Range<u64>> {
        self.0.iter().map(|(start, end)| *start..*end)
    }

    /// The number after the last trial; 0 if there are none.
    pub fn end(&self) -> u64 {
        self.0.last().map_or(0, |(_, end)| *end)
    }

    /// Adds a range, of which trials may be in the set already.
    pub fn insert(&mut self, range: Range<u64>) {
        let Range { mut start, mut end } = range;
        if start >= end {
            return;
        }
        // All that overlap or touch it become one.
        let first = self.0.partition_point(|(_, theirs)| *theirs < start);
        let last = self.0.partition_point(|(theirs, _)| *theirs <= end);
        if let Some((theirs, _)) = self.0.get(first).filter(|_| first < last) {
            start = start.min(*theirs);
            end = end.max(self.0[last - 1].1);
        }
        self.0.splice(first..last, [(start, end)]);
    }

    /// The trials of `range` that are not in the set.
    pub fn missing_from(&self, range: Range<u64>) -> Self {
        let mut missing = Self::new();
        let mut next = range.start;
        for (start, end) in &self.0 {
            if *end <= next {
                continue;
            }
            if *start >= range.end {
                break;
            }
            missing.insert(next..*start);
            next = *end;
        }
        missing.insert(next..range.end);
        missing
    }

    /// The trials that are in both sets.
    pub fn common(&self, other: &Self) -> Self {
        let mut common = Self::new();
        for ours in self.iter() {
            for theirs in other.iter() {
                common.insert(ours.start.max(theirs.start)..ours.end.min(theirs.end));
            }
        }
        common
    }
}

/// `0 to 99, 200 to 299`, or `none`; of many ranges the first eight.
impl fmt::Display for Ranges {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        if self.0.is_empty() {
            return write!(to, "none");
        }
        for (position, (start, end)) in self.0.iter().take(SHOWN).enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            if end - start == 1 {
                write!(to, "{comma}{start}")?;
            } else {
                write!(to, "{comma}{start} to {}", end - 1)?;
            }
        }
        if self.0.len() > SHOWN {
            write!(to, " and {} more ranges", self.0.len() - SHOWN)?;
        }
        Ok(())
    }
}

/// Refuses ranges that are empty or out of order.
impl<'de> Deserialize<'de> for Ranges {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Vec::<(u64, u64)>::deserialize(deserializer)?;
        let sound = list.iter().all(|(start, end)| start < end)
            && list.windows(2).all(|pair| pair[0].1 < pair[1].0);
        if !sound {
            return Err(serde::de::Error::custom(
                "ranges of trials are out of order",
            ));
        }
        Ok(Self(list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set(ranges: &Ranges) -> BTreeSet<u64> {
        ranges.iter().flatten().collect()
    }

    fn of(list: &[(u64, u64)]) -> Ranges {
        let mut ranges = Ranges::new();
        for (start, length) in list {
            ranges.insert(*start..start + length);
        }
        ranges
    }

    proptest! {
        /// As sets of numbers have it.
        #[test]
        fn ranges_are_sets(
            ours in prop::collection::vec((0_u64..60, 0_u64..12), 0..8),
            theirs in prop::collection::vec((0_u64..60, 0_u64..12), 0..8),
            start in 0_u64..60,
            length in 0_u64..40,
        ) {
            let (a, b) = (of(&ours), of(&theirs));
            let numbers: BTreeSet<u64> = ours.iter().flat_map(|(s, l)| *s..s + l).collect();
            prop_assert_eq!(&set(&a), &numbers);
            prop_assert_eq!(a.count(), numbers.len() as u64);
            prop_assert_eq!(a.end(), numbers.last().map_or(0, |last| last + 1));
            prop_assert!(a.0.windows(2).all(|pair| pair[0].1 < pair[1].0));
            let range = start..start + length;
            let missing: BTreeSet<u64> = range.clone().filter(|n| !numbers.contains(n)).collect();
            prop_assert_eq!(set(&a.missing_from(range)), missing);
            let common: BTreeSet<u64> = numbers.intersection(&set(&b)).copied().collect();
            prop_assert_eq!(set(&a.common(&b)), common);
            let text = serde_json::to_string(&a).unwrap();
            prop_assert_eq!(serde_json::from_str::<Ranges>(&text).unwrap(), a);
        }
    }

    #[test]
    fn ranges_out_of_order_are_refused() {
        for text in ["[[3,3]]", "[[5,6],[1,2]]", "[[1,3],[3,4]]", "[[4,2]]"] {
            assert!(serde_json::from_str::<Ranges>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ranges_are_put_in_words() {
        assert_eq!(of(&[]).to_string(), "none");
        assert_eq!(of(&[(0, 100), (200, 1)]).to_string(), "0 to 99, 200");
        let many: Vec<(u64, u64)> = (0..10).map(|n| (n * 10, 2)).collect();
        assert!(
            of(&many)
                .to_string()
                .ends_with("70 to 71 and 2 more ranges")
        );
    }
}

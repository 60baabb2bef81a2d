//! Ranks, and bins of about equally many trials.

/// The positions of `values` in ascending order; equal ones in the order in which they stand.
pub fn order_of(values: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
    order
}

/// The rank of each value, from 1; equal values share the mean of their ranks.
pub fn mid_ranks(values: &[f64]) -> Vec<f64> {
    mid_ranks_of_ordered(&order_of(values), values)
}

/// The same, of numbers whose order is known.
pub fn mid_ranks_of_ordered(order: &[u32], values: &[f64]) -> Vec<f64> {
    let mut ranks = vec![0.0; values.len()];
    for tie in ties(order, values) {
        let rank = (tie.start + tie.end + 1) as f64 / 2.0;
        for &position in &order[tie] {
            ranks[position as usize] = rank;
        }
    }
    ranks
}

/// The stretches of `order` in which values are equal.
pub fn ties<'a>(
    order: &'a [u32],
    values: &'a [f64],
) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
    let mut start = 0;
    std::iter::from_fn(move || {
        let value = values[*order.get(start)? as usize];
        let more = order[start..].iter();
        let count = more.take_while(|&&other| values[other as usize] == value);
        let tie = start..start + count.count();
        start = tie.end;
        Some(tie)
    })
}

/// Numbers put into bins of about equally many; equal numbers are in one bin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bins {
    /// The bin of each number, from 0.
    pub of: Vec<u16>,
    /// How many bins there are; 0 without numbers.
    pub count: usize,
}

impl Bins {
    /// At most `most` bins. Where a value is so frequent that it fills more than one, there are fewer; where there are
    /// no more than `most` different values, each has its own.
    pub fn new(values: &[f64], most: usize) -> Self {
        Self::of_ordered(&order_of(values), values, most)
    }

    /// The same, of numbers whose order is known.
    pub fn of_ordered(order: &[u32], values: &[f64], most: usize) -> Self {
        let most = most.clamp(1, usize::from(u16::MAX));
        let mut of = vec![0; values.len()];
        let few = ties(order, values).take(most + 1).count() <= most;
        let (mut bin, mut filled) = (0_usize, 0);
        for tie in ties(order, values) {
            // A bin is closed where its size is nearest to its share of what it and the bins after it hold.
            let left = values.len() - (tie.start - filled);
            let is_full = (2 * filled + tie.len()) * most.saturating_sub(bin) > 2 * left;
            if filled > 0 && bin + 1 < most && (few || is_full) {
                bin += 1;
                filled = 0;
            }
            filled += tie.len();
            for &position in &order[tie] {
                of[position as usize] = bin as u16;
            }
        }
        let count = if values.is_empty() { 0 } else { bin + 1 };
        Self { of, count }
    }

    /// How many numbers each bin holds.
    pub(crate) fn sizes(&self) -> Vec<f64> {
        let mut sizes = vec![0.0; self.count];
        for &bin in &self.of {
            sizes[usize::from(bin)] += 1.0;
        }
        sizes
    }
}

/// How many bins the inputs of this many trials are put into: n^0.4, from 4 to 64.
///
/// With K bins, the index of an input without effect has a standard deviation of sqrt(2 K) / n, and that of a smooth
/// one loses about 1 / K^2 of what varies inside a bin: the exponent balances both (assumption).
pub fn bins_for(trials: usize) -> usize {
    (libm::pow(trials as f64, 0.4) as usize).clamp(4, 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_a_rank_and_a_bin() {
        let values = [3.0, 1.0, 3.0, 2.0, 3.0];
        assert_eq!(mid_ranks(&values), [4.0, 1.0, 4.0, 2.0, 4.0]);
        assert_eq!(Bins::new(&values, 8).of, [2, 0, 2, 1, 2]);
        assert_eq!(Bins::new(&values, 2).of, [1, 0, 1, 0, 1]);
    }

    #[test]
    fn bins_hold_equally_many() {
        let values: Vec<f64> = (0..1_000).map(|i| f64::from(i * 7_919 % 1_000)).collect();
        let bins = Bins::new(&values, 16);
        let mut counts = vec![0; bins.count];
        for &bin in &bins.of {
            counts[usize::from(bin)] += 1;
        }
        assert_eq!(bins.count, 16);
        assert!(
            counts.iter().all(|count| (62..=63).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn an_atom_takes_one_bin() {
        let mut values = vec![f64::INFINITY; 500];
        values.extend((0..500).map(f64::from));
        let bins = Bins::new(&values, 10);
        assert!(bins.of[..500].iter().all(|bin| *bin == bins.of[0]));
        assert!(bins.count >= 5, "{}", bins.count);
    }
}

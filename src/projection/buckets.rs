//! Counts of magnitudes in buckets of bounded relative width.

/// Counts of positive numbers in log-linear buckets: each power of two is cut into
/// 2^`fineness` buckets of equal width, as in an HDR histogram. A bucket's number
/// is the top of the double's bit pattern, so no logarithm is taken. A bucket is
/// at most 2^-fineness of its value wide; its middle is within 2^-(fineness+1).
///
/// The buckets of one power of two make a page; a page exists once one of its
/// buckets has been counted in, so that a lone outlier costs one page. Pages lie in ascending order.
#[derive(Clone, Debug)]
pub(super) struct Buckets {
    fineness: u32,
    /// The power of two (as a biased exponent) of the first entry of `page_of`.
    first: u32,
    /// For each power of two, its page, or `NO_PAGE`.
    page_of: Vec<u16>,
    counts: Counts,
}

const NO_PAGE: u16 = u16::MAX;

/// Counters as wide as the number of trials asks for.
#[derive(Clone, Debug)]
enum Counts {
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
    Widest(Vec<u64>),
}

trait Counter: Copy {
    fn increase(&mut self);
}

impl Counter for u16 {
    #[inline]
    fn increase(&mut self) {
        *self += 1;
    }
}

impl Counter for u32 {
    #[inline]
    fn increase(&mut self) {
        *self += 1;
    }
}

impl Counter for u64 {
    #[inline]
    fn increase(&mut self) {
        *self += 1;
    }
}

impl Buckets {
    pub(super) fn new(fineness: u32) -> Self {
        Self {
            fineness,
            first: 0,
            page_of: Vec::new(),
            counts: Counts::Narrow(Vec::new()),
        }
    }

    /// How finely a power of two is cut.
    pub(super) fn fineness(&self) -> u32 {
        self.fineness
    }

    /// The bucket of a positive finite number, for `fineness` F.
    #[inline(always)]
    pub(super) fn bucket(fineness: u32, x: f64) -> u32 {
        ((x.to_bits() & !(1 << 63)) >> (52 - fineness)) as u32
    }

    /// The least number in a bucket, which is also the bound of the one before.
    pub(super) fn lower_bound(fineness: u32, bucket: u32) -> f64 {
        f64::from_bits(u64::from(bucket) << (52 - fineness))
    }

    /// How many buckets positive finite numbers have.
    pub(super) fn all(fineness: u32) -> u32 {
        0x7ff << fineness
    }

    /// Makes room for counts up to `most`: to be called before adding, with how
    /// many numbers there will be at most in all.
    pub(super) fn reserve_counts(&mut self, most: u64) {
        if most > u64::from(u16::MAX)
            && let Counts::Narrow(counts) = &self.counts
        {
            self.counts = Counts::Wide(counts.iter().map(|count| u32::from(*count)).collect());
        }
        if most > u64::from(u32::MAX)
            && let Counts::Wide(counts) = &self.counts
        {
            self.counts = Counts::Widest(counts.iter().map(|count| u64::from(*count)).collect());
        }
    }

    /// Counts numbers by their magnitudes, of which `least` is the smallest and `most` the largest; none is 0.
    /// Room for their counts must have been made.
    #[inline(always)]
    pub(super) fn count<const FINENESS: u32>(&mut self, numbers: &[f64], least: f64, most: f64) {
        debug_assert_eq!(self.fineness, FINENESS);
        let [lowest, highest] = [least, most].map(|x| Self::bucket(FINENESS, x) >> FINENESS);
        // In this order: a page between them would move the later one.
        self.page(lowest);
        let last = self.page(highest);
        let first = self.page(lowest);
        let powers = (highest - lowest) as usize;
        if last - first != powers {
            for x in numbers {
                self.add(Self::bucket(FINENESS, *x), 1);
            }
            return;
        }
        // All powers of two from the lowest to the highest have pages, one after the other.
        let start = lowest << FINENESS;
        let range = first << FINENESS..(last + 1) << FINENESS;
        match &mut self.counts {
            Counts::Narrow(counts) => count_from::<FINENESS, _>(&mut counts[range], start, numbers),
            Counts::Wide(counts) => count_from::<FINENESS, _>(&mut counts[range], start, numbers),
            Counts::Widest(counts) => count_from::<FINENESS, _>(&mut counts[range], start, numbers),
        }
    }

    /// Reads something of each line of the cache that counts are in, but of a few pages only.
    #[inline]
    pub(super) fn touch(&self) -> u64 {
        fn lines<C: Copy + Into<u64>>(counts: &[C]) -> u64 {
            let lines = counts.iter().step_by(64 / size_of::<C>()).take(16);
            lines.fold(0, |all, count| all ^ (*count).into())
        }
        let page = self.page_of.first().map_or(0, |page| u64::from(*page));
        page ^ match &self.counts {
            Counts::Narrow(counts) => lines(counts),
            Counts::Wide(counts) => lines(counts),
            Counts::Widest(counts) => lines(counts),
        }
    }

    /// Adds `times` to one bucket. Room for the count must have been made.
    pub(super) fn add(&mut self, bucket: u32, times: u64) {
        if times == 0 {
            return;
        }
        let page = self.page(bucket >> self.fineness);
        let slot = (page << self.fineness) + (bucket & ((1 << self.fineness) - 1)) as usize;
        match &mut self.counts {
            Counts::Narrow(counts) => counts[slot] += times as u16,
            Counts::Wide(counts) => counts[slot] += times as u32,
            Counts::Widest(counts) => counts[slot] += times,
        }
    }

    /// The page of a power of two, made if there is none.
    #[inline]
    fn page(&mut self, power: u32) -> usize {
        match self.page_of.get(power.wrapping_sub(self.first) as usize) {
            Some(page) if *page != NO_PAGE => usize::from(*page),
            _ => self.new_page(power),
        }
    }

    #[cold]
    fn new_page(&mut self, power: u32) -> usize {
        if self.page_of.is_empty() {
            self.first = power;
        } else if power < self.first {
            let missing = (self.first - power) as usize;
            self.page_of
                .splice(0..0, std::iter::repeat_n(NO_PAGE, missing));
            self.first = power;
        }
        let position = (power - self.first) as usize;
        if position >= self.page_of.len() {
            self.page_of.resize(position + 1, NO_PAGE);
        }
        let (below, above) = self.page_of.split_at_mut(position);
        let page = below.iter().filter(|page| **page != NO_PAGE).count();
        for later in above.iter_mut().filter(|page| **page != NO_PAGE) {
            *later += 1;
        }
        above[0] = page as u16;
        let size = 1 << self.fineness;
        match &mut self.counts {
            Counts::Narrow(counts) => insert_page(counts, page, 0, size),
            Counts::Wide(counts) => insert_page(counts, page, 0, size),
            Counts::Widest(counts) => insert_page(counts, page, 0, size),
        }
        page
    }

    /// Buckets that were counted in and their counts, in ascending order.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (u32, u64)> {
        (self.first..)
            .take(self.page_of.len())
            .collect::<Vec<u32>>()
            .into_iter()
            .zip(self.page_of.iter())
            .filter(|(_, page)| **page != NO_PAGE)
            .flat_map(move |(power, page)| {
                let start = usize::from(*page) << self.fineness;
                (0..1_u32 << self.fineness).map(move |slot| {
                    (
                        (power << self.fineness) | slot,
                        self.at(start + slot as usize),
                    )
                })
            })
            .filter(|(_, count)| *count != 0)
    }

    fn at(&self, slot: usize) -> u64 {
        match &self.counts {
            Counts::Narrow(counts) => u64::from(counts[slot]),
            Counts::Wide(counts) => u64::from(counts[slot]),
            Counts::Widest(counts) => counts[slot],
        }
    }

    /// Adds all counts of `other`. Room for the counts must have been made.
    pub(super) fn merge(&mut self, other: &Self) {
        for (bucket, count) in other.iter() {
            self.add(bucket, count);
        }
    }

    /// The memory held, in bytes, besides the struct itself.
    pub(super) fn heap_bytes(&self) -> usize {
        self.page_of.capacity() * size_of::<u16>()
            + match &self.counts {
                Counts::Narrow(counts) => counts.capacity() * 2,
                Counts::Wide(counts) => counts.capacity() * 4,
                Counts::Widest(counts) => counts.capacity() * 8,
            }
    }
}

/// Counts numbers in buckets that follow each other from `start` on.
#[inline(always)]
fn count_from<const FINENESS: u32, C: Counter>(counts: &mut [C], start: u32, numbers: &[f64]) {
    for x in numbers {
        let bucket = Buckets::bucket(FINENESS, *x);
        counts[bucket.wrapping_sub(start) as usize].increase();
    }
}

/// Inserts an empty page of `size` so that it gets that number. Memory grows by one page, not by
/// doubling: pages are few and there are thousands of histograms.
fn insert_page<C: Copy>(counts: &mut Vec<C>, page: usize, empty: C, size: usize) {
    counts.reserve_exact(size);
    let at = page * size;
    counts.splice(at..at, std::iter::repeat_n(empty, size));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &Buckets) -> Vec<(u32, u64)> {
        of.iter().collect()
    }

    #[test]
    fn a_bucket_is_as_narrow_as_promised() {
        for x in [1e-300, 0.1, 1.0, 1.999, 2.0, 12345.6, 1e300] {
            let bucket = Buckets::bucket(7, x);
            let (low, high) = (
                Buckets::lower_bound(7, bucket),
                Buckets::lower_bound(7, bucket + 1),
            );
            assert!(low <= x && x < high);
            assert!((high - low) / low <= 1.0 / 128.0);
        }
        assert!(Buckets::bucket(7, f64::MAX) < Buckets::all(7));
    }

    #[test]
    fn numbers_counted_together_are_counted_each() {
        // Pages are made out of order, and there are none for 2^5 and 2^6.
        let blocks: [&[f64]; 5] = [
            &[12.5, 8.0],
            &[1.0, 3.9],
            &[-100.0, -300.0],
            &[1.5, 300.0, 7.0],
            &[2.0, 4.0, 15.0],
        ];
        let mut together = Buckets::new(7);
        let mut each = Buckets::new(7);
        for block in blocks {
            let magnitudes = block.iter().map(|x| x.abs());
            let least = magnitudes.clone().fold(f64::INFINITY, f64::min);
            together.count::<7>(block, least, magnitudes.fold(0.0, f64::max));
            for x in block {
                each.add(Buckets::bucket(7, *x), 1);
            }
        }
        assert_eq!(counts(&together), counts(&each));
        assert_eq!(counts(&together).len(), 11, "300 is there twice");
        assert_eq!(together.heap_bytes(), each.heap_bytes());
        let pages: Vec<u16> = (together.page_of.iter().copied())
            .filter(|page| *page != NO_PAGE)
            .collect();
        assert!(pages.is_sorted(), "{pages:?}");
    }

    #[test]
    fn counts_widen_and_pages_are_made_in_any_order() {
        let mut buckets = Buckets::new(7);
        let (low, high) = (Buckets::bucket(7, 1e-9), Buckets::bucket(7, 1e9));
        buckets.reserve_counts(60_000);
        buckets.add(high, 60_000);
        buckets.count::<7>(&[1e-9, 1e9], 1e-9, 1e9);
        buckets.reserve_counts(70_000);
        buckets.add(high, 9_999);
        buckets.reserve_counts(5_000_000_000);
        buckets.add(low, 4_900_000_000);
        assert_eq!(counts(&buckets), [(low, 4_900_000_001), (high, 70_000)]);
        let mut other = Buckets::new(7);
        other.reserve_counts(10_000_000_000);
        other.merge(&buckets);
        assert_eq!(counts(&other), counts(&buckets));
        assert!(other.heap_bytes() < 2 * 128 * 8 + 200);
    }
}

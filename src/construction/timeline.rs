//! What is free of one crew over time, while a schedule is made.
//!
//! Time is cut into segments of equal supply, kept in order in blocks of at most [`SPACE`]. A block
//! knows the least and the most that is free in it, so that a search passes whole blocks by, and
//! how many units are taken from all of it, so that a reservation touches single segments of two
//! blocks alone. With n segments a search or a reservation takes about log n + n / [`SPACE`] steps
//! at worst, and a constant number where activities are taken nearly in the order of their dates.

use super::crews::CrewSupply;

/// Segments in a block at most: few enough to move, many enough that blocks are few.
const SPACE: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Block {
    /// When its first segment begins.
    from: f64,
    /// Its place among the segments: from here on so many.
    place: usize,
    count: usize,
    /// Units taken from each of its segments, beside what these say themselves.
    taken: i64,
    /// The least and the most that is free in it, `taken` included.
    least: i64,
    most: i64,
}

/// A moment from which on so many units are free.
type Segment = (f64, i64);

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Timeline {
    /// In the order of time; the first begins with the beginning of time.
    blocks: Vec<Block>,
    /// The segments of all blocks, [`SPACE`] for each.
    segments: Vec<Segment>,
}

impl Timeline {
    pub(super) fn reset(&mut self, supply: &CrewSupply) {
        self.blocks.clear();
        self.segments.clear();
        for part in supply.steps.chunks(SPACE / 2) {
            let place = self.make_place();
            self.segments[place..place + part.len()].copy_from_slice(part);
            self.blocks.push(Block {
                from: part[0].0,
                place,
                count: part.len(),
                taken: 0,
                least: 0,
                most: 0,
            });
            self.sum_up(self.blocks.len() - 1);
        }
    }

    fn make_place(&mut self) -> usize {
        let place = self.segments.len();
        self.segments.resize(place + SPACE, (0.0, 0));
        place
    }

    fn segments_of(&self, block: &Block) -> &[Segment] {
        &self.segments[block.place..block.place + block.count]
    }

    /// The block and the segment in it that hold a moment.
    fn find(&self, at: f64) -> (usize, usize) {
        let block = self.blocks.partition_point(|block| block.from <= at).max(1) - 1;
        let segments = self.segments_of(&self.blocks[block]);
        let segment = segments.partition_point(|(from, _)| *from <= at).max(1) - 1;
        (block, segment)
    }

    /// If fewer than `units` are free some time from `start` to `finish`: the next moment after
    /// that from which on they are (infinite if never).
    pub(super) fn conflict(&self, start: f64, finish: f64, units: u32) -> Option<f64> {
        let units = i64::from(units);
        let (mut block, mut first) = self.find(start);
        let lacking = 'search: loop {
            let known = &self.blocks[block];
            if known.least < units {
                let segments = self.segments_of(known).iter().enumerate().skip(first);
                for (position, (from, free)) in segments {
                    // The segment that holds the start counts wherever it begins.
                    if *from >= finish && *from > start {
                        return None;
                    }
                    if free - known.taken < units {
                        break 'search position;
                    }
                }
            }
            block += 1;
            first = 0;
            if self.blocks.get(block)?.from >= finish {
                return None;
            }
        };
        first = lacking + 1;
        while let Some(known) = self.blocks.get(block) {
            if known.most >= units {
                let later = self.segments_of(known).iter().skip(first);
                let mut enough = later.filter(|(_, free)| free - known.taken >= units);
                if let Some((from, _)) = enough.next() {
                    return Some(*from);
                }
            }
            block += 1;
            first = 0;
        }
        Some(f64::INFINITY)
    }

    /// Takes units from `start` to `finish`.
    pub(super) fn reserve(&mut self, start: f64, finish: f64, units: u32) {
        if finish <= start {
            return;
        }
        self.split(start);
        if finish < f64::INFINITY {
            self.split(finish);
        }
        let units = i64::from(units);
        let (mut block, mut first) = self.find(start);
        while let Some(&known) = self.blocks.get(block)
            && known.from < finish
        {
            let is_within = first == 0
                && (self.blocks.get(block + 1))
                    .map_or(finish == f64::INFINITY, |next| next.from <= finish);
            if is_within {
                let known = &mut self.blocks[block];
                known.taken += units;
                known.least -= units;
                known.most -= units;
            } else {
                let places = known.place + first..known.place + known.count;
                for (from, free) in &mut self.segments[places] {
                    if *from >= finish {
                        break;
                    }
                    *free -= units;
                }
                self.sum_up(block);
            }
            block += 1;
            first = 0;
        }
    }

    /// Makes a segment begin at a moment.
    fn split(&mut self, at: f64) {
        let (mut block, mut segment) = self.find(at);
        if self.segments_of(&self.blocks[block])[segment].0 == at {
            return;
        }
        if self.blocks[block].count == SPACE {
            self.halve(block);
            if segment >= SPACE / 2 {
                (block, segment) = (block + 1, segment - SPACE / 2);
            }
        }
        let known = &mut self.blocks[block];
        known.count += 1;
        let segments = &mut self.segments[known.place..known.place + known.count];
        let free = segments[segment].1;
        segments.copy_within(segment + 1..known.count - 1, segment + 2);
        segments[segment + 1] = (at, free);
    }

    fn halve(&mut self, block: usize) {
        let place = self.make_place();
        let known = &mut self.blocks[block];
        let second = known.place + SPACE / 2..known.place + SPACE;
        known.count = SPACE / 2;
        let later = Block {
            from: self.segments[second.start].0,
            place,
            ..*known
        };
        self.segments.copy_within(second, place);
        self.blocks.insert(block + 1, later);
        self.sum_up(block);
        self.sum_up(block + 1);
    }

    /// Finds the least and the most that is free in a block.
    fn sum_up(&mut self, block: usize) {
        let known = self.blocks[block];
        let free = self
            .segments_of(&known)
            .iter()
            .map(|(_, free)| *free - known.taken);
        let (least, most) = free.fold((i64::MAX, i64::MIN), |(least, most), free| {
            (least.min(free), most.max(free))
        });
        let known = &mut self.blocks[block];
        (known.least, known.most) = (least, most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What is free, kept in one sorted list: the plain form of the same thing.
    struct Plain(Vec<(f64, i64)>);

    impl Plain {
        fn conflict(&self, start: f64, finish: f64, units: i64) -> Option<f64> {
            let holds = self.0.partition_point(|(from, _)| *from <= start).max(1) - 1;
            let lacking = (holds..self.0.len())
                .take_while(|&position| position == holds || self.0[position].0 < finish)
                .find(|&position| self.0[position].1 < units)?;
            let later = self.0[lacking..].iter().find(|(_, free)| *free >= units);
            Some(later.map_or(f64::INFINITY, |(from, _)| *from))
        }

        fn reserve(&mut self, start: f64, finish: f64, units: i64) {
            for at in [start, finish] {
                if !self.0.iter().any(|(from, _)| *from == at) {
                    let before = self.0.partition_point(|(from, _)| *from <= at);
                    let free = self.0[before - 1].1;
                    self.0.insert(before, (at, free));
                }
            }
            for (from, free) in &mut self.0 {
                if (start..finish).contains(from) {
                    *free -= units;
                }
            }
        }
    }

    proptest! {
        /// Enough reservations that blocks are halved many times.
        #[test]
        fn blocks_say_what_one_sorted_list_says(
            wanted in prop::collection::vec((0_u16..400, 1_u16..60, 1_u32..4), 1..600),
            later in 0_u32..12,
        ) {
            let supply = CrewSupply::new(8, [(50.0, later), (90.0, 9)]);
            let mut timeline = Timeline::default();
            // A second use leaves nothing of the first.
            for _ in 0..2 {
                timeline.reset(&supply);
                let mut plain = Plain(supply.steps.clone());
                for &(start, length, units) in &wanted {
                    let (start, length) = (f64::from(start) / 4.0, f64::from(length) / 4.0);
                    let mut at = start;
                    while let Some(next) = timeline.conflict(at, at + length, units) {
                        prop_assert_eq!(plain.conflict(at, at + length, i64::from(units)), Some(next));
                        at = next;
                    }
                    prop_assert_eq!(plain.conflict(at, at + length, i64::from(units)), None);
                    if at < f64::INFINITY {
                        timeline.reserve(at, at + length, units);
                        plain.reserve(at, at + length, i64::from(units));
                    }
                }
            }
        }
    }

    #[test]
    fn many_changes_of_the_supply_take_several_blocks() {
        let changes = (1..500_u32).map(|month| (f64::from(month), month % 5));
        let supply = CrewSupply::new(0, changes);
        let mut timeline = Timeline::default();
        timeline.reset(&supply);
        assert_eq!(timeline.conflict(0.0, 1.0, 4), Some(4.0));
        assert_eq!(timeline.conflict(4.0, 5.0, 4), None);
        timeline.reserve(0.0, f64::INFINITY, 2);
        assert_eq!(timeline.conflict(100.0, 101.0, 3), Some(f64::INFINITY));
        assert_eq!(timeline.conflict(100.0, 101.0, 2), Some(104.0));
    }
}

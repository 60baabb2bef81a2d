//! What is free of one crew over time, while a schedule is made.
//!
//! Time is cut into segments of equal supply, kept in order in blocks of at most [`SPACE`]. Of a block
//! it is noted, for a number of units, how long this many are free at its beginning, at its end, and at
//! most within, so that a search for a long enough stretch passes whole blocks by. The notes are made
//! when a search needs them and are void when something is reserved in the block. With n segments a
//! search takes [`SPACE`] + n / [`SPACE`] steps at worst, and a few where activities are taken nearly in
//! the order of their dates.

use super::crews::CrewSupply;

/// Segments in a block at most: few enough to move, many enough that blocks are few.
const SPACE: usize = 128;
/// Numbers of units of which a block has notes at a time.
const NOTES: usize = 8;
/// What rounding may take from a stretch of time, in months.
const ROUNDING: f64 = 1e-9;

/// A moment from which on this many units are free.
type Segment = (f64, i64);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Block {
    /// When its first segment begins.
    from: f64,
    /// Its place among the segments: from here on this many.
    place: usize,
    count: usize,
    /// Of how many units the notes are; 0 for none.
    noted: [u32; NOTES],
    notes: [Note; NOTES],
}

/// When this many units are free in a block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Note {
    /// Until when they are free from its beginning on; infinite if in all of it.
    first_until: f64,
    /// From when on they are free until its end; infinite if they are not in the end.
    last_from: f64,
    /// The longest time in between for which they are free.
    longest: f64,
}

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
                noted: [0; NOTES],
                notes: [Note::default(); NOTES],
            });
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
    /// that from which on they are for `shortest` months or more (infinite if never).
    pub(super) fn conflict(
        &mut self,
        start: f64,
        finish: f64,
        units: u32,
        shortest: f64,
    ) -> Option<f64> {
        let wanted = i64::from(units);
        let (mut block, mut first) = self.find(start);
        let lacking = 'search: loop {
            let segments = self.segments_of(&self.blocks[block]);
            for (position, (from, free)) in segments.iter().enumerate().skip(first) {
                // The segment that holds the start counts wherever it begins.
                if *from >= finish && *from > start {
                    return None;
                }
                if *free < wanted {
                    break 'search position;
                }
            }
            block += 1;
            first = 0;
            if self.blocks.get(block)?.from >= finish {
                return None;
            }
        };
        let mut stretch = Stretch {
            wanted,
            shortest,
            from: None,
        };
        let rest = &self.segments_of(&self.blocks[block])[lacking..];
        if let Some(found) = stretch.go_through(rest) {
            return Some(found);
        }
        for next in block + 1..self.blocks.len() {
            let note = self.note(next, units);
            let known = &self.blocks[next];
            if let Some(found) = stretch.end_at(known.from) {
                return Some(found);
            }
            if note.first_until > known.from {
                stretch.from.get_or_insert(known.from);
            }
            if note.first_until == f64::INFINITY {
                continue;
            }
            if let Some(found) = stretch.end_at(note.first_until) {
                return Some(found);
            }
            if note.longest + ROUNDING >= shortest {
                if let Some(found) = stretch.go_through(self.segments_of(known)) {
                    return Some(found);
                }
            } else {
                stretch.from = (note.last_from < f64::INFINITY).then_some(note.last_from);
            }
        }
        // What is free in the end is so for ever.
        Some(stretch.from.unwrap_or(f64::INFINITY))
    }

    /// The note of a block for this many units, made if it is not there.
    fn note(&mut self, block: usize, units: u32) -> Note {
        let known = &self.blocks[block];
        let slot = slot_of(units);
        if known.noted[slot] == units {
            return known.notes[slot];
        }
        let mut note = Note {
            first_until: f64::INFINITY,
            last_from: known.from,
            longest: 0.0,
        };
        let wanted = i64::from(units);
        for (from, free) in self.segments_of(known) {
            if *free >= wanted {
                note.last_from = note.last_from.min(*from);
                continue;
            }
            if note.first_until == f64::INFINITY {
                note.first_until = *from;
            } else if note.last_from < f64::INFINITY {
                note.longest = note.longest.max(from - note.last_from);
            }
            note.last_from = f64::INFINITY;
        }
        let known = &mut self.blocks[block];
        known.noted[slot] = units;
        known.notes[slot] = note;
        note
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
        let (mut block, mut first) = self.find(start);
        while let Some(known) = self.blocks.get_mut(block)
            && known.from < finish
        {
            known.noted = [0; NOTES];
            let places = known.place + first..known.place + known.count;
            for (from, free) in &mut self.segments[places] {
                if *from >= finish {
                    return;
                }
                *free -= i64::from(units);
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
        // A cut changes nothing of what is free, so the notes stay true.
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
        known.noted = [0; NOTES];
        let later = Block {
            from: self.segments[second.start].0,
            place,
            ..*known
        };
        self.segments.copy_within(second, place);
        self.blocks.insert(block + 1, later);
    }
}

/// Where the note of a number of units is kept: numbers that are much alike are kept apart (Fibonacci hashing).
fn slot_of(units: u32) -> usize {
    const GOLDEN: u32 = 0x9E37_79B1;
    units.wrapping_mul(GOLDEN) as usize >> (u32::BITS - NOTES.ilog2())
}

/// The search for a stretch of time for which enough is free.
struct Stretch {
    wanted: i64,
    shortest: f64,
    /// Since when enough is free.
    from: Option<f64>,
}

impl Stretch {
    /// Where the stretch begins, if it is long enough by then.
    fn end_at(&self, until: f64) -> Option<f64> {
        self.from.filter(|from| until >= from + self.shortest)
    }

    /// Goes through segments until a stretch is long enough.
    fn go_through(&mut self, segments: &[Segment]) -> Option<f64> {
        for (from, free) in segments {
            let found = self.end_at(*from);
            if found.is_some() {
                return found;
            }
            if *free < self.wanted {
                self.from = None;
            } else if self.from.is_none() {
                self.from = Some(*from);
            }
        }
        None
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

    impl Plain {
        /// The next moment from which on enough is free for so long, found step by step.
        fn stretch(&self, start: f64, finish: f64, units: i64, shortest: f64) -> Option<f64> {
            let mut at = self.conflict(start, finish, units)?;
            while at < f64::INFINITY
                && let Some(later) = self.conflict(at, at + shortest, units)
            {
                at = later;
            }
            Some(at)
        }
    }

    proptest! {
        /// Enough reservations that blocks are halved many times.
        #[test]
        fn blocks_say_what_one_sorted_list_says(
            wanted in prop::collection::vec((0_u16..400, 1_u16..60, 1_u32..12, 0_u16..60), 1..600),
            later in 0_u32..12,
        ) {
            let supply = CrewSupply::new(11, [(50.0, later), (90.0, 12)]);
            let mut timeline = Timeline::default();
            // A second use leaves nothing of the first.
            for _ in 0..2 {
                timeline.reset(&supply);
                let mut plain = Plain(supply.steps.clone());
                for &(start, length, units, other) in &wanted {
                    let [start, length, other] = [start, length, other].map(|time| f64::from(time) / 4.0);
                    // Searches for a length of their own, too, as calendars make them.
                    for shortest in [length, other.min(length)] {
                        let found = timeline.conflict(start, start + length, units, shortest);
                        let expected = plain.stretch(start, start + length, units.into(), shortest);
                        prop_assert_eq!(found, expected);
                    }
                    let at = (timeline.conflict(start, start + length, units, length)).unwrap_or(start);
                    if at < f64::INFINITY {
                        // Several crews of one are rarely wanted at once.
                        let units = units.div_ceil(3);
                        timeline.reserve(at, at + length, units);
                        plain.reserve(at, at + length, units.into());
                    }
                }
            }
        }
    }

    #[test]
    fn many_changes_of_the_supply_take_several_blocks() {
        let changes = (1..500_u32).map(|month| (f64::from(month), month % 5));
        let supply = CrewSupply::new(0, changes);
        // Units are counted in thousandths.
        let mut timeline = Timeline::default();
        timeline.reset(&supply);
        assert_eq!(timeline.conflict(0.0, 1.0, 4_000, 1.0), Some(4.0));
        assert_eq!(timeline.conflict(4.0, 5.0, 4_000, 1.0), None);
        // Three and more are free for two months, but for three only in the end, where four are.
        assert_eq!(timeline.conflict(0.0, 2.0, 3_000, 2.0), Some(3.0));
        assert_eq!(timeline.conflict(0.0, 3.0, 3_000, 3.0), Some(498.0));
        timeline.reserve(0.0, f64::INFINITY, 2_000);
        assert_eq!(
            timeline.conflict(100.0, 101.0, 3_000, 0.5),
            Some(f64::INFINITY)
        );
        assert_eq!(timeline.conflict(100.0, 101.0, 2_000, 0.5), Some(104.0));
    }
}

//! The tree itself: what is placed in which row, and what room is left.

use super::{Delivery, DeliveryError, Deployment, Placement, Refusal};
use crate::power::Redundancy;

/// Where a row hangs.
#[derive(Clone, Copy, Debug)]
enum Hangs {
    /// On both line-ups, and on the pair of this number.
    Pair { a: usize, b: usize, pair: usize },
    /// On one line-up or bus.
    One(usize),
}

#[derive(Clone, Copy, Debug)]
struct Row {
    hangs: Hangs,
    group: usize,
}

/// The tree and what is placed in it.
#[derive(Clone, Debug)]
pub struct DeliveryTree {
    /// Line-ups of a group.
    lineups: usize,
    rows: Vec<Row>,
    row_watts: i64,
    row_positions: u32,
    lineup_watts: i64,
    feed_watts: i64,
    usable_watts: i64,
    /// By line-up, and by group x line-up x line-up.
    lineup_load: Vec<i64>,
    pair_load: Vec<i64>,
    /// By line-up: the largest load that it shares with one other.
    lineup_worst: Vec<i64>,
    group_load: Vec<i64>,
    row_load: Vec<i64>,
    row_free: Vec<u32>,
    placed_watts: i64,
    /// Scratch: by row, what would be left with one more of what is placed.
    rooms: Vec<Option<i64>>,
}

/// Far more than any building carries, and so little that no sum of it overflows.
const MOST_WATTS: f64 = 1e14;

fn watts(kw: f64) -> i64 {
    (kw * 1_000.0).round().min(MOST_WATTS) as i64
}

fn positive(value: f64, what: &'static str) -> Result<f64, DeliveryError> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(DeliveryError::NotPositive(what))
    }
}

/// The row in which something is placed, given what it would leave in each; of equal ones the
/// first.
fn choose(rooms: &[Option<i64>], placement: Placement) -> Option<usize> {
    let mut with_room = rooms
        .iter()
        .enumerate()
        .filter_map(|(row, room)| Some((row, (*room)?)));
    let found = match placement {
        Placement::FirstFit => with_room.next(),
        Placement::BestFit => with_room.min_by_key(|&(_, left)| left),
        // The last of equal maxima would be taken; the first is meant.
        Placement::Balanced => with_room.min_by_key(|&(_, left)| std::cmp::Reverse(left)),
    };
    found.map(|(row, _)| row)
}

/// The rows in turn below the groups, and in each group below its line-ups or pairs of these.
fn rows_of(count: usize, groups: usize, lineups: usize, is_paired: bool) -> Vec<Row> {
    let pairs: Vec<(usize, usize)> = (0..lineups)
        .flat_map(|a| (a + 1..lineups).map(move |b| (a, b)))
        .collect();
    let rows = (0..count).map(|row| {
        let (group, turn) = (row % groups, row / groups);
        let first = group * lineups;
        let hangs = if is_paired {
            let (a, b) = pairs[turn % pairs.len()];
            Hangs::Pair {
                a: first + a,
                b: first + b,
                pair: (first + a) * lineups + b,
            }
        } else {
            Hangs::One(first + turn % lineups)
        };
        Row { hangs, group }
    });
    rows.collect()
}

impl DeliveryTree {
    /// An empty tree below `modules` line-ups of `module_power_kw` each.
    ///
    /// ```
    /// use buildout::power::{Delivery, DeliveryTree, Deployment, Placement};
    /// let rack = Deployment { power_kw: 600.0, positions: 1 };
    /// let fill = |redundancy: &str| -> Result<f64, Box<dyn std::error::Error>> {
    ///     let mut tree = DeliveryTree::new(redundancy.parse()?, 4, 1_000.0, &Delivery::new(12, 10))?;
    ///     while tree.place(rack, Placement::Balanced).is_some() {}
    ///     Ok(tree.placed_kw())
    /// };
    /// // Both may carry 3,000 kW; racks of 600 kW fit four times and three times.
    /// assert_eq!(fill("4N/3")?, 2_400.0);
    /// assert_eq!(fill("block 4N/3")?, 1_800.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(
        redundancy: Redundancy,
        modules: u32,
        module_power_kw: f64,
        delivery: &Delivery,
    ) -> Result<Self, DeliveryError> {
        let rating = watts(positive(module_power_kw, "module_power_kw")?);
        let usable_watts = i64::from(redundancy.usable_modules(modules)) * rating;
        if usable_watts <= 0 || delivery.rows == 0 {
            return Err(DeliveryError::NotPositive("what the tree may carry"));
        }
        let (x, y) = redundancy.group(modules);
        let is_spare = matches!(redundancy, Redundancy::Spare(_));
        if !is_spare && !modules.is_multiple_of(x) {
            return Err(DeliveryError::IncompleteGroup {
                modules,
                redundancy,
            });
        }
        let groups = if is_spare { 1 } else { (modules / x) as usize };
        let (lineups, lineup_watts) = match redundancy {
            Redundancy::Spare(_) => (1, usable_watts),
            Redundancy::Distributed { .. } if x - y > 1 => {
                return Err(DeliveryError::TooManyFailures(redundancy));
            }
            Redundancy::Distributed { .. } => (x as usize, rating),
            Redundancy::Block { .. } => (y as usize, rating),
        };
        let is_paired = matches!(redundancy, Redundancy::Distributed { .. });
        let rows = rows_of(delivery.rows as usize, groups, lineups, is_paired);
        let pairs = usize::from(is_paired) * groups * lineups * lineups;
        let row_watts = match delivery.row_power_kw {
            Some(power) => watts(positive(power, "row_power_kw")?),
            None => lineup_watts,
        };
        let feed_watts = match delivery.feed_power_kw {
            Some(power) => watts(positive(power, "feed_power_kw")?),
            None => i64::MAX,
        };
        let row_count = delivery.rows as usize;
        Ok(Self {
            lineups,
            rows,
            row_watts,
            row_positions: delivery.row_positions,
            lineup_watts,
            feed_watts,
            usable_watts,
            lineup_load: vec![0; groups * lineups],
            pair_load: vec![0; pairs],
            lineup_worst: vec![0; groups * lineups],
            group_load: vec![0; groups],
            row_load: vec![0; row_count],
            row_free: vec![delivery.row_positions; row_count],
            placed_watts: 0,
            rooms: Vec::new(),
        })
    }

    /// Becomes an empty copy of another, keeping its memory.
    pub(crate) fn become_empty(&mut self, like: &Self) {
        let Self {
            lineups,
            rows,
            row_watts,
            row_positions,
            lineup_watts,
            feed_watts,
            usable_watts,
            lineup_load,
            pair_load,
            lineup_worst,
            group_load,
            row_load,
            row_free,
            placed_watts: _,
            rooms: _,
        } = like;
        self.lineups = *lineups;
        self.rows.clone_from(rows);
        self.row_watts = *row_watts;
        self.row_positions = *row_positions;
        self.lineup_watts = *lineup_watts;
        self.feed_watts = *feed_watts;
        self.usable_watts = *usable_watts;
        self.lineup_load.clone_from(lineup_load);
        self.pair_load.clone_from(pair_load);
        self.lineup_worst.clone_from(lineup_worst);
        self.group_load.clone_from(group_load);
        self.row_load.clone_from(row_load);
        self.row_free.clone_from(row_free);
        self.clear();
    }

    /// Empties it, keeping its memory.
    pub fn clear(&mut self) {
        for loads in [
            &mut self.lineup_load,
            &mut self.pair_load,
            &mut self.lineup_worst,
            &mut self.group_load,
            &mut self.row_load,
        ] {
            loads.fill(0);
        }
        self.row_free.fill(self.row_positions);
        self.placed_watts = 0;
    }

    /// What the line-ups may carry by their redundancy, in kW.
    pub fn usable_kw(&self) -> f64 {
        self.usable_watts as f64 / 1_000.0
    }

    /// What is placed, in kW.
    pub fn placed_kw(&self) -> f64 {
        self.placed_watts as f64 / 1_000.0
    }

    /// Places something in a row and returns the row, or `None` where no row has room.
    pub fn place(&mut self, what: Deployment, placement: Placement) -> Option<usize> {
        let mut found = None;
        self.place_many(what, 1, placement, |row| found = Some(row));
        found
    }

    /// Places up to `count` of the same, one after the other, until no row has room; `place` is
    /// reported each row. Returns how many found room.
    ///
    /// What one more would leave is kept from one to the next, and worked out again only for the
    /// rows of the group that has changed.
    pub fn place_many(
        &mut self,
        what: Deployment,
        count: u32,
        placement: Placement,
        mut place: impl FnMut(usize),
    ) -> u32 {
        let load = watts(what.power_kw);
        let mut rooms = std::mem::take(&mut self.rooms);
        rooms.clear();
        let rows = 0..self.rows.len();
        rooms.extend(rows.map(|row| self.room_left(row, load, what.positions)));
        for done in 0..count {
            let Some(row) = choose(&rooms, placement) else {
                self.rooms = rooms;
                return done;
            };
            self.add(row, load);
            self.row_free[row] -= what.positions;
            place(row);
            if done + 1 == count {
                break;
            }
            let group = self.rows[row].group;
            for (other, room) in rooms.iter_mut().enumerate() {
                // What has no room does not get it back by adding more.
                if room.is_some() && self.rows[other].group == group {
                    *room = self.room_left(other, load, what.positions);
                }
            }
        }
        self.rooms = rooms;
        count
    }

    /// Takes something out of the row in which it was placed.
    ///
    /// Whoever calls it must have placed just that there.
    pub fn remove(&mut self, row: usize, what: Deployment) {
        self.add(row, -watts(what.power_kw));
        self.row_free[row] += what.positions;
    }

    fn add(&mut self, row: usize, load: i64) {
        let Row { hangs, group } = self.rows[row];
        match hangs {
            // Twice the load of a line-up is the sum of its pairs.
            Hangs::Pair { a, b, pair } => {
                self.lineup_load[a] += load;
                self.lineup_load[b] += load;
                self.pair_load[pair] += load;
                for lineup in [a, b] {
                    // What grows is the worst or leaves it as it is; what goes may have been it.
                    self.lineup_worst[lineup] = if load >= 0 {
                        self.lineup_worst[lineup].max(self.pair_load[pair])
                    } else {
                        self.worst_pair(lineup)
                    };
                }
            }
            Hangs::One(lineup) => self.lineup_load[lineup] += load,
        }
        self.row_load[row] += load;
        self.group_load[group] += load;
        self.placed_watts += load;
    }

    /// What would be left in the tightest line-up, after the worst failure, with so much more in
    /// a row, in W; `None` where it does not fit. Of rows with equal room the emptier is preferred.
    fn room_left(&self, row: usize, load: i64, positions: u32) -> Option<i64> {
        if self.row_free[row] < positions || self.row_watts - self.row_load[row] < load {
            return None;
        }
        let Row { hangs, group } = self.rows[row];
        if self.feed_watts - self.group_load[group] < load {
            return None;
        }
        let left = self.lineup_room(hangs, load);
        (left >= 0).then_some(left)
    }

    fn lineup_room(&self, hangs: Hangs, load: i64) -> i64 {
        match hangs {
            Hangs::One(lineup) => self.lineup_watts - self.lineup_load[lineup] - load,
            Hangs::Pair { a, b, pair } => {
                let together = self.pair_load[pair] + load;
                let of = |lineup: usize| {
                    let worst = self.lineup_worst[lineup].max(together);
                    2 * self.lineup_watts - self.lineup_load[lineup] - load - worst
                };
                of(a).min(of(b)) / 2
            }
        }
    }

    /// The largest load that a line-up shares with one other.
    fn worst_pair(&self, lineup: usize) -> i64 {
        let n = self.lineups;
        let (group, own) = (lineup / n, lineup % n);
        let load = |a: usize, b: usize| self.pair_load[(group * n + a.min(b)) * n + a.max(b)];
        (0..n)
            .filter(|&other| other != own)
            .map(|other| load(own, other))
            .max()
            .unwrap_or(0)
    }

    /// Why something finds no room; `None` if it does.
    pub fn refusal(&self, what: Deployment) -> Option<Refusal> {
        let load = watts(what.power_kw);
        let rows = 0..self.rows.len();
        if rows
            .clone()
            .any(|row| self.room_left(row, load, what.positions).is_some())
        {
            return None;
        }
        if self.usable_watts - self.placed_watts < load {
            return Some(Refusal::Full);
        }
        let has_positions = |row: &usize| self.row_free[*row] >= what.positions;
        if !rows.clone().any(|row| has_positions(&row)) {
            return Some(Refusal::Positions);
        }
        let has_power = |row: usize| self.row_watts - self.row_load[row] >= load;
        if !rows.clone().filter(has_positions).any(has_power) {
            return Some(Refusal::Row);
        }
        Some(Refusal::Fragmented)
    }

    /// The load of each line-up in normal running, in kW; a bus is one line-up.
    pub fn normal_loads_kw(&self) -> Vec<f64> {
        let each = if self.pair_load.is_empty() {
            1_000.0
        } else {
            2_000.0
        };
        self.lineup_load
            .iter()
            .map(|&load| load as f64 / each)
            .collect()
    }

    /// The load of each line-up after the failure of another that is worst for it, in kW. A
    /// block moves to a catcher, which leaves the others as they are.
    pub fn worst_loads_kw(&self) -> Vec<f64> {
        if self.pair_load.is_empty() {
            return self.normal_loads_kw();
        }
        (0..self.lineup_load.len())
            .map(|lineup| (self.lineup_load[lineup] + self.worst_pair(lineup)) as f64 / 2_000.0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree(redundancy: &str, modules: u32, delivery: &Delivery) -> DeliveryTree {
        DeliveryTree::new(redundancy.parse().unwrap(), modules, 1_000.0, delivery).unwrap()
    }

    fn fill(tree: &mut DeliveryTree, power_kw: f64, placement: Placement) -> f64 {
        let rack = Deployment {
            power_kw,
            positions: 1,
        };
        while tree.place(rack, placement).is_some() {}
        tree.placed_kw()
    }

    #[test]
    fn modules_beyond_all_measure_do_not_overflow() {
        let rows = Delivery::new(4, 3);
        let mut tree = DeliveryTree::new(Redundancy::Spare(0), 10_000, 1e300, &rows).unwrap();
        let rack = Deployment {
            power_kw: 100.0,
            positions: 1,
        };
        assert_eq!(tree.place_many(rack, 100, Placement::Balanced, |_| {}), 12);
        let pairs = DeliveryTree::new("4N/3".parse().unwrap(), 4, 1e300, &rows);
        assert!(pairs.unwrap().place(rack, Placement::Balanced).is_some());
    }

    #[test]
    fn small_racks_fill_every_design_to_its_share() {
        for (redundancy, modules, share) in [
            ("N", 4, 1.0),
            ("N+1", 5, 0.8),
            ("2N", 4, 0.5),
            ("3N/2", 6, 2.0 / 3.0),
            ("4N/3", 8, 0.75),
            ("5N/4", 5, 0.8),
            ("block 4N/3", 8, 0.75),
        ] {
            let mut tree = tree(redundancy, modules, &Delivery::new(60, 1_000));
            let placed = fill(&mut tree, 1.0, Placement::Balanced);
            let usable = share * f64::from(modules) * 1_000.0;
            // At most one rack a pair is lost to the last kW.
            assert!(
                placed <= usable + 1e-9 && placed >= usable - 12.0,
                "{redundancy}: {placed}"
            );
        }
    }

    #[test]
    fn a_block_loses_what_a_rack_leaves_over() {
        // 1,000 kW: one of 600, two of 400, three of 300 kW.
        for (power, each) in [(600.0, 1.0), (400.0, 2.0), (300.0, 3.0), (1_000.0, 1.0)] {
            let mut tree = tree("block 4N/3", 4, &Delivery::new(12, 10));
            assert_eq!(
                fill(&mut tree, power, Placement::BestFit),
                3.0 * each * power
            );
        }
    }

    #[test]
    fn first_fit_fragments_the_reserve_that_balance_keeps_whole() {
        // Pairs of 600 kW: a triangle blocks the fourth line-up, a square of four pairs fits.
        let design = Delivery::new(6, 10);
        assert_eq!(
            fill(&mut tree("4N/3", 4, &design), 600.0, Placement::FirstFit),
            1_800.0
        );
        let mut balanced = tree("4N/3", 4, &design);
        assert_eq!(fill(&mut balanced, 600.0, Placement::Balanced), 2_400.0);
        let rack = Deployment {
            power_kw: 600.0,
            positions: 1,
        };
        assert_eq!(balanced.refusal(rack), Some(Refusal::Fragmented));
        assert_eq!(balanced.worst_loads_kw(), [900.0; 4]);
    }

    #[test]
    fn a_rack_too_large_for_a_line_up_fits_nowhere() {
        let rack = Deployment {
            power_kw: 1_100.0,
            positions: 1,
        };
        for redundancy in ["2N", "3N/2", "4N/3", "block 4N/3"] {
            let tree = tree(redundancy, 12, &Delivery::new(24, 10));
            assert_eq!(tree.refusal(rack), Some(Refusal::Row), "{redundancy}");
        }
    }

    #[test]
    fn each_level_refuses_for_its_own_reason() {
        let rack = |power_kw| Deployment {
            power_kw,
            positions: 2,
        };
        let mut design = Delivery::new(2, 3);
        design.row_power_kw = Some(100.0);
        let mut narrow = tree("N", 1, &design);
        assert_eq!(narrow.refusal(rack(120.0)), Some(Refusal::Row));
        assert!(narrow.place(rack(40.0), Placement::FirstFit).is_some());
        assert!(narrow.place(rack(40.0), Placement::FirstFit).is_some());
        assert_eq!(narrow.refusal(rack(40.0)), Some(Refusal::Positions));
        assert_eq!(narrow.refusal(rack(2_000.0)), Some(Refusal::Full));
        let mut fed = Delivery::new(4, 10);
        fed.feed_power_kw = Some(500.0);
        assert_eq!(
            fill(&mut tree("2N", 2, &fed), 100.0, Placement::BestFit),
            500.0
        );
    }

    #[test]
    fn what_no_pair_can_bear_is_refused() {
        let design = Delivery::new(4, 4);
        let build = |text: &str, modules| {
            DeliveryTree::new(text.parse().unwrap(), modules, 1_000.0, &design).unwrap_err()
        };
        assert!(matches!(
            build("5N/3", 5),
            DeliveryError::TooManyFailures(_)
        ));
        assert!(matches!(
            build("4N/3", 6),
            DeliveryError::IncompleteGroup { .. }
        ));
        assert!(matches!(build("N+2", 2), DeliveryError::NotPositive(_)));
    }

    proptest! {
        #[test]
        fn many_are_placed_as_one_after_the_other(
            kind in 0..5_usize, power_kw in 30.0..700.0, positions in 1_u32..4, count in 1_u32..60,
        ) {
            let (redundancy, modules) =
                [("N+1", 4), ("2N", 4), ("3N/2", 6), ("4N/3", 8), ("block 4N/3", 8)][kind];
            let what = Deployment { power_kw, positions };
            for placement in [Placement::FirstFit, Placement::BestFit, Placement::Balanced] {
                let mut together = tree(redundancy, modules, &Delivery::new(24, 12));
                let mut single = together.clone();
                let mut rows = Vec::new();
                let placed = together.place_many(what, count, placement, |row| rows.push(row));
                let one_by_one: Vec<_> =
                    (0..count).map_while(|_| single.place(what, placement)).collect();
                prop_assert_eq!(&rows, &one_by_one);
                prop_assert_eq!(placed as usize, rows.len());
            }
        }

        #[test]
        fn no_line_up_is_ever_overloaded_and_leaving_restores_all(
            kind in 0..6_usize,
            steps in proptest::collection::vec((20.0..700.0, 1_u32..4, 0..3_usize, any::<bool>()), 1..120),
        ) {
            let (redundancy, modules) =
                [("N+1", 4), ("2N", 4), ("3N/2", 6), ("4N/3", 8), ("6N/5", 6), ("block 4N/3", 8)][kind];
            let policies = [Placement::FirstFit, Placement::BestFit, Placement::Balanced];
            let mut tree = tree(redundancy, modules, &Delivery::new(24, 12));
            let mut placed: Vec<(usize, Deployment)> = Vec::new();
            for (power_kw, positions, policy, leave) in steps {
                let what = Deployment { power_kw, positions };
                let refusal = tree.refusal(what);
                let row = tree.place(what, policies[policy]);
                prop_assert_eq!(row.is_none(), refusal.is_some());
                placed.extend(row.map(|row| (row, what)));
                if leave && !placed.is_empty() {
                    let (row, what) = placed.swap_remove(placed.len() / 2);
                    tree.remove(row, what);
                }
                let rating = if redundancy == "N+1" { 3_000.0 } else { 1_000.0 };
                for worst in tree.worst_loads_kw() {
                    prop_assert!(worst <= rating + 1e-9);
                }
                prop_assert!(tree.placed_kw() <= tree.usable_kw() + 1e-9);
                for lineup in 0..if tree.pair_load.is_empty() { 0 } else { tree.lineup_load.len() } {
                    prop_assert_eq!(tree.lineup_worst[lineup], tree.worst_pair(lineup));
                }
            }
            for (row, what) in placed.drain(..) {
                tree.remove(row, what);
            }
            prop_assert_eq!(tree.placed_kw(), 0.0);
            prop_assert!(tree.normal_loads_kw().iter().all(|&load| load == 0.0));
        }
    }
}

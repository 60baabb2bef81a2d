//! What exists, and what has been started, at the end of a month.

use super::Workspace;
use super::binding::SupplyTally;
use super::state::{HallState, Supply};
use crate::model::{CompiledBuilding, CompiledCampus, CompiledExisting, Model};

/// The class of racks of this many kW a position.
fn density_class(kw: f64) -> usize {
    [20.0, 60.0, 200.0]
        .iter()
        .position(|&limit| kw <= limit)
        .unwrap_or(3)
}

/// Halls whose stock is summed together, so that one that has changed does not mean summing all.
const BLOCK: usize = 8;

/// The stock of a few neighbouring halls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct StockBlock {
    stock: Stock,
    /// A bit for each hall that is handed over and lacks power, or takes less than it is made for.
    short: u8,
}

impl StockBlock {
    /// That of halls whose stock is known.
    fn of_halls(halls: &[HallState], stocks: &[Stock]) -> Self {
        let mut block = Self::default();
        for (number, (hall, stock)) in halls.iter().zip(stocks).enumerate() {
            block.stock.include(stock);
            block.short |= u8::from(hall.is_short()) << number;
        }
        block
    }
}

/// What there is of a hall, or of all halls of a campus together, in kW of critical IT power unless it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Stock {
    /// Delivered to halls whether they are built or not.
    pub(super) delivered_kw: f64,
    /// Space of halls that are not handed over.
    pub(super) pending_kw: f64,
    // All else of halls that are handed over.
    pub(super) space_kw: f64,
    pub(super) design_kw: f64,
    pub(super) density_kw: f64,
    pub(super) cooling_kw: f64,
    pub(super) delivery_kw: f64,
    pub(super) powered_kw: f64,
    pub(super) deployable_kw: f64,
    /// Of the deployable, what is sold beyond what feeds carry.
    pub(super) oversubscribed_kw: f64,
    pub(super) equipment_late_kw: f64,
    pub(super) pflops: f64,
    pub(super) racks_built: f64,
    pub(super) racks_energised: f64,
    pub(super) racks_deployable: f64,
    /// Deployable by the density of racks, in the order of [`density_class`].
    pub(super) by_density_kw: [f64; 4],
}

impl Stock {
    fn of_hall(hall: &HallState) -> Self {
        if !hall.is_planned {
            return Self::default();
        }
        let delivered_kw = if hall.delivered { hall.space_kw } else { 0.0 };
        if !hall.handed_over {
            return Self {
                delivered_kw,
                pending_kw: hall.space_kw,
                ..Self::default()
            };
        }
        let deployable_kw = hall.deployable_kw();
        let racks_per_kw = 1.0 / hall.delivery.rack_power_kw;
        let mut by_density_kw = [0.0; 4];
        let per_position = hall.delivery.rack_power_kw / hall.delivery.positions;
        by_density_kw[density_class(per_position)] = deployable_kw;
        Self {
            delivered_kw,
            pending_kw: 0.0,
            space_kw: hall.space_kw,
            design_kw: hall.design_kw,
            density_kw: hall.density_kw,
            cooling_kw: hall.cooling_kw,
            delivery_kw: hall.delivery_kw,
            powered_kw: hall.given_kw,
            deployable_kw,
            oversubscribed_kw: deployable_kw - deployable_kw / hall.fit.sold_per_fed,
            equipment_late_kw: hall.given_kw - deployable_kw,
            pflops: deployable_kw * hall.delivery.pflops_per_kw * hall.compute_factor,
            racks_built: hall.space_kw * racks_per_kw,
            racks_energised: hall.given_kw * racks_per_kw,
            racks_deployable: deployable_kw * racks_per_kw,
            by_density_kw,
        }
    }

    fn of_existing(existing: &CompiledExisting) -> Self {
        let kw = existing.power_kw;
        let mut by_density_kw = [0.0; 4];
        by_density_kw[density_class(kw / existing.racks)] = kw;
        Self {
            delivered_kw: kw,
            space_kw: kw,
            design_kw: kw,
            powered_kw: kw,
            deployable_kw: kw,
            pflops: existing.pflops,
            racks_built: existing.racks,
            racks_energised: existing.racks,
            racks_deployable: existing.racks,
            by_density_kw,
            ..Self::default()
        }
    }

    fn include(&mut self, other: &Self) {
        self.delivered_kw += other.delivered_kw;
        self.pending_kw += other.pending_kw;
        self.space_kw += other.space_kw;
        self.design_kw += other.design_kw;
        self.density_kw += other.density_kw;
        self.cooling_kw += other.cooling_kw;
        self.delivery_kw += other.delivery_kw;
        self.powered_kw += other.powered_kw;
        self.deployable_kw += other.deployable_kw;
        self.oversubscribed_kw += other.oversubscribed_kw;
        self.equipment_late_kw += other.equipment_late_kw;
        self.pflops += other.pflops;
        self.racks_built += other.racks_built;
        self.racks_energised += other.racks_energised;
        self.racks_deployable += other.racks_deployable;
        for (sum, kw) in self.by_density_kw.iter_mut().zip(other.by_density_kw) {
            *sum += kw;
        }
    }
}

impl Model {
    /// Sums up what there is, where something has changed this month.
    pub(super) fn take_stock(&self, workspace: &mut Workspace, drawn: &[f64]) {
        let mut is_changed = false;
        for (position, campus) in self.campuses.iter().enumerate() {
            if !std::mem::take(&mut workspace.campuses[position].is_stale) {
                continue;
            }
            is_changed = true;
            self.update_blocks(workspace, position, campus);
            let mut supply = Supply::default();
            for block in &workspace.campuses[position].blocks {
                supply.stock.include(&block.stock);
            }
            if let Some(existing) = &campus.existing {
                supply.stock.include(&Stock::of_existing(existing));
            }
            supply.redundancy_kw =
                self.waiting_for_redundancy_kw(workspace, position, campus, drawn);
            supply.unused_power_kw = workspace.campuses[position].headroom.unused_kw();
            supply.shortage = self.shortage(workspace, position, campus, &supply);
            let went_live = std::mem::take(&mut workspace.campuses[position].went_live);
            if self.reports_buildings && went_live {
                let halls = &workspace.halls;
                let is_live = |building: &&CompiledBuilding| {
                    let mut halls = halls[building.halls.clone()].iter();
                    halls.any(|hall| hall.live < f64::INFINITY)
                };
                let live = campus.buildings.iter().filter(is_live);
                let live = live.map(|building| building.size.buildings(drawn)).sum();
                workspace.campuses[position].buildings_live = live;
            }
            workspace.campuses[position].supply = supply;
            workspace.campuses[position].tally_supply(self.standard_rack_kw);
            for pool in campus.pools.clone() {
                workspace.room_kw[pool] = workspace.pools[pool].sum_up();
            }
        }
        if is_changed && self.campuses.len() > 1 {
            workspace.supply_tally = SupplyTally::default();
            for campus in &workspace.campuses {
                workspace.supply_tally.include(&campus.supply_tally);
            }
        }
    }

    /// Updates the stock of the halls of a campus that have changed, and what of them is live.
    fn update_blocks(&self, workspace: &mut Workspace, position: usize, campus: &CompiledCampus) {
        let state = &mut workspace.campuses[position];
        let count = campus.halls.len();
        state.stocks.resize(count, Stock::default());
        (state.blocks).resize(count.div_ceil(BLOCK), StockBlock::default());
        let halls = &workspace.halls[campus.halls.clone()];
        let changed = &mut workspace.changed[campus.halls.clone()];
        let known = state.blocks.iter_mut().zip(state.stocks.chunks_mut(BLOCK));
        let halls = halls.chunks(BLOCK).zip(changed.chunks_mut(BLOCK));
        for ((block, stocks), (halls, changed)) in known.zip(halls) {
            if changed.contains(&true) {
                for ((hall, stock), changed) in halls.iter().zip(&mut *stocks).zip(changed) {
                    if std::mem::take(changed) {
                        *stock = Stock::of_hall(hall);
                        if let Some(part) = hall.part {
                            workspace.pools[hall.pool].live[part].kw = hall.deployable_kw();
                        }
                    }
                }
                *block = StockBlock::of_halls(halls, stocks);
            }
            debug_assert!(
                (halls.iter().map(Stock::of_hall)).eq(stocks.iter().copied()),
                "a change was not noted"
            );
        }
    }

    /// The halls of a campus that are handed over and lack power, or take less than they are made for.
    pub(super) fn short_halls<'a>(
        &self,
        campus: &CompiledCampus,
        blocks: &'a [StockBlock],
    ) -> impl Iterator<Item = usize> + 'a {
        let first = campus.halls.start;
        blocks.iter().enumerate().flat_map(move |(number, block)| {
            let mut short = block.short;
            std::iter::from_fn(move || {
                let hall = (short != 0).then(|| short.trailing_zeros() as usize)?;
                short &= short - 1;
                Some(first + number * BLOCK + hall)
            })
        })
    }

    /// Sums up what has been started by the end of a month, where commitments are reported.
    pub(super) fn note_starts(&self, workspace: &mut Workspace, until: f64) {
        if !self.reports_commitments {
            return;
        }
        for (campus, state) in self.campuses.iter().zip(&mut workspace.campuses) {
            if until < state.next_start {
                continue;
            }
            state.next_start = f64::INFINITY;
            state.started_kw = (campus.existing.as_ref()).map_or(0.0, |existing| existing.power_kw);
            state.latest_kw = state.started_kw;
            let mut latest = f64::NEG_INFINITY;
            let halls = &self.halls[campus.halls.clone()];
            for (hall, known) in halls.iter().zip(&workspace.halls[campus.halls.clone()]) {
                let starts = workspace.finish[hall.started.index()];
                if starts > until {
                    state.next_start = state.next_start.min(starts);
                    continue;
                }
                let hall_kw = known.built_as.design_kw();
                state.started_kw += hall_kw;
                if starts > latest {
                    (latest, state.latest_kw) = (starts, hall_kw);
                } else if starts == latest {
                    state.latest_kw += hall_kw;
                }
            }
        }
    }
}

//! What is there, and what has been started, at the end of a month.

use super::Workspace;
use super::state::{HallState, Supply};
use crate::model::{CompiledExisting, Model};
use crate::projection::metrics::MetricId;

/// Deployable power by the density of racks, in the order of [`density_class`].
pub(super) const DENSITY_CLASSES: [MetricId; 4] = [
    MetricId::ItPowerTo20,
    MetricId::ItPowerTo60,
    MetricId::ItPowerTo200,
    MetricId::ItPowerAbove200,
];

/// The class of racks of so many kW a position.
fn density_class(kw: f64) -> usize {
    [20.0, 60.0, 200.0]
        .iter()
        .position(|&limit| kw <= limit)
        .unwrap_or(3)
}

/// What is there of a hall, or of all halls of a campus together, in kW of critical IT power unless it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Stock {
    /// Delivered to halls whether they are built or not.
    pub(super) delivered_kw: f64,
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
    /// Deployable by the density of racks.
    pub(super) by_density_kw: [f64; 4],
}

impl Stock {
    fn of_hall(hall: &HallState) -> Self {
        let delivered_kw = if hall.delivered { hall.space_kw } else { 0.0 };
        if !hall.handed_over {
            return Self {
                delivered_kw,
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
            space_kw: hall.space_kw,
            design_kw: hall.design_kw,
            density_kw: hall.density_kw,
            cooling_kw: hall.cooling_kw,
            delivery_kw: hall.delivery_kw,
            powered_kw: hall.given_kw,
            deployable_kw,
            oversubscribed_kw: deployable_kw - deployable_kw / hall.fit.sold_per_fed,
            equipment_late_kw: hall.given_kw - deployable_kw,
            pflops: deployable_kw * hall.delivery.pflops_per_kw,
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
    /// Sums up what is there, where something has changed this month.
    pub(super) fn take_stock(&self, workspace: &mut Workspace) {
        for (position, campus) in self.campuses.iter().enumerate() {
            if !std::mem::take(&mut workspace.campuses[position].is_stale) {
                continue;
            }
            let mut supply = Supply::default();
            for hall in &mut workspace.halls[campus.halls.clone()] {
                if std::mem::take(&mut hall.has_changed) {
                    hall.stock = Stock::of_hall(hall);
                }
                debug_assert_eq!(hall.stock, Stock::of_hall(hall), "a change was not noted");
                supply.stock.include(&hall.stock);
            }
            if let Some(existing) = &campus.existing {
                supply.stock.include(&Stock::of_existing(existing));
            }
            supply.redundancy_kw = self.waiting_for_redundancy_kw(workspace, position, campus);
            supply.unused_power_kw = workspace.campuses[position].headroom.unused_kw();
            supply.shortage = self.shortage(workspace, position, campus, &supply);
            workspace.campuses[position].supply = supply;
            for pool in campus.pools.clone() {
                let mut room = 0.0;
                for part in &mut workspace.pools[pool].live {
                    if let Some(hall) = part.hall {
                        part.kw = workspace.halls[hall].deployable_kw();
                    }
                    room += part.kw;
                }
                workspace.room_kw[pool] = room;
            }
        }
    }

    /// Sums up what has been started by the end of a month, where commitments are reported.
    pub(super) fn note_starts(&self, workspace: &mut Workspace, until: f64) {
        if !self.reports_commitments {
            return;
        }
        for (campus, state) in self.campuses.iter().zip(&mut workspace.campuses) {
            state.started_kw = (campus.existing.as_ref()).map_or(0.0, |existing| existing.power_kw);
            state.latest_kw = state.started_kw;
            let mut latest = f64::NEG_INFINITY;
            for hall in &self.halls[campus.halls.clone()] {
                let starts = workspace.finish[hall.started.index()];
                if starts > until {
                    continue;
                }
                let hall_kw = hall.fit.design_kw();
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

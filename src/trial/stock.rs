//! What is there, and what has been started, at the end of a month.

use super::Workspace;
use super::state::Supply;
use crate::metrics::MetricId;
use crate::model::Model;

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

impl Model {
    /// Sums up what is there, where something has changed this month.
    pub(super) fn take_stock(&self, workspace: &mut Workspace) {
        for (position, campus) in self.campuses.iter().enumerate() {
            if !std::mem::take(&mut workspace.campuses[position].is_stale) {
                continue;
            }
            let mut supply = Supply::default();
            for hall in &workspace.halls[campus.halls.clone()] {
                if hall.delivered {
                    supply.delivered_kw += hall.space_kw;
                }
                if !hall.handed_over {
                    continue;
                }
                let deployable = hall.deployable_kw();
                supply.space_kw += hall.space_kw;
                supply.design_kw += hall.design_kw;
                supply.density_kw += hall.density_kw;
                supply.cooling_kw += hall.cooling_kw;
                supply.delivery_kw += hall.delivery_kw;
                if deployable > 0.0 {
                    let per_position = hall.delivery.rack_power_kw / hall.delivery.positions;
                    supply.by_density_kw[density_class(per_position)] += deployable;
                    supply.oversubscribed_kw += deployable - deployable / hall.fit.sold_per_fed;
                }
                supply.powered_kw += hall.given_kw;
                supply.deployable_kw += deployable;
                supply.equipment_late_kw += hall.given_kw - deployable;
                supply.pflops += deployable * hall.delivery.pflops_per_kw;
                let racks_per_kw = 1.0 / hall.delivery.rack_power_kw;
                supply.racks_built += hall.space_kw * racks_per_kw;
                supply.racks_energised += hall.given_kw * racks_per_kw;
                supply.racks_deployable += deployable * racks_per_kw;
            }
            if let Some(existing) = &campus.existing {
                supply.space_kw += existing.power_kw;
                supply.design_kw += existing.power_kw;
                let per_rack = existing.power_kw / existing.racks;
                supply.by_density_kw[density_class(per_rack)] += existing.power_kw;
                supply.powered_kw += existing.power_kw;
                supply.deployable_kw += existing.power_kw;
                supply.delivered_kw += existing.power_kw;
                supply.pflops += existing.pflops;
                supply.racks_built += existing.racks;
                supply.racks_energised += existing.racks;
                supply.racks_deployable += existing.racks;
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

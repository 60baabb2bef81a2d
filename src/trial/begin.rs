//! How a trial begins: its dates, the first orders of hardware, and the events that are planned.

use super::Workspace;
use super::equipment::order;
use super::state::{CampusState, HallState, LivePart, PoolState};
use super::timeline::{Event, What, sort_events};
use crate::compute::Order;
use crate::model::{CompiledCampus, CompiledHall, Model};
use crate::power::grid::{HOURS_PER_YEAR, Supplied};

impl Model {
    pub(super) fn begin(&self, workspace: &mut Workspace, seed: u64, trial: u64, drawn: &[f64]) {
        workspace.plan.close_gates(self.gates.len());
        self.network
            .schedule(drawn, &mut workspace.plan, &mut workspace.finish);
        workspace.room_kw.clear();
        workspace.room_kw.resize(self.pools, 0.0);
        workspace.pools.resize_with(self.pools, PoolState::default);
        workspace.pools.iter_mut().for_each(PoolState::clear);
        workspace.halls.clear();
        workspace.changed.clear();
        workspace.changed.resize(self.halls.len(), true);
        workspace.events.clear();
        workspace.placed.clear();
        workspace.generations.clear();
        let generations = self.generations.iter();
        workspace
            .generations
            .extend(generations.map(|generation| generation.draw(drawn)));
        workspace
            .campuses
            .resize_with(self.campuses.len(), CampusState::default);
        for (position, campus) in self.campuses.iter().enumerate() {
            campus.begin(&mut workspace.campuses[position], drawn);
            self.begin_halls(workspace, position, campus, drawn);
        }
        self.wait_for_supply(workspace);
        self.plan_events(workspace);
        self.market.reset(&mut workspace.market, seed, trial, drawn);
        if let Some(finance) = &self.finance {
            finance.reset(&mut workspace.books);
            workspace.deliveries.clear();
            workspace.retrofits.clear();
        }
    }

    /// Plans the events of all campuses, with their dates as far as these are known.
    fn plan_events(&self, workspace: &mut Workspace) {
        let mut events = std::mem::take(&mut workspace.events);
        let mut plan = |what| {
            let months = self.due(workspace, what);
            events.push(Event { months, what });
        };
        for (position, campus) in self.campuses.iter().enumerate() {
            let number = position as u32;
            for step in 0..campus.grid.len() as u32 {
                plan(What::GridStep {
                    campus: number,
                    step,
                });
            }
            for bridge in 0..campus.bridges.len() as u32 {
                plan(What::BridgePower {
                    campus: number,
                    bridge,
                });
            }
            for substation in 0..campus.substations.len() as u32 {
                plan(What::Energised {
                    campus: number,
                    substation,
                });
            }
            for (building, chain) in campus.chains() {
                for stage in 0..chain.stages.len() as u32 {
                    plan(What::Modules {
                        campus: number,
                        building: building as u32,
                        stage,
                    });
                }
            }
        }
        for hall in 0..self.halls.len() as u32 {
            plan(What::Delivered { hall });
            plan(What::HandedOver { hall });
        }
        sort_events(&mut events);
        workspace.events = events;
    }

    /// Whether a hall is built in this trial as far as is known: what is not announced counts if it begins within the
    /// horizon.
    fn is_planned(&self, hall: &CompiledHall, finish: &[f64], drawn: &[f64]) -> bool {
        (hall.presence.iter()).all(|presence| presence.holds(drawn))
            && (hall.is_announced || finish[hall.started.index()] <= self.months as f64)
    }

    /// Orders the first hardware of the halls of a campus; what existed before is live.
    fn begin_halls(
        &self,
        workspace: &mut Workspace,
        position: usize,
        campus: &CompiledCampus,
        drawn: &[f64],
    ) {
        for hall_position in campus.halls.clone() {
            let hall = &self.halls[hall_position];
            let ordered = workspace.finish[hall.ordered.index()];
            let fit = hall.plan.draw(drawn);
            let ordered = Order::At(ordered);
            let delivery = order(&workspace.generations, hall, ordered, &fit, drawn);
            workspace.halls.push(HallState {
                campus: position,
                delivery,
                coming: None,
                pool: hall.pool,
                fit,
                built_as: fit,
                is_planned: self.is_planned(hall, &workspace.finish, drawn),
                compute_factor: hall.compute_factor.value(drawn),
                is_retrofitted: false,
                design_kw: 0.0,
                density_kw: 0.0,
                cooling_kw: 0.0,
                delivery_kw: 0.0,
                space_kw: 0.0,
                given_kw: 0.0,
                handed_over: false,
                handed_over_as: 0,
                delivered: false,
                live: f64::INFINITY,
                part: None,
            });
            self.fit_out(workspace, hall_position);
        }
        if let Some(existing) = &campus.existing {
            workspace.pools[existing.pool].live.push(LivePart {
                hall: None,
                since_months: 0.0,
                kw: existing.power_kw,
                racks_per_kw: existing.racks / existing.power_kw,
                pflops_per_kw: existing.pflops / existing.power_kw,
                available_share: 1.0,
            });
        }
    }
}

impl CompiledCampus {
    /// Brings a campus to its state at the start of a trial.
    fn begin(&self, state: &mut CampusState, drawn: &[f64]) {
        state.pue = self.pue.value(drawn);
        if let Some(efficiency) = &self.efficiency {
            state.losses = efficiency.losses(drawn);
            state.water_litres_per_kwh = efficiency.water_litres_per_kwh(drawn);
            state.pue = efficiency.design_pue(&state.losses);
        }
        state.availability = self.availability.value(drawn);
        state.energy.reset();
        (state.bridge_carbon, state.bridge_price) = (0.0, 0.0);
        state.battery_price = 0.0;
        state.curtailed = self.curtailment.map_or((0.0, 0.0), |curtailment| {
            let hours = curtailment.hours_per_year.value(drawn);
            (hours / HOURS_PER_YEAR, curtailment.depth_share.value(drawn))
        });
        state.handed_over = 0;
        state.lacking.clear();
        state.claims_grew = false;
        state.is_stale = true;
        (state.buildings_live, state.went_live) = (0.0, false);
        state.next_start = f64::NEG_INFINITY;
        (state.embodied_t, state.replaced_t) = (0.0, 0.0);
        self.begin_power(state, drawn);
    }

    /// Nothing is energised yet.
    fn begin_power(&self, state: &mut CampusState, drawn: &[f64]) {
        let grid = if self.grid.is_empty() {
            f64::INFINITY
        } else {
            0.0
        };
        state.supplied = Supplied {
            grid_kw: grid,
            applied_kw: (self.applied.iter()).map(|step| step.kw(drawn)).sum(),
            ..Supplied::default()
        };
        state.headroom.reset(
            grid,
            self.substations.iter().map(|_| 0.0),
            self.buildings
                .iter()
                .map(|building| building.carries_kw(0, drawn)),
        );
        state.modules.clear();
        state.modules.resize(self.buildings.len(), 0);
        state.trees.resize(self.buildings.len(), None);
        for (tree, building) in state.trees.iter_mut().zip(&self.buildings) {
            let empty = building
                .chain
                .as_ref()
                .and_then(|chain| chain.tree.as_ref());
            match (tree.as_mut(), empty) {
                (Some(tree), Some(empty)) => tree.become_empty(empty),
                _ => *tree = empty.cloned(),
            }
        }
    }
}

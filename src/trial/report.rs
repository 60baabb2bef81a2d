//! The rows of a trial: its months, milestones and targets.

use super::binding::{SupplyTally, Tally};
use super::energy::settle_power;
use super::state::CampusState;
use super::written::Written;
use super::{KW_PER_MW, Workspace};
use crate::compute::oversubscription::excess;
use crate::date::HOURS_PER_MONTH;
use crate::model::{CompiledCampus, CompiledTarget, Model};
use crate::projection::TrialRow;
use crate::projection::metrics::MetricId;

impl Model {
    pub(super) fn report_month(
        &self,
        workspace: &mut Workspace,
        month: usize,
        drawn: &[f64],
        row: &mut TrialRow,
    ) {
        let mut tallies = workspace.tallies.take().unwrap_or_default();
        let [tally, total] = &mut *tallies;
        let is_single = self.campuses.len() == 1;
        if !is_single {
            *total = Tally::default();
        }
        for position in 0..self.campuses.len() {
            let campus = &self.campuses[position];
            *tally = Tally::default();
            self.tally_tenants(workspace, position, campus, tally);
            let state = &mut workspace.campuses[position];
            settle_power(state, campus, month, drawn, tally);
            if !is_single {
                total.include(tally);
            }
            let scope = if is_single { 0 } else { position + 1 };
            let supply = &state.supply_tally;
            write(tally, supply, (scope, month), &workspace.written, row);
        }
        if !is_single {
            let supply = &workspace.supply_tally;
            write(total, supply, (0, month), &workspace.written, row);
        }
        workspace.tallies = Some(tallies);
    }

    /// Adds the figures of what tenants use.
    fn tally_tenants(
        &self,
        workspace: &mut Workspace,
        position: usize,
        campus: &CompiledCampus,
        tally: &mut Tally,
    ) {
        let mw = |kw: f64| kw / KW_PER_MW;
        let (pue, availability) = {
            let state = &workspace.campuses[position];
            (state.pue, state.availability)
        };
        for pool in campus.pools.clone() {
            let room = workspace.room_kw[pool];
            let used = self.market.use_of(&workspace.market, pool);
            let mut in_service = used.in_service_kw;
            if in_service <= 0.0 && room <= 0.0 {
                continue;
            }
            let (mut draw, mut useful) = (used.drawn_kw, used.useful_kw);
            // While hardware is replaced tenants keep their leases but are out of service.
            if in_service > room {
                let left = room / in_service;
                (in_service, draw, useful) = (room, draw * left, useful * left);
            }
            if campus.is_oversubscribed {
                let capped_kw = self.cap(workspace, campus, pool, in_service, draw, tally);
                if draw > 0.0 {
                    useful *= 1.0 - capped_kw / draw;
                }
                draw -= capped_kw;
            }
            let occupied = workspace.pools[pool].occupied(in_service);
            let available = occupied.available_pflops * availability;
            let useful_share = if in_service > 0.0 {
                useful / in_service
            } else {
                0.0
            };
            let leased = self.market.leased_kw(&workspace.market, pool);
            tally.add(MetricId::RacksInService, occupied.racks);
            tally.add(MetricId::InServicePower, mw(in_service));
            tally.add(MetricId::LeasedPower, mw(leased));
            tally.add(MetricId::CommittedPower, mw(leased));
            tally.add(MetricId::ItDraw, mw(draw));
            tally.add(MetricId::FacilityDraw, mw(draw * pue));
            tally.add(MetricId::InServicePflops, occupied.pflops);
            tally.add(MetricId::EffectivePflops, available * useful_share);
            tally.add(
                MetricId::UnavailableCompute,
                (occupied.pflops - available) * useful_share,
            );
        }
        self.tally_companies(workspace, position, tally);
        let state = &workspace.campuses[position];
        tally.started_kw = state.started_kw;
        tally.latest_kw = state.latest_kw;
    }

    /// Adds how many companies of a campus there are, and what they wait for.
    fn tally_companies(&self, workspace: &Workspace, position: usize, tally: &mut Tally) {
        let mw = |kw: f64| kw / KW_PER_MW;
        for segment in self.market.segments_of(&workspace.market, position) {
            let counts = segment.counts;
            // Signed integers become doubles in one step.
            let number = |count: u64| count as i64 as f64;
            if workspace.written.counts {
                tally.add(MetricId::CompaniesContacted, number(counts.contacted));
                tally.add(MetricId::ContractsSigned, number(counts.signed));
                tally.add(MetricId::Subsidiaries, number(counts.subsidiaries));
                tally.add(MetricId::ContractsInService, number(counts.in_service));
                tally.add(MetricId::ContractsLost, number(counts.lost));
                tally.add(MetricId::ContractsLeft, number(counts.left));
                tally.add(MetricId::ContractsLeftEarly, number(counts.left_early));
                tally.add(MetricId::LostWithoutRoom, number(counts.lost_without_room));
                tally.add(MetricId::CompaniesDeclined, number(counts.declined));
            }
            tally.add(MetricId::WaitingDemand, mw(segment.waiting_kw));
            tally.add(
                MetricId::WaitingRacks,
                segment.waiting_kw / self.standard_rack_kw,
            );
            tally.add(MetricId::EndedPower, mw(segment.ended_kw));
            tally.moved_in += number(counts.moved_in);
            tally.waited_months += number(counts.waited_months);
            tally.add(
                MetricId::CommittedPower,
                mw(segment.waiting_kw + segment.pending_kw),
            );
        }
    }

    /// Books how often the draw of oversubscribed halls is above the power that they were given, and
    /// returns what is then not drawn, in kW on average. Tenants fill halls in the order of going live,
    /// and draw alike in all of a pool.
    fn cap(
        &self,
        workspace: &Workspace,
        campus: &CompiledCampus,
        pool: usize,
        in_service_kw: f64,
        draw_kw: f64,
        tally: &mut Tally,
    ) -> f64 {
        let (mut left_kw, mut capped_kw) = (in_service_kw, 0.0);
        for part in &workspace.pools[pool].live {
            let used_kw = part.kw.min(left_kw);
            if used_kw <= 0.0 {
                continue;
            }
            left_kw -= used_kw;
            let Some(hall) = part.hall else {
                continue;
            };
            let building = &campus.buildings[self.halls[hall].feed.building];
            let Some(relative_sd) = building.relative_sd else {
                continue;
            };
            tally.oversubscribed_halls += 1.0;
            let feed_kw = part.kw / building.sold_per_fed;
            if used_kw <= feed_kw {
                continue;
            }
            let mean_kw = draw_kw / in_service_kw * used_kw;
            let (probability, above_kw) = excess(mean_kw, relative_sd * used_kw, feed_kw);
            tally.add(MetricId::ExceedanceHours, probability * HOURS_PER_MONTH);
            capped_kw += above_kw.min(mean_kw);
        }
        tally.add(
            MetricId::CappedEnergy,
            capped_kw / KW_PER_MW * HOURS_PER_MONTH,
        );
        capped_kw
    }

    pub(super) fn report_moments(&self, workspace: &Workspace, row: &mut TrialRow) {
        let horizon = self.months as f64;
        for (position, milestone) in self.milestones.iter().enumerate() {
            let finished = milestone
                .finished
                .iter()
                .map(|node| workspace.finish[node.index()])
                .fold(f64::NEG_INFINITY, f64::max);
            let live = milestone
                .live
                .iter()
                .map(|halls| {
                    workspace.halls[halls.clone()]
                        .iter()
                        .map(|hall| hall.live)
                        .fold(f64::INFINITY, f64::min)
                })
                .fold(f64::NEG_INFINITY, f64::max);
            let months = finished.max(live);
            row.milestones_mut()[position] = if months <= horizon {
                months
            } else {
                f64::INFINITY
            };
        }
        for (position, &metric) in self.stranded.iter().enumerate() {
            row.outcomes_mut()[position] = row.monthly(0, metric).iter().sum();
        }
        for (position, target) in self.targets.iter().enumerate() {
            let met = is_met(target, row);
            row.targets_mut()[position] = met;
        }
    }
}

/// The metrics that stay as they are until something is built, delivered or energised.
pub(super) const OF_SUPPLY: [MetricId; 23] = [
    MetricId::RacksBuilt,
    MetricId::RacksEnergised,
    MetricId::RacksDeployable,
    MetricId::StandardRacks,
    MetricId::ItPower,
    MetricId::FacilityPower,
    MetricId::InstalledPflops,
    MetricId::StrandedSpace,
    MetricId::StrandedRedundancy,
    MetricId::BuiltPower,
    MetricId::StrandedDensity,
    MetricId::StrandedCooling,
    MetricId::StrandedDelivery,
    MetricId::ItPowerTo20,
    MetricId::ItPowerTo60,
    MetricId::ItPowerTo200,
    MetricId::ItPowerAbove200,
    MetricId::EmbodiedCarbon,
    MetricId::EmbodiedCarbonReplaced,
    MetricId::BuildingsLive,
    MetricId::StrandedPower,
    MetricId::StrandedEquipment,
    MetricId::OversubscribedPower,
];

impl CampusState {
    /// Renews the figures of [`OF_SUPPLY`].
    pub(super) fn tally_supply(&mut self, standard_rack_kw: f64) {
        let supply = &self.supply;
        let stock = &supply.stock;
        let mw = |kw: f64| kw / KW_PER_MW;
        let stranded_kw = stock.space_kw - stock.powered_kw - supply.redundancy_kw;
        let fed_kw = stock.deployable_kw - stock.oversubscribed_kw;
        let [to_20, to_60, to_200, above_200] = stock.by_density_kw.map(mw);
        let values = [
            stock.racks_built,
            stock.racks_energised,
            stock.racks_deployable,
            stock.deployable_kw / standard_rack_kw,
            mw(stock.deployable_kw),
            mw(fed_kw * self.pue),
            stock.pflops,
            mw(stranded_kw.max(0.0)),
            mw(supply.redundancy_kw),
            mw(stock.design_kw),
            mw(stock.density_kw),
            mw(stock.cooling_kw),
            mw(stock.delivery_kw),
            to_20,
            to_60,
            to_200,
            above_200,
            self.embodied_t,
            self.replaced_t,
            self.buildings_live,
            mw(supply.unused_power_kw),
            mw(stock.equipment_late_kw),
            mw(stock.oversubscribed_kw),
        ];
        for (metric, value) in OF_SUPPLY.into_iter().zip(values) {
            self.supply_tally.set(metric, value);
        }
        self.supply_tally.shortage = supply.shortage;
    }
}

/// Writes the figures of a month.
fn write(
    tally: &mut Tally,
    supply: &SupplyTally,
    (scope, month): (usize, usize),
    written: &Written,
    row: &mut TrialRow,
) {
    let cause = tally.close(supply, written.ratios);
    let numbers = row.months_onward_mut(scope, month);
    for &(place, metric) in &written.of_supply {
        numbers[place] = supply.get(metric);
    }
    for &(place, metric) in &written.of_use {
        numbers[place] = tally.get(metric);
    }
    row.set_binding(scope, month, Some(cause as usize));
}

/// Whether a trial meets a target.
fn is_met(target: &CompiledTarget, row: &TrialRow) -> bool {
    match *target {
        CompiledTarget::Metric {
            scope,
            metric,
            at_least,
            month,
        } => row.monthly(scope, metric)[month] >= at_least,
        CompiledTarget::Milestone {
            milestone,
            by_months,
        } => row.milestones()[milestone] <= by_months,
        CompiledTarget::Joint(ref both) => both.iter().all(|part| is_met(part, row)),
    }
}

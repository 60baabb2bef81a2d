//! The rows of a trial: its months, milestones and targets.

use super::binding::Tally;
use super::energy::settle_power;
use super::stock::DENSITY_CLASSES;
use super::tenants::occupy;
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
        for position in 0..self.campuses.len() {
            let campus = &self.campuses[position];
            *tally = workspace.campuses[position].supply_tally;
            self.tally_tenants(workspace, position, campus, tally);
            let state = &mut workspace.campuses[position];
            settle_power(state, campus, month, drawn, tally);
            match position {
                _ if is_single => {}
                0 => *total = *tally,
                _ => total.include(tally),
            }
            let scope = if is_single { 0 } else { position + 1 };
            write(tally, (scope, month), &workspace.written, row);
        }
        if !is_single {
            write(total, (0, month), &workspace.written, row);
        }
        workspace.tallies = Some(tallies);
    }

    /// The figures of a campus that stay as they are until something is built, delivered or energised.
    pub(super) fn tally_supply(&self, workspace: &Workspace, position: usize) -> Tally {
        let mut tally = Tally::default();
        let state = &workspace.campuses[position];
        let supply = &state.supply;
        let stock = &supply.stock;
        let mw = |kw: f64| kw / KW_PER_MW;
        tally.add(MetricId::RacksBuilt, stock.racks_built);
        tally.add(MetricId::RacksEnergised, stock.racks_energised);
        tally.add(MetricId::RacksDeployable, stock.racks_deployable);
        tally.add(
            MetricId::StandardRacks,
            stock.deployable_kw / self.standard_rack_kw,
        );
        tally.add(MetricId::ItPower, mw(stock.deployable_kw));
        tally.add(
            MetricId::FacilityPower,
            mw((stock.deployable_kw - stock.oversubscribed_kw) * state.pue),
        );
        tally.add(MetricId::InstalledPflops, stock.pflops);
        tally.add(
            MetricId::StrandedSpace,
            mw((stock.space_kw - stock.powered_kw - supply.redundancy_kw).max(0.0)),
        );
        tally.add(MetricId::StrandedRedundancy, mw(supply.redundancy_kw));
        tally.add(MetricId::BuiltPower, mw(stock.design_kw));
        tally.add(MetricId::StrandedDensity, mw(stock.density_kw));
        tally.add(MetricId::StrandedCooling, mw(stock.cooling_kw));
        tally.add(MetricId::StrandedDelivery, mw(stock.delivery_kw));
        tally.add(MetricId::EmbodiedCarbon, state.embodied_t);
        tally.add(MetricId::EmbodiedCarbonReplaced, state.replaced_t);
        for (metric, kw) in DENSITY_CLASSES.into_iter().zip(stock.by_density_kw) {
            tally.add(metric, mw(kw));
        }
        tally.add(MetricId::BuildingsLive, state.buildings_live);
        tally.add(MetricId::StrandedPower, mw(supply.unused_power_kw));
        tally.add(MetricId::StrandedEquipment, mw(stock.equipment_late_kw));
        tally.add(MetricId::OversubscribedPower, mw(stock.oversubscribed_kw));
        tally.shortage = supply.shortage;
        tally
    }

    /// Adds the figures of what tenants use.
    fn tally_tenants(
        &self,
        workspace: &Workspace,
        position: usize,
        campus: &CompiledCampus,
        tally: &mut Tally,
    ) {
        let state = &workspace.campuses[position];
        let mw = |kw: f64| kw / KW_PER_MW;
        let reports_oversubscription = campus.is_oversubscribed();
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
            if reports_oversubscription {
                let capped_kw = self.cap(workspace, campus, pool, in_service, draw, tally);
                if draw > 0.0 {
                    useful *= 1.0 - capped_kw / draw;
                }
                draw -= capped_kw;
            }
            let leased = self.market.leased_kw(&workspace.market, pool);
            let (racks, pflops, available) = occupy(&workspace.pools[pool].live, in_service);
            let useful_share = if in_service > 0.0 {
                useful / in_service
            } else {
                0.0
            };
            tally.add(MetricId::RacksInService, racks);
            tally.add(MetricId::InServicePower, mw(in_service));
            tally.add(MetricId::LeasedPower, mw(leased));
            tally.add(MetricId::CommittedPower, mw(leased));
            tally.add(MetricId::ItDraw, mw(draw));
            tally.add(MetricId::FacilityDraw, mw(draw * state.pue));
            tally.add(MetricId::InServicePflops, pflops);
            tally.add(
                MetricId::EffectivePflops,
                available * state.availability * useful_share,
            );
            tally.add(
                MetricId::UnavailableCompute,
                (pflops - available * state.availability) * useful_share,
            );
        }
        self.tally_companies(workspace, position, tally);
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

/// Writes the figures of a month.
fn write(tally: &mut Tally, (scope, month): (usize, usize), written: &Written, row: &mut TrialRow) {
    let cause = tally.close();
    let numbers = row.months_onward_mut(scope, month);
    for &(place, metric) in &written.metrics {
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

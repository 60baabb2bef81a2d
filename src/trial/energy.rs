//! What power the facility takes and where its energy comes from.

use super::KW_PER_MW;
use super::binding::{SupplyTally, Tally};
use super::state::CampusState;
use crate::model::{CompiledCampus, CompiledCurtailment};
use crate::power::BatteryUse;
use crate::power::energy::{CompiledEnergy, MonthOfUse};
use crate::power::grid::{HOURS_PER_YEAR, Supplied};
use crate::projection::metrics::MetricId;

const HOURS_PER_MONTH: f64 = HOURS_PER_YEAR / 12.0;
const LITRES_PER_M3: f64 = 1_000.0;
const HOURS_PER_DAY: f64 = 24.0;
const DAYS_PER_MONTH: f64 = HOURS_PER_MONTH / HOURS_PER_DAY;
const KWH_PER_MW_MONTH: f64 = HOURS_PER_MONTH * KW_PER_MW;

/// What of the month's power the facility takes beside its IT, what of it is curtailed, and
/// where its energy comes from.
pub(super) fn settle_power(
    state: &mut CampusState,
    campus: &CompiledCampus,
    month: usize,
    drawn: &[f64],
    tally: &mut Tally,
) {
    add_facility_draw(state, campus, month, tally);
    let has_battery = state.supplied.battery.is_some();
    if !has_battery && campus.curtailment.is_none() && campus.energy.is_none() {
        return;
    }
    let draw_mw = tally.get(MetricId::FacilityDraw);
    let mut supplied = state.supplied;
    // What existed at the start has power of its own beside the grid steps.
    let own_kw = campus
        .existing
        .as_ref()
        .map_or(0.0, |own| own.power_kw * state.pue);
    supplied.grid_kw += own_kw;
    let mut power = PowerMonth {
        supplied,
        fed_mw: fed_mw(&state.supply_tally),
        draw_mw,
        served_mw: draw_mw,
        battery_mwh: 0.0,
        losses_mw: 0.0,
    };
    power.ride_on_battery(tally);
    if let Some(curtailment) = &campus.curtailment {
        power.curtail(curtailment, state.curtailed, tally);
    }
    if let Some(energy) = &campus.energy {
        power.settle_energy(energy, state, month, drawn, tally);
    }
}

/// Facility draw by load and temperature, where the campus states its efficiency.
fn add_facility_draw(
    state: &CampusState,
    campus: &CompiledCampus,
    month: usize,
    tally: &mut Tally,
) {
    let Some(efficiency) = &campus.efficiency else {
        return;
    };
    let heat = efficiency.mechanical_share(month);
    let it_draw = tally.get(MetricId::ItDraw);
    let facility = state
        .losses
        .facility(it_draw, fed_mw(&state.supply_tally), heat);
    tally.values[MetricId::FacilityDraw as usize] = facility.total();
    tally.add(MetricId::ElectricalLosses, facility.electrical_losses);
    tally.add(MetricId::CoolingPower, facility.cooling);
    let it_kwh = it_draw * KW_PER_MW * HOURS_PER_MONTH;
    let litres = it_kwh * heat * state.water_litres_per_kwh;
    tally.add(MetricId::WaterUse, litres / LITRES_PER_M3);
}

/// The facility's power of a month.
struct PowerMonth {
    supplied: Supplied,
    fed_mw: f64,
    /// What it would draw, and what of that is served.
    draw_mw: f64,
    served_mw: f64,
    /// What a battery gives, and what it loses on the way.
    battery_mwh: f64,
    losses_mw: f64,
}

impl PowerMonth {
    /// A battery holds the daily peak, as long as it is not empty.
    fn ride_on_battery(&mut self, tally: &mut Tally) {
        let Some((battery, _)) = self.supplied.battery else {
            return;
        };
        let in_service = tally.get(MetricId::InServicePower);
        let peak_mw = in_service.min(self.fed_mw) * facility_share(tally);
        let day = battery.day(
            self.supplied.sustained_kw(),
            self.draw_mw * KW_PER_MW,
            peak_mw * KW_PER_MW,
        );
        self.battery_mwh += use_battery(&day, DAYS_PER_MONTH, &mut self.losses_mw, tally);
        let lost = ratio(
            day.unserved_kwh * DAYS_PER_MONTH,
            self.draw_mw * KWH_PER_MW_MONTH,
        );
        self.lose(lost, tally);
        tally.add(
            MetricId::UnservedEnergy,
            self.draw_mw * lost * HOURS_PER_MONTH,
        );
    }

    /// The import is curtailed for a share of the year and to a depth; a battery rides through it as far as it can.
    fn curtail(
        &mut self,
        curtailment: &CompiledCurtailment,
        (share_of_year, depth): (f64, f64),
        tally: &mut Tally,
    ) {
        let draw_kw = self.draw_mw * KW_PER_MW;
        let mut share = self.supplied.unserved_share(draw_kw, depth);
        if let Some((battery, _)) = self.supplied.battery.filter(|_| share > 0.0) {
            let hours = curtailment.event_hours;
            let surplus_kw = self.supplied.sustained_kw() - draw_kw;
            let between = hours * (1.0 / share_of_year - 1.0);
            let event = battery.event(draw_kw * share, hours, surplus_kw, between);
            let events = share_of_year * HOURS_PER_MONTH / hours;
            self.battery_mwh += use_battery(&event, events, &mut self.losses_mw, tally);
            share = event.unserved_kwh / (hours * draw_kw);
        }
        let lost = share_of_year * share;
        tally.add(
            MetricId::CurtailedEnergy,
            self.served_mw * lost * HOURS_PER_MONTH,
        );
        self.lose(lost, tally);
    }

    /// A share of what is served is not.
    fn lose(&mut self, share: f64, tally: &mut Tally) {
        self.served_mw *= 1.0 - share;
        tally.values[MetricId::EffectivePflops as usize] *= 1.0 - share;
    }

    /// Where the energy comes from, what it costs and emits.
    fn settle_energy(
        &self,
        energy: &CompiledEnergy,
        state: &mut CampusState,
        month: usize,
        drawn: &[f64],
        tally: &mut Tally,
    ) {
        let generation_kw = self.supplied.bridge_kw + self.supplied.permanent_kw;
        // The import serves first; where there is no generation to serve the rest, it serves all.
        let grid_mw = if generation_kw > 0.0 {
            self.supplied.grid_kw / KW_PER_MW
        } else {
            f64::INFINITY
        };
        let use_of = MonthOfUse {
            month,
            served_mw: self.served_mw + self.losses_mw,
            grid_mw,
            bridge_carbon_g_per_kwh: ratio(state.bridge_carbon, generation_kw),
            bridge_price_per_mwh: ratio(state.bridge_price, generation_kw),
            hours: HOURS_PER_MONTH,
        };
        let settled = energy.settle(&mut state.energy, &use_of, drawn);
        for (metric, value) in [
            (MetricId::FacilityEnergy, settled.facility_mwh),
            (MetricId::GridEnergy, settled.grid_mwh),
            (MetricId::BridgeEnergy, settled.bridge_mwh),
            (MetricId::OnSiteEnergy, settled.on_site_mwh),
            (
                MetricId::EnergyCost,
                settled.cost + self.battery_mwh * state.battery_price,
            ),
            (MetricId::LocationCarbon, settled.location_t),
            (MetricId::MarketCarbon, settled.market_t),
        ] {
            tally.add(metric, value);
        }
        tally.renewable_year_mwh += settled.renewable_year_mwh;
        tally.facility_year_mwh += settled.facility_year_mwh;
        tally.matched_mwh += settled.matched_mwh;
    }
}

/// What the feeds of the deployable capacity carry, in MW of IT power.
fn fed_mw(supply: &SupplyTally) -> f64 {
    supply.get(MetricId::ItPower) - supply.get(MetricId::OversubscribedPower)
}

/// Facility power for each MW of IT power, as the draw of the month has it.
fn facility_share(tally: &Tally) -> f64 {
    ratio(
        tally.get(MetricId::FacilityDraw),
        tally.get(MetricId::ItDraw),
    )
}

/// Books what a battery does this many times a month; what it loses, the campus takes besides.
/// Returns what it gives, in MWh.
fn use_battery(each: &BatteryUse, times: f64, losses_mw: &mut f64, tally: &mut Tally) -> f64 {
    let mwh = |kwh: f64| kwh * times / KW_PER_MW;
    let lost_mwh = mwh(each.charged_kwh - each.discharged_kwh);
    *losses_mw += lost_mwh / HOURS_PER_MONTH;
    tally.add(MetricId::BatteryEnergy, mwh(each.discharged_kwh));
    tally.add(MetricId::BatteryLosses, lost_mwh);
    mwh(each.discharged_kwh)
}

/// A ratio; 0 where there is nothing to divide by.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

//! What power the facility takes and where its energy comes from.

use super::KW_PER_MW;
use super::binding::Tally;
use super::state::CampusState;
use crate::model::CompiledCampus;
use crate::power::BatteryUse;
use crate::power::energy::MonthOfUse;
use crate::power::grid::HOURS_PER_YEAR;
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
    if let Some(efficiency) = &campus.efficiency {
        let heat = efficiency.mechanical_share(month);
        let it_draw = tally.get(MetricId::ItDraw);
        let facility = state.losses.facility(it_draw, fed_mw(tally), heat);
        tally.values[MetricId::FacilityDraw as usize] = facility.total();
        tally.add(MetricId::ElectricalLosses, facility.electrical_losses);
        tally.add(MetricId::CoolingPower, facility.cooling);
        let it_kwh = it_draw * KW_PER_MW * HOURS_PER_MONTH;
        let litres = it_kwh * heat * state.water_litres_per_kwh;
        tally.add(MetricId::WaterUse, litres / LITRES_PER_M3);
    }
    let draw_mw = tally.get(MetricId::FacilityDraw);
    let mut supplied = state.supplied;
    // What existed at the start has power of its own beside the grid steps.
    let own_kw = campus
        .existing
        .as_ref()
        .map_or(0.0, |own| own.power_kw * state.pue);
    supplied.grid_kw += own_kw;
    let mut served_mw = draw_mw;
    let (mut battery_mwh, mut losses_mw) = (0.0, 0.0);
    if let Some((battery, _)) = supplied.battery {
        let in_service = tally.get(MetricId::InServicePower);
        let peak_mw = in_service.min(fed_mw(tally)) * facility_share(tally);
        let day = battery.day(
            supplied.sustained_kw(),
            draw_mw * KW_PER_MW,
            peak_mw * KW_PER_MW,
        );
        battery_mwh += use_battery(&day, DAYS_PER_MONTH, &mut losses_mw, tally);
        let lost = ratio(
            day.unserved_kwh * DAYS_PER_MONTH,
            draw_mw * KWH_PER_MW_MONTH,
        );
        served_mw *= 1.0 - lost;
        tally.values[MetricId::EffectivePflops as usize] *= 1.0 - lost;
        tally.add(MetricId::UnservedEnergy, draw_mw * lost * HOURS_PER_MONTH);
    }
    if let Some(curtailment) = &campus.curtailment {
        let (share_of_year, depth) = state.curtailed;
        let draw_kw = draw_mw * KW_PER_MW;
        let mut share = supplied.unserved_share(draw_kw, depth);
        if let Some((battery, _)) = supplied.battery.filter(|_| share > 0.0) {
            let hours = curtailment.event_hours;
            let surplus_kw = supplied.sustained_kw() - draw_kw;
            let between = hours * (1.0 / share_of_year - 1.0);
            let event = battery.event(draw_kw * share, hours, surplus_kw, between);
            let events = share_of_year * HOURS_PER_MONTH / hours;
            battery_mwh += use_battery(&event, events, &mut losses_mw, tally);
            share = event.unserved_kwh / (hours * draw_kw);
        }
        let lost = share_of_year * share;
        tally.add(
            MetricId::CurtailedEnergy,
            served_mw * lost * HOURS_PER_MONTH,
        );
        served_mw *= 1.0 - lost;
        tally.values[MetricId::EffectivePflops as usize] *= 1.0 - lost;
    }
    let Some(energy) = &campus.energy else {
        return;
    };
    let generation_kw = supplied.bridge_kw + supplied.permanent_kw;
    let of_bridge = |sum: f64| {
        if generation_kw > 0.0 {
            sum / generation_kw
        } else {
            0.0
        }
    };
    // The import serves first; where there is no generation to serve the rest, it serves all.
    let grid_mw = if generation_kw > 0.0 {
        supplied.grid_kw / KW_PER_MW
    } else {
        f64::INFINITY
    };
    let use_of = MonthOfUse {
        month,
        served_mw: served_mw + losses_mw,
        grid_mw,
        bridge_carbon_g_per_kwh: of_bridge(state.bridge_carbon),
        bridge_price_per_mwh: of_bridge(state.bridge_price),
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
            settled.cost + battery_mwh * state.battery_price,
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

/// What the feeds of the deployable capacity carry, in MW of IT power.
fn fed_mw(tally: &Tally) -> f64 {
    tally.get(MetricId::ItPower) - tally.get(MetricId::OversubscribedPower)
}

/// Facility power for each MW of IT power, as the draw of the month has it.
fn facility_share(tally: &Tally) -> f64 {
    ratio(
        tally.get(MetricId::FacilityDraw),
        tally.get(MetricId::ItDraw),
    )
}

/// Books what a battery does so many times a month; what it loses, the campus takes besides.
/// Returns what it gives, in MWh.
fn use_battery(each: &BatteryUse, times: f64, losses_mw: &mut f64, tally: &mut Tally) -> f64 {
    let mwh = |kwh: f64| kwh * times / KW_PER_MW;
    let lost_mwh = mwh(each.charged_kwh - each.discharged_kwh);
    *losses_mw += lost_mwh / HOURS_PER_MONTH;
    tally.add(MetricId::BatteryEnergy, mwh(each.discharged_kwh));
    tally.add(MetricId::BatteryLosses, lost_mwh);
    mwh(each.discharged_kwh)
}

/// A share of the draw; 0 of nothing.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
